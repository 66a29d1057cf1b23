package playertest

import (
	"context"
	"sync"
	"time"

	"mimpi-kiosk/internal/playback"
	"mimpi-kiosk/internal/screening"
)

// Scripted is a [playback.Player] without film: its place moves with the clock. Make it
// with NewScripted.
type Scripted struct {
	wants   chan playback.Want
	reports chan playback.Report

	mu  sync.Mutex
	now playback.Want
}

// NewScripted makes one. It does nothing before Run.
func NewScripted() *Scripted {
	return &Scripted{wants: make(chan playback.Want, 1), reports: make(chan playback.Report, 1)}
}

// Want implements [playback.Player].
func (s *Scripted) Want(w playback.Want) {
	select {
	case <-s.wants:
	default:
	}
	s.wants <- w
}

// Reports implements [playback.Player].
func (s *Scripted) Reports() <-chan playback.Report { return s.reports }

// Tone implements [playback.Player].
func (s *Scripted) Tone(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now.On {
		return playback.ErrNoTone
	}
	return nil
}

// Knobs gives what was wanted last.
func (s *Scripted) Knobs() Knobs {
	read := func() playback.Want {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.now
	}
	return Knobs{
		Volume: func() float64 { return float64(read().Volume) },
		Subtitles: func() string {
			return map[string]string{"id": "Beta mimpi"}[read().Subtitles]
		},
	}
}

// Run implements [playback.Player].
func (s *Scripted) Run(ctx context.Context) error {
	var w playback.Want
	var place screening.Millis
	var halt *int
	last := time.Now()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case w2 := <-s.wants:
			if w2.Epoch != w.Epoch {
				place = w2.At
			}
			if w2.Epoch != w.Epoch || !w2.Playing || halt != nil && w2.Passed == *halt+1 {
				halt = nil
			}
			w = w2
			s.mu.Lock()
			s.now = w
			s.mu.Unlock()
		case <-tick.C:
		}
		passed := screening.ToMillis(time.Since(last))
		last = last.Add(passed.Duration())
		r := playback.Report{Epoch: w.Epoch, State: playback.Ready, Duration: Length}
		if w.On || place > 0 {
			r.State = playback.Paused
		}
		if w.On && w.Playing && halt == nil {
			from := place
			place = min(place+passed, Length)
			r.State = playback.Playing
			for n, p := range w.PausePoints {
				if w.UsePausePoints && from < p.At && p.At <= place && n+1 != w.Passed {
					halt = &n
					r.State = playback.Paused
				}
			}
			if place == Length {
				r.State = playback.Finish
			}
		}
		r.At, r.PausePoint = place, halt
		select {
		case <-s.reports:
		default:
		}
		s.reports <- r
	}
}
