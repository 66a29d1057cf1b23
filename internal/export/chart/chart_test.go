package chart

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestWilson(t *testing.T) {
	// From Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I (method 3).
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{
		{81, 263, 0.2553, 0.3662},
		{15, 148, 0.0624, 0.1605},
		{0, 20, 0, 0.1611},
		{1, 29, 0.0061, 0.1718},
		{29, 29, 0.8830, 1},
	} {
		low, high := Wilson(c.k, c.n)
		if math.Abs(low-c.low) > 0.00006 || math.Abs(high-c.high) > 0.00006 {
			t.Errorf("%d of %d: %.4f to %.4f, want %.4f to %.4f", c.k, c.n, low, high, c.low, c.high)
		}
	}
	if low, high := Wilson(3, 0); low != 0 || high != 1 {
		t.Errorf("of nobody: %v to %v", low, high)
	}
	if low, high := Wilson(-5, 10); low != 0 || high > 1 || math.IsNaN(high) {
		t.Errorf("of a count that cannot be: %v to %v", low, high)
	}
}

func TestChange(t *testing.T) {
	// From Newcombe 1998, "Interval estimation for the difference between independent
	// proportions", table II (method 10), with the groups the other way round.
	for _, c := range []struct {
		k1, n1, k2, n2 int
		low, high      float64
	}{
		{48, 80, 56, 70, 0.0524, 0.3339},
		{3, 10, 9, 10, 0.1705, 0.8090},
	} {
		_, low, high := Change(c.k1, c.n1, c.k2, c.n2)
		if math.Abs(low-c.low) > 0.00006 || math.Abs(high-c.high) > 0.00006 {
			t.Errorf("%+v: %.4f to %.4f", c, low, high)
		}
	}
	if d, low, high := Change(1, 0, 1, 5); d != 0 || low != -1 || high != 1 {
		t.Errorf("of nobody: %v, %v to %v", d, low, high)
	}
}

func TestNothingIsSaidOfSmallGroups(t *testing.T) {
	if got := Share(9, 9); got != "" {
		t.Errorf("9 of 9 gives %q", got)
	}
	if got, want := Share(5, 10), "50% (24–76%)"; got != want {
		t.Errorf("5 of 10 gives %q, want %q", got, want)
	}
}

func TestBarsAreSoundXML(t *testing.T) {
	evil := `</svg><script>alert("1")</script>&`
	got := string(Bars(evil, 1, []Bar{
		{Label: evil + strings.Repeat(" panjang sekali", 40), Value: 2, Text: evil, Low: -1, High: 9, Kind: Before},
		{Value: math.NaN(), Kind: After},
		{Label: strings.Repeat("x", 500), Value: -1},
	}))
	if strings.Contains(got, "<script") {
		t.Error("a script came through")
	}
	dec := xml.NewDecoder(strings.NewReader(got))
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in %s", err, got)
		}
	}
	if strings.Contains(got, "NaN") {
		t.Error("NaN in the drawing")
	}
}
