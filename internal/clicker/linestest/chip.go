// Package linestest has a scripted GPIO chip, and the suite that it and the real one
// both pass.
package linestest

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"mimpi-kiosk/internal/clicker"
)

// Chip plays a GPIO chip with lines 0 to 27, named "GPIO0" and so on. Its kernel clock is
// the time since it was made; under testing/synctest that stands still with the bubble.
// All methods may be called from any goroutine.
type Chip struct {
	label string
	born  time.Time

	mu     sync.Mutex
	gone   bool
	denied bool
	held   map[int]string // offset -> who holds it
	low    map[int]bool   // inputs that a button pulls to ground
	lit    map[int]bool   // outputs
	open   []*lines
}

// NewChip makes a chip with this label.
func NewChip(label string) *Chip {
	return &Chip{label: label, born: time.Now(), held: map[int]string{}, low: map[int]bool{}, lit: map[int]bool{}}
}

// Now is the kernel's clock.
func (c *Chip) Now() time.Duration { return time.Since(c.born) }

// Press connects the line to ground, Release lets go of it.
func (c *Chip) Press(line int) { c.pull(line, true) }

// Release lets go of a line.
func (c *Chip) Release(line int) { c.pull(line, false) }

func (c *Chip) pull(line int, low bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.low[line] == low {
		return
	}
	c.low[line] = low
	for _, l := range c.open {
		if !c.gone {
			l.pulled(line)
		}
	}
}

// Lit says whether an output is on.
func (c *Chip) Lit(line int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lit[line]
}

// Hold takes a line away, in the name of somebody; with "" it is free again.
func (c *Chip) Hold(line int, holder string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held[line] = holder
}

// Unplug makes the chip vanish, Plug brings it back.
func (c *Chip) Unplug() { c.set(func() { c.gone = true }) }

// Plug brings the chip back.
func (c *Chip) Plug() { c.set(func() { c.gone = false }) }

// Deny forbids opening the chip.
func (c *Chip) Deny() { c.set(func() { c.denied = true }) }

func (c *Chip) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

// Open implements clicker.Tools.Open.
func (c *Chip) Open(w clicker.Wiring) (clicker.Lines, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	header := w.Chip == "" && slices.Contains(clicker.HeaderChips(), c.label)
	if c.gone || w.Chip != c.label && !header {
		return nil, &clicker.Trouble{Kind: clicker.NoChip, Chip: w.Chip}
	}
	if c.denied {
		return nil, &clicker.Trouble{Kind: clicker.Denied, Chip: c.label, Err: errors.New("permission denied")}
	}
	l := &lines{
		chip: c, debounce: w.Debounce, channel: make(chan clicker.Edge, 64),
		wake: make(chan struct{}, 1), closing: make(chan struct{}), ended: make(chan struct{}),
	}
	for _, line := range slices.Concat(w.Inputs, w.Outputs) {
		offset, err := strconv.Atoi(line)
		if err != nil {
			if _, err := fmt.Sscanf(line, "GPIO%d", &offset); err != nil {
				offset = -1
			}
		}
		if offset < 0 || offset > 27 {
			return nil, &clicker.Trouble{Kind: clicker.NoLine, Chip: c.label, Line: line}
		}
		holder := c.held[offset]
		if slices.ContainsFunc(c.open, func(l *lines) bool { return l.has(offset) }) {
			holder = "mimpi-kiosk"
		}
		if holder != "" {
			return nil, &clicker.Trouble{Kind: clicker.Busy, Chip: c.label, Line: line, Holder: holder, Err: errors.New("device or resource busy")}
		}
		if len(l.inputs) < len(w.Inputs) {
			l.inputs = append(l.inputs, &input{offset: offset, place: len(l.inputs), low: c.low[offset]})
		} else {
			l.outputs = append(l.outputs, offset)
		}
	}
	c.open = append(c.open, l)
	go l.pump()
	return l, nil
}

