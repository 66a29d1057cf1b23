package playback_test

import (
	"context"
	"encoding/json"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/mpv"
	"mimpi-kiosk/internal/playback"
	"mimpi-kiosk/internal/playback/playertest"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

func TestScriptedPlayer(t *testing.T) {
	t.Parallel()
	h := playertest.Open(t, &journaltest.Memory{})
	p := playertest.NewScripted()
	knobs := p.Knobs()
	knobs.Tone = h.Follow(p).Tone
	playertest.Suite(t, h, knobs)
}

func TestMPV(t *testing.T) {
	t.Parallel()
	h := playertest.Open(t, &journaltest.Memory{})
	b := newBooth(t, h, "--vo=null", "--ao=null")
	playertest.Suite(t, h, playertest.Knobs{
		Volume:    func() float64 { return ask[float64](b, "volume") },
		Subtitles: func() string { return ask[string](b, "sub-text") },
		Tone:      b.follower.Tone,
	})
	if s := h.Room.Latest().Shown; s.Player != screening.MPVPlayer || s.Decoder != "h264, no" {
		t.Errorf("how the film looked is recorded as %+v", s)
	}
}

// booth is where the film of a hall is played by mpv, within reach of the test.
type booth struct {
	t     testing.TB
	hall  *playertest.Hall
	film  string
	mu    sync.Mutex
	line  *mpv.Client
	times int
	fail  error // of the next launches

	follower *playback.Follower
}

func newBooth(t testing.TB, h *playertest.Hall, options ...string) *booth {
	t.Helper()
	if _, err := exec.LookPath("mpv"); err != nil {
		t.Fatal("mpv is missing: apt install mpv (or run the tests by make)")
	}
	film, subtitles := playertest.Clip(t)
	b := &booth{t: t, hall: h, film: film}
	child := mpv.Child{Args: append(mpv.Arguments(""), options...)}
	launch := func(ctx context.Context) (playback.Line, error) {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.fail != nil {
			return nil, b.fail
		}
		line, err := child.Launch(ctx)
		if err != nil {
			return nil, err
		}
		b.line = mpv.NewClient(line)
		b.times++
		return b.line, nil
	}
	b.follower = h.Follow(playback.NewMPV(launch, playback.MPVFilm{
		File: film, Subtitles: map[string]string{"id": subtitles}, HWDec: "no", AudioDevice: "auto", VolumeMax: 100,
	}, func(err error) { t.Logf("replaced: %v", err) }))
	return b
}

// ask reads a property of the mpv that runs now; the zero value when it has none.
func ask[T any](b *booth, property string) (value T) {
	b.mu.Lock()
	line := b.line
	b.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if data, err := line.Call(ctx, "get_property", property); err == nil {
		_ = json.Unmarshal(data, &value) // the zero value then
	}
	return value
}

func (b *booth) pid() int {
	b.t.Helper()
	pid := ask[int](b, "pid")
	if pid <= 0 {
		b.t.Fatal("no mpv runs")
	}
	return pid
}

// playing lets the film play past a place.
func (b *booth) playing(from, past screening.Millis) playertest.Seen {
	b.t.Helper()
	b.hall.Do(screening.SeekFilm{To: from})
	n := b.hall.Count()
	b.hall.Do(screening.PlayFilm{})
	return b.hall.Until(n, "it plays", func(r playertest.Seen) bool { return r.State == playback.Playing && r.At > past })
}

func TestKilledMPVIsBackWhereItWas(t *testing.T) { // alone: it looks at the clock
	h := playertest.Open(t, &journaltest.Memory{})
	b := newBooth(t, h, "--vo=null", "--ao=null")
	for range 2 {
		b.playing(1000, 2000)
		// On a quiet machine it is 2 s. On one that is busy a plain mpv takes long too.
		limit := max(2*time.Second, 3*b.plainStart())
		n := h.Count()
		pid, at := b.pid(), screening.Millis(1000*ask[float64](b, "time-pos"))
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		killed := time.Now()
		r := h.Until(n, "it plays again", func(r playertest.Seen) bool {
			return r.State == playback.Playing && r.Restarts > 0 && r.When.After(killed) && b.other(pid)
		})
		if took := r.When.Sub(killed); took > limit {
			t.Errorf("it was away for %s, more than %s", took, limit)
		} else {
			t.Logf("away for %s; killed at %d ms of the film, back at %d", took, at, r.At)
		}
		if r.At < at-1000 || r.At > at+1000 {
			t.Errorf("killed at %d ms of the film it is back at %d", at, r.At)
		}
		h.Until(n, "it goes on", func(s playertest.Seen) bool { return s.State == playback.Playing && s.At > r.At+1000 })
	}
	h.Do(screening.PauseFilm{})
	h.UntilState("the restarts are recorded", func(s *screening.State) bool { return s.Shown.Restarts == 2 })
	if p := h.Room.Latest().Playback; p.Interrupted {
		t.Errorf("the film is %+v", p)
	}
}

// plainStart is how long a plain mpv takes from its start to the first picture.
func (b *booth) plainStart() time.Duration {
	b.t.Helper()
	begin := time.Now()
	if out, err := exec.Command("mpv", "--no-config", "--no-terminal", "--vo=null", "--ao=null", "--frames=1", b.film).CombinedOutput(); err != nil {
		b.t.Fatalf("a plain mpv: %v: %s", err, out)
	}
	return time.Since(begin)
}

// other says whether another mpv than that one runs.
func (b *booth) other(pid int) bool { p := ask[int](b, "pid"); return p > 0 && p != pid }

func TestHungMPVIsReplaced(t *testing.T) {
	h := playertest.Open(t, &journaltest.Memory{})
	b := newBooth(t, h, "--vo=null", "--ao=null")
	limit := max(8*time.Second, 5*time.Second+3*b.plainStart()) // a busy machine also starts it slowly
	at := b.playing(1000, 2000).At
	n, pid := h.Count(), b.pid()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	r := h.Until(n, "it plays again", func(r playertest.Seen) bool { return r.State == playback.Playing && r.Restarts > 0 })
	t.Logf("hung at about %d ms of the film, back at %d after %s", at, r.At, time.Since(begin))
	if took := time.Since(begin); took > limit {
		t.Errorf("it was away for %s, more than %s", took, limit)
	}
	if r.At < at-1000 || r.At > at+2500 {
		t.Errorf("hung at about %d ms of the film it is back at %d", at, r.At)
	}
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("the hung mpv is still there: %v", err)
	}
}

