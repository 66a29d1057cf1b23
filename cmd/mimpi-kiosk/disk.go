package main

import (
	"context"
	"errors"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
)

// diskLooks is how often a data folder is tried that could not be written at the start.
const diskLooks = 3 * time.Second

// awaitDisk tries, where the kiosk was started without its disk, until that takes what is
// to be kept: the journal, the kiosk's name and the PIN. Meanwhile the film and the
// screens of the poll are there, counts and answers are refused with a sentence, and the
// part "journal" of the health board says what to do.
func (k *kiosk) awaitDisk(ctx context.Context, room *screening.Room, journal *sqlite.Late) error {
	if journal.There() {
		return nil
	}
	k.log.Error("the kiosk has begun without its data folder: nothing is counted", "folder", k.data)
	tick := time.NewTicker(diskLooks)
	defer tick.Stop()
	for {
		err := room.Check(ctx) // the board is told
		switch {
		case errors.Is(err, sqlite.ErrAnew):
			return err
		case err == nil:
			if notice := journal.Opened().Notice(); notice != nil {
				k.board.Set(setAside(notice))
			}
			err := k.keepAll()
			if err == nil {
				k.log.Warn("the data folder can be written now: counting goes on")
				return nil
			}
			k.log.Error("what the data folder should keep", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// keepAll writes what a start without a disk has only in memory.
func (k *kiosk) keepAll() error {
	defer func() { k.board.Set(pinHealth(k.keeper.Notes())) }()
	return errors.Join(writeDurably(k.idFile(), []byte(k.id+"\n")), k.keeper.Keep())
}
