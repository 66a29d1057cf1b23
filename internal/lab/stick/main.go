// Stick is the lab of the USB sticks: a Debian with the kiosk's daemon and the units that
// mount sticks, in QEMU. FAT32 and exFAT sticks are plugged in while it runs, pulled out at
// random moments of the export, and looked into from outside.
//
//	go run ./internal/lab/stick [-pulls N] [-build DIR]      (make test-stick)
//
// It needs root, as all labs with a Debian do, and build/mimpi-kiosk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"mimpi-kiosk/internal/lab/qemu"
	"mimpi-kiosk/internal/lab/root"
	"mimpi-kiosk/internal/screening/journaltest"
	"mimpi-kiosk/internal/sqlite"
)

const (
	screenings = 40
	folders    = "/mimpi-kiosk/kiosk-1" // of the exports on a stick
	mounted    = "/run/mimpi-kiosk-usb/sticks"
)

func main() {
	pulls := flag.Int("pulls", 3, "pull-outs of each kind of stick")
	build := flag.String("build", "build/lab", "folder for what is made once")
	flag.Parse()
	if err := run(context.Background(), *pulls, *build); err != nil {
		fmt.Fprintln(os.Stderr, "stick lab:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, pulls int, build string) error {
	debian, err := root.Debian(ctx, build, "trixie", []string{
		"systemd", "systemd-sysv", "udev", "linux-image-amd64", "initramfs-tools", "kmod", "dosfstools", "exfatprogs",
	}, os.Stdout)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "stick-lab-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	l := &lab{work: work}
	if err := l.install(ctx, debian); err != nil {
		return fmt.Errorf("make the guest's disk: %w", err)
	}
	log, err := os.Create(filepath.Join(build, "stick.log"))
	if err != nil {
		return err
	}
	defer log.Close() // of the guest's console, for people
	kernel, err := one(filepath.Join(debian, "boot", "vmlinuz-*"))
	if err != nil {
		return err
	}
	initrd, err := one(filepath.Join(debian, "boot", "initrd.img-*"))
	if err != nil {
		return err
	}
	l.guest, err = qemu.Start(ctx, qemu.Options{
		CPUs: 2, Memory: 768, Kernel: kernel, Initrd: initrd,
		Append: "root=/dev/vda rw console=ttyS0 systemd.show_status=0 quiet", Log: log,
		Disks: []qemu.Disk{{Path: filepath.Join(work, "disk.img"), Args: "cache=unsafe"}},
		Args:  []string{"-device", "qemu-xhci,id=xhci"},
	})
	if err != nil {
		return err
	}
	defer l.guest.Close()
	if _, err := l.expect(ctx, 15*time.Minute, `:~# `); err != nil {
		return fmt.Errorf("the guest did not come up: %w", err)
	}
	if err := l.until(ctx, "the daemon is up", "systemctl is-active mimpi-kiosk.service", "^active"); err != nil {
		return err
	}
	for _, kind := range []string{"vfat", "exfat"} {
		if err := l.stick(ctx, kind, pulls); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
	}
	out, err := l.shell(ctx, "systemctl show -p NRestarts mimpi-kiosk.service")
	if err != nil || !strings.Contains(out, "NRestarts=0") {
		return fmt.Errorf("the daemon was restarted: %s (%v)", out, err)
	}
	return nil
}

// lab is a guest and what is plugged into it.
type lab struct {
	work  string
	guest *qemu.Guest
	said  int // commands so far
}

// install makes the guest's disk: the Debian, the daemon with a journal, and its units where
// the package puts them.
func (l *lab) install(ctx context.Context, debian string) error {
	merged := filepath.Join(l.work, "root")
	for _, dir := range []string{"root", "upper", "overlay"} {
		if err := os.Mkdir(filepath.Join(l.work, dir), 0o755); err != nil {
			return err
		}
	}
	if err := root.Command(ctx, "mount", "-t", "overlay", "overlay", "-o",
		"lowerdir="+debian+",upperdir="+l.work+"/upper,workdir="+l.work+"/overlay", merged); err != nil {
		return err
	}
	defer exec.Command("umount", merged).Run() // it is thrown away
	for from, to := range map[string]string{
		"build/mimpi-kiosk":                        "usr/bin/mimpi-kiosk",
		"internal/config/kiosk.toml":               "etc/mimpi-kiosk/kiosk.toml",
		"systemd/mimpi-kiosk.service":              "usr/lib/systemd/system/",
		"systemd/mimpi-kiosk.socket":               "usr/lib/systemd/system/",
		"systemd/mimpi-kiosk-usb@.service":         "usr/lib/systemd/system/",
		"systemd/mimpi-kiosk-usb-requests.path":    "usr/lib/systemd/system/",
		"systemd/mimpi-kiosk-usb-requests.service": "usr/lib/systemd/system/",
		"systemd/mimpi-kiosk-usb":                  "usr/lib/mimpi-kiosk/usb",
		"systemd/mimpi-kiosk-usb.rules":            "usr/lib/udev/rules.d/61-mimpi-kiosk-usb.rules",
		"systemd/mimpi-kiosk-usb.tmpfiles":         "usr/lib/tmpfiles.d/mimpi-kiosk-usb.conf",
		"systemd/mimpi-kiosk.sysusers":             "usr/lib/sysusers.d/mimpi-kiosk.conf",
		"media/mimpi-beta":                         "usr/share/mimpi-kiosk/media/mimpi-beta",
	} {
		target := filepath.Join(merged, to)
		if err := os.MkdirAll(filepath.Dir(target+"x"), 0o755); err != nil {
			return err
		}
		if err := root.Command(ctx, "cp", "-r", from, target); err != nil {
			return err
		}
	}
	login := filepath.Join(merged, "etc/systemd/system/serial-getty@ttyS0.service.d")
	if err := os.MkdirAll(login, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(login, "login.conf"), []byte("[Service]\nExecStart=\nExecStart=-/sbin/agetty --autologin root --noclear --keep-baud 115200 - dumb\n"), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(merged, "etc/hosts"), []byte("127.0.0.1 localhost\n"), 0o644); err != nil {
		return err
	}
	data := filepath.Join(merged, "var/lib/mimpi-kiosk")
	if err := os.MkdirAll(data, 0o750); err != nil {
		return err
	}
	if err := l.fill(ctx, filepath.Join(data, "journal.db")); err != nil {
		return err
	}
	for _, cmd := range []string{
		"systemd-sysusers", "chown -R mimpi-kiosk:mimpi-kiosk /var/lib/mimpi-kiosk", "passwd -d root",
		"systemctl enable mimpi-kiosk.service mimpi-kiosk.socket mimpi-kiosk-usb-requests.path",
	} {
		if err := root.Command(ctx, "chroot", append([]string{merged}, strings.Fields(cmd)...)...); err != nil {
			return err
		}
	}
	return root.Command(ctx, "mke2fs", "-q", "-t", "ext4", "-d", merged, filepath.Join(l.work, "disk.img"), "2500M")
}

func (l *lab) fill(ctx context.Context, path string) error {
	j, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	return errors.Join(j.Append(ctx, journaltest.Evenings(7, screenings, 200).Events), j.Close())
}

// stick pulls a stick of this kind out again and again, and then lets it be filled.
func (l *lab) stick(ctx context.Context, kind string, pulls int) error {
	image := filepath.Join(l.work, kind+".img")
	if err := root.Command(ctx, "truncate", "-s", "128M", image); err != nil {
		return err
	}
	if err := root.Command(ctx, map[string]string{"vfat": "mkfs.vfat", "exfat": "mkfs.exfat"}[kind], image); err != nil {
		return err
	}
	for n := range pulls {
		if err := l.plug(ctx, image); err != nil {
			return err
		}
		if err := l.until(ctx, "it is mounted", "cat "+mounted+"/sda", "state=mounted"); err != nil {
			return err
		}
		if err := l.inside(ctx, kind, 0); err != nil {
			return err
		}
		wait := time.Duration(rand.IntN(12000)) * time.Millisecond
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		if err := l.pull(ctx); err != nil {
			return err
		}
		if err := l.until(ctx, "it is gone", "ls "+mounted+" | wc -l", "^0"); err != nil {
			return err
		}
		whole, err := l.inspect(ctx, kind, image)
		if err != nil {
			return fmt.Errorf("pulled out after %s: %w", wait, err)
		}
		fmt.Printf("%s: pull-out %d after %s: seen from outside %d folders under a final name, all whole\n", kind, n+1, wait, whole)
	}
	if err := l.plug(ctx, image); err != nil {
		return err
	}
	const ask = "touch /run/mimpi-kiosk-usb/requests/sda."
	if err := l.until(ctx, "it is safe", "cat "+mounted+"/sda", "state=released"); err != nil {
		return err
	}
	if _, err := l.shell(ctx, ask+"mount"); err != nil {
		return err
	}
	if err := l.until(ctx, "it is mounted to be looked at", "cat "+mounted+"/sda", "state=mounted"); err != nil {
		return err
	}
	if err := l.inside(ctx, kind, screenings/2); err != nil {
		return err
	}
	if _, err := l.shell(ctx, ask+"release"); err != nil {
		return err
	}
	if err := l.until(ctx, "it is safe again", "cat "+mounted+"/sda", "state=released"); err != nil {
		return err
	}
	if err := l.pull(ctx); err != nil {
		return err
	}
	whole, err := l.inspect(ctx, kind, image)
	if err != nil {
		return err
	}
	fmt.Printf("%s: filled, let go of, and seen from outside: %d folders\n", kind, whole)
	if kind == "vfat" && whole < screenings/2 { // the others are rehearsals
		return fmt.Errorf("only %d folders of %d screenings", whole, screenings)
	}
	return nil
}

// inside checks, in the guest, that all folders under their final names are whole, and that
// there are at least so many.
func (l *lab) inside(ctx context.Context, kind string, least int) error {
	out, err := l.shell(ctx, "cd /run/mimpi-kiosk-usb/mnt/sda"+folders+" 2>/dev/null && n=0; for d in [0-9]*_*; do [ -d $d ] && n=$((n+1)) && (cd $d && sha256sum --quiet -c SHA256SUMS 2>&1 || echo BROKEN $d); done; cd /; echo seen $n folders")
	if err != nil {
		return err
	}
	var seen int
	if i := strings.LastIndex(out, "seen "); i >= 0 {
		fmt.Sscanf(out[i:], "seen %d", &seen) // 0 when there is nothing
	}
	fmt.Printf("%s: seen in the guest: %d folders under a final name\n", kind, seen)
	if strings.Contains(out, "BROKEN") || seen < least {
		return fmt.Errorf("%s: at least %d whole folders were expected:\n%s", kind, least, out)
	}
	return nil
}

func (l *lab) plug(ctx context.Context, image string) error {
	_, err := l.guest.Do(ctx, "blockdev-add", map[string]any{"node-name": "stick", "driver": "raw",
		"file": map[string]any{"driver": "file", "filename": image}})
	if err != nil {
		return err
	}
	_, err = l.guest.Do(ctx, "device_add", map[string]any{"driver": "usb-storage", "id": "usb", "bus": "xhci.0", "drive": "stick", "removable": true})
	return err
}

func (l *lab) pull(ctx context.Context) error {
	if _, err := l.guest.Do(ctx, "device_del", map[string]any{"id": "usb"}); err != nil {
		return err
	}
	gone, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if _, err := l.guest.Event(gone, "DEVICE_DELETED"); err != nil {
		return err
	}
	for { // QEMU lets go of it a moment after it says so
		_, err := l.guest.Do(ctx, "blockdev-del", map[string]any{"node-name": "stick"})
		if err == nil || gone.Err() != nil {
			return err
		}
		select {
		case <-gone.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// inspect repairs a copy of the stick, and gives how many folders stand on it under their
// final names. Each must be whole.
func (l *lab) inspect(ctx context.Context, kind, image string) (whole int, err error) {
	copied := filepath.Join(l.work, "copy.img")
	if err := root.Command(ctx, "cp", "--sparse=always", image, copied); err != nil {
		return 0, err
	}
	repair := []string{"fsck.fat", "-a", "-w", copied}
	if kind == "exfat" {
		repair = []string{"fsck.exfat", "-p", copied}
	}
	if err := root.Command(ctx, repair[0], repair[1:]...); err != nil && !isCode(err, 1) { // 1: it repaired something
		return 0, err
	}
	if kind == "exfat" {
		return 0, nil // mtools reads FAT only; inside looks at it at the next plug-in
	}
	to := filepath.Join(l.work, "content")
	if err := errors.Join(os.RemoveAll(to), os.Mkdir(to, 0o755)); err != nil {
		return 0, err
	}
	if err := root.Command(ctx, "mdir", "-i", copied, "::"+folders); err != nil {
		return 0, nil // it was pulled out before anything was there
	}
	if err := root.Command(ctx, "mcopy", "-s", "-n", "-i", copied, "::"+folders, to); err != nil {
		return 0, err
	}
	final, err := filepath.Glob(filepath.Join(to, "kiosk-1", "[0-9]*_*"))
	if err != nil {
		return 0, err
	}
	for _, folder := range final {
		cmd := exec.CommandContext(ctx, "sha256sum", "--quiet", "-c", "SHA256SUMS")
		cmd.Dir = folder
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%s stands under its final name and is not whole: %w\n%s", filepath.Base(folder), err, out)
		}
	}
	return len(final), nil
}

// until repeats a command in the guest until its answer fits.
func (l *lab) until(ctx context.Context, what, command, pattern string) error {
	last := ""
	for late := time.Now().Add(4 * time.Minute); time.Now().Before(late); {
		out, err := l.shell(ctx, command+" 2>&1")
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if last = out; strings.Contains("\n"+out, strings.Replace(pattern, "^", "\n", 1)) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(300 * time.Millisecond):
		}
	}
	log, err := l.shell(ctx, "journalctl --no-pager -n 40 -u 'mimpi-kiosk*'")
	return errors.Join(fmt.Errorf("never: %s; the last answer was %q\n%s", what, last, log), err)
}

// shell runs a command in the guest and gives what it says.
func (l *lab) shell(ctx context.Context, command string) (string, error) {
	l.said++
	mark := "done-" + strconv.Itoa(l.said)
	if err := l.guest.Console(0).Send(command + "; echo " + mark[:4] + "''" + mark[4:] + "\n"); err != nil {
		return "", err
	}
	got, err := l.expect(ctx, 3*time.Minute, `(?s)\n(.*?)`+mark+`\n`)
	if err != nil {
		return "", err
	}
	return got[1], nil
}

func (l *lab) expect(ctx context.Context, patience time.Duration, pattern string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return l.guest.Console(0).Expect(ctx, pattern)
}

func isCode(err error, code int) bool {
	var exit *exec.ExitError
	return errors.As(err, &exit) && exit.ExitCode() == code
}

func one(pattern string) (string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%s: found %v (%v)", pattern, found, err)
	}
	return found[0], nil
}
