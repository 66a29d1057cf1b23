package usb

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"
)

// Work is what is done with a stick. All of it may run for minutes and must end soon
// after its ctx has ended; dir is the top of a mounted partition.
type Work interface {
	// Export brings the screenings that are missing onto the stick, synced. before is
	// called before each; it may wait, and its error ends the export. An error that wraps
	// a [Trouble] says what people are told.
	Export(ctx context.Context, dir string, before func(done, all int) error) (Exported, error)
	// Exported keeps that an export stands on a stick which was let go of.
	Exported(ctx context.Context, stick string, e Exported) error
	// Log writes what the box did, synced.
	Log(ctx context.Context, dir string) error
	// Offers lists the packs on a stick. It changes nothing, here or there.
	Offers(ctx context.Context, dir string) []Offer
	// Take copies a pack from the stick, checked, and has the next screening use it.
	Take(ctx context.Context, dir, pack string, progress func(done, all int64)) error
}

// Exported is what an export came to.
type Exported struct {
	Screenings int // whole on the stick now
	Written    int // of those, this time
	Missing    int // that had no room
	Need       int64
	Checksum   string // of all that is there
}

// Offer is a pack that a stick brings.
type Offer struct {
	Name    string // of its folder
	Title   map[string]string
	Film    bool // has a film with it
	Signed  bool // by a key that this kiosk trusts
	Bytes   int64
	Same    bool              // it is the one in use
	Problem map[string]string // why it cannot be taken; empty: it can
}

// Phase is what a stick's face says.
type Phase string

const (
	Plugged   Phase = "plugged"   // it was found
	Waiting   Phase = "waiting"   // until nothing holds it up, see Stick.WaitsFor
	Copying   Phase = "copying"   // the screenings go onto the stick
	Logging   Phase = "logging"   // the box's own log does
	Taking    Phase = "taking"    // a pack comes from the stick
	Finishing Phase = "finishing" // the last bytes are written and it is unmounted
	Safe      Phase = "safe"      // it may be taken out
	InTrouble Phase = "trouble"
)

// Hold is why sticks are not written to now, the stronger the later.
type Hold int

const (
	Free      Hold = iota
	FilmRuns       // holds up the exports that nobody asked for
	WeakPower      // holds up all writing: the box may go off in the middle of it
)

// Stick is what the screens say of a stick.
type Stick struct {
	Disk     string
	Label    string
	Phase    Phase
	WaitsFor Hold  // to pass, while it is Waiting
	Done     int64 // screenings, or bytes of a pack
	All      int64
	Exported Exported
	Task     Task // what was done last, or is being done
	Why      Why
	Safe     bool // may be taken out, also after trouble
	Here     bool // false: it was pulled out in the middle
	Offers   []Offer

	said map[string]string
}

// Message says what is wrong, by language.
func (s Stick) Message() map[string]string {
	if s.said != nil {
		return s.said
	}
	return s.Why.Message()
}

// Task is what is done with a stick.
type Task string

const (
	ExportTask Task = "export"
	LogTask    Task = "log"
	TakeTask   Task = "take"
)

// Errors of [Desk.Ask].
var (
	ErrNoStick = errors.New("there is no such stick")
	ErrAtWork  = errors.New("the stick is being worked with")
)

const (
	lingers = 2 * time.Minute        // how long a stick that was pulled out is talked of
	settle  = 700 * time.Millisecond // more partitions of the same stick may be on their way
	replies = 5 * time.Minute        // until the system is taken to be silent: it may repair a stick
)

// Desk sees to sticks. Make one with its exported fields set, and run it once. The other
// methods may be called from any goroutine.
type Desk struct {
	System System
	Work   Work
	// Changed is told after each change of what Sticks gives; it must not block.
	Changed func()
	// Wrong is told of errors, for the log.
	Wrong func(what string, err error)

	mu         sync.Mutex
	partitions []Partition
	sticks     map[string]*stick // by disk
	hold       Hold
	news       chan struct{} // closed and made anew at each change
}

// stick is a disk with what is known of it.
type stick struct {
	Stick
	id      string // of the partition that was exported to
	despite Hold   // the strongest that the facilitator has overruled for this work
	queue   []job
	seen    time.Time // when a partition of it came, or when it was pulled out
	fresh   bool      // not worked with yet
}

type job struct {
	task Task
	pack string
}

