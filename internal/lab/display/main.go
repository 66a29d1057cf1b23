// Display is the lab of `make test-display`: a Debian 13 with labwc, cage, Chromium and
// mpv, in which the screens of the kiosk run as on the Raspberry Pi, on outputs that
// nobody sees. A screening is led over the facilitator's websocket; pictures of the
// outputs say whether what should be on them is.
//
// Outside it makes the Debian and enters it, with namespaces of its own for mounts,
// processes and network; inside (argument "inside") it plays the evening.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"mimpi-kiosk/internal/lab/root"
)

const (
	limit  = 15 * time.Minute
	inside = "/lab" // where the repository is seen inside
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var err error
	if len(os.Args) == 2 && os.Args[1] == "inside" {
		err = evening(ctx)
	} else {
		err = enter(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "display lab:", err)
		os.Exit(1)
	}
}

// enter makes the Debian, and runs this very program in it. What is written there goes
// to memory and is gone afterwards, but for build/lab/display, where the pictures stay.
func enter(ctx context.Context) error {
	debian, err := root.Debian(ctx, "trixie", root.Packages("trixie", runtime.GOARCH), os.Stdout)
	if err != nil {
		return err
	}
	repository, err := os.Getwd()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	pictures := filepath.Join(repository, "build/lab/display")
	if err := os.RemoveAll(pictures); err != nil {
		return err
	}
	if err := os.MkdirAll(pictures, 0o777); err != nil {
		return err
	}
	if err := os.Chmod(pictures, 0o777); err != nil { // screens' user writes them
		return err
	}
	const script = `set -e
mount --make-rprivate /
new=$(mktemp -d)
mount -t tmpfs tmpfs "$new"
mkdir "$new/changes" "$new/work" "$new/root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$new/changes,workdir=$new/work" "$new/root"
cd "$new/root"
mkdir -p lab lab-program old dev/shm
mount -t proc proc proc
mount --rbind /dev dev
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount --bind "$2" lab
mount --bind "$(dirname "$3")" lab-program
program=/lab-program/$(basename "$3")
pivot_root . old
umount -l /old
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
exec "$program" inside`
	cmd := exec.CommandContext(ctx, "unshare", "--mount", "--pid", "--net", "--ipc", "--fork", "--kill-child",
		"bash", "-c", script, "lab", debian, repository, self)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
