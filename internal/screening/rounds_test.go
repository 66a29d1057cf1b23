package screening_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	. "mimpi-kiosk/internal/screening"
)

// answers has one more person answer the newest round of "offer", and closes it.
type answers int

// do carries out acts, ballots and film among them.
func (e *evening) do(all ...any) *evening {
	e.t.Helper()
	for _, a := range all {
		switch a := a.(type) {
		case answers:
			for range int(a) {
				e.sent++
				e.run(from{FromPhone, phone("offer", len(e.s.Question("offer").Rounds), string(rune('a'+e.sent)), "police")})
			}
		case filmTo: // plays on up to there
			e.run(from{FromPlayer, NotePosition{e.s.Playback.Epoch, Millis(a), 600_000}})
		case filmEnds:
			e.run(from{FromPlayer, FinishFilm{e.s.Playback.Epoch, 600_000}})
		case []any:
			e.do(a...)
		default:
			e.run(a)
		}
	}
	return e
}

type (
	filmTo   Millis
	filmEnds struct{}
)

var (
	open      = OpenQuestion{Question: "offer"}
	openAgain = OpenQuestion{Question: "offer", NewRound: true}
	closed    = CloseQuestion{"offer"}
	bars      = ShowResults{"offer"}
	reveal    = RevealQuestion{"offer"}

	poll  = acts(MoveTo{PollBefore}, open, answers(2), closed)
	whole = acts(MoveTo{FilmStep}, PlayFilm{}, filmEnds{}, MoveTo{Discussion})
	talk  = acts(open, answers(3), closed)
)

