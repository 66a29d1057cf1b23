package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"mimpi-kiosk/internal/lab/card"
	"mimpi-kiosk/internal/lab/qemu"
)

// architecture is a kind of machine that the lab can boot.
type architecture struct {
	qemu           string // its name for QEMU
	debian         string // and for Debian
	suite          string // of that Debian: trixie or bookworm
	console, shell string // serial ports
	headless       bool   // without the programs of the screens
	watchdog       bool   // QEMU has a hardware watchdog for it that the kernel knows
}

var architectures = map[string]architecture{
	"amd64": {qemu: "x86_64", debian: "amd64", console: "ttyS0", shell: "ttyS1", watchdog: true},
	"arm64": {qemu: "aarch64", debian: "arm64", console: "ttyAMA0", shell: "hvc0", headless: true},
}

// machine is a booted guest, or a container, with a shell.
type machine struct {
	*qemu.Guest            // or nil, and
	in          *container // then this

	on               time.Time     // it was switched on
	take             func() error  // takes its card, when it is off
	touch, multiUser time.Duration // after power-on the touch screen's page was answered; that target was reached
}

// kind is what differs from one boot to the next.
type kind struct {
	screens bool       // a graphics card, and the session that it is for
	bare    bool       // without the kiosk
	card    *card.Card // that the data folder is on; nil: the machine's own disk, which keeps what is written
}

// boot switches a machine on and waits until it is up.
func boot(ctx context.Context, a architecture, i image, k kind, log io.Writer) (*machine, error) {
	options := qemu.Options{
		Arch: a.qemu, CPUs: 2, Memory: 1024,
		Kernel: i.kernel, Initrd: i.initrd,
		Append:   "root=/dev/vda rw console=" + a.console + " net.ifnames=0 quiet panic=-1 systemd.show_status=no systemd.default_device_timeout_sec=600",
		Disks:    []qemu.Disk{{Path: i.disk, Args: "cache=unsafe"}},
		Forward:  []int{80, 8080},
		Consoles: 2,
		Log:      log,
	}
	if k.card != nil {
		options.Disks[0].Snapshot = true
		options.Append += " systemd.mount-extra=/dev/vdb:/var/lib/mimpi-kiosk:ext4:noatime"
	}
	// A USB stick, not yet plugged in.
	options.Args = []string{"-device", "qemu-xhci", "-drive", "if=none,id=stick,format=raw,file=" + i.stick}
	if a.watchdog {
		options.Args = append(options.Args, "-device", "i6300esb", "-action", "watchdog=poweroff")
	}
	if k.screens {
		options.Memory = 2048
		options.Args = append(options.Args, graphics...)
		options.Append += screenModes
	} else {
		options.Append += " systemd.mask=mimpi-kiosk-display.service"
	}
	if k.bare {
		options.Append += " systemd.mask=mimpi-kiosk.service systemd.mask=mimpi-kiosk.socket"
	}
	for tries := 1; ; tries++ {
		m, err := switchOn(ctx, options, k.card)
		if err != nil {
			return nil, err
		}
		if err = m.comeUp(ctx, k); err == nil {
			return m, nil
		}
		err = errors.Join(err, m.Close())
		if tries == 3 || !m.neverSawADisk(ctx) {
			return nil, err
		}
		fmt.Println("switched on again, as the emulated machine's kernel panicked before it had seen a disk:", err)
	}
}

// switchOn starts the machine, with the card if there is one.
func switchOn(ctx context.Context, options qemu.Options, data *card.Card) (*machine, error) {
	m := &machine{on: time.Now(), take: func() error { return nil }}
	if data != nil {
		address, take, err := data.Offer()
		if err != nil {
			return nil, err
		}
		m.take = take
		options.Disks = append(slices.Clip(options.Disks), qemu.Disk{Path: address})
	}
	guest, err := qemu.Start(ctx, options)
	if err != nil {
		return nil, errors.Join(err, m.take())
	}
	m.Guest = guest
	return m, nil
}

// comeUp waits until the machine is up.
func (m *machine) comeUp(ctx context.Context, k kind) error {
	if !k.bare {
		if err := m.answers(ctx, 8080, "/touch", patience); err != nil {
			ctx, stop := context.WithTimeout(ctx, time.Minute)
			defer stop()
			said, _, other := m.try(ctx, "ip -brief address; systemctl list-jobs --no-pager; systemctl status --no-pager mimpi-kiosk; journalctl --no-pager -b -n 60 -o short-monotonic")
			return fmt.Errorf("%w\n%s (%v)", err, said, other)
		}
		m.touch = time.Since(m.on)
	}
	if _, err := m.Console(0).Expect(ctx, `LAB multi-user reached\n`); err != nil {
		return err
	}
	m.multiUser = time.Since(m.on)
	_, err := m.Console(1).Expect(ctx, `LAB shell ready\n`)
	return err
}

// neverSawADisk is asked of a machine that is off: whether its kernel panicked before it had a
// driver for any disk, so that nothing of ours had begun. QEMU's emulated processors do that,
// seldom, where the real one is busy.
func (m *machine) neverSawADisk(ctx context.Context) bool {
	got, err := m.Console(0).Expect(ctx, `(?s)^.*Modules linked in:([^\n]*)\n.*Kernel panic`)
	return err == nil && got[1] == ""
}

func closing(c io.Closer, err error) error {
	if other := c.Close(); other != nil {
		fmt.Fprintln(os.Stderr, other)
	}
	return err
}

// addr is where a port of the machine is reached through dial.
func (m *machine) addr(port int) string {
	if m.in != nil {
		return fmt.Sprintf("127.0.0.1:%d", port)
	}
	return m.Addr(port)
}

func (m *machine) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if m.in != nil {
		return m.in.dial(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

func (m *machine) Close() error {
	if m.in != nil {
		return m.in.Close()
	}
	return errors.Join(m.Guest.Close(), m.take())
}

// try runs a line of bash in the guest, as root, and gives what it printed and its exit code.
func (m *machine) try(ctx context.Context, line string) (string, int, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if m.in != nil {
		return m.in.try(ctx, line)
	}
	if err := m.Console(1).Send(line + "\n"); err != nil {
		return "", 0, err
	}
	said, err := m.Console(1).Expect(ctx, `(?s)^(.*?)LAB exit (\d+)\n`)
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w", line, err)
	}
	code, err := strconv.Atoi(said[2])
	return strings.TrimSpace(said[1]), code, err
}

// run is try for what must succeed.
func (m *machine) run(ctx context.Context, line string) (string, error) {
	said, code, err := m.try(ctx, line)
	if err == nil && code != 0 {
		err = fmt.Errorf("%s: exit code %d: %s", line, code, said)
	}
	return said, err
}

// plug plugs the USB stick in.
func (m *machine) plug(ctx context.Context) error {
	_, err := m.Do(ctx, "device_add", map[string]any{"driver": "usb-storage", "drive": "stick", "removable": true})
	return err
}

// property is what systemd says of the daemon.
func (m *machine) property(ctx context.Context, name string) (string, error) {
	return m.run(ctx, "systemctl show --value -p "+name+" mimpi-kiosk.service")
}
