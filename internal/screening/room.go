package screening

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
)

// Clock reads the machine's clocks. It must be safe for concurrent use.
type Clock interface{ Read() Reading }

// NotSaved is the error of a command whose events could not be committed: nothing
// of it is on the disk, nothing of it was shown, and it may be sent again.
type NotSaved struct{ Err error }

func (e *NotSaved) Error() string { return "not saved: " + e.Err.Error() }
func (e *NotSaved) Unwrap() error { return e.Err }

// ErrRoomClosed is the error of a command that reached a Room that has ended, or whose
// commit ended it: it may or may not come to pass.
var ErrRoomClosed = errors.New("the room is closed")

const (
	queueLength = 1024 // commands that may wait; then senders wait
	batchLength = 512  // commands that share one transaction at most
)

// Room owns the State of a kiosk. [Room.Run] is the one goroutine that decides,
// commits, applies and then shows. All other methods may be called from any
// goroutine; they wait for Run when it has not begun yet.
//
// Commands of phones wait behind all others, however many they are: a command of the
// facilitator or a button waits for the transaction under way and then for its own, no
// longer. Within each of the two kinds they are decided in the order they were sent.
type Room struct {
	journal Journal
	clock   Clock
	first   chan request // of those who run the evening, and of those who look after the kiosk
	queue   chan request // of phones, which may be thousands
	done    chan struct{}
	latest  atomic.Pointer[State]

	mu        sync.Mutex
	followers map[chan struct{}]struct{}
}

// request is a command, something to run in the owner's goroutine, or both in this order.
type request struct {
	envelope Envelope
	run      func(*State)
	check    bool
	answer   chan error // holds one
}

func (q request) commands() bool { return q.envelope.Command != nil || q.run == nil && !q.check }

// NewRoom makes a Room. Nothing happens before Run.
func NewRoom(j Journal, c Clock) *Room {
	r := &Room{
		journal: j, clock: c,
		first:     make(chan request, queueLength),
		queue:     make(chan request, queueLength),
		done:      make(chan struct{}),
		followers: map[chan struct{}]struct{}{},
	}
	r.latest.Store(NewState().Copy())
	return r
}

// Run rebuilds the state from the journal, records the start, and serves until ctx
// ends (nil) or the journal is in doubt (an error: end the process and open the
// journal anew). It must be called once.
func (r *Room) Run(ctx context.Context, start Envelope) error {
	defer close(r.done)
	state, err := r.replay(context.WithoutCancel(ctx)) // it is short; half of it would be an error
	if err != nil {
		return err
	}
	o := owner{Room: r, state: state}
	batch := make([]request, 0, batchLength+1)
	for started := false; ; {
		begin := request{envelope: start, answer: make(chan error, 1)}
		if !started { // if the disk refused it: nothing of this run may stand before it
			batch = slices.Insert(batch, 0, begin)
		}
		if err := o.serve(ctx, batch); err != nil {
			return err
		}
		if !started {
			err := <-begin.answer
			if err != nil && !errors.Is(err, ErrRefusedByDisk) {
				return fmt.Errorf("record the start: %w", err)
			}
			started = err == nil
		}
		if ctx.Err() != nil {
			return nil
		}
		if batch = fill(batch[:0], r.first); len(batch) == 0 {
			select {
			case <-ctx.Done():
				return nil
			case q := <-r.first:
				batch = append(batch, q)
			case q := <-r.queue:
				batch = append(batch, q)
			}
			batch = fill(batch, r.first)
		}
		batch = fill(batch, r.queue)
	}
}

// fill adds what waits in a queue to the batch, as far as there is room.
func fill(batch []request, queue <-chan request) []request {
	for len(batch) < batchLength {
		select {
		case q := <-queue:
			batch = append(batch, q)
		default:
			return batch
		}
	}
	return batch
}

