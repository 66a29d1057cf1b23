package usb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// clerk is a Work that writes down what it was asked to do.
type clerk struct {
	mu       sync.Mutex
	did      []string
	all      int // screenings
	fails    map[string]error
	missing  map[string]int
	offers   []Offer
	step     func(done int) // called at each screening
	recorded []string
	unsaved  error // of Exported
}

// set changes what the clerk does, while it may be at work.
func (c *clerk) set(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

func (c *clerk) fate(dir string) (missing int, step func(int), fail error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.step == nil {
		return c.missing[dir], func(int) {}, c.fails[dir]
	}
	return c.missing[dir], c.step, c.fails[dir]
}

func (c *clerk) note(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did = append(c.did, fmt.Sprintf(format, args...))
}

func (c *clerk) Export(_ context.Context, dir string, before func(done, all int) error) (Exported, error) {
	c.note("export %s", filepath.Base(dir))
	e := Exported{}
	missing, step, err := c.fate(dir)
	for n := range c.all {
		if err := before(n, c.all); err != nil {
			return e, err
		}
		step(n)
		e.Screenings, e.Written = n+1, n+1
	}
	e.Missing = missing
	return e, err
}

func (c *clerk) Exported(_ context.Context, stick string, e Exported) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unsaved != nil {
		return c.unsaved
	}
	c.recorded = append(c.recorded, fmt.Sprintf("%s %d %d", stick, e.Screenings, e.Missing))
	return nil
}

func (c *clerk) Log(_ context.Context, dir string) error {
	c.note("log %s", filepath.Base(dir))
	_, _, err := c.fate(dir)
	return err
}

func (c *clerk) Offers(_ context.Context, dir string) []Offer {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offers
}

func (c *clerk) Take(_ context.Context, dir, pack string, progress func(done, all int64)) error {
	c.note("take %s", pack)
	progress(5, 9)
	return nil
}

// desk is a Desk that runs in the bubble of a test.
type deskTest struct {
	*testing.T
	*Desk
	fake  *Fake
	clerk *clerk
	wrong []error
	mu    sync.Mutex
	shown []Stick // on the screens: as the sticks were at the last Changed
}

// onScreens gives what the screens show. Nobody tells them but Changed.
func (d *deskTest) onScreens() []Stick {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.shown
}

func inBubble(t *testing.T, screenings int, f func(d *deskTest)) {
	synctest.Test(t, func(t *testing.T) {
		d := &deskTest{T: t, fake: &Fake{}, clerk: &clerk{all: screenings, fails: map[string]error{}, missing: map[string]int{}}}
		d.Desk = &Desk{System: d.fake, Work: d.clerk, Wrong: func(_ string, err error) { d.wrong = append(d.wrong, err) }}
		d.Desk.Changed = func() {
			now := d.Sticks()
			d.mu.Lock()
			defer d.mu.Unlock()
			d.shown = now
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Desk.Run(ctx) }()
		synctest.Wait()
		f(d)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run ended with %v", err)
		}
	})
}

func stick1(dir string) Partition {
	return Partition{Name: "sda1", Disk: "sda", Dir: dir, Type: "vfat", UUID: "1A2B-3C4D", Label: "KIOS", Size: 8 << 30}
}

// after lets the time pass that a stick needs to settle.
func (d *deskTest) after() Stick {
	time.Sleep(2 * settle)
	synctest.Wait()
	all := d.Sticks()
	if shown := d.onScreens(); !reflect.DeepEqual(all, shown) {
		d.Errorf("the screens show %+v, the sticks are %+v", shown, all)
	}
	if len(all) == 0 {
		return Stick{}
	}
	return all[0]
}

func (d *deskTest) want(s Stick, phase Phase, why Why, safe bool) {
	d.Helper()
	if s.Phase != phase || s.Why != why || s.Safe != safe {
		d.Errorf("the stick is %s %q, safe: %t; want %s %q %t (%+v)", s.Phase, s.Why, s.Safe, phase, why, safe, s)
	}
}

