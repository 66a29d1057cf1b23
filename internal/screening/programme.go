package screening

import (
	"slices"
	"time"
)

// Text is one sentence in several languages, by language code (ISO 639: "id",
// "en", "aoz", ...). Indonesian ("id") is always there and is the fallback.
type Text map[string]string

// In gives the sentence in the language, else in Indonesian.
func (t Text) In(lang string) string {
	if s := t[lang]; s != "" {
		return s
	}
	return t["id"]
}

// Regency is a kabupaten or kota with both national codes. The two code systems
// overlap: BPS 5318 is Nagekeo while Kemendagri 53.18 is Sumba Barat Daya, so each
// is kept under its own name and Kemendagri keeps its dot.
type Regency struct {
	ID         string `json:"id"`
	Name       string `json:"name"`
	Kemendagri string `json:"kemendagri"` // "53.18"
	BPS        string `json:"bps"`        // "5317"
}

// Category is a group that people are counted in at the door.
type Category struct {
	ID    string `json:"id"` // "woman"
	Label Text   `json:"label"`
	Sex   string `json:"sex"` // "female", "male" or "" when the category does not say
	Age   string `json:"age"` // "18+", "0-17" or ""
}

// QuestionKind says how many options one ballot may hold.
type QuestionKind string

const (
	Single  QuestionKind = "single"  // exactly one option
	Several QuestionKind = "several" // one option or more
	Scale   QuestionKind = "scale"   // exactly one point; the options are in order
)

// Option is one answer of a question.
type Option struct {
	ID    string `json:"id"`
	Text  Text   `json:"text"`
	Icon  string `json:"icon"`            // a name served at /icon/NAME.svg
	Right bool   `json:"right,omitempty"` // a right answer; never leaves the kiosk before the reveal
}

// Question is one thing the audience is asked.
type Question struct {
	ID          string       `json:"id"`
	Kind        QuestionKind `json:"kind"`
	Text        Text         `json:"text"`
	Options     []Option     `json:"options"` // 2 to 8
	Explanation Text         `json:"explanation,omitempty"`
	Source      string       `json:"source,omitempty"`
	Check       Text         `json:"check,omitempty"`   // for the facilitator only: what to verify before use
	Prompts     []Text       `json:"prompts,omitempty"` // for the facilitator only: what the talk may turn on
	Ask         []Step       `json:"ask"`               // in which steps the run of the evening asks it
}

// KeyedText is a text with the key by which its translations and recordings are named.
type KeyedText struct {
	Key  string `json:"key"`
	Text Text   `json:"text"`
}

// Spoken lists what is read aloud of a question, in the order in which it is met: the
// question, its options, and its explanation if it has one.
func (q *Question) Spoken() []KeyedText {
	key := "questions." + q.ID
	out := []KeyedText{{key + ".text", q.Text}}
	for _, o := range q.Options {
		out = append(out, KeyedText{key + ".options." + o.ID, o.Text})
	}
	if len(q.Explanation) > 0 {
		out = append(out, KeyedText{key + ".explanation", q.Explanation})
	}
	return out
}

// option gives the index of an option, or -1.
func (q *Question) option(id string) int {
	return slices.IndexFunc(q.Options, func(o Option) bool { return o.ID == id })
}

// PausePoint is a moment at which the film halts by itself so that people can talk.
type PausePoint struct {
	At       Millis `json:"at"`
	Note     Text   `json:"note,omitempty"`
	Question string `json:"question,omitempty"` // a question to ask there, or ""
}

// Subtitle is one subtitle track of the film.
type Subtitle struct {
	Lang  string `json:"lang"`
	Label string `json:"label"`
}

// Film is what the rules need to know of a film.
type Film struct {
	ID          string       `json:"id"`
	Title       Text         `json:"title"`
	Credit      string       `json:"credit,omitempty"`
	Duration    Millis       `json:"duration"` // 0 when unknown
	Subtitles   []Subtitle   `json:"subtitles,omitempty"`
	PausePoints []PausePoint `json:"pausePoints,omitempty"`
	Missing     bool         `json:"missing,omitempty"` // the pack has a place for it but no file
}

// Programme is everything a screening is held by: it comes from the pack and the
// configuration, and is written whole into the ScreeningPlanned event, so that a
// journal can be read when the pack has long changed.
type Programme struct {
	Pack         string     `json:"pack"`
	Regencies    []Regency  `json:"regencies"`
	Categories   []Category `json:"categories"`
	Questions    []Question `json:"questions"`
	Film         Film       `json:"film"`
	ThankYou     Millis     `json:"thankYou"`     // pause after a ballot on a touch screen
	ShareMinimum int        `json:"shareMinimum"` // results are shown from this many answers on
}

func (p *Programme) regency(id string) int {
	return slices.IndexFunc(p.Regencies, func(r Regency) bool { return r.ID == id })
}

func (p *Programme) question(id string) int {
	return slices.IndexFunc(p.Questions, func(q Question) bool { return q.ID == id })
}

// Millis is a span or a film position in milliseconds.
type Millis int64

// Duration gives the span as a time.Duration.
func (m Millis) Duration() time.Duration { return time.Duration(m) * time.Millisecond }

// ToMillis gives the whole milliseconds of a duration.
func ToMillis(d time.Duration) Millis { return Millis(d.Milliseconds()) }

// Step is a part of the evening.
type Step string

const (
	SetUp      Step = "set_up"
	Doors      Step = "doors"
	PollBefore Step = "poll_before"
	FilmStep   Step = "film"
	Discussion Step = "discussion"
	Closing    Step = "closing"
	Ended      Step = "ended"
)

// Steps are the parts of the evening in their usual order. The facilitator may
// skip and go back: real evenings are not linear.
var Steps = []Step{SetUp, Doors, PollBefore, FilmStep, Discussion, Closing, Ended}

func (s Step) valid() bool        { return slices.Contains(Steps, s) }
func (s Step) place() int         { return slices.Index(Steps, s) }
func (s Step) before(o Step) bool { return s.place() < o.place() }
