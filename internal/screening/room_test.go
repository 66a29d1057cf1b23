package screening_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	. "mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// machine is a Clock whose monotonic part is exact inside synctest.
type machine struct {
	boot string
	on   time.Time
}

func (m machine) Read() Reading {
	now := time.Now()
	return Reading{Wall: now, Boot: m.boot, Mono: ToMillis(now.Sub(m.on))}
}

// journal is one in memory that counts its commits and can be held up in them.
type journal struct {
	*journaltest.Memory
	before  func([]Recorded) error // called in Append when not nil; must be set before Run
	unread  error                  // of Replay
	appends atomic.Int64
	largest atomic.Int64
	written atomic.Int64 // events on the disk
}

func newJournal() *journal { return &journal{Memory: &journaltest.Memory{}} }

func (j *journal) Append(ctx context.Context, events []Recorded) error {
	j.appends.Add(1)
	j.largest.Store(max(j.largest.Load(), int64(len(events))))
	if j.before != nil {
		if err := j.before(events); err != nil {
			return err
		}
	}
	if err := ctx.Err(); err != nil { // as a database would
		return err
	}
	if err := j.Memory.Append(ctx, events); err != nil {
		return err
	}
	j.written.Add(int64(len(events)))
	return nil
}

// Replay minds its context, as one that asks a database does.
func (j *journal) Replay(ctx context.Context, yield func(Recorded) error) error {
	if err := cmp.Or(j.unread, ctx.Err()); err != nil {
		return err
	}
	return j.Memory.Replay(ctx, yield)
}

// hall is a Room that runs, in its last test moments too.
type hall struct {
	*Room
	t      *testing.T
	j      *journal
	boot   string
	ended  chan struct{}
	err    error // of Run, once ended is closed
	cancel func()
	sent   atomic.Int64
}

func startEnvelope(id string) Envelope {
	return Envelope{ID: id, From: FromKiosk, Command: StartKiosk{Kiosk: kiosk, Version: "test"}}
}

func enter(t *testing.T, j *journal, boot string) *hall {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	h := &hall{
		Room: NewRoom(j, machine{boot, time.Now()}),
		t:    t, j: j, boot: boot, cancel: cancel, ended: make(chan struct{}),
	}
	go func() {
		defer close(h.ended)
		h.err = h.Run(ctx, startEnvelope("start of "+boot))
	}()
	t.Cleanup(func() { h.leave() })
	return h
}

// leave ends the Room and gives the error of Run.
func (h *hall) leave() error {
	h.cancel()
	<-h.ended
	return h.err
}

func (h *hall) envelope(c Command) Envelope {
	return Envelope{ID: fmt.Sprintf("%s/%d", h.boot, h.sent.Add(1)), From: FromFacilitator, Command: c}
}

func (h *hall) do(commands ...Command) {
	h.t.Helper()
	for _, c := range commands {
		if err := h.Do(context.Background(), h.envelope(c)); err != nil {
			h.t.Fatalf("%T: %v", c, err)
		}
	}
}

// later sends an envelope and gives the channel of its answer.
func (h *hall) later(e Envelope) <-chan error {
	answer := make(chan error, 1)
	go func() { answer <- h.Do(context.Background(), e) }()
	return answer
}

// hold keeps the Room's goroutine busy, so that what is sent meanwhile waits
// together; release lets it go on.
func (h *hall) hold() (release func()) {
	held, gate := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- h.Read(context.Background(), func(*State) { close(held); <-gate })
	}()
	<-held
	return func() {
		close(gate)
		if err := <-done; err != nil {
			h.t.Errorf("held: %v", err)
		}
	}
}

func (h *hall) people() int { return h.Latest().Attendance.Total() }

// answered gives the answer, or fails when there is none. Inside synctest only.
func answered(t *testing.T, c <-chan error) error {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-c:
		return err
	default:
		t.Fatal("no answer")
		return nil
	}
}

func unanswered(t *testing.T, c <-chan error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-c:
		t.Fatalf("answered %v before the commit", err)
	default:
	}
}

