package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/qemu"
)

// jumpAgainAndAgain lets the machine's clock jump by years while people press, vote and watch
// the film: see the guest's clock. What was acknowledged must be in the journal, once.
func jumpAgainAndAgain(ctx context.Context, k *kernel, initrd string, seed int) error {
	began := time.Now()
	t := newTally()
	err := t.clock(ctx, k, initrd, seed)
	if err == nil && (t.acknowledged() == 0 || t.jumps == "") {
		err = errors.New("nothing was acknowledged, or no clock jumped: this run shows nothing")
	}
	size, more, _ := strings.Cut(t.jumps, "; ")
	says := fmt.Sprintf("%s; %s, %v", more, t.film, time.Since(began).Round(time.Second))
	fmt.Printf("clock, seed %d: %d acknowledged, %d lost; %s; %s\n", seed, t.acknowledged(), t.lost, size, says)
	row := oracle.Row{Part: "clock", Fault: "the machine's clock jumps between 1970 and 2099 under load; the daemon starts anew in 1970", Size: size, Seed: seed, Says: says}
	return t.row(row).Keep(ctx, errors.Join(err, t.err()))
}

func (t *tally) clock(ctx context.Context, k *kernel, initrd string, seed int) error {
	t.begin(nil)
	guest, err := qemu.Start(ctx, qemu.Options{
		CPUs: 1, Memory: 768, Kernel: k.image, Initrd: initrd,
		Append: fmt.Sprint(commandLine, "lab.do=clock lab.seed=", seed),
		Log:    &labLines{to: t},
	})
	if err != nil {
		return err
	}
	_, err = guest.Console(0).Expect(ctx, `LAB END (\w+)\n`)
	err = errors.Join(err, guest.Close())
	return errors.Join(err, t.failed) // everything has been heard by now
}
