package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

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

// came is how many came to an evening of stick.
func came(n int) (people int) {
	for _, f := range province.Make(1, n, province.Size{People: 30, Ballots: 150}).Facts {
		people += f.People
	}
	return people
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

// What a person sees of sticks with whose copies something is wrong: the places, and an exit
// code that says so.
func TestWhatIsWrongIsOnTheTerminal(t *testing.T) {
	key, stranger := newKey(t), newKey(t)
	made := func(n, less int) *province.Evening {
		e := province.Make(1, n, province.Size{People: 30, Ballots: 150})
		e.Journal = e.Journal[:len(e.Journal)-less]
		return e
	}
	put := func(e *province.Evening, k *export.Key) (stick, folder string) {
		t.Helper()
		stick = t.TempDir()
		if err := e.Write(t.Context(), stick, export.Options{Key: k}); err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Glob(filepath.Join(stick, "mimpi-kiosk", "*", "*_s-*"))
		if err != nil || len(found) != 1 {
			t.Fatal(found, err)
		}
		return stick, found[0]
	}
	spoil := func(folder, name string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	half, halfFolder := put(made(0, 40), key)
	whole, wholeFolder := put(made(0, 0), key)
	spoil(wholeFolder, export.EventsFile)
	same, _ := put(made(0, 0), key)
	unsigned, unsignedFolder := put(made(0, 0), nil)
	other, otherFolder := put(made(50, 0), stranger)
	tables, tablesFolder := put(made(1, 0), key)
	for _, name := range []string{export.EventsFile, export.SumsFile, export.SignatureFile, export.SummaryFile, "report.html"} {
		if err := os.Remove(filepath.Join(tablesFolder, name)); err != nil {
			t.Fatal(err)
		}
	}
	forged, forgedFolder := put(made(2, 0), key)
	spoil(forgedFolder, "report.html")
	more, moreFolder := put(made(3, 0), key)
	spoil(moreFolder, "laporan.docx")
	list := filepath.Join(t.TempDir(), "keys.txt")
	if err := os.WriteFile(list, []byte("kiosk-01 "+key.Public()+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		args []string
		code int
		says []string
		not  string
	}{
		{"half and a damaged whole", []string{half, whole}, exitProblems, []string{"IN DOUBT: " + wholeFolder, halfFolder, "may be too small", "1 screening, "}, "SAFE"},
		{"whole and a damaged whole", []string{same, whole}, exitWell, []string{"SAFE, ANOTHER COPY COUNTS: " + wholeFolder}, "DOUBT"},
		{"unsigned continuation", []string{half, unsigned}, exitProblems, []string{"IN DOUBT: " + unsignedFolder, halfFolder, "Only the signed one counts"}, ""},
		{"a stranger's evening", []string{same, other}, exitProblems, []string{"This kiosk signs with 2 keys", "--keys"}, ""},
		{"a stranger's evening and a list", []string{same, other, "--keys", list}, exitProblems, []string{"DOES NOT COUNT: " + otherFolder, "kiosk-01 is known by another key", "1 screening, "}, ""},
		{"a list that lacks a kiosk", []string{same, forged, "--keys", list}, exitProblems, []string{"DOES NOT COUNT: " + forgedFolder, "kiosk-03 is not in the file of --keys", "1 screening, "}, ""},
		{"only tables", []string{same, tables}, exitProblems, []string{"DOES NOT COUNT: " + tablesFolder, "lacks its journal"}, ""},
		{"a changed report", []string{forged}, exitProblems, []string{"IN DOUBT: " + forgedFolder, "report.html is damaged or was changed", "1 screening, "}, ""},
		{"a file more", []string{more}, exitProblems, []string{"IN DOUBT: " + moreFolder, "laporan.docx", "1 screening, "}, ""},
		{"nothing wrong", []string{same, half}, exitWell, []string{
			fmt.Sprintf("1 screening, %d people, 1 kiosk (2 copies read, 1 seen twice)", came(0)), fmt.Sprintf("1 pemutaran, %d orang, 1 kiosk (2 salinan dibaca, 1 ganda)", came(0))}, ":"},
	} {
		t.Run(c.name, func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "x.json")
			code, said, wrong := try(t, nil, append(c.args, "-o", report)...)
			said = strings.ReplaceAll(said, "Ditulis / Written:\n  "+report, "")
			if code != c.code {
				t.Errorf("code %d, want %d", code, c.code)
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("it lacks %q", want)
				}
			}
			if c.not != "" && strings.Contains(said, c.not) {
				t.Errorf("it has %q", c.not)
			}
			if t.Failed() {
				t.Logf("%s%s", said, wrong)
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
	for answer, want := range map[string]string{"\n": "3 screenings", "2\n": "3 screenings", "1": fmt.Sprintf("1 screening, %d people, 1 kiosk (1 copy read, 0 seen twice)", came(0)), "1, 2\n": "3 screenings", "3\n": "is no number", "x\n": "is no number"} {
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
	one, two := newKey(t).Public(), newKey(t).Public()
	list := "# kiosk yang dikenal\r\nkiosk-01  " + one + " # Kupang\r\n\r\nkiosk-02 " + one + "\r\nkiosk-01 " + two
	for how, text := range map[string]string{"UTF-8": list, "with a mark": "\ufeff" + list, "UTF-16": utf16Text(list)} {
		write(text)
		if got, err := knownKeys(name); err != nil || !reflect.DeepEqual(got, map[string][]string{"kiosk-01": {one, two}, "kiosk-02": {one}}) {
			t.Errorf("%s: %v %v", how, got, err)
		}
	}
	good := stick(t, 1)
	for text, want := range map[string]string{
		"kiosk-01\n":                                 "line 1: write KIOSK KEY",
		"# x\n" + one + " kiosk-01\n":                "line 2: write KIOSK KEY",
		"kiosk-01 " + one + " " + two + "\n":         "line 1: write KIOSK KEY",
		"kiosk-01 " + one[:30] + "\n":                "line 1: " + one[:30] + " is no whole key",
		"untrusted comment: minisign\n" + one + "\n": "line 1: write KIOSK KEY",
		"":                             "there is no kiosk in it",
		"# kiosk-01 " + one + "\r\n":   "there is no kiosk in it",
		"\x00\x01\x02\xff\xfe\x00\x00": "line 1: write KIOSK KEY",
		strings.Repeat("#", 2<<20):     "more than 1048576 bytes",
	} {
		write(text)
		code, said, wrong := try(t, nil, good, "--keys", name, "-o", filepath.Join(t.TempDir(), "x.json"))
		if code != exitFailed || !strings.Contains(wrong, want) || !strings.Contains(wrong, name) {
			t.Errorf("%.80q: code %d: %s%s\nwant %q", text, code, said, wrong, want)
		}
	}
	if code, _, wrong := try(t, nil, good, "--keys", t.TempDir()); code != exitFailed || !strings.Contains(wrong, "cannot be read") {
		t.Errorf("a folder as the list: code %d: %s", code, wrong)
	}
}

func newKey(t *testing.T) *export.Key {
	t.Helper()
	k, err := export.OpenKey(filepath.Join(t.TempDir(), "signing.key"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// utf16Text is how Notepad saves "Unicode".
func utf16Text(s string) string {
	out := []byte("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return string(out)
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
