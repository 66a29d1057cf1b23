// Package journaltest holds what every [screening.Journal] must pass ([Run]), a
// journal in memory that passes it ([Memory]), and made evenings to fill journals
// with ([Evenings]).
package journaltest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
)

// Run checks a journal against the contract of [screening.Journal]. open gives a new
// empty journal and a function that opens the same journal anew, as after a crash:
// it must not rely on the earlier one having been closed in an orderly way, and may
// close it.
func Run(t *testing.T, open func(t *testing.T) (j screening.Journal, reopen func() screening.Journal)) {
	tests := map[string]func(*testing.T, screening.Journal, func() screening.Journal){
		"a new journal is empty": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			replays(t, j, nil)
			replays(t, reopen(), nil)
		},
		"what was appended is replayed in order, also when opened anew": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			all := number(
				record("", screening.KioskStarted{Kiosk: "k1", Version: "1"}),
				record("", screening.ClockSet{Was: at, Now: at.Add(time.Hour), Offset: 3600000}),
				record("", screening.KioskStarted{Kiosk: "k1", Version: "2"}),
			)
			appends(t, j, all[:1])
			appends(t, j, nil)
			appends(t, j, all[1:])
			replays(t, j, all)
			replays(t, reopen(), all)
		},
		"every kind of event comes back as it was": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			all := []screening.Recorded{record("s1", everyEvent[0])}
			for _, e := range everyEvent[1:] {
				all = append(all, record("s1", e))
			}
			all[1].Stamp = screening.Stamp{At: time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC), Boot: "", Mono: 0, Clock: screening.ClockUnset}
			all[2].From, all[2].Command = screening.FromPhone, "a \x00 'quoted' \u2028 id"
			all = number(all...)
			appends(t, j, all)
			replays(t, j, all)
			replays(t, reopen(), all)
		},
		"replay begins at the newest screening, with the newest clock and start before it": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			all := number(
				record("", screening.KioskStarted{Kiosk: "k1", Version: "1"}),
				record("", screening.ClockSet{Now: at, Offset: 1}),
				record("s1", screening.ScreeningPlanned{Screening: "s1"}),
				record("s1", screening.KioskStarted{Kiosk: "k1", Version: "2"}),
				record("s1", screening.ClockSet{Now: at, Offset: 2}),
				record("s1", screening.KioskStarted{Kiosk: "k1", Version: "3"}),
				record("s1", screening.DoorsOpened{}),
				record("s2", screening.ScreeningPlanned{Screening: "s2"}),
				record("s2", screening.DoorsOpened{}),
			)
			appends(t, j, all[:3])
			replays(t, j, all[:3])
			appends(t, j, all[3:7])
			replays(t, j, all[:7])
			appends(t, j, all[7:])
			want := append([]screening.Recorded{all[4], all[5]}, all[7:]...)
			replays(t, j, want)
			replays(t, reopen(), want)
		},
		"a clock or start after the newest screening stays in its place": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			all := number(
				record("", screening.KioskStarted{Kiosk: "k1", Version: "1"}),
				record("s1", screening.ScreeningPlanned{Screening: "s1"}),
				record("s1", screening.DoorsOpened{}),
				record("s1", screening.ClockSet{Now: at, Offset: 2}),
				record("s1", screening.KioskStarted{Kiosk: "k1", Version: "2"}),
			)
			appends(t, j, all)
			replays(t, j, all)
		},
		"a batch is written whole or not at all": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			first := number(record("s1", screening.ScreeningPlanned{Screening: "s1"}), record("s1", screening.DoorsOpened{}))
			first[1].Command = "c1"
			appends(t, j, first)
			bad := number(record("s1", screening.DoorsClosed{}), record("s1", screening.DoorsOpened{}))
			bad[0].Seq, bad[1].Seq = 3, 4
			bad[1].Command = "c1" // the same command twice in one screening
			refuses(t, j, bad)
			j = reopen()
			replays(t, j, first)
			bad[1].Command = "c2"
			appends(t, j, bad)
			replays(t, reopen(), append(first, bad...))
		},
		"the same command id may come in another screening": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			all := number(record("s1", screening.ScreeningPlanned{Screening: "s1"}), record("s2", screening.ScreeningPlanned{Screening: "s2"}))
			all[0].Command, all[1].Command = "c1", "c1"
			appends(t, j, all)
			replays(t, reopen(), all[1:])
		},
		"no number is left out or given twice": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			all := number(record("", screening.KioskStarted{Kiosk: "k1"}), record("", screening.KioskStarted{Kiosk: "k2"}), record("", screening.KioskStarted{Kiosk: "k3"}))
			appends(t, j, all[:1])
			refuses(t, j, all[2:])
			j = reopen()
			refuses(t, j, all[:1])
			j = reopen()
			appends(t, j, all[1:])
			replays(t, reopen(), all)
		},
		"after an error that leaves doubt nothing is appended until it is opened anew": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			all := number(record("", screening.KioskStarted{Kiosk: "k1"}))
			wrong := all[0]
			wrong.Seq = 7
			refuses(t, j, []screening.Recorded{wrong})
			refuses(t, j, all)
			if err := j.Probe(t.Context()); err == nil {
				t.Error("a probe passed on a journal in doubt")
			}
			appends(t, reopen(), all)
		},
		"replay ends at the first error of yield": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			appends(t, j, number(record("", screening.KioskStarted{Kiosk: "k1"}), record("", screening.KioskStarted{Kiosk: "k2"})))
			enough, n := errors.New("enough"), 0
			err := j.Replay(t.Context(), func(screening.Recorded) error { n++; return enough })
			if !errors.Is(err, enough) || n != 1 {
				t.Errorf("replay gave %v after %d events, want %v after 1", err, n, enough)
			}
		},
		"a probe adds no event": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			all := number(record("", screening.KioskStarted{Kiosk: "k1"}), record("", screening.KioskStarted{Kiosk: "k2"}))
			appends(t, j, all[:1])
			for range 3 {
				if err := j.Probe(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			appends(t, j, all[1:])
			replays(t, reopen(), all)
		},
		"a commit that has begun is finished though its context has ended": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			all := number(record("", screening.KioskStarted{Kiosk: "k1"}))
			if err := j.Append(ctx, all); err != nil {
				t.Fatal(err)
			}
			replays(t, reopen(), all)
		},
		"a large batch": func(t *testing.T, j screening.Journal, reopen func() screening.Journal) {
			all := []screening.Recorded{record("s1", screening.ScreeningPlanned{Screening: "s1"})}
			for i := range 2000 {
				r := record("s1", screening.AttendeeCounted{Category: "woman"})
				r.Command = fmt.Sprint("c", i)
				all = append(all, r)
			}
			all = number(all...)
			appends(t, j, all)
			replays(t, reopen(), all)
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			j, reopen := open(t)
			test(t, j, reopen)
		})
	}
}

