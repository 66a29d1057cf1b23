package collect

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pressly/goose/v3"
	"github.com/xuri/excelize/v2"

	"mimpi-kiosk/internal/collect/province"
	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// talked is an evening with all kinds of rounds of q1: 13 of 36 right before the film, 25
// of 31 after it, and 30 of 30 once the right answer was known. Of q2 nobody answered the
// first round, and the right answer of q3 was shown early, by an older kiosk.
func talked(id string, film bool) *journaltest.Kiosk {
	k := journaltest.NewKiosk("kiosk-1", time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC))
	do := func(c screening.Command) {
		if !k.Do(screening.FromFacilitator, c) {
			panic(fmt.Sprintf("%#v was refused", c))
		}
	}
	hands := func(q string, counts map[string]int) {
		do(screening.OpenQuestion{Question: q})
		do(screening.CloseQuestion{Question: q})
		do(screening.CountHands{Question: q, Counts: counts})
	}
	p := journaltest.Programme()
	p.Questions[2].Options[0].Right = true
	do(screening.PlanScreening{Screening: id, Programme: p, Details: screening.Details{
		Regency: "belu", Venue: "Balai", Audience: screening.Public, HeldAt: time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC)}})
	do(screening.MoveTo{Step: screening.PollBefore})
	hands("q1", map[string]int{"a": 13, "b": 23})
	hands("q3", map[string]int{"1": 20})
	last := k.Events[len(k.Events)-1]
	last.Seq, last.Command, last.Event = last.Seq+1, "early", screening.QuestionRevealed{Question: "q3", Round: 1}
	k.State.Apply(last)
	k.Events = append(k.Events, last)
	if film {
		do(screening.MoveTo{Step: screening.FilmStep})
		do(screening.PlayFilm{})
		k.Do(screening.FromPlayer, screening.FinishFilm{Epoch: k.State.Playback.Epoch, At: 600_000})
	}
	do(screening.MoveTo{Step: screening.Discussion})
	hands("q1", map[string]int{"a": 25, "b": 6})
	do(screening.RevealQuestion{Question: "q1"})
	hands("q1", map[string]int{"a": 28, "b": 2})
	do(screening.OpenQuestion{Question: "q1", NewRound: true})
	do(screening.CloseQuestion{Question: "q1"})
	do(screening.CountHands{Question: "q1", Counts: map[string]int{"a": 30}})
	do(screening.OpenQuestion{Question: "q2"})
	do(screening.CloseQuestion{Question: "q2"})
	do(screening.OpenQuestion{Question: "q2", NewRound: true})
	do(screening.CloseQuestion{Question: "q2"})
	do(screening.CountHands{Question: "q2", Counts: map[string]int{"a": 17}})
	hands("q3", map[string]int{"1": 19})
	do(screening.MoveTo{Step: screening.Ended})
	return k
}

func exported(t *testing.T, k *journaltest.Kiosk, stick string) (folder string) {
	t.Helper()
	return write(t, &province.Evening{ID: k.State.Screening.ID, Kiosk: "kiosk-1", Journal: k.Events}, stick, nil)
}

// figure is what an output says of a question and phase.
type figure struct {
	screenings, answered, right int
}

