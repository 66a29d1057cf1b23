package screening_test

import (
	"fmt"
	"testing"

	. "mimpi-kiosk/internal/screening"
)

// discussing is a state with n questions, the last of which is open.
func discussing(b *testing.B, n int) *evening {
	p := programme()
	for i := len(p.Questions); i < n; i++ {
		q := p.Questions[0]
		q.ID = fmt.Sprintf("q%d", i)
		p.Questions = append(p.Questions, q)
	}
	e := newEvening(b).run(planned(func(c *PlanScreening) { c.Programme = p }), MoveTo{PollBefore})
	for _, step := range []Step{PollBefore, Discussion} {
		e.run(MoveTo{step})
		for _, q := range p.Questions {
			e.run(OpenQuestion{Question: q.ID})
			e.run(from{FromPhone, phone(q.ID, len(e.s.Question(q.ID).Rounds), "p1")}, CloseQuestion{q.ID})
		}
	}
	return e.run(OpenQuestion{Question: "offer"})
}

// A ballot of a phone, decided, recorded and applied: all that the Room does but the
// commit.
func BenchmarkDecideApplyBallot(b *testing.B) {
	e := discussing(b, 11)
	choices := [][]string{{"police"}, {"friend"}, {"agent"}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		env := Envelope{
			ID: fmt.Sprintf("b-%d", i), From: FromPhone,
			// Five hundred phones that change their minds.
			Command: phone("offer", 2, fmt.Sprintf("p%d", i%500), choices[i/500%3]...),
		}
		decided, no := e.s.Decide(env, e.now)
		if no != nil || len(decided) == 0 {
			b.Fatalf("%v %v", decided, no)
		}
		for _, r := range e.s.Record(env, e.now, decided) {
			e.s.Apply(r)
		}
	}
}

// What every commit costs to be shown.
func BenchmarkCopy(b *testing.B) {
	e := discussing(b, 11)
	b.ReportAllocs()
	for b.Loop() {
		if len(e.s.Copy().Questions) != 11 {
			b.Fatal("not a copy")
		}
	}
}
