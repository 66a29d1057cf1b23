package config

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"mimpi-kiosk/kiosk-ui/lang"
)

// Film says what plays the film, and how. All but Player is for mpv.
type Film struct {
	Player Player `toml:"player"`
	// Socket is where the player host listens, an absolute path; "" lets the kiosk start
	// mpv itself.
	Socket      string `toml:"socket"`
	HWDec       string `toml:"hwdec"`        // mpv's name of one hardware decoder, "no", or "auto"
	AudioDevice string `toml:"audio_device"` // mpv's name of it, or "auto"
	VolumeMax   int    `toml:"volume_max"`   // percent of the film's own loudness at full volume; 10 to 200
}

// Player says what plays the film.
type Player string

// The players.
const (
	AutoPlayer    Player = "auto"    // mpv on a Raspberry Pi, or where the player host is; else the browser
	BrowserPlayer Player = "browser" // the page /stage
	MPVPlayer     Player = "mpv"
)

func defaultFilm() Film {
	return Film{Player: AutoPlayer, Socket: "/run/mimpi-display/player.sock", HWDec: "auto", AudioDevice: "auto", VolumeMax: 100}
}

// One name only: mpv 0.35 takes no list, and then decodes in software without a word.
var decoderName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

func (in *inspection) film(f Film) {
	if f.Player != AutoPlayer && f.Player != BrowserPlayer && f.Player != MPVPlayer {
		in.wrong("film.player", lang.Text("config.film.player", lang.Params{"value": strconv.Quote(string(f.Player))}))
	}
	if f.Socket != "" && (!strings.HasPrefix(f.Socket, "/") || len(f.Socket) > 100) {
		in.wrong("film.socket", lang.Text("config.film.socket", lang.Params{"value": strconv.Quote(f.Socket)}))
	}
	if !decoderName.MatchString(f.HWDec) {
		in.wrong("film.hwdec", lang.Text("config.film.hwdec", lang.Params{"value": strconv.Quote(f.HWDec)}))
	}
	if f.AudioDevice == "" || len(f.AudioDevice) > 200 || strings.ContainsFunc(f.AudioDevice, unicode.IsControl) {
		in.wrong("film.audio_device", lang.Text("config.film.audio_device"))
	}
	in.number("film.volume_max", f.VolumeMax, 10, 200)
}
