package journaltest

import (
	"errors"
	"os"
	"regexp"
	"slices"
	"testing"

	"mimpi-kiosk/internal/screening"
)

func TestMemory(t *testing.T) {
	Run(t, func(t *testing.T) (screening.Journal, func() screening.Journal) {
		m := &Memory{}
		return m, func() screening.Journal {
			m = m.Reopen()
			return m
		}
	})
}

func TestMemoryFails(t *testing.T) {
	m := &Memory{}
	all := number(record("", screening.KioskStarted{Kiosk: "k1"}), record("", screening.KioskStarted{Kiosk: "k2"}))
	appends(t, m, all[:1])
	m.Fail(screening.ErrRefusedByDisk)
	for _, err := range []error{m.Append(t.Context(), all[1:]), m.Probe(t.Context())} {
		if !errors.Is(err, screening.ErrRefusedByDisk) {
			t.Errorf("got %v, want the refusal", err)
		}
	}
	m.Fail(nil)
	appends(t, m, all[1:])
	replays(t, m, all)

	wrong := errors.New("the disk is on fire")
	m.Fail(wrong)
	if err := m.Probe(t.Context()); !errors.Is(err, wrong) {
		t.Errorf("got %v, want %v", err, wrong)
	}
	m.Fail(nil)
	if err := m.Probe(t.Context()); !errors.Is(err, wrong) {
		t.Errorf("got %v from a journal in doubt, want %v", err, wrong)
	}
	replays(t, m.Reopen(), all)
}

func TestEveryKindIsInEveryEvent(t *testing.T) {
	source, err := os.ReadFile("../event.go")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for _, m := range regexp.MustCompile(`\) Kind\(\) string +{ return "(\w+)" }`).FindAllSubmatch(source, -1) {
		want = append(want, string(m[1]))
	}
	for _, e := range everyEvent {
		got = append(got, e.Kind())
	}
	slices.Sort(want)
	slices.Sort(got)
	if len(want) == 0 || !slices.Equal(got, want) {
		t.Errorf("everyEvent holds\n%v, want one of each kind\n%v", got, want)
	}
}
