package export

import (
	"slices"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/kiosk-ui/lang"
)

// FiguresQuality lists the words of the column data_quality that say which figures before
// and after the film are missing, and why. Evenings without answers have none.
func FiguresQuality(s *screening.State) []string {
	var out []string
	answered, spoilt := false, false
	for i := range s.Questions {
		q := &s.Questions[i]
		answered = answered || slices.ContainsFunc(q.Rounds, func(r screening.Round) bool { return r.Answered() > 0 })
		spoilt = spoilt || s.Spoilt(q)
	}
	if answered && s.Showing.Ended == 0 {
		out = append(out, "no_whole_film")
	}
	if spoilt {
		out = append(out, "answer_shown_early")
	}
	return out
}

// RoundName says in Indonesian and English when a round was asked, by the step and phase.
func RoundName(step screening.Step, phase screening.RoundPhase) (id, en string) {
	var name screening.Text
	switch {
	case phase == screening.BeforeFilm:
		name = lang.Text("common.round.before")
	case phase == screening.AfterFilm:
		name = lang.Text("common.round.after")
	case step == screening.FilmStep:
		name = lang.Text("common.round.film")
	case slices.Contains([]screening.Step{screening.SetUp, screening.Doors, screening.PollBefore}, step):
		name = lang.Text("common.round.again_before")
	default:
		name = lang.Text("common.round.after_talking")
	}
	return name["id"], name["en"]
}
