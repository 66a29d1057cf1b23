package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// pi measures buttons in the GPIO lab, whose clock counts the guest's instructions: the
// numbers are those of a processor that does 10^9 a second, with its disk in memory.
func pi(ctx context.Context, _ string) ([]row, error) {
	out, err := exec.CommandContext(ctx, "go", "run", "./internal/lab/gpio", "-do", "rates").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("the GPIO lab: %w\n%s", err, out)
	}
	var rows []row
	for line := range strings.Lines(string(out)) {
		var rate, n, lost, plainLost int
		var p50, p99, plain50, plain99 span
		_, err := fmt.Sscanf(line, "LAB RATE %d %d %v %v %d %v %v %d", &rate, &n, &p50, &p99, &lost, &plain50, &plain99, &plainLost)
		if err != nil {
			continue // what else the lab says
		}
		rows = append(rows, row{
			job:   fmt.Sprintf("buttons, %d presses/s: edge to committed", rate),
			ours:  fmt.Sprintf("p50 %v, p99 %v, %d of %d lost (and said so)", p50, p99, lost, n),
			plain: fmt.Sprintf("gpiomon, edge to its line read: p50 %v, p99 %v, %d lost", plain50, plain99, plainLost),
			ratio: fmt.Sprintf("%.1f", float64(p50)/float64(max(plain50, 1))), aim: "none lost",
			equality: "simulated chip, presses, no debounce",
		})
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("the GPIO lab printed no rates:\n%s", out)
	}
	return rows, nil
}

// span is a duration that can be scanned.
type span time.Duration

func (s *span) Scan(state fmt.ScanState, _ rune) error {
	word, err := state.Token(true, nil)
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(string(word))
	*s = span(d)
	return err
}

func (s span) String() string { return time.Duration(s).String() }
