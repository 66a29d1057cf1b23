package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// TestDamagedJournalIsSetAsideWhole damages a journal in ways that Open must see.
func TestDamagedJournalIsSetAsideWhole(t *testing.T) {
	good := filled(t, journaltest.Evenings(1, 2, 200).Events)
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	for i := 4096; i < len(flipped); i += 512 { // every page but the first
		flipped[i] ^= 0xff
	}
	for name, files := range map[string]map[string][]byte{
		"not a database":          {"": []byte("once upon a time there was a journal")},
		"one byte":                {"": {'S'}},
		"all zeros":               {"": make([]byte, len(whole))},
		"first page zeroed":       {"": append(make([]byte, 4096), whole[4096:]...)},
		"cut off":                 {"": whole[:len(whole)/2]},
		"cut off in a page":       {"": whole[:len(whole)-100]},
		"bytes flipped":           {"": flipped},
		"main file gone, log not": {"-wal": []byte("what was not yet in the main file")},
		"main file empty, log not": {"": {}, "-wal": []byte("what was not yet in the main file"),
			"-shm": []byte("index")},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			for part, content := range files {
				if err := os.WriteFile(path+part, content, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			j := mustOpen(t, path)
			o := j.Opened()
			if want := strings.TrimSuffix(path, ".db") + "-damaged-1.db"; !o.New || o.SetAside != want {
				t.Fatalf("opened %+v, want a new one and %s", o, want)
			}
			for part, content := range files {
				if got, err := os.ReadFile(o.SetAside + part); err != nil || !bytes.Equal(got, content) {
					t.Errorf("%s of what was set aside has changed: %v", part, err)
				}
			}
			for lang, s := range o.Notice() {
				if !strings.Contains(s, "journal-damaged-1.db") {
					t.Errorf("%s: %s", lang, s)
				}
			}
			if n := len(replay(t, j)); n != 0 {
				t.Errorf("the new journal holds %d events", n)
			}
			if err := j.Append(t.Context(), journaltest.Evenings(1, 1, 10).Events); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestSetAsideOverwritesNothing(t *testing.T) {
	path := newPath(t)
	for n, want := range []string{"journal-damaged-1.db", "journal-damaged-3.db", "journal-damaged-4.db"} {
		os.WriteFile(path, []byte(fmt.Sprint("broken ", n)), 0o644)
		os.WriteFile(filepath.Join(filepath.Dir(path), "journal-damaged-2.db-wal"), []byte("left over"), 0o644)
		name, err := SetAside(path)
		if err != nil || filepath.Base(name) != want {
			t.Fatalf("set aside as %s (%v), want %s", name, err, want)
		}
		if got, _ := os.ReadFile(name); string(got) != fmt.Sprint("broken ", n) {
			t.Errorf("%s holds %q", name, got)
		}
	}
	if j := mustOpen(t, path); !j.Opened().New {
		t.Error("there is still something")
	}
}

// TestDamageMetLater damages what Open does not look at in a large journal: what
// reads or writes there must say ErrDamaged, and SetAside must lead out of it.
func TestDamageMetLater(t *testing.T) {
	k := journaltest.Evenings(1, 1, 400)
	for name, statement := range map[string]string{
		"an event is missing":      `DELETE FROM events WHERE seq = 10`,
		"an event cannot be read":  `UPDATE events SET data = '{"category": 7}' WHERE seq = (SELECT min(seq) FROM events WHERE kind = 'AttendeeCounted')`,
		"the index is out of step": `UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'events_planned') WHERE name = 'events_command'`,
	} {
		t.Run(name, func(t *testing.T) {
			path := filled(t, k.Events)
			j := mustOpen(t, path)
			for _, s := range []string{`DROP TRIGGER events_are_never_changed`, `DROP TRIGGER events_are_never_deleted`, `PRAGMA writable_schema = ON`, statement} {
				if _, err := j.write.Exec(s); err != nil {
					t.Fatal(err)
				}
			}
			err := j.Replay(t.Context(), func(screening.Recorded) error { return nil })
			if name == "the index is out of step" {
				j.Close()
				if j, err = open(t.Context(), path); err == nil { // without a lock, for a look at what Append would say
					err = j.Append(t.Context(), []screening.Recorded{{Seq: k.State.Seq + 1, Command: "c", Event: screening.DoorsOpened{}}})
					j.closeDatabases()
				}
			}
			if !errors.Is(classify(path, err), ErrDamaged) {
				t.Fatalf("got %v, want %v", err, ErrDamaged)
			}
			if name != "the index is out of step" {
				j.Close()
			}
			aside, err := SetAside(path)
			if err != nil {
				t.Fatal(err)
			}
			if o := mustOpen(t, path).Opened(); !o.New || o.SetAside != "" {
				t.Errorf("opened %+v after %s was set aside", o, aside)
			}
		})
	}
}

// TestRandomDamage: whatever a bad card does to the files, Open either gives a
// journal that works or sets the old one aside whole; it never fails and never hangs.
func TestRandomDamage(t *testing.T) {
	k := journaltest.Evenings(3, 2, 300)
	left := crashed(t, k.Events)
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	asideCount := 0
	for n := range rounds {
		rnd := rand.New(rand.NewPCG(uint64(n), 7))
		path := newPath(t)
		for part, content := range left {
			if err := os.WriteFile(path+part, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		part := parts[rnd.IntN(3)]
		content := bytes.Clone(left[part])
		switch rnd.IntN(3) {
		case 0:
			for range rnd.IntN(200) + 1 {
				content[rnd.IntN(len(content))] ^= byte(rnd.IntN(255) + 1)
			}
		case 1:
			content = content[:rnd.IntN(len(content))]
		case 2:
			from := rnd.IntN(len(content))
			clear(content[from:min(len(content), from+rnd.IntN(20000))])
		}
		if err := os.WriteFile(path+part, content, 0o644); err != nil {
			t.Fatal(err)
		}
		j, err := Open(t.Context(), path)
		if err != nil {
			t.Fatalf("damage %d of journal%s: %v", n, part, err)
		}
		aside := j.Opened().SetAside
		last := int64(0)
		err = j.Replay(t.Context(), func(r screening.Recorded) error { last = r.Seq; return nil })
		if err == nil {
			err = j.Append(t.Context(), []screening.Recorded{{Seq: last + 1, Stamp: k.State.Last, Command: "after the damage", Event: screening.DoorsOpened{}}})
		}
		j.Close()
		switch {
		case err == nil:
		case errors.Is(err, ErrDamaged) && aside == "":
			if aside, err = SetAside(path); err != nil {
				t.Fatal(err)
			}
		default:
			t.Fatalf("damage %d of journal%s: %v", n, part, err)
		}
		if aside != "" {
			asideCount++
		}
		if got, err := os.ReadFile(aside + part); part != "-shm" && aside != "" && (err != nil || len(got) == 0 && len(content) > 0) {
			t.Errorf("damage %d: journal%s was not kept: %v", n, part, err)
		}
	}
	if asideCount == 0 || asideCount == rounds {
		t.Errorf("%d of %d journals were set aside; the test shows nothing", asideCount, rounds)
	}
	t.Logf("%d of %d journals were set aside", asideCount, rounds)
}

// crashed gives the files of a journal as kill -9 leaves them, with half of the events
// in the log.
func crashed(t *testing.T, events []screening.Recorded) map[string][]byte {
	t.Helper()
	path := newPath(t)
	j := mustOpen(t, path)
	half := len(events) / 2
	if err := j.Append(t.Context(), events[:half]); err != nil {
		t.Fatal(err)
	}
	if _, err := j.write.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(t.Context(), events[half:]); err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, part := range parts[:3] {
		content, err := os.ReadFile(path + part)
		if err != nil {
			t.Fatal(err)
		}
		out[part] = content
	}
	return out
}
