package collect

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/kiosk-ui/lang"
)

//go:embed migrations
var migrations embed.FS

// Stored says what a database got.
type Stored struct {
	New, Changed, Same int // screenings
	Longer             int // screenings of which the database has a longer journal already
	// Conflicts are the ids of screenings of which the database has another history.
	// They are left as they are there.
	Conflicts []string
	// Old is how many screenings an older mimpi-collect stored that were not among these:
	// the view poll_results leaves them out.
	Old int
	// Strange are the ids of screenings of which the database has, or knows the kiosk by, the
	// signature of a key, and that came without one, or with that of another key. They are left
	// as they are there.
	Strange []string
	// Replaced are the ids of screenings that stood there unsigned, and longer or with another
	// history, and are now as the kiosk signed them.
	Replaced []string
	// NewKeys are the kiosks of which new screenings have no signature, or another key's than
	// all those that the database had.
	NewKeys []string
}

// dialect is where PostgreSQL and SQLite differ.
type dialect struct {
	goose   goose.Dialect
	folder  string // of the migrations
	schema  string // before names of tables
	params  int    // most of one statement
	prepare string // before the tables can be made
	alone   string // keeps other writers out until the end
}

var (
	postgres = dialect{goose.DialectPostgres, "migrations/postgres", "mimpi.", 60_000,
		// Two at once would fail: the lock is let go at the end of the block.
		"DO $$ BEGIN PERFORM pg_advisory_xact_lock(53180001); CREATE SCHEMA IF NOT EXISTS mimpi; END $$", "LOCK TABLE mimpi.screenings IN SHARE ROW EXCLUSIVE MODE"}
	sqlite3 = dialect{goose.DialectSQLite3, "migrations/sqlite", "", 30_000, "SELECT 1", "SELECT 1"}
)

// IsDatabase says whether a place to write to is the address of a database server.
func IsDatabase(to string) bool {
	return strings.HasPrefix(to, "postgres://") || strings.HasPrefix(to, "postgresql://")
}

// Store writes the screenings into a database: "postgres://USER@HOST/NAME" (tables in the
// schema mimpi) or the name of an SQLite file. Tables are made and brought up to date.
// Storing twice changes nothing; a screening is replaced when its journal has grown. All
// of it is stored, or on an error nothing is. The password is not in any error.
func Store(ctx context.Context, to string, r *Result) (Stored, error) {
	db, d, err := openDatabase(to)
	if err != nil {
		return Stored{}, err
	}
	defer db.Close() // after the commit nothing is left to lose
	out, err := store(ctx, db, d, r)
	if err != nil {
		return Stored{}, fmt.Errorf("database %s: %w", withoutPassword(to), explainDatabase(err))
	}
	return out, nil
}

func openDatabase(to string) (*sql.DB, dialect, error) {
	if IsDatabase(to) {
		config, err := pgx.ParseConfig(to)
		if err != nil { // it may have the password in it
			return nil, postgres, errors.New("the address of the database cannot be read: give postgres://USER:PASSWORD@HOST:5432/NAME")
		}
		return sql.OpenDB(stdlib.GetConnector(*config)), postgres, nil
	}
	// The folder must be there, as with any other file; the name may have any letters in it.
	path, err := filepath.Abs(to)
	if err == nil {
		_, err = os.Stat(filepath.Dir(path))
	}
	if err != nil {
		return nil, sqlite3, fmt.Errorf("the database %s: %w", to, err)
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/...
		path = "/" + path
	}
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=foreign_keys(1)&_pragma=busy_timeout(60000)&_txlock=immediate"}
	connector, err := sqlite.NewConnector(dsn.String())
	if err != nil {
		return nil, sqlite3, err
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(1)
	return db, sqlite3, nil
}

func withoutPassword(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" {
		if IsDatabase(to) {
			return "postgres"
		}
		return to
	}
	return u.Redacted()
}

