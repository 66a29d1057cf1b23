// Package playback makes the film follow State.Playback. The [Follower] tells the kiosk's
// player what is wanted, and turns what players see into commands to the Room.
//
// There are two players. The page /stage plays in the browser: it gets the wanted state by
// its own websocket, and reports here. On a Raspberry Pi mpv plays ([MPV]). Where mpv
// cannot be had, or cannot open the film, the page takes over: a film in the browser is
// better than none. It gives the film back as soon as mpv is there and the film stands.
//
// [Follower.Run] ends when ctx does, with all its goroutines. It takes reports in order
// and keeps the parts "stage_player", "film_sound" and "film_picture" of the health board
// true.
package playback

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

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

	// Of mpv alone.
	Decoder          string `json:"decoder"`          // the codec and the hardware that decodes it: "h264, v4l2m2m-copy"
	Software         bool   `json:"software"`         // hardware should decode, and does not
	DroppedByDecoder int64  `json:"droppedByDecoder"` // DroppedFrames are those that came too late to be shown
	LateFrames       int64  `json:"lateFrames"`
	Restarts         int    `json:"restarts"` // of mpv, since the kiosk has started
	NoSound          bool   `json:"noSound"`
	NoPicture        bool   `json:"noPicture"`
	GiveUp           bool   `json:"giveUp"` // it sees no way: let another player do it

	left bool // the page that reported is closed
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
	Follow() (changed <-chan struct{}, stop func())
}

// Follower keeps players and Room together. Make one with New.
type Follower struct {
	room    Room
	board   *health.Board
	newID   func() string
	reports chan Report // of the page
	log     func(error)

	player  Player      // nil: the page alone
	page    atomic.Bool // the page plays
	changed chan struct{}

	stretch stretch // of Run's goroutine
}

// New makes a follower of a player and the page /stage; without a player (nil) the page
// alone plays. log is told of commands that could not be saved.
func New(room Room, board *health.Board, newID func() string, log func(error), player Player) *Follower {
	f := &Follower{
		room: room, board: board, newID: newID, log: log, player: player,
		reports: make(chan Report, 64), changed: make(chan struct{}, 1),
	}
	f.page.Store(player == nil)
	return f
}

// Plays says what plays the film now. When that changes the health board changes too.
func (f *Follower) Plays() screening.PlayerKind {
	if f.page.Load() {
		return screening.BrowserPlayer
	}
	return screening.MPVPlayer
}

// Report hands over a report of the page. It waits only while 64 reports are waiting already.
func (f *Follower) Report(ctx context.Context, r Report) {
	select {
	case f.reports <- r:
	case <-ctx.Done():
	}
}

// PageLeft says that the page which reported is closed. What it last said of itself is
// then taken off the board.
func (f *Follower) PageLeft(ctx context.Context) { f.Report(ctx, Report{left: true}) }

// Run serves until ctx ends.
func (f *Follower) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	var seen <-chan Report // nil: none ever
	if f.player != nil {
		seen = f.player.Reports()
		group.Go(func() error { return f.player.Run(ctx) })
		group.Go(func() error { return f.lead(ctx) })
	}
	group.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case r := <-f.reports:
				switch {
				case !f.page.Load():
				case r.left:
					f.board.Remove("stage_player")
				default:
					f.take(ctx, r)
				}
			case r := <-seen:
				f.choose(ctx, r)
				if !f.page.Load() {
					f.take(ctx, r)
				}
			}
		}
	})
	return group.Wait()
}

// lead tells the player what is wanted, at once: it does not wait for the disk.
func (f *Follower) lead(ctx context.Context) error {
	state, stop := f.room.Follow()
	defer stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-state:
		case <-f.changed:
		}
		w := wantOf(f.room.Latest())
		if f.page.Load() {
			w.On, w.Epoch = false, -1 // and when it plays again it goes where the film then is
		}
		f.player.Want(w)
	}
}

// choose lets the page take over, or gives the film back to the player.
func (f *Follower) choose(ctx context.Context, r Report) {
	state := f.room.Latest()
	var why string
	switch page := f.page.Load(); {
	case !page && r.GiveUp:
		why = r.Error
	case page && (r.State == Ready || r.State == Paused) && !state.Playback.Playing:
		why = "mpv is there again"
	default:
		return
	}
	f.flush(ctx)
	f.page.Store(!f.page.Load())
	f.board.Set(f.playerHealth(why)) // brings the screens a new view
	select {
	case f.changed <- struct{}{}:
	default:
	}
	if state.Screening != nil {
		f.do(ctx, screening.FromKiosk, screening.ChooseFilmPlayer{Player: f.Plays(), Why: why})
	}
}

// take is told what the player sees that plays the film.
func (f *Follower) take(ctx context.Context, r Report) {
	for _, part := range r.health(f.Plays()) {
		f.board.Set(part)
	}
	state := f.room.Latest()
	if state.Screening == nil {
		return // a player that has the film ready before anything is planned
	}
	if command := r.command(state.Playback); command != nil {
		f.do(ctx, screening.FromPlayer, command)
	}
	if f.stretch.add(r) {
		f.flush(ctx)
	}
}

// flush records how the film has looked since that was done last.
func (f *Follower) flush(ctx context.Context) {
	if e := f.stretch.end(f.Plays()); e != nil && f.room.Latest().Screening != nil {
		f.do(ctx, screening.FromPlayer, screening.NoteFilmShown{FilmShown: *e})
	}
}

func (f *Follower) do(ctx context.Context, from screening.Source, c screening.Command) {
	err := f.room.Do(ctx, screening.Envelope{ID: f.newID(), From: from, Command: c})
	if err != nil && ctx.Err() == nil {
		f.log(fmt.Errorf("record what the film does: %w", err))
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
