// Package board imports score and has nothing that could be changed.
package board

import "example.test/fixture/score"

// Title is the name of the score.
func Title() string { return score.Name() }
