package clicker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"mimpi-kiosk/internal/clicker"
)

var errDisk = errors.New("disk full")

func buttons() map[string]clicker.Action {
	return map[string]clicker.Action{"1": {Category: "woman"}, "0": {Undo: true}}
}

// run starts a clicker and ends it with the test.
func run(t *testing.T, c *clicker.Clicker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	return func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// disk is a journal that a test scripts.
type disk struct {
	mu    sync.Mutex
	takes func(id string) error // may be nil
	slow  time.Duration         // one commit after the other
	tried []string
	saved []clicker.Press
	notes []clicker.Note
}

func (d *disk) commit(id string) error {
	if d.slow > 0 {
		time.Sleep(d.slow)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tried = append(d.tried, id)
	if d.takes == nil {
		return nil
	}
	return d.takes(id)
}

func (d *disk) Send(_ context.Context, p clicker.Press, _ clicker.Action) func(context.Context) error {
	return func(ctx context.Context) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		err := d.commit(p.ID)
		if err == nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.saved = append(d.saved, p)
		}
		return err
	}
}

func (d *disk) Note(ctx context.Context, id string, n clicker.Note) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	err := d.commit(id)
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.notes = append(d.notes, n)
	}
	return err
}

func (d *disk) MayPass(err error) bool { return errors.Is(err, errDisk) }

func (d *disk) ids() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []string
	for _, p := range d.saved {
		out = append(out, p.ID)
	}
	return out
}

func (d *disk) noted() []clicker.Note {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.notes)
}

func TestPressesAreCommittedInOrderWhileTheDiskIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{slow: 200 * time.Millisecond} // a slow card
		c := clicker.New(buttons(), d)
		defer run(t, c)()
		var want []string
		var answers []<-chan error
		for i := range 50 { // a press every 20 ms: ten wait at any time
			id := fmt.Sprint("p", i)
			want = append(want, id)
			answers = append(answers, c.Press(clicker.Press{ID: id, Button: "1"}))
			time.Sleep(20 * time.Millisecond)
		}
		for i, a := range answers {
			if err := <-a; err != nil {
				t.Errorf("press %d: %v", i, err)
			}
		}
		if got := d.ids(); !slices.Equal(got, want) {
			t.Errorf("committed %v, want %v", got, want)
		}
	})
}

func TestAFullDiskKeepsThePress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := 5
		d := &disk{takes: func(string) error {
			if fail--; fail >= 0 {
				return errDisk
			}
			return nil
		}}
		c := clicker.New(buttons(), d)
		defer run(t, c)()
		if err := <-c.Press(clicker.Press{ID: "a", Button: "1"}); err != nil {
			t.Fatal(err)
		}
		if want := []string{"a", "a", "a", "a", "a", "a"}; !slices.Equal(d.tried, want) {
			t.Errorf("tried %v, want %v: always under the same id", d.tried, want)
		}
	})
}

// Counts that wait together are sent together; an undo waits for all before it.
func TestAnUndoDoesNotOvertakeWhatItUndoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refused := map[string]bool{}
		d := &disk{takes: func(id string) error {
			if id[0] == 'c' && !refused[id] { // each count once
				refused[id] = true
				return errDisk
			}
			return nil
		}}
		c := clicker.New(buttons(), d)
		var last <-chan error
		for _, id := range []string{"c1", "c2", "u1", "c3", "u2"} {
			last = c.Press(clicker.Press{ID: id, Button: map[byte]string{'c': "1", 'u': "0"}[id[0]]})
		}
		defer run(t, c)()
		<-last
		if got, want := d.ids(), []string{"c1", "c2", "u1", "c3", "u2"}; !slices.Equal(got, want) {
			t.Errorf("saved %v, want %v", got, want)
		}
		if got, want := d.tried[:4], []string{"c1", "c2", "c1", "c2"}; !slices.Equal(got, want) {
			t.Errorf("tried %v first, want %v", got, want)
		}
	})
}

