package collect

import (
	"cmp"
	"slices"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/export/chart"
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
	Regencies  []Regency    // by name
	Answers    []*Answers   // by question, as first asked
	Changes    []*Change    // of the questions asked before and after a film
	Months     []MonthTotal // by month
	Noted      int          // screenings of which the facilitator noted how they went
	Notes      []NoteTotal  // by screening.NoteLists
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
}

// Answers is what was answered to a question at one time of the evening, everywhere.
type Answers struct {
	*Question
	Before   bool // the film
	Times    int  // that it was asked; of a Change, at so many screenings
	Answered int
	Skipped  int
	Counts   []int // by the question's options
}

// Small says that too few answered for anything to be shown.
func (a *Answers) Small() bool { return a.Answered < chart.Smallest }

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
		q      *Question
		before bool
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
		reg := regencies[s.KodeKemendagri+s.Regency]
		if reg == nil {
			reg = &Regency{Name: s.Regency, Kemendagri: s.KodeKemendagri, BPS: s.KodeBPS, Groups: make([]int, len(t.Groups))}
			regencies[s.KodeKemendagri+s.Regency] = reg
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
		before, after := map[*Question]*Round{}, map[*Question]*Round{}
		for i := range s.Rounds {
			round := &s.Rounds[i]
			w := when{round.Question, export.Before(round.Step)}
			add(answers, w, w.q, w.before, round, &t.Answers)
			// Asked again and again, the last before and the last after the film stand.
			if w.before {
				before[w.q] = round
			} else {
				after[w.q] = round
			}
		}
		for i := range s.Rounds {
			q := s.Rounds[i].Question
			if before[q] == nil || after[q] == nil {
				continue
			}
			var none []*Answers
			add(paired, when{q, true}, q, true, before[q], &none)
			add(paired, when{q, false}, q, false, after[q], &none)
			delete(before, q)
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
		if d := order[a.Question] - order[b.Question]; d != 0 {
			return d
		}
		if a.Before == b.Before {
			return 0
		}
		if a.Before {
			return -1
		}
		return 1
	})
	for _, a := range t.Answers {
		c := &Change{paired[when{a.Question, true}], paired[when{a.Question, false}]}
		if c.Before != nil && (len(t.Changes) == 0 || t.Changes[len(t.Changes)-1].Before != c.Before) {
			t.Changes = append(t.Changes, c)
		}
	}
	return t
}

func (c *Category) key() Category { return Category{ID: c.ID, Sex: c.Sex, Age: c.Age} }

func add[K comparable](to map[K]*Answers, key K, q *Question, before bool, r *Round, list *[]*Answers) {
	a := to[key]
	if a == nil {
		a = &Answers{Question: q, Before: before, Counts: make([]int, len(q.Options))}
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
