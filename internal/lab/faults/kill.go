package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/visit"
)

const (
	killsPerEvening = 20 // then another screening begins
	killsPerLook    = 25 // then a copy of the journal is judged
)

// kill ends the daemon by kill -9 at random moments under load, each fifth time while it starts.
func kill(ctx context.Context, a asked) error {
	row := oracle.Row{Part: "kill", Fault: "kill -9 of the daemon at a random moment under load", Size: fmt.Sprint(a.kills, " kills"), Seed: a.seed}
	h, err := newHall(filepath.Join(a.dir, "kill"), uint64(a.seed))
	if err != nil {
		return err
	}
	ready, v, err := h.killed(ctx, a)
	if v != nil {
		row = row.With(v)
		row.Says = fmt.Sprintf("%d restarts under load, until healthy median %v, p99 %v; refused %d, unanswered %d (kept %d)", len(ready),
			quantile(ready, 0.5).Round(time.Millisecond), quantile(ready, 0.99).Round(time.Millisecond), v.Refused, v.Unknown, v.UnknownKept)
		fmt.Println("kill:", v)
		fmt.Println("kill:", row.Says, v.Reasons)
		err = errors.Join(err, v.Err(), enough(v, 10*a.kills))
	}
	return row.Keep(ctx, err)
}

// enough fails a run that has asked for too little to show anything.
func enough(v *oracle.Verdict, acknowledged int) error {
	if v.Acknowledged < acknowledged {
		return fmt.Errorf("only %d commands were acknowledged: the load was too small to show anything", v.Acknowledged)
	}
	return nil
}

func (h *hall) killed(ctx context.Context, a asked) (ready []time.Duration, v *oracle.Verdict, err error) {
	random := rand.New(rand.NewPCG(uint64(a.seed), 99))
	evenings := 0
	for n := 0; n <= a.kills; n++ {
		if n > 0 && n < a.kills && random.IntN(5) == 0 {
			if err := h.killedAtStart(ctx, time.Duration(random.IntN(80))*time.Millisecond); err != nil {
				return nil, nil, err
			}
			continue
		}
		p, err := h.begin(ctx)
		if err != nil {
			return nil, nil, fmt.Errorf("start %d: %w", n, err)
		}
		if n > 0 {
			ready = append(ready, p.Ready)
		}
		switch {
		case n == 0:
			err = h.enter()
		case n/killsPerEvening > evenings:
			evenings++
			if err = h.found(); err == nil {
				err = h.plan()
			}
		default:
			err = h.found()
		}
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("start %d: %w", n, err), p.Stop())
		}
		living, stop := context.WithCancel(ctx)
		if n == a.kills { // the last one ends in order, with time for what is still to be sent again
			time.AfterFunc(2*time.Second, stop)
			h.live(living)
			stop()
			err := h.totals()
			v, err2 := h.ended(ctx, p)
			return ready, v, errors.Join(err, err2)
		}
		time.AfterFunc(time.Duration(20+random.IntN(300))*time.Millisecond, func() { _ = p.Cmd.Process.Kill() }) // it has not ended before
		gone := make(chan error, 1)
		go func() { gone <- p.Cmd.Wait(); stop() }()
		h.live(living)
		<-living.Done()
		if err := <-gone; err == nil || p.Cmd.ProcessState.ExitCode() != -1 {
			return nil, nil, fmt.Errorf("life %d ended by itself: %w", n, err)
		}
		if n%killsPerLook == 0 {
			if err := h.judgeCopy(ctx); err != nil {
				return nil, nil, fmt.Errorf("after kill %d: %w", n+1, err)
			}
		}
	}
	return nil, nil, errors.New("it was not judged")
}

func (h *hall) killedAtStart(ctx context.Context, after time.Duration) error {
	cmd, err := h.daemon(ctx)
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	time.Sleep(after)
	if err := cmd.Process.Kill(); err != nil {
		return err
	}
	if err := cmd.Wait(); cmd.ProcessState.ExitCode() != -1 {
		return fmt.Errorf("the daemon ended by itself while it started: %w", err)
	}
	return nil
}

// ended ends the daemon in order, and judges.
func (h *hall) ended(ctx context.Context, p *visit.Process) (*oracle.Verdict, error) {
	if err := p.Stop(); err != nil {
		return nil, err
	}
	return h.history.Judge(ctx, h.journal())
}

func (h *hall) journal() string { return filepath.Join(h.data, "journal.db") }

// judgeCopy leaves the files of a killed daemon as they are.
func (h *hall) judgeCopy(ctx context.Context) error {
	copied := filepath.Join(h.dir, "copy.db")
	defer os.Remove(copied)
	for _, part := range []string{"", "-wal"} {
		data, err := os.ReadFile(h.journal() + part)
		if err == nil {
			err = os.WriteFile(copied+part, data, 0o644)
		}
		if err != nil {
			return err
		}
	}
	v, err := h.history.Judge(ctx, copied)
	if err != nil {
		return err
	}
	return v.Err()
}

// totals compares what the facilitator sees with the sum of the journal's own events.
func (h *hall) totals() error {
	v, err := h.lead.look()
	if err != nil {
		return err
	}
	return h.counted(v.Screening.ID, v.Attendance.Total)
}

func quantile(d []time.Duration, q float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(d))
	return s[min(int(q*float64(len(s))), len(s)-1)]
}

// counted asks the journal itself, with the shell that everybody has.
func (h *hall) counted(screeningID string, want int) error {
	db, err := sql.Open("sqlite3", "file:"+h.journal()+"?mode=ro&_busy_timeout=5000")
	if err != nil {
		return err
	}
	defer db.Close()
	var got int
	err = db.QueryRow(`SELECT coalesce(sum(net), 0) FROM all_attendance WHERE screening = ?`, screeningID).Scan(&got)
	if err == nil && got != want {
		err = fmt.Errorf("the facilitator sees %d people, the journal has %d", want, got)
	}
	return err
}
