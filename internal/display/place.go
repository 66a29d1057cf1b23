// Package display runs the session of the kiosk's screens: a Wayland compositor of its
// own, without a desktop, and the knowledge of which output shows what.
//
// [Session.Run] writes the session's files, starts the compositor and keeps its rules in
// step with the outputs that come and go; [Watch] tells any program of the session of
// them; [Wanted.Places] says what is shown where. Nothing here knows of screenings, pages
// or films. Run and Watch block until what they started is gone.
package display

import (
	"slices"
	"strings"
)

// Auto is the name of an output or touch device that the kiosk finds by itself.
const Auto = "auto"

// Wanted says which output is which, and how each is turned.
type Wanted struct {
	Touch, Stage         string // names of outputs, or [Auto]
	TouchTurn, StageTurn int    // degrees: 0, 90, 180, 270
	TouchDevice          string // libinput's name of the touch screen's input, or [Auto]: every one
	Cursor               bool   // show the mouse's
}

// Places says which output shows the touch screen's page and which the projector's. A
// name is empty while there is no output for it.
type Places struct {
	Touch, Stage string
}

// Alone is true when one output has to serve for both.
func (p Places) Alone() bool { return p.Touch != "" && p.Touch == p.Stage }

// The connectors of screens that are built in: a projector is never on one.
var builtIn = []string{"DSI-", "DPI-", "LVDS-", "eDP-", "SPI-"}

// Places decides. What is named goes where its name says; what is not named is guessed:
// a built-in screen is the touch screen, then the one with fewer pixels (a touch screen
// has 800x480, a projector 1280x720 or more), then the first by name. A single output
// serves for both, whatever its name. Outputs beyond two show nothing.
func (w Wanted) Places(outputs []Output) Places {
	free := slices.Clone(outputs)
	take := func(name string) string {
		i := slices.IndexFunc(free, func(o Output) bool { return o.Name == name })
		if i < 0 {
			return ""
		}
		free = slices.Delete(free, i, i+1)
		return name
	}
	var p Places
	if len(outputs) == 1 {
		return Places{Touch: outputs[0].Name, Stage: outputs[0].Name}
	}
	if w.Touch != Auto {
		p.Touch = take(w.Touch)
	}
	if w.Stage != Auto {
		p.Stage = take(w.Stage)
	}
	// A named output that is not there (a misspelt name, another cable) must not leave a
	// person before a dark screen: the guess steps in.
	if p.Touch == "" && len(free) > 0 {
		p.Touch = take(touchLike(free).Name)
	}
	if p.Stage == "" && len(free) > 0 {
		p.Stage = take(stageLike(free).Name)
	}
	return p
}

func touchLike(outputs []Output) Output { return slices.MinFunc(outputs, byTouch) }
func stageLike(outputs []Output) Output { return slices.MaxFunc(outputs, byTouch) }

// byTouch puts what is likely a touch screen first.
func byTouch(a, b Output) int {
	inside := func(o Output) bool {
		return slices.ContainsFunc(builtIn, func(prefix string) bool { return strings.HasPrefix(o.Name, prefix) })
	}
	switch {
	case inside(a) != inside(b):
		if inside(a) {
			return -1
		}
		return 1
	case a.Width*a.Height != b.Width*b.Height:
		return a.Width*a.Height - b.Width*b.Height
	}
	return strings.Compare(a.Name, b.Name)
}