func explainDatabase(err error) error {
	var server *pgconn.PgError
	var connect *pgconn.ConnectError
	var file *sqlite.Error
	switch {
	case errors.As(err, &server) && server.Code == "42501":
		return fmt.Errorf("the user may not make tables there; ask for CREATE on the database, or for a schema mimpi of their own: %w", err)
	case errors.As(err, &connect):
		return fmt.Errorf("no connection; check address, name, password and network: %w", err)
	case errors.As(err, &file):
		return fmt.Errorf("the file cannot be written as an SQLite database: %w", err)
	}
	return err
}

func migrate(ctx context.Context, db *sql.DB, d dialect) error {
	if _, err := db.ExecContext(ctx, d.prepare); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, d.folder)
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{goose.WithTableName(d.schema + "schema_version")}
	if d.goose == goose.DialectPostgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	provider, err := goose.NewProvider(d.goose, db, files, options...)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	if err != nil && d.goose == goose.DialectSQLite3 && ctx.Err() == nil {
		// Nothing keeps two programs from making the tables of one file at once: one of
		// them fails, and finds them made.
		_, err = provider.Up(ctx)
	}
	return err
}

func store(ctx context.Context, db *sql.DB, d dialect, r *Result) (out Stored, err error) {
	if err := migrate(ctx, db, d); err != nil {
		return out, fmt.Errorf("make the tables: %w", err)
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return out, err
	}
	defer tx.Rollback() // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, d.alone); err != nil {
		return out, err
	}
	known, err := stored(ctx, tx, d)
	if err != nil {
		return out, err
	}
	keys := map[string]map[string]bool{} // by kiosk
	for _, k := range known {
		if k.key != "" {
			if keys[k.kiosk] == nil {
				keys[k.kiosk] = map[string]bool{}
			}
			keys[k.kiosk][k.key] = true
		}
	}
	var write, instead []*Screening
	for _, s := range r.Screenings {
		k, there := known[s.ID]
		if len(keys[s.Kiosk]) > 0 && !keys[s.Kiosk][s.Key] && !s.vouched && !there && !slices.Contains(out.NewKeys, s.Kiosk) {
			out.NewKeys = append(out.NewKeys, s.Kiosk)
		}
		switch {
		case !there:
			out.New++
		case k.digest == s.Digest && k.rules == rules:
			out.Same++
			continue
		case k.key != "" && k.key != s.Key && !s.vouched:
			out.Strange = append(out.Strange, s.ID)
			continue
		case k.key == "" && s.Key != "" && (k.lastEvent > s.LastEvent || k.trail != s.history.trail(k.lastEvent)):
			if len(keys[s.Kiosk]) > 0 && !keys[s.Kiosk][s.Key] && !s.vouched {
				out.Strange = append(out.Strange, s.ID)
				continue
			}
			out.Replaced = append(out.Replaced, s.ID)
			instead = append(instead, s)
		case k.lastEvent > s.LastEvent:
			out.Longer++
			continue
		case k.trail != s.history.trail(k.lastEvent):
			out.Conflicts = append(out.Conflicts, s.ID)
			continue
		default:
			out.Changed++
		}
		write = append(write, s)
	}
	for chunk := range slices.Chunk(instead, 500) {
		if err := forget(ctx, tx, d, chunk, "screenings"); err != nil {
			return out, err
		}
	}
	if err := storeAll(ctx, tx, d, write); err != nil {
		return out, err
	}
	if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+d.schema+"screenings WHERE rules < $1", rules).Scan(&out.Old); err != nil {
		return out, err
	}
	return out, tx.Commit()
}

type storedScreening struct {
	kiosk, key string
	lastEvent  int64
	digest     string
	trail      string
	rules      int
}

// rules is the version of the rules by which rounds were told apart. What older ones stored
// is written again; until then the view poll_results leaves it out.
const rules = 1

// beforeFilm are the steps of the column before_film, which says no more than the step.
var beforeFilm = []screening.Step{screening.SetUp, screening.Doors, screening.PollBefore}

