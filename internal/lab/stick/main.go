// Stick is the lab of the USB sticks: the installed package in a Debian in QEMU. FAT32 and
// exFAT sticks are plugged in while a screening goes on, pulled out before, in and after each
// part of the export, and looked into from outside.
//
//	go run ./internal/lab/stick -deb FILE [-pulls N] [-seed N] [-kinds vfat,exfat]   (make test-stick)
//
// It needs root, as all labs with a Debian do.
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

	"golang.org/x/sync/errgroup"

	"mimpi-kiosk/internal/lab/qemu"
	"mimpi-kiosk/internal/lab/root"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
	"mimpi-kiosk/internal/sqlite"
	"mimpi-kiosk/internal/web/signin"
)

const (
	screenings = 40 // half of them rehearsals, about
	mounted    = "/run/mimpi-kiosk-usb/sticks"
	patience   = 4 * time.Minute // emulated processors are slow, and may be shared
	port       = 8080
)

type options struct {
	deb, build string
	kinds      []string
	pulls      int
	seed       uint64
}

func main() {
	var o options
	flag.StringVar(&o.deb, "deb", "", "the package for amd64")
	flag.IntVar(&o.pulls, "pulls", 4, "pull-outs of each kind of stick")
	flag.Uint64Var(&o.seed, "seed", 1, "of the moments of the pull-outs")
	flag.StringVar(&o.build, "build", "build/lab", "folder for what is made once")
	kinds := flag.String("kinds", "vfat,exfat", "kinds of sticks")
	flag.Parse()
	o.kinds = strings.Split(*kinds, ",")
	start := time.Now()
	if err := run(context.Background(), o); err != nil {
		fmt.Fprintln(os.Stderr, "stick lab:", err)
		os.Exit(1)
	}
	fmt.Printf("%d pull-outs with seed %d in %s\n", o.pulls*len(o.kinds), o.seed, time.Since(start).Round(time.Second))
}

