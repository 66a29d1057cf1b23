package clicker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Button is one button with its lamp.
type Button struct {
	Line     string // of the button
	Lamp     string // line of its lamp; "" for none
	Modifier bool   // held down, it makes the others take one of theirs back; its Action counts for nothing
	Action   Action
}

// Setup is how the buttons are wired and behave.
type Setup struct {
	Chip      string // see Wiring
	Debounce  time.Duration
	LongPress time.Duration // how long undo is held until it undoes; 0 is at once
	Buzzer    string        // line of a buzzer that sounds for each saved press; "" for none
	Buttons   []Button      // 1 to 32
	Boot      string        // id of this boot, for the ids of presses
}

const (
	// StuckAfter is how long a button may be held until it is reported.
	StuckAfter = 30 * time.Second
	// SuspectWithin is how near to a USB plug a press may be a phantom, before and after:
	// the kernel tells of a device only after it has looked at it.
	SuspectWithin = 300 * time.Millisecond

	lookEvery   = time.Second           // whether the chip is still there
	openAtMost  = 10 * time.Second      // between two attempts to open the chip
	orphanAfter = 2 * time.Second       // until dropped edges of unknown lines are given up
	onBriefly   = 30 * time.Millisecond // a lamp with more to blink for
	onLong      = 120 * time.Millisecond
	offBetween  = 30 * time.Millisecond
)

// Condition is how the buttons are.
type Condition struct {
	Trouble error    // why they are not listened to, most often a [*Trouble]; nil while they are
	Chip    string   // label of the chip, while they are
	Stuck   []string // lines of buttons that have been held for StuckAfter or longer
}

// Plug is something that was plugged in or out.
type Plug struct {
	At        time.Duration // CLOCK_MONOTONIC
	Subsystem string        // "usb", "gpio"
}

// Tools are what Buttons works with.
type Tools struct {
	Clicker *Clicker
	Open    func(Wiring) (Lines, error) // OpenGPIO
	Plugs   <-chan Plug                 // may be nil
	Now     func() time.Duration        // CLOCK_MONOTONIC
	Report  func(Condition)             // called at each change, by Run's goroutine
}

// ButtonNames gives the actions by which a Clicker knows these buttons.
func (s Setup) ButtonNames() map[string]Action {
	out := map[string]Action{}
	for _, b := range s.Buttons {
		if name, presses := b.Name(); presses {
			out[name] = b.Action
		}
	}
	return out
}

// Name is what the button's presses are called; a modifier has none of its own.
func (b Button) Name() (name string, presses bool) { return b.name(), !b.Modifier }

func (b Button) name() string { return "line " + b.Line }

// Run listens to buttons and works their lamps until ctx ends. It takes the chip
// whenever it is there and nobody else holds its lines, tries again while it is not, and
// says at each opening that nobody listened before. A press is given to the Clicker at
// its edge, and the lamp blinks when it is saved.
//
// It ends when the presses taken before the end are answered, so the Clicker's Run must
// go on for longer.
func Run(ctx context.Context, s Setup, t Tools) error {
	b := &buttons{Setup: s, Tools: t}
	wait := time.Second
	for ctx.Err() == nil {
		lines, err := t.Open(b.Wiring())
		if err != nil {
			b.report(Condition{Trouble: err})
			select {
			case <-ctx.Done():
			case p := <-t.Plugs:
				if p.Subsystem == "gpio" { // here it may be; udev still has to set its owner
					wait = time.Second
				}
			case <-time.After(wait):
				wait = min(2*wait, openAtMost)
			}
			continue
		}
		wait = time.Second
		err = b.serve(ctx, lines)
		if closed := lines.Close(); err == nil {
			err = closed
		}
		b.takeRest(lines)
		if err != nil && ctx.Err() == nil {
			b.report(Condition{Trouble: err})
		}
	}
	b.lastAnswers()
	return nil
}

// buttons is what only Run's goroutine touches.
type buttons struct {
	Setup
	Tools
	reported *Condition
	heard    time.Duration // CLOCK_MONOTONIC when the chip was last seen to be there; 0: never

	// Of the lines that are open now.
	keys     []key
	lamps    []lamp // Wiring.Outputs
	seq      uint32
	missing  uint32        // dropped edges of which the line is not known yet
	credit   uint32        // dropped edges that were reported without knowing the line
	orphaned time.Duration // when missing became more than 0

	pending []pressed // given to the Clicker, in order
	recent  []*suspect
	plugs   []time.Duration // of USB, of late
}

// key is one button now.
type key struct {
	down   bool
	since  time.Duration // CLOCK_MONOTONIC when it went down
	seq    uint32
	undone bool // its long press has done its work
	stuck  bool
}

type pressed struct {
	answer  <-chan error
	button  int
	suspect *suspect
}

// suspect is a press of late, kept for as long as a plug may still cast doubt on it.
type suspect struct {
	id     string
	action Action
	at     time.Duration
	saved  bool
	marked bool
}

