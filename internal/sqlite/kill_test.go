package sqlite

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// appendForEver is the variable that turns the test program into the child of
// TestKill: it appends batches to the journal named and prints each seq once Append
// has returned.
const appendForEver = "MIMPI_TEST_APPEND_FOR_EVER"

func appendAndPrint(path string) {
	ctx := context.Background()
	j, err := Open(ctx, path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	seq := j.last
	for {
		var batch []screening.Recorded
		for range rand.IntN(40) + 1 {
			seq++
			batch = append(batch, screening.Recorded{
				Seq: seq, Stamp: screening.Stamp{At: time.UnixMilli(seq).UTC(), Boot: "b", Clock: screening.ClockUnset},
				Screening: "s1", Command: fmt.Sprint("c", seq), From: screening.FromTouch, Event: screening.AttendeeCounted{Category: "woman"},
			})
		}
		if err := j.Append(ctx, batch); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for _, r := range batch {
			fmt.Println(r.Seq)
		}
	}
}

func TestKill(t *testing.T) {
	path := newPath(t)
	acknowledged := int64(0)
	kills := 20
	if testing.Short() {
		kills = 5
	}
	for n := range kills {
		before := acknowledged
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), appendForEver+"="+path)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		kill := func() { child.Process.Kill() }
		if n%4 == 0 { // while it starts, or migrates
			time.AfterFunc(time.Duration(rand.IntN(100))*time.Millisecond, kill)
		}
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if n%4 != 0 && acknowledged == before {
				time.AfterFunc(time.Duration(rand.IntN(150))*time.Millisecond, kill)
			}
			seq, err := strconv.ParseInt(lines.Text(), 10, 64)
			if err != nil {
				break // cut off in the middle of a line
			}
			// A number cut off looks smaller than it is.
			acknowledged = max(acknowledged, seq)
		}
		child.Wait()
		if code := child.ProcessState.ExitCode(); code != -1 {
			t.Fatalf("the child ended by itself (%d) before kill %d", code, n+1)
		}

		j := mustOpen(t, path)
		if o := j.Opened(); o.SetAside != "" {
			t.Fatalf("kill %d: the journal was set aside", n+1)
		}
		last := int64(0)
		for _, r := range replay(t, j) {
			if r.Seq != last+1 || r.Command != fmt.Sprint("c", r.Seq) {
				t.Fatalf("kill %d: event %d (%s) comes after %d", n+1, r.Seq, r.Command, last)
			}
			last = r.Seq
		}
		if last < acknowledged {
			t.Fatalf("kill %d: event %d was acknowledged, the last found is %d", n+1, acknowledged, last)
		}
		var check string
		if err := j.write.QueryRow(`PRAGMA integrity_check`).Scan(&check); err != nil || check != "ok" {
			t.Fatalf("kill %d: integrity_check: %s %v", n+1, check, err)
		}
		acknowledged = last
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if acknowledged == 0 {
		t.Error("nothing was ever appended")
	}
	t.Logf("%d events survived %d kills", acknowledged, kills)
}

// What an unclean end left in the log may be in memory only: a start writes it anew.
func TestAStartMakesTheLogFirm(t *testing.T) {
	path := newPath(t)
	k := journaltest.Evenings(3, 1, 100)
	left := crashed(t, k.Events)
	long := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)
	for part, content := range left {
		if err := os.WriteFile(path+part, content, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path+part, long, long); err != nil {
			t.Fatal(err)
		}
	}
	j := mustOpen(t, path)
	info, err := os.Stat(path + "-wal")
	if err != nil || info.ModTime().Equal(long) {
		t.Errorf("the log was not written anew: %v, %v", info.ModTime(), err)
	}
	if log, err := os.ReadFile(path + "-wal"); err != nil || !bytes.Equal(log, left["-wal"]) {
		t.Errorf("the log has changed: %v", err)
	}
	if n := len(allEvents(t, j)); n != len(k.Events) {
		t.Errorf("%d events, want %d", n, len(k.Events))
	}
}
