package display

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeCompositor is the other end of a Wayland connection, as far as the session relies on it.
type fakeCompositor struct {
	conn    net.Conn
	version int         // of its outputs
	out     chan []byte // to the client: neither end waits until the other one reads
	gone    chan struct{}

	mu       sync.Mutex
	silent   bool              // it hangs
	syncs    int               // signs of life that were asked for
	bound    map[uint32]uint32 // the client's objects, by global
	released []uint32
	globals  map[uint32]Output
}

// message writes an event: numbers and texts.
func (c *fakeCompositor) message(object uint32, opcode int, args ...any) {
	var body []byte
	for _, a := range args {
		switch a := a.(type) {
		case int:
			body = binary.NativeEndian.AppendUint32(body, uint32(a))
		case uint32:
			body = binary.NativeEndian.AppendUint32(body, a)
		case string:
			body = binary.NativeEndian.AppendUint32(body, uint32(len(a)+1))
			body = append(body, a...)
			body = append(body, make([]byte, 4-len(a)%4)...)
		}
	}
	head := binary.NativeEndian.AppendUint32(nil, object)
	head = binary.NativeEndian.AppendUint32(head, uint32(8+len(body))<<16|uint32(opcode))
	c.out <- append(head, body...)
}

func newCompositor(conn net.Conn, version int, globals map[uint32]Output) *fakeCompositor {
	return &fakeCompositor{conn: conn, version: version, out: make(chan []byte, 1000), gone: make(chan struct{}),
		bound: map[uint32]uint32{}, globals: globals}
}

// speak writes to the client until the line ends.
func (c *fakeCompositor) speak() {
	for {
		select {
		case b := <-c.out:
			if _, err := c.conn.Write(b); err != nil {
				return
			}
		case <-c.gone:
			return
		}
	}
}

// describe tells all of an output, as wl_output does.
func (c *fakeCompositor) describe(object uint32, o Output) {
	c.message(object, 0, 0, 0, 300, 200, 0, "maker", "model", o.Turn/90)
	c.message(object, 1, 0, 640, 480, 60_000) // a mode that is not the current one
	c.message(object, 1, 1, o.Width, o.Height, 60_000)
	c.message(object, 4, o.Name)
	c.message(object, 2)
}

// serve answers the client until the line ends.
func (c *fakeCompositor) serve() {
	defer close(c.gone)
	go c.speak()
	for {
		var head [8]byte
		if _, err := io.ReadFull(c.conn, head[:]); err != nil {
			return
		}
		object, word := binary.NativeEndian.Uint32(head[:]), binary.NativeEndian.Uint32(head[4:])
		body := make([]byte, int(word>>16)-8)
		if _, err := io.ReadFull(c.conn, body); err != nil {
			return
		}
		args := &arguments{rest: body}
		c.mu.Lock()
		silent, opcode := c.silent, word&0xffff
		globals := map[uint32]Output{}
		for g, o := range c.globals {
			globals[g] = o
		}
		c.mu.Unlock()
		switch {
		case object == 1 && opcode == 1: // get_registry
			registry := args.number()
			c.message(registry, 0, uint32(1), "wl_compositor", 6)
			for g := range globals {
				c.message(registry, 0, g, "wl_output", c.version)
			}
		case object == 1 && opcode == 0: // sync
			c.mu.Lock()
			c.syncs++
			c.mu.Unlock()
			if !silent {
				c.message(args.number(), 0, 0)
			}
		case object == 2: // bind
			global, _, version, id := args.number(), args.text(), args.number(), args.number()
			c.mu.Lock()
			c.bound[global] = id
			c.mu.Unlock()
			if version == 4 {
				c.describe(id, globals[global])
			}
		default: // release of an output
			c.mu.Lock()
			c.released = append(c.released, object)
			c.mu.Unlock()
		}
	}
}

// watched is a session's watch in a bubble of synctest, whose time passes at once.
type watched struct {
	*fakeCompositor
	mu    sync.Mutex
	lists [][]Output
	alive int
	ended chan error
}

func (w *watched) seen() (lists [][]Output, alive int) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.lists, w.alive
}

func watchIn(t *testing.T, version int, globals map[uint32]Output) *watched {
	t.Helper()
	ours, theirs := net.Pipe()
	w := &watched{fakeCompositor: newCompositor(theirs, version, globals), ended: make(chan error, 1)}
	wire := &wire{conn: ours, outputs: map[uint32]*screen{}, nextID: firstFree, alive: func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.alive++
	}}
	go w.serve()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		w.ended <- wire.watch(ctx, func(o []Output) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.lists = append(w.lists, o)
			return nil
		})
	}()
	t.Cleanup(func() { cancel(); ours.Close(); theirs.Close() })
	return w
}