// Wiring has the buttons as inputs, in their order, and as outputs their lamps, in their
// order too, and then the buzzer.
func (s Setup) Wiring() Wiring {
	w := Wiring{Chip: s.Chip, Debounce: s.Debounce}
	for _, button := range s.Buttons {
		w.Inputs = append(w.Inputs, button.Line)
		if button.Lamp != "" {
			w.Outputs = append(w.Outputs, button.Lamp)
		}
	}
	if s.Buzzer != "" {
		w.Outputs = append(w.Outputs, s.Buzzer)
	}
	return w
}

// report tells a condition that is new.
func (b *buttons) report(c Condition) {
	if b.reported != nil && slices.Equal(c.Stuck, b.reported.Stuck) && c.Chip == b.reported.Chip &&
		fmt.Sprint(c.Trouble) == fmt.Sprint(b.reported.Trouble) {
		return
	}
	b.reported = &c
	b.Report(c)
}

// serve works with open lines until ctx ends (nil) or the chip goes away.
func (b *buttons) serve(ctx context.Context, lines Lines) error {
	b.keys = make([]key, len(b.Buttons))
	b.lamps = make([]lamp, len(b.Wiring().Outputs))
	b.seq, b.missing, b.credit = 0, 0, 0
	for i := range b.keys {
		down, err := lines.Down(i)
		if err != nil {
			return err
		}
		if down { // since before we came: no press of ours, but it may be stuck
			b.keys[i] = key{down: true, since: b.Now(), undone: true}
		}
	}
	b.Clicker.Note(Note{Lost: Unheard, Since: b.heard})
	b.heard = b.Now()
	b.report(Condition{Chip: b.chipName()})

	look := time.NewTicker(lookEvery)
	defer look.Stop()
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		var answer <-chan error
		if len(b.pending) > 0 {
			answer = b.pending[0].answer
		}
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-lines.Edges():
			if !ok {
				return &Trouble{Kind: Failing, Chip: b.chipName(), Err: errors.New("it went away")}
			}
			b.edge(e)
		case err := <-answer:
			b.answered(err)
		case p := <-b.Plugs:
			b.plugged(p)
		case <-look.C:
			if _, err := lines.Down(0); err != nil {
				return err
			}
			b.heard = b.Now()
		case <-due.C:
		}
		next, err := b.whatIsDue(lines)
		if err != nil {
			return err
		}
		due.Reset(next)
	}
}

func (b *buttons) chipName() string {
	if b.Chip != "" {
		return b.Chip
	}
	return "header"
}

// edge takes one edge: first what was dropped before it, then itself.
func (b *buttons) edge(e Edge) {
	k := &b.keys[e.Input]
	all, line := e.Seq-b.seq-1, e.LineSeq-k.seq-1
	b.seq, k.seq = e.Seq, e.LineSeq
	if all > 0 {
		if b.missing == 0 {
			b.orphaned = b.Now()
		}
		b.missing += all
	}
	if line > 0 {
		b.dropped(e, line)
	}
	if e.Down {
		k.down, k.since, k.undone = true, e.At, false
		b.press(e)
		return
	}
	button := b.Buttons[e.Input]
	if k.down && line == 0 && button.Action.Undo && !button.Modifier && !k.undone && e.At-k.since >= b.LongPress {
		b.give(e.Input, k.since, false) // we were too late to see it while it was held
	}
	k.down, k.stuck = false, false
}

// dropped says that edges of this line were dropped before e. Debounced edges of a line
// go down and up in turns, so how many of them were presses is known.
func (b *buttons) dropped(e Edge, edges uint32) {
	b.missing -= min(edges, b.missing)
	if known := min(edges, b.credit); known > 0 { // said already, when the line was not known
		b.credit -= known
		edges -= known
	}
	presses := edges / 2
	if !e.Down {
		presses = (edges + 1) / 2
	}
	if button := b.Buttons[e.Input]; presses > 0 && !button.Modifier {
		b.Clicker.Note(Note{Action: button.Action, Lost: Overrun, Presses: int(presses)})
	}
}

func (b *buttons) press(e Edge) {
	button := b.Buttons[e.Input]
	switch {
	case button.Modifier:
	case button.Action.Undo:
		if b.LongPress == 0 {
			b.keys[e.Input].undone = true
			b.give(e.Input, e.At, false)
		}
	default:
		b.give(e.Input, e.At, b.modified())
	}
}

func (b *buttons) modified() bool {
	for i, button := range b.Buttons {
		if button.Modifier && b.keys[i].down && !b.keys[i].stuck {
			return true
		}
	}
	return false
}

// give hands a press to the Clicker. Its id is the same however often it is made of the
// same edge, and of no other edge of this boot.
func (b *buttons) give(input int, at time.Duration, undo bool) {
	button := b.Buttons[input]
	p := Press{
		ID:     fmt.Sprintf("gpio-%.8s-%s-%d", b.Boot, button.Line, at.Nanoseconds()),
		Button: button.name(), Undo: undo, Edge: at, Final: true,
	}
	s := &suspect{id: p.ID, action: button.Action, at: at}
	s.action.Undo = s.action.Undo || undo
	s.marked = slices.ContainsFunc(b.plugs, func(plug time.Duration) bool { return near(plug, at) })
	b.recent = append(b.recent, s)
	b.pending = append(b.pending, pressed{b.Clicker.Press(p), input, s})
}

