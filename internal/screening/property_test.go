package screening_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	. "mimpi-kiosk/internal/screening"
)

// An anything draws commands, valid and not, as they may come from any source.
type anything struct {
	*rapid.T
	plans int
}

// even draws 0 to 1023, all alike likely. rapid's own ranges prefer their beginning,
// and evenings drawn with them hardly leave the doors.
var even = rapid.Custom(func(t *rapid.T) int {
	n := 0
	for range 10 {
		n *= 2
		if rapid.Bool().Draw(t, "bit") {
			n++
		}
	}
	return n
})

func pick[V any](a *anything, label string, from ...V) V {
	return from[even.Draw(a.T, label)%len(from)]
}

func (a *anything) chance(label string, percent int) bool {
	return even.Draw(a.T, label)%100 >= 100-percent
}

func (a *anything) number(label string) int {
	return pick(a, label, 0, 1, 2, 3, 7, 40, 999, 1000, 9999, 10_000, -1, -2, -40)
}

func (a *anything) text(label string) string {
	return pick(a, label, "", " ", "ya", "dobel", "SMAN 1 ", "<b>é", "=1+1", strings.Repeat("é", 21), strings.Repeat("x", 201))
}

func (a *anything) question() string {
	return pick(a, "question", "offer", "offer", "signs", "signs", "trust", "halt", "weather", "")
}

func (a *anything) category() string {
	return pick(a, "category", "woman", "man", "girl", "boy", "child")
}

func (a *anything) step() Step {
	return pick(a, "step", append([]Step{PollBefore, FilmStep, Discussion, "intermission"}, Steps...)...)
}

func (a *anything) options() []string {
	var out []string
	for range even.Draw(a.T, "choices") % 4 {
		out = append(out, pick(a, "choice", "police", "friend", "agent", "1", "2", "go", "stay", "debt", "ticket", "salary", "uncle"))
	}
	return out
}

func (a *anything) millis(label string) Millis {
	return pick[Millis](a, label, 0, 1, 5000, 60_000, 120_000, 599_999, 600_000, 700_000, -1, 1<<60)
}

func (a *anything) counts(ids ...string) map[string]int {
	m := map[string]int{}
	for range even.Draw(a.T, "counts") % 4 {
		m[pick(a, "of", ids...)] = pick(a, "heads", 0, 0, 1, 2, 5, 30)
		if a.chance("odd heads", 5) {
			m[pick(a, "of", ids...)] = a.number("heads")
		}
	}
	return m
}

func (a *anything) details() Details {
	d := details()
	if a.chance("odd details", 30) {
		d.Venue, d.Label = a.text("venue"), a.text("label")
		d.Regency = pick(a, "regency", kupang, "sbd", "5318")
		d.Audience = pick[AudienceKind](a, "audience", Students, Public, "cats")
		d.HeldAt = pick(a, "held", eve, eve.AddDate(-40, 0, 0), time.Time{})
	}
	return d
}

func (a *anything) button() PressButton {
	return PressButton{a.category(), a.chance("undo", 20), pick(a, "place", 0, 1, 2, 3, 4), pick(a, "places", 0, 4), a.millis("edge")}
}

func (a *anything) note() NoteEvening {
	var n EveningNoted
	for i, codes := range []*[]string{&n.Went, &n.Away, &n.Why} {
		for range even.Draw(a.T, "codes") % 3 {
			*codes = append(*codes, pick(a, "code", NoteLists[i].Choices...).ID)
		}
		if a.chance("odd code", 3) {
			*codes = append(*codes, a.text("code"))
		}
	}
	return NoteEvening{n}
}

// ballot is most often one that can count: rare events make poor properties.
func (a *anything) ballot(s *State) Command {
	c := CastBallot{
		Question: s.Current, Round: 1, Choices: a.options(),
		Channel: pick[Channel](a, "channel", ByPhone, ByPhone, ByPhone, ByTouch, ByTouch, ByButton, ByHands, "pigeon"),
		Voter:   pick(a, "voter", "p1", "p2", "p3", "p4", ""),
	}
	if q := s.Question(s.Current); q != nil && len(q.Rounds) > 0 && a.chance("fitting", 85) {
		c.Round = len(q.Rounds)
		c.Choices = nil
		for _, o := range s.Asked(q.ID).Options {
			if a.chance("choose "+o.ID, 35) && (s.Asked(q.ID).Kind == Several || len(c.Choices) == 0) {
				c.Choices = append(c.Choices, o.ID)
			}
		}
		return c
	}
	c.Question, c.Round = a.question(), a.number("round")
	return c
}

