// Package browser keeps one Chromium showing one page of the kiosk, whatever happens to
// it: a browser that crashed or froze, a page that hangs, a kiosk that is not up yet.
//
// Chromium is spoken to over a pipe (--remote-debugging-pipe), which no other program can
// reach. Every two seconds the page is asked where it is and whether it shows anything;
// one that does not answer in time is killed, with every process it started, and started
// anew with a fresh profile: there is nothing in it that is worth a "restore pages?".
//
// [Keep] blocks until ctx ends and Chromium is gone. The package imports nothing of ours.
package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Window is what to keep on the screen.
type Window struct {
	Program string   // "chromium"
	Class   string   // the window's app_id, by which the compositor places it
	Profile string   // a folder of its own, emptied at every start
	Flags   []string // besides those that every kiosk needs
	Env     []string // in place of this process's, when not nil

	// URL is the page to show now; it may change from call to call.
	URL func() string
	Log *slog.Logger

	Alive func() // the page answered; may be nil
}

const (
	askEvery     = 2 * time.Second
	restartAfter = time.Second
	serverTime   = 3 * time.Second
)

// limits are how long things may take.
type limits struct {
	start, answer time.Duration
	empty         time.Duration // of a page that has loaded and shows nothing
}

// usual is enough for a Raspberry Pi 3 that just started, which is slow, but only then.
var usual = limits{start: 60 * time.Second, answer: 8 * time.Second, empty: 20 * time.Second}

// A box that is slower yet is given twice as long each time, up to so many times as long, until
// its page shows: a browser that is killed while it starts never comes up.
const mostTimes = 8

func (l limits) times(n time.Duration) limits { return limits{l.start * n, l.answer * n, l.empty * n} }

// keeper keeps a window.
type keeper struct {
	Window
	usual, now limits
}

// late is the error of something that took longer than it may.
type late struct {
	what  string
	limit time.Duration
}

func (l late) Error() string { return fmt.Sprintf("%s within %s", l.what, l.limit) }

// flags are Chromium's for a kiosk; each was tried with Chromium 156 under labwc 0.8.3.
// Choices that are policies stand in systemd/chromium-policies.json.
func (w Window) flags() []string {
	return append([]string{
		"--remote-debugging-pipe",
		"--class=" + w.Class,
		"--user-data-dir=" + w.Profile,
		"--kiosk",
		"--ozone-platform=wayland",
		// No question is asked that nobody is there to answer.
		"--no-first-run", "--no-default-browser-check", "--noerrdialogs",
		"--disable-session-crashed-bubble", "--hide-crash-restore-bubble", "--disable-infobars",
		"--no-memcheck",          // Raspberry Pi OS: no dialog on boards with little memory
		"--password-store=basic", // no keyring is there to be unlocked
		"--disable-component-update", "--disable-background-networking", "--disable-sync", "--disable-breakpad",
		// Fingers press buttons; they do not zoom the page or leave it.
		"--disable-pinch", "--overscroll-history-navigation=0",
		"--disable-features=Translate,MediaRouter",
		"--autoplay-policy=no-user-gesture-required",
		"--auto-accept-camera-and-microphone-capture", // of the kiosk's own pages; only /record may ask, and only for the microphone
		// A page below the film is not looked at, but must be there when the film goes.
		"--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding", "--disable-background-timer-throttling",
		"--disk-cache-size=16777216", // the profile is in memory
	}, w.Flags...)
}

// waiting is shown until the kiosk answers: dark, so that nothing flashes in the hall.
const waiting = "data:text/html;charset=utf-8,<html lang=id><title>Mimpi%20Kiosk</title>" +
	"<body style='margin:0;height:100vh;display:grid;place-content:center;text-align:center;background:%2314162b;color:%23f4ead2;font:3vmax sans-serif'>" +
	"<div>Mimpi Kiosk</div><div style='font-size:2vmax;opacity:.7'>Sebentar, kiosk sedang menyala&hellip;<br>One moment, the kiosk is starting&hellip;</div>"

// Keep shows the window until ctx ends. It gives an error only when Chromium can not be
// started at all.
func Keep(ctx context.Context, w Window) error {
	if _, err := exec.LookPath(w.Program); err != nil {
		return fmt.Errorf("there is no browser: %w; install chromium (apt install chromium)", err)
	}
	return (&keeper{w, usual, usual}).keep(ctx)
}

func (k *keeper) keep(ctx context.Context) error {
	for {
		err := k.show(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if errors.As(err, new(late)) && k.now.start < mostTimes*k.usual.start {
			k.now = k.now.times(2)
		}
		k.Log.Error("the browser is started anew", "window", k.Class, "reason", err)
		if !sleep(ctx, restartAfter) {
			return nil
		}
	}
}

// show runs one Chromium until it is no good any more.
func (k *keeper) show(ctx context.Context) error {
	if err := os.RemoveAll(k.Profile); err != nil {
		return fmt.Errorf("empty the profile: %w", err)
	}
	if err := os.MkdirAll(k.Profile, 0o700); err != nil {
		return fmt.Errorf("make the profile: %w", err)
	}
	process, pipe, err := k.start()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _ = process.Wait(); close(ended) }() // why it ended is in its own lines
	talk, cancel := context.WithCancel(ctx)
	heard := make(chan error, 1)
	go func() { heard <- pipe.listen() }()

	err = k.follow(talk, pipe)
	// The whole group, stopped ones too: nothing of it may hold the screen.
	_ = syscall.Kill(-process.Process.Pid, syscall.SIGKILL)
	cancel()
	<-ended
	pipe.close()
	return errors.Join(err, <-heard)
}

