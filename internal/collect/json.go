package collect

import (
	"encoding/json"
	"io"
	"strings"

	"mimpi-kiosk/internal/export/chart"
	"mimpi-kiosk/internal/screening"
)

// The JSON report: fields may be added, never renamed. Of groups and polls of fewer than ten
// people there are no numbers, nor any from which they could be worked out.
type (
	jsonReport struct {
		SchemaVersion int             `json:"schemaVersion"`
		Totals        jsonTotals      `json:"totals"`
		Regencies     []jsonRegency   `json:"regencies"`
		Answers       []jsonAnswers   `json:"answers"` // by question and phase; one round of each screening
		Changes       []jsonChange    `json:"changes"`
		Screenings    []jsonScreening `json:"screenings"`
		Kiosks        []Kiosk         `json:"kiosks"`
		Problems      []Problem       `json:"problems"`
		CannotShow    Words           `json:"cannotShow"`
	}
	jsonTotals struct {
		Screenings        int         `json:"screenings"`
		People            int         `json:"people"`
		Groups            []jsonGroup `json:"groups"`
		Disability        *int        `json:"disability"` // null: nobody was asked, or under ten
		DisabilityAskedAt int         `json:"disabilityAskedAt"`
		NotedAt           int         `json:"notedAt"` // screenings of which the facilitator noted how they went
		Noted             []jsonNoted `json:"noted"`
		First             string      `json:"first"`
		Last              string      `json:"last"`
		Rehearsals        int         `json:"rehearsals"` // not counted
		Copies            int         `json:"copies"`
		Twice             int         `json:"twice"`
	}
	jsonGroup struct {
		ID     string `json:"id"`
		Label  Words  `json:"label"`
		Sex    string `json:"sex"`
		Age    string `json:"age"`
		People int    `json:"people"`
	}
	jsonNoted struct {
		List       string `json:"list"`
		Code       string `json:"code"`
		Text       Words  `json:"text"`
		Screenings int    `json:"screenings"`
	}
	jsonRegency struct {
		Name           string      `json:"name"`
		KodeKemendagri string      `json:"kodeKemendagri"`
		KodeBPS        string      `json:"kodeBps"`
		Screenings     int         `json:"screenings"`
		People         int         `json:"people"`
		Groups         []jsonGroup `json:"groups"`     // none when suppressed
		Suppressed     bool        `json:"suppressed"` // a group is small, or could be worked out
	}
	jsonAnswers struct {
		Question   string               `json:"question"`
		Text       Words                `json:"text"`
		Phase      screening.RoundPhase `json:"phase"`
		Screenings int                  `json:"screenings"`
		Suppressed bool                 `json:"suppressed"`
		Options    []jsonAnswer         `json:"options"`
	}
	jsonAnswer struct {
		ID    string     `json:"id"`
		Text  Words      `json:"text"`
		Right bool       `json:"right"`
		Share *jsonShare `json:"share,omitempty"`
	}
	jsonChange struct {
		Question   string       `json:"question"`
		Text       Words        `json:"text"`
		Screenings int          `json:"screenings"`
		Suppressed bool         `json:"suppressed"`
		Options    []jsonOption `json:"options"`
	}
	jsonOption struct {
		ID     string     `json:"id"`
		Text   Words      `json:"text"`
		Right  bool       `json:"right"`
		Before *jsonShare `json:"before"`
		After  *jsonShare `json:"after"`
	}
	jsonShare struct {
		Answered int     `json:"answered"`
		Count    int     `json:"count"`
		Share    float64 `json:"share"`
		Low      float64 `json:"low"` // of the 95 % interval
		High     float64 `json:"high"`
	}
	jsonScreening struct {
		ID             string                 `json:"id"`
		Kiosk          string                 `json:"kiosk"`
		Rehearsal      bool                   `json:"rehearsal"`
		HeldAt         string                 `json:"heldAt"`
		StartedAt      string                 `json:"startedAt"`
		EndedAt        string                 `json:"endedAt"`
		Regency        string                 `json:"regency"`
		KodeKemendagri string                 `json:"kodeKemendagri"`
		KodeBPS        string                 `json:"kodeBps"`
		Venue          string                 `json:"venue"`
		Audience       string                 `json:"audience"`
		Programme      string                 `json:"programme"`
		Film           Words                  `json:"film"`
		People         int                    `json:"people"`
		Groups         []jsonGroup            `json:"groups"`     // none when suppressed
		Suppressed     bool                   `json:"suppressed"` // a group is small, or could be worked out
		Disability     *int                   `json:"disability"` // null: nobody was asked, or it may not be shown
		Rounds         []jsonRound            `json:"rounds"`
		Quality        string                 `json:"quality"`
		Note           screening.EveningNoted `json:"note"` // in the codes of noted
		Signed         bool                   `json:"signed"`
		Copies         int                    `json:"copies"`
		Digest         string                 `json:"digest"`
	}
	jsonRound struct {
		Question   string         `json:"question"`
		Round      int            `json:"round"`
		Step       string         `json:"step"`
		Phase      string         `json:"phase"`
		Suppressed bool           `json:"suppressed"`
		Answered   *int           `json:"answered"`
		Skipped    *int           `json:"skipped"`
		Counts     map[string]int `json:"counts"`
	}
)

