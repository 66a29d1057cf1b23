package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/lab/gpio/sim"
	"mimpi-kiosk/internal/screening"
)

// storm presses the four buttons many times, at up to 50 presses per second in all, with
// bouncing contacts, while the disk is slow for a stretch, the daemon is stopped for so
// long that the kernel's buffer runs over, is killed, and is ended and started again.
// Then the journal must hold every press exactly once, or say that it was lost; and
// every blink of a lamp must stand for a press in the journal.
func storm(asked map[string]string) error {
	presses, err := number(asked, "presses")
	if err != nil {
		return err
	}
	seed, err := number(asked, "seed")
	if err != nil {
		return err
	}
	if presses < 1500 {
		return fmt.Errorf("%d presses are too few for every part of the storm: 1500 at least", presses)
	}
	if err := openDoors(); err != nil {
		return err
	}
	s := &stormy{total: presses, broken: make(chan error, 64)}
	if s.chip, err = sim.New(func(err error) { s.breaks(err) }); err != nil {
		return err
	}
	defer s.chip.Close()
	s.daemon = &daemon{chip: s.chip}
	if err := s.daemon.start(); err != nil {
		return err
	}
	began := time.Now()
	runtime.GOMAXPROCS(16) // each of the threads below always has its turn
	var working, watching sync.WaitGroup
	stopWatching := make(chan struct{})
	watching.Go(func() { s.breaks(s.watchLamps(stopWatching)) })
	for i := range buttons {
		working.Go(func() { s.breaks(s.pressAll(i, rand.New(rand.NewPCG(uint64(seed), uint64(i))))) })
	}
	troubled := s.makeTrouble()
	s.stop.Store(troubled != nil)
	working.Wait()
	took := time.Since(began)
	s.untilDark()
	if troubled == nil {
		troubled = s.daemon.end(syscall.SIGTERM)
	}
	close(stopWatching)
	watching.Wait()
	if troubled != nil {
		return troubled
	}
	select {
	case err := <-s.broken:
		return fmt.Errorf("the lab itself: %w", err)
	default:
	}
	return s.check(took)
}

type stormy struct {
	chip   *sim.Chip
	daemon *daemon
	total  int
	broken chan error
	stop   atomic.Bool // the presses

	made   atomic.Int64               // presses begun
	life   atomic.Int64               // of the daemon: 0, 1, ...
	blinks [8][len(buttons)]int       // by life; watchLamps writes
	last   atomic.Int64               // when the last lamp was seen on, nanoseconds
	done   [len(buttons)][]stormPress // each button's goroutine writes its own
}

// stormPress is what really happened, in CLOCK_MONOTONIC.
type stormPress struct {
	from, to time.Duration // first touch of the contact, and last after the release
	// spoiled: the machine stood still inside a bounce for so long that the kernel may
	// rightly take it for two presses.
	spoiled bool
}

func (s *stormy) breaks(err error) {
	if err == nil {
		return
	}
	select {
	case s.broken <- err:
	default:
	}
}

// hurry makes this goroutine's thread, which it keeps, come before all others; calm makes
// it come after all others.
func hurry() error {
	return setScheduler(unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 10})
}

func calm() error {
	return setScheduler(unix.SchedAttr{Policy: unix.SCHED_IDLE})
}

func setScheduler(a unix.SchedAttr) error {
	runtime.LockOSThread()
	a.Size = unix.SizeofSchedAttr
	return unix.SchedSetAttr(0, &a, 0)
}

// wait is time.Sleep by the thread itself. Go's timers wait for other threads, and so do
// its system calls; in these threads nothing else waits for them. (The kernel's command
// line says GODEBUG=asyncpreemptoff=1, so that Go does not wake them either.)
func wait(d time.Duration) {
	left := unix.NsecToTimespec(int64(d))
	for {
		_, _, errno := unix.RawSyscall6(unix.SYS_CLOCK_NANOSLEEP, unix.CLOCK_MONOTONIC, 0,
			uintptr(unsafe.Pointer(&left)), uintptr(unsafe.Pointer(&left)), 0, 0)
		if errno != unix.EINTR {
			return
		}
	}
}

