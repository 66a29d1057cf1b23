package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(appendForEver); path != "" {
		appendAndPrint(path)
		return
	}
	goleak.VerifyTestMain(m)
}

func mustOpen(t testing.TB, path string) *Journal {
	t.Helper()
	j, err := Open(context.Background(), path)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() { j.Close() })
	return j
}

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "journal.db") }

// filled makes a journal with these events and closes it.
func filled(t testing.TB, events []screening.Recorded) string {
	t.Helper()
	path := newPath(t)
	j := mustOpen(t, path)
	if err := j.Append(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func replay(t testing.TB, j *Journal) []screening.Recorded {
	t.Helper()
	var out []screening.Recorded
	if err := j.Replay(t.Context(), func(r screening.Recorded) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestContract(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) (screening.Journal, func() screening.Journal) {
		path := newPath(t)
		j := mustOpen(t, path)
		return j, func() screening.Journal {
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			j = mustOpen(t, path)
			return j
		}
	})
}

func TestEveryConnectionIsDurable(t *testing.T) {
	j := mustOpen(t, newPath(t))
	j.read.SetMaxIdleConns(0) // each look is at a new connection
	for name, db := range map[string]*sql.DB{"write": j.write, "read": j.read} {
		for range 3 {
			var conns []*sql.Conn
			for range db.Stats().MaxOpenConnections {
				c, err := db.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				conns = append(conns, c)
				for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1", "busy_timeout": "2000"} {
					var got string
					if err := c.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
						t.Errorf("%s connection: %s is %q (%v), want %q", name, pragma, got, err, want)
					}
				}
			}
			for _, c := range conns {
				c.Close()
			}
		}
	}
	if n := j.write.Stats().MaxOpenConnections; n != 1 {
		t.Errorf("%d connections may write, want 1", n)
	}
	if _, err := j.read.Exec(`INSERT INTO probe VALUES (1, 1)`); err == nil {
		t.Error("a reading connection wrote")
	}
}

func TestEventsAreNeverChanged(t *testing.T) {
	j := mustOpen(t, filled(t, journaltest.Evenings(1, 1, 50).Events))
	for _, statement := range []string{
		`UPDATE events SET at = 0 WHERE seq = 1`, `DELETE FROM events WHERE seq = 1`, `DELETE FROM events`,
		`INSERT INTO events SELECT 100000, at, boot, mono, clock, screening, NULL, source, kind, 'not json' FROM events LIMIT 1`,
		`INSERT INTO events SELECT 100000, 'yesterday', boot, mono, clock, screening, NULL, source, kind, data FROM events LIMIT 1`,
	} {
		if _, err := j.write.Exec(statement); err == nil {
			t.Errorf("%s: was let through", statement)
		}
	}
}

func TestNewestIsTheLastMigration(t *testing.T) {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		t.Fatal(err)
	}
	if last := files[len(files)-1].Name(); len(files) != newest || !strings.HasPrefix(last, "00002_") {
		t.Errorf("newest is %d but the last of %d migrations is %s", newest, len(files), last)
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	path := newPath(t)
	j := mustOpen(t, path)
	_, err := Open(t.Context(), path)
	var f *Fault
	if !errors.As(err, &f) || f.Reason != InUse {
		t.Fatalf("got %v, want %s", err, InUse)
	}
	for lang, s := range f.Message() {
		if !strings.Contains(s, path) || strings.Contains(s, "{") {
			t.Errorf("%s: %s", lang, s)
		}
	}
	if err := j.Append(t.Context(), journaltest.Evenings(1, 1, 5).Events); err != nil {
		t.Errorf("the first was disturbed: %v", err)
	}
	if _, err := SetAside(path); !errors.As(err, &f) || f.Reason != InUse {
		t.Errorf("set aside under another's hands: %v", err)
	}
	j.Close()
	mustOpen(t, path)
}

func TestEveryReasonHasItsSentences(t *testing.T) {
	for _, reason := range []Reason{InUse, TooNew, Damaged, Missing, Foreign, Full, ReadOnly, Busy, Unusable} {
		for _, lang := range []string{"id", "en"} {
			s := fault(reason, "/data/journal.db", nil, "{pid}", "42", "{found}", "9").Message()[lang]
			if !strings.Contains(s, "/data/journal.db") || strings.ContainsAny(s, "{}") {
				t.Errorf("%s %s: %q", reason, lang, s)
			}
		}
	}
}

