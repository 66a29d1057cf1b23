package web

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

// checkProjector is the step of the guided check in which the projector shows a number.
// What the others are is the page's affair.
const checkProjector = "projector"

// CheckButton is a button that should be pressed once in the guided check.
type CheckButton struct {
	Name  string         `json:"name"`  // as Checkup.Pressed gets it
	Label screening.Text `json:"label"` // what it does
}

// Checkup is the guided check of the box on /check. One page leads it, for as long as it
// is connected and no screening goes on; meanwhile presses of buttons light up on that
// page and are not counted: with no screening there is nothing to count them for.
//
// It is safe for concurrent use. Make one with NewCheckup.
type Checkup struct {
	mu      sync.Mutex
	leader  *screen // nil: no check is under way
	step    string
	number  int
	pressed []string
	changed chan struct{} // holds a token for the hub
}

// NewCheckup makes a Checkup that is not under way.
func NewCheckup() *Checkup { return &Checkup{changed: make(chan struct{}, 1)} }

// Pressed takes the press of a button, and says whether a check wanted it. s is the
// state of the Room.
func (c *Checkup) Pressed(button string, s *screening.State) bool {
	if s.GoingOn() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leader == nil {
		return false
	}
	if !slices.Contains(c.pressed, button) {
		c.pressed = append(slices.Clip(c.pressed), button)
		c.signal()
	}
	return true
}

// lead begins the check anew, or goes on to another step of it. An empty step ends it.
func (c *Checkup) lead(by *screen, step string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.signal()
	switch {
	case step == "" && c.leader == by:
		c.leader = nil
	case step == "":
	case c.leader != by:
		c.leader, c.pressed, c.number = by, nil, 1+rand.IntN(9)
		c.step = step
	default:
		c.step = step
	}
}

// leave ends the check when its page is gone.
func (c *Checkup) leave(by *screen) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leader == by {
		c.leader = nil
		c.signal()
	}
}

// signal needs c.mu.
func (c *Checkup) signal() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// checkView is what the page of the check sees of the kiosk.
type checkView struct {
	Step    string                  `json:"step"`
	Number  int                     `json:"number"`  // on the projector in step "projector"; 1 to 9
	Stages  int                     `json:"stages"`  // projector pages that are open
	Buttons []CheckButton           `json:"buttons"` // that there are
	Pressed []string                `json:"pressed"` // their names
	Health  []health.Part           `json:"health"`  // the worst first
	Classes map[string]health.Class `json:"classes"` // of a step that was not right, by its name
}

// checkClasses is what it means for the evening when a step of the check was not right.
func checkClasses() map[string]health.Class {
	out := map[string]health.Class{}
	for _, step := range []string{"sound", checkProjector, "buttons", "touch"} {
		out[step] = health.ClassOf("check_"+step, health.Problem)
	}
	return out
}

// view gives nil where no check is under way.
func (c *Checkup) view(s *screening.State) *checkView {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leader == nil || s.GoingOn() {
		return nil
	}
	return &checkView{Step: c.step, Number: c.number, Pressed: orEmpty(c.pressed), Classes: checkClasses()}
}

// checkBox carries out what the page of the check asks.
func (c *screen) checkBox(m message) error {
	var ask struct{ Step string }
	if err := json.Unmarshal(m.fields, &ask); err != nil || c.role != touchRole || len(ask.Step) > 20 {
		return errNotForYou
	}
	if ask.Step != "" && c.server.room.Latest().GoingOn() {
		return errScreeningGoesOn
	}
	c.server.checkup.lead(c, ask.Step)
	return nil
}

// toneWithin is how long the film's player may take to begin with a tone.
const toneWithin = 3 * time.Second

// playTone plays a tone where the film's sound comes from, and says whether it has begun:
// where the film's player has none the page plays its own, as it will the film.
func (s *Server) playTone(w http.ResponseWriter, r *http.Request) {
	if !s.mayBe(r, touchRole) {
		http.NotFound(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), toneWithin)
	defer cancel()
	begun := s.show.Tone != nil && !s.room.Latest().GoingOn() && s.show.Tone(ctx) == nil
	s.writeJSON(w, http.StatusOK, map[string]bool{"playing": begun})
}

var errScreeningGoesOn = &refusal{Reason: "screening_going_on", Message: screening.Text{
	"id": "Pemutaran sedang berlangsung. Kotak bisa diperiksa sesudahnya.",
	"en": "A screening is going on. The box can be checked after it.",
}}