func TestPhasesOfRounds(t *testing.T) {
	const none, before, after, talked = NoRound, BeforeFilm, AfterFilm, AfterTalking
	for name, c := range map[string]struct {
		acts []any
		want []RoundPhase
	}{
		"before and after":                  {acts(poll, whole, talk), []RoundPhase{before, after}},
		"vote, see the bars, talk, again":   {acts(poll, whole, talk, bars, open, answers(3), closed, reveal), []RoundPhase{before, after, talked}},
		"vote, see the answer, vote again":  {acts(poll, whole, talk, bars, reveal, open, answers(3), closed), []RoundPhase{before, after, talked}},
		"again without having seen a thing": {acts(poll, whole, talk, openAgain, answers(3), closed), []RoundPhase{before, after, talked}},
		"reopened":                          {acts(poll, whole, talk, open, answers(1), closed), []RoundPhase{before, after}},
		"reopened before the film":          {acts(poll, open, answers(1), closed, whole, talk), []RoundPhase{before, after}},
		"twice before the film":             {acts(poll, openAgain, answers(2), closed, whole, talk), []RoundPhase{before, talked, after}},
		"nobody answered at first":          {acts(poll, whole, open, closed, openAgain, answers(3), closed), []RoundPhase{before, none, after}},
		"nobody answered before the film":   {acts(MoveTo{PollBefore}, open, closed, openAgain, answers(1), closed, whole, talk), []RoundPhase{none, before, after}},
		"skipping is no answer": {acts(poll, whole, open, from{FromPhone, phone("offer", 2, "x")}, closed, openAgain, answers(3), closed),
			[]RoundPhase{before, none, after}},
		"nobody answered, the answer was shown": {acts(poll, whole, open, closed, reveal, open, answers(3), closed), []RoundPhase{before, none, talked}},
		"nobody answered, the bars were shown":  {acts(poll, whole, open, closed, bars, open, answers(3), closed), []RoundPhase{before, none, talked}},
		"raised hands only":                     {acts(poll, whole, open, closed, CountHands{"offer", map[string]int{"police": 4}}), []RoundPhase{before, after}},
		"the power fails in the round":          {acts(poll, whole, open, answers(2), reboot("b2"), answers(1), closed), []RoundPhase{before, after}},
		"the power fails, then reopened":        {acts(poll, whole, talk, reboot("b2"), open, answers(1), closed), []RoundPhase{before, after}},

		// Running totals.
		"running totals while open":       {acts(poll, whole, open, answers(1), ShowRunningTotals{true}, answers(2), closed), []RoundPhase{before, talked}},
		"running totals from the start":   {acts(poll, whole, ShowRunningTotals{true}, talk), []RoundPhase{before, talked}},
		"running totals for a moment":     {acts(poll, whole, open, ShowRunningTotals{true}, ShowRunningTotals{false}, answers(2), closed), []RoundPhase{before, talked}},
		"running totals of another":       {acts(poll, whole, ShowRunningTotals{true}, OpenQuestion{Question: "signs"}, CloseQuestion{"signs"}, ShowRunningTotals{false}, talk), []RoundPhase{before, after}},
		"running totals when closed":      {acts(poll, whole, talk, ShowRunningTotals{true}, reveal), []RoundPhase{before, after}},
		"closed, totals seen, reopened":   {acts(poll, whole, talk, ShowRunningTotals{true}, ShowRunningTotals{false}, open, answers(1), closed), []RoundPhase{before, talked}},
		"closed, totals seen, hands":      {acts(poll, whole, talk, ShowRunningTotals{true}, CountHands{"offer", map[string]int{"police": 1}}), []RoundPhase{before, talked}},
		"a clean round after running":     {acts(poll, whole, ShowRunningTotals{true}, talk, ShowRunningTotals{false}, openAgain, answers(2), closed), []RoundPhase{before, talked, talked}},
		"nobody answered while they were": {acts(poll, whole, ShowRunningTotals{true}, open, closed, ShowRunningTotals{false}, openAgain, answers(2), closed), []RoundPhase{before, none, after}},

		// The film.
		"no film": {acts(poll, MoveTo{Discussion}, talk), []RoundPhase{before, talked}},
		"the film was not shown to its end": {acts(poll, MoveTo{FilmStep}, PlayFilm{}, filmTo(400_000), MoveTo{Discussion}, talk),
			[]RoundPhase{before, talked}},
		"only the credits are missing": {acts(poll, MoveTo{FilmStep}, PlayFilm{}, filmTo(545_000), MoveTo{Discussion}, talk), []RoundPhase{before, after}},
		"most of the film was skipped": {acts(poll, MoveTo{FilmStep}, PlayFilm{}, SeekFilm{590_000}, filmEnds{}, MoveTo{Discussion}, talk),
			[]RoundPhase{before, talked}},
		"a moment was skipped": {acts(poll, MoveTo{FilmStep}, PlayFilm{}, filmTo(100_000), SeekFilm{130_000}, filmEnds{}, MoveTo{Discussion}, talk),
			[]RoundPhase{before, after}},
		"a scene was seen twice": {acts(poll, MoveTo{FilmStep}, PlayFilm{}, filmTo(300_000), SeekFilm{100_000}, filmEnds{}, MoveTo{Discussion}, talk),
			[]RoundPhase{before, after}},
		"the first half twice is not the film": {acts(poll, MoveTo{FilmStep}, PlayFilm{}, filmTo(300_000), SeekFilm{0}, filmTo(300_000), SeekFilm{599_000}, filmEnds{}, MoveTo{Discussion}, talk),
			[]RoundPhase{before, talked}},
		"the power fails in the film": {acts(poll, MoveTo{FilmStep}, PlayFilm{}, filmTo(300_000), reboot("b2"), PlayFilm{}, filmEnds{}, MoveTo{Discussion}, talk),
			[]RoundPhase{before, after}},
		"the film was tried before the evening": {acts(MoveTo{FilmStep}, PlayFilm{}, filmTo(20_000), PauseFilm{}, MoveTo{Doors}, poll, whole, talk),
			[]RoundPhase{before, after}},
		"its end was tried before the evening": {acts(MoveTo{FilmStep}, PlayFilm{}, filmTo(2_000), SeekFilm{590_000}, filmEnds{}, MoveTo{Doors}, poll, whole, talk),
			[]RoundPhase{before, after}},
		"the film was broken off, then shown whole": {acts(poll, MoveTo{FilmStep}, PlayFilm{}, filmTo(200_000), PauseFilm{}, SeekFilm{0}, PlayFilm{}, filmEnds{}, MoveTo{Discussion}, talk),
			[]RoundPhase{before, after}},
		"the film twice: the first counts":     {acts(poll, whole, talk, whole, talk), []RoundPhase{before, after, talked}},
		"asked after the first showing only":   {acts(poll, whole, whole, talk), []RoundPhase{before, after}},
		"asked where the film step was chosen": {acts(MoveTo{FilmStep}, open, answers(2), closed, PlayFilm{}, filmEnds{}, MoveTo{Discussion}, talk), []RoundPhase{before, after}},
		"asked in the film step before and in it": {acts(MoveTo{FilmStep}, open, answers(2), closed, PlayFilm{}, filmTo(9_000), talk, DismissQuestion{}, PlayFilm{}, filmEnds{}, talk),
			[]RoundPhase{before, talked, after}},
		"asked in the middle of the film": {acts(poll, MoveTo{FilmStep}, PlayFilm{}, filmTo(300_000), open, answers(2), closed, DismissQuestion{}, PlayFilm{}, filmEnds{}, MoveTo{Discussion}, talk),
			[]RoundPhase{before, talked, after}},
		"asked at once when the film is over": {acts(poll, MoveTo{FilmStep}, PlayFilm{}, filmEnds{}, talk, MoveTo{Discussion}, talk), []RoundPhase{before, after, talked}},
		"back in the poll after the film":     {acts(poll, whole, MoveTo{PollBefore}, talk), []RoundPhase{before, after}},
		"talked before the film":              {acts(MoveTo{Discussion}, talk, whole, talk), []RoundPhase{talked, after}},

		// The answer was shown before the film had ended: here after a talk without the film.
		"the answer was known before the film": {acts(poll, MoveTo{Discussion}, bars, reveal, whole, talk), []RoundPhase{talked, talked}},
		"the bars were known before the film":  {acts(poll, MoveTo{Discussion}, bars, whole, talk), []RoundPhase{before, talked}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEvening(t).run(plan(), MoveTo{Doors}).do(c.acts...)
			if d := cmp.Diff(c.want, e.s.Phases(e.s.Question("offer"))); d != "" {
				t.Errorf("phases (-want +got):\n%s", d)
			}
			// The journal alone says the same.
			again := replay(t, e.journal)
			if d := cmp.Diff(c.want, again.Phases(again.Question("offer"))); d != "" {
				t.Errorf("phases of the journal (-want +got):\n%s", d)
			}
		})
	}
}

