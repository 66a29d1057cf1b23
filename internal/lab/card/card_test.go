package card

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// qemuIO lets QEMU's own client work on a card.
func qemuIO(t *testing.T, c *Card, commands ...string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "card")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			err = c.Serve(conn)
		}
		served <- err
	}()
	args := []string{"-f", "raw", "-t", "writeback"}
	for _, command := range commands {
		args = append(args, "-c", command)
	}
	err = exec.Command("qemu-io", append(args, "nbd:unix:"+socket)...).Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) { // "abort" is no way to end
		t.Fatalf("%v (.ci/setup.sh test installs it)", err)
	}
	if err := <-served; err != nil {
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