func writeJSON(w io.Writer, r *Result, t *Totals) error {
	out := jsonReport{
		SchemaVersion: schemaVersion, Kiosks: append([]Kiosk{}, r.Kiosks...), Problems: append([]Problem{}, r.Problems...),
		Regencies: []jsonRegency{}, Answers: []jsonAnswers{}, Changes: []jsonChange{}, Screenings: []jsonScreening{},
		CannotShow: Words{chart.CannotShow[0], chart.CannotShow[1]},
		Totals: jsonTotals{Screenings: t.Screenings, People: t.People, Groups: t.jsonGroups(t.ByGroup, false), DisabilityAskedAt: t.AskedAt, NotedAt: t.Noted,
			First: t.First, Last: t.Last, Rehearsals: rehearsals(r), Copies: r.Copies, Twice: r.Twice},
	}
	if n, told := few(t.Disability, t.AskedAt).(int); told {
		out.Totals.Disability = &n
	}
	for _, list := range t.Notes {
		for i, choice := range list.Choices {
			out.Totals.Noted = append(out.Totals.Noted, jsonNoted{list.ID, choice.ID, words(choice.Text), list.Times[i]})
		}
	}
	for _, g := range t.Regencies {
		out.Regencies = append(out.Regencies, jsonRegency{g.Name, g.Kemendagri, g.BPS, g.Screenings, g.People, t.jsonGroups(g.Groups, g.Hidden), g.Hidden})
	}
	for _, c := range t.Changes {
		change := jsonChange{Question: c.Before.ID, Text: c.Before.Text, Screenings: c.Before.Times, Suppressed: c.Before.Small() || c.After.Small()}
		for i, o := range c.Before.Options {
			option := jsonOption{ID: o.ID, Text: o.Text, Right: o.Right}
			if !change.Suppressed {
				option.Before, option.After = shareOf(c.Before, i), shareOf(c.After, i)
			}
			change.Options = append(change.Options, option)
		}
		out.Changes = append(out.Changes, change)
	}
	for _, a := range t.Answers {
		answers := jsonAnswers{Question: a.ID, Text: a.Text, Phase: a.Phase, Screenings: a.Times, Suppressed: a.Small()}
		for i, o := range a.Options {
			answer := jsonAnswer{ID: o.ID, Text: o.Text, Right: o.Right}
			if !answers.Suppressed {
				answer.Share = shareOf(a, i)
			}
			answers.Options = append(answers.Options, answer)
		}
		out.Answers = append(out.Answers, answers)
	}
	for _, s := range r.Screenings {
		out.Screenings = append(out.Screenings, t.jsonOf(s))
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	return enc.Encode(out)
}

// jsonGroups gives people by t.Groups as they may be shown. Merged groups have the ids of
// all, joined by '+', and neither sex nor age.
func (t *Totals) jsonGroups(people []int, hidden bool) []jsonGroup {
	out := []jsonGroup{}
	if hidden {
		return out
	}
	for i, n := range t.columns(people) {
		c := t.Columns[i]
		g := jsonGroup{Label: c.Label, People: n}
		for _, of := range c.Groups {
			g.ID = strings.TrimPrefix(g.ID+"+"+t.Groups[of].ID, "+")
		}
		if len(c.Groups) == 1 {
			g.Sex, g.Age = t.Groups[c.Groups[0]].Sex, t.Groups[c.Groups[0]].Age
		}
		out = append(out, g)
	}
	return out
}

func shareOf(a *Answers, i int) *jsonShare {
	low, high := chart.Wilson(a.Counts[i], a.Answered)
	return &jsonShare{a.Answered, a.Counts[i], float64(a.Counts[i]) / float64(a.Answered), low, high}
}

func (t *Totals) jsonOf(s *Screening) jsonScreening {
	out := jsonScreening{
		ID: s.ID, Kiosk: s.Kiosk, Rehearsal: s.Rehearsal, HeldAt: s.HeldAt, StartedAt: s.StartedAt, EndedAt: s.EndedAt,
		Regency: s.Regency, KodeKemendagri: s.KodeKemendagri, KodeBPS: s.KodeBPS, Venue: s.Venue, Audience: s.Audience,
		Programme: s.Programme, Film: s.FilmTitle, People: s.People(), Groups: t.jsonGroups(t.byGroup(s), t.hidden[s]), Suppressed: t.hidden[s],
		Rounds: []jsonRound{}, Quality: s.Quality, Note: s.Note, Signed: s.Key != "", Copies: s.Copies, Digest: s.Digest,
	}
	if !t.hiddenDisability[s] {
		out.Disability = s.Disability
	}
	for i := range s.Rounds {
		r := &s.Rounds[i]
		round := jsonRound{Question: r.ID, Round: r.N, Step: string(r.Step), Phase: string(r.Phase), Suppressed: t.hiddenRounds[r]}
		if !round.Suppressed {
			round.Answered, round.Skipped, round.Counts = new(r.Answered()), &r.Skipped, map[string]int{}
			for j, o := range r.Options {
				round.Counts[o.ID] = r.Counts[j]
			}
		}
		out.Rounds = append(out.Rounds, round)
	}
	return out
}
