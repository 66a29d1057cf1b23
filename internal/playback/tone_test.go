package playback_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os/exec"
	"testing"
	"time"

	"mimpi-kiosk/internal/playback"
	"mimpi-kiosk/internal/playback/playertest"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// The tone is heard where the film will be, and the film is as it was.
func TestTone(t *testing.T) {
	p := startPulse(t)
	t.Setenv("PULSE_SERVER", p.server)
	p.plugIn()
	h := playertest.Open(t, &journaltest.Memory{})
	b := newBooth(t, h, "--vo=null", "--ao=pulse")
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for range 2 {
		heard := p.listen()
		if err := b.follower.Tone(ctx); err != nil {
			t.Fatal(err)
		}
		if err := heard(); err != nil {
			t.Fatalf("the loudspeaker stays silent: %v", err)
		}
	}
	b.playing(3000, 4000)
	n := h.Count()
	r := h.Until(n, "it goes on", func(r playertest.Seen) bool { return r.State == playback.Playing && r.At > 5000 })
	if r.Restarts != 0 || r.NoSound {
		t.Errorf("the film is %+v", r)
	}
	h.Do(screening.PauseFilm{})
}

// listen waits for a sound on the loudspeaker from now on. It is ready when it returns.
func (p *pulse) listen() (heard func() error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	cmd := exec.CommandContext(ctx, "parec", "--server", p.server, "--device=loudspeaker.monitor", "--format=s16le", "--latency-msec=50")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	sound := make([]byte, 2)
	if err == nil {
		_, err = io.ReadFull(out, sound) // silence: it listens
	}
	if err != nil {
		cancel()
		p.t.Fatal(err)
	}
	return func() error {
		defer func() { cancel(); _ = cmd.Wait() }() // ended by us
		for {
			if _, err := io.ReadFull(out, sound); err != nil {
				return err
			}
			if loud := int16(binary.LittleEndian.Uint16(sound)); loud > 1000 || loud < -1000 {
				return nil
			}
		}
	}
}

func TestThePageHasItsOwnTone(t *testing.T) {
	h := playertest.Open(t, &journaltest.Memory{})
	f := playback.New(h.Room, h.Board, nil, nil, nil)
	if err := f.Tone(t.Context()); !errors.Is(err, playback.ErrNoTone) {
		t.Errorf("without a player: %v", err)
	}
}
