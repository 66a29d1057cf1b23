package collect

import (
	"os"
	"path/filepath"
	"slices"

	"mimpi-kiosk/internal/export"
)

// Sticks gives the removable drives that have exports of kiosks on them, by name.
func Sticks() []string {
	var out []string
	for _, drive := range drives() {
		if info, err := os.Stat(filepath.Join(drive, export.Top)); err == nil && info.IsDir() {
			out = append(out, drive)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// below gives the folders that a pattern finds.
func below(patterns ...string) []string {
	var out []string
	for _, p := range patterns {
		found, _ := filepath.Glob(p) // the patterns are ours, and sound
		for _, f := range found {
			if info, err := os.Lstat(f); err == nil && info.IsDir() { // macOS links to its own disk there
				out = append(out, f)
			}
		}
	}
	return out
}
