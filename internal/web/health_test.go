package web

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

func TestHealthz(t *testing.T) {
	t.Parallel()
	memory := &journaltest.Memory{}
	k := newKiosk(t, setup{journal: func(screening.Journal) screening.Journal { return memory }})
	b := k.phone(1)
	if r := b.get("/healthz"); r.StatusCode != http.StatusOK || string(r.body) != "ok\n" {
		t.Errorf("/healthz gives %s: %s", r.Status, r.body)
	}
	k.plan()
	k.do(screening.OpenDoors{})
	touch := k.own().socket(touchRole)
	touch.until(func(p packet) bool { return p.View.Scene == "doors" })

	memory.Fail(fmt.Errorf("no space left: %w", screening.ErrRefusedByDisk))
	eventually(t, "/healthz sees that a commit does not work", func() bool { return b.get("/healthz").StatusCode == http.StatusServiceUnavailable })
	if r := b.get("/healthz"); !strings.Contains(string(r.body), "no space left") {
		t.Errorf("/healthz gives %s: %s", r.Status, r.body)
	}
	press := map[string]any{"category": "woman", "id": "press"}
	touch.refused("countAttendee", press, "not_saved")
	if n := k.room.Latest().Attendance.Total(); n != 0 {
		t.Errorf("%d were counted that are not on the disk", n)
	}
	memory.Fail(nil)
	touch.must("countAttendee", press) // the same id: it counts now, once
	touch.must("countAttendee", press)
	if p := touch.until(func(p packet) bool { return p.View.Total > 0 }); p.View.Total != 1 {
		t.Errorf("the touch screen shows %s", p.raw)
	}
	eventually(t, "/healthz recovers", func() bool { return b.get("/healthz").StatusCode == http.StatusOK })
}

// Who asks again and again is answered, and it is news once.
func TestHealthIsNewsOnce(t *testing.T) {
	t.Parallel()
	memory := &journaltest.Memory{}
	k := newKiosk(t, setup{journal: func(screening.Journal) screening.Journal { return memory }})
	var c checked
	for i, step := range []struct {
		fails error
		news  bool
	}{{nil, false}, {screening.ErrRefusedByDisk, true}, {screening.ErrRefusedByDisk, false}, {nil, true}, {nil, false}} {
		memory.Fail(step.fails)
		c.at = time.Time{} // the last answer is old
		if news, err := c.check(t.Context(), k.room); news != step.news || !errors.Is(err, step.fails) {
			t.Errorf("%d: news %v, %v", i, news, err)
		}
		if news, err := c.check(t.Context(), k.room); news || !errors.Is(err, step.fails) {
			t.Errorf("%d, at once again: news %v, %v", i, news, err)
		}
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.board.Set(health.Part{Part: "film", Level: health.Note, Message: text("a", "b")})
	stage := k.own().socket(stageRole)
	stage.read()
	k.voter(1).read()
	got := string(k.own().get("/metrics").body)
	for _, line := range []string{
		"mimpi_events 1", `mimpi_screens{role="stage"} 1`, `mimpi_screens{role="vote"} 1`, `mimpi_screens{role="touch"} 0`,
		`mimpi_screens{role="facilitator"} 0`, `mimpi_health{part="film",level="note"} 1`,
	} {
		if !strings.Contains("\n"+got, "\n"+line+"\n") {
			t.Errorf("/metrics lacks %s:\n%s", line, got)
		}
	}
	for _, line := range strings.Split(strings.TrimSuffix(got, "\n"), "\n") {
		if fields := strings.Fields(line); !strings.HasPrefix(line, "# ") && (len(fields) != 2 || !strings.HasPrefix(line, "mimpi_")) {
			t.Errorf("/metrics has the line %q", line)
		}
	}
}
