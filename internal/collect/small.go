package collect

import (
	"slices"
	"strings"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/kiosk-ui/lang"
)

// Column is one column of the counts by group: a group, or several that few are in.
type Column struct {
	Label  Words
	Groups []int // of Totals.Groups
}

// notShown stands in tables for people where a number may not be shown.
const notShown = "…"

// hiddenNote explains notShown.
func hiddenNote() Words {
	return words(lang.Text("collect.not_shown", lang.Params{"n": screening.Fewest}))
}

// hideSmall decides what of the figures may be shown, by the rules of package screening:
// nothing of groups under screening.Fewest, and nothing from which they could be worked
// out. A table of regencies shows a row of groups or leaves all of it out; what a regency's
// row leaves out, no screening of it tells; of the others, screenings are left out by the
// same rule. Numbers of all people together are always shown.
func (t *Totals) hideSmall(r *Result) {
	t.hidden, t.hiddenDisability, t.hiddenRounds = map[*Screening]bool{}, map[*Screening]bool{}, map[*Round]bool{}
	for _, g := range screening.MergeSmall(t.ByGroup) {
		c := Column{Groups: g.Categories}
		var id, en []string
		for _, i := range g.Categories {
			id, en = append(id, t.Groups[i].Label.ID), append(en, t.Groups[i].Label.EN)
		}
		c.Label = Words{strings.Join(id, " + "), strings.Join(en, " + ")}
		t.Columns = append(t.Columns, c)
	}
	t.Merged = slices.ContainsFunc(t.Columns, func(c Column) bool { return len(c.Groups) > 1 })

	var groups, disability [][]int
	for i := range t.Regencies {
		groups = append(groups, t.columns(t.Regencies[i].Groups))
		disability = append(disability, []int{t.Regencies[i].Disability})
	}
	hideGroups, hideDisability := screening.HideRows(groups), screening.HideRows(disability)
	for i := range t.Regencies {
		reg := &t.Regencies[i]
		reg.Hidden, reg.HiddenDisability = hideGroups[i], hideDisability[i]
		var all []*Screening
		var rows, asked [][]int
		for _, s := range r.Screenings {
			if s.regency() != reg.key() {
				continue
			}
			if s.Rehearsal { // in no sum
				t.hide(s, t.columns(t.byGroup(s)), s.disability(), false, false)
				continue
			}
			all = append(all, s)
			rows, asked = append(rows, t.columns(t.byGroup(s))), append(asked, []int{s.disability()})
		}
		small, few := screening.HideRows(rows), screening.HideRows(asked)
		for j, s := range all {
			t.hide(s, rows[j], s.disability(), reg.Hidden || small[j], reg.HiddenDisability || few[j])
		}
	}
	for _, s := range r.Screenings {
		if s.Rehearsal && !slices.ContainsFunc(t.Regencies, func(reg Regency) bool { return s.regency() == reg.key() }) {
			t.hide(s, t.columns(t.byGroup(s)), s.disability(), false, false)
		}
	}
	t.hideRounds(r)
}

func (t *Totals) hide(s *Screening, columns []int, disability int, groups, asked bool) {
	t.hidden[s] = groups || slices.ContainsFunc(columns, screening.Few)
	t.hiddenDisability[s] = asked && disability > 0 || screening.Few(disability)
}

// columns adds up groups, in the order of t.Groups, to those of t.Columns.
func (t *Totals) columns(groups []int) []int {
	out := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		for _, g := range c.Groups {
			out[i] += groups[g]
		}
	}
	return out
}

// byGroup gives the people of a screening in the order of t.Groups. Groups that only
// rehearsals have are not among them.
func (t *Totals) byGroup(s *Screening) []int {
	out := make([]int, len(t.Groups))
	for _, g := range s.Groups {
		if i := slices.IndexFunc(t.Groups, func(c *Category) bool { return c.key() == g.key() }); i >= 0 {
			out[i] += g.Net
		}
	}
	return out
}

func (s *Screening) disability() int {
	if s.Disability == nil {
		return 0
	}
	return *s.Disability
}

func (s *Screening) regency() string { return s.KodeKemendagri + s.Regency }
func (r *Regency) key() string       { return r.Kemendagri + r.Name }

// hideRounds decides which rounds of single screenings are not shown. The sums of a question
// and phase are shown, and those of the screenings that have both figures.
func (t *Totals) hideRounds(r *Result) {
	type sum struct {
		q     *Question
		phase screening.RoundPhase
		both  bool
	}
	rounds := map[sum][]*Round{}
	for _, s := range r.Screenings {
		figures := s.figures()
		for i := range s.Rounds {
			round := &s.Rounds[i]
			t.hiddenRounds[round] = round.Answered() < screening.Fewest
			f := figures[round.Question]
			if s.Rehearsal || f[round.Phase] != round { // in no sum
				continue
			}
			both := round.Phase != screening.AfterTalking && f[screening.BeforeFilm] != nil && f[screening.AfterFilm] != nil
			of := sum{round.Question, round.Phase, both}
			rounds[of] = append(rounds[of], round)
		}
	}
	for _, all := range rounds {
		var rows [][]int
		for _, round := range all {
			rows = append(rows, []int{round.Answered()})
		}
		for i, hidden := range screening.HideRows(rows) {
			t.hiddenRounds[all[i]] = t.hiddenRounds[all[i]] || hidden
		}
	}
	for _, a := range t.Answers {
		both := 0
		for _, c := range t.Changes {
			for _, of := range []*Answers{c.Before, c.After} {
				if of.Question == a.Question && of.Phase == a.Phase {
					both = of.Answered
				}
			}
		}
		// With those of Changes, or without them, a few would be left over.
		a.left = screening.Few(both) || screening.Few(a.Answered-both)
	}
}

// figures gives the rounds of a screening that sums take, by question: the one before and
// the one after the film, and of those after talking the last. No sum adds rounds.
func (s *Screening) figures() map[*Question]map[screening.RoundPhase]*Round {
	out := map[*Question]map[screening.RoundPhase]*Round{}
	for i := range s.Rounds {
		r := &s.Rounds[i]
		if r.Phase == screening.NoRound {
			continue
		}
		if out[r.Question] == nil {
			out[r.Question] = map[screening.RoundPhase]*Round{}
		}
		out[r.Question][r.Phase] = r
	}
	return out
}

func whenAsked(phase screening.RoundPhase) Words {
	switch phase {
	case screening.BeforeFilm:
		return words(lang.Text("common.round.before"))
	case screening.AfterFilm:
		return words(lang.Text("common.round.after"))
	}
	return words(lang.Text("report.talked"))
}
