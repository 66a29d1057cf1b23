package card

import (
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
)

// Recording is everything that a card was told to do from one moment on, in the order in which
// it did it. It can be cut off afterwards at every flush, where a machine can only be cut once.
type Recording struct {
	base       []byte
	operations []operation
}

// operation is a write, or a flush when there is no data.
type operation struct {
	at   int64
	data []byte
}

func (r *Recording) note(o operation) {
	if r != nil {
		r.operations = append(r.operations, o)
	}
}

// Record begins a new recording. What is in the cache then counts as flushed: record a card
// that nobody has, or that was cut.
func (c *Card) Record() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record = &Recording{base: slices.Clone(c.durable)}
	for at, versions := range c.cached {
		copy(c.record.base[at*sector:], versions[len(versions)-1])
	}
}

// Operations is how many writes and flushes the card has carried out since Record.
func (c *Card) Operations() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.record == nil {
		return 0
	}
	return len(c.record.operations)
}

// Recording ends the recording and gives it.
func (c *Card) Recording() *Recording {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.record
	c.record = nil
	return r
}

// Point is a card as it may be when the power goes after so many operations.
type Point struct {
	Operations int
	Torn       bool // some of what was written after the last flush is there, some is not
	Content    []byte
}

// Flushes is how many were recorded.
func (r *Recording) Flushes() int {
	n := 0
	for _, o := range r.operations {
		if o.data == nil {
			n++
		}
	}
	return n
}

// Points gives, for each flush that is wanted, counted from 0, the card with what was flushed
// and nothing else; and then the card as a cut leaves it somewhere among the writes that came
// after, if there are any.
func (r *Recording) Points(random *rand.Rand, wanted func(flush int) bool) iter.Seq[Point] {
	return func(yield func(Point) bool) {
		c := New(slices.Clone(r.base))
		flush, tear := 0, -1
		for i, o := range r.operations {
			if o.data != nil {
				c.write(o.at, o.data)
				if i == tear {
					torn := &Card{durable: c.Content(), cached: maps.Clone(c.cached)}
					torn.Cut(random)
					if !yield(Point{i + 1, true, torn.durable}) {
						return
					}
				}
				continue
			}
			c.flush()
			tear = -1
			if flush++; !wanted(flush - 1) {
				continue
			}
			if !yield(Point{i + 1, false, c.Content()}) {
				return
			}
			after := slices.IndexFunc(r.operations[i+1:], func(o operation) bool { return o.data == nil })
			if after < 0 {
				after = len(r.operations) - i - 1
			}
			if after > 0 {
				tear = i + 1 + random.IntN(after)
			}
		}
	}
}
