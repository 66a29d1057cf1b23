// Package clicker turns presses of buttons into committed counts, in order, each
// once. It knows nothing of screenings: what a button means is an [Action], and
// how an action is committed is given by the caller.
//
// One goroutine, [Clicker.Run], commits the presses one after the other in the order
// in which [Clicker.Press] took them. A press whose commit fails because the disk
// takes no more is tried again, under the same id, until it is saved: later presses
// wait behind it in a queue of [QueueLength]. When Run ends, presses still waiting are
// answered with [ErrStopped].
package clicker

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Action is what a button means: an undo, or one more of a category.
type Action struct {
	Undo     bool
	Category string
}

// Press is one press of one button. ID is unique: a press sent twice under one id
// counts once.
type Press struct {
	ID     string
	Button string // a key of the keyboard or the name of a line
}

// QueueLength is how many presses may wait for the disk.
const QueueLength = 1024

var (
	// ErrStopped is the answer for a press that reached a clicker that has ended.
	ErrStopped = errors.New("the clicker has stopped")
	// ErrFull is the answer for a press that found the queue full: it was lost.
	ErrFull = errors.New("too many presses wait for the disk; this one was lost")
	// ErrUnknownButton is the answer for a button that has no action.
	ErrUnknownButton = errors.New("this button has no action in the configuration")
)

// Clicker commits presses. Make one with New.
type Clicker struct {
	buttons map[string]Action
	commit  func(context.Context, string, Action) error
	again   func(error) bool
	queue   chan waiting

	mu      sync.Mutex // held for the enqueue, so that no press slips in behind the end
	stopped bool
}

type waiting struct {
	press  Press
	action Action
	answer chan error // holds one
}

// New makes a clicker. commit makes the action durable under the press's id, and is
// only called by Run's goroutine; again says whether its error may pass, so that the
// press must be kept and tried again.
func New(buttons map[string]Action, commit func(ctx context.Context, id string, a Action) error, again func(error) bool) *Clicker {
	return &Clicker{
		buttons: buttons, commit: commit, again: again,
		queue: make(chan waiting, QueueLength),
	}
}

// Press takes a press and never waits, so that a driver's callback may call it. The
// channel gives the one answer, after the commit: nil, or why it was not counted.
func (c *Clicker) Press(p Press) <-chan error {
	w := waiting{press: p, answer: make(chan error, 1)}
	action, ok := c.buttons[p.Button]
	if !ok {
		w.answer <- ErrUnknownButton
		return w.answer
	}
	w.action = action
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		w.answer <- ErrStopped
		return w.answer
	}
	select {
	case c.queue <- w:
	default:
		w.answer <- ErrFull
	}
	return w.answer
}

// Run commits presses until ctx ends, and then answers those that still wait.
func (c *Clicker) Run(ctx context.Context) error {
	defer c.stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case w := <-c.queue:
			w.answer <- c.commitUntilSaved(ctx, w)
		}
	}
}

func (c *Clicker) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for len(c.queue) > 0 {
		w := <-c.queue
		w.answer <- ErrStopped
	}
}

func (c *Clicker) commitUntilSaved(ctx context.Context, w waiting) error {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		err := c.commit(ctx, w.press.ID, w.action)
		if err == nil || !c.again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ErrStopped
		case <-time.After(wait):
		}
	}
}
