package board

import "testing"

func TestTitle(t *testing.T) {
	if got := Title(); got != "score" {
		t.Errorf("Title() = %q, want score", got)
	}
}
