package playback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"mimpi-kiosk/internal/screening"
)

// model is mpv as far as the player relies on it, without film: its place moves with the clock.
// It can die or hang at any call. Use it in a bubble of synctest.
type model struct {
	mu     sync.Mutex
	calls  []string
	props  map[string]any
	loaded bool
	at     time.Duration // when it was set
	since  time.Time

	dieAt, hangAt int  // of the calls, from 1; 0: never
	first         bool // it has died, and the player can know it, before the call comes back
	closed        bool

	events chan said
	dead   chan struct{}
}

var errDead = errors.New("mpv is dead")

type refusal struct{}

func (refusal) Error() string   { return "property unavailable" }
func (refusal) Refusal() string { return "property unavailable" }

func newModel() *model {
	return &model{props: map[string]any{"pause": true}, since: time.Now(), events: make(chan said, 100), dead: make(chan struct{})}
}

func (m *model) Run(ctx context.Context, listen func(event, property string, data json.RawMessage)) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-m.dead:
			return errDead
		case e := <-m.events:
			listen(e.event, e.property, e.data)
		}
	}
}

func (m *model) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func (m *model) place() time.Duration {
	if m.props["pause"] == false && m.loaded {
		return m.at + time.Since(m.since)
	}
	return m.at
}

func (m *model) Call(ctx context.Context, command ...any) (json.RawMessage, error) {
	m.mu.Lock()
	m.calls = append(m.calls, fmt.Sprint(command...))
	n := len(m.calls)
	m.mu.Unlock()
	switch n {
	case m.dieAt:
		close(m.dead)
		if m.first {
			synctest.Wait() // until all that notice it have done so
		}
		return nil, errDead
	case m.hangAt:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	answer := func(v any) (json.RawMessage, error) { b, err := json.Marshal(v); return b, err }
	switch command[0] {
	case "set_property":
		m.at, m.since = m.place(), time.Now()
		m.props[command[1].(string)] = command[2]
		return nil, nil
	case "get_property":
		switch name := command[1].(string); name {
		case "ao":
			return answer([]any{map[string]string{"name": "pulse"}})
		case "track-list":
			return answer([]any{map[string]any{"id": 1, "type": "audio"}, map[string]any{"id": 1, "type": "video"}})
		case "time-pos":
			if !m.loaded {
				return nil, refusal{}
			}
			return answer(m.place().Seconds())
		case "frame-drop-count", "decoder-frame-drop-count", "vo-delayed-frame-count":
			if !m.loaded {
				return nil, refusal{}
			}
			return answer(map[string]int{"frame-drop-count": 3, "decoder-frame-drop-count": 5, "vo-delayed-frame-count": 7}[name])
		}
		return nil, refusal{}
	case "loadfile":
		var start float64
		fmt.Sscan(m.props["start"].(string), &start)
		m.loaded, m.at, m.since = true, time.Duration(start*float64(time.Second)), time.Now()
		for _, e := range []said{
			{"property-change", "duration", json.RawMessage("600.0")}, {"property-change", "current-vo", json.RawMessage(`"gpu"`)},
			{"property-change", "current-ao", json.RawMessage(`"pulse"`)}, {"property-change", "hwdec-current", json.RawMessage(`"v4l2m2m-copy"`)},
			{"property-change", "video-format", json.RawMessage(`"h264"`)}, {"file-loaded", "", nil}, {"playback-restart", "", nil},
		} {
			m.events <- e
		}
		return answer(map[string]int64{"playlist_entry_id": 1})
	case "seek":
		m.at, m.since = time.Duration(command[1].(float64)*float64(time.Second)), time.Now()
		m.events <- said{"playback-restart", "", nil}
	case "stop":
		m.loaded = false
	}
	return nil, nil
}

// film plays, halts, jumps and ends with the first mpv being that one, and gives what the player
// did: the mpvs that it started, and its reports.
func film(t *testing.T, first func(*model)) (all []*model, reports []Report) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := NewMPV(func(context.Context) (Line, error) {
		m := newModel()
		if len(all) == 0 {
			first(m)
		}
		all = append(all, m)
		return m, nil
	}, MPVFilm{File: "/film.mp4", HWDec: "v4l2m2m-copy", AudioDevice: "auto", VolumeMax: 100}, func(error) {})
	var running sync.WaitGroup
	running.Go(func() {
		if err := p.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case r := <-p.Reports():
				reports = append(reports, r)
			}
		}
	})
	w := Want{On: true, Shown: true, Playing: true, Epoch: 1, At: 10_000, Volume: 80}
	p.Want(w)
	time.Sleep(40 * time.Second)
	w.Playing = false
	p.Want(w)
	time.Sleep(40 * time.Second)
	w.Playing, w.Epoch, w.At = true, 2, 300_000
	p.Want(w)
	time.Sleep(40 * time.Second)
	w.On = false
	p.Want(w)
	time.Sleep(40 * time.Second)
	cancel()
	running.Wait()
	return all, reports
}

