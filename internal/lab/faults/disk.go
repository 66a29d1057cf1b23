package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/preload"
	"mimpi-kiosk/internal/lab/visit"
)

// badDisk is one way in which a disk goes bad for a while.
type badDisk struct {
	fault    string
	strike   func(*sick) error
	heal     func(*sick) error
	mounted  bool // on a small ext4 of its own
	refuses  bool // nothing can be saved meanwhile, and everybody must be told
	restarts int  // so often may the daemon end by itself
}

const forEver = -1

var badDisks = []badDisk{
	{fault: "disk full while people vote (ext4)", mounted: true, refuses: true, strike: (*sick).fill, heal: (*sick).free},
	{fault: "disk turns read-only (ext4, aborted), box restarted", mounted: true, refuses: true, restarts: 1, strike: (*sick).abort, heal: (*sick).mountAnew},
	{fault: "disk turns read-only (EROFS), and back", refuses: true, strike: writes(syscall.EROFS, forEver), heal: well},
	{fault: "one write fails (EIO)", restarts: 1, strike: writes(syscall.EIO, 1), heal: well},
	{fault: "every write fails (EIO), until it does not", refuses: true, restarts: 1, strike: writes(syscall.EIO, forEver), heal: well},
	{fault: "one sync fails (EIO)", restarts: 1, strike: syncs(syscall.EIO, 1), heal: well},
	{fault: "every sync fails (EIO), until it does not", refuses: true, restarts: 1, strike: syncs(syscall.EIO, forEver), heal: well},
	{fault: "some reads fail (EIO) while the box starts", strike: (*sick).startUnread, heal: well},
	{fault: "each sync takes 500 ms longer", strike: func(s *sick) error { return s.disk.Stall(500 * time.Millisecond) }, heal: well},
}

func writes(e syscall.Errno, times int) func(*sick) error {
	return func(s *sick) error { return s.disk.Writes(preload.Order{Error: e, Times: times}) }
}

func syncs(e syscall.Errno, times int) func(*sick) error {
	return func(s *sick) error { return s.disk.Syncs(preload.Order{Error: e, Times: times}) }
}

func well(s *sick) error {
	return errors.Join(s.disk.Writes(preload.Order{}), s.disk.Syncs(preload.Order{}), s.disk.Reads(preload.Order{}), s.disk.Stall(0))
}

// startUnread has the power fail, and the card refuse to give what it has for a moment.
func (s *sick) startUnread() error {
	s.running.Lock()
	defer s.running.Unlock()
	s.restarts-- // ours
	return errors.Join(s.disk.Reads(preload.Order{Error: syscall.EIO, After: 20, Times: 3}), s.process.Cmd.Process.Kill())
}

// sick is a kiosk whose disk goes bad.
type sick struct {
	*hall
	disk   *preload.Disk
	folder string // where its disk is mounted, or ""
	image  string

	running  sync.Mutex // held while the daemon must not run
	process  *visit.Process
	restarts int
}

func disk(ctx context.Context, a asked) error {
	var failed []error
	for _, b := range badDisks {
		if !strings.Contains(b.fault, a.only) {
			continue
		}
		row := oracle.Row{Part: "disk", Fault: b.fault, Size: fmt.Sprint("bad for ", a.hurts), Seed: a.seed}
		begin := time.Now()
		v, says, err := b.run(ctx, a)
		if v != nil {
			row = row.With(v)
			row.Says = says
			err = errors.Join(err, v.Err(), enough(v, 100))
		}
		fmt.Printf("disk: %s: %v; %s (%v)\n", b.fault, v, says, time.Since(begin).Round(time.Second))
		if err != nil && v != nil {
			fmt.Println("disk:", v.Reasons)
		}
		if err := row.Keep(ctx, err); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", b.fault, err))
		}
	}
	return errors.Join(failed...)
}

