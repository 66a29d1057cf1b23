package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"

	"github.com/pressly/goose/v3"
)

// newest is the version of the last file in migrations. A test holds it.
const newest = 2

//go:embed migrations/*.sql
var migrations embed.FS

// migrate brings a journal up to newest: each migration whole or not at all. It is
// not called for a journal that is there already, which spares a start the reading
// of all migrations.
func migrate(ctx context.Context, db *sql.DB) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files,
		goose.WithLogger(goose.NopLogger()), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}
