package clicker_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/clicker/linestest"
)

const stickLamp = 13

// lampTest runs a lamp in a bubble.
func lampTest(t *testing.T, test func(chip *linestest.Chip, show func(clicker.Light), reports func() []error)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		chip := linestest.NewChip("pinctrl-rp1")
		lights := make(chan clicker.Light)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		var said []error
		go func() {
			defer close(ended)
			clicker.RunLamp(ctx, clicker.Wiring{Outputs: []string{"13"}}, chip.Open, lights, func(err error) { said = append(said, err) })
		}()
		synctest.Wait()
		test(chip, func(l clicker.Light) {
			lights <- l
			synctest.Wait()
		}, func() []error {
			synctest.Wait()
			return said
		})
		cancel()
		<-ended
		if chip.Lit(stickLamp) {
			t.Error("it shines after its end")
		}
	})
}

// lit counts how often the lamp goes on within a time, and how much of it it shines.
func lit(chip *linestest.Chip, within time.Duration) (times int, share float64) {
	const step = 5 * time.Millisecond
	before, on := false, 0
	for range within / step {
		time.Sleep(step)
		synctest.Wait()
		now := chip.Lit(stickLamp)
		if now {
			on++
		}
		if now && !before {
			times++
		}
		before = now
	}
	return times, float64(on) / float64(within/step)
}

func TestWhatALampShows(t *testing.T) {
	lampTest(t, func(chip *linestest.Chip, show func(clicker.Light), reports func() []error) {
		for _, c := range []struct {
			light    clicker.Light
			min, max int // times that it goes on in 10 s
			share    float64
		}{
			{clicker.Dark, 0, 0, 0},
			{clicker.Blinking, 10, 11, 0.5},
			{clicker.Shining, 1, 1, 1},
			{clicker.Flashing, 40, 41, 0.5},
			{clicker.Dark, 0, 0, 0},
		} {
			show(c.light)
			times, share := lit(chip, 10*time.Second)
			if times < c.min || times > c.max || share < c.share-0.02 || share > c.share+0.02 {
				t.Errorf("light %d: on %d times, for %.2f of the time", c.light, times, share)
			}
		}
		if got := reports(); len(got) != 1 || got[0] != nil {
			t.Errorf("reported %v", got)
		}
	})
}

func TestALampComesBack(t *testing.T) {
	lampTest(t, func(chip *linestest.Chip, show func(clicker.Light), reports func() []error) {
		show(clicker.Shining)
		chip.Unplug()
		time.Sleep(5 * time.Second)
		var trouble *clicker.Trouble
		if got := reports(); len(got) != 2 || !errors.As(got[1], &trouble) {
			t.Fatalf("reported %v", got)
		}
		show(clicker.Blinking) // it is told meanwhile
		show(clicker.Shining)
		chip.Hold(stickLamp, "another program")
		chip.Plug()
		time.Sleep(20 * time.Second)
		if got := reports(); !errors.As(got[len(got)-1], &trouble) || trouble.Kind != clicker.Busy {
			t.Errorf("reported %v", got)
		}
		chip.Hold(stickLamp, "")
		time.Sleep(20 * time.Second)
		if got := reports(); got[len(got)-1] != nil || !chip.Lit(stickLamp) {
			t.Errorf("reported %v, lit: %t", got, chip.Lit(stickLamp))
		}
	})
}
