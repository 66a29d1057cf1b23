package pack

import (
	"crypto/rand"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"aead.dev/minisign"
	"github.com/google/go-cmp/cmp"

	"mimpi-kiosk/internal/lab/faultfs"
)

// TestNoFailureWhileAPackIsChangedIsKeptBack has each call to the card fail in turn: what is
// written on success is whole, after an error the pack can still be read, each file of it is as
// it was or as it should be, and another try puts it right.
func TestNoFailureWhileAPackIsChangedIsKeptBack(t *testing.T) {
	_, key, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	film := filepath.Join(t.TempDir(), "baru.mp4")
	if err := os.WriteFile(film, []byte("a new film"), 0o644); err != nil {
		t.Fatal(err)
	}
	files := goodPack()
	files["film/film.mp4"], files[SumsFile], files[SignatureFile] = "the earlier film", "", "old"
	put := func(t *testing.T, dir string) {
		if err := os.CopyFS(dir, os.DirFS(write(t, files))); err != nil {
			t.Fatal(err)
		}
		if _, err := WriteSums(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(dir string) error{
		"language": func(dir string) error { _, _, err := WriteLanguage(dir, "tet", []byte(`{"a": "b"}`)); return err },
		"film":     func(dir string) error { _, err := AddFilm(t.Context(), dir, film, nil); return err },
		"sums":     func(dir string) error { _, err := WriteSums(t.Context(), dir); return err },
		"sign":     func(dir string) error { return Sign(t.Context(), dir, key) },
	} {
		t.Run(name, func(t *testing.T) {
			was, want := t.TempDir(), t.TempDir()
			put(t, was)
			put(t, want)
			if err := change(want); err != nil {
				t.Fatal(err)
			}
			before, after := faultfs.Files(t, was), seen(faultfs.Files(t, want))
			kinds := []string{faultfs.Create, faultfs.Write, faultfs.Sync, faultfs.Resize, faultfs.Rename, faultfs.Unlink, faultfs.Mkdir, faultfs.SyncDir}
			if name == "film" {
				kinds = append(kinds, faultfs.Read) // it is read back
			}
			faultfs.Each(t, syscall.EIO, func(t *testing.T, dir string) func() error {
				put(t, dir)
				return func() error { return change(dir) }
			}, func(t *testing.T, dir string, failed faultfs.Call, err error) {
				now := faultfs.Files(t, dir)
				if err == nil {
					if diff := cmp.Diff(after, seen(now)); diff != "" {
						t.Errorf("%s failed, nothing was said, and the pack is not as it should be (-want +got):\n%s", failed, diff)
					}
				} else if !errors.Is(err, syscall.EIO) && !isMistake(err) {
					t.Errorf("%s failed: %v", failed, err)
				}
				for _, file := range slices.Sorted(maps.Keys(now)) {
					if strings.HasPrefix(filepath.Base(file), ".") {
						if failed.Kind != faultfs.Unlink && !strings.Contains(t.Name(), "all_later") {
							t.Errorf("%s failed: %s is left", failed, file)
						}
						continue
					}
					if now[file] != before[file] && now[file] != after[file] {
						t.Errorf("%s failed: %s is neither as it was nor as it should be: %q", failed, file, now[file])
					}
				}
				if _, err := Load(dir); err != nil {
					t.Errorf("%s failed, and the pack cannot be read any more: %v", failed, err)
				}
				if err := change(dir); err != nil {
					t.Errorf("another try: %v", err)
				}
				if diff := cmp.Diff(after, seen(faultfs.Files(t, dir))); diff != "" {
					t.Errorf("after another try (-want +got):\n%s", diff)
				}
			}, kinds...)
		})
	}
}

// seen leaves out the files that a broken change left under passing names.
func seen(files map[string]string) map[string]string {
	out := maps.Clone(files)
	maps.DeleteFunc(out, func(name, _ string) bool { return strings.HasPrefix(filepath.Base(name), ".") })
	return out
}

func isMistake(err error) bool { return len(mistakesIn(err)) > 0 }

// TestAPackOutlastsAPowerCut looks at the syncs.
func TestAPackOutlastsAPowerCut(t *testing.T) {
	film := filepath.Join(t.TempDir(), "baru.mp4")
	if err := os.WriteFile(film, []byte("a new film"), 0o644); err != nil {
		t.Fatal(err)
	}
	d := faultfs.Mount(t)
	dir := d.Folder(t)
	if err := os.CopyFS(dir, os.DirFS(write(t, goodPack()))); err != nil {
		t.Fatal(err)
	}
	d.Fail(nil)
	if _, err := AddFilm(t.Context(), dir, film, nil); err != nil {
		t.Fatal(err)
	}
	if lost := d.Unsynced(); len(lost) > 0 {
		t.Errorf("a power cut takes %q", lost)
	}
}
