package display

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asCompositor turns the test program into labwc or wlr-randr, which write what happens to them
// into a folder.
const asCompositor = "MIMPI_TEST_COMPOSITOR"

func TestMain(m *testing.M) {
	folder := os.Getenv(asCompositor)
	switch filepath.Base(os.Args[0]) {
	case "labwc":
		labwc(folder)
	case "wlr-randr":
		note(folder, strings.Join(os.Args[1:], " "))
	default:
		os.Exit(m.Run())
	}
}

func note(folder, line string) {
	f, err := os.OpenFile(filepath.Join(folder, "notes"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		os.Exit(7)
	}
	f.WriteString(line + "\n")
	f.Close()
}

// labwc serves two outputs until it is told to go.
func labwc(folder string) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGTERM)
	l, err := net.Listen("unix", filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "wayland-0"))
	if err != nil {
		os.Exit(6)
	}
	note(folder, "labwc "+strings.Join(os.Args[1:], " "))
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			turned := hdmi1
			turned.Turn = 180
			go newCompositor(conn, 4, map[uint32]Output{7: dsi, 8: turned}).serve()
		}
	}()
	for s := range signals {
		note(folder, s.String())
		if s == syscall.SIGTERM {
			return
		}
	}
}

// session runs with the test program as labwc and wlr-randr.
func session(t *testing.T) (s Session, notes func() []string) {
	t.Helper()
	bin, folder, said := t.TempDir(), t.TempDir(), t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"labwc", "wlr-randr"} {
		if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin)
	t.Setenv(asCompositor, said)
	s = Session{Wanted: Wanted{Touch: Auto, Stage: Auto, TouchDevice: Auto, TouchTurn: 90}, Folder: folder, Log: slog.New(slog.DiscardHandler)}
	return s, func() []string {
		b, err := os.ReadFile(filepath.Join(said, "notes"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		return strings.Fields(strings.ReplaceAll(string(b), " ", "_"))
	}
}

// TestASession begins after one that was killed, finds the screens, turns them, writes the rules,
// says that it is ready once and that it lives again and again, and leaves nothing running.
func TestASession(t *testing.T) {
	s, notes := session(t)
	if err := os.WriteFile(Socket(s.Folder), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	ready, alive := make(chan bool, 10), make(chan bool, 10)
	s.Ready, s.Alive = func() { ready <- true }, func() { alive <- true }
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for _, sign := range []struct {
		name string
		came chan bool
	}{{"READY=1", ready}, {"WATCHDOG=1", alive}} {
		select {
		case <-sign.came:
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		case <-time.After(time.Minute):
			t.Fatalf("no %s", sign.name)
		}
	}
	rules, err := os.ReadFile(filepath.Join(s.Folder, "labwc", "rc.xml"))
	if err != nil || !strings.Contains(string(rules), `output="HDMI-A-1"`) || !strings.Contains(string(rules), "<mapToOutput>DSI-1<") && !strings.Contains(string(rules), `mapToOutput="DSI-1"`) {
		t.Errorf("the rules are %s (%v)", rules, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if len(ready) > 0 {
		t.Error("it was ready twice")
	}
	want := []string{"labwc_-C_" + filepath.Join(s.Folder, "labwc"), "hangup", "--output_DSI-1_--transform_90", "--output_HDMI-A-1_--transform_normal", "terminated"}
	got := notes()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the compositor was told %q, want %q", got, want)
	}
}

// TestASessionThatCannotBe ends with an error that says what to do.
func TestASessionThatCannotBe(t *testing.T) {
	s, _ := session(t)
	t.Setenv("PATH", t.TempDir())
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "install labwc") {
		t.Errorf("without a compositor: %v", err)
	}
	s, _ = session(t)
	t.Setenv(asCompositor, filepath.Join(t.TempDir(), "no", "folder")) // it ends at once
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("a compositor that ends: %v", err)
	}
	s, _ = session(t)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s.Folder = filepath.Join(file, "x")
	if err := s.Run(t.Context()); err == nil {
		t.Error("a folder that cannot be made: no error")
	}
}