func (r *Room) replay(ctx context.Context) (*State, error) {
	s := NewState()
	err := r.journal.Replay(ctx, func(rec Recorded) error {
		s.Apply(rec)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("replay the journal: %w", err)
	}
	return s, nil
}

// owner is what only the goroutine of Run touches.
type owner struct {
	*Room
	state *State
}

// serve decides all requests in order, commits their events at once, and only then
// answers and shows. The state runs ahead of the disk inside this function only: if
// the commit fails it is rebuilt from the journal.
func (o *owner) serve(ctx context.Context, batch []request) error {
	return o.try(ctx, batch, true)
}

// try is serve; more says whether what is left after a refusal may be tried once more.
func (o *owner) try(ctx context.Context, batch []request, more bool) error {
	reading := o.clock.Read()
	answers := make([]error, len(batch))
	counts := make([]bool, len(batch))
	var records []Recorded
	for i, q := range batch {
		if !q.commands() {
			continue
		}
		decided, no := o.state.Decide(q.envelope, reading)
		if no != nil {
			answers[i] = no
			continue
		}
		for _, rec := range o.state.Record(q.envelope, reading, decided) {
			o.state.Apply(rec)
			records = append(records, rec)
			counts[i] = counts[i] || CountsPeople(rec.Event)
		}
	}
	if len(records) > 0 {
		// A commit that has begun is finished even when ctx ends meanwhile.
		if err := o.journal.Append(context.WithoutCancel(ctx), records); err != nil {
			more = more && slices.Contains(counts, true)
			return o.fail(ctx, batch, func(i int) bool { return more && !counts[i] }, err)
		}
		o.show()
	} else if o.latest.Load().Seq != o.state.Seq {
		o.show()
	}
	for i, q := range batch {
		if !q.commands() {
			continue
		}
		if q.run != nil && answers[i] == nil {
			q.run(o.state)
		}
		q.answer <- answers[i]
	}
	o.look(ctx, batch)
	return nil
}

// look answers those in the batch who send no command, from the committed state.
func (o *owner) look(ctx context.Context, batch []request) {
	for _, q := range batch {
		switch {
		case q.commands():
		case q.run != nil:
			q.run(o.state)
			q.answer <- nil
		case q.check:
			q.answer <- o.journal.Probe(context.WithoutCancel(ctx))
		}
	}
}

// fail answers the batch: what was decided stood on events that are not on the disk. Where
// the disk refused, a journal may still take how the evening goes (see [CountsPeople]), so
// what is not about people is decided once more without what is (again). If the journal is in
// doubt nobody knows what is there: everybody learns from the end of Run that there is no answer.
func (o *owner) fail(ctx context.Context, batch []request, again func(int) bool, err error) error {
	if !errors.Is(err, ErrRefusedByDisk) {
		return fmt.Errorf("commit: %w", err)
	}
	state, rerr := o.replay(context.WithoutCancel(ctx))
	if rerr != nil {
		return rerr
	}
	o.state = state
	var rest []request
	for i, q := range batch {
		switch {
		case !q.commands():
		case again(i):
			rest = append(rest, q)
		default:
			q.answer <- &NotSaved{err}
		}
	}
	if len(rest) > 0 {
		if err := o.try(ctx, rest, false); err != nil {
			return err
		}
	}
	o.show()
	o.look(ctx, batch)
	return nil
}

func (o *owner) show() {
	o.latest.Store(o.state.Copy())
	o.mu.Lock()
	defer o.mu.Unlock()
	for f := range o.followers {
		select {
		case f <- struct{}{}:
		default: // it has not looked yet; it will see the newest
		}
	}
}

// Do sends a command and waits until its events are committed. The error is nil
// (done, or done before under the same id), a *[Refusal], a *[NotSaved], or
// [ErrRoomClosed] or that of ctx: then the command may or may not come to pass,
// and should be sent again with the same id.
func (r *Room) Do(ctx context.Context, e Envelope) error {
	return r.ask(ctx, request{envelope: e})
}

// DoThenRead is Do, and then Read if the command was done, in one go: f sees the
// state right after the commit.
func (r *Room) DoThenRead(ctx context.Context, e Envelope, f func(*State)) error {
	return r.ask(ctx, request{envelope: e, run: f})
}

// Read runs f with the committed state in the owner's goroutine, in the order of the
// phones' commands: a crowd of readers does not hold the evening up. f must be quick,
// must not keep or change the state, and must not call the Room.
func (r *Room) Read(ctx context.Context, f func(*State)) error {
	return r.ask(ctx, request{run: f})
}

// Check proves that the Room answers and that a commit works.
func (r *Room) Check(ctx context.Context) error {
	return r.ask(ctx, request{check: true})
}

// Send is Do in two halves: it queues the command behind those that were sent before,
// and wait gives what Do would have given.
func (r *Room) Send(ctx context.Context, e Envelope) (wait func(context.Context) error) {
	q := request{envelope: e, answer: make(chan error, 1)}
	if err := r.enqueue(ctx, q); err != nil {
		return func(context.Context) error { return err }
	}
	return func(ctx context.Context) error { return r.outcome(ctx, q) }
}

func (r *Room) ask(ctx context.Context, q request) error {
	q.answer = make(chan error, 1)
	if err := r.enqueue(ctx, q); err != nil {
		return err
	}
	return r.outcome(ctx, q)
}

func (r *Room) enqueue(ctx context.Context, q request) error {
	queue := r.first
	if q.envelope.From == FromPhone || q.envelope.Command == nil && q.run != nil {
		queue = r.queue
	}
	select {
	case queue <- q:
		return nil
	case <-r.done:
		return ErrRoomClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *Room) outcome(ctx context.Context, q request) error {
	select {
	case err := <-q.answer:
		return err
	case <-r.done:
		select { // the last batch may have been answered
		case err := <-q.answer:
			return err
		default:
			return ErrRoomClosed
		}
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Latest gives the newest committed state. It is shared: nobody may change it.
func (r *Room) Latest() *State { return r.latest.Load() }

// Follow gives a channel that holds one token whenever there is a newer state than
// the follower has looked at; a slow follower skips states and never holds the Room
// up. A token is there at once. stop ends it.
func (r *Room) Follow() (changed <-chan struct{}, stop func()) {
	f := make(chan struct{}, 1)
	f <- struct{}{}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.followers[f] = struct{}{}
	return f, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.followers, f)
	}
}
