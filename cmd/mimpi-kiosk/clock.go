package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/screening"
)

// machineClock reads Linux's clocks.
type machineClock struct{ boot string }

func newMachineClock() (machineClock, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return machineClock{}, fmt.Errorf("read this boot's id (is this Linux?): %w", err)
	}
	return machineClock{boot: strings.TrimSpace(string(id))}, nil
}

// Read implements screening.Clock.
func (c machineClock) Read() screening.Reading {
	r := screening.Reading{Wall: time.Now(), Boot: c.boot}
	var since unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &since); err == nil { // it has no way to fail on Linux
		r.Mono = screening.ToMillis(time.Duration(since.Nano()))
	}
	// The kernel knows whether something disciplines its clock (NTP, PTP, ...).
	var timex unix.Timex
	state, err := unix.Adjtimex(&timex)
	r.Synced = err == nil && state != unix.TIME_ERROR && timex.Status&unix.STA_UNSYNC == 0
	return r
}
