package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
	"mimpi-kiosk/internal/usb"
)

// stickSystem plays what mounts sticks: a stick is a folder, and notes and requests are
// files, as systemd/mimpi-kiosk-usb has them.
type stickSystem struct {
	t   *testing.T
	dir string
}

func newStickSystem(t *testing.T) *stickSystem {
	s := &stickSystem{t, t.TempDir()}
	for _, dir := range []string{"sticks", "requests", "mnt/sda1"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *stickSystem) note(state string) {
	s.t.Helper()
	tmp := filepath.Join(s.dir, "sticks", ".sda1")
	text := fmt.Sprintf("state=%s\nwhy=\nro=0\ndisk=sda\ntype=vfat\nuuid=1A2B-3C4D\nlabel=KIOS\nsize=8000000000\n", state)
	if err := errors.Join(os.WriteFile(tmp, []byte(text), 0o644), os.Rename(tmp, filepath.Join(s.dir, "sticks", "sda1"))); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stickSystem) pull() {
	s.t.Helper()
	if err := os.Remove(filepath.Join(s.dir, "sticks", "sda1")); err != nil {
		s.t.Fatal(err)
	}
}

// asked waits until the daemon asks for something, and grants it.
func (s *stickSystem) asked(what string) {
	s.t.Helper()
	request := filepath.Join(s.dir, "requests", "sda1."+what)
	s.until("the daemon asks to "+what, func() bool {
		err := os.Remove(request)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.t.Fatal(err)
		}
		return err == nil
	})
	s.note(map[string]string{"mount": "mounted", "release": "released"}[what])
}

func (s *stickSystem) until(what string, is func() bool) {
	s.t.Helper()
	for late := time.Now().Add(30 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			s.t.Fatalf("never: %s", what)
		}
	}
}

// stickView is what the facilitator is shown.
type stickView struct {
	Sticks []struct {
		Disk, Phase         string
		Written, Screenings int
		Offers              []struct {
			Name string
			Same bool
			No   map[string]string
		}
	}
	Pack struct {
		Title       map[string]string
		Waits, Back bool
	}
}

func (k *kioskProcess) shows(what string, is func(stickView) bool) stickView {
	k.t.Helper()
	if err := k.ws.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		k.t.Fatal(err)
	}
	for {
		_, data, err := k.ws.ReadMessage()
		if err != nil {
			k.t.Fatalf("never shown: %s (%v)", what, err)
		}
		var m struct {
			Type string
			View stickView
		}
		if err := json.Unmarshal(data, &m); err != nil {
			k.t.Fatal(err)
		}
		if m.Type == "view" && is(m.View) {
			return m.View
		}
	}
}

func phase(name string) func(stickView) bool {
	return func(v stickView) bool { return len(v.Sticks) == 1 && v.Sticks[0].Phase == name }
}

func TestWhatHoldsUpSticks(t *testing.T) {
	film, still := screening.NewState(), screening.NewState()
	film.Playback.Playing = true
	weak := []health.Part{health.Found("heat", health.Problem, "", ""), health.Found(box.PowerPart, health.Problem, "", "")}
	once := []health.Part{health.Found("heat", health.Problem, "", ""), health.Found(box.PowerPart, health.Note, "", "")}
	for _, c := range []struct {
		state *screening.State
		parts []health.Part
		want  usb.Hold
	}{
		{still, nil, usb.Free}, {still, once, usb.Free}, {film, once, usb.FilmRuns}, {still, weak, usb.WeakPower}, {film, weak, usb.WeakPower},
	} {
		if got := holdOf(c.state, c.parts); got != c.want {
			t.Errorf("film %t, power %s: held by %d, want %d", c.state.Playback.Playing, c.parts, got, c.want)
		}
	}
}

func TestWhatTheLampTellsOfSticks(t *testing.T) {
	stick := func(p usb.Phase) usb.Stick { return usb.Stick{Phase: p} }
	for _, c := range []struct {
		all  []usb.Stick
		want clicker.Light
	}{
		{nil, clicker.Dark},
		{[]usb.Stick{stick(usb.Plugged)}, clicker.Blinking},
		{[]usb.Stick{stick(usb.Finishing)}, clicker.Blinking},
		{[]usb.Stick{stick(usb.Safe)}, clicker.Shining},
		{[]usb.Stick{stick(usb.InTrouble), stick(usb.Safe)}, clicker.Flashing},
		{[]usb.Stick{stick(usb.Safe), stick(usb.InTrouble), stick(usb.Copying)}, clicker.Blinking},
	} {
		if got := stickLight(c.all); got != c.want {
			t.Errorf("%v: light %d, want %d", c.all, got, c.want)
		}
	}
}

