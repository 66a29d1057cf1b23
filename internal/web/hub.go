package web

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/web/signin"
)

// quiet is how long the hub rests between two views: under load a screen gets at most
// ten a second, always the newest.
const quiet = 100 * time.Millisecond

// frame is one view as it goes over the wire to all screens of a role.
type frame struct {
	seq   int64
	view  []byte // JSON
	asked asked  // the question in it
	voter string // scope of voter keys: the screening's id

	mu       sync.Mutex
	messages map[string]*websocket.PreparedMessage // by what is a screen's own in them
}

// json gives the view with what is a screen's own: JSON fields, each with a comma before it.
func (f *frame) json(own string) []byte {
	return fmt.Appendf(nil, `{"type":"view","seq":%d,"view":%s%s}`, f.seq, f.view, own)
}

// message makes one message for all screens that have the same as their own: a hall of
// phones has a handful.
func (f *frame) message(own string) (*websocket.PreparedMessage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m := f.messages[own]; m != nil {
		return m, nil
	}
	m, err := websocket.NewPreparedMessage(websocket.TextMessage, f.json(own))
	if err == nil {
		f.messages[own] = m
	}
	return m, err
}

// asked names what a phone's own ballot belongs to.
type asked struct {
	question string
	round    int
	phase    screening.Phase
}

// hub renders one view per role after each change and wakes the screens of the
// roles whose view has changed. It never waits for a screen: each has one token.
type hub struct {
	room   *screening.Room
	viewer *viewer
	board  *health.Board
	clock  screening.Clock
	check  *Checkup
	log    *slog.Logger

	mu      sync.Mutex
	frames  map[role]*frame
	screens map[role][]*screen // in the order they came
	changed chan struct{}      // a screen came or went
}

func newHub(room *screening.Room, v *viewer, b *health.Board, c screening.Clock, check *Checkup, log *slog.Logger) *hub {
	h := &hub{
		room: room, viewer: v, board: b, clock: c, check: check, log: log,
		frames: map[role]*frame{}, screens: map[role][]*screen{}, changed: make(chan struct{}, 1),
	}
	h.render() // so that there is a view for the first screen
	return h
}

// run renders until ctx ends. It has no timer while nothing changes.
func (h *hub) run(ctx context.Context) error {
	state, stop := h.room.Follow()
	defer stop()
	parts, stopParts := h.board.Follow()
	defer stopParts()
	sticks := h.viewer.sticks.Follow()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-state:
		case <-parts:
		case <-sticks:
		case <-h.changed:
		case <-h.check.changed:
		}
		h.render()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(quiet):
		}
	}
}

func (h *hub) render() {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.room.Latest() // under the lock, or an older state might be rendered over a newer one
	stage, touch := h.viewer.stage(s), h.viewer.touch(s)
	if check := h.check.view(s); check != nil {
		check.Stages, check.Buttons, check.Health = len(h.screens[stageRole]), orEmpty(h.viewer.show.CheckButtons), orEmpty(h.board.Parts())
		touch.Check = check
		if check.Step == checkProjector {
			stage.Scene, stage.Number = "check", check.Number
		}
	}
	h.renderRole(s, stageRole, stage)
	h.renderRole(s, touchRole, touch)
	h.renderRole(s, voteRole, h.viewer.vote(s))
	if len(h.screens[facilitatorRole]) > 0 {
		count := map[role]int{}
		for _, r := range roles {
			count[r] = len(h.screens[r])
		}
		now := s.Stamp(h.clock.Read())
		h.renderRole(s, facilitatorRole, h.viewer.facilitator(s, h.board.Parts(), count, now))
	}
}

func (h *hub) renderRole(s *screening.State, r role, view any) {
	data, err := json.Marshal(view)
	if err != nil { // the views hold nothing that JSON cannot say
		h.log.Error("render a view", "role", r, "error", err)
		return
	}
	if last := h.frames[r]; last != nil && string(data) == string(last.view) {
		return
	}
	f := &frame{seq: s.Seq, view: data, messages: map[string]*websocket.PreparedMessage{}}
	if q := s.Question(s.Current); q != nil && len(q.Rounds) > 0 {
		f.asked = asked{q.ID, len(q.Rounds), q.Phase}
	}
	if s.Screening != nil {
		f.voter = s.Screening.ID
	}
	h.frames[r] = f
	for _, c := range h.screens[r] {
		c.wake()
	}
}

func (h *hub) frame(r role) *frame {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.frames[r]
}

func (h *hub) add(c *screen) {
	h.mu.Lock()
	led := h.leader()
	h.screens[c.role] = append(h.screens[c.role], c)
	if led != nil && h.leader() != led {
		led.wake() // it is a mirror now
	}
	h.mu.Unlock()
	if c.role == facilitatorRole {
		h.render() // there may be none yet, and its clock has gone on
	}
	c.wake()
	h.signal()
}

// remove says whether the screen was the stage page that plays the film.
func (h *hub) remove(c *screen) (ledFilm bool) {
	h.mu.Lock()
	led := h.leader()
	h.screens[c.role] = slices.DeleteFunc(h.screens[c.role], func(o *screen) bool { return o == c })
	if next := h.leader(); next != nil && next != led {
		next.wake() // it leads now
	}
	h.mu.Unlock()
	h.signal()
	return led == c
}

// signal lets the facilitator see how many screens there are.
func (h *hub) signal() {
	select {
	case h.changed <- struct{}{}:
	default:
	}
}

// leading says whether a stage page is the one that plays the film.
func (h *hub) leading(c *screen) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.leader() == c
}

// leader gives the stage page that plays the film, or nil: the first that came on the
// kiosk's own projector, or else the first of the others. A page that somebody opened
// elsewhere to look at must not take the sound out of the hall.
func (h *hub) leader() *screen {
	all := h.screens[stageRole]
	for _, c := range all {
		if signin.Loopback(c.request) {
			return c
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// counts gives the number of connected screens by role.
func (h *hub) counts() map[role]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[role]int{}
	for r, all := range maps.All(h.screens) {
		out[r] = len(all)
	}
	return out
}
