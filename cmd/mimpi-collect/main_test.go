package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mimpi-kiosk/internal/collect/province"
	"mimpi-kiosk/internal/export"
)

func stick(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		if err := province.Make(1, i, province.Size{People: 30, Ballots: 150}).Write(t.Context(), dir, export.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// try runs the program as a person would.
func try(t *testing.T, change func(*program), args ...string) (code int, out, wrong string) {
	t.Helper()
	var o, e bytes.Buffer
	p := &program{
		in: strings.NewReader(""), out: &o, err: &e, goos: "linux",
		now:    func() time.Time { return time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC) },
		sticks: func() []string { return nil },
		home:   func() (string, error) { return t.TempDir(), nil },
	}
	if change != nil {
		change(p)
	}
	code = p.run(context.Background(), args)
	return code, o.String(), e.String()
}

func TestExitCodes(t *testing.T) {
	good, bad, empty := stick(t, 4), stick(t, 4), t.TempDir()
	events, err := filepath.Glob(filepath.Join(bad, "mimpi-kiosk", "*", "*", export.EventsFile))
	if err != nil || len(events) != 4 {
		t.Fatalf("%v %v", events, err)
	}
	if err := os.WriteFile(events[0], []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	xlsx := filepath.Join(out, "laporan.xlsx")
	for _, c := range []struct {
		name string
		args []string
		code int
		say  string
	}{
		{"well", []string{good, "-o", xlsx}, exitWell, "4 screenings"},
		{"damage", []string{bad, "-o", xlsx}, exitProblems, "DOES NOT COUNT: " + filepath.Dir(events[0])},
		{"damage, with a sound copy", []string{bad, good, "-o", xlsx}, exitWell, "4 screenings"},
		{"nothing there", []string{empty, "-o", xlsx}, exitNothing, "There is no screening"},
		{"no such folder", []string{filepath.Join(out, "no"), "-o", xlsx}, exitNothing, "It cannot be opened"},
		{"unknown ending", []string{good, "-o", "laporan.docx"}, exitFailed, ".xlsx, .csv, .html or .json"},
		{"nowhere to write", []string{good, "-o", filepath.Join(out, "no", "laporan.xlsx")}, exitFailed, "there is no such folder"},
		{"unknown flag", []string{good, "--oops"}, exitFailed, "unknown flag"},
		{"no such key", []string{good, "--identity", filepath.Join(out, "key.txt")}, exitFailed, "--identity"},
		{"not a key", []string{good, "--identity", xlsx}, exitFailed, "age-keygen"},
		{"no mapping", []string{good, "--dhis2", filepath.Join(out, "d.json")}, exitFailed, "--dhis2-mapping"},
		{"no place and nobody to ask", nil, exitFailed, "mimpi-collect E:\\"},
		{"only the form", []string{"--xlsform", filepath.Join(out, "form.xlsx")}, exitWell, ""},
		{"help", []string{"--help"}, exitWell, "Kode akhir / Exit codes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, said, wrong := try(t, nil, c.args...)
			if code != c.code || !strings.Contains(said+wrong, c.say) {
				t.Errorf("code %d, want %d; it said\n%s%s\nwant %q", code, c.code, said, wrong, c.say)
			}
		})
	}
}

func TestStickDraggedOntoTheIcon(t *testing.T) {
	from, home := stick(t, 2), t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "Documents"), 0o755); err != nil {
		t.Fatal(err)
	}
	code, said, wrong := try(t, func(p *program) {
		p.clicked, p.goos = true, "windows"
		p.home = func() (string, error) { return home, nil }
	}, from)
	folder := filepath.Join(home, "Documents", "Mimpi-Kiosk", "laporan-2026-11-24")
	if code != exitWell || !strings.Contains(said, filepath.Join(folder, "laporan.xlsx")) {
		t.Errorf("code %d: %s%s", code, said, wrong)
	}
	for _, name := range []string{"laporan.xlsx", "laporan.html", "laporan.json", "attendance.csv", "sessions.csv", "poll_results.csv", "datapackage.json", "formulir-kobo.xlsx"} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAsksForTheStick(t *testing.T) {
	one, two := stick(t, 1), stick(t, 3)
	for answer, want := range map[string]string{"\n": "3 screenings", "2\n": "3 screenings", "1": "1 screenings", "1, 2\n": "3 screenings", "3\n": "is no number", "x\n": "is no number"} {
		_, said, wrong := try(t, func(p *program) {
			p.terminal, p.in = true, strings.NewReader(answer)
			p.sticks = func() []string { return []string{one, two} }
		}, "-o", filepath.Join(t.TempDir(), "x.json"))
		if !strings.Contains(said+wrong, want) || !strings.Contains(said, "  2  "+two) {
			t.Errorf("answer %q: %s%s\nwant %q", answer, said, wrong, want)
		}
	}
	_, said, _ := try(t, func(p *program) { p.terminal, p.in = true, strings.NewReader(two+"\n") }, "-o", filepath.Join(t.TempDir(), "x.json"))
	if !strings.Contains(said, "3 screenings") {
		t.Errorf("a typed folder: %s", said)
	}
}

func TestKnownKeysFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "keys.txt")
	write := func(text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("\ufeff# kiosk yang dikenal\r\nkiosk-01  RWabc # Kupang\r\n\r\n")
	if got, err := knownKeys(name); err != nil || len(got) != 1 || got["kiosk-01"] != "RWabc" {
		t.Errorf("%v %v", got, err)
	}
	write("kiosk-01\n")
	if _, err := knownKeys(name); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("%v", err)
	}
}

func TestNamesDoNothingToTheTerminal(t *testing.T) {
	from := t.TempDir()
	if err := os.MkdirAll(filepath.Join(from, "\x1b]0;evil\a"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(from, "\x1b]0;evil\a", export.SumsFile), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, said, wrong := try(t, nil, from)
	if strings.Contains(said+wrong, "\x1b") || !strings.Contains(said, "evil") {
		t.Errorf("%q", said+wrong)
	}
}
