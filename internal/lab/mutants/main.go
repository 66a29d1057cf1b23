// Mutants measures the Go tests by mutation testing: it draws places of the product's code at
// random, puts one small fault (a mutant) in each, and runs the tests. A mutant is killed when a
// test fails or runs out of time, and survives when all pass.
//
// The draw depends on -seed and the source alone. It goes by lines over the packages of the product,
// without labs, benchmarks, generated files and packages whose name ends in "test"; log calls are left
// alone. The faults are those of [operators].
//
// A mutant is compiled from an overlay (go help build, -overlay), so the working tree is not
// touched; a run ends with an error when a file of it changes meanwhile. The tests of the mutant's
// own package are run first, then those of the packages that import it, directly or not, the quickest
// first, without the race detector and without vet. All of these must pass without a fault, at
// the second time at the latest, or the run ends. A test that fails has killed the mutant when it fails
// once more, alone or with the others. A mutant that does not compile is invalid, and another one is drawn.
//
// Results are kept in build/lab/mutants/SEED.json after each mutant, and a run that was broken off
// goes on from there while the source is the same. Survivors are judged by people, in judged.txt:
// see [class]. The run fails when too few are killed of those mutants that a person could meet:
// see [wanted].
//
// See "make mutants".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
)

const (
	// wanted is the least percentage of killed ones among the mutants that a person could meet.
	wanted = 92.0

	judgedFile = "internal/lab/mutants/judged.txt"
	resultsDir = "build/lab/mutants"
)

func main() {
	var o options
	flag.Uint64Var(&o.seed, "seed", 1, "of the draw")
	flag.IntVar(&o.count, "mutants", 60, "how many, the invalid ones not counted")
	flag.BoolVar(&o.own, "own", false, "run only the tests of a mutant's own package when it has any: quicker, and more survive")
	parts := flag.String("packages", "", "draw from these folders alone, named from internal or the top, separated by spaces: \"collect web/signin cmd\"")
	flag.Parse()
	o.parts = strings.Fields(*parts)
	o.root, o.results, o.judged = ".", resultsDir, judgedFile
	o.patterns = []string{"./cmd/...", "./internal/..."}
	o.spare, o.out = time.Minute, os.Stdout
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// measure runs it, and leaves a row for the table of all labs when all packages were drawn from, and all tests run.
func measure(ctx context.Context, o options) error {
	if err := errors.Join(adopt(), limitMemory()); err != nil {
		return err
	}
	t, err := run(ctx, o)
	if t == nil || len(o.parts) > 0 || o.own {
		return err
	}
	return oracle.Row{
		Part: "mutants", Fault: "random faults in the Go code", Size: fmt.Sprintf("%d faults", t.valid()), Seed: int(o.seed), Says: t.String(),
	}.Keep(ctx, err)
}

// run tries the mutants of a draw and reports. The tally is nil when it did not come to an end.
func run(ctx context.Context, o options) (*tally, error) {
	if o.count < 1 {
		return nil, fmt.Errorf("%d mutants show nothing: at least 1", o.count)
	}
	judgements, err := readJudged(o.judged)
	if err != nil {
		return nil, err
	}
	fmt.Fprintln(o.out, "Reading and compiling the code...")
	p, err := load(ctx, o.root, o.patterns, o.parts)
	if err != nil {
		return nil, err
	}
	for _, folder := range o.parts {
		if !slices.ContainsFunc(p.sites, func(s site) bool { return within(s.Package, []string{folder}) }) {
			return nil, fmt.Errorf("there is no code of the product in %q: name folders as \"web/signin\" (in internal) or \"cmd/mimpi-kiosk\"", folder)
		}
	}
	j, err := openJournal(o, p)
	if err != nil {
		return nil, err
	}
	if err := try(ctx, o, p, j, draw(p.sites, o.seed)); err != nil {
		return nil, err
	}
	t := newTally(j.Results, judgements)
	return t, errors.Join(t.report(o, p.sites, j.Flaky), t.verdict())
}