func TestNotesAreKeptAndComeBeforeLaterPresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var full atomic.Bool
		full.Store(true)
		d := &disk{takes: func(string) error {
			if full.Load() {
				return errDisk
			}
			return nil
		}}
		c := clicker.New(buttons(), d)
		defer run(t, c)()
		lost := clicker.Note{Action: clicker.Action{Category: "woman"}, Lost: clicker.Overrun, Presses: 2}
		c.Note(lost)
		after := c.Press(clicker.Press{ID: "p", Button: "1"})
		time.Sleep(10 * time.Second)
		c.Note(lost)
		c.Note(lost)
		c.Note(clicker.Note{Lost: clicker.Unheard})
		full.Store(false)
		if err := <-after; err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		want := []clicker.Note{lost, {Action: lost.Action, Lost: clicker.Overrun, Presses: 4}, {Lost: clicker.Unheard}}
		if diff := cmp.Diff(want, d.noted()); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
		tries := slices.Index(d.tried, "p")
		if tries < 5 || len(slices.Compact(slices.Clone(d.tried[:tries-2]))) != 1 {
			t.Errorf("tried %v: want the first note under one id, and the others before the press", d.tried)
		}
	})
}

func TestAnswers(t *testing.T) {
	refused := errors.New("the doors are closed")
	c := clicker.New(buttons(), &disk{takes: func(string) error { return refused }})
	stop := run(t, c)
	if err := <-c.Press(clicker.Press{ID: "a", Button: "1"}); err != refused {
		t.Errorf("refused press: %v", err)
	}
	if err := <-c.Press(clicker.Press{ID: "b", Button: "9"}); err != clicker.ErrUnknownButton {
		t.Errorf("unknown button: %v", err)
	}
	stop()
	if err := <-c.Press(clicker.Press{ID: "c", Button: "1"}); err != clicker.ErrStopped {
		t.Errorf("after the end: %v", err)
	}
}

func TestAFullQueueSaysThatThePressIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		c := clicker.New(buttons(), d)
		for i := range clicker.QueueLength {
			c.Press(clicker.Press{ID: fmt.Sprint(i), Button: "1"})
		}
		for _, final := range []bool{false, true, true} { // a screen sends the first again
			if err := <-c.Press(clicker.Press{ID: "one more", Button: "1", Final: final}); err != clicker.ErrFull {
				t.Errorf("got %v, want ErrFull", err)
			}
		}
		defer run(t, c)()
		synctest.Wait()
		if n := len(d.ids()); n != clicker.QueueLength {
			t.Errorf("%d were saved", n)
		}
		want := []clicker.Note{{Action: clicker.Action{Category: "woman"}, Lost: clicker.Full, Presses: 2}}
		if diff := cmp.Diff(want, d.noted()); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	})
}

func TestTheEndSavesWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{slow: 20 * time.Millisecond}
		c := clicker.New(buttons(), d)
		var answers []<-chan error
		for i := range 100 {
			answers = append(answers, c.Press(clicker.Press{ID: fmt.Sprint(i), Button: "1"}))
		}
		run(t, c)()
		for i, a := range answers {
			if err := <-a; err != nil {
				t.Errorf("press %d: %v", i, err)
			}
		}
	})
}

// The disk is full at the end, and has room again when the last words are said.
func TestWhatIsNotSavedAtTheEndIsNotedAsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &disk{}
		d.takes = func(id string) error {
			if id[0] == 'p' {
				return errDisk
			}
			return nil
		}
		c := clicker.New(buttons(), d)
		stop := run(t, c)
		var answers []<-chan error
		for i := range 70 { // more than are sent together
			answers = append(answers, c.Press(clicker.Press{ID: fmt.Sprint("p", i), Button: "1", Final: i > 0}))
		}
		synctest.Wait()
		began := time.Now()
		stop()
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the end took %v", took)
		}
		for i, a := range answers {
			if err := <-a; err != clicker.ErrStopped {
				t.Errorf("press %d: %v, want ErrStopped", i, err)
			}
		}
		want := []clicker.Note{{Action: clicker.Action{Category: "woman"}, Lost: clicker.Stopped, Presses: 69}}
		if diff := cmp.Diff(want, d.noted()); diff != "" {
			t.Errorf("notes (-want +got):\n%s", diff)
		}
	})
}
