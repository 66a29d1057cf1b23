package screening

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Reading is what the machine's clocks say at one moment.
type Reading struct {
	Wall   time.Time // the machine's wall clock, right or wrong
	Boot   string    // id of this boot
	Mono   Millis    // since that boot
	Synced bool      // the wall clock is synchronised over the network
	RTC    bool      // the wall clock came from a real-time clock with a battery
}

// source says how the wall clock is known.
func (r Reading) source() ClockSource {
	switch {
	case r.Synced:
		return ClockSynced
	case r.RTC:
		return ClockRTC
	}
	return ClockUnset
}

// Stamp makes the stamp of an event that happens at this reading.
//
// Within a boot time goes on from the last event by the monotonic clock: whoever sets
// the machine's wall clock, years forward or back, changes nothing. Only a ClockSet
// does. A new boot begins with the wall clock, but never before the last event: a
// machine without a battery wakes up in the past.
func (s *State) Stamp(r Reading) Stamp {
	st := Stamp{At: r.Wall.UTC().Truncate(time.Millisecond), Boot: r.Boot, Mono: r.Mono, Clock: r.source()}
	switch {
	case s.Seq > 0 && s.Last.Boot == r.Boot && s.Last.Mono <= r.Mono:
		st.At, st.Clock = s.Last.At.Add((r.Mono - s.Last.Mono).Duration()), s.Last.Clock
	case st.At.Before(s.Last.At):
		st.At, st.Clock = s.Last.At, ClockUnset
	case !plausible(st.At):
		st.Clock = ClockUnset
	}
	return st
}

// Decide says which events follow from a command, or why it is refused. No events
// and no refusal means that there is nothing to change: the wish is fulfilled
// already, or the same envelope was decided before.
func (s *State) Decide(e Envelope, r Reading) ([]Event, *Refusal) {
	if e.ID == "" || e.Command == nil {
		return nil, refuse(CommandWithoutID)
	}
	if _, again := s.own.seen[e.ID]; again {
		return nil, nil
	}
	if e.Screening != "" && (s.Screening == nil || e.Screening != s.Screening.ID) {
		return nil, refuse(WrongScreening)
	}
	switch c := e.Command.(type) {
	case StartKiosk:
		return events(KioskStarted(c))
	case RecordExport:
		return events(ExportWritten(c))
	case SetClock:
		return s.decideClock(c, r)
	case TrustClock:
		return s.decideTrust(r)
	case PlanScreening:
		return s.decidePlan(c)
	}
	if s.Screening == nil {
		return nil, refuse(NoScreening)
	}
	switch c := e.Command.(type) {
	case EditDetails:
		if no := s.Screening.Programme.check(&c.Details); no != nil {
			return nil, no
		}
		return events(DetailsEdited(c))
	case MoveTo:
		return s.decideMove(c)
	case OpenDoors:
		if s.DoorsOpen {
			return nil, nil
		}
		return events(DoorsOpened{})
	case CloseDoors:
		if !s.DoorsOpen {
			return nil, nil
		}
		return events(DoorsClosed{})
	case CountAttendee, UndoCount, CorrectAttendance, CountRow, RecordDisability:
		return s.decideAttendance(e.From, c)
	case PressButton, ReportLostPresses, SuspectPresses, SettleDoubt:
		return s.decidePress(e.From, c, s.Stamp(r))
	case OpenQuestion, CloseQuestion, ShowResults, RevealQuestion, DismissQuestion:
		return s.decideQuestion(c)
	case CastBallot:
		return s.decideBallot(c, s.Stamp(r))
	case CountHands:
		return s.decideHands(c)
	case ShowRunningTotals:
		switch {
		case c.Show == s.ShowRunning:
			return nil, nil
		case c.Show && s.Current != "" && !s.MayShowResults(s.Current):
			return nil, s.tooEarly(s.Current)
		case c.Show && s.beforeFilm():
			return nil, refuse(ResultsAfterFilm)
		}
		return events(RunningTotalsShown(c))
	case AllowPhones:
		if c.Allow == !s.NoPhones {
			return nil, nil
		}
		return events(PhonesAllowed(c))
	case SetStage:
		if !slices.Contains([]StagePage{PageAuto, PageGuidebook, PageHelp, PageJoin}, c.Page) || len(c.Lang) > 35 {
			return nil, refuse(UnknownPage)
		}
		if Stage(c) == s.Stage {
			return nil, nil
		}
		return events(StageSet(c))
	case ReadAloud:
		if c.Question == "" || c.Question != s.Current {
			return nil, refuse(QuestionNotOpen)
		}
		return events(QuestionReadAloud(c))
	case NoteEvening:
		return s.decideNote(c)
	}
	return s.decideFilm(e.Command)
}

