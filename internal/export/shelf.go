package export

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"
	"syscall"
)

// shelf is a kiosk's folder on the disk that is exported to. All of it stays below the
// root: what stands on a stick is hostile until shown otherwise, and a link there may
// lead anywhere.
type shelf struct {
	root *os.Root
	path string // below root
}

const (
	tmpPrefix = ".tmp-" // a folder that is being written
	oldPrefix = ".old-" // a folder that was replaced
)

// openShelf makes the folder where it is missing and clears away what a broken export
// left half written.
func openShelf(root *os.Root, name string, key *Key) (*shelf, error) {
	if err := root.MkdirAll(name, 0o755); err != nil {
		return nil, err
	}
	for _, dir := range []string{path.Dir(path.Dir(name)), path.Dir(name)} {
		if err := syncDir(root, dir); err != nil {
			return nil, err
		}
	}
	s := &shelf{root, name}
	if err := s.remove(tmpPrefix); err != nil || key == nil {
		return s, err
	}
	public, err := key.publicFile()
	if err != nil {
		return nil, err
	}
	return s, place(root, name, PublicKeyFile, public)
}

// tidy removes the folders that were replaced, now that all new ones are in place.
func (s *shelf) tidy() error { return s.remove(oldPrefix) }

func (s *shelf) remove(prefix string) error {
	entries, err := readDir(s.root, s.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			if err := s.root.RemoveAll(path.Join(s.path, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// put makes sure that the folder is there, whole, and the only one of its screening. It
// says whether anything had to be written.
func (s *shelf) put(f *folder) (written bool, err error) {
	entries, err := readDir(s.root, s.path)
	if err != nil {
		return false, err
	}
	var earlier []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), f.suffix) && !strings.HasPrefix(e.Name(), ".") {
			earlier = append(earlier, e.Name())
		}
	}
	final := path.Join(s.path, f.name)
	if len(earlier) == 1 && earlier[0] == f.name && f.standsIn(s.root, final) {
		return false, nil
	}
	files, err := f.content()
	if err != nil {
		return false, err
	}
	tmp := path.Join(s.path, tmpPrefix+f.name)
	if err := s.root.RemoveAll(tmp); err != nil {
		return false, err
	}
	if err := s.root.Mkdir(tmp, 0o755); err != nil {
		return false, err
	}
	_ = s.root.Chmod(tmp, 0o755) // whatever the umask is; FAT has no such thing
	defer func() {
		if err != nil {
			s.root.RemoveAll(tmp) // gives the space back; the next export would do it too
		}
	}()
	for _, file := range files {
		if err := writeSynced(s.root, path.Join(tmp, file.name), file.content); err != nil {
			return false, err
		}
	}
	if err := syncDir(s.root, tmp); err != nil {
		return false, err
	}
	if !holds(s.root, tmp, files) {
		return false, fmt.Errorf("%s: %w", f.name, ErrNotKept)
	}
	for _, name := range earlier {
		// A name that is free: whatever is under it is older still.
		old := path.Join(s.path, oldPrefix+name)
		if err := s.root.RemoveAll(old); err != nil {
			return false, err
		}
		if err := s.root.Rename(path.Join(s.path, name), old); err != nil {
			return false, err
		}
	}
	if err := s.root.Rename(tmp, final); err != nil {
		return false, err
	}
	if err := syncRenamed(s.root, final); err != nil {
		return false, err
	}
	for _, name := range earlier {
		if err := s.root.RemoveAll(path.Join(s.path, oldPrefix+name)); err != nil {
			return false, err
		}
	}
	return true, nil
}

// place writes one file beside the folders, at once and whole, unless it is the same.
func place(root *os.Root, dir, name string, content []byte) error {
	if holds(root, dir, []file{{name, content}}) {
		return nil
	}
	tmp := path.Join(dir, tmpPrefix+name)
	if err := root.RemoveAll(tmp); err != nil {
		return err
	}
	err := writeSynced(root, tmp, content)
	if err == nil {
		err = root.Rename(tmp, path.Join(dir, name))
	}
	if err != nil {
		root.Remove(tmp) // gives the space back
		return err
	}
	return syncRenamed(root, path.Join(dir, name))
}

// syncRenamed makes a new name durable. Linux gives it its content on FAT only when what has
// been renamed is synced once more: until then the name on the disk leads nowhere, and a
// repair takes it away.
func syncRenamed(root *os.Root, name string) error {
	return errors.Join(syncDir(root, name), syncDir(root, path.Dir(name)))
}

// PutFile writes one file onto the disk mounted at dir, at once and whole. Name has slashes.
func PutFile(dir, name string, content []byte) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close() // everything in it was synced
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return explain(dir, err)
	}
	if err := place(root, path.Dir(name), path.Base(name), content); err != nil {
		return explain(dir, err)
	}
	return nil
}

// holds says whether the folder has these files with these contents, read from the disk
// itself where the system can do that. No more is read than was written.
func holds(root *os.Root, dir string, files []file) bool {
	for _, f := range files {
		if !holdsFile(root, path.Join(dir, f.name), f.content) {
			return false
		}
	}
	return true
}

func holdsFile(root *os.Root, name string, content []byte) bool {
	got, err := readBounded(root, name, int64(len(content)))
	return err == nil && bytes.Equal(got, content)
}

func readDir(root *os.Root, dir string) ([]fs.DirEntry, error) { return fs.ReadDir(root.FS(), dir) }

func writeSynced(root *os.Root, name string, content []byte) (err error) {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_ = f.Chmod(0o644) // whatever the umask is; FAT has no such thing
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes names durable. Some file systems, and Windows, have no such thing.
func syncDir(root *os.Root, dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	return syncOpened(d)
}

func syncOpened(d *os.File) error {
	err := d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	if err := errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", d.Name(), err)
	}
	return nil
}

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }

// IsProtected says whether a disk may not be written to.
func IsProtected(err error) bool {
	return errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS)
}
