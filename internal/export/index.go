package export

import (
	"cmp"
	"encoding/json"
	"errors"
	"html/template"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"mimpi-kiosk/internal/export/chart"
)

// IndexFile stands at the top and leads to each screening.
const IndexFile = "LIHAT-SAYA.html"

// Bounds of what is read of other kiosks' folders for the index.
const (
	indexMost    = 5000    // screenings of one kiosk, and kiosks
	indexSummary = 1 << 20 // bytes of one summary.json
)

type indexData struct {
	Style  template.CSS
	Kiosks []indexKiosk
	Locked bool
}

type indexKiosk struct {
	Name       string
	Screenings []indexScreening
}

type indexScreening struct {
	folder               string
	held                 string // "2026-11-24..."
	Date, Venue, Regency string
	Link                 string
	People               int
	Rehearsal, Locked    bool
}

// indexOf makes LIHAT-SAYA.html of what stands in dir, also of other kiosks, whose
// folders are no more trusted than any stick: what is none of ours is left out. A stick that fails
// while it is read is an error, since the page would say that there is less than there is.
func indexOf(dir string) ([]byte, error) {
	root, err := os.OpenRoot(filepath.Join(dir, Top))
	if errors.Is(err, os.ErrNotExist) {
		return index(nil)
	}
	if err != nil {
		return nil, err
	}
	defer root.Close() // read only
	var kiosks []indexKiosk
	names, err := folders(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	for _, kiosk := range names {
		k := indexKiosk{Name: kiosk}
		names, err := folders(root.FS(), kiosk)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			s, err := look(root, kiosk, name)
			if err != nil {
				return nil, err
			}
			if s != nil {
				k.Screenings = append(k.Screenings, *s)
			}
		}
		if len(k.Screenings) > 0 {
			kiosks = append(kiosks, k)
		}
	}
	return index(kiosks)
}

// folders lists the folders in one, without links; none when it is no folder that may be read.
func folders(tree fs.FS, name string) ([]string, error) {
	f, err := tree.Open(name)
	if err != nil {
		return nil, failing(err)
	}
	defer f.Close() // read only
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil, nil
	}
	entries, err := d.ReadDir(indexMost)
	if err := failing(err); err != nil {
		return nil, err
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out, nil
}

// failing gives the error of a disk that fails; nil of any other.
func failing(err error) error {
	if errors.Is(err, syscall.EIO) {
		return err
	}
	return nil
}

// look reads what the index says of a screening; nil when it is none.
func look(root *os.Root, kiosk, folder string) (*indexScreening, error) {
	name := path.Join(kiosk, folder)
	s := &indexScreening{folder: folder, held: folder}
	info, err := root.Lstat(path.Join(name, SealFile))
	if err := failing(err); err != nil {
		return nil, err
	}
	if err == nil && info.Mode().IsRegular() {
		s.Locked, s.Date = true, LongDate(folder[:min(len(folder), 10)])
		return s, nil
	}
	content, err := readBounded(root, path.Join(name, SummaryFile), indexSummary)
	var sum Summary
	if err != nil || json.Unmarshal(content, &sum) != nil {
		return nil, failing(err)
	}
	report := "report.html"
	if _, err := root.Lstat(path.Join(name, report)); failing(err) != nil {
		return nil, err
	} else if err != nil {
		report = "attendance.csv" // of an older kiosk
	}
	s.fill(kiosk, report, sum)
	return s, nil
}

// inIndex is what the index says of a folder.
func (f *folder) inIndex() indexScreening {
	s := indexScreening{folder: f.name, held: f.name}
	if f.seal != nil {
		s.Locked, s.Date = true, LongDate(f.name[:10])
		return s
	}
	s.fill(f.kiosk, "report.html", f.summary)
	return s
}

func (s *indexScreening) fill(kiosk, report string, sum Summary) {
	s.held, s.Date = sum.Screening.HeldAt, LongDate(sum.Screening.HeldAt[:min(len(sum.Screening.HeldAt), 10)])
	s.Venue, s.Regency = cmp.Or(sum.Screening.Venue, s.folder), sum.Screening.Regency
	s.People, s.Rehearsal = sum.Attendance.Total, sum.Screening.Rehearsal
	s.Link = (&url.URL{Path: path.Join(Top, kiosk, s.folder, report)}).String()
}

func index(kiosks []indexKiosk) ([]byte, error) {
	d := indexData{Style: chart.Style, Kiosks: kiosks}
	for _, k := range kiosks {
		slices.SortFunc(k.Screenings, func(a, b indexScreening) int {
			return cmp.Or(cmp.Compare(b.held, a.held), cmp.Compare(a.folder, b.folder))
		})
		for _, s := range k.Screenings {
			d.Locked = d.Locked || s.Locked
		}
	}
	return page(indexPage, d)
}
