// Box is the lab for the installed kiosk: it installs the package into a Debian with
// systemd, boots that in a virtual machine, and sees what a coordinator would: it is
// there after switching on, it comes back when it dies or hangs, an upgrade in the middle
// of a screening loses nothing, and purging the package keeps the records. It needs root
// (for making a Debian), no KVM and no Raspberry Pi; see `make test-box`.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	arch := flag.String("arch", "amd64", "architecture of the machine: amd64, or arm64 (slow)")
	suite := flag.String("suite", "trixie", "of Debian: trixie, which is 13, or bookworm, which is 12")
	do := flag.String("do", "all", "all: every check; container: those that need no kernel; boot: measure how long switching on takes; seat: the screens, on a graphics card; cut: power cuts; image: only make the disk")
	deb := flag.String("deb", "", "the package")
	newer := flag.String("newer", "", "a later version of it")
	p := &power{}
	flag.IntVar(&p.cuts, "cuts", 4, "of the power, with -do cut")
	flag.IntVar(&p.seed, "seed", 1, "of their moments")
	within := flag.Duration("within", 45*time.Minute, "give up after this long")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *within)
	defer cancel()
	if err := lab(ctx, *arch, *suite, *do, *deb, *newer, p); err != nil {
		fmt.Fprintln(os.Stderr, "box lab:", err)
		os.Exit(1)
	}
}

func lab(ctx context.Context, arch, suite, do, deb, newer string, p *power) error {
	a, known := architectures[arch]
	if !known || deb == "" || newer == "" || suite != "trixie" && suite != "bookworm" {
		return errors.New("say -arch amd64|arm64 -suite trixie|bookworm -deb FILE -newer FILE, or run `make test-box`")
	}
	a.suite = suite
	name := "build/lab/box-" + arch
	if suite != "trixie" {
		name += "-" + suite
	}
	work, err := filepath.Abs(name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(work, 0o755); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(work, "console.log"))
	if err != nil {
		return err
	}
	defer log.Close()

	if do == "container" {
		m, err := contain(ctx, a, deb, newer, work, log)
		if err != nil {
			return err
		}
		return errors.Join(checks(ctx, m, work), m.Close())
	}
	i, err := makeImage(ctx, a, deb, newer, work, os.Stdout)
	if err != nil {
		return err
	}
	what, known := map[string]func(context.Context, architecture, image, string, io.Writer) error{
		"all": guest, "boot": measure, "seat": seat, "cut": p.cut,
		"image": func(context.Context, architecture, image, string, io.Writer) error { return nil },
	}[do]
	if !known {
		return fmt.Errorf("-do %s is not known: all, container, boot, seat, cut or image", do)
	}
	return what(ctx, a, i, work, log)
}

// Boot is what the bench reads from boot.json; seconds from power-on.
type Boot struct {
	Touch float64 `json:"touch"` // until the touch screen's page is answered
	Bare  float64 `json:"bare"`  // until the same machine, without the kiosk, has reached multi-user.target
}

// measure switches the machine on without the kiosk and with it.
func measure(ctx context.Context, a architecture, i image, work string, log io.Writer) error {
	bare, err := boot(ctx, a, i, kind{bare: true}, log)
	if err != nil {
		return err
	}
	if err := bare.off(ctx); err != nil {
		return err
	}
	full, err := boot(ctx, a, i, kind{}, log)
	if err != nil {
		return err
	}
	b := Boot{Touch: full.touch.Seconds(), Bare: bare.multiUser.Seconds()}
	fmt.Printf("From power-on to the touch screen's page: %.1f s; the same machine without the kiosk to multi-user.target: %.1f s; %.2f times as long.\n",
		b.Touch, b.Bare, b.Touch/b.Bare)
	data, err := json.Marshal(b)
	if err == nil {
		err = os.WriteFile(filepath.Join(work, "boot.json"), data, 0o644)
	}
	return errors.Join(err, full.Close())
}

