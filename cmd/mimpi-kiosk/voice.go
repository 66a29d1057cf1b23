package main

import (
	"context"
	"errors"
	"io"
	"path/filepath"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/voice"
	"mimpi-kiosk/internal/web"
)

// voices lets the screens reach the voices; none where the configuration wants none.
func (k *kiosk) voices() web.Voices {
	if !k.config.Voice.Enabled {
		return nil
	}
	v := voice.New(voice.Options{
		Recorded: k.pack.Recording,
		Dir:      filepath.Join(k.data, "voices"), Pace: k.config.Voice.WordsPerMinute,
	})
	k.board.Set(voiceHealth(v.CanSpeak()))
	return speaker{v}
}

func voiceHealth(canSpeak bool) health.Part {
	if canSpeak {
		return health.Found("voice", health.OK, "Kios bisa membacakan pertanyaan.", "The kiosk can read questions aloud.")
	}
	return health.Found("voice", health.Note,
		"Kios hanya bisa membacakan teks yang sudah direkam: espeak-ng tidak terpasang.", "The kiosk can only read aloud what was recorded: espeak-ng is not installed.",
		"Jalankan: sudo apt install espeak-ng, atau rekam suara di halaman /record", "Run: sudo apt install espeak-ng, or record the voices on the page /record")
}

// speaker is the voices in the words of the screens.
type speaker struct{ *voice.Voices }

func (s speaker) Sound(ctx context.Context, lang, key string, text screening.Text) (string, error) {
	sound, err := s.Voices.Sound(ctx, lang, key, text)
	return sound.File, err
}

func (s speaker) State(lang, key string, text screening.Text) string {
	return string(s.Voices.State(lang, key, text))
}

func (s speaker) Keep(ctx context.Context, lang, key string, text screening.Text, sound io.Reader) error {
	err := s.Voices.Keep(ctx, lang, key, text, sound)
	switch {
	case errors.Is(err, voice.ErrNoSound):
		return web.ErrNoSound
	case errors.Is(err, voice.ErrNoText):
		return web.ErrNoText
	}
	return err
}
