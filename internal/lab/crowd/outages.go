package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/visit"
)

// An evening with outages: in each round of a question the phones' network fades and goes while
// they vote, stays away for some seconds, and comes back; of each eight outages the last two
// are longer than the daemon waits for a silent phone. Half of the phones are told when their
// Wi-Fi goes and dial at once when it is back; the others find out as their page does.
const (
	voting   = 3 * time.Second        // in which all begin to vote
	fading   = 400 * time.Millisecond // before the network is gone
	shortest = 2 * time.Second        // outage
	longer   = 3 * time.Second        // at most, than that
	pongWait = 60 * time.Second       // of the daemon: internal/web/socket.go
	slack    = 10 * time.Second       // until it must have let go then

	// In which a phone must be connected again. The page finds out within 25 s that nobody is
	// there and dials at least every 5 s; a dial without network may hang for some seconds.
	reach = silence + itsPatience + longestWait + 5*time.Second

	stuck   = 5 * time.Second // for a command; one that waited for a dead phone would wait 10 s
	fewMore = 8               // goroutines or files, of others who come and go

	// The memory after an outage goes up and down by what Go's heap breathes; of so many the
	// median must not grow by more.
	someOutages = 8
	moreMB      = 6.0
)

// outage is one of them, as it went.
type outage struct {
	by          fault
	away        time.Duration
	from, until time.Time
	unheard     int             // phones whose ballot the kiosk had kept, and could not tell them so
	told, blind []time.Duration // until a phone heard from the kiosk again that the outage had hit: those told of it, the others
	settled     time.Duration   // after the end of the question, until the daemon held no more than before
	held        held
}

// held is what the daemon holds.
type held struct{ phones, goroutines, files, memory float64 }

func (h held) String() string {
	return fmt.Sprintf("%.0f phones, %.0f goroutines, %.0f files, %.1f MB", h.phones, h.goroutines, h.files, h.memory)
}

// cutOff is the lab with outages, and keeps its row.
func cutOff(ctx context.Context, dir string, phones int, seed uint64, outages int, limit time.Duration) error {
	row := oracle.Row{Part: "network", Fault: "the phones' network away and back while they vote", Seed: int(seed)}
	if phones > mostPhones {
		return fmt.Errorf("at most %d phones: more have no room in one network", mostPhones)
	}
	net, err := newNetwork(ctx)
	if err != nil {
		return row.Keep(ctx, err)
	}
	h := &hall{seed: seed, history: &oracle.History{}, net: net}
	fmt.Printf("%d outages of the network of %d phones, seed %d:\n", outages, phones, seed)
	var all []*outage
	verdict, err := h.with(ctx, dir, func() (err error) {
		all, row.Says, err = h.outages(ctx, phones, outages, limit)
		return err
	})
	away := time.Duration(0)
	for _, o := range all {
		away = max(away, o.until.Sub(o.from))
	}
	row.Size = fmt.Sprintf("%d outages up to %v, %d phones", len(all), away.Round(time.Second), phones)
	if verdict != nil {
		row = row.With(verdict)
	}
	return row.Keep(ctx, err)
}

func (h *hall) outages(ctx context.Context, phones, outages int, limit time.Duration) (all []*outage, says string, err error) {
	empty, err := h.held()
	if err != nil {
		return nil, "", err
	}
	watcher, err := startWatch(h.kiosk.Base, func(name string, args ...string) *exec.Cmd { return h.net.beside(ctx, name, args...) })
	if err != nil {
		return nil, "", err
	}
	for i := range phones {
		p := &phone{hall: h, n: i, rnd: rand.New(rand.NewPCG(h.seed, uint64(i)))}
		p.page.told, p.page.ended = i%2 == 0, make(chan struct{}, 1)
		h.phones = append(h.phones, p)
	}
	if _, err := h.all("join", voting, (*phone).join); err != nil {
		return nil, "", err
	}
	staying, leave := context.WithCancel(ctx)
	for i, p := range h.phones {
		p.running.Go(func() { p.stay(staying, rand.New(rand.NewPCG(h.seed, uint64(phones+i)))) })
	}
	defer func() {
		leave()
		h.wait()
	}()
	full, err := h.settle(ctx, held{phones: float64(phones), goroutines: 1e9, files: 1e9})
	if err != nil {
		return nil, "", err
	}
	fmt.Printf("  daemon: %v; with all joined %v\n", empty, full)

	rnd := rand.New(rand.NewPCG(h.seed, 1<<32))
	for i := range outages {
		o := &outage{by: fault(i % 2), away: shortest + time.Duration(rnd.Int64N(int64(longer)))}
		if i%8 >= 6 {
			o.away = pongWait + slack + time.Duration(rnd.Int64N(int64(slack)))
		}
		all = append(all, o)
		if err := h.outage(ctx, o, i+1, rnd, empty, full); err != nil {
			return all, "", fmt.Errorf("outage %d, %v for %v: %w", i+1, o.by, o.away.Round(time.Millisecond), err)
		}
		fmt.Printf("  outage %d, %v for %v: %d answers lost on the way\n", i+1, o.by, o.away.Round(time.Millisecond), o.unheard)
		if o.by == accessPoint {
			fmt.Printf("    phones that were told of it, connected again: %s\n", spread(o.told))
		}
		fmt.Printf("    phones that found out, connected again: %s\n", spread(o.blind))
		fmt.Printf("    daemon, %v after the question: %v\n", o.settled.Round(time.Millisecond), o.held)
	}
	commands, err := watcher.end(h.history)
	if err != nil {
		return all, "", err
	}
	peak, err := h.kiosk.Peak()
	if err != nil {
		return all, "", err
	}
	says, err = h.sum(all, commands, peak, limit)
	return all, says, err
}

