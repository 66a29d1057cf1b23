package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"

	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/lab/gpio/sim"
	"mimpi-kiosk/internal/screening"
)

// rates presses the four lines at rising rates, without bouncing and without debounce,
// and prints how long it takes from the kernel's time of the edge until the press is
// committed, and how many are lost; and the same for gpiomon on the same chip, until its
// line can be read.
//
//	LAB RATE per-second presses kiosk-p50 kiosk-p99 kiosk-lost gpiomon-p50 gpiomon-p99 gpiomon-lost
func rates(map[string]string) error {
	var broken error
	chip, err := sim.New(func(err error) { broken = err })
	if err != nil {
		return err
	}
	defer chip.Close()
	runtime.GOMAXPROCS(16) // what waits in press keeps its own
	for _, rate := range []int{25, 100, 400, 1600, 6400} {
		n := min(4*rate, 3000)
		ours, err := committed(chip, rate, n)
		if err != nil {
			return err
		}
		theirs, err := printed(chip, rate, n)
		if err != nil {
			return err
		}
		fmt.Printf("LAB RATE %d %d %v %v %d %v %v %d\n", rate, n,
			share(ours, 50), share(ours, 99), n-len(ours), share(theirs, 50), share(theirs, 99), n-len(theirs))
	}
	return broken
}

func share(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[len(sorted)*percent/100].Round(time.Microsecond)
}

// press makes n presses, rate per second, over the four lines in turn.
func press(chip *sim.Chip, rate, n int) error {
	var wires [len(buttons)]*sim.Wire
	for i, b := range buttons {
		var err error
		if wires[i], err = chip.Wire(b.line); err != nil {
			return err
		}
		defer wires[i].Close()
	}
	every := time.Second / time.Duration(rate)
	begin := clicker.Monotonic()
	for i := range n {
		w := wires[i%len(wires)]
		if err := w.Press(true); err != nil {
			return err
		}
		wait(every / 2)
		if err := w.Press(false); err != nil {
			return err
		}
		wait(max(begin+time.Duration(i+1)*every-clicker.Monotonic(), 0))
	}
	return nil
}

// measured is a clicker.Journal that notes how late each commit is.
type measured struct {
	room *screening.Room
	mu   sync.Mutex
	late []time.Duration
	lost int // as it was said
}

func (m *measured) Send(ctx context.Context, p clicker.Press, a clicker.Action) func(context.Context) error {
	wait := m.room.Send(ctx, screening.Envelope{ID: p.ID, From: screening.FromButtons, Command: screening.PressButton{Category: a.Category}})
	return func(ctx context.Context) error {
		err := wait(ctx)
		if err == nil {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.late = append(m.late, clicker.Monotonic()-p.Edge)
		}
		return err
	}
}

func (m *measured) Note(_ context.Context, _ string, n clicker.Note) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lost += n.Presses
	return nil
}

func (m *measured) MayPass(error) bool { return false }

// committed gives how late each press was committed that was.
func committed(chip *sim.Chip, rate, n int) ([]time.Duration, error) {
	j, err := freshJournal()
	if err != nil {
		return nil, err
	}
	var late []time.Duration
	err = withRoom(j, func(ctx context.Context, room *screening.Room) error {
		if err := plan(ctx, room); err != nil {
			return err
		}
		setup := clicker.Setup{Chip: sim.Label, Boot: fmt.Sprint("rate", rate)}
		for _, b := range buttons {
			setup.Buttons = append(setup.Buttons, clicker.Button{Line: fmt.Sprint(b.line), Lamp: fmt.Sprint(b.lamp), Action: clicker.Action{Category: b.category}})
		}
		m := &measured{room: room}
		keys := clicker.New(setup.ButtonNames(), m)
		open := make(chan struct{})
		opened := sync.OnceFunc(func() { close(open) })
		ctx, stop := context.WithCancel(ctx)
		keysCtx, stopKeys := context.WithCancel(context.WithoutCancel(ctx))
		ended := make(chan error, 2)
		go func() { ended <- keys.Run(keysCtx) }()
		go func() {
			ended <- clicker.Run(ctx, setup, clicker.Tools{
				Clicker: keys, Open: clicker.OpenGPIO, Now: clicker.Monotonic,
				Report: func(clicker.Condition) { opened() },
			})
		}()
		<-open
		err := press(chip, rate, n)
		time.Sleep(2 * time.Second)
		stop()
		err = errors.Join(err, <-ended)
		stopKeys()
		err = errors.Join(err, <-ended)
		late = m.late
		if err == nil && len(m.late)+m.lost != n {
			err = fmt.Errorf("of %d presses %d were committed and %d said to be lost", n, len(m.late), m.lost)
		}
		return err
	})
	slices.Sort(late)
	return late, errors.Join(err, j.Close())
}

// printed gives how late each press could be read from gpiomon.
func printed(chip *sim.Chip, rate, n int) ([]time.Duration, error) {
	args := []string{"--active-low", "--bias=pull-up", "--rising-edge", "--line-buffered", "--format=%s %n", chip.Name()}
	for _, b := range buttons {
		args = append(args, fmt.Sprint(b.line))
	}
	cmd := exec.Command("/bin/gpiomon", args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var late []time.Duration
	read := make(chan error, 1)
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			now := clicker.Monotonic()
			var s, ns int64
			if _, err := fmt.Sscan(lines.Text(), &s, &ns); err != nil {
				read <- fmt.Errorf("gpiomon says %q: %w", lines.Text(), err)
				return
			}
			late = append(late, now-time.Duration(s)*time.Second-time.Duration(ns))
		}
		read <- lines.Err()
	}()
	time.Sleep(time.Second)
	err = press(chip, rate, n)
	time.Sleep(2 * time.Second)
	err = errors.Join(err, cmd.Process.Signal(syscall.SIGTERM), <-read)
	if ended := cmd.Wait(); ended != nil {
		err = errors.Join(err, fmt.Errorf("gpiomon: %w", ended))
	}
	slices.Sort(late)
	return late, err
}
