// Faults breaks a running kiosk in every way that this machine allows without a virtual one,
// and holds what it did against what it had acknowledged. It runs the shipped binary on a data
// folder of its own, at a free port of the loopback.
//
//	kill    kill -9 at random moments under load: KILLS
//	disk    full, read-only, failing and slow disks while people vote
//	points  the daemon ends at each write and each sync of an evening in turn, or that one fails
//	soak    evenings in fast motion for HOURS: nothing may grow
//	table   what the last run of each gave, of the other labs too
//
// See "make faults". Everything is drawn from SEED.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/preload"
	"mimpi-kiosk/internal/lab/visit"
)

// asked is how much of it.
type asked struct {
	dir     string // where all lies
	library string // that plays a bad disk
	seed    int
	kills   int
	soak    time.Duration
	rest    time.Duration // after each step of the soak's evenings
	only    string        // part of the name of a fault
	hurts   time.Duration // how long a disk is bad
	most    int           // of the points of a kind
}

func main() {
	do := flag.String("do", "kill,table", "what to do, in this order: kill, disk, points, soak, table")
	var a asked
	flag.IntVar(&a.seed, "seed", 1, "seed of everything")
	flag.IntVar(&a.kills, "kills", 50, "how often the daemon is killed")
	flag.StringVar(&a.only, "only", "", "of disk and points, those faults alone whose name has this in it")
	flag.DurationVar(&a.hurts, "hurts", 4*time.Second, "how long each disk is bad")
	flag.IntVar(&a.most, "points", 10, "how many of the points of each kind, evenly; 0: all")
	flag.DurationVar(&a.soak, "soak", time.Minute, "how long the soak goes on")
	flag.DurationVar(&a.rest, "rest", 0, "how long everybody in the soak rests after each step of an evening")
	within := flag.Duration("within", 10*time.Hour, "give up after this long")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, *within)
	defer cancel()
	if err := run(ctx, a, *do); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, a asked, do string) error {
	if _, err := os.Stat(visit.Daemon); err != nil {
		return fmt.Errorf("%w: make build makes it", err)
	}
	var err error
	// The disk that the checkout is on, not a tmpfs.
	if a.dir, err = filepath.Abs("build/lab/faults"); err != nil {
		return err
	}
	if a.library = filepath.Join(a.dir, "disk.so"); strings.Contains(do, "disk") || strings.Contains(do, "points") {
		if err := errors.Join(os.MkdirAll(a.dir, 0o755), preload.Build(ctx, a.library)); err != nil {
			return err
		}
	}
	for what := range strings.SplitSeq(do, ",") {
		work := map[string]func(context.Context, asked) error{
			"kill": kill, "disk": disk, "points": points, "soak": soak,
			"table": func(context.Context, asked) error {
				return errors.Join(oracle.Table(os.Stdout), printElsewhere(os.Stdout))
			},
		}[what]
		if work == nil {
			return fmt.Errorf("there is nothing called %q to do", what)
		}
		if err := work(ctx, a); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}
