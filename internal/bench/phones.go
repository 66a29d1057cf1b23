package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"mimpi-kiosk/internal/lab/visit"
)

const (
	tappers   = 500  // phones that tap at once
	followers = 1000 // phones that wait for the new state
	phoneRuns = 5
	joinAt    = 16 // joining at once: a crowd at the door is not what is measured
)

// phones measures the real daemon with many phones on it.
func phones(ctx context.Context, dir string) ([]row, error) {
	kiosk, err := startKiosk(ctx, filepath.Join(dir, "kiosk"))
	if err != nil {
		return nil, err
	}
	rows, err := crowd(ctx, kiosk, dir)
	return rows, errors.Join(err, kiosk.Stop())
}

func crowd(ctx context.Context, kiosk *visit.Process, dir string) ([]row, error) {
	facilitator, err := screens(kiosk)
	if err != nil {
		return nil, err
	}
	if err := facilitator.Plan("plan", "crowd"); err != nil {
		return nil, err
	}
	if err := facilitator.Do("film", map[string]any{"do": "moveTo", "step": "discussion"}); err != nil {
		return nil, err
	}
	all, err := join(kiosk, followers, "vote")
	if err != nil {
		return nil, err
	}
	evening, err := screeningOf(all[0])
	if err != nil {
		return nil, err
	}
	taps, err := tap(facilitator, all[:tappers], evening)
	if err != nil {
		return nil, err
	}
	last, size, err := tellAll(facilitator, all)
	if err != nil {
		return nil, err
	}
	bare, err := tellAllPlainly(ctx, dir, size)
	if err != nil {
		return nil, err
	}
	return []row{
		{fmt.Sprintf("%d phones tap at once: tap to acknowledged, p50", tappers), ms(quantile(taps, 0.5)), "", "", "", "acknowledged after the commit"},
		{fmt.Sprintf("%d phones tap at once: tap to acknowledged, p99", tappers), ms(quantile(taps, 0.99)), "", "", "", "acknowledged after the commit"},
		{
			fmt.Sprintf("a new state until the last of %d phones has it", followers),
			ms(median(last)), ms(median(bare)) + ", bare loop over gorilla websockets", times(float64(median(last)) / float64(median(bare))), "",
			fmt.Sprintf("%d bytes to each; ours from the facilitator's press, through commit and view", size),
		},
	}, nil
}

// join brings n phones in and reads their first view.
func join(p *visit.Process, n int, role string) ([]*visit.Visitor, error) {
	all := make([]*visit.Visitor, n)
	err := together(joinAt, func(k int) error {
		for i := k; i < n; i += joinAt {
			v, err := p.Visitor()
			if err != nil {
				return err
			}
			if role == "vote" {
				if err := v.Get("/vote"); err != nil {
					return err
				}
			}
			if err := v.Connect(role); err != nil {
				return err
			}
			if role == "vote" {
				if _, err := v.Read(); err != nil {
					return err
				}
			}
			all[i] = v
		}
		return nil
	})
	return all, err
}

// screeningOf asks the kiosk anew for the id of the screening in its view.
func screeningOf(v *visit.Visitor) (string, error) {
	if err := v.Connect("vote"); err != nil {
		return "", err
	}
	m, err := v.Read()
	if err != nil {
		return "", err
	}
	var view struct{ Screening struct{ ID string } }
	err = json.Unmarshal(m.View, &view)
	return view.Screening.ID, err
}

// tap lets all phones vote at once, in several questions one after the other.
func tap(facilitator *visit.Visitor, all []*visit.Visitor, evening string) ([]time.Duration, error) {
	var taps []time.Duration
	for run, q := range []struct{ question, option string }{
		{"k1", "18"}, {"k2", ""}, {"k3", ""}, {"k4", ""}, {"k5", ""},
	} {
		open := map[string]any{"do": "openQuestion", "question": q.question, "newRound": false}
		if err := facilitator.Do(fmt.Sprint("open-", run), open); err != nil {
			return nil, err
		}
		for _, v := range all {
			if err := v.WaitFor(func(m visit.Message) bool {
				return m.Type == "view" && bytes.Contains(m.View, []byte(`"phase":"open"`))
			}); err != nil {
				return nil, err
			}
		}
		each := make([]time.Duration, len(all))
		err := together(len(all), func(i int) error {
			begin := time.Now()
			err := all[i].Do(fmt.Sprint("tap-", run, "-", i), map[string]any{
				"do": "castBallot", "screening": evening, "question": q.question, "round": 1, "choices": []string{},
			})
			each[i] = time.Since(begin)
			return err
		})
		if err != nil {
			return nil, err
		}
		taps = append(taps, each...)
		if err := facilitator.Do(fmt.Sprint("close-", run), map[string]any{"do": "closeQuestion", "question": q.question}); err != nil {
			return nil, err
		}
		for _, v := range all {
			if err := v.WaitFor(func(m visit.Message) bool {
				return m.Type == "view" && bytes.Contains(m.View, []byte(`"phase":"closed"`))
			}); err != nil {
				return nil, err
			}
		}
	}
	return taps, nil
}

// tellAll measures from the facilitator's press until the last phone has the view
// that shows it.
func tellAll(facilitator *visit.Visitor, all []*visit.Visitor) ([]time.Duration, int, error) {
	var last []time.Duration
	size := 0
	for run := range phoneRuns {
		question := []string{"k1", "k2"}[run%2]
		time.Sleep(500 * time.Millisecond) // the hub has rested
		ids := make(chan error, 1)
		begin := time.Now()
		go func() {
			ids <- facilitator.Do(fmt.Sprint("reveal-", run), map[string]any{"do": "revealQuestion", "question": question})
		}()
		sizes := make([]int, len(all))
		err := together(len(all), func(i int) error {
			return all[i].WaitFor(func(m visit.Message) bool {
				sizes[i] = len(m.View)
				return m.Type == "view" && bytes.Contains(m.View, []byte(`"phase":"revealed"`)) &&
					bytes.Contains(m.View, fmt.Appendf(nil, `"question":{"id":%q`, question))
			})
		})
		if err := errors.Join(err, <-ids); err != nil {
			return nil, 0, err
		}
		last = append(last, time.Since(begin))
		size = sizes[0]
	}
	return last, size, nil
}

// tellAllPlainly is the same with the plainest program.
func tellAllPlainly(ctx context.Context, dir string, size int) (last []time.Duration, err error) {
	p, err := startBare(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	all, err := join(p, followers, "any")
	if err != nil {
		return nil, err
	}
	time.Sleep(500 * time.Millisecond)
	text := fmt.Sprintf(`{"type":"view","view":%q}`, bytes.Repeat([]byte("x"), size))
	for range phoneRuns {
		told := make(chan error, 1)
		begin := time.Now()
		go func() {
			r, err := http.Post(p.Base+"/tell", "application/json", bytes.NewReader([]byte(text)))
			if err == nil {
				err = r.Body.Close()
			}
			told <- err
		}()
		err := together(len(all), func(i int) error {
			_, err := all[i].Read()
			return err
		})
		if err := errors.Join(err, <-told); err != nil {
			return nil, err
		}
		last = append(last, time.Since(begin))
	}
	return last, nil
}
