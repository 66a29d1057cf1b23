package clicker

import (
	"errors"
	"fmt"
	"time"
)

// Lines are the lines of one chip that buttons and lamps hang on, as long as they are
// held. All methods may be called from any goroutine.
//
// The real ones are made by [OpenGPIO]; a scripted chip is in package linestest, with
// the suite that both pass.
type Lines interface {
	// Edges gives the edges of all inputs in the order in which the kernel saw them. The
	// kernel keeps [EdgeBuffer] edges for a slow reader and then drops the oldest: the
	// gaps in their numbers show it. It is closed by Close, after the edges that were
	// read from the kernel already, and when the chip goes away.
	Edges() <-chan Edge
	// Down says whether a button is held down now. Its error means that the chip is gone.
	Down(input int) (bool, error)
	// Set lights an output or turns it off. Its error means that the chip is gone.
	Set(output int, on bool) error
	// Close gives the lines back, outputs off. A second Close does nothing.
	Close() error
}

// Edge is a button that went down or up, debounced.
type Edge struct {
	Input int           // its place in Wiring.Inputs
	Down  bool          // pressed; else released
	At    time.Duration // CLOCK_MONOTONIC when the kernel took it for an edge
	// Seq numbers the edges of all inputs, LineSeq those of this one: 1, 2, ... since the
	// lines were opened, over edges that were dropped too.
	Seq, LineSeq uint32
}

// EdgeBuffer is how many edges the kernel keeps: the most that it allows.
const EdgeBuffer = 1024

// Wiring says which lines of which chip.
type Wiring struct {
	// Chip is the label of the chip ("pinctrl-rp1") or its name ("gpiochip0"). Empty is the
	// 40-pin header of a Raspberry Pi, whichever model.
	Chip string
	// Inputs and Outputs are lines, by number (on a Raspberry Pi the BCM number) or by the
	// name that the system gives them. Inputs get a pull-up: a button connects its line to
	// ground. There may be outputs alone.
	Inputs, Outputs []string
	// Debounce is how long a contact must be still before it counts; 0 is not at all.
	Debounce time.Duration
}

// TroubleKind is a kind of [Trouble].
type TroubleKind string

const (
	NoChip  TroubleKind = "no_chip"   // there is no such chip
	NoLine  TroubleKind = "no_line"   // the chip has no such line
	Busy    TroubleKind = "line_busy" // somebody else holds the line
	Denied  TroubleKind = "denied"    // we may not open the chip
	Failing TroubleKind = "failing"   // anything else, also a chip that went away
)

// Trouble is why buttons cannot be listened to now.
type Trouble struct {
	Kind   TroubleKind
	Chip   string // as configured or found
	Line   string // as configured
	Holder string // who holds the line, as the kernel knows it
	Err    error
}

func (t *Trouble) Error() string {
	var s string
	switch t.Kind {
	case NoChip:
		s = fmt.Sprintf("there is no GPIO chip %q", t.Chip)
		if t.Chip == "" {
			s = "there is no GPIO chip of a Raspberry Pi"
		}
	case NoLine:
		s = fmt.Sprintf("the GPIO chip %s has no line %q", t.Chip, t.Line)
	case Busy:
		s = fmt.Sprintf("line %s of GPIO chip %s is held by %q", t.Line, t.Chip, t.Holder)
	case Denied:
		s = fmt.Sprintf("the GPIO chip %s may not be opened", t.Chip)
	default:
		s = fmt.Sprintf("the GPIO chip %s does not work", t.Chip)
	}
	if t.Err != nil {
		s += ": " + t.Err.Error()
	}
	return s
}

func (t *Trouble) Unwrap() error { return t.Err }

// ErrClosed is the error of lines that were given back.
var ErrClosed = errors.New("the lines were given back")
