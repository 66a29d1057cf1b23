package health

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func part(name string, l Level) Part {
	return Part{Part: name, Level: l, Message: map[string]string{"id": name, "en": name}}
}

func TestBoard(t *testing.T) {
	var b Board
	if got := b.Parts(); len(got) != 0 {
		t.Errorf("an empty board shows %v", got)
	}
	for _, p := range []Part{part("film", OK), part("pin", Note), part("disk", Problem), part("clock", OK), part("buttons", Problem)} {
		b.Set(p)
	}
	b.Set(part("film", Note)) // it replaces the first
	var want []Part
	for _, p := range []Part{part("disk", Problem), part("buttons", Problem), part("film", Note), part("pin", Note), part("clock", OK)} {
		want = append(want, p.Classified())
	}
	got := b.Parts()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
	got[0] = part("mine", OK) // the list is the caller's own
	if diff := cmp.Diff(want, b.Parts()); diff != "" {
		t.Errorf("a caller changed the board (-want +got):\n%s", diff)
	}
}

func TestFollow(t *testing.T) {
	var b Board
	b.Set(part("film", OK))
	one, stopOne := b.Follow()
	defer stopOne()
	two, stopTwo := b.Follow()
	defer stopTwo()
	told := func(f <-chan struct{}) bool {
		select {
		case <-f:
			return true
		default:
			return false
		}
	}
	if told(one) {
		t.Error("a follower is told of what was set before it came")
	}
	b.Set(part("film", Problem))
	b.Set(part("film", Note))
	if !told(one) || told(one) {
		t.Error("two changes are not one token")
	}
	b.Set(part("film", Note))
	if told(one) {
		t.Error("a follower is told that nothing has changed")
	}
	if !told(two) { // it never looked meanwhile, and held nobody up
		t.Error("a slow follower is not told")
	}
	hint := part("film", Note)
	hint.Hint = map[string]string{"id": "x", "en": "x"}
	b.Set(hint)
	if !told(one) {
		t.Error("a follower is not told of a new hint")
	}
	stopOne()
	b.Set(part("film", Problem))
	if told(one) || !told(two) {
		t.Error("one that has stopped is told, or one that has not is not")
	}
}

func TestBoardIsSafeForAll(t *testing.T) {
	var b Board
	f, stop := b.Follow()
	defer stop()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			for n := range 100 {
				b.Set(part(fmt.Sprint(i), []Level{OK, Note, Problem}[n%3]))
				b.Parts()
				_, stop := b.Follow()
				stop()
			}
		})
	}
	group.Wait()
	<-f
	if n := len(b.Parts()); n != 8 {
		t.Errorf("%d parts, want 8", n)
	}
}