func TestAStickIsFilledAndLetGoOf(t *testing.T) {
	inBubble(t, 3, func(d *deskTest) {
		d.fake.Plug(stick1("/a"))
		synctest.Wait()
		d.want(d.Sticks()[0], Plugged, "", false)
		d.want(d.after(), Safe, "", true)
		if got := d.fake.Asked(); !slices.Equal(got, []string{"release sda1"}) {
			t.Errorf("asked for %v", got)
		}
		id := stick1("").ID()
		if !slices.Equal(d.clerk.recorded, []string{id + " 3 0"}) {
			t.Errorf("recorded %v", d.clerk.recorded)
		}
		d.fake.Pull("sda")
		if s := d.after(); s.Disk != "" {
			t.Errorf("still there: %+v", s)
		}
		d.fake.Plug(stick1("/a"))
		d.want(d.after(), Safe, "", true)
		if len(d.clerk.recorded) != 2 {
			t.Errorf("the second time: recorded %v", d.clerk.recorded)
		}
	})
}

func TestAnExportWaitsForTheFilm(t *testing.T) {
	inBubble(t, 3, func(d *deskTest) {
		d.clerk.set(func() {
			d.clerk.step = func(done int) {
				if done == 1 {
					d.SetHold(FilmRuns) // the film goes on in the middle
				}
			}
		})
		d.SetHold(FilmRuns)
		d.fake.Plug(stick1("/a"))
		d.want(d.after(), Waiting, "", false)
		d.SetHold(Free)
		d.want(d.after(), Waiting, "", false)
		if s := d.Sticks()[0]; s.Done != 2 || s.All != 3 {
			t.Errorf("waits at %d of %d", s.Done, s.All)
		}
		if err := d.Ask("sda", ExportTask, ""); err != nil { // the facilitator is in a hurry
			t.Fatal(err)
		}
		d.want(d.after(), Safe, "", true)
	})
}

func TestNothingIsWrittenWhileThePowerIsWeak(t *testing.T) {
	inBubble(t, 3, func(d *deskTest) {
		d.clerk.set(func() {
			d.clerk.step = func(done int) {
				if done == 0 {
					d.SetHold(WeakPower) // in the middle, and the facilitator does not know
				}
			}
		})
		d.SetHold(FilmRuns)
		d.fake.Plug(stick1("/a"))
		d.after()
		d.ask(ExportTask)
		s := d.after()
		d.want(s, Waiting, "", false)
		if s.WaitsFor != WeakPower || s.Done != 1 {
			t.Errorf("it waits for %d at %d", s.WaitsFor, s.Done)
		}
		d.SetHold(FilmRuns)
		d.want(d.after(), Safe, "", true)

		d.clerk.set(func() { d.clerk.step = nil })
		d.SetHold(WeakPower)
		for _, task := range []Task{LogTask, ExportTask} {
			d.ask(task)
			if s := d.after(); s.Phase != Waiting || s.WaitsFor != WeakPower {
				t.Errorf("%s: %+v", task, s)
			}
			d.ask(task) // now the facilitator knows
			d.want(d.after(), Safe, "", true)
		}
		d.fake.Pull("sda")
		d.after()
		d.fake.Plug(stick1("/a"))
		if s := d.after(); s.Phase != Waiting || s.WaitsFor != WeakPower {
			t.Errorf("the next stick: %+v", s)
		}
		d.SetHold(Free)
		d.want(d.after(), Safe, "", true)
	})
}

func (d *deskTest) ask(task Task) {
	d.Helper()
	if err := d.Ask("sda", task, ""); err != nil {
		d.Errorf("%s: %v", task, err)
	}
}

