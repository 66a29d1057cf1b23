// Package province makes up the screenings of a whole province, for tests and
// measurements: the same for the same seed, and with the single facts beside the
// journals, so that totals can be worked out in another way.
//
// The people are made up. So is how much they learn.
package province

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
)

// Fact is one thing that happened: people who came, or one answer.
type Fact struct {
	Screening  string
	Kemendagri string
	Rehearsal  bool

	Sex, Age string // of people who came
	People   int    // may be negative: a press undone

	Question string // of an answer; "" for people who came
	Before   bool
	Option   string // "" when the question was skipped
	Right    bool
}

// Evening is one screening.
type Evening struct {
	ID      string
	Kiosk   string
	Journal []screening.Recorded
	Facts   []Fact
	Note    screening.EveningNoted
}

// Size is how large evenings are.
type Size struct {
	People  int // on average
	Ballots int // on average
}

// Full is an evening as the campaign expects it.
var Full = Size{People: 300, Ballots: 1500}

// Kiosks is how many kiosks a province has.
const Kiosks = 50

// Make makes up evening number n.
func Make(seed uint64, n int, size Size) *Evening {
	rnd := rand.New(rand.NewPCG(seed, uint64(n)))
	kiosk := n % Kiosks
	m := &maker{rnd: rnd, programme: Programme(), e: &Evening{
		ID: fmt.Sprintf("s-%06x%06x", seed&0xffffff, n), Kiosk: fmt.Sprintf("kiosk-%02d", kiosk+1),
	}}
	m.now = time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC).Add(time.Duration(n/Kiosks) * 24 * time.Hour)
	m.boot, m.mono = fmt.Sprintf("boot-%d", n), 40_000
	m.seq = int64(n/Kiosks)*5000 + 1
	m.evening(size)
	return m.e
}

type maker struct {
	rnd       *rand.Rand
	programme screening.Programme
	e         *Evening
	fact      Fact // what all facts of the evening have
	seq       int64
	now       time.Time
	boot      string
	mono      screening.Millis
	commands  int
}

func (m *maker) add(from screening.Source, e screening.Event) int64 {
	d := time.Duration(300+m.rnd.IntN(4000)) * time.Millisecond
	m.now, m.mono = m.now.Add(d), m.mono+screening.ToMillis(d)
	m.commands++
	m.e.Journal = append(m.e.Journal, screening.Recorded{
		Seq: m.seq, Stamp: screening.Stamp{At: m.now, Boot: m.boot, Mono: m.mono, Clock: screening.ClockOperator},
		Screening: m.e.ID, Command: fmt.Sprintf("%s-%d", m.e.ID, m.commands), From: from, Event: e,
	})
	m.seq++
	return m.seq - 1
}

func (m *maker) about(n int) int { return n*3/4 + m.rnd.IntN(n/2+1) }

func (m *maker) evening(size Size) {
	f := screening.FromFacilitator
	m.add(screening.FromKiosk, screening.KioskStarted{Kiosk: m.e.Kiosk, Version: "0.4.0"})
	m.e.Journal[0].Screening = ""
	regency := m.programme.Regencies[m.rnd.IntN(len(m.programme.Regencies))]
	planned := screening.ScreeningPlanned{
		Screening: m.e.ID, Kiosk: m.e.Kiosk, Programme: m.programme, Rehearsal: m.rnd.IntN(25) == 0,
		Details: screening.Details{
			Regency: regency.ID, Venue: fmt.Sprintf("Balai Desa %d", m.rnd.IntN(900)+100), HeldAt: m.now.Add(time.Hour),
			Audience: []screening.AudienceKind{screening.Public, screening.Students}[m.rnd.IntN(2)],
		},
	}
	m.fact = Fact{Screening: m.e.ID, Kemendagri: regency.Kemendagri, Rehearsal: planned.Rehearsal}
	m.add(f, planned)
	m.add(f, screening.StepChanged{From: screening.SetUp, To: screening.Doors})
	m.add(f, screening.DoorsOpened{})
	m.people(m.about(size.People))
	rounds := 2 * len(m.programme.Questions)
	m.add(f, screening.StepChanged{From: screening.Doors, To: screening.PollBefore})
	for _, q := range m.programme.Questions {
		m.ask(q, 1, true, m.about(size.Ballots/rounds))
	}
	m.add(f, screening.StepChanged{From: screening.PollBefore, To: screening.FilmStep})
	m.add(f, screening.FilmPlayed{At: 0})
	for at := screening.Millis(10_000); at < 600_000; at += 60_000 {
		m.add(screening.FromPlayer, screening.FilmPositionNoted{At: at, Duration: 600_000})
	}
	m.add(screening.FromPlayer, screening.FilmFinished{At: 600_000})
	m.add(f, screening.StepChanged{From: screening.FilmStep, To: screening.Discussion})
	for _, q := range m.programme.Questions {
		m.ask(q, 2, false, m.about(size.Ballots/rounds))
	}
	m.add(f, screening.StepChanged{From: screening.Discussion, To: screening.Ended})
	if m.rnd.IntN(3) > 0 { // in the order of the lists, as kiosks do it
		m.e.Note = screening.EveningNoted{Went: []string{"rain_on_roof"}, Away: []string{"women", "men"}[:m.rnd.IntN(3)], Why: []string{}}
		m.add(f, m.e.Note)
	}
}

