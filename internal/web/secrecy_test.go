package web

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"mimpi-kiosk/internal/screening"
)

// fewAnswered is the programme's ShareMinimum in these tests, from which on results may be
// shown.
const fewAnswered = 10

// leaks says what a message to the audience (or a page of theirs) holds that they must
// not know in this state. It looks at the raw bytes.
func leaks(raw string, s *screening.State) []string {
	var found []string
	revealed := ""
	bars := s.ShowRunning
	if q := s.Question(s.Current); q != nil && !early(s) {
		bars = bars || q.Phase == screening.Counted
		if q.Phase == screening.Revealed {
			revealed = q.ID
		}
	}
	look := func(secret string) {
		if strings.Contains(raw, secret) {
			found = append(found, secret)
		}
	}
	look("CEK-") // what to verify before use is the facilitator's alone
	look("voter")
	for _, q := range programme().Questions {
		if q.ID != revealed {
			look("RAHASIA-" + q.ID)
		}
	}
	if q := s.Question(s.Current); q != nil && !slices.ContainsFunc(q.Rounds, func(r screening.Round) bool { return r.Ballots-r.Skipped >= fewAnswered }) {
		look(`"counts"`)
		look(`"shares"`)
	}
	if revealed == "" {
		look(`"right"`)
		look(`"explanation"`)
		look(`"source"`)
		if !bars || early(s) {
			look(`"counts"`)
			look(`"shares"`)
			look(`"rounds"`)
		}
	}
	return found
}

// early says that no result and no right answer of the question on the screens may be seen
// by anybody: before the film, or while it is asked again later.
func early(s *screening.State) bool {
	before := []screening.Step{screening.SetUp, screening.Doors, screening.PollBefore}
	switch {
	case slices.Contains(before, s.Step), s.Step == screening.FilmStep && s.FilmPlayedAt == 0:
		return true
	case s.Step == screening.FilmStep:
		return s.Current == "age" || s.Current == "sure"
	}
	return false
}

func TestAudienceLearnsNothingTooEarly(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 2))
			f := newFaces(t, setup{})
			k := f.k
			k.plan()
			phases := map[string]int{}
			seen := map[string]int{}
			tooEarly := 0
			for range 600 {
				k.clock.advance(time.Duration(rnd.IntN(3000)) * time.Millisecond)
				// Refused ones are part of an evening.
				_ = k.room.Do(t.Context(), screening.Envelope{ID: uuid.NewString(), From: screening.FromFacilitator, Command: anything(rnd, k.room.Latest())})
				s := k.room.Latest()
				for _, as := range []role{stageRole, touchRole, voteRole} {
					raw := string(f.view(f.screens[as]))
					if found := leaks(raw, s); len(found) > 0 {
						t.Fatalf("%s is sent %q while %q is %s (running totals shown: %v):\n%s", as, found, s.Current, phase(s), s.ShowRunning, raw)
					}
					count(seen, string(as), raw)
				}
				if q := s.Question(s.Current); q != nil {
					phases[phase(s)]++
					raw := string(f.view(f.screens[facilitatorRole]))
					newest := q.Rounds[len(q.Rounds)-1]
					if early(s) {
						tooEarly++
						if strings.Contains(raw, `"counts"`) || strings.Contains(raw, `"right"`) || strings.Contains(raw, "RAHASIA-"+q.ID) {
							t.Fatalf("the facilitator sees too early what was answered: %s", raw)
						}
						continue
					}
					if enough := newest.Ballots-newest.Skipped >= fewAnswered; enough && !strings.Contains(raw, `"counts"`) || !enough && !strings.Contains(raw, `"fewerThan"`) || !strings.Contains(raw, "RAHASIA-"+q.ID) || q.ID != "sure" && !strings.Contains(raw, `"right":true`) {
						t.Fatalf("the facilitator lacks something of a question that is %s: %s", q.Phase, raw)
					}
				}
			}
			// The evening must have been one in which something could leak, and was shown in time.
			if phases["open"] < 5 || phases["closed"] < 5 || phases["revealed"] < 5 || phases["counted"] < 5 || tooEarly < 5 {
				t.Errorf("phases seen: %v, too early %d times", phases, tooEarly)
			}
			for _, as := range []string{"stage", "touch", "vote"} {
				for _, what := range []string{`"counts"`, `"right":true`, "RAHASIA-"} {
					if seen[as+" "+what] == 0 {
						t.Errorf("%s never got %s, not even after a reveal", as, what)
					}
				}
			}
		})
	}
}

func phase(s *screening.State) string {
	if q := s.Question(s.Current); q != nil {
		return string(q.Phase)
	}
	return "none"
}

