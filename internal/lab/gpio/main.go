// Gpio is the lab for buttons and lamps: a virtual machine with a GPIO chip that Linux
// itself simulates, in which the shipped daemon is pressed hard. It needs no Raspberry Pi,
// no KVM and no root. See PRESSES in the Makefile (make test-pi).
//
// With -cuts the same machine works on a memory card whose power is cut again and again
// (make test-cut), with -replay it is cut at each flush of one run (make test-replay), and with
// -clock the clock of that machine jumps (make test-clock): see cut.go, replay.go, clock.go.
// With -soak it holds evenings for hours by its own clock (make soak-by-clock): see soak.go.
//
// It builds the module gpio-sim for a Debian kernel, a file system of the daemon, the
// guest's program (folder guest) and the contract suite (folder sim), boots them in QEMU,
// and passes on what the guest prints. It fails when the guest does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"mimpi-kiosk/internal/lab/preload"
	"mimpi-kiosk/internal/lab/qemu"
	"mimpi-kiosk/internal/lab/visit"
)

func main() {
	do := flag.String("do", "suite,plug,storm", "what to do: suite, plug, storm, rates")
	presses := flag.Int("presses", 2000, "presses of the storm, 1500 or more")
	seed := flag.Int("seed", 1, "seed of the storm")
	cuts := flag.Int("cuts", 0, "cut the power so many times, in place of all that")
	replay := flag.Bool("replay", false, "cut the power at each flush of a recorded run, in place of all that")
	points := flag.Int("points", 0, "with -replay: at so many flushes of each life, evenly; 0: all")
	clock := flag.Bool("clock", false, "let the machine's clock jump by years, in place of all that")
	soak := flag.Duration("soak", 0, "hold evenings for so long by the machine's clock, in place of all that")
	noSync := flag.Bool("no-sync", false, "with -cuts and -replay: let the journal's WAL not be synced; they must show")
	within := flag.Duration("within", 15*time.Minute, "give up after this long; cuts get a minute more each, a soak its own time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *within+time.Duration(*cuts)*time.Minute+*soak)
	defer cancel()
	work := func(ctx context.Context, k *kernel, initrd string) error {
		return boot(ctx, k, initrd, fmt.Sprintf("lab.do=%s lab.presses=%d lab.seed=%d", *do, *presses, *seed))
	}
	switch {
	case *cuts > 0:
		work = func(ctx context.Context, k *kernel, initrd string) error {
			return cutAgainAndAgain(ctx, k, initrd, *cuts, uint64(*seed), *noSync)
		}
	case *replay:
		work = func(ctx context.Context, k *kernel, initrd string) error {
			return replayEachFlush(ctx, k, initrd, *points, uint64(*seed), *noSync)
		}
	case *clock:
		work = func(ctx context.Context, k *kernel, initrd string) error {
			return jumpAgainAndAgain(ctx, k, initrd, *seed)
		}
	case *soak > 0:
		work = func(ctx context.Context, k *kernel, initrd string) error {
			return soakByTheClock(ctx, k, initrd, *soak, *seed)
		}
	}
	if err := run(ctx, *soak > 0, work); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

const daemon = "build/mimpi-kiosk"

func run(ctx context.Context, soaks bool, do func(ctx context.Context, k *kernel, initrd string) error) error {
	if _, err := os.Stat(daemon); err != nil {
		return fmt.Errorf("%w: run this with make test-pi, which builds the daemon", err)
	}
	work, err := filepath.Abs("build/lab-gpio")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	k, err := findKernel(work)
	if err != nil {
		return err
	}
	initrd := filepath.Join(work, "initramfs")
	if err := makeInitramfs(ctx, k, work, initrd, soaks); err != nil {
		return err
	}
	return do(ctx, k, initrd)
}

// makeInitramfs has the faults lab in it only where that soaks: each boot unpacks all of it.
func makeInitramfs(ctx context.Context, k *kernel, work, file string, soaks bool) error {
	for _, build := range [][]string{
		{"go", "build", "-o", filepath.Join(work, "guest"), "./internal/lab/gpio/guest"},
		{"go", "test", "-c", "-tags", "lab", "-o", filepath.Join(work, "sim.test"), "./internal/lab/gpio/sim"},
		{"gcc", "-O2", "-shared", "-fPIC", "-Wall", "-Werror", "-o", filepath.Join(work, "no-sync.so"), "internal/lab/preload/no-sync.c", "-ldl"},
	} {
		cmd := exec.CommandContext(ctx, build[0], build[1:]...)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(build, " "), err, out)
		}
	}
	library := filepath.Join(work, "disk.so")
	if err := preload.Build(ctx, library); err != nil {
		return err
	}
	i := initramfs{}
	for where, file := range map[string]string{
		"/init": filepath.Join(work, "guest"), "/bin/sim.test": filepath.Join(work, "sim.test"),
		"/bin/mimpi-kiosk": daemon, "/lib/disk.so": library,
		"/lib/no-sync.so": filepath.Join(work, "no-sync.so"), "/bin/gpiomon": "/usr/bin/gpiomon", "/bin/e2fsck": "/usr/sbin/e2fsck",
	} {
		if err := i.addProgram(where, file); err != nil {
			return fmt.Errorf("%w (.ci/packages.txt has what the lab uses)", err)
		}
	}
	for n, m := range append(slices.Clone(k.modules), k.gpioSim) {
		from, err := unpackModule(work, m)
		if err != nil {
			return err
		}
		i.add(fmt.Sprintf("/modules/%02d-%s", n, filepath.Base(from)), from)
	}
	film := filepath.Join(work, "film")
	if err := errors.Join(i.addFolder("/pack", "media/mimpi-beta"), visit.Film(ctx, film), i.addFolder("/pack/film", film)); err != nil {
		return err
	}
	if soaks {
		if err := i.addFaultsLab(ctx, filepath.Join(work, "lab-faults")); err != nil {
			return err
		}
	}
	return i.write(file)
}