func (a *anything) command(s *State) Command {
	epoch := s.Playback.Epoch
	if a.chance("old epoch", 20) {
		epoch = int64(a.number("epoch"))
	}
	draws := []func() Command{
		func() Command {
			a.plans++
			p := programme()
			switch pick(a, "programme", "whole", "no film", "no questions", "no pause") {
			case "no film":
				p.Film = Film{Missing: true}
			case "no questions":
				p.Questions = nil
			case "no pause":
				p.ThankYou = 0
			}
			return PlanScreening{fmt.Sprintf("scr-%d", a.plans), a.details(), a.chance("rehearsal", 20), p}
		},
		func() Command { return EditDetails{a.details()} },
		func() Command { return MoveTo{a.step()} },
		func() Command { return MoveTo{a.step()} },
		func() Command { return OpenDoors{} },
		func() Command { return CloseDoors{} },
		func() Command { return CountAttendee{a.category()} },
		func() Command { return CountAttendee{a.category()} },
		func() Command { return CountAttendee{a.category()} },
		func() Command { return UndoCount{} },
		func() Command { return UndoCount{} },
		func() Command { return CorrectAttendance{a.category(), a.number("delta"), a.text("reason")} },
		func() Command { return CorrectAttendance{a.category(), -1, "dobel"} },
		func() Command {
			return CountRow{pick(a, "row", "1", "1", "2", " kiri", "", strings.Repeat("é", 21)), a.counts("woman", "woman", "man", "man", "boy", "boy", "child")}
		},
		func() Command {
			if a.chance("nobody asked", 30) {
				return RecordDisability{}
			}
			n := a.number("disability")
			return RecordDisability{&n}
		},
		func() Command { return a.note() },
		func() Command { return UndoCount{a.category()} },
		func() Command { return a.button() },
		func() Command { return a.button() },
		func() Command { return a.button() },
		func() Command {
			return ReportLostPresses{a.button(), a.number("lost"), pick(a, "why", Overrun, QueueFull, AtStop, Unheard), a.millis("since")}
		},
		func() Command { return SuspectPresses{a.button(), strings.Fields(pick(a, "suspects", "", "x", "x y"))} },
		func() Command {
			c := SettleDoubt{int64(a.number("doubt")), a.chance("correct", 50)}
			if d := s.Attendance.Doubts; len(d) > 0 {
				c.Doubt = pick(a, "which doubt", d...).Seq
			}
			return c
		},
		func() Command { return OpenQuestion{a.question(), a.chance("new round", 30)} },
		func() Command { return OpenQuestion{a.question(), a.chance("new round", 30)} },
		func() Command { return OpenQuestion{s.Current, a.chance("new round", 30)} },
		func() Command { return CloseQuestion{a.question()} },
		func() Command { return CloseQuestion{s.Current} },
		func() Command { return RevealQuestion{a.question()} },
		func() Command { return RevealQuestion{s.Current} },
		func() Command { return ShowResults{a.question()} },
		func() Command { return ShowResults{s.Current} },
		func() Command { return DismissQuestion{} },
		func() Command { return a.ballot(s) },
		func() Command { return a.ballot(s) },
		func() Command { return a.ballot(s) },
		func() Command { return a.ballot(s) },
		func() Command { return a.ballot(s) },
		func() Command {
			return CountHands{a.question(), a.counts("police", "agent", "1", "2", "go", "debt", "ticket", "uncle")}
		},
		func() Command {
			c := CountHands{s.Current, nil}
			if asked := s.Asked(c.Question); asked != nil {
				c.Counts = a.counts(asked.Options[0].ID, asked.Options[1].ID)
			}
			return c
		},
		func() Command { return ShowRunningTotals{a.chance("show", 50)} },
		func() Command { return ReadAloud{s.Current} },
		func() Command { return AllowPhones{a.chance("phones", 80)} },
		func() Command {
			return SetStage{pick[StagePage](a, "page", PageAuto, PageGuidebook, PageHelp, PageJoin, "cat"), a.chance("count", 50), a.text("lang"), a.chance("silent", 50)}
		},
		func() Command { return PlayFilm{} },
		func() Command { return PlayFilm{} },
		func() Command { return PauseFilm{} },
		func() Command { return SeekFilm{a.millis("to")} },
		func() Command { return SetVolume{a.number("volume")} },
		func() Command { return SetSubtitles{pick(a, "subtitles", "", "id", "en", "nl")} },
		func() Command { return UsePausePoints{a.chance("use", 70)} },
		func() Command { return SetSoundLag{a.millis("lag")} },
		func() Command {
			return NoteFilmShown{FilmShown{Player: MPVPlayer, Played: a.millis("played"), Dropped: int64(a.number("dropped"))}}
		},
		func() Command { return ChooseFilmPlayer{BrowserPlayer, "no mpv"} },
		func() Command { return NotePosition{epoch, a.millis("at"), a.millis("duration")} },
		func() Command { return ReachPausePoint{epoch, a.number("n"), a.millis("at")} },
		func() Command { return FinishFilm{epoch, a.millis("at")} },
		func() Command { return TrustClock{} },
		func() Command { return RecordExport{"stick", 3, a.number("written"), 0, "sum"} },
		func() Command { return SetClock{eve.Add(time.Duration(a.number("hours")) * time.Hour)} },
		func() Command { return s.Next().Command }, // sometimes nil, and sometimes a real evening
		func() Command { return s.Next().Command },
		func() Command { return s.Next().Command },
	}
	return pick(a, "command", draws...)()
}

