package export

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// exportForEver is the variable that turns the test program into the child of
// TestKilledInTheMiddle: it exports two different journals into the same place, one
// after the other, for ever.
const exportForEver = "MIMPI_TEST_EXPORT_FOR_EVER"

func twoJournals() (before, after made) {
	k := journaltest.Evenings(9, 3, 60)
	before = made{events: k.Events}
	details := k.State.Screening.Details
	details.Venue = "Tempat lain"
	k.Do(screening.FromFacilitator, screening.EditDetails{Details: details})
	return before, made{events: k.Events}
}

func exportTwoThings(dir string) {
	one, two := twoJournals()
	fmt.Println("begun")
	for {
		for _, src := range []made{one, two} {
			if _, err := Write(context.Background(), src, dir, Options{Rehearsals: true}); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		}
	}
}

func TestKilledInTheMiddle(t *testing.T) {
	dir := t.TempDir()
	kiosk := filepath.Join(dir, Top, "kiosk-1")
	left := 0
	for n := range 12 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), exportForEver+"="+dir)
		child.Stderr = os.Stderr
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 8))
		time.Sleep(time.Duration(rand.IntN(40000)+5000) * time.Microsecond)
		child.Process.Kill()
		child.Wait()
		if code := child.ProcessState.ExitCode(); code != -1 {
			t.Fatalf("the child ended by itself (%d) before kill %d", code, n+1)
		}
		entries, err := os.ReadDir(kiosk)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), ".") {
				left++
				continue
			}
			checksums(t, filepath.Join(kiosk, e.Name()))
		}
	}
	if left == 0 {
		t.Log("no kill met an export in the middle of a folder")
	}
	_, src := twoJournals()
	folders, err := Write(t.Context(), src, dir, Options{Rehearsals: true})
	if err != nil || len(folders) != 3 {
		t.Fatalf("%v %v", folders, err)
	}
	entries, err := os.ReadDir(kiosk)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			t.Errorf("%s was not cleared away", e.Name())
		}
	}
	if len(entries) != 3 {
		t.Errorf("%d folders, want 3", len(entries))
	}
}

func TestFullStick(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Skipf("cannot mount a small disk here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	src := made{events: journaltest.Evenings(10, 6, 400).Events}
	folders, err := Write(t.Context(), src, dir, Options{Rehearsals: true})
	if err == nil || !strings.Contains(err.Error(), "is full") {
		t.Fatalf("%d folders on a small stick: %v", len(folders), err)
	}
	if len(folders) == 0 || !strings.HasSuffix(folders[0], "_s6") {
		t.Errorf("the newest is not the first: %v", folders)
	}
	entries, err := os.ReadDir(filepath.Join(dir, Top, "kiosk-1"))
	if err != nil || len(entries) != len(folders) {
		t.Errorf("%d entries, %d folders written (%v)", len(entries), len(folders), err)
	}
	for _, f := range folders {
		checksums(t, f)
	}
}

func TestPlaceThatCannotBeWritten(t *testing.T) {
	src := made{events: goldenEvening().Events}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, Top), []byte("a file is in the way"), 0o644); err != nil {
		t.Fatal(err)
	}
	if folders, err := Write(t.Context(), src, dir, Options{}); err == nil || len(folders) != 0 {
		t.Errorf("%v %v", folders, err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_RDONLY, ""); err != nil {
		t.Skipf("cannot mount a read-only disk here: %v", err)
	}
	defer syscall.Unmount(dir, 0)
	if _, err := Write(t.Context(), src, dir, Options{}); err == nil || !strings.Contains(err.Error(), "write protection") {
		t.Errorf("a read-only disk gave %v", err)
	}
}
