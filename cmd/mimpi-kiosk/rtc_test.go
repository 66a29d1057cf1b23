package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

// The note is of a moment of this boot, and of a time that can be; all else is refused
// before any clock is touched.
func TestNotesForTheRealTimeClock(t *testing.T) {
	r := screening.Reading{Boot: "b1", Mono: 65_000}
	right := time.Date(2026, 11, 24, 19, 30, 0, 0, time.UTC)
	note := rtcNote{"b1", 5_000, screening.Millis(right.UnixMilli())}
	read, err := parseRTCNote(note.String())
	if err != nil || read != note {
		t.Fatalf("%q is read as %+v, %v", note, read, err)
	}
	if at, err := read.now(r); err != nil || !at.Equal(right.Add(time.Minute)) {
		t.Errorf("a minute later it is %s, %v", at, err)
	}
	for name, n := range map[string]rtcNote{
		"of another boot": {"b2", 5_000, note.Unix},
		"of the future":   {"b1", 66_000, note.Unix},
		"1970":            {"b1", 5_000, 0},
		"2300":            {"b1", 5_000, screening.Millis(time.Date(2300, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli())},
	} {
		if at, err := n.now(r); err == nil {
			t.Errorf("%s: it is %s", name, at)
		}
	}
	for _, text := range []string{"", "b1", "b1 x y", "b1 5000"} {
		if n, err := parseRTCNote(text); err == nil {
			t.Errorf("%q is read as %+v", text, n)
		}
	}
	root := t.TempDir()
	write(t, filepath.Join(root, "note"), "b1 1 1\n")
	if err := setRTCs(root, filepath.Join(root, "note")); err == nil {
		t.Error("a machine without a boot has its clock set")
	}
}

func TestWhatIsNoted(t *testing.T) {
	dir, there := t.TempDir(), t.TempDir()
	write(t, filepath.Join(there, "rtc0"), "")
	t.Setenv("RUNTIME_DIRECTORY", dir)
	wall := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := screening.Reading{Boot: "b1", Mono: 5000, Wall: wall}
	stamp := func(off time.Duration, source screening.ClockSource) screening.Stamp {
		return screening.Stamp{At: wall.Add(off), Clock: source}
	}
	k := &kiosk{board: &health.Board{}}
	for _, c := range []struct {
		name   string
		clocks string
		stamp  screening.Stamp
		noted  time.Duration
		is     time.Duration
		leaves bool
	}{
		{"nobody set it", there, stamp(0, screening.ClockUnset), 0, 0, false},
		{"the network did", there, stamp(time.Hour, screening.ClockSynced), 0, 0, false},
		{"the facilitator did", there, stamp(time.Hour, screening.ClockOperator), 0, time.Hour, true},
		{"and it is noted", there, stamp(time.Hour, screening.ClockOperator), time.Hour, time.Hour, false},
		{"and again", there, stamp(time.Minute, screening.ClockOperator), time.Hour, time.Minute, true},
		{"to what it was", there, stamp(0, screening.ClockOperator), 0, 0, false},
		{"there is no clock", t.TempDir(), stamp(time.Hour, screening.ClockOperator), 0, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			is, err := k.noteRTC(c.clocks, r, c.stamp, c.noted)
			text, none := os.ReadFile(filepath.Join(dir, rtcNoteFile))
			if err != nil || is != c.is || (none == nil) != c.leaves {
				t.Errorf("noted %s, %q, %v", is, text, err)
			}
			if c.leaves && !strings.HasPrefix(string(text), "b1 5000 ") {
				t.Errorf("the note is %q", text)
			}
			if err := os.RemoveAll(filepath.Join(dir, rtcNoteFile)); err != nil {
				t.Error(err)
			}
		})
	}
}