// TestMPVMayDieAtAnyCall lets mpv die, or hang, at each of the calls of a film. Another one is
// started, and the film comes to its end like any other.
func TestMPVMayDieAtAnyCall(t *testing.T) {
	var sound []string
	var want []Report
	synctest.Test(t, func(t *testing.T) {
		all, reports := film(t, func(*model) {})
		if len(all) != 1 {
			t.Fatalf("%d mpvs for a film in which nothing happens", len(all))
		}
		sound, want = all[0].calls, reports
	})
	last := want[len(want)-1]
	if last.DroppedFrames != 3 || last.DroppedByDecoder != 5 || last.LateFrames != 7 || last.Decoder != "h264, v4l2m2m-copy" || last.Duration != 600_000 || last.At < 335_000 {
		t.Fatalf("the last report is %+v", last)
	}
	for _, kind := range []string{"dies first", "dies", "hangs"} {
		for n := 1; n <= len(sound); n++ {
			if strings.Contains(sound[n-1], "time-pos") && n > 1 && strings.Contains(sound[n-2], "time-pos") {
				continue // one beat is like another
			}
			synctest.Test(t, func(t *testing.T) {
				all, reports := film(t, func(m *model) {
					m.first = kind == "dies first"
					if kind == "hangs" {
						m.hangAt = n
					} else {
						m.dieAt = n
					}
				})
				name := fmt.Sprintf("mpv %s at call %d, %s", kind, n, sound[n-1])
				if len(all) != 2 {
					t.Errorf("%s: %d mpvs were started", name, len(all))
				}
				if !all[0].closed {
					t.Errorf("%s: it was not closed", name)
				}
				end := reports[len(reports)-1]
				if end.State != Paused && end.State != Loading || end.Restarts != 1 || end.Epoch != 2 || end.At < 310_000 || end.At > 345_000 {
					t.Errorf("%s: at the end %+v", name, end)
				}
				backward := screening.Millis(0)
				for i := 1; i < len(reports); i++ {
					if a, b := reports[i-1], reports[i]; a.Epoch == b.Epoch {
						backward = max(backward, a.At-b.At)
					}
				}
				if backward > 1000 {
					t.Errorf("%s: the film fell back by %d ms", name, backward)
				}
			})
		}
	}
}

