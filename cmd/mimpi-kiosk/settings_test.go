package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mimpi-kiosk/internal/config"
)

// The kiosk starts whatever was written on the SD card, with the last good values, and
// the facilitator reads what is wrong.
func TestWrongSettingsNeverLeaveABlackScreen(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	own, card := filepath.Join(dir, "kiosk.toml"), filepath.Join(dir, "mimpi-kiosk.toml")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(own, "[poll]\nshare_minimum = 20\n")
	write(card, "\ufeff[touch]\r\nidle = \"90s\"\r\n")
	args := []string{"--config", own, "--override", card}
	part := func(k *kioskProcess) (level, said string) {
		for _, p := range k.view(0).View.Health {
			if p.Part == "configuration" {
				return p.Level, p.Message["id"] + " / " + p.Message["en"]
			}
		}
		return "", ""
	}

	k := start(t, data, args...)
	k.facilitate("/api/pin")
	if level, said := part(k); level != "ok" {
		t.Errorf("sound settings are %s: %s", level, said)
	}
	k.end(syscall.SIGTERM)
	if c := config.LoadLastGood(filepath.Join(data, "last-good.toml")); c == nil || c.Poll.ShareMinimum != 20 || c.Touch.Idle.String() != "1m30s" {
		t.Fatalf("kept %+v", c)
	}

	write(card, "[poll]\r\nshare_minimum = 0\r\n[tuch]\r\nidle = \"80s\"\r\n")
	k = start(t, data, args...)
	k.facilitate("/api/sign-in")
	level, said := part(k)
	for _, want := range []string{"mimpi-kiosk.toml baris 2", "mimpi-kiosk.toml line 2: poll.share_minimum is 0", "used instead: 20", "did you mean touch"} {
		if level != "note" || !strings.Contains(said, want) {
			t.Errorf("level %s, said %s, which lacks %q", level, said, want)
		}
	}
	k.end(syscall.SIGTERM)
	if c := config.LoadLastGood(filepath.Join(data, "last-good.toml")); c.Touch.Idle.String() != "1m30s" {
		t.Errorf("bad settings were kept as good ones: %+v", c)
	}
}

func TestAWrongAddressFallsBack(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	last := config.Default()
	last.Listen = "127.0.0.1:0"
	s := settings{Config: config.Default(), last: &last}
	s.Listen = busy.Addr().String()
	l, err := s.bind()
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if said := s.health().Message["id"]; !strings.Contains(said, s.Listen) || !strings.Contains(said, "127.0.0.1:0") {
		t.Errorf("said %s", said)
	}
}

func TestConfigCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kiosk.toml")
	if err := os.WriteFile(path, []byte(config.Sample()), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := program(t, "config", "check", path).CombinedOutput(); err != nil {
		t.Errorf("the sample: %v: %s", err, out)
	}
	if err := os.WriteFile(path, []byte("lisen = 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if said := refusesToStart(t, "config", "check", path); !strings.Contains(said, "line 1") {
		t.Errorf("said %s", said)
	}
}