// Sticks gives all sticks, and those just pulled out in the middle, by name.
func (d *Desk) Sticks() []Stick {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := []Stick{}
	for _, name := range slices.Sorted(maps.Keys(d.sticks)) {
		s := d.sticks[name].Stick
		s.Offers = slices.Clone(s.Offers)
		out = append(out, s)
	}
	return out
}

// SetHold says why sticks are not to be written to now. Sticks are told of only where that
// is another reason than before.
func (d *Desk) SetHold(h Hold) {
	same := false
	d.look(func() { same = d.hold == h })
	if !same {
		d.change(func() { d.hold = h })
	}
}

// Ask has something done with a stick now, whether the film runs or not. Asked for once more
// while it waits for something else, it is done nevertheless.
func (d *Desk) Ask(disk string, task Task, pack string) (err error) {
	d.change(func() {
		s := d.sticks[disk]
		switch {
		case s == nil || !s.Here:
			err = ErrNoStick
		case task == s.Task && s.Phase == Waiting:
			s.despite = s.WaitsFor
		case task == ExportTask && s.Task == ExportTask && slices.Contains([]Phase{Plugged, Copying}, s.Phase):
			s.despite = max(s.despite, FilmRuns) // it is under way already
		case !slices.Contains([]Phase{Safe, InTrouble}, s.Phase) || len(s.queue) > 0:
			err = ErrAtWork
		default:
			s.despite = FilmRuns
			s.queue = append(s.queue, job{task, pack})
		}
	})
	return err
}

// change runs f and then tells everybody.
func (d *Desk) change(f func()) {
	d.mu.Lock()
	if d.sticks == nil {
		d.sticks, d.news = map[string]*stick{}, make(chan struct{})
	}
	f()
	close(d.news)
	d.news = make(chan struct{})
	d.mu.Unlock()
	if d.Changed != nil {
		d.Changed()
	}
}

// look runs f, which must only look, and gives what the next change closes.
func (d *Desk) look(f func()) <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	return d.news
}

// Run sees to sticks until ctx ends. It gives [ErrNoSystem] where nothing mounts them.
func (d *Desk) Run(ctx context.Context) error {
	d.change(func() {})
	ctx, cancel := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() {
		defer cancel()
		watched <- d.System.Watch(ctx, d.see)
	}()
	d.serve(ctx)
	cancel()
	return <-watched
}

// see takes in what the system says.
func (d *Desk) see(all []Partition) {
	d.change(func() {
		d.partitions = slices.Clone(all)
		here := map[string]bool{}
		for _, p := range all {
			here[p.Disk] = true
			s := d.sticks[p.Disk]
			if s == nil || !s.Here {
				maps.DeleteFunc(d.sticks, func(_ string, s *stick) bool { return !s.Here }) // it may be the same one
				s = &stick{Stick: Stick{Disk: p.Disk, Phase: Plugged, Task: ExportTask, Here: true, Offers: []Offer{}}, fresh: true}
				d.sticks[p.Disk] = s
			}
			if s.fresh {
				s.seen = time.Now()
			}
			s.Label = cmp.Or(s.Label, p.Label)
		}
		for disk, s := range d.sticks {
			switch {
			case here[disk] || !s.Here:
			case s.Safe || s.fresh:
				delete(d.sticks, disk)
			default: // the job that goes on, if any, finds its files gone
				s.Here, s.Phase, s.Why, s.Offers, s.queue, s.seen = false, InTrouble, PulledOut, nil, nil, time.Now()
			}
		}
	})
}

// serve does one job after the other.
func (d *Desk) serve(ctx context.Context) {
	for ctx.Err() == nil {
		var next *stick
		var what job
		var wait time.Duration
		expired := false
		news := d.look(func() { expired, next, what, wait = d.next() })
		if expired {
			d.change(func() {})
			continue
		}
		if next != nil {
			d.do(ctx, next, what)
			continue
		}
		var soon <-chan time.Time
		if wait > 0 {
			soon = time.After(wait)
		}
		select {
		case <-ctx.Done():
		case <-news:
		case <-soon:
		}
	}
}

