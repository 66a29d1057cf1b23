// Package each has a place for each operator. Behind a line stand the mutants that must be
// found there, one after the other: // operator: the changed line. Of a line without a comment
// there are none.
package each

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
)

const limit = 1 // constant: const limit = 0

type box struct {
	n     int `json:"n"`
	names []string
	seen  map[string]int
}

func conditions(a, b int, ok bool) {
	if a > b { // negate: if !(a > b) { | boundary: if a >= b { | half: if (a) / 2 > b { | half: if a > (b) / 2 {
	}
	for a == b { // equality: for a != b { | half: for (a) / 2 == b { | half: for a == (b) / 2 {
	}
	if ok && !ok { // negate: if !(ok && !ok) { | logic: if ok || !ok {
	}
	_ = ok == false // equality: _ = ok != false | boolean: _ = ok == true
}

func numbers(b *box, x float64) (int, float64) {
	b.n++                     // arithmetic: b.n--
	b.n += 20                 // arithmetic: b.n -= 20 | constant: b.n += (20 + 1) | drop assignment: if false { b.n += 20 }
	b.n = b.n % limit         // arithmetic: b.n = b.n * limit | half: b.n = (b.n % limit) / 2 | drop assignment: if false { b.n = b.n % limit }
	text := "two words" + "k" // constant: text := "two words" + ""
	_ = text
	_ = os.WriteFile("", nil, 0o600) // constant: _ = os.WriteFile("", nil, 0o777)
	return b.n, x                    // half: return (b.n) / 2, x | half: return b.n, (x) / 2
}

func calls(b *box, done chan int) {
	defer close(done)                 // drop defer: if false { defer close(done) }
	go numbers(b, 0)                  // drop call: if false { go numbers(b, 0) } | constant: go numbers(b, 1)
	slices.Sort(b.names)              // drop call: if false { slices.Sort(b.names) }
	<-done                            // drop call: if false { <-done }
	done <- b.n                       // drop call: if false { done <- b.n }
	b.names = append(b.names, "name") // drop append: b.names = b.names | constant: b.names = append(b.names, "") | drop assignment: if false { b.names = append(b.names, "name") }
	slog.Info("logged", "n", b.n+1)
	_ = box{n: b.n} // half: _ = box{n: (b.n) / 2}
}

func failures(b *box) (n int, err error) {
	if err := os.Chdir("/"); err != nil { // equality: if err := os.Chdir("/"); err == nil { | ignore error: if err := os.Chdir("/"); err != nil && false { | constant: if err := os.Chdir(""); err != nil {
		return 0, err // constant: return 1, err | nil error: return 0, func(error) error { return nil }(err)
	}
	open := func() error {
		return errors.New("no-box") // nil error: return func(error) error { return nil }(errors.New("no-box"))
	}
	if b == nil { // equality: if b != nil {
		return 0, fmt.Errorf("%s: %w", "box", open()) // constant: return 1, fmt.Errorf("%s: %w", "box", open()) | nil error: return 0, func(error) error { return nil }(fmt.Errorf("%s: %w", "box", open()))
	}
	return n, nil // half: return (n) / 2, nil
}

func loops(b *box, n int) {
	for range n { // loop end: for range n - 1 {
		continue // drop branch: if false { continue }
	}
	for range b.names { // loop end: for range b.names[:max(len(b.names)-1, 0)] {
		break // drop branch: if false { break }
	}
	for range b.seen { // loop end: once: for range b.seen {
	}
}

func choices(n int, done chan bool) {
	switch n {
	case limit: // drop case:
	default: // drop case:
	}
	select {
	case <-done: // drop case:
		calls(nil, nil) // drop call: if false { calls(nil, nil) }
	}
}

func places(b *box, i int) (string, int) {
	_ = b.names[i:] // slice bound: _ = b.names[:]
	// index: return b.names[max((i)-1, 0)], b.seen["a"] | index: return b.names[i], b.seen[""] | half: return b.names[i], (b.seen["a"]) / 2 | constant: return b.names[i], b.seen[""]
	return b.names[i], b.seen["a"]
}

func (b *box) method() bool {
	return true // boolean: return false
}
