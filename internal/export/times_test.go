package export

import (
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// A Pi without a battery: the doors open in a wrong time, the facilitator's phone sets
// the clock, wrongly first, and the power fails before the end.
func TestTimesArePutRight(t *testing.T) {
	wrong := time.Date(2025, 3, 1, 0, 0, 0, 0, time.UTC)
	truth := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	k := journaltest.NewKiosk("kiosk-1", wrong)
	k.Alone = true
	k.Restart("kiosk-1")
	begun := k.State.Last.At
	right := func() time.Time { return truth.Add(k.State.Last.At.Sub(begun)) } // while nobody set it
	do := func(c screening.Command) {
		t.Helper()
		if !k.Do(screening.FromFacilitator, c) {
			t.Fatalf("%#v was refused", c)
		}
	}
	do(screening.PlanScreening{Screening: "s1", Programme: journaltest.Programme(), Details: screening.Details{
		Regency: "kupang", Venue: "Balai", Audience: screening.Public, HeldAt: truth}})
	planned := right()
	do(screening.MoveTo{Step: screening.Doors})
	k.Wait(20 * time.Minute)
	do(screening.CountAttendee{Category: "woman"})
	counted := right()
	do(screening.SetClock{Now: truth.AddDate(9, 0, 0)}) // a phone of another decade
	do(screening.CountAttendee{Category: "woman"})
	do(screening.SetClock{Now: counted.Add(4500 * time.Millisecond)}) // it is 3 commands of 1.5 s later
	k.Wait(time.Minute)
	k.Restart("kiosk-1") // and wakes up in 2025 again
	do(screening.CountAttendee{Category: "man"})
	lost := k.State.Last.At
	do(screening.MoveTo{Step: screening.Ended})

	read := func() *evening {
		t.Helper()
		e, err := gather(t.Context(), made{events: k.Events}, "s1", Options{})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := read()
	lines := map[int64]Line{}
	var people []Line
	for _, l := range e.events {
		lines[l.Seq] = l
		if l.Kind == "AttendeeCounted" {
			people = append(people, l)
		}
	}
	if at, known := e.times.of(e.state.Screening.PlannedAt); !at.Equal(planned) || known != "operator_corrected" {
		t.Errorf("planned at %v (%s), want %v", at, known, planned)
	}
	if !people[0].Time.Equal(counted) || people[0].TimeKnown != "operator_corrected" || people[0].Clock != screening.ClockUnset || people[0].At.Year() != 2025 {
		t.Errorf("counted at %v (%s), want %v; in the journal %v", people[0].Time, people[0].TimeKnown, counted, people[0].At)
	}
	if want := counted.Add(3 * time.Second); !people[1].Time.Equal(want) || people[1].At.Year() != 2035 || people[1].TimeKnown != "operator_corrected" {
		t.Errorf("counted in another decade at %v (%s), want %v", people[1].Time, people[1].TimeKnown, want)
	}
	if people[2].TimeKnown != "unset" || !people[2].Time.Equal(lost) || people[2].Time.Before(people[0].Time) {
		t.Errorf("after the cut %v (%s)", people[2].Time, people[2].TimeKnown)
	}
	if _, known := e.times.of(*e.state.Screening.EndedAt); known != "unset" {
		t.Errorf("ended: %s", known)
	}

	// The clock is set in the same boot, but only after the end.
	do(screening.SetClock{Now: truth.Add(5 * time.Hour)})
	e = read()
	at, known := e.times.of(*e.state.Screening.EndedAt)
	if want := truth.Add(5*time.Hour - 1500*time.Millisecond); !at.Equal(want) || known != "operator_corrected" {
		t.Errorf("ended at %v (%s), want %v", at, known, want)
	}
}
