package export

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"mimpi-kiosk/internal/screening"
)

// wita is the time of the islands, the year round.
var wita = time.FixedZone("WITA", 8*3600)

// evening is one screening as it was read, before it is written in several ways.
type evening struct {
	state   *screening.State
	kiosk   string    // that the screening was planned on
	version string    // of the program that ran last
	events  []Line    // with the ballots made secret
	ballots []ballots // like ballots added up
	opened  map[asking]screening.Stamp
	times   times
	clocks  []string // how the times are known
	starts  int      // of the kiosk while the screening went on
	set     int      // how often the clock was set meanwhile
	fixes   int      // corrections
	left    int      // ballots left out because they were replaced
	buttons ButtonsSummary
	sum     Summary // once all is read
	key     *Key    // signs the checksums; nil when nothing does
}

// asking is one round of a question.
type asking struct {
	question string
	round    int
}

// ballots are like ballots of one round: the same channel and the same options.
type ballots struct {
	asking
	channel screening.Channel
	choices string // ids joined by '+', "(skipped)" when there are none
	count   int
}

const skipped = "(skipped)"

// gather reads a screening; nil when it is a rehearsal that is not wanted.
func gather(ctx context.Context, src Source, id string, opts Options) (*evening, error) {
	e := &evening{state: screening.NewState(), times: times{}, opened: map[asking]screening.Stamp{}, key: opts.Key}
	var events []screening.Recorded
	for r, err := range src.Events(ctx, id) {
		if err != nil {
			return nil, err
		}
		e.state.Apply(r)
		events = append(events, r)
		switch ev := r.Event.(type) {
		case screening.KioskStarted:
			e.version = ev.Version
			if e.state.Screening != nil {
				e.starts++
			}
		case screening.ClockSet:
			if e.state.Screening != nil {
				e.set++
			}
		case screening.ScreeningPlanned:
			e.kiosk = cmp.Or(ev.Kiosk, e.state.Kiosk)
			if ev.Rehearsal && !opts.Rehearsals {
				return nil, nil
			}
		case screening.AttendanceCorrected:
			e.fixes++
		case screening.PressesLost:
			e.buttons.PressesLost += ev.Presses
			e.buttons.Unheard += ev.Unheard
		case screening.PressesSuspected:
			e.buttons.PressesSuspected += ev.Presses
		case screening.QuestionOpened:
			if a := (asking{ev.Question, ev.Round}); e.opened[a] == (screening.Stamp{}) {
				e.opened[a] = r.Stamp
			}
		}
	}
	if e.state.Screening == nil {
		return nil, errors.New("it has no beginning in the journal")
	}
	settings, err := src.ClockSettings(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, r := range slices.SortedStableFunc(slices.Values(slices.Concat(settings, events)), func(a, b screening.Recorded) int {
		return cmp.Compare(a.Seq, b.Seq)
	}) {
		if _, secret := r.Event.(screening.BallotCast); !secret {
			e.times.know(r.Stamp)
		}
	}
	clocks := map[string]bool{}
	begun := false
	for _, r := range events {
		switch r.Event.(type) {
		case screening.ScreeningPlanned:
			begun = true
		case screening.BallotCast:
			continue // nothing may tell when
		}
		if begun {
			_, known := e.times.of(r.Stamp)
			clocks[known] = true
		}
	}
	e.clocks = slices.Sorted(maps.Keys(clocks))
	e.hideBallots(events)
	return e, nil
}

// hideBallots makes the lines of events.jsonl and the sums of ballots.csv, neither of
// which tells in what order or when people voted. See the comment of the package.
func (e *evening) hideBallots(events []screening.Recorded) {
	standing := map[asking][]screening.Recorded{}
	byPhone := map[asking]map[string]int{} // place in standing
	for _, r := range events {
		b, ok := r.Event.(screening.BallotCast)
		if !ok {
			continue
		}
		a := asking{b.Question, b.Round}
		if b.Channel == screening.ByPhone {
			if byPhone[a] == nil {
				byPhone[a] = map[string]int{}
			}
			if i, again := byPhone[a][b.Voter]; again {
				standing[a][i] = r
				continue
			}
			byPhone[a][b.Voter] = len(standing[a])
		}
		standing[a] = append(standing[a], r)
	}
	for _, all := range standing {
		slices.SortStableFunc(all, func(x, y screening.Recorded) int {
			a, b := x.Event.(screening.BallotCast), y.Event.(screening.BallotCast)
			return cmp.Or(cmp.Compare(a.Channel, b.Channel), slices.Compare(a.Choices, b.Choices), cmp.Compare(x.From, y.From))
		})
	}
	e.sumBallots(standing)

	next := map[asking]int{}
	opened := map[asking]screening.Stamp{}
	for _, r := range events {
		switch ev := r.Event.(type) {
		case screening.QuestionOpened:
			opened[asking{ev.Question, ev.Round}] = r.Stamp
		case screening.BallotCast:
			a := asking{ev.Question, ev.Round}
			n := next[a]
			next[a]++
			if n >= len(standing[a]) {
				e.left++
				continue
			}
			b := standing[a][n].Event.(screening.BallotCast)
			b.Voter, b.Replaces = "", 0
			if b.Channel == screening.ByPhone {
				b.Voter = fmt.Sprint(n + 1)
			}
			r = screening.Recorded{Seq: r.Seq, Stamp: opened[a], Screening: r.Screening, From: standing[a][n].From, Event: b}
		}
		line := lineOf(r)
		line.Time, line.TimeKnown = e.times.of(r.Stamp)
		e.events = append(e.events, line)
	}
}

func (e *evening) sumBallots(standing map[asking][]screening.Recorded) {
	for _, q := range e.state.Questions {
		for _, r := range q.Rounds {
			a := asking{q.ID, r.N}
			for _, rec := range standing[a] {
				b := rec.Event.(screening.BallotCast)
				choices := cmp.Or(strings.Join(b.Choices, "+"), skipped)
				last := len(e.ballots) - 1
				if last >= 0 && e.ballots[last].asking == a && e.ballots[last].channel == b.Channel && e.ballots[last].choices == choices {
					e.ballots[last].count++
					continue
				}
				e.ballots = append(e.ballots, ballots{a, b.Channel, choices, 1})
			}
			for i, n := range r.Hands {
				if n > 0 {
					e.ballots = append(e.ballots, ballots{a, screening.ByHands, e.state.Asked(q.ID).Options[i].ID, n})
				}
			}
		}
	}
}

// quality lists what a reader of the numbers should know, in words that do not change.
func (e *evening) quality() []string {
	var out []string
	note := func(yes bool, word string) {
		if yes {
			out = append(out, word)
		}
	}
	note(e.state.Screening.Rehearsal, "rehearsal")
	note(slices.Contains(e.clocks, string(screening.ClockUnset)), "clock_unset")
	note(e.set > 0, "clock_changed")
	note(slices.ContainsFunc(e.clocks, func(c string) bool { return strings.HasSuffix(c, "_corrected") }), "clock_corrected")
	note(e.starts > 0, "restarted")
	note(e.state.Screening.EndedAt == nil, "not_ended")
	note(e.fixes > 0, "corrected")
	note(len(e.state.Attendance.Rows) > 0, "counted_by_rows")
	note(e.buttons.PressesLost > 0, "presses_lost")
	note(e.buttons.Unheard > 0, "buttons_unheard")
	note(e.buttons.PressesSuspected > 0, "presses_suspected")
	note(len(e.state.Attendance.Doubts) > 0, "presses_unsettled")
	return append(out, FiguresQuality(e.state)...)
}

// folder is one screening as it goes to the disk.
type folder struct {
	kiosk    string // name of the kiosk's folder
	name     string
	suffix   string // the part of name that tells the screening, whatever its date and venue
	modified time.Time
	files    []file // SHA256SUMS and its signature last; of a sealed folder only sealed.json
	seal     *seal  // nil: everybody may read it
	summary  Summary
}

type file struct {
	name    string
	content []byte
}

func (e *evening) folder() (*folder, error) {
	e.sum = e.totals()
	var files []file
	for _, f := range []struct {
		name string
		make func() ([]byte, error)
	}{
		{"attendance.csv", e.attendance},
		{"ballots.csv", e.polls},
		{EventsFile, e.eventLines},
		{SummaryFile, e.summary},
		{"report.html", e.report},
	} {
		content, err := f.make()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		files = append(files, file{f.name, content})
	}
	s := e.state.Screening
	modified, _ := e.times.of(e.state.Last)
	out := &folder{kiosk: safeID(e.kiosk), modified: modified, summary: e.sum}
	out.name, out.suffix = folderName(e.heldAt(), s.Details.Venue, s.ID)
	out.files = e.key.withSums(out, files)
	return out, nil
}

// heldAt is when the screening was held, as well as anybody knows.
func (e *evening) heldAt() time.Time {
	s := e.state.Screening
	if !s.Details.HeldAt.IsZero() {
		return s.Details.HeldAt.In(wita)
	}
	at, _ := e.times.of(s.PlannedAt)
	return at.In(wita)
}

// when is the time of a stamp as a cell, and how it is known.
func (e *evening) when(st screening.Stamp) (at, known string) {
	t, known := e.times.of(st)
	return iso(t), known
}

func iso(t time.Time) string { return t.In(wita).Format("2006-01-02T15:04:05-07:00") }
