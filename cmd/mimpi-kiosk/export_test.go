package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A mistake in what should encrypt must not lead to exports that everybody can read.
func TestBrokenEncryptionExportsNothing(t *testing.T) {
	key := "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
	for name, text := range map[string]string{
		"no quotes":     "[export]\nage_recipients = [" + key + "]\n",
		"wrong heading": "[exportt]\nage_recipients = [\"" + key + "\"]\n",
		"half heading":  "[export\nage_recipients = [\"" + key + "\"]\n",
		"half a key":    "[export]\nage_recipients = [\"" + key[:40] + "\"]\n",
	} {
		f := flags{data: t.TempDir(), config: filepath.Join(t.TempDir(), "kiosk.toml")}
		if err := os.WriteFile(f.config, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		s, err := readSettings(f)
		if err != nil {
			t.Fatal(err)
		}
		if opts, err := exportOptions(f.data, s); err == nil || !strings.Contains(err.Error(), "nothing is exported") {
			t.Errorf("%s: got %+v and %v", name, opts, err)
		}
	}
	f := flags{data: t.TempDir(), config: filepath.Join(t.TempDir(), "kiosk.toml")}
	if err := os.WriteFile(f.config, []byte("[export]\nage_recipients = [\""+key+"\"]\n[touch]\nidle = \"never\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := readSettings(f)
	if err != nil {
		t.Fatal(err)
	}
	opts, err := exportOptions(f.data, s)
	if err != nil || len(opts.Recipients) != 1 || opts.Key.Public() == "" {
		t.Errorf("got %+v and %v; a mistake elsewhere does no harm", opts, err)
	}
}
