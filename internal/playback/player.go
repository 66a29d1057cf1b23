package playback

import (
	"context"

	"mimpi-kiosk/internal/screening"
)

// Player is something that shows the film and does what is wanted of it by itself, over
// crashes and missing devices. The suite playertest says what that means; the scripted
// player there, mpv and the browser's player on /stage pass it.
type Player interface {
	// Run plays until ctx ends, and its goroutines with it.
	Run(ctx context.Context) error
	// Want says what is wanted from now on; only the newest counts. It never waits. One
	// goroutine calls it.
	Want(Want)
	// Reports holds the newest report that nobody has taken yet: one at each change, and
	// one a second or more while the film plays. What must not be lost (a pause point, the
	// end) is said again until the wish has changed.
	Reports() <-chan Report
	// Tone plays three notes where the sound of the film comes from, so that somebody can
	// hear whether the hall will, and returns when it has begun, or with the error of ctx.
	// While the film is there it is [ErrNoTone].
	Tone(ctx context.Context) error
}

// Want is what should be on the projector, as far as a player is concerned.
type Want struct {
	On    bool  // the film is there: it plays, or stands with its picture to be seen
	Shown bool  // its picture is to be seen; false with On: it is heard only
	Epoch int64 // a new one means: go to At. At any other time the film goes on where it is
	At    screening.Millis

	Playing        bool
	Volume         int    // 0..100
	Subtitles      string // language, "" is none
	UsePausePoints bool
	PausePoints    []screening.PausePoint // in the order of the film
	Passed         int                    // 1 + the one at which it has halted already, see screening.Playback
	SoundLag       screening.Millis       // see screening.Playback
}

// wantOf is what a state asks of the player that is not a page.
func wantOf(s *screening.State) Want {
	p := s.Playback
	w := Want{
		Epoch: p.Epoch, At: p.At, Playing: p.Playing, Volume: p.Volume, Subtitles: p.Subtitles,
		UsePausePoints: p.UsePausePoints, Passed: p.Passed, SoundLag: p.SoundLag,
	}
	if s.Screening == nil || s.Screening.Programme.Film.Missing || s.Step != screening.FilmStep {
		return w
	}
	w.PausePoints = s.Screening.Programme.Film.PausePoints
	w.Shown = s.Current == "" && s.Stage.Page == screening.PageAuto
	// A film that stands is seen only where the page has nothing to say: not before the
	// beginning, at a pause point, after a power failure, at the end. See filmFace.ts.
	stands := p.At > 0 && p.HaltedAt == nil && !p.Finished && !p.Interrupted
	w.On = p.Playing || stands && w.Shown
	return w
}

// newest is a mailbox with one slot, of one sender.
type newest[T any] chan T

func (n newest[T]) put(v T) {
	select {
	case <-n:
	default:
	}
	n <- v
}
