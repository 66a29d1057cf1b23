package linestest_test

import (
	"testing"

	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/clicker/linestest"
)

func TestScriptedChip(t *testing.T) {
	linestest.Suite(t, func(*testing.T) linestest.Hands { return linestest.NewChip("pinctrl-bcm2711") })
}

// Not in the suite: on gpio-sim a button and the pull-up are the same thing, so that
// opening lets go of the button.
func TestHeldWhenOpened(t *testing.T) {
	chip := linestest.NewChip("pinctrl-bcm2711")
	chip.Press(17)
	l, err := chip.Open(clicker.Wiring{Inputs: []string{"17"}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if down, err := l.Down(0); err != nil || !down {
		t.Errorf("down: %t, %v", down, err)
	}
	chip.Release(17)
	if e := <-l.Edges(); e.Down || e.LineSeq != 1 {
		t.Errorf("%+v", e)
	}
}