func events(t *testing.T, j *journal) []Recorded {
	t.Helper()
	out, err := j.Events()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// onDisk counts the events of a kind in the journal.
func onDisk(t *testing.T, j *journal, kind string) int {
	t.Helper()
	n := 0
	for _, r := range events(t, j) {
		if r.Event.Kind() == kind {
			n++
		}
	}
	return n
}

var (
	opened  = []Command{plan(), MoveTo{Doors}}
	press   = CountAttendee{"woman"}
	errFull = fmt.Errorf("no space left on device: %w", ErrRefusedByDisk)
)

func TestNothingIsShownBeforeTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate := make(chan struct{})
		j := newJournal()
		j.before = func(rs []Recorded) error {
			if _, ok := rs[0].Event.(AttendeeCounted); ok {
				<-gate
			}
			return nil
		}
		h := enter(t, j, "boot-1")
		h.do(opened...)
		changed, stop := h.Follow()
		defer stop()
		<-changed // a token is there at once
		shown := h.Latest()

		pressed := h.later(h.envelope(press))
		unanswered(t, pressed)
		read := make(chan error, 1)
		seen := -1
		go func() {
			read <- h.Read(context.Background(), func(s *State) { seen = s.Attendance.Total() })
		}()
		unanswered(t, read)
		if h.Latest() != shown || h.people() != 0 {
			t.Fatal("shown before the commit")
		}
		select {
		case <-changed:
			t.Fatal("the follower was woken before the commit")
		default:
		}
		if n := onDisk(t, j, "AttendeeCounted"); n != 0 {
			t.Fatal("the gate does not hold")
		}

		close(gate)
		if err := answered(t, pressed); err != nil {
			t.Fatal(err)
		}
		if err := answered(t, read); err != nil || seen != 1 {
			t.Fatalf("read %d, %v", seen, err)
		}
		if h.people() != 1 {
			t.Fatalf("%d people", h.people())
		}
		select {
		case <-changed:
		default:
			t.Fatal("the follower sleeps on")
		}
	})
}

func TestCommandsThatWaitTogetherShareACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := enter(t, newJournal(), "boot-1")
		h.do(opened...)
		release := h.hold()
		before := h.j.appends.Load()
		var answers []<-chan error
		for range 1500 { // more than the queue holds
			answers = append(answers, h.later(h.envelope(press)))
		}
		synctest.Wait()
		if n := h.j.appends.Load(); n != before {
			t.Fatal("the Room is not held")
		}
		release()
		for _, a := range answers {
			if err := answered(t, a); err != nil {
				t.Fatal(err)
			}
		}
		if n := h.j.appends.Load() - before; n > 4 {
			t.Fatalf("%d commits for 1500 commands", n)
		}
		if n := h.j.largest.Load(); n > 512 {
			t.Fatalf("%d events in one commit", n)
		}
		if h.people() != 1500 {
			t.Fatalf("%d people", h.people())
		}
	})
}

func TestDiskThatRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := enter(t, newJournal(), "boot-1")
		h.do(opened...)
		old := h.envelope(press)
		if err := h.Do(t.Context(), old); err != nil {
			t.Fatal(err)
		}
		before := h.Latest()
		release := h.hold()
		h.j.Fail(errFull)
		pressed := h.envelope(CountAttendee{"man"})
		var batch []<-chan error
		for _, e := range []Envelope{
			pressed, pressed, // the second stood on the first
			h.envelope(UndoCount{}), // so did this
			old,                     // this is on the disk, and may be asked again
			h.envelope(CountAttendee{"child"}),
		} {
			batch = append(batch, h.later(e))
			synctest.Wait() // keep their order
		}
		seen := -1
		read := make(chan error, 1)
		go func() {
			read <- h.Read(context.Background(), func(s *State) { seen = s.Attendance.Total() })
		}()
		synctest.Wait()
		release()
		for i, a := range batch {
			var notSaved *NotSaved
			if err := answered(t, a); !errors.As(err, &notSaved) || !errors.Is(err, ErrRefusedByDisk) {
				t.Fatalf("command %d: %v, want NotSaved", i, err)
			}
		}
		if err := answered(t, read); err != nil || seen != 1 {
			t.Fatalf("who only looks is not hurt: read %d, %v", seen, err)
		}
		sameState(t, "after the refusal", h.Latest(), before)
		if err := h.Check(t.Context()); !errors.Is(err, ErrRefusedByDisk) {
			t.Fatalf("check: %v", err)
		}
		// A refusal by the rules alone touches no disk.
		var no *Refusal
		if err := h.Do(t.Context(), h.envelope(CountAttendee{"child"})); !errors.As(err, &no) || no.Reason != UnknownCategory {
			t.Fatalf("%v", err)
		}

		h.j.Fail(nil)
		if err := h.Check(t.Context()); err != nil {
			t.Fatalf("check: %v", err)
		}
		for range 2 {
			if err := h.Do(t.Context(), pressed); err != nil {
				t.Fatal(err)
			}
		}
		if h.people() != 2 || onDisk(t, h.j, "AttendeeCounted") != 2 {
			t.Fatalf("%d people, %d presses on the disk", h.people(), onDisk(t, h.j, "AttendeeCounted"))
		}
		sameState(t, "the state and the journal", h.Latest(), replay(t, events(t, h.j)).Copy())
	})
}

