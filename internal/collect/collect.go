// Package collect reads the exports of many kiosks, from sticks, folders and zip files,
// and makes one whole of them for people who are not technicians.
//
// # What counts
//
// A screening counts once, however many sticks it is on. Its copy counts when its
// checksums are right, its signature (where it has one) is the kiosk's, its journal has
// no gap, and the figures of summary.json are those that the rules make of the journal.
// Of several copies the one with the longest journal counts, when the journals of the
// others are beginnings of it. Journals are compared event by event: number, kind,
// source, boot, time since boot and content. Wall-clock times are not compared, because
// they may have been put right between two exports, nor single ballots, which an export
// sorts; the sums of a round are, where it had ended in both.
//
// What is signed counts before what is not, however long. Of copies that several keys signed
// those count by the keys of the list of known keys; without a list by the key that alone has
// signed other evenings of the kiosk; and where nothing says which key is the kiosk's, as far
// as all keys agree. What goes further is a problem, and so are two histories under one id. Of
// two that are equally good none counts: nothing is merged silently.
//
// A copy that does not count is harmless where the one that counts is at least as long: where
// that is known from what can still be read, or where the evening had ended in the one that
// counts and nothing speaks of more. Else the screening is in doubt.
//
// # A stick is hostile until shown otherwise
//
// Folders are read through [os.Root] and links are not followed; depth, entries, sizes,
// lines and what comes out of a zip are bounded; names go nowhere but into messages.
// What is damaged is told with its path, what is wrong and what to do, and the rest goes on.
//
// # Goroutines
//
// [Collect] reads with as many goroutines as there are processors and returns when they
// are gone. What it gives is a plain value that nobody changes any more. The same copies
// give the same result in the same order.
package collect

import (
	"context"
	"fmt"
	"runtime"

	"filippo.io/age"
	"golang.org/x/sync/errgroup"
)

// Options say how to read.
type Options struct {
	Rehearsals bool // read rehearsals too; they are never in totals
	Identities []age.Identity
	// Keys are the public keys that kiosks are known to have, by kiosk. With a list nothing
	// counts but what is signed by a key that the list has for the kiosk. nil is no list.
	Keys map[string][]string
	// Progress is told how many copies of all are read; nil is nobody. It is called
	// from one goroutine at a time.
	Progress func(done, all int)
}

// Result is what was read.
type Result struct {
	Screenings []*Screening // that count, by date, then id; rehearsals only when asked for
	Problems   []Problem    // in the order of paths
	Copies     int          // folders of screenings that were looked at
	Twice      int          // of them sound copies of a screening that counts by another copy
	Rehearsals int          // that were left out
	Kiosks     []Kiosk      // by id
}

// Kiosk is a kiosk whose screenings were read.
type Kiosk struct {
	ID         string `json:"id"`
	Key        string `json:"key"` // its public key; "" when it does not sign
	Screenings int    `json:"screenings"`
}

// Collect reads all places: folders, sticks and zip files. The error is only that of ctx.
func Collect(ctx context.Context, places []string, opts Options) (*Result, error) {
	var copies []*place
	var problems []Problem
	var open []*source
	defer func() {
		for _, s := range open {
			s.close() // read only
		}
	}()
	for _, p := range places {
		s, problem := openSource(p)
		if problem != nil {
			problems = append(problems, *problem)
			continue
		}
		open = append(open, s)
		found, wrong, more := s.find(ctx)
		copies, problems, open = append(copies, found...), append(problems, wrong...), append(open, more...)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	copies = withoutRepeats(copies)

	read := make([]*version, len(copies))
	wrong := make([][]Problem, len(copies))
	group, ctx := errgroup.WithContext(ctx)
	next := make(chan int)
	group.Go(func() error {
		defer close(next)
		for i := range copies {
			select {
			case next <- i:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	done := make(chan struct{}, 16)
	var readers errgroup.Group
	terms := newGlossary()
	for range min(max(runtime.NumCPU(), 1), 8) {
		readers.Go(func() error {
			r := newReader(opts, terms)
			for i := range next {
				read[i], wrong[i] = r.read(ctx, copies[i])
				done <- struct{}{}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(done)
		return readers.Wait()
	})
	for n := 1; ; n++ {
		if _, more := <-done; !more {
			break
		}
		if opts.Progress != nil {
			opts.Progress(n, len(copies))
		}
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, w := range wrong {
		problems = append(problems, w...)
	}
	out, counts, sound := merge(read, opts)
	out.Copies = len(copies)
	out.Problems = append(problems, out.Problems...)
	out.settle(counts, sound)
	return out, nil
}

// Bad says how many problems may change the figures.
func (r *Result) Bad() int {
	n := 0
	for _, p := range r.Problems {
		if p.Level > Note {
			n++
		}
	}
	return n
}

func (k Kiosk) String() string { return fmt.Sprintf("%s %s", k.ID, k.Key) }
