package screening

import "slices"

// Apply adds a recorded event to the state. Events that Decide made always apply;
// what cannot apply (a journal made by other hands) changes nothing but Seq.
func (s *State) Apply(r Recorded) {
	s.Seq = r.Seq
	before := s.Last
	s.Last = r.Stamp
	switch e := r.Event.(type) {
	case KioskStarted:
		s.Kiosk = e.Kiosk
		if before.Boot != r.Stamp.Boot && s.Playback.Playing {
			// The machine went down with the film running: it waits for the facilitator.
			s.Playback.Playing, s.Playback.Interrupted = false, true
		}
	case ClockSet: // its stamp says it all
	case ScreeningPlanned:
		p := e.Programme
		s.Screening = &Screening{
			ID: e.Screening, Details: e.Details, Rehearsal: e.Rehearsal,
			Programme: &p, PlannedAt: r.Stamp,
		}
		s.clearScreening(&p)
		s.Playback.SoundLag = e.SoundLag
	case ExportWritten: // of the journal, for those who look after the kiosk
	default:
		if s.Screening != nil {
			s.applyToScreening(r)
		}
	}
	if r.Command != "" {
		s.own.seen[r.Command] = struct{}{}
	}
}

func (s *State) applyToScreening(r Recorded) {
	switch e := r.Event.(type) {
	case DetailsEdited:
		s.Screening.Details = e.Details
	case StepChanged:
		s.Step, s.Current = e.To, ""
		s.Stage.Page = PageAuto
		if s.Screening.EndedAt = nil; e.To == Ended {
			at := r.Stamp
			s.Screening.EndedAt = &at
		}
	case DoorsOpened:
		s.DoorsOpen = true
	case DoorsClosed:
		s.DoorsOpen = false
	case RunningTotalsShown:
		s.applyTotals(r.Seq, e.Show)
	case PhonesAllowed:
		s.NoPhones = !e.Allow
	case StageSet:
		s.Stage = Stage(e)
	case QuestionReadAloud:
		s.ReadAloud = r.Seq
	case AttendeeCounted, CountUndone, AttendanceCorrected, RowCounted, DisabilityRecorded:
		s.applyAttendance(r)
	case PressesLost, PressesSuspected, DoubtSettled:
		s.Attendance.applyDoubt(r)
	case QuestionOpened, QuestionClosed, ResultsShown, QuestionRevealed, QuestionDismissed, BallotCast, HandsCounted:
		s.applyQuestion(r)
	case FilmShown:
		s.Shown.add(e)
	case EveningNoted:
		s.Note = e
	case FilmPlayerChosen: // of the journal, for those who look after the kiosk
	default:
		s.moveFilm(r.Seq, e)
		s.Playback.apply(r.Seq, e)
	}
}

func (s *State) applyAttendance(r Recorded) {
	a := &s.Attendance
	switch e := r.Event.(type) {
	case AttendeeCounted:
		c := a.category(e.Category)
		if c == nil {
			return
		}
		c.Pressed++
		p := Press{Seq: r.Seq, Category: e.Category, From: r.From}
		s.own.presses[r.From] = append(s.own.presses[r.From], p)
		a.Undo[r.From], a.LastPress = e.Category, &p
		if r.From == FromButtons {
			s.own.hear(r.Stamp, e.Edge)
		}
	case CountUndone:
		c, presses := a.category(e.Category), s.own.presses[r.From]
		i := lastPress(presses, e.Category)
		if c == nil || i < 0 {
			return
		}
		c.Pressed--
		c.Undone++
		presses = slices.Delete(presses, i, i+1)
		s.own.presses[r.From] = presses
		if a.LastPress != nil && a.LastPress.Seq == e.Of {
			a.LastPress = nil
		}
		if len(presses) == 0 {
			delete(a.Undo, r.From)
			return
		}
		a.Undo[r.From] = presses[len(presses)-1].Category
	case AttendanceCorrected:
		if c := a.category(e.Category); c != nil {
			c.Corrected += e.Delta
		}
	case RowCounted:
		i := slices.IndexFunc(a.Rows, func(w Row) bool { return w.Name == e.Row })
		if i >= 0 {
			a.addRow(a.Rows[i].Counts, -1)
		}
		a.addRow(e.Counts, +1)
		switch {
		case allZero(e.Counts) && i >= 0:
			a.Rows = slices.Delete(slices.Clone(a.Rows), i, i+1)
		case i >= 0:
			a.Rows = slices.Clone(a.Rows)
			a.Rows[i].Counts = e.Counts
		case !allZero(e.Counts):
			a.Rows = append(slices.Clip(a.Rows), Row{Name: e.Row, Counts: e.Counts})
		}
	case DisabilityRecorded:
		a.Disability = e.Count
	}
}

func (a *Attendance) addRow(counts map[string]int, sign int) {
	for id, n := range counts {
		if c := a.category(id); c != nil {
			c.Rows += sign * n
		}
	}
}

func allZero(counts map[string]int) bool {
	for _, n := range counts {
		if n != 0 {
			return false
		}
	}
	return true
}

