package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"mimpi-kiosk/internal/lab/card"
	"mimpi-kiosk/internal/lab/qemu"
)

const (
	cardSize   = 64 << 20
	workAtMost = 6 * time.Second // of work until a cut
)

// cutAgainAndAgain lets the shipped daemon work in a machine whose journal is on a card
// with a cache that forgets (package card), takes the power away at a random moment,
// most often right after a write to the card, and switches it on again. One time in five the power goes while the kiosk is still starting.
// Every second start the machine believes that it is 1970: it has no clock of its own.
//
// What lamps and screens acknowledged must be in the journal, once. With noSync it must
// not: else these cuts would show nothing.
func cutAgainAndAgain(ctx context.Context, k *kernel, initrd string, cuts int, seed uint64, noSync bool) error {
	began := time.Now()
	random := rand.New(rand.NewPCG(seed, 0))
	disk, err := format(ctx, filepath.Dir(initrd))
	if err != nil {
		return err
	}
	t := &tally{done: map[string]*counts{}}
	early := 0
	for boot := 1; boot <= cuts+1; boot++ {
		look := boot > cuts
		atStart := !look && boot > 1 && random.IntN(5) == 0
		after, writes := time.Duration(random.Int64N(int64(workAtMost))), random.IntN(5)
		if err := t.live(ctx, k, initrd, disk, life{
			boot: boot, look: look, atStart: atStart, after: after, writes: writes, noSync: noSync, in1970: boot%2 == 0 && !noSync,
		}); err != nil {
			return fmt.Errorf("start %d (seed %d): %w", boot, seed, err)
		}
		if look {
			break
		}
		if atStart {
			early++
		}
		cached, old := disk.Cut(random)
		fmt.Printf("cut %3d after %4.1f s of work: %4d acknowledged, %3d sectors were not flushed, %3d of them are old\n",
			boot, t.worked.Seconds(), t.acknowledged(), cached, old)
	}
	fmt.Printf("%d cuts, %d of them while it started, seed %d, in %v: %d acknowledged, %d lost, %d flushes of the card\n",
		cuts, early, seed, time.Since(began).Round(time.Second), t.acknowledged(), t.lost, disk.Flushes())
	switch {
	case t.acknowledged() == 0:
		return errors.New("nothing was acknowledged: this run shows nothing")
	case noSync && t.lost == 0:
		return errors.New("without syncs nothing was lost: these cuts do not bite")
	case !noSync && t.lost > 0:
		return fmt.Errorf("%d acknowledged presses, ballots or corrections are lost", t.lost)
	}
	return nil
}

// format makes a card with the file system that Raspberry Pi OS has.
func format(ctx context.Context, work string) (*card.Card, error) {
	file := filepath.Join(work, "card")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		return nil, err
	}
	defer os.Remove(file)
	if err := os.Truncate(file, cardSize); err != nil {
		return nil, err
	}
	if out, err := exec.CommandContext(ctx, "mkfs.ext4", "-q", "-F", file).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("mkfs.ext4: %w\n%s", err, out)
	}
	content, err := os.ReadFile(file)
	return card.New(content), err
}

// life is one time with power.
type life struct {
	boot           int
	look           bool          // only to look, and switched off properly
	atStart        bool          // cut while it starts
	after          time.Duration // of the cut, after its start or after it was ready
	writes         int           // and then so many writes to the card; 0 is at once
	noSync, in1970 bool
}

