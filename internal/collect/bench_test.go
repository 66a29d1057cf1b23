package collect

import (
	"testing"

	"mimpi-kiosk/internal/collect/province"
	"mimpi-kiosk/internal/export"
)

// BenchmarkCollect reads 50 screenings of 300 people and 1,500 ballots.
func BenchmarkCollect(b *testing.B) {
	stick := b.TempDir()
	for n := range 50 {
		if err := province.Make(1, n, province.Full).Write(b.Context(), stick, export.Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		r, err := Collect(b.Context(), []string{stick}, Options{Rehearsals: true})
		if err != nil || len(r.Screenings) != 50 || len(r.Problems) > 0 {
			b.Fatalf("%v %v", r, err)
		}
	}
}
