package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// elsewhere are faults that tests prove which "make test" or another target runs. A test holds
// that they are there.
var elsewhere = []struct{ fault, file, test, with string }{
	{"mpv killed in the middle of the film", "cmd/mimpi-kiosk/film_test.go", "TestFilmByMPVSurvivesKills", "make test-go"},
	{"mpv hangs", "internal/playback/mpv_test.go", "TestHungMPVIsReplaced", "make test-go"},
	{"Chromium killed, its page crashed, hung or empty", "internal/browser/browser_test.go", "TestAWindowComesBackFromEverything", "make test-go"},
	{"projector taken away and back", "internal/playback/screen_test.go", "TestScreenGoneAndBack", "make test-go"},
	{"loudspeaker taken away and back", "internal/playback/sound_test.go", "TestLoudspeakerPulledAndBack", "make test-go"},
	{"GPIO chip taken away and back", "internal/clicker/buttons_test.go", "TestTheButtonsComeBackWithTheChip", "make test-go"},
	{"presses on a chip of Linux's own, killed and on a slow disk", "internal/lab/gpio/guest/storm.go", "storm", "make test-pi"},
	{"stick pulled out while it is written", "internal/lab/stick/main.go", "main", "make test-stick"},
	{"export cut off at each moment", "internal/export/crash_test.go", "Test", "make test-go"},
	{"phone without network, and with it again", "kiosk-ui/e2e/offline.test.ts", "test", "make test-browser"},
	{"the clock jumps by years, forward and back", "internal/screening/clock_test.go", "TestJumpsOfTheWallClockChangeNothing", "make test-go"},
	{"boot in 1970, and any mixture", "internal/screening/clock_test.go", "TestTimeProperty", "make test-go"},
	{"journal damaged: bytes flipped, cut off, zeroed", "internal/sqlite/damage_test.go", "TestRandomDamage", "make test-go"},
	{"daemon hangs, is killed or upgraded under systemd", "internal/lab/box/checks.go", "stopped", "make test-box"},
}

func printElsewhere(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nproved elsewhere\ttest\trun by\n----------------\t----\t------")
	for _, e := range elsewhere {
		fmt.Fprintf(w, "%s\t%s %s\t%s\n", e.fault, e.file, e.test, e.with)
	}
	return w.Flush()
}
