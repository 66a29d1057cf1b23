// Package export writes the journal's screenings as files for coordinators.
//
// # What is written
//
// Each screening is a folder mimpi-kiosk/KIOSK/DATE_VENUE_ID with attendance.csv,
// ballots.csv, events.jsonl, summary.json, report.html (a page for people, which needs
// nothing beside it) and SHA256SUMS (for sha256sum -c). Names hold only ASCII letters,
// digits, '-' and '_', at most 60 of them, so that FAT takes them. The same journal
// gives the same bytes for ever: exporting twice adds nothing twice, and no time of
// export is written anywhere. LIHAT-SAYA.html at the top leads to all reports there,
// also to those of other kiosks on the same stick.
//
// # Signed
//
// With a [Key], SHA256SUMS.minisig is the signature of SHA256SUMS by the kiosk, and
// KIOSK/minisign.pub its public key, which summary.json names too. Who changes a file
// can make new checksums, but no new signature; who makes up a key of their own is
// found out by comparing it with the one that the kiosk had before. The trusted comment
// is "mimpi-kiosk KIOSK ID".
//
// # Encrypted
//
// With recipients, a screening is a folder DATE_terkunci_ID with screening.zip.age (a
// zip of the files above, encrypted by age to the coordinators' keys), sealed.json,
// SHA256SUMS and its signature. It replaces the folder that everybody could read. Date,
// kiosk and id stay readable. It is encrypted anew only when the screening or the
// recipients changed, which a keyed digest in sealed.json tells.
//
// # Promises
//
// A folder appears under its name at once and whole: it is written beside it under a
// name that begins with ".tmp-", synced, and renamed; what is left of a broken export
// is cleared away by the next one. A folder that differs is replaced, one that is the
// same is not touched. The newest screenings come first, so that a full stick misses
// the oldest. The package starts no goroutines and keeps no state.
//
// # CSV for Excel on an Indonesian Windows
//
// The separator is a semicolon. A double click opens a CSV with the list separator
// of the Windows region, and in Indonesia that is ';', because ',' is the decimal
// comma; a file with commas would show each line in one cell. A line "sep=;" at the
// top would help other regions, but Excel then ignores the byte order mark and shows
// UTF-8 as rubbish, and all other readers take the line for data. So there is no such
// line; the file begins with the UTF-8 byte order mark and lines end with CR LF.
//
// Numbers are whole, so no decimal sign is needed. Times are ISO 8601 with the offset
// of WITA (+08:00), which Excel leaves alone as text; beside them stand a date
// (2026-11-24) and a time (19:00), which Excel takes for date and time in every
// region.
//
// Text is never run as a formula and never taken for a number or a date: a cell that
// would be ("=1+1", "53.10", "3-4", "007") has an apostrophe before it. One rule for
// readers: where a cell begins with an apostrophe, the rest is the text. In
// particular kode_kemendagri is always written like that ('53.18), because Excel
// makes 53.1 out of 53.10, or 53 minutes past something, or a thousands group, by
// region. The number of people with a disability, who were asked and are counted in
// the other rows already, has a row of its own (category "(disability)") with the
// number in the column disability: the sums of net_count and of disability are right.
//
// # How the times are known
//
// A kiosk without a battery may learn the time in the middle of an evening. Each boot
// has a monotonic clock, so the times of what was recorded before are put right when
// the clock is set later in the same boot; also after the screening, which then makes
// its next export differ. The column clock_source lists how the times of a screening are
// known, started_clock and ended_clock how those two are: "synced" (network), "operator"
// (the facilitator), "rtc" (a battery), the same with "_corrected" (put right by another moment
// of the same boot), and "unset": nobody knows, it only is not before what came before. In
// events.jsonl "at" and "clock" are the journal's own, "time" and "timeKnown" the best
// that is known.
//
// # What protects the ballot
//
// A watcher who noted the queue at the touch screen could match it with the order or
// the times of ballots. So no file holds either. In ballots.csv like ballots are
// added up by question, round, channel and set of options. In events.jsonl, which is
// the journal's own record and from which the same state can be built again by
// [screening.State.Apply], the ballots of a round stay in the places (seq) that
// ballots had but are sorted by content, all carry the time at which the round was
// opened, and have neither command id nor the phone's key: instead of the key stands
// a number that means nothing outside its round. A phone's ballot that was replaced
// by a later one is left out; so the numbers seq have no gaps but these, and
// summary.json says how many there are. Where all of a round chose the same, or one
// person alone used a channel, any count tells their choice; the coordinators must
// know that before they publish small groups.
package export

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mimpi-kiosk/internal/screening"
)

