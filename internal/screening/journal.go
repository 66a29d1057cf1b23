package screening

import (
	"context"
	"errors"
)

// Journal keeps the events, for ever and in order. Only the Room's goroutine calls
// it while a Room runs.
type Journal interface {
	// Append makes the events durable, all of them or none. It returns only when
	// they would survive a power cut. An error that wraps ErrRefusedByDisk means
	// that nothing was written and that a later Append may work (disk full,
	// read-only); any other error means that what is on the disk is in doubt and
	// that the journal must be opened anew.
	Append(ctx context.Context, events []Recorded) error

	// Replay yields in order what is needed to rebuild the state: every event from
	// the last ScreeningPlanned on (all events if there is none), and before them
	// the last ClockSet and the last KioskStarted, if those are older. It ends at
	// the first error of yield.
	Replay(ctx context.Context, yield func(Recorded) error) error

	// Probe proves by a commit of its own that Append would work now.
	Probe(ctx context.Context) error
}

// ErrRefusedByDisk marks a failed Append that wrote nothing and may be tried again.
var ErrRefusedByDisk = errors.New("the disk takes no more")
