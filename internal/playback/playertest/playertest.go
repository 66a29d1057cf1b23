// Package playertest holds what every film player must do, as one suite: the scripted
// player of this package, mpv and the browser's player on /stage pass it. The suite talks
// to a real Room; a player hears of it by the follower, or by its page.
package playertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/playback"
	"mimpi-kiosk/internal/screening"
)

// patience is for what takes as long as it takes on a busy machine.
const patience = 30 * time.Second

// The film of the suite.
const (
	Length = screening.Millis(12_000)
	Point  = screening.Millis(5_000) // its one pause point
)

// Clip makes the film of the suite, with a subtitle file beside it. It needs ffmpeg.
func Clip(t testing.TB) (film, subtitles string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	film, subtitles = filepath.Join(dir, "film.mp4"), filepath.Join(dir, "id.vtt")
	seconds := fmt.Sprint(Length.Duration().Seconds())
	out, err := exec.Command("ffmpeg", "-v", "error",
		"-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration="+seconds,
		"-f", "lavfi", "-i", "sine=duration="+seconds,
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart", film).CombinedOutput()
	if err != nil {
		t.Fatalf("make a film: %v: %s (apt install ffmpeg, or run the tests by make)", err, out)
	}
	if err := os.WriteFile(subtitles, []byte("WEBVTT\n\n00:00.000 --> 00:12.000\nBeta mimpi\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return film, subtitles
}

// Programme has the film of the suite.
func Programme() screening.Programme {
	return screening.Programme{
		Regencies: []screening.Regency{{ID: "belu", Name: "Belu"}},
		Questions: []screening.Question{{
			ID: "q", Kind: screening.Single, Text: screening.Text{"id": "Q?"}, Ask: []screening.Step{screening.FilmStep},
			Options: []screening.Option{{ID: "a", Text: screening.Text{"id": "A"}}, {ID: "b", Text: screening.Text{"id": "B"}}},
		}},
		Film: screening.Film{
			ID: "clip", Title: screening.Text{"id": "Film"}, Duration: Length,
			Subtitles:   []screening.Subtitle{{Lang: "id", Label: "Indonesia"}},
			PausePoints: []screening.PausePoint{{At: Point}},
		},
	}
}

// Hall is a screening in its film step. Its methods end the test when they fail.
type Hall struct {
	T     testing.TB
	Room  *screening.Room
	Board *health.Board

	mu       sync.Mutex
	reports  []Seen
	reported chan struct{} // closed and made anew at each
	ids      int
}

// Seen is a report and when it came.
type Seen struct {
	playback.Report
	When time.Time
}

type clock struct{ begin time.Time }

func (c clock) Read() screening.Reading {
	return screening.Reading{Wall: time.Now(), Boot: "boot-1", Mono: screening.ToMillis(time.Since(c.begin)) + 1000}
}

// Open makes a hall whose Room writes on a new journal. It ends with the test.
func Open(t testing.TB, journal screening.Journal) *Hall {
	t.Helper()
	h := &Hall{T: t, Board: &health.Board{}, reported: make(chan struct{})}
	h.Room = screening.NewRoom(journal, clock{time.Now()})
	h.Background(func(ctx context.Context) error {
		return h.Room.Run(ctx, screening.Envelope{ID: "start", From: screening.FromKiosk, Command: screening.StartKiosk{Kiosk: "k"}})
	})
	h.Do(screening.PlanScreening{
		Screening: "s-1", Programme: Programme(),
		Details: screening.Details{Regency: "belu", Venue: "Balai", Audience: screening.Public, HeldAt: time.Now()},
	})
	h.Do(screening.MoveTo{Step: screening.FilmStep})
	h.Do(screening.UsePausePoints{Use: false})
	return h
}

// Background runs something until the test ends.
func (h *Hall) Background(run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	h.T.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			h.T.Error(err)
		}
	})
}

// Follow lets a player follow the hall.
func (h *Hall) Follow(p playback.Player) *playback.Follower {
	f := playback.New(h.Room, h.Board, h.id, func(err error) { h.T.Errorf("the follower says: %v", err) }, &watched{p, h, make(chan playback.Report)})
	h.Background(f.Run)
	return f
}

// FollowPage makes the follower of a page; what the page reports goes to the function.
func (h *Hall) FollowPage() func(context.Context, playback.Report) {
	f := playback.New(h.Room, h.Board, h.id, func(err error) { h.T.Errorf("the follower says: %v", err) }, nil)
	h.Background(f.Run)
	return func(ctx context.Context, r playback.Report) {
		h.note(r)
		f.Report(ctx, r)
	}
}

// watched is a player whose reports the hall sees too.
type watched struct {
	playback.Player
	hall    *Hall
	reports chan playback.Report
}

func (w *watched) Reports() <-chan playback.Report { return w.reports }

func (w *watched) Run(ctx context.Context) error {
	inner, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- w.Player.Run(inner) }()
	defer cancel()
	for {
		select {
		case err := <-ended:
			return err
		case r := <-w.Player.Reports():
			w.hall.note(r)
			select {
			case w.reports <- r:
			case <-ctx.Done():
			}
		}
	}
}

