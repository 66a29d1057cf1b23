package faultfs

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// save writes a file beside its place and renames it; sync says which syncs it makes.
func save(dir string, syncs ...string) error {
	tmp, name := filepath.Join(dir, "tmp"), filepath.Join(dir, "name")
	f, err := os.Create(tmp)
	if err != nil {
		return err
	}
	_, err = f.WriteString("content")
	if err == nil && slices.Contains(syncs, "file") {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp, name); err != nil || !slices.Contains(syncs, "folder") {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func TestWhatIsNotSyncedIsNamed(t *testing.T) {
	d := Mount(t)
	for syncs, want := range map[string]string{
		"file folder": "", "file": "name: its name was not synced", "folder": "name: its content was not synced before",
	} {
		dir := d.Folder(t)
		d.Fail(nil)
		if err := save(dir, strings.Fields(syncs)...); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(d.Unsynced(), ";"); got != want {
			t.Errorf("with syncs of %s: %q, want %q", syncs, got, want)
		}
	}
}

func TestEveryCallFailsOnce(t *testing.T) {
	var failed []string
	Each(t, syscall.EIO, func(t *testing.T, dir string) func() error {
		return func() error { return save(dir, "file", "folder") }
	}, func(t *testing.T, dir string, c Call, err error) {
		failed = append(failed, c.Kind)
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("%v", err)
		}
	})
	want := []string{Create, Create, Write, Write, Sync, Sync, Close, Close, Rename, Rename, List, List, SyncDir, SyncDir}
	if !slices.Equal(failed, want) {
		t.Errorf("failed %q, want %q", failed, want)
	}
}
