package main

import (
	"context"
	"errors"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/usb"
)

// stickLight says what the lamp tells of all sticks: that one must stay in before that one is
// in trouble, and both before that one may be taken out.
func stickLight(all []usb.Stick) clicker.Light {
	rank := map[clicker.Light]int{clicker.Shining: 1, clicker.Flashing: 2, clicker.Blinking: 3}
	light := clicker.Dark
	for _, s := range all {
		one := clicker.Blinking
		switch s.Phase {
		case usb.Safe:
			one = clicker.Shining
		case usb.InTrouble:
			one = clicker.Flashing
		}
		if rank[one] > rank[light] {
			light = one
		}
	}
	return light
}

// runLamp has the lamp tell of sticks, where there is one.
func (s *sticks) runLamp(ctx context.Context) error {
	g := s.config.Clicker.GPIO
	if g.StickLamp == "" || g.Enabled == config.Off || !s.config.USB.Enabled {
		<-ctx.Done()
		return nil
	}
	lights := make(chan clicker.Light)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		clicker.RunLamp(ctx, clicker.Wiring{Chip: g.Chip, Outputs: []string{g.StickLamp}}, clicker.OpenGPIO, lights, s.reportLamp)
	}()
	for {
		select {
		case <-ended:
			return nil
		case <-s.lampNews:
		}
		select {
		case <-ended:
			return nil
		case lights <- stickLight(s.desk.Sticks()):
		}
	}
}

// reportLamp puts the lamp on the board, where there should be one.
func (s *sticks) reportLamp(err error) {
	var trouble *clicker.Trouble
	switch {
	case err == nil:
		s.board.Set(health.Found("stick_lamp", health.OK, "Lampu stik USB siap.", "The lamp of USB sticks is ready."))
		return
	case errors.As(err, &trouble) && trouble.Kind == clicker.NoChip && s.config.Clicker.GPIO.Enabled == config.Auto && !box.IsPi("/"):
		return
	}
	s.log.Warn("lamp of USB sticks", "error", err)
	hint := troubleHint(err)
	s.board.Set(health.Found("stick_lamp", health.Note, "Lampu stik USB tidak jalan. Layar sentuh mengatakan hal yang sama.",
		"The lamp of USB sticks does not work. The touch screen says the same.", hint["id"], hint["en"]))
}
