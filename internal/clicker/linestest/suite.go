package linestest

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"mimpi-kiosk/internal/clicker"
)

// Hands are a test's hands on a chip, real or not. Lines are BCM numbers.
type Hands interface {
	Open(clicker.Wiring) (clicker.Lines, error)
	Now() time.Duration // CLOCK_MONOTONIC of its kernel
	Press(line int)
	Release(line int)
	Lit(line int) bool
	Hold(line int, holder string) // "" frees it
	Unplug()
	Plug()
}

// Suite holds what every [clicker.Lines] promises. make gives a new chip with the label
// "pinctrl-bcm2711", 28 lines or more named GPIO0 to GPIO27, and nobody on its lines.
func Suite(t *testing.T, make func(*testing.T) Hands) {
	wiring := clicker.Wiring{Inputs: []string{"17", "GPIO27"}, Outputs: []string{"23", "GPIO24"}}
	open := func(t *testing.T, h Hands, w clicker.Wiring) clicker.Lines {
		t.Helper()
		l, err := h.Open(w)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := l.Close(); err != nil {
				t.Error("Close:", err)
			}
		})
		return l
	}

	t.Run("edges", func(t *testing.T) {
		h := make(t)
		l := open(t, h, wiring)
		began := h.Now()
		for _, p := range []func(){
			func() { h.Press(17) }, func() { h.Press(27) }, func() { h.Release(17) }, func() { h.Release(27) }, func() { h.Press(17) },
		} {
			p()
			<-time.After(2 * time.Millisecond)
		}
		var at time.Duration
		for i, want := range []clicker.Edge{
			{Input: 0, Down: true, Seq: 1, LineSeq: 1}, {Input: 1, Down: true, Seq: 2, LineSeq: 1},
			{Input: 0, Seq: 3, LineSeq: 2}, {Input: 1, Seq: 4, LineSeq: 2}, {Input: 0, Down: true, Seq: 5, LineSeq: 3},
		} {
			e := next(t, l)
			if e.At < began || e.At < at || e.At > h.Now() {
				t.Errorf("edge %d at %v, after one at %v; it began at %v and is %v now", i, e.At, at, began, h.Now())
			}
			at, e.At = e.At, 0
			if e != want {
				t.Errorf("edge %d is %+v, want %+v", i, e, want)
			}
		}
		for input, want := range []bool{true, false} {
			if down, err := l.Down(input); err != nil || down != want {
				t.Errorf("button %d is down: %t, %v", input, down, err)
			}
		}
		none(t, l)
	})

	t.Run("outputs alone, beside others", func(t *testing.T) {
		h := make(t)
		buttons := open(t, h, wiring)
		lamp := open(t, h, clicker.Wiring{Outputs: []string{"13"}})
		if err := lamp.Set(0, true); err != nil || !h.Lit(13) {
			t.Errorf("lit: %t, %v", h.Lit(13), err)
		}
		h.Press(17)
		if e := next(t, buttons); !e.Down {
			t.Errorf("edge %+v", e)
		}
		none(t, lamp)
		if err := lamp.Close(); err != nil || h.Lit(13) {
			t.Errorf("closed, lit: %t, %v", h.Lit(13), err)
		}
		if _, more := <-lamp.Edges(); more {
			t.Error("an edge of no input")
		}
		if err := buttons.Set(0, true); err != nil || !h.Lit(23) {
			t.Errorf("the other lamp, lit: %t, %v", h.Lit(23), err)
		}
	})

	t.Run("debounce", func(t *testing.T) {
		h, w := make(t), wiring
		w.Debounce = 20 * time.Millisecond
		l := open(t, h, w)
		random := rand.New(rand.NewPCG(1, 2))
		bounce := func(last func(int)) {
			for range 1 + random.IntN(3) {
				h.Press(17)
				<-time.After(time.Duration(200+random.IntN(2500)) * time.Microsecond)
				h.Release(17)
				<-time.After(time.Duration(100+random.IntN(200)) * time.Microsecond)
			}
			last(17)
			<-time.After(45 * time.Millisecond)
		}
		for i := range uint32(20) {
			bounce(h.Press)
			if e := next(t, l); !e.Down || e.LineSeq != 2*i+1 {
				t.Fatalf("press %d: %+v", i, e)
			}
			bounce(h.Release)
			if e := next(t, l); e.Down || e.LineSeq != 2*i+2 {
				t.Fatalf("release %d: %+v", i, e)
			}
		}
		none(t, l)
	})

	t.Run("the oldest edges are dropped, and it shows", func(t *testing.T) {
		h := make(t)
		l := open(t, h, wiring)
		const presses = 900 // more edges than the kernel, its reader and the channel hold
		for i := range presses {
			h.Press(17)
			h.Release(17)
			if i%100 == 50 {
				h.Press(27)
				h.Release(27)
			}
			<-time.After(50 * time.Microsecond)
		}
		var seq uint32
		lineSeq, dropped, got := [2]uint32{}, uint32(0), 0
		for seq < 2*presses+18 {
			e := next(t, l)
			if e.Seq <= seq || e.LineSeq <= lineSeq[e.Input] || e.Down != (e.LineSeq%2 == 1) {
				t.Fatalf("%+v after %d and %d", e, seq, lineSeq)
			}
			dropped += e.LineSeq - lineSeq[e.Input] - 1
			seq, lineSeq[e.Input], got = e.Seq, e.LineSeq, got+1
		}
		if dropped == 0 || int(dropped)+got != 2*presses+18 || got < clicker.EdgeBuffer {
			t.Errorf("%d edges were read and %d are missing, of %d", got, dropped, 2*presses+18)
		}
	})

	t.Run("lamps", func(t *testing.T) {
		h := make(t)
		l := open(t, h, wiring)
		see := func(want ...bool) {
			t.Helper()
			if got := []bool{h.Lit(23), h.Lit(24)}; got[0] != want[0] || got[1] != want[1] {
				t.Errorf("lamps %v, want %v", got, want)
			}
		}
		set := func(output int, on bool) {
			t.Helper()
			if err := l.Set(output, on); err != nil {
				t.Fatal(err)
			}
		}
		see(false, false)
		set(1, true)
		see(false, true)
		set(0, true)
		set(1, false)
		see(true, false)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		see(false, false)
	})

	t.Run("given back", func(t *testing.T) {
		h := make(t)
		l := open(t, h, wiring)
		h.Press(17)
		deadline := time.Now().Add(5 * time.Second)
		for len(l.Edges()) == 0 && time.Now().Before(deadline) {
			<-time.After(time.Millisecond)
		}
		for range 2 {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if e, ok := <-l.Edges(); !ok || !e.Down {
			t.Errorf("the edge that had been read is %+v, %t", e, ok)
		}
		if e, ok := <-l.Edges(); ok {
			t.Errorf("an edge after the end: %+v", e)
		}
		if err := l.Set(0, true); !errors.Is(err, clicker.ErrClosed) {
			t.Errorf("Set after the end: %v", err)
		}
		if _, err := l.Down(0); !errors.Is(err, clicker.ErrClosed) {
			t.Errorf("Down after the end: %v", err)
		}
		h.Release(17)
		again := open(t, h, wiring)
		h.Press(17)
		if e := next(t, again); e.Seq != 1 || e.LineSeq != 1 {
			t.Errorf("opened again, the numbers begin with %+v", e)
		}
	})

	t.Run("trouble", func(t *testing.T) {
		h := make(t)
		h.Hold(24, "fan-control")
		held := open(t, h, clicker.Wiring{Chip: "pinctrl-bcm2711", Inputs: []string{"5"}})
		with := func(change func(*clicker.Wiring)) clicker.Wiring {
			w := clicker.Wiring{Inputs: []string{"17"}}
			change(&w)
			return w
		}
		for name, c := range map[string]struct {
			wiring clicker.Wiring
			want   clicker.Trouble
		}{
			"no such chip":      {with(func(w *clicker.Wiring) { w.Chip = "pinctrl-rp9" }), clicker.Trouble{Kind: clicker.NoChip, Chip: "pinctrl-rp9"}},
			"no such line":      {with(func(w *clicker.Wiring) { w.Outputs = []string{"500"} }), clicker.Trouble{Kind: clicker.NoLine, Chip: "pinctrl-bcm2711", Line: "500"}},
			"no such name":      {with(func(w *clicker.Wiring) { w.Inputs = []string{"17", "LED7"} }), clicker.Trouble{Kind: clicker.NoLine, Chip: "pinctrl-bcm2711", Line: "LED7"}},
			"a lamp is busy":    {with(func(w *clicker.Wiring) { w.Outputs = []string{"23", "GPIO24"} }), clicker.Trouble{Kind: clicker.Busy, Chip: "pinctrl-bcm2711", Line: "GPIO24", Holder: "fan-control"}},
			"a button is busy":  {with(func(w *clicker.Wiring) { w.Inputs = []string{"17", "24"} }), clicker.Trouble{Kind: clicker.Busy, Chip: "pinctrl-bcm2711", Line: "24", Holder: "fan-control"}},
			"another one of us": {with(func(w *clicker.Wiring) { w.Inputs = []string{"5"} }), clicker.Trouble{Kind: clicker.Busy, Chip: "pinctrl-bcm2711", Line: "5", Holder: "mimpi-kiosk"}},
		} {
			l, err := h.Open(c.wiring)
			if err == nil {
				t.Errorf("%s: opened", name)
				l.Close()
				continue
			}
			var got *clicker.Trouble
			if !errors.As(err, &got) {
				t.Errorf("%s: %v is no Trouble", name, err)
				continue
			}
			if got.Kind != c.want.Kind || got.Chip != c.want.Chip || got.Line != c.want.Line || got.Holder != c.want.Holder {
				t.Errorf("%s: %+v, want %+v", name, *got, c.want)
			}
		}
		// What was taken before the trouble is free again.
		open(t, h, with(func(w *clicker.Wiring) { w.Outputs = []string{"23"} }))
		if _, err := held.Down(0); err != nil {
			t.Error(err)
		}
	})

	t.Run("unplugged", func(t *testing.T) {
		h := make(t)
		l := open(t, h, wiring)
		h.Unplug()
		if _, err := l.Down(0); err == nil || errors.Is(err, clicker.ErrClosed) {
			t.Errorf("Down without the chip: %v", err)
		}
		if err := l.Set(0, true); err == nil {
			t.Error("a lamp was lit without the chip")
		}
		var trouble *clicker.Trouble
		if _, err := h.Open(wiring); !errors.As(err, &trouble) || trouble.Kind != clicker.NoChip {
			t.Errorf("opened without the chip: %v", err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		for range l.Edges() {
		}
		h.Plug()
		again := open(t, h, wiring)
		h.Press(17)
		if e := next(t, again); !e.Down || e.LineSeq != 1 {
			t.Errorf("plugged in again: %+v", e)
		}
	})
}

func next(t *testing.T, l clicker.Lines) clicker.Edge {
	t.Helper()
	select {
	case e, ok := <-l.Edges():
		if !ok {
			t.Fatal("the edges ended")
		}
		return e
	case <-time.After(5 * time.Second):
		t.Fatal("no edge came")
	}
	return clicker.Edge{}
}

// none fails when an edge comes all the same.
func none(t *testing.T, l clicker.Lines) {
	t.Helper()
	select {
	case e := <-l.Edges():
		t.Errorf("one more edge: %+v", e)
	case <-time.After(60 * time.Millisecond):
	}
}
