package collect

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"mimpi-kiosk/internal/export"
)

// Bounds of what is read. They are far above what kiosks write.
const (
	deepest     = 12      // folders inside one another
	mostEntries = 500_000 // files and folders of one place
	mostInOne   = 100_000 // files and folders of one folder
	mostCopies  = 100_000 // screenings of one place
	mostZip     = 2 << 30 // bytes of a zip file
	mostIndex   = 32 << 20

	mostEvents  = 64 << 20 // bytes of events.jsonl
	mostLine    = 2 << 20  // bytes of one event
	mostSummary = 4 << 20
	mostSums    = 64 << 10
	mostTable   = 32 << 20 // bytes of any other file that is only checked
	mostSealed  = 96 << 20 // bytes of an encrypted screening, and of what is in it
)

// source is a folder or a zip file that is read.
type source struct {
	name  string // as the person knows it
	tree  fs.FS
	close func()
	zip   bool
	seen  int // entries so far
}

// place is where a copy of a screening stands.
type place struct {
	of     *source
	dir    string // in the source
	sealed bool
}

// path is where it stands, for people.
func (p *place) path() string { return p.of.at(p.dir) }

func (s *source) at(name string) string {
	if name == "." {
		return s.name
	}
	if s.zip {
		return s.name + ": " + name
	}
	return filepath.Join(s.name, filepath.FromSlash(name))
}

func openSource(name string) (*source, *Problem) {
	info, err := os.Stat(name)
	if err == nil && info.IsDir() {
		var root *os.Root
		if root, err = os.OpenRoot(name); err == nil {
			return &source{name: name, tree: root.FS(), close: func() { root.Close() }}, nil
		}
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("neither a folder nor a file")
	}
	if err != nil {
		return nil, &Problem{Level: Missing, Kind: Unreadable, Path: name,
			What: say("Tidak bisa dibuka: %v.", "It cannot be opened: %v.", err),
			Do:   Words{"Periksa apakah stiknya masih tertancap dan namanya benar.", "Check that the stick is still plugged in and that the name is right."}}
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, &Problem{Level: Missing, Kind: Unreadable, Path: name,
			What: say("Tidak bisa dibuka: %v.", "It cannot be opened: %v.", err),
			Do:   Words{"Periksa izin berkas itu.", "Check the permissions of the file."}}
	}
	return openZip(name, f, info.Size(), func() { f.Close() })
}

// openZip closes when it fails.
func openZip(name string, r io.ReaderAt, size int64, close func()) (*source, *Problem) {
	if size > mostZip {
		close()
		return nil, &Problem{Level: Missing, Kind: TooMuch, Path: name,
			What: say("Terlalu besar untuk ekspor kiosk.", "It is too large for an export of a kiosk."),
			Do:   Words{"Buka dulu zip itu ke sebuah map, lalu pilih map itu.", "Unpack the zip into a folder and choose that folder."}}
	}
	z, err := newZip(r, size)
	if err != nil {
		close()
		return nil, &Problem{Level: Missing, Kind: Unreadable, Path: name,
			What: say("Bukan zip yang utuh: %v.", "It is no whole zip: %v.", err),
			Do:   Words{"Pilih map stik, atau unduh lagi export.zip dari kiosk.", "Choose the stick's folder, or download export.zip from the kiosk again."}}
	}
	return &source{name: name, tree: z, close: close, zip: true}, nil
}

// newZip opens a zip whose list of files is not larger than mostIndex, since all of it
// is kept in memory.
func newZip(r io.ReaderAt, size int64) (*zip.Reader, error) {
	budget := &budget{r, mostIndex}
	z, err := zip.NewReader(budget, size)
	if err != nil {
		return nil, err
	}
	budget.left = -1
	return z, nil
}

// budget lets so many bytes be read; -1 is any number.
type budget struct {
	of   io.ReaderAt
	left int64
}

var errTooMuch = errors.New("it is larger than a kiosk makes it")

func (b *budget) ReadAt(p []byte, off int64) (int, error) {
	if b.left >= 0 {
		if b.left < int64(len(p)) {
			return 0, errTooMuch
		}
		b.left -= int64(len(p))
	}
	return b.of.ReadAt(p, off)
}

// find looks for screenings everywhere in the source. Zip files in a folder are sources
// of their own, which are given back to be closed.
func (s *source) find(ctx context.Context) (found []*place, wrong []Problem, opened []*source) {
	w := walk{s: s}
	w.folder(ctx, ".", 0)
	if len(w.found) == 0 && len(w.wrong) == 0 {
		w.wrong = append(w.wrong, Problem{Level: Note, Kind: Nothing, Path: s.name,
			What: Words{"Tidak ada pemutaran di sini.", "There is no screening here."},
			Do:   Words{"Pilih stik atau map yang berisi map mimpi-kiosk.", "Choose the stick or the folder that has the folder mimpi-kiosk in it."}})
	}
	return w.found, w.wrong, w.opened
}

type walk struct {
	s      *source
	found  []*place
	wrong  []Problem
	opened []*source
	full   bool
}

