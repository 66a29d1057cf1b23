package config

import (
	"path/filepath"
	"strconv"
	"strings"

	"aead.dev/minisign"

	"mimpi-kiosk/kiosk-ui/lang"
)

// USB is what is done with USB sticks.
type USB struct {
	Enabled bool   `toml:"enabled"`
	Folder  string `toml:"folder"` // where the system says which sticks there are; absolute
}

// Packs are screening packs that come on a stick.
type Packs struct {
	// TrustedKeys are public keys of minisign ("RW..."). With any, only packs that one of
	// them signed are taken.
	TrustedKeys []string `toml:"trusted_keys"`
}

func defaultUSB() USB { return USB{Enabled: true, Folder: "/run/mimpi-kiosk-usb"} }

func (in *inspection) sticks(u USB, p Packs) {
	if !filepath.IsAbs(u.Folder) {
		in.wrong("usb.folder", lang.Text("config.usb.folder", lang.Params{"value": strconv.Quote(u.Folder)}))
	}
	for i, text := range p.TrustedKeys {
		var key minisign.PublicKey
		if err := key.UnmarshalText([]byte(text)); err != nil || strings.TrimSpace(text) != text || strings.Contains(text, "\n") {
			in.wrong("packs.trusted_keys", lang.Text("config.packs.key", lang.Params{"value": strconv.Quote(text), "n": i + 1}))
		}
	}
}
