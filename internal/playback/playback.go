// Package playback carries what a film player sees back to the Room. The wanted
// state of the film is State.Playback; the browser's player on /stage follows it by
// its own websocket and reports here.
//
// [Follower.Run] is one goroutine: it takes the reports in order and turns them into
// commands, and keeps the part "stage_player" of the health board true.
package playback

import (
	"context"
	"fmt"
	"time"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

// Report is what a player sees now.
type Report struct {
	Epoch    int64            `json:"epoch"` // the Playback.Epoch it is in
	State    PlayerState      `json:"state"`
	At       screening.Millis `json:"at"`
	Duration screening.Millis `json:"duration"` // 0 when unknown
	// PausePoint is set once, when the player halted at that point by itself.
	PausePoint    *int   `json:"pausePoint"`
	DecodedFrames int64  `json:"decodedFrames"`
	DroppedFrames int64  `json:"droppedFrames"`
	Error         string `json:"error"`
}

// PlayerState is what a player is doing.
type PlayerState string

const (
	Loading PlayerState = "loading"
	Ready   PlayerState = "ready"
	Playing PlayerState = "playing"
	Paused  PlayerState = "paused"
	Finish  PlayerState = "ended"
	Blocked PlayerState = "blocked" // the browser wants a touch before it plays with sound
	Failed  PlayerState = "failed"
)

// noteEvery bounds how far back the film can fall when the kiosk dies: the position is
// recorded when it has moved this far. With the player's one report a second
// it stays under 5 s.
const noteEvery = 3 * time.Second

// Room is what the follower needs of the Room.
type Room interface {
	Do(context.Context, screening.Envelope) error
	Latest() *screening.State
}

// Follower turns reports into commands. Make one with New.
type Follower struct {
	room    Room
	board   *health.Board
	newID   func() string
	reports chan Report
	log     func(error)
}

// New makes a follower. log is told of commands that could not be saved.
func New(room Room, board *health.Board, newID func() string, log func(error)) *Follower {
	return &Follower{room: room, board: board, newID: newID, log: log, reports: make(chan Report, 64)}
}

// Report hands a report over. It waits only while 64 reports are waiting already.
func (f *Follower) Report(ctx context.Context, r Report) {
	select {
	case f.reports <- r:
	case <-ctx.Done():
	}
}

// Run serves until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case r := <-f.reports:
			f.board.Set(r.health())
			state := f.room.Latest()
			if state.Screening == nil {
				continue // a page that has the film ready before anything is planned
			}
			command := r.command(state.Playback)
			if command == nil {
				continue
			}
			err := f.room.Do(ctx, screening.Envelope{ID: f.newID(), From: screening.FromPlayer, Command: command})
			if err != nil && ctx.Err() == nil {
				f.log(fmt.Errorf("record the film's position: %w", err))
			}
		}
	}
}

// command says what the Room must hear of a report, if anything.
func (r Report) command(p screening.Playback) screening.Command {
	if r.Epoch != p.Epoch {
		return nil // the player has not yet followed the last jump
	}
	duration := r.Duration
	if duration <= 0 {
		duration = p.Duration
	}
	note := screening.NotePosition{Epoch: r.Epoch, At: r.At, Duration: duration}
	moved := (r.At - p.At).Duration().Abs()
	switch {
	case r.PausePoint != nil:
		return screening.ReachPausePoint{Epoch: r.Epoch, N: *r.PausePoint, At: r.At}
	case r.State == Finish && p.Playing:
		return screening.FinishFilm{Epoch: r.Epoch, At: r.At}
	case r.State == Playing && p.Playing && moved >= noteEvery:
		return note
	case r.State == Paused && !p.Playing && moved > 0:
		return note // where exactly it halted
	case r.Duration > 0 && r.Duration != p.Duration:
		note.At = p.At
		return note
	}
	return nil
}

func (r Report) health() health.Part {
	part := health.Part{Part: "stage_player", Level: health.OK, Message: map[string]string{
		"id": "Film siap di layar proyektor.",
		"en": "The film is ready on the projector.",
	}}
	switch r.State {
	case Blocked:
		part.Level = health.Problem
		part.Message = map[string]string{
			"id": "Peramban di layar proyektor belum boleh memutar suara.",
			"en": "The browser on the projector may not play sound yet.",
		}
		part.Hint = map[string]string{
			"id": "Sentuh atau klik sekali di layar proyektor.",
			"en": "Touch or click once on the projector's page.",
		}
	case Failed:
		part.Level = health.Problem
		part.Message = map[string]string{
			"id": "Film tidak bisa diputar di layar proyektor: " + r.Error,
			"en": "The film cannot be played on the projector: " + r.Error,
		}
		part.Hint = map[string]string{
			"id": "Muat ulang halaman proyektor. Kalau tetap gagal, pakai berkas film yang lain (H.264/AAC dalam MP4) atau lanjut ke diskusi.",
			"en": "Reload the projector's page. If it still fails, use another film file (H.264/AAC in MP4) or go on to the discussion.",
		}
	}
	return part
}
