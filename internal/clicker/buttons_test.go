package clicker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/clicker/linestest"
)

// box is a kiosk's buttons on a scripted chip, inside a synctest bubble.
type box struct {
	t      *testing.T
	chip   *linestest.Chip
	disk   *disk
	plugs  chan clicker.Plug
	says   []clicker.Condition
	keys   *clicker.Clicker
	cancel context.CancelFunc
	ended  chan error
	setup  clicker.Setup
}

const (
	womanLine, manLine, undoLine, modLine = 17, 27, 6, 13
	womanLamp, manLamp, undoLamp, buzzer  = 23, 24, 16, 26
)

var (
	woman = clicker.Action{Category: "woman", Place: 1}
	man   = clicker.Action{Category: "man", Place: 2}
	undo  = clicker.Action{Undo: true}
)

// buttonsTest runs a test of the buttons in a bubble; what is left of them ends with it.
func buttonsTest(t *testing.T, test func(*box)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		b := &box{t: t, chip: linestest.NewChip("pinctrl-rp1"), disk: &disk{}, plugs: make(chan clicker.Plug, 16)}
		b.setup = clicker.Setup{
			Debounce: 20 * time.Millisecond, LongPress: 800 * time.Millisecond, Buzzer: "26", Boot: "b0070000-1111",
			Buttons: []clicker.Button{
				{Line: "17", Lamp: "23", Action: woman}, {Line: "27", Lamp: "24", Action: man},
				{Line: "6", Lamp: "16", Action: undo}, {Line: "13", Modifier: true},
			},
		}
		b.start()
		test(b)
		b.stop()
	})
}

func (b *box) start() {
	b.keys = clicker.New(b.setup.ButtonNames(), b.disk)
	ctx, cancel := context.WithCancel(context.Background())
	keysCtx, stopKeys := context.WithCancel(context.Background())
	b.cancel, b.ended = cancel, make(chan error, 2)
	go func() { b.ended <- b.keys.Run(keysCtx) }()
	go func() {
		defer stopKeys()
		b.ended <- clicker.Run(ctx, b.setup, clicker.Tools{
			Clicker: b.keys, Open: b.chip.Open, Plugs: b.plugs, Now: b.chip.Now,
			Report: func(c clicker.Condition) {
				b.disk.mu.Lock()
				defer b.disk.mu.Unlock()
				b.says = append(b.says, c)
			},
		})
	}()
	synctest.Wait()
}

func (b *box) stop() {
	b.t.Helper()
	b.cancel()
	for range 2 {
		if err := <-b.ended; err != nil {
			b.t.Error("Run:", err)
		}
	}
}

// hold presses a button for so long, and waits until all is quiet.
func (b *box) hold(line int, long time.Duration) {
	b.chip.Press(line)
	time.Sleep(long)
	b.chip.Release(line)
	time.Sleep(60 * time.Millisecond)
	synctest.Wait()
}

// blinks counts how often each lamp went on while act ran.
func (b *box) blinks(act func()) map[int]int {
	out, lit, done := map[int]int{}, map[int]bool{}, make(chan struct{})
	go func() { defer close(done); act() }()
	for {
		for _, lamp := range []int{womanLamp, manLamp, undoLamp, buzzer} {
			now := b.chip.Lit(lamp)
			if now && !lit[lamp] {
				out[lamp]++
			}
			lit[lamp] = now
		}
		select {
		case <-done:
			return out
		case <-time.After(time.Millisecond):
		}
	}
}

func (b *box) presses() []string {
	var out []string
	b.disk.mu.Lock()
	defer b.disk.mu.Unlock()
	for _, p := range b.disk.saved {
		s := p.Button
		if p.Undo {
			s = "undo one of " + s
		}
		out = append(out, s)
	}
	return out
}

func (b *box) expect(presses ...string) {
	b.t.Helper()
	if got := b.presses(); !slices.Equal(got, presses) {
		b.t.Errorf("saved %q, want %q", got, presses)
	}
}

func (b *box) last() clicker.Condition {
	synctest.Wait()
	b.disk.mu.Lock()
	defer b.disk.mu.Unlock()
	return b.says[len(b.says)-1]
}

// notes gives those besides that of the opening.
func (b *box) notes() []clicker.Note {
	b.t.Helper()
	all := b.disk.noted()
	if len(all) == 0 || all[0].Lost != clicker.Unheard {
		b.t.Fatalf("the first note is not that nobody listened before: %+v", all)
	}
	return all[1:]
}

