package sqlite

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mimpi-kiosk/internal/screening/journaltest"
)

var update = flag.Bool("update", false, "write golden files; a golden journal that is there already is never written again")

// TestGoldenJournals opens a journal of every version that was ever shipped: an old
// kiosk's disk must open, and its evenings must come out as they always did.
func TestGoldenJournals(t *testing.T) {
	dir := filepath.Join("testdata", "golden")
	ours := filepath.Join(dir, fmt.Sprintf("v%d.db", newest))
	if _, err := os.Stat(ours); err != nil && *update {
		content, err := os.ReadFile(filled(t, journaltest.Evenings(2026, 2, 250).Events))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(ours, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil || len(files) != newest {
		t.Fatalf("%d golden journals (%v), want one of each version up to %d; run with -update", len(files), err, newest)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			content, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			path := newPath(t)
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
			j := mustOpen(t, path)
			if o := j.Opened(); o.New || o.SetAside != "" {
				t.Fatalf("opened %+v", o)
			}
			got := strings.Join(append(append(append(
				table(t, j.read, `SELECT * FROM screenings`), table(t, j.read, `SELECT * FROM all_attendance`)...),
				table(t, j.read, `SELECT screening, rehearsal, question, round, step, option, ballots, touch, phone, button, hands, round_ballots FROM all_poll_results`)...),
				fmt.Sprint(len(replay(t, j)), " events replayed")), "\n") + "\n"
			golden := strings.TrimSuffix(file, ".db") + ".txt"
			if _, err := os.Stat(golden); err != nil && *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("the journal gives\n%s\nwant\n%s", got, want)
			}
			replayed := finalsOf(t, j)
			for _, s := range replayed {
				want := attendanceOf(s)
				if got := table(t, j.read, `SELECT screening, category, sex, age, pressed, undone, corrected, "rows", net FROM all_attendance WHERE screening = ?`, s.Screening.ID); strings.Join(got, "\n") != strings.Join(want, "\n") {
					t.Errorf("%s: views say\n%v, the rules say\n%v", s.Screening.ID, got, want)
				}
			}
			var phases []string
			for _, s := range replayed {
				phases = append(phases, phasesOf(s)...)
			}
			same(t, 0, table(t, j.read, allPhases), phases)
			if len(replayed) == 0 {
				t.Error("no screening in it")
			}
		})
	}
}

// An old journal can be read, and so exported, without being brought up to date.
func TestOldJournalsCanBeRead(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "golden", "v1.db"))
	if err != nil {
		t.Fatal(err)
	}
	path := newPath(t)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	j, err := OpenToRead(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if got := finalsOf(t, j); len(got) != 2 || got[0].Seq == 0 {
		t.Errorf("%d screenings", len(got))
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(content) {
		t.Errorf("it was changed (%v)", err)
	}
}
