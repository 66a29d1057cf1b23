// Package sqlite keeps the journal in one SQLite file: WAL, synchronous=FULL, rows
// that are only ever added. It promises:
//
//   - What Append acknowledged survives kill -9 and a power cut. Batches are whole or
//     absent.
//   - One process at a time writes: a lock file beside the journal, held with flock, so that
//     nothing is left to clean up after kill -9. The file itself stays for ever.
//   - A damaged journal is set aside whole under another name, never deleted; Open
//     then begins a new one and says so ([Opened]); but not where the disk failed at
//     reading ([Unread]), which may pass.
//   - A journal of a newer version is not touched.
//   - A full or read-only disk is told apart from doubt ([screening.ErrRefusedByDisk]).
//
// Append, Replay and Probe are for one goroutine (the Room's). Screenings,
// ScreeningIDs and Events read through connections of their own and may be called
// from any goroutine at any time. The package starts no goroutines itself
// (database/sql has some, which end with Close).
package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver
	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/screening"
)

// Journal is an open journal file. It is a [screening.Journal].
type Journal struct {
	path   string
	lock   *lock
	opened Opened

	write  *sql.DB // one connection
	insert *sql.Stmt
	probe  *sql.Stmt
	read   *sql.DB // a few read-only connections

	last   int64 // seq of the last event on the disk
	broken error // set once what is on the disk is in doubt
}

// Opened says what Open found.
type Opened struct {
	// New says that the journal was begun just now.
	New bool
	// SetAside is the name under which a damaged journal was put away, or "". It is
	// the main file; the others of the same number belong to it.
	SetAside string
}

// Notice is what people must know of what Open found, or nil.
func (o Opened) Notice() screening.Text {
	if o.SetAside == "" {
		return nil
	}
	return SetAsideNotice(o.SetAside)
}

// SetAsideNotice is the sentence for a journal that was set aside under this name.
func SetAsideNotice(name string) screening.Text {
	base := filepath.Base(name)
	return screening.Text{
		"id": "Jurnal lama rusak dan disimpan utuh sebagai " + base + "; jurnal baru sudah dimulai. Salin berkas itu untuk koordinator, jangan dihapus.",
		"en": "The old journal was damaged and is kept whole as " + base + "; a new one was begun. Copy that file for the coordinator, do not delete it.",
	}
}

// Open opens the journal at path, or begins it; its directory must exist. Migrations
// are run where the file is of an older version. The error is a *[Fault], or that of
// ctx. Where the disk is full the 128 KiB kept in reserve beside the journal are
// given up, so that what is in it can at least be read.
func Open(ctx context.Context, path string) (*Journal, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fault(Unusable, path, err)
	}
	held, err := takeLock(path)
	if err != nil {
		return nil, classify(path, err)
	}
	if err := firm(path); err != nil {
		held.release()
		return nil, classify(path, err)
	}
	var opened Opened
	for attempt := 0; ; attempt++ {
		j, err := open(ctx, path)
		if err == nil {
			j.lock = held
			opened.New = j.opened.New
			j.opened = opened
			keepReserve(path)
			return j, nil
		}
		err = classify(path, err)
		var f *Fault
		retry := attempt < 4 && errors.As(err, &f)
		switch {
		case retry && f.Reason == Full && giveUpReserve(path):
		case retry && f.Reason == Damaged && opened.SetAside == "" && !Unread(err):
			name, aside := setAside(path)
			if aside != nil {
				held.release()
				return nil, fault(Damaged, path, errors.Join(f.cause, fmt.Errorf("set the damaged journal aside: %w", aside)))
			}
			opened.SetAside = name
		default:
			held.release()
			return nil, err
		}
	}
}