func (b badDisk) run(ctx context.Context, a asked) (v *oracle.Verdict, says string, err error) {
	h, err := newHall(filepath.Join(a.dir, "disk"), uint64(a.seed))
	if err != nil {
		return nil, "", err
	}
	s := &sick{hall: h}
	if s.disk, err = preload.NewDisk(filepath.Join(h.dir, "orders")); err != nil {
		return nil, "", err
	}
	defer s.disk.Close()
	h.env = s.disk.Environment(a.library)
	if b.mounted {
		if err := s.mount(); err != nil {
			return nil, "", err
		}
		defer func() { err = errors.Join(err, syscall.Unmount(s.folder, syscall.MNT_DETACH)) }()
	}
	if s.process, err = s.begin(ctx); err != nil {
		return nil, "", err
	}
	if err := s.enter(); err != nil {
		return nil, "", errors.Join(err, s.process.Stop())
	}
	keeping, stopKeeping := context.WithCancel(ctx)
	kept := make(chan error, 1)
	go func() { kept <- s.keep(keeping) }()
	staying, stopStaying := context.WithCancel(ctx)
	stayed := make(chan struct{})
	go func() { s.stay(staying); close(stayed) }()

	pause(ctx, time.Second)
	says, err = b.suffer(ctx, a, s)
	stopStaying()
	<-stayed
	if err == nil {
		err = s.totals()
	}
	stopKeeping()
	err = errors.Join(err, <-kept)
	if s.restarts > b.restarts {
		err = errors.Join(err, fmt.Errorf("the daemon ended by itself %d times, at most %d is as it should be", s.restarts, b.restarts))
	}
	v, jerr := s.history.Judge(ctx, s.journal())
	return v, fmt.Sprintf("%s%d restarts", says, s.restarts), errors.Join(err, jerr)
}

// suffer is the time of the bad disk, seen by somebody who looks at it.
func (b badDisk) suffer(ctx context.Context, a asked, s *sick) (says string, err error) {
	watcher, err := s.watcher()
	if err != nil {
		return "", err
	}
	if err := b.strike(s); err != nil {
		return "", fmt.Errorf("break the disk: %w", err)
	}
	pause(ctx, a.hurts/2)
	if b.refuses {
		if err := watcher.told(ctx); err != nil {
			return "", fmt.Errorf("while the disk is bad: %w", err)
		}
	}
	pause(ctx, a.hurts/2)
	if err := b.heal(s); err != nil {
		return "", fmt.Errorf("mend the disk: %w", err)
	}
	healed := time.Now()
	before := s.history.Acknowledged()
	for s.history.Acknowledged() < before+50 {
		if time.Since(healed) > 30*time.Second {
			seen, err := watcher.facilitator.look()
			return "", fmt.Errorf("half a minute after the disk was mended people are still not counted: %+v, %v", seen, err)
		}
		pause(ctx, 10*time.Millisecond)
	}
	says = fmt.Sprintf("counting again after %v, ", time.Since(healed).Round(100*time.Millisecond))
	pause(ctx, time.Second)
	if b.refuses {
		err = watcher.allWell(ctx)
	}
	return says, err
}

// keep starts the daemon again when it ends, as systemd would; when ctx ends it ends it.
func (s *sick) keep(ctx context.Context) error {
	for {
		ended := make(chan error, 1)
		go func() { ended <- s.process.Cmd.Wait() }()
		select {
		case <-ctx.Done():
			if err := s.process.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
				return err
			}
			return <-ended
		case <-ended:
		}
		pause(ctx, time.Second)
		s.running.Lock()
		p, err := s.begin(context.WithoutCancel(ctx))
		if err == nil {
			s.process = p
		}
		s.restarts++
		s.running.Unlock()
		if err != nil {
			return fmt.Errorf("start again: %w", err)
		}
	}
}

// watcher is a facilitator who looks on, and tries the touch screen.
type watcher struct{ facilitator, touch *seat }

func (s *sick) watcher() (*watcher, error) {
	w := &watcher{&seat{hall: s.hall, name: "watcher", role: "facilitator"}, &seat{hall: s.hall, name: "finger", role: "touch"}}
	for _, one := range []*seat{w.facilitator, w.touch} {
		v, err := s.visitor()
		if err != nil {
			return nil, err
		}
		one.visitor = v
	}
	return w, w.facilitator.visitor.SignIn()
}

