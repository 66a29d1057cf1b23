package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

// checked reads what the message says of the check.
func checkIn(t *testing.T, p packet) (check *checkView, number int) {
	t.Helper()
	var m struct {
		View struct {
			Check  *checkView `json:"check"`
			Number int        `json:"number"`
		} `json:"view"`
	}
	if err := json.Unmarshal([]byte(p.raw), &m); err != nil {
		t.Fatal(err)
	}
	return m.View.Check, m.View.Number
}

func TestTheGuidedCheck(t *testing.T) {
	t.Parallel()
	checkup := NewCheckup()
	k := newKiosk(t, setup{parts: func(p *Parts) {
		p.Checkup = checkup
		p.Show.CheckButtons = []CheckButton{{"line 17", text("Perempuan", "Woman")}, {"line 27", text("Laki-laki", "Man")}}
	}})
	k.board.Set(health.Part{Part: "disk", Level: health.Problem, Message: text("penuh", "full")})
	stage, page := k.own().socket(stageRole), k.own().socket(touchRole)
	stage.read()
	if c, _ := checkIn(t, page.read()); c != nil {
		t.Errorf("nobody checks, but the page sees %+v", c)
	}
	if checkup.Pressed("line 17", k.room.Latest()) {
		t.Error("nobody checks, but a press was taken")
	}

	page.must("checkBox", map[string]any{"step": "projector"})
	var number int
	page.until(func(p packet) bool {
		c, _ := checkIn(t, p)
		if c == nil || c.Stages != 1 {
			return false
		}
		number = c.Number
		return c.Step == "projector" && len(c.Buttons) == 2 && len(c.Health) > 0 && c.Health[0].Part == "disk"
	})
	stage.until(func(p packet) bool {
		_, n := checkIn(t, p)
		return p.View.Scene == "check" && n == number && n >= 1 && n <= 9
	})

	page.must("checkBox", map[string]any{"step": "buttons"})
	stage.until(func(p packet) bool { return p.View.Scene != "check" })
	for range 2 {
		if !checkup.Pressed("line 27", k.room.Latest()) {
			t.Error("the press was not taken")
		}
	}
	page.until(func(p packet) bool {
		c, _ := checkIn(t, p)
		return c != nil && slices.Equal(c.Pressed, []string{"line 27"})
	})

	// A screening is planned meanwhile: presses are counted again, the check is over.
	k.plan()
	k.do(screening.OpenDoors{})
	if checkup.Pressed("line 17", k.room.Latest()) {
		t.Error("a press was taken from a screening")
	}
	page.until(func(p packet) bool { c, _ := checkIn(t, p); return c == nil })
	page.refused("checkBox", map[string]any{"step": "buttons"}, "screening_going_on")
	page.must("checkBox", map[string]any{"step": ""})
	k.do(screening.MoveTo{Step: screening.Ended})
	if checkup.Pressed("line 17", k.room.Latest()) {
		t.Error("a press was taken after the check was ended")
	}
}

// A check ends with its page, and a second page takes it over from the first.
func TestACheckBelongsToOnePage(t *testing.T) {
	t.Parallel()
	checkup := NewCheckup()
	k := newKiosk(t, setup{parts: func(p *Parts) { p.Checkup = checkup }})
	first, second := k.own().socket(touchRole), k.own().socket(touchRole)
	first.must("checkBox", map[string]any{"step": "buttons"})
	checkup.Pressed("a", k.room.Latest())
	second.must("checkBox", map[string]any{"step": "sound"})
	second.until(func(p packet) bool { c, _ := checkIn(t, p); return c != nil && len(c.Pressed) == 0 })
	first.must("checkBox", map[string]any{"step": ""}) // it does not lead any more
	if !checkup.Pressed("a", k.room.Latest()) {
		t.Error("the page that lost the check ended it")
	}
	if err := second.ws.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the check ends with its page", func() bool { return !checkup.Pressed("a", k.room.Latest()) })
}

func TestOnlyTheKiosksOwnScreensCheck(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	if r := k.own().get("/check"); r.StatusCode != http.StatusOK {
		t.Errorf("the kiosk's own screen gets %s", r.Status)
	}
	if r := k.phone(1).get("/check"); r.StatusCode != http.StatusSeeOther {
		t.Errorf("a phone gets %s", r.Status)
	}
	stage, phone := k.own().socket(stageRole), k.voter(1)
	stage.refused("checkBox", map[string]any{"step": "buttons"}, "not_for_this_screen")
	phone.refused("checkBox", map[string]any{"step": "buttons"}, "not_for_this_screen")
}

// The film's player plays the tone, or the page is told to; never beside a screening.
func TestToneOfTheCheck(t *testing.T) {
	t.Parallel()
	var none error
	played := 0
	k := newKiosk(t, setup{parts: func(p *Parts) {
		p.Show.Tone = func(context.Context) error { played++; return none }
	}})
	for _, c := range []struct {
		what string
		says error
		plan bool
		from *browser
		want string
	}{
		{"mpv plays", nil, false, k.own(), `{"playing":true}`},
		{"from the Wi-Fi", nil, false, k.phone(1), "404 page not found"},
		{"the page plays", errors.New("none"), false, k.own(), `{"playing":false}`},
		{"beside a screening", nil, true, k.own(), `{"playing":false}`},
	} {
		none = c.says
		if c.plan {
			k.plan()
		}
		if r := c.from.postJSON("/api/tone", ""); strings.TrimSpace(string(r.body)) != c.want {
			t.Errorf("%s: %s %s", c.what, r.Status, r.body)
		}
	}
	if played != 2 { // by the first and by the third
		t.Errorf("asked %d times", played)
	}
}
