package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/lab/gpio/sim"
	"mimpi-kiosk/internal/screening"
)

// plug presses a button on and on while the host plugs a USB device in: the presses near
// it must be marked, and no others.
func plug(map[string]string) error {
	if err := openDoors(); err != nil {
		return err
	}
	var broken error
	chip, err := sim.New(func(err error) { broken = err })
	if err != nil {
		return err
	}
	defer chip.Close()
	d := &daemon{chip: chip}
	if err := d.start(); err != nil {
		return err
	}
	if err := calm(); err != nil { // see pressAll
		return err
	}
	// How much of the guest's time the host takes for it nobody knows.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	seen := make(chan clicker.Plug, 16)
	watched := make(chan error, 1)
	go func() { watched <- clicker.WatchPlugs(ctx, seen) }()
	presses := 0
	for after := 0; after < 20; presses++ {
		if presses == 20 {
			fmt.Println("LAB PLUG") // the host does
		}
		if len(seen) > 0 {
			after++
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("nothing was plugged in: %w", err)
		}
		chip.Press(buttons[0].line)
		wait(50 * time.Millisecond)
		chip.Release(buttons[0].line)
		wait(50 * time.Millisecond)
	}
	cancel()
	time.Sleep(time.Second)
	if err := errors.Join(<-watched, d.end(syscall.SIGTERM), broken); err != nil {
		return err
	}
	recorded, state, err := events()
	if err != nil {
		return err
	}
	edges := map[string]screening.Millis{}
	var marked []screening.Millis
	for _, r := range recorded {
		switch e := r.Event.(type) {
		case screening.AttendeeCounted:
			edges[r.Command] = e.Edge
		case screening.PressesSuspected:
			for _, id := range e.Commands {
				if edges[id] == 0 {
					return fmt.Errorf("the press %q is suspected and not recorded", id)
				}
				marked = append(marked, edges[id])
			}
		}
	}
	if len(marked) == 0 || len(edges) != presses {
		return fmt.Errorf("%d presses are recorded of %d, and %d of them are marked", len(edges), presses, len(marked))
	}
	span := (slices.Max(marked) - slices.Min(marked)).Duration()
	if most := 4 * clicker.SuspectWithin; span > most { // two uevents apart from one another are possible
		return fmt.Errorf("the marked presses are %v apart, more than %v", span, most)
	}
	if n := len(state.Attendance.Doubts); n != 1 {
		return fmt.Errorf("the facilitator sees %d doubts: %+v", n, state.Attendance.Doubts)
	}
	fmt.Printf("LAB  plug: of %d presses %d came within %v of the plug and are marked\n", presses, len(marked), clicker.SuspectWithin)
	return nil
}
