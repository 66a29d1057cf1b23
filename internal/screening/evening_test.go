package screening_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"github.com/google/go-cmp/cmp"

	. "mimpi-kiosk/internal/screening"
)

// tb is what testing and rapid have in common.
type tb interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// evening drives the rules as the Room does, without goroutines, and keeps what the
// journal would hold.
type evening struct {
	t       tb
	s       *State
	now     Reading
	journal []Recorded
	sent    int
}

// What a test does besides sending commands of the facilitator.
type (
	from struct { // a command of another source
		Source
		Command
	}
	resent  struct{ Envelope } // an envelope as it stands
	wait    time.Duration      // time passes, on both clocks
	wall    time.Time          // the machine's wall clock jumps; the monotonic one does not
	synced  time.Time          // the network tells the machine the time
	reboot  string             // the power fails: a new boot, and the daemon starts
	restart struct{}           // the daemon alone starts again
)

const (
	kupang = "kupang"
	kiosk  = "kiosk-7"
)

var eve = time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC)

func newEvening(t tb) *evening {
	e := &evening{t: t, s: NewState(), now: Reading{Wall: eve, Boot: "boot-1", Mono: 40_000}}
	e.run(from{FromKiosk, StartKiosk{Kiosk: kiosk, Version: "test"}})
	return e
}

// run does each act and fails the test when a command is refused.
func (e *evening) run(acts ...any) *evening {
	e.t.Helper()
	for _, a := range acts {
		if _, no := e.act(a); no != nil {
			e.t.Fatalf("%T %+v: refused: %v", a, a, no)
		}
	}
	return e
}

func (e *evening) refused(act any, want Reason) {
	e.t.Helper()
	got, no := e.act(act)
	if no == nil {
		e.t.Fatalf("%T %+v: not refused (%v), want %q", act, act, got, want)
	}
	if no.Reason != want {
		e.t.Fatalf("%T %+v: refused as %q, want %q", act, act, no.Reason, want)
	}
}

func (e *evening) act(a any) ([]Event, *Refusal) {
	switch a := a.(type) {
	case wait:
		e.now.Wall = e.now.Wall.Add(time.Duration(a))
		e.now.Mono += ToMillis(time.Duration(a))
		return nil, nil
	case wall:
		e.now.Wall = time.Time(a)
		return nil, nil
	case synced:
		e.now.Wall, e.now.Synced = time.Time(a), true
		return nil, nil
	case reboot:
		e.now.Boot, e.now.Mono = string(a), 12_000
		return e.act(from{FromKiosk, StartKiosk{Kiosk: kiosk, Version: "test"}})
	case restart:
		e.now.Mono += 900
		return e.act(from{FromKiosk, StartKiosk{Kiosk: kiosk, Version: "test"}})
	case resent:
		return e.send(a.Envelope)
	case from:
		return e.send(e.envelope(a.Source, a.Command))
	case Command:
		return e.send(e.envelope(FromFacilitator, a))
	}
	panic(fmt.Sprintf("not an act: %T", a))
}

func (e *evening) envelope(src Source, c Command) Envelope {
	e.sent++
	return Envelope{ID: fmt.Sprintf("cmd-%d", e.sent), From: src, Command: c}
}

func (e *evening) send(env Envelope) ([]Event, *Refusal) {
	decided, no := e.s.Decide(env, e.now)
	if no != nil && len(decided) > 0 {
		e.t.Fatalf("%+v: both refused and decided: %v", env, decided)
	}
	for _, r := range e.s.Record(env, e.now, decided) {
		e.s.Apply(r)
		e.journal = append(e.journal, r)
	}
	return decided, no
}

func (e *evening) total(category string) int {
	for _, c := range e.s.Attendance.Categories {
		if c.ID == category {
			return c.Total()
		}
	}
	e.t.Fatalf("no category %q", category)
	return 0
}

// round gives round n of a question.
func (e *evening) round(question string, n int) Round {
	e.t.Helper()
	q := e.s.Question(question)
	if q == nil || len(q.Rounds) < n {
		e.t.Fatalf("question %q has no round %d", question, n)
	}
	return q.Rounds[n-1]
}

