package sqlite

import (
	"errors"
	"io/fs"
	"os"
)

// firm writes the log that an unclean end left once more, byte for byte, and syncs it.
//
// When a sync fails, Linux holds the pages for written all the same: the next process reads
// from memory what is not on the disk, and no later sync puts it there. A commit of which
// nobody was told that it failed or not would be found, shown and built upon, and a power cut
// would take it back with all that came after it. Written anew it is as firm as it looks.
// After an end in order there is no log; it is some megabytes at the most.
func firm(path string) error {
	name := path + "-wal"
	log, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(log) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(log, 0)
	return errors.Join(err, f.Sync(), f.Close())
}
