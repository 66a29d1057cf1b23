package sqlite

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/mattn/go-sqlite3"

	"mimpi-kiosk/internal/screening"
)

// Late is a [Journal] whose disk may take nothing now: read-only, full, failing, not mounted,
// from the start or in the middle of the evening, which goes on without it. What the disk can
// give is read; what concerns the hall only (the film, the questions on the screens) is held
// in memory and stands in the journal once the disk takes it; what counts people is refused
// until then, so that nobody is shown a count that a power cut would take back.
//
// A journal that is in doubt (see [Journal.Append]) ends the Room, as any does, but for one
// that has taken nothing since it was opened: ending would lead back here, again and again,
// and so that is a disk that takes nothing, too.
//
// Append, Replay and Probe are for one goroutine (the Room's); all others may be called
// from any goroutine.
type Late struct {
	path    string
	journal atomic.Pointer[Journal] // nil: not there yet
	ended   error                   // ErrAnew
	works   bool                    // it has taken something since it was opened
	sure    int64                   // seq of the last event that was acknowledged, once it was there

	read   bool                 // before was read
	before []screening.Recorded // what the disk gave
	held   []screening.Recorded
	tried  time.Time
	why    error // the last try failed
}

// ErrAnew ends a Room whose journal has come and is not the one that it began with: close
// it and begin anew.
var ErrAnew = errors.New("the disk is there now: the journal is read anew")

// tryEvery is how often a disk that refuses is asked again.
const tryEvery = 2 * time.Second

// OpenLate is [Open], but for a disk that cannot be written: then the journal is not there
// yet, which is no error. Its folder is made where it can be.
func OpenLate(ctx context.Context, path string) (*Late, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fault(Unusable, path, err)
	}
	l := &Late{path: path}
	j, err := l.open(ctx)
	switch {
	case err == nil:
		l.journal.Store(j)
	case mayCome(err):
		l.refused(err)
	default:
		return nil, err
	}
	return l, nil
}

func (l *Late) open(ctx context.Context) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(l.path), 0o750); err != nil {
		return nil, classify(l.path, err)
	}
	return Open(ctx, l.path)
}

// mayCome says whether a disk could do what it refuses now. All else wants hands.
func mayCome(err error) bool {
	var f *Fault
	if !errors.As(err, &f) || errors.Is(err, syscall.ENOTDIR) {
		return false
	}
	return errors.Is(err, screening.ErrRefusedByDisk) || f.Reason == Unusable
}

func (l *Late) refused(err error) error {
	if !errors.Is(err, screening.ErrRefusedByDisk) {
		err = fmt.Errorf("%w: %w", screening.ErrRefusedByDisk, err)
	}
	l.tried, l.why = time.Now(), err
	return err
}

// There says whether the journal is there.
func (l *Late) There() bool { return l.journal.Load() != nil }

// Refusal says why the journal is not there yet, or lacks what is held; nil when all is in
// it. It is for the Room's goroutine.
func (l *Late) Refusal() error {
	if l.There() && len(l.held) == 0 {
		return nil
	}
	return l.why
}

// Opened says what was found when the journal came; before that, nothing.
func (l *Late) Opened() Opened {
	if j := l.journal.Load(); j != nil {
		return j.Opened()
	}
	return Opened{}
}

// arrive tries whether the disk takes what is held.
func (l *Late) arrive(ctx context.Context) (*Journal, error) {
	if j := l.journal.Load(); j != nil || l.ended != nil {
		return j, l.ended
	}
	if time.Since(l.tried) < tryEvery {
		return nil, l.why
	}
	ctx = context.WithoutCancel(ctx)
	j, err := l.open(ctx)
	if err != nil {
		if !mayCome(err) {
			return nil, err
		}
		return nil, l.refused(err)
	}
	if err := l.reconcile(ctx, j); err != nil {
		return nil, l.refused(errors.Join(err, j.Close()))
	}
	same := j.last == last(l.before)
	if !same {
		l.held = moved(l.held, j.last)
	}
	if err := j.Append(ctx, l.held); err != nil {
		return nil, l.refused(errors.Join(err, j.Close()))
	}
	if !same {
		l.ended = errors.Join(ErrAnew, j.Close())
		return nil, l.ended
	}
	l.before, l.held, l.works = nil, nil, false
	l.journal.Store(j)
	return j, nil
}

// reconcile takes out of what is held what stands in the journal all the same: a commit that
// failed may have reached the disk.
func (l *Late) reconcile(ctx context.Context, j *Journal) error {
	var more []screening.Recorded
	err := j.Replay(ctx, func(r screening.Recorded) error {
		if r.Seq > last(l.before) {
			more = append(more, r)
		}
		return nil
	})
	if err != nil || len(more) > len(l.held) {
		return err
	}
	for i, r := range more {
		if h := l.held[i]; r.Seq != h.Seq || r.Command != h.Command || r.Event.Kind() != h.Event.Kind() {
			return nil
		}
	}
	l.before, l.held = append(l.before, more...), l.held[len(more):]
	return nil
}

