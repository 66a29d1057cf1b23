package collect

import (
	"encoding/json"
	"strings"
	"sync"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
)

// Screening is one screening that was read. Times are ISO 8601 in WITA (+08:00), ""
// where there is none.
type Screening struct {
	ID             string
	Kiosk          string
	Rehearsal      bool
	Programme      string
	FilmID         string
	FilmTitle      Words
	FilmFinished   bool
	Regency        string // its name
	KodeKemendagri string
	KodeBPS        string
	Venue          string
	Audience       string
	Label          string
	HeldAt         string
	StartedAt      string
	EndedAt        string
	Clock          string // how the times are known, joined by ','
	Quality        string // words of data_quality, joined by ','
	AppVersion     string

	Groups     []Group
	Disability *int // of those who were asked; nil when nobody was
	Rounds     []Round
	Note       screening.EveningNoted // how it went, in codes

	LastEvent int64  // number of the last event
	Digest    string // of what was exported, as SHA-256 of its checksums
	Key       string // public key of the kiosk that signed; "" when nothing is signed
	Path      string // of the copy that counts
	Copies    int    // sound ones, this one included

	history *history
	vouched bool // the list of known keys has the key for the kiosk
}

// Group is how many came of a group.
type Group struct {
	*Category
	Pressed, Undone, Corrected, Rows, Net int
}

// Category is a group that people were counted in.
type Category struct {
	ID    string
	Label Words
	Sex   string // "female", "male" or ""
	Age   string // "18+", "0-17" or ""
}

// Round is one asking of a question.
type Round struct {
	*Question
	N        int
	Step     screening.Step
	Phase    screening.RoundPhase // by the journal, whatever the summary says
	Ballots  int                  // people, the skipped ones included
	Skipped  int                  // people
	Counts   []int                // people per option, hands included
	Hands    []int                // the part of Counts that was raised hands; nil when none were
	Channels []Channel
}

// Channel is how many people answered in a way.
type Channel struct {
	Name   string
	People int
}

// Answered is how many people chose anything.
func (r *Round) Answered() int { return r.Ballots - r.Skipped }

// Question is a question in the words in which it was asked. Questions of the same words
// are the same *Question.
type Question struct {
	Programme string
	ID        string
	Kind      screening.QuestionKind
	Text      Words
	Options   []Option
}

// Option is an answer.
type Option struct {
	ID    string
	Text  Words
	Right bool
}

// People is how many came.
func (s *Screening) People() int {
	n := 0
	for _, g := range s.Groups {
		n += g.Net
	}
	return n
}

// Date is the day of the screening, "2026-11-24", or "".
func (s *Screening) Date() string { return s.HeldAt[:min(len(s.HeldAt), 10)] }

// PCode is the regency's code in the lists of OCHA, "ID5317", or "".
func (s *Screening) PCode() string { return export.PCode(s.KodeBPS) }

// glossary keeps one of each question and category, since thousands of screenings ask
// the same. Goroutines may share it.
type glossary struct {
	mu         sync.Mutex
	questions  map[string]*Question
	categories map[Category]*Category
}

func newGlossary() *glossary {
	return &glossary{questions: map[string]*Question{}, categories: map[Category]*Category{}}
}

func words(t screening.Text) Words { return Words{t.In("id"), t.In("en")} }

func (g *glossary) category(c export.CategorySummary) *Category {
	key := Category{c.ID, words(c.Label), c.Sex, c.Age}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.categories[key] == nil {
		g.categories[key] = &key
	}
	return g.categories[key]
}

func (g *glossary) question(programme string, q export.QuestionSummary) (*Question, error) {
	q.Rounds = nil
	text, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	key := programme + "\x00" + string(text)
	g.mu.Lock()
	defer g.mu.Unlock()
	if known := g.questions[key]; known != nil {
		return known, nil
	}
	out := &Question{Programme: programme, ID: q.ID, Kind: q.Kind, Text: words(q.Text)}
	for _, o := range q.Options {
		out.Options = append(out.Options, Option{o.ID, words(o.Text), o.Right})
	}
	g.questions[key] = out
	return out, nil
}

// screeningOf takes over a summary, and what only the journal says for sure: what a round
// is, and whether the film was shown whole.
func (g *glossary) screeningOf(sum *export.Summary, h *history) (*Screening, error) {
	in := sum.Screening
	s := &Screening{
		ID: in.ID, Kiosk: sum.Kiosk, Rehearsal: in.Rehearsal, Programme: in.Programme,
		FilmID: sum.Film.ID, FilmTitle: words(sum.Film.Title), FilmFinished: h.wholeFilm,
		Regency: in.Regency, KodeKemendagri: in.KodeKemendagri, KodeBPS: in.KodeBPS,
		Venue: in.Venue, Audience: in.Audience, Label: in.Label, HeldAt: in.HeldAt, StartedAt: in.StartedAt,
		Clock: strings.Join(sum.Quality.ClockSources, ","), Quality: strings.Join(h.quality(sum.Quality.Notes), ","),
		AppVersion: sum.AppVersion, Disability: sum.Attendance.Disability, Note: sum.Note,
	}
	for _, codes := range []*[]string{&s.Note.Went, &s.Note.Away, &s.Note.Why} {
		*codes = append([]string{}, *codes...) // older kiosks do not write them
	}
	if in.EndedAt != nil {
		s.EndedAt = *in.EndedAt
	}
	for _, c := range sum.Attendance.Categories {
		s.Groups = append(s.Groups, Group{g.category(c), c.Pressed, c.Undone, c.Corrected, c.Rows, c.Net})
	}
	for _, q := range sum.Questions {
		def, err := g.question(in.Programme, q)
		if err != nil {
			return nil, err
		}
		for i, r := range q.Rounds {
			round := Round{Question: def, N: r.N, Step: r.Step, Phase: h.phase(q.ID, i, r), Ballots: r.Ballots, Skipped: r.Skipped, Counts: make([]int, len(def.Options))}
			for i, o := range def.Options {
				round.Counts[i] = r.Counts[o.ID]
				if n, ok := r.Hands[o.ID]; ok {
					if round.Hands == nil {
						round.Hands = make([]int, len(def.Options))
					}
					round.Hands[i] = n
				}
			}
			for _, c := range screening.Channels {
				if n := r.ByChannel[c]; n != 0 {
					round.Channels = append(round.Channels, Channel{string(c), n})
				}
			}
			s.Rounds = append(s.Rounds, round)
		}
	}
	return s, nil
}
