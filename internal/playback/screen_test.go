package playback_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/playback"
	"mimpi-kiosk/internal/playback/playertest"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// screen is a Wayland compositor of the test's own with one output that nobody sees.
type screen struct {
	t    testing.TB
	dir  string
	cmd  *exec.Cmd
	stop func()
}

const nobody = 65534

func newScreen(t testing.TB) *screen {
	t.Helper()
	if _, err := exec.LookPath("cage"); err != nil {
		t.Fatal("cage is missing: apt install cage (or run the tests by make)")
	}
	s := &screen{t: t, dir: t.TempDir()}
	err := errors.Join(os.Chmod(filepath.Dir(s.dir), 0o755), os.Chmod(s.dir, 0o700))
	if os.Geteuid() == 0 { // which cage refuses to run as
		err = errors.Join(err, os.Chown(s.dir, nobody, nobody))
	}
	if err != nil {
		t.Fatal(err)
	}
	s.on()
	t.Cleanup(func() { s.off() })
	return s
}

func (s *screen) on() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s.cmd = exec.CommandContext(ctx, "cage", "--", "sleep", "infinity")
	s.cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+s.dir, "WLR_BACKENDS=headless", "WLR_HEADLESS_OUTPUTS=1", "WLR_RENDERER=pixman", "WLR_LIBINPUT_NO_DEVICES=1")
	if os.Geteuid() == 0 {
		s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.stop = cancel
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(s.dir, "wayland-0")); err == nil {
			return
		}
		if time.Now().After(end) {
			s.t.Fatal("cage does not come up")
		}
	}
}

// off kills it, as a screen session that crashes.
func (s *screen) off() {
	s.stop()
	_ = s.cmd.Wait() // killed by us
	for _, left := range []string{"wayland-0", "wayland-0.lock"} {
		_ = os.Remove(filepath.Join(s.dir, left)) // it may not have left it
	}
}

// The display session dies, and mpv with its window: the film goes on as sound where it
// was, the facilitator reads it, and when there is a screen again so is the picture.
func TestScreenGoneAndBack(t *testing.T) {
	s := newScreen(t)
	t.Setenv("XDG_RUNTIME_DIR", s.dir)
	t.Setenv("WAYLAND_DISPLAY", "wayland-0")
	h := playertest.Open(t, &journaltest.Memory{})
	b := newBooth(t, h, "--vo=wlshm", "--geometry=320x240", "--ao=null")
	at := b.playing(0, 1000).At
	if vo := ask[string](b, "current-vo"); vo != "wlshm" {
		t.Fatalf("the picture goes to %q", vo)
	}

	n := h.Count()
	s.off()
	if part := h.UntilPart("film_picture", health.Problem); part.Hint["id"] == "" || part.Hint["en"] == "" {
		t.Errorf("no hint: %+v", part)
	}
	r := h.Until(n, "it goes on", func(r playertest.Seen) bool { return r.State == playback.Playing && r.NoPicture && r.At > at+1500 })
	if r.GiveUp || r.Restarts > 1 {
		t.Errorf("without a screen it is %+v", r)
	}

	s.on()
	h.UntilPart("film_picture", health.OK)
	for end := time.Now().Add(20 * time.Second); ask[string](b, "current-vo") != "wlshm"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the picture does not come back")
		}
	}
	n = h.Count()
	h.Do(screening.SeekFilm{To: 2000})
	if r := h.Plays(n); r.NoPicture || r.At < 1900 || r.At > 4500 {
		t.Errorf("after a jump it is %+v", r)
	}
}
