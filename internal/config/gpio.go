package config

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"mimpi-kiosk/kiosk-ui/lang"
)

// GPIO is how buttons and lamps hang on the pins of the kiosk.
type GPIO struct {
	Enabled   When          `toml:"enabled"`
	Chip      string        `toml:"chip"`       // label or name of the chip; "" is the header of a Raspberry Pi
	Debounce  time.Duration `toml:"debounce"`   // 1 ms to 100 ms
	LongPress time.Duration `toml:"long_press"` // how long undo is held; 0 to 5 s
	Voting    bool          `toml:"voting"`     // while a question is open the buttons answer it
	Buzzer    string        `toml:"buzzer"`     // line of a buzzer; "" for none
	StickLamp string        `toml:"stick_lamp"` // line of the lamp that tells of USB sticks; "" for none
	Buttons   []GPIOButton  `toml:"button"`     // up to 16
}

// When says when a part is used.
type When string

// Auto is where its hardware is there; a missing Raspberry Pi is then no mistake.
const (
	On   When = "on"
	Off  When = "off"
	Auto When = "auto"
)

// GPIOButton is one button. A line is a number (BCM) or the name of a line.
type GPIOButton struct {
	Line   string `toml:"line"`
	Action string `toml:"action"` // "group 1" or the id of a group, "undo", "modifier", "vote"
	Lamp   string `toml:"lamp"`   // line of its lamp; "" for none
}

// What a button can do besides counting a group.
const (
	UndoAction     = "undo"
	ModifierAction = "modifier"
	VoteAction     = "vote"
)

// Group gives the place, from 0, of the group that the action counts in the list of
// groups. ok is false for an action that counts nobody, such as that of a group which
// the list is too short for.
func (b GPIOButton) Group(groups []Category) (place int, ok bool) {
	if n, is := strings.CutPrefix(b.Action, "group "); is {
		place, err := strconv.Atoi(n)
		return place - 1, err == nil && place >= 1 && place <= len(groups)
	}
	place = slices.IndexFunc(groups, func(c Category) bool { return c.ID == b.Action })
	return place, place >= 0
}

// Votes says whether the button can answer a question.
func (b GPIOButton) Votes() bool { return b.Action != UndoAction && b.Action != ModifierAction }

func defaultGPIO() GPIO {
	return GPIO{
		Enabled: Auto, Debounce: 20 * time.Millisecond, LongPress: 800 * time.Millisecond, Buzzer: "26",
		Buttons: []GPIOButton{
			{Line: "17", Action: "group 1", Lamp: "23"},
			{Line: "27", Action: "group 2", Lamp: "24"},
			{Line: "22", Action: "group 3", Lamp: "25"},
			{Line: "5", Action: "group 4", Lamp: "12"},
			{Line: "6", Action: UndoAction, Lamp: "16"},
		},
	}
}

var (
	gpioLine  = regexp.MustCompile(`^([0-9]{1,3}|[A-Za-z][A-Za-z0-9_./+-]{0,30})$`)
	gpioChip  = regexp.MustCompile(`^[A-Za-z0-9_.:@+-]{0,31}$`)
	gpioGroup = regexp.MustCompile(`^group ([1-9]|1[0-2])$`)
)

func (in *inspection) gpio(g GPIO, groups []Category) {
	if g.Enabled != On && g.Enabled != Off && g.Enabled != Auto {
		in.wrong("clicker.gpio.enabled", lang.Text("config.gpio.enabled", lang.Params{"value": strconv.Quote(string(g.Enabled))}))
	}
	if !gpioChip.MatchString(g.Chip) {
		in.wrong("clicker.gpio.chip", lang.Text("config.gpio.chip", lang.Params{"value": strconv.Quote(g.Chip)}))
	}
	in.span("clicker.gpio.debounce", g.Debounce, time.Millisecond, 100*time.Millisecond, "20ms")
	in.span("clicker.gpio.long_press", g.LongPress, 0, 5*time.Second, "800ms")
	if n := len(g.Buttons); n > 16 {
		in.wrong("clicker.gpio.button", lang.Text("config.gpio.count", lang.Params{"n": n}))
	}
	used := map[string]map[string]string{}
	line := func(key, value string, what map[string]string) {
		switch {
		case !gpioLine.MatchString(value):
			in.wrong(key, lang.Text("config.gpio.line", lang.Params{"value": strconv.Quote(value)}))
		case used[value] != nil:
			in.wrong(key, eachLanguage(func(code string) string {
				return lang.In(code, "config.gpio.line_twice", lang.Params{"value": strconv.Quote(value), "owner": used[value][code]})
			}))
		default:
			used[value] = what
		}
	}
	for i, b := range g.Buttons {
		key := fmt.Sprintf("clicker.gpio.button[%d].", i+1)
		line(key+"line", b.Line, lang.Text("config.gpio.button", lang.Params{"n": i + 1}))
		if b.Lamp != "" {
			line(key+"lamp", b.Lamp, lang.Text("config.gpio.lamp", lang.Params{"n": i + 1}))
		}
		if _, counts := b.Group(groups); !counts && b.Votes() && b.Action != VoteAction && !gpioGroup.MatchString(b.Action) {
			in.wrong(key+"action", lang.Text("config.gpio.action", lang.Params{"value": strconv.Quote(b.Action)}))
		}
	}
	if g.Buzzer != "" {
		line("clicker.gpio.buzzer", g.Buzzer, lang.Text("config.gpio.buzzer"))
	}
	if g.StickLamp != "" {
		line("clicker.gpio.stick_lamp", g.StickLamp, lang.Text("config.gpio.stick_lamp"))
	}
}
