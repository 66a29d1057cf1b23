package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/screening"
)

// A clock that the facilitator has set from a phone goes into the real-time clock too, if
// the box has one, so that the next evening begins with it. The daemon's sandbox keeps all
// clocks from it, so it leaves a note, and mimpi-kiosk-rtc.path starts this program as root
// for the moment that it takes. systemd's own way (timedated) would not do: it refuses
// while a time service is switched on, which is the case on every Raspberry Pi, and it sets
// the clock of the machine along, on which the journal stands during the evening.

// rtcNote says what the time was at a moment of a boot.
type rtcNote struct {
	Boot  string
	Since screening.Millis // the boot
	Unix  screening.Millis // the time then
}

const rtcNoteFile = "rtc"

func (n rtcNote) String() string { return fmt.Sprintf("%s %d %d\n", n.Boot, n.Since, n.Unix) }

func parseRTCNote(text string) (n rtcNote, err error) {
	if _, err := fmt.Sscanf(text, "%s %d %d\n", &n.Boot, &n.Since, &n.Unix); err != nil {
		return n, fmt.Errorf("a note for the real-time clock: %w", err)
	}
	return n, nil
}

// now is the time that the note means, at a moment of the same boot.
func (n rtcNote) now(r screening.Reading) (time.Time, error) {
	at := time.UnixMilli(int64(n.Unix)).Add((r.Mono - n.Since).Duration()).UTC()
	if n.Boot != r.Boot || n.Since > r.Mono || at.Year() < 2024 || at.Year() > 2090 {
		return at, fmt.Errorf("a note for the real-time clock that makes no sense: %v", n)
	}
	return at, nil
}

// noteRTC leaves the note when the facilitator's time is not that of the real-time clock.
// noted is by how much the machine's clock was wrong in the last note, and is given back;
// clocks is the folder of the machine's real-time clocks.
func (k *kiosk) noteRTC(clocks string, r screening.Reading, stamp screening.Stamp, noted time.Duration) (time.Duration, error) {
	off := stamp.At.Sub(r.Wall)
	dir := os.Getenv("RUNTIME_DIRECTORY")
	if dir == "" || stamp.Clock != screening.ClockOperator || (off-noted).Abs() < time.Second {
		return noted, nil
	}
	if found, _ := filepath.Glob(filepath.Join(clocks, "rtc*")); len(found) == 0 { // the pattern is sound
		return noted, nil
	}
	note := rtcNote{r.Boot, r.Mono, screening.Millis(stamp.At.UnixMilli())}
	if err := renameio.WriteFile(filepath.Join(dir, rtcNoteFile), []byte(note.String()), 0o600); err != nil {
		return noted, fmt.Errorf("have the real-time clock set: %w", err)
	}
	return off, nil
}

func rtcCommand() *cobra.Command {
	var note string
	cmd := &cobra.Command{
		Use:    "rtc",
		Short:  "Set the real-time clocks to what the daemon has noted (mimpi-kiosk-rtc.service)",
		Args:   cobra.NoArgs,
		Hidden: true,
		RunE:   func(*cobra.Command, []string) error { return setRTCs("/", note) },
	}
	cmd.Flags().StringVar(&note, "note", "/run/mimpi-kiosk/"+rtcNoteFile, "the daemon's note")
	return cmd
}

func setRTCs(root, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	note, err := parseRTCNote(string(text))
	if err != nil {
		return err
	}
	clock, err := newMachineClock(root)
	if err != nil {
		return err
	}
	now, err := note.now(clock.Read())
	if err != nil {
		return err
	}
	devices, err := filepath.Glob(filepath.Join(root, "dev/rtc[0-9]*"))
	if err != nil {
		return err
	}
	for _, device := range devices {
		err = errors.Join(err, setRTC(device, now))
	}
	return err
}

// setRTC sets one; it knows whole seconds of UTC.
func setRTC(device string, now time.Time) error {
	f, err := os.Open(device)
	if err != nil {
		return err
	}
	defer f.Close() // nothing is written by it
	now = now.Round(time.Second).UTC()
	err = unix.IoctlSetRTCTime(int(f.Fd()), &unix.RTCTime{
		Sec: int32(now.Second()), Min: int32(now.Minute()), Hour: int32(now.Hour()),
		Mday: int32(now.Day()), Mon: int32(now.Month()) - 1, Year: int32(now.Year()) - 1900,
	})
	if err != nil {
		return fmt.Errorf("set %s: %w", device, err)
	}
	fmt.Printf("%s: %s\n", device, now.Format(time.DateTime))
	return nil
}