// live switches the machine on, and off.
func (t *tally) live(ctx context.Context, k *kernel, initrd string, disk *card.Card, l life) error {
	socket := filepath.Join(os.TempDir(), fmt.Sprintf("mimpi-card-%d.sock", os.Getpid()))
	listener, err := net.Listen("unix", socket) // a path below build may be too long for a socket
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			err = disk.Serve(conn)
		}
		served <- err
	}()
	asked := fmt.Sprintf("lab.do=cut lab.boot=%d", l.boot)
	if l.look {
		asked += " lab.look=yes"
	}
	if l.noSync {
		asked += " lab.sync=no"
	}
	args := []string{}
	if l.in1970 {
		args = []string{"-rtc", "base=1970-01-02T00:00:00"}
	}
	t.begin()
	guest, err := qemu.Start(ctx, qemu.Options{
		CPUs: 1, Memory: 768, Kernel: k.image, Initrd: initrd,
		Append: "console=ttyS0 quiet panic=-1 rdinit=/init GODEBUG=asyncpreemptoff=1 " + asked,
		Disks:  []qemu.Disk{{Path: "nbd:unix:" + socket}}, Args: args,
		Log: &labLines{to: t},
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	err = t.work(ctx, guest, disk, l)
	// The card is read when the machine is gone, and everything it has said.
	err = errors.Join(err, guest.Close(), listener.Close())
	if gone := <-served; !errors.Is(gone, net.ErrClosed) {
		err = errors.Join(err, gone)
	}
	if err == nil {
		err = t.failed
	}
	return err
}

func (t *tally) work(ctx context.Context, guest *qemu.Guest, disk *card.Card, l life) error {
	wanted := `LAB READY`
	if l.atStart {
		wanted = `LAB RUN cut`
	}
	if got, err := guest.Console(0).Expect(ctx, wanted+`|LAB END \w+\b.|Kernel panic`); err != nil {
		return err
	} else if got[0] != wanted {
		return fmt.Errorf("the machine: %s; %w", got[0], t.failed)
	}
	if l.look {
		return guest.Wait(ctx)
	}
	began := time.Now()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(l.after):
	}
	if l.writes > 0 {
		select {
		case <-disk.AfterWrites(l.writes):
		case <-time.After(workAtMost): // it writes nothing now
		}
	}
	t.worked = time.Since(began)
	return nil
}

// tally is what the machine has said, line by line.
type tally struct {
	mu     sync.Mutex
	done   map[string]*counts
	kept   map[string]int // in the journal, as this life began
	before int            // acknowledged in earlier lives
	lost   int
	failed error
	worked time.Duration
}

// counts are of those who press, vote and correct, since the journal was last looked at.
type counts struct{ asked, acknowledged, base int }

func (t *tally) begin() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = map[string]int{}
}

func (t *tally) acknowledged() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.before
	for _, c := range t.done {
		n += c.acknowledged
	}
	return n
}

// Write takes whole lines.
func (t *tally) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	words := strings.Fields(string(line))
	switch {
	case len(words) == 2 && (words[0] == "ASK" || words[0] == "ACK"):
		c := t.done[words[1]]
		if c == nil {
			c = &counts{}
			t.done[words[1]] = c
		}
		if words[0] == "ASK" {
			c.asked++
		} else {
			c.acknowledged++
		}
	case len(words) == 4 && words[1] == "KEPT":
		n, err := strconv.Atoi(words[3])
		if err != nil {
			t.failed = fmt.Errorf("the machine says %q: %w", line, err)
		}
		t.kept[words[2]] = n
	case len(words) == 2 && words[1] == "READY":
		t.compare()
	case len(words) > 2 && words[1] == "FAILED:":
		t.failed = errors.Join(t.failed, errors.New(strings.Join(words[2:], " ")))
	case strings.Contains(string(line), "EXT4-fs error"):
		t.failed = errors.Join(t.failed, errors.New(string(line)))
	}
	return len(line), nil
}

// compare holds what the journal has kept against what was acknowledged before.
func (t *tally) compare() {
	for who, c := range t.done {
		kept := t.kept[who] - c.base
		t.lost += max(0, c.acknowledged-kept)
		if kept > c.asked {
			t.failed = errors.Join(t.failed, fmt.Errorf("%s: %d are in the journal, and only %d were sent", who, kept, c.asked))
		}
		t.before += c.acknowledged
		*c = counts{base: t.kept[who]}
	}
}
