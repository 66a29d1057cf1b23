package sqlite

import (
	"bytes"
	"os"
	"syscall"
)

// A WAL database on a full disk cannot even be read, because SQLite needs 32 KiB for
// its shared index. So some space is kept beside the journal while there is plenty,
// and given up when opening fails for want of it.
const (
	reserveSize = 128 << 10
	plenty      = 16 << 20 // free bytes above which the reserve is made
)

func reservePath(path string) string { return path + ".reserve" }

// keepReserve makes the reserve if it is not there and there is plenty of space. It
// is a precaution: what fails here is tried again at the next probe.
func keepReserve(path string) {
	name := reservePath(path)
	if i, err := os.Stat(name); err == nil && i.Size() >= reserveSize {
		return
	}
	var fs syscall.Statfs_t
	if syscall.Statfs(path, &fs) != nil || fs.Bavail*uint64(fs.Bsize) < plenty {
		return
	}
	// Not zeros: some file systems would store nothing for them.
	if os.WriteFile(name, bytes.Repeat([]byte("reserve "), reserveSize/8), 0o644) != nil {
		os.Remove(name)
	}
}

// giveUpReserve frees the reserve; false when there is none.
func giveUpReserve(path string) bool { return os.Remove(reservePath(path)) == nil }
