package mpv

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

var update = flag.Bool("update", false, "record the transcripts anew from the mpv of this machine")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second // the machine may be busy

// quiet is an mpv that shows nothing and says nothing.
func quiet(t testing.TB) Child {
	t.Helper()
	if _, err := exec.LookPath("mpv"); err != nil {
		t.Fatal("mpv is missing: apt install mpv (or run the tests by make)")
	}
	return Child{Args: append(Arguments(""), "--vo=null", "--ao=null")}
}

// clip is a film of some seconds, with sound and a picture of 160x90.
func clip(t testing.TB, seconds int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "clip.mp4")
	out, err := exec.Command("ffmpeg", "-v", "error",
		"-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=160x90:rate=25:duration=%d", seconds),
		"-f", "lavfi", "-i", fmt.Sprintf("sine=duration=%d", seconds),
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", path).CombinedOutput()
	if err != nil {
		t.Fatalf("make a clip: %v: %s (apt install ffmpeg)", err, out)
	}
	return path
}

// heard is an event as a Listener was told of it.
type heard struct{ event, property, data string }

// running is a Client whose Run goes on in the background.
type running struct {
	*Client
	events chan heard
	ended  chan error
}

func run(t testing.TB, line io.ReadWriteCloser) *running {
	t.Helper()
	r := &running{Client: NewClient(line), events: make(chan heard, 4096), ended: make(chan error, 1)}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() {
		r.ended <- r.Run(ctx, func(event, property string, data json.RawMessage) {
			r.events <- heard{event, property, string(data)}
		})
	})
	t.Cleanup(func() { cancel(); group.Wait() })
	return r
}

func (r *running) must(t testing.TB, command ...any) json.RawMessage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	data, err := r.Call(ctx, command...)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func (r *running) until(t testing.TB, what string, so func(heard) bool) {
	t.Helper()
	for end := time.After(patience); ; {
		select {
		case h := <-r.events:
			if so(h) {
				return
			}
		case <-end:
			t.Fatalf("mpv never said: %s", what)
		}
	}
}

func start(t testing.TB, from Launcher) *running {
	t.Helper()
	line, err := from.Launch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return run(t, line)
}

func within(t testing.TB, d time.Duration, what string, from <-chan error) error {
	t.Helper()
	select {
	case err := <-from:
		return err
	case <-time.After(d):
		t.Fatalf("%s: not within %s", what, d)
		return nil
	}
}

// Both launchers give the same mpv, and all that is said of a line holds for both.
func TestLaunchers(t *testing.T) {
	launchers := map[string]func(t *testing.T, c Child) Launcher{
		"child": func(_ *testing.T, c Child) Launcher { return c },
		"host":  func(t *testing.T, c Child) Launcher { return serve(t, c) },
	}
	for name, of := range launchers {
		t.Run(name, func(t *testing.T) {
			t.Run("plays", func(t *testing.T) {
				film := clip(t, 2)
				m := start(t, of(t, quiet(t)))
				m.must(t, "observe_property", 1, "eof-reached")
				m.must(t, "loadfile", film)
				m.until(t, "file-loaded", func(h heard) bool { return h.event == "file-loaded" })
				m.until(t, "eof-reached", func(h heard) bool { return h.property == "eof-reached" && h.data == "true" })
			})
			t.Run("its death ends a call in flight", func(t *testing.T) {
				m := start(t, of(t, quiet(t)))
				pid := pidOf(t, m)
				stop(t, pid)
				answer := make(chan error, 1)
				go func() { _, err := m.Call(t.Context(), "get_property", "mpv-version"); answer <- err }()
				kill(t, pid)
				if err := within(t, 2*time.Second, "the call returns", answer); !errors.Is(err, ErrGone) {
					t.Errorf("the call says %v", err)
				}
				if err := within(t, 2*time.Second, "Run returns", m.ended); !errors.Is(err, ErrGone) {
					t.Errorf("Run says %v", err)
				}
				if _, err := m.Call(t.Context(), "get_property", "mpv-version"); !errors.Is(err, ErrGone) {
					t.Errorf("a call after that says %v", err)
				}
			})
			t.Run("a hung one meets the deadline, and is ended by Close", func(t *testing.T) {
				m := start(t, of(t, quiet(t)))
				pid := pidOf(t, m)
				stop(t, pid)
				ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
				defer cancel()
				if _, err := m.Call(ctx, "get_property", "mpv-version"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrGone) {
					t.Errorf("the call says %v", err)
				}
				if err := m.Close(); err != nil {
					t.Error(err)
				}
				<-m.ended
				untilDead(t, pid)
			})
			t.Run("a flood of a hung one meets the deadline too", func(t *testing.T) {
				m := start(t, of(t, quiet(t)))
				stop(t, pidOf(t, m))
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				var group sync.WaitGroup
				for range 16 { // more than the sockets between us hold
					group.Go(func() {
						if _, err := m.Call(ctx, "set_property", "title", strings.Repeat("x", 1<<20)); err == nil {
							t.Error("a call was answered")
						}
					})
				}
				group.Wait()
			})
		})
	}
}