// What the facilitator does is not refused because somebody pressed a button in the same moment.
func TestOnADiskThatRefusesTheEveningGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		j.before = func(events []Recorded) error { // takes how the evening goes
			if slices.ContainsFunc(events, func(r Recorded) bool { return CountsPeople(r.Event) }) {
				return errFull
			}
			return nil
		}
		h := enter(t, j, "boot-1")
		h.do(opened...)
		held := make(chan struct{})
		go func() { _ = h.Read(context.Background(), func(*State) { <-held }) }() // so that all come in one batch
		synctest.Wait()
		var answers []<-chan error
		for _, c := range []Command{CountAttendee{"man"}, AllowPhones{false}, CountAttendee{"man"}, MoveTo{Discussion}} {
			answers = append(answers, h.later(h.envelope(c)))
			synctest.Wait()
		}
		close(held)
		for i, a := range answers {
			err := answered(t, a)
			if ns := (*NotSaved)(nil); i%2 == 0 != errors.As(err, &ns) || i%2 == 1 && err != nil {
				t.Errorf("command %d: %v", i, err)
			}
		}
		if s := h.Latest(); s.Step != Discussion || !s.NoPhones || s.Attendance.Total() != 0 {
			t.Errorf("the evening is at %s, %d people", s.Step, s.Attendance.Total())
		}
	})
}

func TestJournalInDoubtEndsTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := enter(t, newJournal(), "boot-1")
		h.do(opened...)
		before := h.Latest()
		release := h.hold()
		broken := errors.New("input/output error")
		h.j.Fail(broken)
		var answers []<-chan error
		for range 700 { // a batch, and others behind it
			answers = append(answers, h.later(h.envelope(press)))
		}
		synctest.Wait()
		looks := make(chan error, 2)
		go func() { looks <- h.Read(context.Background(), func(*State) { t.Error("read a state in doubt") }) }()
		go func() { looks <- h.Check(context.Background()) }()
		synctest.Wait()
		release()
		<-h.ended
		if !errors.Is(h.err, broken) || !strings.Contains(h.err.Error(), "commit") {
			t.Fatalf("Run: %v", h.err)
		}
		for _, a := range answers { // of those in the batch nobody knows either
			if err := answered(t, a); !errors.Is(err, ErrRoomClosed) {
				t.Fatalf("%v", err)
			}
		}
		for range 2 {
			if err := answered(t, looks); !errors.Is(err, ErrRoomClosed) {
				t.Fatalf("%v", err)
			}
		}
		if h.Latest() != before {
			t.Fatal("shown although it is not on the disk")
		}
		for what, err := range map[string]error{
			"do":    h.Do(context.Background(), h.envelope(press)),
			"read":  h.Read(context.Background(), func(*State) { t.Error("read in a closed room") }),
			"check": h.Check(context.Background()),
		} {
			if !errors.Is(err, ErrRoomClosed) {
				t.Errorf("%s in a closed room: %v", what, err)
			}
		}
		// Opened anew, everything that was acknowledged is there.
		again := enter(t, &journal{Memory: h.j.Reopen()}, "boot-1b")
		again.do(press)
		if again.people() != 1 {
			t.Fatalf("%d people", again.people())
		}
	})
}

