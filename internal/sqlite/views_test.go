package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// finals gives the state at the end of each screening, newest first.
func finals(events []screening.Recorded) []*screening.State {
	var out []*screening.State
	s := screening.NewState()
	for _, r := range events {
		if _, ok := r.Event.(screening.ScreeningPlanned); ok && s.Screening != nil {
			out = append(out, s.Copy())
		}
		s.Apply(r)
	}
	out = append(out, s.Copy())
	slices.Reverse(out)
	return out
}

// table gives the rows of a query, each in one line.
func table(t *testing.T, db *sql.DB, query string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	out := []string{}
	for rows.Next() {
		cells, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		out = append(out, strings.TrimSuffix(fmt.Sprintln(cells...), "\n"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func line(cells ...any) string { return strings.TrimSuffix(fmt.Sprintln(cells...), "\n") }

// TestViewsAgreeWithTheRules plays random evenings and compares the views, which
// know only the journal, with the State that the rules made of the same events.
func TestViewsAgreeWithTheRules(t *testing.T) {
	evenings := 0
	for seed := range uint64(6) {
		k := journaltest.Evenings(seed, 4, 400)
		j := mustOpen(t, filled(t, k.Events))
		var attendance, results []string
		for _, s := range slices.Backward(finals(k.Events)) {
			if s.Screening.Rehearsal {
				continue
			}
			evenings++
			attendance = append(attendance, attendanceOf(s)...)
			results = append(results, resultsOf(s)...)
		}
		if len(results) == 0 {
			t.Fatalf("seed %d: no questions were asked", seed)
		}
		same(t, seed, table(t, j.read, `SELECT * FROM attendance`), attendance)
		same(t, seed, table(t, j.read, `SELECT screening, question, round, step, option, ballots, hands, round_ballots FROM poll_results`), results)
		byChannel(t, j.read, k.Events)
		for _, s := range finals(k.Events) {
			replayed(t, j, s)
		}
		listed(t, j, finals(k.Events))
	}
	if evenings < 10 {
		t.Errorf("only %d evenings were no rehearsals", evenings)
	}
}

func attendanceOf(s *screening.State) []string {
	var out []string
	for i, c := range s.Attendance.Categories {
		p := s.Screening.Programme.Categories[i]
		out = append(out, line(s.Screening.ID, c.ID, p.Sex, p.Age, c.Pressed+c.Undone, c.Undone, c.Corrected, c.Rows, c.Total()))
	}
	return out
}

func resultsOf(s *screening.State) []string {
	var out []string
	for _, q := range s.Questions {
		asked := s.Asked(q.ID)
		for _, r := range q.Rounds {
			for i, o := range asked.Options {
				hands := 0
				if r.Hands != nil {
					hands = r.Hands[i]
				}
				out = append(out, line(s.Screening.ID, q.ID, r.N, r.Step, o.ID, r.Counts[i], hands, r.Ballots))
			}
			out = append(out, line(s.Screening.ID, q.ID, r.N, r.Step, "(skipped)", r.Skipped, 0, r.Ballots))
		}
	}
	return out
}

const allPhases = `SELECT screening, question, round, answered, phase FROM all_poll_rounds`

func phasesOf(s *screening.State) []string {
	var out []string
	for i := range s.Questions {
		q := &s.Questions[i]
		for j, phase := range s.Phases(q) {
			out = append(out, line(s.Screening.ID, q.ID, q.Rounds[j].N, q.Rounds[j].Answered(), phase))
		}
	}
	return out
}

// TestPhasesAgreeWithTheRules plays evenings in which the film, the results and the running
// totals come at any time.
func TestPhasesAgreeWithTheRules(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(14) {
		k := journaltest.Showings(seed, 5, 120)
		j := mustOpen(t, filled(t, k.Events))
		var want []string
		wanted := map[string]string{}
		for _, s := range finals(k.Events) {
			want = append(want, phasesOf(s)...)
			if s.Showing.Ended != 0 {
				wanted[s.Screening.ID] = line(s.Screening.ID, s.Showing.Began, s.Showing.Ended)
				seen["whole film"]++
			}
			for i := range s.Questions {
				if q := &s.Questions[i]; len(q.Rounds) > 0 && s.Spoilt(q) {
					seen["spoilt"]++
				}
				for j, phase := range s.Phases(&s.Questions[i]) {
					seen["phase "+string(phase)]++
					if s.Questions[i].Rounds[j].TotalsShown {
						seen["totals"]++
					}
				}
			}
		}
		same(t, seed, table(t, j.read, `SELECT screening, began, ended FROM all_showings`), slices.Collect(maps.Values(wanted)))
		same(t, seed, table(t, j.read, allPhases), want)
		same(t, seed, table(t, j.read, `SELECT DISTINCT screening, question, round, phase FROM all_poll_results`),
			table(t, j.read, `SELECT screening, question, round, phase FROM all_poll_rounds`))
	}
	for _, what := range []string{"whole film", "spoilt", "totals", "phase ", "phase before", "phase after", "phase after_talking"} {
		if seen[what] < 5 {
			t.Errorf("%q was met %d times: %v", what, seen[what], seen)
		}
	}
}

// same compares without regard to order: the views order rounds by when they were
// opened.
func same(t *testing.T, seed uint64, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("seed %d: line %d\ngot\n%s\nwant\n%s", seed, i+1, strings.Join(got[i:min(i+5, len(got))], "\n"), strings.Join(want[i:min(i+5, len(want))], "\n"))
		}
	}
}

// byChannel compares the channels, which the State holds per round only, for
// questions of one choice: there options and people are the same number.
func byChannel(t *testing.T, db *sql.DB, events []screening.Recorded) {
	t.Helper()
	for _, s := range finals(events) {
		for _, q := range s.Questions {
			if s.Screening.Rehearsal || s.Asked(q.ID).Kind == screening.Several {
				continue
			}
			for _, r := range q.Rounds {
				got := table(t, db, `SELECT sum(touch), sum(phone), sum(button), sum(hands) FROM poll_results WHERE screening = ? AND question = ? AND round = ?`, s.Screening.ID, q.ID, r.N)
				want := line(r.ByChannel[screening.ByTouch], r.ByChannel[screening.ByPhone], r.ByChannel[screening.ByButton], r.ByChannel[screening.ByHands])
				if got[0] != want {
					t.Errorf("%s %s round %d: channels %s, want %s", s.Screening.ID, q.ID, r.N, got[0], want)
				}
			}
		}
	}
}

// replayed compares the state that Events gives with the one at the end of the
// screening, as far as it is reported.
func replayed(t *testing.T, j *Journal, want *screening.State) {
	t.Helper()
	got := screening.NewState()
	for r, err := range j.Events(t.Context(), want.Screening.ID) {
		if err != nil {
			t.Fatal(err)
		}
		got.Apply(r)
	}
	if g, w := fmt.Sprint(attendanceOf(got), resultsOf(got), got.Step, got.Kiosk), fmt.Sprint(attendanceOf(want), resultsOf(want), want.Step, want.Kiosk); g != w {
		t.Errorf("events of %s give\n%s, want\n%s", want.Screening.ID, g, w)
	}
}

func listed(t *testing.T, j *Journal, want []*screening.State) {
	t.Helper()
	rows, err := viewed(t.Context(), j)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := j.ScreeningIDs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(want) || len(ids) != len(want) {
		t.Fatalf("%d rows and %d ids, want %d", len(rows), len(ids), len(want))
	}
	for i, s := range want {
		d := s.Screening.Details
		w := row{
			ID: s.Screening.ID, Rehearsal: s.Screening.Rehearsal, HeldAt: d.HeldAt.UTC().Truncate(time.Second),
			StartedAt: s.Screening.PlannedAt.At.Truncate(time.Second), Regency: s.Screening.Regency(),
			Venue: d.Venue, Audience: d.Audience, Label: d.Label, Total: s.Attendance.Total(),
		}
		if e := s.Screening.EndedAt; e != nil {
			w.EndedAt = e.At.Truncate(time.Second)
		}
		if rows[i] != w || rows[i].Ended() != (s.Step == screening.Ended) || ids[i] != w.ID {
			t.Errorf("row %d is\n%+v, want\n%+v", i, rows[i], w)
		}
	}
}

func TestViewsAreReadableInTheShell(t *testing.T) {
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		t.Skip("no sqlite3 shell here")
	}
	events := []screening.Recorded{
		at(1, "", screening.KioskStarted{Kiosk: "k1"}),
		at(2, "s1", screening.ScreeningPlanned{Screening: "s1", Details: screening.Details{
			Regency: "sumba-barat-daya", Venue: "SMA 1", Audience: screening.Students, Label: "X-2",
			HeldAt: time.Date(2026, 11, 24, 15, 30, 0, 0, time.UTC)}, Programme: journaltest.Programme()}),
		at(3, "s1", screening.AttendeeCounted{Category: "girl"}),
		at(4, "s1", screening.AttendeeCounted{Category: "boy"}),
		at(5, "s1", screening.StepChanged{From: screening.SetUp, To: screening.Ended}),
		at(6, "s2", screening.ScreeningPlanned{Screening: "s2", Rehearsal: true, Details: screening.Details{Regency: "belu", HeldAt: time.Unix(0, 0)}, Programme: journaltest.Programme()}),
		at(7, "s2", screening.AttendeeCounted{Category: "boy"}),
	}
	path := filled(t, events)
	for query, want := range map[string]string{
		`SELECT * FROM screenings WHERE screening = 's1'`:                                            "s1|0|2026-11-24T23:30:00+08:00|2026-11-24T18:00:00+08:00|2026-11-24T18:00:00+08:00|sumba-barat-daya|Sumba Barat Daya|53.18|5317|SMA 1|students|X-2|2\n",
		`SELECT screening, rehearsal, regency, ended_at IS NULL, attendance IS NULL FROM screenings`: "s2|1|Belu|1|1\ns1|0|Sumba Barat Daya|0|0\n",
		`SELECT category, pressed, rows, net FROM attendance WHERE screening = 's1'`:                 "woman|0|0|0\nman|0|0|0\ngirl|1|0|1\nboy|1|0|1\n",
		`SELECT count(*) FROM attendance WHERE screening = 's2'`:                                     "0\n",
	} {
		out, err := exec.Command(shell, path, query).CombinedOutput()
		if err != nil || string(out) != want {
			t.Errorf("%s gave %v\n%s\nwant\n%s", query, err, out, want)
		}
	}
}

func at(seq int64, id string, e screening.Event) screening.Recorded {
	return screening.Recorded{
		Seq: seq, Stamp: screening.Stamp{At: time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC), Boot: "b", Clock: screening.ClockSynced},
		Screening: id, From: screening.FromKiosk, Event: e,
	}
}

