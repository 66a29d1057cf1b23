// Crowd sets a hall full of phones on the real daemon: all join within seconds, as after an
// access point comes back, vote, and leave. Some never read, some come and go, some send
// nonsense. Meanwhile another process gives the facilitator's and the clicker's commands
// and measures them. In the end the journal is compared with what was acknowledged.
//
// With -outages the phones have a network of their own, which goes away while they vote and
// comes back: see outages.go.
//
// It fails when a ballot or a press is lost or doubled, when a sound phone is turned away,
// or when the daemon takes more memory than [bound] says. Times are printed, and judged
// only where -p99 says so: other machines have other times.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/visit"
)

const (
	baseMB     = 50.0 // resident in a busy evening without phones
	perPhoneKB = 64.0 // and for each phone on top
)

// bound is the most memory that the daemon may ever have held, in MB.
func bound(phones int) float64 { return baseMB + float64(phones)*perPhoneKB/1024 }

func main() {
	watches := flag.String("watch", "", "the other process: give commands to the kiosk at this address until standard input ends")
	n := flag.Int("phones", 2000, "phones")
	seed := flag.Uint64("seed", 1, "of chance")
	p99 := flag.Duration("p99", 0, "the facilitator's and the clicker's commands must be quicker in 99 of 100 cases; 0: only print")
	outages := flag.Int("outages", 0, "take the phones' network away so many times, in place of all that")
	isAlone := flag.Bool("alone", false, "of -outages: this process has a network of its own; the lab says so to itself")
	flag.Parse()
	if *watches != "" {
		exitOn(watch(*watches))
		return
	}
	if *outages > 0 && !*isAlone {
		exitOn(alone())
	}
	dir, err := os.MkdirTemp("build", "crowd-") // the disk that the checkout is on, not a tmpfs
	exitOn(err)
	if *outages > 0 {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = cutOff(ctx, dir, *n, *seed, *outages, *p99)
	} else {
		err = run(context.Background(), dir, *n, *seed, *p99)
	}
	exitOn(errors.Join(err, os.RemoveAll(dir)))
}

func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, n int, seed uint64, limit time.Duration) error {
	h := &hall{seed: seed, history: &oracle.History{}}
	_, err := h.with(ctx, dir, func() error { return h.evening(n, limit) })
	return err
}

// hall is the kiosk and those who come to it.
type hall struct {
	kiosk   *visit.Process
	net     *network // nil: everybody comes over the loopback
	lead    *visit.Visitor
	given   int // commands of the lead
	seed    uint64
	history *oracle.History
	phones  []*phone
	known   atomic.Int64 // phones that have an answer in this round
}

// with has a kiosk while do runs, and then judges its journal; the error has what is wrong
// with either.
func (h *hall) with(ctx context.Context, dir string, do func() error) (*oracle.Verdict, error) {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := h.command(ctx, visit.Daemon, "run", "--demo", "--data", dir, "--listen", h.listen())
	cmd.Stderr = log
	if h.kiosk, err = visit.Begin(cmd); err != nil {
		return nil, err
	}
	if h.net != nil {
		h.kiosk.Dial = h.net.loopback
	}
	err = h.kiosk.Await(func(status int) bool { return status == http.StatusOK })
	if err == nil {
		err = h.enter()
	}
	if err == nil {
		err = do()
	}
	err = errors.Join(err, h.kiosk.Stop())
	verdict, jerr := h.history.Judge(ctx, filepath.Join(dir, "journal.db"))
	if jerr != nil {
		return nil, errors.Join(err, jerr)
	}
	fmt.Println("  journal:", verdict)
	return verdict, errors.Join(err, verdict.Err())
}

// listen is where the kiosk listens: on all addresses where nobody else can reach them.
func (h *hall) listen() string {
	if h.net != nil {
		return ":8080"
	}
	return "127.0.0.1:0"
}

// command is a program on the kiosk's machine.
func (h *hall) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	if h.net != nil {
		return h.net.beside(ctx, name, args...)
	}
	return exec.CommandContext(ctx, name, args...)
}

// phone is the visitor with a phone.
func (h *hall) phone(n int) (*visit.Visitor, error) {
	if h.net != nil {
		return (&visit.Process{Base: "http://" + kioskAddress + ":8080", Dial: h.net.from(n)}).Visitor()
	}
	return h.kiosk.Visitor()
}

// enter begins an evening with open doors, and the facilitator at the kiosk's own screen.
func (h *hall) enter() (err error) {
	h.lead, err = h.kiosk.Visitor()
	if err == nil {
		err = h.lead.SetPIN()
	}
	if err == nil {
		err = h.lead.Connect("facilitator")
	}
	if err == nil {
		err = h.lead.Plan("plan", "Balai Desa")
	}
	if err != nil {
		return err
	}
	h.lead.WS.Close()
	if err := h.do("moveTo", map[string]any{"step": "discussion"}); err != nil {
		return err
	}
	return h.do("openDoors", map[string]any{})
}

