package web

import (
	"context"
	"slices"
	"sync"
	"testing"

	"mimpi-kiosk/internal/screening"
)

// fakeSticks shows what the test says and notes what was asked.
type fakeSticks struct {
	mu    sync.Mutex
	all   []Stick
	asked []string
	news  chan struct{}
}

func newSticks() *fakeSticks { return &fakeSticks{news: make(chan struct{}, 1)} }

func (f *fakeSticks) show(all ...Stick) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = all
	select {
	case f.news <- struct{}{}:
	default:
	}
}

func (f *fakeSticks) Sticks() []Stick {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.all)
}

func (f *fakeSticks) Pack() PackState {
	return PackState{Title: text("Mimpi Beta", "My Dream"), Waits: true, Back: true, Newer: []PackChange{
		{File: "questions/k3.toml", Kind: "changed", Text: text("pertanyaan k3", "question k3")},
		{File: "questions/k6.toml", Kind: "new", Text: text("pertanyaan k6", "question k6")},
		{File: "pack.toml", Kind: "kept", Text: text("daftar pertanyaan", "list of questions")},
	}}
}
func (f *fakeSticks) Follow() <-chan struct{} { return f.news }

func (f *fakeSticks) Ask(disk, task, pack string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, disk+" "+task+" "+pack)
	if disk != "sda" {
		return ErrNoStick
	}
	return nil
}

func (f *fakeSticks) BackToPack(context.Context) error { return f.Ask("sda", "back", "") }
func (f *fakeSticks) TakeShipped(context.Context) error {
	return f.Ask("sda", "take shipped", "")
}

// stickFaces is a stick in all its phases.
func stickFaces() []Stick {
	trouble := func(why string, safe, here bool, message, hint screening.Text) Stick {
		return Stick{
			Disk: "sda", Label: "KIOS", Phase: "trouble", Task: "export", Why: why, Safe: safe, Here: here,
			Message: message, Hint: hint, Offers: []PackOffer{},
		}
	}
	full := trouble("full", true, true, text("Stik USB penuh.", "The USB stick is full."), text("Pakai stik lain.", "Use another stick."))
	full.Screenings, full.Written, full.Missing, full.NeedMB = 31, 4, 12, 9
	return []Stick{
		{Disk: "sda", Phase: "plugged", Task: "export", Here: true, Offers: []PackOffer{}},
		{Disk: "sda", Label: "KIOS", Phase: "waiting", WaitsFor: "film", Task: "export", Here: true, All: 12, Offers: []PackOffer{}},
		{Disk: "sda", Label: "KIOS", Phase: "copying", Task: "export", Here: true, Done: 5, All: 12, Offers: []PackOffer{}},
		{Disk: "sda", Label: "KIOS", Phase: "logging", Task: "log", Here: true, Offers: []PackOffer{}},
		{Disk: "sda", Label: "KIOS", Phase: "taking", Task: "take", Here: true, Done: 1 << 29, All: 1 << 30, Offers: []PackOffer{}},
		{Disk: "sda", Label: "KIOS", Phase: "finishing", Task: "export", Here: true, Done: 11, All: 12, Offers: []PackOffer{}},
		{Disk: "sda", Label: "KIOS", Phase: "safe", Task: "export", Here: true, Safe: true, Screenings: 12, Written: 7, Offers: []PackOffer{
			{Name: "mimpi-beta-2", Title: text("Mimpi Beta: soal baru", "My Dream: new questions"), Film: true, Signed: true, MB: 812},
			{Name: "rusak", Title: text("rusak", "rusak"), MB: 1, No: text("pack.toml: Berkas ini tidak ada.", "pack.toml: This file is not there.")},
		}},
		full,
		trouble("pulled", false, false, text("Stik USB dicabut sebelum selesai.", "The USB stick was taken out too early."), text("Pasang lagi.", "Plug it in again.")),
	}
}

// The touch screen tells of the stick that people wait for, and only the facilitator sees packs.
func TestTheTouchScreenTellsOfOneStick(t *testing.T) {
	safe := Stick{Disk: "sda", Phase: "safe", Offers: []PackOffer{{Name: "x"}}}
	for want, all := range map[string][]Stick{
		"":        {},
		"safe":    {safe},
		"copying": {safe, {Disk: "sdb", Phase: "copying"}, {Disk: "sdc", Phase: "waiting"}},
		"trouble": {safe, {Disk: "sdb", Phase: "trouble"}},
	} {
		got := telling(all)
		if got == nil && want == "" {
			continue
		}
		if got == nil || got.Phase != want || len(got.Offers) != 0 {
			t.Errorf("of %v it tells %+v", all, got)
		}
	}
	if len(safe.Offers) != 1 {
		t.Error("the offers of the facilitator are gone")
	}
}