func serve(t *testing.T, c Child) Host { return serveSpare(t, &spare{Child: c, after: spareAfter}) }

func serveSpare(t *testing.T, s *spare) Host { return serveRenewed(t, s, nil) }

func serveRenewed(t *testing.T, s *spare, renew <-chan struct{}) Host {
	socket := filepath.Join(t.TempDir(), "player.sock")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serveFrom(ctx, l, s, renew, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return Host{socket}
}

func pidOf(t testing.TB, m *running) int {
	t.Helper()
	var pid int
	if err := json.Unmarshal(m.must(t, "get_property", "pid"), &pid); err != nil || pid <= 0 {
		t.Fatalf("the pid of mpv is %d, %v", pid, err)
	}
	return pid
}

// stop makes it hang, and waits until each of its threads does.
func stop(t testing.TB, pid int) {
	t.Helper()
	signal(t, pid, syscall.SIGSTOP)
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(stats, func(path string) bool {
			stat, err := os.ReadFile(path)
			return err == nil && !strings.Contains(string(stat), ") T ")
		}) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d does not stop", pid)
		}
	}
}

func kill(t testing.TB, pid int) { signal(t, pid, syscall.SIGKILL) }

func signal(t testing.TB, pid int, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, s); err != nil {
		t.Fatal(err)
	}
}

// untilDead waits until the process is gone or a zombie.
func untilDead(t testing.TB, pid int) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("process %d lives on", pid)
		}
	}
}

func TestHostHasOneMpv(t *testing.T) {
	host := serve(t, quiet(t))
	first := start(t, host)
	pid := pidOf(t, first)
	second := start(t, host) // a daemon that was started anew, while the old one hangs
	pidOf(t, second)
	if err := within(t, patience, "the first ends", first.ended); !errors.Is(err, ErrGone) {
		t.Errorf("the first says %v", err)
	}
	untilDead(t, pid)
	second.must(t, "get_property", "mpv-version")
}

func TestHostRenewsItsMpv(t *testing.T) {
	renew := make(chan struct{})
	host := serveRenewed(t, &spare{Child: quiet(t), after: spareAfter}, renew)
	renew <- struct{}{} // there is none yet
	first := start(t, host)
	pid := pidOf(t, first)
	renew <- struct{}{}
	if err := within(t, patience, "it ends", first.ended); !errors.Is(err, ErrGone) {
		t.Errorf("it says %v", err)
	}
	if again := pidOf(t, start(t, host)); again == pid {
		t.Error("it is the same")
	}
}

// The next mpv is there before it is asked for; where it has died meanwhile a new one is.
func TestHostKeepsASpare(t *testing.T) {
	pids := filepath.Join(t.TempDir(), "pids")
	script := filepath.Join(t.TempDir(), "mpv")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho $$ >>"+pids+"\nexec mpv \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := quiet(t)
	c.Program = script
	started := func(n int) (pid int) { // the nth
		t.Helper()
		for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			data, err := os.ReadFile(pids)
			if all := strings.Fields(string(data)); err == nil && len(all) >= n {
				if pid, err = strconv.Atoi(all[n-1]); err != nil {
					t.Fatal(err)
				}
				return pid
			}
			if time.Now().After(end) {
				t.Fatalf("not %d were started: %q, %v", n, data, err)
			}
		}
	}
	t.Run("while it serves", func(t *testing.T) {
		host := serveSpare(t, &spare{Child: c, after: 10 * time.Millisecond})
		first := start(t, host)
		kept := started(2)
		kill(t, pidOf(t, first))
		second := start(t, host)
		if pid := pidOf(t, second); pid != kept {
			t.Errorf("the second is %d, not the spare %d", pid, kept)
		}
		kept = started(3)
		kill(t, kept)
		untilDead(t, kept)
		if err := second.Close(); err != nil {
			t.Error(err)
		}
		third := start(t, host)
		if pid := pidOf(t, third); pid != started(4) {
			t.Errorf("the third is %d, not a new one", pid)
		}
	})
	data, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	for pid := range strings.FieldsSeq(string(data)) {
		if n, err := strconv.Atoi(pid); err != nil || syscall.Kill(n, 0) != syscall.ESRCH {
			t.Errorf("%s is left behind", pid)
		}
	}
}

