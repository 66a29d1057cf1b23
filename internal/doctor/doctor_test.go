package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mimpi-kiosk/internal/health"
)

func machine(t *testing.T, pi bool, files map[string]string) Machine {
	t.Helper()
	m := Machine{Root: t.TempDir(), Pi: pi}
	for name, text := range files {
		path := filepath.Join(m.Root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

const twoCards = ` 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0
                      vc4-hdmi-0
 1 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones
                      bcm2835 Headphones
`

func TestLook(t *testing.T) {
	const pi, laptop = true, false
	for _, c := range []struct {
		name  string
		pi    bool
		files map[string]string
		part  string
		level health.Level // "" is not found at all
		says  string
	}{
		{"two displays", pi, map[string]string{"sys/class/drm/card1-HDMI-A-1/status": "connected\n", "sys/class/drm/card1-HDMI-A-1/modes": "1920x1080\n",
			"sys/class/drm/card1-DSI-1/status": "connected\n", "sys/class/drm/card1-DSI-1/modes": "800x480\n"}, "displays", health.OK, "DSI-1, HDMI-A-1"},
		{"one display", pi, map[string]string{"sys/class/drm/card0-HDMI-A-1/status": "connected\n", "sys/class/drm/card0-HDMI-A-1/modes": "1280x720\n",
			"sys/class/drm/card0-HDMI-A-2/status": "disconnected\n"}, "displays", health.Note, "take turns"},
		{"a display without a size", pi, map[string]string{"sys/class/drm/card0-HDMI-A-1/status": "connected\n", "sys/class/drm/card0-HDMI-A-1/modes": ""}, "displays", health.Problem, "HDMI-A-1"},
		{"no display", pi, nil, "displays", health.Problem, "No display"},
		{"no display, no Pi", laptop, nil, "displays", "", ""},

		{"sound", pi, map[string]string{"proc/asound/cards": twoCards}, "sound", health.OK, "vc4hdmi0, Headphones"},
		{"no sound cards", pi, map[string]string{"proc/asound/cards": "--- no soundcards ---\n"}, "sound", health.Problem, "no sound"},
		{"no sound system", laptop, nil, "sound", health.Problem, "no sound"},

		{"Wi-Fi", pi, map[string]string{"sys/class/net/wlan0/phy80211/name": "phy0", "sys/module/cfg80211/parameters/ieee80211_regdom": "ID\n",
			"sys/class/rfkill/rfkill0/type": "bluetooth\n", "sys/class/rfkill/rfkill0/soft": "1\n"}, "wifi", health.OK, "ready"},
		{"Wi-Fi switched off", pi, map[string]string{"sys/class/net/wlan0/phy80211/name": "phy0",
			"sys/class/rfkill/rfkill0/type": "wlan\n", "sys/class/rfkill/rfkill0/soft": "1\n"}, "wifi", health.Problem, "switched off"},
		{"Wi-Fi of no country", pi, map[string]string{"sys/class/net/wlan0/phy80211/name": "phy0", "sys/module/cfg80211/parameters/ieee80211_regdom": "00\n"}, "wifi", health.Note, "country"},
		{"a Pi without Wi-Fi", pi, nil, "wifi", health.Note, "no Wi-Fi"},
		{"a server", laptop, nil, "wifi", "", ""},

		{"a DS3231", pi, map[string]string{"boot/firmware/config.txt": "dtparam=i2c_arm=on\ndtoverlay=i2c-rtc,ds3231\n",
			"sys/class/rtc/rtc0/name": "rtc-ds1307 1-0068\n", "sys/class/rtc/rtc0/since_epoch": "1795516139\n"}, "rtc", health.OK, "answers"},
		{"a DS3231 that is not there", pi, map[string]string{"boot/firmware/config.txt": "dtoverlay=i2c-rtc,ds3231\n"}, "rtc", health.Problem, "does not answer"},
		{"a DS3231 without battery", pi, map[string]string{"boot/firmware/config.txt": " dtoverlay=i2c-rtc,ds3231\n", "sys/class/rtc/rtc0/name": "rtc-ds1307 1-0068\n"}, "rtc", health.Problem, "does not answer"},
		{"a remark only", pi, map[string]string{"boot/firmware/config.txt": "#dtoverlay=i2c-rtc,ds3231\n"}, "rtc", "", ""},

		{"a stick", laptop, map[string]string{"sys/block/sda/removable": "1\n", "sys/block/sda/size": "31116288\n", "sys/block/sda/ro": "0\n"}, "stick", health.OK, "not locked"},
		{"a locked stick", laptop, map[string]string{"sys/block/sda/removable": "1\n", "sys/block/sda/size": "31116288\n", "sys/block/sda/ro": "1\n"}, "stick", health.Problem, "locked"},
		{"an empty card reader", laptop, map[string]string{"sys/block/sda/removable": "1\n", "sys/block/sda/size": "0\n"}, "stick", "", ""},
		{"a hard disk", laptop, map[string]string{"sys/block/sda/removable": "0\n"}, "stick", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got health.Part
			for _, p := range machine(t, c.pi, c.files).Look() {
				if p.Part == c.part {
					got = p
				}
			}
			if got.Level != c.level || !strings.Contains(got.Message["en"], c.says) {
				t.Errorf("got %+v", got)
			}
			if bad := got.Level == health.Note || got.Level == health.Problem; bad != (got.Hint["id"] != "" && got.Hint["en"] != "") || c.level != "" && got.Message["id"] == "" {
				t.Errorf("sentences %+v", got)
			}
		})
	}
}

func TestPlayFilm(t *testing.T) {
	const film = "../../media/demo-film/film.mp4"
	if _, err := os.Stat(film); err != nil {
		t.Fatalf("%v; make demo-film puts it in place", err)
	}
	if p := PlayFilm(t.Context(), film); p.Level != health.OK {
		t.Errorf("the demo film: %+v (is mpv installed? make test-go has it)", p)
	}
	broken := filepath.Join(t.TempDir(), "film.mp4")
	if err := os.WriteFile(broken, []byte("this is no film"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{broken, "/nonexistent/film.mp4"} {
		if p := PlayFilm(t.Context(), file); p.Level != health.Problem || p.Hint == nil {
			t.Errorf("%s: %+v", file, p)
		}
	}
}
