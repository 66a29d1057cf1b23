package collect

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mimpi-kiosk/internal/collect/province"
	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var small = province.Size{People: 40, Ballots: 200}

// evening is a made-up evening that is no rehearsal.
func evening(t *testing.T, n int) *province.Evening {
	t.Helper()
	for seed := uint64(1); ; seed++ {
		if e := province.Make(seed, n, small); !e.Facts[0].Rehearsal {
			return e
		}
	}
}

func write(t *testing.T, e *province.Evening, stick string, key *export.Key) (folder string) {
	t.Helper()
	if err := e.Write(t.Context(), stick, export.Options{Key: key}); err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(filepath.Join(stick, "mimpi-kiosk", e.Kiosk, "*_"+e.ID))
	if err != nil || len(found) != 1 {
		t.Fatalf("%v %v", found, err)
	}
	return found[0]
}

func newKey(t *testing.T) *export.Key {
	t.Helper()
	k, err := export.OpenKey(filepath.Join(t.TempDir(), "signing.key"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func collect(t *testing.T, opts Options, places ...string) *Result {
	t.Helper()
	r, err := Collect(t.Context(), places, opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func kinds(r *Result) []string {
	var out []string
	for _, p := range r.Problems {
		out = append(out, fmt.Sprintf("%s %s", p.Level, p.Kind))
		if p.What.ID == "" || p.What.EN == "" || p.Do.ID == "" || p.Do.EN == "" || p.Path == "" {
			out = append(out, fmt.Sprintf("a problem without a word: %+v", p))
		}
	}
	slices.Sort(out)
	return out
}

func people(e *province.Evening) int {
	n := 0
	for _, f := range e.Facts {
		n += f.People
	}
	return n
}

// expect says what a Result must be.
func expect(t *testing.T, r *Result, screenings int, problems ...string) {
	t.Helper()
	slices.Sort(problems)
	if len(r.Screenings) != screenings || !slices.Equal(kinds(r), problems) {
		t.Errorf("%d screenings, want %d; problems %v, want %v", len(r.Screenings), screenings, kinds(r), problems)
		for _, p := range r.Problems {
			t.Logf("%s: %s", p.Path, p.What.EN)
		}
	}
}

func TestOneScreeningOnThreeSticksCountsOnce(t *testing.T) {
	e, key := evening(t, 1), newKey(t)
	one, two, three := t.TempDir(), t.TempDir(), t.TempDir()
	for _, stick := range []string{one, two, three} {
		write(t, e, stick, key)
	}
	// The second stick was taken out of the kiosk earlier, when the evening was not over.
	early := *e
	early.Journal = early.Journal[:len(early.Journal)-30]
	if err := os.RemoveAll(filepath.Join(two, "mimpi-kiosk")); err != nil {
		t.Fatal(err)
	}
	write(t, &early, two, key)
	var first *Screening
	for _, order := range [][]string{{one, two, three}, {three, two, one, one}, {two, three, filepath.Join(one, "mimpi-kiosk"), one}} {
		r := collect(t, Options{}, order...)
		expect(t, r, 1)
		if r.Twice != 2 || r.Screenings[0].Copies != 3 || r.Screenings[0].People() != people(e) || r.Screenings[0].Key != key.Public() {
			t.Errorf("%v: %+v", order, r.Screenings[0])
		}
		if first == nil {
			first = r.Screenings[0]
		} else if first.Digest != r.Screenings[0].Digest {
			t.Error("another copy counts when the sticks come in another order")
		}
	}
}

func TestTimesPutRightAreTheSameHistory(t *testing.T) {
	e, key := evening(t, 2), newKey(t)
	later := *e
	later.Journal = slices.Clone(e.Journal)
	for i := range later.Journal {
		later.Journal[i].Stamp.At = later.Journal[i].Stamp.At.Add(11 * time.Hour)
		later.Journal[i].Stamp.Clock = screening.ClockSynced
	}
	one, two := t.TempDir(), t.TempDir()
	write(t, e, one, key)
	write(t, &later, two, key)
	r := collect(t, Options{}, one, two)
	expect(t, r, 1)
	if r.Twice != 1 {
		t.Errorf("%d copies twice", r.Twice)
	}
}

func TestTwoHistoriesAreNeverMerged(t *testing.T) {
	e := evening(t, 3)
	changes := map[string]func(*province.Evening){
		"another person came": func(o *province.Evening) {
			for i, r := range o.Journal {
				if c, ok := r.Event.(screening.AttendeeCounted); ok {
					other := map[string]string{"woman": "man", "man": "woman", "girl": "boy", "boy": "girl"}[c.Category]
					o.Journal[i].Event = screening.AttendeeCounted{Category: other}
					return
				}
			}
		},
		"another answer": func(o *province.Evening) {
			for i, r := range o.Journal {
				if b, ok := r.Event.(screening.BallotCast); ok && len(b.Choices) > 0 && b.Choices[0] == "a" {
					b.Choices = []string{"b"}
					o.Journal[i].Event = b
					return
				}
			}
		},
		"another answer, and it went on": func(o *province.Evening) {
			for i, r := range o.Journal {
				if b, ok := r.Event.(screening.BallotCast); ok && len(b.Choices) > 0 && b.Choices[0] == "a" {
					b.Choices = []string{"b"}
					o.Journal[i].Event = b
					break
				}
			}
			last := o.Journal[len(o.Journal)-1]
			last.Seq++
			last.Event = screening.AttendanceCorrected{Category: "man", Delta: 1, Reason: "x"}
			o.Journal = append(o.Journal, last)
		},
		"another boot":   func(o *province.Evening) { o.Journal[9].Stamp.Boot = "boot-other" },
		"another moment": func(o *province.Evening) { o.Journal[9].Stamp.Mono++ },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			other := *e
			other.Journal = slices.Clone(e.Journal)
			change(&other)
			for signed, want := range map[string]int{"none": 0, "both": 0, "one": 1} {
				one, two, key := t.TempDir(), t.TempDir(), newKey(t)
				switch signed {
				case "none":
					write(t, e, one, nil)
					write(t, &other, two, nil)
				case "both":
					write(t, e, one, key)
					write(t, &other, two, key)
				case "one":
					write(t, e, one, key)
					write(t, &other, two, nil)
				}
				r := collect(t, Options{}, two, one)
				level := map[int]string{0: "missing histories", 1: "doubt histories"}[want]
				expect(t, r, want, level)
				if want == 1 && r.Screenings[0].People() != people(e) {
					t.Error("the one that is not signed counts")
				}
				if p := r.Problems[0]; !strings.Contains(p.What.EN, one) || !strings.Contains(p.What.EN, two) {
					t.Errorf("not both places are named: %s", p.What.EN)
				}
			}
		})
	}
}

func TestDamageIsNamedAndTheRestGoesOn(t *testing.T) {
	key := newKey(t)
	swap := func(name, from, to string) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) {
			file := filepath.Join(folder, name)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(b), from, to, 1)
			if changed == string(b) {
				t.Fatalf("%q is not in %s", from, name)
			}
			if err := os.WriteFile(file, []byte(changed), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	remove := func(name string) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) {
			if err := os.Remove(filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	link := func(name, to string) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) {
			remove(name)(t, folder)
			if err := os.Symlink(to, filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// forge changes a file and makes new checksums, as somebody would who knows how.
	forge := func(name, from, to string) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) {
			old, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			swap(name, from, to)(t, folder)
			changed, err := os.ReadFile(filepath.Join(folder, name))
			if err != nil {
				t.Fatal(err)
			}
			swap("SHA256SUMS", hexSum(old), hexSum(changed))(t, folder)
		}
	}
	unsign := func(then func(t *testing.T, folder string)) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) {
			forge("summary.json", `"publicKey": "`+key.Public()+`",`, "")(t, folder)
			remove("SHA256SUMS.minisig")(t, folder)
			then(t, folder)
		}
	}
	for name, c := range map[string]struct {
		harm  func(t *testing.T, folder string)
		lost  int
		wants []string
	}{
		"one bit of the journal":            {swap("events.jsonl", `"seq":7`, `"seq":8`), 1, []string{"missing checksum"}},
		"journal gone":                      {remove("events.jsonl"), 1, []string{"missing unreadable"}},
		"summary changed":                   {swap("summary.json", `"net": `, `"net": 1`), 1, []string{"missing checksum"}},
		"table changed":                     {swap("attendance.csv", "public", "pubbic"), 0, []string{"doubt checksum"}},
		"report gone":                       {remove("report.html"), 0, []string{"doubt checksum"}},
		"checksums gone":                    {remove("SHA256SUMS"), 1, []string{"missing unreadable"}},
		"checksums are rubbish":             {swap("SHA256SUMS", "  ", " \x00"), 1, []string{"missing checksum"}},
		"checksums lead out":                {swap("SHA256SUMS", "  attendance.csv", "  ../../../../etc/passwd"), 1, []string{"missing checksum"}},
		"signature gone":                    {remove("SHA256SUMS.minisig"), 1, []string{"missing signature"}},
		"forged, but not signed":            {forge("summary.json", `"total": `, `"total": 1`), 1, []string{"missing signature"}},
		"forged table, and signature kept":  {forge("attendance.csv", "public", "pubbic"), 1, []string{"missing signature"}},
		"forged summary, signature removed": {unsign(forge("summary.json", `"total": `, `"total": 1`)), 1, []string{"missing figures"}},
		"a line cut out, signature removed": {unsign(forge("events.jsonl", `{"seq":9,`, `{"seq":9999999,`)), 1, []string{"missing journal"}},
		"journal is a link":                 {link("events.jsonl", "/etc/passwd"), 1, []string{"missing unreadable"}},
		"summary is a link inside":          {link("summary.json", "events.jsonl"), 1, []string{"missing unreadable"}},
	} {
		t.Run(name, func(t *testing.T) {
			stick, elsewhere := t.TempDir(), t.TempDir()
			good := evening(t, 4)
			bad := evening(t, 5)
			bad.Journal[1] = withAudience(bad.Journal[1])
			write(t, good, stick, key)
			folder := write(t, bad, stick, key)
			c.harm(t, folder)
			r := collect(t, Options{}, stick)
			expect(t, r, 2-c.lost, c.wants...)
			for _, p := range r.Problems {
				if p.Path != folder || p.Screening != bad.ID {
					t.Errorf("named %s of %s, want %s of %s", p.Path, p.Screening, folder, bad.ID)
				}
			}
			// With a sound copy elsewhere nothing is lost; what people read is named all the same.
			write(t, bad, elsewhere, key)
			r = collect(t, Options{}, stick, elsewhere)
			if len(r.Screenings) != 2 || r.Bad() != 1-c.lost {
				t.Errorf("with a sound copy: %d screenings, %v", len(r.Screenings), kinds(r))
			}
		})
	}
}

func withAudience(r screening.Recorded) screening.Recorded {
	p := r.Event.(screening.ScreeningPlanned)
	p.Details.Audience = screening.Public
	r.Event = p
	return r
}

func read(t *testing.T, folder, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
