package signin

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func put(t *testing.T, path, content string, modified time.Time) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, modified, modified); err != nil {
		t.Fatal(err)
	}
}

func reset(t *testing.T, k *Keeper, path string, want bool) {
	t.Helper()
	got, err := k.Reset(path)
	if err != nil || got != want {
		t.Fatalf("reset: %v, %v, want %v", got, err, want)
	}
}

func TestReset(t *testing.T) {
	dir, path := t.TempDir(), filepath.Join(t.TempDir(), "reset-pin")
	made := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	k := open(t, dir)
	for range 2 { // the very same file has to work again when it was really deleted
		pass, err := k.SetPIN(kiosk, "", rightPIN)
		if err != nil {
			t.Fatal(err)
		}
		session := withCookies(t, k, pass)
		for range 5 {
			verify(t, k, phone, wrongPIN)
		}
		reset(t, k, path, false)
		if !k.SignedIn(session) {
			t.Fatal("no file, and yet the session ended")
		}
		put(t, path, "", made)
		reset(t, k, path, true)
		if k.PINSet() || k.SignedIn(session) || k.LockedFor(phone) != 0 || len(k.Notes()) != 0 {
			t.Errorf("PIN set %v, signed in %v, locked %v, notes %v", k.PINSet(), k.SignedIn(session), k.LockedFor(phone), k.Notes())
		}
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			t.Errorf("the file is still there: %v", err)
		}
		k = open(t, dir)
		if k.PINSet() {
			t.Error("the PIN came back after a restart")
		}
		if got := verify(t, k, phone, rightPIN); got != NoPIN {
			t.Errorf("old PIN: %q", got)
		}
	}
}

// asNobody runs f on a thread that has no rights of root on files, so that a
// directory that may not be written really may not.
func asNobody(t *testing.T, dirs []string, f func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		f()
		return
	}
	const nobody = 65534
	for _, d := range dirs {
		if err := os.Chmod(filepath.Dir(d), 0o755); err != nil { // made by t.TempDir for root only
			t.Fatal(err)
		}
		if err := filepath.WalkDir(d, func(p string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(p, nobody, nobody)
		}); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0)
		f()
	}()
	<-done
}

func TestResetFileThatCannotBeDeleted(t *testing.T) {
	dir, boot := t.TempDir(), t.TempDir()
	path := filepath.Join(boot, "reset-pin")
	made := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	withPIN(t, dir)
	put(t, path, "", made)
	lock := func(mode os.FileMode) {
		if err := os.Chmod(boot, mode); err != nil {
			t.Error(err)
		}
	}
	lock(0o555)
	defer lock(0o755)
	check := func(k *Keeper, want bool) {
		t.Helper()
		got, err := k.Reset(path)
		if err != nil || got != want {
			t.Errorf("reset: %v, %v, want %v", got, err, want)
		}
		if n := k.Notes(); len(n) != 1 || !strings.Contains(n[0]["en"], "Delete it yourself") || !strings.Contains(n[0]["id"], "reset-pin") {
			t.Errorf("notes: %v", n)
		}
	}
	asNobody(t, []string{dir, boot}, func() {
		k := open(t, dir)
		check(k, true)
		if k.PINSet() {
			t.Error("the PIN is still set")
		}
		if _, err := k.SetPIN(kiosk, "", rightPIN); err != nil {
			t.Error(err)
		}
		check(k, false) // at the next sign-in page
		k = open(t, dir)
		check(k, false) // at the next start
		if !k.PINSet() {
			t.Error("the file worked twice")
		}
		// Another content, another time: another wish.
		lock(0o755)
		put(t, path, "please", made)
		lock(0o555)
		check(k, true)
		if _, err := k.SetPIN(kiosk, "", rightPIN); err != nil {
			t.Error(err)
		}
		lock(0o755)
		put(t, path, "please", made.Add(2*time.Second))
		lock(0o555)
		check(k, true)
		if _, err := k.SetPIN(kiosk, "", rightPIN); err != nil {
			t.Error(err)
		}
		// Deleted by a person: all is well.
		lock(0o755)
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
		if got, err := k.Reset(path); got || err != nil || len(k.Notes()) != 0 || !k.PINSet() {
			t.Errorf("%v, %v, notes %v", got, err, k.Notes())
		}
	})
}

// A FAT directory may show a deleted file again after a power cut.
func TestResetFileThatComesBack(t *testing.T) {
	dir, boot := t.TempDir(), t.TempDir()
	path := filepath.Join(boot, "reset-pin")
	made := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	k, _ := withPIN(t, dir)
	put(t, path, "", made)
	id, err := identify(path)
	if err != nil {
		t.Fatal(err)
	}
	// As if power had failed after the PIN was removed and a new one set, with the
	// deletion lost.
	s := *k.state.Load()
	s.ResetSeen = &id
	if err := k.save(&s); err != nil {
		t.Fatal(err)
	}
	k = open(t, dir)
	reset(t, k, path, false)
	if !k.PINSet() {
		t.Error("the file worked twice")
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Error("the file was not deleted at the second look")
	}
}

func TestResetThatCannotBeSaved(t *testing.T) {
	dir, path := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "reset-pin")
	k, pass := withPIN(t, dir)
	put(t, path, "", time.Now())
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Reset(path); err == nil || got {
		t.Errorf("%v, %v", got, err)
	}
	if !k.PINSet() || !k.SignedIn(withCookies(t, k, pass)) {
		t.Error("the PIN is gone, but only until the next start")
	}
	if _, err := os.Lstat(path); err != nil {
		t.Errorf("the file: %v", err)
	}
}

func TestResetByOtherThingsThanFiles(t *testing.T) {
	k, _ := withPIN(t, t.TempDir())
	boot := t.TempDir()
	folder, link := filepath.Join(boot, "folder"), filepath.Join(boot, "link")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{folder, link} {
		if got, err := k.Reset(path); got || err == nil || !strings.Contains(err.Error(), "plain file") {
			t.Errorf("%s: %v, %v", path, got, err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("deleted: %v", err)
		}
	}
	if got, err := k.Reset(""); got || err != nil {
		t.Errorf("no path: %v, %v", got, err)
	}
	if !k.PINSet() {
		t.Error("the PIN is gone")
	}
}