func count(seen map[string]int, as, raw string) {
	for _, what := range []string{`"counts"`, `"right":true`, "RAHASIA-"} {
		if strings.Contains(raw, what) {
			seen[as+" "+what]++
		}
	}
}

// anything is a random command, with those that move the poll on more often.
func anything(rnd *rand.Rand, s *screening.State) screening.Command {
	questions := programme().Questions
	q := questions[rnd.IntN(len(questions))]
	round := 1
	if now := s.Asked(s.Current); now != nil && rnd.IntN(4) > 0 {
		q = *now
	}
	if st := s.Question(q.ID); st != nil {
		round = max(1, len(st.Rounds))
	}
	option := q.Options[rnd.IntN(len(q.Options))].ID
	switch rnd.IntN(18) {
	case 0:
		return screening.MoveTo{Step: []screening.Step{screening.PollBefore, screening.FilmStep, screening.Discussion, screening.Discussion}[rnd.IntN(4)]}
	case 1, 2:
		return screening.OpenQuestion{Question: q.ID, NewRound: rnd.IntN(4) == 0}
	case 3, 4:
		return screening.CloseQuestion{Question: q.ID}
	case 5, 6:
		return screening.RevealQuestion{Question: q.ID}
	case 7:
		return screening.DismissQuestion{}
	case 12, 13:
		return screening.ShowResults{Question: q.ID}
	case 14:
		return screening.PlayFilm{}
	case 8:
		return screening.ShowRunningTotals{Show: rnd.IntN(2) == 0}
	case 9:
		return screening.CountHands{Question: q.ID, Counts: map[string]int{option: rnd.IntN(30)}}
	case 10:
		return screening.SetStage{Page: []screening.StagePage{screening.PageAuto, screening.PageHelp, screening.PageJoin}[rnd.IntN(3)], Lang: "id"}
	case 11:
		return screening.CastBallot{Question: q.ID, Round: round, Choices: []string{option}, Channel: screening.ByTouch}
	}
	return screening.CastBallot{Question: q.ID, Round: round, Choices: []string{option}, Channel: screening.ByPhone, Voter: fmt.Sprint("voter-", rnd.IntN(20))}
}

// The same over real sockets and in the pages, for everything that is sent before the
// reveal: answers too.
func TestNothingLeaksOnTheWire(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.ask("age", screening.Discussion)
	stage, touch, vote := k.own().socket(stageRole), k.own().socket(touchRole), k.voter(1)
	vote.must("castBallot", ballot("age", 1, "a18"))
	vote.refused("castBallot", ballot("age", 1, "a15", "a18"), "one_choice_only")
	touch.must("castBallot", ballot("age", 1, "a15"))
	page, _ := vote.b.load()
	k.do(screening.CloseQuestion{Question: "age"})
	for _, s := range []*socket{stage, touch, vote} {
		s.until(func(p packet) bool { return p.View.Question != nil && p.View.Question.Phase == screening.Closed })
	}
	closed := k.room.Latest()
	closedPage, _ := vote.b.load()
	all := append([]string{page, closedPage, string(k.phone(2).get("/guidebook").body), string(k.phone(2).get("/lang/id.json").body)}, stage.raw...)
	all = append(append(all, touch.raw...), vote.raw...)
	if len(all) < 10 {
		t.Errorf("only %d messages were looked at", len(all))
	}
	for _, raw := range all {
		if found := leaks(raw, closed); len(found) > 0 {
			t.Errorf("before the reveal %q was sent in %s", found, raw)
		}
	}
	k.do(screening.RevealQuestion{Question: "age"})
	for _, s := range []*socket{stage, touch, vote} {
		p := s.until(func(p packet) bool { return p.View.Question != nil && p.View.Question.Phase == screening.Revealed })
		if q := p.View.Question; len(q.Rounds) != 1 || q.Ballots != 2 || !q.Options[1].Right || q.Explanation["id"] == "" {
			t.Errorf("after the reveal %s", p.raw)
		}
		// Two ballots are too few for a result.
		if strings.Contains(p.raw, `"shares"`) || strings.Contains(p.raw, `"counts"`) {
			t.Errorf("what a handful of people answered is shown: %s", p.raw)
		}
	}

	// Nor do phones learn anything of each other, or of the kiosk's health and attendance.
	var view struct{ View map[string]json.RawMessage }
	if err := json.Unmarshal([]byte(vote.raw[0]), &view); err != nil {
		t.Fatal(err)
	}
	for field := range view.View {
		switch field {
		case "role", "screening", "step", "languages", "scene", "question", "codes", "help":
		default:
			t.Errorf("a phone is sent %s", field)
		}
	}
}
