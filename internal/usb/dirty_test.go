package usb

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A stick that was pulled out while somebody wrote to it says so itself, and is repaired
// before it is mounted. This machine's kernel need not know FAT for that; the stick lab
// mounts it.
func TestSticksThatWerePulledOutAreRepaired(t *testing.T) {
	for name, test := range map[string]struct {
		format []string
		size   int64
		at     int64 // of the byte with the mark
		mark   byte
		repair string
	}{
		"FAT16": {[]string{"mkfs.vfat", "-F", "16"}, 16 << 20, 37, 1, "fsck.fat"},
		"FAT32": {[]string{"mkfs.vfat", "-F", "32"}, 64 << 20, 65, 1, "fsck.fat"},
		"exFAT": {[]string{"mkfs.exfat"}, 16 << 20, 106, 2, "fsck.exfat"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := exec.LookPath(test.format[0]); err != nil {
				t.Fatalf("%s is missing: make test-go has it", test.format[0])
			}
			for _, dirty := range []bool{false, true} {
				b := newBox(t)
				device, image := b.loop(test.size, test.format...)
				if dirty {
					f, err := os.OpenFile(image, os.O_RDWR, 0)
					if err != nil {
						t.Fatal(err)
					}
					mark := []byte{0}
					if _, err := f.ReadAt(mark, test.at); err != nil {
						t.Fatal(err)
					}
					mark[0] |= test.mark
					if _, err := f.WriteAt(mark, test.at); err != nil {
						t.Fatal(err)
					}
					if err := f.Close(); err != nil {
						t.Fatal(err)
					}
				}
				cmd := exec.Command("sh", "-c", `. "$0" >/dev/null 2>&1; look "$1"; if dirty; then echo DIRTY; repair; fi`, filepath.Join(filepath.Dir(b.script), "mimpi-kiosk-usb"), device)
				cmd.Env = append(os.Environ(), "MIMPI_KIOSK_USB="+b.dir, "MIMPI_KIOSK_USER=root", "MIMPI_KIOSK_USB_SOURCED=1")
				out, _ := cmd.CombinedOutput() // fsck says by its code that it repaired something
				said := string(out)
				if strings.Contains(said, "DIRTY") != dirty || strings.Contains(said, "repairing with "+test.repair) != dirty {
					t.Errorf("dirty: %t, said:\n%s", dirty, said)
				}
				if !dirty {
					continue
				}
				again := exec.Command("sh", "-c", `. "$0" >/dev/null 2>&1; look "$1"; dirty`, filepath.Join(filepath.Dir(b.script), "mimpi-kiosk-usb"), device)
				again.Env = cmd.Env
				if err := again.Run(); err == nil {
					t.Errorf("it is dirty still:\n%s", said)
				}
			}
		})
	}
}
