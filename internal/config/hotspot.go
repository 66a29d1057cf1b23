package config

import (
	"regexp"
	"strconv"

	"mimpi-kiosk/kiosk-ui/lang"
)

var (
	interfaceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$`)
	countryCode   = regexp.MustCompile(`^[A-Z]{2}$`)
)

func (in *inspection) hotspot(w WiFi) {
	if w.Hotspot && w.Name == "" {
		in.wrong("wifi.hotspot", lang.Text("config.wifi.hotspot"))
	}
	if !interfaceName.MatchString(w.Interface) {
		in.wrong("wifi.interface", lang.Text("config.wifi.interface", lang.Params{"value": strconv.Quote(w.Interface)}))
	}
	if !countryCode.MatchString(w.Country) {
		in.wrong("wifi.country", lang.Text("config.wifi.country", lang.Params{"value": strconv.Quote(w.Country)}))
	}
}
