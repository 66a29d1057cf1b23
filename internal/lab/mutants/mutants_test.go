package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

const fixture = "testdata/module"

func loadFixture(t *testing.T, parts ...string) *program {
	t.Helper()
	p, err := load(t.Context(), fixture, []string{"./..."}, parts)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Each line of package each names the mutants that there must be, and there are no others.
func TestOperators(t *testing.T) {
	name := filepath.Join(fixture, "each", "each.go")
	source, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	above := ""
	lines := bufio.NewScanner(bytes.NewReader(source))
	for n := 1; lines.Scan(); n++ {
		text := lines.Text()
		code, comment, _ := strings.Cut(text, "//")
		if strings.TrimSpace(code) == "" { // of the next line
			above = comment
			continue
		}
		if n > 5 {
			for w := range strings.SplitSeq(above+comment, " | ") {
				if w = strings.TrimSpace(w); w != "" {
					want = append(want, fmt.Sprintf("%d %s", n, w))
				}
			}
		}
		above = ""
	}
	var got []string
	used := map[string]bool{}
	for _, s := range loadFixture(t, "each").sites {
		after, _, _ := strings.Cut(s.After, "//")
		got = append(got, strings.TrimSpace(fmt.Sprintf("%d %s: %s", s.Line, s.Operator, strings.TrimSpace(after))))
		used[s.Operator] = true
		if _, err := os.Stat(filepath.Join(fixture, s.File)); err != nil {
			t.Error(err)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("mutants (-want +got):\n%s", d)
	}
	for _, o := range operators {
		if !used[o[0]] {
			t.Errorf("operator %q is not tried", o[0])
		}
		delete(used, o[0])
	}
	if len(used) > 0 {
		t.Errorf("operators that are not in the list: %v", used)
	}
}

// The text that a site makes is the source with that line changed.
func TestApply(t *testing.T) {
	source, err := os.ReadFile(filepath.Join(fixture, "score", "score.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range loadFixture(t, "score").sites {
		if s.Operator == "arithmetic" {
			want := "@@ line 6 @@\n-\treturn n * 2\n+\treturn n / 2\n"
			if got := diff(source, s.apply(source)); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			return
		}
	}
	t.Error("no site for *")
}

func TestDrawIsThatOfTheSeed(t *testing.T) {
	p := loadFixture(t)
	names := func(seed uint64) (of []string) {
		for _, s := range draw(p.sites, seed) {
			of = append(of, s.File+":"+s.key())
		}
		return of
	}
	first := names(1)
	if d := cmp.Diff(first, names(1)); d != "" {
		t.Errorf("the same seed gave another draw:\n%s", d)
	}
	if slices.Equal(first, names(2)) {
		t.Error("another seed gave the same draw")
	}
	lines, keys := map[string]bool{}, map[string]bool{}
	for _, s := range p.sites {
		lines[fmt.Sprint(s.File, s.Line)] = true
		if keys[s.key()] {
			t.Errorf("two sites have one key: %s", s.key())
		}
		keys[s.key()] = true
	}
	if len(first) != len(lines) {
		t.Errorf("%d sites were drawn, of %d lines", len(first), len(lines))
	}
	for _, s := range first {
		for _, no := range []string{"generated", "modeltest", "lab/", "_test.go"} {
			if strings.Contains(s, no) {
				t.Errorf("drawn: %s", s)
			}
		}
	}
}

func TestTestsFor(t *testing.T) {
	p := loadFixture(t)
	want := []string{"example.test/fixture/score", "example.test/fixture/board"}
	if d := cmp.Diff(want, p.testsFor("example.test/fixture/score")); d != "" {
		t.Error(d)
	}
	if got := p.testsFor("example.test/fixture/each"); len(got) != 0 {
		t.Errorf("tests of a package without tests: %v", got)
	}
}

func fixtureRun(t *testing.T, parts ...string) options {
	dir := t.TempDir()
	return options{seed: 1, count: 1000, parts: parts, root: fixture, patterns: []string{"./..."},
		results: filepath.Join(dir, "results"), judged: filepath.Join(dir, "judged.txt"), spare: 3 * time.Second, out: io.Discard}
}

// Killed by its own tests, by an importer's, not at all; the same again from the journal, judged.
func TestRun(t *testing.T) {
	before, err := digests(fixture)
	if err != nil {
		t.Fatal(err)
	}
	o := fixtureRun(t, "score")
	got, err := run(t.Context(), o)
	if got == nil || err == nil || !strings.Contains(err.Error(), "66.7 %") {
		t.Fatalf("two of three were killed, and the error is %v", err)
	}
	outcome := map[string]string{}
	for _, r := range slices.Concat(got.killed, got.survivors) {
		outcome[r.Site.Func] = r.Outcome + r.by()
	}
	want := map[string]string{"Double": "killed (score TestDouble)", "Name": "killed (board TestTitle)", "Bonus": "survived"}
	if d := cmp.Diff(want, outcome); d != "" {
		t.Errorf("outcomes (-want +got):\n%s", d)
	}
	if r := got.survivors; len(r) != 1 || r[0].Diff != "@@ line 16 @@\n-\treturn 7\n+\treturn (7 + 1)\n" || !slices.Equal(r[0].Passed, []string{"score", "board"}) {
		t.Errorf("survivors: %+v", r)
	}
	after, err := digests(fixture)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("files of the working tree:\n%s", d)
	}

	quick := o
	quick.own = true
	if got, _ := run(t.Context(), quick); got == nil || got.all.killed != 1 || len(got.survivors) != 2 {
		t.Errorf("own tests alone kill one of three: %+v", got)
	}

	line, err := os.ReadFile(filepath.Join(o.results, "1-score-unjudged.txt"))
	if err != nil {
		t.Fatal(err)
	}
	judgedAs := func(c class) {
		t.Helper()
		text := string(c) + strings.TrimSuffix(strings.TrimPrefix(string(line), "?"), "\n") + "because\n"
		if err := os.WriteFile(o.judged, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	o.out = &out
	judgedAs(boundary)
	if _, err := run(t.Context(), o); err != nil {
		t.Errorf("the survivor is harmless, and the error is %v", err)
	}
	if !strings.Contains(out.String(), "3 mutants were tried before") || strings.Contains(out.String(), " killed      ") {
		t.Errorf("a second run did not go on from the journal:\n%s", &out)
	}
	report, err := os.ReadFile(filepath.Join(o.results, "1-score.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"boundary  score/score.go:16  constant, in Bonus\n", "Tests that saw nothing: score board\n", "2/2 = 100 %", "score/score.go:11 constant (board TestTitle)\n"} {
		if !strings.Contains(string(report), want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
	judgedAs(real)
	if _, err := run(t.Context(), o); err == nil {
		t.Error("the survivor is a hole, and there is no error")
	}
}

// A fault that makes a loop without end is killed by time, and nothing runs on.
func TestOutOfTime(t *testing.T) {
	if err := adopt(); err != nil {
		t.Fatal(err)
	}
	got, err := run(t.Context(), fixtureRun(t, "slow"))
	if got == nil {
		t.Fatal(err)
	}
	endless := slices.IndexFunc(got.killed, func(r result) bool { return r.Site.Before == "n--" })
	if endless < 0 || !got.killed[endless].Timeout || got.all.timeouts == 0 {
		t.Errorf("killed: %+v", got.killed)
	}
	names, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if line, err := os.ReadFile(name); err == nil && strings.Contains(string(line), "31.41592653") {
			t.Errorf("still runs: %q", line)
		}
	}
}

// A test that fails the first time, without a fault and of each mutant, kills nothing.
func TestFlaky(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS(fixture)); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`package board

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFlaky(t *testing.T) {
	seen := filepath.Join(%q, strings.ReplaceAll(os.Getenv("GOFLAGS"), "/", "_")+".seen")
	if _, err := os.Stat(seen); err != nil {
		os.WriteFile(seen, nil, 0o644)
		t.Error("by chance")
	}
}
`, t.TempDir())
	if err := os.WriteFile(filepath.Join(root, "board", "flaky_test.go"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	o := fixtureRun(t, "score")
	o.root = root
	got, err := run(t.Context(), o)
	if got == nil {
		t.Fatal(err)
	}
	if got.all.killed != 2 || len(got.survivors) != 1 {
		t.Errorf("%+v", got.all)
	}
	report, err := os.ReadFile(filepath.Join(o.results, "1-score.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "failed once without a fault:\n  board --- FAIL: TestFlaky\n"; !strings.Contains(string(report), want) {
		t.Errorf("the report lacks %q:\n%s", want, report)
	}
}

// Copies of the fixture, with what must end a run.
func TestErrors(t *testing.T) {
	for name, c := range map[string]struct {
		file, text, want string
	}{
		"tests that fail anyhow": {"score/wrong_test.go", "package score\n\nimport \"testing\"\n\nfunc TestWrong(t *testing.T) { t.Error(\"always\") }\n",
			"the tests of score fail without any fault"},
		"tests that write into the tree": {"score/write_test.go", "package score\n\nimport (\n\t\"os\"\n\t\"testing\"\n)\n\nfunc TestWrite(t *testing.T) { os.WriteFile(\"left.txt\", nil, 0o644) }\n",
			"score/left.txt"},
		"code that does not compile": {"score/wrong.go", "package score\n\nvar x int = \"\"\n", "wrong.go:3"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := os.CopyFS(root, os.DirFS(fixture)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(root, c.file), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			o := fixtureRun(t, "score")
			o.root = root
			if _, err := run(t.Context(), o); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// Nothing was asked for: that must not pass.
func TestNothingToDo(t *testing.T) {
	none, elsewhere := fixtureRun(t, "score"), fixtureRun(t, "score", "scores")
	none.count = 0
	for o, want := range map[*options]string{&none: "0 mutants", &elsewhere: `"scores"`} {
		if _, err := run(t.Context(), *o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// A mutant that does not compile is drawn again, and counts for nothing.
func TestInvalid(t *testing.T) {
	results := []result{{Outcome: invalid}, {Outcome: killed}, {Outcome: invalid}, {Outcome: survived}, {Outcome: killed}}
	for count, want := range []int{0, 2, 4, 5, 5} {
		if got := tried(results, count); got != want {
			t.Errorf("%d valid ones need %d results, want %d", count, got, want)
		}
	}
	got := newTally(results, judgements{})
	if got.valid() != 3 || got.all.killed != 2 || got.all.met() != 3 {
		t.Errorf("%+v", got.all)
	}
}

func TestRate(t *testing.T) {
	c := count{killed: 23, survived: map[class]int{equivalent: 5, boundary: 5, wording: 5, speed: 5, cosmetic: 1, real: 1}}
	if got := (&tally{all: c}).verdict(); got != nil {
		t.Errorf("23 of 25 are 92 %%: %v", got)
	}
	c.survived[unjudged]++
	if got := (&tally{all: c}).verdict(); got == nil || !strings.Contains(got.Error(), "88.5 %") {
		t.Errorf("23 of 26: %v", got)
	}
	if got := (&count{}).rate(); got != 100 {
		t.Errorf("of none: %v", got)
	}
}

func TestReadJudged(t *testing.T) {
	name := filepath.Join(t.TempDir(), "judged.txt")
	line := "real\tweb\tserve\tboundary\t1\tif a < b {\tif a <= b {\twhy\n"
	for text, want := range map[string]string{
		"# a remark\n\n" + line: "",
		line + line:             ":2: judged twice",
		"unjudged" + strings.TrimPrefix(line, "real"): `:1: class "unjudged"`,
		"real\tweb\n":                       ":1: a line has eight fields",
		strings.Replace(line, "why", "", 1): ":1: a line has eight fields",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		j, err := readJudged(name)
		switch {
		case want != "":
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: got %v, want %q", text, err, want)
			}
		case err != nil:
			t.Error(err)
		default:
			s := site{Package: "web", Func: "serve", Operator: "boundary", Nth: 1, Before: "if a < b {", After: "if a <= b {"}
			if j[s.key()] != real {
				t.Errorf("judgements: %v", j)
			}
			if gone := j.stale(nil); len(gone) != 1 {
				t.Errorf("no longer in the code: %v", gone)
			}
			if gone := j.stale([]site{s}); len(gone) != 0 {
				t.Errorf("no longer in the code: %v", gone)
			}
		}
	}
}

// The judgements in git can be read.
func TestJudged(t *testing.T) {
	if _, err := readJudged("judged.txt"); err != nil {
		t.Error(err)
	}
}

// Mounts and loop devices below the temporary folder of a test that was cut short are taken down.
func TestRelease(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root mounts")
	}
	dir := t.TempDir()
	image, mounted := filepath.Join(dir, "image"), filepath.Join(dir, "mounted")
	if err := errors.Join(os.WriteFile(image, make([]byte, 1<<20), 0o644), os.Mkdir(mounted, 0o755), unix.Mount("none", mounted, "tmpfs", 0, "")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("losetup", "--find", image).CombinedOutput(); err != nil {
		t.Fatalf("losetup: %v\n%s", err, out)
	}
	if err := release(dir); err != nil {
		t.Error(err)
	}
	if out, err := exec.Command("losetup", "--associated", image).Output(); err != nil || len(out) > 0 {
		t.Errorf("loop devices that are left: %s, %v", out, err)
	}
	if mounts, err := os.ReadFile("/proc/self/mounts"); err != nil || strings.Contains(string(mounts), mounted) {
		t.Errorf("still mounted, %v", err)
	}
}