// Where mpv cannot be had the page plays, and the record says why; when mpv is back the
// page gives the film back while it stands.
func TestWithoutMPVThePagePlays(t *testing.T) {
	t.Parallel()
	h := playertest.Open(t, &journaltest.Memory{})
	b := newBooth(t, h, "--vo=null", "--ao=null")
	b.playing(1000, 1500)
	b.mu.Lock()
	b.fail = exec.ErrNotFound
	line := b.line
	b.mu.Unlock()
	if err := line.Close(); err != nil {
		t.Fatal(err)
	}
	part := h.UntilPart("film_player", health.Problem)
	if part.Hint["id"] == "" || part.Hint["en"] == "" {
		t.Errorf("no hint: %+v", part)
	}
	b.mu.Lock()
	b.fail = nil
	b.mu.Unlock()
	h.Do(screening.PauseFilm{}) // while it plays it stays where it is
	h.UntilPart("film_player", health.OK)
	h.Do(screening.SeekFilm{To: 3000})
	n := h.Count()
	h.Do(screening.PlayFilm{})
	if r := h.Plays(n); r.At < 2900 || r.At > 4500 {
		t.Errorf("mpv goes on at %d", r.At)
	}
}

func TestHWDec(t *testing.T) {
	for _, c := range [][3]string{
		{"Raspberry Pi 3 Model B Plus Rev 1.3", "avc1", "v4l2m2m-copy"},
		{"Raspberry Pi 3 Model B Plus Rev 1.3", "hvc1", "no"},
		{"Raspberry Pi 4 Model B Rev 1.4", "avc1", "v4l2m2m-copy"},
		{"Raspberry Pi 4 Model B Rev 1.4", "hev1", "drm-copy"},
		{"Raspberry Pi Compute Module 4 Rev 1.0", "avc1", "v4l2m2m-copy"},
		{"Raspberry Pi 5 Model B Rev 1.0", "avc1", "no"},
		{"Raspberry Pi 5 Model B Rev 1.0", "hvc1", "drm-copy"},
		{"Raspberry Pi 4 Model B Rev 1.4", "vp09", "no"},
		{"", "avc1", "no"},
	} {
		if got := playback.HWDec(c[0], c[1]); got != c[2] {
			t.Errorf("%q of %q is decoded by %q, want %q", c[1], c[0], got, c[2])
		}
	}
}
