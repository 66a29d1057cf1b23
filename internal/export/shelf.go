package export

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// shelf is a kiosk's folder on the disk that is exported to.
type shelf struct{ path string }

const (
	tmpPrefix = ".tmp-" // a folder that is being written
	oldPrefix = ".old-" // a folder that was replaced
)

// openShelf makes the folder where it is missing and clears away what a broken export
// left half written.
func openShelf(path string, key *Key) (*shelf, error) {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return nil, err
	}
	for _, dir := range []string{filepath.Dir(filepath.Dir(path)), filepath.Dir(path)} {
		if err := syncDir(dir); err != nil {
			return nil, err
		}
	}
	s := &shelf{path}
	if err := s.remove(tmpPrefix); err != nil || key == nil {
		return s, err
	}
	public, err := key.publicFile()
	if err != nil {
		return nil, err
	}
	return s, place(path, PublicKeyFile, public)
}

// tidy removes the folders that were replaced, now that all new ones are in place.
func (s *shelf) tidy() error { return s.remove(oldPrefix) }

func (s *shelf) remove(prefix string) error {
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) {
			if err := os.RemoveAll(filepath.Join(s.path, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// put makes sure that the folder is there, whole, and the only one of its screening.
func (s *shelf) put(f *folder) (err error) {
	entries, err := os.ReadDir(s.path)
	if err != nil {
		return err
	}
	var earlier []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), f.suffix) && !strings.HasPrefix(e.Name(), ".") {
			earlier = append(earlier, e.Name())
		}
	}
	final := filepath.Join(s.path, f.name)
	if len(earlier) == 1 && earlier[0] == f.name && f.standsIn(final) {
		return nil
	}
	files, err := f.content()
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(s.path, tmpPrefix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			os.RemoveAll(tmp) // gives the space back; the next export would do it too
		}
	}()
	if err := os.Chmod(tmp, 0o755); err != nil {
		return err
	}
	for _, file := range files {
		if err := writeSynced(filepath.Join(tmp, file.name), file.content); err != nil {
			return err
		}
	}
	if err := syncDir(tmp); err != nil {
		return err
	}
	for _, name := range earlier {
		// A name that is free: whatever is under it is older still.
		old := filepath.Join(s.path, oldPrefix+name)
		if err := os.RemoveAll(old); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(s.path, name), old); err != nil {
			return err
		}
	}
	if err := os.Rename(tmp, final); err != nil {
		return err
	}
	if err := syncDir(s.path); err != nil {
		return err
	}
	for _, name := range earlier {
		if err := os.RemoveAll(filepath.Join(s.path, oldPrefix+name)); err != nil {
			return err
		}
	}
	return nil
}

// place writes one file beside the folders, at once and whole, unless it is the same.
func place(dir, name string, content []byte) error {
	if holds(dir, []file{{name, content}}) {
		return nil
	}
	tmp := filepath.Join(dir, tmpPrefix+name)
	if err := os.RemoveAll(tmp); err != nil {
		return err
	}
	err := writeSynced(tmp, content)
	if err == nil {
		err = os.Rename(tmp, filepath.Join(dir, name))
	}
	if err != nil {
		os.Remove(tmp) // gives the space back
		return err
	}
	return syncDir(dir)
}

// holds says whether the folder has these files with these contents.
func holds(dir string, files []file) bool {
	for _, f := range files {
		got, err := os.ReadFile(filepath.Join(dir, f.name))
		if err != nil || !bytes.Equal(got, f.content) {
			return false
		}
	}
	return true
}

func writeSynced(name string, content []byte) (err error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes names durable. Some file systems, and Windows, have no such thing.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	if err := errors.Join(err, d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return nil
}

func isFull(err error) bool     { return errors.Is(err, syscall.ENOSPC) }
func isReadOnly(err error) bool { return errors.Is(err, syscall.EROFS) }
