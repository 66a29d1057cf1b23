package config

import (
	"fmt"
	"path/filepath"
	"strings"

	"aead.dev/minisign"
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
		in.wrongIn("usb.folder", fmt.Sprintf("adalah %q: beri jalur lengkap yang mulai dengan /", u.Folder),
			fmt.Sprintf("is %q: give a whole path that begins with /", u.Folder))
	}
	for i, text := range p.TrustedKeys {
		var key minisign.PublicKey
		if err := key.UnmarshalText([]byte(text)); err != nil || strings.TrimSpace(text) != text || strings.Contains(text, "\n") {
			in.wrongIn("packs.trusted_keys",
				fmt.Sprintf("punya %q di tempat %d: beri kunci umum dari minisign, baris kedua minisign.pub, yang mulai dengan RW", text, i+1),
				fmt.Sprintf("has %q as entry %d: give a public key of minisign, the second line of minisign.pub, which begins with RW", text, i+1))
		}
	}
}
