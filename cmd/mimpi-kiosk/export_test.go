package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/usb"
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

// A damaged signing key stops no export; one note says so, and what to do.
func TestDamagedSigningKey(t *testing.T) {
	k := &kiosk{data: t.TempDir(), board: &health.Board{}}
	path := filepath.Join(k.data, signingKeyFile)
	if opts, err := k.exportOptions(); err != nil || opts.Key.Public() == "" || len(k.board.Parts()) != 0 {
		t.Fatalf("a new kiosk: %+v %v, and the board has %v", opts, err, k.board.Parts())
	}
	if err := os.WriteFile(path, make([]byte, 260), 0o600); err != nil {
		t.Fatal(err)
	}
	opts, err := k.exportOptions()
	if err != nil || opts.Key.Public() == "" {
		t.Errorf("exports end: %+v %v", opts, err)
	}
	parts := k.board.Parts()
	if len(parts) != 1 || parts[0].Part != "signing_key" || parts[0].Level != health.Note || !strings.Contains(parts[0].Message["id"], "signing.key.damaged") || parts[0].Hint["en"] == "" {
		t.Errorf("the board has %+v", parts)
	}
	if part := signingKey(k.data); part == nil {
		t.Error("doctor has no note on it")
	}
}

// Only a mistake in the settings for encryption is called one.
func TestAStickIsToldWhyNothingIsCopied(t *testing.T) {
	k := &kiosk{data: filepath.Join(t.TempDir(), "gone"), board: &health.Board{}} // no key can be made there
	var trouble *usb.Trouble
	if _, err := (&sticks{kiosk: k}).Export(t.Context(), t.TempDir(), nil); !errors.As(err, &trouble) || trouble.Why == usb.Withheld || trouble.Message["en"] == "" {
		t.Errorf("without a key: %v", err)
	}
	k.config.problems = config.Problems{{File: filepath.Join(t.TempDir(), "kiosk.toml")}}
	if err := os.WriteFile(k.config.problems[0].File, []byte("age_recipients = [age1]"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := (&sticks{kiosk: k}).Export(t.Context(), t.TempDir(), nil); !errors.As(err, &trouble) || trouble.Why != usb.Withheld {
		t.Errorf("with a mistake in the settings: %v", err)
	}
}
