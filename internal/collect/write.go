package collect

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Output says how to write.
type Output struct {
	HXL   bool      // a row of hashtags under the heading of CSV files
	DHIS2 *Mapping  // nil: nothing for DHIS2
	Made  time.Time // stands in the spreadsheet
}

// Names of the files in a folder of reports.
const (
	XLSXFile    = "laporan.xlsx"
	HTMLFile    = "laporan.html"
	JSONFile    = "laporan.json"
	PackageFile = "datapackage.json"
	FormFile    = "formulir-kobo.xlsx"
	DHIS2File   = "dhis2.json"
)

// ErrForm is the error for a name that does not say what to write.
var ErrForm = errors.New("end the name with .xlsx, .csv, .html or .json, or name a folder")

// CheckName says beforehand whether Write would know what to write.
func CheckName(to string) error {
	if isFolder(to) {
		return nil
	}
	switch strings.ToLower(filepath.Ext(to)) {
	case ".xlsx", ".csv", ".html", ".htm", ".json":
		return nil
	}
	return fmt.Errorf("%s: %w", to, ErrForm)
}

func isFolder(to string) bool {
	if to != "" && os.IsPathSeparator(to[len(to)-1]) {
		return true
	}
	if info, err := os.Stat(to); err == nil {
		return info.IsDir()
	}
	return filepath.Ext(to) == ""
}

// Write writes one report, of the kind that the name's ending says, or all of them into
// a folder, which is made. It returns the files. What the mapping for DHIS2 lacks is
// added to the problems of r. A file appears whole or not at all.
func Write(to string, r *Result, out Output) ([]string, error) {
	if !isFolder(to) {
		var err error
		switch strings.ToLower(filepath.Ext(to)) {
		case ".xlsx":
			err = writeFile(to, func(w io.Writer) error { return writeXLSX(w, r, r.Totals(), out.Made) })
		case ".csv":
			err = writeFile(to, func(w io.Writer) error { return writeTable(w, attendanceTable, r, out.HXL) })
		case ".html", ".htm":
			err = writeFile(to, func(w io.Writer) error { return writeHTML(w, r, r.Totals()) })
		case ".json":
			err = writeFile(to, func(w io.Writer) error { return writeJSON(w, r, r.Totals()) })
		default:
			return nil, CheckName(to)
		}
		return []string{to}, err
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return nil, explain(to, err)
	}
	type job struct {
		name  string
		write func(io.Writer) error
	}
	var jobs []job
	if out.DHIS2 != nil { // first, since it may add problems
		jobs = append(jobs, job{DHIS2File, func(w io.Writer) error { return dhis2(w, r, out.DHIS2) }})
	}
	for _, t := range tables {
		jobs = append(jobs, job{t.name, func(w io.Writer) error { return writeTable(w, t, r, out.HXL) }})
	}
	t := r.Totals()
	jobs = append(jobs,
		job{XLSXFile, func(w io.Writer) error { return writeXLSX(w, r, t, out.Made) }},
		job{HTMLFile, func(w io.Writer) error { return writeHTML(w, r, t) }},
		job{JSONFile, func(w io.Writer) error { return writeJSON(w, r, t) }},
		job{FormFile, writeXLSForm},
		job{PackageFile, func(w io.Writer) error {
			b, err := datapackage()
			if err == nil {
				_, err = w.Write(b)
			}
			return err
		}})
	var done []string
	for _, j := range jobs {
		name := filepath.Join(to, j.name)
		if err := writeFile(name, j.write); err != nil {
			return done, err
		}
		done = append(done, name)
	}
	return done, nil
}

// WriteDHIS2 writes dataValueSets for DHIS2; what the mapping lacks is added to the
// problems of r.
func WriteDHIS2(to string, r *Result, m *Mapping) error {
	return writeFile(to, func(w io.Writer) error { return dhis2(w, r, m) })
}

// WriteForm writes the form for KoboToolbox.
func WriteForm(to string) error { return writeFile(to, writeXLSForm) }

func dhis2(w io.Writer, r *Result, m *Mapping) error {
	problems, err := writeDHIS2(w, r, m)
	r.Problems = append(r.Problems, problems...)
	return err
}

func writeTable(w io.Writer, t table, r *Result, hxl bool) error {
	b, err := t.csv(r, hxl)
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

// writeFile writes beside the file and puts it into place when it is whole.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".mimpi-*"+filepath.Ext(name))
	if err != nil {
		return explain(name, err)
	}
	err = write(f)
	if err == nil {
		err = f.Chmod(0o644)
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return explain(name, errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// explain adds what to do.
func explain(name string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission) || isInUse(err):
		return fmt.Errorf("%s tidak bisa ditulis. Tutup dulu berkas itu di Excel, atau pilih nama lain dengan -o. / It cannot be written. Close it in Excel first, or choose another name with -o: %w", name, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s tidak bisa ditulis: mapnya tidak ada. / It cannot be written: there is no such folder: %w", name, err)
	}
	return fmt.Errorf("%s tidak bisa ditulis. / It cannot be written: %w", name, err)
}
