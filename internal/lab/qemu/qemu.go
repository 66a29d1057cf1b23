// Package qemu runs a virtual machine for the labs: a whole Debian with systemd, or a
// kernel with simulated GPIO lines. It needs no KVM and no root (the CPU is emulated,
// 10 to 20 times slower than the machine it runs on) and no network beyond loopback.
//
// A Guest belongs to whoever started it. Close, or the end of the context given to
// Start, kills QEMU and returns when its goroutines are gone; and QEMU is killed by the
// kernel when the program that started it dies, however it dies. A killed QEMU is a power
// cut to its guest, except that what the guest had given to its disk is kept.
//
// Methods may be called from any goroutine; two that read the same Console share its
// text between them, each part once.
package qemu

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Options of a machine. The zero value is a PC with one processor and 512 MiB that
// boots nothing.
type Options struct {
	// Arch is "x86_64" (the default: a q35 PC) or "aarch64" (a virt board with a
	// cortex-a72, the Raspberry Pi 4's processor).
	Arch string
	// CPUs is the number of processors, 1 if 0. More than the host has is slower.
	CPUs int
	// Memory in MiB, 512 if 0.
	Memory int

	// Kernel and Initrd are files; Append is the kernel's command line. Without a
	// kernel the first disk is booted.
	Kernel, Initrd, Append string

	// Disks appear as /dev/vda, /dev/vdb, ... (virtio).
	Disks []Disk

	// Forward lists TCP ports of the guest to be reached from here; see Guest.Addr.
	// With none the guest has no network card. The guest cannot reach anything outside.
	Forward []int

	// Consoles is how many serial ports the guest has (1 if 0; ttyS0, ttyS1, ... on
	// x86_64). On aarch64, which has one port ttyAMA0, further ones are hvc0, hvc1, ...
	Consoles int

	// Args are further arguments of QEMU, such as "-device", "qemu-xhci". Extra devices
	// can be plugged in later through Guest.Do ("device_add").
	Args []string

	// Log, if set, gets everything that the first console prints and that QEMU itself
	// complains about, as it comes.
	Log io.Writer
}

// A Disk of a guest.
type Disk struct {
	Path string
	// Format of the file: "raw" if empty.
	Format string
	// Snapshot throws the guest's writes away at its end, so that many guests may
	// start from one file.
	Snapshot bool
	// Args are further comma-separated options of QEMU's -drive, e.g. "cache=unsafe".
	Args string
}

// A Guest is a running machine.
type Guest struct {
	consoles []*Console
	monitor  *monitor
	addrs    map[int]string
	process  *exec.Cmd
	kill     context.CancelFunc

	ended chan struct{} // closed when QEMU is gone; exit is set before
	exit  error

	readers sync.WaitGroup
	closing sync.Once
	closed  error
}

// binary and machine arguments of each architecture.
var architectures = map[string][]string{
	"x86_64":  {"qemu-system-x86_64", "-machine", "q35", "-cpu", "max"},
	"aarch64": {"qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a72"},
}

// Start starts the machine and returns when its monitor answers, long before the guest
// has booted. The guest is killed when ctx ends.
func Start(ctx context.Context, options Options) (*Guest, error) {
	if options.Arch == "" {
		options.Arch = "x86_64"
	}
	architecture, known := architectures[options.Arch]
	if !known {
		return nil, fmt.Errorf("qemu: no machine of architecture %q is known", options.Arch)
	}
	if _, err := exec.LookPath(architecture[0]); err != nil {
		return nil, fmt.Errorf("qemu: %w; make runs the labs in a Debian that has it", err)
	}

	ctx, kill := context.WithCancel(ctx)
	guest := &Guest{
		process: exec.CommandContext(ctx, architecture[0], architecture[1:]...),
		kill:    kill,
		ended:   make(chan struct{}),
	}
	if err := guest.start(ctx, options); err != nil {
		return nil, errors.Join(err, guest.Close())
	}
	return guest, nil
}