// rate is how many presses per second all buttons together make now.
func (s *stormy) rate() float64 {
	switch done := float64(s.made.Load()) / float64(s.total); {
	case done < 0.1:
		return 12
	case done < 0.3:
		return 30
	}
	return 50
}

// pressAll makes one button's part of the presses. Its bounces come before anything else
// that the machine does, so that they are as short as they are meant to be; between them
// it comes last, so that the kernel has looked at a button before it is let go, however
// late the machine is.
func (s *stormy) pressAll(i int, random *rand.Rand) error {
	wire, err := s.chip.Wire(buttons[i].line)
	if err != nil {
		return err
	}
	defer wire.Close()
	for range s.total / len(buttons) {
		if s.stop.Load() {
			return nil
		}
		s.made.Add(1)
		p := stormPress{from: clicker.Monotonic()}
		if err := bounce(&p, random, wire, true); err != nil {
			return err
		}
		wait(36*time.Millisecond + time.Duration(random.IntN(5))*time.Millisecond)
		if err := bounce(&p, random, wire, false); err != nil {
			return err
		}
		p.to = clicker.Monotonic()
		s.done[i] = append(s.done[i], p)
		// The next one, so that the mean of all is rate; never before the contact is still.
		const still = 36 * time.Millisecond
		rest := time.Duration(float64(len(buttons))/s.rate()*float64(time.Second)) - (p.to - p.from)
		if rest > still+10*time.Millisecond {
			rest = still + time.Duration(random.Int64N(int64(2*(rest-still))))
		}
		wait(max(rest, still))
	}
	return nil
}

// bounce ends with the contact down or not, after 0.2 to 8 ms of bouncing.
func bounce(p *stormPress, random *rand.Rand, wire *sim.Wire, down bool) error {
	if err := hurry(); err != nil {
		return err
	}
	within := time.Duration(200+random.IntN(7800)) * time.Microsecond
	begin := clicker.Monotonic()
	for step := begin; ; {
		if err := wire.Press(down); err != nil {
			return err
		}
		now := clicker.Monotonic()
		p.spoiled = p.spoiled || now-step > 12*time.Millisecond
		step = now
		if now-begin >= within {
			return calm()
		}
		wait(time.Duration(200+random.IntN(1500)) * time.Microsecond)
		if err := wire.Press(!down); err != nil {
			return err
		}
		wait(time.Duration(50+random.IntN(300)) * time.Microsecond)
	}
}

// watchLamps counts how often each lamp goes on.
func (s *stormy) watchLamps(stop <-chan struct{}) error {
	var wires [len(buttons)]*sim.Wire
	for i, b := range buttons {
		var err error
		if wires[i], err = s.chip.Wire(b.lamp); err != nil {
			return err
		}
		defer wires[i].Close()
	}
	if err := hurry(); err != nil {
		return err
	}
	var lit [len(buttons)]bool
	for {
		for i, w := range wires {
			now, err := w.Lit()
			if err != nil {
				return err
			}
			if now {
				s.last.Store(int64(clicker.Monotonic()))
			}
			if now && !lit[i] {
				s.blinks[s.life.Load()][i]++
			}
			lit[i] = now
		}
		select {
		case <-stop:
			return nil
		default:
		}
		wait(6 * time.Millisecond)
	}
}

func (s *stormy) untilDark() {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if clicker.Monotonic()-time.Duration(s.last.Load()) > 2*time.Second {
			return
		}
	}
	s.breaks(errors.New("the lamps blink on and on"))
}

