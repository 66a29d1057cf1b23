package main

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mimpi-kiosk/internal/clicker/linestest"
	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/health"
)

func TestDoctorAsksForTheButtonsOneByOne(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(*linestest.Chip)
		press  []int // line for each question; -1 is nobody
		level  health.Level
		says   string
		prints string
	}{
		{"all are pressed", nil, []int{17, 27, 22, 5, 6}, health.OK, "All buttons were heard", "its lamp (23) blinks"},
		{"one is dead", nil, []int{17, 27, -1, 5, 6}, health.Problem, "not heard: ", "not heard"},
		{"two are exchanged", nil, []int{27, 17, 22, 5, 6}, health.Problem, "not heard: ", "pressed was 27"},
		{"the kiosk runs", func(c *linestest.Chip) { c.Hold(17, "mimpi-kiosk") }, nil, health.Note, "the running kiosk holds them", ""},
		{"no permission", (*linestest.Chip).Deny, nil, health.Problem, "cannot be tried", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				chip := linestest.NewChip("pinctrl-bcm2711")
				if c.before != nil {
					c.before(chip)
				}
				k := &kiosk{clock: &machineClock{}}
				k.config.Config = config.Default()
				buttons := k.config.Clicker.GPIO.Buttons
				if len(buttons) != 5 || buttons[0].Line != "17" || buttons[0].Lamp != "23" {
					t.Fatalf("the default wiring is another now: %+v", buttons)
				}
				asked := make(printer, 100)
				lit := 0
				go func() {
					i := 0
					for line := range asked {
						switch {
						case strings.HasPrefix(line, "Tekan") && c.press[i] >= 0:
							time.Sleep(time.Second)
							chip.Press(c.press[i])
							time.Sleep(100 * time.Millisecond)
							chip.Release(c.press[i])
							fallthrough
						case strings.HasPrefix(line, "Tekan"):
							i++
						case strings.Contains(line, "✓"):
							time.Sleep(blinkFor / 2)
							if chip.Lit(23) {
								lit++
							}
						}
					}
				}()
				var said strings.Builder
				part := tryButtons(context.Background(), k, chip.Open, both{&said, asked})
				close(asked)
				synctest.Wait()
				if part.Level != c.level || !strings.Contains(part.Message["en"], c.says) {
					t.Errorf("found %s, %q", part.Level, part.Message["en"])
				}
				if part.Level != health.OK && (part.Hint["id"] == "" || part.Hint["en"] == "") {
					t.Error("there is no hint")
				}
				if !strings.Contains(said.String(), c.prints) {
					t.Errorf("printed:\n%s", said.String())
				}
				if c.level == health.OK && lit != 1 {
					t.Errorf("the first lamp was lit %d times after a press, of 1", lit)
				}
			})
		})
	}
}

type printer chan string

type both struct {
	said  *strings.Builder
	lines printer
}

func (b both) Write(p []byte) (int, error) {
	b.lines <- string(p)
	return b.said.Write(p)
}
