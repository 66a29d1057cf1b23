// Package score is drawn from in whole by TestRun.
package score

// Double is tested here.
func Double(n int) int {
	return n * 2
}

// Name is tested by package board alone.
func Name() string {
	return "score"
}

// Nobody tests Bonus.
func Bonus() int {
	return 7
}
