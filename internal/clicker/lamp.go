package clicker

import (
	"context"
	"time"
)

// Light is what a lamp shows that tells of something.
type Light int

const (
	Dark     Light = iota
	Blinking       // once a second: something goes on
	Shining        // it is done
	Flashing       // four times a second: somebody should look
)

// shows says how long the lamp stays as it is, and whether it then changes.
func (l Light) shows() (period time.Duration, changes bool) {
	switch l {
	case Blinking:
		return 500 * time.Millisecond, true
	case Flashing:
		return 125 * time.Millisecond, true
	}
	return lookEvery, false
}

// RunLamp has a lamp show what it is told, on the one output of w, which has no inputs, until
// ctx ends; then it is dark. It takes the line whenever it is there and free, and tries
// again while it is not. report is called at each change, with why the lamp does not work
// or nil.
func RunLamp(ctx context.Context, w Wiring, open func(Wiring) (Lines, error), lights <-chan Light, report func(error)) {
	var light Light
	said := "-"
	say := func(err error) {
		text := ""
		if err != nil {
			text = err.Error()
		}
		if text != said {
			said = text
			report(err)
		}
	}
	for ctx.Err() == nil {
		lines, err := open(w)
		if err == nil {
			say(nil)
			if light, err = shine(ctx, lines, light, lights); err == nil {
				err = lines.Close()
			} else {
				_ = lines.Close() // the chip is gone
			}
		}
		if err == nil {
			continue // ctx has ended
		}
		say(err)
		again := time.After(openAtMost)
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return
			case light = <-lights:
			case <-again:
				waiting = false
			}
		}
	}
}

// shine works the lamp until ctx ends, or with an error when the line is lost.
func shine(ctx context.Context, lines Lines, light Light, lights <-chan Light) (Light, error) {
	on := false
	for {
		period, changes := light.shows()
		on = light == Shining || changes && !on
		if err := lines.Set(0, on); err != nil {
			return light, err
		}
		select {
		case <-ctx.Done():
			return light, nil
		case light = <-lights:
			on = false
		case <-time.After(period):
		}
	}
}