func open(ctx context.Context, path string) (_ *Journal, err error) {
	found, err := look(ctx, path)
	if err != nil {
		return nil, err
	}
	j := &Journal{path: path, opened: Opened{New: found.version == 0}}
	defer func() {
		if err != nil {
			j.closeDatabases()
		}
	}()
	if j.write, err = connect(ctx, dsn(path, false, wal), 1); err != nil {
		return nil, err
	}
	if err := checkModes(ctx, j.write, path); err != nil {
		return nil, err
	}
	if found.version < newest {
		if err := migrate(ctx, j.write); err != nil {
			return nil, fmt.Errorf("migrate the journal: %w", err)
		}
	}
	if err := j.write.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM events`).Scan(&j.last); err != nil {
		return nil, err
	}
	if j.insert, err = j.write.PrepareContext(ctx, insertEvent); err != nil {
		return nil, err
	}
	if j.probe, err = j.write.PrepareContext(ctx, `INSERT INTO probe (id, n) VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = n + 1`); err != nil {
		return nil, err
	}
	if j.read, err = connect(ctx, dsn(path, true, wal), 2); err != nil {
		return nil, err
	}
	return j, nil
}

// dsn is the address of a connection; everything that a connection must have is in
// it, because a PRAGMA by hand would reach one connection of a pool only.
//
// The cache is small: the operating system caches the file as well, and the whole
// daemon should live in 25 MB.
func dsn(path string, readOnly bool, mode journalMode) string {
	q := url.Values{
		"_synchronous":  {"FULL"}, // mattn builds SQLite so that WAL means NORMAL otherwise
		"_foreign_keys": {"on"},
		"_busy_timeout": {"2000"},
		"_txlock":       {"immediate"},
		"_cache_size":   {"-1024"},
	}
	if mode != asItIs {
		q.Set("_journal_mode", string(mode))
	}
	if readOnly {
		q.Set("mode", "ro")
		q.Set("_txlock", "deferred")
		if nobodyWrites(path) {
			q.Set("immutable", "1")
		}
		q.Set("_cache_size", "-512")
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}).String()
}

// nobodyWrites says whether the disk is read-only and the journal was closed in order:
// then SQLite could make neither log nor index beside it, and needs none.
func nobodyWrites(path string) bool {
	_, err := os.Stat(path + "-wal")
	return errors.Is(err, fs.ErrNotExist) && errors.Is(unix.Access(filepath.Dir(path), unix.W_OK), unix.EROFS)
}

type journalMode string

const (
	wal    journalMode = "WAL"
	asItIs journalMode = "" // for a look at a file that may be anybody's
)

func connect(ctx context.Context, dsn string, connections int) (*sql.DB, error) {
	db, err := sql.Open("sqlite3", dsn)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(1)
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// checkModes makes sure that commits are as durable as promised: some file systems
// (network shares) have no WAL, and SQLite then goes on without.
func checkModes(ctx context.Context, db *sql.DB, path string) error {
	var mode string
	var synchronous int
	if err := db.QueryRowContext(ctx, `PRAGMA journal_mode`).Scan(&mode); err != nil {
		return err
	}
	if err := db.QueryRowContext(ctx, `PRAGMA synchronous`).Scan(&synchronous); err != nil {
		return err
	}
	if mode != "wal" || synchronous != 2 {
		return fault(Unusable, path, fmt.Errorf(
			"journal_mode is %s and synchronous is %d, wanted wal and 2; keep the data on a local disk", mode, synchronous))
	}
	return nil
}

// Opened says what Open found.
func (j *Journal) Opened() Opened { return j.opened }

// Path is where the journal is.
func (j *Journal) Path() string { return j.path }

// Close gives up the file and the lock. Readers must have ended.
func (j *Journal) Close() error {
	err := j.closeDatabases()
	if j.lock != nil {
		j.lock.release()
	}
	return classify(j.path, err)
}

func (j *Journal) closeDatabases() error {
	var errs []error
	if j.read != nil { // first: the last connection to close must be able to write
		errs = append(errs, j.read.Close())
	}
	if j.write != nil {
		errs = append(errs, j.write.Close())
	}
	return errors.Join(errs...)
}

const insertEvent = `INSERT INTO events (seq, at, boot, mono, clock, screening, command, source, kind, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// Append implements [screening.Journal]: one transaction, one sync. Once begun it is
// finished even if ctx ends, so that nobody is left in doubt. After an error that
// does not wrap screening.ErrRefusedByDisk, every later call gives the same error.
func (j *Journal) Append(ctx context.Context, events []screening.Recorded) error {
	if j.broken != nil || len(events) == 0 {
		return j.broken
	}
	data := make([]string, len(events))
	for i, r := range events {
		if r.Seq != j.last+1+int64(i) {
			return j.doubt(fmt.Errorf("event %d comes after event %d", r.Seq, j.last+int64(i)))
		}
		b, err := json.Marshal(r.Event)
		if err != nil {
			return j.doubt(fmt.Errorf("event %d: %w", r.Seq, err))
		}
		data[i] = string(b)
	}
	err := j.transact(context.WithoutCancel(ctx), func(ctx context.Context, tx *sql.Tx) error {
		insert := tx.StmtContext(ctx, j.insert)
		for i, r := range events {
			_, err := insert.ExecContext(ctx, r.Seq, r.Stamp.At.UnixMilli(), r.Stamp.Boot, int64(r.Stamp.Mono), string(r.Stamp.Clock),
				r.Screening, sql.NullString{String: r.Command, Valid: r.Command != ""}, string(r.From), r.Event.Kind(), data[i])
			if err != nil {
				return fmt.Errorf("event %d: %w", r.Seq, err)
			}
		}
		return nil
	})
	if err == nil {
		j.last += int64(len(events))
		return nil
	}
	return j.doubt(err)
}

// Probe implements [screening.Journal]. It also keeps the reserve in being.
func (j *Journal) Probe(ctx context.Context) error {
	if j.broken != nil {
		return j.broken
	}
	err := j.transact(context.WithoutCancel(ctx), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.StmtContext(ctx, j.probe).ExecContext(ctx)
		return err
	})
	if err != nil {
		return j.doubt(err)
	}
	keepReserve(j.path)
	return nil
}

func (j *Journal) transact(ctx context.Context, f func(context.Context, *sql.Tx) error) error {
	tx, err := j.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(ctx, tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// doubt remembers an error after which the journal must be opened anew.
func (j *Journal) doubt(err error) error {
	err = classify(j.path, err)
	if !errors.Is(err, screening.ErrRefusedByDisk) {
		j.broken = err
	}
	return err
}

// Replay implements [screening.Journal]. An event of a kind that this version does
// not know gives a *[Fault] with [TooNew]; one that cannot be read, or one that is
// missing, gives [ErrDamaged].
func (j *Journal) Replay(ctx context.Context, yield func(screening.Recorded) error) error {
	tx, err := j.read.BeginTx(ctx, nil)
	if err != nil {
		return classify(j.path, err)
	}
	defer tx.Rollback()
	const all = `SELECT coalesce((SELECT max(seq) FROM events WHERE kind = 'ScreeningPlanned'), 1)`
	var first int64
	if err := tx.QueryRowContext(ctx, all).Scan(&first); err != nil {
		return classify(j.path, err)
	}
	return j.walk(ctx, tx, first, 1<<62, yield)
}

const columns = `SELECT seq, at, boot, mono, clock, screening, coalesce(command, ''), source, kind, data FROM events `

// walk yields the last ClockSet and KioskStarted before first, and then all events
// from first to last, both included, of which none may be missing.
func (j *Journal) walk(ctx context.Context, tx *sql.Tx, first, last int64, yield func(screening.Recorded) error) error {
	err := j.each(ctx, tx, yield, columns+`WHERE seq IN (
		(SELECT max(seq) FROM events WHERE kind = 'ClockSet' AND seq < ?1),
		(SELECT max(seq) FROM events WHERE kind = 'KioskStarted' AND seq < ?1)) ORDER BY seq`, first)
	if err != nil {
		return err
	}
	next := first
	return j.each(ctx, tx, func(r screening.Recorded) error {
		if r.Seq != next {
			return damaged(j.path, "event %d is missing", next)
		}
		next++
		return yield(r)
	}, columns+`WHERE seq BETWEEN ? AND ? ORDER BY seq`, first, last)
}

func (j *Journal) each(ctx context.Context, tx *sql.Tx, yield func(screening.Recorded) error, query string, args ...any) error {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return classify(j.path, err)
	}
	defer rows.Close()
	for rows.Next() {
		r, err := j.scan(rows)
		if err != nil {
			return err
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return classify(j.path, rows.Err())
}

func (j *Journal) scan(rows *sql.Rows) (screening.Recorded, error) {
	var r screening.Recorded
	var at int64
	var kind string
	var data sql.RawBytes
	err := rows.Scan(&r.Seq, &at, &r.Stamp.Boot, &r.Stamp.Mono, &r.Stamp.Clock, &r.Screening, &r.Command, &r.From, &kind, &data)
	if err != nil {
		return r, classify(j.path, err)
	}
	r.Stamp.At = time.UnixMilli(at).UTC()
	r.Event, err = screening.DecodeEvent(kind, data)
	if unknown := (screening.UnknownEvent{}); errors.As(err, &unknown) {
		return r, fault(TooNew, j.path, err, "{found}", kind)
	}
	if err != nil {
		return r, damaged(j.path, "event %d: %w", r.Seq, err)
	}
	return r, nil
}
