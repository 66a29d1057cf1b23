package screening

import (
	"maps"
	"slices"
)

// State is all that is known of the kiosk's current screening. Only [State.Apply]
// changes it. The Room owns one; what it shows to others are copies ([State.Copy])
// that nobody changes any more.
type State struct {
	Seq   int64 // of the last event applied
	Last  Stamp // of the last event applied
	Kiosk string

	Screening    *Screening // nil before the first screening
	Step         Step       // SetUp when there is no screening
	DoorsOpen    bool
	Attendance   Attendance
	Questions    []QuestionState // in the programme's order
	Current      string          // question on the screens, or ""
	ShowRunning  bool
	NoPhones     bool // phones may not vote
	Stage        Stage
	ReadAloud    int64 // Seq of the last wish to hear the question; 0: there was none
	Playback     Playback
	FilmPlayedAt int64   // Seq of the last FilmPlayed of this screening; 0: none
	Showing      Showing // the showing that "before" and "after the film" are about
	Shown        Shown
	Note         EveningNoted // how it went, as the facilitator noted last

	own *ledger // what only the owner needs; nil in copies
}

// Screening is what was planned.
type Screening struct {
	ID        string
	Details   Details
	Rehearsal bool
	Programme *Programme // never changed
	PlannedAt Stamp
	EndedAt   *Stamp // nil while it goes on
}

// Regency gives the regency of the screening.
func (s *Screening) Regency() Regency {
	if i := s.Programme.regency(s.Details.Regency); i >= 0 {
		return s.Programme.Regencies[i]
	}
	return Regency{ID: s.Details.Regency}
}

// Attendance is how many came. By category, in the programme's order.
type Attendance struct {
	Categories []CategoryCount
	Rows       []Row // counted by hand, in the order they were first entered
	Disability *int  // of those who were asked; nil when nobody was
	LastPress  *Press
	// Undo is, by source, the category that an undo would take back now.
	Undo map[Source]string
	// Doubts are what the facilitator has not looked at yet, the oldest first.
	Doubts []Doubt
}

// Doubt is why a number may be wrong: lost presses (Why is set), or suspected ones.
// What is like an open doubt is added to it.
type Doubt struct {
	Seq      int64 // of the event that began it or was added last
	At       Stamp // of that event
	Presses  int   // 0 when nobody can know
	Category string
	Undo     bool
	Question string
	Why      LossReason // "" for suspected presses
	Unheard  Millis
}

// Correction is what [SettleDoubt] with Correct would add to the category: 0 when
// nothing can be corrected.
func (d Doubt) Correction() int {
	switch {
	case d.Category == "" || d.Question != "" || d.Undo:
		return 0
	case d.Why == "":
		return -d.Presses
	}
	return d.Presses
}

// CategoryCount is the count of one category. Total is what is reported.
type CategoryCount struct {
	ID        string
	Pressed   int // presses, less the undone ones
	Undone    int // presses that were undone
	Corrected int // sum of the corrections, may be negative
	Rows      int // sum of the rows counted by hand
}

// Total is never negative.
func (c CategoryCount) Total() int { return c.Pressed + c.Corrected + c.Rows }

// Row is one row of seats, counted by hand.
type Row struct {
	Name   string
	Counts map[string]int
}

// Press is one count at the door.
type Press struct {
	Seq      int64
	Category string
	From     Source
}

// Total is the number of people in the hall, all categories together.
func (a *Attendance) Total() int {
	n := 0
	for _, c := range a.Categories {
		n += c.Total()
	}
	return n
}

func (a *Attendance) category(id string) *CategoryCount {
	i := slices.IndexFunc(a.Categories, func(c CategoryCount) bool { return c.ID == id })
	if i < 0 {
		return nil
	}
	return &a.Categories[i]
}

// Phase says where a question stands.
type Phase string

const (
	Unasked  Phase = "unasked"
	Open     Phase = "open"
	Closed   Phase = "closed"
	Counted  Phase = "counted"  // the bars are shown, the right answer is not
	Revealed Phase = "revealed" // bars and right answer are shown
)

// QuestionState is where a question stands, with all its rounds.
type QuestionState struct {
	ID     string
	Phase  Phase
	Rounds []Round // 1, 2, ...; the last is the newest

	ResultsAt int64 // Seq of the first event that showed bars or right answer; 0 before that
	AnswerAt  int64 // Seq of the first event that showed the right answer; 0 before that
	AnswerIn  Step  // in which that was
}

// Round is one asking of a question with its tally.
type Round struct {
	N         int
	Step      Step  // in which it was opened first
	Counts    []int // people per option, hands included
	Skipped   int
	Ballots   int             // people, the skipped ones included
	ByChannel map[Channel]int // people
	Hands     []int           // the part of Counts that was counted by hand; nil when none was

	Opened      int64 // Seq of its first QuestionOpened
	FilmBegun   bool  // the film had been played before it was opened
	TotalsShown bool  // running totals were switched on while people answered
}

func (q *QuestionState) newest() *Round {
	if len(q.Rounds) == 0 {
		return nil
	}
	return &q.Rounds[len(q.Rounds)-1]
}

func (q *QuestionState) round(n int) *Round {
	if n < 1 || n > len(q.Rounds) {
		return nil
	}
	return &q.Rounds[n-1]
}

// Question gives the state of a question, or nil.
func (s *State) Question(id string) *QuestionState {
	i := slices.IndexFunc(s.Questions, func(q QuestionState) bool { return q.ID == id })
	if i < 0 {
		return nil
	}
	return &s.Questions[i]
}