func (w Window) start() (*exec.Cmd, *pipe, error) {
	theirs, ours, err := pipes()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.Command(w.Program, append(w.flags(), waiting)...)
	cmd.Env = w.Env
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.ExtraFiles = theirs[:] // it reads commands from 3 and writes to 4
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	err = cmd.Start()
	for _, f := range theirs {
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		for _, f := range ours {
			err = errors.Join(err, f.Close())
		}
		return nil, nil, fmt.Errorf("start %s: %w", w.Program, err)
	}
	return cmd, newPipe(ours[0], ours[1]), nil
}

func pipes() (theirs, ours [2]*os.File, err error) {
	var errTo, errFrom error
	theirs[0], ours[1], errTo = os.Pipe()
	ours[0], theirs[1], errFrom = os.Pipe()
	if err = errors.Join(errTo, errFrom); err != nil {
		err = fmt.Errorf("make pipes for the browser: %w", err)
	}
	return theirs, ours, err
}

// follow asks the page again and again, and takes it where it should be.
func (k *keeper) follow(ctx context.Context, p *pipe) error {
	page, err := within(ctx, k.now.start, "the browser did not start", func(ctx context.Context) (string, error) { return attach(ctx, p) })
	if err != nil {
		return err
	}
	begun, up := time.Now(), false
	emptySince := time.Time{}
	for {
		limit := k.now.answer
		if !up {
			limit = k.now.start
		}
		at, err := within(ctx, limit, "the page does not answer", func(ctx context.Context) (place, error) { return p.where(ctx, page) })
		if err != nil {
			return err
		}
		if !up {
			k.Log.Info("the browser is up", "window", k.Class, "took", time.Since(begun).Round(time.Millisecond))
		}
		up = true
		wanted := k.URL()
		switch there := at.URL == wanted; {
		case there && at.Shows:
			emptySince, k.now = time.Time{}, k.usual
			if k.Alive != nil {
				k.Alive()
			}
		case there && emptySince.IsZero():
			emptySince = time.Now()
		case there && time.Since(emptySince) < k.now.empty:
		default: // elsewhere, on an error page, or empty for too long
			emptySince = time.Time{}
			if err := k.lead(ctx, p, page, wanted, at.URL); err != nil {
				return err
			}
		}
		wait := askEvery
		if at.URL != wanted {
			wait = askEvery / 4 // the kiosk may answer any moment
		}
		if !sleep(ctx, wait) {
			return nil
		}
	}
}

// lead takes the page to an address that answers, and away from an error page else.
func (k *keeper) lead(ctx context.Context, p *pipe, page, wanted, at string) error {
	if err := answers(ctx, wanted); err != nil {
		if strings.HasPrefix(at, "data:") || sameServer(at, wanted) {
			return nil // words of our own, or a page that knows to wait
		}
		wanted = waiting
	}
	_, err := within(ctx, k.now.answer, "the page cannot be changed", func(ctx context.Context) (struct{}, error) {
		return struct{}{}, p.call(ctx, page, "Page.navigate", map[string]any{"url": wanted}, nil)
	})
	return err
}

func answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, serverTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("the page's address: %w", err)
	}
	response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
	if err != nil {
		return err
	}
	if err := response.Body.Close(); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", address, response.Status)
	}
	return nil
}

func sameServer(a, b string) bool {
	x, errX := url.Parse(a)
	y, errY := url.Parse(b)
	return errX == nil && errY == nil && x.Host == y.Host && x.Scheme == y.Scheme
}

// place is what a page says of itself.
type place struct {
	URL   string
	Shows bool
}

// where asks the page. Its own script answers, so one that runs in circles does not.
func (p *pipe) where(ctx context.Context, page string) (place, error) {
	var answer struct {
		Result struct {
			Value string `json:"value"`
		} `json:"result"`
	}
	const question = `JSON.stringify([location.href, document.readyState !== 'loading' && !!document.querySelector('#app > *')])`
	if err := p.call(ctx, page, "Runtime.evaluate", map[string]any{"expression": question, "returnByValue": true}, &answer); err != nil {
		return place{}, err
	}
	var said [2]json.RawMessage
	var at place
	err := json.Unmarshal([]byte(answer.Result.Value), &said)
	if err == nil {
		err = errors.Join(json.Unmarshal(said[0], &at.URL), json.Unmarshal(said[1], &at.Shows))
	}
	if err != nil {
		return place{}, fmt.Errorf("the page's answer %q: %w", answer.Result.Value, err)
	}
	return at, nil
}

// attach finds the browser's page, which may take a moment to be there.
func attach(ctx context.Context, p *pipe) (string, error) {
	for {
		var found struct {
			Targets []struct {
				ID   string `json:"targetId"`
				Type string `json:"type"`
			} `json:"targetInfos"`
		}
		if err := p.call(ctx, "", "Target.getTargets", nil, &found); err != nil {
			return "", err
		}
		for _, t := range found.Targets {
			if t.Type != "page" {
				continue
			}
			var attached struct {
				Session string `json:"sessionId"`
			}
			err := p.call(ctx, "", "Target.attachToTarget", map[string]any{"targetId": t.ID, "flatten": true}, &attached)
			if err == nil { // crashes are told to those who ask
				err = p.call(ctx, attached.Session, "Inspector.enable", nil, nil)
			}
			return attached.Session, err
		}
		if !sleep(ctx, 100*time.Millisecond) {
			return "", ctx.Err()
		}
	}
}

// within calls f with a deadline, and says what was late.
func within[T any](ctx context.Context, limit time.Duration, what string, f func(context.Context) (T, error)) (T, error) {
	short, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	v, err := f(short)
	if err != nil && ctx.Err() == nil && short.Err() != nil {
		err = late{what, limit}
	}
	return v, err
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