// TestHowTheFilmLookedAddsUp: counts of a player grow from its start; what is recorded is how much.
func TestHowTheFilmLookedAddsUp(t *testing.T) {
	reports := []Report{
		{Epoch: 1, State: Ready},
		{Epoch: 1, State: Playing, At: 0, Decoder: "h264, no"},
		{Epoch: 1, State: Playing, At: 1000, DroppedFrames: 2, DroppedByDecoder: 1, LateFrames: 4},
		{Epoch: 1, State: Playing, At: 2000, DroppedFrames: 2, DroppedByDecoder: 1, LateFrames: 9},
		{Epoch: 1, State: Loading, At: 2000, Restarts: 1}, // mpv died: its counts begin at 0
		{Epoch: 1, State: Playing, At: 2000, DroppedFrames: 1, Restarts: 1},
		{Epoch: 1, State: Playing, At: 3500, DroppedFrames: 6, DroppedByDecoder: 2, LateFrames: 3, Restarts: 1},
		{Epoch: 2, State: Playing, At: 60_000, DroppedFrames: 7, DroppedByDecoder: 2, LateFrames: 3, Restarts: 1}, // a jump is not played
		{Epoch: 2, State: Playing, At: 59_000, DroppedFrames: 7, DroppedByDecoder: 2, LateFrames: 3, Restarts: 1}, // nor is a way back
		{Epoch: 2, State: Paused, At: 60_000, DroppedFrames: 8, DroppedByDecoder: 2, LateFrames: 3, Restarts: 1, Decoder: "h264, drm-copy"},
	}
	var s stretch
	for i, r := range reports {
		if over, stands := s.add(r), r.State != Playing && r.State != Loading; over != stands {
			t.Errorf("after report %d the stretch is over: %t", i, over)
		}
	}
	want := screening.FilmShown{Player: screening.MPVPlayer, Decoder: "h264, drm-copy", Played: 1000 + 1000 + 1500 + 1000, Dropped: 2 + 8, DroppedByDecoder: 1 + 2, Late: 9 + 3, Restarts: 1}
	if got := s.end(screening.MPVPlayer); got == nil || *got != want {
		t.Errorf("recorded is %+v, want %+v", got, want)
	}
	// What was recorded is not recorded again.
	s.add(reports[len(reports)-1])
	if got := s.end(screening.MPVPlayer); got != nil {
		t.Errorf("recorded once more: %+v", got)
	}
	s.add(Report{Epoch: 3, State: Playing, At: 0})
	for at := screening.Millis(0); at < 5*60_000; at += 1000 {
		if over := s.add(Report{Epoch: 3, State: Playing, At: at + 1000}); over != (at+1000 == 5*60_000) {
			t.Fatalf("after %d ms the stretch is over: %t", at+1000, over)
		}
	}
}

// wishes is a player that notes what it is told, and says what the test says.
type wishes struct {
	mu      sync.Mutex
	wants   []Want
	reports chan Report
}

func (w *wishes) Run(ctx context.Context) error { <-ctx.Done(); return nil }
func (w *wishes) Reports() <-chan Report        { return w.reports }
func (w *wishes) Tone(context.Context) error    { return nil }
func (w *wishes) Want(want Want) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wants = append(w.wants, want)
}

func (w *wishes) last() Want {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wants[len(w.wants)-1]
}

// stub is a Room whose state the test says, and that notes commands.
type stub struct {
	mu       sync.Mutex
	state    screening.State
	changed  chan struct{}
	commands []screening.Command
}

func (s *stub) Do(_ context.Context, e screening.Envelope) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commands = append(s.commands, e.Command)
	return nil
}
func (s *stub) Follow() (<-chan struct{}, func()) { return s.changed, func() {} }
func (s *stub) Latest() *screening.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.state
	return &now
}

// set changes what is wanted of the film.
func (s *stub) set(p screening.Playback) {
	s.mu.Lock()
	s.state.Playback = p
	s.mu.Unlock()
	s.changed <- struct{}{}
	synctest.Wait()
}

// noted takes the commands since the last time.
func (s *stub) noted() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, c := range s.commands {
		if choose, ok := c.(screening.ChooseFilmPlayer); ok {
			out = append(out, "choose "+string(choose.Player))
		} else {
			out = append(out, fmt.Sprintf("%T", c))
		}
	}
	s.commands = nil
	return out
}