// outage is one round of the question with one outage.
func (h *hall) outage(ctx context.Context, o *outage, round int, rnd *rand.Rand, empty, full held) error {
	h.known.Store(0)
	if err := h.do("openQuestion", map[string]any{"question": "k1", "newRound": round > 1}); err != nil {
		return err
	}
	casting, stop := context.WithTimeout(ctx, o.away+voting+2*reach)
	defer stop()
	voted := make(chan error, 1)
	go func() {
		_, err := h.all("vote", voting, func(p *phone) error { return p.decide(casting, round) })
		voted <- err
	}()
	pause(ctx, voting/4+time.Duration(rnd.Int64N(int64(voting/2))))
	if err := h.net.fade(ctx); err != nil {
		return err
	}
	o.from = time.Now()
	pause(ctx, fading)
	if err := h.net.down(ctx, o.by); err != nil {
		return err
	}
	down := time.Now()
	if o.away > pongWait {
		pause(ctx, pongWait+slack)
		now, err := h.held()
		if err != nil {
			return err
		}
		if now.phones > 0 || now.more(empty) {
			return fmt.Errorf("%v after the network went the daemon still holds %v (before the phones came: %v)", pongWait+slack, now, empty)
		}
	}
	pause(ctx, o.away-time.Since(down))
	known := h.known.Load()
	ballots, err := h.ballots()
	if err != nil {
		return err
	}
	o.unheard = ballots - int(known)
	o.until = time.Now()
	var hit []*phone
	for _, p := range h.phones {
		p.mu.Lock()
		p.page.since = o.until
		if p.ws == nil || len(p.page.outbox) > 0 { // the others have a line, and nothing to send yet
			hit = append(hit, p)
		}
		p.mu.Unlock()
	}
	if err := h.net.restore(ctx, o.by); err != nil {
		return err
	}
	if err := <-voted; err != nil {
		return err
	}
	if err := h.do("closeQuestion", map[string]any{"question": "k1"}); err != nil {
		return err
	}
	closed := time.Now()
	for _, p := range h.phones {
		seen := p.until(func(q question) bool { return q.Phase == "closed" && q.Round == round })
		p.mu.Lock()
		again, lost := p.page.again, p.lost
		p.mu.Unlock()
		if !seen {
			return fmt.Errorf("phone %d (told: %v) is not connected again %v after the network came back; its sockets: %v", p.n, p.page.told, time.Since(o.until), lost)
		}
		if again > reach {
			return fmt.Errorf("phone %d (told: %v) was connected again only after %v, more than %v", p.n, p.page.told, again, reach)
		}
	}
	for _, p := range hit { // which have heard, and write none of it any more
		if p.page.told && o.by == accessPoint {
			o.told = append(o.told, p.page.again)
		} else {
			o.blind = append(o.blind, p.page.again)
		}
	}
	if ballots, err = h.ballots(); err != nil {
		return err
	}
	if ballots != len(h.phones) {
		return fmt.Errorf("the facilitator sees the answers of %d phones, of %d", ballots, len(h.phones))
	}
	o.held, err = h.settle(ctx, full)
	o.settled = time.Since(closed)
	return err
}

// ballots is how many the facilitator sees.
func (h *hall) ballots() (int, error) {
	if err := h.lead.Connect("facilitator"); err != nil {
		return 0, err
	}
	defer h.lead.WS.Close()
	if err := h.lead.WaitFor(func(m visit.Message) bool { return m.Type == "view" }); err != nil {
		return 0, err
	}
	var view struct{ Current struct{ Ballots int } }
	err := json.Unmarshal(h.lead.Seen, &view)
	return view.Current.Ballots, err
}

