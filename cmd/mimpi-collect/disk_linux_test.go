package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mimpi-kiosk/internal/lab/faultfs"
)

// TestAReportThatCannotBeWrittenIsNoSuccess: the report is open in Excel, or the disk fails.
func TestAReportThatCannotBeWrittenIsNoSuccess(t *testing.T) {
	from, d := stick(t, 2), faultfs.Mount(t)
	for errno, advice := range map[syscall.Errno]string{syscall.EACCES: "Tutup dulu berkas itu di Excel", syscall.EPERM: "Tutup dulu berkas itu di Excel", syscall.EIO: "tidak bisa ditulis", syscall.ENOSPC: "tidak bisa ditulis"} {
		for _, kind := range []string{faultfs.Create, faultfs.Write, faultfs.Rename} {
			for _, flag := range []string{"-o", "--xlsform", "--dhis2"} {
				dir := d.Folder(t)
				report := filepath.Join(dir, "laporan.xlsx")
				args := []string{from, flag, report}
				if flag == "--dhis2" {
					mapping := filepath.Join(t.TempDir(), "mapping.json")
					if err := os.WriteFile(mapping, []byte(`{"period":"daily","dataElements":{"attendance":"attendance1"}}`), 0o644); err != nil {
						t.Fatal(err)
					}
					args = append(args, "--dhis2-mapping", mapping)
				}
				if err := os.WriteFile(report, []byte("the earlier report"), 0o644); err != nil {
					t.Fatal(err)
				}
				d.Fail(func(_ int, c faultfs.Call) syscall.Errno {
					if c.Kind == kind {
						return errno
					}
					return 0
				})
				code, said, wrong := try(t, nil, args...)
				d.Fail(nil)
				if code != exitFailed || !strings.Contains(wrong, advice) || strings.Contains(said, "Ditulis") {
					t.Errorf("%s fails with %v: code %d; it said\n%s%s", kind, errno, code, said, wrong)
				}
				if content, err := os.ReadFile(report); err != nil || string(content) != "the earlier report" {
					t.Errorf("%s fails with %v: the earlier report is no more (%v)", kind, errno, err)
				}
			}
		}
	}
}
