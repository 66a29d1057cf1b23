package config

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
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
		in.wrongIn("film.player", fmt.Sprintf(`adalah %q: beri "auto", "browser" atau "mpv"`, f.Player),
			fmt.Sprintf(`is %q: give "auto", "browser" or "mpv"`, f.Player))
	}
	if f.Socket != "" && (!strings.HasPrefix(f.Socket, "/") || len(f.Socket) > 100) {
		in.wrongIn("film.socket", fmt.Sprintf(`adalah %q: beri jalur yang dimulai dengan /, atau ""`, f.Socket),
			fmt.Sprintf(`is %q: give a path that begins with /, or ""`, f.Socket))
	}
	if !decoderName.MatchString(f.HWDec) {
		in.wrongIn("film.hwdec", fmt.Sprintf(`adalah %q: beri satu nama, misalnya "auto", "no" atau "v4l2m2m-copy"`, f.HWDec),
			fmt.Sprintf(`is %q: give one name, such as "auto", "no" or "v4l2m2m-copy"`, f.HWDec))
	}
	if f.AudioDevice == "" || len(f.AudioDevice) > 200 || strings.ContainsFunc(f.AudioDevice, unicode.IsControl) {
		in.wrongIn("film.audio_device", `kosong atau terlalu panjang: beri "auto", atau nama dari "mpv --audio-device=help"`,
			`is empty or too long: give "auto", or a name that "mpv --audio-device=help" shows`)
	}
	if f.VolumeMax < 10 || f.VolumeMax > 200 {
		in.wrongIn("film.volume_max", fmt.Sprintf("adalah %d: beri bilangan bulat dari 10 sampai 200", f.VolumeMax),
			fmt.Sprintf("is %d: give a whole number from 10 to 200", f.VolumeMax))
	}
}
