package main

import (
	"os"
	"path/filepath"
	"testing"

	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/pack"
)

func TestARecordingOfThePackIsHeard(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pack")
	if err := os.CopyFS(dir, os.DirFS("../../media/mimpi-beta")); err != nil {
		t.Fatal(err)
	}
	recording := filepath.Join(dir, "audio", "aoz", "questions.k1.text.mp3")
	if err := os.MkdirAll(filepath.Dir(recording), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recording, []byte("not looked into here"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := pack.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	k := &kiosk{data: t.TempDir(), pack: p, board: &health.Board{}}
	k.config.Config = config.Default()
	v := k.voices()
	question := p.Questions[0]
	key := "questions." + question.ID + ".text"
	if file, err := v.Sound(t.Context(), "aoz", key, question.Text); err != nil || file != recording {
		t.Errorf("%s, %v, want %s", file, err, recording)
	}
	if got := v.State("aoz", key, question.Text); got != "pack" {
		t.Errorf("state %q", got)
	}

	k.config.Voice.Enabled = false
	if k.voices() != nil {
		t.Error("a kiosk that is told not to speaks")
	}
}
