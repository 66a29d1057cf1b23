package main

import (
	"fmt"
	"strings"
	"testing"
)

// The judge of the power cuts must be able to say no.
func TestTally(t *testing.T) {
	life := "ASK a\nACK a\nASK a\nACK a\nASK a\nASK step film\nACK step film\nASK film 400\nDONE film 400\nASK film 4800\nDONE film 4800\nACK film 400\n"
	for name, c := range map[string]struct {
		kept          string
		lost, doubled int
	}{
		"all":                       {"a 3, step film, film 4800", 0, 0},
		"the unanswered is missing": {"a 2, step film, film 400", 0, 0},
		"one is lost":               {"a 1, step film, film 4800", 1, 0},
		"one is doubled":            {"a 4, step film, film 4800", 0, 1},
		"somebody nobody knows":     {"a 3, b 1, step film, film 4800", 0, 1},
		"the step is lost":          {"a 3, step doors, film 4800", 1, 0},
		"film: less than was shown": {"a 3, step film, film 399", 1, 0},
		"film: more than it played": {"a 3, step film, film 4801", 0, 1},
		"everything is gone":        {"", 2 + 1 + 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			tally := newTally()
			say := func(lines string) {
				for line := range strings.Lines(lines) {
					if _, err := tally.Write([]byte(line)); err != nil {
						t.Fatal(err)
					}
				}
			}
			tally.begin(nil)
			say("LAB LOOKED\n" + life)
			tally.begin(nil)
			if c.kept != "" {
				say("LAB KEPT " + strings.ReplaceAll(c.kept, ", ", "\nLAB KEPT ") + "\n")
			}
			say("LAB LOOKED\n")
			if tally.lost != c.lost || tally.doubled != c.doubled || tally.failed != nil {
				t.Errorf("%d lost, %d doubled (%v), want %d and %d", tally.lost, tally.doubled, tally.failed, c.lost, c.doubled)
			}
			if (tally.err() == nil) != (c.lost+c.doubled == 0) {
				t.Errorf("its error is %v", tally.err())
			}
			if tally.acknowledged() != 4 {
				t.Errorf("%d were acknowledged", tally.acknowledged())
			}
		})
	}
	t.Run("the film falls back too far", func(t *testing.T) {
		tally := newTally()
		tally.begin(nil)
		for _, line := range []string{"ASK film 5000", "DONE film 5000", "LAB KEPT film 0", "LAB LOOKED"} {
			fmt.Fprintln(tally, line)
		}
		if tally.lost != 0 { // nothing was asked of a kiosk that has no evening
			t.Fatal("a new kiosk has lost something")
		}
		tally.step.asked = "film"
		for _, line := range []string{"ASK film 5000", "DONE film 5000", "LAB KEPT film 0", "LAB KEPT step film", "LAB LOOKED"} {
			fmt.Fprintln(tally, line)
		}
		if tally.lost != 1 {
			t.Errorf("%d lost", tally.lost)
		}
	})
}

// In a replay, what was acknowledged when the card had come so far must be there, and no more.
func TestPromiseAtAnOperation(t *testing.T) {
	tally, done := newTally(), 0
	tally.begin(func() int { return done })
	for _, line := range []string{"ASK a", "ACK a", "ASK film 400", "ACK film 400", "ASK a", "ACK a"} {
		fmt.Fprintln(tally, line)
		done += 10
	}
	for operations, want := range map[int]string{9: "map[] 0", 10: "map[a:1] 0", 29: "map[a:1] 0", 30: "map[a:1] 400", 50: "map[a:2] 400"} {
		if p := tally.at(operations); fmt.Sprint(p.counts, " ", p.film) != want {
			t.Errorf("after %d operations: %v, want %s", operations, p, want)
		}
	}
	done = 0
	tally.begin(func() int { return done }) // the next life begins with all of it
	if p := tally.at(0); p.counts["a"] != 2 || p.film != 400 {
		t.Errorf("in the next life: %v", p)
	}
}
