package clicker_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

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

func TestPressesAreCommittedInOrderWhileTheDiskIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		c := clicker.New(buttons(), func(_ context.Context, id string, a clicker.Action) error {
			time.Sleep(200 * time.Millisecond) // a slow card
			got = append(got, id)
			return nil
		}, func(error) bool { return false })
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
		if !slices.Equal(got, want) {
			t.Errorf("committed %v, want %v", got, want)
		}
	})
}

func TestAFullDiskKeepsThePress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail, ids := 5, []string{}
		c := clicker.New(buttons(), func(_ context.Context, id string, a clicker.Action) error {
			ids = append(ids, id)
			if fail--; fail >= 0 {
				return errDisk
			}
			if a.Category != "woman" {
				t.Errorf("action %+v", a)
			}
			return nil
		}, func(err error) bool { return errors.Is(err, errDisk) })
		defer run(t, c)()
		if err := <-c.Press(clicker.Press{ID: "a", Button: "1"}); err != nil {
			t.Fatal(err)
		}
		if want := []string{"a", "a", "a", "a", "a", "a"}; !slices.Equal(ids, want) {
			t.Errorf("tried %v, want %v: always under the same id", ids, want)
		}
	})
}

func TestAnswers(t *testing.T) {
	refused := errors.New("the doors are closed")
	c := clicker.New(buttons(), func(context.Context, string, clicker.Action) error { return refused }, func(error) bool { return false })
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
	c := clicker.New(buttons(), nil, nil) // nobody runs it
	for i := range clicker.QueueLength {
		c.Press(clicker.Press{ID: fmt.Sprint(i), Button: "1"})
	}
	if err := <-c.Press(clicker.Press{ID: "one more", Button: "1"}); err != clicker.ErrFull {
		t.Errorf("got %v, want ErrFull", err)
	}
}

func TestWaitingPressesAreAnsweredAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clicker.New(buttons(), func(ctx context.Context, _ string, _ clicker.Action) error {
			<-ctx.Done()
			return errDisk
		}, func(error) bool { return true })
		stop := run(t, c)
		first, second := c.Press(clicker.Press{ID: "a", Button: "1"}), c.Press(clicker.Press{ID: "b", Button: "0"})
		synctest.Wait()
		stop()
		for _, a := range []<-chan error{first, second} {
			if err := <-a; err != clicker.ErrStopped {
				t.Errorf("got %v, want ErrStopped", err)
			}
		}
	})
}