func TestHostWithoutMpv(t *testing.T) {
	host := serve(t, Child{Program: "/nonexistent/mpv"})
	for range 2 { // and it goes on serving
		if _, err := host.Launch(t.Context()); err == nil || !strings.Contains(err.Error(), "gives no mpv") {
			t.Errorf("Launch says %v", err)
		}
	}
	if _, err := (Host{"/nonexistent.sock"}).Launch(t.Context()); err == nil {
		t.Error("no host, and no error")
	}
	if _, err := (Child{Program: "/nonexistent/mpv"}).Launch(t.Context()); err == nil || !strings.Contains(err.Error(), "apt install mpv") {
		t.Errorf("no mpv: %v", err)
	}
}

// peer is the other end of a line, in the hands of the test.
func peer(t testing.TB) (*running, *bufio.Reader, net.Conn) {
	ours, theirs := net.Pipe()
	m := run(t, ours)
	t.Cleanup(func() { theirs.Close() })
	return m, bufio.NewReader(theirs), theirs
}

func TestAnswersInAnyOrder(t *testing.T) {
	m, from, to := peer(t)
	var group sync.WaitGroup
	for _, name := range []string{"first", "second"} {
		group.Go(func() {
			if data, err := m.Call(t.Context(), "get_property", name); err != nil || string(data) != `"`+name+`"` {
				t.Errorf("%s: %s, %v", name, data, err)
			}
		})
	}
	var asked [2]struct {
		Command []string `json:"command"`
		ID      int64    `json:"request_id"`
	}
	for i := range asked {
		line, err := from.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(line, &asked[i]); err != nil {
			t.Fatal(err)
		}
	}
	for _, i := range []int{1, 0} {
		fmt.Fprintf(to, `{"data":%q,"request_id":%d,"error":"success"}`+"\n", asked[i].Command[1], asked[i].ID)
	}
	group.Wait()
}

func TestLinesOfAnyLength(t *testing.T) {
	m, _, to := peer(t)
	long := strings.Repeat("x", longestLine-200)
	fmt.Fprintf(to, `{"event":"property-change","name":"path","data":%q}`+"\n", long)
	if h := <-m.events; h.data != `"`+long+`"` {
		t.Errorf("a long line has come as %d bytes", len(h.data))
	}
	go fmt.Fprintf(to, `{"event":"property-change","name":"path","data":"%s`, strings.Repeat("x", longestLine+1))
	if err := within(t, patience, "it gives up", m.ended); !strings.Contains(err.Error(), "longer than") {
		t.Errorf("an endless line: %v", err)
	}
}

