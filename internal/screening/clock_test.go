package screening_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	. "mimpi-kiosk/internal/screening"
)

func lastStamp(e *evening) Stamp { return e.journal[len(e.journal)-1].Stamp }

// Whoever sets the machine's clock in the middle of a screening, years forward or back,
// changes neither the order nor the lengths of things.
func TestJumpsOfTheWallClockChangeNothing(t *testing.T) {
	for _, to := range []time.Time{
		time.Unix(0, 0), eve.AddDate(-1, 0, 0), eve.Add(-24 * time.Hour), eve.AddDate(10, 0, 0), eve.AddDate(200, 0, 0),
	} {
		e := newEvening(t).run(SetClock{eve}).run(atDoors...).run(CountAttendee{"man"})
		before := lastStamp(e)
		e.run(wall(to), wait(time.Minute), CountAttendee{"man"})
		if st := lastStamp(e); st.At.Sub(before.At) != time.Minute || st.Clock != ClockOperator {
			t.Errorf("the clock jumped to %v: %v after %v", to, st, before)
		}
	}
}

// A Pi without a battery wakes up in 1970. Time goes on from what was known last.
func TestABootIn1970(t *testing.T) {
	e := newEvening(t).run(SetClock{eve}).run(atDoors...).run(wait(time.Hour), CountAttendee{"man"})
	floor := lastStamp(e).At
	e.run(wall(time.Unix(30, 0)), reboot("boot-2"))
	if st := lastStamp(e); !st.At.Equal(floor) || st.Clock != ClockUnset {
		t.Fatalf("started: %v, floor %v", st, floor)
	}
	e.run(wait(10*time.Minute), CountAttendee{"man"})
	if st := lastStamp(e); !st.At.Equal(floor.Add(10*time.Minute)) || st.Clock != ClockUnset {
		t.Fatalf("ten minutes on: %v", st)
	}
	truth := eve.Add(3 * time.Hour)
	e.run(SetClock{truth}, wait(time.Second), CountAttendee{"man"})
	if st := lastStamp(e); !st.At.Equal(truth.Add(time.Second)) || st.Clock != ClockOperator {
		t.Fatalf("set: %v", st)
	}
	// The very first start of a kiosk may be in 1970 as well.
	first := &evening{t: t, s: NewState(), now: Reading{Wall: time.Unix(5, 0), Boot: "boot-1", Mono: 5_000, RTC: true}}
	first.run(from{FromKiosk, StartKiosk{Kiosk: kiosk, Version: "test"}})
	if st := lastStamp(first); !st.At.Equal(time.Unix(5, 0)) || st.Clock != ClockUnset {
		t.Fatalf("first start: %v", st)
	}
}

func TestWhoIsBelieved(t *testing.T) {
	for _, c := range []struct {
		name  string
		given []any
		off   time.Duration // of the machine's clock from ours
		now   func(*Reading)
		want  ClockSource // "" when it is left as it is
	}{
		{"nobody", nil, time.Hour, func(*Reading) {}, ""},
		{"the network over nobody", nil, -time.Hour, func(r *Reading) { r.Synced = true }, ClockSynced},
		{"the network over the facilitator", acts(SetClock{eve}), -time.Hour, func(r *Reading) { r.Synced = true }, ClockSynced},
		{"the network again, after a drift", acts(synced(eve), TrustClock{}), 3 * time.Second, func(r *Reading) { r.Synced = true }, ClockSynced},
		{"the network again, with nothing new", acts(synced(eve), TrustClock{}), time.Second, func(r *Reading) { r.Synced = true }, ""},
		{"the network with an impossible year", nil, 100 * 365 * 24 * time.Hour, func(r *Reading) { r.Synced = true }, ""},
		{"a battery over nobody", nil, time.Hour, func(r *Reading) { r.RTC = true }, ClockRTC},
		{"a battery that is behind the last event", nil, -time.Minute, func(r *Reading) { r.RTC = true }, ""},
		{"a battery not over the facilitator", acts(SetClock{eve}), time.Hour, func(r *Reading) { r.RTC = true }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEvening(t).run(c.given...)
			e.now.Wall, e.now.Synced, e.now.RTC = lastStamp(e).At.Add(c.off), false, false
			c.now(&e.now)
			n := len(e.journal)
			e.run(TrustClock{})
			if c.want == "" {
				if len(e.journal) != n {
					t.Fatalf("recorded %+v", e.journal[n])
				}
				return
			}
			if len(e.journal) == n || lastStamp(e).Clock != c.want || !lastStamp(e).At.Equal(e.now.Wall) {
				t.Fatalf("last %+v", e.journal[len(e.journal)-1])
			}
		})
	}
}

// Where those who vouch for the time tell the truth, every time that is vouched for is
// true, and the others are in order, whatever the machine's own clock does.
func TestTimeProperty(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		truth := eve
		e := newEvening(rt).run(plan(), MoveTo{Doors})
		pass := func(d time.Duration) {
			truth = truth.Add(d)
			e.run(wait(d))
		}
		boots := 1
		for range rapid.IntRange(1, 60).Draw(rt, "acts") {
			switch rapid.IntRange(0, 7).Draw(rt, "act") {
			case 0:
				pass(time.Duration(rapid.IntRange(0, 7200_000).Draw(rt, "ms")) * time.Millisecond)
			case 1: // somebody sets the machine's clock, or it loses it
				e.run(wall(eve.AddDate(rapid.IntRange(-60, 80).Draw(rt, "years"), 0, 0)))
				e.now.Synced = false
			case 2: // the power fails; the machine's clock may be anything afterwards
				boots++
				truth = truth.Add(time.Duration(rapid.IntRange(0, 100).Draw(rt, "hours")) * time.Hour)
				e.now.Synced = false
				e.run(wall(eve.AddDate(rapid.IntRange(-60, 80).Draw(rt, "years"), 0, 0)), reboot(string(rune('a'+boots))))
			case 3:
				e.run(restart{})
				truth = truth.Add(900 * time.Millisecond)
				e.now.Wall = e.now.Wall.Add(900 * time.Millisecond)
			case 4:
				e.run(synced(truth), TrustClock{})
			case 5:
				e.run(SetClock{truth})
			default:
				e.run(CountAttendee{"man"})
			}
			now := e.s.Stamp(e.now)
			if now.Clock != ClockUnset && now.At.Sub(truth).Abs() > 2*time.Second {
				rt.Fatalf("%v is vouched for (%s), but it is %v", now, now.Clock, truth)
			}
		}
		for i, r := range e.journal[1:] {
			before := e.journal[i].Stamp
			if _, set := r.Event.(ClockSet); set {
				continue
			}
			if r.Stamp.At.Before(before.At) {
				rt.Fatalf("%v comes after %v", r.Stamp, before)
			}
			if r.Stamp.Boot == before.Boot && r.Stamp.At.Sub(before.At) != (r.Stamp.Mono-before.Mono).Duration() {
				rt.Fatalf("from %v to %v is not what passed", before, r.Stamp)
			}
		}
	})
}