// Source is where the screenings come from.
type Source interface {
	// ScreeningIDs lists all screenings, the newest first.
	ScreeningIDs(ctx context.Context) ([]string, error)
	// Events yields the events of a screening in order, from its ScreeningPlanned on;
	// before them may stand the last ClockSet and KioskStarted. It ends after the
	// first error.
	Events(ctx context.Context, screening string) iter.Seq2[screening.Recorded, error]
	// ClockSettings gives, in order, every ClockSet of the boots that the screening's
	// events are of, also from before and after it.
	ClockSettings(ctx context.Context, screening string) ([]screening.Recorded, error)
}

// Options say what is exported.
type Options struct {
	Rehearsals bool     // rehearsals as well; they are marked in every file
	Key        *Key     // signs; nil: nothing is signed
	Recipients []string // public keys of age; none: nothing is encrypted. They need a Key.

	// Of Write: Before is called before each screening with how many were seen to, and may
	// wait, or end the export by an error. Placed is told of each that is whole on the disk.
	Before func(done, all int) error
	Placed func(Placed)
}

// Names that a reader of exports looks for.
const (
	Top              = "mimpi-kiosk" // the folder that everything goes into
	EventsFile       = "events.jsonl"
	SummaryFile      = "summary.json"
	UnfinishedPrefix = tmpPrefix // of a folder that was being written
)

// Write exports all screenings into dir, which must exist, and returns the folders
// that hold them now, the newest first. A screening that cannot be read is told in
// the error, and the others are written nevertheless; an error of the disk ends the
// export, and a full one is a [Full]. Nothing is written or removed outside dir, whatever
// links stand in it. Two Writes into the same dir must not run at once.
func Write(ctx context.Context, src Source, dir string, opts Options) ([]string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() // everything in it was synced
	ids, err := src.ScreeningIDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the screenings: %w", err)
	}
	var done []string
	var unread []error
	var full *Full
	kiosks := map[string]*shelf{}
	for i, id := range ids {
		if opts.Before != nil {
			if err := opts.Before(i, len(ids)); err != nil {
				return done, err
			}
		}
		f, err := open(ctx, src, id, opts)
		if ctx.Err() != nil {
			return done, ctx.Err()
		}
		if err != nil {
			unread = append(unread, err)
			continue
		}
		if f == nil {
			continue
		}
		name := path.Join(Top, f.kiosk, f.name)
		if full != nil { // the rest is only measured
			full.add(f, root, name)
			continue
		}
		s := kiosks[f.kiosk]
		if s == nil {
			s, err = openShelf(root, path.Join(Top, f.kiosk), opts.Key)
			kiosks[f.kiosk] = s
		}
		written := false
		if err == nil {
			written, err = s.put(f)
		}
		if isFull(err) {
			full = &Full{Err: err}
			full.add(f, root, name)
			continue
		}
		if err != nil {
			return done, explain(dir, fmt.Errorf("export screening %s: %w", id, err))
		}
		done = append(done, filepath.Join(dir, filepath.FromSlash(name)))
		if opts.Placed != nil {
			opts.Placed(Placed{Folder: name, Written: written, Sums: f.sums()})
		}
	}
	if full != nil {
		return done, explain(dir, full)
	}
	for _, s := range kiosks {
		if err := s.tidy(); err != nil {
			return done, explain(dir, err)
		}
	}
	if err := writeIndex(root, dir); err != nil {
		return done, explain(dir, err)
	}
	return done, errors.Join(unread...)
}

// Placed is a screening that is whole on the disk.
type Placed struct {
	Folder  string   // below the place that was exported to
	Written bool     // this time; else it was there already
	Sums    [32]byte // SHA-256 of its SHA256SUMS
}

// Full is the error of a disk that had no room for all. What is there is whole.
type Full struct {
	Missing int   // screenings that are not on the disk
	Need    int64 // bytes that they take, about
	Err     error // of the disk
}

func (e *Full) Error() string { return fmt.Sprintf("no room for %d screenings: %v", e.Missing, e.Err) }
func (e *Full) Unwrap() error { return e.Err }

// cluster is what the smallest file takes on a large stick.
const cluster = 32 << 10

func (e *Full) add(f *folder, root *os.Root, name string) {
	if f.standsIn(root, name) {
		return
	}
	e.Missing++
	files := f.files
	if f.seal != nil {
		files = f.seal.plain // about as large
	}
	for _, file := range files {
		e.Need += (int64(len(file.content)) + cluster) / cluster * cluster
	}
}

// ErrNotKept is the error of a disk that did not give back what was written to it: it is
// broken, or smaller than it claims.
var ErrNotKept = errors.New("the disk does not give back what was written to it")

func (f *folder) sums() [32]byte {
	i := slices.IndexFunc(f.files, func(file file) bool { return file.name == SumsFile || file.name == SealFile })
	return sha256.Sum256(f.files[i].content)
}

func writeIndex(root *os.Root, dir string) error {
	content, err := indexOf(dir)
	if err != nil {
		return err
	}
	return place(root, ".", IndexFile, content)
}

