package web

import (
	"context"
	"encoding/json"

	"mimpi-kiosk/internal/screening"
)

// Stick is a USB stick, as the screens show it; the fields are those of protocol.ts.
type Stick struct {
	Disk       string         `json:"disk"`
	Label      string         `json:"label"`
	Phase      string         `json:"phase"`
	WaitsFor   string         `json:"waitsFor"`
	Task       string         `json:"task"`
	Done       int64          `json:"done"`
	All        int64          `json:"all"`
	Screenings int            `json:"screenings"`
	Written    int            `json:"written"`
	Missing    int            `json:"missing"`
	NeedMB     int64          `json:"needMB"`
	Why        string         `json:"why"`
	Safe       bool           `json:"safe"`
	Here       bool           `json:"here"`
	Message    screening.Text `json:"message,omitempty"`
	Hint       screening.Text `json:"hint,omitempty"`
	Offers     []PackOffer    `json:"offers"`
}

// PackOffer is a screening pack on a stick.
type PackOffer struct {
	Name   string         `json:"name"`
	Title  screening.Text `json:"title"`
	Film   bool           `json:"film"`
	Signed bool           `json:"signed"`
	MB     int64          `json:"mb"`
	Same   bool           `json:"same"`
	No     screening.Text `json:"no,omitempty"`
}

// PackState says which pack is in use.
type PackState struct {
	Title screening.Text `json:"title"`
	Waits bool           `json:"waits"` // another one was taken, for the next screening
	Back  bool           `json:"back"`  // there is one to go back to
	Newer []PackChange   `json:"newer"` // where the pack that came with an upgrade differs, which takeShippedPack takes
}

// PackChange is a file in which the pack that came with an upgrade differs from the one in
// use, which was edited.
type PackChange struct {
	File string         `json:"file"`
	Kind string         `json:"kind"` // "new", "changed", or "kept": it was edited here too, and stays as it is
	Text screening.Text `json:"text"` // what it is: "questions: k3 (What is ...?)"
}

// Sticks is what looks after USB sticks and packs. It must be safe for concurrent use.
type Sticks interface {
	Sticks() []Stick
	Pack() PackState
	// Follow gives a channel that holds one token when there is something new.
	Follow() <-chan struct{}
	// Ask has something done with a stick. It gives ErrNoStick or ErrStickBusy when it
	// cannot be.
	Ask(disk, task, pack string) error
	// BackToPack undoes the taking of a pack.
	BackToPack(ctx context.Context) error
	// TakeShipped has the pack that came with an upgrade used, but for what was edited.
	TakeShipped(ctx context.Context) error
}

// PackRefused says why a pack cannot be taken.
func PackRefused(message screening.Text) error {
	return &refusal{Reason: "pack_refused", Message: message}
}

// What Sticks answers when something cannot be done.
var (
	ErrNoStick error = &refusal{Reason: "no_stick", Message: screening.Text{
		"id": "Stik USB itu tidak ada lagi.", "en": "That USB stick is not there any more.",
	}}
	ErrStickBusy error = &refusal{Reason: "stick_busy", Message: screening.Text{
		"id": "Stik USB sedang dipakai. Tunggu sampai selesai.", "en": "The USB stick is being worked with. Wait until it is done.",
	}}
)

// noSticks is a machine without them.
type noSticks struct{}

func (noSticks) Sticks() []Stick                   { return []Stick{} }
func (noSticks) Pack() PackState                   { return PackState{Title: screening.Text{}, Newer: []PackChange{}} }
func (noSticks) Follow() <-chan struct{}           { return nil }
func (noSticks) Ask(string, string, string) error  { return ErrNoStick }
func (noSticks) BackToPack(context.Context) error  { return errNotForYou }
func (noSticks) TakeShipped(context.Context) error { return errNotForYou }

// wishesOfSticks are the commands about sticks and packs: what they ask for.
var wishesOfSticks = map[string]string{
	"copyToStick": "export", "logToStick": "log", "takePack": "take", "backToPack": "", "takeShippedPack": "",
}

// handleStick does what the facilitator asks of a stick.
func (c *screen) handleStick(ctx context.Context, m message) error {
	var ask struct{ Disk, Pack string }
	if c.role != facilitatorRole || json.Unmarshal(m.fields, &ask) != nil {
		return errNotForYou
	}
	switch m.Do {
	case "backToPack":
		return c.server.sticks.BackToPack(ctx)
	case "takeShippedPack":
		return c.server.sticks.TakeShipped(ctx)
	}
	return c.server.sticks.Ask(ask.Disk, wishesOfSticks[m.Do], ask.Pack)
}

// telling is the stick that the touch screen tells of: the one that people wait for.
func telling(all []Stick) *Stick {
	rank := map[string]int{"copying": 6, "logging": 6, "taking": 6, "finishing": 5, "plugged": 4, "waiting": 3, "trouble": 2, "safe": 1}
	var first *Stick
	for i := range all {
		if first == nil || rank[all[i].Phase] > rank[first.Phase] {
			first = &all[i]
		}
	}
	if first == nil {
		return nil
	}
	s := *first
	s.Offers = []PackOffer{} // the facilitator's business
	return &s
}