// do is a command of the facilitator, each time over a new socket: nobody would read that one
// in between.
func (h *hall) do(what string, fields map[string]any) error {
	if err := h.lead.Connect("facilitator"); err != nil {
		return err
	}
	defer h.lead.WS.Close()
	fields["do"] = what
	h.given++
	return h.lead.Do(fmt.Sprintf("lead-%d", h.given), fields)
}

// Of the phases.
const (
	joinFor  = 5 * time.Second
	voteFor  = 10 * time.Second
	leaveFor = 3 * time.Second
)

func (h *hall) evening(n int, limit time.Duration) error {
	watcher, err := startWatch(h.kiosk.Base, exec.Command)
	if err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	empty, err := h.kiosk.Resident()
	if err != nil {
		return err
	}
	used, err := h.kiosk.CPU()
	if err != nil {
		return err
	}

	h.invite(n)
	joins, err := h.all("join", joinFor, (*phone).join)
	if err != nil {
		return err
	}
	full, err := h.kiosk.Resident()
	if err != nil {
		return err
	}
	if err := h.do("openQuestion", map[string]any{"question": "k1", "newRound": false}); err != nil {
		return err
	}
	votes, err := h.all("vote", voteFor, (*phone).vote)
	if err != nil {
		return err
	}
	if err := h.do("closeQuestion", map[string]any{"question": "k1"}); err != nil {
		return err
	}
	if _, err := h.all("leave", leaveFor, (*phone).leave); err != nil {
		return err
	}
	h.wait()
	peak, err := h.kiosk.Peak()
	if err != nil {
		return err
	}
	after, err := h.kiosk.CPU()
	if err != nil {
		return err
	}
	commands, err := watcher.end(h.history)
	if err != nil {
		return err
	}

	fmt.Printf("crowd of %d phones, seed %d (10%% slow readers, 10%% flapping, 10%% nonsense):\n", n, h.seed)
	fmt.Printf("  join within %v, until the first view: %s\n", joinFor, spread(joins))
	again := 0
	for _, p := range h.phones {
		if p.kind == sound {
			again += len(p.lost)
		}
	}
	fmt.Printf("  sound phones that lost their line and dialled again: %d\n", again)
	fmt.Printf("  vote within %v, until acknowledged: %s\n", voteFor, spread(votes))
	var errs []error
	for _, who := range []string{"facilitator", "clicker"} {
		took := times(commands, who, func(given) bool { return true })
		fmt.Printf("  %s's commands meanwhile, from another process: %s (aim: p99 under 100 ms)\n", who, spread(took))
		if got := quantile(took, 0.99); limit > 0 && got > limit {
			errs = append(errs, fmt.Errorf("the %s's commands took %v in the slowest of 100 cases, more than %v", who, got, limit))
		}
	}
	fmt.Printf("  daemon: %.1f MB before, %.1f MB with all joined (%.1f kB a phone), never more than %.1f MB (bound: %.1f); %.1f s of processor\n",
		empty, full, (full-empty)*1024/float64(n), peak, bound(n), (after - used).Seconds())
	if peak > bound(n) {
		errs = append(errs, fmt.Errorf("the daemon took %.1f MB, more than %.1f", peak, bound(n)))
	}
	return errors.Join(errs...)
}

// invite makes the phones, a tenth of each bad kind.
func (h *hall) invite(n int) {
	for i := range n {
		kind := sound
		switch i % 10 {
		case 3:
			kind = slow
		case 5:
			kind = flapping
		case 7:
			kind = nonsense
		}
		h.phones = append(h.phones, &phone{hall: h, n: i, kind: kind, rnd: rand.New(rand.NewPCG(h.seed, uint64(i)))})
	}
}

// all has every phone do something at a moment of its own within a time, and gives how
// long it took each of the sound ones.
func (h *hall) all(what string, within time.Duration, do func(*phone) error) ([]time.Duration, error) {
	took := make([]time.Duration, len(h.phones))
	errs := make([]error, len(h.phones))
	var group sync.WaitGroup
	for i, p := range h.phones {
		wait := time.Duration(p.rnd.Int64N(int64(within)))
		group.Go(func() {
			time.Sleep(wait)
			begin := time.Now()
			errs[i] = do(p)
			took[i] = time.Since(begin)
		})
	}
	group.Wait()
	var times []time.Duration
	var failed error
	bad := 0
	for i, p := range h.phones {
		if errs[i] != nil && p.kind == sound {
			bad++
			failed = errs[i]
		}
		if p.kind == sound {
			times = append(times, took[i])
		}
	}
	if bad > 0 {
		return nil, fmt.Errorf("%d sound phones could not %s, such as: %w", bad, what, failed)
	}
	return times, nil
}

// wait ends when all phones' goroutines have.
func (h *hall) wait() {
	for _, p := range h.phones {
		p.running.Wait()
	}
}

func quantile(all []time.Duration, q float64) time.Duration {
	if len(all) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(all))
	return s[min(int(q*float64(len(s))), len(s)-1)].Round(100 * time.Microsecond)
}

func spread(all []time.Duration) string {
	return fmt.Sprintf("p50 %v, p99 %v, longest %v, of %d", quantile(all, 0.5), quantile(all, 0.99), quantile(all, 1), len(all))
}
