package screening

import "slices"

// What GPIO buttons say, and what the facilitator makes of it when presses were lost or
// may be phantoms: counts never lie silently.

func (s *State) decidePress(from Source, c Command, now Stamp) ([]Event, *Refusal) {
	switch c := c.(type) {
	case PressButton:
		return s.decideButton(from, c, now)
	case ReportLostPresses:
		return s.decideLost(c, now)
	case SuspectPresses:
		if len(c.Commands) == 0 || !s.presses(c.Press) {
			return nil, nil
		}
		e := PressesSuspected{Presses: len(c.Commands), Category: c.Press.Category, Undo: c.Press.Undo, Commands: c.Commands}
		if q := s.asksButtons(c.Press); q != nil {
			e.Question, e.Category, e.Undo, e.Commands = q.ID, "", false, nil // whose ballot it was stays unsaid
		}
		return events(e)
	case SettleDoubt:
		return s.decideSettle(c)
	}
	panic("unreachable")
}

func (s *State) decideButton(from Source, c PressButton, now Stamp) ([]Event, *Refusal) {
	if q := s.asksButtons(c); q != nil {
		options := s.Asked(q.ID).Options
		switch {
		case c.Undo:
			return nil, refuse(NothingToUndo) // a ballot is not taken back
		case len(options) > c.Places:
			return nil, refuse(MoreThanButtons)
		case c.Place < 1 || c.Place > len(options):
			return nil, refuse(UnknownOption)
		}
		return s.decideBallot(CastBallot{
			Question: q.ID, Round: q.newest().N, Choices: []string{options[c.Place-1].ID}, Channel: ByButton,
		}, now)
	}
	if c.Undo {
		return s.decideAttendance(from, UndoCount{c.Category})
	}
	counted, no := s.decideAttendance(from, CountAttendee{c.Category})
	if no != nil {
		return nil, no
	}
	counted[0] = AttendeeCounted{Category: c.Category, Edge: c.Edge}
	return counted, nil
}

// asksButtons gives the open question when this press would be an answer to it.
func (s *State) asksButtons(c PressButton) *QuestionState {
	if c.Places == 0 {
		return nil
	}
	return s.openQuestion()
}

// presses says whether a press like this would have come to something now.
func (s *State) presses(c PressButton) bool { return s.DoorsOpen || s.asksButtons(c) != nil }

func (s *State) decideLost(c ReportLostPresses, now Stamp) ([]Event, *Refusal) {
	if !s.presses(c.Press) {
		return nil, nil
	}
	if c.Why == Unheard {
		// Where no button was ever pressed there may be none.
		heard := s.own.heard
		if heard == nil {
			return nil, nil
		}
		since := c.Since
		if since == 0 && heard.Boot == now.Boot {
			since = heard.Mono
		}
		return events(PressesLost{Why: Unheard, Unheard: max(now.Mono-since, 0)})
	}
	if c.Presses < 1 {
		return nil, nil
	}
	e := PressesLost{Presses: c.Presses, Category: c.Press.Category, Undo: c.Press.Undo, Why: c.Why}
	if q := s.asksButtons(c.Press); q != nil {
		e.Question, e.Category, e.Undo = q.ID, "", false
	}
	return events(e)
}

func (s *State) decideSettle(c SettleDoubt) ([]Event, *Refusal) {
	i := slices.IndexFunc(s.Attendance.Doubts, func(d Doubt) bool { return d.Seq == c.Doubt })
	if i < 0 {
		return nil, refuse(UnknownDoubt)
	}
	d := s.Attendance.Doubts[i]
	if !c.Correct || d.Correction() == 0 {
		return events(DoubtSettled{Of: d.Seq})
	}
	reason := "button presses lost"
	if d.Why == "" {
		reason = "phantom button presses"
	}
	corrected, no := s.decideAttendance(FromFacilitator, CorrectAttendance{d.Category, d.Correction(), reason})
	if no != nil {
		return nil, no
	}
	return append(corrected, DoubtSettled{Of: d.Seq, Delta: d.Correction()}), nil
}

func (a *Attendance) applyDoubt(r Recorded) {
	d := Doubt{Seq: r.Seq, At: r.Stamp}
	switch e := r.Event.(type) {
	case PressesLost:
		d.Presses, d.Category, d.Undo, d.Question, d.Why, d.Unheard = e.Presses, e.Category, e.Undo, e.Question, e.Why, e.Unheard
	case PressesSuspected:
		d.Presses, d.Category, d.Undo, d.Question = e.Presses, e.Category, e.Undo, e.Question
	case DoubtSettled:
		a.Doubts = slices.DeleteFunc(slices.Clone(a.Doubts), func(o Doubt) bool { return o.Seq == e.Of })
		return
	}
	i := slices.IndexFunc(a.Doubts, func(o Doubt) bool {
		return o.Category == d.Category && o.Undo == d.Undo && o.Question == d.Question && o.Why == d.Why
	})
	if i >= 0 {
		d.Presses += a.Doubts[i].Presses
		d.Unheard += a.Doubts[i].Unheard
		a.Doubts = slices.Delete(slices.Clone(a.Doubts), i, i+1)
	}
	a.Doubts = append(slices.Clip(a.Doubts), d)
}

// lastPress gives the place of the last press of a category, or of the last press
// when category is "", or -1.
func lastPress(presses []Press, category string) int {
	for i := len(presses) - 1; i >= 0; i-- {
		if category == "" || presses[i].Category == category {
			return i
		}
	}
	return -1
}

// hear notes that the buttons were listened to.
func (l *ledger) hear(saved Stamp, edge Millis) {
	if edge > 0 {
		saved.Mono = edge
	}
	l.heard = &saved
}