func TestOneRoundIsOneFigureInAllOutputs(t *testing.T) {
	stick := t.TempDir()
	exported(t, talked("s-one", true), stick)
	exported(t, talked("s-two", true), stick)
	exported(t, talked("s-none", false), stick) // no film
	r := collect(t, Options{}, stick)
	expect(t, r, 3)
	want := map[string]figure{
		"q1 before": {3, 108, 39}, "q1 after": {2, 62, 50}, "q1 after_talking": {3, 90, 90},
		"q2 after": {2, 34, 34}, "q2 after_talking": {1, 17, 17},
		"q3 after_talking": {3, 57, 57},
	}
	check := func(what string, got map[string]figure) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(figure{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	out := t.TempDir()
	if _, err := Write(out, r, Output{Made: made}); err != nil {
		t.Fatal(err)
	}

	var report struct {
		Answers []struct {
			Question, Phase string
			Screenings      int
			Options         []struct {
				ID    string
				Share struct{ Answered, Count int }
			}
		}
		Changes []struct {
			Question   string
			Screenings int
			Options    []struct{ Before, After struct{ Answered, Count int } }
		}
	}
	if err := json.Unmarshal([]byte(read(t, out, JSONFile)), &report); err != nil {
		t.Fatal(err)
	}
	got := map[string]figure{}
	for _, a := range report.Answers {
		got[a.Question+" "+a.Phase] = figure{a.Screenings, a.Options[0].Share.Answered, a.Options[0].Share.Count}
	}
	check(JSONFile, got)
	if len(report.Changes) != 1 || report.Changes[0].Screenings != 2 || report.Changes[0].Options[0].Before.Count != 26 ||
		report.Changes[0].Options[0].After.Count != 50 || report.Changes[0].Options[0].After.Answered != 62 {
		t.Errorf("changes: %+v", report.Changes)
	}

	// The table keeps all rounds, and says what each is; sums of one phase are the figures.
	table := excelRows(t, read(t, out, "poll_results.csv"))
	cell := func(row []string, name string) string { return row[slices.Index(table[0], name)] }
	phases := map[string][]string{}
	for _, row := range table[1:] {
		if id := cell(row, "session_id"); cell(row, "option") == "a" || cell(row, "option") == "'1" {
			phases[id+" "+cell(row, "question")] = append(phases[id+" "+cell(row, "question")], cell(row, "phase"))
		}
	}
	if diff := cmp.Diff(map[string][]string{
		"s-one q1": {"before", "after", "after_talking", "after_talking"}, "s-one q2": {"", "after"}, "s-one q3": {"after_talking", "after_talking"},
		"s-two q1": {"before", "after", "after_talking", "after_talking"}, "s-two q2": {"", "after"}, "s-two q3": {"after_talking", "after_talking"},
		"s-none q1": {"before", "after_talking", "after_talking", "after_talking"}, "s-none q2": {"", "after_talking"}, "s-none q3": {"after_talking", "after_talking"},
	}, phases); diff != "" {
		t.Errorf("poll_results.csv (-want +got):\n%s", diff)
	}

	f, err := excelize.OpenFile(filepath.Join(out, XLSXFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(sheetAnswers, excelize.Options{RawCellValue: true})
	if err != nil {
		t.Fatal(err)
	}
	got = map[string]figure{}
	names := map[string]string{"Sebelum film": "before", "Sesudah film": "after", "sesudah berbincang, atau ditanya lagi": "after_talking"}
	questions := map[string]string{"Satu jawaban?": "q1", "Beberapa jawaban?": "q2", "Seberapa yakin?": "q3"}
	for _, row := range rows {
		first := func(i int) string { line, _, _ := strings.Cut(row[i], "\n"); return line }
		if len(row) < 8 || questions[first(0)] == "" || first(2) != "Pilihan a" && first(2) != "Pilihan 1" {
			continue
		}
		var n figure
		fmt.Sscan(row[4], &n.screenings)
		fmt.Sscan(row[5], &n.answered)
		fmt.Sscan(row[6], &n.right)
		got[questions[first(0)]+" "+names[first(1)]] = n
	}
	check(sheetAnswers, got)
	change, err := f.GetRows(sheetChange, excelize.Options{RawCellValue: true})
	if err != nil || len(change) < 4 || !slices.Equal(change[3][3:6], []string{"2", "72", "26"}) || change[3][9] != "62" || change[3][10] != "50" {
		t.Errorf("%s: %v %q", sheetChange, err, change[3])
	}

	for _, s := range r.Screenings {
		if !strings.Contains(s.Quality, "answer_shown_early") || strings.Contains(s.Quality, "no_whole_film") != (s.ID == "s-none") || s.FilmFinished != (s.ID != "s-none") {
			t.Errorf("%s: quality %s, film finished %t", s.ID, s.Quality, s.FilmFinished)
		}
	}
	eachDatabase(t, func(t *testing.T, to string) {
		if _, err := Store(t.Context(), to, r); err != nil {
			t.Fatal(err)
		}
		check("poll_results", viewFigures(t, to))
	})
}

func eachDatabase(t *testing.T, test func(t *testing.T, to string)) {
	t.Run("SQLite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "x.sqlite")) })
	t.Run("PostgreSQL", func(t *testing.T) { test(t, startPostgres(t)) })
}

func viewFigures(t *testing.T, to string) map[string]figure {
	t.Helper()
	db, d, err := openDatabase(to)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`SELECT question, phase, screenings, answered, people FROM ` + d.schema + `poll_results WHERE "option" IN ('a', '1')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]figure{}
	for rows.Next() {
		var question, phase string
		var n figure
		if err := rows.Scan(&question, &phase, &n.screenings, &n.answered, &n.right); err != nil {
			t.Fatal(err)
		}
		got[question+" "+phase] = n
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return got
}

// The export of an older kiosk has no phases, no words about them, and says that the film
// was shown when it was skipped: the journal tells.
func TestOldExportsGiveTheRightFigures(t *testing.T) {
	stick := t.TempDir()
	folder := exported(t, talked("s-old", true), stick)
	rewrite(t, folder, func(s map[string]any) {
		for _, q := range s["questions"].([]any) {
			delete(q.(map[string]any), "answerShownEarly")
			for _, round := range q.(map[string]any)["rounds"].([]any) {
				delete(round.(map[string]any), "phase")
			}
		}
		s["quality"].(map[string]any)["notes"] = []any{"restarted"}
		s["film"].(map[string]any)["finished"] = false
	})
	r := collect(t, Options{}, stick)
	expect(t, r, 1)
	s := r.Screenings[0]
	if s.Quality != "restarted,answer_shown_early" || !s.FilmFinished {
		t.Errorf("quality %s, film finished %t", s.Quality, s.FilmFinished)
	}
	var got []screening.RoundPhase
	for _, round := range s.Rounds {
		got = append(got, round.Phase)
	}
	want := []screening.RoundPhase{"before", "after", "after_talking", "after_talking", "", "after", "after_talking", "after_talking"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("phases (-want +got):\n%s", diff)
	}
	// A summary that tells other phases is not believed, and not refused either.
	rewrite(t, folder, func(s map[string]any) {
		for _, q := range s["questions"].([]any) {
			for _, round := range q.(map[string]any)["rounds"].([]any) {
				round.(map[string]any)["phase"] = "after"
			}
		}
	})
	r = collect(t, Options{}, stick)
	expect(t, r, 1)
	if len(r.Screenings) == 1 && r.Screenings[0].Rounds[2].Phase != screening.AfterTalking {
		t.Errorf("the summary's phases were taken over: %+v", r.Screenings[0].Rounds)
	}
}

// rewrite changes the summary of an export that nobody signed, checksums included.
func rewrite(t *testing.T, folder string, change func(map[string]any)) {
	t.Helper()
	name := filepath.Join(folder, export.SummaryFile)
	old, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(old, &s); err != nil {
		t.Fatal(err)
	}
	change(s)
	content, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(folder, export.SumsFile))
	if err != nil {
		t.Fatal(err)
	}
	for path, b := range map[string][]byte{name: content, filepath.Join(folder, export.SumsFile): []byte(strings.ReplaceAll(string(sums), hexSum(old), hexSum(content)))} {
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// A database that an older mimpi-collect made is brought up to date, and its screenings are
// stored again although their exports are the same. Until then they are in no figure.
func TestOldDatabasesAreBroughtUpToDate(t *testing.T) {
	stick := t.TempDir()
	exported(t, talked("s-one", true), stick)
	r := collect(t, Options{}, stick)
	eachDatabase(t, func(t *testing.T, to string) {
		if _, err := Store(t.Context(), to, r); err != nil {
			t.Fatal(err)
		}
		want := viewFigures(t, to)
		if len(want) != 5 {
			t.Fatalf("%v", want)
		}
		db, d, err := openDatabase(to)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		files, err := fs.Sub(migrations, d.folder)
		if err != nil {
			t.Fatal(err)
		}
		p, err := goose.NewProvider(d.goose, db, files, goose.WithTableName(d.schema+"schema_version"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.DownTo(t.Context(), 2); err != nil {
			t.Fatal(err)
		}
		if n := number(t, db, `SELECT count(*) FROM `+d.schema+`poll_results WHERE before_film AND question = 'q1'`); n != 3 {
			t.Errorf("the view of version 2 has %d rows", n)
		}
		if err := migrate(t.Context(), db, d); err != nil {
			t.Fatal(err)
		}
		if got := viewFigures(t, to); len(got) != 0 {
			t.Errorf("figures of unknown rounds: %v", got)
		}
		if got, err := Store(t.Context(), to, &Result{}); err != nil || got.Old != 1 || len(got.Problems()) != 1 || got.Problems()[0].Kind != Outdated {
			t.Errorf("%+v %v", got, err)
		}
		if got, err := Store(t.Context(), to, r); err != nil || got.Changed != 1 || got.Old != 0 || len(got.Problems()) != 0 {
			t.Errorf("%+v %v", got, err)
		}
		if diff := cmp.Diff(want, viewFigures(t, to), cmp.AllowUnexported(figure{})); diff != "" {
			t.Errorf("figures (-want +got):\n%s", diff)
		}
		if got, err := Store(t.Context(), to, r); err != nil || got.Same != 1 {
			t.Errorf("%+v %v", got, err)
		}
	})
}
