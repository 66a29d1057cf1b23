package screening

// RoundPhase says which figure of a question a round belongs to. Every output takes it
// from [State.Phases]; the view all_poll_results of the journal follows the same rule.
type RoundPhase string

const (
	NoRound      RoundPhase = ""              // nobody answered
	BeforeFilm   RoundPhase = "before"        // the first round before the film
	AfterFilm    RoundPhase = "after"         // the first round after the film
	AfterTalking RoundPhase = "after_talking" // every other: asked again, asked in the middle of the film, or the hall had seen results
)

// RoundPhases lists the phases that have figures, in the order of the evening.
var RoundPhases = []RoundPhase{BeforeFilm, AfterFilm, AfterTalking}

// Showing is the first whole showing of the film: both are Seqs, and both are 0 while
// there was none. A showing is whole when the film came to its end and at least nine
// tenths of its length had been played, also in several parts. Began is the latest
// moment from which that holds, so that a trial before the evening is no part of it.
type Showing struct {
	Began, Ended int64
}

// Phases gives the phase of each round of a question, in the order of q.Rounds.
//
// Of a question there is at most one round before and one after the film: the first with
// an answer, if the hall had seen no bars and no right answer of the question when it
// was opened, and no running totals while it was open. A reopened question is the same
// round. Once the right answer was shown before the film had ended, the question has
// neither figure (see [State.Spoilt]).
func (s *State) Phases(q *QuestionState) []RoundPhase {
	out := make([]RoundPhase, len(q.Rounds))
	had := map[RoundPhase]bool{}
	for i := range q.Rounds {
		r := &q.Rounds[i]
		if r.Answered() < 1 {
			continue
		}
		out[i] = AfterTalking
		phase := s.phaseByTime(r)
		seen := q.ResultsAt != 0 && q.ResultsAt < r.Opened
		if phase != AfterTalking && !had[phase] && !seen && !r.TotalsShown && !s.Spoilt(q) {
			out[i] = phase
		}
		had[phase] = true
	}
	return out
}

func (s *State) phaseByTime(r *Round) RoundPhase {
	film := s.Showing
	switch {
	case film.Ended != 0 && r.Opened > film.Ended:
		return AfterFilm
	case film.Ended != 0 && r.Opened > film.Began:
		return AfterTalking
	case r.Step.before(FilmStep), r.Step == FilmStep && !r.FilmBegun:
		return BeforeFilm
	}
	return AfterTalking
}

// filmSince says whether people have seen the film, or some of it, since a round of this
// step was opened. A trial of the film before the evening is not meant.
func (s *State) filmSince(r *Round) bool {
	return r.Opened < s.Showing.Ended || !r.Step.before(FilmStep) && r.Opened < s.FilmPlayedAt
}

// Spoilt says that the right answer of a question was shown before the film had ended,
// so that the question has no figures before and after the film.
func (s *State) Spoilt(q *QuestionState) bool {
	if s.Showing.Ended != 0 {
		return q.AnswerAt != 0 && q.AnswerAt < s.Showing.Ended
	}
	return q.AnswerAt != 0 && !FilmStep.before(q.AnswerIn)
}

// Answered is how many people chose anything.
func (r *Round) Answered() int { return r.Ballots - r.Skipped }

// MayShowResults says whether bars and right answer of a question may be on any screen
// now: not before the film, nor while the run of the evening asks the question again in
// a later step.
func (s *State) MayShowResults(question string) bool {
	return !s.beforeFilm() && !s.AskedLater(question)
}

func (s *State) beforeFilm() bool {
	return s.Step.before(FilmStep) || s.Step == FilmStep && s.FilmPlayedAt == 0
}

// HasAnswer says whether there is something to show of a question beside the bars.
func (q *Question) HasAnswer() bool {
	for _, o := range q.Options {
		if o.Right {
			return true
		}
	}
	return len(q.Explanation) > 0
}

// filmMove is an event that moves, halts or starts the film: where it was before it and
// where it goes on from. In between two moves the film can only have been played.
type filmMove struct {
	seq          int64
	before, goOn Millis
}

// moveFilm notes a move, and at the end of the film whether that was the first whole showing.
func (s *State) moveFilm(seq int64, e Event) {
	m := filmMove{seq: seq}
	switch e := e.(type) {
	case FilmPlayed:
		m.before, m.goOn, s.FilmPlayedAt = e.At, e.At, seq
	case FilmPaused:
		m.before, m.goOn = e.At, e.At
	case FilmSought:
		m.before, m.goOn = e.From, e.To
	case FilmFinished:
		m.before, m.goOn = e.At, e.At
	default:
		return
	}
	if s.Showing.Ended != 0 {
		return
	}
	s.own.film = append(s.own.film, m)
	if _, end := e.(FilmFinished); end {
		if began := wholeSince(s.own.film); began != 0 {
			s.Showing, s.own.film = Showing{Began: began, Ended: seq}, nil
		}
	}
}

// wholeSince gives the Seq of the latest move from which nine tenths of the film were
// played up to its end, which is the last move; 0 when they were not. Parts that were
// played twice count once.
func wholeSince(moves []filmMove) int64 {
	last := len(moves) - 1
	length := moves[last].before
	played, lowest := Millis(0), length
	for i := last - 1; i >= 0; i-- {
		from, to := moves[i].goOn, moves[i+1].before
		played += max(0, min(to, lowest)-from)
		if to > from {
			lowest = min(lowest, from)
		}
		if played >= length-length/10 {
			return moves[i].seq
		}
	}
	return 0
}

// atTheEnd says whether no more than the last tenth of the film is left, which is mostly
// its credits: who leaves the film there has shown it to its end.
func (p *Playback) atTheEnd() bool {
	return !p.Finished && p.Duration > 0 && p.At >= p.Duration-p.Duration/10
}
