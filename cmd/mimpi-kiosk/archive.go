package main

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
)

// archive lets the screens read the journal back.
type archive struct {
	*sqlite.Late
	options func() (export.Options, error)
}

func (a archive) State(ctx context.Context, id string) (*screening.State, error) {
	state := screening.NewState()
	for rec, err := range a.Events(ctx, id) {
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
	opts, err := a.options()
	if err != nil {
		return err
	}
	return export.Zip(ctx, a, w, opts)
}
