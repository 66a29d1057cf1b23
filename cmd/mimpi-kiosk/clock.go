package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

// machineClock reads Linux's clocks. Whether the wall clock can be trusted is looked at
// by [machineClock.look] and remembered: a real-time clock takes a while to answer.
type machineClock struct {
	root  string // "/" but in tests
	boot  string
	trust atomic.Uint32
	asked time.Time // when systemd was asked last; of whoever looks
}

// What is trusted.
const (
	byNetwork = 1 << iota
	byRTC
)

func newMachineClock(root string) (*machineClock, error) {
	id, err := os.ReadFile(filepath.Join(root, "proc/sys/kernel/random/boot_id"))
	if err != nil {
		return nil, fmt.Errorf("read this boot's id (is this Linux?): %w", err)
	}
	c := &machineClock{root: root, boot: strings.TrimSpace(string(id))}
	c.look()
	return c, nil
}

// Read implements screening.Clock.
func (c *machineClock) Read() screening.Reading {
	trust := c.trust.Load()
	r := screening.Reading{Wall: time.Now(), Boot: c.boot, Synced: trust&byNetwork != 0, RTC: trust&byRTC != 0}
	var since unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &since); err == nil { // it has no way to fail on Linux
		r.Mono = screening.ToMillis(time.Duration(since.Nano()))
	}
	return r
}

// look finds out whether the wall clock can be trusted.
func (c *machineClock) look() {
	var trust uint32
	if c.synced() {
		trust |= byNetwork
	}
	if _, ok := rtcTime(c.root, time.Now()); ok {
		trust |= byRTC
	}
	c.trust.Store(trust)
}

// synced says whether the network told the machine the time since it was switched on.
// The sandbox of the service forbids adjtimex, so systemd's own mark is looked at first; for
// chrony, which leaves none, systemd-timedated is asked, which may use adjtimex.
func (c *machineClock) synced() bool {
	if _, err := os.Stat(filepath.Join(c.root, "run/systemd/timesync/synchronized")); err == nil {
		return true
	}
	var timex unix.Timex
	state, err := unix.Adjtimex(&timex)
	if err == nil {
		return state != unix.TIME_ERROR && timex.Status&unix.STA_UNSYNC == 0
	}
	if _, err := os.Stat(filepath.Join(c.root, "run/chrony")); err != nil {
		return false
	}
	if c.trust.Load()&byNetwork != 0 || time.Since(c.asked) < askEvery {
		return c.trust.Load()&byNetwork != 0
	}
	c.asked = time.Now()
	return ntpSynchronized()
}

// askEvery spares the machine the start of timedated, which goes when nobody asks it.
const askEvery = 2 * time.Minute

// ntpSynchronized asks systemd whether a time service has set the kernel's clock right.
func ntpSynchronized() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "busctl", "--system", "get-property",
		"org.freedesktop.timedate1", "/org/freedesktop/timedate1", "org.freedesktop.timedate1", "NTPSynchronized").Output()
	return err == nil && strings.TrimSpace(string(out)) == "b true"
}

// rtcTime gives the time of the real-time clock that the kernel took its own from at
// boot. It is not ok where there is none, or where it does not go along with the
// machine's: one without a battery wakes up in 1970, and systemd then sets the machine
// to the day on which it was built.
func rtcTime(root string, wall time.Time) (time.Time, bool) {
	clocks, _ := filepath.Glob(filepath.Join(root, "sys/class/rtc/rtc*")) // the pattern is sound
	for _, dir := range clocks {
		took, err := os.ReadFile(filepath.Join(dir, "hctosys"))
		if err != nil || strings.TrimSpace(string(took)) != "1" {
			continue
		}
		since, err := os.ReadFile(filepath.Join(dir, "since_epoch"))
		if err != nil { // a DS3231 that lost its battery answers with an error
			continue
		}
		seconds, err := strconv.ParseInt(strings.TrimSpace(string(since)), 10, 64)
		if at := time.Unix(seconds, 0); err == nil && at.Sub(wall).Abs() <= 5*time.Second {
			return at, true
		}
	}
	return time.Time{}, false
}

// clockLooks is how often the clock is looked at: a file or two.
const clockLooks = 30 * time.Second

// watchClock tells the Room when the machine's clock is known better than before, and
// the facilitator how it is known.
func (k *kiosk) watchClock(ctx context.Context, room *screening.Room) error {
	tick := time.NewTicker(clockLooks)
	defer tick.Stop()
	changed, stop := room.Follow()
	defer stop()
	var noted, seen time.Duration
	for look := true; ; {
		if look {
			k.lookAtClock(ctx, room)
		}
		reading := k.clock.Read()
		stamp := room.Latest().Stamp(reading)
		// Most changes are presses and ballots: they cost no look at the machine.
		if off := stamp.At.Sub(reading.Wall).Round(time.Second); look || off != seen {
			seen = off
			var err error
			if noted, err = k.noteRTC("/sys/class/rtc", reading, stamp, noted); err != nil {
				k.log.Warn("clock", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			look = true
		case <-changed:
			look = false
		}
	}
}

func (k *kiosk) lookAtClock(ctx context.Context, room *screening.Room) {
	k.clock.look()
	err := room.Do(ctx, screening.Envelope{ID: uuid.NewString(), From: screening.FromKiosk, Command: screening.TrustClock{}})
	if err != nil && ctx.Err() == nil {
		k.log.Warn("take over the machine's clock", "error", err) // the next look tries again
	}
	k.board.Set(clockHealth(room.Latest().Stamp(k.clock.Read()).Clock))
}

func clockHealth(source screening.ClockSource) health.Part {
	words := map[screening.ClockSource]map[string]string{
		screening.ClockSynced:   {"id": "Jam kotak diatur oleh internet.", "en": "The box has its time from the internet."},
		screening.ClockRTC:      {"id": "Jam kotak berjalan dengan baterai.", "en": "The clock of the box runs on a battery."},
		screening.ClockOperator: {"id": "Jam kotak sudah disetel fasilitator.", "en": "The facilitator has set the clock of the box."},
	}
	if message, ok := words[source]; ok {
		return health.Part{Part: "clock", Level: health.OK, Message: message}
	}
	return health.Found("clock", health.Note,
		"Jam kotak belum pasti: kotak ini tidak tahu waktu selama mati.", "The clock of the box is not certain: it does not know how long it was off.",
		"Setel jam dari ponsel di layar fasilitator. Waktu yang sudah tercatat malam ini ikut dibetulkan.",
		"Set the clock from a phone on the facilitator's screen. Times recorded this evening are put right as well.")
}
