package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"mimpi-kiosk/internal/lab/picture"
	"mimpi-kiosk/internal/mpv"
)

const (
	touch = "HEADLESS-1"
	stage = "HEADLESS-2"

	filmWindow = "mimpi-film"
)

const settings = `
listen = "127.0.0.1:8080"
public_url = "http://10.42.0.1"
[film]
player = "browser"
[wifi]
name = "Mimpi Lab"
password = "katong semua"
`

// headless makes wlroots show its outputs to nobody.
var headless = []string{
	"WLR_BACKENDS=headless", "WLR_HEADLESS_OUTPUTS=2", "WLR_RENDERER=pixman", "WLR_LIBINPUT_NO_DEVICES=1",
	"XDG_RUNTIME_DIR=" + session,
}

// screens are the processes of a display session.
type screens struct{ display, touch, stage, player *process }

func startScreens(display string) (*screens, error) {
	if err := os.WriteFile("/etc/mimpi-kiosk/kiosk.toml", []byte(settings+"[display]\n"+display), 0o644); err != nil {
		return nil, err
	}
	var s screens
	var err error
	told, err := listenToStates()
	if err != nil {
		return nil, err
	}
	env := append(slices.Clone(headless), "NOTIFY_SOCKET="+notifySocket)
	if s.display, err = start("display", displayUser, env, program, "display"); err != nil {
		return nil, err
	}
	// systemd starts the browsers when the compositor says that it is ready, and expects
	// signs of life from then on.
	begun := time.Now()
	for _, state := range []string{"READY=1", "WATCHDOG=1"} {
		if err := told.await(state, 40*time.Second); err != nil {
			return nil, err
		}
		fmt.Printf("  %-62s %5.1f s\n", "the compositor says "+state, time.Since(begun).Seconds())
	}
	return &s, errors.Join(told.close(), s.startBrowsers())
}

func (s *screens) startBrowsers() (err error) {
	if s.touch, err = start("browser-touch", displayUser, nil, program, "browser", "touch"); err != nil {
		return err
	}
	if s.stage, err = start("browser-stage", displayUser, nil, program, "browser", "stage"); err != nil {
		return err
	}
	// As its unit has it. The lab has no graphics chip: mpv draws without.
	s.player, err = start("player", displayUser, []string{"XDG_RUNTIME_DIR=" + session, "WAYLAND_DISPLAY=wayland-0"},
		"sh", "-c", "umask 0007; exec "+program+" player --listen "+session+"/player.sock -- --vo=wlshm")
	return err
}

func (s *screens) stop() error {
	return errors.Join(s.player.stop(), s.touch.stop(), s.stage.stop(), s.display.stop())
}

// lab looks at the outputs while things happen.
type lab struct {
	f       *facilitator
	screens *screens
}

// shows waits until an output shows what it should.
func (l *lab) shows(ctx context.Context, limit time.Duration, name, output string, is func(picture.Picture) bool) error {
	return await(ctx, limit, name+" on "+output, func() error {
		p, err := look(ctx, strings.ReplaceAll(name, " ", "-"), output)
		if err == nil && !is(p) {
			err = errors.New("the picture shows something else: " + p.File)
		}
		return err
	})
}

