package main

import (
	"context"
	"os"
	"strings"

	"github.com/google/uuid"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/mpv"
	"mimpi-kiosk/internal/playback"
	"mimpi-kiosk/internal/screening"
)

// filmOn makes what plays the film on the projector, and follows it.
func (k *kiosk) filmOn(room *screening.Room) *playback.Follower {
	log := func(err error) { k.log.Warn("film", "error", err) }
	c, model := k.config.Film, box.Model("/")
	var player playback.Player
	if mpvPlays(c, model) && !k.pack.Film.Missing {
		player = playback.NewMPV(lines(c), k.mpvFilm(c, model), log)
	}
	return playback.New(room, k.board, uuid.NewString, log, player)
}

// mpvPlays says whether mpv is to play. A Raspberry Pi has the player host, though
// perhaps not yet: the display session may come up after the daemon.
func mpvPlays(c config.Film, model string) bool {
	if c.Player != config.AutoPlayer {
		return c.Player == config.MPVPlayer
	}
	_, err := os.Stat(c.Socket)
	return c.Socket != "" && (err == nil || strings.HasPrefix(model, "Raspberry Pi"))
}

// lines starts an mpv, in the display session or as a child of ours.
func lines(c config.Film) func(context.Context) (playback.Line, error) {
	var launcher mpv.Launcher = mpv.Host{Socket: c.Socket}
	if c.Socket == "" {
		launcher = mpv.Child{Args: mpv.Arguments(""), Stderr: os.Stderr}
	}
	return func(ctx context.Context) (playback.Line, error) {
		line, err := launcher.Launch(ctx)
		if err != nil {
			return nil, err
		}
		return mpv.NewClient(line), nil
	}
}

func (k *kiosk) mpvFilm(c config.Film, model string) playback.MPVFilm {
	f := playback.MPVFilm{
		File: k.pack.Film.File, Subtitles: map[string]string{},
		HWDec: c.HWDec, AudioDevice: c.AudioDevice, VolumeMax: c.VolumeMax,
	}
	if f.HWDec == "auto" {
		f.HWDec = playback.HWDec(model, k.film.Video)
	}
	for _, s := range k.pack.Film.Subtitles {
		if file, ok := k.pack.Film.SubtitleFile(s.Lang); ok {
			f.Subtitles[s.Lang] = file
		}
	}
	return f
}