// An end that comes during the start is a good end: what was read is simply let go.
func TestEndedWhileStarting(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	room := NewRoom(newJournal(), machine{"boot-1", time.Now()})
	if err := room.Run(ctx, startEnvelope("s")); err != nil {
		t.Fatalf("Run: %v", err)
	}
}

func TestReplayThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJournal()
		j.unread = errors.New("a bad block")
		room := NewRoom(j, machine{"boot-1", time.Now()})
		waiting := make(chan error, 1)
		go func() {
			waiting <- room.Do(context.Background(), Envelope{ID: "x", Command: OpenDoors{}})
		}()
		synctest.Wait()
		if err := room.Run(t.Context(), startEnvelope("s")); !errors.Is(err, j.unread) || !strings.Contains(err.Error(), "replay the journal") {
			t.Fatalf("Run: %v", err)
		}
		if err := answered(t, waiting); !errors.Is(err, ErrRoomClosed) {
			t.Fatalf("%v", err)
		}
		if j.appends.Load() != 0 {
			t.Fatal("wrote to a journal that it could not read")
		}
	})
}

func TestStartIsRecordedBeforeAllElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := enter(t, newJournal(), "boot-1")
		h.do(plan(), MoveTo{FilmStep}, OpenDoors{}, PlayFilm{})
		if err := h.leave(); err != nil {
			t.Fatal(err)
		}
		// The power failed, and the disk is full when it is back.
		j := &journal{Memory: h.j.Reopen()}
		j.Fail(errFull)
		h = enter(t, j, "boot-2")
		if err := h.Do(t.Context(), h.envelope(press)); !errors.Is(err, ErrRefusedByDisk) {
			t.Fatalf("press: %v", err)
		}
		if err := h.Read(t.Context(), func(*State) {}); err != nil {
			t.Fatalf("read: %v", err)
		}
		j.Fail(nil)
		h.do(press)
		all := events(t, j)
		if n := len(all); all[n-2].Event.Kind() != "KioskStarted" || all[n-1].Event.Kind() != "AttendeeCounted" {
			t.Fatalf("the last two are %s, %s", all[n-2].Event.Kind(), all[n-1].Event.Kind())
		}
		if p := h.Latest().Playback; p.Playing || !p.Interrupted {
			t.Fatalf("%+v", p)
		}
		h.do(press)
		if n := onDisk(t, j, "KioskStarted"); n != 2 {
			t.Fatalf("%d starts", n)
		}
	})
}

func TestStartThatIsRefusedByTheRules(t *testing.T) {
	room := NewRoom(newJournal(), machine{"boot-1", time.Now()})
	err := room.Run(t.Context(), startEnvelope(""))
	var no *Refusal
	if !errors.As(err, &no) || no.Reason != CommandWithoutID {
		t.Fatalf("Run: %v", err)
	}
}

func TestOrderOfOneSender(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := enter(t, newJournal(), "boot-1")
		h.do(opened...)
		release := h.hold()
		// Senders that give up waiting and send the next: what they sent keeps its order.
		var senders sync.WaitGroup
		for s := range 5 {
			senders.Go(func() {
				for i := range 40 {
					ctx, cancel := context.WithTimeout(context.Background(), time.Second)
					err := h.Do(ctx, Envelope{
						ID: fmt.Sprintf("%d/%d", s, i), From: FromFacilitator,
						Command: CorrectAttendance{"man", i + 1, fmt.Sprintf("sender %d", s)},
					})
					cancel()
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("%v", err)
					}
				}
			})
		}
		senders.Wait()
		release()
		h.do(press) // behind them all
		next := map[string]int{}
		for _, r := range events(t, h.j) {
			if e, ok := r.Event.(AttendanceCorrected); ok {
				if next[e.Reason]++; e.Delta != next[e.Reason] {
					t.Fatalf("%s: number %d came as number %d", e.Reason, e.Delta, next[e.Reason])
				}
			}
		}
		if len(next) != 5 || next["sender 4"] != 40 {
			t.Fatalf("%v", next)
		}
	})
}

func TestSenderThatGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := enter(t, newJournal(), "boot-1")
		h.do(opened...)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		e := h.envelope(press)
		if err := h.Do(gone, e); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		release := h.hold()
		soon, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.Do(soon, e); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		release()
		for range 3 { // sent again with the same id, it counts once
			if err := h.Do(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		if h.people() != 1 {
			t.Fatalf("%d people", h.people())
		}
	})
}

func TestSlowFollowerHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := enter(t, newJournal(), "boot-1")
		h.do(opened...)
		slow, stopSlow := h.Follow()
		defer stopSlow()
		gone, stop := h.Follow()
		<-gone
		stop()
		for range 100 {
			h.do(press)
		}
		synctest.Wait()
		<-slow
		if h.people() != 100 {
			t.Fatalf("%d people", h.people())
		}
		select {
		case <-slow:
			t.Fatal("tokens pile up")
		case <-gone:
			t.Fatal("a follower that stopped is woken")
		default:
		}
		h.do(press)
		<-slow
		// What changes nothing wakes nobody.
		h.do(OpenDoors{})
		if err := h.Do(t.Context(), h.envelope(CountAttendee{"child"})); err == nil {
			t.Fatal("not refused")
		}
		synctest.Wait()
		select {
		case <-slow:
			t.Fatal("woken for nothing")
		default:
		}
	})
}

func TestRunEndsCleanly(t *testing.T) {
	t.Run("at rest", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			h := enter(t, newJournal(), "boot-1")
			h.do(opened...)
			if err := h.leave(); err != nil {
				t.Fatal(err)
			}
			if err := h.Do(t.Context(), h.envelope(press)); !errors.Is(err, ErrRoomClosed) {
				t.Fatal(err)
			}
		})
	})
	for name, answer := range map[string]error{"in a commit": nil, "in a commit that the disk refuses": errFull} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				gate := make(chan struct{})
				j := newJournal()
				j.before = func(rs []Recorded) error {
					if _, ok := rs[0].Event.(AttendeeCounted); ok {
						<-gate
						return answer
					}
					return nil
				}
				h := enter(t, j, "boot-1")
				h.do(opened...)
				pressed := h.later(h.envelope(press))
				synctest.Wait()
				h.cancel()
				unanswered(t, pressed)
				close(gate)
				if err := answered(t, pressed); !errors.Is(err, answer) {
					t.Fatalf("%v, want %v", err, answer)
				}
				if err := h.leave(); err != nil {
					t.Fatalf("Run: %v", err)
				}
				if n := onDisk(t, j, "AttendeeCounted"); (n == 1) != (answer == nil) {
					t.Fatalf("%d presses on the disk", n)
				}
			})
		})
	}
}

func TestBeforeRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		room := NewRoom(newJournal(), machine{"boot-1", time.Now()})
		if room.Latest().Screening != nil || room.Latest().Next().Label != "plan" {
			t.Fatal("a new room shows something")
		}
		waiting := make(chan error, 1)
		go func() {
			waiting <- room.Do(context.Background(), Envelope{ID: "p", From: FromFacilitator, Command: plan()})
		}()
		unanswered(t, waiting)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- room.Run(ctx, startEnvelope("s")) }()
		if err := answered(t, waiting); err != nil {
			t.Fatal(err)
		}
		if room.Latest().Screening.ID != "scr-1" || room.Latest().Kiosk != kiosk {
			t.Fatal("not shown")
		}
		cancel()
		if err := answered(t, ended); err != nil {
			t.Fatal(err)
		}
	})
}

