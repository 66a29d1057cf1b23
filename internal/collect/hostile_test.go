package collect

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"mimpi-kiosk/internal/collect/province"
	"mimpi-kiosk/internal/export"
)

func TestLinksLeadNowhere(t *testing.T) {
	outside := t.TempDir()
	write(t, evening(t, 20), outside, nil)
	stick := t.TempDir()
	good := evening(t, 21)
	write(t, good, stick, nil)
	for name, to := range map[string]string{
		"mimpi-kiosk/out":     filepath.Join(outside, "mimpi-kiosk"),
		"mimpi-kiosk/up":      "..",
		"mimpi-kiosk/etc":     "/etc",
		"mimpi-kiosk/self":    ".",
		"mimpi-kiosk/out.zip": "/dev/zero",
	} {
		if err := os.Symlink(to, filepath.Join(stick, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(stick, "mimpi-kiosk", "pipe.zip"), 0o644); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(stick, "mimpi-kiosk", "k", "2026-01-01_x_s-pipe")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, export.SumsFile), []byte(strings.Repeat("0", 64)+"  events.jsonl\n"+strings.Repeat("0", 64)+"  summary.json\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(folder, export.SummaryFile), 0o644); err != nil {
		t.Fatal(err)
	}
	r := collect(t, Options{}, stick)
	expect(t, r, 1, "missing unreadable", "missing unreadable") // its summary, and its journal
	if len(r.Screenings) == 1 && r.Screenings[0].ID != good.ID {
		t.Error("a screening from outside came in")
	}
}

func TestEndlessFolders(t *testing.T) {
	stick := t.TempDir()
	deep := stick
	for range 40 {
		deep = filepath.Join(deep, "d")
	}
	if err := os.MkdirAll(deep, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, evening(t, 22), deep, nil)
	write(t, evening(t, 23), filepath.Join(stick, "a"), nil)
	r := collect(t, Options{}, stick)
	expect(t, r, 1, "missing too_much")
}

func TestOddNames(t *testing.T) {
	stick := t.TempDir()
	e := evening(t, 24)
	folder := write(t, e, stick, nil)
	odd := filepath.Join(filepath.Dir(folder), "\x1b[2J\nnul\\..\\=1+1;\"x\"_ünïcode_s-y")
	if err := os.CopyFS(odd, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{".tmp-123", "System Volume Information", ".Trash-1000"} {
		if err := os.CopyFS(filepath.Join(filepath.Dir(folder), name), os.DirFS(folder)); err != nil {
			t.Fatal(err)
		}
	}
	r := collect(t, Options{}, stick)
	expect(t, r, 1, "note unfinished")
	if r.Copies != 2 || r.Twice != 1 {
		t.Errorf("%d copies, %d twice", r.Copies, r.Twice)
	}
	// Names go through all writers unharmed.
	if err := os.WriteFile(filepath.Join(odd, export.EventsFile), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	r = collect(t, Options{}, stick)
	if _, err := Write(filepath.Join(t.TempDir(), "out"), r, Output{Made: made}); err != nil {
		t.Error(err)
	}
}

// zipped makes a zip of an evening's folder, with more files.
func zipped(t testing.TB, e *province.Evening, more map[string]io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	add := func(name string, from io.Reader) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(w, from); err != nil {
			t.Fatal(err)
		}
	}
	dir, files, err := export.Files(context.Background(), e, e.ID, export.Options{Rehearsals: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		if more[name] == nil {
			add(dir+"/"+name, bytes.NewReader(content))
		}
	}
	for name, from := range more {
		if !strings.Contains(name, "/") {
			name = dir + "/" + name
		}
		add(name, from)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestZips(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, content []byte) string {
		t.Helper()
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	e := evening(t, 30)
	good := put("export.zip", zipped(t, e, nil))
	expect(t, collect(t, Options{}, good), 1)
	r := collect(t, Options{}, dir, good) // in a folder, and named
	expect(t, r, 1)
	if r.Copies != 1 && r.Twice != r.Copies-1 {
		t.Errorf("%d copies, %d twice", r.Copies, r.Twice)
	}

	bomb := evening(t, 31)
	put("bomb.zip", zipped(t, bomb, map[string]io.Reader{export.EventsFile: io.LimitReader(zeros{}, mostEvents+1)}))
	put("sums-bomb.zip", zipped(t, evening(t, 32), map[string]io.Reader{export.SumsFile: io.LimitReader(zeros{}, 4<<20)}))
	put("lead-out.zip", zipped(t, evening(t, 33), map[string]io.Reader{"../../../../tmp/evil.csv": strings.NewReader("x"), "/etc/evil": strings.NewReader("y"), `..\evil`: strings.NewReader("z")}))
	put("export-cut.zip", zipped(t, evening(t, 34), nil)[:5000])
	put("holiday.zip", []byte("PK\x03\x04 not ours"))
	r = collect(t, Options{}, dir)
	expect(t, r, 2, "missing too_much", "missing too_much", "missing unreadable")

	// A list of files that is larger than any kiosk's is not taken into memory.
	var many bytes.Buffer
	z := zip.NewWriter(&many)
	for i := range 700 {
		if _, err := z.Create(fmt.Sprintf("%060000d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	expect(t, collect(t, Options{}, put("many.zip", many.Bytes())), 0, "missing unreadable")
}

func TestPlacesThatAreNotThere(t *testing.T) {
	empty := t.TempDir()
	file := filepath.Join(empty, "x.txt")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, collect(t, Options{}, filepath.Join(empty, "no"), file, empty, "/dev/null", "a\x00b"), 0,
		"missing unreadable", "missing unreadable", "note nothing", "missing unreadable", "missing unreadable")
}

func TestStopsWhenTold(t *testing.T) {
	stick := t.TempDir()
	for n := range 30 {
		write(t, evening(t, n), stick, nil)
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Collect(ctx, []string{stick}, Options{Progress: func(done, all int) {
		if done == 2 {
			cancel()
		}
	}})
	if err == nil {
		t.Error("went on to the end")
	}
}

func TestPlaceNamed(t *testing.T) {
	for _, c := range []struct {
		goos, arg, want string
		more            []string
	}{
		{"windows", `E:`, `E:\`, nil},
		{"windows", `E:\`, `E:\`, nil},
		{"windows", `e:`, `e:\`, nil},
		{"windows", `E:" -o laporan.xlsx`, `E:\`, []string{"-o", "laporan.xlsx"}},
		{"windows", `E:"`, `E:\`, nil},
		{"windows", `C:\Users\Ibu Maria\stik`, `C:\Users\Ibu Maria\stik`, nil},
		{"windows", `\\server\share\stik`, `\\server\share\stik`, nil},
		{"windows", `E:stik`, `E:stik`, nil},
		{"linux", `E:`, `E:`, nil},
		{"linux", `a"b`, `a"b`, nil},
	} {
		got, more := PlaceNamed(c.goos, c.arg)
		if got != c.want || strings.Join(more, "|") != strings.Join(c.more, "|") {
			t.Errorf("%s %s: %q and %q, want %q and %q", c.goos, c.arg, got, more, c.want, c.more)
		}
	}
}

// The seeds of fuzzers are small, or the fuzzer spends its time on making them smaller.

func FuzzReadHistory(f *testing.F) {
	f.Add([]byte(`{"seq":1,"at":"2026-11-24T10:30:01.5Z","boot":"b","mono":5,"clock":"synced","screening":"","from":"kiosk","kind":"KioskStarted","data":{"kiosk":"k","version":"1"}}` + "\n" +
		`{"seq":2,"boot":"b","mono":6,"screening":"x","from":"facilitator","kind":"ScreeningPlanned","data":{"screening":"x","kiosk":"k","programme":{"categories":[{"id":"a"}]}}}` + "\n" +
		`{"seq":4,"boot":"b","mono":7,"screening":"x","from":"buttons","kind":"AttendeeCounted","data":{"category":"a"}}` + "\n" +
		`{"seq":5,"boot":"b","mono":8,"screening":"x","from":"buttons","kind":"FromTheFuture","data":{"x":1}}` + "\n"))
	f.Add([]byte(`{"seq":1,"kind":"ScreeningPlanned","screening":"x","data":{"screening":"x","programme":{"categories":[{"id":"a"},{"id":"a"}],"questions":[{"id":"q","options":[]},{"id":"q"}]}}}` + "\n" +
		`{"seq":2,"kind":"QuestionOpened","screening":"x","data":{"question":"q","round":1}}` + "\n" +
		`{"seq":3,"kind":"BallotCast","screening":"x","data":{"question":"q","round":1,"choices":["a"],"channel":"phone","voter":"1"}}` + "\n" +
		`{"seq":4,"kind":"BallotCast","screening":"x","data":{"question":"q","round":1,"choices":["a"],"channel":"phone","voter":"1"}}` + "\n" +
		`{"seq":5,"kind":"HandsCounted","screening":"x","data":{"question":"q","round":1,"counts":{"a":-1}}}` + "\n"))
	f.Add([]byte(`{"seq":3,"kind":"BallotCast","data":{"question":"q","choices":["a"],"channel":"phone","voter":"1"},"voter":"1"}` + "\n" +
		`{"seq":4,"kind":"BallotCast","data":{"question":"q","choices":["a"],"channel":"phone","voter":"1"},"voter":"2"}` + "\n" +
		`{"seq":5,"kind":"BallotCast","data":{"question":"q","channel":"phone","\u0076oter":"1","x":{"voter":"1"}}}` + "\n" +
		`{"seq":6,"kind":"BallotCast","data":{"question":"q","channel":"phone","\u0076oter":"1","x":{"voter":"7"}}}` + "\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		var after decoded
		for line := range bytes.Lines(content) { // what stands before a line changes nothing
			var alone decoded
			if err := alone.decode(line); (err == nil) != (after.decode(line) == nil) || err == nil && !reflect.DeepEqual(alone.event, after.event) {
				t.Errorf("%s is %+v alone and %+v after others (%v)", line, alone.event, after.event, err)
			}
		}
		h, err := readHistory(t.Context(), bytes.NewReader(content))
		if err != nil {
			return
		}
		if h.planned < 1 || h.last < h.planned || h.lines < 1 {
			t.Errorf("%+v", h)
		}
		again, err := readHistory(t.Context(), bytes.NewReader(content))
		if err != nil || !h.beginningOf(again) || h.trail(h.last) != again.trail(h.last) {
			t.Error("read twice it is another history")
		}
		h.differs(&export.Summary{})
	})
}

// FuzzFolder reads a screening of which one file is anything at all.
func FuzzFolder(f *testing.F) {
	e := province.Make(1, 2, province.Size{People: 6, Ballots: 20})
	dir, files, err := export.Files(f.Context(), e, e.ID, export.Options{Rehearsals: true})
	if err != nil {
		f.Fatal(err)
	}
	half := f.TempDir()
	if err := cut(e, 20).Write(f.Context(), half, export.Options{Rehearsals: true}); err != nil {
		f.Fatal(err)
	}
	names := []string{export.SumsFile, export.SummaryFile, export.EventsFile, export.SignatureFile, "attendance.csv"}
	for i, name := range names {
		f.Add(uint8(i), files[name][:min(len(files[name]), 300)])
	}
	f.Add(uint8(3), []byte("untrusted comment: x\nRWQ\ntrusted comment: y\nRWQ"))
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		stick := t.TempDir()
		folder := filepath.Join(stick, filepath.FromSlash(dir))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		changed := names[int(which)%len(names)]
		for _, name := range names {
			b := files[name]
			if name == changed {
				b = content
			}
			if err := os.WriteFile(filepath.Join(folder, name), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Collect(t.Context(), []string{stick}, Options{Rehearsals: true})
		if err != nil {
			t.Fatal(err)
		}
		same := bytes.Equal(content, files[changed])
		counts := len(r.Screenings) == 1
		if (changed == export.EventsFile || changed == export.SummaryFile) && !same && counts {
			t.Errorf("a changed %s counts", changed)
		}
		if same && !counts {
			t.Errorf("a sound screening does not count: %v", r.Problems)
		}
		// Beside half of the evening, which is sound, nothing is taken for the whole.
		for _, p := range r.Problems {
			if p.Saved || p.What.EN == "" {
				t.Errorf("nothing else is there: %+v", p)
			}
		}
		r, err = Collect(t.Context(), []string{stick, half}, Options{Rehearsals: true})
		if err != nil || len(r.Screenings) != 1 {
			t.Fatalf("%v: %v", err, r.Problems)
		}
		if !counts && r.Bad() == 0 {
			t.Errorf("half of the evening counts and a changed %s is no doubt: %v", changed, r.Problems)
		}
	})
}

func FuzzZip(f *testing.F) {
	e := province.Make(1, 3, province.Size{People: 6, Ballots: 20})
	whole := zipped(f, e, nil)
	f.Add(whole)
	f.Add(whole[:len(whole)-30])
	f.Add([]byte("PK\x05\x06" + strings.Repeat("\x00", 18)))
	f.Fuzz(func(t *testing.T, content []byte) {
		name := filepath.Join(t.TempDir(), "export.zip")
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Collect(t.Context(), []string{name}, Options{}); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzSealed(f *testing.F) {
	f.Add([]byte("age-encryption.org/v1\n-> X25519 x\n"), []byte(`{}`))
	id, err := ageIdentity()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, locked, note []byte) {
		folder := filepath.Join(t.TempDir(), "2026-01-01_terkunci_s-1")
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, content := range map[string][]byte{export.SealedFile: locked, export.SealFile: note} {
			if err := os.WriteFile(filepath.Join(folder, name), content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		r, err := Collect(t.Context(), []string{folder}, Options{Identities: ids(id)})
		if err != nil || len(r.Screenings) != 0 || len(r.Problems) == 0 {
			t.Errorf("%v %+v", err, r)
		}
	})
}

func FuzzReadMapping(f *testing.F) {
	f.Add([]byte(`{"period":"daily","dataElements":{"attendance":"attendance1"}}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		m, err := ReadMapping(bytes.NewReader(content))
		if err == nil && !dhis2ID.MatchString(m.DataElements.Attendance) {
			t.Errorf("%s gave %+v", content, m)
		}
	})
}
