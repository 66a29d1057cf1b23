package main

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"sync"
	"time"

	"mimpi-kiosk/internal/lab/kept"
	"mimpi-kiosk/internal/lab/oracle"
)

// tally is what the machine has said, line by line, through all its lives: what was asked and
// what was acknowledged, and what the journal then had. See the guest's cut for the lines.
type tally struct {
	mu      sync.Mutex
	done    map[string]*counts // by who
	step    claim[string]
	film    position
	found   map[string]string // KEPT in this life
	all     int               // acknowledged by lamps and screens
	lost    int
	doubled int
	jumps   string // of the clock, as the machine says
	failed  error
	worked  time.Duration

	operations func() int // of the card; may be nil
	marks      []mark     // what was acknowledged in this life
	before     promise    // what had been when this life began
}

func newTally() *tally { return &tally{done: map[string]*counts{}} }

// counts are totals since the kiosk was new. What the journal shows settles them.
type counts struct{ asked, acknowledged int }

// claim is where something stands as acknowledged, and as asked for at last.
type claim[T any] struct{ asked, acknowledged T }

// fallsBackBy is what the kiosk promises of the film (internal/playback, noteEvery).
const fallsBackBy = 5 * time.Second

// position is of the film, in milliseconds.
type position struct {
	asked    int // the player has reported it
	answered int // that was answered: a few seconds of it may be lost
	shown    int // a screen showed it: none of that may
	from     int // where it was when this life began
	back     time.Duration
	settled  int // how often the journal was held against a film that had run
}

func (p position) String() string {
	return fmt.Sprintf("the film fell back by %v at most in %d lives that showed it", p.back.Round(100*time.Millisecond), p.settled)
}

// mark is one acknowledgement, which came when the card had carried out so many operations.
type mark struct {
	operations int
	who        string // "" is the film
	film       int
}

// promise is what the journal must have.
type promise struct {
	counts map[string]int
	film   int
}

// at gives what must be in the journal after so many operations of the card.
func (t *tally) at(operations int) promise {
	p := promise{maps.Clone(t.before.counts), t.before.film}
	for _, m := range t.marks {
		if m.operations > operations {
			break
		}
		if m.who == "" {
			p.film = max(p.film, m.film)
		} else {
			p.counts[m.who]++
		}
	}
	return p
}

// heard says whether anything was acknowledged in this life by so many operations of the card.
func (t *tally) heard(operations int) bool {
	return len(t.marks) > 0 && t.marks[0].operations <= operations
}

func (t *tally) begin(operations func() int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.found, t.operations, t.marks = map[string]string{}, operations, nil
	t.before = promise{map[string]int{}, t.film.shown}
	for who, c := range t.done {
		t.before.counts[who] = c.acknowledged
	}
}

func (t *tally) acknowledged() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.all
}

// err says how the promise was broken.
func (t *tally) err() error {
	var errs []error
	if t.lost > 0 {
		errs = append(errs, fmt.Errorf("%d acknowledged presses, ballots, corrections, steps or film positions are lost", t.lost))
	}
	if t.doubled > 0 {
		errs = append(errs, fmt.Errorf("%d are in the journal that nobody sent", t.doubled))
	}
	return errors.Join(errs...)
}

func (t *tally) row(r oracle.Row) oracle.Row {
	r.Judged, r.Acknowledged, r.Lost, r.Doubled = true, t.all, t.lost, t.doubled
	return r
}

// Write takes whole lines.
func (t *tally) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	words := strings.Fields(string(line))
	switch {
	case len(words) == 2 && (words[0] == "ASK" || words[0] == "ACK"):
		c := t.done[words[1]]
		if c == nil {
			c = &counts{}
			t.done[words[1]] = c
		}
		if words[0] == "ASK" {
			c.asked++
		} else {
			c.acknowledged++
			t.acknowledge(mark{who: words[1]})
		}
	case len(words) == 3 && words[1] == "step":
		if t.step.asked = words[2]; words[0] == "ACK" {
			t.step.acknowledged = words[2]
			t.all++
		}
	case len(words) == 3 && words[1] == "film":
		at, err := strconv.Atoi(words[2])
		switch t.fails(err); words[0] {
		case "ASK":
			t.film.asked = max(t.film.asked, at)
		case "DONE":
			t.film.answered = at
		case "ACK":
			t.film.shown = max(t.film.shown, at)
			t.acknowledge(mark{film: at})
		}
	case len(words) == 4 && words[1] == "KEPT":
		t.found[words[2]] = words[3]
	case len(words) == 2 && words[1] == "LOOKED":
		t.fails(t.settle())
	case len(words) > 2 && words[1] == "JUMPS":
		t.jumps = strings.Join(words[2:], " ")
	case len(words) > 2 && words[1] == "FAILED:":
		t.fails(errors.New(strings.Join(words[2:], " ")))
	case strings.Contains(string(line), "EXT4-fs error"), strings.Contains(string(line), "Kernel panic"):
		t.fails(errors.New(string(line)))
	case len(words) > 1 && words[0] == "LAB" && words[1] != "RUN" && words[1] != "READY" && words[1] != "END":
		fmt.Print(string(line)) // figures
	}
	return len(line), nil
}

func (t *tally) fails(err error) { t.failed = errors.Join(t.failed, err) }

func (t *tally) acknowledge(m mark) {
	t.all++
	if t.operations != nil {
		m.operations = t.operations()
		t.marks = append(t.marks, m)
	}
}

// settle holds what the journal has kept against what was asked and acknowledged before.
func (t *tally) settle() error {
	k := &kept.Kept{Counts: map[string]int{}, Step: t.found["step"]}
	for who, n := range t.found {
		if who == "step" {
			continue
		}
		number, err := strconv.Atoi(n)
		if err != nil {
			return fmt.Errorf("the machine says that %q is %q", who, n)
		}
		if who == "film" {
			k.Film = number
		} else {
			k.Counts[who] = number
		}
	}
	if t.step.asked == "" && len(t.done) == 0 {
		return nil // a new kiosk
	}
	lost, doubled := t.against(k, promise{t.totals(), t.film.shown})
	t.lost += lost
	t.doubled += doubled
	for who, c := range t.done {
		c.asked, c.acknowledged = k.Counts[who], k.Counts[who]
	}
	back := time.Duration(t.film.answered-k.Film) * time.Millisecond
	t.film.back = max(t.film.back, back)
	if back >= fallsBackBy {
		t.lost++
	}
	if t.film.answered > t.film.from {
		t.film.settled++
	}
	t.film.asked, t.film.answered, t.film.shown, t.film.from = k.Film, k.Film, k.Film, k.Film
	if k.Step != t.step.acknowledged && k.Step != t.step.asked {
		t.lost++
	}
	t.step = claim[string]{k.Step, k.Step}
	return nil
}

func (t *tally) totals() map[string]int {
	all := map[string]int{}
	for who, c := range t.done {
		all[who] = c.acknowledged
	}
	return all
}

// against says how much of a promise a journal has not, and how much it has that nobody asked for.
func (t *tally) against(k *kept.Kept, p promise) (lost, doubled int) {
	for who, n := range p.counts {
		lost += max(0, n-k.Counts[who])
	}
	for who, n := range k.Counts {
		asked := 0
		if c := t.done[who]; c != nil {
			asked = c.asked
		}
		doubled += max(0, n-asked)
	}
	if k.Film < p.film {
		lost++
	}
	if k.Film > t.film.asked {
		doubled++
	}
	return lost, doubled
}
