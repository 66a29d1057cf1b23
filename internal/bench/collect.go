package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	_ "github.com/mattn/go-sqlite3"
	"golang.org/x/sync/errgroup"

	"mimpi-kiosk/internal/collect/province"
	"mimpi-kiosk/internal/export"
)

const (
	collectTool  = "build/mimpi-collect"
	collectSeed  = 1
	collectUpTo  = 10_000 // screenings; about 5 GB on the disk
	collectCheck = 1_000  // screenings of which SQL works out the totals
)

// collected measures mimpi-collect on made exports of 100, 1,000 and 10,000 screenings
// of 50 kiosks, and has SQL work out the totals of 1,000 from the single facts.
func collected(ctx context.Context, dir string) ([]row, error) {
	stick := filepath.Join(dir, "stick")
	if err := os.Mkdir(stick, 0o755); err != nil {
		return nil, err
	}
	key, err := export.OpenKey(filepath.Join(dir, "signing.key"))
	if err != nil {
		return nil, err
	}
	facts, err := newFacts(filepath.Join(dir, "facts.db"))
	if err != nil {
		return nil, err
	}
	defer facts.Close() // thrown away with the folder
	var rows []row
	made := 0
	for n := 100; n <= collectUpTo; n *= 10 {
		if err := makeProvince(ctx, stick, made, n, key, facts); err != nil {
			return nil, err
		}
		made = n
		r, err := collectOnce(ctx, dir, stick, n)
		if err != nil {
			return nil, fmt.Errorf("%d screenings: %w", n, err)
		}
		if n == collectCheck {
			if r.equality, err = sameTotals(ctx, facts, filepath.Join(dir, "out.json")); err != nil {
				return nil, err
			}
			r.aim = "under 10 s, under 300 MB"
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// collectOnce reads twice, the first time to have the files in memory, and sha256sum
// reads the same files.
func collectOnce(ctx context.Context, dir, stick string, n int) (row, error) {
	var took time.Duration
	var memory int64
	out := filepath.Join(dir, "out.json")
	for range 2 {
		cmd, err := another(ctx, memoryOf, "1", collectTool, "--quiet", "-o", out, "-o", filepath.Join(dir, "out.xlsx"), stick)
		if err != nil {
			return row{}, err
		}
		start := time.Now()
		kilobytes, err := cmd.Output()
		if err != nil {
			return row{}, err
		}
		took = time.Since(start)
		if memory, err = strconv.ParseInt(string(kilobytes), 10, 64); err != nil {
			return row{}, err
		}
		memory /= 1024
	}
	plain := exec.CommandContext(ctx, "sh", "-c", `find "$1" -type f -print0 | xargs -0 sha256sum`, "sh", stick)
	plain.Stdout = io.Discard
	start := time.Now()
	if err := plain.Run(); err != nil {
		return row{}, err
	}
	base := time.Since(start)
	return row{
		job:  fmt.Sprintf("merge %d screenings into JSON and XLSX", n),
		ours: fmt.Sprintf("%.2f s, %d MB", took.Seconds(), memory), plain: fmt.Sprintf("%.2f s (sha256sum of the files)", base.Seconds()),
		ratio: times(took.Seconds() / base.Seconds()), equality: "the same files",
	}, nil
}

// memoryOf is set where this program starts another and tells the most memory that it had.
// Linux gives a program at least what had its parent when it was started: this one is small.
const memoryOf = "BENCH_MEMORY_OF"

func tellMemory(program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return errors.New("the system does not tell how much memory was used")
	}
	_, err := fmt.Print(usage.Maxrss)
	return err
}

func newFacts(name string) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", "file:"+name+"?_synchronous=OFF&_journal_mode=OFF")
	if err != nil {
		return nil, err
	}
	_, err = db.Exec(`CREATE TABLE facts (rehearsal INT, kode TEXT, sex TEXT, people INT, question TEXT, before INT, option TEXT)`)
	return db, err
}

// makeProvince makes evenings from up to below to, and puts the facts of the first ones
// into the database.
func makeProvince(ctx context.Context, stick string, from, to int, key *export.Key, facts *sql.DB) error {
	next := make(chan int)
	made := make(chan *province.Evening, 4)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(next)
		for n := from; n < to; n++ {
			select {
			case next <- n:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	var makers errgroup.Group
	for range runtime.NumCPU() {
		makers.Go(func() error {
			for n := range next {
				e := province.Make(collectSeed, n, province.Full)
				if err := e.Write(ctx, stick, export.Options{Key: key}); err != nil {
					return err
				}
				if n >= collectCheck {
					continue
				}
				select {
				case made <- e:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(made)
		return makers.Wait()
	})
	group.Go(func() error {
		tx, err := facts.Begin()
		if err != nil {
			return err
		}
		defer tx.Rollback() // after the commit it does nothing
		insert, err := tx.Prepare(`INSERT INTO facts VALUES (?,?,?,?,?,?,?)`)
		if err != nil {
			return err
		}
		for e := range made {
			for _, f := range e.Facts {
				if _, err := insert.Exec(f.Rehearsal, f.Kemendagri, f.Sex, f.People, f.Question, f.Before, f.Option); err != nil {
					return err
				}
			}
		}
		return tx.Commit()
	})
	return group.Wait()
}

// sameTotals compares what mimpi-collect says with what SQL makes of the facts.
func sameTotals(ctx context.Context, facts *sql.DB, report string) (string, error) {
	text, err := os.ReadFile(report)
	if err != nil {
		return "", err
	}
	var got struct {
		Regencies []struct {
			KodeKemendagri string
			Groups         []struct {
				Sex    string
				People int
			}
		}
		Changes []struct {
			Question string
			Options  []struct {
				ID            string
				Before, After *struct{ Count int }
			}
		}
	}
	if err := json.Unmarshal(text, &got); err != nil {
		return "", err
	}
	compared, people, answers := 0, 0, 0
	same := func(what string, n int, query string, args ...any) error {
		var want sql.NullInt64
		if err := facts.QueryRowContext(ctx, query, args...).Scan(&want); err != nil {
			return err
		}
		if int(want.Int64) != n {
			return fmt.Errorf("%s: mimpi-collect says %d, SQL %d", what, n, want.Int64)
		}
		compared++
		return nil
	}
	for _, r := range got.Regencies {
		bySex := map[string]int{}
		for _, g := range r.Groups {
			bySex[g.Sex] += g.People
			people += g.People
		}
		for sex, n := range bySex {
			if err := same(sex+" in "+r.KodeKemendagri, n, `SELECT sum(people) FROM facts WHERE NOT rehearsal AND kode = ? AND sex = ?`, r.KodeKemendagri, sex); err != nil {
				return "", err
			}
		}
	}
	for _, c := range got.Changes {
		for _, o := range c.Options {
			for before, share := range map[bool]*struct{ Count int }{true: o.Before, false: o.After} {
				if share == nil {
					return "", fmt.Errorf("%s %s: nothing is said", c.Question, o.ID)
				}
				answers += share.Count
				if err := same(c.Question+" "+o.ID, share.Count, `SELECT count(*) FROM facts WHERE NOT rehearsal AND question = ? AND before = ? AND option = ?`, c.Question, before, o.ID); err != nil {
					return "", err
				}
			}
		}
	}
	if err := same("people", people, `SELECT sum(people) FROM facts WHERE NOT rehearsal`); err != nil {
		return "", err
	}
	return fmt.Sprintf("%d people, %d answers; %d sums as SQL has them", people, answers, compared), nil
}
