package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
)

// diskLooks is how often a disk is tried that refuses.
const diskLooks = 3 * time.Second

// awaitDisk tries a disk that refuses, from the start or later, until it takes what is to be
// kept: the journal, and after a start without it the kiosk's name and the PIN. Meanwhile the
// film and the screens of the poll are there, counts and answers are refused with a sentence,
// and the part "journal" of the health board says what to do.
func (k *kiosk) awaitDisk(ctx context.Context, room *screening.Room, journal *sqlite.Late) error {
	kept := journal.There()
	if !kept {
		k.log.Error("the kiosk has begun without its data folder: nothing is counted", "folder", k.data)
	}
	changed, stop := k.board.Follow()
	defer stop()
	for {
		news, again := changed, (<-chan time.Time)(nil) // no timer while the disk is well
		if !kept || k.notSaving() {
			news, again = nil, time.After(diskLooks)
			err := room.Check(ctx) // the board is told
			if errors.Is(err, sqlite.ErrAnew) {
				return err
			}
			if err == nil && !kept {
				kept = k.arrived(journal)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-news:
		case <-again:
		}
	}
}

// notSaving says whether the last commit was refused.
func (k *kiosk) notSaving() bool {
	return slices.ContainsFunc(k.board.Parts(), func(p health.Part) bool { return p.Part == "journal" && p.Level == health.Problem })
}

// arrived does what a start without a disk has left undone.
func (k *kiosk) arrived(journal *sqlite.Late) bool {
	if notice := journal.Opened().Notice(); notice != nil {
		k.board.Set(setAside(notice))
	}
	if err := k.keepAll(); err != nil {
		k.log.Error("what the data folder should keep", "error", err)
		return false
	}
	k.log.Warn("the data folder can be written now: counting goes on")
	return true
}

// keepAll writes what a start without a disk has only in memory.
func (k *kiosk) keepAll() error {
	defer func() { k.board.Set(pinHealth(k.keeper.Notes())) }()
	return errors.Join(writeDurably(k.idFile(), []byte(k.id+"\n")), k.keeper.Keep())
}