// told makes sure that nothing is shown as saved, that everybody is told why and what to do,
// and that the film goes on.
func (w *watcher) told(ctx context.Context) error {
	if err := w.level(ctx, "problem"); err != nil {
		return err
	}
	if err := w.facilitator.visitor.Get("/stage"); err != nil {
		return fmt.Errorf("the projector's page: %w", err)
	}
	before, err := w.facilitator.look()
	if err != nil {
		return err
	}
	if _, err := w.touch.look(); err != nil {
		return err
	}
	h := w.facilitator.hall
	for range 10 {
		id := w.touch.id()
		h.history.Invoke(id)
		err := w.touch.visitor.Do(id, map[string]any{"do": "countAttendee", "category": "woman"})
		var no *visit.Refused
		switch {
		case err == nil:
			h.history.Acknowledge(id)
			return errors.New("a count is acknowledged")
		case errors.As(err, &no) && no.Reason == "doors_closed": // the rules come first
			h.history.Refuse(id, no.Reason)
		case errors.As(err, &no) && no.Reason == "not_saved":
			h.history.Refuse(id, no.Reason)
			if !strings.Contains(no.Message["id"], "Belum tersimpan") || !strings.Contains(no.Message["en"], "Not saved") {
				return fmt.Errorf("a refused count is told %q", no.Message)
			}
		default:
			return fmt.Errorf("a count: %w", err)
		}
	}
	after, err := w.facilitator.look()
	if err != nil {
		return err
	}
	if before.Attendance != after.Attendance {
		return fmt.Errorf("%d people are shown, %d before: nothing can have been saved", after.Attendance.Total, before.Attendance.Total)
	}
	for end := time.Now().Add(10 * time.Second); ; pause(ctx, 20*time.Millisecond) { // the lead moves about, too
		var wrong error
		for _, fields := range []map[string]any{{"do": "moveTo", "step": "film"}, {"do": "playFilm"}} {
			wrong = errors.Join(wrong, w.facilitator.visitor.Do(w.facilitator.id(), fields))
		}
		v, err := w.facilitator.look()
		if err != nil {
			return err
		}
		if v.Playback.Playing {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("the film does not play: %w", wrong)
		}
	}
}

func (w *watcher) allWell(ctx context.Context) error {
	if err := w.level(ctx, "ok"); err != nil {
		return fmt.Errorf("after the disk was mended: %w", err)
	}
	return nil
}

// level waits until the board says so of the journal, for 15 s, with a sentence in both languages.
func (w *watcher) level(ctx context.Context, want string) error {
	said := ""
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, 200*time.Millisecond) {
		v, err := w.facilitator.look()
		if err != nil {
			said = err.Error() // it may be starting
			continue
		}
		for _, p := range v.Health {
			if p.Part != "journal" {
				continue
			}
			said = fmt.Sprint(p)
			if p.Level == want && (want == "ok" || p.Message["id"] != "" && p.Message["en"] != "" && p.Hint["id"] != "" && p.Hint["en"] != "") {
				return nil
			}
		}
	}
	return fmt.Errorf("the board does not say %q of the journal, but %s", want, said)
}

// ---- a small disk ----

func tool(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s (it needs root; make test-faults has what it uses)", name, strings.Join(args, " "), err, out)
	}
	return nil
}

// mount puts the data folder on an ext4 of 32 MB.
func (s *sick) mount() error {
	s.folder, s.image = filepath.Join(s.dir, "mounted"), filepath.Join(s.dir, "disk.img")
	f, err := os.Create(s.image)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(32<<20), f.Close(), os.Mkdir(s.folder, 0o755)); err != nil {
		return err
	}
	if err := tool("mkfs.ext4", "-q", "-m", "0", s.image); err != nil {
		return err
	}
	if err := tool("mount", "-o", "loop,errors=remount-ro", s.image, s.folder); err != nil {
		return err
	}
	s.data = filepath.Join(s.folder, "data")
	return os.Mkdir(s.data, 0o755)
}

func (s *sick) filler() string { return filepath.Join(s.folder, "filler") }

