package config_test

import (
	"errors"
	"strings"
	"testing"

	"filippo.io/age"

	"mimpi-kiosk/internal/config"
)

func TestAgeRecipients(t *testing.T) {
	plain, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	one, two := plain.Recipient().String(), hybrid.Recipient().String()
	for list, say := range map[string]string{
		``:                                 "",
		`"` + one + `"`:                    "",
		`"` + two + `"`:                    "",
		`"` + one + `", "` + one + `"`:     "",
		`"age1nonsense"`:                   "entry 1",
		`"` + one + `", ""`:                "entry 2",
		`"` + one + `\n` + one + `"`:       "entry 1",
		`"` + plain.String() + `"`:         "entry 1", // the secret one
		`"` + one + `", "` + two + `"`:     "mixes",
		`"` + two + `", "` + one + `  "`:   "entry 2",
		`"# a comment is not a recipient"`: "entry 1",
	} {
		c, err := config.Parse("kiosk.toml", []byte("[export]\nage_recipients = ["+list+"]\n"))
		if say == "" {
			if err != nil {
				t.Errorf("%s: %v", list, err)
			}
			continue
		}
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) != 1 || !strings.Contains(problems[0].Say["en"], say) || problems[0].Say["id"] == "" {
			t.Errorf("%s: got %v and %v, want one problem with %q", list, c.Export, err, say)
		}
	}
}
