package export

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mimpi-kiosk/internal/lab/faultfs"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// oneEvening is a journal of an evening, and the same one changed: its folder is replaced and gets
// another name.
func oneEvening() (before, after made) {
	k := journaltest.Evenings(9, 1, 25)
	before = made{events: k.Events}
	details := k.State.Screening.Details
	details.Venue = "Tempat lain"
	k.Do(screening.FromFacilitator, screening.EditDetails{Details: details})
	return before, made{events: k.Events}
}

// TestNoFailureOfAStickIsKeptBack has each call to a stick fail in turn. The export says it, or all
// is there although a call failed; what stands there is whole; and the next export puts it right.
func TestNoFailureOfAStickIsKeptBack(t *testing.T) {
	key := newKey(t)
	before, after := oneEvening()
	opts := Options{Rehearsals: true, Key: key}
	whole := func(src ...made) map[string]string {
		dir := t.TempDir()
		for _, s := range src {
			if _, err := Write(t.Context(), s, dir, opts); err != nil {
				t.Fatal(err)
			}
		}
		return faultfs.Files(t, dir)
	}
	first, last := whole(before), whole(before, after)
	faultfs.Each(t, syscall.EIO, func(t *testing.T, dir string) func() error {
		if _, err := Write(t.Context(), before, dir, opts); err != nil {
			t.Fatal(err)
		}
		return func() error {
			_, err := Write(t.Context(), after, dir, opts)
			return err
		}
	}, func(t *testing.T, dir string, failed faultfs.Call, err error) {
		now := faultfs.Files(t, dir)
		if err == nil {
			if diff := cmp.Diff(last, now); diff != "" {
				t.Errorf("%s failed, nothing was said, and the stick is not as it should be (-want +got):\n%s", failed, diff)
			}
		} else if !errors.Is(err, syscall.EIO) && !errors.Is(err, ErrNotKept) {
			t.Errorf("%s failed: %v", failed, err)
		}
		for file, content := range now {
			if strings.Contains(file, "/.") || strings.HasPrefix(file, ".") {
				continue // half written or replaced; the next export clears it away
			}
			if content != first[file] && content != last[file] {
				t.Errorf("%s failed: %s is neither the earlier nor the new one", failed, file)
			}
		}
		if _, err := Write(t.Context(), after, dir, opts); err != nil {
			t.Errorf("the next export: %v", err)
		}
		if diff := cmp.Diff(last, faultfs.Files(t, dir)); diff != "" {
			t.Errorf("after the next export (-want +got):\n%s", diff)
		}
	})
}

// TestNoFailureOfOneFileIsKeptBack is the same of a single file that is put beside the folders.
func TestNoFailureOfOneFileIsKeptBack(t *testing.T) {
	for name, earlier := range map[string]string{"no file": "", "an earlier file": "old"} {
		t.Run(name, func(t *testing.T) {
			faultfs.Each(t, syscall.EIO, func(t *testing.T, dir string) func() error {
				if earlier != "" {
					if err := PutFile(dir, "log/box.txt", []byte(earlier)); err != nil {
						t.Fatal(err)
					}
				}
				return func() error { return PutFile(dir, "log/box.txt", []byte("new")) }
			}, func(t *testing.T, dir string, failed faultfs.Call, err error) {
				content := faultfs.Files(t, dir)["log/box.txt"]
				if err == nil && content != "new" {
					t.Errorf("%s failed, nothing was said, and the file holds %q", failed, content)
				}
				if err != nil && (!errors.Is(err, syscall.EIO) || content != earlier && content != "new") {
					t.Errorf("%s failed: %v; the file holds %q", failed, err, content)
				}
			})
		})
	}
}

// TestWhatIsExportedOutlastsAPowerCut looks at the syncs: nothing has its final name before its
// content is on the disk, and no name is left to chance.
func TestWhatIsExportedOutlastsAPowerCut(t *testing.T) {
	d := faultfs.Mount(t)
	before, after := oneEvening()
	for name, do := range map[string]func(dir string) error{
		"export": func(dir string) error {
			for _, src := range []made{before, after} {
				if _, err := Write(t.Context(), src, dir, Options{Rehearsals: true, Key: newKey(t)}); err != nil {
					return err
				}
			}
			return nil
		},
		"one file":    func(dir string) error { return PutFile(dir, "box.txt", []byte("x")) },
		"signing key": func(dir string) error { _, err := OpenKey(filepath.Join(dir, "signing.key")); return err },
	} {
		dir := d.Folder(t)
		d.Fail(nil)
		if err := do(dir); err != nil {
			t.Fatal(err)
		}
		if lost := d.Unsynced(); len(lost) > 0 || len(d.Calls()) == 0 {
			t.Errorf("%s: a power cut takes %q", name, lost)
		}
	}
}

// TestNoHalfKey has each call to the disk fail while the kiosk makes its signing key: there is no
// key then, or the next start finds the one that was made.
func TestNoHalfKey(t *testing.T) {
	var got *Key
	faultfs.Each(t, syscall.EIO, func(t *testing.T, dir string) func() error {
		return func() (err error) {
			got, err = OpenKey(filepath.Join(dir, "signing.key"))
			return err
		}
	}, func(t *testing.T, dir string, failed faultfs.Call, err error) {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%s failed: %v", failed, err)
		}
		made := got
		again, err := OpenKey(filepath.Join(dir, "signing.key"))
		if err != nil || made != nil && made.Public() != again.Public() {
			t.Errorf("%s failed; then: %v", failed, err)
		}
	})
}

// What the system says of a protected stick comes under two names.
func TestProtectedSticksAreKnown(t *testing.T) {
	before, _ := oneEvening()
	for _, errno := range []syscall.Errno{syscall.EACCES, syscall.EPERM, syscall.EROFS} {
		d := faultfs.Mount(t)
		d.Fail(func(_ int, c faultfs.Call) syscall.Errno {
			if c.Kind == faultfs.Mkdir || c.Kind == faultfs.Create {
				return errno
			}
			return 0
		})
		_, err := Write(t.Context(), before, d.Dir, Options{Rehearsals: true})
		if !IsProtected(err) || !strings.Contains(err.Error(), "Remove the write protection") {
			t.Errorf("%v: %v", errno, err)
		}
		if err := PutFile(d.Dir, "box.txt", []byte("x")); !IsProtected(err) || !strings.Contains(err.Error(), "Remove the write protection") {
			t.Errorf("%v, one file: %v", errno, err)
		}
	}
	if IsProtected(os.ErrNotExist) || IsProtected(syscall.EIO) {
		t.Error("any error is taken for write protection")
	}
}