// lines is what is open of a chip. The chip's mutex guards it.
type lines struct {
	chip     *Chip
	debounce time.Duration
	inputs   []*input
	outputs  []int
	seq      uint32
	kept     []clicker.Edge // as the kernel keeps them
	closed   bool

	channel chan clicker.Edge
	wake    chan struct{} // holds a token when kept has something new
	closing chan struct{}
	ended   chan struct{}
}

func (l *lines) has(offset int) bool {
	return slices.ContainsFunc(l.inputs, func(i *input) bool { return i.offset == offset }) || slices.Contains(l.outputs, offset)
}

type input struct {
	offset, place int
	low           bool // as it was taken for, debounced
	seq           uint32
	settle        *time.Timer
}

// pulled needs the chip's mutex.
func (l *lines) pulled(offset int) {
	for _, in := range l.inputs {
		if in.offset != offset {
			continue
		}
		if l.debounce == 0 {
			l.take(in)
			continue
		}
		if in.settle != nil {
			in.settle.Stop()
		}
		in.settle = time.AfterFunc(l.debounce, func() {
			l.chip.mu.Lock()
			defer l.chip.mu.Unlock()
			l.take(in)
		})
	}
}

// take needs the chip's mutex.
func (l *lines) take(in *input) {
	low := l.chip.low[in.offset]
	if l.closed || l.chip.gone || low == in.low {
		return
	}
	in.low = low
	in.seq++
	l.seq++
	l.kept = append(l.kept, clicker.Edge{Input: in.place, Down: low, At: l.chip.Now(), Seq: l.seq, LineSeq: in.seq})
	if len(l.kept) > clicker.EdgeBuffer {
		l.kept = l.kept[1:]
	}
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// pump hands edges on, one at a time, as the real reader does.
func (l *lines) pump() {
	defer close(l.ended)
	defer close(l.channel)
	for {
		l.chip.mu.Lock()
		var next []clicker.Edge
		if len(l.kept) > 0 {
			next, l.kept = l.kept[:1], l.kept[1:]
		}
		l.chip.mu.Unlock()
		if len(next) == 0 {
			select {
			case <-l.wake:
			case <-l.closing:
				return
			}
			continue
		}
		select {
		case l.channel <- next[0]:
		case <-l.closing:
			select {
			case l.channel <- next[0]:
			default:
				return
			}
		}
	}
}

// Edges implements clicker.Lines.
func (l *lines) Edges() <-chan clicker.Edge { return l.channel }

// Down implements clicker.Lines.
func (l *lines) Down(input int) (bool, error) {
	l.chip.mu.Lock()
	defer l.chip.mu.Unlock()
	return l.chip.low[l.inputs[input].offset], l.lost()
}

// Set implements clicker.Lines.
func (l *lines) Set(output int, on bool) error {
	l.chip.mu.Lock()
	defer l.chip.mu.Unlock()
	if err := l.lost(); err != nil {
		return err
	}
	l.chip.lit[l.outputs[output]] = on
	return nil
}

// lost needs the chip's mutex.
func (l *lines) lost() error {
	switch {
	case l.closed:
		return clicker.ErrClosed
	case l.chip.gone:
		return &clicker.Trouble{Kind: clicker.Failing, Chip: l.chip.label, Err: errors.New("no such device")}
	}
	return nil
}

// Close implements clicker.Lines.
func (l *lines) Close() error {
	l.chip.mu.Lock()
	if l.closed {
		l.chip.mu.Unlock()
		return nil
	}
	l.closed = true
	for _, in := range l.inputs {
		if in.settle != nil {
			in.settle.Stop()
		}
	}
	for _, o := range l.outputs {
		l.chip.lit[o] = false
	}
	l.chip.open = slices.DeleteFunc(l.chip.open, func(o *lines) bool { return o == l })
	l.chip.mu.Unlock()
	close(l.closing)
	<-l.ended
	return nil
}