func (w *walk) tooMuch(name string) {
	if w.full {
		return
	}
	w.full = true
	w.wrong = append(w.wrong, Problem{Level: Missing, Kind: TooMuch, Path: w.s.at(name),
		What: Words{"Terlalu banyak berkas atau map bersarang; sisanya tidak dilihat.", "There are too many files or nested folders; the rest was not looked at."},
		Do:   Words{"Pilih langsung map mimpi-kiosk di dalamnya.", "Choose the folder mimpi-kiosk in it directly."}})
}

func (w *walk) folder(ctx context.Context, name string, depth int) {
	if w.full || ctx.Err() != nil {
		return
	}
	if depth > deepest {
		w.tooMuch(name)
		return
	}
	entries, err := w.list(name)
	if err != nil {
		w.wrong = append(w.wrong, Problem{Level: Missing, Kind: Unreadable, Path: w.s.at(name),
			What: say("Map ini tidak bisa dibaca: %v.", "This folder cannot be read: %v.", err), Do: copyAgain})
		return
	}
	has := func(file string) bool {
		return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == file && e.Type().IsRegular() })
	}
	if sealed := has(export.SealedFile) || has(export.SealFile); sealed || has(export.SumsFile) || has(export.EventsFile) {
		if len(w.found) >= mostCopies {
			w.tooMuch(name)
			return
		}
		w.found = append(w.found, &place{of: w.s, dir: name, sealed: sealed})
		return
	}
	for _, e := range entries {
		inner := path.Join(name, e.Name())
		switch {
		case e.IsDir() && strings.HasPrefix(e.Name(), export.UnfinishedPrefix) && under(name, export.Top):
			w.wrong = append(w.wrong, Problem{Level: Note, Kind: Unfinished, Path: w.s.at(inner),
				What: Words{"Ekspor ke stik ini terputus sebelum selesai.", "The export to this stick was interrupted before it was done."},
				Do:   Words{"Colokkan stik ke kiosk lagi; kiosk menyelesaikannya.", "Plug the stick into the kiosk again; the kiosk finishes it."}})
		case strings.HasPrefix(e.Name(), ".") || systemFolder(e.Name()):
		case e.IsDir():
			w.folder(ctx, inner, depth+1)
		case e.Type().IsRegular() && !w.s.zip && strings.EqualFold(path.Ext(e.Name()), ".zip"):
			w.zip(ctx, inner)
		}
	}
}

func under(name, top string) bool { return slices.Contains(strings.Split(name, "/"), top) }

// zip looks into a zip file in a folder. One that cannot be read, or has nothing of
// ours in it, is somebody else's.
func (w *walk) zip(ctx context.Context, name string) {
	f, err := w.s.tree.Open(name)
	if err != nil {
		return
	}
	info, err := f.Stat()
	r, ok := f.(io.ReaderAt)
	if err != nil || !ok || !info.Mode().IsRegular() {
		f.Close()
		return
	}
	s, problem := openZip(w.s.at(name), r, info.Size(), func() { f.Close() })
	if problem != nil {
		if strings.Contains(strings.ToLower(path.Base(name)), "mimpi") || strings.HasPrefix(strings.ToLower(path.Base(name)), "export") {
			w.wrong = append(w.wrong, *problem)
		}
		return
	}
	inner := walk{s: s}
	inner.folder(ctx, ".", 0)
	if len(inner.found) == 0 {
		s.close()
		return
	}
	w.found, w.wrong, w.opened = append(w.found, inner.found...), append(w.wrong, inner.wrong...), append(w.opened, s)
}

// list gives the entries of a folder by name, at most mostInOne.
func (w *walk) list(name string) ([]fs.DirEntry, error) {
	f, err := w.s.tree.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil, errors.New("not a folder")
	}
	var all []fs.DirEntry
	for {
		some, err := d.ReadDir(1024)
		all = append(all, some...)
		w.s.seen += len(some)
		if len(all) > mostInOne || w.s.seen > mostEntries {
			w.tooMuch(name)
			break
		}
		if errors.Is(err, io.EOF) || err == nil && len(some) == 0 {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return all, nil
}

func systemFolder(name string) bool {
	return strings.EqualFold(name, "System Volume Information") || strings.EqualFold(name, "$RECYCLE.BIN") || name == "lost+found"
}

// withoutRepeats drops places that were named twice ("E:\ E:\mimpi-kiosk").
func withoutRepeats(all []*place) []*place {
	seen := map[string]bool{}
	return slices.DeleteFunc(all, func(p *place) bool {
		key := p.path()
		if abs, err := filepath.Abs(key); err == nil && !p.of.zip {
			key = abs
		}
		again := seen[key]
		seen[key] = true
		return again
	})
}

// errOdd is a thing on a stick that kiosks do not make.
var errOdd = errors.New("it is no plain file")

// open opens a plain file of the place that has at most so many bytes.
func (p *place) open(name string, most int64) (fs.File, int64, error) {
	full := path.Join(p.dir, name)
	if info, err := fs.Lstat(p.of.tree, full); err == nil && !info.Mode().IsRegular() {
		return nil, 0, errOdd
	}
	f, err := p.of.tree.Open(full)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = errOdd
	case info.Size() > most:
		err = errTooMuch
	}
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// whole reads a small file.
func (p *place) whole(name string, most int64) ([]byte, error) {
	f, _, err := p.open(name, most)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = errTooMuch
	}
	return b, err
}
