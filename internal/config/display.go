package config

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// Display says which screen is which. It is for the Raspberry Pi: on a laptop one opens
// the pages by hand.
type Display struct {
	Touch         string `toml:"touch"`          // output of the touch screen, as wlr-randr names it, or "auto"
	Stage         string `toml:"stage"`          // output of the projector, or "auto"
	TouchRotation int    `toml:"touch_rotation"` // degrees: 0, 90, 180, 270
	StageRotation int    `toml:"stage_rotation"`
	TouchDevice   string `toml:"touch_device"` // libinput's name of what is touched, or "auto": whatever can be
	Alone         Alone  `toml:"alone"`
	Cursor        bool   `toml:"cursor"` // show the cursor of a mouse
}

// Alone says what a single screen shows.
type Alone string

// The ways of a single screen.
const (
	Turns     Alone = "turns" // film, results and codes large; the touch screen's page when hands are wanted
	OnlyTouch Alone = "touch"
	OnlyStage Alone = "stage"
)

func defaultDisplay() Display {
	return Display{Touch: "auto", Stage: "auto", TouchDevice: "auto", Alone: Turns}
}

var outputName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,31}$`)

func (in *inspection) display(d Display) {
	for key, name := range map[string]string{"display.touch": d.Touch, "display.stage": d.Stage} {
		if !outputName.MatchString(name) {
			in.wrongIn(key,
				fmt.Sprintf(`adalah %q: beri "auto", atau nama sambungan layar seperti "DSI-1" atau "HDMI-A-1"`, name),
				fmt.Sprintf(`is %q: give "auto", or the name of an output such as "DSI-1" or "HDMI-A-1"`, name))
		}
	}
	if d.Touch == d.Stage && d.Touch != "auto" {
		in.wrongIn("display.stage", `sama dengan display.touch: beri nama sambungan proyektor, atau "auto"`,
			`is the same as display.touch: give the output of the projector, or "auto"`)
	}
	for key, turn := range map[string]int{"display.touch_rotation": d.TouchRotation, "display.stage_rotation": d.StageRotation} {
		if turn != 0 && turn != 90 && turn != 180 && turn != 270 {
			in.wrongIn(key, fmt.Sprintf("adalah %d: beri 0, 90, 180 atau 270", turn), fmt.Sprintf("is %d: give 0, 90, 180 or 270", turn))
		}
	}
	if d.TouchDevice == "" || len(d.TouchDevice) > 100 || strings.ContainsFunc(d.TouchDevice, unicode.IsControl) {
		in.wrongIn("display.touch_device", `kosong atau terlalu panjang: beri "auto", atau nama alat sentuh dari "libinput list-devices"`,
			`is empty or too long: give "auto", or the name of the touch device from "libinput list-devices"`)
	}
	if d.Alone != Turns && d.Alone != OnlyTouch && d.Alone != OnlyStage {
		in.wrongIn("display.alone", fmt.Sprintf(`adalah %q: beri "turns", "touch" atau "stage"`, d.Alone),
			fmt.Sprintf(`is %q: give "turns", "touch" or "stage"`, d.Alone))
	}
}