func TestALampBlinksOncePerPressAndAfterTheCommit(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.disk.slow = 200 * time.Millisecond
		got := b.blinks(func() {
			b.hold(womanLine, 100*time.Millisecond)
			if b.chip.Lit(womanLamp) || len(b.presses()) > 0 {
				t.Error("lit before the commit")
			}
			time.Sleep(150 * time.Millisecond)
			if !b.chip.Lit(womanLamp) || len(b.presses()) == 0 {
				t.Error("not lit after the commit")
			}
			b.hold(manLine, 100*time.Millisecond)
			b.hold(womanLine, 50*time.Millisecond)
			b.hold(womanLine, 50*time.Millisecond)
			time.Sleep(2 * time.Second)
		})
		if diff := cmp.Diff(map[int]int{womanLamp: 3, manLamp: 1, buzzer: 4}, got); diff != "" {
			t.Errorf("blinks (-want +got):\n%s", diff)
		}
		b.expect("line 17", "line 27", "line 17", "line 17")
		ids := b.disk.ids()
		slices.Sort(ids)
		if len(slices.Compact(ids)) != 4 || !strings.HasPrefix(ids[0], "gpio-b0070000-17-") {
			t.Errorf("ids %q", ids)
		}
	})
}

func TestARefusedPressLeavesTheLampDark(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.disk.takes = func(string) error { return errors.New("the doors are closed") }
		got := b.blinks(func() { b.hold(womanLine, 100*time.Millisecond); time.Sleep(time.Second) })
		if len(got) > 0 || len(b.notes()) > 0 {
			t.Errorf("blinks %v, notes %+v", got, b.notes())
		}
	})
}

func TestUndoIsHeldAndUndoesOnce(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.hold(undoLine, 700*time.Millisecond)
		b.expect()
		b.chip.Press(undoLine)
		time.Sleep(850 * time.Millisecond)
		synctest.Wait()
		b.expect("line 6") // while it is held
		time.Sleep(5 * time.Second)
		b.chip.Release(undoLine)
		time.Sleep(time.Second)
		b.expect("line 6")
		b.hold(undoLine, time.Second)
		b.expect("line 6", "line 6")
	})
}

func TestUndoAtOnceWhenItNeedNotBeHeld(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.stop()
		b.setup.LongPress = 0
		b.start()
		b.hold(undoLine, 2*time.Second)
		b.expect("line 6")
	})
}

func TestTheModifierTakesOneBack(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.hold(modLine, time.Second)
		b.expect()
		b.chip.Press(modLine)
		time.Sleep(100 * time.Millisecond)
		b.hold(womanLine, 100*time.Millisecond)
		b.chip.Release(modLine)
		time.Sleep(100 * time.Millisecond)
		b.hold(womanLine, 100*time.Millisecond)
		b.expect("undo one of line 17", "line 17")
	})
}

func TestAStuckButtonIsReportedAndCountsOnce(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.chip.Press(womanLine)
		time.Sleep(29 * time.Second)
		if last := b.last(); last.Trouble != nil || len(last.Stuck) > 0 {
			t.Errorf("before its time: %+v", last)
		}
		time.Sleep(5 * time.Minute)
		if last := b.last(); !slices.Equal(last.Stuck, []string{"17"}) {
			t.Errorf("held for long: %+v", last)
		}
		b.hold(manLine, 100*time.Millisecond) // the others work
		b.chip.Release(womanLine)
		time.Sleep(time.Second)
		if last := b.last(); len(last.Stuck) > 0 {
			t.Errorf("released: %+v", last)
		}
		b.hold(womanLine, 100*time.Millisecond)
		b.expect("line 17", "line 27", "line 17")
		b.last()
		if len(b.says) != 3 {
			t.Errorf("reported %d times: %+v", len(b.says), b.says)
		}
	})
}

func TestAButtonHeldAtTheStartIsNoPress(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.stop()
		b.chip.Press(womanLine)
		b.chip.Press(undoLine)
		b.start()
		time.Sleep(time.Minute)
		b.chip.Release(womanLine)
		b.chip.Release(undoLine)
		time.Sleep(time.Second)
		b.expect()
		synctest.Wait()
		if i := slices.IndexFunc(b.says, func(c clicker.Condition) bool { return slices.Equal(c.Stuck, []string{"17", "6"}) }); i < 0 {
			t.Errorf("not reported: %+v", b.says)
		}
	})
}

