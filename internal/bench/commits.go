package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "github.com/mattn/go-sqlite3" // the plain baseline

	"mimpi-kiosk/internal/lab/preload"
	"mimpi-kiosk/internal/lab/visit"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
	"mimpi-kiosk/internal/sqlite"
)

// commitLoad names the folder for the measurements of a disk, a program of its own: a slow
// disk is preloaded into it.
const commitLoad = "BENCH_COMMIT_LOAD"

const (
	voters  = 500  // that wait at once
	ballots = 5000 // in one run, all together
)

// slowness is what is added to each sync, and how much is then measured.
type slowness struct {
	Stall time.Duration
	Runs  int
	Ones  int // commits one after the other, in one run
}

var slownesses = []slowness{{0, 9, 300}, {3 * time.Millisecond, 3, 100}, {10 * time.Millisecond, 3, 100}}

// committed is what the disk gave. One, Group and All are rates a second, one of each run.
type committed struct {
	Sync                  []time.Duration // one write and one fdatasync
	Insert, Press, Single []time.Duration // one synced transaction
	One, Group, All       []float64
}

// commits compares ballots through the Room and the journal, and through the daemon, with
// the same SQLite without them, and with nothing but fdatasync, on disks that are ever slower.
func commits(ctx context.Context, dir string) (_ []row, err error) {
	library := filepath.Join(dir, "disk.so")
	if err := preload.Build(ctx, library); err != nil {
		return nil, err
	}
	disk, err := preload.NewDisk(filepath.Join(dir, "orders"))
	if err != nil {
		return nil, err
	}
	defer disk.Close()
	slow := disk.Environment(library)
	cmd := kioskCommand(ctx, filepath.Join(dir, "kiosk"))
	cmd.Env = append(os.Environ(), slow...)
	kiosk, err := visit.Start(cmd)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, disk.Stall(0), kiosk.Stop()) }()
	hall, err := gather(kiosk, voters)
	if err != nil {
		return nil, err
	}
	var rows []row
	for i, s := range slownesses {
		if err := disk.Stall(s.Stall); err != nil {
			return nil, err
		}
		seen, err := commitsOf(ctx, filepath.Join(dir, fmt.Sprint("load-", i)), s, slow)
		if err != nil {
			return nil, err
		}
		taps, err := hall.tap(i + 1)
		if err != nil {
			return nil, err
		}
		rows = append(rows, s.rows(seen, taps)...)
	}
	return rows, nil
}

func (s slowness) rows(seen committed, taps []time.Duration) []row {
	each := fmt.Sprintf(", +%d ms a sync", s.Stall.Milliseconds())
	all, group, one := median(seen.All), median(seen.Group), median(seen.One)
	single, raw := perSecond(1, median(seen.Single)), perSecond(1, median(seen.Sync))
	sync, p99 := median(seen.Sync), quantile(taps, 0.99)
	bound := 5*sync + 15*time.Millisecond
	const same = "disk, mattn/go-sqlite3, WAL, synchronous=FULL, a row of JSON for each ballot"
	manyAim := ""
	if s.Stall == 0 {
		manyAim = ">= 20"
	}
	rows := []row{
		{
			fmt.Sprintf("ballots committed, %d voters at once%s", voters, each),
			fmt.Sprintf("%.0f/s", all), fmt.Sprintf("%.0f/s, one synced insert each", one), times(all / one), manyAim, same,
		},
		{
			fmt.Sprintf("ballots committed, %d voters at once%s", voters, each),
			fmt.Sprintf("%.0f/s", all), fmt.Sprintf("%.0f/s, bare group commit", group), times(all / group), "",
			same + "; bare decides nothing, and keeps no state to show",
		},
		{
			"a single ballot, one after the other" + each,
			fmt.Sprintf("%.0f/s", single), fmt.Sprintf("%.0f/s, 4 KiB written and fdatasync", raw), times(single / raw), ">= 0.65",
			"disk; one at a time, the file grows; of the median time",
		},
	}
	for _, q := range []float64{0.5, 0.99} {
		press, insert := quantile(seen.Press, q), quantile(seen.Insert, q)
		rows = append(rows, row{
			fmt.Sprintf("one press, pressed to committed, p%.0f%s", 100*q, each),
			ms(press), ms(insert) + ", a bare insert", times(float64(press) / float64(insert)), "", same + "; one at a time",
		})
	}
	return append(rows, row{
		fmt.Sprintf("%d phones tap at once: tap to acknowledged, p99%s", voters, each),
		ms(p99), fmt.Sprintf("%s, 5 fdatasync of %s and 15 ms", ms(bound), ms(sync)), times(float64(p99) / float64(bound)), "<= 1",
		"disk; the daemon with websockets, phones on the same machine, acknowledged after the commit",
	})
}

// commitsOf runs the measurements of one slowness in a process with that disk.
func commitsOf(ctx context.Context, dir string, s slowness, environment []string) (seen committed, err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return seen, err
	}
	order, err := json.Marshal(s)
	if err != nil {
		return seen, err
	}
	cmd, err := another(ctx, commitLoad, dir, string(order))
	if err != nil {
		return seen, err
	}
	cmd.Env = append(cmd.Env, environment...)
	out, err := cmd.Output()
	if err != nil {
		return seen, fmt.Errorf("commits on a disk with %v: %w", s.Stall, err)
	}
	err = json.Unmarshal(out, &seen)
	return seen, err
}