func TestPulledOutInTheMiddle(t *testing.T) {
	inBubble(t, 3, func(d *deskTest) {
		d.clerk.set(func() {
			d.clerk.fails["/a"] = syscall.EIO
			d.clerk.step = func(done int) {
				if done == 1 {
					d.fake.Pull("sda")
				}
			}
		})
		d.fake.Plug(stick1("/a"))
		s := d.after()
		d.want(s, InTrouble, PulledOut, false)
		if s.Here || len(d.clerk.recorded) != 0 {
			t.Errorf("%+v, recorded %v", s, d.clerk.recorded)
		}
		d.clerk.set(func() { d.clerk.fails, d.clerk.step = map[string]error{}, nil })
		p := stick1("/a")
		p.Name, p.Disk = "sdb1", "sdb" // it often comes back under another name
		d.fake.Plug(p)
		d.want(d.after(), Safe, "", true)
		if len(d.Sticks()) != 1 || len(d.clerk.recorded) != 1 {
			t.Errorf("%+v, recorded %v", d.Sticks(), d.clerk.recorded)
		}
	})
}

func TestAPulledOutStickIsForgottenInTheEnd(t *testing.T) {
	inBubble(t, 1, func(d *deskTest) {
		d.SetHold(FilmRuns)
		d.fake.Plug(stick1("/a"))
		d.after()
		d.fake.Pull("sda")
		d.want(d.after(), InTrouble, PulledOut, false)
		time.Sleep(lingers)
		if s := d.after(); s.Disk != "" {
			t.Errorf("still there: %+v", s)
		}
	})
}

func TestSeveralPartitions(t *testing.T) {
	inBubble(t, 1, func(d *deskTest) {
		d.fake.Plug(Partition{Name: "sda1", Disk: "sda", State: Refused, Why: Unformatted})
		d.fake.Plug(Partition{Name: "sda2", Disk: "sda", Dir: "/locked", ReadOnly: true})
		d.fake.Plug(Partition{Name: "sda3", Disk: "sda", Dir: "/full"})
		time.Sleep(settle / 2)
		d.fake.Plug(Partition{Name: "sda4", Disk: "sda", Dir: "/room"})
		d.clerk.set(func() { d.clerk.missing["/full"] = 2 })
		d.want(d.after(), Safe, "", true)
		if want := []string{"export full", "export room"}; !slices.Equal(d.clerk.did, want) {
			t.Errorf("did %v, want %v", d.clerk.did, want)
		}
		if got := d.fake.Asked(); !slices.Equal(got, []string{"release sda2", "release sda3", "release sda4"}) {
			t.Errorf("asked for %v", got)
		}
	})
}

func TestTroubleIsSaid(t *testing.T) {
	for name, test := range map[string]struct {
		p    Partition
		fail error
		miss int
		why  Why
	}{
		"not formatted":    {p: Partition{State: Refused, Why: Unformatted}, why: Unformatted},
		"NTFS":             {p: Partition{State: Refused, Why: NTFS}, why: NTFS},
		"write-protected":  {p: Partition{ReadOnly: true, Why: Protected}, why: Protected},
		"full":             {miss: 4, why: Full},
		"a fake":           {fail: &Trouble{Why: Lying, Err: errors.New("read back")}, why: Lying},
		"writing fails":    {fail: syscall.EIO, why: Failed},
		"no way to encypt": {fail: &Trouble{Why: Withheld}, why: Withheld},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(d *deskTest) {
				test.p.Name, test.p.Disk, test.p.Dir = "sda1", "sda", "/a"
				d.clerk.set(func() { d.clerk.fails["/a"], d.clerk.missing["/a"] = test.fail, test.miss })
				d.fake.Plug(test.p)
				d.want(d.after(), InTrouble, test.why, true)
				if len(d.wrong) != 1 {
					t.Errorf("for the log: %v", d.wrong)
				}
				d.fake.Pull("sda")
				if s := d.after(); s.Disk != "" {
					t.Errorf("it may be taken out, and then is gone: %+v", s)
				}
			})
		})
	}
}

func TestAStickThatIsHeldIsNotSafe(t *testing.T) {
	inBubble(t, 1, func(d *deskTest) {
		d.fake.Hold("sda1", true)
		d.fake.Plug(stick1("/a"))
		d.want(d.after(), InTrouble, Held, false)
		if len(d.clerk.recorded) != 0 {
			t.Errorf("recorded %v", d.clerk.recorded)
		}
		d.fake.Hold("sda1", false)
		if err := d.Ask("sda", ExportTask, ""); err != nil {
			t.Fatal(err)
		}
		d.want(d.after(), Safe, "", true)
	})
}

