package sqlite

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// presses are ballots of evenings that hold 5,000 commands each.
func presses(from int64, n int) []screening.Recorded {
	out := make([]screening.Recorded, n)
	for i := range out {
		seq := from + int64(i)
		out[i] = screening.Recorded{
			Seq: seq, Stamp: screening.Stamp{At: time.UnixMilli(1790000000000 + seq).UTC(), Boot: "7e4d8b1a-2f8e-4d46-9d0b-6c7c6a1f2b3c", Mono: screening.Millis(seq), Clock: screening.ClockOperator},
			Screening: fmt.Sprintf("0198d0c2-7c2e-7a55-9c1e-%012x", seq/5000), Command: fmt.Sprintf("%016x-%x", uint64(seq)*0x9e3779b97f4a7c15, seq),
			From: screening.FromPhone, Event: screening.BallotCast{Question: "q1", Round: 1, Choices: []string{"a"}, Channel: screening.ByPhone, Voter: fmt.Sprintf("%032x", seq)},
		}
	}
	return out
}

func BenchmarkAppendOne(b *testing.B) { benchmarkAppend(b, 1) }
func BenchmarkAppend10(b *testing.B)  { benchmarkAppend(b, 10) }
func BenchmarkAppend100(b *testing.B) { benchmarkAppend(b, 100) }
func BenchmarkAppend500(b *testing.B) { benchmarkAppend(b, 500) }

func benchmarkAppend(b *testing.B, batch int) {
	j := mustOpen(b, newPath(b))
	events, seq := 0, int64(1)
	for b.Loop() {
		if err := j.Append(b.Context(), presses(seq, batch)); err != nil {
			b.Fatal(err)
		}
		seq += int64(batch)
		events += batch
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkPlainOne and BenchmarkPlain100 are bare SQLite on the same disk with the
// same promises: one table, one prepared insert of one text, WAL, synchronous=FULL.
func BenchmarkPlainOne(b *testing.B) { benchmarkPlain(b, 1) }
func BenchmarkPlain100(b *testing.B) { benchmarkPlain(b, 100) }

func benchmarkPlain(b *testing.B, batch int) {
	db, err := sql.Open("sqlite3", "file:"+newPath(b)+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE plain (id INTEGER PRIMARY KEY, data TEXT)`); err != nil {
		b.Fatal(err)
	}
	insert, err := db.Prepare(`INSERT INTO plain (data) VALUES (?)`)
	if err != nil {
		b.Fatal(err)
	}
	events := 0
	for b.Loop() {
		tx, err := db.Begin()
		if err != nil {
			b.Fatal(err)
		}
		in := tx.Stmt(insert)
		for range batch {
			if _, err := in.Exec(`{"question":"q1","round":1,"choices":["a"],"channel":"touch"}`); err != nil {
				b.Fatal(err)
			}
		}
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
		events += batch
	}
	b.ReportMetric(float64(events)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkProbe is what one health check costs.
func BenchmarkProbe(b *testing.B) {
	j := mustOpen(b, newPath(b))
	for b.Loop() {
		if err := j.Probe(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOpenNew begins a journal: directory, migrations and all.
func BenchmarkOpenNew(b *testing.B) {
	dir, n := b.TempDir(), 0
	for b.Loop() {
		n++
		j, err := Open(b.Context(), filepath.Join(dir, fmt.Sprint(n, ".db")))
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		j.Close()
		b.StartTimer()
	}
}

// BenchmarkStart opens a journal and replays it, as every start does, with one
// screening in it and with many. MIMPI_BENCH_SCREENINGS sets how many (1000).
func BenchmarkStart(b *testing.B) {
	many := 1000
	if s := os.Getenv("MIMPI_BENCH_SCREENINGS"); s != "" {
		if _, err := fmt.Sscan(s, &many); err != nil {
			b.Fatal(err)
		}
	}
	for _, n := range []int{1, many} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			path := screeningsOf(b, n)
			b.ResetTimer()
			for b.Loop() {
				j, err := Open(b.Context(), path)
				if err != nil {
					b.Fatal(err)
				}
				s := screening.NewState()
				if err := j.Replay(b.Context(), func(r screening.Recorded) error { s.Apply(r); return nil }); err != nil {
					b.Fatal(err)
				}
				b.StopTimer()
				j.Close()
				b.StartTimer()
			}
		})
		b.Run(fmt.Sprintf("list-%d", n), func(b *testing.B) {
			j := mustOpen(b, screeningsOf(b, n))
			for b.Loop() {
				if rows, err := viewed(b.Context(), j); err != nil || len(rows) != n {
					b.Fatal(len(rows), err)
				}
			}
		})
	}
}

// screeningsOf makes a journal of n screenings with some 300 events each.
func screeningsOf(b *testing.B, n int) string {
	k := journaltest.Evenings(1, 1, 450)
	path := newPath(b)
	j := mustOpen(b, path)
	seq := int64(0)
	for i := range n {
		id := fmt.Sprint("s", i)
		events := make([]screening.Recorded, len(k.Events))
		for k, r := range k.Events {
			seq++
			r.Seq = seq
			switch e := r.Event.(type) {
			case screening.ScreeningPlanned:
				e.Screening = id
				r.Event = e
			case screening.CountUndone:
				e.Of += seq - r.Seq
			}
			if r.Screening = id; r.Command != "" {
				r.Command = fmt.Sprintf("%x-%s", uint64(seq)*0x9e3779b97f4a7c15, r.Command)
			}
			events[k] = r
		}
		if err := j.Append(b.Context(), events); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	if i, err := os.Stat(path); err == nil {
		b.Logf("%d events, %d MB", seq, i.Size()>>20)
	}
	return path
}