func last(events []screening.Recorded) int64 {
	if len(events) == 0 {
		return 0
	}
	return events[len(events)-1].Seq
}

// moved gives the events behind those of another journal: how the clock was set, and all
// from the screening on that was planned meanwhile. None of those that are held names
// another by its number.
func moved(held []screening.Recorded, after int64) (out []screening.Recorded) {
	planned := false
	for _, r := range held {
		switch r.Event.(type) {
		case screening.ScreeningPlanned:
			planned = true
		case screening.ClockSet:
		default:
			if !planned {
				continue
			}
		}
		r.Seq = after + 1 + int64(len(out))
		out = append(out, r)
	}
	return out
}

// Append implements [screening.Journal], but for what is held: see [Late].
func (l *Late) Append(ctx context.Context, events []screening.Recorded) error {
	err := l.append(ctx, events)
	if err == nil {
		return nil
	}
	if !errors.Is(err, screening.ErrRefusedByDisk) ||
		slices.ContainsFunc(events, func(r screening.Recorded) bool { return screening.CountsPeople(r.Event) }) {
		return err
	}
	l.held = append(l.held, events...)
	return nil
}

// append appends what is held and the events, all or none.
func (l *Late) append(ctx context.Context, events []screening.Recorded) error {
	j, err := l.arrive(ctx)
	if err != nil {
		return err
	}
	all := slices.Concat(l.held, events)
	err = j.Append(ctx, all)
	switch {
	case err == nil:
		l.held, l.works = nil, l.works || len(all) > 0
	case errors.Is(err, screening.ErrRefusedByDisk):
		l.why = err
	case !l.works && ioFailed(err):
		l.journal.Store(nil)
		l.read, l.sure = false, j.last
		return l.refused(errors.Join(err, j.Close()))
	}
	return err
}

// ioFailed says whether the disk failed at reading, writing or syncing.
func ioFailed(err error) bool {
	var e sqlite3.Error
	return errors.As(err, &e) && e.Code == sqlite3.ErrIoErr
}

// Replay implements [screening.Journal].
func (l *Late) Replay(ctx context.Context, yield func(screening.Recorded) error) error {
	if j := l.journal.Load(); j != nil {
		if err := j.Replay(ctx, yield); err != nil {
			return err
		}
		return each(l.held, yield)
	}
	if !l.read {
		l.read = true
		l.before = l.fromDisk(ctx)
	}
	return each(slices.Concat(l.before, l.held), yield)
}

func each(events []screening.Recorded, yield func(screening.Recorded) error) error {
	for _, r := range events {
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

// fromDisk reads what there is to read; nothing where that does not work.
func (l *Late) fromDisk(ctx context.Context) (all []screening.Recorded) {
	j, err := OpenToRead(ctx, l.path)
	if err != nil {
		j, err = openAlone(ctx, l.path)
	}
	if err != nil {
		return nil
	}
	defer j.Close() // it was only read
	err = j.Replay(ctx, func(r screening.Recorded) error {
		if l.sure == 0 || r.Seq <= l.sure {
			all = append(all, r)
		}
		return nil
	})
	if err != nil {
		return nil
	}
	return all
}

// Probe implements [screening.Journal].
func (l *Late) Probe(ctx context.Context) error {
	if err := l.append(ctx, nil); err != nil { // what is held
		return err
	}
	return l.journal.Load().Probe(ctx)
}

// reader gives the journal for those who read only.
func (l *Late) reader(ctx context.Context) (j *Journal, done func(), err error) {
	if j := l.journal.Load(); j != nil {
		return j, func() {}, nil
	}
	j, err = OpenToRead(ctx, l.path)
	if err != nil {
		return nil, nil, err
	}
	return j, func() { _ = j.Close() }, nil // it was only read
}

// ScreeningIDs is that of [Journal].
func (l *Late) ScreeningIDs(ctx context.Context) ([]string, error) {
	j, done, err := l.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return j.ScreeningIDs(ctx)
}

// Events is that of [Journal].
func (l *Late) Events(ctx context.Context, screeningID string) iter.Seq2[screening.Recorded, error] {
	return func(yield func(screening.Recorded, error) bool) {
		j, done, err := l.reader(ctx)
		if err != nil {
			yield(screening.Recorded{}, err)
			return
		}
		defer done()
		j.Events(ctx, screeningID)(yield)
	}
}

// ClockSettings is that of [Journal].
func (l *Late) ClockSettings(ctx context.Context, screeningID string) ([]screening.Recorded, error) {
	j, done, err := l.reader(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return j.ClockSettings(ctx, screeningID)
}

// Close is that of [Journal].
func (l *Late) Close() error {
	if j := l.journal.Load(); j != nil {
		return j.Close()
	}
	return nil
}
