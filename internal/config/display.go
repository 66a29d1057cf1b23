package config

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"mimpi-kiosk/kiosk-ui/lang"
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
			in.wrong(key, lang.Text("config.display.output", lang.Params{"value": strconv.Quote(name)}))
		}
	}
	if d.Touch == d.Stage && d.Touch != "auto" {
		in.wrong("display.stage", lang.Text("config.display.same"))
	}
	for key, turn := range map[string]int{"display.touch_rotation": d.TouchRotation, "display.stage_rotation": d.StageRotation} {
		if turn != 0 && turn != 90 && turn != 180 && turn != 270 {
			in.wrong(key, lang.Text("config.display.rotation", lang.Params{"value": turn}))
		}
	}
	if d.TouchDevice == "" || len(d.TouchDevice) > 100 || strings.ContainsFunc(d.TouchDevice, unicode.IsControl) {
		in.wrong("display.touch_device", lang.Text("config.display.touch_device"))
	}
	if d.Alone != Turns && d.Alone != OnlyTouch && d.Alone != OnlyStage {
		in.wrong("display.alone", lang.Text("config.display.alone", lang.Params{"value": strconv.Quote(string(d.Alone))}))
	}
}
