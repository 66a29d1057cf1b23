package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mimpi-kiosk/internal/health"
)

func TestTheBoxLogKeepsNoAddresses(t *testing.T) {
	b := openBoxLog(t.TempDir())
	log := newLog(b)
	log.Info("a phone came", "from", "10.42.0.17")
	log.Warn("a phone misbehaves", "from", "10.42.0.17:51234", "error", errors.New("read [fe80::1c2d:3eff:fe4f:5a6b]:8080: reset"))
	text, err := b.read()
	if err != nil {
		t.Fatal(err)
	}
	if s := string(text); strings.Contains(s, "came") || !strings.Contains(s, "misbehaves") || strings.Contains(s, "10.42") || strings.Contains(s, "fe80") || strings.Contains(s, "5a6b") {
		t.Errorf("kept %s", s)
	}
}

func TestTheBoxLogIsBounded(t *testing.T) {
	b := openBoxLog(t.TempDir())
	line := strings.Repeat("x", 5000)
	for range 1500 {
		b.note("%s", line)
	}
	for _, name := range []string{b.path, b.path + ".old"} {
		info, err := os.Stat(name)
		if err != nil || info.Size() > boxLogMost+lineMost+1 {
			t.Errorf("%s: %v, %v", filepath.Base(name), info, err)
		}
	}
	b = openBoxLog(filepath.Join(t.TempDir(), "gone"))
	b.note("nowhere to write: no harm")
}

func TestTheBoxReport(t *testing.T) {
	k := &kiosk{id: "kiosk-1", board: &health.Board{}, own: openBoxLog(t.TempDir())}
	k.board.Set(health.Part{Part: "disk", Level: health.Problem, Message: map[string]string{"id": "Disk penuh.", "en": "The disk is full."}})
	k.own.note("start: one")
	report := string(k.boxReport())
	for _, want := range []string{"kiosk-1", "disk: Disk penuh. / The disk is full.\r\n", "start: one\r\n"} {
		if !strings.Contains(report, want) {
			t.Errorf("the report lacks %q:\n%s", want, report)
		}
	}
}