// model counts the plain way what the state counts as it goes.
type model struct {
	presses map[Source][]string
	voters  map[string]map[string]bool // "question/round" -> phones that cast
}

func (m *model) apply(r Recorded) {
	switch e := r.Event.(type) {
	case ScreeningPlanned:
		m.presses, m.voters = map[Source][]string{}, map[string]map[string]bool{}
	case AttendeeCounted:
		m.presses[r.From] = append(m.presses[r.From], e.Category)
	case CountUndone:
		p := m.presses[r.From]
		i := len(p) - 1
		for p[i] != e.Category {
			i--
		}
		m.presses[r.From] = slices.Delete(p, i, i+1)
	case BallotCast:
		if e.Channel == ByPhone {
			key := fmt.Sprintf("%s/%d", e.Question, e.Round)
			if m.voters[key] == nil {
				m.voters[key] = map[string]bool{}
			}
			m.voters[key][e.Voter] = true
		}
	}
}

// holds says what is wrong with a state, or "".
func (m *model) holds(s *State) string {
	undo := map[Source]string{}
	for src, p := range m.presses {
		if len(p) > 0 {
			undo[src] = p[len(p)-1]
		}
	}
	if !maps.Equal(undo, s.Attendance.Undo) {
		return fmt.Sprintf("undo is %v, want %v", s.Attendance.Undo, undo)
	}
	for _, c := range s.Attendance.Categories {
		rows, pressed := 0, 0
		for _, row := range s.Attendance.Rows {
			rows += row.Counts[c.ID]
		}
		for _, presses := range m.presses {
			for _, id := range presses {
				if id == c.ID {
					pressed++
				}
			}
		}
		if c.Total() < 0 || c.Undone < 0 || c.Rows != rows || c.Pressed != pressed {
			return fmt.Sprintf("%+v, want %d pressed and %d in rows, and no negative total", c, pressed, rows)
		}
	}
	for i, d := range s.Attendance.Doubts {
		if d.Seq > s.Seq || d.Presses < 0 || d.Unheard < 0 || i > 0 && d.Seq <= s.Attendance.Doubts[i-1].Seq {
			return fmt.Sprintf("doubts %+v", s.Attendance.Doubts)
		}
	}
	var open []string
	for _, q := range s.Questions {
		if q.Phase == Open {
			open = append(open, q.ID)
		}
		if (q.Phase == Unasked) != (len(q.Rounds) == 0) {
			return fmt.Sprintf("%s is %s with %d rounds", q.ID, q.Phase, len(q.Rounds))
		}
		if wrong := phasesHold(s, &q); wrong != "" {
			return wrong
		}
		for i, r := range q.Rounds {
			if r.N != i+1 {
				return fmt.Sprintf("round %d of %s is number %d", i+1, q.ID, r.N)
			}
			if wrong := m.roundHolds(s, q.ID, r); wrong != "" {
				return fmt.Sprintf("round %d of %s: %s: %+v", r.N, q.ID, wrong, r)
			}
		}
	}
	if len(open) > 1 || (len(open) == 1 && open[0] != s.Current) {
		return fmt.Sprintf("open: %v, on the screens: %q", open, s.Current)
	}
	if p := s.Playback; p.Playing && (s.Step != FilmStep || len(open) > 0 || p.Finished || p.Interrupted || p.HaltedAt != nil) {
		return fmt.Sprintf("%+v in step %s with %v open", p, s.Step, open)
	}
	if p := s.Playback; p.At < 0 || p.Duration < 0 || p.Volume < 0 || p.Volume > 100 {
		return fmt.Sprintf("%+v", p)
	}
	for i, codes := range s.Note.Codes() {
		for j, code := range codes {
			if s.Screening == nil || NoteLists[i].Word(code)["id"] == code || slices.Contains(codes[:j], code) {
				return fmt.Sprintf("noted %+v", s.Note)
			}
		}
	}
	if s.Screening != nil && (s.Screening.EndedAt != nil) != (s.Step == Ended) {
		return fmt.Sprintf("step %s, ended at %v", s.Step, s.Screening.EndedAt)
	}
	return ""
}