func (w *watched) goesOn(t *testing.T, when string) {
	t.Helper()
	select {
	case err := <-w.ended:
		t.Fatalf("%s: it ended with %v", when, err)
	default:
	}
}

// TestOutputsAreFoundAndFollowed plugs screens in and out.
func TestOutputsAreFoundAndFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turned := Output{Name: "HDMI-A-1", Width: 1280, Height: 720, Turn: 270}
		w := watchIn(t, 4, map[uint32]Output{7: dsi, 8: turned})
		want := [][]Output{{dsi, turned}}
		expect := func(when string) {
			t.Helper()
			got, _ := w.seen()
			w.goesOn(t, when)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("%s (-want +got):\n%s", when, diff)
			}
		}
		expect("at the start")
		w.message(2, 1, uint32(8)) // the projector is pulled out
		want = append(want, []Output{dsi})
		expect("pulled out")
		if len(w.released) != 1 || w.released[0] != w.bound[8] {
			t.Errorf("released %v, bound %v", w.released, w.bound)
		}
		w.fakeCompositor.mu.Lock()
		w.globals[9] = hdmi2
		w.fakeCompositor.mu.Unlock()
		w.message(2, 0, uint32(9), "wl_output", 4) // another one is plugged in
		want = append(want, []Output{dsi, hdmi2})
		expect("plugged in")
		larger := dsiLarge
		larger.Name = "DSI-1"
		w.describe(w.bound[7], larger)
		want = append(want, []Output{larger, hdmi2})
		expect("another mode")
		w.message(2, 1, uint32(77)) // of something that is no output
		expect("something else goes")
	})
}

// TestSilenceIsNotDeath: a compositor with nothing to say lives as long as it answers, and each
// answer is a sign of life; one that does not answer is dead, and not before its time.
func TestSilenceIsNotDeath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchIn(t, 4, map[uint32]Output{7: dsi})
		_, before := w.seen()
		time.Sleep(10*time.Minute + time.Second)
		_, after := w.seen()
		w.goesOn(t, "after ten minutes of silence")
		if got := after - before; got < 10*60/5-2 || got > 10*60/5+1 {
			t.Errorf("%d signs of life in ten minutes, want one every 5 s", got)
		}
		if before != 0 {
			t.Errorf("%d signs of life before the outputs were known", before)
		}
		w.fakeCompositor.mu.Lock()
		w.silent = true
		w.fakeCompositor.mu.Unlock()
		time.Sleep(answerTime - time.Second)
		w.goesOn(t, "it may still answer")
		time.Sleep(askEvery + 2*time.Second)
		select {
		case err := <-w.ended:
			if !errors.Is(err, ErrCompositor) {
				t.Errorf("a compositor that hangs: %v", err)
			}
		default:
			t.Error("a compositor that hangs was not noticed")
		}
	})
}

func TestDeadAndStrangeCompositors(t *testing.T) {
	for name, harm := range map[string]func(w *watched){
		"it dies":                func(w *watched) { w.conn.Close() },
		"it refuses":             func(w *watched) { w.message(1, 0, 1, 2, "invalid") },
		"a message of no length": func(w *watched) { w.out <- []byte{1, 0, 0, 0, 0, 0, 0, 0} },
		"half a message":         func(w *watched) { w.message(w.bound[7], 1, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watchIn(t, 4, map[uint32]Output{7: dsi})
				w.seen()
				w.goesOn(t, "before")
				harm(w)
				synctest.Wait()
				select {
				case err := <-w.ended:
					if !errors.Is(err, ErrCompositor) {
						t.Errorf("%v", err)
					}
				default:
					t.Error("it was not noticed")
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		w := watchIn(t, 3, map[uint32]Output{7: dsi})
		synctest.Wait()
		if err := <-w.ended; !errors.Is(err, ErrCompositor) {
			t.Errorf("outputs without names: %v", err)
		}
	})
}

// TestWatchOnASocket has the whole of Watch on a socket, up to its end.
func TestWatchOnASocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "wayland-0")
	if err := Watch(t.Context(), socket, nil, nil); !errors.Is(err, ErrCompositor) {
		t.Errorf("no compositor: %v", err)
	}
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			c := newCompositor(conn, 4, map[uint32]Output{7: dsi})
			c.serve()
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	var got []Output
	err = Watch(ctx, socket, func(o []Output) error { got = o; cancel(); return nil }, nil)
	if diff := cmp.Diff([]Output{dsi}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	wrong := errors.New("no room for rc.xml")
	if err := Watch(t.Context(), socket, func([]Output) error { return wrong }, nil); !errors.Is(err, wrong) {
		t.Errorf("an error of the session: %v", err)
	}
}