// off switches the machine off as a person does who presses its button.
func (m *machine) off(ctx context.Context) error {
	err := m.Console(1).Send("systemctl poweroff\n")
	if err == nil {
		err = m.Wait(ctx)
	}
	return errors.Join(err, m.Close())
}

// guest boots a machine for the checks, and lets its kernel hang in the end.
func guest(ctx context.Context, a architecture, i image, work string, log io.Writer) (err error) {
	m, err := boot(ctx, a, i, kind{}, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	fmt.Printf("ok  %-60s %4.0f s\n", "switched on, the touch screen's page is answered", m.touch.Seconds())
	// An emulated processor on a busy machine may take longer than the hardware watchdog
	// waits to read all units again. What the package sets is asked for before.
	if set, err := m.run(ctx, "systemctl show --value -p RuntimeWatchdogUSec; "+hardwareWatchdog+"600000000"); errors.Join(err, expect(set, "30s")) != nil {
		return fmt.Errorf("the hardware watchdog: %w", errors.Join(err, expect(set, "30s")))
	}
	if err := checks(ctx, m, work); err != nil || !a.watchdog {
		return err
	}
	return see(ctx, m, check{"the hardware watchdog notices a kernel that hangs", hang})
}

// checks are what must hold, in this order, on one machine.
func checks(ctx context.Context, m *machine, work string) error {
	for _, c := range theChecks {
		if err := see(ctx, m, c); err != nil {
			return err
		}
	}
	journal, err := m.run(ctx, "journalctl --no-pager -b -o short-monotonic -u 'mimpi-kiosk*'")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(work, "journal.txt"), []byte(journal), 0o644)
}

// see tries one check and says what was seen, or what the machine's log says of it.
func see(ctx context.Context, m *machine, c check) error {
	start := time.Now()
	seen, err := c.see(ctx, m)
	if err != nil {
		journal, _, other := m.try(ctx, "journalctl --no-pager -b -n 150 -o short-monotonic -u 'mimpi-kiosk*' -u systemd-logind -u init.scope")
		return fmt.Errorf("%s: %w\n%s", c.what, errors.Join(err, other), journal)
	}
	fmt.Printf("ok  %-60s %4.0f s  %s\n", c.what, time.Since(start).Seconds(), seen)
	return nil
}

const hardwareWatchdog = "busctl set-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager RuntimeWatchdogUSec t "

// hang stops the kernel, and waits for the hardware watchdog.
func hang(ctx context.Context, m *machine) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	if err := m.Console(1).Send(hardwareWatchdog + "30000000; echo 1 >/proc/sys/kernel/sysrq; echo 0 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger\n"); err != nil {
		return "", err
	}
	if _, err := m.Event(ctx, "WATCHDOG"); err != nil {
		return "", fmt.Errorf("a kernel that hangs is not noticed: %w", err)
	}
	return "", nil
}

// patience is for what an emulated processor does on a busy machine.
const patience = 10 * time.Minute

// healthy waits until the kiosk answers that commits work.
func (m *machine) healthy(ctx context.Context, port int, within time.Duration) error {
	return m.answers(ctx, port, "/healthz", within)
}

// answers waits until the kiosk answers, here outside, with a page or the way to one.
func (m *machine) answers(ctx context.Context, port int, path string, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var off <-chan struct{} // nil: nothing switches a container off
	if m.Guest != nil {
		off = m.Ended()
	}
	client := &http.Client{Transport: &http.Transport{DialContext: m.dial, DisableKeepAlives: true}, Timeout: 5 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		r, err := client.Get("http://" + m.addr(port) + path)
		if err == nil {
			if err := r.Body.Close(); err != nil {
				return err
			}
			if r.StatusCode < http.StatusBadRequest {
				return nil
			}
			err = errors.New(r.Status)
		}
		select {
		case <-tick.C:
		case <-off:
			return errors.Join(fmt.Errorf("%s at port %d: the machine went off", path, port), m.Wait(ctx))
		case <-ctx.Done():
			return fmt.Errorf("%s at port %d within %v: %w", path, port, within, err)
		}
	}
}
