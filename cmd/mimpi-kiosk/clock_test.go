package main

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

func TestTheClockIsTrustedForAReason(t *testing.T) {
	put := func(root, name, text string) {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	now := strconv.FormatInt(time.Now().Unix(), 10) + "\n"
	for _, c := range []struct {
		name   string
		files  map[string]string
		rtc    bool
		synced bool
	}{
		{"nothing", nil, false, false},
		{"timesyncd was told the time", map[string]string{"run/systemd/timesync/synchronized": ""}, false, true},
		{"a DS3231", map[string]string{"sys/class/rtc/rtc0/hctosys": "1\n", "sys/class/rtc/rtc0/since_epoch": now}, true, false},
		{"one that the kernel did not ask", map[string]string{"sys/class/rtc/rtc0/hctosys": "0\n", "sys/class/rtc/rtc0/since_epoch": now}, false, false},
		{"a Pi 5 without a battery", map[string]string{"sys/class/rtc/rtc0/hctosys": "1\n", "sys/class/rtc/rtc0/since_epoch": "42\n"}, false, false},
		{"one that lost its battery", map[string]string{"sys/class/rtc/rtc0/hctosys": "1\n"}, false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			put(root, "proc/sys/kernel/random/boot_id", "b1\n")
			for name, text := range c.files {
				put(root, name, text)
			}
			clock, err := newMachineClock(root)
			if err != nil {
				t.Fatal(err)
			}
			r := clock.Read()
			if r.Boot != "b1" || r.RTC != c.rtc || c.synced && !r.Synced {
				t.Errorf("reads %+v", r)
			}
		})
	}
	if _, err := newMachineClock(t.TempDir()); err == nil {
		t.Error("a machine without a boot id has a clock")
	}
}

func TestEverySourceOfTimeHasItsSentence(t *testing.T) {
	for _, s := range []screening.ClockSource{screening.ClockSynced, screening.ClockRTC, screening.ClockOperator, screening.ClockUnset} {
		p := clockHealth(s)
		if (p.Level == health.OK) != (s != screening.ClockUnset) || p.Message["id"] == "" || p.Message["en"] == "" || (p.Hint == nil) != (p.Level == health.OK) {
			t.Errorf("%s: %+v", s, p)
		}
	}
}

// What busctl answers of timedated's property; only a plain yes is one.
func TestTimedatedIsAsked(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	for script, want := range map[string]bool{
		`test "$1 $2 $6" = "--system get-property NTPSynchronized" && echo "b true"`: true,
		`echo "b false"`: false,
		`echo "Failed to get property" >&2; exit 1`: false,
	} {
		if err := os.WriteFile(filepath.Join(dir, "busctl"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := ntpSynchronized(); got != want {
			t.Errorf("%s: %v", script, got)
		}
	}
	if err := os.Remove(filepath.Join(dir, "busctl")); err != nil {
		t.Fatal(err)
	}
	if ntpSynchronized() {
		t.Error("a machine without busctl is synchronised")
	}
}