var at = time.Date(2026, 11, 24, 10, 30, 0, 123e6, time.UTC)

func record(id string, e screening.Event) screening.Recorded {
	return screening.Recorded{
		Stamp:     screening.Stamp{At: at, Boot: "boot-1", Mono: 4711, Clock: screening.ClockOperator},
		Screening: id, From: screening.FromFacilitator, Event: e,
	}
}

// number gives the events the numbers 1, 2, 3, ...
func number(all ...screening.Recorded) []screening.Recorded {
	for i := range all {
		all[i].Seq = int64(i + 1)
	}
	return all
}

func appends(t *testing.T, j screening.Journal, events []screening.Recorded) {
	t.Helper()
	if err := j.Append(t.Context(), events); err != nil {
		t.Fatalf("append: %v", err)
	}
}

func refuses(t *testing.T, j screening.Journal, events []screening.Recorded) {
	t.Helper()
	err := j.Append(t.Context(), events)
	if err == nil {
		t.Fatal("append took what it must not take")
	}
	if errors.Is(err, screening.ErrRefusedByDisk) {
		t.Fatalf("append blames the disk: %v", err)
	}
}

func replays(t *testing.T, j screening.Journal, want []screening.Recorded) {
	t.Helper()
	var got []screening.Recorded
	err := j.Replay(t.Context(), func(r screening.Recorded) error {
		got = append(got, r)
		return nil
	})
	if err != nil {
		t.Fatalf("replay: %v", err)
	}
	if len(got) != len(want) {
		t.Fatalf("replay gave %d events, want %d\ngot  %v\nwant %v", len(got), len(want), got, want)
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			t.Fatalf("replay gave as event %d of %d\n%#v, want\n%#v", i+1, len(want), got[i], want[i])
		}
	}
}
