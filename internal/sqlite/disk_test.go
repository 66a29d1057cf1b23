package sqlite

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

func TestFullDatabaseIsARefusalAndPasses(t *testing.T) {
	k := journaltest.Evenings(1, 2, 600)
	j := mustOpen(t, newPath(t))
	half := k.Events[:len(k.Events)/2]
	if err := j.Append(t.Context(), half); err != nil {
		t.Fatal(err)
	}
	if _, err := j.write.Exec(`PRAGMA max_page_count = 1`); err != nil { // no page more than there are
		t.Fatal(err)
	}
	rest := k.Events[len(half):]
	var f *Fault
	for range 3 {
		err := j.Append(t.Context(), rest)
		if !errors.Is(err, screening.ErrRefusedByDisk) || !errors.As(err, &f) || f.Reason != Full {
			t.Fatalf("got %v, want %s", err, Full)
		}
		if n := len(allEvents(t, j)); n != len(half) {
			t.Fatalf("%d events after the refusal, want %d", n, len(half))
		}
	}
	if _, err := j.write.Exec(`PRAGMA max_page_count = 1000000`); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(t.Context(), rest); err != nil {
		t.Fatalf("the same connection does not work again: %v", err)
	}
	if n := len(allEvents(t, j)); n != len(k.Events) {
		t.Errorf("%d events, want %d", n, len(k.Events))
	}
}

func allEvents(t *testing.T, j *Journal) []string {
	t.Helper()
	return table(t, j.read, `SELECT seq FROM events`)
}

func TestLockedByTheShellIsARefusal(t *testing.T) {
	path := filled(t, nil)
	j := mustOpen(t, path)
	db, err := connect(t.Context(), dsn(path, false, wal), 1)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.write.Exec(`PRAGMA busy_timeout = 10`); err != nil {
		t.Fatal(err)
	}
	err = j.Probe(t.Context())
	var f *Fault
	if !errors.Is(err, screening.ErrRefusedByDisk) || !errors.As(err, &f) || f.Reason != Busy {
		t.Errorf("got %v, want %s", err, Busy)
	}
	tx.Rollback()
	if err := j.Probe(t.Context()); err != nil {
		t.Errorf("it does not work again: %v", err)
	}
}

func TestReasons(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Reason
	}{
		{sqlite3.Error{Code: sqlite3.ErrFull}, Full},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: 4874, SystemErrno: syscall.ENOSPC}, Full},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrWrite, SystemErrno: syscall.EROFS}, ReadOnly},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrFsync, SystemErrno: syscall.ENOSPC}, Unusable},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrFsync, SystemErrno: syscall.EIO}, Unusable},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrWrite, SystemErrno: syscall.EIO}, Unusable},
		{sqlite3.Error{Code: sqlite3.ErrIoErr, ExtendedCode: sqlite3.ErrIoErrRead, SystemErrno: syscall.EIO}, Damaged},
		{sqlite3.Error{Code: sqlite3.ErrReadonly}, ReadOnly},
		{sqlite3.Error{Code: sqlite3.ErrReadonly, ExtendedCode: sqlite3.ErrReadonlyDbMoved}, Unusable},
		{sqlite3.Error{Code: sqlite3.ErrCantOpen, SystemErrno: syscall.EROFS}, ReadOnly},
		{sqlite3.Error{Code: sqlite3.ErrCantOpen, SystemErrno: syscall.EMFILE}, Unusable},
		{sqlite3.Error{Code: sqlite3.ErrConstraint}, Unusable},
		{&os.PathError{Op: "open", Err: syscall.ENOSPC}, Full},
		{errors.New("something else"), Unusable},
	} {
		var f *Fault
		if err := classify("/j.db", c.err); !errors.As(err, &f) || f.Reason != c.want || !errors.Is(err, c.err) {
			t.Errorf("%#v became %v, want %s", c.err, err, c.want)
		}
	}
	if err := classify("/j.db", context.Canceled); err != context.Canceled {
		t.Errorf("a context's error became %v", err)
	}
}

// smallDisk mounts a file system of its own size.
func smallDisk(t *testing.T, options string) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("cannot mount a small disk here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	f, err := os.CreateTemp(dir, "filler")
	if err != nil {
		t.Fatal(err)
	}
	for block := 1 << 16; block > 0; block /= 16 {
		for err = nil; err == nil; {
			_, err = f.Write(bytes.Repeat([]byte{1}, block))
		}
	}
	f.Close()
	return func() { os.Remove(f.Name()) }
}

func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "size=24m")
	path := filepath.Join(dir, "journal.db")
	k := journaltest.Evenings(1, 2, 600)
	j := mustOpen(t, path)
	half := len(k.Events) / 2
	if err := j.Append(t.Context(), k.Events[:half]); err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(reservePath(path)); err != nil || i.Size() != reserveSize {
		t.Fatalf("no reserve was made: %v", err)
	}
	free := fill(t, dir)
	err := j.Append(t.Context(), k.Events[half:])
	if !errors.Is(err, screening.ErrRefusedByDisk) {
		t.Fatalf("got %v on a full disk", err)
	}
	if n := len(allEvents(t, j)); n != half {
		t.Fatalf("%d events, want %d", n, half)
	}
	free()
	j.Close() // in order: SQLite removes its log and shared index
	free = fill(t, dir)

	// A start on a full disk: what is there can be read, thanks to the reserve.
	j = mustOpen(t, path)
	if _, err := os.Stat(reservePath(path)); err == nil {
		t.Error("the reserve is still there")
	}
	if n := len(allEvents(t, j)); n != half {
		t.Fatalf("%d events after a start on a full disk, want %d", n, half)
	}
	alsoFree := fill(t, dir) // what the reserve gave
	if err := j.Append(t.Context(), k.Events[half:]); !errors.Is(err, screening.ErrRefusedByDisk) {
		t.Fatalf("got %v on a full disk", err)
	}
	free()
	alsoFree()
	if err := j.Append(t.Context(), k.Events[half:]); err != nil {
		t.Fatalf("with space again: %v", err)
	}
	if err := j.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i, err := os.Stat(reservePath(path)); err != nil || i.Size() != reserveSize {
		t.Errorf("the reserve was not made again: %v", err)
	}
	if n := len(allEvents(t, j)); n != len(k.Events) {
		t.Errorf("%d events, want %d", n, len(k.Events))
	}
	j.Close()
}

func TestReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, "size=24m")
	path := filepath.Join(dir, "journal.db")
	k := journaltest.Evenings(1, 1, 100)
	j := mustOpen(t, path)
	if err := j.Append(t.Context(), k.Events); err != nil {
		t.Fatal(err)
	}
	j.Close()
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, ""); err != nil {
			t.Fatal(err)
		}
	}
	remount(syscall.MS_RDONLY)
	_, err := Open(t.Context(), path)
	var f *Fault
	if !errors.Is(err, screening.ErrRefusedByDisk) || !errors.As(err, &f) || f.Reason != ReadOnly {
		t.Errorf("got %v, want %s", err, ReadOnly)
	}
	remount(0)
	if n := len(replay(t, mustOpen(t, path))); n == 0 {
		t.Error("nothing is there any more")
	}
}