func stored(ctx context.Context, tx *sql.Tx, d dialect) (map[string]storedScreening, error) {
	rows, err := tx.QueryContext(ctx, "SELECT session_id, device_id, signing_key, last_event, digest, trail, rules FROM "+d.schema+"screenings")
	if err != nil {
		return nil, err
	}
	defer rows.Close() // Err says it
	out := map[string]storedScreening{}
	for rows.Next() {
		var id string
		var s storedScreening
		if err := rows.Scan(&id, &s.kiosk, &s.key, &s.lastEvent, &s.digest, &s.trail, &s.rules); err != nil {
			return nil, err
		}
		out[id] = s
	}
	return out, rows.Err()
}

func storeAll(ctx context.Context, tx *sql.Tx, d dialect, all []*Screening) error {
	screenings := insert{d: d, table: "screenings", columns: []string{
		"session_id", "device_id", "rehearsal", "programme", "film_id", "film_title", "film_finished", "held_at", "started_at", "ended_at",
		"clock_source", "kode_kemendagri", "kode_bps", "pcode", "kabupaten", "venue", "audience", "notes", "data_quality", "app_version",
		"people", "disability", "signing_key", "last_event", "digest", "trail", "note_went", "note_away", "note_why", "rules"}}
	screenings.upsert()
	attendance := insert{d: d, table: "attendance", columns: []string{
		"session_id", "category", "label", "sex", "age_group", "count_in", "count_out", "corrections", "net_count"}}
	rounds := insert{d: d, table: "poll_rounds", columns: []string{
		"session_id", "question", "round", "question_text", "step", "before_film", "phase", "answered", "skipped", "by_touch", "by_phone", "by_button", "by_hands"}}
	answers := insert{d: d, table: "poll_answers", columns: []string{
		"session_id", "question", "round", `"option"`, "place", "option_text", "is_right", "people", "raised_hands"}}
	for chunk := range slices.Chunk(all, 500) {
		if err := forget(ctx, tx, d, chunk, "attendance", "poll_answers", "poll_rounds"); err != nil {
			return err
		}
		for _, s := range chunk {
			screenings.add(s.ID, s.Kiosk, s.Rehearsal, s.Programme, s.FilmID, s.FilmTitle.ID, s.FilmFinished, moment(s.HeldAt), moment(s.StartedAt), moment(s.EndedAt),
				s.Clock, s.KodeKemendagri, s.KodeBPS, s.PCode(), s.Regency, s.Venue, s.Audience, s.Label, s.Quality, s.AppVersion,
				s.People(), s.Disability, s.Key, s.LastEvent, s.Digest, s.history.trail(s.LastEvent),
				joined(s.Note.Went), joined(s.Note.Away), joined(s.Note.Why), rules)
			for _, g := range s.Groups {
				attendance.add(s.ID, g.ID, g.Label.ID, g.Sex, g.Age, g.Pressed+g.Rows, g.Undone, g.Corrected, g.Net)
			}
			for i := range s.Rounds {
				r := &s.Rounds[i]
				by := map[string]int{}
				for _, c := range r.Channels {
					by[c.Name] = c.People
				}
				rounds.add(s.ID, r.ID, r.N, r.Text.ID, string(r.Step), slices.Contains(beforeFilm, r.Step), string(r.Phase), r.Answered(), r.Skipped, by["touch"], by["phone"], by["button"], by["hands"])
				for j, o := range r.Options {
					hands := 0
					if r.Hands != nil {
						hands = r.Hands[j]
					}
					answers.add(s.ID, r.ID, r.N, o.ID, j+1, o.Text.ID, o.Right, r.Counts[j], hands)
				}
			}
		}
		for _, in := range []*insert{&screenings, &attendance, &rounds, &answers} {
			if err := in.flush(ctx, tx); err != nil {
				return fmt.Errorf("%s: %w", in.table, err)
			}
		}
	}
	return nil
}

