package config

import (
	"fmt"
	"regexp"
)

var (
	interfaceName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$`)
	countryCode   = regexp.MustCompile(`^[A-Z]{2}$`)
)

func (in *inspection) hotspot(w WiFi) {
	if w.Hotspot && w.Name == "" {
		in.wrongIn("wifi.hotspot", "adalah true, tetapi wifi.name kosong: beri nama jaringan, atau tulis hotspot = false",
			"is true, but wifi.name is empty: give the network a name, or write hotspot = false")
	}
	if !interfaceName.MatchString(w.Interface) {
		in.wrongIn("wifi.interface", fmt.Sprintf(`adalah %q: beri nama radio Wi-Fi seperti "wlan0"`, w.Interface),
			fmt.Sprintf(`is %q: give the name of the Wi-Fi radio, such as "wlan0"`, w.Interface))
	}
	if !countryCode.MatchString(w.Country) {
		in.wrongIn("wifi.country", fmt.Sprintf(`adalah %q: beri kode negara dua huruf besar, seperti "ID" atau "TL"`, w.Country),
			fmt.Sprintf(`is %q: give the two capital letters of the country, such as "ID" or "TL"`, w.Country))
	}
}