// evening is the whole run. Its steps are read from top to bottom.
func evening(ctx context.Context) error {
	if err := prepare(); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	var l lab
	var daemon *process
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"Two screens, the browsers up before the kiosk is", func() (err error) {
			l.screens, err = startScreens("touch = \"" + touch + "\"\nstage = \"" + stage + "\"\n")
			return err
		}},
		{"Both wait in words, and not on an error page", func() error { return l.wait(ctx) }},
		{"The kiosk comes up", func() (err error) {
			daemon, err = start("daemon", daemonUser, nil, program, "run", "--config", "/etc/mimpi-kiosk/kiosk.toml",
				"--data", "/var/lib/mimpi-kiosk", "--pack", "media/mimpi-beta", "--film", "media/demo-film")
			if err != nil {
				return err
			}
			if err := await(ctx, 30*time.Second, "the kiosk answers", healthy); err != nil {
				return err
			}
			l.f, err = signIn()
			return err
		}},
		{"Each page is on its own output", func() error { return l.pages(ctx) }},
		{"No cursor", func() error { return l.cursor(ctx, false) }},
		{"A screening", func() error { return l.screening(ctx) }},
		{"mpv plays above the page", func() error { return l.film(ctx) }},
		{"A browser that is killed or hangs comes back", func() error { return l.browsers(ctx) }},
		{"The projector is pulled out, and plugged in again", func() error { return l.projector(ctx) }},
		{"A compositor that is killed or hangs ends the session", func() error { return l.compositor(ctx) }},
		{"Names found by the kiosk, a turned screen, a cursor", func() error { return l.turned(ctx) }},
		{"One output, with cage", func() error { return l.cage(ctx) }},
		{"The kiosk ends", func() error { return daemon.stop() }},
	} {
		fmt.Println(step.name)
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

func healthy() error {
	r, err := http.Get(address + "/healthz")
	if err != nil {
		return err
	}
	if err := r.Body.Close(); err != nil || r.StatusCode != http.StatusOK {
		return fmt.Errorf("%s, %w", r.Status, err)
	}
	return nil
}

func (l *lab) wait(ctx context.Context) error {
	// Dark, with words: nearly, but not all, is ground.
	waits := func(p picture.Picture) bool { s := p.Share(0x14, 0x16, 0x2b); return s > 0.9 && s < 0.9999 }
	return errors.Join(
		l.shows(ctx, 2*time.Minute, "waiting words", touch, waits),
		l.shows(ctx, 2*time.Minute, "waiting words", stage, waits))
}

func (l *lab) pages(ctx context.Context) error {
	return errors.Join(
		l.shows(ctx, 30*time.Second, "touch page", touch, picture.IsTouchPage),
		l.shows(ctx, 30*time.Second, "stage page", stage, picture.IsStagePage))
}

// cursor moves a mouse over both outputs, and over the same way back. Without a cursor
// the pictures stay the same. A page may change by itself while one looks, so it is first
// waited for until both are still, and what is not as wanted is looked at again: a cursor
// would be seen every time.
func (l *lab) cursor(ctx context.Context, wanted bool) error {
	var changed []string
	for range 3 {
		before, err := l.still(ctx)
		if err != nil {
			return err
		}
		changed = nil
		for _, by := range [][2]string{{"300", "150"}, {"300", "150"}, {"300", "150"}, {"300", "150"}, {"-1200", "-600"}} {
			if _, err := tool(ctx, "wlrctl", "pointer", "move", by[0], by[1]); err != nil {
				return err
			}
			<-time.After(400 * time.Millisecond)
			after, err := l.both(ctx, "mouse moved")
			if err != nil {
				return err
			}
			for i := range after {
				if where := before[i].Difference(after[i]); !where.Empty() {
					changed = append(changed, fmt.Sprint(after[i].File, " in ", where))
				}
			}
		}
		if seen := len(changed) > 0; seen == wanted {
			return nil
		}
	}
	return fmt.Errorf("cursor wanted: %v; pictures that changed while the mouse was moved: %q", wanted, changed)
}

// still waits until neither output has changed for a second, and returns how they look.
func (l *lab) still(ctx context.Context) (now [2]picture.Picture, err error) {
	now, err = l.both(ctx, "no mouse")
	if err != nil {
		return now, err
	}
	err = await(ctx, 20*time.Second, "both outputs are still", func() error {
		<-time.After(time.Second)
		before := now
		if now, err = l.both(ctx, "no mouse"); err != nil {
			return err
		}
		for i := range now {
			if where := before[i].Difference(now[i]); !where.Empty() {
				return fmt.Errorf("%s changes in %v", now[i].File, where)
			}
		}
		return nil
	})
	return now, err
}

func (l *lab) both(ctx context.Context, name string) (out [2]picture.Picture, err error) {
	for i, output := range []string{touch, stage} {
		p, lookErr := look(ctx, strings.ReplaceAll(name, " ", "-"), output)
		out[i], err = p, errors.Join(err, lookErr)
	}
	return out, err
}

func (l *lab) screening(ctx context.Context) error {
	do := func(what string, fields map[string]any) func() error {
		return func() error { return l.f.do(what, fields) }
	}
	showsOn := func(name, output string, is func(picture.Picture) bool) func() error {
		return func() error { return l.shows(ctx, 20*time.Second, name, output, is) }
	}
	voteCode := func(p picture.Picture) bool {
		codes := p.Codes(ctx)
		return slices.Contains(codes, "http://10.42.0.1/vote") && slices.ContainsFunc(codes, func(c string) bool { return strings.HasPrefix(c, "WIFI:") })
	}
	for _, step := range []func() error{
		do("planScreening", map[string]any{"rehearsal": false, "details": map[string]any{
			"regency": "belu", "venue": "Balai Desa Fulur", "audience": "public", "heldAt": time.Now().Format(time.RFC3339),
		}}),
		do("openDoors", nil),
		do("countAttendee", map[string]any{"category": "woman"}),
		// The doors' cards stand on the pictures' paper.
		showsOn("doors", touch, func(p picture.Picture) bool { return picture.IsTouchPage(p) && p.Share(0xf7, 0xef, 0xdd) > 0.05 }),
		do("setStage", map[string]any{"page": "join", "count": true, "lang": "id"}),
		showsOn("QR codes", stage, voteCode),
		func() error {
			p, err := look(ctx, "no-QR-codes", touch)
			if err == nil && len(p.Codes(ctx)) > 0 {
				err = errors.New("the projector's QR codes are on the touch screen")
			}
			return err
		},
		do("setStage", map[string]any{"page": "auto", "count": true, "lang": "id"}),
		do("moveTo", map[string]any{"step": "discussion"}),
		do("openQuestion", map[string]any{"question": "k1"}),
		// The colours of the first two options are only on the pages of a question.
		showsOn("question", touch, func(p picture.Picture) bool {
			return p.Share(0x2f, 0x38, 0x80) > 0.012 && p.Share(0xef, 0xbd, 0x55) > 0.012
		}),
		showsOn("question", stage, func(p picture.Picture) bool {
			return p.Share(0x75, 0x83, 0xe4) > 0.002 && p.Share(0xf6, 0xd4, 0x88) > 0.002
		}),
		do("closeQuestion", map[string]any{"question": "k1"}),
		do("revealQuestion", map[string]any{"question": "k1"}),
		// The right answer has a green ground.
		showsOn("revealed", stage, func(p picture.Picture) bool { return p.Share(0x1d, 0x3a, 0x2b) > 0.01 }),
		do("dismissQuestion", map[string]any{"question": "k1"}),
		do("moveTo", map[string]any{"step": "film"}),
		do("playFilm", nil),
		showsOn("film", stage, isFilm),
		showsOn("touch during the film", touch, picture.IsTouchPage),
		do("pauseFilm", nil),
		do("moveTo", map[string]any{"step": "discussion"}),
		showsOn("after the film", stage, picture.IsStagePage),
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// isFilm: neither page's ground is to be seen, and it is not dark.
func isFilm(p picture.Picture) bool {
	return p.Share(0x14, 0x16, 0x2b) < 0.05 && p.Share(0xfd, 0xf9, 0xf0) < 0.05 && p.Share(0, 0, 0) < 0.8
}

// film plays by mpv, asked for as the daemon does it, above the page.
func (l *lab) film(ctx context.Context) error {
	for pulled := range 2 {
		line, err := playFilm(ctx)
		if err != nil {
			return err
		}
		if err := errors.Join(
			l.shows(ctx, time.Minute, "film by mpv", stage, isFilm),
			l.shows(ctx, 20*time.Second, "touch page beside mpv", touch, picture.IsTouchPage),
		); err != nil {
			return err
		}
		if pulled == 1 {
			if line, err = l.pullDuringFilm(ctx, line); err != nil {
				return err
			}
		}
		if err := errors.Join(
			line.Close(), // the film is over
			l.shows(ctx, 20*time.Second, "page below the film", stage, picture.IsStagePage),
		); err != nil {
			return err
		}
		left, err := processes(func(line string) bool { return strings.Contains(line, "--wayland-app-id="+filmWindow) })
		if err != nil || len(left) > 1 { // one may wait for the next film
			return fmt.Errorf("mpvs are left behind: %v, %w", left, err)
		}
	}
	return nil
}

func playFilm(ctx context.Context) (io.ReadWriteCloser, error) {
	line, err := mpv.Host{Socket: session + "/player.sock"}.Launch(ctx)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(line, `{"command":["loadfile","%s/media/demo-film/film.mp4"]}`+"\n", inside)
	return line, err
}

// pullDuringFilm pulls the projector's cable while mpv plays, and plugs it in again: the
// host then ends that mpv, and the next one is on the projector.
func (l *lab) pullDuringFilm(ctx context.Context, line io.ReadWriteCloser) (io.ReadWriteCloser, error) {
	for _, change := range [][]string{{"--off"}, {"--on", "--custom-mode", "1280x720"}} {
		if _, err := tool(ctx, append([]string{"wlr-randr", "--output", stage}, change...)...); err != nil {
			return nil, err
		}
		<-time.After(2 * time.Second) // somebody looks for the cable
	}
	ended := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, line); close(ended) }() // until the host has ended it
	select {
	case <-ended:
	case <-time.After(30 * time.Second):
		return nil, errors.Join(errors.New("the film stays where it was"), line.Close())
	}
	again, err := playFilm(ctx)
	if err := errors.Join(err, line.Close()); err != nil {
		return nil, err
	}
	return again, errors.Join(
		l.shows(ctx, time.Minute, "projector back, film by mpv", stage, isFilm),
		l.shows(ctx, time.Minute, "projector back, touch page beside mpv", touch, picture.IsTouchPage),
	)
}

func (l *lab) browsers(ctx context.Context) error {
	for _, c := range []struct {
		role, output string
		signal       syscall.Signal
		is           func(picture.Picture) bool
	}{
		{"stage", stage, syscall.SIGKILL, picture.IsStagePage},
		{"touch", touch, syscall.SIGKILL, picture.IsTouchPage},
		{"touch", touch, syscall.SIGSTOP, picture.IsTouchPage},
	} {
		old, err := browser(c.role)
		if err != nil {
			return fmt.Errorf("the browser of %s: %w", c.role, err)
		}
		if err := syscall.Kill(old, c.signal); err != nil {
			return err
		}
		err = await(ctx, time.Minute, fmt.Sprintf("%s browser, %s: another one", c.role, c.signal), func() error {
			if now, err := browser(c.role); err != nil || now == old {
				return errors.New("none yet")
			}
			return nil
		})
		if err != nil {
			return err
		}
		if err := l.shows(ctx, time.Minute, c.role+" again", c.output, c.is); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) projector(ctx context.Context) error {
	if err := l.f.do("setStage", map[string]any{"page": "join", "count": true, "lang": "id"}); err != nil {
		return err
	}
	hasCode := func(p picture.Picture) bool { return slices.Contains(p.Codes(ctx), "http://10.42.0.1/vote") }
	noCode := func(p picture.Picture) bool { return picture.IsTouchPage(p) && !hasCode(p) }
	for range 2 {
		if _, err := tool(ctx, "wlr-randr", "--output", stage, "--off"); err != nil {
			return err
		}
		if err := l.shows(ctx, time.Minute, "alone the touch screen takes turns", touch, hasCode); err != nil {
			return err
		}
		if _, err := browser("stage"); err == nil {
			return errors.New("the projector's browser runs on without a projector")
		}
		if _, err := tool(ctx, "wlr-randr", "--output", stage, "--on", "--custom-mode", "1280x720"); err != nil {
			return err
		}
		if err := errors.Join(
			l.shows(ctx, 90*time.Second, "projector back, touch page", touch, noCode),
			l.shows(ctx, 90*time.Second, "projector back, stage page", stage, hasCode),
		); err != nil {
			return err
		}
	}
	return nil
}

func (l *lab) compositor(ctx context.Context) error {
	for _, c := range []struct {
		signal syscall.Signal
		limit  time.Duration
	}{{syscall.SIGKILL, 5 * time.Second}, {syscall.SIGSTOP, 25 * time.Second}} {
		pid, err := find(func(line string) bool { return strings.HasSuffix(strings.SplitN(line, "\x00", 2)[0], "/labwc") })
		if err != nil {
			return fmt.Errorf("labwc: %w", err)
		}
		if err := syscall.Kill(pid, c.signal); err != nil {
			return err
		}
		begun := time.Now()
		if err := l.screens.display.failed(c.limit); err != nil {
			return err
		}
		if err := errors.Join(l.screens.touch.failed(c.limit), l.screens.stage.failed(c.limit), l.screens.player.stop()); err != nil {
			return err
		}
		fmt.Printf("  %-62s %5.1f s\n", "labwc, "+c.signal.String()+": the session ended", time.Since(begun).Seconds())
		if l.screens, err = startScreens("touch = \"" + touch + "\"\nstage = \"" + stage + "\"\n"); err != nil {
			return err
		}
		if err := l.shows(ctx, 2*time.Minute, "touch page in a new session", touch, picture.IsTouchPage); err != nil {
			return err
		}
	}
	return l.screens.stop()
}

func (l *lab) turned(ctx context.Context) (err error) {
	if err := l.f.do("setStage", map[string]any{"page": "auto", "count": true, "lang": "id"}); err != nil {
		return err
	}
	if l.screens, err = startScreens("touch_rotation = 90\nstage_rotation = 180\ncursor = true\n"); err != nil {
		return err
	}
	upright := func(p picture.Picture) bool {
		return picture.IsTouchPage(p) && p.Bounds().Dx() == 720 && p.Bounds().Dy() == 1280
	}
	if err := errors.Join(
		l.shows(ctx, 2*time.Minute, "touch page upright", touch, upright),
		l.shows(ctx, 2*time.Minute, "stage page upside down", stage, picture.IsStagePage),
	); err != nil {
		return err
	}
	said, err := tool(ctx, "wlr-randr")
	if err != nil {
		return err
	}
	for output, turn := range map[string]string{touch: "90", stage: "180"} {
		_, rest, _ := strings.Cut(said, output+" ")
		_, rest, _ = strings.Cut(rest, "Transform: ")
		if line, _, _ := strings.Cut(rest, "\n"); line != turn {
			return fmt.Errorf("%s stands at %q, not %s", output, line, turn)
		}
	}
	return errors.Join(l.cursor(ctx, true), l.screens.stop())
}

func (l *lab) cage(ctx context.Context) (err error) {
	if err := os.Rename("/usr/bin/labwc", "/usr/bin/labwc.away"); err != nil {
		return err
	}
	if l.screens, err = startScreens(""); err != nil {
		return err
	}
	// cage keeps one of the two outputs, whichever came last.
	on := func(is func(picture.Picture) bool) func() error {
		return func() error {
			for _, output := range []string{touch, stage} {
				if p, err := look(ctx, "cage", output); err == nil && is(p) {
					return nil
				}
			}
			return errors.New("neither output shows it")
		}
	}
	return errors.Join(
		await(ctx, 2*time.Minute, "the stage has the only screen", on(picture.IsStagePage)),
		l.f.do("openQuestion", map[string]any{"question": "k2"}),
		await(ctx, 20*time.Second, "hands are wanted: the touch page has it", on(picture.IsTouchPage)),
		l.f.do("closeQuestion", map[string]any{"question": "k2"}),
		await(ctx, 20*time.Second, "and gives it back", on(picture.IsStagePage)),
		l.screens.stop(),
	)
}
