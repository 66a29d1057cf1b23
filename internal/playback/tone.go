package playback

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"time"
)

// ErrNoTone is the error of a tone that this player can not play now: the film is there, or
// the page /stage is the player.
var ErrNoTone = errors.New("the film player plays no tone now")

// Tone is that of the [Player]; the page plays its own ([ErrNoTone]).
func (f *Follower) Tone(ctx context.Context) error {
	if f.page.Load() {
		return ErrNoTone
	}
	return f.player.Tone(ctx)
}

// Tone implements [Player].
func (p *MPV) Tone(ctx context.Context) error {
	answer := make(chan error, 1)
	select {
	case p.tones <- answer:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// tone plays the notes. It gives what to answer, and whether mpv still lives.
func (s *session) tone(ctx context.Context) (answer, err error) {
	if s.now.On || s.loaded {
		return ErrNoTone, nil
	}
	for name, value := range map[string]any{
		"volume": float64(max(100, s.film.VolumeMax)), "audio-delay": 0.0, "pause": false, "start": "0", "vid": "no", "sid": "no",
		"force-media-title": "Mimpi Kiosk", // else the sound server is told all of the notes, and hangs up
	} {
		if err := s.set(ctx, name, value); err != nil {
			return err, err
		}
	}
	// Not a file: who runs mpv may not read what we may.
	_, err = s.call(ctx, "loadfile", "hex://"+hex.EncodeToString(notes()))
	if refused(err) {
		return err, nil
	}
	return err, err
}

// notes are those of the page's own tone: see kiosk-ui/src/check/tone.ts.
func notes() []byte {
	const rate, each = 16000, 350 * time.Millisecond
	var samples []int16
	for _, pitch := range []float64{523.25, 659.25, 783.99} {
		n := int(each.Seconds() * rate)
		for i := range n {
			at := float64(i) / rate
			loud := 0.5 * min(1, at/0.03, 1-float64(i)/float64(n))
			samples = append(samples, int16(loud*math.MaxInt16*math.Sin(2*math.Pi*pitch*at)))
		}
	}
	size := uint32(2 * len(samples))
	var wave bytes.Buffer
	for _, part := range []any{
		[]byte("RIFF"), 36 + size, []byte("WAVEfmt "), uint32(16), uint16(1), uint16(1), uint32(rate), uint32(2 * rate), uint16(2), uint16(16),
		[]byte("data"), size, samples,
	} {
		_ = binary.Write(&wave, binary.LittleEndian, part) // neither can fail: it is memory, and of fixed sizes
	}
	return wave.Bytes()
}
