package main

import (
	"os"
	"regexp"
	"testing"
)

// The lab's phones must be like the pages, and know how long the daemon waits for them.
func TestWhatTheLabSaysOfOthers(t *testing.T) {
	for _, c := range []struct {
		file, says string
		agree      bool
	}{
		{"internal/web/socket.go", `pongWait += 60 \* time.Second`, pongWait.Seconds() == 60},
		{"kiosk-ui/src/lib/connection.svelte.ts", `silence = 15_000;`, silence.Milliseconds() == 15_000},
		{"kiosk-ui/src/lib/connection.svelte.ts", `patience = 10_000;`, itsPatience.Milliseconds() == 10_000},
		{"kiosk-ui/src/lib/connection.svelte.ts", `firstWait = 300;`, firstWait.Milliseconds() == 300},
		{"kiosk-ui/src/lib/connection.svelte.ts", `longestWait = 5_000;`, longestWait.Milliseconds() == 5_000},
		{"kiosk-ui/src/lib/connection.svelte.ts", `nextTry = 2_000;`, nextTry.Milliseconds() == 2_000},
	} {
		text, err := os.ReadFile("../../../" + c.file)
		if err != nil || !c.agree || !regexp.MustCompile(c.says).Match(text) {
			t.Errorf("%s does not say %s, or the lab something else (%v)", c.file, c.says, err)
		}
	}
}