// wedge is a chip whose edges are read by nobody for a while.
func TestDroppedEdgesAreLostPresses(t *testing.T) {
	for _, c := range []struct {
		name  string
		edges []clicker.Edge
		want  []clicker.Note
	}{
		{"press and release", []clicker.Edge{{Input: 0, Down: true, Seq: 3, LineSeq: 3}}, []clicker.Note{{Action: woman, Lost: clicker.Overrun, Presses: 1}}},
		{"a press before the release", []clicker.Edge{{Input: 0, Seq: 2, LineSeq: 2}}, []clicker.Note{{Action: woman, Lost: clicker.Overrun, Presses: 1}}},
		{"a release before the press", []clicker.Edge{{Input: 0, Down: true, Seq: 1, LineSeq: 1}, {Input: 0, Down: true, Seq: 3, LineSeq: 3}}, nil},
		{"five presses", []clicker.Edge{{Input: 1, Seq: 10, LineSeq: 10}}, []clicker.Note{{Action: man, Lost: clicker.Overrun, Presses: 5}}},
		{"of two buttons", []clicker.Edge{{Input: 1, Down: true, Seq: 7, LineSeq: 3}, {Input: 0, Down: true, Seq: 8, LineSeq: 5}},
			[]clicker.Note{{Action: man, Lost: clicker.Overrun, Presses: 1}, {Action: woman, Lost: clicker.Overrun, Presses: 2}}},
		{"of a button that nobody presses again", []clicker.Edge{{Input: 1, Down: true, Seq: 7, LineSeq: 3}, {Input: 1, Seq: 8, LineSeq: 4}},
			[]clicker.Note{{Action: man, Lost: clicker.Overrun, Presses: 1}, {Lost: clicker.Overrun, Presses: 2}}},
		{"of a modifier", []clicker.Edge{{Input: 3, Down: true, Seq: 3, LineSeq: 3}}, nil},
		{"of undo", []clicker.Edge{{Input: 2, Down: true, Seq: 3, LineSeq: 3}}, []clicker.Note{{Action: undo, Lost: clicker.Overrun, Presses: 1}}},
		{"over the end of the numbers", []clicker.Edge{{Input: 0, Down: true, Seq: 1, LineSeq: 1}}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			buttonsTest(t, func(b *box) {
				b.stop()
				fake := &scripted{edges: make(chan clicker.Edge, 64)}
				ctx, cancel := context.WithCancel(context.Background())
				keys := clicker.New(b.setup.ButtonNames(), b.disk)
				b.disk.notes = nil
				go func() {
					b.ended <- clicker.Run(ctx, b.setup, clicker.Tools{
						Clicker: keys, Open: func(clicker.Wiring) (clicker.Lines, error) { return fake, nil },
						Now: b.chip.Now, Report: func(clicker.Condition) {},
					})
				}()
				go func() { b.ended <- keys.Run(ctx) }()
				for _, e := range c.edges {
					e.At = b.chip.Now()
					fake.edges <- e
					time.Sleep(30 * time.Millisecond)
				}
				time.Sleep(10 * time.Second)
				if diff := cmp.Diff(c.want, b.notes(), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("notes (-want +got):\n%s", diff)
				}
				b.cancel = cancel
			})
		})
	}
}

type scripted struct{ edges chan clicker.Edge }

func (s *scripted) Edges() <-chan clicker.Edge { return s.edges }
func (*scripted) Down(int) (bool, error)       { return false, nil }
func (*scripted) Set(int, bool) error          { return nil }
func (s *scripted) Close() error               { close(s.edges); return nil }

// A press of a line that was reported without its name is not reported a second time.
func TestOrphanedEdgesAreReportedOnce(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.stop()
		b.disk.notes = nil
		fake := &scripted{edges: make(chan clicker.Edge, 64)}
		b.keys = clicker.New(b.setup.ButtonNames(), b.disk)
		ctx, cancel := context.WithCancel(context.Background())
		b.cancel = cancel
		go func() { b.ended <- b.keys.Run(ctx) }()
		go func() {
			b.ended <- clicker.Run(ctx, b.setup, clicker.Tools{
				Clicker: b.keys, Open: func(clicker.Wiring) (clicker.Lines, error) { return fake, nil },
				Now: b.chip.Now, Report: func(clicker.Condition) {},
			})
		}()
		fake.edges <- clicker.Edge{Input: 1, Down: true, Seq: 5, LineSeq: 1, At: b.chip.Now()}
		time.Sleep(5 * time.Second)
		fake.edges <- clicker.Edge{Input: 0, Down: true, Seq: 6, LineSeq: 5, At: b.chip.Now()}
		fake.edges <- clicker.Edge{Input: 0, Down: false, Seq: 7, LineSeq: 6, At: b.chip.Now()}
		time.Sleep(5 * time.Second)
		if diff := cmp.Diff([]clicker.Note{{Lost: clicker.Overrun, Presses: 2}}, b.notes()); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	})
}

