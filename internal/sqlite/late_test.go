package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

func openLate(t testing.TB, path string) *Late {
	t.Helper()
	l, err := OpenLate(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func TestLateContract(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) (screening.Journal, func() screening.Journal) {
		path := newPath(t)
		l := openLate(t, path)
		if !l.There() {
			t.Fatal("it is not there")
		}
		return l, func() screening.Journal {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			l = openLate(t, path)
			return l
		}
	})
}

func all(t testing.TB, j screening.Journal) (out []screening.Recorded) {
	t.Helper()
	if err := j.Replay(t.Context(), func(r screening.Recorded) error { out = append(out, r); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

// diskThatRefuses has what write leaves on it, and is read-only until it is asked to take
// something.
func diskThatRefuses(t *testing.T, write func(path string)) (path string, takes func()) {
	t.Helper()
	dir := smallDisk(t, "size=24m")
	path = filepath.Join(dir, "data", "journal.db")
	if err := os.Mkdir(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	write(path)
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(syscall.MS_RDONLY)
	return path, func() { remount(0) }
}

// The evening goes on from what the disk gave; what is counted is refused, and the rest
// stands in the journal once the disk takes it.
func TestAnEveningThatBeginsOnAReadOnlyDisk(t *testing.T) {
	for name, kept := range map[string][]string{"closed in order": nil, "power failed": {"", "-wal", "-shm"}} {
		t.Run(name, func(t *testing.T) {
			begin := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
			k := journaltest.NewKiosk("kiosk-1", begin)
			k.Do(screening.FromFacilitator, screening.PlanScreening{
				Screening: "s1", Programme: journaltest.Programme(),
				Details: screening.Details{Regency: "belu", Venue: "Balai", Audience: screening.Public, HeldAt: begin},
			})
			k.Do(screening.FromFacilitator, screening.MoveTo{Step: screening.FilmStep})
			k.Restart("kiosk-1")
			before := len(k.Events)
			if k.State.Step != screening.FilmStep {
				t.Fatalf("the evening is at %s", k.State.Step)
			}
			path, takes := diskThatRefuses(t, func(path string) {
				made := newPath(t)
				j := mustOpen(t, made)
				if err := j.Append(t.Context(), k.Events[:before]); err != nil {
					t.Fatal(err)
				}
				if kept == nil {
					kept = []string{""}
					if err := j.Close(); err != nil {
						t.Fatal(err)
					}
				}
				for _, end := range kept {
					data, err := os.ReadFile(made + end)
					if err == nil {
						err = os.WriteFile(path+end, data, 0o644)
					}
					if err != nil {
						t.Fatal(err)
					}
				}
			})
			l := openLate(t, path)
			if got := all(t, l); len(got) != before {
				t.Fatalf("%d events can be read, want %d", len(got), before)
			}
			if ids, err := l.ScreeningIDs(t.Context()); err != nil || len(ids) != 1 {
				t.Errorf("screenings: %v, %v", ids, err)
			}
			plays := func(c screening.Command) {
				t.Helper()
				n := len(k.Events)
				if !k.Do(screening.FromFacilitator, c) {
					t.Fatalf("%T is not taken", c)
				}
				if err := l.Append(t.Context(), k.Events[n:]); err != nil {
					t.Fatalf("%T: %v", c, err)
				}
			}
			plays(screening.PlayFilm{})
			plays(screening.PauseFilm{})
			n := len(k.Events)
			counted := record(int64(n+1), "s1", screening.AttendeeCounted{Category: "woman"})
			var f *Fault
			if err := l.Append(t.Context(), []screening.Recorded{counted}); !errors.Is(err, screening.ErrRefusedByDisk) || !errors.As(err, &f) || f.Reason != ReadOnly {
				t.Errorf("a count: %v", err)
			}
			if err := l.Probe(t.Context()); !errors.Is(err, screening.ErrRefusedByDisk) {
				t.Errorf("Probe: %v", err)
			}
			if got := all(t, l); len(got) != n {
				t.Errorf("%d events are replayed, want %d", len(got), n)
			}

			takes()
			l.tried = time.Time{} // its time has come
			if err := l.Append(t.Context(), []screening.Recorded{counted}); err != nil || !l.There() {
				t.Fatalf("the disk is back: %v", err)
			}
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			got := replay(t, mustOpen(t, path))
			if len(got) != n+1 || got[n].Event != counted.Event {
				t.Fatalf("%d events are in the journal, want %d", len(got), n+1)
			}
			for i, want := range k.Events {
				if !reflect.DeepEqual(got[i], want) {
					t.Errorf("event %d is %+v, want %+v", i+1, got[i], want)
				}
			}
		})
	}
}

// A disk that fills up in the middle of the evening: the evening goes on, nobody is counted,
// and what was held stands in the journal in its order.
func TestADiskThatIsFullForAWhile(t *testing.T) {
	path := newPath(t)
	l := openLate(t, path)
	k := journaltest.Evenings(1, 1, 40)
	if err := l.Append(t.Context(), k.Events); err != nil {
		t.Fatal(err)
	}
	pages := func(n int) {
		t.Helper()
		if _, err := l.journal.Load().write.Exec(fmt.Sprint("PRAGMA max_page_count = ", n)); err != nil {
			t.Fatal(err)
		}
	}
	pages(1)
	n := int64(len(k.Events))
	for l.Refusal() == nil { // what fits into the last page
		n++
		if err := l.Append(t.Context(), []screening.Recorded{record(n, "s1", screening.StageSet{Page: screening.PageAuto})}); err != nil {
			t.Fatal(err)
		}
	}
	n++
	if err := l.Append(t.Context(), []screening.Recorded{record(n, "s1", screening.FilmPlayed{At: 5})}); err != nil {
		t.Fatalf("the film: %v", err)
	}
	counted := record(n+1, "s1", screening.AttendeeCounted{Category: "woman"})
	for what, err := range map[string]error{"a count": l.Append(t.Context(), []screening.Recorded{counted}), "a probe": l.Probe(t.Context()), "why": l.Refusal()} {
		if !errors.Is(err, screening.ErrRefusedByDisk) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := all(t, l); last(got) != n || got[len(got)-1].Event != (screening.FilmPlayed{At: 5}) {
		t.Errorf("%d is replayed last, want %d", last(got), n)
	}
	pages(1 << 20)
	if err := l.Probe(t.Context()); err != nil || l.Refusal() != nil {
		t.Fatalf("with space again: %v, %v", err, l.Refusal())
	}
	if err := l.Append(t.Context(), []screening.Recorded{counted}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if got := replay(t, mustOpen(t, path)); last(got) != n+1 {
		t.Errorf("%d is the last in the journal, want %d", last(got), n+1)
	}
}

// A folder that was not there at the start, and brings a journal of its own.
func TestAJournalThatComesLater(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "data", "journal.db")
	if err := os.Symlink(filepath.Join(dir, "disk"), filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	l := openLate(t, path)
	if l.There() {
		t.Fatal("it is there")
	}
	film := []screening.Recorded{
		record(1, "", screening.KioskStarted{Kiosk: "kiosk-new"}),
		record(2, "", screening.ClockSet{Now: time.Unix(1793610000, 0).UTC()}),
		record(3, "", screening.StageSet{Page: screening.PageAuto}),
		record(4, "s9", screening.ScreeningPlanned{Screening: "s9"}),
		record(5, "s9", screening.FilmPlayed{At: 3000}),
	}
	if err := l.Append(t.Context(), film); err != nil {
		t.Fatal(err)
	}

	was := journaltest.Evenings(1, 1, 60).Events
	other := filled(t, was)
	if err := os.Rename(filepath.Dir(other), filepath.Join(dir, "disk")); err != nil {
		t.Fatal(err)
	}
	l.tried = time.Time{}
	if err := l.Probe(t.Context()); !errors.Is(err, ErrAnew) || errors.Is(err, screening.ErrRefusedByDisk) {
		t.Fatalf("Probe: %v", err)
	}
	if err := l.Append(t.Context(), film); !errors.Is(err, ErrAnew) {
		t.Fatalf("Append: %v", err)
	}
	j := mustOpen(t, filepath.Join(dir, "data", filepath.Base(other)))
	if n := len(allEvents(t, j)); n != len(was)+3 {
		t.Errorf("%d events, want %d", n, len(was)+3)
	}
	got := replay(t, j)
	if end := got[len(got)-2:]; end[0].Event.Kind() != "ScreeningPlanned" || end[1].Event.Kind() != "FilmPlayed" || end[1].Seq != int64(len(was)+3) {
		t.Errorf("the film is replayed as %+v", end)
	}
}

// record is an event as it stands in a journal.
func record(seq int64, id string, e screening.Event) screening.Recorded {
	return screening.Recorded{
		Seq: seq, Screening: id, From: screening.FromFacilitator, Event: e,
		Stamp: screening.Stamp{At: time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC), Boot: "boot-9", Mono: 4711, Clock: screening.ClockUnset},
	}
}
