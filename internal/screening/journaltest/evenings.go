package journaltest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"mimpi-kiosk/internal/screening"
)

var three, two = 3, 2

// everyEvent is one event of each kind with every field set; the first begins a
// screening.
var everyEvent = []screening.Event{
	screening.ScreeningPlanned{Screening: "s1", Kiosk: "k1", Details: details(), Rehearsal: true, Programme: Programme(), SoundLag: 280},
	screening.KioskStarted{Kiosk: "k1", Version: "1.2.3"},
	screening.ClockSet{Was: at, Now: at.Add(time.Hour), Offset: 3600000},
	screening.DetailsEdited{Details: details()},
	screening.StepChanged{From: screening.SetUp, To: screening.Doors},
	screening.DoorsOpened{},
	screening.DoorsClosed{},
	screening.AttendeeCounted{Category: "woman"},
	screening.CountUndone{Of: 8, Category: "woman"},
	screening.AttendanceCorrected{Category: "boy", Delta: -2, Reason: "counted <twice> & \u201cmore\u201d"},
	screening.RowCounted{Row: "kiri 3", Counts: map[string]int{"woman": 4, "boy": 0}},
	screening.DisabilityRecorded{Count: &three},
	screening.QuestionOpened{Question: "q1", Round: 2, Reopened: true},
	screening.QuestionClosed{Question: "q1", Round: 2},
	screening.QuestionRevealed{Question: "q1", Round: 2},
	screening.QuestionDismissed{Question: "q1"},
	screening.BallotCast{Question: "q1", Round: 2, Choices: []string{"a", "b"}, Channel: screening.ByPhone, Voter: "v", Replaces: 7},
	screening.HandsCounted{Question: "q1", Round: 2, Counts: map[string]int{"a": 40}},
	screening.RunningTotalsShown{Show: true},
	screening.StageSet{Page: screening.PageHelp, Count: true, Lang: "en", Silent: true},
	screening.QuestionReadAloud{Question: "age"},
	screening.FilmPlayed{At: 1},
	screening.FilmPaused{At: 2, PausePoint: &two},
	screening.FilmSought{From: 2, To: 3},
	screening.FilmPositionNoted{At: 4, Duration: 5},
	screening.FilmFinished{At: 5},
	screening.VolumeSet{Percent: 70},
	screening.SubtitlesSet{Lang: "id"},
	screening.PausePointsUsed{Use: true},
	screening.SoundLagSet{Lag: 280},
	screening.FilmShown{Player: screening.MPVPlayer, Decoder: "h264, no", Played: 61_000, Dropped: 4, DroppedByDecoder: 1, Late: 9, Restarts: 1},
	screening.FilmPlayerChosen{Player: screening.BrowserPlayer, Why: "no mpv"},
	screening.PressesLost{Presses: 3, Category: "woman", Undo: true, Question: "q1", Why: screening.Unheard, Unheard: 3200},
	screening.PressesSuspected{Presses: 2, Category: "girl", Undo: true, Question: "q1", Commands: []string{"gpio-1"}},
	screening.DoubtSettled{Of: 29, Delta: -2},
	screening.EveningNoted{Went: []string{"rain_on_roof"}, Away: []string{"women", "men"}, Why: []string{}},
	screening.PhonesAllowed{Allow: true},
	screening.ExportWritten{Stick: "9c2f1a6b", Screenings: 12, Written: 3, Missing: 2, Checksum: "0c5f"},
	screening.ResultsShown{Question: "q1", Round: 2},
}

func details() screening.Details {
	return screening.Details{
		Regency: "belu", Venue: "Balai Desa Fulur", Audience: screening.Public, Label: "RT 3",
		HeldAt: time.Date(2026, 11, 24, 19, 0, 0, 0, time.FixedZone("", 8*3600)),
	}
}

func text(id, en string) screening.Text { return screening.Text{"id": id, "en": en} }