func (s *State) applyQuestion(r Recorded) {
	switch e := r.Event.(type) {
	case QuestionOpened:
		q, asked := s.Question(e.Question), s.Asked(e.Question)
		if q == nil {
			return
		}
		if e.Round == len(q.Rounds)+1 {
			q.Rounds = append(q.Rounds, Round{
				N: e.Round, Step: s.Step,
				Counts: make([]int, len(asked.Options)), ByChannel: map[Channel]int{},
				Opened: r.Seq, FilmBegun: s.FilmPlayedAt != 0,
			})
		}
		s.noteTotals(q.round(e.Round))
		q.Phase, s.Current = Open, e.Question
		s.Stage.Page = PageAuto
	case QuestionClosed:
		if q := s.Question(e.Question); q != nil {
			q.Phase = Closed
			s.noteTotals(q.round(e.Round))
		}
	case ResultsShown:
		if q := s.Question(e.Question); q != nil {
			q.Phase, s.Current = Counted, e.Question
			q.resultsShown(r.Seq)
			s.Stage.Page = PageAuto
		}
	case QuestionRevealed:
		if q := s.Question(e.Question); q != nil {
			q.Phase, s.Current = Revealed, e.Question
			q.resultsShown(r.Seq)
			if q.AnswerAt == 0 {
				q.AnswerAt, q.AnswerIn = r.Seq, s.Step
			}
			s.Stage.Page = PageAuto
		}
	case QuestionDismissed:
		s.Current = ""
	case BallotCast:
		s.applyBallot(r, e)
	case HandsCounted:
		q, asked := s.Question(e.Question), s.Asked(e.Question)
		if q == nil {
			return
		}
		if round := q.round(e.Round); round != nil {
			round.setHands(asked, e.Counts)
			s.noteTotals(round)
		}
	}
}

func (q *QuestionState) resultsShown(seq int64) {
	if q.ResultsAt == 0 {
		q.ResultsAt = seq
	}
}

// applyTotals switches the running totals on or off.
func (s *State) applyTotals(seq int64, show bool) {
	if s.ShowRunning && !show {
		s.own.totals = seq
	}
	s.ShowRunning = show
	for i := range s.Questions {
		if q := &s.Questions[i]; q.Phase == Open {
			s.noteTotals(q.newest())
		}
	}
}

// noteTotals marks a round in which somebody answers, or may have answered just now, if
// running totals were switched on at any time since it was opened.
func (s *State) noteTotals(r *Round) {
	if r != nil && (s.ShowRunning || s.own.totals > r.Opened) {
		r.TotalsShown = true
	}
}

func (s *State) applyBallot(r Recorded, e BallotCast) {
	q, asked := s.Question(e.Question), s.Asked(e.Question)
	if q == nil {
		return
	}
	round := q.round(e.Round)
	if round == nil {
		return
	}
	choices := asked.indexes(e.Choices)
	if e.Channel == ByPhone {
		key := ballotKey{e.Question, e.Round, e.Voter}
		if old, ok := s.own.phones[key]; ok {
			round.add(e.Channel, old.choices, -1)
		}
		s.own.phones[key] = standingBallot{seq: r.Seq, choices: choices}
	}
	if e.Channel == ByTouch {
		at := r.Stamp
		s.own.touched = &at
	}
	if e.Channel == ByButton {
		at := r.Stamp
		s.own.pressed = &at
		s.own.hear(r.Stamp, 0)
	}
	round.add(e.Channel, choices, +1)
}

// indexes gives the places of the options named, in the question's order.
func (q *Question) indexes(ids []string) []int {
	var out []int
	for i, o := range q.Options {
		if slices.Contains(ids, o.ID) {
			out = append(out, i)
		}
	}
	return out
}

func (r *Round) add(by Channel, choices []int, sign int) {
	r.Ballots += sign
	r.ByChannel[by] += sign
	if len(choices) == 0 {
		r.Skipped += sign
	}
	for _, i := range choices {
		r.Counts[i] += sign
	}
}

// setHands replaces the raised hands of the round. Where a hand may be raised for
// several options the people are at least as many as the most raised option.
func (r *Round) setHands(q *Question, counts map[string]int) {
	hands, people := make([]int, len(q.Options)), 0
	for i, o := range q.Options {
		hands[i] = counts[o.ID]
		if q.Kind == Several {
			people = max(people, hands[i])
		} else {
			people += hands[i]
		}
	}
	for i, n := range r.Hands {
		r.Counts[i] -= n
	}
	for i, n := range hands {
		r.Counts[i] += n
	}
	r.Ballots += people - r.ByChannel[ByHands]
	r.ByChannel[ByHands] = people
	r.Hands = hands
	if people == 0 {
		r.Hands = nil
		delete(r.ByChannel, ByHands)
	}
}

func (p *Playback) apply(seq int64, e Event) {
	switch e := e.(type) {
	case FilmPlayed:
		if e.At != p.At {
			p.Epoch, p.Passed = seq, 0
		}
		p.At, p.Playing, p.HaltedAt, p.Finished, p.Interrupted = e.At, true, nil, false, false
	case FilmPaused:
		p.At, p.Playing, p.HaltedAt = e.At, false, e.PausePoint
		if e.PausePoint != nil {
			p.Passed = *e.PausePoint + 1
		}
	case FilmSought:
		p.Epoch, p.Passed = seq, 0
		p.At, p.HaltedAt, p.Finished = e.To, nil, false
	case FilmPositionNoted:
		p.At, p.Duration = e.At, e.Duration
	case FilmFinished:
		p.At, p.Playing, p.Finished = e.At, false, true
	case VolumeSet:
		p.Volume = e.Percent
	case SubtitlesSet:
		p.Subtitles = e.Lang
	case PausePointsUsed:
		p.UsePausePoints = e.Use
	case SoundLagSet:
		p.SoundLag = e.Lag
	}
}

func (s *Shown) add(e FilmShown) {
	s.Player, s.Decoder = e.Player, e.Decoder
	s.Played += e.Played
	s.Dropped += e.Dropped
	s.DroppedByDecoder += e.DroppedByDecoder
	s.Late += e.Late
	s.Restarts += e.Restarts
}
