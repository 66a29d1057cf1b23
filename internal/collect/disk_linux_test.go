package collect

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mimpi-kiosk/internal/lab/faultfs"
)

// TestNoFailureOfTheDiskIsKeptBack has each call to the disk fail in turn, for every way to
// write. The error comes back and says what to do, and an earlier report is whole.
func TestNoFailureOfTheDiskIsKeptBack(t *testing.T) {
	stick, _ := evenings(t, 3)
	r := collect(t, Options{}, stick)
	m, err := ReadMapping(strings.NewReader(`{"period":"daily","dataElements":{"attendance":"attendance1"}}`))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string) func(dir string) error {
		return func(dir string) error { _, err := Write(filepath.Join(dir, name), r, Output{Made: made}); return err }
	}
	for name, operation := range map[string]func(dir string) error{
		"laporan.xlsx": write("laporan.xlsx"), "laporan.csv": write("laporan.csv"), "laporan.html": write("laporan.html"), "laporan.json": write("laporan.json"),
		"dhis2.json":         func(dir string) error { return WriteDHIS2(filepath.Join(dir, "dhis2.json"), r, m) },
		"formulir-kobo.xlsx": func(dir string) error { return WriteForm(filepath.Join(dir, "formulir-kobo.xlsx")) },
		"hasil": func(dir string) error {
			_, err := Write(filepath.Join(dir, "hasil"), r, Output{DHIS2: m, Made: made})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			for errno, advice := range map[syscall.Errno]string{syscall.EIO: "cannot be written", syscall.EACCES: "Close it in Excel first"} {
				faultfs.Each(t, errno, func(t *testing.T, dir string) func() error {
					if strings.Contains(name, ".") {
						if err := os.WriteFile(filepath.Join(dir, name), []byte("the earlier report"), 0o644); err != nil {
							t.Fatal(err)
						}
					}
					return func() error { return operation(dir) }
				}, func(t *testing.T, dir string, failed faultfs.Call, err error) {
					if !errors.Is(err, errno) || !strings.Contains(err.Error(), advice) {
						t.Errorf("%s failed: %v, want %q in it", failed, err, advice)
					}
					files := faultfs.Files(t, dir)
					if strings.Contains(name, ".") && files[name] != "the earlier report" {
						t.Errorf("%s failed: the earlier report is no more", failed)
					}
					for file := range files {
						if strings.Contains(file, ".mimpi-") && failed.Kind != faultfs.Unlink && !strings.Contains(t.Name(), "all_later") {
							t.Errorf("%s failed: %s is left", failed, file)
						}
					}
				})
			}
		})
	}
}