// Asked gives the programme's question, or nil.
func (s *State) Asked(id string) *Question {
	if s.Screening == nil {
		return nil
	}
	i := s.Screening.Programme.question(id)
	if i < 0 {
		return nil
	}
	return &s.Screening.Programme.Questions[i]
}

// Stage is what the projector was told to show.
type Stage struct {
	Page   StagePage
	Count  bool
	Lang   string
	Silent bool // questions are not read aloud when they open
}

// Playback is what should be on the screen of the film.
type Playback struct {
	Epoch          int64 // changes with each jump (it is the jump's Seq): a player in another epoch goes to At
	Playing        bool
	At             Millis // the last known position
	Duration       Millis // 0 when unknown
	Volume         int    // 0..100
	Subtitles      string // language, "" is none
	UsePausePoints bool
	HaltedAt       *int // the pause point at which it halted by itself
	Passed         int  // 1 + the pause point at which it halted last in this epoch; 0 none. It does not halt there again
	Finished       bool
	Interrupted    bool   // the power failed while it played
	SoundLag       Millis // how long the sound comes after the picture: the picture waits for it
}

// Shown adds up how the film looked in this screening.
type Shown struct {
	Player           PlayerKind // that played last; "" when nothing was played
	Decoder          string     // likewise
	Played           Millis
	Dropped          int64
	DroppedByDecoder int64
	Late             int64
	Restarts         int
}

// ledger is the part of the state that grows with the audience.
type ledger struct {
	seen    map[string]struct{}          // command ids of this screening
	presses map[Source][]Press           // not undone, oldest first
	phones  map[ballotKey]standingBallot // the ballot of each phone that counts now
	touched *Stamp                       // the last ballot on the touch screen
	pressed *Stamp                       // the last ballot by button
	heard   *Stamp                       // the last button press in the journal: its Boot and Mono
	film    []filmMove                   // until the first whole showing has ended
	totals  int64                        // Seq at which running totals were switched off last; 0: never
}

type ballotKey struct {
	question string
	round    int
	voter    string
}

type standingBallot struct {
	seq     int64
	choices []int
}

// NewState is the state of a kiosk on which nothing has happened.
func NewState() *State {
	s := &State{Step: SetUp}
	s.clearScreening(nil)
	return s
}

// clearScreening sets everything that belongs to one screening to its beginning.
func (s *State) clearScreening(p *Programme) {
	s.own = &ledger{
		seen:    map[string]struct{}{},
		presses: map[Source][]Press{},
		phones:  map[ballotKey]standingBallot{},
	}
	s.Step, s.DoorsOpen, s.Current, s.ShowRunning, s.NoPhones = SetUp, false, "", false, false
	s.Attendance = Attendance{Undo: map[Source]string{}}
	s.Questions = nil
	s.Stage, s.ReadAloud = Stage{Page: PageAuto, Count: true, Lang: "id"}, 0
	s.Playback = Playback{Epoch: s.Seq, Volume: 80, UsePausePoints: true, SoundLag: s.Playback.SoundLag}
	s.FilmPlayedAt, s.Showing = 0, Showing{}
	s.Shown, s.Note = Shown{}, EveningNoted{[]string{}, []string{}, []string{}}
	if p == nil {
		return
	}
	for _, c := range p.Categories {
		s.Attendance.Categories = append(s.Attendance.Categories, CategoryCount{ID: c.ID})
	}
	for _, q := range p.Questions {
		s.Questions = append(s.Questions, QuestionState{ID: q.ID, Phase: Unasked})
	}
	s.Playback.Duration = p.Film.Duration
}

// Copy gives a copy for others to read. It lacks the ledger, so it stays small
// however large the audience.
func (s *State) Copy() *State {
	c := *s
	c.own = nil
	if s.Screening != nil {
		sc := *s.Screening
		c.Screening = &sc
	}
	a := &c.Attendance
	a.Categories = slices.Clone(a.Categories)
	a.Rows = slices.Clone(a.Rows) // the maps in it are replaced, never changed
	a.Undo = maps.Clone(a.Undo)
	a.Doubts = slices.Clone(a.Doubts)
	c.Questions = slices.Clone(s.Questions)
	for i := range c.Questions {
		q := &c.Questions[i]
		q.Rounds = slices.Clone(q.Rounds)
		for j := range q.Rounds {
			r := &q.Rounds[j]
			r.Counts = slices.Clone(r.Counts)
			r.ByChannel = maps.Clone(r.ByChannel)
		}
	}
	return &c
}

// Standing gives the option ids of the ballot of a phone that counts now in the
// newest round of a question; ok is false when there is none. It may only be
// called by the owner of the state, inside [Room.Read].
func (s *State) Standing(question string, voter string) (round int, choices []string, ok bool) {
	q, asked := s.Question(question), s.Asked(question)
	if q == nil || asked == nil || q.newest() == nil {
		return 0, nil, false
	}
	n := q.newest().N
	b, ok := s.own.phones[ballotKey{question, n, voter}]
	if !ok {
		return n, nil, false
	}
	choices = []string{}
	for _, i := range b.choices {
		choices = append(choices, asked.Options[i].ID)
	}
	return n, choices, true
}

// Phones is how many phones have a ballot that counts in a round. Owner only.
func (s *State) Phones(question string, round int) int {
	n := 0
	for k := range s.own.phones {
		if k.question == question && k.round == round {
			n++
		}
	}
	return n
}
