package shelf

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/screening"
)

// Place is where packs stand on a stick.
const Place = "mimpi-kiosk/packs"

// Bounds of what is read of a stick.
const (
	mostOffers  = 20
	mostEntries = 2000 // of one pack
	deepest     = 6
	mostBytes   = 64 << 30
	smallFile   = 1 << 20 // is read to tell packs apart
)

// Offer is a pack on a stick.
type Offer struct {
	Name   string // of its folder on the stick
	Title  screening.Text
	Film   bool // it brings one
	Signed bool // by a trusted key; only the copy is proved whole
	Bytes  int64
	Same   bool           // it is in use, or chosen
	No     screening.Text // why it cannot be taken; nil: it can
}

// entry is a file of a pack.
type entry struct {
	name string // below the pack, with slashes
	size int64
}

// wrong is an error with its sentences.
type wrong struct{ text screening.Text }

func (w wrong) Error() string { return w.text["en"] }

func wrongf(id, en string, args ...any) error {
	return wrong{screening.Text{"id": fmt.Sprintf(id, args...), "en": fmt.Sprintf(en, args...)}}
}

// sentences gives what people are told of an error.
func sentences(err error) screening.Text {
	var w wrong
	var m *pack.Mistake
	switch {
	case errors.As(err, &w):
		return w.text
	case errors.As(err, &m):
		return screening.Text{"id": m.File + ": " + m.What["id"], "en": m.File + ": " + m.What["en"]}
	}
	return screening.Text{"id": fmt.Sprintf("Paket tidak bisa dibaca (%v).", err), "en": fmt.Sprintf("The pack cannot be read (%v).", err)}
}

// Offers lists the packs on the stick mounted at dir, by name.
func (s *Shelf) Offers(ctx context.Context, dir string) []Offer {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil
	}
	defer root.Close() // read only
	var out []Offer
	for _, name := range folders(root) {
		if ctx.Err() != nil || len(out) == mostOffers {
			break
		}
		o := Offer{Name: name, Title: screening.Text{"id": name}}
		if err := s.inspect(root, dir, &o); err != nil {
			o.No = sentences(err)
		}
		out = append(out, o)
	}
	return out
}

// folders lists those that may be packs.
func folders(root *os.Root) []string {
	f, err := root.Open(Place)
	if err != nil {
		return nil
	}
	defer f.Close()                      // read only
	entries, _ := f.ReadDir(mostEntries) // what can be read of it
	var out []string
	for _, e := range entries {
		if e.IsDir() && plainName(e.Name()) {
			out = append(out, e.Name())
		}
	}
	slices.Sort(out)
	return out
}

func (s *Shelf) inspect(root *os.Root, dir string, o *Offer) error {
	top := path.Join(Place, o.Name)
	files, err := walk(root, top)
	if err != nil {
		return err
	}
	for _, f := range files {
		o.Bytes += f.size
	}
	p, err := pack.Load(filepath.Join(dir, filepath.FromSlash(top)))
	if err != nil {
		return err
	}
	o.Title, o.Film = p.Title, !p.Film.Missing
	folder, err := identify(root, top, p.ID, files)
	if err != nil {
		return err
	}
	o.Same = folder == s.state.Current && s.state.Next == nil || s.state.Next != nil && folder == *s.state.Next
	_, o.Signed, err = s.sums(root, top)
	return err
}

// walk lists the files of a pack. What is neither a file nor a folder is an error.
func walk(root *os.Root, top string) ([]entry, error) {
	var out []entry
	seen, bytes := 0, int64(0)
	var into func(dir string, depth int) error
	into = func(dir string, depth int) error {
		f, err := root.Open(path.Join(top, dir))
		if err != nil {
			return err
		}
		defer f.Close() // read only
		entries, err := f.ReadDir(mostEntries + 1)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		for _, e := range entries {
			name := path.Join(dir, e.Name())
			if seen++; seen > mostEntries {
				return wrongf("Paket punya lebih dari %d berkas.", "The pack has more than %d files.", mostEntries)
			}
			switch {
			case pack.Rubbish(e.Name()):
			case e.Name() != path.Base(name) || strings.ContainsAny(e.Name(), "\\:\x00") || len(name) > 200:
				return wrongf("Nama berkas %q tidak boleh dipakai.", "The file name %q cannot be used.", name)
			case e.IsDir():
				if depth == deepest {
					return wrongf("Folder %q terlalu dalam.", "The folder %q is too deep.", name)
				}
				if err := into(name, depth+1); err != nil {
					return err
				}
			default:
				info, err := root.Lstat(path.Join(top, name))
				if err != nil {
					return err
				}
				if !info.Mode().IsRegular() {
					return wrongf("%q bukan berkas biasa. Salin berkasnya sendiri, bukan pintasan.", "%q is not a plain file. Copy the file itself, not a link to it.", name)
				}
				if bytes += info.Size(); bytes > mostBytes {
					return wrongf("Paket terlalu besar.", "The pack is too large.")
				}
				out = append(out, entry{name, info.Size()})
			}
		}
		return nil
	}
	if err := into(".", 0); err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	return out, nil
}

// identify gives the folder that a pack stands in on the shelf. It reads what is small,
// and of large files (films) takes the size.
func identify(root *os.Root, top, id string, files []entry) (string, error) {
	sum := sha256.New()
	for _, f := range files {
		fmt.Fprintf(sum, "%q %d\n", f.name, f.size)
		if f.size > smallFile {
			continue
		}
		data, err := read(root, path.Join(top, f.name), smallFile)
		if err != nil {
			return "", err
		}
		sum.Write(data)
	}
	return fmt.Sprintf("%s-%x", id[:min(len(id), 60)], sum.Sum(nil)[:4]), nil
}

func read(root *os.Root, name string, most int64) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	return io.ReadAll(io.LimitReader(f, most))
}

// sums reads what the pack says of its files, nil when it says nothing. It is an error when
// this kiosk trusts keys and none of them signed it.
func (s *Shelf) sums(root *os.Root, top string) (sums map[string]string, signed bool, err error) {
	text, err := read(root, path.Join(top, pack.SumsFile), smallFile)
	if errors.Is(err, fs.ErrNotExist) {
		if len(s.trusted) > 0 {
			return nil, false, unsigned()
		}
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if len(s.trusted) > 0 {
		signature, err := read(root, path.Join(top, pack.SignatureFile), 4096)
		if err != nil || !pack.SignedBy(s.trusted, text, signature) {
			return nil, false, unsigned()
		}
		signed = true
	}
	sums, bad := pack.ParseSums(text)
	if bad > 0 {
		return nil, false, wrongf("SHA256SUMS punya baris yang salah.", "SHA256SUMS has a line that is wrong.")
	}
	return sums, signed, nil
}

func unsigned() error {
	return wrongf("Paket ini tidak ditandatangani oleh kunci yang dipercaya kios.", "This pack is not signed by a key that the kiosk trusts.")
}