func (g *Guest) start(ctx context.Context, options Options) error {
	var theirs []*os.File // what QEMU inherits, from file descriptor 3 on
	closeTheirs := func() {
		for _, file := range theirs {
			file.Close()
		}
	}
	wire := func() (fd int, ours *os.File, err error) {
		ours, its, err := socketpair()
		if err != nil {
			return 0, nil, fmt.Errorf("qemu: a socket pair: %w", err)
		}
		theirs = append(theirs, its)
		return 2 + len(theirs), ours, nil
	}

	add := func(args ...string) { g.process.Args = append(g.process.Args, args...) }
	add(
		"-accel", "tcg", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
		"-smp", strconv.Itoa(max(1, options.CPUs)),
		"-m", strconv.Itoa(orElse(options.Memory, 512)),
	)

	fd, monitorFile, err := wire()
	if err != nil {
		close(g.ended)
		return err
	}
	add("-chardev", fmt.Sprintf("socket,id=monitor,fd=%d", fd), "-mon", "chardev=monitor,mode=control")

	var consoleFiles []*os.File
	for i := range max(1, options.Consoles) {
		fd, file, err := wire()
		if err != nil {
			close(g.ended)
			closeTheirs()
			return errors.Join(err, monitorFile.Close())
		}
		consoleFiles = append(consoleFiles, file)
		add("-chardev", fmt.Sprintf("socket,id=console%d,fd=%d", i, fd))
		switch {
		case i == 0 || options.Arch == "x86_64":
			add("-serial", fmt.Sprintf("chardev:console%d", i))
		case i == 1:
			add("-device", "virtio-serial-pci")
			fallthrough
		default:
			add("-device", fmt.Sprintf("virtconsole,chardev=console%d", i))
		}
	}

	for flag, value := range map[string]string{"-kernel": options.Kernel, "-initrd": options.Initrd, "-append": options.Append} {
		if value != "" {
			add(flag, value)
		}
	}
	for i, disk := range options.Disks {
		add("-drive", disk.drive(i))
		add("-device", fmt.Sprintf("virtio-blk-pci,drive=disk%d", i))
	}
	if len(options.Forward) > 0 {
		net := "user,id=net,restrict=on"
		for _, port := range options.Forward {
			net += fmt.Sprintf(",hostfwd=tcp:127.0.0.1:0-:%d", port)
		}
		add("-netdev", net, "-device", "virtio-net-pci,netdev=net,romfile=")
	}
	add(options.Args...)

	var complaints tail
	g.process.Stderr = &complaints
	if options.Log != nil {
		options.Log = &oneAtATime{to: options.Log}
		g.process.Stderr = io.MultiWriter(&complaints, options.Log)
	}
	g.process.ExtraFiles = theirs
	g.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}

	err = g.launch(&complaints)
	closeTheirs() // or the end of QEMU would not be seen at our ends
	if err != nil {
		monitorFile.Close()
		for _, file := range consoleFiles {
			file.Close()
		}
		return fmt.Errorf("qemu: %w", err)
	}

	g.monitor = newMonitor(monitorFile)
	g.readers.Go(g.monitor.read)
	for i, file := range consoleFiles {
		console := newConsole(file)
		if i == 0 {
			console.log = options.Log
		}
		g.consoles = append(g.consoles, console)
		g.readers.Go(console.read)
	}

	if err := g.monitor.greet(ctx); err != nil {
		g.kill()
		<-g.ended
		return fmt.Errorf("qemu: the monitor: %w; %w", err, g.exit)
	}
	if len(options.Forward) > 0 {
		if g.addrs, err = g.forwards(ctx); err != nil {
			return err
		}
	}
	return nil
}

// launch starts the process from a thread of its own that lives as long as it: the
// kernel kills the child when the thread that made it ends.
func (g *Guest) launch(complaints *tail) error {
	started := make(chan error)
	g.readers.Go(func() {
		defer close(g.ended)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := g.process.Start()
		started <- err
		if err != nil {
			return
		}
		if err := g.process.Wait(); err != nil {
			g.exit = fmt.Errorf("QEMU ended: %w: %s", err, strings.TrimSpace(complaints.String()))
		}
	})
	return <-started
}

func (d Disk) drive(i int) string {
	format := d.Format
	if format == "" {
		format = "raw"
	}
	drive := fmt.Sprintf("if=none,id=disk%d,file=%s,format=%s", i, strings.ReplaceAll(d.Path, ",", ",,"), format)
	if d.Snapshot {
		drive += ",snapshot=on"
	}
	if d.Args != "" {
		drive += "," + d.Args
	}
	return drive
}

// Console is the i-th serial port, from 0.
func (g *Guest) Console(i int) *Console { return g.consoles[i] }

// Addr is where TCP port port of the guest (one of Options.Forward) is reached from
// here: "127.0.0.1:PORT". Before the guest listens, connections are accepted and closed.
func (g *Guest) Addr(port int) string { return g.addrs[port] }

// Ended is closed when the guest is off, or QEMU gone in another way: see Wait.
func (g *Guest) Ended() <-chan struct{} { return g.ended }

// Wait returns when the guest has powered itself off (nil), when QEMU ended in another
// way, or when ctx ends.
func (g *Guest) Wait(ctx context.Context) error {
	select {
	case <-g.ended:
		return g.exit
	case <-ctx.Done():
		return fmt.Errorf("qemu: waiting for the guest's end: %w", ctx.Err())
	}
}

// Close kills QEMU if it still runs, and waits until everything of it is gone. It
// returns only errors of this package, not that the guest was killed. A second Close
// does nothing.
func (g *Guest) Close() error {
	g.closing.Do(func() {
		g.kill()
		<-g.ended
		if g.monitor != nil {
			g.closed = g.monitor.file.Close()
		}
		for _, console := range g.consoles {
			g.closed = errors.Join(g.closed, console.file.Close())
		}
		g.readers.Wait()
	})
	return g.closed
}

// socketpair is a wire with two ends; ours can be closed while it is read.
func socketpair() (ours, theirs *os.File, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	if err := syscall.SetNonblock(fds[0], true); err != nil {
		return nil, nil, errors.Join(err, syscall.Close(fds[0]), syscall.Close(fds[1]))
	}
	return os.NewFile(uintptr(fds[0]), "qemu"), os.NewFile(uintptr(fds[1]), "qemu's end"), nil
}

func orElse(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// tail keeps the last part of what QEMU complains about, for errors.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-4096):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}

// oneAtATime lets the console and QEMU's complaints share a log.
type oneAtATime struct {
	mu sync.Mutex
	to io.Writer
}

func (w *oneAtATime) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to.Write(p)
}