func TestNewerJournalIsNotTouched(t *testing.T) {
	path := filled(t, journaltest.Evenings(1, 1, 20).Events)
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (?, 1)`, newest+1); err != nil {
		t.Fatal(err)
	}
	db.Close()
	before, _ := os.ReadFile(path)
	_, err = Open(t.Context(), path)
	var f *Fault
	if !errors.As(err, &f) || f.Reason != TooNew {
		t.Fatalf("got %v, want %s", err, TooNew)
	}
	after, _ := os.ReadFile(path)
	if string(before) != string(after) {
		t.Error("the file was changed")
	}
}

func TestUnknownEventIsOfANewerVersion(t *testing.T) {
	j := mustOpen(t, filled(t, journaltest.Evenings(1, 1, 20).Events))
	if _, err := j.write.Exec(`INSERT INTO events SELECT seq + 1, at, boot, mono, clock, screening, NULL, source, 'TeaServed', '{}' FROM events ORDER BY seq DESC LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	err := j.Replay(t.Context(), func(screening.Recorded) error { return nil })
	var f *Fault
	if !errors.As(err, &f) || f.Reason != TooNew || !strings.Contains(err.Error(), "TeaServed") {
		t.Fatalf("got %v, want %s", err, TooNew)
	}
	if unknown := (screening.UnknownEvent{}); !errors.As(err, &unknown) {
		t.Errorf("%v hides its cause", err)
	}
}

