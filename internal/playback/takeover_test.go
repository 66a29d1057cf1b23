package playback

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

// TestOnePlayerAtATime: while the page plays, mpv is told that there is no film, also when it is
// back in the middle; and only the one that plays is listened to.
func TestOnePlayerAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := &stub{changed: make(chan struct{}), state: screening.State{Step: screening.FilmStep, Screening: &screening.Screening{ID: "s-1", Programme: &screening.Programme{}}, Stage: screening.Stage{Page: screening.PageAuto}}}
		player := &wishes{reports: make(chan Report)}
		board := &health.Board{}
		ids := 0
		f := New(room, board, func() string { ids++; return string(rune('a' + ids)) }, func(err error) { t.Error(err) }, player)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- f.Run(ctx) }()
		say := func(r Report) { player.reports <- r; synctest.Wait() }
		page := func(r Report) { f.Report(ctx, r); synctest.Wait() }
		check := func(when string, plays screening.PlayerKind, on bool, epoch int64, noted ...string) {
			t.Helper()
			if w := player.last(); f.Plays() != plays || w.On != on || w.Epoch != epoch {
				t.Errorf("%s: %s plays, mpv is told on %t, epoch %d; want %s, %t, %d", when, f.Plays(), w.On, w.Epoch, plays, on, epoch)
			}
			if got := room.noted(); !slices.Equal(got, noted) {
				t.Errorf("%s: the Room was told %q, want %q", when, got, noted)
			}
		}
		level := func() health.Level {
			for _, p := range board.Parts() {
				if p.Part == "film_player" {
					return p.Level
				}
			}
			return ""
		}
		film := screening.Playback{Epoch: 7, Playing: true, At: 1000, Duration: 600_000, Volume: 70}
		room.set(film)
		check("the film begins", screening.MPVPlayer, true, 7)
		say(Report{Epoch: 7, State: Playing, At: 9000, Duration: 600_000})
		check("mpv plays", screening.MPVPlayer, true, 7, "screening.NotePosition")
		say(Report{Epoch: 7, State: Playing, At: 9500, Duration: 600_000})
		check("mpv plays on", screening.MPVPlayer, true, 7, "screening.NotePosition")
		page(Report{Epoch: 7, State: Playing, At: 99_000, Duration: 600_000})
		check("the page says that it plays too", screening.MPVPlayer, true, 7)
		say(Report{Epoch: 7, State: Failed, At: 9000, Duration: 600_000, GiveUp: true, Error: "no mpv"})
		check("mpv gives up", screening.BrowserPlayer, false, -1, "screening.NoteFilmShown", "choose browser")
		if level() != health.Problem {
			t.Errorf("film_player is %q", level())
		}
		film.Volume = 60
		room.set(film)
		check("the facilitator changes the volume", screening.BrowserPlayer, false, -1)
		for _, s := range []PlayerState{Ready, Paused, Loading, Playing} {
			say(Report{Epoch: 7, State: s, At: 50_000, Duration: 600_000})
			room.set(film)
			check("mpv is back while the page plays, "+string(s), screening.BrowserPlayer, false, -1)
		}
		page(Report{Epoch: 7, State: Playing, At: 20_000, Duration: 600_000})
		check("the page plays", screening.BrowserPlayer, false, -1, "screening.NotePosition")
		film.Playing, film.At = false, 20_000
		room.set(film)
		check("the film stands", screening.BrowserPlayer, false, -1)
		say(Report{Epoch: 7, State: Failed, GiveUp: true})
		check("mpv is not back", screening.BrowserPlayer, false, -1)
		say(Report{Epoch: 7, State: Ready})
		check("mpv is back", screening.MPVPlayer, true, 7, "screening.NoteFilmShown", "choose mpv")
		if level() != health.OK {
			t.Errorf("film_player is %q", level())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
