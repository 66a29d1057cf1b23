package config

import (
	"strings"
	"testing"
)

func TestDisplayAndHotspotAreChecked(t *testing.T) {
	for _, c := range []struct{ text, wrong string }{
		{`display.touch = "DSI-1"`, ""},
		{`display.stage = "HDMI-A-2"`, ""},
		{`display.touch_rotation = 270`, ""},
		{`display.alone = "stage"`, ""},
		{`display.touch = "HDMI 1"`, "display.touch"},
		{`display.stage = ""`, "display.stage"},
		{"display.touch = \"HDMI-A-1\"\ndisplay.stage = \"HDMI-A-1\"", "display.stage"},
		{`display.touch_rotation = 45`, "display.touch_rotation"},
		{`display.stage_rotation = -90`, "display.stage_rotation"},
		{`display.touch_device = ""`, "display.touch_device"},
		{`display.alone = "both"`, "display.alone"},
		{"wifi.hotspot = true", "wifi.hotspot"},
		{"wifi.hotspot = true\nwifi.name = \"Mimpi\"\nwifi.password = \"katong semua\"", ""},
		{"wifi.hotspot = true\nwifi.name = \"Mimpi\"\nwifi.security = \"none\"", ""},
		{`wifi.interface = "wlan0; reboot"`, "wifi.interface"},
		{`wifi.interface = "wlan1"`, ""},
		{`wifi.country = "id"`, "wifi.country"},
		{`wifi.country = "TL"`, ""},
	} {
		_, err := Parse("kiosk.toml", []byte(c.text))
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%s: %v", c.text, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%s: got %v, want a problem of %s", c.text, err, c.wrong)
		}
	}
}
