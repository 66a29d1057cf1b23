package oracle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// Kept is where the runs of all labs leave their figures: a file each, the last run's.
const Kept = "build/faults"

// Row is one line of the table that "make faults" prints.
type Row struct {
	Part  string    `json:"part"`  // "kill", "disk", "cut": the lab
	Fault string    `json:"fault"` // what was broken, in words; with Part it names the row
	Size  string    `json:"size"`  // how often: "1000 kills"
	Seed  int       `json:"seed"`
	Says  string    `json:"says"` // further figures
	Wrong string    `json:"wrong,omitempty"`
	At    time.Time `json:"at"`

	Judged       bool `json:"judged"` // the following are figures
	Acknowledged int  `json:"acknowledged"`
	Lost         int  `json:"lost"`
	Doubled      int  `json:"doubled"`
}

// With fills in what an oracle saw.
func (r Row) With(v *Verdict) Row {
	r.Judged, r.Acknowledged, r.Lost, r.Doubled = true, v.Acknowledged, len(v.Lost), len(v.Doubled)
	return r
}

// Keep leaves the row for the table, as the newest of its name; err is what went wrong.
// It gives err back. A run that somebody broke off (ctx is cancelled) says nothing, unless it had
// lost something by then: the row stays what it was.
func (r Row) Keep(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.Canceled) && r.Lost == 0 && r.Doubled == 0 {
		return cmp.Or(err, ctx.Err())
	}
	if err != nil {
		r.Wrong = err.Error()
	}
	r.At = time.Now().UTC().Round(time.Second)
	data, merr := json.MarshalIndent(r, "", "  ")
	if merr != nil {
		return cmp.Or(err, merr)
	}
	name := ""
	for _, c := range r.Part + " " + r.Fault {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
			name += string(c)
		default:
			name += "-"
		}
	}
	werr := os.MkdirAll(Kept, 0o755)
	if werr == nil {
		werr = os.WriteFile(filepath.Join(Kept, name+".json"), append(data, '\n'), 0o644)
	}
	return cmp.Or(err, werr)
}

// Table prints the newest run of each row, and an error for the failed ones.
func Table(out io.Writer) error {
	files, err := filepath.Glob(filepath.Join(Kept, "*.json"))
	if err != nil {
		return err
	}
	var rows []Row
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		var r Row
		if err := json.Unmarshal(data, &r); err != nil {
			return fmt.Errorf("%s: %w", f, err)
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b Row) int { return cmp.Or(cmp.Compare(a.Part, b.Part), a.At.Compare(b.At)) })
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "part\tfault\tsize\tacknowledged\tlost\tdoubled\tresult\tseen\tseed, run at")
	fmt.Fprintln(w, "----\t-----\t----\t------------\t----\t-------\t------\t----\t------------")
	failed := 0
	for _, r := range rows {
		result := "held"
		if r.Wrong != "" {
			result = "FAILED: " + firstLine(r.Wrong)
			failed++
		}
		figures := "\t\t"
		if r.Judged {
			figures = fmt.Sprintf("%d\t%d\t%d", r.Acknowledged, r.Lost, r.Doubled)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d, %s\n", r.Part, r.Fault, r.Size, figures, result, r.Says, r.Seed, r.At.Format("2006-01-02 15:04"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d runs failed", failed, len(rows))
	}
	return nil
}

func firstLine(s string) string {
	for i, c := range s {
		if c == '\n' {
			return s[:i]
		}
	}
	return s
}
