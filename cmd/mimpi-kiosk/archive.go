package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
	"mimpi-kiosk/internal/web"
)

// archive lets the screens read the journal back.
type archive struct{ journal *sqlite.Journal }

func (a archive) List(ctx context.Context) ([]web.Past, error) {
	rows, err := a.journal.Screenings(ctx)
	if err != nil {
		return nil, err
	}
	var out []web.Past
	for _, r := range rows {
		out = append(out, web.Past{
			ID: r.ID, HeldAt: r.HeldAt, Venue: r.Venue, Regency: r.Regency.Name,
			Rehearsal: r.Rehearsal, Total: r.Total, Ended: r.Ended(),
		})
	}
	return out, nil
}

func (a archive) State(ctx context.Context, id string) (*screening.State, error) {
	state := screening.NewState()
	for rec, err := range a.journal.Events(ctx, id) {
		if err != nil {
			return nil, fmt.Errorf("read screening %s: %w", id, err)
		}
		state.Apply(rec)
	}
	if state.Screening == nil || state.Screening.ID != id {
		return nil, fs.ErrNotExist
	}
	return state, nil
}

func (a archive) Export(ctx context.Context, w io.Writer) error {
	return export.Zip(ctx, a.journal, w, export.Options{})
}
