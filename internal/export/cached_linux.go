package export

import (
	"os"

	"golang.org/x/sys/unix"
)

// forgetCached makes the next read come from the disk: a stick that claims more room than
// it has gives itself away only then. A file system that cannot do it reads from memory.
func forgetCached(f *os.File) { _ = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED) }
