package main

import (
	"os"
	"regexp"
	"testing"
)

func TestWhatIsProvedElsewhereIs(t *testing.T) {
	for _, e := range elsewhere {
		text, err := os.ReadFile("../../../" + e.file)
		if err != nil || !regexp.MustCompile(`\b(func )?`+e.test+`\w*\(`).Match(text) {
			t.Errorf("%s: %s is not in %s (%v)", e.fault, e.test, e.file, err)
		}
	}
}

// The soak must be able to fail.
func TestGrowthIsSeen(t *testing.T) {
	var flat, growing []sample
	for i := range 100 {
		s := sample{memory: 30, goroutines: 50, files: 30, log: 4}
		flat = append(flat, s)
		s.goroutines += float64(i)
		growing = append(growing, s)
	}
	if says, err := judge(flat); err != nil {
		t.Errorf("%s: %v", says, err)
	}
	for name, all := range map[string][]sample{"goroutines": growing, "few": flat[:5], "log": append(flat[1:100:100], sample{log: 20})} {
		if _, err := judge(all); err == nil {
			t.Errorf("%s: nothing is seen", name)
		}
	}
}
