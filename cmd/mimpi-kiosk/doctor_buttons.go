package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/health"
)

const (
	pressWithin = 20 * time.Second // how long each button is waited for
	blinks      = 3
	blinkFor    = 250 * time.Millisecond
)

// pressButtons tries the buttons that the settings name.
func pressButtons(ctx context.Context, f flags, out io.Writer) health.Part {
	k := &kiosk{}
	var err error
	if k.config, err = readSettings(f); err == nil {
		k.clock, err = newMachineClock("/")
	}
	if err != nil {
		return health.Found("buttons_pressed", health.Problem, "Tombol tidak bisa dicoba: "+err.Error(), "The buttons cannot be tried: "+err.Error(),
			"Perbaiki pengaturannya dulu.", "Mend the settings first.")
	}
	return tryButtons(ctx, k, clicker.OpenGPIO, out)
}

// tryButtons asks for one button after the other, and lets the lamp of each blink when it
// is pressed; whoever presses sees that. Nothing is counted.
func tryButtons(ctx context.Context, k *kiosk, open func(clicker.Wiring) (clicker.Lines, error), out io.Writer) health.Part {
	setup := k.gpio()
	if len(setup.Buttons) == 0 {
		return health.Found("buttons_pressed", health.Note, "Tidak ada tombol di pengaturan.", "There are no buttons in the settings.",
			"Tulis tombolnya di bawah [clicker.gpio].", "Write them below [clicker.gpio].")
	}
	lines, err := open(setup.Wiring())
	var trouble *clicker.Trouble
	switch {
	case errors.As(err, &trouble) && trouble.Kind == clicker.Busy && strings.HasPrefix(trouble.Holder, "mimpi-kiosk"):
		return health.Found("buttons_pressed", health.Note, "Tombol tidak dicoba: kiosk yang berjalan memegangnya.", "The buttons were not tried: the running kiosk holds them.",
			"Coba di layar sentuh dengan Periksa kotak, atau hentikan dulu: sudo systemctl stop mimpi-kiosk",
			"Try them on the touch screen with Check the box, or stop it first: sudo systemctl stop mimpi-kiosk")
	case err != nil:
		hint := troubleHint(err)
		return health.Found("buttons_pressed", health.Problem, "Tombol tidak bisa dicoba: "+err.Error(), "The buttons cannot be tried: "+err.Error(), hint["id"], hint["en"])
	}
	defer lines.Close()

	var silent []clicker.Button
	lamp := 0
	for i, b := range setup.Buttons {
		fmt.Fprintf(out, "Tekan / press: %s / %s (%s)\n", k.checkLabel(b.Line, "id"), k.checkLabel(b.Line, "en"), b.Line)
		if !pressed(ctx, lines, i, setup, out) {
			fmt.Fprintln(out, "  ✗ tidak terdengar / not heard")
			silent = append(silent, b)
		} else if b.Lamp == "" {
			fmt.Fprintln(out, "  ✓")
		} else {
			fmt.Fprintf(out, "  ✓ lampunya (%s) berkedip %d kali / its lamp (%s) blinks %d times\n", b.Lamp, blinks, b.Lamp, blinks)
			err = errors.Join(err, blink(lines, lamp))
		}
		if b.Lamp != "" {
			lamp++
		}
	}
	if err != nil {
		hint := troubleHint(err)
		return health.Found("buttons_pressed", health.Problem, "Lampu tombol tidak bisa dinyalakan: "+err.Error(), "The buttons' lamps cannot be lit: "+err.Error(), hint["id"], hint["en"])
	}
	if len(silent) > 0 {
		name := func(lang string) string {
			var names []string
			for _, b := range silent {
				names = append(names, k.checkLabel(b.Line, lang)+" ("+b.Line+")")
			}
			return strings.Join(names, ", ")
		}
		return health.Found("buttons_pressed", health.Problem, "Tombol yang tidak terdengar: "+name("id"), "Buttons that were not heard: "+name("en"),
			"Periksa kabelnya: satu ke jalur itu, satu ke GND.", "Check the cables: one to that line, one to GND.")
	}
	return health.Found("buttons_pressed", health.OK, "Semua tombol terdengar.", "All buttons were heard.")
}

// pressed waits for one button. Another one that is pressed meanwhile is named: cables
// are easily exchanged.
func pressed(ctx context.Context, lines clicker.Lines, wanted int, setup clicker.Setup, out io.Writer) bool {
	ctx, cancel := context.WithTimeout(ctx, pressWithin)
	defer cancel()
	for {
		select {
		case <-ctx.Done():
			return false
		case e, open := <-lines.Edges():
			switch {
			case !open:
				return false
			case e.Down && e.Input == wanted:
				return true
			case e.Down:
				fmt.Fprintf(out, "  ! yang ditekan / pressed was %s\n", setup.Buttons[e.Input].Line)
			}
		}
	}
}

func blink(lines clicker.Lines, lamp int) error {
	for range blinks {
		if err := lines.Set(lamp, true); err != nil {
			return err
		}
		time.Sleep(blinkFor)
		if err := lines.Set(lamp, false); err != nil {
			return err
		}
		time.Sleep(blinkFor)
	}
	return nil
}
