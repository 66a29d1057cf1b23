package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"mimpi-kiosk/internal/lab/root"
)

// found is what stands on a stick, seen from outside.
type found struct {
	whole      int // folders under a final name
	unfinished int // under the name of one that is being written
	replaced   int // under the name of one that is being replaced
}

// inspect looks at a copy of the stick: first as it is, then repaired. Each folder under a
// final name must be whole.
func (l *lab) inspect(ctx context.Context, kind, image string) (found, error) {
	var f found
	copied := filepath.Join(l.work, "copy.img")
	if err := root.Command(ctx, "cp", "--sparse=always", image, copied); err != nil {
		return f, err
	}
	repair := []string{"fsck.fat", "-a", "-w", copied}
	if kind == "exfat" {
		repair = []string{"fsck.exfat", "-p", copied}
	}
	// The second time is for what the first has left: fsck.fat takes away the parts of long names
	// only when their file is gone.
	for range 2 {
		if err := root.Command(ctx, repair[0], repair[1:]...); err != nil && !isCode(err, 1) { // 1: it repaired something
			return f, err
		}
	}
	check := append(repair[:1:1], "-n", copied)
	if err := root.Command(ctx, check[0], check[1:]...); err != nil {
		return f, fmt.Errorf("it is still damaged after the repair: %w", err)
	}
	to := filepath.Join(l.work, "content")
	if err := errors.Join(os.RemoveAll(to), os.Mkdir(to, 0o755)); err != nil {
		return f, err
	}
	take := l.takeFAT
	if kind == "exfat" {
		take = l.takeExFAT
	}
	if err := take(ctx, copied, to); err != nil {
		return f, err
	}
	all, err := filepath.Glob(filepath.Join(to, "mimpi-kiosk", "*", "*"))
	if err != nil {
		return f, err
	}
	for _, folder := range all {
		info, err := os.Stat(folder)
		if err != nil {
			return f, err
		}
		switch name := filepath.Base(folder); {
		case !info.IsDir():
		case strings.HasPrefix(name, ".tmp-"):
			f.unfinished++
		case strings.HasPrefix(name, ".old-"):
			f.replaced++
		default:
			f.whole++
			cmd := exec.CommandContext(ctx, "sha256sum", "--quiet", "--strict", "-c", "SHA256SUMS")
			cmd.Dir = folder
			if out, err := cmd.CombinedOutput(); err != nil {
				return f, fmt.Errorf("%s stands under its final name and is not whole: %w\n%s", name, err, out)
			}
		}
	}
	return f, nil
}

// takeFAT takes everything from a FAT stick with mtools.
func (l *lab) takeFAT(ctx context.Context, image, to string) error {
	if err := root.Command(ctx, "mdir", "-i", image, "::mimpi-kiosk"); err != nil {
		return nil // it was pulled out before anything was there
	}
	return root.Command(ctx, "mcopy", "-s", "-n", "-i", image, "::mimpi-kiosk", to)
}

// takeExFAT takes everything from an exFAT stick, with another program than the kernel that
// wrote it.
func (l *lab) takeExFAT(ctx context.Context, image, to string) (err error) {
	mnt := filepath.Join(l.work, "mnt")
	if err := os.MkdirAll(mnt, 0o755); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, "losetup", "--find", "--show", "--read-only", image).Output()
	if err != nil {
		return fmt.Errorf("losetup: %w", err)
	}
	loop := strings.TrimSpace(string(out))
	defer func() { err = errors.Join(err, root.Command(ctx, "losetup", "--detach", loop)) }()
	if err := root.Command(ctx, "mount.exfat-fuse", "-o", "ro", loop, mnt); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Command(ctx, "umount", mnt)) }()
	if _, err := os.Stat(filepath.Join(mnt, "mimpi-kiosk")); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return root.Command(ctx, "cp", "-r", filepath.Join(mnt, "mimpi-kiosk"), to)
}

func isCode(err error, code int) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == code
}
