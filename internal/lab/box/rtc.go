package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// clockFromPhone sets the kiosk's clock as a phone does. The real-time clock has it then,
// while the machine's own, on which the evening stands, is left alone.
func clockFromPhone(ctx context.Context, m *machine) (string, error) {
	if m.in != nil {
		return "none in a container: it has no clock of its own", nil
	}
	f, err := signIn(m)
	if err != nil {
		return "", err
	}
	const ahead = 3 * time.Hour
	clocks := func() (rtc, machine time.Time, err error) {
		said, err := m.run(ctx, "cat /sys/class/rtc/rtc0/since_epoch; date +%s")
		if err != nil {
			return rtc, machine, err
		}
		var at [2]time.Time
		for i, word := range strings.Fields(said) {
			seconds, err := strconv.ParseInt(word, 10, 64)
			if err != nil || i > 1 {
				return rtc, machine, fmt.Errorf("the clocks say %q", said)
			}
			at[i] = time.Unix(seconds, 0)
		}
		return at[0], at[1], nil
	}
	_, machine, err := clocks()
	if err != nil {
		return "", closing(f, err)
	}
	set := map[string]any{"do": "setClock", "now": machine.Add(ahead).UTC().Format(time.RFC3339)}
	if err := errors.Join(f.Do("clock", set), f.Close()); err != nil {
		return "", err
	}
	for begun := time.Now(); ; {
		rtc, machine, err := clocks()
		if err != nil {
			return "", err
		}
		if off := rtc.Sub(machine) - ahead; off.Abs() <= 5*time.Second {
			return fmt.Sprintf("it has it after %.0f s", time.Since(begun).Seconds()), nil
		}
		if time.Since(begun) > time.Minute {
			said, _, _ := m.try(ctx, "ls -l /run/mimpi-kiosk; systemctl --no-pager status mimpi-kiosk-rtc.path mimpi-kiosk-rtc.service")
			return "", fmt.Errorf("the real-time clock is at %s, the machine at %s: %s", rtc, machine, said)
		}
	}
}
