package config

import (
	"fmt"
	"io"
	"strings"

	"filippo.io/age"
)

// Export is what leaves the kiosk on a stick or as a download.
type Export struct {
	// AgeRecipients are public keys of coordinators ("age1...", as age-keygen says
	// them). With any, only they can read what is exported.
	AgeRecipients []string `toml:"age_recipients"`
}

func (in *inspection) export(e Export) {
	var all []age.Recipient
	for i, key := range e.AgeRecipients {
		r, err := age.ParseRecipients(strings.NewReader(key))
		if err != nil || len(r) != 1 || strings.TrimSpace(key) != key {
			in.wrongIn("export.age_recipients",
				fmt.Sprintf("punya %q di tempat %d: beri kunci umum dari age-keygen, yang mulai dengan age1", key, i+1),
				fmt.Sprintf("has %q as entry %d: give a public key as age-keygen says it, which begins with age1", key, i+1))
			return
		}
		all = append(all, r...)
	}
	if len(all) == 0 {
		return
	}
	if _, err := age.Encrypt(io.Discard, all...); err != nil {
		in.wrongIn("export.age_recipients",
			"mencampur dua macam kunci: pakai hanya age1... biasa, atau hanya age1pq1...",
			"mixes two kinds of keys: use plain age1... keys only, or age1pq1... keys only")
	}
}
