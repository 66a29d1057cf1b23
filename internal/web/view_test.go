package web

import (
	"slices"
	"testing"

	"mimpi-kiosk/internal/screening"
)

func TestUntranslatedQuestions(t *testing.T) {
	in := func(langs ...string) screening.Text {
		all := screening.Text{}
		for _, l := range langs {
			all[l] = l
		}
		return all
	}
	v := &viewer{languages: []Language{{"id", "Bahasa Indonesia"}, {"en", "English"}, {"tet", "Tetun"}}}
	all := in("id", "en", "tet")
	for name, c := range map[string]struct {
		question, option, explanation, check screening.Text
		want                                 []string
	}{
		"whole":                           {all, all, all, nil, nil},
		"an opinion has no explanation":   {all, all, nil, nil, nil},
		"the question":                    {in("id", "en"), all, all, nil, []string{"tet"}},
		"an option":                       {all, in("id", "tet"), all, nil, []string{"en"}},
		"the explanation":                 {all, all, in("id"), nil, []string{"en", "tet"}},
		"an empty text is none":           {screening.Text{"id": "a", "en": "", "tet": "c"}, all, all, nil, []string{"en"}},
		"a language that no screen has":   {in("id", "en", "tet", "aoz"), all, all, nil, nil},
		"what only the facilitator reads": {all, all, all, in("id"), nil},
	} {
		asked := screening.Question{ID: "q", Text: c.question, Explanation: c.explanation, Check: c.check,
			Options: []screening.Option{{ID: "a", Text: all}, {ID: "b", Text: c.option}}}
		rows := v.questionRows(&screening.State{
			Questions: []screening.QuestionState{{ID: "q"}},
			Screening: &screening.Screening{Programme: &screening.Programme{Questions: []screening.Question{asked}}},
		})
		if len(rows) != 1 || !slices.Equal(rows[0].Untranslated, c.want) {
			t.Errorf("%s: %v, want %v", name, rows, c.want)
		}
	}
}
