package screening

import "slices"

// Suggestion is the one next thing to do in the run of the evening. Command is nil
// when there is nothing to press: the film is running, or a form must be filled in.
type Suggestion struct {
	Label    string // "open_doors": what the facilitator's screen calls it
	Command  Command
	Question string
}

// Next gives the facilitator's one next thing to do. It only proposes: every other
// command stays possible.
func (s *State) Next() Suggestion {
	if s.Screening == nil {
		return Suggestion{Label: "plan"}
	}
	move := func(to Step) Suggestion {
		label := map[Step]string{Doors: "open_doors", Ended: "end"}[to]
		if label == "" {
			label = "to_" + string(to)
		}
		return Suggestion{Label: label, Command: MoveTo{to}}
	}
	switch s.Step {
	case SetUp:
		return move(Doors)
	case Doors:
		if s.nextQuestion(PollBefore) == "" {
			return move(FilmStep)
		}
		return move(PollBefore)
	case PollBefore:
		return s.nextInPoll(move(FilmStep))
	case FilmStep:
		return s.nextInFilm(move(Discussion))
	case Discussion:
		return s.nextInPoll(move(Closing))
	case Closing:
		return move(Ended)
	}
	return Suggestion{Label: "plan_again"}
}

func (s *State) nextInPoll(done Suggestion) Suggestion {
	if q := s.Question(s.Current); q != nil {
		if q.Phase == Open {
			return Suggestion{"close_question", CloseQuestion{q.ID}, q.ID}
		}
		if show := s.nextToShow(q); show != nil {
			return *show
		}
	}
	if id := s.nextQuestion(s.Step); id != "" {
		return Suggestion{"open_question", OpenQuestion{Question: id}, id}
	}
	return done
}

// nextToShow proposes the bars, then the right answer: in between people can talk and
// vote again without knowing it. It is nil when there is no more to show now.
func (s *State) nextToShow(q *QuestionState) *Suggestion {
	switch {
	case !s.MayShowResults(q.ID):
	case q.Phase == Closed:
		return &Suggestion{"show_results", ShowResults{q.ID}, q.ID}
	case q.Phase == Counted && s.Asked(q.ID).HasAnswer():
		return &Suggestion{"reveal_question", RevealQuestion{q.ID}, q.ID}
	}
	return nil
}

// nextQuestion gives the first question of the step that has had no round in it.
func (s *State) nextQuestion(step Step) string {
	for i, q := range s.Screening.Programme.Questions {
		asked := slices.ContainsFunc(s.Questions[i].Rounds, func(r Round) bool { return r.Step == step })
		if slices.Contains(q.Ask, step) && !asked {
			return q.ID
		}
	}
	return ""
}

func (s *State) nextInFilm(done Suggestion) Suggestion {
	p, film := &s.Playback, &s.Screening.Programme.Film
	if q := s.Question(s.Current); q != nil {
		if q.Phase == Open {
			return Suggestion{"close_question", CloseQuestion{q.ID}, q.ID}
		}
		if show := s.nextToShow(q); show != nil {
			return *show
		}
		return Suggestion{"dismiss_question", DismissQuestion{}, q.ID}
	}
	switch {
	case film.Missing, p.Finished:
		return done
	case p.Playing:
		return Suggestion{Label: "film_running"}
	case p.Interrupted:
		return Suggestion{Label: "resume_film", Command: PlayFilm{}}
	}
	if p.HaltedAt != nil && *p.HaltedAt >= 0 && *p.HaltedAt < len(film.PausePoints) {
		id := film.PausePoints[*p.HaltedAt].Question
		if q := s.Question(id); q != nil && !slices.ContainsFunc(q.Rounds, func(r Round) bool { return r.Step == FilmStep }) {
			return Suggestion{"open_question", OpenQuestion{Question: id}, id}
		}
	}
	return Suggestion{Label: "play_film", Command: PlayFilm{}}
}

// GoingOn says whether there is a screening that has not ended.
func (s *State) GoingOn() bool { return s.Screening != nil && s.Step != Ended }

// FilmAtWork says whether the film runs now: what would make the disk or the machine
// slow should wait until it halts.
func (s *State) FilmAtWork() bool { return s.Playback.Playing }