// Two hundred clickers, each of which resends what it is not sure of, on a disk that
// is full now and then: every press counts once.
func TestEveryPressCountsOnce(t *testing.T) {
	const senders, presses = 200, 50
	j := newJournal()
	var commits int // only Append touches it
	j.before = func([]Recorded) error {
		if commits++; commits%40 == 17 {
			return errFull
		}
		return nil
	}
	h := enter(t, j, "boot-1")
	h.do(opened...)
	categories := []string{"woman", "man", "girl", "boy"}
	looking, stopLooking := context.WithCancel(t.Context())
	var lookers, all sync.WaitGroup
	lookers.Go(func() {
		for looking.Err() == nil {
			var seq, written int64
			err := h.Read(t.Context(), func(s *State) { seq, written = s.Seq, j.written.Load() })
			if err != nil || seq != written {
				t.Errorf("read event %d of %d on the disk: %v", seq, written, err)
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
	lookers.Go(func() {
		changed, stop := h.Follow()
		defer stop()
		last := -1
		for {
			select {
			case <-changed:
				if n := h.people(); n < last {
					t.Errorf("the count fell from %d to %d", last, n)
				} else {
					last = n
				}
			case <-looking.Done():
				return
			}
		}
	})
	for s := range senders {
		all.Go(func() {
			rnd := rand.New(rand.NewPCG(7, uint64(s)))
			for i := range presses {
				e := Envelope{ID: fmt.Sprintf("%d/%d", s, i), From: FromButtons, Screening: "scr-1", Command: CountAttendee{categories[i%4]}}
				for sure := rnd.IntN(3) > 0; ; {
					patience := time.Minute
					if rnd.IntN(4) == 0 {
						patience = time.Duration(rnd.IntN(5)) * time.Millisecond
					}
					ctx, cancel := context.WithTimeout(t.Context(), patience)
					err := h.Do(ctx, e)
					cancel()
					if err == nil && sure {
						break
					}
					sure = sure || err == nil // the answer was lost: once more
					if ns := (*NotSaved)(nil); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &ns) {
						t.Errorf("%v", err)
						return
					}
				}
			}
		})
	}
	all.Wait()
	stopLooking()
	lookers.Wait()
	if h.people() != senders*presses || onDisk(t, j, "AttendeeCounted") != senders*presses {
		t.Fatalf("%d people, %d on the disk, want %d", h.people(), onDisk(t, j, "AttendeeCounted"), senders*presses)
	}
	t.Logf("%d commits", j.appends.Load())
	if err := h.leave(); err != nil {
		t.Fatal(err)
	}
	sameState(t, "the state and the journal", h.Latest(), replay(t, events(t, j)).Copy())
}

func TestDoThenReadSeesItsOwnCommand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := enter(t, newJournal(), "boot-1")
		h.do(opened...)
		people := -1
		err := h.DoThenRead(t.Context(), Envelope{ID: "then", From: FromTouch, Command: press}, func(s *State) { people = s.Attendance.Total() })
		if err != nil || people != 1 {
			t.Errorf("%d people, %v", people, err)
		}
		people = -1
		err = h.DoThenRead(t.Context(), Envelope{ID: "no", From: FromTouch, Command: CountAttendee{"nobody"}}, func(s *State) { people = s.Attendance.Total() })
		if err == nil || people != -1 {
			t.Errorf("a refused command was followed by a look: %d people, %v", people, err)
		}
	})
}

// However many phones wait, the evening does not wait behind them.
func TestTheEveningGoesBeforeThePhones(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := enter(t, newJournal(), "boot-1")
		h.do(opened...)
		h.do(MoveTo{PollBefore}, OpenDoors{}, OpenQuestion{Question: "offer"})
		release := h.hold()
		const phones = 3000 // more than the queue and several transactions hold
		for i := range phones {
			h.later(Envelope{ID: fmt.Sprint("phone ", i), From: FromPhone, Command: phone("offer", 1, fmt.Sprint(i), "agent")})
		}
		synctest.Wait()
		pressed := h.later(Envelope{ID: "press", From: FromButtons, Command: PressButton{Category: "woman"}})
		synctest.Wait()
		release()
		if err := answered(t, pressed); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		place, ballots := 0, 0
		for i, r := range events(t, h.j) {
			switch r.Event.(type) {
			case AttendeeCounted:
				place = i
			case BallotCast:
				ballots++
				if place == 0 {
					t.Fatal("a phone's ballot came before the press")
				}
			}
		}
		if ballots != phones || place == 0 {
			t.Errorf("%d ballots, the press is event %d", ballots, place)
		}
	})
}