func run(ctx context.Context, o options) error {
	debian, err := root.Debian(ctx, "trixie", []string{
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
	l := &lab{work: work, build: o.build, random: rand.New(rand.NewPCG(o.seed, 0))}
	if err := l.install(ctx, debian, o.deb); err != nil {
		return fmt.Errorf("make the guest's disk: %w", err)
	}
	log, err := os.Create(filepath.Join(o.build, "stick.log"))
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
		Disks:   []qemu.Disk{{Path: l.disk(), Args: "cache=unsafe"}},
		Forward: []int{port},
		Args:    []string{"-device", "qemu-xhci,id=xhci"},
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
	return l.evening(ctx, o)
}

// lab is a guest and what is plugged into it.
type lab struct {
	work   string
	build  string // for what outlives the lab
	guest  *qemu.Guest
	random *rand.Rand
	show   *evening
	said   int // commands so far
	seen   found
}

func (l *lab) disk() string { return filepath.Join(l.work, "disk.img") }

// evening has a screening go on while sticks are pulled out, and then looks for all that was
// acknowledged in the journal.
func (l *lab) evening(ctx context.Context, o options) error {
	var err error
	if l.show, err = newEvening(l.guest.Addr(port)); err != nil {
		return err
	}
	if err := l.show.begin(ctx); err != nil {
		return err
	}
	group, groupCtx := errgroup.WithContext(ctx)
	around, stop := context.WithCancel(groupCtx)
	group.Go(func() error { return l.show.watch(around) })
	group.Go(func() error { return l.show.goOn(around) })
	group.Go(func() error {
		defer stop()
		for _, kind := range o.kinds {
			if err := l.stick(groupCtx, kind, o.pulls); err != nil {
				return fmt.Errorf("%s: %w", kind, err)
			}
		}
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	out, err := l.shell(ctx, "systemctl show -p NRestarts mimpi-kiosk.service; systemctl is-active mimpi-kiosk.service")
	if err != nil || !strings.Contains(out, "NRestarts=0") || !strings.Contains(out, "\nactive") {
		return fmt.Errorf("the daemon was restarted: %s (%v)", out, err)
	}
	if err := l.guest.Console(0).Send("systemctl poweroff\n"); err != nil {
		return err
	}
	off, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := l.guest.Wait(off); err != nil {
		return err
	}
	return l.compare(ctx)
}

// compare looks for everything that the kiosk acknowledged in its journal, on the disk of the
// machine that is off now.
func (l *lab) compare(ctx context.Context) error {
	journal := filepath.Join(l.work, "journal.db")
	for _, end := range []string{"", "-wal"} {
		if err := root.Command(ctx, "debugfs", "-R", "dump /var/lib/mimpi-kiosk/journal.db"+end+" "+journal+end, l.disk()); err != nil {
			return err
		}
	}
	j, err := sqlite.Open(ctx, journal) // it may have to read the end of the -wal
	if err != nil {
		return err
	}
	missing := map[string]string{}
	for id, what := range l.show.acked {
		missing[id] = what
	}
	counted, exports := map[string]int{}, 0
	err = j.Replay(ctx, func(r screening.Recorded) error {
		if what, ok := missing[r.Command]; ok {
			counted[what]++
			delete(missing, r.Command)
		}
		if _, ok := r.Event.(screening.ExportWritten); ok {
			exports++
		}
		return nil
	})
	if err := errors.Join(err, j.Close()); err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("%d acknowledged events are not in the journal: %v", len(missing), missing)
	}
	if counted["press"] == 0 || counted["ballot"] == 0 {
		return fmt.Errorf("too little went on: %v", counted)
	}
	fmt.Printf("%d presses and %d ballots were acknowledged meanwhile, the slowest after %s; all are in the journal, and so are %d exports. Pulled out, %d sticks had an unfinished folder and %d a replaced one.\n",
		counted["press"], counted["ballot"], l.show.longest.Round(time.Millisecond), exports, l.seen.unfinished, l.seen.replaced)
	return nil
}

// shell is root's on the serial port. A getty would wait for udev, which a starved machine is
// too slow for.
const shell = `[Service]
ExecStart=/bin/bash -i
WorkingDirectory=/root
Environment=HOME=/root TERM=dumb
StandardInput=tty
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
Restart=always
RestartSec=0
[Install]
WantedBy=multi-user.target
`

// install makes the guest's disk: the Debian, and in it the package and a journal. There is
// no screen in this guest, so what only screens need is not there.
func (l *lab) install(ctx context.Context, debian, deb string) error {
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
	for name, text := range map[string]string{
		"etc/systemd/system/lab-shell.service": shell,
		"etc/systemd/network/lab.network":      "[Match]\nName=en* eth*\n[Network]\nAddress=10.0.2.15/24\n",
		"etc/hosts":                            "127.0.0.1 localhost\n",
	} {
		path := filepath.Join(merged, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	if err := root.Command(ctx, "cp", deb, filepath.Join(merged, "root/kiosk.deb")); err != nil {
		return err
	}
	script := "mount -t proc proc $0/proc && exec chroot $0 sh -ec '" +
		"dpkg --force-depends -i /root/kiosk.deb; rm /root/kiosk.deb; systemctl enable systemd-networkd lab-shell; " +
		"systemctl mask serial-getty@ttyS0 mimpi-kiosk-display.service mimpi-kiosk-hotspot.service systemd-networkd-wait-online.service; systemctl set-default multi-user.target'"
	if err := root.Command(ctx, "unshare", "--mount", "env", "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-c", script, merged); err != nil {
		return err
	}
	data := filepath.Join(merged, "var/lib/mimpi-kiosk")
	if err := os.MkdirAll(data, 0o750); err != nil {
		return err
	}
	if err := l.fill(ctx, data); err != nil {
		return err
	}
	if err := root.Command(ctx, "chroot", merged, "chown", "-R", "mimpi-kiosk:mimpi-kiosk", "/var/lib/mimpi-kiosk"); err != nil {
		return err
	}
	return root.Command(ctx, "mke2fs", "-q", "-t", "ext4", "-d", merged, l.disk(), "2500M")
}

// fill makes what a kiosk has in its data folder after some weeks.
func (l *lab) fill(ctx context.Context, data string) error {
	j, err := sqlite.Open(ctx, filepath.Join(data, "journal.db"))
	if err != nil {
		return err
	}
	if err := errors.Join(j.Append(ctx, journaltest.Evenings(7, screenings, 200).Events), j.Close()); err != nil {
		return err
	}
	keeper, err := signin.Open(data)
	if err != nil {
		return err
	}
	_, err = keeper.SetPIN(signin.Client{Own: true}, "", pin)
	return err
}

// moment is when a stick is pulled out.
type moment struct {
	name string
	wait func(context.Context) error
}

// moments are in turns: before the export, in its files and names, at its end, and whenever.
func (l *lab) moments() []moment {
	in := func(most int) time.Duration { return time.Duration(l.random.IntN(most)) * time.Millisecond }
	seeing := func(what string, is func(stickView) bool, then time.Duration) func(context.Context) error {
		return func(ctx context.Context) error {
			if _, err := l.show.until(ctx, what, func(s stickView) bool { return is(s) || s.over() }); err != nil {
				return err
			}
			return sleep(ctx, then)
		}
	}
	files := l.random.IntN(20)
	return []moment{
		{"just plugged in", func(ctx context.Context) error { return sleep(ctx, in(2500)) }},
		{fmt.Sprintf("at screening %d", files), seeing("copying", func(s stickView) bool { return s.Phase == "copying" && s.Done >= files }, in(300))},
		{"being unmounted", seeing("finishing", func(s stickView) bool { return s.Phase == "finishing" }, in(250))},
		{"whenever", func(ctx context.Context) error { return sleep(ctx, in(12_000)) }},
	}
}

// over says that nothing more comes of it.
func (s stickView) over() bool { return s.Phase == "safe" || s.Phase == "trouble" && s.Why != "pulled" }

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// stick pulls a stick of this kind out again and again, and then lets it be filled.
func (l *lab) stick(ctx context.Context, kind string, pulls int) error {
	image := filepath.Join(l.work, kind+".img")
	for n := range pulls {
		fresh := n == 0 || l.random.IntN(3) == 0
		if fresh {
			if err := l.format(ctx, kind, image); err != nil {
				return err
			}
		}
		if err := l.gone(ctx); err != nil {
			return err
		}
		if err := l.plug(ctx, image); err != nil {
			return err
		}
		moments := l.moments()
		m := moments[n%len(moments)]
		if err := m.wait(ctx); err != nil {
			return err
		}
		at, _ := l.show.seen()
		if err := l.pull(ctx); err != nil {
			return err
		}
		f, err := l.inspect(ctx, kind, image)
		if err != nil {
			kept := l.build + "/stick-" + kind + ".img"
			return errors.Join(fmt.Errorf("pulled out %s: %w; the stick is %s", m.name, err, kept), root.Command(ctx, "cp", "--sparse=always", image, kept))
		}
		l.seen.unfinished += f.unfinished
		l.seen.replaced += f.replaced
		fmt.Printf("%s %3d  %-16s %-9s %2d/%-2d  %2d whole", kind, n+1, m.name, at.Phase, at.Done, at.All, f.whole)
		if fresh {
			fmt.Print(", was empty")
		}
		if f.unfinished+f.replaced > 0 {
			fmt.Printf(", %d half written, %d half replaced", f.unfinished, f.replaced)
		}
		fmt.Println()
	}
	if err := l.gone(ctx); err != nil {
		return err
	}
	if err := l.plug(ctx, image); err != nil {
		return err
	}
	s, err := l.show.until(ctx, "the end", stickView.over)
	if err != nil || s.Phase != "safe" {
		return fmt.Errorf("at last, left in: %+v (%w)", s, err)
	}
	if err := l.until(ctx, "the system says that it is unmounted", "cat "+mounted+"/sd?", "state=released"); err != nil {
		return err
	}
	if err := l.pull(ctx); err != nil {
		return err
	}
	f, err := l.inspect(ctx, kind, image)
	if err != nil {
		return err
	}
	fmt.Printf("%s: left in, it is filled and let go of: %d screenings, all whole\n", kind, f.whole)
	if f.whole != s.Screenings || f.whole < screenings/2 || f.unfinished+f.replaced > 0 {
		return fmt.Errorf("on the stick are %+v, and the facilitator was told of %+v", f, s)
	}
	return nil
}

func (l *lab) format(ctx context.Context, kind, image string) error {
	if err := os.RemoveAll(image); err != nil {
		return err
	}
	if err := root.Command(ctx, "truncate", "-s", "128M", image); err != nil {
		return err
	}
	format := []string{"mkfs.vfat", "-F", "32", image}
	if kind == "exfat" {
		format = []string{"mkfs.exfat", image}
	}
	return root.Command(ctx, format[0], format[1:]...)
}

// gone waits until the system and the facilitator know of no stick that is in.
func (l *lab) gone(ctx context.Context) error {
	if err := l.until(ctx, "the stick is gone", "ls "+mounted+" | wc -l", "^0"); err != nil {
		return err
	}
	_, err := l.show.until(ctx, "no stick", func(s stickView) bool { return s.Phase == "" || s.Why == "pulled" })
	return err
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

// until repeats a command in the guest until its answer fits.
func (l *lab) until(ctx context.Context, what, command, pattern string) error {
	last := ""
	for late := time.Now().Add(patience); time.Now().Before(late); {
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

func one(pattern string) (string, error) {
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("%s: found %v (%v)", pattern, found, err)
	}
	return found[0], nil
}
