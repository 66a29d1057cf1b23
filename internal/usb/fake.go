package usb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
)

// Fake is a [System] of sticks that are plain folders. The zero value has none. All its
// methods are safe for concurrent use.
type Fake struct {
	mu    sync.Mutex
	all   []Partition
	held  map[string]bool
	seen  chan struct{}
	asked []string
}

// Plug puts a partition in; where its State is empty it is mounted.
func (f *Fake) Plug(p Partition) {
	p.State = cmp.Or(p.State, Mounted)
	p.Disk = cmp.Or(p.Disk, p.Name)
	f.do(func() {
		f.all = append(slices.DeleteFunc(f.all, func(o Partition) bool { return o.Name == p.Name }), p)
		slices.SortFunc(f.all, func(a, b Partition) int { return cmp.Compare(a.Name, b.Name) })
	})
}

// Pull takes a disk out, whatever is going on with it.
func (f *Fake) Pull(disk string) {
	f.do(func() { f.all = slices.DeleteFunc(f.all, func(p Partition) bool { return p.Disk == disk }) })
}

// Hold makes unmounting a partition fail, or work again.
func (f *Fake) Hold(name string, held bool) {
	f.do(func() {
		if f.held == nil {
			f.held = map[string]bool{}
		}
		f.held[name] = held
	})
}

// Asked gives what was asked for: "release sda1", ...
func (f *Fake) Asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.asked)
}

func (f *Fake) do(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
	if f.seen != nil {
		close(f.seen)
	}
	f.seen = make(chan struct{})
}

// Watch implements [System].
func (f *Fake) Watch(ctx context.Context, seen func([]Partition)) error {
	f.do(func() {})
	for {
		f.mu.Lock()
		all, more := slices.Clone(f.all), f.seen
		f.mu.Unlock()
		seen(all)
		select {
		case <-ctx.Done():
			return nil
		case <-more:
		}
	}
}

// Release implements [System].
func (f *Fake) Release(name string) error {
	return f.ask("release", name, func(p *Partition) {
		switch {
		case p.State != Mounted:
		case f.held[name]:
			p.Why = Held
		default:
			p.State, p.Why = Released, ""
		}
	})
}

// Mount implements [System].
func (f *Fake) Mount(name string) error {
	return f.ask("mount", name, func(p *Partition) {
		if unready(*p) {
			p.State, p.Why = Mounted, ""
		}
	})
}

func (f *Fake) ask(what, name string, change func(*Partition)) error {
	f.do(func() {
		f.asked = append(f.asked, fmt.Sprintf("%s %s", what, name))
		for i := range f.all {
			if f.all[i].Name == name {
				change(&f.all[i])
			}
		}
	})
	return nil
}
