package sqlite

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// lock is the right to a journal. The kernel gives it up when the process ends,
// however it ends; the file is never removed, because a lock on a removed file would
// guard nothing.
type lock struct{ file *os.File }

func takeLock(path string) (*lock, error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			pid, _ := io.ReadAll(io.LimitReader(f, 20))
			holder := strings.TrimSpace(string(pid))
			if holder == "" {
				holder = "?"
			}
			return nil, fault(InUse, path, nil, "{pid}", holder)
		}
		return nil, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	// Who holds it is a help for people only: a full disk does not matter here.
	if f.Truncate(0) == nil {
		fmt.Fprintln(f, os.Getpid())
	}
	return &lock{f}, nil
}

func (l *lock) release() { l.file.Close() }
