package config

import (
	"io"
	"strconv"
	"strings"

	"filippo.io/age"

	"mimpi-kiosk/kiosk-ui/lang"
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
			in.wrong("export.age_recipients", lang.Text("config.export.recipient", lang.Params{"value": strconv.Quote(key), "n": i + 1}))
			return
		}
		all = append(all, r...)
	}
	if len(all) == 0 {
		return
	}
	if _, err := age.Encrypt(io.Discard, all...); err != nil {
		in.wrong("export.age_recipients", lang.Text("config.export.mixed"))
	}
}