func near(a, b time.Duration) bool { return max(a-b, b-a) <= SuspectWithin }

// answered takes the outcome of the oldest press that waits.
func (b *buttons) answered(err error) {
	p := b.pending[0]
	b.pending = b.pending[1:]
	if err != nil {
		return // what was lost is noted by the Clicker; a refused press has a dark lamp
	}
	p.suspect.saved = true
	lamp := 0
	for i, button := range b.Buttons {
		switch {
		case button.Lamp == "":
			continue
		case i == p.button:
			b.blink(lamp)
		}
		lamp++
	}
	if b.Buzzer != "" {
		b.blink(lamp)
	}
}

func (b *buttons) blink(lamp int) {
	if lamp < len(b.lamps) {
		b.lamps[lamp].blinks++
	}
}

func (b *buttons) plugged(p Plug) {
	if p.Subsystem != "usb" {
		return
	}
	b.plugs = append(b.plugs, p.At)
	for _, s := range b.recent {
		s.marked = s.marked || near(p.At, s.at)
	}
}

// whatIsDue does what time asks for and says when to look again.
func (b *buttons) whatIsDue(lines Lines) (next time.Duration, err error) {
	now := b.Now()
	next = time.Hour
	at := func(due time.Duration) bool {
		if due > now {
			next = min(next, due-now)
		}
		return due <= now
	}
	var stuck []string
	for i := range b.keys {
		k, button := &b.keys[i], b.Buttons[i]
		if !k.down {
			continue
		}
		if button.Action.Undo && !button.Modifier && !k.undone && at(k.since+b.LongPress) {
			// Its release may wait to be read: then that says how long it was held.
			down, err := lines.Down(i)
			if err != nil {
				return 0, err
			}
			if down {
				k.undone = true
				b.give(i, k.since, false)
			} else {
				next = min(next, lookEvery)
			}
		}
		if k.stuck || at(k.since+StuckAfter) {
			k.stuck = true
			stuck = append(stuck, button.Line)
		}
	}
	b.report(Condition{Chip: b.chipName(), Stuck: stuck})

	if b.missing > 0 && at(b.orphaned+orphanAfter) {
		b.Clicker.Note(Note{Lost: Overrun, Presses: int(b.missing+1) / 2})
		b.credit += b.missing
		b.missing = 0
	}
	b.tellSuspects(at)
	for i := range b.lamps {
		l := &b.lamps[i]
		if change := l.step(now); change {
			if err := lines.Set(i, l.on); err != nil {
				return 0, err
			}
		}
		if l.on || l.blinks > 0 {
			at(l.until)
		}
	}
	return next, nil
}

// tellSuspects notes the saved presses near a plug, once the last of them is old, in one
// note per action, and forgets presses and plugs that are too old to meet.
func (b *buttons) tellSuspects(at func(time.Duration) bool) {
	const keep = 2 * SuspectWithin // an event may come late
	var newest time.Duration
	for _, s := range b.recent {
		if s.marked {
			newest = max(newest, s.at)
		}
	}
	told := map[Action][]string{}
	b.recent = slices.DeleteFunc(b.recent, func(s *suspect) bool {
		switch {
		case !s.marked:
			return at(s.at + keep)
		case !at(newest + keep):
			return false
		case s.saved:
			told[s.action] = append(told[s.action], s.id)
			return true
		}
		return len(b.pending) == 0 // it was refused
	})
	for action, ids := range told {
		b.Clicker.Note(Note{Action: action, Suspected: ids})
	}
	b.plugs = slices.DeleteFunc(b.plugs, func(p time.Duration) bool { return at(p + keep) })
}

// takeRest gives the edges that had been read when the lines were closed to the Clicker.
func (b *buttons) takeRest(lines Lines) {
	for e := range lines.Edges() {
		b.edge(e)
	}
}

// lastAnswers waits until the Clicker has answered what it was given. It does so within
// a few seconds of the end; a Clicker that has ended answers at once.
func (b *buttons) lastAnswers() {
	patience := time.After(lastWords + 2*time.Second)
	for _, p := range b.pending {
		select {
		case <-p.answer:
		case <-patience:
			return
		}
	}
}

// lamp blinks once for each saved press: off to on is one press.
type lamp struct {
	on     bool
	blinks int           // still to be shown
	since  time.Duration // on since
	until  time.Duration // it stays as it is until then
}

// step says whether the lamp is to be switched, and has then switched on.
func (l *lamp) step(now time.Duration) bool {
	if l.on && l.blinks > 0 { // the next one waits
		l.until = min(l.until, l.since+onBriefly)
	}
	switch {
	case now < l.until:
		return false
	case l.on:
		l.on, l.until = false, now+offBetween
		return true
	case l.blinks > 0:
		l.blinks--
		l.on, l.since, l.until = true, now, now+onLong
		return true
	}
	return false
}
