package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// tally is what a run gave.
type tally struct {
	all                  count
	packages, byOperator map[string]*count
	survivors            []result // with what they were judged as, in the order of files and lines
	killed               []result
	judged               judgements
}

// count is what became of the mutants of a package, or of an operator.
type count struct {
	drawn, invalid, killed, timeouts int
	survived                         map[class]int
}

func newTally(results []result, judged judgements) *tally {
	t := &tally{packages: map[string]*count{}, byOperator: map[string]*count{}, judged: judged}
	for _, r := range results {
		for _, c := range []*count{&t.all, of(t.packages, r.Site.Package), of(t.byOperator, r.Site.Operator)} {
			c.add(r, t.class(r))
		}
		switch r.Outcome {
		case survived:
			t.survivors = append(t.survivors, r)
		case killed:
			t.killed = append(t.killed, r)
		}
	}
	byPlace := func(a, b result) int {
		return cmp.Or(cmp.Compare(a.Site.File, b.Site.File), cmp.Compare(a.Site.Line, b.Site.Line))
	}
	slices.SortStableFunc(t.survivors, byPlace)
	slices.SortStableFunc(t.killed, byPlace)
	return t
}

func of(counts map[string]*count, name string) *count {
	if counts[name] == nil {
		counts[name] = &count{}
	}
	return counts[name]
}

func (t *tally) class(r result) class { return cmp.Or(t.judged[r.Site.key()], unjudged) }

func (c *count) add(r result, as class) {
	c.drawn++
	switch r.Outcome {
	case invalid:
		c.invalid++
	case killed:
		c.killed++
		if r.Timeout {
			c.timeouts++
		}
	default:
		if c.survived == nil {
			c.survived = map[class]int{}
		}
		c.survived[as]++
	}
}

// met counts the mutants that a person could meet.
func (c *count) met() int {
	n := c.killed
	for as, of := range c.survived {
		if as.met() {
			n += of
		}
	}
	return n
}

// rate is the percentage of those that are killed; 100 when there are none.
func (c *count) rate() float64 {
	if c.met() == 0 {
		return 100
	}
	return 100 * float64(c.killed) / float64(c.met())
}

func (t *tally) valid() int { return t.all.drawn - t.all.invalid }

// String is one line of figures.
func (t *tally) String() string {
	text := fmt.Sprintf("killed %d (%d by running out of time)", t.all.killed, t.all.timeouts)
	for _, c := range append(slices.Clone(classes), unjudged) {
		if n := t.all.survived[c]; n > 0 {
			text += fmt.Sprintf(", %s %d", c, n)
		}
	}
	return text + fmt.Sprintf("; %.1f %% of the %d that a person could meet", t.all.rate(), t.all.met())
}

// verdict is an error when too few were killed.
func (t *tally) verdict() error {
	if t.all.rate() >= wanted {
		return nil
	}
	return fmt.Errorf("the tests notice %.1f %% of the faults that a person could meet, less than %g %%: write tests for the survivors that are real or cosmetic, and judge the others in %s", t.all.rate(), wanted, judgedFile)
}

// report prints it, and writes it into SEED.txt, beside lines for the judgements that are missing in SEED-unjudged.txt.
func (t *tally) report(o options, sites []site, flaky []string) error {
	var out bytes.Buffer
	fmt.Fprintf(&out, "\nMutants of seed %d\n\n", o.seed)
	t.table(&out, "package", t.packages)
	fmt.Fprintln(&out)
	t.table(&out, "operator", t.byOperator)
	fmt.Fprintf(&out, "\nkilled/met: of those that a person could meet (killed, cosmetic, real, unjudged).\n%s\n", t)
	var missing strings.Builder
	for _, r := range t.survivors {
		as := t.class(r)
		fmt.Fprintf(&out, "\n%s  %s:%d  %s, in %s\n%s", as, r.Site.File, r.Site.Line, r.Site.Operator, r.Site.Func, r.Diff)
		fmt.Fprintf(&out, "Tests that saw nothing: %s\n", cmp.Or(strings.Join(r.Passed, " "), "there are none"))
		if as == unjudged {
			fmt.Fprintf(&missing, "?\t%s\t\n", r.Site.key())
		}
	}
	if len(t.killed) > 0 {
		fmt.Fprintln(&out, "\nKilled by:")
		for _, r := range t.killed {
			fmt.Fprintf(&out, "  %s:%d %s%s\n", r.Site.File, r.Site.Line, r.Site.Operator, r.by())
		}
	}
	if len(flaky) > 0 {
		fmt.Fprintf(&out, "\nTests that failed once without a fault:\n  %s\n", strings.Join(flaky, "\n  "))
	}
	if gone := t.judged.stale(sites); len(gone) > 0 && len(o.parts) == 0 {
		fmt.Fprintf(&out, "\nJudged, and no longer in the code; remove from %s:\n  %s\n", judgedFile, strings.Join(gone, "\n  "))
	}
	base := filepath.Join(o.results, o.name())
	_, err := o.out.Write(out.Bytes())
	err = errors.Join(err, os.WriteFile(base+".txt", out.Bytes(), 0o644), os.WriteFile(base+"-unjudged.txt", []byte(missing.String()), 0o644))
	fmt.Fprintf(o.out, "\nThe same: %s.txt. Lines for %s: %s-unjudged.txt\n", base, judgedFile, base)
	return err
}

func (t *tally) table(out io.Writer, of string, counts map[string]*count) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\tdrawn\tinvalid\tkilled\ttimeouts\tsurvived", of)
	all := append(slices.Clone(classes), unjudged)
	for _, c := range all {
		fmt.Fprintf(w, "\t%s", c)
	}
	fmt.Fprintln(w, "\tkilled/met")
	row := func(name string, c *count) {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d", name, c.drawn, c.invalid, c.killed, c.timeouts, c.drawn-c.invalid-c.killed)
		for _, as := range all {
			fmt.Fprintf(w, "\t%d", c.survived[as])
		}
		fmt.Fprintf(w, "\t%d/%d = %.0f %%\n", c.killed, c.met(), c.rate())
	}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		row(name, counts[name])
	}
	row("all", &t.all)
	w.Flush()
}
