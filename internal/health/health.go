// Package health is the board on which the parts of the kiosk say how they are, in
// sentences for the facilitator. It is in memory only.
package health

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Level is how bad it is.
type Level string

const (
	OK      Level = "ok"
	Note    Level = "note"    // works, but somebody should know
	Problem Level = "problem" // does not work; the hint says what to do
)

// Part is the health of one part of the kiosk. Message and Hint are sentences by
// language code ("id" and "en" at least). A Part is never changed once it is set.
type Part struct {
	Part    string            `json:"part"` // "film", "journal", ...
	Level   Level             `json:"level"`
	Class   Class             `json:"class,omitempty"` // set by [Board.Set] and [Part.Classified]; none at OK
	Message map[string]string `json:"message"`
	Hint    map[string]string `json:"hint,omitempty"` // what to do now
}

// Found makes a Part of sentences in Indonesian and English. hint is none, or what to do
// now in the same two languages.
func Found(part string, level Level, id, en string, hint ...string) Part {
	p := Part{Part: part, Level: level, Message: map[string]string{"id": id, "en": en}}
	if len(hint) == 2 {
		p.Hint = map[string]string{"id": hint[0], "en": hint[1]}
	}
	return p
}

// Compare is for sorting: the worse level is the larger, and none at all the smallest.
func Compare(a, b Level) int { return a.rank() - b.rank() }

func (l Level) rank() int { return slices.Index([]Level{"", OK, Note, Problem}, l) }

// Board holds one Part by name. It is safe for concurrent use; the zero value is
// ready.
type Board struct {
	mu        sync.Mutex
	parts     []Part
	followers map[chan struct{}]bool
}

// Set puts up or replaces the part of that name, with its [Class].
func (b *Board) Set(p Part) {
	p = p.Classified()
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.parts, func(o Part) bool { return o.Part == p.Part })
	switch {
	case i < 0:
		b.parts = append(b.parts, p)
	case reflect.DeepEqual(b.parts[i], p):
		return
	default:
		b.parts[i] = p
	}
	b.signal()
}

// Remove takes down the part of that name: what it was about is there no longer.
func (b *Board) Remove(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.parts)
	b.parts = slices.DeleteFunc(b.parts, func(p Part) bool { return p.Part == part })
	if len(b.parts) != before {
		b.signal()
	}
}

// signal needs b.mu.
func (b *Board) signal() {
	for f := range b.followers {
		select {
		case f <- struct{}{}:
		default:
		}
	}
}

// Parts gives all parts, the worst first: by class, then level, then name.
func (b *Board) Parts() []Part {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := slices.Clone(b.parts)
	slices.SortFunc(out, func(x, y Part) int {
		return cmp.Or(Worse(y, x), strings.Compare(x.Part, y.Part))
	})
	return out
}

// Follow gives a channel that holds one token when something was set since the
// follower last looked. stop ends it.
func (b *Board) Follow() (changed <-chan struct{}, stop func()) {
	f := make(chan struct{}, 1)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.followers == nil {
		b.followers = map[chan struct{}]bool{}
	}
	b.followers[f] = true
	return f, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.followers, f)
	}
}
