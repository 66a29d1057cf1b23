package shelf

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"aead.dev/minisign"

	"mimpi-kiosk/internal/pack"
)

const ours = "../../../media/mimpi-beta"

// stick has the kiosk's own pack in its place for packs, under these names.
func stick(t *testing.T, names ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, name := range names {
		if err := os.CopyFS(filepath.Join(dir, Place, name), os.DirFS(ours)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// change replaces words in a file of the pack on a stick.
func change(t *testing.T, dir, name, file, old, with string) {
	t.Helper()
	path := filepath.Join(dir, Place, name, file)
	text, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(text, []byte(old)) {
		t.Fatalf("%s has no %q (%v)", path, old, err)
	}
	write(t, path, bytes.Replace(text, []byte(old), []byte(with), 1))
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// seal writes SHA256SUMS, as sha256sum would.
func seal(t *testing.T, dir, name string) (sums []byte) {
	t.Helper()
	top := filepath.Join(dir, Place, name)
	err := fs.WalkDir(os.DirFS(top), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(top, name))
		sums = fmt.Appendf(sums, "%x  ./%s\n", sha256.Sum256(data), name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(top, pack.SumsFile), sums)
	return sums
}

func sign(t *testing.T, dir, name string, key minisign.PrivateKey, sums []byte) {
	t.Helper()
	r := minisign.NewReader(bytes.NewReader(sums))
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, Place, name, pack.SignatureFile), r.Sign(key))
}

func open(t *testing.T, dir string, keys ...string) *Shelf {
	t.Helper()
	s, err := Open(dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func builtIn(t *testing.T) *pack.Pack {
	t.Helper()
	p, err := pack.Load(ours)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func take(t *testing.T, s *Shelf, dir, name string) error {
	t.Helper()
	return s.Take(t.Context(), dir, name, builtIn(t), func(int64, int64) {})
}

func TestAPackIsTakenAndTakenBack(t *testing.T) {
	dir, shelfDir := stick(t, "baru"), filepath.Join(t.TempDir(), "packs")
	change(t, dir, "baru", "pack.toml", `id = "`, `id = "new-`)
	write(t, filepath.Join(dir, Place, "baru", ".DS_Store"), []byte("rubbish"))
	write(t, filepath.Join(dir, Place, "baru", "Thumbs.db"), []byte("rubbish"))
	s := open(t, shelfDir)
	offers := s.Offers(t.Context(), dir)
	if len(offers) != 1 || offers[0].Name != "baru" || offers[0].No != nil || offers[0].Same || offers[0].Title["id"] == "baru" || offers[0].Bytes == 0 {
		t.Fatalf("offers %+v", offers)
	}
	var done, all int64
	err := s.Take(t.Context(), dir, "baru", builtIn(t), func(d, a int64) { done, all = d, a })
	if err != nil || done != all || all != offers[0].Bytes {
		t.Fatalf("%v after %d of %d bytes", err, done, all)
	}
	if _, ok := s.Current(); ok || !s.Waits() {
		t.Error("the pack is in use already")
	}
	s = open(t, shelfDir) // the power fails
	if err := s.Advance(); err != nil {
		t.Fatal(err)
	}
	current, ok := s.Current()
	p, err := pack.Load(current)
	if !ok || err != nil || !strings.HasPrefix(p.ID, "new-") {
		t.Fatalf("in use is %s: %+v, %v", current, p, err)
	}
	for _, rubbish := range []string{".DS_Store", "Thumbs.db"} {
		if _, err := os.Stat(filepath.Join(current, rubbish)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was copied (%v)", rubbish, err)
		}
	}
	if offers := s.Offers(t.Context(), dir); !offers[0].Same {
		t.Error("the pack in use is offered as a new one")
	}
	if !s.CanGoBack() {
		t.Fatal("there is no way back")
	}
	if err := errors.Join(s.Back(), s.Advance()); err != nil {
		t.Fatal(err)
	}
	if dir, ok := s.Current(); ok {
		t.Errorf("back is %s", dir)
	}
	if err := errors.Join(s.Back(), s.Advance()); err != nil { // and forth
		t.Fatal(err)
	}
	if again, ok := s.Current(); !ok || again != current {
		t.Errorf("forth is %s", again)
	}
	if err := errors.Join(take(t, s, dir, "baru")); err != nil || s.Waits() {
		t.Errorf("the same again: %v, waits: %t", err, s.Waits())
	}
}

// Of three packs the oldest goes, and nothing else.
func TestOldPacksAreRemoved(t *testing.T) {
	dir, shelfDir := stick(t, "a", "b", "c"), filepath.Join(t.TempDir(), "packs")
	s := open(t, shelfDir)
	for _, name := range []string{"a", "b", "c"} {
		change(t, dir, name, "pack.toml", `id = "`, `id = "`+name+`-`)
		if err := errors.Join(take(t, s, dir, name), s.Advance()); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(shelfDir)
	if err != nil || len(entries) != 3 || !strings.HasPrefix(entries[0].Name(), "b-") || !strings.HasPrefix(entries[1].Name(), "c-") {
		t.Errorf("left are %v (%v)", entries, err)
	}
}

// New questions for the film that the kiosk has already.
func TestTheFilmThatIsHereIsUsed(t *testing.T) {
	inUse := builtIn(t)
	film := filepath.Join(t.TempDir(), "film.mp4")
	write(t, film, []byte("the film"))
	inUse.Film.File, inUse.Film.Missing = film, false
	dir := stick(t, "baru")
	change(t, dir, "baru", "film/film.toml", `file = ""`, `file = "mimpi.mp4"`)
	s := open(t, filepath.Join(t.TempDir(), "packs"))
	if err := s.Take(t.Context(), dir, "baru", inUse, func(int64, int64) {}); err != nil {
		t.Fatal(err)
	}
	if err := s.Advance(); err != nil {
		t.Fatal(err)
	}
	current, _ := s.Current()
	text, err := os.ReadFile(filepath.Join(current, "film", "mimpi.mp4"))
	if err != nil || string(text) != "the film" {
		t.Errorf("the film is %q (%v)", text, err)
	}
}

func TestChecksumsAndSignatures(t *testing.T) {
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, stranger, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		spoil   func(dir string)
		trusted bool
		no      string // of Take
		offered bool   // although Take refuses: only the copy shows it
	}{
		"sums":                     {spoil: func(dir string) { seal(t, dir, "baru") }},
		"no sums":                  {spoil: func(string) {}},
		"signed":                   {spoil: func(dir string) { sign(t, dir, "baru", private, seal(t, dir, "baru")) }, trusted: true},
		"nothing, but keys":        {spoil: func(string) {}, trusted: true, no: "not signed"},
		"unsigned, but keys":       {spoil: func(dir string) { seal(t, dir, "baru") }, trusted: true, no: "not signed"},
		"signed by somebody else":  {spoil: func(dir string) { sign(t, dir, "baru", stranger, seal(t, dir, "baru")) }, trusted: true, no: "not signed"},
		"sums changed when signed": {spoil: func(dir string) { sign(t, dir, "baru", private, []byte("x")); seal(t, dir, "baru") }, trusted: true, no: "not signed"},
		"changed after signing": {spoil: func(dir string) {
			sign(t, dir, "baru", private, seal(t, dir, "baru"))
			change(t, dir, "baru", "questions/k1.toml", "?", "??")
		}, trusted: true, no: "k1.toml is damaged", offered: true},
		"changed": {spoil: func(dir string) {
			seal(t, dir, "baru")
			change(t, dir, "baru", "questions/k1.toml", "?", "??")
		}, no: "k1.toml is damaged", offered: true},
		"one too many": {spoil: func(dir string) {
			seal(t, dir, "baru")
			write(t, filepath.Join(dir, Place, "baru/extra.txt"), []byte("x"))
		}, no: "extra.txt is not in SHA256SUMS", offered: true},
		"one missing": {spoil: func(dir string) {
			write(t, filepath.Join(dir, Place, "baru/extra.txt"), []byte("x"))
			seal(t, dir, "baru")
			if err := os.Remove(filepath.Join(dir, Place, "baru/extra.txt")); err != nil {
				t.Fatal(err)
			}
		}, no: "extra.txt is in SHA256SUMS", offered: true},
		"sums that are none": {spoil: func(dir string) { write(t, filepath.Join(dir, Place, "baru", pack.SumsFile), []byte("../../etc\n")) }, no: "a line that is wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, shelfDir := stick(t, "baru"), filepath.Join(t.TempDir(), "packs")
			test.spoil(dir)
			var keys []string
			if test.trusted {
				keys = []string{public.String()}
			}
			s := open(t, shelfDir, keys...)
			o := s.Offers(t.Context(), dir)[0]
			if (o.No == nil) != (test.no == "" || test.offered) || o.Signed != (test.trusted && o.No == nil) {
				t.Errorf("offered as %+v", o)
			}
			err := take(t, s, dir, "baru")
			refused(t, s, shelfDir, err, test.no)
		})
	}
}

// refused checks that a refusal left nothing behind.
func refused(t *testing.T, s *Shelf, shelfDir string, err error, no string) {
	t.Helper()
	if no == "" {
		if err != nil {
			t.Error(err)
		}
		return
	}
	if err == nil || !strings.Contains(Sentences(err)["en"], no) || Sentences(err)["id"] == "" {
		t.Errorf("got %v, want %q", err, no)
	}
	if s.Waits() {
		t.Error("it was chosen nevertheless")
	}
	if left, err := filepath.Glob(filepath.Join(shelfDir, "*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
	if left, err := filepath.Glob(filepath.Join(shelfDir, ".tmp*")); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

const smallDisk = 1 << 30 // bytes; a pack without a film fits

func TestHostilePacks(t *testing.T) {
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, test := range map[string]struct {
		spoil func(top string)
		no    string
	}{
		"a link out of the stick": {func(top string) { must(os.Symlink("/etc/passwd", filepath.Join(top, "guide.pdf"))) }, "not a plain file"},
		"a link to the film":      {func(top string) { must(os.Symlink("film.toml", filepath.Join(top, "film/film.mp4"))) }, "not a plain file"},
		"a folder that is a link": {func(top string) {
			must(os.RemoveAll(filepath.Join(top, "questions")))
			must(os.Symlink("/etc", filepath.Join(top, "questions")))
		}, "not a plain file"},
		"a pipe":   {func(top string) { must(syscall.Mkfifo(filepath.Join(top, "questions/k9.toml"), 0o644)) }, "not a plain file"},
		"a device": {func(top string) { must(syscall.Mknod(filepath.Join(top, "zero"), syscall.S_IFCHR|0o644, 1<<8|5)) }, "not a plain file"},
		"a huge file": {func(top string) {
			write(t, filepath.Join(top, "film/film.mp4"), nil)
			must(os.Truncate(filepath.Join(top, "film/film.mp4"), mostBytes+1))
		}, "too large"},
		"more than the disk": {func(top string) {
			write(t, filepath.Join(top, "film/film.mp4"), nil)
			must(os.Truncate(filepath.Join(top, "film/film.mp4"), smallDisk))
		}, "not enough room"},
		"too many files": {func(top string) {
			for n := range mostEntries {
				write(t, filepath.Join(top, "questions", fmt.Sprint(n)), nil)
			}
		}, "more than 2000 files"},
		"folders without end": {func(top string) { must(os.MkdirAll(filepath.Join(top, strings.Repeat("d/", 20)), 0o755)) }, "too deep"},
		"a colon":             {func(top string) { write(t, filepath.Join(top, "a:b"), nil) }, "cannot be used"},
		"a backslash":         {func(top string) { write(t, filepath.Join(top, `x\..\y`), nil) }, "cannot be used"},
		"no pack":             {func(top string) { must(os.Remove(filepath.Join(top, "pack.toml"))) }, "pack.toml"},
		"a film that is none": {func(top string) {
			text, err := os.ReadFile(filepath.Join(top, "film/film.toml"))
			must(err)
			write(t, filepath.Join(top, "film/film.toml"), bytes.Replace(text, []byte(`file = ""`), []byte(`file = "f.mp4"`), 1))
			write(t, filepath.Join(top, "film/f.mp4"), []byte("no film"))
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir, disk := stick(t, "baru"), t.TempDir()
			if name == "more than the disk" {
				if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, fmt.Sprint("size=", smallDisk)); err != nil {
					t.Skipf("cannot mount a small disk here: %v", err)
				}
				t.Cleanup(func() {
					if err := syscall.Unmount(disk, 0); err != nil {
						t.Errorf("unmount: %v", err)
					}
				})
			}
			shelfDir := filepath.Join(disk, "packs")
			test.spoil(filepath.Join(dir, Place, "baru"))
			s := open(t, shelfDir)
			offers := s.Offers(t.Context(), dir)
			onlyCopy := name == "more than the disk" || name == "a film that is none"
			if len(offers) != 1 || (offers[0].No == nil) != onlyCopy {
				t.Errorf("offered as %+v", offers)
			}
			err := take(t, s, dir, "baru")
			if name == "a film that is none" {
				if err == nil || s.Waits() {
					t.Errorf("taken: %v", err)
				}
				return
			}
			refused(t, s, shelfDir, err, test.no)
		})
	}
}

func TestNamesThatLeadAway(t *testing.T) {
	dir := stick(t, "baru")
	write(t, filepath.Join(dir, "secret", "pack.toml"), nil)
	s := open(t, filepath.Join(t.TempDir(), "packs"))
	for _, name := range []string{"", ".", "..", "../../secret", "/etc", "baru/questions", ".hidden"} {
		if err := take(t, s, dir, name); err == nil {
			t.Errorf("%q was taken", name)
		}
	}
	other := t.TempDir()
	if err := os.MkdirAll(filepath.Join(other, "mimpi-kiosk"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, Place), filepath.Join(other, Place)); err != nil {
		t.Fatal(err)
	}
	if offers := s.Offers(t.Context(), other); len(offers) != 0 {
		t.Errorf("a link leads to %+v", offers)
	}
}

func TestPulledOutWhileTaken(t *testing.T) {
	dir, shelfDir := stick(t, "baru"), filepath.Join(t.TempDir(), "packs")
	s := open(t, shelfDir)
	ctx, cancel := context.WithCancel(t.Context())
	err := s.Take(ctx, dir, "baru", builtIn(t), func(done, all int64) {
		if done > all/2 {
			cancel()
		}
	})
	if err == nil || s.Waits() {
		t.Errorf("got %v", err)
	}
	if err := take(t, s, dir, "baru"); err != nil {
		t.Errorf("the next time: %v", err)
	}
}

func TestADamagedShelf(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "packs")
	for _, text := range []string{"{", `{"current": "../../etc"}`, `{"current": ".tmp-x"}`} {
		write(t, filepath.Join(dir, stateFile), []byte(text))
		s, err := Open(dir, nil)
		if current, ok := s.Current(); ok {
			t.Errorf("%s: in use is %s (%v)", text, current, err)
		}
	}
	if _, err := Open(dir, []string{"RWnonsense"}); err == nil {
		t.Error("a wrong key is no error")
	}
}
