//go:build lab

package sim_test

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/clicker/linestest"
	"mimpi-kiosk/internal/lab/gpio/sim"
)

func newChip(t *testing.T) *sim.Chip {
	t.Helper()
	chip, err := sim.New(func(err error) { t.Error(err) })
	if err != nil {
		t.Fatalf("no simulated chip: %v (this test runs in the lab: make test-pi)", err)
	}
	t.Cleanup(chip.Close)
	return chip
}

// The real lines keep what the suite says, as the scripted ones do.
func TestRealLines(t *testing.T) {
	linestest.Suite(t, func(t *testing.T) linestest.Hands { return newChip(t) })
}

// Whoever is not in the group gpio is told so.
func TestDenied(t *testing.T) {
	chip := newChip(t)
	if err := os.Chmod("/dev/"+chip.Name(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Seteuid(65534); err != nil { // of all threads
		t.Fatal(err)
	}
	_, err := clicker.OpenGPIO(clicker.Wiring{Inputs: []string{"17"}})
	if err := syscall.Seteuid(0); err != nil {
		t.Fatal(err)
	}
	var trouble *clicker.Trouble
	if !errors.As(err, &trouble) || trouble.Kind != clicker.Denied || trouble.Chip != chip.Name() {
		t.Errorf("got %v, want that %s may not be opened", err, chip.Name())
	}
}
