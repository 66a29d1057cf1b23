package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/mattn/go-sqlite3"
)

// thorough is the size of a journal up to which every start checks all of it. That is
// some sixty evenings, and takes about 10 ms on a laptop.
const thorough = 4 << 20

// tail is how many of the last events every start reads.
const tail = 256

// found is what a first look at a journal saw.
type found struct {
	version int64 // of its migrations; 0: there is nothing in it
}

// look opens the journal for reading only and says whether it can be used, without
// changing it.
//
// A start must be fast with millions of events in the file, so a large journal is not
// checked whole: SQLite itself looks at header and length, and then the schema, the
// landmarks and the last events are read. Damage elsewhere is met when that place is
// read (Replay, an export) or written (Append), and gives ErrDamaged then. A small
// journal is checked whole.
func look(ctx context.Context, path string) (found, error) {
	size, err := sizeOf(path)
	if err != nil {
		return found{}, err
	}
	wal, err := sizeOf(path + "-wal")
	if err != nil {
		return found{}, err
	}
	if size <= 0 {
		if wal > 0 {
			// SQLite would begin anew here and delete the log.
			return found{}, damaged(path, "its write-ahead log is there but the file itself is empty or missing")
		}
		return found{}, nil
	}
	if err := lookAtHeader(path); err != nil {
		return found{}, err
	}
	// Power that failed while the very first page was written leaves a rollback
	// journal, which only a connection that may write can clear away.
	rollback, err := sizeOf(path + "-journal")
	if err != nil {
		return found{}, err
	}
	db, err := connect(ctx, dsn(path, rollback <= 0, asItIs), 1)
	if err != nil {
		return found{}, err
	}
	defer db.Close()
	f, err := lookInside(ctx, db, path)
	if err != nil || f.version == 0 {
		return f, err
	}
	if size+max(wal, 0) <= thorough {
		var result string
		if err := db.QueryRowContext(ctx, `PRAGMA quick_check(1)`).Scan(&result); err != nil {
			return found{}, err
		}
		if result != "ok" {
			return found{}, damaged(path, "%s", result)
		}
	}
	return f, nil
}

// sizeOf gives -1 for a file that is not there.
func sizeOf(path string) (int64, error) {
	switch i, err := os.Stat(path); {
	case errors.Is(err, os.ErrNotExist):
		return -1, nil
	case err != nil:
		return 0, err
	case !i.Mode().IsRegular():
		return 0, fault(Foreign, path, errors.New("not a regular file"))
	default:
		return i.Size(), nil
	}
}

func lookAtHeader(path string) error {
	const magic = "SQLite format 3\x00"
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // before SQLite opens it: closing a file drops the process's locks on it
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(f, head); err != nil || string(head) != magic {
		return damaged(path, "it does not begin like a database")
	}
	return nil
}

func lookInside(ctx context.Context, db *sql.DB, path string) (found, error) {
	var tables, ours int
	err := db.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE name = 'goose_db_version') FROM sqlite_schema`).Scan(&tables, &ours)
	if err != nil {
		return found{}, err
	}
	if tables == 0 {
		return found{}, nil
	}
	if ours == 0 {
		return found{}, fault(Foreign, path, nil)
	}
	var f found
	if err := db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&f.version); err != nil {
		return found{}, err
	}
	if f.version > newest {
		return found{}, fault(TooNew, path, nil, "{found}", fmt.Sprintf("%d > %d", f.version, newest))
	}
	if f.version == 0 {
		return f, nil // the power failed before the first migration
	}
	var n, first, last int64
	err = db.QueryRowContext(ctx, `
		SELECT count(data), coalesce(min(seq), 1), coalesce(max(seq), 0)
		FROM (SELECT seq, nullif(json_valid(data), 0) AS data FROM events ORDER BY seq DESC LIMIT ?)`, tail).Scan(&n, &first, &last)
	if err == nil && n != last-first+1 {
		return found{}, damaged(path, "some of the events %d to %d are missing or cannot be read", first, last)
	}
	if err == nil {
		var landmarks int64
		err = db.QueryRowContext(ctx, `
			SELECT count(*) FROM events WHERE seq IN (
				(SELECT max(seq) FROM events WHERE kind = 'ScreeningPlanned'),
				(SELECT max(seq) FROM events WHERE kind = 'ClockSet'),
				(SELECT max(seq) FROM events WHERE kind = 'KioskStarted'))`).Scan(&landmarks)
	}
	var e sqlite3.Error
	if errors.As(err, &e) && e.Code == sqlite3.ErrError {
		return found{}, damaged(path, "%w", err) // a table or column of ours is gone
	}
	return f, err
}