// Programme is a programme with each kind of question.
func Programme() screening.Programme {
	option := func(id string, right bool) screening.Option {
		return screening.Option{ID: id, Text: text("Pilihan "+id, "Option "+id), Icon: id, Right: right}
	}
	return screening.Programme{
		Pack: "test",
		Regencies: []screening.Regency{
			{ID: "kupang", Name: "Kabupaten Kupang", Kemendagri: "53.01", BPS: "5303"},
			{ID: "belu", Name: "Belu", Kemendagri: "53.04", BPS: "5306"},
			{ID: "sumba-barat-daya", Name: "Sumba Barat Daya", Kemendagri: "53.18", BPS: "5317"},
		},
		Categories: []screening.Category{
			{ID: "woman", Label: text("Perempuan", "Woman"), Sex: "female", Age: "18+"},
			{ID: "man", Label: text("Laki-laki", "Man"), Sex: "male", Age: "18+"},
			{ID: "girl", Label: text("Anak perempuan", "Girl"), Sex: "female", Age: "0-17"},
			{ID: "boy", Label: text("Anak laki-laki", "Boy"), Sex: "male", Age: "0-17"},
		},
		Questions: []screening.Question{
			{ID: "q1", Kind: screening.Single, Text: text("Satu jawaban?", "One answer?"), Options: []screening.Option{option("a", true), option("b", false), option("c", false)}, Ask: []screening.Step{screening.PollBefore, screening.Discussion}},
			{ID: "q2", Kind: screening.Several, Text: text("Beberapa jawaban?", "Several answers?"), Options: []screening.Option{option("a", true), option("b", true), option("c", false), option("d", false)}, Ask: []screening.Step{screening.Discussion}},
			{ID: "q3", Kind: screening.Scale, Text: text("Seberapa yakin?", "How sure?"), Options: []screening.Option{option("1", false), option("2", false), option("3", false)}, Ask: []screening.Step{screening.Discussion}},
		},
		Film: screening.Film{
			ID: "film", Title: text("Mimpi", "Dream"), Duration: 600000,
			Subtitles:   []screening.Subtitle{{Lang: "id", Label: "Indonesia"}},
			PausePoints: []screening.PausePoint{{At: 60000}, {At: 120000}},
		},
		ShareMinimum: 10,
	}
}

// Kiosk drives the rules and keeps what they record; for tests that need a journal
// with true events in it.
type Kiosk struct {
	Alone bool // no network tells it the time

	State  *screening.State
	Events []screening.Recorded

	now      time.Time
	boot     int
	mono     screening.Millis
	commands int
}

// NewKiosk begins with a kiosk that was started once.
func NewKiosk(id string, now time.Time) *Kiosk {
	k := &Kiosk{State: screening.NewState(), now: now}
	k.Restart(id)
	return k
}

// Restart is a new boot.
func (k *Kiosk) Restart(id string) {
	k.boot++
	k.mono = 20000
	k.Do(screening.FromKiosk, screening.StartKiosk{Kiosk: id, Version: "0.2.0-test"})
}

// Do carries a command out one and a half seconds after the last one and says
// whether it was taken.
func (k *Kiosk) Do(from screening.Source, c screening.Command) bool {
	k.Wait(1500 * time.Millisecond)
	k.commands++
	e := screening.Envelope{ID: fmt.Sprint("command-", k.commands), From: from, Command: c}
	r := screening.Reading{Wall: k.now, Boot: fmt.Sprint("boot-", k.boot), Mono: k.mono, Synced: !k.Alone}
	events, refusal := k.State.Decide(e, r)
	if refusal != nil {
		return false
	}
	for _, rec := range k.State.Record(e, r, events) {
		k.State.Apply(rec)
		k.Events = append(k.Events, rec)
	}
	return true
}

// record adds an event that the rules do not make any more.
func (k *Kiosk) record(e screening.Event) {
	k.commands++
	envelope := screening.Envelope{ID: fmt.Sprint("command-", k.commands), From: screening.FromFacilitator}
	for _, rec := range k.State.Record(envelope, screening.Reading{Wall: k.now, Boot: fmt.Sprint("boot-", k.boot), Mono: k.mono, Synced: !k.Alone}, []screening.Event{e}) {
		k.State.Apply(rec)
		k.Events = append(k.Events, rec)
	}
}

// Wait lets time pass.
func (k *Kiosk) Wait(d time.Duration) {
	k.now = k.now.Add(d)
	k.mono += screening.ToMillis(d)
}