func TestPressesNearAPlugAreSuspected(t *testing.T) {
	buttonsTest(t, func(b *box) {
		press := func(line int) { b.hold(line, 40*time.Millisecond) } // 100 ms in all; its edge is after 20 ms
		press(manLine)                                                // too early
		time.Sleep(400 * time.Millisecond)
		press(womanLine)
		press(womanLine)
		b.plugs <- clicker.Plug{At: b.chip.Now(), Subsystem: "usb"}
		b.plugs <- clicker.Plug{At: b.chip.Now(), Subsystem: "gpio"} // no such thing makes phantoms
		press(manLine)
		time.Sleep(400 * time.Millisecond)
		press(womanLine) // too late
		time.Sleep(2 * time.Second)
		ids := b.disk.ids()
		if len(ids) != 5 {
			t.Fatalf("saved %q", ids)
		}
		got := b.notes()
		slices.SortFunc(got, func(x, y clicker.Note) int { return len(y.Suspected) - len(x.Suspected) })
		want := []clicker.Note{{Action: woman, Suspected: ids[1:3]}, {Action: man, Suspected: ids[3:4]}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	})
}

func TestASuspectOnASlowDiskAndARefusedOne(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.disk.slow = 3 * time.Second
		b.disk.takes = func(id string) error {
			if strings.Contains(id, "-27-") {
				return errors.New("refused")
			}
			return nil
		}
		b.plugs <- clicker.Plug{At: b.chip.Now(), Subsystem: "usb"}
		b.hold(manLine, 40*time.Millisecond)
		b.hold(womanLine, 40*time.Millisecond)
		time.Sleep(15 * time.Second)
		if diff := cmp.Diff([]clicker.Note{{Action: woman, Suspected: b.disk.ids()}}, b.notes()); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	})
}

func TestTheButtonsComeBackWithTheChip(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.hold(womanLine, 100*time.Millisecond)
		b.chip.Unplug()
		time.Sleep(3 * time.Second)
		gone := b.chip.Now()
		var trouble *clicker.Trouble
		if last := b.last(); !errors.As(last.Trouble, &trouble) || trouble.Kind != clicker.NoChip {
			t.Errorf("unplugged: %+v", last)
		}
		b.hold(womanLine, 100*time.Millisecond) // nobody hears it
		time.Sleep(time.Minute)
		b.chip.Hold(manLine, "fan-control")
		b.chip.Plug()
		b.plugs <- clicker.Plug{Subsystem: "gpio"}
		time.Sleep(11 * time.Second)
		if last := b.last(); !errors.As(last.Trouble, &trouble) || trouble.Kind != clicker.Busy || trouble.Holder != "fan-control" {
			t.Errorf("held by another: %+v", last)
		}
		b.chip.Hold(manLine, "")
		time.Sleep(11 * time.Second)
		if last := b.last(); last.Trouble != nil {
			t.Errorf("free again: %+v", last)
		}
		b.hold(womanLine, 100*time.Millisecond)
		b.expect("line 17", "line 17")
		notes := b.notes()
		if len(notes) != 1 || notes[0].Lost != clicker.Unheard || notes[0].Since > gone || notes[0].Since < gone-5*time.Second {
			t.Errorf("notes %+v, want that nobody listened from about %v on", notes, gone-3*time.Second)
		}
	})
}

func TestTheEndSavesWhatTheButtonsSaw(t *testing.T) {
	buttonsTest(t, func(b *box) {
		b.disk.slow = 100 * time.Millisecond
		for range 10 {
			b.hold(womanLine, 30*time.Millisecond)
		}
		b.stop()
		if got := len(b.presses()); got != 10 {
			t.Errorf("%d of 10 presses are saved", got)
		}
		if b.chip.Lit(womanLamp) {
			t.Error("a lamp stays on")
		}
		b.start()
	})
}

func TestTroubleIsSaidInFull(t *testing.T) {
	for want, trouble := range map[string]clicker.Trouble{
		`there is no GPIO chip of a Raspberry Pi`:                          {Kind: clicker.NoChip},
		`there is no GPIO chip "x"`:                                        {Kind: clicker.NoChip, Chip: "x"},
		`the GPIO chip x has no line "99"`:                                 {Kind: clicker.NoLine, Chip: "x", Line: "99"},
		`line 17 of GPIO chip x is held by "fan": device or resource busy`: {Kind: clicker.Busy, Chip: "x", Line: "17", Holder: "fan", Err: errors.New("device or resource busy")},
		`the GPIO chip gpiochip0 may not be opened: permission denied`:     {Kind: clicker.Denied, Chip: "gpiochip0", Err: errors.New("permission denied")},
		`the GPIO chip x does not work: no such device`:                    {Kind: clicker.Failing, Chip: "x", Err: errors.New("no such device")},
	} {
		if got := fmt.Sprint(&trouble); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