// next gives what to do next, or how long to wait for a stick to be there with all its
// partitions, or for one that was pulled out to be forgotten.
func (d *Desk) next() (expired bool, _ *stick, _ job, wait time.Duration) {
	sooner := func(left time.Duration) {
		if wait == 0 || left < wait {
			wait = left
		}
	}
	for _, disk := range slices.Sorted(maps.Keys(d.sticks)) {
		s := d.sticks[disk]
		switch {
		case !s.Here:
			left := lingers - time.Since(s.seen)
			if left <= 0 {
				delete(d.sticks, disk)
				return true, nil, job{}, 0
			}
			sooner(left)
		case len(s.queue) > 0:
			what := s.queue[0]
			s.queue = s.queue[1:]
			return false, s, what, 0
		case s.fresh:
			if left := settle - time.Since(s.seen); left > 0 {
				sooner(left)
				continue
			}
			return false, s, job{task: ExportTask}, 0
		}
	}
	return false, nil, job{}, wait
}

func (d *Desk) of(disk string) []Partition {
	var out []Partition
	for _, p := range d.partitions {
		if p.Disk == disk {
			out = append(out, p)
		}
	}
	return out
}

// do does a job and lets go of the stick.
func (d *Desk) do(ctx context.Context, s *stick, what job) {
	all := []Partition{}
	restarted := false
	d.change(func() {
		all = d.of(s.Disk)
		s.Task, s.Done, s.All, s.Why, s.Safe, s.said = what.task, 0, 0, "", false, nil
		if what.task == ExportTask {
			s.Exported, s.id = Exported{}, ""
		}
		restarted = s.fresh && !slices.ContainsFunc(all, func(p Partition) bool { return p.State != Released })
		s.fresh = false
		if restarted { // it was let go of before this program started
			s.Phase, s.Safe = Safe, true
		}
	})
	if restarted {
		return
	}
	err := d.work(ctx, s, what)
	if ctx.Err() != nil {
		return // it stays mounted: the next start finds it
	}
	rerr := d.release(ctx, s)
	if ctx.Err() != nil {
		return
	}
	pulled := false
	d.change(func() {
		pulled = !s.Here
		switch {
		case pulled:
		case rerr != nil:
			s.Phase, s.Why = InTrouble, whyOf(rerr)
		case err != nil:
			s.Phase, s.Why, s.Safe = InTrouble, whyOf(err), true
			if t := (*Trouble)(nil); errors.As(err, &t) {
				s.said = t.Message
			}
		default:
			s.Phase, s.Safe = Safe, true
		}
		s.despite = Free
	})
	if err := errors.Join(err, rerr); err != nil && d.Wrong != nil {
		if pulled {
			err = &Trouble{Why: PulledOut, Err: err}
		}
		d.Wrong("USB stick "+s.Disk, err)
	}
	if what.task == ExportTask && !pulled && rerr == nil && s.id != "" {
		if err := d.Work.Exported(ctx, s.id, s.Exported); err != nil && d.Wrong != nil {
			d.Wrong("note the export in the journal", err)
		}
	}
}

func whyOf(err error) Why {
	var t *Trouble
	if errors.As(err, &t) {
		return t.Why
	}
	return Failed
}

// errGone ends a job whose stick is not there any more.
var errGone = errors.New("the stick is gone")

func (d *Desk) work(ctx context.Context, s *stick, what job) error {
	mounted, err := d.mount(ctx, s)
	if err != nil {
		return err
	}
	if what.task == TakeTask {
		d.change(func() { s.Phase = Taking })
		for _, p := range mounted {
			if !slices.ContainsFunc(d.Work.Offers(ctx, p.Dir), func(o Offer) bool { return o.Name == what.pack }) {
				continue
			}
			err := d.Work.Take(ctx, p.Dir, what.pack, func(done, all int64) {
				d.change(func() { s.Done, s.All = done, all })
			})
			d.offers(ctx, s, mounted)
			return err
		}
		d.offers(ctx, s, mounted)
		return &Trouble{Why: Failed, Err: errors.New("the pack is not on the stick any more")}
	}
	err = &Trouble{Why: Protected}
	for _, p := range mounted { // the first that takes it
		if p.ReadOnly {
			continue
		}
		if what.task == LogTask {
			if err = d.wait(ctx, s, Logging); err == nil {
				err = d.Work.Log(ctx, p.Dir)
			}
		} else {
			err = d.export(ctx, s, p)
		}
		if err == nil || ctx.Err() != nil || !slices.Contains([]Why{Full, Protected}, whyOf(err)) {
			break
		}
	}
	if ctx.Err() == nil {
		d.offers(ctx, s, mounted)
	}
	return err
}