// forget clears away what the tables have of screenings that are written anew.
func forget(ctx context.Context, tx *sql.Tx, d dialect, all []*Screening, tables ...string) error {
	ids := make([]any, len(all))
	marks := make([]string, len(all))
	for i, s := range all {
		ids[i], marks[i] = plain(s.ID), fmt.Sprintf("$%d", i+1)
	}
	for _, table := range tables {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+d.schema+table+" WHERE session_id IN ("+strings.Join(marks, ",")+")", ids...); err != nil {
			return err
		}
	}
	return nil
}

// moment is a time for the database, nil where there is none.
func moment(iso string) any {
	if iso == "" {
		return nil
	}
	return iso
}

// insert gathers rows for as few statements as can be.
type insert struct {
	d       dialect
	table   string
	columns []string
	after   string
	values  []any
}

// upsert makes a row that is there already a row that is brought up to date, unless it
// tells of a longer journal.
func (in *insert) upsert() {
	var sets []string
	for _, c := range in.columns[1:] {
		sets = append(sets, c+" = excluded."+c)
	}
	in.after = " ON CONFLICT (" + in.columns[0] + ") DO UPDATE SET " + strings.Join(sets, ", ") + " WHERE excluded.last_event >= " + in.table + ".last_event"
}

func (in *insert) add(values ...any) {
	for _, v := range values {
		if s, ok := v.(string); ok {
			v = plain(s)
		}
		in.values = append(in.values, v)
	}
}

// plain is a text that PostgreSQL takes: UTF-8 without zeros.
func plain(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\ufffd"), "\x00", "")
}

func (in *insert) flush(ctx context.Context, tx *sql.Tx) error {
	width := len(in.columns)
	for chunk := range slices.Chunk(in.values, in.d.params/width*width) {
		var q strings.Builder
		q.WriteString("INSERT INTO " + in.d.schema + in.table + " (" + strings.Join(in.columns, ", ") + ") VALUES ")
		for i := range chunk {
			switch {
			case i == 0:
				q.WriteByte('(')
			case i%width == 0:
				q.WriteString("),(")
			default:
				q.WriteByte(',')
			}
			fmt.Fprintf(&q, "$%d", i+1)
		}
		q.WriteByte(')')
		q.WriteString(in.after)
		if _, err := tx.ExecContext(ctx, q.String(), chunk...); err != nil {
			return err
		}
	}
	in.values = in.values[:0]
	return nil
}

// Problems tells of what was not stored as it was read, and of whose screenings it is not
// certain.
func (s Stored) Problems() []Problem {
	var out []Problem
	for _, id := range s.Conflicts {
		out = append(out, Problem{Level: Doubt, Kind: Histories, Path: id, Screening: id,
			What: Words{"Di basis data sudah ada riwayat lain dengan nomor pemutaran ini; yang di sana tidak diubah.", "The database has another history under this screening id; what is there was not changed."},
			Do:   Words{"Cari tahu mana yang benar. Kalau yang baru, hapus dulu pemutaran itu dari basis data.", "Find out which one is true. If it is the new one, delete the screening from the database first."}})
	}
	if s.Old > 0 {
		out = append(out, Problem{Level: Doubt, Kind: Outdated, Path: "poll_results",
			What: words(lang.Text("collect.old_rows", lang.Params{"n": s.Old})),
			Do:   words(lang.Text("collect.old_rows_do"))})
	}
	for _, id := range s.Strange {
		out = append(out, Problem{Level: Doubt, Kind: Signature, Path: id, Screening: id,
			What: words(lang.Text("collect.database.strange")), Do: words(lang.Text("collect.database.strange_do"))})
	}
	for _, id := range s.Replaced {
		out = append(out, Problem{Level: Doubt, Kind: Signature, Path: id, Screening: id,
			What: words(lang.Text("collect.database.replaced")), Do: words(lang.Text("collect.database.replaced_do"))})
	}
	for _, kiosk := range s.NewKeys {
		out = append(out, Problem{Level: Doubt, Kind: KeyChanged, Path: kiosk,
			What: words(lang.Text("collect.database.key", lang.Params{"kiosk": kiosk})), Do: words(lang.Text("collect.database.strange_do"))})
	}
	return out
}