func (s *sick) fill() error {
	f, err := os.Create(s.filler())
	if err != nil {
		return err
	}
	defer f.Close()
	for block := 1 << 20; block > 0; block /= 32 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, block))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return err
		}
	}
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return nil
}

func (s *sick) free() error { return os.Remove(s.filler()) }

// abort has ext4 give up, as it does when it finds itself damaged. Nothing is under way then:
// a plain program that appends, syncs and counts shows that Linux (6.18) may answer a sync with
// yes at that very moment, and not have done it. No kiosk can know better.
func (s *sick) abort() error {
	s.running.Lock()
	defer s.running.Unlock()
	daemon := s.process.Cmd.Process
	if err := daemon.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(300 * time.Millisecond) // the sync under way ends
	return errors.Join(tool("mount", "-o", "remount,abort", s.folder), daemon.Signal(syscall.SIGCONT))
}

// mountAnew is what switching the box off and on does to its disk.
func (s *sick) mountAnew() error {
	s.running.Lock()
	defer s.running.Unlock()
	s.restarts-- // ours
	if err := s.process.Cmd.Process.Kill(); err != nil {
		return err
	}
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Unmount(s.folder, 0)
		if err == nil {
			break
		}
		if time.Now().After(end) {
			return fmt.Errorf("unmount: %w", err)
		}
	}
	if err := exec.Command("e2fsck", "-p", s.image).Run(); err != nil {
		if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() > 1 { // 1: mended
			return fmt.Errorf("e2fsck: %w", err)
		}
	}
	return tool("mount", "-o", "loop,errors=remount-ro", s.image, s.folder)
}

// ---- each write and each sync in turn ----

// points ends the daemon at each write and each sync of a short evening in turn, or has that
// one fail, starts it again, sends what has no answer again, and judges.
func points(ctx context.Context, a asked) error {
	var failed []error
	for _, kind := range []struct {
		fault string
		order func(*preload.Disk, preload.Order) error
		error syscall.Errno
		calls func(writes, syncs int) int
	}{
		{"kill at each write in turn", (*preload.Disk).Writes, preload.Kill, func(w, _ int) int { return w }},
		{"kill at each sync in turn", (*preload.Disk).Syncs, preload.Kill, func(_, s int) int { return s }},
		{"each write in turn fails (EIO)", (*preload.Disk).Writes, syscall.EIO, func(w, _ int) int { return w }},
		{"each sync in turn fails (EIO)", (*preload.Disk).Syncs, syscall.EIO, func(_, s int) int { return s }},
		{"each write in turn finds no space", (*preload.Disk).Writes, syscall.ENOSPC, func(w, _ int) int { return w }},
	} {
		if !strings.Contains(kind.fault, a.only) {
			continue
		}
		row := oracle.Row{Part: "points", Fault: kind.fault, Seed: a.seed}
		run := func(n int) (calls int, v *oracle.Verdict, err error) {
			p := &point{order: kind.order, error: kind.error, at: n}
			writes, syncs, v, err := p.run(ctx, a)
			return kind.calls(writes, syncs), v, err
		}
		all, v, err := run(1 << 30) // none: to count them
		sum, done := oracle.Verdict{}, 0
		if err == nil {
			err = v.Err()
		}
		step := 1
		if a.most > 0 {
			step = max(1, all/a.most)
		}
		for n := a.seed % step; n < all && err == nil && ctx.Err() == nil; n += step {
			if _, v, err = run(n); err == nil {
				err = v.Err()
			}
			if err != nil {
				err = fmt.Errorf("point %d of %d: %w", n, all, err)
			}
			if v != nil {
				sum.Acknowledged += v.Acknowledged
				sum.Lost, sum.Doubled = append(sum.Lost, v.Lost...), append(sum.Doubled, v.Doubled...)
			}
			done++
		}
		row = row.With(&sum)
		row.Size = fmt.Sprintf("%d of %d points", done, all)
		fmt.Printf("points: %s: %s, acknowledged %d, lost %d, doubled %d\n", kind.fault, row.Size, sum.Acknowledged, len(sum.Lost), len(sum.Doubled))
		if err := row.Keep(ctx, err); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", kind.fault, err))
		}
	}
	return errors.Join(failed...)
}