func (m *maker) count(c screening.Category, n int) {
	fact := m.fact
	fact.Sex, fact.Age, fact.People = c.Sex, c.Age, n
	m.e.Facts = append(m.e.Facts, fact)
}

func (m *maker) people(n int) {
	var last screening.Category
	for i := range n {
		c := m.programme.Categories[m.rnd.IntN(len(m.programme.Categories))]
		seq := m.add(screening.FromButtons, screening.AttendeeCounted{Category: c.ID})
		m.count(c, 1)
		last = c
		if i%40 == 39 {
			m.add(screening.FromButtons, screening.CountUndone{Of: seq, Category: c.ID})
			m.count(c, -1)
		}
	}
	if m.rnd.IntN(3) == 0 {
		m.add(screening.FromFacilitator, screening.AttendanceCorrected{Category: last.ID, Delta: 4, Reason: "pintu samping"})
		m.count(last, 4)
	}
	if m.rnd.IntN(4) == 0 {
		counts := map[string]int{}
		for _, c := range m.programme.Categories {
			counts[c.ID] = m.rnd.IntN(6)
			m.count(c, counts[c.ID])
		}
		m.add(screening.FromFacilitator, screening.RowCounted{Row: "kiri 1", Counts: counts})
	}
	if m.rnd.IntN(5) > 0 {
		n := m.rnd.IntN(15)
		m.add(screening.FromFacilitator, screening.DisabilityRecorded{Count: &n})
	}
}

// ask has n people answer a question. After the film more of them are right.
func (m *maker) ask(q screening.Question, round int, before bool, n int) {
	m.add(screening.FromFacilitator, screening.QuestionOpened{Question: q.ID, Round: round})
	for i := range n {
		b := screening.BallotCast{Question: q.ID, Round: round, Choices: []string{}, Channel: screening.ByTouch}
		from := screening.FromTouch
		if m.rnd.IntN(5) == 0 {
			b.Channel, from, b.Voter = screening.ByPhone, screening.FromPhone, fmt.Sprint("phone-", i)
		}
		chance := 62
		if before {
			chance = 38
		}
		fact := m.fact
		fact.Question, fact.Before = q.ID, before
		option := -1
		switch x := m.rnd.IntN(100); {
		case x < 3:
		case x < 3+chance:
			option = 0
		default:
			option = 1 + m.rnd.IntN(len(q.Options)-1)
		}
		if option >= 0 {
			o := q.Options[option]
			b.Choices = []string{o.ID}
			fact.Option, fact.Right = o.ID, o.Right
		}
		m.add(from, b)
		m.e.Facts = append(m.e.Facts, fact)
	}
	m.add(screening.FromFacilitator, screening.QuestionClosed{Question: q.ID, Round: round})
}

// ScreeningIDs and Events make an evening a source to export.
func (e *Evening) ScreeningIDs(context.Context) ([]string, error) { return []string{e.ID}, nil }

// Events yields all events.
func (e *Evening) Events(context.Context, string) iter.Seq2[screening.Recorded, error] {
	return func(yield func(screening.Recorded, error) bool) {
		for _, r := range e.Journal {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// ClockSettings are none: every clock is right.
func (e *Evening) ClockSettings(context.Context, string) ([]screening.Recorded, error) {
	return nil, nil
}

// Write writes the export of the evening into a folder, without the care for power cuts
// that a kiosk takes.
func (e *Evening) Write(ctx context.Context, stick string, opts export.Options) error {
	opts.Rehearsals = true
	dir, files, err := export.Files(ctx, e, e.ID, opts)
	if err != nil {
		return err
	}
	dir = filepath.Join(stick, filepath.FromSlash(dir))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
