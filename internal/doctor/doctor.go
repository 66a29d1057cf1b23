// Package doctor looks at what can go wrong in the village: displays, sound, Wi-Fi,
// real-time clock, USB stick, and whether the film plays. It looks once, starts nothing
// that stays, changes nothing on the machine, and reads everything below a root folder,
// so that tests can build a machine of their own.
//
// Each finding is a [health.Part]: a sentence, and for what is not well a remedy, in
// Indonesian and English. What a machine need not have (a laptop has no real-time clock
// to buy) is not found at all.
package doctor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mimpi-kiosk/internal/health"
)

// Machine is what is looked at.
type Machine struct {
	Root string // "/" but in tests
	Pi   bool   // a Raspberry Pi: what it should have must be there
}

// Look gives all findings of the machine.
func (m Machine) Look() []health.Part {
	var out []health.Part
	sound := func() *health.Part { p := m.Sound(); return &p }
	for _, look := range []func() *health.Part{m.displays, sound, m.wifi, m.rtc, m.stick} {
		if p := look(); p != nil {
			out = append(out, *p)
		}
	}
	return out
}

func (m Machine) glob(pattern string) []string {
	found, _ := filepath.Glob(filepath.Join(m.Root, pattern)) // the patterns are ours and sound
	return found
}

func (m Machine) read(parts ...string) string {
	data, err := os.ReadFile(filepath.Join(append([]string{m.Root}, parts...)...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

func word(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(data))
}

// displays finds the screens that are plugged in. One that says that it is connected
// but names no size has a bad cable, or is still asleep.
func (m Machine) displays() *health.Part {
	var names, mute []string
	for _, status := range m.glob("sys/class/drm/card*-*/status") {
		if word(status) != "connected" {
			continue
		}
		dir := filepath.Dir(status)
		_, name, _ := strings.Cut(filepath.Base(dir), "-") // card1-HDMI-A-1
		if word(filepath.Join(dir, "modes")) == "" {
			mute = append(mute, name)
			continue
		}
		names = append(names, name)
	}
	slices.Sort(names)
	list := strings.Join(names, ", ")
	var p health.Part
	switch {
	case len(mute) > 0:
		p = health.Found("displays", health.Problem, "Layar di "+strings.Join(mute, ", ")+" tersambung, tetapi tidak menjawab.",
			"The display on "+strings.Join(mute, ", ")+" is connected, but does not answer.",
			"Nyalakan layar atau proyektornya, lalu cabut dan pasang lagi kabelnya. Kalau tetap begitu, ganti kabel HDMI.",
			"Switch the display or projector on, then unplug its cable and plug it in again. If that does not help, use another HDMI cable.")
	case len(names) == 0 && m.Pi:
		p = health.Found("displays", health.Problem, "Tidak ada layar yang tersambung.", "No display is connected.",
			"Nyalakan proyektor, pasang kabel HDMI di lubang yang dekat colokan listrik, lalu nyalakan ulang kotak.",
			"Switch the projector on, plug the HDMI cable into the socket next to the power plug, then restart the box.")
	case len(names) == 0:
		return nil // a laptop in a container, or a server
	case len(names) == 1 && m.Pi:
		p = health.Found("displays", health.Note, "Hanya satu layar tersambung ("+list+"): layar sentuh dan proyektor bergantian.",
			"Only one display is connected ("+list+"): touch screen and projector take turns.",
			"Kalau ada proyektor: nyalakan dan pasang kabel HDMI-nya.", "If there is a projector: switch it on and plug in its HDMI cable.")
	default:
		p = health.Found("displays", health.OK, "Layar tersambung: "+list+".", "Displays connected: "+list+".")
	}
	return &p
}

// Sound says whether there is a sound device. Without one the film has no sound, on a
// laptop as on a Raspberry Pi.
func (m Machine) Sound() health.Part {
	cards := m.read("proc/asound/cards")
	var names []string
	for line := range strings.SplitSeq(cards, "\n") {
		if _, after, ok := strings.Cut(line, "["); ok {
			name, _, _ := strings.Cut(after, "]")
			names = append(names, strings.TrimSpace(name))
		}
	}
	if len(names) == 0 {
		return health.Found("sound", health.Problem, "Tidak ada alat suara.", "There is no sound device.",
			"Pasang kabel HDMI proyektor atau alat suara USB, lalu nyalakan ulang kotak. Colokan bulat Pi: dtparam=audio=on di config.txt.",
			"Plug in the projector's HDMI cable or a USB sound device, then restart the box. For the round socket of a Pi: dtparam=audio=on in config.txt.")
	}
	return health.Found("sound", health.OK, "Alat suara: "+strings.Join(names, ", ")+".", "Sound devices: "+strings.Join(names, ", ")+".")
}

// wifi looks at the radio: there, not switched off, and told in which country it is.
// Without a country a Raspberry Pi keeps its radio off.
func (m Machine) wifi() *health.Part {
	radios := m.glob("sys/class/net/*/phy80211")
	if len(radios) == 0 {
		radios = m.glob("sys/class/net/*/wireless")
	}
	if len(radios) == 0 {
		if !m.Pi {
			return nil
		}
		p := health.Found("wifi", health.Note, "Wi-Fi kotak tidak ada.", "The box has no Wi-Fi.",
			"Jawaban lewat layar sentuh dan tombol tetap jalan. Untuk ponsel: pasang router Wi-Fi kecil dengan kabel.",
			"Answers by touch screen and buttons work. For phones: connect a small Wi-Fi router by cable.")
		return &p
	}
	for _, kind := range m.glob("sys/class/rfkill/rfkill*/type") {
		dir := filepath.Dir(kind)
		if word(kind) != "wlan" || word(filepath.Join(dir, "soft")) != "1" && word(filepath.Join(dir, "hard")) != "1" {
			continue
		}
		p := health.Found("wifi", health.Problem, "Wi-Fi kotak dimatikan.", "The Wi-Fi of the box is switched off.",
			"Jalankan: sudo raspi-config nonint do_wifi_country ID; sudo rfkill unblock wifi", "Run: sudo raspi-config nonint do_wifi_country ID; sudo rfkill unblock wifi")
		return &p
	}
	if country := m.read("sys/module/cfg80211/parameters/ieee80211_regdom"); m.Pi && (country == "" || country == "00") {
		p := health.Found("wifi", health.Note, "Negara Wi-Fi belum diatur.", "The country of the Wi-Fi is not set.",
			"Jalankan: sudo raspi-config nonint do_wifi_country ID", "Run: sudo raspi-config nonint do_wifi_country ID")
		return &p
	}
	p := health.Found("wifi", health.OK, "Wi-Fi kotak siap.", "The Wi-Fi of the box is ready.")
	return &p
}

// rtc looks for the DS3231 that config.txt asks for. A Pi 5 has a clock of its own,
// which needs a battery.
func (m Machine) rtc() *health.Part {
	wanted := false
	for _, file := range []string{"boot/firmware/config.txt", "boot/config.txt"} {
		for line := range strings.SplitSeq(m.read(file), "\n") {
			line = strings.TrimSpace(line)
			wanted = wanted || strings.HasPrefix(line, "dtoverlay=i2c-rtc") && strings.Contains(line, "ds3231")
		}
	}
	answers := false
	for _, name := range m.glob("sys/class/rtc/rtc*/name") {
		driver := word(name)
		if !strings.HasPrefix(driver, "rtc-ds1307") { // the driver of the DS3231 as well
			continue
		}
		answers = answers || word(filepath.Join(filepath.Dir(name), "since_epoch")) != ""
	}
	switch {
	case answers:
		p := health.Found("rtc", health.OK, "Jam baterai DS3231 menjawab.", "The battery clock DS3231 answers.")
		return &p
	case wanted:
		p := health.Found("rtc", health.Problem, "Jam baterai DS3231 ada di config.txt, tetapi tidak menjawab.", "The battery clock DS3231 is in config.txt, but does not answer.",
			"Periksa empat kabelnya (3,3 V, GND, SDA = kaki 3, SCL = kaki 5) dan ganti baterai CR2032. Setel sekali dengan internet.",
			"Check its four wires (3.3 V, GND, SDA = pin 3, SCL = pin 5) and replace the battery CR2032. Set it once with internet.")
		return &p
	}
	return nil // the part "clock" says what to do without one
}

// stick finds a USB stick and whether it takes files.
func (m Machine) stick() *health.Part {
	for _, removable := range m.glob("sys/block/sd*/removable") {
		dir := filepath.Dir(removable)
		if word(removable) != "1" || word(filepath.Join(dir, "size")) == "0" { // an empty card reader
			continue
		}
		if word(filepath.Join(dir, "ro")) == "1" {
			p := health.Found("stick", health.Problem, "Stik USB terkunci: tidak bisa ditulis.", "The USB stick is locked: it cannot be written to.",
				"Geser kunci di stik itu, atau pakai stik lain.", "Slide the lock of that stick, or use another one.")
			return &p
		}
		p := health.Found("stick", health.OK, "Stik USB terpasang dan tidak terkunci.", "A USB stick is plugged in and not locked.")
		return &p
	}
	return nil
}

// filmSeconds is how much of the film is played.
const filmSeconds = 3

// processor is the processor time that a program which has ended has used.
func processor(cmd *exec.Cmd) time.Duration {
	if cmd.ProcessState == nil {
		return 0
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
}

// PlayFilm decodes the first seconds of a film with mpv, without picture and sound.
func PlayFilm(ctx context.Context, file string) health.Part {
	mpv, err := exec.LookPath("mpv")
	if err != nil {
		return health.Found("film_plays", health.Note, "mpv tidak terpasang: film diputar oleh browser dan tidak bisa diuji di sini.",
			"mpv is not installed: the browser plays the film, and it cannot be tested here.", "Jalankan: sudo apt install mpv", "Run: sudo apt install mpv")
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, mpv, "--no-config", "--no-terminal", "--load-scripts=no", "--vo=null", "--ao=null", "--untimed",
		"--msg-level=all=error", fmt.Sprintf("--length=%d", filmSeconds), "--", file)
	cmd.WaitDelay = 5 * time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	begin := time.Now()
	err = cmd.Run()
	// Where mpv waited for a machine that was busy with other things the film is not heavy.
	took := min(time.Since(begin), processor(cmd))
	why := strings.TrimSpace(said.String())
	if why == "" && err != nil {
		why = err.Error()
	}
	hint := []string{"Salin ulang filmnya. Format yang pasti jalan: MP4, H.264 1080p, AAC.", "Copy the film again. What plays for certain: MP4, H.264 1080p, AAC."}
	switch {
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return health.Found("film_plays", health.Problem, "Film terlalu berat untuk kotak ini: tiga detik film tidak selesai dalam setengah menit.",
			"The film is too much for this box: three seconds of it took more than half a minute.", hint...)
	case err != nil:
		return health.Found("film_plays", health.Problem, "Film tidak bisa diputar: "+why, "The film cannot be played: "+why, hint...)
	case took > 2*filmSeconds*time.Second:
		return health.Found("film_plays", health.Note, fmt.Sprintf("Film berat untuk kotak ini: %d detik film perlu %.0f detik.", filmSeconds, took.Seconds()),
			fmt.Sprintf("The film is heavy for this box: %d seconds of it need %.0f.", filmSeconds, took.Seconds()), hint...)
	}
	return health.Found("film_plays", health.OK, "Film bisa diputar.", "The film can be played.")
}
