//go:build unix

package export

import (
	"os"
	"syscall"
)

// giveToOwnerOf makes a file that root wrote readable for the daemon, which owns the folder.
func giveToOwnerOf(folder, file string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return os.Chown(file, int(stat.Uid), int(stat.Gid))
}
