package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"path/filepath"

	"mimpi-kiosk/internal/screening"
)

// OpenToRead opens a journal that is there for reading only: without the lock and
// without changing it, also while a kiosk writes to it. Append and Probe fail. One that an
// older version wrote has its events, and lacks newer views. The
// error is a *[Fault], or that of ctx.
func OpenToRead(ctx context.Context, path string) (*Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fault(Unusable, path, err)
	}
	found, err := look(ctx, path)
	switch {
	case err != nil:
		return nil, classify(path, err)
	case found.version == 0:
		return nil, fault(Missing, path, nil)
	}
	j := &Journal{path: path, broken: fault(Unusable, path, errors.New("it was opened to be read only"))}
	if j.read, err = connect(ctx, dsn(path, true, wal), 2); err != nil {
		return nil, classify(path, err)
	}
	return j, nil
}

// openAlone is OpenToRead for a disk that lets nothing be written, not even the index that
// SQLite shares between connections: with the file to itself SQLite needs none.
func openAlone(ctx context.Context, path string) (*Journal, error) {
	j := &Journal{path: path, broken: fault(Unusable, path, errors.New("it was opened to be read only"))}
	var err error
	j.read, err = connect(ctx, dsn(path, false, asItIs)+"&_locking_mode=EXCLUSIVE", 1)
	return j, err
}

// ScreeningIDs lists the ids of all screenings, the newest first. Safe for concurrent
// use.
func (j *Journal) ScreeningIDs(ctx context.Context) ([]string, error) {
	rows, err := j.read.QueryContext(ctx, `SELECT screening FROM events WHERE kind = 'ScreeningPlanned' ORDER BY seq DESC`)
	if err != nil {
		return nil, classify(j.path, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, classify(j.path, err)
		}
		out = append(out, id)
	}
	return out, classify(j.path, rows.Err())
}

// Events yields what [Journal.Replay] would have yielded at the end of a screening:
// the last ClockSet and the last KioskStarted before it, and then, without gaps,
// everything from its ScreeningPlanned to its last event. Later starts of the kiosk,
// settings of its clock and exports are left out, so that a finished screening stays as
// it is, and exporting it changes nothing in it.
// Nothing is yielded for an unknown screening. It ends after the first error. Safe
// for concurrent use; while it goes on, the log of SQLite cannot be shortened, so do
// not wait for slow disks inside the loop.
func (j *Journal) Events(ctx context.Context, screeningID string) iter.Seq2[screening.Recorded, error] {
	return func(yield func(screening.Recorded, error) bool) {
		stopped := fmt.Errorf("stopped")
		err := j.events(ctx, screeningID, func(r screening.Recorded) error {
			if !yield(r, nil) {
				return stopped
			}
			return nil
		})
		if err != nil && err != stopped {
			yield(screening.Recorded{}, err)
		}
	}
}

// ClockSettings gives, in order, every ClockSet of the boots that a screening's events
// are of, also from before and after it. Safe for concurrent use.
func (j *Journal) ClockSettings(ctx context.Context, screeningID string) ([]screening.Recorded, error) {
	tx, err := j.read.BeginTx(ctx, nil)
	if err != nil {
		return nil, classify(j.path, err)
	}
	defer tx.Rollback()
	var out []screening.Recorded
	err = j.each(ctx, tx, func(r screening.Recorded) error {
		out = append(out, r)
		return nil
	}, columns+`WHERE kind = 'ClockSet' AND boot IN (
		SELECT e.boot FROM evenings v JOIN events e ON e.seq BETWEEN v.first_seq AND v.last_seq WHERE v.screening = ?)
		ORDER BY seq`, screeningID)
	return out, err
}

func (j *Journal) events(ctx context.Context, screeningID string, yield func(screening.Recorded) error) error {
	tx, err := j.read.BeginTx(ctx, nil)
	if err != nil {
		return classify(j.path, err)
	}
	defer tx.Rollback()
	const extent = `
		SELECT v.first_seq, (SELECT e.seq FROM events e
		                     WHERE e.seq BETWEEN v.first_seq AND v.last_seq AND e.kind NOT IN ('KioskStarted', 'ClockSet', 'ExportWritten')
		                     ORDER BY e.seq DESC LIMIT 1)
		FROM evenings v WHERE v.screening = ? ORDER BY v.first_seq DESC LIMIT 1`
	var first, last int64
	switch err := tx.QueryRowContext(ctx, extent, screeningID).Scan(&first, &last); {
	case err == sql.ErrNoRows:
		return nil
	case err != nil:
		return classify(j.path, err)
	}
	return j.walk(ctx, tx, first, last, yield)
}
