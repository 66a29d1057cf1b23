// Package slow runs for ever when one line is changed.
package slow

// Down counts down to zero.
func Down(n int) int {
	for n != 0 {
		n--
	}
	return n
}
