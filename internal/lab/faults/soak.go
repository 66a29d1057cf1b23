package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/visit"
)

// What the soak may find after its first tenth (and half a minute at least), in which pools
// and caches fill. Growth is the median of the last fifth less that of the first fifth, so
// that one sample says nothing.
//
// What leaks, leaks with the evenings, and of those there are thousands: a goroutine or file
// for each would be seen at once, so a few are let pass, which may be screens that come and
// go. Memory is let grow by what Go's heap breathes. The log is bounded by SQLite, which folds
// it back at 1000 pages of 4 KiB; while a reader looks it may be somewhat more.
const (
	moreMemory     = 6.0 // MB
	moreGoroutines = 8
	moreFiles      = 8
	mostLog        = 8.0 // MB
)

// sample is what the daemon holds at a moment.
type sample struct{ memory, goroutines, files, log float64 }

// soak holds evenings in fast motion, and watches what the daemon holds.
func soak(ctx context.Context, a asked) error {
	row := oracle.Row{Part: "soak", Fault: "evenings in fast motion", Seed: a.seed}
	h, err := newHall(filepath.Join(a.dir, "soak"), uint64(a.seed))
	if err != nil {
		return err
	}
	p, err := h.begin(ctx)
	if err != nil {
		return err
	}
	if err := h.enter(); err != nil {
		return errors.Join(err, p.Stop())
	}
	var samples []sample
	watching, stop := context.WithTimeout(ctx, a.soak)
	defer stop()
	watched := make(chan error, 1)
	begin := time.Now()
	go func() {
		warm := max(a.soak/10, min(30*time.Second, a.soak/3))
		for pause(watching, warm); watching.Err() == nil; pause(watching, max(a.soak/500, 200*time.Millisecond)) {
			s, err := h.sample(p)
			if err != nil {
				watched <- err
				stop()
				return
			}
			samples = append(samples, s)
			if len(samples)%25 == 0 { // about twenty times in all, so that who waits sees that it goes on
				fmt.Printf("soak: after %v %.1f MB resident, %.0f goroutines, %.0f files, log %.1f MB\n",
					time.Since(begin).Round(time.Second), s.memory, s.goroutines, s.files, s.log)
			}
		}
		watched <- nil
	}()
	evenings := 0
	for err == nil && watching.Err() == nil {
		if err = h.evening(watching, a.rest); err == nil {
			evenings++
		}
	}
	stop()
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	if err == nil {
		err = h.totals()
	}
	err = errors.Join(err, <-watched)
	v, jerr := h.ended(ctx, p)
	err = errors.Join(err, jerr)
	if v != nil {
		row = row.With(v)
		err = errors.Join(err, v.Err(), enough(v, 20*evenings))
	}
	if evenings == 0 {
		err = errors.Join(err, errors.New("not one evening came to its end: too short to show anything"))
	}
	says, flat := judge(samples)
	row.Size = fmt.Sprintf("%v, %d evenings", time.Since(begin).Round(time.Second), evenings)
	row.Says = says
	fmt.Println("soak:", row.Size, v)
	fmt.Println("soak:", says)
	return row.Keep(ctx, errors.Join(err, flat))
}

// evening is a whole one: plan, doors, questions before, film, questions after, the end. Each
// step gets a fraction of a second of everybody's presses and ballots, and then a rest.
func (h *hall) evening(ctx context.Context, rest time.Duration) error {
	lead := h.lead
	if _, err := lead.look(); err != nil {
		return err
	}
	if err := h.plan(); err != nil {
		return err
	}
	do := func(fields map[string]any) error { return lead.visitor.Do(lead.id(), fields) }
	busy := func(d time.Duration) {
		some, stop := context.WithTimeout(ctx, d)
		defer stop()
		h.guests(some)
	}
	ask := func(question string, reveal bool) error {
		if err := do(map[string]any{"do": "openQuestion", "question": question}); err != nil {
			return err
		}
		busy(250 * time.Millisecond)
		err := do(map[string]any{"do": "closeQuestion", "question": question})
		if reveal {
			err = errors.Join(err, do(map[string]any{"do": "revealQuestion", "question": question}))
		}
		return err
	}
	busy(300 * time.Millisecond) // at the doors
	steps := []func() error{
		func() error { return do(map[string]any{"do": "moveTo", "step": "poll_before"}) },
		func() error { return ask("k1", false) },
		func() error { return ask("k2", false) },
		func() error { return do(map[string]any{"do": "moveTo", "step": "film"}) },
		func() error { return do(map[string]any{"do": "playFilm"}) },
		func() error { busy(150 * time.Millisecond); return do(map[string]any{"do": "pauseFilm"}) },
		func() error { return do(map[string]any{"do": "moveTo", "step": "discussion"}) },
		func() error { return ask("k1", true) },
		func() error { return ask("k2", true) },
		func() error { return do(map[string]any{"do": "moveTo", "step": "closing"}) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
		pause(ctx, rest)
	}
	h.stands.step = "closing"
	return ctx.Err()
}

// guests is live without the lead.
func (h *hall) guests(ctx context.Context) {
	all := h.seats
	defer func() { h.seats = all }()
	h.seats = slices.DeleteFunc(slices.Clone(all), func(s *seat) bool { return s == h.lead })
	h.live(ctx)
}

func (h *hall) sample(p *visit.Process) (s sample, err error) {
	if s.memory, err = p.Resident(); err != nil {
		return s, err
	}
	says, err := h.lead.visitor.Metrics()
	if err != nil {
		return s, err
	}
	if s.goroutines = says["mimpi_goroutines"]; s.goroutines == 0 {
		return s, fmt.Errorf("/metrics tells of no goroutines: %v", says)
	}
	files, err := p.Files()
	if err != nil {
		return s, err
	}
	s.files = float64(files)
	log, err := os.Stat(h.journal() + "-wal")
	if err != nil {
		return s, err
	}
	s.log = float64(log.Size()) / 1e6
	return s, nil
}

// judge compares the end with the beginning.
func judge(all []sample) (says string, err error) {
	if len(all) < 20 {
		return "", fmt.Errorf("only %d samples: too few to show anything", len(all))
	}
	fifth := len(all) / 5
	var wrong []error
	for _, of := range []struct {
		name  string
		value func(sample) float64
		more  float64
	}{
		{"MB resident", func(s sample) float64 { return s.memory }, moreMemory},
		{"goroutines", func(s sample) float64 { return s.goroutines }, moreGoroutines},
		{"files", func(s sample) float64 { return s.files }, moreFiles},
	} {
		middle := func(some []sample) float64 {
			var values []float64
			for _, s := range some {
				values = append(values, of.value(s))
			}
			slices.Sort(values)
			return values[len(values)/2]
		}
		from, to := middle(all[:fifth]), middle(all[len(all)-fifth:])
		says += fmt.Sprintf("%s %.1f to %.1f, ", of.name, from, to)
		if to-from > of.more {
			wrong = append(wrong, fmt.Errorf("%s grew from %.1f to %.1f", of.name, from, to))
		}
	}
	largest := slices.MaxFunc(all, func(a, b sample) int { return int(a.log*1000) - int(b.log*1000) }).log
	if largest > mostLog {
		wrong = append(wrong, fmt.Errorf("SQLite's log grew to %.1f MB", largest))
	}
	return says + fmt.Sprintf("log at most %.1f MB", largest), errors.Join(wrong...)
}
