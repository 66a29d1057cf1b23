// Package clicker turns presses of buttons into committed counts, in order, each
// once, and says honestly what was lost on the way. It knows nothing of screenings:
// what a button means is an [Action], and how it is committed is given by the caller.
//
// [Clicker.Run] is one goroutine that commits presses in the order in which
// [Clicker.Press] took them; those that wait together are sent to the journal together.
// A press whose commit fails because the disk takes no more is tried again, under the
// same id, until it is saved: later presses wait behind it in a queue of [QueueLength].
// A [Note] (presses lost, presses that may be phantoms) is kept and tried again in the
// same way, and is committed before the presses that came after it. When Run ends, what
// could not be saved any more is answered with [ErrStopped].
//
// [Buttons] drives it with real buttons and lamps on GPIO [Lines].
package clicker

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

// Action is what a button means: an undo, or one more of a category.
type Action struct {
	Undo     bool
	Category string // with Undo: the category to undo; "" is whatever was last
	// Place is the place of the button among those that can answer a question, from 1; 0:
	// it answers none.
	Place int
}

// Press is one press of one button. ID is unique: a press sent twice under one id
// counts once.
type Press struct {
	ID     string
	Button string        // a key of the keyboard or the name of a line
	For    string        // the evening that it is meant for, where its sender knows; the [Journal] may refuse another's
	Undo   bool          // takes back one of the button's category instead
	Edge   time.Duration // CLOCK_MONOTONIC when it went down; 0: not known
	// Final presses are sent by nobody again: one that cannot be saved is noted as lost.
	Final bool
}

// Why presses were lost, in the words of a [Note].
const (
	Overrun = "overrun" // the kernel's buffer ran over
	Full    = "full"    // the queue was full
	Stopped = "stopped" // not saved before the end
	Unheard = "unheard" // nobody listened to the buttons
)

// Note is something about presses that is not a press.
type Note struct {
	Action  Action // that the presses have or would have had; zero when that is unknown
	Lost    string // why presses were lost, or "" for Suspected
	Presses int    // how many were lost; 0 when nobody can know
	// Since, for Unheard, is when they were last listened to (CLOCK_MONOTONIC), or 0 when
	// this process never did.
	Since time.Duration
	// Suspected are the ids of saved presses that may be phantoms.
	Suspected []string
}

// Journal makes presses durable. Only Run's goroutine calls it.
type Journal interface {
	// Send begins to commit an action; those sent later stand behind it. wait gives the
	// outcome.
	Send(context.Context, Press, Action) (wait func(context.Context) error)
	// Note commits a note under an id, as a press is.
	Note(ctx context.Context, id string, n Note) error
	// MayPass says whether an error of Send or Note may pass, so that the same must be
	// kept and tried again.
	MayPass(error) bool
}

const (
	// QueueLength is how many presses may wait for the disk.
	QueueLength = 1024

	batchLength = 64              // presses sent together
	lastWords   = 3 * time.Second // for what is still to be saved at the end
)

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
	journal Journal
	queue   chan waiting
	noted   chan struct{} // holds a token while notes wait

	mu      sync.Mutex // held for the enqueue, so that no press slips in behind the end
	stopped bool
	notes   []Note
}

type waiting struct {
	press  Press
	action Action
	answer chan error // holds one
}

// New makes a clicker whose buttons mean these actions.
func New(buttons map[string]Action, j Journal) *Clicker {
	return &Clicker{
		buttons: buttons, journal: j,
		queue: make(chan waiting, QueueLength), noted: make(chan struct{}, 1),
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
	if p.Undo {
		action.Undo = true
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
		if p.Final {
			c.keep(Note{Action: action, Lost: Full, Presses: 1})
		}
		w.answer <- ErrFull
	}
	return w.answer
}

// Note takes a note and never waits. What is like a lost press that waits already is
// added to it. After the end of Run it is dropped.
func (c *Clicker) Note(n Note) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped {
		c.keep(n)
	}
}

// keep needs c.mu.
func (c *Clicker) keep(n Note) {
	for i, o := range c.notes {
		if n.Lost != "" && o.Lost == n.Lost && o.Action == n.Action && n.Presses > 0 && o.Presses > 0 {
			c.notes[i].Presses += n.Presses
			return
		}
	}
	c.notes = append(c.notes, n)
	select {
	case c.noted <- struct{}{}:
	default:
	}
}

// Run commits presses and notes until ctx ends. Then it has three seconds for what still
// waits, and answers the rest.
func (c *Clicker) Run(ctx context.Context) error {
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastWords, cancel) })()
	for ctx.Err() == nil {
		c.commitNotes(work)
		select {
		case <-ctx.Done():
		case <-c.noted:
		case w := <-c.queue:
			c.commitNotes(work) // those that came before w
			c.commit(work, c.batch(w))
		}
	}
	for work.Err() == nil && len(c.queue) > 0 {
		c.commitNotes(work)
		c.commit(work, c.batch(<-c.queue))
	}
	c.stop()
	words, silence := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer silence()
	c.commitNotes(words)
	return nil
}

// stop answers those who still wait. From then on there are no more.
func (c *Clicker) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	for len(c.queue) > 0 {
		c.lose(<-c.queue)
	}
}

// lose needs c.mu.
func (c *Clicker) lose(w waiting) {
	if w.press.Final {
		c.keep(Note{Action: w.action, Lost: Stopped, Presses: 1})
	}
	w.answer <- ErrStopped
}

// batch gives the press and those behind it that may be sent together with it. Counts
// may change places when the disk refuses some of them for a moment; an undo may not
// come before what it undoes, so it goes alone.
func (c *Clicker) batch(first waiting) []waiting {
	batch := []waiting{first}
	for !batch[len(batch)-1].action.Undo && len(batch) < batchLength {
		select {
		case w := <-c.queue:
			batch = append(batch, w)
		default:
			return batch
		}
	}
	return batch
}

// commit sends the batch, and those again whose failure may pass, until each is
// answered.
func (c *Clicker) commit(ctx context.Context, batch []waiting) {
	if last := len(batch) - 1; last > 0 && batch[last].action.Undo {
		c.commit(ctx, batch[:last])
		batch = batch[last:]
	}
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		outcomes := make([]func(context.Context) error, len(batch))
		for i, w := range batch {
			outcomes[i] = c.journal.Send(ctx, w.press, w.action)
		}
		var again []waiting
		for i, w := range batch {
			switch err := outcomes[i](ctx); {
			case err != nil && ctx.Err() != nil:
				w.answer <- ErrStopped // it may be saved or not: the next start says that nobody listened
			case err == nil || !c.journal.MayPass(err):
				w.answer <- err
			default:
				again = append(again, w)
			}
		}
		if batch = again; len(batch) == 0 || !pause(ctx, wait) {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range batch {
		c.lose(w)
	}
}

// commitNotes commits the notes that wait, each until it is saved or ctx ends.
func (c *Clicker) commitNotes(ctx context.Context) {
	for {
		c.mu.Lock()
		if len(c.notes) == 0 {
			c.mu.Unlock()
			return
		}
		n := c.notes[0]
		c.notes = c.notes[1:]
		c.mu.Unlock()
		id := "note-" + rand.Text()
		for wait := 100 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
			err := c.journal.Note(ctx, id, n)
			if err == nil || !c.journal.MayPass(err) {
				break
			}
			if !pause(ctx, wait) {
				c.mu.Lock()
				c.notes = append([]Note{n}, c.notes...)
				c.mu.Unlock()
				return
			}
		}
	}
}

func pause(ctx context.Context, wait time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}