// offers finds what packs the stick brings.
func (d *Desk) offers(ctx context.Context, s *stick, mounted []Partition) {
	var all []Offer
	for _, p := range mounted {
		all = append(all, d.Work.Offers(ctx, p.Dir)...)
	}
	d.change(func() {
		if s.Here {
			s.Offers = all
		}
	})
}

// mount gives the partitions that can be used, mounting them again where they were let go.
func (d *Desk) mount(ctx context.Context, s *stick) ([]Partition, error) {
	var parts []Partition
	d.look(func() { parts = d.of(s.Disk) })
	for _, p := range parts {
		if !unready(p) {
			continue
		}
		if err := d.System.Mount(p.Name); err != nil {
			return nil, &Trouble{Why: Unanswered, Err: err}
		}
	}
	if err := d.await(ctx, s, unready); err != nil {
		return nil, err
	}
	d.look(func() { parts = d.of(s.Disk) })
	why := Unknown
	for i, p := range parts {
		if i == 0 || p.Why != Unformatted {
			why = cmp.Or(p.Why, why)
		}
	}
	parts = slices.DeleteFunc(parts, func(p Partition) bool { return p.State != Mounted })
	if len(parts) == 0 {
		return nil, &Trouble{Why: why}
	}
	return parts, nil
}

// unready partitions were let go of, or could not be.
func unready(p Partition) bool { return p.State == Released || p.State == Mounted && p.Why == Held }

// release has everything of the stick unmounted.
func (d *Desk) release(ctx context.Context, s *stick) error {
	var mounted []Partition
	d.change(func() {
		for _, p := range d.of(s.Disk) {
			if p.State == Mounted {
				mounted = append(mounted, p)
			}
		}
		if s.Here && len(mounted) > 0 {
			s.Phase = Finishing
		}
	})
	for _, p := range mounted {
		if err := d.System.Release(p.Name); err != nil {
			return &Trouble{Why: Unanswered, Err: err}
		}
	}
	err := d.await(ctx, s, func(p Partition) bool { return p.State == Mounted && p.Why != Held })
	if err != nil {
		return err
	}
	held := false
	d.look(func() {
		held = slices.ContainsFunc(d.of(s.Disk), func(p Partition) bool { return p.State == Mounted })
	})
	if held {
		return &Trouble{Why: Held}
	}
	return nil
}

// await waits until no partition of the stick is still so.
func (d *Desk) await(ctx context.Context, s *stick, still func(Partition) bool) error {
	late := time.NewTimer(replies)
	defer late.Stop()
	for {
		waiting, here := false, false
		news := d.look(func() { waiting, here = slices.ContainsFunc(d.of(s.Disk), still), s.Here })
		switch {
		case !here:
			return errGone
		case !waiting:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-news:
		case <-late.C:
			return &Trouble{Why: Unanswered, Err: errors.New("nothing came of what was asked for")}
		}
	}
}

// wait has the stick wait until nothing holds it up any more, and then says what is done.
func (d *Desk) wait(ctx context.Context, s *stick, then Phase) error {
	for {
		hold, here := Free, false
		var phase Phase
		news := d.look(func() {
			phase, here = s.Phase, s.Here
			if d.hold > s.despite {
				hold = d.hold
			}
			if phase == Waiting && hold != s.WaitsFor {
				phase = ""
			}
		})
		want := then
		if hold != Free {
			want = Waiting
		}
		switch {
		case !here:
			return errGone
		case phase != want:
			d.change(func() {
				if s.Here {
					s.Phase, s.WaitsFor = want, hold
				}
			})
			continue // it closed news
		case hold == Free:
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-news:
		}
	}
}

// export writes the screenings, and waits where something holds it up.
func (d *Desk) export(ctx context.Context, s *stick, p Partition) error {
	e, err := d.Work.Export(ctx, p.Dir, func(done, all int) error {
		d.change(func() { s.Done, s.All = int64(done), int64(all) })
		return d.wait(ctx, s, Copying)
	})
	d.change(func() { s.Exported = e })
	if err == nil || e.Screenings+e.Missing > 0 {
		s.id = p.ID()
	}
	if err == nil && e.Missing > 0 {
		err = &Trouble{Why: Full}
	}
	return err
}
