package linestest_test

import (
	"testing"

	"mimpi-kiosk/internal/clicker/linestest"
)

func TestScriptedChip(t *testing.T) {
	linestest.Suite(t, func(*testing.T) linestest.Hands { return linestest.NewChip("pinctrl-bcm2711") })
}
