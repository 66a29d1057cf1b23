package web

import (
	"slices"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

// The views are what the four kinds of screens are shown: the shapes of
// kiosk-ui/src/lib/protocol.ts, where each field is explained.

type role string

const (
	stageRole       role = "stage"
	touchRole       role = "touch"
	voteRole        role = "vote"
	facilitatorRole role = "facilitator"
)

var roles = []role{stageRole, touchRole, voteRole, facilitatorRole}

type common struct {
	Role      role           `json:"role"`
	Screening *screeningInfo `json:"screening"`
	Step      screening.Step `json:"step"`
	Languages []Language     `json:"languages"`
}

type screeningInfo struct {
	ID        string                 `json:"id"`
	Rehearsal bool                   `json:"rehearsal"`
	Regency   screening.Regency      `json:"regency"`
	Venue     string                 `json:"venue"`
	Audience  screening.AudienceKind `json:"audience"`
	Label     string                 `json:"label"`
	HeldAt    time.Time              `json:"heldAt"`
}

type questionView struct {
	ID          string                    `json:"id"`
	Kind        screening.QuestionKind    `json:"kind"`
	Text        screening.Text            `json:"text"`
	Options     []screening.Option        `json:"options"`
	Phase       screening.Phase           `json:"phase"`
	Round       int                       `json:"round"`
	Ballots     int                       `json:"ballots"`
	Explanation screening.Text            `json:"explanation,omitempty"`
	Source      string                    `json:"source,omitempty"`
	Rounds      []roundView               `json:"rounds,omitempty"`
	TooEarly    bool                      `json:"tooEarly,omitempty"`   // neither result nor right answer may be shown yet
	NoPhones    bool                      `json:"noPhones,omitempty"`   // answered at the kiosk only
	ByChannel   map[screening.Channel]int `json:"byChannel,omitempty"`  // of the newest round; the facilitator's
	OneAddress  int                       `json:"oneAddress,omitempty"` // how many of its voters came from one address; the facilitator's
	Buttons     bool                      `json:"buttons,omitempty"`    // the clicker's buttons answer it, in the order of the options
}

type roundView struct {
	N         int                  `json:"n"`
	Step      screening.Step       `json:"step"`
	Phase     screening.RoundPhase `json:"phase"`   // "" while nobody has answered
	Ballots   int                  `json:"ballots"` // people, the skipped ones included
	Skipped   int                  `json:"skipped"`
	Counts    []int                `json:"counts,omitempty"`
	Shares    []int                `json:"shares,omitempty"`
	FewerThan int                  `json:"fewerThan,omitempty"` // so few answered that no number may be shown
}

type playbackView struct {
	Epoch          int64            `json:"epoch"`
	Playing        bool             `json:"playing"`
	At             screening.Millis `json:"at"`
	Duration       screening.Millis `json:"duration"`
	Volume         int              `json:"volume"`
	Subtitles      string           `json:"subtitles"`
	UsePausePoints bool             `json:"usePausePoints"`
	HaltedAt       *int             `json:"haltedAt,omitempty"`
	Passed         int              `json:"passed,omitempty"` // see screening.Playback
	Finished       bool             `json:"finished"`
	Interrupted    bool             `json:"interrupted"`
	SoundLag       screening.Millis `json:"soundLag"`
}

type filmView struct {
	Title       screening.Text         `json:"title"`
	Credit      string                 `json:"credit"`
	Missing     bool                   `json:"missing"`
	Player      screening.PlayerKind   `json:"player"`
	Subtitles   []screening.Subtitle   `json:"subtitles"`
	PausePoints []screening.PausePoint `json:"pausePoints"`
}

type stageView struct {
	common
	Keys     []string      `json:"keys"`
	Scene    string        `json:"scene"`
	Lang     string        `json:"lang"`
	Count    *int          `json:"count"`
	Question *questionView `json:"question"`
	Film     filmView      `json:"film"`
	Playback playbackView  `json:"playback"`
	Codes    []Code        `json:"codes"`
	Help     []HelpNumber  `json:"help"`
	Number   int           `json:"number,omitempty"` // in scene "check"
	Voice    *stageVoice   `json:"voice,omitempty"`
}

type touchView struct {
	common
	Keys       []string         `json:"keys"`
	Scene      string           `json:"scene"`
	Categories []categoryView   `json:"categories"`
	Total      int              `json:"total"`
	Last       *string          `json:"last"`
	Question   *questionView    `json:"question"`
	ThankYou   screening.Millis `json:"thankYou"`
	Idle       screening.Millis `json:"idle"`
	Stick      *Stick           `json:"stick"`
	Check      *checkView       `json:"check,omitempty"` // while the box is being checked
	Voice      *touchVoice      `json:"voice,omitempty"`
}

type categoryView struct {
	screening.Category
	Count int `json:"count"`
}

type voteView struct {
	common
	Scene    string        `json:"scene"`
	Question *questionView `json:"question"`
	Codes    []Code        `json:"codes"`
	Help     []HelpNumber  `json:"help"`
}

type facilitatorView struct {
	common
	Keys        []string            `json:"keys"`
	Regencies   []screening.Regency `json:"regencies"`
	Next        *suggestionView     `json:"next"`
	DoorsOpen   bool                `json:"doorsOpen"`
	Attendance  attendanceView      `json:"attendance"`
	Questions   []questionRow       `json:"questions"`
	Current     *questionView       `json:"current"`
	ShowRunning bool                `json:"showRunning"`
	NoPhones    bool                `json:"noPhones"`
	Stage       stageState          `json:"stage"`
	Film        filmView            `json:"film"`
	Playback    playbackView        `json:"playback"`
	Health      []health.Part       `json:"health"`
	Screens     map[role]int        `json:"screens"`
	Clock       clockView           `json:"clock"`
	Codes       []Code              `json:"codes"`
	Help        []HelpNumber        `json:"help"`
	Sticks      []Stick             `json:"sticks"`
	Pack        PackState           `json:"pack"`
	Voice       bool                `json:"voice"`
	Note        []noteView          `json:"note"` // empty while nothing can be noted
	Demo        bool                `json:"demo,omitempty"`
}

type stageState struct {
	Page   screening.StagePage `json:"page"`
	Count  bool                `json:"count"`
	Lang   string              `json:"lang"`
	Scene  string              `json:"scene"`
	Silent bool                `json:"silent"`
}

type clockView struct {
	Now    time.Time             `json:"now"`
	Source screening.ClockSource `json:"source"`
}

type attendanceView struct {
	Total      int             `json:"total"`
	Disability *int            `json:"disability"`
	Categories []attendanceRow `json:"categories"`
	Rows       []handRow       `json:"rows"`
	Undo       *string         `json:"undo"`
	LastPress  *pressView      `json:"lastPress"`
	Doubts     []doubtView     `json:"doubts"`
}

// noteView is one list of what can be noted of the evening, and what is.
type noteView struct {
	screening.NoteList
	Chosen []string `json:"chosen"`
}

// doubtView is something about the buttons that the facilitator should look at.
type doubtView struct {
	Doubt      int64                `json:"doubt"` // for settleDoubt
	At         time.Time            `json:"at"`
	Presses    int                  `json:"presses"` // 0: nobody can know
	Category   string               `json:"category,omitempty"`
	Undo       bool                 `json:"undo,omitempty"`
	Question   screening.Text       `json:"question,omitempty"`
	Why        screening.LossReason `json:"why"`     // "" for presses that are there and may be phantoms
	Unheard    screening.Millis     `json:"unheard"` // how long nobody listened
	Correction int                  `json:"correction"`
}

type attendanceRow struct {
	screening.Category
	Total     int `json:"total"`
	Pressed   int `json:"pressed"`
	Corrected int `json:"corrected"`
	Rows      int `json:"rows"`
}

type handRow struct {
	Row    string         `json:"row"`
	Counts map[string]int `json:"counts"`
}

type pressView struct {
	Category string           `json:"category"`
	From     screening.Source `json:"from"`
}

type questionRow struct {
	ID      string                 `json:"id"`
	Kind    screening.QuestionKind `json:"kind"`
	Text    screening.Text         `json:"text"`
	Check   screening.Text         `json:"check,omitempty"`
	Prompts []screening.Text       `json:"prompts,omitempty"`
	Ask     []screening.Step       `json:"ask"`
	Phase   screening.Phase        `json:"phase"`
	Rounds  []askedRound           `json:"rounds"`

	TooEarly bool `json:"tooEarly,omitempty"` // neither result nor right answer may be shown yet

	// Untranslated are the languages of the screens in which a text that the audience
	// meets is said in Indonesian.
	Untranslated []string `json:"untranslated,omitempty"`
}

type askedRound struct {
	N       int            `json:"n"`
	Step    screening.Step `json:"step"`
	Ballots int            `json:"ballots"`
}

type suggestionView struct {
	Label    string         `json:"label"`
	Command  map[string]any `json:"command"`
	Question string         `json:"question,omitempty"`
}

// mineView is a phone's own ballot.
type mineView struct {
	Question string   `json:"question"`
	Round    int      `json:"round"`
	Choices  []string `json:"choices"`
}

// viewer makes views of a state. What it reads beside the state changes seldom or
// never.
type viewer struct {
	show      Show
	zone      *time.Location
	languages []Language
	codes     func() []Code
	sticks    Sticks
	sources   *sources
}

func (v *viewer) common(s *screening.State, r role) common {
	c := common{Role: r, Step: s.Step, Languages: v.languages}
	if s.Screening != nil {
		info := v.info(s.Screening)
		c.Screening = &info
	}
	return c
}

func (v *viewer) info(s *screening.Screening) screeningInfo {
	d := s.Details
	return screeningInfo{
		ID: s.ID, Rehearsal: s.Rehearsal, Regency: s.Regency(), Venue: d.Venue,
		Audience: d.Audience, Label: d.Label, HeldAt: d.HeldAt.In(v.zone),
	}
}

func (v *viewer) stage(s *screening.State) stageView {
	out := stageView{
		common: v.common(s, stageRole), Keys: orEmpty(v.show.Keys), Scene: stageScene(s), Lang: s.Stage.Lang,
		Question: v.question(s, false), Film: v.film(v.programme(s)), Playback: playback(s),
		Codes: v.codes(), Help: orEmpty(v.show.Help),
	}
	if n := s.Attendance.Total(); s.Stage.Count && s.Screening != nil {
		out.Count = &n
	}
	if v.show.Voices != nil {
		out.Voice = &stageVoice{On: !s.Stage.Silent, Again: s.ReadAloud, Volume: s.Playback.Volume}
	}
	return out
}

// stageScene says what the projector shows.
func stageScene(s *screening.State) string {
	switch {
	case s.Stage.Page == screening.PageGuidebook, s.Stage.Page == screening.PageHelp, s.Stage.Page == screening.PageJoin:
		return string(s.Stage.Page)
	case s.Current != "":
		return "question"
	}
	switch s.Step {
	case screening.FilmStep:
		return "film"
	case screening.PollBefore, screening.Discussion:
		return "between"
	case screening.Closing:
		return "guidebook"
	case screening.Ended:
		return "thanks"
	}
	return "welcome"
}

func (v *viewer) touch(s *screening.State) touchView {
	out := touchView{
		common: v.common(s, touchRole), Keys: orEmpty(v.show.Keys), Scene: "rest", Total: s.Attendance.Total(),
		Question: v.question(s, false), ThankYou: v.programme(s).ThankYou, Idle: v.show.Idle, Categories: []categoryView{},
		Stick: telling(v.sticks.Sticks()),
	}
	for i, c := range s.Attendance.Categories {
		out.Categories = append(out.Categories, categoryView{s.Screening.Programme.Categories[i], c.Total()})
	}
	if v.show.Voices != nil {
		out.Voice = &touchVoice{s.Playback.Volume}
	}
	if last, ok := s.Attendance.Undo[screening.FromTouch]; ok {
		out.Last = &last
	}
	switch {
	case s.Current != "":
		out.Scene = "question"
	case s.DoorsOpen:
		out.Scene = "doors"
	case s.Step == screening.Ended:
		out.Scene = "thanks"
	}
	return out
}

func (v *viewer) vote(s *screening.State) voteView {
	out := voteView{
		common: v.common(s, voteRole), Scene: "wait", Question: v.question(s, false),
		Codes: v.codes(), Help: orEmpty(v.show.Help),
	}
	if q := out.Question; q != nil && q.Phase == screening.Open && !s.ShowRunning {
		// Phones do not show how many have answered. If they were told, each ballot of a
		// full hall would be news for all the others: a million messages for a thousand.
		q.Ballots = 0
	}
	switch {
	case s.Current != "":
		out.Scene = "question"
	case s.Step == screening.Ended:
		out.Scene = "thanks"
	}
	return out
}

func (v *viewer) facilitator(s *screening.State, parts []health.Part, screens map[role]int, now screening.Stamp) facilitatorView {
	next := s.Next()
	p := v.programme(s)
	return facilitatorView{
		common: v.common(s, facilitatorRole), Keys: orEmpty(v.show.Keys), Regencies: orEmpty(v.show.Programme.Regencies),
		Next:      &suggestionView{Label: next.Label, Command: encodeCommand(next.Command), Question: next.Question},
		DoorsOpen: s.DoorsOpen, Attendance: v.attendance(s), Questions: v.questionRows(s),
		Current: v.question(s, true), ShowRunning: s.ShowRunning, NoPhones: s.NoPhones,
		Stage: stageState{s.Stage.Page, s.Stage.Count, s.Stage.Lang, stageScene(s), s.Stage.Silent},
		Film:  v.film(p), Playback: playback(s), Health: orEmpty(parts), Screens: screens,
		Clock: clockView{now.At.In(v.zone), now.Clock}, Codes: v.codes(), Help: orEmpty(v.show.Help),
		Sticks: orEmpty(v.sticks.Sticks()), Pack: v.sticks.Pack(), Voice: v.show.Voices != nil, Note: noteLists(s), Demo: v.show.Demo,
	}
}

// programme is that of the screening, or the one that the next screening will have.
func (v *viewer) programme(s *screening.State) *screening.Programme {
	if s.GoingOn() {
		return s.Screening.Programme
	}
	return &v.show.Programme
}

// question gives the question on the screens. What the audience must not know yet is
// left out here, on the kiosk, unless it is for the facilitator.
func (v *viewer) question(s *screening.State, all bool) *questionView {
	q, asked := s.Question(s.Current), s.Asked(s.Current)
	if q == nil || len(q.Rounds) == 0 {
		return nil
	}
	newest := q.Rounds[len(q.Rounds)-1]
	out := &questionView{
		ID: q.ID, Kind: asked.Kind, Text: asked.Text, Options: asked.Options,
		Phase: q.Phase, Round: newest.N, Ballots: newest.Ballots, NoPhones: s.NoPhones,
		Buttons: q.Phase == screening.Open && len(asked.Options) <= v.show.VotingButtons,
	}
	if all {
		out.ByChannel = newest.ByChannel
		out.OneAddress = v.sources.mostOf(ballotRound{s.Screening.ID, q.ID, newest.N})
	}
	out.TooEarly = !s.MayShowResults(q.ID)
	if !out.TooEarly && (all || q.Phase == screening.Revealed) {
		out.Explanation, out.Source = asked.Explanation, asked.Source
	} else {
		out.Options = withoutRight(asked.Options)
	}
	if !out.TooEarly && (all || q.Phase == screening.Counted || q.Phase == screening.Revealed || s.ShowRunning) {
		out.Rounds = rounds(s, q)
	}
	return out
}

// withoutRight leaves out which options are right.
func withoutRight(options []screening.Option) []screening.Option {
	out := slices.Clone(options)
	for i := range out {
		out[i].Right = false
	}
	return out
}

// rounds gives the results of a question. What a handful of people answered says too much
// of each of them, and too little of all: nobody is shown it. That holds for the facilitator
// too, who knows the hall by name, whose phone is looked at by others, and who needs for
// the talk only how many have answered. Coordinators have the counts in the export.
// A round that nobody answered is left out, but for the newest.
func rounds(s *screening.State, q *screening.QuestionState) []roundView {
	out, phases := []roundView{}, s.Phases(q)
	for i, r := range q.Rounds {
		if phases[i] == screening.NoRound && i < len(q.Rounds)-1 {
			continue
		}
		w := roundView{N: r.N, Step: r.Step, Phase: phases[i]}
		if answered, smallest := r.Answered(), s.Screening.Programme.Smallest(); answered < smallest {
			w.FewerThan = smallest
		} else {
			w.Ballots, w.Skipped, w.Counts = r.Ballots, r.Skipped, r.Counts
			for _, n := range r.Counts {
				w.Shares = append(w.Shares, (200*n+answered)/(2*answered))
			}
		}
		out = append(out, w)
	}
	return out
}

func playback(s *screening.State) playbackView {
	return playbackView(s.Playback)
}

func (v *viewer) film(p *screening.Programme) filmView {
	f := p.Film
	player := screening.BrowserPlayer
	if v.show.FilmPlayer != nil {
		player = v.show.FilmPlayer()
	}
	return filmView{
		Title: f.Title, Credit: f.Credit, Missing: f.Missing, Player: player,
		Subtitles: orEmpty(f.Subtitles), PausePoints: orEmpty(f.PausePoints),
	}
}

// orEmpty makes JSON say [] rather than null.
func orEmpty[E any](s []E) []E {
	if s == nil {
		return []E{}
	}
	return s
}

func (v *viewer) attendance(s *screening.State) attendanceView {
	a := &s.Attendance
	out := attendanceView{
		Total: a.Total(), Disability: a.Disability,
		Categories: []attendanceRow{}, Rows: []handRow{}, Doubts: []doubtView{},
	}
	for i, c := range a.Categories {
		out.Categories = append(out.Categories, attendanceRow{
			s.Screening.Programme.Categories[i], c.Total(), c.Pressed, c.Corrected, c.Rows,
		})
	}
	for _, r := range a.Rows {
		out.Rows = append(out.Rows, handRow{r.Name, r.Counts})
	}
	if undo, ok := a.Undo[screening.FromFacilitator]; ok {
		out.Undo = &undo
	}
	if a.LastPress != nil {
		out.LastPress = &pressView{a.LastPress.Category, a.LastPress.From}
	}
	for _, d := range a.Doubts {
		w := doubtView{
			Doubt: d.Seq, At: d.At.At.In(v.zone), Presses: d.Presses, Category: d.Category, Undo: d.Undo,
			Why: d.Why, Unheard: d.Unheard, Correction: d.Correction(),
		}
		if asked := s.Asked(d.Question); asked != nil {
			w.Question = asked.Text
		}
		out.Doubts = append(out.Doubts, w)
	}
	return out
}

func noteLists(s *screening.State) []noteView {
	out := []noteView{}
	if s.MayNote() {
		for i, chosen := range s.Note.Codes() {
			out = append(out, noteView{screening.NoteLists[i], chosen})
		}
	}
	return out
}

func (v *viewer) questionRows(s *screening.State) []questionRow {
	out := []questionRow{}
	for i, q := range s.Questions {
		asked := s.Screening.Programme.Questions[i]
		row := questionRow{
			ID: q.ID, Kind: asked.Kind, Text: asked.Text, Check: asked.Check,
			Ask: orEmpty(asked.Ask), Phase: q.Phase, Rounds: []askedRound{}, TooEarly: !s.MayShowResults(q.ID),
		}
		if !row.TooEarly { // what the talk may turn on says much of the answer
			row.Prompts = asked.Prompts
		}
		spoken := asked.Spoken()
		for _, l := range v.languages {
			if slices.ContainsFunc(spoken, func(t screening.KeyedText) bool { return t.Text[l.Code] == "" }) {
				row.Untranslated = append(row.Untranslated, l.Code)
			}
		}
		for _, r := range q.Rounds {
			row.Rounds = append(row.Rounds, askedRound{r.N, r.Step, r.Ballots})
		}
		out = append(out, row)
	}
	return out
}
