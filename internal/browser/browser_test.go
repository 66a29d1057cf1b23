package browser

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A real Chromium, without a screen. Root needs --no-sandbox; the kiosk does not run as root.
var headless = []string{"--headless=new", "--ozone-platform=headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"}

// hall is a kiosk's server and what its page was seen to do.
type hall struct {
	server *httptest.Server
	opened atomic.Int64 // times the page was loaded by a browser
	page   atomic.Value // string: what the next one gets
}

const shows = `<div id=app><p>here</p></div>`

func newHall(t *testing.T) *hall {
	h := &hall{}
	h.page.Store(shows)
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.UserAgent(), "Chrome") && strings.HasPrefix(r.URL.Path, "/touch") {
			h.opened.Add(1)
		}
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, h.page.Load())
	}))
	t.Cleanup(h.server.Close)
	return h
}

// kept is a Keep under way.
type kept struct {
	profile string
	alive   atomic.Int64
	url     atomic.Value
}

func keep(t *testing.T, url string) *kept { return keepWithin(t, url, chromium(t), usual) }

func chromium(t *testing.T) string {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("there is no chromium: install it (make runs the tests in a Debian that has it)")
	}
	return program
}

func keepWithin(t *testing.T, url, program string, usual limits) *kept {
	t.Helper()
	k := &kept{profile: filepath.Join(t.TempDir(), "profile")}
	k.url.Store(url)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() {
		done <- (&keeper{usual: usual, now: usual, Window: Window{
			Program: program, Class: "mimpi-test", Profile: k.profile, Flags: headless,
			URL: func() string { return k.url.Load().(string) }, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
			Alive: func() { k.alive.Add(1) },
		}}).keep(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Keep ended with %v", err)
		}
		if left := k.processes(); len(left) > 0 {
			t.Errorf("processes %v are left behind", left)
		}
	})
	return k
}

// processes gives those of this browser, the browser itself first.
func (k *kept) processes() []int {
	var out []int
	found, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range found {
		line, _ := os.ReadFile(f) // it may just have ended
		if strings.Contains(string(line), k.profile) && !strings.Contains(string(line), "--type=") {
			pid, _ := strconv.Atoi(strings.Split(f, "/")[2])
			out = append(out, pid)
		}
	}
	return out
}

// renderers gives the processes of pages.
func (k *kept) renderers() []int {
	var out []int
	found, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, f := range found {
		line, _ := os.ReadFile(f)
		// Only the browser names its profile: a page's process is known by its group.
		pid, _ := strconv.Atoi(strings.Split(f, "/")[2])
		group, err := syscall.Getpgid(pid)
		if err == nil && strings.Contains(string(line), "--type=renderer") && len(k.processes()) > 0 && group == k.processes()[0] {
			out = append(out, pid)
		}
	}
	return out
}

func await(t *testing.T, limit time.Duration, what string, met func() bool) {
	t.Helper()
	until := time.Now().Add(limit)
	for !met() {
		if time.Now().After(until) {
			t.Fatalf("%s: not within %s", what, limit)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// again does something to the page and waits until one that was loaded anew answers.
func (k *kept) again(t *testing.T, h *hall, limit time.Duration, what string, do func()) {
	t.Helper()
	opened := h.opened.Load()
	start := time.Now()
	do()
	await(t, limit, what+": loaded anew", func() bool { return h.opened.Load() > opened })
	answered := k.alive.Load()
	await(t, limit, what+": answers", func() bool { return k.alive.Load() > answered })
	t.Logf("%s: back after %s", what, time.Since(start).Round(10*time.Millisecond))
}

func TestAWindowComesBackFromEverything(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	k := keep(t, h.server.URL+"/touch")
	await(t, time.Minute, "first", func() bool { return k.alive.Load() > 1 })

	for _, c := range []struct {
		what   string
		do     func()
		within time.Duration
	}{
		{"browser killed", func() { signal(t, k.processes(), syscall.SIGKILL) }, 20 * time.Second},
		{"browser stopped", func() { signal(t, k.processes(), syscall.SIGSTOP) }, 30 * time.Second},
		{"page killed", func() { signal(t, k.renderers(), syscall.SIGKILL) }, 20 * time.Second},
		{"page stopped", func() { signal(t, k.renderers(), syscall.SIGSTOP) }, 30 * time.Second},
	} {
		k.again(t, h, c.within, c.what, c.do)
	}
}

func TestAPageThatRunsInCirclesIsLoadedAnew(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	h.page.Store(shows + `<script>setTimeout(() => { for (;;); }, 300)</script>`)
	k := keep(t, h.server.URL+"/touch")
	await(t, time.Minute, "first", func() bool { return h.opened.Load() > 0 })
	k.again(t, h, 30*time.Second, "page in circles", func() { h.page.Store(shows) })
}

// A box on which each start of the browser takes longer than it may shows its page all the same.
func TestASlowBoxIsGivenTime(t *testing.T) {
	t.Parallel()
	slow := filepath.Join(t.TempDir(), "slow")
	if err := os.WriteFile(slow, []byte("#!/bin/sh\nsleep 4\nexec "+chromium(t)+" \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	h := newHall(t)
	k := keepWithin(t, h.server.URL+"/touch", slow, limits{start: 2 * time.Second, answer: 2 * time.Second, empty: 5 * time.Second})
	await(t, time.Minute, "page", func() bool { return k.alive.Load() > 0 })
}

// The kiosk comes up after its browser: no error page stays.
func TestTheKioskMayComeUpLate(t *testing.T) {
	t.Parallel()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	k := keep(t, "http://"+address+"/touch")
	await(t, time.Minute, "browser", func() bool { return len(k.renderers()) > 0 })
	if k.alive.Load() != 0 {
		t.Fatal("a page that is not there answered")
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, shows)
	})}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close(); <-served })
	await(t, time.Minute, "page", func() bool { return k.alive.Load() > 0 })
}

func TestAnotherPageIsShownWhenAskedFor(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	k := keep(t, h.server.URL+"/touch")
	await(t, time.Minute, "first", func() bool { return k.alive.Load() > 0 })
	browser := k.processes()
	k.again(t, h, 15*time.Second, "other page", func() { k.url.Store(h.server.URL + "/touch/single") })
	if now := k.processes(); len(now) != 1 || now[0] != browser[0] {
		t.Errorf("the browser is %v, was %v: it need not be started anew for another page", now, browser)
	}
}

// A page that loaded and shows nothing (a script that could not be had) is loaded anew.
func TestAnEmptyPageIsLoadedAnew(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	h.page.Store(`<div id=app></div>`)
	k := keep(t, h.server.URL+"/touch")
	await(t, time.Minute, "first", func() bool { return h.opened.Load() > 0 })
	k.again(t, h, usual.empty+15*time.Second, "empty page", func() { h.page.Store(shows) })
}

func signal(t *testing.T, pids []int, s syscall.Signal) {
	t.Helper()
	if len(pids) == 0 {
		t.Fatal("there is no process to signal")
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
}
