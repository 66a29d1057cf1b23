package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/warthog618/go-gpiocdev"
	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/lab/gpio/sim"
	"mimpi-kiosk/internal/lab/preload"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
)

const (
	journalFile = "/data/journal.db"
	pageAddress = "127.0.0.1:8080"
)

// button is one of the default wiring.
type button struct {
	category   string
	line, lamp int
}

var buttons = [...]button{{"woman", 17, 23}, {"man", 27, 24}, {"girl", 22, 25}, {"boy", 5, 12}}

// daemon is the shipped binary with its own default wiring, on the simulated chip.
type daemon struct {
	chip      *sim.Chip
	forgetful bool // its journal's WAL is not synced
	process   *exec.Cmd
	disk      *preload.Disk // of all its lives
	spent     time.Duration // processor time of those that have ended
}

// start runs it, and waits until it serves and holds the lines.
func (d *daemon) start() error {
	log, err := os.OpenFile("/run/daemon.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	d.process = exec.Command("/bin/mimpi-kiosk", "run", "--data", "/data", "--listen", pageAddress, "--pack", "/pack")
	d.process.Stdout, d.process.Stderr = log, log
	if d.disk == nil {
		if d.disk, err = preload.NewDisk("/run/disk"); err != nil {
			return err
		}
	}
	badness := d.disk.Environment("/lib/disk.so")
	if d.forgetful {
		badness = []string{"LD_PRELOAD=/lib/no-sync.so"}
	}
	d.process.Env = append(badness, "HOME=/tmp", "PATH=/bin")
	if err := d.process.Start(); err != nil {
		return err
	}
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		held, err := d.holds(buttons[0].line)
		if err == nil && held {
			if r, err := http.Get("http://" + pageAddress + "/healthz"); err == nil {
				r.Body.Close()
				if r.StatusCode == http.StatusOK {
					return nil
				}
			}
		}
		if time.Now().After(end) {
			said, _ := os.ReadFile("/run/daemon.log")
			return fmt.Errorf("the daemon does not listen to the buttons (lines held: %t, %v); it said:\n%s", held, err, said)
		}
	}
}

func (d *daemon) holds(line int) (bool, error) {
	chip, err := gpiocdev.NewChip(d.chip.Name())
	if err != nil {
		return false, err
	}
	defer chip.Close()
	info, err := chip.LineInfo(line)
	return info.Consumer == "mimpi-kiosk", err
}

// end sends a signal and waits until the daemon is gone.
func (d *daemon) end(signal syscall.Signal) error {
	if err := d.process.Process.Signal(signal); err != nil {
		return err
	}
	err := d.process.Wait()
	d.spent += d.process.ProcessState.UserTime() + d.process.ProcessState.SystemTime()
	if exit := (*exec.ExitError)(nil); signal == syscall.SIGKILL && errors.As(err, &exit) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the daemon, told to end: %w", err)
	}
	return nil
}

// machineClock is that of cmd/mimpi-kiosk, as far as the lab needs it.
type machineClock struct{}

func (machineClock) Read() screening.Reading {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &t) // it has no way to fail
	return screening.Reading{Wall: time.Now(), Boot: "lab", Mono: screening.ToMillis(time.Duration(t.Nano()))}
}

func freshJournal() (*sqlite.Journal, error) {
	old, err := filepath.Glob("/data/*")
	if err != nil {
		return nil, err
	}
	for _, f := range old {
		if err := os.RemoveAll(f); err != nil {
			return nil, err
		}
	}
	return sqlite.Open(context.Background(), journalFile)
}

// openDoors makes a journal of a screening whose doors are open.
func openDoors() error {
	j, err := freshJournal()
	if err != nil {
		return err
	}
	err = withRoom(j, func(ctx context.Context, room *screening.Room) error { return plan(ctx, room) })
	return errors.Join(err, j.Close())
}

func withRoom(j *sqlite.Journal, f func(context.Context, *screening.Room) error) error {
	room := screening.NewRoom(j, machineClock{})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- room.Run(ctx, screening.Envelope{ID: uuid.NewString(), From: screening.FromKiosk, Command: screening.StartKiosk{Kiosk: "lab", Version: "lab"}})
	}()
	err := f(ctx, room)
	cancel()
	return errors.Join(err, <-ended)
}

func plan(ctx context.Context, room *screening.Room) error {
	p := screening.Programme{
		Pack: "lab", Regencies: []screening.Regency{{ID: "kupang", Name: "Kupang", Kemendagri: "53.01", BPS: "5303"}},
		Film: screening.Film{Title: screening.Text{"id": "-"}, Missing: true}, ShareMinimum: 10,
	}
	for _, b := range buttons {
		p.Categories = append(p.Categories, screening.Category{ID: b.category, Label: screening.Text{"id": b.category}})
	}
	for _, c := range []screening.Command{
		screening.PlanScreening{Screening: "s-lab", Programme: p, Details: screening.Details{
			Regency: "kupang", Venue: "Lab", Audience: screening.Public, HeldAt: time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC),
		}},
		screening.MoveTo{Step: screening.Doors},
	} {
		if err := room.Do(ctx, screening.Envelope{ID: uuid.NewString(), From: screening.FromFacilitator, Command: c}); err != nil {
			return err
		}
	}
	return nil
}

// events reads the journal of a daemon that has ended.
func events() ([]screening.Recorded, *screening.State, error) {
	j, err := sqlite.OpenToRead(context.Background(), journalFile)
	if err != nil {
		return nil, nil, err
	}
	defer j.Close()
	state := screening.NewState()
	var out []screening.Recorded
	for r, err := range j.Events(context.Background(), "s-lab") {
		if err != nil {
			return nil, nil, err
		}
		state.Apply(r)
		out = append(out, r)
	}
	return out, state, nil
}
