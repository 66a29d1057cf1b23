package config_test

import (
	"testing"

	"mimpi-kiosk/internal/config"
)

func TestWhatAGPIOButtonDoes(t *testing.T) {
	groups := config.Default().Attendance
	for action, want := range map[string]struct {
		place  int
		counts bool
		votes  bool
	}{
		"group 1": {0, true, true}, "group 4": {3, true, true}, "group 5": {4, false, true},
		"boy": {3, true, true}, "nobody": {-1, false, true}, "vote": {-1, false, true},
		"undo": {-1, false, false}, "modifier": {-1, false, false},
	} {
		b := config.GPIOButton{Line: "17", Action: action}
		if place, counts := b.Group(groups); place != want.place || counts != want.counts || b.Votes() != want.votes {
			t.Errorf("%s: group %d, counts %t, votes %t; want %+v", action, place, counts, b.Votes(), want)
		}
	}
}

// One group at the door leaves the other buttons of the default wiring without work,
// which is no mistake.
func TestDefaultButtonsGoWithAnyGroups(t *testing.T) {
	c, err := config.Parse("kiosk.toml", []byte("[[attendance]]\nid = \"person\"\nlabel = { id = \"Orang\" }\n"))
	if err != nil {
		t.Fatal(err)
	}
	if place, counts := c.Clicker.GPIO.Buttons[0].Group(c.Attendance); place != 0 || !counts {
		t.Errorf("the first button counts group %d: %t", place, counts)
	}
}
