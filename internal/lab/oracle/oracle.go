// Package oracle says afterwards whether a kiosk kept its promise: what it acknowledged is
// in the journal, once; what it refused is not; of what nobody knows, at most one. It is the
// one judge of all labs that break something, whatever they break.
//
// A lab tells a [History] of every command before it is sent (Invoke), and of the answer
// when one came. All methods may be called from any goroutine. [History.Judge] reads the
// journal of a kiosk that has ended.
package oracle

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	_ "github.com/mattn/go-sqlite3" // the driver
)

// History is what was asked of a kiosk and what it answered. The zero value is empty.
type History struct {
	mu      sync.Mutex
	asked   map[string]*asked
	forms   map[bool]int // by whether they were acknowledged
	answers map[string]int
}

// asked is one command, sent once or again and again under one id.
type asked struct {
	sent, refused int
	acknowledged  bool
}

// Invoke notes that a command is about to be sent (again). It must be one that always
// leaves an event: a press, an undo, a ballot that differs from the one before it, a correction.
func (h *History) Invoke(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked == nil {
		h.asked, h.forms, h.answers = map[string]*asked{}, map[bool]int{}, map[string]int{}
	}
	if h.asked[id] == nil {
		h.asked[id] = &asked{}
	}
	h.asked[id].sent++
}

// Acknowledge notes the answer "done".
func (h *History) Acknowledge(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked[id].acknowledged = true
}

// Refuse notes a refusal: nothing was changed. An answer that leaves it open ("busy") is
// no answer.
func (h *History) Refuse(id, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked[id].refused++
	h.answers[reason]++
}

// Form notes a ballot of the form without JavaScript, whose id the kiosk makes: it was
// acknowledged, or nobody knows.
func (h *History) Form(acknowledged bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.forms == nil {
		h.forms = map[bool]int{}
	}
	h.forms[acknowledged]++
}

// Acknowledged is how many commands were, so far.
func (h *History) Acknowledged() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.forms[true]
	for _, a := range h.asked {
		if a.acknowledged {
			n++
		}
	}
	return n
}

// Verdict is what the journal shows of a history.
type Verdict struct {
	Acknowledged int            // commands, forms included
	Refused      int            // commands that got nothing but refusals
	Reasons      map[string]int // of all refusals
	Unknown      int            // neither: the answer never came
	UnknownKept  int            // of those, in the journal

	Lost    []string // acknowledged, and not in the journal
	Doubled []string // in the journal more than once
	Ghosts  []string // refused, and in the journal all the same
	Others  []string // whatever else is wrong with the journal
	Events  int      // in the journal
}

// Err is nil when the promise was kept.
func (v *Verdict) Err() error {
	var errs []error
	for what, ids := range map[string][]string{
		"acknowledged but lost": v.Lost, "counted twice": v.Doubled, "refused but counted": v.Ghosts, "the journal": v.Others,
	} {
		if len(ids) > 0 {
			errs = append(errs, fmt.Errorf("%s: %d: %s", what, len(ids), strings.Join(ids[:min(len(ids), 5)], "; ")))
		}
	}
	return errors.Join(errs...)
}

// String is one line of figures.
func (v *Verdict) String() string {
	return fmt.Sprintf("acknowledged %d, lost %d, doubled %d; refused %d, of those counted %d; unanswered %d, of those counted %d; %d events",
		v.Acknowledged, len(v.Lost), len(v.Doubled), v.Refused, len(v.Ghosts), v.Unknown, v.UnknownKept, v.Events)
}

// row is an event as far as it is judged.
type row struct {
	seq, at, mono int64
	boot, kind    string
}

// Judge reads the journal. The kiosk must have ended, or this be a copy of its files. The
// error says that the journal cannot be read; the verdict has the rest.
func (h *History) Judge(ctx context.Context, journal string) (*Verdict, error) {
	db, err := sql.Open("sqlite3", "file:"+journal+"?_busy_timeout=2000")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	v := &Verdict{Reasons: map[string]int{}}
	var sound string
	if err := db.QueryRowContext(ctx, `PRAGMA integrity_check`).Scan(&sound); err != nil {
		return nil, fmt.Errorf("integrity_check: %w", err)
	}
	if sound != "ok" {
		v.Others = append(v.Others, "integrity_check: "+sound)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	kept, forms := map[string]int{}, 0
	rows, err := db.QueryContext(ctx, `SELECT seq, at, boot, mono, kind, source, coalesce(command, '') FROM events ORDER BY seq`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var last row
	for rows.Next() {
		var r row
		var source, command string
		if err := rows.Scan(&r.seq, &r.at, &r.boot, &r.mono, &r.kind, &source, &command); err != nil {
			return nil, err
		}
		v.Others = append(v.Others, r.after(last)...)
		last = r
		v.Events++
		switch {
		case h.asked[command] != nil:
			kept[command]++
		case r.kind == "BallotCast" && source == "phone":
			forms++
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for id, a := range h.asked {
		n := kept[id]
		switch {
		case a.acknowledged:
			v.Acknowledged++
			if n == 0 {
				v.Lost = append(v.Lost, id)
			}
		case a.refused == a.sent:
			v.Refused++
			if n > 0 {
				v.Ghosts = append(v.Ghosts, id)
			}
		default:
			v.Unknown++
			v.UnknownKept += min(n, 1)
		}
		if n > 1 {
			v.Doubled = append(v.Doubled, id)
		}
	}
	done, open := h.forms[true], h.forms[false]
	v.Acknowledged += done
	v.Unknown += open
	v.UnknownKept += max(0, min(forms-done, open))
	for range done - forms {
		v.Lost = append(v.Lost, "a ballot of the form")
	}
	for range forms - done - open {
		v.Doubled = append(v.Doubled, "a ballot of the form")
	}
	for reason, n := range h.answers {
		v.Reasons[reason] = n
	}
	slices.Sort(v.Lost)
	return v, nil
}

// after says what is wrong with an event that comes after another: numbers without gaps,
// and time that never runs back, but where somebody set the clock.
func (r row) after(last row) (wrong []string) {
	if r.seq != last.seq+1 {
		wrong = append(wrong, fmt.Sprintf("event %d comes after %d", r.seq, last.seq))
	}
	if r.at < last.at && r.kind != "ClockSet" {
		wrong = append(wrong, fmt.Sprintf("event %d (%s) is %d ms before the one before it", r.seq, r.kind, last.at-r.at))
	}
	if r.boot == last.boot && r.mono < last.mono {
		wrong = append(wrong, fmt.Sprintf("event %d (%s): the time since the start of the machine ran back by %d ms", r.seq, r.kind, last.mono-r.mono))
	}
	return wrong
}
