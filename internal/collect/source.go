package collect

import (
	"archive/zip"
	"bytes"
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
	"mimpi-kiosk/kiosk-ui/lang"
)

// Bounds of what is read. They are far above what kiosks write.
const (
	deepest     = 12      // folders inside one another
	mostDeep    = 10      // folders that are named because they are deeper
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
	mostLook    = 64 << 20 // bytes that are read of files of one place, or of a damaged zip, only to see whose they are
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

// folder is the name of its folder, "" when it is the top of a zip.
func (p *place) folder() string {
	switch {
	case p.dir != ".":
		return path.Base(p.dir)
	case p.of.zip:
		return ""
	}
	full, err := filepath.Abs(p.of.name)
	if err != nil {
		return ""
	}
	return filepath.Base(full)
}

// names lists what is in the folder, at most about most entries.
func (p *place) names(most int) ([]fs.DirEntry, error) {
	f, err := p.of.tree.Open(p.dir)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		return nil, errors.New("not a folder")
	}
	all, err := d.ReadDir(most)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return all, err
}

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
	for _, f := range z.File { // some programs of Windows write them so
		f.Name = strings.ReplaceAll(f.Name, `\`, "/")
	}
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
	deep   int   // folders that were too deep
	looked int64 // bytes that were read only to see whose they are
}

func (w *walk) bad(l Level, k Kind, name string, what, do Words) {
	w.wrong = append(w.wrong, Problem{Level: l, Kind: k, Path: w.s.at(name), What: what, Do: do})
}

func (w *walk) folder(ctx context.Context, name string, depth int) {
	if w.full || ctx.Err() != nil {
		return
	}
	if depth > deepest {
		if w.deep++; w.deep <= mostDeep {
			w.bad(Missing, TooMuch, name, words(lang.Text("collect.folder.deep", lang.Params{"n": deepest})), words(lang.Text("collect.folder.choose")))
		}
		return
	}
	entries, err := w.list(name)
	if err != nil {
		w.bad(Missing, Unreadable, name, say("Map ini tidak bisa dibaca: %v.", "This folder cannot be read: %v.", err), copyAgain)
		w.wrong[len(w.wrong)-1].Screening = idInName((&place{of: w.s, dir: name}).folder())
		return
	}
	has := func(file string) bool {
		return slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() == file && e.Type().IsRegular() })
	}
	if sealed := has(export.SealedFile) || has(export.SealFile); sealed || has(export.SumsFile) || has(export.EventsFile) {
		if len(w.found) >= mostCopies {
			w.full = true
			w.bad(Missing, TooMuch, name, words(lang.Text("collect.folder.full")), words(lang.Text("collect.folder.choose")))
			return
		}
		w.found = append(w.found, &place{of: w.s, dir: name, sealed: sealed})
		return
	}
	w.remains(name, entries)
	for _, e := range entries {
		inner := path.Join(name, e.Name())
		switch {
		case e.IsDir() && strings.HasPrefix(e.Name(), export.UnfinishedPrefix) && (under(name, export.Top) || idInName(e.Name()) != ""):
			w.unfinished(inner, Words{"Ekspor ke stik ini terputus sebelum selesai.", "The export to this stick was interrupted before it was done."},
				Words{"Colokkan stik ke kiosk lagi; kiosk menyelesaikannya.", "Plug the stick into the kiosk again; the kiosk finishes it."})
		case strings.HasPrefix(e.Name(), ".") || systemFolder(e.Name()):
		case e.IsDir():
			w.folder(ctx, inner, depth+1)
		case !e.Type().IsRegular():
		case w.s.zip && strings.EqualFold(path.Ext(e.Name()), ".zip"):
			w.zipInZip(inner)
		case strings.EqualFold(path.Ext(e.Name()), ".zip"):
			w.zip(ctx, inner)
		}
	}
}

func under(name, top string) bool { return slices.Contains(strings.Split(name, "/"), top) }

// unfinished names a copy of a screening that was not written to its end, and says how far
// it seems to go.
func (w *walk) unfinished(name string, what, do Words) {
	c := checked{at: &place{of: w.s, dir: name}}
	c.id = idInName(c.at.folder())
	c.wrong(Missing, Unfinished, what, do)
	c.measure(c.at)
	w.wrong = append(w.wrong, c.problems...)
}

// remains names a screening's folder that lacks its journal, as a copy leaves it that was
// interrupted, or a kiosk's folder that lacks all screenings.
func (w *walk) remains(name string, entries []fs.DirEntry) {
	at := &place{of: w.s, dir: name}
	var files []string // ours
	summary, public, folders := false, false, 0
	for _, e := range entries {
		switch {
		case e.IsDir():
			folders++
		case !e.Type().IsRegular():
		case e.Name() == export.PublicKeyFile:
			public = true
		case slices.Contains([]string{"attendance.csv", "ballots.csv", export.SummaryFile, "report.html", export.SignatureFile}, e.Name()):
			files = append(files, e.Name())
			summary = summary || e.Name() == export.SummaryFile
		}
	}
	id := idInName(at.folder())
	likely := id != "" && (len(files) > 0 || ourIDs.MatchString(id) || under(name, export.Top))
	if !likely && len(files) < 2 && summary {
		s, _ := summaryOf(at) // nil when it is somebody else's
		likely = s != nil
	}
	switch {
	case likely || len(files) > 1:
		w.unfinished(name, words(lang.Text("collect.folder.no_journal", lang.Params{"file": export.EventsFile})), words(lang.Text("collect.folder.no_journal_do")))
	case public && folders == 0:
		w.bad(Missing, Unfinished, name, words(lang.Text("collect.folder.no_screening")), words(lang.Text("collect.folder.no_journal_do")))
	}
}

// zip looks into a zip file in a folder. One that cannot be read, and has nothing of ours
// in it as far as can be seen, is somebody else's.
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
	ours := false
	s, problem := openZip(w.s.at(name), r, info.Size(), func() {
		ours = mentionsUs(io.NewSectionReader(r, 0, min(info.Size(), mostLook)))
		f.Close()
	})
	if problem != nil {
		if ours || namedForUs(name) {
			w.wrong = append(w.wrong, *problem)
		}
		return
	}
	s.close = func() { f.Close() }
	inner := walk{s: s}
	inner.folder(ctx, ".", 0)
	if len(inner.found) == 0 { // somebody else may nest as many folders as they like
		inner.wrong = slices.DeleteFunc(inner.wrong, func(p Problem) bool { return p.Kind == TooMuch })
	}
	w.wrong = append(w.wrong, inner.wrong...)
	if len(inner.found) == 0 {
		s.close()
		return
	}
	w.found, w.opened = append(w.found, inner.found...), append(w.opened, s)
}

func namedForUs(name string) bool {
	base := strings.ToLower(path.Base(name))
	return strings.Contains(base, "mimpi") || strings.HasPrefix(base, "export")
}

// mentionsUs says whether the names of an export stand in the bytes of a zip.
func mentionsUs(r io.Reader) bool {
	names := [][]byte{[]byte(export.Top + "/"), []byte(export.Top + `\`), []byte(export.EventsFile), []byte(export.SealedFile)}
	const overlap = 64 // more than any of the names
	buffer := make([]byte, overlap+256<<10)
	kept := 0
	for {
		n, err := io.ReadFull(r, buffer[kept:])
		some := buffer[:kept+n]
		if slices.ContainsFunc(names, func(name []byte) bool { return bytes.Contains(some, name) }) {
			return true
		}
		if err != nil {
			return false
		}
		kept = copy(buffer, some[max(len(some)-overlap, 0):])
	}
}

// zipInZip names a zip in a zip, which is not read, when it may be an export.
func (w *walk) zipInZip(name string) {
	ours := namedForUs(name)
	if !ours && w.looked < mostLook {
		f, err := w.s.tree.Open(name)
		if err == nil {
			from := &io.LimitedReader{R: f, N: mostLook - w.looked}
			ours = mentionsUs(from)
			w.looked = mostLook - from.N
			f.Close() // read only
		}
	}
	if ours {
		w.bad(Missing, Nested, name, words(lang.Text("collect.zip.in_zip")), words(lang.Text("collect.zip.in_zip_do")))
	}
}

// list gives the entries of a folder, at most about mostInOne: first the kiosks' own folder,
// so that nothing else on a stick can keep it from being seen, and the others by name.
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
			w.full = w.full || w.s.seen > mostEntries
			w.bad(Missing, TooMuch, name, words(lang.Text("collect.folder.full")), words(lang.Text("collect.folder.choose")))
			if info, err := fs.Lstat(w.s.tree, path.Join(name, export.Top)); err == nil {
				all = append(all, fs.FileInfoToDirEntry(info))
			}
			break
		}
		if errors.Is(err, io.EOF) || err == nil && len(some) == 0 {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	later := func(e fs.DirEntry) int {
		if e.Name() == export.Top {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b fs.DirEntry) int {
		return cmp.Or(cmp.Compare(later(a), later(b)), cmp.Compare(a.Name(), b.Name()))
	})
	return slices.CompactFunc(all, func(a, b fs.DirEntry) bool { return a.Name() == b.Name() }), nil
}

func systemFolder(name string) bool {
	return strings.EqualFold(name, "System Volume Information") || strings.EqualFold(name, "$RECYCLE.BIN") || name == "lost+found" ||
		name == "__MACOSX" // in zips of macOS: a second file beside each
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
