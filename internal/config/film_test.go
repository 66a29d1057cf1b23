package config_test

import (
	"errors"
	"testing"

	"mimpi-kiosk/internal/config"
)

func TestFilmIsChecked(t *testing.T) {
	for line, key := range map[string]string{
		`player = "mpv"`:                  "",
		`player = "browser"`:              "",
		`player = "vlc"`:                  "film.player",
		`socket = ""`:                     "",
		`socket = "player.sock"`:          "film.socket",
		`hwdec = "v4l2m2m-copy"`:          "",
		`hwdec = "v4l2m2m-copy,drm-copy"`: "film.hwdec", // mpv 0.35 would decode in software, and say nothing
		`hwdec = ""`:                      "film.hwdec",
		`audio_device = "alsa/hdmi:CARD=vc4hdmi0,DEV=0"`: "",
		`audio_device = ""`: "film.audio_device",
		`volume_max = 10`:   "",
		`volume_max = 200`:  "",
		`volume_max = 9`:    "film.volume_max",
		`volume_max = 201`:  "film.volume_max",
	} {
		_, err := config.Parse("kiosk.toml", []byte("[film]\n"+line+"\n"))
		var problems config.Problems
		switch {
		case key == "" && err != nil:
			t.Errorf("%s: %v", line, err)
		case key != "" && (!errors.As(err, &problems) || len(problems) != 1 || problems[0].Key != key || problems[0].Line != 2):
			t.Errorf("%s: got %v, want one problem of %s on line 2", line, err, key)
		}
	}
}
