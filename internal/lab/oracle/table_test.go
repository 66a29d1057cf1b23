package oracle

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// The table has each row as its last run left it, and a run that was broken off changes nothing,
// unless it had found a fault by then.
func TestTheTableKeepsWhatRunsLeave(t *testing.T) {
	t.Chdir(t.TempDir())
	broken, breakOff := context.WithCancel(context.Background())
	breakOff()
	wrong := errors.New("the journal is gone")
	for _, run := range []struct {
		row  Row
		ctx  context.Context
		err  error
		want string // in its line afterwards
	}{
		{Row{Part: "kill", Fault: "kill -9", Judged: true, Acknowledged: 17}, context.Background(), nil, "17  0"},
		{Row{Part: "kill", Fault: "kill -9", Judged: true, Acknowledged: 3}, broken, errors.New("signal: killed"), "17  0"},
		{Row{Part: "kill", Fault: "kill -9", Judged: true, Acknowledged: 3}, broken, nil, "17  0"},
		{Row{Part: "kill", Fault: "kill -9", Judged: true, Acknowledged: 5, Lost: 2}, broken, wrong, "FAILED: the journal is gone"},
		{Row{Part: "kill", Fault: "kill -9", Judged: true, Acknowledged: 19}, context.Background(), nil, "19  0"},
		{Row{Part: "kill", Fault: "kill -9"}, context.Background(), wrong, "FAILED: the journal is gone"},
	} {
		got := run.row.Keep(run.ctx, run.err)
		if wanted := errors.Join(run.err, run.ctx.Err()); (got == nil) != (wanted == nil) {
			t.Errorf("%+v: the error is %v, want one of %v", run.row, got, wanted)
		}
		var table strings.Builder
		err := Table(&table)
		if failed := strings.Contains(run.want, "FAILED"); (err != nil) != failed {
			t.Errorf("%+v: the table ends with %v", run.row, err)
		}
		words := strings.Join(strings.Fields(table.String()), "  ")
		if !strings.Contains(words, strings.Join(strings.Fields(run.want), "  ")) {
			t.Errorf("%+v: no %q in\n%s", run.row, run.want, &table)
		}
	}
}