func (h *Hall) note(r playback.Report) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reports = append(h.reports, Seen{r, time.Now()})
	close(h.reported)
	h.reported = make(chan struct{})
}

func (h *Hall) id() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ids++
	return fmt.Sprint("id-", h.ids)
}

// Do sends a command of the facilitator and gives the state after it.
func (h *Hall) Do(c screening.Command) screening.Playback {
	h.T.Helper()
	if err := h.Room.Do(h.T.Context(), screening.Envelope{ID: h.id(), From: screening.FromFacilitator, Command: c}); err != nil {
		h.T.Fatalf("%#v: %v", c, err)
	}
	return h.Room.Latest().Playback
}

// Since gives the reports that came after the first n.
func (h *Hall) Since(n int) []Seen {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]Seen{}, h.reports[n:]...)
}

// Count is how many reports have come.
func (h *Hall) Count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.reports)
}

// Until waits for a report after the first n that is so, and gives it.
func (h *Hall) Until(n int, what string, so func(Seen) bool) Seen {
	h.T.Helper()
	end := time.After(patience)
	for {
		h.mu.Lock()
		for ; n < len(h.reports); n++ {
			if r := h.reports[n]; so(r) {
				h.mu.Unlock()
				return r
			}
		}
		more := h.reported
		h.mu.Unlock()
		select {
		case <-more:
		case <-end:
			all := h.Since(max(0, h.Count()-5))
			h.T.Fatalf("no report says that %s; the last are %+v; the film should be %+v", what, all, h.Room.Latest().Playback)
		}
	}
}

// UntilState waits until the Room's state is so.
func (h *Hall) UntilState(what string, so func(*screening.State) bool) *screening.State {
	h.T.Helper()
	changed, stop := h.Room.Follow()
	defer stop()
	for end := time.After(patience); ; {
		if s := h.Room.Latest(); so(s) {
			return s
		}
		select {
		case <-changed:
		case <-end:
			h.T.Fatalf("it never came so: %s; the film is %+v, the last report %+v", what, h.Room.Latest().Playback, h.Since(max(0, h.Count()-1)))
		}
	}
}

// UntilPart waits until a part of the health board is so.
func (h *Hall) UntilPart(name string, level health.Level) health.Part {
	h.T.Helper()
	for end := time.Now().Add(patience); ; <-time.After(5 * time.Millisecond) {
		for _, p := range h.Board.Parts() {
			if p.Part == name && p.Level == level {
				return p
			}
		}
		if time.Now().After(end) {
			h.T.Fatalf("%s is never %s: %+v", name, level, h.Board.Parts())
		}
	}
}

// Plays waits until the film plays in the newest epoch.
func (h *Hall) Plays(n int) Seen {
	h.T.Helper()
	epoch := h.Room.Latest().Playback.Epoch
	return h.Until(n, "it plays", func(r Seen) bool { return r.State == playback.Playing && r.Epoch == epoch })
}

// Knobs is how a player says what it makes of what cannot be seen in reports. Volume is
// 0 to 100 of the film's own, Subtitles what is read now. Tone is that of the follower; nil
// for the page, which plays its own.
type Knobs struct {
	Volume    func() float64
	Subtitles func() string
	Tone      func(context.Context) error
}

