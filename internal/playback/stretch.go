package playback

import "mimpi-kiosk/internal/screening"

// longestStretch bounds what a power failure takes from the account of how the film looked.
const longestStretch = screening.Millis(5 * 60 * 1000)

// stretch adds up how the film looks from report to report.
type stretch struct {
	last    Report
	playing bool
	shown   screening.FilmShown
}

// add takes a report in. It is true when the stretch is over: the film has come to a
// stand, or it is long enough.
func (s *stretch) add(r Report) bool {
	if played := r.At - s.last.At; s.playing && r.Epoch == s.last.Epoch && played > 0 && r.State != Loading {
		s.shown.Played += played
	}
	grown := func(before, now int64) int64 {
		if now < before { // counted anew, from another start of the player
			before = 0
		}
		return now - before
	}
	s.shown.Dropped += grown(s.last.DroppedFrames, r.DroppedFrames)
	s.shown.DroppedByDecoder += grown(s.last.DroppedByDecoder, r.DroppedByDecoder)
	s.shown.Late += grown(s.last.LateFrames, r.LateFrames)
	if s.playing || s.shown.Played > 0 {
		s.shown.Restarts += max(0, r.Restarts-s.last.Restarts)
	}
	if r.Decoder != "" {
		s.shown.Decoder = r.Decoder
	}
	stood := r.State != Playing && r.State != Loading
	s.last, s.playing = r, r.State == Playing
	return stood || s.shown.Played >= longestStretch
}

// end gives what there is to record, nil when that is nothing, and begins anew.
func (s *stretch) end(player screening.PlayerKind) *screening.FilmShown {
	e := s.shown
	s.shown = screening.FilmShown{}
	if e.Played <= 0 {
		return nil
	}
	e.Player = player
	return &e
}
