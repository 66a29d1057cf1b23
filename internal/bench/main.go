// Bench prints one table: what the kiosk costs, beside what a plain program costs for
// the same job on the same machine in the same run. Only the ratios carry over to other
// machines. Run it with "make bench"; the daemon must be built. Arguments name the parts
// to measure (commits, growth, fan-out, qr, rest, ranges, film, sizes, pi, boot, collect); none is all.
//
// All traffic goes to 127.0.0.1, and every load is bounded in count and time.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one line of the table.
type row struct {
	job      string
	ours     string
	plain    string // the baseline, and what it is
	ratio    string
	aim      string
	equality string // what was equal in both
}

func main() {
	if dir := os.Getenv(bareServer); dir != "" {
		exitOn(serveBare(dir))
		return
	}
	if os.Getenv(memoryOf) != "" {
		exitOn(tellMemory(os.Args[1], os.Args[2:]...))
		return
	}
	if dir := os.Getenv(commitLoad); dir != "" {
		exitOn(loadCommits(context.Background(), dir, os.Args[1]))
		return
	}
	dir, err := os.MkdirTemp(".", "bench-") // the disk that the checkout is on, not a tmpfs
	exitOn(err)
	dir, err = filepath.Abs(dir)
	exitOn(err)
	rows, err := measure(context.Background(), dir)
	print(rows)
	exitOn(errors.Join(err, os.RemoveAll(dir)))
}

// another is this program once more, as the process that part is the environment variable of.
func another(ctx context.Context, part, value string, args ...string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), part+"="+value), os.Stderr
	return cmd, nil
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure goes on after a part that fails.
func measure(ctx context.Context, dir string) (rows []row, failed error) {
	for _, part := range []struct {
		name string
		run  func(context.Context, string) ([]row, error)
	}{
		{"commits", commits}, {"growth", growth}, {"fan-out", fanOut}, {"qr", codes}, {"rest", atRest}, {"ranges", ranges}, {"film", film}, {"sizes", sizes}, {"pi", pi}, {"boot", boot}, {"collect", collected},
	} {
		if len(os.Args) > 1 && !slices.Contains(os.Args[1:], part.name) {
			continue
		}
		fmt.Fprintf(os.Stderr, "measuring %s...\n", part.name)
		sub := filepath.Join(dir, part.name)
		if err := os.Mkdir(sub, 0o755); err != nil {
			return rows, err
		}
		out, err := part.run(ctx, sub)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", part.name, err))
			continue
		}
		rows = append(rows, out...)
	}
	return rows, failed
}

func print(rows []row) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "job\tkiosk\tplain\tratio\taim\tequal in both")
	fmt.Fprintln(w, "---\t-----\t-----\t-----\t---\t-------------")
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join([]string{r.job, r.ours, r.plain, r.ratio, r.aim, r.equality}, "\t"))
	}
	_ = w.Flush() // standard output; nobody is left to tell
}

// median of an odd number of runs is one of them.
func median[N cmp.Ordered](runs []N) N { return quantile(runs, 0.5) }

func quantile[N cmp.Ordered](runs []N, q float64) N {
	s := slices.Sorted(slices.Values(runs))
	return s[min(int(q*float64(len(s))), len(s)-1)]
}

func times(ratio float64) string { return fmt.Sprintf("%.2f", ratio) }

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/float64(time.Millisecond)) }

func perSecond(n int, d time.Duration) float64 { return float64(n) / d.Seconds() }