func TestForeignDatabaseIsNotTouched(t *testing.T) {
	path := newPath(t)
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE holiday_pictures (id)`); err != nil {
		t.Fatal(err)
	}
	db.Close()
	before, _ := os.ReadFile(path)
	_, err = Open(t.Context(), path)
	var f *Fault
	if !errors.As(err, &f) || f.Reason != Foreign {
		t.Fatalf("got %v, want %s", err, Foreign)
	}
	if after, _ := os.ReadFile(path); string(before) != string(after) {
		t.Error("the file was changed")
	}
	if _, err := Open(t.Context(), t.TempDir()); !errors.As(err, &f) || f.Reason != Foreign {
		t.Errorf("a directory gave %v, want %s", err, Foreign)
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "missing", "journal.db")); !errors.As(err, &f) || f.Reason != Unusable {
		t.Errorf("a missing directory gave %v, want %s", err, Unusable)
	}
}

func TestOddPathsAndEmptyFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%e&mode=memory")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "journal.db")
	if err := os.WriteFile(path, nil, 0o644); err != nil { // the power failed at the very first start
		t.Fatal(err)
	}
	j := mustOpen(t, path)
	if o := j.Opened(); !o.New || o.SetAside != "" || o.Notice() != nil {
		t.Errorf("opened %+v", o)
	}
	events := journaltest.Evenings(1, 1, 20).Events
	if err := j.Append(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	j.Close()
	if i, err := os.Stat(path); err != nil || i.Size() < 1000 {
		t.Errorf("nothing in %s: %v %v", path, i, err)
	}
	if o := mustOpen(t, path).Opened(); o.New {
		t.Errorf("opened %+v the second time", o)
	}
}

// explain gives the plan of a query in one line.
func explain(t *testing.T, db *sql.DB, query string, args ...any) string {
	t.Helper()
	rows, err := db.Query("EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan []string
	for rows.Next() {
		var a, b, c int
		var s string
		if err := rows.Scan(&a, &b, &c, &s); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, s)
	}
	return strings.Join(plan, "\n")
}

func TestAStartReadsNoWholeTable(t *testing.T) {
	j := mustOpen(t, newPath(t))
	for _, query := range []string{
		`SELECT max(seq) FROM events`,
		`SELECT max(seq) FROM events WHERE kind = 'ScreeningPlanned'`,
		`SELECT max(seq) FROM events WHERE kind = 'ClockSet' AND seq < 5`,
		`SELECT max(seq) FROM events WHERE kind = 'KioskStarted' AND seq < 5`,
		`SELECT screening FROM events WHERE kind = 'ScreeningPlanned' ORDER BY seq DESC`,
		`SELECT * FROM evenings WHERE screening = 's1'`,
		`SELECT * FROM attendance WHERE screening = 's1'`,
		`SELECT * FROM screenings`,
	} {
		plan := explain(t, j.read, query)
		for line := range strings.Lines(plan) {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "SCAN") && (strings.HasSuffix(line, " events") || strings.HasSuffix(line, " e")) {
				t.Errorf("%s reads all events:\n%s", query, plan)
			}
		}
	}
}

func TestReadersDoNotHoldTheWriterUp(t *testing.T) {
	k := journaltest.Evenings(1, 1, 200)
	j := mustOpen(t, filled(t, k.Events))
	next := int64(len(k.Events))
	n := 0
	for _, err := range j.Events(t.Context(), "s1") {
		if err != nil {
			t.Fatal(err)
		}
		n++
		next++
		begun := time.Now()
		err := j.Append(t.Context(), []screening.Recorded{{Seq: next, Stamp: k.State.Last, Screening: "s1", From: screening.FromTouch, Event: screening.AttendeeCounted{Category: "man"}}})
		if err != nil || time.Since(begun) > time.Second {
			t.Fatalf("append while reading: %v after %v", err, time.Since(begun))
		}
	}
	if n == 0 || n > len(k.Events) {
		t.Errorf("%d of %d events read", n, len(k.Events))
	}
	for range j.Events(t.Context(), "s1") {
		break // ends early without harm
	}
	for r, err := range j.Events(t.Context(), "nobody") {
		t.Errorf("an unknown screening gave %v %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range j.Events(ctx, "s1") {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v after the context had ended", err)
		}
	}
}

func TestOpenToReadBesideTheKiosk(t *testing.T) {
	k := journaltest.Evenings(1, 1, 200)
	path := newPath(t)
	var f *Fault
	if _, err := OpenToRead(t.Context(), path); !errors.As(err, &f) || f.Reason != Missing {
		t.Fatalf("got %v, want %s", err, Missing)
	}
	half := len(k.Events) / 2
	j := mustOpen(t, path)
	if err := j.Append(t.Context(), k.Events[:half]); err != nil {
		t.Fatal(err)
	}
	reader, err := OpenToRead(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	for _, batch := range [][]screening.Recorded{nil, k.Events[half:]} {
		if err := j.Append(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range reader.Events(t.Context(), "s1") {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if want := len(replay(t, j)); n == 0 || n > want || want-n > 3 { // starts at the end are left out
			t.Errorf("the reader sees %d events, want %d", n, want)
		}
	}
	if err := reader.Append(t.Context(), k.Events); err == nil {
		t.Error("a reader appended")
	}
	if err := reader.Probe(t.Context()); err == nil {
		t.Error("a reader's probe passed")
	}
	if rows, err := viewed(t.Context(), reader); err != nil || len(rows) != 1 {
		t.Errorf("%v %v", rows, err)
	}
	if err := j.Close(); err != nil { // the reader is still there
		t.Fatal(err)
	}
	if ids, err := reader.ScreeningIDs(t.Context()); err != nil || len(ids) != 1 {
		t.Errorf("nothing is left to read: %v", err)
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(path)
	if reader, err = OpenToRead(t.Context(), path); err != nil { // with no kiosk running
		t.Fatal(err)
	}
	if _, err := viewed(t.Context(), reader); err != nil {
		t.Error(err)
	}
	reader.Close()
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("reading changed the file")
	}
	if o := mustOpen(t, path).Opened(); o.New || o.SetAside != "" {
		t.Errorf("opened %+v", o)
	}
}

func TestClockSettingsOfTheBootsOfAScreening(t *testing.T) {
	k := journaltest.NewKiosk("kiosk-1", time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC))
	clock := func(hours int) {
		k.Do(screening.FromFacilitator, screening.SetClock{Now: time.Date(2026, 11, 24, 9+hours, 0, 0, 0, time.UTC)})
	}
	plan := func(id string) {
		k.Do(screening.FromFacilitator, screening.PlanScreening{Screening: id, Programme: journaltest.Programme(),
			Details: screening.Details{Regency: "kupang", Venue: "Balai", Audience: screening.Public, HeldAt: time.Now()}})
	}
	clock(1) // of a boot in which nothing happens
	k.Restart("kiosk-1")
	clock(2)
	plan("s1")
	k.Do(screening.FromFacilitator, screening.MoveTo{Step: screening.Ended})
	clock(3)
	plan("s2")
	k.Restart("kiosk-1")
	k.Do(screening.FromFacilitator, screening.MoveTo{Step: screening.Doors})
	clock(4)
	k.Restart("kiosk-1")
	clock(5)
	j := mustOpen(t, newPath(t))
	if err := j.Append(t.Context(), k.Events); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]int{"s1": {2, 3}, "s2": {2, 3, 4, 5}, "s3": nil} {
		settings, err := j.ClockSettings(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, r := range settings {
			got = append(got, r.Stamp.At.Hour()-9)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", id, got, want)
		}
	}
}