// Evenings makes n screenings of about steps commands each in which everything
// happens in random order, with the same events for the same seed.
func Evenings(seed uint64, n, steps int) *Kiosk {
	rnd := rand.New(rand.NewPCG(seed, 1))
	k := NewKiosk("kiosk-1", time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC))
	for i := range n {
		k.evening(rnd, fmt.Sprintf("s%d", i+1), steps)
		k.Wait(20 * time.Hour)
		k.Restart("kiosk-1")
	}
	return k
}

// Showings makes n screenings of about steps commands each, of film and questions alone, in
// random order: mostly as an evening goes, with seeks, power cuts, running totals and
// results between them. The same seed gives the same events.
func Showings(seed uint64, n, steps int) *Kiosk {
	rnd := rand.New(rand.NewPCG(seed, 2))
	k := NewKiosk("kiosk-1", time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC))
	f := screening.FromFacilitator
	for i := range n {
		k.Do(f, screening.PlanScreening{Screening: fmt.Sprintf("s%d", i+1), Details: details(), Programme: Programme()})
		order := []screening.Step{screening.PollBefore, screening.FilmStep, screening.Discussion}
		for range steps {
			if rnd.IntN(12) == 0 {
				place := min(max(0, slices.Index(order, k.State.Step)+one(rnd, 1, 1, 1, -1)), len(order)-1)
				k.Do(f, screening.MoveTo{Step: order[place]})
			}
			k.showing(rnd)
		}
		k.Do(f, screening.MoveTo{Step: screening.Ended})
	}
	return k
}

func (k *Kiosk) showing(rnd *rand.Rand) {
	f, p := screening.FromFacilitator, k.State.Playback
	question := one(rnd, "q1", "q1", "q2", "q3")
	switch rnd.IntN(26) {
	case 24: // older kiosks took it at any time
		if q := k.State.Question(question); q.Phase == screening.Closed && rnd.IntN(4) == 0 {
			k.record(screening.QuestionRevealed{Question: question, Round: len(q.Rounds)})
		}
	case 25:
		if rnd.IntN(6) == 0 {
			k.record(screening.RunningTotalsShown{Show: !k.State.ShowRunning})
		}
	case 0, 1, 2, 3:
		k.Do(f, screening.PlayFilm{})
	case 4:
		k.Do(f, screening.PauseFilm{})
	case 5:
		k.Do(f, screening.SeekFilm{To: screening.Millis(rnd.IntN(600_001))})
	case 6, 7:
		k.Do(screening.FromPlayer, screening.NotePosition{Epoch: p.Epoch, At: min(600_000, p.At+screening.Millis(rnd.IntN(200_000))), Duration: 600_000})
	case 8, 9, 10:
		k.Do(screening.FromPlayer, screening.FinishFilm{Epoch: p.Epoch, At: 600_000})
	case 11:
		k.Restart("kiosk-1")
	case 12:
		k.Do(f, screening.ShowRunningTotals{Show: rnd.IntN(3) == 0})
	case 13, 14:
		k.Do(f, screening.OpenQuestion{Question: question, NewRound: rnd.IntN(4) == 0})
	case 15, 16, 17:
		k.Do(f, screening.CloseQuestion{Question: k.State.Current})
	case 18:
		k.Do(f, screening.ShowResults{Question: question})
	case 19:
		k.Do(f, screening.RevealQuestion{Question: question})
	case 20:
		k.Do(f, screening.CountHands{Question: question, Counts: map[string]int{one(rnd, "a", "1"): rnd.IntN(3)}})
	default:
		k.ballot(rnd)
	}
}

func (k *Kiosk) evening(rnd *rand.Rand, id string, steps int) {
	p := Programme()
	d := details()
	d.Regency, d.HeldAt = one(rnd, p.Regencies...).ID, k.now
	facilitator := screening.FromFacilitator
	k.Do(facilitator, screening.MoveTo{Step: screening.Ended})
	k.Do(facilitator, screening.PlanScreening{Screening: id, Details: d, Rehearsal: rnd.IntN(4) == 0, Programme: p})
	for range steps {
		k.anything(rnd, p)
	}
	if rnd.IntN(5) > 0 {
		k.Do(facilitator, screening.MoveTo{Step: screening.Ended})
		k.Do(facilitator, screening.CorrectAttendance{Category: "man", Delta: 1, Reason: "the driver"})
		if note := (screening.EveningNoted{}); rnd.IntN(2) > 0 {
			for i, codes := range []*[]string{&note.Went, &note.Away, &note.Why} {
				for range rnd.IntN(4) {
					*codes = append(*codes, one(rnd, screening.NoteLists[i].Choices...).ID)
				}
			}
			k.Do(facilitator, screening.NoteEvening{EveningNoted: note})
		}
	}
}