func programme() Programme {
	option := func(id string) Option {
		return Option{ID: id, Text: Text{"id": "pilihan " + id, "en": "option " + id}, Icon: id}
	}
	right := option("police")
	right.Right = true
	return Programme{
		Pack: "test-pack 1",
		Regencies: []Regency{
			{ID: kupang, Name: "Kupang", Kemendagri: "53.01", BPS: "5303"},
			{ID: "sbd", Name: "Sumba Barat Daya", Kemendagri: "53.18", BPS: "5317"},
		},
		Categories: []Category{
			{ID: "woman", Label: Text{"id": "perempuan"}, Sex: "female", Age: "18+"},
			{ID: "man", Label: Text{"id": "laki-laki"}, Sex: "male", Age: "18+"},
			{ID: "girl", Label: Text{"id": "anak perempuan"}, Sex: "female", Age: "0-17"},
			{ID: "boy", Label: Text{"id": "anak laki-laki"}, Sex: "male", Age: "0-17"},
		},
		Questions: []Question{
			{ID: "offer", Kind: Single, Text: Text{"id": "Siapa?"}, Ask: []Step{PollBefore, Discussion},
				Options: []Option{right, option("friend"), option("agent")}},
			{ID: "trust", Kind: Scale, Text: Text{"id": "Seberapa?"}, Ask: []Step{PollBefore},
				Options: []Option{option("1"), option("2"), option("3"), option("4"), option("5")}},
			{ID: "halt", Kind: Single, Text: Text{"id": "Apa berikutnya?"}, Ask: []Step{FilmStep},
				Options: []Option{option("go"), option("stay")}},
			{ID: "signs", Kind: Several, Text: Text{"id": "Tanda mana?"}, Ask: []Step{Discussion},
				Explanation: Text{"id": "Semua tanda."},
				Options:     []Option{option("passport"), option("debt"), option("salary"), option("ticket")}},
		},
		Film: Film{
			ID: "film", Title: Text{"id": "Film"}, Duration: 600_000,
			Subtitles: []Subtitle{{"id", "Indonesia"}, {"en", "English"}},
			PausePoints: []PausePoint{
				{At: 60_000, Question: "halt"},
				{At: 120_000, Note: Text{"id": "Bicara sebentar"}},
			},
		},
		ThankYou: 1500, ShareMinimum: 10,
	}
}

func details() Details {
	return Details{Regency: kupang, Venue: "SMAN 1", Audience: Students, HeldAt: eve.In(time.FixedZone("WITA", 8*3600))}
}

func plan() PlanScreening {
	return PlanScreening{Screening: "scr-1", Details: details(), Programme: programme()}
}

// exact compares states to the last unexported field. It tells nil from empty: what
// a JSON decoder must not turn into the other.
var exact = cmp.Exporter(func(reflect.Type) bool { return true })

// sameState fails the test when the two differ.
func sameState(t tb, what string, got, want *State) {
	t.Helper()
	if d := cmp.Diff(want, got, exact); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

// replay rebuilds a state from what the journal holds, every event through JSON.
func replay(t tb, journal []Recorded) *State {
	t.Helper()
	s := NewState()
	for _, r := range journal {
		data, err := json.Marshal(r.Event)
		if err != nil {
			t.Fatalf("marshal %s: %v", r.Event.Kind(), err)
		}
		if r.Event, err = DecodeEvent(r.Event.Kind(), data); err != nil {
			t.Fatal(err)
		}
		s.Apply(r)
	}
	return s
}

// promised is what [Journal.Replay] yields of a journal.
func promised(journal []Recorded) []Recorded {
	start, clock, kiosk := 0, -1, -1
	for i, r := range journal {
		if _, ok := r.Event.(ScreeningPlanned); ok {
			start = i
		}
	}
	for i, r := range journal[:start] {
		switch r.Event.(type) {
		case ClockSet:
			clock = i
		case KioskStarted:
			kiosk = i
		}
	}
	for _, r := range journal[start:] { // "if those are older"
		switch r.Event.(type) {
		case ClockSet:
			clock = -1
		case KioskStarted:
			kiosk = -1
		}
	}
	var out []Recorded
	for i, r := range journal {
		if i >= start || i == clock || i == kiosk {
			out = append(out, r)
		}
	}
	return out
}
