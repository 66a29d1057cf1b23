package oracle

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
)

// Each way of breaking the promise must be seen: an oracle that cannot say no proves nothing.
func TestJudge(t *testing.T) {
	begin := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)
	event := func(seq int64, command, screeningID string, after time.Duration) screening.Recorded {
		return screening.Recorded{
			Seq: seq, Command: command, Screening: screeningID, From: screening.FromTouch, Event: screening.AttendeeCounted{Category: "woman"},
			Stamp: screening.Stamp{At: begin.Add(after), Boot: "b", Mono: screening.ToMillis(after), Clock: screening.ClockUnset},
		}
	}
	good := []screening.Recorded{event(1, "a", "s1", 0), event(2, "b", "s1", time.Second), event(3, "", "s1", time.Second)}
	done := func(h *History, id string) { h.Invoke(id); h.Acknowledge(id) }
	for name, c := range map[string]struct {
		journal []screening.Recorded
		history func(*History)
		want    string // in the error; "" is none
	}{
		"kept":                   {good, func(h *History) { done(h, "a"); h.Invoke("b"); h.Invoke("c") }, ""},
		"refused, then kept":     {good, func(h *History) { h.Invoke("a"); h.Refuse("a", "not_saved"); done(h, "a") }, ""},
		"unknown, then refused":  {good, func(h *History) { h.Invoke("a"); h.Invoke("a"); h.Refuse("a", "doors_closed") }, ""},
		"lost":                   {good, func(h *History) { done(h, "c") }, "lost"},
		"doubled":                {append(good[:3:3], event(4, "a", "s2", time.Minute)), func(h *History) { done(h, "a") }, "twice"},
		"refused but counted":    {good, func(h *History) { h.Invoke("a"); h.Refuse("a", "not_saved") }, "refused but counted"},
		"a form lost":            {good, func(h *History) { h.Form(true) }, "form"},
		"time runs back":         {append(good[:3:3], event(4, "d", "s1", 500*time.Millisecond)), func(*History) {}, "before the one before it"},
		"nothing, of nothing":    {good, func(*History) {}, ""},
		"a form nobody knows of": {good, func(h *History) { h.Form(false) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "journal.db")
			j, err := sqlite.Open(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Append(t.Context(), c.journal); err != nil {
				t.Fatal(err)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			var h History
			c.history(&h)
			v, err := h.Judge(t.Context(), path)
			if err != nil {
				t.Fatal(err)
			}
			switch got := v.Err(); {
			case c.want == "" && got != nil:
				t.Error(got)
			case c.want != "" && (got == nil || !strings.Contains(got.Error(), c.want)):
				t.Errorf("got %v, want %q", got, c.want)
			}
		})
	}
}