func (k *Kiosk) anything(rnd *rand.Rand, p screening.Programme) {
	category := one(rnd, p.Categories...).ID
	question := one(rnd, p.Questions...)
	counts := map[string]int{"woman": rnd.IntN(3), "man": rnd.IntN(3), "boy": rnd.IntN(2)}
	switch n := rnd.IntN(100); {
	case n < 25:
		k.Do(one(rnd, screening.FromButtons, screening.FromTouch), screening.CountAttendee{Category: category})
	case n < 30:
		k.Do(one(rnd, screening.FromButtons, screening.FromTouch), screening.UndoCount{})
	case n < 33:
		k.Do(screening.FromFacilitator, screening.CorrectAttendance{Category: category, Delta: rnd.IntN(7) - 3, Reason: "recount"})
	case n < 37:
		k.Do(screening.FromFacilitator, screening.CountRow{Row: one(rnd, "1", "2", "kiri"), Counts: counts})
	case n < 38:
		k.Do(screening.FromFacilitator, screening.RecordDisability{Count: new(counts["woman"])})
	case n < 42:
		k.Do(screening.FromFacilitator, screening.OpenDoors{})
	case n < 50:
		k.Do(screening.FromFacilitator, screening.MoveTo{Step: one(rnd, screening.Doors, screening.PollBefore, screening.FilmStep, screening.Discussion, screening.Closing)})
	case n < 58:
		k.Do(screening.FromFacilitator, screening.OpenQuestion{Question: question.ID, NewRound: rnd.IntN(3) == 0})
	case n < 60:
		k.Do(screening.FromFacilitator, screening.CloseQuestion{Question: question.ID})
	case n < 62:
		k.Do(screening.FromFacilitator, screening.RevealQuestion{Question: question.ID})
	case n < 65:
		hands := map[string]int{"a": rnd.IntN(9), "b": rnd.IntN(9), "1": rnd.IntN(9)}
		for id := range hands {
			if !has(question, id) {
				delete(hands, id)
			}
		}
		k.Do(screening.FromFacilitator, screening.CountHands{Question: question.ID, Counts: hands})
	case n < 66:
		d := details()
		d.Venue, d.HeldAt = fmt.Sprint("Balai ", rnd.IntN(9)), k.now
		k.Do(screening.FromFacilitator, screening.EditDetails{Details: d})
	case n < 67:
		k.Restart("kiosk-1")
	case n < 68:
		k.Do(screening.FromFacilitator, screening.SetClock{Now: k.now.Add(time.Duration(rnd.IntN(100)) * time.Second)})
	case n < 71:
		k.Do(screening.FromFacilitator, screening.PlayFilm{})
	case n < 74:
		k.Do(screening.FromPlayer, screening.NotePosition{Epoch: k.State.Playback.Epoch, At: screening.Millis(rnd.IntN(600000)), Duration: 600000})
	default:
		k.ballot(rnd)
	}
}

func (k *Kiosk) ballot(rnd *rand.Rand) {
	id := k.State.Current
	q := k.State.Asked(id)
	if q == nil {
		return
	}
	rounds := k.State.Question(id).Rounds
	if len(rounds) == 0 {
		return
	}
	c := screening.CastBallot{
		Question: id, Round: len(rounds),
		Channel: one(rnd, screening.ByTouch, screening.ByPhone, screening.ByPhone, screening.ByButton),
	}
	for _, o := range q.Options {
		if rnd.IntN(3) == 0 && (len(c.Choices) == 0 || q.Kind == screening.Several) {
			c.Choices = append(c.Choices, o.ID)
		}
	}
	from := screening.FromTouch
	if c.Channel == screening.ByPhone {
		from, c.Voter = screening.FromPhone, fmt.Sprint(id, "-phone-", rnd.IntN(12))
	}
	k.Do(from, c)
}

func one[T any](rnd *rand.Rand, of ...T) T { return of[rnd.IntN(len(of))] }

func has(q screening.Question, option string) bool {
	for _, o := range q.Options {
		if o.ID == option {
			return true
		}
	}
	return false
}
