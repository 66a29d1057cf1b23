package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	kioskui "mimpi-kiosk/kiosk-ui"
	"mimpi-kiosk/kiosk-ui/lang"

	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/mpv"
	"mimpi-kiosk/internal/playback"
	"mimpi-kiosk/internal/playback/playertest"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
	"mimpi-kiosk/internal/web"
	"mimpi-kiosk/internal/web/signin"
)

// The page /stage, as built, in a real Chromium, must do what mpv must.
func TestStagePagePlaysTheFilm(t *testing.T) {
	h := playertest.Open(t, &journaltest.Memory{})
	page := openStage(t, h, "--autoplay-policy=no-user-gesture-required")
	h.Until(0, "it has the film", func(r playertest.Seen) bool { return r.State == playback.Ready })
	playertest.Suite(t, h, playertest.Knobs{
		Volume: func() float64 {
			return evaluate[float64](page, `(v => v.muted ? 0 : v.volume * 100)(document.querySelector('video'))`)
		},
		Subtitles: func() string {
			return evaluate[string](page, `[...document.querySelector('video').textTracks]
				.filter(t => t.mode === 'showing').flatMap(t => [...t.activeCues ?? []]).map(c => c.text).join()`)
		},
	})
}

// A browser that wants a touch before it lets sound through says so before the film is to play.
func TestForbiddenSoundIsNoticedBeforeTheFilm(t *testing.T) {
	h := playertest.Open(t, &journaltest.Memory{})
	page := openStage(t, h, "--autoplay-policy=document-user-activation-required")
	h.Until(0, "sound is forbidden", func(r playertest.Seen) bool { return r.State == playback.Blocked })
	h.UntilPart("stage_player", health.Problem)
	n := h.Count()
	for _, kind := range []string{"mousePressed", "mouseReleased"} {
		page.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": 100, "y": 100, "button": "left", "clickCount": 1})
	}
	h.Until(n, "it is ready", func(r playertest.Seen) bool { return r.State == playback.Ready })
	h.UntilPart("stage_player", health.OK)
	n = h.Count()
	h.Do(screening.PlayFilm{})
	h.Plays(n)
	if evaluate[bool](page, `document.querySelector('video').muted`) {
		t.Error("it plays without sound")
	}
	for _, r := range h.Since(n) {
		if r.State == playback.Blocked {
			t.Error("it was blocked again")
		}
	}
}

// Where mpv is lost in the middle of the film and cannot be had again, the page plays it to
// its end, and gives it back when mpv is there.
func TestStagePageTakesTheFilmOver(t *testing.T) {
	h := playertest.Open(t, &journaltest.Memory{})
	film, subtitles := playertest.Clip(t)
	child := mpv.Child{Args: append(mpv.Arguments(""), "--vo=null", "--ao=null")}
	var gone atomic.Bool
	var line atomic.Pointer[mpv.Client]
	launch := func(ctx context.Context) (playback.Line, error) {
		if gone.Load() {
			return nil, exec.ErrNotFound
		}
		l, err := child.Launch(ctx)
		if err != nil {
			return nil, err
		}
		line.Store(mpv.NewClient(l))
		return line.Load(), nil
	}
	follower := h.Follow(playback.NewMPV(launch, playback.MPVFilm{
		File: film, Subtitles: map[string]string{"id": subtitles}, HWDec: "no", AudioDevice: "auto", VolumeMax: 100,
	}, func(err error) { t.Logf("replaced: %v", err) }))
	base := serveStage(t, h, web.Show{
		FilmFile:     film,
		Subtitles:    func(lang string) (string, bool) { return subtitles, lang == "id" },
		FilmPlayer:   follower.Plays,
		ReportPlayer: func(ctx context.Context, r web.PlayerReport) { follower.Report(ctx, seenByPage(r)) },
	})
	page := openPage(t, base+"/stage", "--autoplay-policy=no-user-gesture-required")
	until := func(what, expression string) {
		t.Helper()
		for end := time.Now().Add(30 * time.Second); !evaluate[bool](page, expression); time.Sleep(50 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("it never came so: %s", what)
			}
		}
	}
	until("the page is there and leaves the film to mpv",
		`!!document.querySelector('[data-testid=film-scene]') && !document.querySelector('video')`)

	h.Do(screening.SeekFilm{To: 2000})
	n := h.Count()
	h.Do(screening.PlayFilm{})
	h.Until(n, "mpv plays", func(r playertest.Seen) bool { return r.State == playback.Playing && r.At > 3000 })
	gone.Store(true)
	if err := line.Load().Close(); err != nil {
		t.Fatal(err)
	}
	h.UntilPart("film_player", health.Problem)
	from := h.Room.Latest().Playback.At
	until("the page plays with sound", `(v => !!v && !v.paused && !v.muted && v.readyState > 2)(document.querySelector('video'))`)
	s := h.UntilState("the page has gone on", func(s *screening.State) bool { return s.Playback.At >= from+3000 })
	if p := s.Playback; p.At > from+6000 {
		t.Errorf("mpv was last seen at %d, the page goes on at %d", from, p.At)
	}
	h.UntilState("the page comes to the end", func(s *screening.State) bool { return s.Playback.Finished })

	gone.Store(false)
	h.UntilPart("film_player", health.OK)
	until("the page leaves the film to mpv again", `!document.querySelector('video')`)
}

// openStage opens the built page /stage of a hall, with the film of the suite.
func openStage(t *testing.T, h *playertest.Hall, flags ...string) *chromiumPage {
	t.Helper()
	film, subtitles := playertest.Clip(t)
	report := h.FollowPage()
	base := serveStage(t, h, web.Show{
		FilmFile:     film,
		Subtitles:    func(lang string) (string, bool) { return subtitles, lang == "id" },
		ReportPlayer: func(ctx context.Context, r web.PlayerReport) { report(ctx, seenByPage(r)) },
	})
	return openPage(t, base+"/stage", flags...)
}