func (h *hall) held() (now held, err error) {
	says, err := h.lead.Metrics()
	if err != nil {
		return now, err
	}
	now.phones, now.goroutines = says[`mimpi_screens{role="vote"}`], says["mimpi_goroutines"]
	if now.goroutines == 0 {
		return now, fmt.Errorf("/metrics tells of no goroutines: %v", says)
	}
	files, err := h.kiosk.Files()
	if err != nil {
		return now, err
	}
	now.files = float64(files)
	now.memory, err = h.kiosk.Resident()
	return now, err
}

// more says that more is held than before.
func (h held) more(before held) bool {
	return h.phones > before.phones || h.goroutines > before.goroutines+fewMore || h.files > before.files+fewMore
}

// settle waits until the daemon has all phones, each once, and holds no more than before.
func (h *hall) settle(ctx context.Context, before held) (held, error) {
	late := time.Now().Add(pongWait + slack)
	for {
		now, err := h.held()
		if err != nil || ctx.Err() != nil {
			return now, errors.Join(err, ctx.Err())
		}
		if now.phones == before.phones && !now.more(before) {
			return now, nil
		}
		if time.Now().After(late) {
			return now, fmt.Errorf("the daemon still holds %v; before the outage %v", now, before)
		}
		pause(ctx, 100*time.Millisecond)
	}
}

// sum prints what all outages gave, and judges it.
func (h *hall) sum(all []*outage, commands []given, peak float64, limit time.Duration) (says string, err error) {
	var hit []time.Duration
	var away time.Duration
	unheard, resent := 0, 0
	for _, o := range all {
		hit = slices.Concat(hit, o.told, o.blind)
		away += o.until.Sub(o.from)
		unheard += o.unheard
	}
	for _, p := range h.phones {
		p.mu.Lock()
		resent += p.page.resent
		p.mu.Unlock()
	}
	says = fmt.Sprintf("connected again p50 %v, longest %v; %d answers lost on the way, %d ballots sent again; ",
		quantile(hit, 0.5), quantile(hit, 1), unheard, resent)
	var errs []error
	if unheard == 0 || resent == 0 {
		errs = append(errs, errors.New("no answer was lost on the way: too little to show anything"))
	}
	for _, who := range []string{"facilitator", "clicker"} {
		isAway := func(g given) bool {
			for _, o := range all {
				if g.At.After(o.from) && g.At.Before(o.until) {
					return true
				}
			}
			return false
		}
		gone := times(commands, who, isAway)
		whole := times(commands, who, func(g given) bool { return !isAway(g) })
		fmt.Printf("  %s's commands at the kiosk itself, without network: %s; with it: %s (aim: p99 under 100 ms)\n", who, spread(gone), spread(whole))
		says += fmt.Sprintf("%s's p99 %v; ", who, quantile(gone, 0.99))
		if float64(len(gone)) < 2*away.Seconds() {
			errs = append(errs, fmt.Errorf("the %s gave only %d commands in the %v without network", who, len(gone), away))
		}
		if got := max(quantile(gone, 1), quantile(whole, 1)); got > stuck {
			errs = append(errs, fmt.Errorf("a command of the %s took %v", who, got))
		}
		if got := quantile(gone, 0.99); limit > 0 && got > limit {
			errs = append(errs, fmt.Errorf("the %s's commands without network took %v in the slowest of 100 cases, more than %v", who, got, limit))
		}
	}
	first, last := all[0].held, all[len(all)-1].held
	half := len(all) / 2
	before, after := memory(all[:half+len(all)%2]), memory(all[half:])
	says += fmt.Sprintf("goroutines %.0f to %.0f, files %.0f to %.0f, %.1f to %.1f MB",
		first.goroutines, last.goroutines, first.files, last.files, before, after)
	fmt.Printf("  %s, never more than %.1f\n", says, peak)
	if len(all) >= someOutages && after > before+moreMB {
		errs = append(errs, fmt.Errorf("the daemon's memory grew from %.1f MB in the first half of the outages to %.1f in the second", before, after))
	}
	if most := bound(2 * len(h.phones)); peak > most { // each phone may have its old line and its new one
		errs = append(errs, fmt.Errorf("the daemon took %.1f MB, more than %.1f", peak, most))
	}
	return says, errors.Join(errs...)
}

// memory is the median of what the daemon held after outages, in MB.
func memory(all []*outage) float64 {
	var each []float64
	for _, o := range all {
		each = append(each, o.held.memory)
	}
	slices.Sort(each)
	return each[len(each)/2]
}