func TestTasks(t *testing.T) {
	inBubble(t, 1, func(d *deskTest) {
		d.clerk.set(func() { d.clerk.offers = []Offer{{Name: "mimpi-beta-2"}} })
		if err := d.Ask("sda", LogTask, ""); !errors.Is(err, ErrNoStick) {
			t.Errorf("without a stick: %v", err)
		}
		d.fake.Plug(stick1("/a"))
		synctest.Wait()
		if err := d.Ask("sda", LogTask, ""); !errors.Is(err, ErrAtWork) {
			t.Errorf("too early: %v", err)
		}
		if s := d.after(); len(s.Offers) != 1 {
			t.Errorf("offers %+v", s.Offers)
		}
		for _, ask := range []struct {
			task Task
			pack string
		}{{LogTask, ""}, {TakeTask, "mimpi-beta-2"}} {
			if err := d.Ask("sda", ask.task, ask.pack); err != nil {
				t.Fatal(err)
			}
			d.want(d.after(), Safe, "", true)
		}
		if err := d.Ask("sda", TakeTask, "other"); err != nil {
			t.Fatal(err)
		}
		d.want(d.after(), InTrouble, Failed, true)
		if want := []string{"export a", "log a", "take mimpi-beta-2"}; !slices.Equal(d.clerk.did, want) {
			t.Errorf("did %v, want %v", d.clerk.did, want)
		}
		if len(d.clerk.recorded) != 1 {
			t.Errorf("only exports are recorded: %v", d.clerk.recorded)
		}
	})
}

// A second export that comes to nothing is no export: the journal keeps the one before it.
func TestAnExportThatFailsIsNotRecorded(t *testing.T) {
	inBubble(t, 2, func(d *deskTest) {
		d.fake.Plug(stick1("/a"))
		d.want(d.after(), Safe, "", true)
		d.clerk.set(func() { d.clerk.all, d.clerk.fails["/a"] = 0, syscall.EIO })
		d.ask(ExportTask)
		s := d.after()
		d.want(s, InTrouble, Failed, true)
		if s.Exported != (Exported{}) {
			t.Errorf("the stick shows %+v of the export before", s.Exported)
		}
		if want := []string{stick1("").ID() + " 2 0"}; !slices.Equal(d.clerk.recorded, want) {
			t.Errorf("recorded %v, want %v", d.clerk.recorded, want)
		}
		if len(d.wrong) != 1 || !errors.Is(d.wrong[0], syscall.EIO) {
			t.Errorf("the log says %v", d.wrong)
		}
		// What got onto it before it failed is recorded.
		d.clerk.set(func() { d.clerk.all = 1 })
		d.ask(ExportTask)
		d.want(d.after(), InTrouble, Failed, true)
		if got := d.clerk.recorded; len(got) != 2 || got[1] != stick1("").ID()+" 1 0" {
			t.Errorf("recorded %v", got)
		}
		d.clerk.set(func() { d.clerk.fails["/a"], d.clerk.unsaved = nil, syscall.EROFS })
		d.ask(ExportTask)
		d.want(d.after(), Safe, "", true)
		if len(d.wrong) != 3 || !errors.Is(d.wrong[2], syscall.EROFS) {
			t.Errorf("the journal took nothing, and the log says %v", d.wrong)
		}
	})
}

// silent is a system that does not do what it is asked.
type silent struct {
	*Fake
	release, mount, watch error
}

func (s silent) Release(name string) error {
	if s.release != nil {
		return s.release
	}
	return s.Fake.Release(name)
}

func (s silent) Mount(name string) error {
	if s.mount != nil {
		return s.mount
	}
	return s.Fake.Mount(name)
}

func (s silent) Watch(ctx context.Context, seen func([]Partition)) error {
	if s.watch != nil {
		return s.watch
	}
	return s.Fake.Watch(ctx, seen)
}