// phasesHold says what is wrong with the phases of a question: there is at most one round
// before and one after the film, with answers, opened on its side of the film, and of
// which nothing had been shown.
func phasesHold(s *State, q *QuestionState) string {
	had := map[RoundPhase]int{}
	for i, phase := range s.Phases(q) {
		r := q.Rounds[i]
		had[phase]++
		figure := phase == BeforeFilm || phase == AfterFilm
		switch {
		case (phase == NoRound) != (r.Answered() == 0),
			phase == AfterFilm && (s.Showing.Ended == 0 || r.Opened < s.Showing.Ended),
			phase == BeforeFilm && s.Showing.Ended != 0 && r.Opened > s.Showing.Began,
			figure && (r.TotalsShown || s.Spoilt(q) || q.ResultsAt != 0 && q.ResultsAt < r.Opened):
			return fmt.Sprintf("round %+v of %+v is in phase %q, the film %+v", r, q, phase, s.Showing)
		}
	}
	if had[BeforeFilm] > 1 || had[AfterFilm] > 1 {
		return fmt.Sprintf("%s: phases %v", q.ID, s.Phases(q))
	}
	return ""
}

func (m *model) roundHolds(s *State, question string, r Round) string {
	ballots, counts := 0, 0
	for _, n := range r.ByChannel {
		if n < 0 {
			return "a channel below zero"
		}
		ballots += n
	}
	for i, n := range r.Counts {
		if n < 0 || n > r.Ballots || (r.Hands != nil && r.Hands[i] > n) {
			return "a count that cannot be"
		}
		counts += n
	}
	voters := len(m.voters[fmt.Sprintf("%s/%d", question, r.N)])
	switch {
	case r.Skipped < 0 || ballots != r.Ballots:
		return "the channels do not add up"
	case r.ByChannel[ByPhone] != voters || s.Phones(question, r.N) != voters:
		return fmt.Sprintf("%d phones voted, %d stand", voters, s.Phones(question, r.N))
	case s.Asked(question).Kind != Several && counts+r.Skipped != r.Ballots:
		return "the options do not add up"
	case s.Asked(question).Kind == Several && counts < r.Ballots-r.Skipped-r.ByChannel[ByHands]:
		return "fewer choices than people who chose"
	}
	return ""
}

func TestAnyEvening(t *testing.T) {
	reached, evenings := map[string]int{}, 0
	rapid.Check(t, func(rt *rapid.T) {
		evenings++
		a := &anything{T: rt}
		e := newEvening(rt)
		m := &model{presses: map[Source][]string{}}
		if a.chance("planned", 90) {
			e.run(planned(func(p *PlanScreening) { p.Screening = "scr-0" }), MoveTo{pick(a, "begin", Steps[1:5]...)})
			m.presses, m.voters = map[Source][]string{}, map[string]map[string]bool{}
		}
		type kept struct {
			copy *State
			len  int
		}
		var copies []kept
		var sent []Envelope
		for range 10 + even.Draw(rt, "commands")%300 {
			a.clocks(e)
			before := len(e.journal)
			env := Envelope{
				From:      pick(a, "from", FromTouch, FromPhone, FromKeyboard, FromButtons, FromFacilitator),
				Screening: pick(a, "screening", "", "", "", "", "scr-0"),
				Command:   a.command(e.s),
			}
			if env.ID = e.envelope("", nil).ID; a.chance("no id", 1) {
				env.ID = ""
			}
			again := len(sent) > 0 && a.chance("again", 8)
			if again {
				env = pick(a, "which", sent...)
			}
			decidedBefore := slices.ContainsFunc(promised(e.journal), func(r Recorded) bool {
				return env.ID != "" && r.Command == env.ID && (e.s.Screening == nil || r.Screening == e.s.Screening.ID)
			})
			next := e.s.Next()
			got, no := e.send(env)
			sent = append(sent, env)
			switch {
			case decidedBefore && (len(got) > 0 || no != nil && no.Reason != WrongScreening):
				rt.Fatalf("%+v was decided before, and gave %v (%v)", env, got, no)
			case no != nil:
				if strings.ContainsAny(no.Message()["en"], "{}") {
					rt.Fatalf("%s: %v", no.Reason, no)
				}
			}
			for _, r := range e.journal[before:] {
				m.apply(r)
			}
			if wrong := m.holds(e.s); wrong != "" {
				rt.Fatalf("after %T %+v: %s", env.Command, env.Command, wrong)
			}
			if c, ok := next.Command, !again && env.ID != "" && env.Screening == ""; ok && c != nil && reflect.DeepEqual(c, env.Command) && no != nil {
				rt.Fatalf("Next proposed %T %+v, and it was refused: %v", c, c, no)
			}
			if a.chance("copy", 2) {
				copies = append(copies, kept{e.s.Copy(), len(e.journal)})
			}
		}
		for i, r := range e.journal {
			reached[r.Event.Kind()]++
			_, set := r.Event.(ClockSet)
			if i > 0 && !set && r.Stamp.At.Before(e.journal[i-1].Stamp.At) {
				rt.Fatalf("%s at %v is before the event before it", r.Event.Kind(), r.Stamp)
			}
			if r.Seq != int64(i+1) {
				rt.Fatalf("event %d has number %d", i+1, r.Seq)
			}
		}
		sameState(rt, "replay of the whole journal", replay(rt, e.journal), e.s)
		sameState(rt, "replay of what Journal.Replay promises", replay(rt, promised(e.journal)), e.s)
		for _, c := range copies {
			sameState(rt, "a copy changed after it was made", c.copy, replay(rt, e.journal[:c.len]).Copy())
		}
	})
	// The properties are worth something only where the evenings go everywhere.
	for _, name := range structs(t, "event.go", "Kind") {
		if reached[name] == 0 && evenings >= 100 && !t.Failed() {
			t.Errorf("no evening led to %s: the commands drawn are too tame", name)
		}
	}
}