// Suite lets a player prove itself in a hall whose player runs already.
func Suite(t *testing.T, h *Hall, knobs Knobs) {
	run := func(name string, test func(t *testing.T)) {
		if !t.Run(name, test) {
			t.FailNow() // each goes on where the one before has ended
		}
	}
	in := func(t *testing.T) *Hall { h.T = t; return h }
	defer func() { h.T = t }()

	run("plays from the wanted place", func(t *testing.T) {
		h := in(t)
		h.Do(screening.SeekFilm{To: 2000})
		n := h.Count()
		h.Do(screening.PlayFilm{})
		if r := h.Plays(n); r.At < 1900 || r.At > 3500 {
			t.Errorf("it begins at %d", r.At)
		}
		h.Until(n, "it goes on", func(r Seen) bool { return r.State == playback.Playing && r.At > 3000 })
	})
	run("says where it is once a second", func(t *testing.T) {
		h := in(t)
		n := h.Count()
		h.Until(n, "it comes to 6 s", func(r Seen) bool { return r.At >= 6000 })
		all := h.Since(n)
		for i := 1; i < len(all); i++ {
			if gap := all[i].When.Sub(all[i-1].When); gap > 1700*time.Millisecond {
				t.Errorf("nothing was said for %s", gap)
			}
		}
		if len(all) < 2 {
			t.Errorf("%d reports", len(all))
		}
		if d := all[len(all)-1].Duration; d < Length-100 || d > Length+100 {
			t.Errorf("it takes the film for %d ms long", d)
		}
	})
	run("plays no tone while the film is there", func(t *testing.T) {
		if knobs.Tone == nil {
			return
		}
		if err := knobs.Tone(t.Context()); !errors.Is(err, playback.ErrNoTone) {
			t.Errorf("it says %v", err)
		}
	})
	run("pauses", func(t *testing.T) {
		h := in(t)
		n := h.Count()
		h.Do(screening.PauseFilm{})
		r := h.Until(n, "it stands", func(r Seen) bool { return r.State == playback.Paused })
		h.UntilState("the Room knows where", func(s *screening.State) bool { d := s.Playback.At - r.At; return -300 < d && d < 300 })
		n = h.Count()
		h.Do(screening.PlayFilm{})
		if again := h.Plays(n); again.At < r.At-300 || again.At > r.At+1500 {
			t.Errorf("it stood at %d and goes on at %d", r.At, again.At)
		}
	})
	run("jumps, and is in the new epoch only then", func(t *testing.T) {
		h := in(t)
		for _, to := range []screening.Millis{9000, 1000, 3000} { // the second before the first has been reached
			n := h.Count()
			epoch := h.Do(screening.SeekFilm{To: to}).Epoch
			if to == 9000 {
				continue
			}
			h.Plays(n)
			h.Until(n, "it goes on", func(r Seen) bool { return r.State == playback.Playing && r.Epoch == epoch && r.At > to+500 })
			for _, r := range h.Since(n) {
				if r.Epoch == epoch && (r.At < to-100 || r.At > to+4000) {
					t.Errorf("after a jump to %d it says that it is at %d", to, r.At)
				}
			}
		}
	})
	run("volume and subtitles", func(t *testing.T) {
		h := in(t)
		h.Do(screening.SetVolume{Percent: 35})
		h.Do(screening.SetSubtitles{Lang: "id"})
		until(t, "the volume is 35", func() bool { return int(knobs.Volume()+0.5) == 35 })
		until(t, "the subtitles are seen", func() bool { return knobs.Subtitles() == "Beta mimpi" })
		h.Do(screening.SetSubtitles{Lang: ""})
		until(t, "there are no subtitles", func() bool { return knobs.Subtitles() == "" })
	})
	run("halts at a pause point, once", func(t *testing.T) {
		h := in(t)
		h.Do(screening.UsePausePoints{Use: true})
		h.Do(screening.SeekFilm{To: Point - 1200})
		n := h.Count()
		s := h.UntilState("it halts", func(s *screening.State) bool { return s.Playback.HaltedAt != nil })
		if p := s.Playback; p.Playing || *p.HaltedAt != 0 || p.At < Point || p.At > Point+400 {
			t.Errorf("it halts as %+v", p)
		}
		for _, r := range h.Since(n) {
			if r.At > Point+400 {
				t.Errorf("it ran on to %d", r.At)
			}
		}
		n = h.Count()
		h.Do(screening.PlayFilm{})
		r := h.Until(n, "it goes on", func(r Seen) bool { return r.State == playback.Playing && r.At > Point+500 })
		if r.At > Point+3000 {
			t.Errorf("it goes on at %d", r.At)
		}
		if p := h.Room.Latest().Playback; !p.Playing || p.HaltedAt != nil {
			t.Errorf("it has halted again: %+v", p)
		}
	})
	run("stands while a question is open", func(t *testing.T) {
		h := in(t)
		n := h.Count()
		h.Do(screening.OpenQuestion{Question: "q"})
		h.Until(n, "it stands", func(r Seen) bool { return r.State == playback.Paused || r.State == playback.Ready })
		at := h.Room.Latest().Playback.At
		h.Do(screening.CloseQuestion{Question: "q"})
		h.Do(screening.DismissQuestion{})
		n = h.Count()
		h.Do(screening.PlayFilm{})
		if r := h.Plays(n); r.At < at-300 || r.At > at+2500 {
			t.Errorf("it stood at %d and goes on at %d", at, r.At)
		}
	})
	run("comes to the end, and plays again", func(t *testing.T) {
		h := in(t)
		h.Do(screening.SeekFilm{To: Length - 1000})
		s := h.UntilState("it is finished", func(s *screening.State) bool { return s.Playback.Finished })
		if at := s.Playback.At; at < Length-200 || at > Length+200 {
			t.Errorf("it ends at %d", at)
		}
		n := h.Count()
		h.Do(screening.PlayFilm{})
		if r := h.Plays(n); r.At > 2500 {
			t.Errorf("it begins again at %d", r.At)
		}
		h.Until(n, "it goes on", func(r Seen) bool { return r.At > 1000 && r.State == playback.Playing })
	})
	run("how it looked is recorded", func(t *testing.T) {
		h := in(t)
		h.Do(screening.PauseFilm{})
		s := h.UntilState("it is recorded", func(s *screening.State) bool { return s.Shown.Played > 5000 })
		if p := s.Shown.Played; p > 40_000 {
			t.Errorf("%d ms are said to have been played", p)
		}
	})
}

func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); <-time.After(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came so: %s", what)
		}
	}
}