const commandLine = "console=ttyS0 quiet panic=-1 rdinit=/init GODEBUG=asyncpreemptoff=1 "

// skipping lets the guest's clock count its instructions, 1 ns each, and jump ahead while it has
// nothing to do: a busy host makes the run longer, and changes nothing in it.
var skipping = []string{"-icount", "shift=0,sleep=off"}

func boot(ctx context.Context, k *kernel, initrd, asked string) error {
	began := time.Now()
	guest, err := qemu.Start(ctx, qemu.Options{
		CPUs: 1, Memory: 768,
		Kernel: k.image, Initrd: initrd,
		Append: commandLine + asked,
		Args:   append(skipping, "-device", "qemu-xhci,id=usb"),
		Log:    &labLines{to: os.Stdout},
	})
	if err != nil {
		return err
	}
	defer guest.Close()
	for {
		got, err := guest.Console(0).Expect(ctx, `LAB (PLUG|END (\w+))`)
		if err != nil {
			return err
		}
		switch {
		case got[1] == "PLUG":
			if _, err := guest.Do(ctx, "device_add", map[string]any{"driver": "usb-tablet", "id": "plugged", "bus": "usb.0"}); err != nil {
				return err
			}
		case got[2] == "passed":
			fmt.Printf("The lab passed in %v (%s, %s).\n", time.Since(began).Round(time.Second), k.release, asked)
			return guest.Wait(ctx)
		default:
			return fmt.Errorf("the lab %s after %v (%s)", got[2], time.Since(began).Round(time.Second), asked)
		}
	}
}

// labLines passes whole lines on, as they come, but not what terminals get besides.
type labLines struct {
	to   io.Writer
	part []byte
}

func (l *labLines) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		end := strings.IndexByte(string(l.part), '\n')
		if end < 0 {
			return len(p), nil
		}
		line := strings.TrimRight(string(l.part[:end]), "\r")
		l.part = l.part[end+1:]
		if _, err := fmt.Fprintln(l.to, line); err != nil {
			return 0, err
		}
	}
}