// An older kiosk let answers be shown before the film; its journal says so.
func TestAnswerShownBeforeTheFilm(t *testing.T) {
	e := newEvening(t).run(plan(), MoveTo{Doors}).do(poll)
	e.journal = append(e.journal, Recorded{Seq: e.s.Seq + 1, Stamp: e.s.Last, Screening: e.s.Screening.ID, Event: QuestionRevealed{"offer", 1}})
	e.s.Apply(e.journal[len(e.journal)-1])
	q := e.s.Question("offer")
	if !e.s.Spoilt(q) || e.s.Phases(q)[0] != AfterTalking {
		t.Errorf("no film yet: spoilt %t, phases %q", e.s.Spoilt(q), e.s.Phases(q))
	}
	if e.s.MayShowResults("offer") {
		t.Error("the answer may go on being shown before the film")
	}
	e.do(whole, talk)
	q = e.s.Question("offer")
	if got := e.s.Phases(q); !e.s.Spoilt(q) || !cmp.Equal(got, []RoundPhase{AfterTalking, AfterTalking}) {
		t.Errorf("spoilt %t, phases %q", e.s.Spoilt(q), got)
	}
	if other := e.s.Question("signs"); e.s.Spoilt(other) {
		t.Error("another question is spoilt too")
	}
}
