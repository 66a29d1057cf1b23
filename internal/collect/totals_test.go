package collect

import (
	"testing"

	"mimpi-kiosk/internal/collect/province"
)

func TestRehearsalsStandApart(t *testing.T) {
	stick := t.TempDir()
	rehearsals, want, came := 0, 0, 0
	for n := range 60 {
		e := province.Make(9, n, province.Size{People: 12, Ballots: 40})
		write(t, e, stick, nil)
		if e.Facts[0].Rehearsal {
			rehearsals++
			came += people(e)
			continue
		}
		want += people(e)
	}
	if rehearsals == 0 || came == 0 {
		t.Fatal("no rehearsal among them; the test shows nothing")
	}
	r := collect(t, Options{}, stick)
	if len(r.Screenings) != 60-rehearsals || r.Rehearsals != rehearsals || r.Totals().People != want {
		t.Errorf("%d screenings, %d rehearsals, %d people; want %d, %d, %d", len(r.Screenings), r.Rehearsals, r.Totals().People, 60-rehearsals, rehearsals, want)
	}
	r = collect(t, Options{Rehearsals: true}, stick)
	if got := r.Totals(); len(r.Screenings) != 60 || got.People != want || got.Screenings != 60-rehearsals {
		t.Errorf("with rehearsals: %d screenings, totals of %d with %d people; want 60, %d, %d", len(r.Screenings), got.Screenings, got.People, 60-rehearsals, want)
	}
}
