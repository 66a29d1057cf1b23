// Guest is the first and only program of the GPIO lab's virtual machine: it makes a
// simulated chip and runs what the kernel's command line asks for, prints what it found,
// and switches the machine off. The host's side is the folder above.
//
//	lab.do=suite    the contract suite of internal/clicker/linestest on the simulated chip
//	lab.do=storm    many presses on the shipped daemon: lab.presses=N lab.seed=N
//	lab.do=plug     presses while a USB device is plugged in
//	lab.do=rates    latency and losses at rising rates, beside gpiomon
//	lab.do=cut      work on a card until the power is cut: see cut
//	lab.do=clock    work while the machine's clock jumps: see clock
//	lab.do=soak     the faults lab's evenings for hours: see soak
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

func main() {
	status := "passed"
	if err := run(); err != nil {
		fmt.Println("LAB FAILED:", strings.ReplaceAll(err.Error(), "\n", "\nLAB FAILED: "))
		status = "failed"
	}
	fmt.Println("LAB END " + status)
	unix.Sync()
	_ = unix.IoctlSetInt(unix.Stdout, unix.TCSBRK, 1) // until it is all out: the kernel's own words go in between
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)  // nothing can be done about a failure
}

func run() error {
	if err := setUp(); err != nil {
		return err
	}
	asked, err := commandLine()
	if err != nil {
		return err
	}
	for do := range strings.SplitSeq(asked["do"], ",") {
		fmt.Println("LAB RUN", do)
		work := map[string]func(map[string]string) error{
			"suite": suite, "storm": storm, "plug": plug, "rates": rates, "cut": cut, "clock": clock, "soak": soak,
		}[do]
		if work == nil {
			return fmt.Errorf("there is nothing called %q to do", do)
		}
		if err := work(asked); err != nil {
			return fmt.Errorf("%s: %w", do, err)
		}
	}
	return nil
}

func setUp() error {
	for _, m := range []struct{ what, where string }{
		{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/data"}, {"tmpfs", "/tmp"}, {"tmpfs", "/run"},
	} {
		if err := errors.Join(os.MkdirAll(m.where, 0o755), unix.Mount(m.what, m.where, m.what, 0, "")); err != nil {
			return fmt.Errorf("mount %s: %w", m.where, err)
		}
	}
	modules, err := filepath.Glob("/modules/*.ko") // in the order of their numbers
	if err != nil {
		return err
	}
	slices.Sort(modules)
	for _, m := range modules {
		f, err := os.Open(m)
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if err != nil {
			return fmt.Errorf("load %s: %w", m, err)
		}
	}
	if err := unix.Mount("configfs", "/sys/kernel/config", "configfs", 0, ""); err != nil {
		return fmt.Errorf("mount configfs: %w", err)
	}
	return loopback()
}

func loopback() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo)
}

// commandLine gives what stands after "lab." on the kernel's.
func commandLine() (map[string]string, error) {
	line, err := os.ReadFile("/proc/cmdline")
	out := map[string]string{}
	for word := range strings.FieldsSeq(string(line)) {
		if key, value, ok := strings.Cut(word, "="); ok {
			if name, ours := strings.CutPrefix(key, "lab."); ours {
				out[name] = value
			}
		}
	}
	return out, err
}

func number(asked map[string]string, key string) (int, error) {
	n, err := strconv.Atoi(asked[key])
	if err != nil {
		return 0, fmt.Errorf("lab.%s=%q is not a number", key, asked[key])
	}
	return n, nil
}

func suite(map[string]string) error {
	cmd := exec.Command("/bin/sim.test", "-test.v", "-test.timeout=180s")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