// reach waits until so many presses have begun.
func (s *stormy) reach(presses int64) error {
	for end := time.Now().Add(10 * time.Minute); s.made.Load() < presses; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			return fmt.Errorf("only %d presses after ten minutes", s.made.Load())
		}
	}
	return nil
}

func (s *stormy) share(percent int) int64 { return int64(s.total) * int64(percent) / 100 }

// makeTrouble is the run of the storm, in shares of the presses.
func (s *stormy) makeTrouble() error {
	slow := func(on bool) error {
		if on {
			return s.daemon.disk.Stall(200 * time.Millisecond)
		}
		return s.daemon.disk.Stall(0)
	}
	again := func(signal syscall.Signal, away time.Duration) error {
		err := s.daemon.end(signal)
		time.Sleep(away)
		s.life.Add(1)
		return errors.Join(err, s.daemon.start())
	}
	steps := []struct {
		at   int64
		what string
		do   func() error
	}{
		{s.share(8), "the disk takes 200 ms per fsync", func() error { return slow(true) }},
		{s.share(18), "the disk is quick again", func() error { return slow(false) }},
		{s.share(22), "kill -9, away for 2 s", func() error { return again(syscall.SIGKILL, 2*time.Second) }},
		{s.share(30), "stopped until the kernel's buffer has run over", func() error {
			if err := s.daemon.process.Process.Signal(syscall.SIGSTOP); err != nil {
				return err
			}
			// It keeps 1024 edges, two of each press, and more fit into the process.
			if err := s.reach(s.made.Load() + clicker.EdgeBuffer/2 + 150); err != nil {
				return err
			}
			return s.daemon.process.Process.Signal(syscall.SIGCONT)
		}},
		{s.share(82), "kill -9 on a slow disk, away for 1 s", func() error {
			if err := slow(true); err != nil {
				return err
			}
			time.Sleep(2 * time.Second)
			return errors.Join(again(syscall.SIGKILL, time.Second), slow(false))
		}},
		{s.share(92), "ended and started again", func() error { return again(syscall.SIGTERM, 0) }},
	}
	for _, step := range steps {
		if err := s.reach(step.at); err != nil {
			return err
		}
		fmt.Printf("LAB  after %5d presses: %s\n", s.made.Load(), step.what)
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// check compares what happened with what the journal says.
func (s *stormy) check(took time.Duration) error {
	recorded, state, err := events()
	if err != nil {
		return err
	}
	var wrong []error
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }

	place := map[string]int{}
	for i, b := range buttons {
		place[b.category] = i
	}
	type window struct{ from, to time.Duration }
	var (
		counts  [len(buttons)][]time.Duration // edges, in the order of the journal
		lives   [len(s.blinks)][len(buttons)]int
		lost    [len(buttons)]int
		orphans int // lost, of a button that nobody knows
		unheard []window
		ids     = map[string]bool{}
		life    int
		by      = map[screening.LossReason]int{}
	)
	for _, r := range recorded {
		switch e := r.Event.(type) {
		case screening.ScreeningPlanned:
			life = -1 // what started before is not the daemon
		case screening.KioskStarted:
			life++
		case screening.AttendeeCounted:
			i, known := place[e.Category]
			fields := strings.Split(r.Command, "-")
			at, err := strconv.ParseInt(fields[len(fields)-1], 10, 64)
			if !known || err != nil || r.From != screening.FromButtons {
				say("event %d is no press of ours: %+v", r.Seq, r)
				continue
			}
			if ids[r.Command] {
				say("press %s is counted twice", r.Command)
			}
			ids[r.Command] = true
			counts[i] = append(counts[i], time.Duration(at))
			lives[max(life, 0)][i]++
		case screening.PressesLost:
			by[e.Why] += e.Presses
			switch i, known := place[e.Category]; {
			case e.Why == screening.Unheard:
				unheard = append(unheard, window{(r.Stamp.Mono - e.Unheard).Duration(), r.Stamp.Mono.Duration()})
			case known:
				lost[i] += e.Presses
			default:
				orphans += e.Presses
			}
		}
	}

	all, saved, away, spoiled, lostInAll := 0, 0, 0, 0, orphans
	var missing [len(buttons)]int
	for i, b := range buttons {
		edges := counts[i]
		for n, p := range s.done[i] {
			all++
			next := time.Duration(1<<63 - 1)
			if n+1 < len(s.done[i]) {
				next = s.done[i][n+1].from
			}
			found := 0
			for len(edges) > 0 && edges[0] < next {
				if edges[0] < p.from {
					say("%s: a press at %v that nobody made", b.category, edges[0])
				} else {
					found++
				}
				edges = edges[1:]
			}
			saved += found
			if p.spoiled {
				spoiled++
			}
			switch {
			case found > 1 && !(p.spoiled && found == 2):
				say("%s: press %d at %v is counted %d times", b.category, n, p.from, found)
			case found >= 1:
			default:
				heard := true
				for _, w := range unheard {
					heard = heard && (p.to < w.from || p.from > w.to)
				}
				if heard {
					missing[i]++
				} else {
					away++
				}
			}
		}
		if len(edges) > 0 {
			say("%s: %d presses at the end that nobody made", b.category, len(edges))
		}
		lostInAll += lost[i]
		if counted := len(counts[i]); state.Attendance.Categories[i].Total() != counted {
			say("%s: the total is %d, and %d presses are recorded", b.category, state.Attendance.Categories[i].Total(), counted)
		}
	}
	short := 0
	for i, b := range buttons {
		if missing[i] < lost[i] {
			say("%s: %d presses are said to be lost, and only %d are missing", b.category, lost[i], missing[i])
		}
		short += missing[i] - lost[i]
	}
	if short != orphans {
		say("%d presses are missing beyond those that PressesLost tells of by button %v of %v; it tells of %d without one", short, lost, missing, orphans)
	}
	// A run that is killed, or ended, owes the blinks that its lamps had no time for. The
	// last one had.
	blinked := 0
	for l := range lives {
		for i, b := range buttons {
			blinked += s.blinks[l][i]
			if blinks, counted := s.blinks[l][i], lives[l][i]; blinks > counted || int64(l) == s.life.Load() && blinks != counted {
				say("run %d of the daemon: the lamp of %s blinked %d times for %d recorded presses", l, b.category, blinks, counted)
			}
		}
	}
	fmt.Printf("LAB  storm: %d presses in %v (%.1f per second), contact bounce 0.2 to 8 ms at both edges\n", all, took.Round(time.Second), float64(all)/took.Seconds())
	fmt.Printf("LAB  storm: recorded %d, each once; lamps blinked %d times, never for one that is not recorded\n", saved, blinked)
	fmt.Printf("LAB  storm: lost and said so %d (%v)\n", lostInAll, by)
	fmt.Printf("LAB  storm: pressed while the daemon was away %d, in %d stretches that it says nobody listened in\n", away, len(unheard))
	var self unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &self)
	fmt.Printf("LAB  storm: processor time: daemon %v, lab %v+%v\n", s.daemon.spent, time.Duration(self.Utime.Nano()), time.Duration(self.Stime.Nano()))
	fmt.Printf("LAB  storm: bounces that the slow machine drew out beyond 12 ms: %d\n", spoiled)

	if all < s.total*9/10 {
		say("only %d of %d presses were made", all, s.total)
	}
	if lostInAll == 0 || away == 0 || len(unheard) < 3 {
		say("the storm was too mild: %d lost, %d while away, %d stretches", lostInAll, away, len(unheard))
	}
	if blinked < saved/2 {
		say("the lamps blinked only %d times for %d recorded presses", blinked, saved)
	}
	if spoiled > all/20 {
		say("the machine is too slow: it drew out the bounces of %d presses", spoiled)
	}
	return errors.Join(wrong...)
}