// Zip writes the same folders as one zip file. Screenings that cannot be read are
// told in the error and in a file MASALAH.txt of the zip, which is whole nevertheless;
// after any other error it is not.
func Zip(ctx context.Context, src Source, w io.Writer, opts Options) error {
	ids, err := src.ScreeningIDs(ctx)
	if err != nil {
		return fmt.Errorf("list the screenings: %w", err)
	}
	z := zip.NewWriter(w)
	var unread []error
	var kiosks []indexKiosk
	var newest time.Time
	for _, id := range ids {
		f, err := open(ctx, src, id, opts)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			unread = append(unread, err)
			continue
		}
		if f == nil {
			continue
		}
		files, err := f.content()
		if err != nil {
			return fmt.Errorf("export screening %s: %w", id, err)
		}
		for i := range files {
			files[i].name = path.Join(Top, f.kiosk, f.name, files[i].name)
		}
		if newest.Before(f.modified) {
			newest = f.modified
		}
		i := slices.IndexFunc(kiosks, func(k indexKiosk) bool { return k.Name == f.kiosk })
		if i < 0 {
			i = len(kiosks)
			kiosks = append(kiosks, indexKiosk{Name: f.kiosk})
			if opts.Key != nil {
				public, err := opts.Key.publicFile()
				if err != nil {
					return err
				}
				files = append(files, file{path.Join(Top, f.kiosk, PublicKeyFile), public})
			}
		}
		kiosks[i].Screenings = append(kiosks[i].Screenings, f.inIndex())
		for _, file := range files {
			h := &zip.FileHeader{Name: file.name, Method: zip.Deflate, Modified: f.modified}
			if err := addToZip(z, h, file.content); err != nil {
				return fmt.Errorf("export screening %s: %w", id, err)
			}
		}
	}
	slices.SortFunc(kiosks, func(a, b indexKiosk) int { return strings.Compare(a.Name, b.Name) })
	contents, err := index(kiosks)
	if err != nil {
		return err
	}
	if err := addToZip(z, &zip.FileHeader{Name: IndexFile, Method: zip.Deflate, Modified: newest}, contents); err != nil {
		return err
	}
	if err := errors.Join(unread...); err != nil {
		h := &zip.FileHeader{Name: path.Join(Top, "MASALAH.txt"), Method: zip.Deflate}
		content := "Pemutaran berikut tidak bisa dibaca dari jurnal dan tidak ada di sini. Beri tahu koordinator.\r\n" +
			"The following screenings could not be read from the journal and are missing here. Tell the coordinator.\r\n\r\n" +
			strings.ReplaceAll(err.Error(), "\n", "\r\n") + "\r\n"
		if werr := addToZip(z, h, []byte(content)); werr != nil {
			return werr
		}
		return errors.Join(err, z.Close())
	}
	return z.Close()
}

// Files gives what Write would write of one screening, by the names of the files, and
// the folder that it belongs into, with slashes. There are none when the screening is a
// rehearsal and those are not wanted.
func Files(ctx context.Context, src Source, id string, opts Options) (dir string, files map[string][]byte, err error) {
	f, err := open(ctx, src, id, opts)
	if err != nil || f == nil {
		return "", nil, err
	}
	content, err := f.content()
	files = map[string][]byte{}
	for _, c := range content {
		files[c.name] = c.content
	}
	return path.Join(Top, f.kiosk, f.name), files, err
}

func addToZip(z *zip.Writer, h *zip.FileHeader, content []byte) error {
	w, err := z.CreateHeader(h)
	if err != nil {
		return err
	}
	_, err = w.Write(content)
	return err
}

// open reads one screening and makes its folder; nil when it is not to be exported.
func open(ctx context.Context, src Source, id string, opts Options) (*folder, error) {
	e, err := gather(ctx, src, id, opts)
	if err != nil {
		return nil, fmt.Errorf("read screening %s: %w", id, err)
	}
	if e == nil {
		return nil, nil
	}
	f, err := e.folder()
	if err == nil && len(opts.Recipients) > 0 {
		err = f.sealFor(opts.Recipients, opts.Key)
	}
	if err != nil {
		return nil, fmt.Errorf("export screening %s: %w", id, err)
	}
	return f, nil
}

// explain adds what to do to an error of the disk.
func explain(dir string, err error) error {
	switch {
	case isFull(err):
		return fmt.Errorf("%s is full; the newest screenings were written first. Free some space and export again: %w", dir, err)
	case errors.Is(err, ErrNotKept):
		return fmt.Errorf("%s loses what is written to it: it is broken, or smaller than it claims. Use another one: %w", dir, err)
	case IsProtected(err):
		return fmt.Errorf("%s cannot be written to. Remove the write protection, or choose another place: %w", dir, err)
	}
	return err
}
