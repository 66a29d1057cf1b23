package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"
)

// What the page on a phone does of itself, as kiosk-ui/src/lib/connection.svelte.ts has it.
const (
	silence     = 15 * time.Second // then it asks whether the kiosk is there
	itsPatience = 10 * time.Second // then it gives the line up
	firstWait   = 300 * time.Millisecond
	longestWait = 5 * time.Second // between two dials
	nextTry     = 2 * time.Second // of a ballot that could not be saved
)

// page is what a phone keeps for the time when its network is away. It is guarded by the
// phone's mu, but for told and ended.
type page struct {
	told  bool          // it is told when its own network goes and comes back; a page seldom is of what lies behind
	ended chan struct{} // has one when its socket broke

	heard  time.Time // when it last heard from the kiosk
	since  time.Time // it has not heard from the kiosk since the network came back then
	again  time.Duration
	outbox []*unanswered // in order
	resent int           // ballots that were sent a second time, or more
}

type unanswered struct {
	ballot map[string]any
	sent   bool
}

func (p *page) wake() {
	select {
	case p.ended <- struct{}{}:
	default:
	}
}

func (p *page) hear() {
	p.heard = time.Now()
	if !p.since.IsZero() {
		p.again, p.since = p.heard.Sub(p.since), time.Time{}
	}
}

// stay dials again whenever the line is gone, and sends what waits, until ctx ends.
func (p *phone) stay(ctx context.Context, rnd *rand.Rand) {
	defer p.away()
	failed, asked := 0, false
	for ctx.Err() == nil {
		up, changed := p.hall.net.state()
		if !p.page.told {
			changed = nil
		} else if !up {
			p.vanish()
			failed = 0
			wait(ctx, changed, nil, nil)
			continue
		}
		p.mu.Lock()
		there, quiet := p.ws != nil, time.Since(p.page.heard)
		p.mu.Unlock()
		switch {
		case !there:
			if p.connect() != nil {
				late := min(longestWait, firstWait<<min(failed, 10))
				failed++
				wait(ctx, changed, nil, time.After(late/2+time.Duration(rnd.Int64N(int64(late/2)))))
				continue
			}
			failed = 0
			p.sendAll()
		case quiet < silence:
			asked = false
			wait(ctx, changed, p.page.ended, time.After(silence-quiet))
		case quiet < silence+itsPatience:
			if !asked {
				asked = true
				p.mu.Lock()
				if p.ws != nil {
					_ = p.write(p.ws, map[string]any{"id": "quiet", "do": "ping"}) // no answer says it too
				}
				p.mu.Unlock()
			}
			wait(ctx, changed, p.page.ended, time.After(silence+itsPatience-quiet))
		default:
			p.away()
		}
	}
}

// wait ends with the first of them.
func wait(ctx context.Context, changed, ended <-chan struct{}, late <-chan time.Time) {
	select {
	case <-ctx.Done():
	case <-changed:
	case <-ended:
	case <-late:
	}
}

func pause(ctx context.Context, d time.Duration) { wait(ctx, nil, nil, time.After(d)) }

// vanish ends the socket as a phone does whose Wi-Fi is gone: nothing of it reaches the kiosk,
// not later either.
func (p *phone) vanish() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ws != nil {
		_ = p.ws.NetConn().(*net.TCPConn).SetLinger(0) // fails on a closed socket only
		p.ws.Close()
		p.ws = nil
	}
}

// sendAll sends what waits, over a new line.
func (p *phone) sendAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.page.outbox {
		p.send(u)
	}
}

// send needs p.mu.
func (p *phone) send(u *unanswered) {
	if p.ws == nil {
		return
	}
	if u.sent {
		p.page.resent++
	}
	u.sent = true
	p.hall.history.Invoke(u.ballot["id"].(string))
	_ = p.write(p.ws, u.ballot) // what did not go is sent again
}

// decide answers a round of the question, and at once otherwise, as somebody does whose finger
// slipped: both ballots are under way, and neither may count twice when it is sent again.
func (p *phone) decide(ctx context.Context, round int) error {
	if !p.until(func(q question) bool { return q.Phase == "open" && q.Round == round }) {
		return fmt.Errorf("it never saw round %d open", round)
	}
	var ids []string
	for _, choice := range []string{"15", "18"} {
		id := fmt.Sprintf("ballot-%d-%d-%s", p.n, round, choice)
		ids = append(ids, id)
		p.mu.Lock()
		p.answers[id] = make(chan answered, 1)
		u := &unanswered{ballot: map[string]any{
			"id": id, "do": "castBallot", "screening": p.screening, "question": "k1", "round": round, "choices": []string{choice},
		}}
		p.page.outbox = append(p.page.outbox, u)
		p.send(u)
		p.mu.Unlock()
	}
	for i, id := range ids {
		if err := p.answered(ctx, id); err != nil {
			return err
		}
		if i == 0 {
			p.hall.known.Add(1)
		}
	}
	return nil
}

// answered waits until the kiosk has taken what is first in the outbox.
func (p *phone) answered(ctx context.Context, id string) error {
	for {
		p.mu.Lock()
		first, answer := p.page.outbox[0], p.answers[id]
		p.mu.Unlock()
		select {
		case <-ctx.Done():
			return errors.New("its ballot " + id + " was not answered")
		case a := <-answer:
			switch a.refused {
			case "":
				p.hall.history.Acknowledge(id)
			case "busy", "not_saved":
				pause(ctx, nextTry)
				p.mu.Lock()
				p.send(first)
				p.mu.Unlock()
				continue
			default:
				p.hall.history.Refuse(id, a.refused)
				return fmt.Errorf("its ballot was refused: %s", a.refused)
			}
			p.mu.Lock()
			p.page.outbox = p.page.outbox[1:]
			delete(p.answers, id)
			p.mu.Unlock()
			return nil
		}
	}
}
