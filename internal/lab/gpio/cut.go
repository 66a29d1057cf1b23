package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"mimpi-kiosk/internal/lab/card"
	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/qemu"
)

const (
	cardSize   = 64 << 20
	workAtMost = 6 * time.Second // of work until a cut
)

// cutAgainAndAgain lets the shipped daemon work in a machine whose journal is on a card
// with a cache that forgets (package card), takes the power away at a random moment,
// most often right after a write to the card, and switches it on again. One time in five the power goes while the kiosk is still starting.
// Every second start the machine believes that it is 1970: it has no clock of its own.
//
// What lamps and screens acknowledged must be in the journal, once, and the film must be
// where a screen had it, or later. With noSync it must not: else these cuts would show nothing.
func cutAgainAndAgain(ctx context.Context, k *kernel, initrd string, cuts int, seed uint64, noSync bool) error {
	began := time.Now()
	t := newTally()
	early, flushes, err := t.cut(ctx, k, initrd, cuts, seed, noSync)
	says := fmt.Sprintf("%d of the cuts while it started; %s; %d flushes of the card, %v",
		early, t.film, flushes, time.Since(began).Round(time.Second))
	fmt.Printf("%d cuts, seed %d: %d acknowledged, %d lost; %s\n", cuts, seed, t.acknowledged(), t.lost, says)
	if err == nil && t.acknowledged() == 0 {
		err = errors.New("nothing was acknowledged: this run shows nothing")
	}
	row := oracle.Row{Part: "cut", Fault: "power cut at a random moment, on a card whose cache forgets", Size: fmt.Sprint(cuts, " cuts"), Seed: int(seed), Says: says}
	if noSync {
		row.Fault = "power cut while SQLite's log is not synced: must lose"
		row.Says = fmt.Sprintf("%d of %d acknowledged were lost: the cuts bite", t.lost, t.acknowledged())
		if err == nil && t.lost == 0 {
			err = errors.New("without syncs nothing was lost: these cuts do not bite")
		}
		return row.Keep(ctx, err)
	}
	return t.row(row).Keep(ctx, errors.Join(err, t.err()))
}

func (t *tally) cut(ctx context.Context, k *kernel, initrd string, cuts int, seed uint64, noSync bool) (early, flushes int, err error) {
	random := rand.New(rand.NewPCG(seed, 0))
	disk, err := card.Ext4(ctx, cardSize, filepath.Dir(initrd))
	if err != nil {
		return 0, 0, err
	}
	for boot := 1; boot <= cuts+1; boot++ {
		look := boot > cuts
		atStart := !look && boot > 1 && random.IntN(5) == 0
		after, writes, film := time.Duration(random.Int64N(int64(workAtMost))), random.IntN(5), random.IntN(2) == 0
		found := disk.Content()
		if err := t.live(ctx, k, initrd, disk, life{
			boot: boot, look: look, film: film, atStart: atStart, after: after, writes: writes, noSync: noSync, in1970: boot%2 == 0 && !noSync,
		}); err != nil {
			left := filepath.Join(filepath.Dir(initrd), "card-that-failed")
			return early, disk.Flushes(), errors.Join(fmt.Errorf("start %d (seed %d), the card as it was before is %s: %w", boot, seed, left, err), os.WriteFile(left, found, 0o600))
		}
		if look {
			break
		}
		if atStart {
			early++
		}
		cached, old := disk.Cut(random)
		fmt.Printf("cut %3d after %4.1f s of work: %4d acknowledged, %3d sectors were not flushed, %3d of them are old\n",
			boot, t.worked.Seconds(), t.acknowledged(), cached, old)
	}
	return early, disk.Flushes(), nil
}

// life is one time with power.
type life struct {
	boot           int
	look           bool          // only to look, and switched off properly
	film           bool          // the film is shown; else people vote
	atStart        bool          // cut while it starts
	after          time.Duration // of the cut, after its start or after it was ready
	writes         int           // and then so many writes to the card; 0 is at once
	noSync, in1970 bool
}

// live switches the machine on, and off.
func (t *tally) live(ctx context.Context, k *kernel, initrd string, disk *card.Card, l life) error {
	address, take, err := disk.Offer()
	if err != nil {
		return err
	}
	asked := fmt.Sprintf("lab.do=cut lab.boot=%d", l.boot)
	if l.look {
		asked += " lab.look=yes"
	}
	if l.film {
		asked += " lab.film=yes"
	}
	if l.noSync {
		asked += " lab.sync=no"
	}
	args := []string{}
	if l.in1970 {
		args = []string{"-rtc", "base=1970-01-02T00:00:00"}
	}
	t.begin(disk.Operations)
	guest, err := qemu.Start(ctx, qemu.Options{
		CPUs: 1, Memory: 768, Kernel: k.image, Initrd: initrd,
		Append: commandLine + asked,
		Disks:  []qemu.Disk{{Path: address}}, Args: args,
		Log: &labLines{to: t},
	})
	if err != nil {
		return errors.Join(err, take())
	}
	err = t.work(ctx, guest, disk, l)
	// The card is read when the machine is gone, and everything it has said.
	err = errors.Join(err, guest.Close(), take())
	return errors.Join(err, t.failed)
}

func (t *tally) work(ctx context.Context, guest *qemu.Guest, disk *card.Card, l life) error {
	wanted := `LAB READY`
	if l.look {
		wanted = `LAB LOOKED`
	}
	if l.atStart {
		wanted = `LAB RUN cut`
	}
	if got, err := guest.Console(0).Expect(ctx, wanted+`|LAB END \w+\n|Kernel panic`); err != nil {
		return err
	} else if got[0] != wanted {
		return fmt.Errorf("the machine: %s", got[0]) // the tally has heard why
	}
	if l.look {
		return guest.Wait(ctx)
	}
	began := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(l.after):
	}
	if l.writes > 0 {
		select {
		case <-disk.AfterWrites(l.writes):
		case <-time.After(workAtMost): // it writes nothing now
		}
	}
	t.worked = time.Since(began)
	return nil
}
