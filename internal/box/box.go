// Package box watches the machine: its power, heat, storage and memory. What it finds
// stands on the health board in sentences for the facilitator.
//
// [Watch.Run] has three goroutines, which end with it: one waits in the kernel for
// under-voltage, one looks at the rest once a minute, one writes and reads back a small
// file every half hour, because a dying card does not go read-only: it limps. Everything
// is read below a root folder, so that tests can build a machine of their own.
//
// What a machine does not have is not said to be well: a laptop without a sensor has no
// part "power" at all, and a Raspberry Pi without one has a note.
package box

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"mimpi-kiosk/internal/health"
)

// Watch says what to watch and where to say it. Its fields are not changed once Run
// has begun.
type Watch struct {
	Root    string              // "/" but in tests
	Data    string              // folder of the journal; its file system is watched
	Runtime string              // folder that outlives the daemon but not the boot, or "": keeps what was latched
	Now     func() string       // the time of day for a sentence, "19:42"
	Commits *Commits            // or nil
	Set     func(health.Part)   // puts a part on the board
	Wrong   func(string, error) // an error of the watch itself, with what it was about; for the log
}

const (
	lookEvery  = time.Minute
	probeEvery = 30 * time.Minute
	probeFirst = 20 * time.Second // a start has better things to do
	hangs      = 15 * time.Second // for a card that does not answer
)

// Run watches until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return w.watchPower(ctx) })
	group.Go(func() error { return w.lookAround(ctx) })
	group.Go(func() error { return w.probeCard(ctx) })
	return group.Wait()
}

// lookAround looks at everything that is cheap to see.
func (w *Watch) lookAround(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		for _, p := range w.Parts() {
			w.Set(p)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Parts looks once at everything but power and the probe of the card.
func (w *Watch) Parts() []health.Part {
	var out []health.Part
	for _, look := range []func() *health.Part{w.heat, w.disk, w.cardRecord, w.memory, w.saving} {
		if p := look(); p != nil {
			out = append(out, *p)
		}
	}
	return out
}

// path gives the place of a file of the kernel.
func (w *Watch) path(parts ...string) string {
	return filepath.Join(append([]string{w.Root}, parts...)...)
}

// glob gives the files that match; the patterns are ours and sound.
func (w *Watch) glob(pattern string) []string {
	found, _ := filepath.Glob(w.path(pattern))
	return found
}

// word reads a file of one word; "" when it is not there or says nothing.
func word(path string) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimRight(strings.TrimSpace(string(data)), "\x00")
}

// number reads a file of one number.
func number(path string) (int64, bool) {
	n, err := strconv.ParseInt(word(path), 0, 64)
	return n, err == nil
}

// Model is what the machine is called, or "".
func Model(root string) string {
	return word(filepath.Join(root, "proc/device-tree/model"))
}

// isPi says whether the machine is a Raspberry Pi.
// IsPi says whether a machine is a Raspberry Pi.
func IsPi(root string) bool { return strings.HasPrefix(Model(root), "Raspberry Pi") }

func part(name string, level health.Level, id, en string, hint ...string) *health.Part {
	p := health.Found(name, level, id, en, hint...)
	return &p
}

// Commits remembers how long the last commits took. It is safe for concurrent use.
type Commits struct {
	mu   sync.Mutex
	last [32]time.Duration
	n    int
}

// Took notes one commit that worked.
func (c *Commits) Took(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last[c.n%len(c.last)] = d
	c.n++
}

// Slow gives how many of the last commits, of how many, took longer than limit, and
// the longest.
func (c *Commits) Slow(limit time.Duration) (slow, of int, longest time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of = min(c.n, len(c.last))
	for _, d := range c.last[:of] {
		if d > limit {
			slow++
		}
		longest = max(longest, d)
	}
	return slow, of, longest
}
