package card

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Ext4 makes a card of so many bytes with the file system that Raspberry Pi OS has. It needs
// e2fsprogs, and a folder for a while.
func Ext4(ctx context.Context, size int64, folder string) (*Card, error) {
	file := filepath.Join(folder, "card")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		return nil, err
	}
	defer os.Remove(file)
	if err := os.Truncate(file, size); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, "mkfs.ext4", "-q", "-F", "-b", "4096", file).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mkfs.ext4: %w\n%s", err, out)
	}
	content, err := os.ReadFile(file)
	return New(content), err
}

// ErrTornSuperblock is an ext4 whose superblock was written in part. The kernel writes it past
// the file system's own journal when it mounts, and nothing of ours can mend that.
var ErrTornSuperblock = errors.New("the superblock is torn")

// Files recovers the ext4 on a card, as Debian does when it starts, and puts those files from
// its root into the folder that are there. No mount and no root are needed. It gives the
// recovered card.
func Files(ctx context.Context, content []byte, folder string, names ...string) ([]byte, error) {
	image := filepath.Join(folder, "card")
	if err := os.WriteFile(image, content, 0o600); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, "e2fsck", "-f", "-p", image).CombinedOutput()
	if bytes.Contains(out, []byte("Superblock checksum does not match")) {
		return nil, ErrTornSuperblock
	}
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: it mended
		return nil, fmt.Errorf("e2fsck: %w: %s", err, out)
	}
	for _, name := range names {
		// It says when a file is not there, and ends well.
		out, err := exec.CommandContext(ctx, "debugfs", "-R", fmt.Sprintf("dump /%s %s", name, filepath.Join(folder, name)), image).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("debugfs: %w: %s", err, out)
		}
	}
	recovered, err := os.ReadFile(image)
	return recovered, errors.Join(err, os.Remove(image))
}
