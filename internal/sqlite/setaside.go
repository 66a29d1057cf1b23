package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// parts are the endings of the files that make up one journal. The main file is the
// first to go: a log without its main file is known to be damage (see look), a main
// file without its log would look sound and be short of the last events.
var parts = []string{"", "-wal", "-shm", "-journal"}

// SetAside puts a damaged journal away whole as NAME-damaged-N.db (with its -wal and
// -shm) in the same directory and returns the name of the main file. Nothing is
// deleted or overwritten. The journal must be closed.
func SetAside(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", fault(Unusable, path, err)
	}
	held, err := takeLock(path)
	if err != nil {
		return "", classify(path, err)
	}
	defer held.release()
	name, err := setAside(path)
	return name, classify(path, err)
}

func setAside(path string) (string, error) {
	ext := filepath.Ext(path)
	stem := strings.TrimSuffix(path, ext)
	for n := 1; ; n++ {
		name := fmt.Sprintf("%s-damaged-%d%s", stem, n, ext)
		if taken, err := anyPart(name); err != nil {
			return "", err
		} else if taken {
			continue
		}
		// Nobody else can take the name meanwhile: the lock is held.
		for _, part := range parts {
			if err := os.Rename(path+part, name+part); err != nil && !errors.Is(err, os.ErrNotExist) {
				return "", err
			}
		}
		dir, err := os.Open(filepath.Dir(path))
		if err != nil {
			return "", err
		}
		return name, errors.Join(dir.Sync(), dir.Close())
	}
}

func anyPart(name string) (bool, error) {
	for _, part := range parts {
		if _, err := os.Lstat(name + part); err == nil {
			return true, nil
		} else if !errors.Is(err, os.ErrNotExist) {
			return false, err
		}
	}
	return false, nil
}
