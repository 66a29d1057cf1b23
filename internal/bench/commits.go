package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	_ "github.com/mattn/go-sqlite3" // the plain baseline

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
	"mimpi-kiosk/internal/sqlite"
)

const (
	commitRuns = 9
	voters     = 500  // that wait at once
	ballots    = 5000 // in one run, all together
	presses    = 300  // one after the other
	bareRows   = 1500 // inserts of the baseline, one synced transaction each
)

// commits compares ballots through the Room and the journal with one insert for each
// transaction of the same SQLite on the same disk.
func commits(ctx context.Context, dir string) ([]row, error) {
	var grouped, bare []float64
	var press, insert []time.Duration
	for run := range commitRuns {
		rate, alone, err := bareInserts(ctx, filepath.Join(dir, fmt.Sprint("bare-", run, ".db")))
		if err != nil {
			return nil, err
		}
		bare, insert = append(bare, rate), append(insert, alone...)
		rate, alone, err = roomCommits(ctx, filepath.Join(dir, fmt.Sprint("room-", run, ".db")))
		if err != nil {
			return nil, err
		}
		grouped, press = append(grouped, rate), append(press, alone...)
	}
	g, b := median(grouped), median(bare)
	return []row{
		{
			fmt.Sprintf("ballots committed, %d voters at once", voters),
			fmt.Sprintf("%.0f/s", g), fmt.Sprintf("%.0f/s, one synced insert each", b), times(g / b), ">= 20",
			"disk, mattn/go-sqlite3, WAL, synchronous=FULL, a row of JSON for each ballot",
		},
		{
			"one press, pressed to committed, p50",
			ms(median(press)), ms(median(insert)) + ", a bare insert", times(float64(median(press)) / float64(median(insert))), "",
			"the same; one at a time",
		},
		{
			"one press, pressed to committed, p99",
			ms(quantile(press, 0.99)), ms(quantile(insert, 0.99)) + ", a bare insert", times(float64(quantile(press, 0.99)) / float64(quantile(insert, 0.99))), "",
			"the same; one at a time",
		},
	}, nil
}

func bareInserts(ctx context.Context, path string) (rate float64, each []time.Duration, err error) {
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		return 0, nil, err
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, `CREATE TABLE ballots (seq INTEGER PRIMARY KEY, at INTEGER, id TEXT UNIQUE, data TEXT)`); err != nil {
		return 0, nil, err
	}
	insert, err := db.PrepareContext(ctx, `INSERT INTO ballots (at, id, data) VALUES (?, ?, ?)`)
	if err != nil {
		return 0, nil, err
	}
	defer insert.Close()
	const data = `{"question":"q1","round":1,"choices":["a"],"channel":"phone","voter":"0123456789abcdef01234567"}`
	start := time.Now()
	for i := range bareRows {
		begin := time.Now()
		if _, err := insert.ExecContext(ctx, begin.UnixMilli(), fmt.Sprint("id-", i), data); err != nil {
			return 0, nil, err
		}
		each = append(each, time.Since(begin))
	}
	return perSecond(bareRows, time.Since(start)), each, nil
}

// stillClock is a clock for a Room whose time does not matter.
type stillClock struct{}

func (stillClock) Read() screening.Reading {
	return screening.Reading{Wall: time.Now(), Boot: "bench", Mono: screening.Millis(time.Now().UnixMilli())}
}

// withRoom runs f with a Room on a journal of its own.
func withRoom(ctx context.Context, path string, f func(*screening.Room) error) error {
	journal, err := sqlite.Open(ctx, path)
	if err != nil {
		return err
	}
	defer journal.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	room := screening.NewRoom(journal, stillClock{})
	ended := make(chan error, 1)
	go func() {
		ended <- room.Run(ctx, screening.Envelope{ID: "start", From: screening.FromKiosk, Command: screening.StartKiosk{Kiosk: "bench"}})
	}()
	if err := f(room); err != nil {
		return err
	}
	cancel()
	return <-ended
}

func roomCommits(ctx context.Context, path string) (rate float64, each []time.Duration, err error) {
	err = withRoom(ctx, path, func(room *screening.Room) error {
		if err := begin(ctx, room); err != nil {
			return err
		}
		for i := range presses {
			begin := time.Now()
			err := room.Do(ctx, screening.Envelope{ID: fmt.Sprint("press-", i), From: screening.FromButtons, Command: screening.CountAttendee{Category: "woman"}})
			if err != nil {
				return err
			}
			each = append(each, time.Since(begin))
		}
		for _, c := range []screening.Command{screening.MoveTo{Step: screening.Discussion}, screening.OpenQuestion{Question: "q1"}} {
			if err := room.Do(ctx, screening.Envelope{ID: fmt.Sprintf("discussion %T", c), From: screening.FromFacilitator, Command: c}); err != nil {
				return err
			}
		}
		start := time.Now()
		if err := together(voters, func(v int) error {
			for i := range ballots / voters {
				err := room.Do(ctx, screening.Envelope{
					ID: fmt.Sprint("ballot-", v, "-", i), From: screening.FromPhone,
					Command: screening.CastBallot{
						Question: "q1", Round: 1, Choices: []string{[]string{"a", "b"}[i%2]},
						Channel: screening.ByPhone, Voter: fmt.Sprintf("%024d", v),
					},
				})
				if err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		rate = perSecond(ballots, time.Since(start))
		return nil
	})
	return rate, each, err
}

// begin plans a screening and opens its doors.
func begin(ctx context.Context, room *screening.Room) error {
	p := journaltest.Programme()
	plan := screening.PlanScreening{
		Screening: "s-bench", Programme: p,
		Details: screening.Details{Regency: p.Regencies[0].ID, Venue: "Bench", Audience: screening.Public, HeldAt: time.Now()},
	}
	for _, c := range []screening.Command{plan, screening.MoveTo{Step: screening.Doors}} {
		if err := room.Do(ctx, screening.Envelope{ID: fmt.Sprintf("%T", c), From: screening.FromFacilitator, Command: c}); err != nil {
			return err
		}
	}
	return nil
}

// together runs f(0), ..., f(n-1) at once and gives the first error.
func together(n int, f func(int) error) error {
	var all sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		all.Go(func() { errs <- f(i) })
	}
	all.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