func TestNonsenseEndsTheLine(t *testing.T) {
	for _, line := range []string{"{}", "hello", `{"error":"success"}`, `[1]`, `{"event":7}`, `{"request_id":"x"}`} {
		m, _, to := peer(t)
		fmt.Fprintln(to, line)
		if err := within(t, patience, "it gives up", m.ended); err == nil || !strings.HasPrefix(err.Error(), "mpv says") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

// transcripts are what the mpv of this machine says to what we send. They are recorded
// with -update; the mpv's version is in each.
var transcripts = map[string][][]any{
	"odd-answers": {
		{"get_property", "mpv-version"},
		{"get_property", "nonesuch"},
		{"get_property", "time-pos"}, // none while nothing is loaded
		{"bogus"},
		{"loadfile"},
		{"set_property", "volume", "loud"},
		{"set_property", "pause", true},
		{"observe_property", 1, "pause"},
		{"observe_property", 2, "duration"},
		{"observe_property", 3, "nonesuch"},
		{"unobserve_property", 99},
	},
	"missing-film": {
		{"get_property", "mpv-version"},
		{"observe_property", 1, "idle-active"},
		{"loadfile", "/nonexistent.mp4"},
	},
	"stop-without-a-film": {
		{"get_property", "mpv-version"},
		{"stop"},
		{"seek", 5, "absolute+exact"},
		{"ao-reload"},
		{"set_property", "vid", "no"},
	},
}

// A transcript is lines that begin with "> " (we) and "< " (mpv).
func TestTranscripts(t *testing.T) {
	for name, commands := range transcripts {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".txt")
			if *update {
				record(t, path, commands)
			}
			recorded, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			m, from, to := peer(t)
			go replay(t, recorded, from, to)
			var said strings.Builder
			for _, c := range commands {
				data, err := m.Call(t.Context(), c...)
				var no *Refused
				if err != nil && !errors.As(err, &no) {
					t.Fatal(err)
				}
				fmt.Fprintf(&said, "%v: %s, %v\n", c, data, err)
			}
			if err := within(t, patience, "the transcript ends", m.ended); !errors.Is(err, ErrGone) {
				t.Fatal(err)
			}
			close(m.events)
			for h := range m.events {
				fmt.Fprintf(&said, "%s %s %s\n", h.event, h.property, h.data)
			}
			golden := filepath.Join("testdata", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(said.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), said.String()); diff != "" {
				t.Errorf("what we make of it (-want +got):\n%s", diff)
			}
		})
	}
}

// replay plays mpv's part of a transcript and holds us to ours.
func replay(t *testing.T, recorded []byte, from *bufio.Reader, to net.Conn) {
	defer to.Close()
	for line := range strings.Lines(string(recorded)) {
		if mpv, ok := strings.CutPrefix(line, "< "); ok {
			fmt.Fprint(to, mpv)
			continue
		}
		want, _ := strings.CutPrefix(line, "> ")
		if got, err := from.ReadString('\n'); err != nil || got != want {
			t.Errorf("we say %q, %v; the transcript has %q", got, err, want)
			return
		}
	}
}

// recorder writes down what goes over a line.
type recorder struct {
	io.ReadWriteCloser
	mu  sync.Mutex
	out strings.Builder
	in  []byte // of mpv, not a whole line yet
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.ReadWriteCloser.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.in = append(r.in, p[:n]...)
	for {
		line, rest, ok := strings.Cut(string(r.in), "\n")
		if !ok {
			return n, err
		}
		r.out.WriteString("< " + line + "\n")
		r.in = []byte(rest)
	}
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.out.WriteString("> " + string(p))
	return r.ReadWriteCloser.Write(p)
}

func record(t *testing.T, path string, commands [][]any) {
	line, err := quiet(t).Launch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := &recorder{ReadWriteCloser: line}
	m := run(t, r)
	for _, c := range commands {
		_, _ = m.Call(t.Context(), c...) // what it answers is what is wanted
		time.Sleep(200 * time.Millisecond)
	}
	m.Close()
	<-m.ended
	if err := os.WriteFile(path, []byte(r.out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Whatever an mpv says, the client neither panics nor hangs, and a call returns.
func FuzzClient(f *testing.F) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no transcripts: %v", err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if said, ok := strings.CutPrefix(line, "< "); ok {
				f.Add([]byte(said))
			}
		}
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		if m, err := decode(said); err == nil && m.Event == "" && m.RequestID == nil {
			t.Errorf("%q is taken for a message", said)
		}
		ours, theirs := net.Pipe()
		c := NewClient(ours)
		var group sync.WaitGroup
		group.Go(func() {
			_ = c.Run(t.Context(), func(event, property string, data json.RawMessage) {
				if event == "" || len(data) > 0 && !json.Valid(data) {
					t.Errorf("heard %q %q %q", event, property, data)
				}
			})
		})
		group.Go(func() {
			if _, err := bufio.NewReader(theirs).ReadBytes('\n'); err != nil {
				return // what it said before has ended the line
			}
			_, _ = theirs.Write(said)
			theirs.Close()
		})
		_, _ = c.Call(t.Context(), "get_property", "pause")
		group.Wait()
		theirs.Close()
	})
}