// clocks lets time pass, and now and then more than that.
func (a *anything) clocks(e *evening) {
	switch n := even.Draw(a.T, "clocks") % 100; {
	case n < 40: // the same batch
	case n < 92:
		e.run(wait(pick(a, "wait", time.Millisecond, 700*time.Millisecond, 2*time.Second, time.Minute)))
	case n < 94:
		e.run(wall(eve.Add(time.Duration(a.number("wall")) * time.Hour)))
	case n < 96:
		e.now.Synced = !e.now.Synced
	case n < 98:
		e.run(restart{})
	default:
		e.run(reboot(pick(a, "boot", "boot-2", "boot-3", "boot-4")))
	}
}

// A copy and the state it was made from share no memory that Apply writes to.
func TestCopyStaysAsItWas(t *testing.T) {
	e := newEvening(t).run(plan(), MoveTo{Doors}, CountAttendee{"woman"}, CountAttendee{"man"},
		CountRow{"1", map[string]int{"woman": 3}}, CountRow{"2", map[string]int{"man": 3}}, RecordDisability{number(1)},
		MoveTo{PollBefore}, OpenQuestion{Question: "offer"}, from{FromTouch, offer("agent")},
		from{FromPhone, phone("offer", 1, "p1", "agent")}, CountHands{"offer", map[string]int{"police": 3}})
	c, want := e.s.Copy(), replay(t, e.journal).Copy()
	more := acts(
		UndoCount{}, CorrectAttendance{"girl", 3, "dobel"}, CountRow{"1", map[string]int{"woman": 9}}, CountRow{"2", nil},
		CountRow{"3", map[string]int{"girl": 2}}, RecordDisability{number(7)}, EditDetails{edited(func(d *Details) { d.Venue = "lain" })},
		from{FromPhone, phone("offer", 1, "p1", "police")}, from{FromPhone, phone("offer", 1, "p2")}, CountHands{"offer", nil},
		CloseQuestion{"offer"}, OpenQuestion{Question: "offer", NewRound: true}, from{FromPhone, phone("offer", 2, "p1", "police")},
		OpenDoors{}, CountAttendee{"boy"}, MoveTo{FilmStep}, PlayFilm{}, SeekFilm{30_000}, MoveTo{Ended},
	)
	for _, act := range more {
		e.run(act)
		sameState(t, fmt.Sprintf("the copy after %T", act), c, want)
	}
	e.run(NoteEvening{EveningNoted{Went: []string{"rain_on_roof"}}})
	ended, wantEnded := e.s.Copy(), replay(t, e.journal).Copy()
	e.run(NoteEvening{EveningNoted{Away: []string{"men"}}}, MoveTo{Discussion}, MoveTo{Ended}, planned(func(p *PlanScreening) { p.Screening = "scr-2" }))
	sameState(t, "the copy of the end", ended, wantEnded)
	if d := cmp.Diff(e.s.Screening.ID, "scr-2"); d != "" {
		t.Fatal(d)
	}
}
