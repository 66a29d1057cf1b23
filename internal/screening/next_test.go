package screening_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	. "mimpi-kiosk/internal/screening"
)

// follow does nothing but what Next proposes, with an audience and a player beside
// it, and gives the labels in the order in which they were seen.
func follow(t *testing.T, p Programme) ([]string, *evening) {
	t.Helper()
	e := newEvening(t)
	var seen []string
	for range 200 {
		next := e.s.Next()
		seen = append(seen, next.Label)
		switch {
		case next.Label == "plan_again":
			if next.Command != nil {
				t.Fatalf("a new screening has a form, not a button: %+v", next)
			}
			return seen, e
		case next.Label == "plan":
			e.run(planned(func(c *PlanScreening) { c.Programme = p }))
		case next.Command != nil:
			if got, no := e.act(next.Command); no != nil || len(got) == 0 {
				t.Fatalf("%s: events %v, refusal %v", next.Label, got, no)
			}
			if o, ok := next.Command.(OpenQuestion); ok && (o.Question != next.Question || e.s.Current != next.Question) {
				t.Fatalf("%+v opened %q", next, e.s.Current)
			}
		case next.Label == "film_running":
			play(e)
		default:
			t.Fatalf("stuck at %+v in %s", next, e.s.Step)
		}
	}
	t.Fatalf("the evening never ended: %v", seen)
	return nil, nil
}

// play is the player: it halts at each pause point, survives one power cut behind
// the last one, and comes to the end.
func play(e *evening) {
	pb, points := e.s.Playback, e.s.Screening.Programme.Film.PausePoints
	for i, point := range points {
		if point.At > pb.At {
			e.run(from{FromPlayer, ReachPausePoint{pb.Epoch, i, point.At}})
			return
		}
	}
	if e.now.Boot == "boot-1" {
		e.run(from{FromPlayer, NotePosition{pb.Epoch, 500_000, pb.Duration}}, reboot("boot-2"))
		return
	}
	e.run(from{FromPlayer, FinishFilm{pb.Epoch, pb.Duration}})
}

func TestNextLeadsThroughTheEvening(t *testing.T) {
	got, e := follow(t, programme())
	want := []string{
		"plan", "open_doors", "to_poll_before",
		"open_question", "close_question", // offer: asked again later, so not revealed
		"open_question", "close_question", // trust: nothing is shown before the film
		"to_film", "play_film", "film_running",
		"open_question", "close_question", "show_results", "dismiss_question", // halt: it has no right answer
		"play_film", "film_running", // the second pause point asks nothing
		"play_film", "film_running", // the power fails
		"resume_film", "film_running",
		"to_discussion",
		"open_question", "close_question", "show_results", "reveal_question", // offer
		"open_question", "close_question", "show_results", "reveal_question", // signs
		"to_closing", "end", "plan_again",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("labels (-want +got):\n%s", d)
	}
	if n := len(e.s.Question("offer").Rounds); n != 2 {
		t.Fatalf("%d rounds of offer, want before and after", n)
	}
	// Every label that there is was seen.
	labels := []string{
		"plan", "open_doors", "to_poll_before", "to_film", "to_discussion", "to_closing", "end", "plan_again",
		"open_question", "close_question", "show_results", "reveal_question", "dismiss_question", "play_film", "film_running", "resume_film",
	}
	for _, label := range labels {
		if !slices.Contains(got, label) {
			t.Errorf("label %s was never proposed", label)
		}
	}
	for _, label := range got {
		if !slices.Contains(labels, label) {
			t.Errorf("label %s is not among those that the screens know", label)
		}
	}
}

func TestNextWithoutFilm(t *testing.T) {
	p := programme()
	p.Film = Film{Missing: true}
	got, _ := follow(t, p)
	want := []string{
		"plan", "open_doors", "to_poll_before",
		"open_question", "close_question",
		"open_question", "close_question",
		"to_film", "to_discussion",
		"open_question", "close_question", "show_results", "reveal_question",
		"open_question", "close_question", "show_results", "reveal_question",
		"to_closing", "end", "plan_again",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("labels (-want +got):\n%s", d)
	}
}

func TestNextWithoutQuestions(t *testing.T) {
	p := programme()
	p.Questions = nil
	p.Film.PausePoints = nil
	got, _ := follow(t, p)
	want := []string{
		"plan", "open_doors", "to_film",
		"play_film", "film_running", "resume_film", "film_running",
		"to_discussion", "to_closing", "end", "plan_again",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("labels (-want +got):\n%s", d)
	}
}

// Wherever the facilitator has wandered, Next proposes something that the rules take.
func TestNextAfterWandering(t *testing.T) {
	for name, c := range map[string]struct {
		given []any
		want  string
	}{
		"back from the end":                        {after(atTalk, MoveTo{Ended}, MoveTo{Closing}), "end"},
		"at the doors again when all is asked":     {after(atPoll, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}, OpenQuestion{Question: "trust"}, MoveTo{Doors}), "to_film"},
		"the film is over, and a question is open": {after(playing, FinishFilm{2, 600_000}, OpenQuestion{Question: "halt"}), "close_question"},
		"a question that the film asks later too":  {after(atFilm, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}), "dismiss_question"},
		"the pause point's question was asked":     {after(playing, OpenQuestion{Question: "halt"}, CloseQuestion{"halt"}, DismissQuestion{}, PlayFilm{}, ReachPausePoint{2, 0, 60_000}), "play_film"},
		"vote again after the bars":                {after(counted, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}), "show_results"},
		"reopened":                                 {after(atTalk, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}, RevealQuestion{"offer"}, OpenQuestion{Question: "offer"}), "close_question"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEvening(t).run(c.given...)
			next := e.s.Next()
			if next.Label != c.want {
				t.Fatalf("next is %s, want %s", next.Label, c.want)
			}
			e.run(next.Command)
		})
	}
}