// point is one run with one bad call.
type point struct {
	order func(*preload.Disk, preload.Order) error
	error syscall.Errno
	at    int
}

func (p *point) run(ctx context.Context, a asked) (writes, syncs int, v *oracle.Verdict, err error) {
	h, err := newHall(filepath.Join(a.dir, "points"), uint64(a.seed))
	if err != nil {
		return 0, 0, nil, err
	}
	disk, err := preload.NewDisk(filepath.Join(h.dir, "orders"))
	if err != nil {
		return 0, 0, nil, err
	}
	defer disk.Close()
	h.env = disk.Environment(a.library)
	if err := errors.Join(disk.Writes(preload.Order{}), p.order(disk, preload.Order{Error: p.error, After: p.at, Times: 1})); err != nil {
		return 0, 0, nil, err
	}
	const enough = 20
	for life, sent := 0, 0; sent < enough; life++ {
		if life > 4 {
			return 0, 0, nil, errors.New("the daemon does not come back")
		}
		if sent, err = h.short(ctx, enough); err != nil {
			return 0, 0, nil, err
		}
	}
	writes, syncs, err = disk.Calls()
	if err != nil {
		return 0, 0, nil, err
	}
	v, err = h.history.Judge(ctx, h.journal())
	return writes, syncs, v, err
}

// short is a life of the daemon with an evening of so many commands, or what is left of it.
// It gives how many have been answered.
func (h *hall) short(ctx context.Context, enough int) (answered int, err error) {
	touch := h.seats[2]
	cmd, err := h.daemon(ctx)
	if err != nil {
		return 0, err
	}
	p, err := visit.Begin(cmd)
	if err != nil {
		return touch.done, nil // it ended while it started
	}
	gone := func() (int, error) {
		_ = p.Cmd.Process.Kill() // it may have ended
		_ = p.Cmd.Wait()
		return touch.done, nil
	}
	// A daemon that has ended does not answer: half a second is enough for one that lives.
	answer := &http.Client{Timeout: 5 * time.Second}
	up := false
	for end := time.Now().Add(5 * time.Second); !up && time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		r, err := answer.Get(p.Base + "/healthz")
		if err == nil {
			_, _ = io.Copy(io.Discard, r.Body)
			r.Body.Close()
			up = true
		} else if syscall.Kill(p.Cmd.Process.Pid, 0) != nil || ended(p) {
			break
		}
	}
	if !up {
		return gone()
	}
	if touch.done == 0 { // the PIN may be there already
		if h.lead.visitor.SetPIN() != nil && h.lead.visitor.SignIn() != nil || h.lead.visitor.Connect("facilitator") != nil {
			return gone()
		}
		// It may be planned already by a command whose answer never came.
		if err := h.lead.visitor.Plan(h.lead.id(), "Balai"); err != nil && !errors.As(err, new(*visit.Refused)) {
			return gone()
		}
		if h.lead.visitor.Do(h.lead.id(), map[string]any{"do": "moveTo", "step": "doors"}) != nil {
			return gone()
		}
	}
	if touch.visitor.Connect("touch") != nil {
		return gone()
	}
	touch.next = func(s *seat) *command {
		if s.sent%7 == 6 {
			return judged("undoCount", map[string]any{"category": ""})
		}
		return judged("countAttendee", map[string]any{"category": "woman"})
	}
	for touch.done < enough {
		waiting := len(touch.open)
		if err := touch.act(); err != nil {
			return gone()
		}
		if len(touch.open) == 0 || len(touch.open) < waiting {
			touch.done++
		} else {
			time.Sleep(100 * time.Millisecond) // refused by the disk, or busy
		}
	}
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return gone()
	}
	_ = p.Cmd.Wait() // it may be killed at one of the last writes
	return touch.done, nil
}

// ended says whether the process is a zombie.
func ended(p *visit.Process) bool {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Cmd.Process.Pid))
	return err != nil || strings.Contains(string(data), ") Z ")
}
