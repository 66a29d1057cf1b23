package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"mimpi-kiosk/internal/lab/card"
	"mimpi-kiosk/internal/lab/kept"
	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/sqlite"
)

// replayEachFlush records all that the machine tells its card, once while people vote and once
// (after a cut, so that file system and journal are recovered in it) while the film is shown.
// Then the card is cut after each flush of it (or after so many, evenly): with nothing that was
// written later, and with some of it. Each time e2fsck recovers the file system, as it does at
// each start of Debian; the journal is opened as the daemon opens it; and what was acknowledged
// when the card had come so far must be there. A random cut falls between two flushes by luck;
// this falls between all.
//
// The card itself records, not dm-log-writes in the guest: it sees the very writes and flushes
// that a card sees, it knows how far it was when an acknowledgement was heard, and that
// kernel's module would need its own disk for the log and programs to play it back.
//
// With noSync the journal's WAL is not synced, and something must be missing somewhere. What the
// clock of the machine says is 1970 in the second life.
func replayEachFlush(ctx context.Context, k *kernel, initrd string, most int, seed uint64, noSync bool) error {
	began := time.Now()
	t := newTally()
	r := &replay{tally: t, work: filepath.Join(filepath.Dir(initrd), "replay")}
	err := r.run(ctx, k, initrd, most, seed, noSync)
	size := fmt.Sprintf("%d of %d flushes, %d torn", r.whole, r.flushes, r.torn)
	says := fmt.Sprintf("%d file systems recovered and journals opened, %d of them with something in them, %v",
		r.whole+r.torn, r.opened, time.Since(began).Round(time.Second))
	if r.mounting > 0 {
		says += fmt.Sprintf("; %d not: the card's superblock was torn while it was mounted, before anything was acknowledged", r.mounting)
	}
	fmt.Printf("replay, seed %d: %s: %d acknowledged, %d lost; %s\n", seed, size, t.acknowledged(), t.lost, says)
	if err == nil && (t.acknowledged() == 0 || r.opened == 0 && !noSync) { // without syncs all may be gone
		err = errors.New("nothing was acknowledged, or found: this run shows nothing")
	}
	row := oracle.Row{Part: "replay", Fault: "power cut after each flush of a recorded run", Size: size, Seed: int(seed), Says: says}
	if noSync {
		row.Fault = "power cut while SQLite's log is not synced: must lose"
		row.Says = fmt.Sprintf("in %d replays something acknowledged was missing", r.bad)
		if err == nil && r.bad == 0 {
			err = errors.New("without syncs nothing was lost: this replay does not bite")
		}
		return row.Keep(ctx, err)
	}
	return t.row(row).Keep(ctx, errors.Join(err, t.err()))
}

type replay struct {
	*tally
	work string // folder

	counting                          sync.Mutex
	flushes, whole, torn, opened, bad int
	mounting                          int // cut in the write of the superblock, while the machine mounted the card
}

// workRecorded is how long each of the two lives works.
const workRecorded = 5 * time.Second

func (r *replay) run(ctx context.Context, k *kernel, initrd string, most int, seed uint64, noSync bool) error {
	random := rand.New(rand.NewPCG(seed, 1))
	disk, err := card.Ext4(ctx, cardSize, filepath.Dir(initrd))
	if err != nil {
		return err
	}
	lives := 2
	if noSync {
		lives = 1 // it is enough, and what is lost need not be recovered
	}
	for boot := 1; boot <= lives; boot++ {
		disk.Record()
		l := life{boot: boot, film: boot == 2, after: workRecorded, noSync: noSync, in1970: boot == 2 && !noSync}
		if err := r.live(ctx, k, initrd, disk, l); err != nil {
			return fmt.Errorf("start %d (seed %d): %w", boot, seed, err)
		}
		recording := disk.Recording()
		r.flushes += recording.Flushes()
		if err := r.all(ctx, recording, most, random, noSync); err != nil {
			return fmt.Errorf("start %d (seed %d): %w", boot, seed, err)
		}
		disk.Cut(random)
	}
	return nil
}

// all replays a life.
func (r *replay) all(ctx context.Context, recording *card.Recording, most int, random *rand.Rand, noSync bool) error {
	if err := errors.Join(os.RemoveAll(r.work), os.MkdirAll(r.work, 0o755)); err != nil {
		return err
	}
	step := 1
	if most > 0 {
		step = max(1, recording.Flushes()/most)
	}
	first := random.IntN(step)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.NumCPU())
	for p := range recording.Points(random, func(flush int) bool { return flush%step == first }) {
		if ctx.Err() != nil {
			break
		}
		group.Go(func() error {
			k, err := r.recover(ctx, p)
			if errors.Is(err, card.ErrTornSuperblock) && p.Torn && !r.heard(p.Operations) {
				r.counting.Lock()
				defer r.counting.Unlock()
				r.mounting++
				return nil
			}
			if err != nil && !noSync {
				return fmt.Errorf("cut after operation %d of the card (torn: %t): %w", p.Operations, p.Torn, err)
			}
			return r.judge(k, p, noSync)
		})
	}
	return group.Wait()
}

// judge compares what a card has with what was acknowledged when it had come so far.
func (r *replay) judge(k *kept.Kept, p card.Point, noSync bool) error {
	r.counting.Lock()
	defer r.counting.Unlock()
	if p.Torn {
		r.torn++
	} else {
		r.whole++
	}
	if k == nil {
		k = &kept.Kept{}
	} else if len(k.Counts) > 0 {
		r.opened++
	}
	lost, doubled := r.against(k, r.at(p.Operations))
	if lost+doubled > 0 {
		r.bad++
	}
	if noSync {
		return nil
	}
	r.lost += lost
	r.doubled += doubled
	if lost+doubled > 0 {
		return fmt.Errorf("cut after operation %d of the card (torn: %t): %d acknowledged are lost, %d doubled: %+v", p.Operations, p.Torn, lost, doubled, *k)
	}
	return nil
}

// recover starts from a card as Debian and the daemon do. It gives nil when there is no
// journal on it yet.
func (r *replay) recover(ctx context.Context, p card.Point) (_ *kept.Kept, err error) {
	folder, err := os.MkdirTemp(r.work, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	journal := filepath.Join(folder, "journal.db")
	if _, err := card.Files(ctx, p.Content, folder, "journal.db", "journal.db-wal"); err != nil {
		return nil, err
	}
	if _, err := os.Stat(journal); err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	j, err := sqlite.Open(ctx, journal)
	if err != nil {
		return nil, err
	}
	aside := j.Opened().SetAside
	if err := j.Close(); err != nil {
		return nil, err
	}
	if aside != "" {
		return nil, errors.New("the journal was damaged and set aside")
	}
	return kept.Read(ctx, journal)
}
