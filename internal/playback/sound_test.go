package playback_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/playback"
	"mimpi-kiosk/internal/playback/playertest"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// pulse is a sound server of the test's own, whose one loudspeaker comes and goes.
type pulse struct {
	t      testing.TB
	server string
	module string
}

func startPulse(t testing.TB) *pulse {
	t.Helper()
	for _, program := range []string{"pulseaudio", "pactl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is missing: apt install pulseaudio pulseaudio-utils (or run the tests by make)", program)
		}
	}
	dir := t.TempDir()
	socket := filepath.Join(dir, "native")
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no", "--disable-shm=yes",
		"--log-target=stderr", "-L", "module-native-protocol-unix auth-anonymous=1 socket="+socket)
	cmd.Env = append(os.Environ(), "HOME="+dir, "XDG_RUNTIME_DIR="+dir, "PULSE_RUNTIME_PATH="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // ended by us
	})
	p := &pulse{t: t, server: "unix:" + socket}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			return p
		}
		if time.Now().After(end) {
			t.Fatal("pulseaudio does not come up")
		}
	}
}

func (p *pulse) ctl(args ...string) string {
	p.t.Helper()
	cmd := exec.Command("pactl", append([]string{"--server", p.server}, args...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("pactl %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (p *pulse) plugIn() {
	p.t.Helper()
	p.module = p.ctl("load-module", "module-null-sink", "sink_name=loudspeaker")
}
func (p *pulse) pullOut() { p.t.Helper(); p.ctl("unload-module", p.module) }

// sounds says whether somebody plays on the loudspeaker.
func (p *pulse) sounds() bool {
	p.t.Helper()
	return strings.Contains(p.ctl("list", "short", "sink-inputs"), "\t")
}

// The loudspeaker's cable is pulled: the film goes on by the clock, the facilitator reads
// it, and when the loudspeaker is back so is the sound.
func TestLoudspeakerPulledAndBack(t *testing.T) {
	p := startPulse(t)
	t.Setenv("PULSE_SERVER", p.server)
	p.plugIn()
	h := playertest.Open(t, &journaltest.Memory{})
	b := newBooth(t, h, "--vo=null", "--ao=pulse,alsa") // alsa, as on a Pi: there is none here
	b.playing(0, 1000)
	h.UntilPart("film_sound", health.OK)
	if ao := ask[string](b, "current-ao"); ao != "pulse" || !p.sounds() {
		t.Fatalf("the sound goes to %q", ao)
	}
	begin, at := time.Now(), screening.ToMillis(0)
	at = h.Until(h.Count(), "it plays", func(r playertest.Seen) bool { return r.State == playback.Playing }).At

	p.pullOut()
	if part := h.UntilPart("film_sound", health.Problem); part.Hint["id"] == "" || part.Hint["en"] == "" {
		t.Errorf("no hint: %+v", part)
	}
	n := h.Count()
	r := h.Until(n, "it goes on", func(r playertest.Seen) bool { return r.State == playback.Playing && r.At > at+3000 })
	if behind := screening.ToMillis(r.When.Sub(begin)) - (r.At - at); behind > 2500 {
		t.Errorf("without sound the film is %d ms behind the clock", behind)
	}
	if r.Restarts != 0 {
		t.Errorf("mpv was replaced %d times", r.Restarts)
	}

	p.plugIn()
	h.UntilPart("film_sound", health.OK)
	for end := time.Now().Add(20 * time.Second); !p.sounds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the loudspeaker stays silent")
		}
	}
	if p := h.Room.Latest().Playback; p.Finished {
		t.Log("the film has ended meanwhile")
	}
}

// The sound lag reaches mpv: the picture waits for the loudspeaker.
func TestSoundLag(t *testing.T) {
	t.Parallel()
	h := playertest.Open(t, &journaltest.Memory{})
	b := newBooth(t, h, "--vo=null", "--ao=null")
	b.playing(0, 300)
	h.Do(screening.SetSoundLag{Lag: 280})
	for end := time.Now().Add(20 * time.Second); ask[float64](b, "audio-delay") != -0.28; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("audio-delay is %v", ask[float64](b, "audio-delay"))
		}
	}
}

// A film that mpv cannot open is played by the page.
func TestFilmThatMPVCannotOpen(t *testing.T) {
	t.Parallel()
	h := playertest.Open(t, &journaltest.Memory{})
	b := newBooth(t, h, "--vo=null", "--ao=null")
	if err := os.WriteFile(b.film, []byte("not a film"), 0o644); err != nil {
		t.Fatal(err)
	}
	h.Do(screening.PlayFilm{})
	h.UntilPart("film_player", health.Problem)
	if p := h.Room.Latest().Playback; !p.Playing {
		t.Errorf("the film is %+v: the page goes on with it", p)
	}
}
