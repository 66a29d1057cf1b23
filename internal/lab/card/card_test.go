package card

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// qemuIO lets QEMU's own client work on a card.
func qemuIO(t *testing.T, c *Card, commands ...string) {
	t.Helper()
	address, take, err := c.Offer()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-f", "raw", "-t", "writeback"}
	for _, command := range commands {
		args = append(args, "-c", command)
	}
	err = exec.Command("qemu-io", append(args, address)...).Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // "abort" is no way to end
		t.Fatalf("%v (make runs the tests in a Debian that has it)", err)
	}
	if err := take(); err != nil {
		t.Error(err)
	}
}

func sectors(c *Card) string {
	content, out := c.Content(), ""
	for i := 0; i < len(content); i += sector {
		if content[i] != content[i+sector-1] {
			return "a torn sector"
		}
		out += string(content[i])
	}
	return out
}

func TestACutKeepsWhatWasFlushed(t *testing.T) {
	seen := map[string]bool{}
	before := New(bytes.Repeat([]byte{'.'}, 4*sector))
	qemuIO(t, before, "write -P 0x61 0 1024", "flush", "write -P 0x62 512 1024", "write -P 0x63 512 512", "abort")
	for seed := range uint64(200) {
		c := &Card{durable: before.Content(), cached: maps.Clone(before.cached)}
		cached, old := c.Cut(rand.New(rand.NewPCG(seed, 0)))
		got := sectors(c)
		if got[0] != 'a' || got[3] != '.' || cached != 2 {
			t.Fatalf("seed %d: the card has %q, %d sectors were cached", seed, got, cached)
		}
		if (got == "acb.") != (old == 0) {
			t.Errorf("seed %d: the card has %q, and %d old sectors", seed, got, old)
		}
		seen[got] = true
	}
	for _, want := range []string{"aa..", "aab.", "ab..", "abb.", "ac..", "acb."} {
		if !seen[want] {
			t.Errorf("200 cuts never left %q: %v", want, seen)
		}
	}
}

func TestACardGoesDeadInTheMiddle(t *testing.T) {
	c := New(bytes.Repeat([]byte{'.'}, 4*sector))
	gone := c.AfterWrites(2)
	qemuIO(t, c, "write -P 0x61 0 512", "write -P 0x62 512 512", "write -P 0x63 1024 512", "flush", "abort")
	select {
	case <-gone:
	default:
		t.Fatal("it did not go")
	}
	if cached, _ := c.Cut(rand.New(rand.NewPCG(1, 0))); cached != 2 || c.Flushes() != 0 {
		t.Errorf("%d sectors are cached, %d flushes", cached, c.Flushes())
	}
}

func TestARecordingIsCutAtEachFlush(t *testing.T) {
	c := New(bytes.Repeat([]byte{'.'}, 4*sector))
	qemuIO(t, c, "write -P 0x61 0 512", "flush")
	c.Record()
	qemuIO(t, c, "write -P 0x62 512 512", "flush", "write -P 0x63 0 512", "write -P 0x64 1024 512", "flush", "write -P 0x65 1536 512", "abort")
	if n := c.Operations(); n != 6 {
		t.Errorf("%d operations", n)
	}
	r := c.Recording()
	if r.Flushes() != 2 || c.Recording() != nil || c.Operations() != 0 {
		t.Errorf("%d flushes; it still records: %v", r.Flushes(), c.Operations())
	}
	all := func(int) bool { return true }
	torn := map[string]bool{}
	for seed := range uint64(200) {
		var whole []string
		for p := range r.Points(rand.New(rand.NewPCG(seed, 0)), all) {
			got := sectors(New(p.Content))
			if p.Torn {
				torn[fmt.Sprint(p.Operations, got)] = true
			} else {
				whole = append(whole, fmt.Sprint(p.Operations, got))
			}
		}
		if want := []string{"2ab..", "5cbd."}; !slices.Equal(whole, want) {
			t.Fatalf("flushed were %q, want %q", whole, want)
		}
	}
	want := []string{"3ab..", "3cb..", "4ab..", "4abd.", "4cb..", "4cbd.", "6cbd.", "6cbde"}
	if got := slices.Sorted(maps.Keys(torn)); !slices.Equal(got, want) {
		t.Errorf("torn were %q, want %q", got, want)
	}
	for p := range r.Points(rand.New(rand.NewPCG(1, 0)), func(flush int) bool { return flush == 1 }) {
		if p.Operations < 5 {
			t.Errorf("a point after %d operations was not wanted", p.Operations)
		}
	}
}

func TestFilesAreTakenFromACard(t *testing.T) {
	folder := t.TempDir()
	c, err := Ext4(t.Context(), 8<<20, folder)
	if err != nil {
		t.Fatal(err)
	}
	image, note := filepath.Join(folder, "image"), filepath.Join(folder, "note")
	if err := errors.Join(os.WriteFile(image, c.Content(), 0o600), os.WriteFile(note, []byte("kept"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("debugfs", "-w", "-R", "write "+note+" taken", image).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	content, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Files(t.Context(), content, folder, "taken", "nothing"); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(folder, "taken")); string(got) != "kept" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(folder, "nothing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	clear(content[:16<<10])
	if _, err := Files(t.Context(), content, folder, "taken"); err == nil {
		t.Error("a card without a file system was recovered")
	}
}

func TestWhatIsNoClientIsRefused(t *testing.T) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		greeting := make([]byte, 18)
		if _, err := theirs.Read(greeting); err == nil {
			_, _ = theirs.Write([]byte("GET / HTTP/1.1\r\nHost: card\r\n\r\n"))
		}
	}()
	if err := New(nil).Serve(ours); err == nil || os.IsTimeout(err) {
		t.Errorf("got %v", err)
	}
}
