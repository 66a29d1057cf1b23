package collect

import (
	"cmp"
	"slices"

	"mimpi-kiosk/internal/screening"
)

// Totals are the figures of all screenings but rehearsals.
type Totals struct {
	Screenings int
	People     int
	Disability int // of those who were asked
	AskedAt    int // screenings at which they were
	First      string
	Last       string       // days of the first and last screening, "2026-11-24"
	Groups     []*Category  // columns of the regencies' counts; by id, sex and age
	ByGroup    []int        // by Groups
	Columns    []Column     // the groups as they may be shown
	Merged     bool         // a column is of several groups
	Regencies  []Regency    // by name
	Answers    []*Answers   // by question, as first asked, then by phase
	Changes    []*Change    // of the questions asked before and after a film
	Months     []MonthTotal // by month
	Noted      int          // screenings of which the facilitator noted how they went
	Notes      []NoteTotal  // by screening.NoteLists

	// What may not be shown of single screenings; see hideSmall.
	hidden, hiddenDisability map[*Screening]bool
	hiddenRounds             map[*Round]bool
}

// MonthTotal is what happened in a month ("2026-11").
type MonthTotal struct {
	Month      string
	Screenings int
	People     int
}

// NoteTotal is at how many screenings the choices of a list were noted.
type NoteTotal struct {
	screening.NoteList
	Times []int // by Choices
}

// Regency is what happened in a regency.
type Regency struct {
	Name, Kemendagri, BPS string
	Screenings            int
	People                int
	Groups                []int // by Totals.Groups
	Disability            int
	AskedAt               int

	Hidden           bool // nothing of Groups may be shown
	HiddenDisability bool // nor Disability
}

// Answers is what was answered to a question in one phase, everywhere: of each screening
// one round.
type Answers struct {
	*Question
	Phase    screening.RoundPhase
	Times    int // screenings
	Answered int
	Skipped  int
	Counts   []int // by the question's options

	left bool // few answers could be worked out from it and Changes
}

// Small says that nothing may be shown: too few answered, or too few others could be
// worked out.
func (a *Answers) Small() bool { return a.Answered < screening.Fewest || a.left }

// RightShare counts the people who chose a right answer; of a question that takes
// several answers it cannot be known, and ok is false.
func (a *Answers) RightShare() (right int, ok bool) {
	any := false
	for i, o := range a.Options {
		if o.Right {
			right += a.Counts[i]
			any = true
		}
	}
	return right, any && a.Kind != "several"
}

// Change is a question asked before and after the film, at the screenings that did both.
type Change struct {
	Before, After *Answers
}

// Totals adds up.
func (r *Result) Totals() *Totals {
	t := &Totals{}
	for _, list := range screening.NoteLists {
		t.Notes = append(t.Notes, NoteTotal{list, make([]int, len(list.Choices))})
	}
	groups := map[Category]int{}
	regencies := map[string]*Regency{}
	months := map[string]*MonthTotal{}
	type when struct {
		q     *Question
		phase screening.RoundPhase
	}
	answers, paired := map[when]*Answers{}, map[when]*Answers{}
	for _, s := range r.Screenings {
		for _, g := range s.Groups {
			if _, ok := groups[g.key()]; !ok && !s.Rehearsal {
				groups[g.key()] = 0
				t.Groups = append(t.Groups, g.Category)
			}
		}
	}
	slices.SortStableFunc(t.Groups, func(a, b *Category) int {
		return cmp.Or(-cmp.Compare(a.Age, b.Age), cmp.Compare(a.Sex, b.Sex), cmp.Compare(a.ID, b.ID))
	})
	for i, g := range t.Groups {
		groups[g.key()] = i
	}
	t.ByGroup = make([]int, len(t.Groups))
	for _, s := range r.Screenings {
		if s.Rehearsal {
			continue
		}
		t.Screenings++
		day := s.Date()
		if t.First == "" || day < t.First {
			t.First = day
		}
		t.Last = max(t.Last, day)
		month := months[day[:min(len(day), 7)]]
		if month == nil {
			month = &MonthTotal{Month: day[:min(len(day), 7)]}
			months[month.Month] = month
		}
		month.Screenings++
		month.People += s.People()
		reg := regencies[s.regency()]
		if reg == nil {
			reg = &Regency{Name: s.Regency, Kemendagri: s.KodeKemendagri, BPS: s.KodeBPS, Groups: make([]int, len(t.Groups))}
			regencies[s.regency()] = reg
		}
		reg.Screenings++
		for _, g := range s.Groups {
			i := groups[g.key()]
			reg.Groups[i] += g.Net
			t.ByGroup[i] += g.Net
			reg.People += g.Net
			t.People += g.Net
		}
		if s.Disability != nil {
			reg.Disability += *s.Disability
			reg.AskedAt++
			t.Disability += *s.Disability
			t.AskedAt++
		}
		if len(s.Note.InWords()) > 0 {
			t.Noted++
		}
		for i, codes := range s.Note.Codes() {
			for j, choice := range t.Notes[i].Choices {
				if slices.Contains(codes, choice.ID) {
					t.Notes[i].Times[j]++
				}
			}
		}
		figures := s.figures()
		for i := range s.Rounds { // in the order in which they were asked
			round := &s.Rounds[i]
			of := figures[round.Question]
			if round.Phase == screening.NoRound || of[round.Phase] != round {
				continue
			}
			add(answers, when{round.Question, round.Phase}, round, &t.Answers)
			if of[screening.BeforeFilm] != nil && of[screening.AfterFilm] != nil && round.Phase != screening.AfterTalking {
				var none []*Answers
				add(paired, when{round.Question, round.Phase}, round, &none)
			}
		}
	}
	for _, reg := range regencies {
		t.Regencies = append(t.Regencies, *reg)
	}
	slices.SortFunc(t.Regencies, func(a, b Regency) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Kemendagri, b.Kemendagri))
	})
	for _, m := range months {
		t.Months = append(t.Months, *m)
	}
	slices.SortFunc(t.Months, func(a, b MonthTotal) int { return cmp.Compare(a.Month, b.Month) })
	// The questions in the order in which they were first asked, before and after together.
	order := map[*Question]int{}
	for _, a := range t.Answers {
		if _, ok := order[a.Question]; !ok {
			order[a.Question] = len(order)
		}
	}
	slices.SortStableFunc(t.Answers, func(a, b *Answers) int {
		return cmp.Or(order[a.Question]-order[b.Question], slices.Index(screening.RoundPhases, a.Phase)-slices.Index(screening.RoundPhases, b.Phase))
	})
	for _, a := range t.Answers {
		c := &Change{paired[when{a.Question, screening.BeforeFilm}], paired[when{a.Question, screening.AfterFilm}]}
		if c.Before != nil && (len(t.Changes) == 0 || t.Changes[len(t.Changes)-1].Before != c.Before) {
			t.Changes = append(t.Changes, c)
		}
	}
	t.hideSmall(r)
	return t
}

func (c *Category) key() Category { return Category{ID: c.ID, Sex: c.Sex, Age: c.Age} }

func add[K comparable](to map[K]*Answers, key K, r *Round, list *[]*Answers) {
	a := to[key]
	if a == nil {
		a = &Answers{Question: r.Question, Phase: r.Phase, Counts: make([]int, len(r.Options))}
		to[key] = a
		*list = append(*list, a)
	}
	a.Times++
	a.Answered += r.Answered()
	a.Skipped += r.Skipped
	for i, n := range r.Counts {
		a.Counts[i] += n
	}
}