// serveStage lets the web server show a hall, and gives its address.
func serveStage(t *testing.T, h *playertest.Hall, show web.Show) string {
	t.Helper()
	if _, err := fs.Stat(kioskui.Dist(), "stage.html"); err != nil {
		t.Fatalf("the screens are not built: %v (make ui)", err)
	}
	texts, err := web.LoadTexts(lang.Files(), "")
	if err != nil {
		t.Fatal(err)
	}
	keeper, err := signin.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	clock, err := newMachineClock("/")
	if err != nil {
		t.Fatal(err)
	}
	show.Programme = playertest.Programme()
	show.OpenIcon = func(string) (io.ReadCloser, error) { return nil, fs.ErrNotExist }
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, err := web.New(web.Parts{
		Room: h.Room, Clock: clock, Board: h.Board, Keeper: keeper, Pages: kioskui.Dist(), Texts: texts,
		Limits: limits(config.Default().Limits), Zone: time.UTC, Show: show, Log: slog.New(slog.DiscardHandler),
	}, listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	h.Background(func(ctx context.Context) error { return server.Run(ctx, listener) })
	return "http://" + listener.Addr().String()
}

// chromiumPage is a page in a Chromium of its own.
type chromiumPage struct {
	t    *testing.T
	mu   sync.Mutex
	line *websocket.Conn
	asks int
}

// openPage opens a page in a headless Chromium, which ends with the test.
func openPage(t *testing.T, url string, flags ...string) *chromiumPage {
	t.Helper()
	profile := t.TempDir()
	cmd := exec.Command("chromium", append([]string{
		"--headless=new", "--no-sandbox", "--no-first-run", "--disable-gpu", "--disable-dev-shm-usage",
		"--disable-background-networking", "--disable-component-update", "--window-size=640,360",
		"--user-data-dir=" + profile, "--remote-debugging-port=0", url,
	}, flags...)...)
	said := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = said, said // Wait then waits for all its processes
	cmd.WaitDelay = 20 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start Chromium: %v (apt install chromium, or run the tests by make)", err)
	}
	t.Cleanup(func() {
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); err != nil {
			t.Errorf("end Chromium: %v", err)
		}
		_ = cmd.Wait() // it was killed
		if t.Failed() {
			t.Logf("Chromium said: %s", said)
		}
	})
	p := &chromiumPage{t: t, line: dialPage(t, filepath.Join(profile, "DevToolsActivePort"), url)}
	t.Cleanup(func() { _ = p.line.Close() }) // Chromium is killed anyway
	loaded := map[string]any{"expression": fmt.Sprintf("location.href === %q && document.readyState", url), "returnByValue": true}
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		answer, err := p.ask("Runtime.evaluate", loaded) // an error, or an empty page, while it is being opened
		if strings.Contains(string(answer), `"complete"`) {
			return p
		}
		if time.Now().After(end) {
			t.Fatalf("%s is not loaded in a minute: %s (%v)", url, answer, err)
		}
	}
}

// dialPage waits until Chromium has the page, and gives the line to it.
func dialPage(t *testing.T, portFile, url string) *websocket.Conn {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		told, err := os.ReadFile(portFile)
		port, _, whole := strings.Cut(string(told), "\n")
		if err != nil || !whole {
			continue // it is still starting
		}
		r, err := http.Get("http://127.0.0.1:" + port + "/json/list")
		if err != nil {
			continue
		}
		var pages []struct{ URL, WebSocketDebuggerURL string }
		err = json.NewDecoder(r.Body).Decode(&pages)
		_ = r.Body.Close() // was only read
		if err != nil {
			t.Fatalf("the pages of Chromium: %v", err)
		}
		for _, p := range pages {
			if p.URL != url {
				continue
			}
			line, _, err := websocket.DefaultDialer.Dial(p.WebSocketDebuggerURL, nil)
			if err != nil {
				t.Fatalf("dial the page: %v", err)
			}
			return line
		}
	}
	t.Fatalf("Chromium does not open %s in a minute", url)
	return nil
}

// call asks Chromium something about the page, and gives the answer.
func (p *chromiumPage) call(method string, params map[string]any) json.RawMessage {
	p.t.Helper()
	answer, err := p.ask(method, params)
	if err != nil {
		p.t.Fatalf("%s %v: %v", method, params, err)
	}
	return answer
}

func (p *chromiumPage) ask(method string, params map[string]any) (json.RawMessage, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asks++
	if err := p.line.WriteJSON(map[string]any{"id": p.asks, "method": method, "params": params}); err != nil {
		return nil, err
	}
	if err := p.line.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	var answer struct {
		ID            int
		Result, Error json.RawMessage
	}
	if err := p.line.ReadJSON(&answer); err != nil {
		return nil, err
	}
	if answer.ID != p.asks || answer.Error != nil {
		return nil, fmt.Errorf("the answer to question %d is %d: %s %s", p.asks, answer.ID, answer.Result, answer.Error)
	}
	return answer.Result, nil
}

// evaluate gives the value of an expression in the page.
func evaluate[T any](p *chromiumPage, expression string) T {
	p.t.Helper()
	answer := p.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true})
	var found struct{ Result struct{ Value *T } }
	if err := json.Unmarshal(answer, &found); err != nil || found.Result.Value == nil {
		p.t.Fatalf("the page answers %s with %s (%v)", expression, answer, err)
	}
	return *found.Result.Value
}