// finalsOf gives the final state of each screening of a journal.
func finalsOf(t *testing.T, j *Journal) []*screening.State {
	t.Helper()
	ids, err := j.ScreeningIDs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []*screening.State
	for _, id := range ids {
		s := screening.NewState()
		for r, err := range j.Events(t.Context(), id) {
			if err != nil {
				t.Fatal(err)
			}
			s.Apply(r)
		}
		out = append(out, s)
	}
	return out
}

// row is a line of the views.
type row struct {
	ID        string
	Rehearsal bool
	HeldAt    time.Time // as the facilitator confirmed it
	StartedAt time.Time // when it was planned; whole seconds, like EndedAt
	EndedAt   time.Time // zero while it goes on
	Regency   screening.Regency
	Venue     string
	Audience  screening.AudienceKind
	Label     string
	Total     int // people who came, net of undone presses and corrections
}

// Ended says whether the screening is over.
func (r row) Ended() bool { return !r.EndedAt.IsZero() }

// viewed reads the view of all screenings, the newest first.
func viewed(ctx context.Context, j *Journal) ([]row, error) {
	rows, err := j.read.QueryContext(ctx, `
		SELECT s.screening, s.rehearsal, s.held_at, s.started_at, coalesce(s.ended_at, ''),
		       s.regency_id, coalesce(s.regency, ''), coalesce(s.kode_kemendagri, ''), coalesce(s.kode_bps, ''),
		       s.venue, s.audience, s.label, coalesce(a.net, 0)
		FROM all_screenings s
		LEFT JOIN (SELECT screening, sum(net) AS net FROM all_attendance GROUP BY screening) a ON a.screening = s.screening
		ORDER BY s.seq DESC`)
	if err != nil {
		return nil, classify(j.path, err)
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var r row
		err := rows.Scan(&r.ID, &r.Rehearsal, (*instant)(&r.HeldAt), (*instant)(&r.StartedAt), (*instant)(&r.EndedAt),
			&r.Regency.ID, &r.Regency.Name, &r.Regency.Kemendagri, &r.Regency.BPS,
			&r.Venue, &r.Audience, &r.Label, &r.Total)
		if err != nil {
			return nil, damaged(j.path, "list of screenings: %w", err)
		}
		out = append(out, r)
	}
	return out, classify(j.path, rows.Err())
}

// instant reads the times of the views.
type instant time.Time

func (i *instant) Scan(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("a time is %T", v)
	}
	if s == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, s)
	*i = instant(t.UTC())
	return err
}