// TestASystemThatFails has what mounts the sticks fail at each call: it is said, and no stick may
// be taken out of which nobody knows whether it is unmounted.
func TestASystemThatFails(t *testing.T) {
	wrong := errors.New("no answer")
	inBubble(t, 1, func(d *deskTest) {
		d.System = silent{Fake: d.fake, release: wrong}
		d.fake.Plug(stick1("/a"))
		d.want(d.after(), InTrouble, Unanswered, false)
		if len(d.clerk.recorded) != 0 {
			t.Errorf("recorded %v", d.clerk.recorded)
		}
		if len(d.wrong) != 1 || !errors.Is(d.wrong[0], wrong) {
			t.Errorf("the log says %v", d.wrong)
		}
	})
	inBubble(t, 1, func(d *deskTest) {
		d.fake.Plug(stick1("/a"))
		d.want(d.after(), Safe, "", true)
		d.System = silent{Fake: d.fake, mount: wrong}
		d.ask(LogTask)
		d.want(d.after(), InTrouble, Unanswered, true)
		if got := d.clerk.did; !slices.Equal(got, []string{"export a"}) {
			t.Errorf("did %v", got)
		}
		if len(d.wrong) != 1 || !errors.Is(d.wrong[0], wrong) {
			t.Errorf("the log says %v", d.wrong)
		}
	})
	desk := &Desk{System: silent{Fake: &Fake{}, watch: wrong}, Work: &clerk{}}
	if err := desk.Run(t.Context()); !errors.Is(err, wrong) {
		t.Errorf("Run gives %v", err)
	}
}

// A stick that was let go of before the program started may be taken out, and no more.
func TestAStickFromBeforeTheStart(t *testing.T) {
	inBubble(t, 1, func(d *deskTest) {
		p := stick1("/a")
		p.State = Released
		d.fake.Plug(p)
		d.want(d.after(), Safe, "", true)
		if len(d.clerk.did) != 0 {
			t.Errorf("did %v", d.clerk.did)
		}
	})
}

// The whole way on a real file system that vanishes: the unit's lazy unmount while the
// export writes.
func TestPullOutsOnARealFileSystem(t *testing.T) {
	b := newBox(t).with(withExt4)
	name, _ := b.loop(32<<20, "mkfs.ext4", "-q")
	writer := &writer{}
	d := &Desk{System: Notes{b.dir}, Work: writer}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	until := func(what string, is func([]Stick) bool) {
		t.Helper()
		late := time.After(30 * time.Second)
		for {
			var all []Stick
			news := d.look(func() {})
			all = d.Sticks()
			if is(all) {
				return
			}
			select {
			case <-news:
			case <-late:
				t.Fatalf("never: %s; %+v", what, all)
			}
		}
	}
	for n := range 4 {
		writer.pull = func(done int) {
			if done == n*3 {
				b.run("unplug", name) // the unit stops: the device is gone
			}
		}
		b.run("plug", name)
		until("pulled out", func(all []Stick) bool { return len(all) == 1 && all[0].Why == PulledOut })
	}
	writer.pull = func(int) {}
	b.run("plug", name)
	until("safe", func(all []Stick) bool { return len(all) == 1 && all[0].Phase == Safe })
	if entries, err := os.ReadDir(filepath.Join(b.dir, "mnt")); err != nil || len(entries) != 0 {
		t.Errorf("left at the mount place: %v (%v)", entries, err)
	}
	b.run("unplug", name)
	until("gone", func(all []Stick) bool { return len(all) == 0 })
}

// writer writes files as an export does.
type writer struct {
	clerk
	pull func(done int)
}

func (w *writer) Export(_ context.Context, dir string, before func(done, all int) error) (Exported, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Exported{}, err
	}
	defer root.Close()
	for n := range 12 {
		if err := before(n, 12); err != nil {
			return Exported{}, err
		}
		if err := root.WriteFile(fmt.Sprintf("file-%d", n), make([]byte, 200<<10), 0o644); err != nil {
			return Exported{}, err
		}
		w.pull(n)
	}
	return Exported{Screenings: 12}, nil
}
