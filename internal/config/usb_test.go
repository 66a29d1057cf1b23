package config_test

import (
	"errors"
	"strings"
	"testing"

	"mimpi-kiosk/internal/config"
)

func TestTrustedKeys(t *testing.T) {
	const key = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
	for list, say := range map[string]string{
		`[packs]` + "\ntrusted_keys = []":                              "",
		`[packs]` + "\ntrusted_keys = [\"" + key + "\"]":               "",
		`[packs]` + "\ntrusted_keys = [\"" + key + "\", \"RWx\"]":      "entry 2",
		`[packs]` + "\ntrusted_keys = [\"" + key + " \"]":              "entry 1",
		`[packs]` + "\ntrusted_keys = [\"age1nonsense\"]":              "entry 1",
		`[usb]` + "\nfolder = \"sticks\"":                              "begins with /",
		`[usb]` + "\nenabled = false\nfolder = \"/tmp/sticks\"":        "",
		`[packs]` + "\ntrusted_keys = [\"untrusted comment: x\\nRW\"]": "entry 1",
	} {
		_, err := config.Parse("kiosk.toml", []byte(list+"\n"))
		if say == "" {
			if err != nil {
				t.Errorf("%s: %v", list, err)
			}
			continue
		}
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) != 1 || !strings.Contains(problems[0].Say["en"], say) || problems[0].Say["id"] == "" {
			t.Errorf("%s: got %v, want one problem with %q", list, err, say)
		}
	}
}