func exportsIn(t *testing.T, data string) (out []screening.ExportWritten) {
	t.Helper()
	j, err := sqlite.OpenToRead(context.Background(), filepath.Join(data, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	err = j.Replay(context.Background(), func(r screening.Recorded) error {
		if e, ok := r.Event.(screening.ExportWritten); ok {
			if r.Screening != "" {
				t.Errorf("%+v belongs to a screening", r)
			}
			out = append(out, e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAStickTakesTheLogsHomeAndBringsAPack(t *testing.T) {
	system, data := newStickSystem(t), t.TempDir()
	config := filepath.Join(t.TempDir(), "kiosk.toml")
	if err := os.WriteFile(config, fmt.Appendf(nil, "[usb]\nfolder = %q\n", system.dir), 0o644); err != nil {
		t.Fatal(err)
	}
	k := start(t, data, "--config", config)
	k.facilitate("/api/pin")
	k.do("1", plan)

	stick := filepath.Join(system.dir, "mnt", "sda1")
	packs := filepath.Join(stick, "mimpi-kiosk", "packs", "soal-baru")
	if err := os.CopyFS(packs, os.DirFS("../../media/mimpi-beta")); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(packs, "pack.toml"))
	if err != nil {
		t.Fatal(err)
	}
	text = []byte(strings.Replace(string(text), "Mimpi Beta: bekerja jauh dengan aman", "Soal baru", 1))
	if err := os.WriteFile(filepath.Join(packs, "pack.toml"), text, 0o644); err != nil {
		t.Fatal(err)
	}

	system.note("mounted")
	system.asked("release")
	v := k.shows("safe", phase("safe"))
	if s := v.Sticks[0]; s.Screenings != 1 || s.Written != 1 || len(s.Offers) != 1 || s.Offers[0].No != nil || s.Offers[0].Same {
		t.Errorf("the facilitator sees %+v", s)
	}
	sums, err := filepath.Glob(filepath.Join(stick, "mimpi-kiosk", "kiosk-*", "*_Balai-Desa_*", "SHA256SUMS"))
	if err != nil || len(sums) != 1 {
		t.Fatalf("on the stick: %v (%v)", sums, err)
	}
	content, err := os.ReadFile(sums[0])
	if err != nil {
		t.Fatal(err)
	}
	folder, err := filepath.Rel(stick, filepath.Dir(sums[0]))
	if err != nil {
		t.Fatal(err)
	}
	manifest := fmt.Sprintf("%x", sha256.Sum256(fmt.Appendf(nil, "%x  %s\n", sha256.Sum256(content), folder)))
	system.until("the export is in the journal", func() bool { return len(exportsIn(t, data)) == 1 })
	if e := exportsIn(t, data)[0]; e.Checksum != manifest || e.Screenings != 1 || e.Written != 1 || len(e.Stick) != 12 {
		t.Errorf("recorded %+v, want the checksum %s", e, manifest)
	}

	// The box's own log, on request.
	k.do("2", `"do":"logToStick","disk":"sda"`)
	system.asked("mount")
	system.asked("release")
	k.shows("safe again", phase("safe"))
	if logs, err := filepath.Glob(filepath.Join(stick, "mimpi-kiosk", "catatan-kotak", "kiosk-*.txt")); err != nil || len(logs) != 1 {
		t.Errorf("logs on the stick: %v (%v)", logs, err)
	}

	// The pack: taken while a screening goes on, used after it.
	k.do("3", `"do":"takePack","disk":"sda","pack":"soal-baru"`)
	system.asked("mount")
	system.asked("release")
	v = k.shows("the pack waits", func(v stickView) bool { return v.Pack.Waits && phase("safe")(v) })
	if v.Pack.Title["id"] == "Soal baru" {
		t.Error("the pack is used in the middle of a screening")
	}
	system.pull()
	k.shows("the stick is gone", func(v stickView) bool { return len(v.Sticks) == 0 })
	k.end(syscall.SIGKILL) // the power fails; then the screening ends
	k = start(t, data, "--config", config)
	k.facilitate("/api/sign-in")
	if v := k.shows("the pack still waits", func(v stickView) bool { return v.Pack.Waits }); v.Pack.Title["id"] == "Soal baru" {
		t.Error("the pack is used in the middle of a screening, after a restart")
	}
	k.end(syscall.SIGTERM)
	if n := len(exportsIn(t, data)); n != 1 {
		t.Errorf("%d exports in the journal", n)
	}

	// With a fixed port the daemon begins anew by itself when the screening ends.
	port := freePort(t)
	k = start(t, data, "--config", config, "--listen", port)
	k.facilitate("/api/sign-in")
	k.shows("the pack waits a third time", func(v stickView) bool { return v.Pack.Waits })
	k.lastWord(`"id":"4","do":"moveTo","step":"ended"`)
	system.until("the kiosk is there with the new pack", func() bool {
		v, ok := k.look()
		return ok && v.Pack.Title["id"] == "Soal baru" && v.Pack.Back && !v.Pack.Waits
	})
	k.facilitate("/api/sign-in")
	k.lastWord(`"id":"5","do":"backToPack"`)
	system.until("the kiosk is back at its own pack", func() bool {
		v, ok := k.look()
		return ok && v.Pack.Title["id"] != "Soal baru" && v.Pack.Back && !v.Pack.Waits
	})
	k.end(syscall.SIGTERM)
}

// lastWord sends a command with which the kiosk begins anew: the line may end before its answer.
func (k *kioskProcess) lastWord(command string) {
	k.t.Helper()
	if err := k.ws.WriteMessage(websocket.TextMessage, []byte(`{`+command+`}`)); err != nil {
		k.t.Fatal(err)
	}
	for {
		if _, _, err := k.ws.ReadMessage(); err != nil {
			return
		}
	}
}

// look connects and gives the first view; false when the kiosk is not there.
func (k *kioskProcess) look() (stickView, bool) {
	k.t.Helper()
	u, err := url.Parse(k.base)
	if err != nil {
		k.t.Fatal(err)
	}
	header := http.Header{"Origin": {k.base}}
	for _, c := range k.http.Jar.Cookies(u) {
		header.Add("Cookie", c.String())
	}
	ws, _, err := websocket.DefaultDialer.Dial("ws://"+u.Host+"/ws?role=facilitator", header)
	if err != nil {
		return stickView{}, false
	}
	defer ws.Close()
	var m struct{ View stickView }
	err = ws.ReadJSON(&m)
	return m.View, err == nil
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
