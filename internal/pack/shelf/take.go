package shelf

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"mimpi-kiosk/internal/pack"
)

// spare is left free on the kiosk's disk: the journal needs room too.
const spare = 256 << 20

// Take copies the pack of that name from the stick mounted at dir, checks the copy and
// chooses it. inUse is the pack in use: its film is used for a pack that has the same film
// and does not bring it. progress is told of bytes copied. The error has [Sentences].
func (s *Shelf) Take(ctx context.Context, dir, name string, inUse *pack.Pack, progress func(done, all int64)) (err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() // read only
	if !plainName(name) {
		return fs.ErrNotExist
	}
	top := path.Join(Place, name)
	files, err := walk(root, top)
	if err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(s.dir, 0o750), os.Chmod(s.dir, 0o750)); err != nil {
		return err
	}
	if err := s.clear(); err != nil {
		return err
	}
	all := int64(0)
	for _, f := range files {
		all += f.size
	}
	if err := room(s.dir, all); err != nil {
		return err
	}
	sums, _, err := s.sums(root, top)
	if err != nil {
		return err
	}

	tmp := filepath.Join(s.dir, tmpPrefix+name)
	if err := os.Mkdir(tmp, 0o755); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(tmp) // the next Take clears it away otherwise
		}
	}()
	to, err := os.OpenRoot(tmp)
	if err != nil {
		return err
	}
	defer to.Close() // all of it was synced
	done := int64(0)
	told := func(n int) {
		done += int64(n)
		progress(done, all)
	}
	for _, f := range files {
		sum, err := copyFile(ctx, root, path.Join(top, f.name), to, f, told)
		if err != nil {
			return err
		}
		if f.name == pack.SumsFile || f.name == pack.SignatureFile || sums == nil {
			continue
		}
		if sums[f.name] == "" {
			return wrongf("%s tidak ada dalam SHA256SUMS.", "%s is not in SHA256SUMS.", f.name)
		}
		if sums[f.name] != sum {
			return wrongf("%s rusak atau berubah: tidak cocok dengan SHA256SUMS. Salin lagi paketnya ke stik.", "%s is damaged or was changed: it does not match SHA256SUMS. Copy the pack onto the stick again.", f.name)
		}
		delete(sums, f.name)
	}
	for missing := range sums {
		return wrongf("%s ada dalam SHA256SUMS, tetapi tidak ada di stik.", "%s is in SHA256SUMS, but not on the stick.", missing)
	}
	// Checked anew, of the copy: a stick may say one thing now and another later.
	p, err := pack.Load(tmp)
	if err != nil {
		return err
	}
	if p.Film.Missing && p.Film.File != "" && !inUse.Film.Missing && inUse.Film.ID == p.Film.ID {
		if err := bringFilm(ctx, inUse.Film.File, p.Film.File); err != nil {
			return err
		}
	} else if report := p.Film.Check(); !p.Film.Missing && report.Level == pack.LevelProblem {
		return wrong{report.Message}
	}
	folder, err := identify(to, ".", p.ID, files)
	if err != nil {
		return err
	}
	final := filepath.Join(s.dir, folder)
	if err := syncFolders(tmp); err != nil {
		return err
	}
	if _, err := os.Stat(final); err == nil {
		// It was here before. What is there may be in use: it stays, and is whole.
		if err := os.RemoveAll(tmp); err != nil {
			return err
		}
	} else if err := os.Rename(tmp, final); err != nil {
		return err
	}
	if err := pack.SyncDir(s.dir); err != nil {
		return err
	}
	return s.Choose(folder)
}

// Sentences says an error of Take for people.
func Sentences(err error) map[string]string { return sentences(err) }

// clear removes copies that were not finished.
func (s *Shelf) clear() error {
	left, err := filepath.Glob(filepath.Join(s.dir, tmpPrefix+"*"))
	for _, dir := range left {
		err = cmp.Or(err, os.RemoveAll(dir))
	}
	return err
}

func room(dir string, need int64) error {
	missing, err := pack.Lacks(dir, need+spare)
	if err == nil && missing > 0 {
		err = wrongf("Kotak tidak punya cukup tempat: perlu %d MB lagi.", "The box has not enough room: %d MB more are needed.", missing)
	}
	return err
}

func copyFile(ctx context.Context, from *os.Root, name string, to *os.Root, f entry, told func(int)) (sum string, err error) {
	in, err := from.Open(name)
	if err != nil {
		return "", err
	}
	defer in.Close() // read only
	if err := to.MkdirAll(path.Dir(f.name), 0o755); err != nil {
		return "", err
	}
	out, err := to.OpenFile(f.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(out, hash, pack.Counter{Ended: ctx, Told: told}), io.LimitReader(in, f.size+1))
	if err != nil {
		return "", err
	}
	if n != f.size {
		return "", wrongf("%s berubah waktu disalin.", "%s changed while it was copied.", f.name)
	}
	return fmt.Sprintf("%x", hash.Sum(nil)), errors.Join(out.Chmod(0o640), out.Sync())
}

// bringFilm puts the film that is here already beside the new questions.
func bringFilm(ctx context.Context, from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if os.Link(from, to) == nil { // it takes no room
		return nil
	}
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := room(filepath.Dir(to), info.Size()); err != nil {
		return err
	}
	source, err := os.OpenRoot(filepath.Dir(from))
	if err != nil {
		return err
	}
	defer source.Close() // read only
	target, err := os.OpenRoot(filepath.Dir(to))
	if err != nil {
		return err
	}
	defer target.Close() // what is in it was synced
	_, err = copyFile(ctx, source, filepath.Base(from), target, entry{filepath.Base(to), info.Size()}, func(int) {})
	return err
}

// syncFolders makes the names in all folders of a pack durable, and lets the player of the
// film, which is another user of the same group, into them.
func syncFolders(top string) error {
	return filepath.WalkDir(top, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		if err := os.Chmod(name, 0o750); err != nil {
			return err
		}
		return pack.SyncDir(name)
	})
}
