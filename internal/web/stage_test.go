package web

import (
	"testing"

	"mimpi-kiosk/internal/screening"
)

// A clicker button is a key of the laptop's keyboard; the page in front sends it.
func TestKeys(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.plan()
	stage, touch := k.own().socket(stageRole), k.own().socket(touchRole)
	f := k.own().signIn().socket(facilitatorRole)
	key := func(name string) map[string]any { return map[string]any{"key": name} }

	stage.refused("pressKey", key("1"), "doors_closed")
	k.do(screening.OpenDoors{})
	press := key("1")
	press["id"] = "press"
	stage.must("pressKey", press)
	stage.must("pressKey", press) // sent again
	touch.must("pressKey", key("2"))
	f.must("pressKey", key("2"))
	stage.refused("pressKey", key("9"), "unknown_key")
	stage.refused("pressKey", key(""), "unknown_key")
	a := k.room.Latest().Attendance
	if a.Total() != 3 || a.Categories[0].Pressed != 1 || a.Categories[1].Pressed != 2 {
		t.Errorf("counted: %+v", a.Categories)
	}
	if a.LastPress == nil || a.LastPress.From != screening.FromKeyboard {
		t.Errorf("the last press is %+v", a.LastPress)
	}
	// A press of the keyboard is undone by the keyboard, whatever page is in front, and not
	// by the touch screen.
	touch.refused("undoCount", nil, "nothing_to_undo")
	touch.must("pressKey", key("0"))
	if a := k.room.Latest().Attendance; a.Total() != 2 || a.Categories[1].Pressed != 1 {
		t.Errorf("after an undo: %+v", a.Categories)
	}
	k.voter(1).refused("pressKey", key("1"), "not_for_this_screen")
	f.until(func(p packet) bool { return p.View.Attendance.Total == 2 })
}

// A page that was opened on another machine plays only while the kiosk's own is away.
func TestOwnStagePageLeads(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	leads := func(want bool) func(packet) bool {
		return func(p packet) bool { return p.Leads != nil && *p.Leads == want }
	}
	far := k.phone(1).signIn().socket(stageRole)
	far.until(leads(true))
	farther := k.phone(2).signIn().socket(stageRole)
	if p := farther.read(); *p.Leads {
		t.Errorf("the second page is told %s", p.raw)
	}
	own := k.own().socket(stageRole)
	if p := own.read(); !*p.Leads {
		t.Errorf("the kiosk's own page is told %s", p.raw)
	}
	far.until(leads(false))
	second := k.own().socket(stageRole)
	if p := second.read(); *p.Leads {
		t.Errorf("the kiosk's second page is told %s", p.raw)
	}
	own.ws.Close()
	second.until(leads(true))
	second.ws.Close()
	far.until(leads(true))
}

// The first stage page plays the film; when it goes the next one does.
func TestFirstStagePageLeads(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.plan()
	k.do(screening.MoveTo{Step: screening.FilmStep})
	first := k.own().socket(stageRole)
	if p := first.read(); p.Leads == nil || !*p.Leads {
		t.Errorf("the first page is told %s", p.raw)
	}
	second := k.own().socket(stageRole)
	if p := second.read(); p.Leads == nil || *p.Leads {
		t.Errorf("the second page is told %s", p.raw)
	}
	f := k.own().signIn().socket(facilitatorRole)
	f.must("playFilm", nil)
	report := func(s *socket, at int) {
		s.must("reportPlayer", map[string]any{"epoch": k.room.Latest().Playback.Epoch, "state": "playing", "at": at, "duration": 600_000})
	}
	report(first, 10_000)
	first.until(func(p packet) bool { return p.View.Playback.At == 10_000 })
	report(second, 99_000) // a mirror: not heeded
	report(first, 20_000)
	first.until(func(p packet) bool { return p.View.Playback.At == 20_000 })
	for rec, err := range k.journal.Events(t.Context(), "s-plan") {
		if noted, ok := rec.Event.(screening.FilmPositionNoted); err != nil || ok && noted.At == 99_000 {
			t.Errorf("the mirror was heeded: %+v %v", noted, err)
		}
	}
	first.ws.Close()
	second.until(func(p packet) bool { return p.Leads != nil && *p.Leads })
	report(second, 30_000)
	second.until(func(p packet) bool { return p.View.Playback.At == 30_000 })
	// The facilitator sees how the player is, and the end.
	f.until(func(p packet) bool {
		for _, part := range p.View.Health {
			if part.Part == "stage_player" {
				return part.Level == "ok"
			}
		}
		return false
	})
	// What a page said of itself does not stay when it is closed.
	second.must("reportPlayer", map[string]any{"epoch": k.room.Latest().Playback.Epoch, "state": "blocked", "at": 30_000, "duration": 600_000})
	blocked := func(p packet) (there, bad bool) {
		for _, part := range p.View.Health {
			if part.Part == "stage_player" {
				return true, part.Level == "problem"
			}
		}
		return false, false
	}
	f.until(func(p packet) bool { _, bad := blocked(p); return bad })
	second.ws.Close()
	f.until(func(p packet) bool { there, _ := blocked(p); return !there })
	second = k.own().socket(stageRole)
	second.until(func(p packet) bool { return p.Leads != nil && *p.Leads })
	second.must("reportPlayer", map[string]any{"epoch": k.room.Latest().Playback.Epoch, "state": "ended", "at": 600_000, "duration": 600_000})
	f.until(func(p packet) bool { return p.View.Playback.Finished })
}
