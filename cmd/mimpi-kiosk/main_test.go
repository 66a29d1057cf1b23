package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	kioskui "mimpi-kiosk/kiosk-ui"

	"mimpi-kiosk/internal/pack"
)

// beTheKiosk makes the test binary the real program.
const beTheKiosk = "MIMPI_KIOSK_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(beTheKiosk) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is "mimpi-kiosk ARGS", in the source folder.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Dir = "../.."
	cmd.Env = append(os.Environ(), beTheKiosk+"=1")
	return cmd
}

// refusesToStart runs the program, which must end by itself, and gives what it said.
func refusesToStart(t *testing.T, args ...string) string {
	t.Helper()
	out, err := program(t, args...).CombinedOutput()
	if err == nil {
		t.Fatalf("%v ended without an error: %s", args, out)
	}
	return string(out)
}

// kioskProcess is a running daemon.
type kioskProcess struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string
	said *bytes.Buffer
	http *http.Client
	ws   *websocket.Conn
}

func start(t *testing.T, data string, args ...string) *kioskProcess {
	t.Helper()
	return begin(t, program(t, append([]string{"run", "--demo", "--data", data, "--listen", "127.0.0.1:0"}, args...)...))
}

func begin(t *testing.T, cmd *exec.Cmd) *kioskProcess {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	said := &bytes.Buffer{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // unless the test has ended it
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the kiosk said nothing: %v: %s", err, said)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	base := strings.TrimSpace(line[strings.Index(line, "http://"):])
	return &kioskProcess{t: t, cmd: cmd, base: base, said: said, http: &http.Client{Jar: jar}}
}

// end ends the kiosk as systemd would, or as a power cut would.
func (k *kioskProcess) end(sig syscall.Signal) {
	k.t.Helper()
	if err := k.cmd.Process.Signal(sig); err != nil {
		k.t.Fatal(err)
	}
	err := k.cmd.Wait()
	if sig == syscall.SIGTERM && err != nil {
		k.t.Errorf("ended with %v: %s", err, k.said)
	}
}

func (k *kioskProcess) get(path string) (int, string) {
	k.t.Helper()
	r, err := k.http.Get(k.base + path)
	if err != nil {
		k.t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return r.StatusCode, string(body)
}

// facilitate signs in, setting the PIN at the first start, and connects.
func (k *kioskProcess) facilitate(path string) {
	k.t.Helper()
	r, err := k.http.Post(k.base+path, "application/json", strings.NewReader(`{"pin":"258014"}`))
	if err != nil {
		k.t.Fatal(err)
	}
	r.Body.Close()
	if r.StatusCode != http.StatusNoContent {
		k.t.Fatalf("POST %s: %s", path, r.Status)
	}
	u, err := url.Parse(k.base)
	if err != nil {
		k.t.Fatal(err)
	}
	header := http.Header{"Origin": {k.base}}
	for _, c := range k.http.Jar.Cookies(u) {
		header.Add("Cookie", c.String())
	}
	k.ws, _, err = websocket.DefaultDialer.Dial("ws://"+u.Host+"/ws?role=facilitator", header)
	if err != nil {
		k.t.Fatal(err)
	}
	k.t.Cleanup(func() { _ = k.ws.Close() }) // the kiosk may have gone before
}

type facilitatorMessage struct {
	Type, ID, Reason string
	View             struct {
		Step       string
		Attendance struct{ Total int }
		Film       struct{ Player string }
		Playback   struct {
			Playing, Interrupted bool
			At, SoundLag         int
		}
		Health []struct {
			Part, Level   string
			Message, Hint map[string]string
		}
	}
}

func (k *kioskProcess) read() facilitatorMessage {
	k.t.Helper()
	if err := k.ws.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		k.t.Fatal(err)
	}
	var m facilitatorMessage
	if err := k.ws.ReadJSON(&m); err != nil {
		k.t.Fatal(err)
	}
	return m
}

func (k *kioskProcess) do(id, command string) {
	k.t.Helper()
	if err := k.ws.WriteMessage(websocket.TextMessage, []byte(`{"id":"`+id+`",`+command+`}`)); err != nil {
		k.t.Fatal(err)
	}
	for {
		m := k.read()
		if m.ID == id && m.Type == "done" {
			return
		}
		if m.ID == id {
			k.t.Fatalf("%s was refused: %s", command, m.Reason)
		}
	}
}

// view waits for a view with this many people.
func (k *kioskProcess) view(people int) facilitatorMessage {
	k.t.Helper()
	for {
		if m := k.read(); m.Type == "view" && m.View.Attendance.Total == people {
			return m
		}
	}
}

const plan = `"do":"planScreening","details":{"regency":"kupang","venue":"Balai Desa","audience":"public","label":"","heldAt":"2026-11-24T19:00:00+08:00"}`

func TestAnEveningSurvivesAKillAndIsExported(t *testing.T) {
	data := t.TempDir()
	k := start(t, data)
	k.facilitate("/api/pin")
	k.do("a", plan)
	k.do("b", `"do":"moveTo","step":"doors"`)
	for i := range 20 {
		k.do(fmt.Sprint("p", i), `"do":"countAttendee","category":"woman"`)
	}
	k.end(syscall.SIGKILL)

	k = start(t, data)
	k.facilitate("/api/sign-in")
	if m := k.view(20); m.View.Step != "doors" {
		t.Errorf("after the restart in step %s", m.View.Step)
	}
	k.do("p19", `"do":"countAttendee","category":"woman"`)                                   // a resend of what was acknowledged
	k.refused("key", `"do":"pressKey","key":"1","screening":"s-another"`, "wrong_screening") // kept by a page since another evening
	k.do("p20", `"do":"countAttendee","category":"girl"`)
	k.view(21)

	to := t.TempDir()
	if out, err := program(t, "export", "--data", data, "--to", to).CombinedOutput(); err != nil {
		t.Fatalf("export while the kiosk runs: %v: %s", err, out)
	}
	folders, err := filepath.Glob(filepath.Join(to, "mimpi-kiosk", "kiosk-*", "2026-11-24_*"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("exported %v (%v)", folders, err)
	}
	sums := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	sums.Dir = folders[0]
	if out, err := sums.CombinedOutput(); err != nil {
		t.Errorf("sha256sum: %v: %s", err, out)
	}
	csv, err := os.ReadFile(filepath.Join(folders[0], "attendance.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(csv), "Balai Desa") {
		t.Errorf("attendance.csv: %s", csv)
	}
	k.end(syscall.SIGTERM)
}

func TestHealthzAndMetrics(t *testing.T) {
	k := start(t, t.TempDir())
	if code, body := k.get("/healthz"); code != http.StatusOK {
		t.Errorf("healthz %d: %s", code, body)
	}
	if _, body := k.get("/metrics"); !strings.Contains(body, `mimpi_screens{role="stage"} 0`) {
		t.Errorf("metrics: %s", body)
	}
	k.end(syscall.SIGTERM)
}

func TestADamagedJournalIsSetAsideWhole(t *testing.T) {
	data := t.TempDir()
	k := start(t, data)
	k.facilitate("/api/pin")
	k.do("a", plan)
	k.end(syscall.SIGTERM)
	journal := filepath.Join(data, "journal.db")
	whole, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	for i := 4096; i < len(damaged); i++ {
		damaged[i] ^= 0x5a
	}
	if err := os.WriteFile(journal, damaged, 0o644); err != nil {
		t.Fatal(err)
	}

	k = start(t, data)
	k.facilitate("/api/sign-in")
	said := ""
	for _, part := range k.view(0).View.Health {
		if part.Part == "old_journal" {
			said = part.Message["id"] + " / " + part.Message["en"]
		}
	}
	k.end(syscall.SIGTERM)
	kept, err := filepath.Glob(filepath.Join(data, "journal-damaged-*.db"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("kept %v (%v)", kept, err)
	}
	if got, err := os.ReadFile(kept[0]); err != nil || !bytes.Equal(got, damaged) {
		t.Errorf("the damaged journal was changed (%v)", err)
	}
	if !strings.Contains(said, filepath.Base(kept[0])) {
		t.Errorf("the facilitator is told %q, which does not name %s", said, kept[0])
	}
}

func TestWhatStopsAStartSaysWhatToDo(t *testing.T) {
	write := func(name, text string) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	busy := start(t, t.TempDir())
	taken := strings.TrimPrefix(busy.base, "http://localhost")
	newer := t.TempDir()
	k := start(t, newer)
	k.end(syscall.SIGTERM)
	sql := exec.Command("sqlite3", filepath.Join(newer, "journal.db"), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)")
	if out, err := sql.CombinedOutput(); err != nil {
		t.Fatalf("sqlite3: %v: %s", err, out)
	}
	inUse := t.TempDir()
	start(t, inUse)

	for _, c := range []struct {
		name string
		args []string
		says []string
	}{
		{"no such configuration", []string{"run", "--data", t.TempDir(), "--config", "/nonexistent/kiosk.toml"}, []string{"/nonexistent/kiosk.toml", "--config"}},
		{"no such pack", []string{"run", "--data", t.TempDir(), "--pack", "/nonexistent/pack"}, []string{"/nonexistent/pack"}},
		{"port taken", []string{"run", "--demo", "--data", t.TempDir(), "--listen", "127.0.0.1" + taken}, []string{taken, "--listen"}},
		{"journal of a newer version", []string{"run", "--demo", "--data", newer, "--listen", "127.0.0.1:0"}, []string{"newer"}},
		{"journal in use", []string{"run", "--demo", "--data", inUse, "--listen", "127.0.0.1:0"}, []string{"journal.db"}},
		{"data folder that is a file", []string{"run", "--demo", "--data", write("file", ""), "--listen", "127.0.0.1:0"}, []string{"--data"}},
		{"export without a journal", []string{"export", "--data", t.TempDir(), "--to", t.TempDir()}, []string{"journal.db"}},
		{"export to nowhere", []string{"export", "--data", t.TempDir()}, []string{"to"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			said := refusesToStart(t, c.args...)
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("said %q, which lacks %q", said, want)
				}
			}
			if strings.Contains(said, "goroutine ") {
				t.Errorf("it panicked: %s", said)
			}
		})
	}
}

// What packs may name must be what the screens have.
func TestEveryBuiltInIconIsThere(t *testing.T) {
	for _, name := range pack.BuiltInIcons() {
		if _, err := fs.Stat(kioskui.Dist(), "icons/"+name+".svg"); err != nil {
			t.Errorf("icon %s: %v (make ui builds the screens)", name, err)
		}
	}
}

func TestKioskKeepsItsName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kiosk-id")
	first, err := kioskID(file)
	if err != nil || !strings.HasPrefix(first, "kiosk-") {
		t.Fatalf("%q, %v", first, err)
	}
	if again, err := kioskID(file); err != nil || again != first {
		t.Errorf("then %q, %v", again, err)
	}
}

func TestClockReads(t *testing.T) {
	c, err := newMachineClock("/")
	if err != nil {
		t.Fatal(err)
	}
	a := c.Read()
	time.Sleep(20 * time.Millisecond)
	b := c.Read()
	if a.Boot == "" || a.Boot != b.Boot {
		t.Errorf("boots %q, %q", a.Boot, b.Boot)
	}
	if d := b.Mono - a.Mono; d < 15 || d > 10_000 {
		t.Errorf("20 ms took %d ms", d)
	}
	if d := b.Wall.Sub(a.Wall); d < 0 || d > 10*time.Second {
		t.Errorf("the wall clock moved by %v", d)
	}
}