// loadCommits is that process.
func loadCommits(ctx context.Context, dir, order string) error {
	var s slowness
	if err := json.Unmarshal([]byte(order), &s); err != nil {
		return err
	}
	var seen committed
	for run := range s.Runs {
		path := func(what string) string { return filepath.Join(dir, fmt.Sprint(what, "-", run, ".db")) }
		each, err := rawSyncs(path("raw"), s.Ones)
		if err != nil {
			return err
		}
		seen.Sync = append(seen.Sync, each...)
		if each, err = bareInserts(ctx, path("bare"), s.Ones); err != nil {
			return err
		}
		seen.Insert, seen.One = append(seen.Insert, each...), append(seen.One, rate(each))
		group, err := bareGroups(ctx, path("group"))
		if err != nil {
			return err
		}
		seen.Group = append(seen.Group, group)
		if err := seen.room(ctx, path("room"), s.Ones); err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(seen)
}

// rate is how many a second there were, one after the other.
func rate(each []time.Duration) float64 {
	var sum time.Duration
	for _, d := range each {
		sum += d
	}
	return perSecond(len(each), sum)
}

func rawSyncs(path string, n int) (each []time.Duration, err error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // thrown away with the folder
	data := make([]byte, 4096)
	return oneByOne(n, func(int) error {
		if _, err := f.Write(data); err != nil {
			return err
		}
		return fdatasync(f)
	})
}

const bareBallot = `{"question":"q1","round":1,"choices":["a"],"channel":"phone","voter":"0123456789abcdef01234567"}`

func bareDatabase(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", "file:"+path+"?_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(ctx, `CREATE TABLE ballots (seq INTEGER PRIMARY KEY, at INTEGER, id TEXT UNIQUE, data TEXT)`)
	return db, err
}

const bareInsert = `INSERT INTO ballots (at, id, data) VALUES (?, ?, ?)`

func bareInserts(ctx context.Context, path string, n int) (each []time.Duration, err error) {
	db, err := bareDatabase(ctx, path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	insert, err := db.PrepareContext(ctx, bareInsert)
	if err != nil {
		return nil, err
	}
	defer insert.Close()
	return oneByOne(n, func(i int) error {
		_, err := insert.ExecContext(ctx, time.Now().UnixMilli(), fmt.Sprint("id-", i), bareBallot)
		return err
	})
}

// bareGroups has one goroutine write all that wait in one transaction.
func bareGroups(ctx context.Context, path string) (float64, error) {
	db, err := bareDatabase(ctx, path)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	insert, err := db.PrepareContext(ctx, bareInsert)
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	type ballot struct {
		id   string
		done chan error
	}
	queue := make(chan ballot, voters)
	write := func(batch []ballot) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // after the commit it does nothing
		stmt := tx.StmtContext(ctx, insert)
		for _, b := range batch {
			if _, err := stmt.ExecContext(ctx, time.Now().UnixMilli(), b.id, bareBallot); err != nil {
				return err
			}
		}
		return tx.Commit()
	}
	go func() {
		for b := range queue {
			batch := []ballot{b}
			for more := true; more; {
				select {
				case b, more = <-queue:
					if more {
						batch = append(batch, b)
					}
				default:
					more = false
				}
			}
			err := write(batch)
			for _, b := range batch {
				b.done <- err
			}
		}
	}()
	defer close(queue)
	start := time.Now()
	err = together(voters, func(v int) error {
		for i := range ballots / voters {
			b := ballot{fmt.Sprint("ballot-", v, "-", i), make(chan error, 1)}
			queue <- b
			if err := <-b.done; err != nil {
				return err
			}
		}
		return nil
	})
	return perSecond(ballots, time.Since(start)), err
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

// room has people counted and ballots cast, one at a time, and then by many at once.
func (seen *committed) room(ctx context.Context, path string, ones int) error {
	return withRoom(ctx, path, func(room *screening.Room) error {
		if err := begin(ctx, room); err != nil {
			return err
		}
		press, err := oneByOne(ones, func(i int) error {
			return room.Do(ctx, screening.Envelope{ID: fmt.Sprint("press-", i), From: screening.FromButtons, Command: screening.CountAttendee{Category: "woman"}})
		})
		if err != nil {
			return err
		}
		for _, c := range []screening.Command{screening.MoveTo{Step: screening.Discussion}, screening.OpenQuestion{Question: "q1"}} {
			if err := room.Do(ctx, screening.Envelope{ID: fmt.Sprintf("discussion %T", c), From: screening.FromFacilitator, Command: c}); err != nil {
				return err
			}
		}
		cast := func(v, i int) error {
			return room.Do(ctx, screening.Envelope{
				ID: fmt.Sprint("ballot-", v, "-", i), From: screening.FromPhone,
				Command: screening.CastBallot{
					Question: "q1", Round: 1, Choices: []string{[]string{"a", "b"}[i%2]},
					Channel: screening.ByPhone, Voter: fmt.Sprintf("%024d", v),
				},
			})
		}
		single, err := oneByOne(ones, func(i int) error { return cast(voters+i, i) })
		if err != nil {
			return err
		}
		start := time.Now()
		if err := together(voters, func(v int) error {
			for i := range ballots / voters {
				if err := cast(v, i); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		seen.All = append(seen.All, perSecond(ballots, time.Since(start)))
		seen.Press, seen.Single = append(seen.Press, press...), append(seen.Single, single...)
		return nil
	})
}

func oneByOne(n int, f func(int) error) (each []time.Duration, err error) {
	for i := range n {
		begin := time.Now()
		if err := f(i); err != nil {
			return nil, err
		}
		each = append(each, time.Since(begin))
	}
	return each, nil
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
