package chart

import (
	"fmt"
	"math"

	"mimpi-kiosk/internal/screening"
)

// Wilson gives the 95 % score interval (Wilson 1927) of a share of k out of n, between
// 0 and 1. With n under 1 nothing is known: 0 to 1.
func Wilson(k, n int) (low, high float64) {
	if n < 1 {
		return 0, 1
	}
	const z = 1.959963984540054
	size, share := float64(n), float64(min(max(k, 0), n))/float64(n)
	centre := share + z*z/(2*size)
	spread := z * math.Sqrt(share*(1-share)/size+z*z/(4*size*size))
	scale := 1 + z*z/size
	return max(0, (centre-spread)/scale), min(1, (centre+spread)/scale)
}

// Share says a share of k out of n with its interval: "45% (41–49%)". Nothing is said
// of groups under [screening.Fewest]: it is then "".
func Share(k, n int) string {
	if n < screening.Fewest {
		return ""
	}
	low, high := Wilson(k, n)
	decimals := 0
	if n >= 1000 { // so many that whole per cents hide the interval
		decimals = 1
	}
	return fmt.Sprintf("%.*f%% (%.*f–%.*f%%)", decimals, 100*float64(k)/float64(n), decimals, 100*low, decimals, 100*high)
}

// Change gives the difference of two shares of groups that have nobody in common, with
// its 95 % interval (Newcombe 1998, method 10, from the Wilson intervals), between -1 and 1.
func Change(k1, n1, k2, n2 int) (difference, low, high float64) {
	if n1 < 1 || n2 < 1 {
		return 0, -1, 1
	}
	one, two := float64(k1)/float64(n1), float64(k2)/float64(n2)
	low1, high1 := Wilson(k1, n1)
	low2, high2 := Wilson(k2, n2)
	difference = two - one
	return difference, difference - math.Hypot(two-low2, high1-one), difference + math.Hypot(high2-two, one-low1)
}