func events(e ...Event) ([]Event, *Refusal) { return e, nil }

// Years that a kiosk can live in; a clock outside is certainly wrong.
var (
	earliest = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

func plausible(t time.Time) bool { return !t.Before(earliest) && t.Before(latest) }

func (s *State) decideClock(c SetClock, r Reading) ([]Event, *Refusal) {
	if !plausible(c.Now) {
		return nil, refuse(ClockImplausible, "{now}", c.Now.Format(time.DateOnly))
	}
	now := c.Now.UTC().Truncate(time.Millisecond)
	return events(ClockSet{Was: s.Stamp(r).At, Now: now, Offset: ToMillis(now.Sub(r.Wall))})
}

// drift is how far a trusted wall clock may be from ours before it is taken over anew.
const drift = 2 * time.Second

// decideTrust takes the machine's wall clock over where it is known better than ours.
// Without a network nothing but a person turns time back: a battery may be empty.
func (s *State) decideTrust(r Reading) ([]Event, *Refusal) {
	ours, now, source := s.Stamp(r), r.Wall.UTC().Truncate(time.Millisecond), r.source()
	switch {
	case !plausible(now), source == ClockRTC && now.Before(ours.At), source.Rank() < ours.Clock.Rank():
		return nil, nil
	case source == ours.Clock && (source == ClockUnset || now.Sub(ours.At).Abs() <= drift):
		return nil, nil
	}
	return events(ClockSet{Was: ours.At, Now: now, Source: source})
}

func (s *State) decidePlan(c PlanScreening) ([]Event, *Refusal) {
	if s.GoingOn() {
		return nil, refuse(ScreeningGoingOn, "{venue}", s.Screening.Details.Venue)
	}
	if no := c.Programme.check(&c.Details); no != nil {
		return nil, no
	}
	return events(ScreeningPlanned{
		Screening: c.Screening, Kiosk: s.Kiosk, Details: c.Details,
		Rehearsal: c.Rehearsal, Programme: c.Programme, SoundLag: s.Playback.SoundLag,
	})
}

// check trims the texts of the details and says what is wrong with them.
func (p *Programme) check(d *Details) *Refusal {
	d.Venue, d.Label = strings.TrimSpace(d.Venue), strings.TrimSpace(d.Label)
	switch {
	case p.regency(d.Regency) < 0:
		return refuse(UnknownRegency)
	case d.Venue == "":
		return refuse(VenueMissing)
	case utf8.RuneCountInString(d.Venue) > 80 || utf8.RuneCountInString(d.Label) > 80:
		return refuse(TextTooLong, "{max}", "80")
	case d.Audience != Students && d.Audience != Public:
		return refuse(UnknownAudience)
	case !plausible(d.HeldAt):
		return refuse(DateMissing)
	}
	return nil
}

func (s *State) decideMove(c MoveTo) ([]Event, *Refusal) {
	if !c.Step.valid() {
		return nil, refuse(UnknownStep)
	}
	if c.Step == s.Step {
		return nil, nil
	}
	var out []Event
	if q := s.Question(s.Current); q != nil && q.Phase == Open {
		out = append(out, QuestionClosed{Question: q.ID, Round: q.newest().N})
	}
	switch p := &s.Playback; {
	case s.Step == FilmStep && s.FilmPlayedAt != 0 && p.atTheEnd():
		out = append(out, FilmFinished{At: p.At})
	case p.Playing:
		out = append(out, FilmPaused{At: p.At})
	}
	if s.DoorsOpen && (s.Step == Doors || c.Step == Ended) {
		out = append(out, DoorsClosed{})
	}
	out = append(out, StepChanged{From: s.Step, To: c.Step})
	if c.Step == Doors && !s.DoorsOpen {
		out = append(out, DoorsOpened{})
	}
	return out, nil
}

func (s *State) decideAttendance(from Source, c Command) ([]Event, *Refusal) {
	a := &s.Attendance
	switch c := c.(type) {
	case CountAttendee:
		if a.category(c.Category) == nil {
			return nil, refuse(UnknownCategory)
		}
		if !s.DoorsOpen {
			return nil, refuse(DoorsAreClosed)
		}
		return events(AttendeeCounted{Category: c.Category})
	case UndoCount:
		i := lastPress(s.own.presses[from], c.Category)
		if i < 0 {
			return nil, refuse(NothingToUndo)
		}
		last := s.own.presses[from][i]
		if a.category(last.Category).Total() < 1 {
			return nil, refuse(BelowZero)
		}
		return events(CountUndone{Of: last.Seq, Category: last.Category})
	case CorrectAttendance:
		c.Reason = strings.TrimSpace(c.Reason)
		category := a.category(c.Category)
		switch n := utf8.RuneCountInString(c.Reason); {
		case category == nil:
			return nil, refuse(UnknownCategory)
		case c.Delta == 0 || c.Delta < -9999 || c.Delta > 9999:
			return nil, refuse(DeltaOutOfRange)
		case n < 3:
			return nil, refuse(ReasonMissing)
		case n > 200:
			return nil, refuse(TextTooLong, "{max}", "200")
		case category.Total()+c.Delta < 0:
			return nil, refuse(BelowZero)
		}
		return events(AttendanceCorrected(c))
	case CountRow:
		return s.decideRow(c)
	case RecordDisability:
		if c.Count != nil && (*c.Count < 0 || *c.Count > 9999) {
			return nil, refuse(NumberOutOfRange, "{max}", "9999")
		}
		return events(DisabilityRecorded(c))
	}
	panic("unreachable")
}

func (s *State) decideRow(c CountRow) ([]Event, *Refusal) {
	a := &s.Attendance
	name := strings.TrimSpace(c.Row)
	switch n := utf8.RuneCountInString(name); {
	case n == 0:
		return nil, refuse(RowNameMissing)
	case n > 20:
		return nil, refuse(TextTooLong, "{max}", "20")
	}
	var old map[string]int
	for _, r := range a.Rows {
		if r.Name == name {
			old = r.Counts
		}
	}
	counts := map[string]int{}
	for id, n := range c.Counts {
		if a.category(id) == nil {
			return nil, refuse(UnknownCategory)
		}
		if n < 0 || n > 999 {
			return nil, refuse(NumberOutOfRange, "{max}", "999")
		}
		counts[id] = n
	}
	for _, category := range a.Categories {
		if category.Total()-old[category.ID]+counts[category.ID] < 0 {
			return nil, refuse(BelowZero)
		}
	}
	if old == nil && allZero(counts) {
		return nil, nil
	}
	return events(RowCounted{Row: name, Counts: counts})
}

func (s *State) decideQuestion(c Command) ([]Event, *Refusal) {
	switch c := c.(type) {
	case OpenQuestion:
		return s.decideOpen(c)
	case CloseQuestion:
		q := s.Question(c.Question)
		switch {
		case q == nil:
			return nil, refuse(UnknownQuestion)
		case q.Phase == Unasked:
			return nil, refuse(QuestionNotAsked)
		case q.Phase != Open:
			return nil, nil
		}
		return events(QuestionClosed{Question: q.ID, Round: q.newest().N})
	case ShowResults:
		q := s.Question(c.Question)
		switch no := s.mayReveal(q); {
		case no != nil:
			return nil, no
		case q.Phase == Revealed: // more than that is shown already, or was
			return nil, nil
		case q.Phase == Counted && s.Current == q.ID:
			return nil, nil
		}
		return events(ResultsShown{Question: q.ID, Round: q.newest().N})
	case RevealQuestion:
		q := s.Question(c.Question)
		switch no := s.mayReveal(q); {
		case no != nil:
			return nil, no
		case q.Phase == Revealed && s.Current == q.ID:
			return nil, nil
		}
		return events(QuestionRevealed{Question: q.ID, Round: q.newest().N})
	case DismissQuestion:
		switch q := s.Question(s.Current); {
		case q == nil:
			return nil, nil
		case q.Phase == Open:
			return nil, refuse(CloseQuestionFirst)
		default:
			return events(QuestionDismissed{Question: q.ID})
		}
	}
	panic("unreachable")
}

// mayReveal says why the result of a question may not be shown now; nil when it may.
func (s *State) mayReveal(q *QuestionState) *Refusal {
	switch {
	case q == nil:
		return refuse(UnknownQuestion)
	case q.Phase == Unasked:
		return refuse(QuestionNotAsked)
	case q.Phase == Open:
		return refuse(CloseQuestionFirst)
	case !s.MayShowResults(q.ID):
		return s.tooEarly(q.ID)
	case s.openQuestion() != nil:
		return refuse(AnotherQuestionOpen)
	}
	return nil
}

func (s *State) tooEarly(question string) *Refusal {
	if s.AskedLater(question) {
		return refuse(AskedAgainLater)
	}
	return refuse(ResultsAfterFilm)
}

// AskedLater says whether the run of the evening asks the question again in a later
// step; until then its result must stay hidden.
func (s *State) AskedLater(question string) bool {
	return slices.ContainsFunc(s.Asked(question).Ask, s.Step.before)
}

func (s *State) openQuestion() *QuestionState {
	if q := s.Question(s.Current); q != nil && q.Phase == Open {
		return q
	}
	return nil
}

func (s *State) decideOpen(c OpenQuestion) ([]Event, *Refusal) {
	q := s.Question(c.Question)
	if q == nil {
		return nil, refuse(UnknownQuestion)
	}
	if !slices.Contains([]Step{PollBefore, FilmStep, Discussion}, s.Step) {
		return nil, refuse(NoQuestionsNow)
	}
	switch open := s.openQuestion(); {
	case open == nil:
	case open.ID != c.Question:
		return nil, refuse(AnotherQuestionOpen)
	case c.NewRound:
		return nil, refuse(CloseQuestionFirst)
	default:
		return nil, nil
	}
	var out []Event
	if s.Playback.Playing {
		out = append(out, FilmPaused{At: s.Playback.At})
	}
	newest := q.newest()
	// Once the result or the film has been seen, ballots belong to a new round.
	if newest == nil || c.NewRound || newest.Step != s.Step || s.filmSince(newest) || q.Phase == Counted || q.Phase == Revealed {
		return append(out, QuestionOpened{Question: q.ID, Round: len(q.Rounds) + 1}), nil
	}
	return append(out, QuestionOpened{Question: q.ID, Round: newest.N, Reopened: true}), nil
}

func (s *State) decideBallot(c CastBallot, now Stamp) ([]Event, *Refusal) {
	q, asked := s.Question(c.Question), s.Asked(c.Question)
	if q == nil {
		return nil, refuse(UnknownQuestion)
	}
	if q.Phase != Open {
		return nil, refuse(QuestionNotOpen)
	}
	if c.Round != q.newest().N {
		return nil, refuse(OldRound)
	}
	ballot := BallotCast{Question: c.Question, Round: c.Round, Choices: []string{}, Channel: c.Channel}
	for _, i := range asked.indexes(c.Choices) {
		ballot.Choices = append(ballot.Choices, asked.Options[i].ID)
	}
	if len(ballot.Choices) != len(c.Choices) { // unknown, or the same one twice
		return nil, refuse(UnknownOption)
	}
	if asked.Kind != Several && len(ballot.Choices) > 1 {
		return nil, refuse(OneChoiceOnly)
	}
	switch c.Channel {
	case ByPhone:
		if c.Voter == "" {
			return nil, refuse(VoterMissing)
		}
		if s.NoPhones {
			return nil, refuse(PhonesMayNot)
		}
		ballot.Voter = c.Voter
		if old, ok := s.own.phones[ballotKey{c.Question, c.Round, c.Voter}]; ok {
			if slices.Equal(old.choices, asked.indexes(c.Choices)) {
				return nil, nil
			}
			ballot.Replaces = old.seq
		}
	case ByTouch:
		if s.thanking(s.own.touched, now) {
			return nil, refuse(TooSoon)
		}
	case ByButton:
		if s.thanking(s.own.pressed, now) {
			return nil, refuse(TooSoon)
		}
	default:
		return nil, refuse(UnknownChannel)
	}
	return events(ballot)
}

// thanking says whether the pause after the ballot cast at last goes on.
func (s *State) thanking(last *Stamp, now Stamp) bool {
	return last != nil && last.Boot == now.Boot && now.Mono-last.Mono < s.Screening.Programme.ThankYou
}

func (s *State) decideHands(c CountHands) ([]Event, *Refusal) {
	q, asked := s.Question(c.Question), s.Asked(c.Question)
	switch {
	case q == nil:
		return nil, refuse(UnknownQuestion)
	case q.Phase == Unasked:
		return nil, refuse(QuestionNotAsked)
	case q.Phase == Counted || q.Phase == Revealed:
		return nil, refuse(AlreadyRevealed)
	}
	counts := map[string]int{}
	for id, n := range c.Counts {
		if asked.option(id) < 0 {
			return nil, refuse(UnknownOption)
		}
		if n < 0 || n > 9999 {
			return nil, refuse(NumberOutOfRange, "{max}", "9999")
		}
		counts[id] = n
	}
	if q.newest().Hands == nil && allZero(counts) {
		return nil, nil
	}
	return events(HandsCounted{Question: c.Question, Round: q.newest().N, Counts: counts})
}

func (s *State) decideFilm(c Command) ([]Event, *Refusal) {
	p, film := &s.Playback, &s.Screening.Programme.Film
	switch c := c.(type) {
	case PlayFilm:
		switch {
		case film.Missing:
			return nil, refuse(FilmMissing)
		case s.Step != FilmStep || s.openQuestion() != nil:
			return nil, refuse(NotInFilm)
		case p.Playing:
			return nil, nil
		case p.Finished:
			return events(FilmPlayed{At: 0})
		}
		return events(FilmPlayed{At: p.At})
	case PauseFilm:
		if !p.Playing {
			return nil, nil
		}
		return events(FilmPaused{At: p.At})
	case SeekFilm:
		if film.Missing {
			return nil, refuse(FilmMissing)
		}
		return events(FilmSought{From: p.At, To: p.clamp(c.To)})
	case SetVolume:
		if c.Percent < 0 || c.Percent > 100 {
			return nil, refuse(VolumeOutOfRange)
		}
		if c.Percent == p.Volume {
			return nil, nil
		}
		return events(VolumeSet(c))
	case SetSubtitles:
		if c.Lang != "" && !slices.ContainsFunc(film.Subtitles, func(t Subtitle) bool { return t.Lang == c.Lang }) {
			return nil, refuse(UnknownSubtitles)
		}
		if c.Lang == p.Subtitles {
			return nil, nil
		}
		return events(SubtitlesSet(c))
	case UsePausePoints:
		if c.Use == p.UsePausePoints {
			return nil, nil
		}
		return events(PausePointsUsed(c))
	case SetSoundLag:
		if c.Lag < SoundLagMin || c.Lag > SoundLagMax {
			return nil, refuse(SoundLagOutOfRange)
		}
		if c.Lag == p.SoundLag {
			return nil, nil
		}
		return events(SoundLagSet(c))
	case NoteFilmShown:
		if e := c.FilmShown; e.Played <= 0 && e.Dropped+e.DroppedByDecoder+e.Late <= 0 && e.Restarts <= 0 {
			return nil, nil
		}
		return events(c.FilmShown)
	case ChooseFilmPlayer:
		return events(FilmPlayerChosen(c))
	case NotePosition:
		if c.Epoch != p.Epoch || c.At < 0 || c.Duration < 0 {
			return nil, nil
		}
		if c.Duration == 0 { // the player has not read it yet
			c.Duration = p.Duration
		}
		if c.Duration > 0 {
			c.At = min(c.At, c.Duration)
		}
		if c.At == p.At && c.Duration == p.Duration {
			return nil, nil
		}
		return events(FilmPositionNoted{At: c.At, Duration: c.Duration})
	case ReachPausePoint:
		if c.Epoch != p.Epoch || !p.Playing || !p.UsePausePoints || c.N < 0 || c.N >= len(film.PausePoints) || c.N+1 == p.Passed {
			return nil, nil
		}
		return events(FilmPaused{At: p.clamp(c.At), PausePoint: &c.N})
	case FinishFilm:
		if c.Epoch != p.Epoch || !p.Playing {
			return nil, nil
		}
		return events(FilmFinished{At: p.clamp(c.At)})
	}
	return nil, refuse(CommandWithoutID)
}

// clamp keeps a position inside the film, as far as its length is known.
func (p *Playback) clamp(at Millis) Millis {
	at = max(at, 0)
	if p.Duration > 0 {
		at = min(at, p.Duration)
	}
	return at
}

// Record turns the events of a decided envelope into what the journal keeps.
func (s *State) Record(e Envelope, r Reading, decided []Event) []Recorded {
	stamp := s.Stamp(r)
	id := ""
	if s.Screening != nil {
		id = s.Screening.ID
	}
	out := make([]Recorded, 0, len(decided))
	for i, ev := range decided {
		rec := Recorded{Seq: s.Seq + 1 + int64(i), Stamp: stamp, Screening: id, From: e.From, Event: ev}
		switch ev := ev.(type) {
		case ClockSet: // the first event of the new time
			rec.Stamp.At, rec.Stamp.Clock = ev.Now, cmp.Or(ev.Source, ClockOperator)
		case ScreeningPlanned:
			rec.Screening = ev.Screening
		case ExportWritten:
			rec.Screening = ""
		}
		if i == 0 {
			rec.Command = e.ID
		}
		out = append(out, rec)
	}
	return out
}

// String helps in tests and logs.
func (s Stamp) String() string {
	return s.At.Format(time.RFC3339Nano) + " boot " + s.Boot + " +" + strconv.FormatInt(int64(s.Mono), 10) + " ms"
}
