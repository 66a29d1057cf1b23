package signin

import (
	"slices"
	"time"
)

const (
	freePerClient = 5  // the 5th wrong try of one client starts its first wait
	freeInTotal   = 20 // the 20th wrong try of all together starts the first wait for all
	clientsKept   = 64
)

// Waits after the free tries; the last one holds for all further tries.
var (
	clientWaits = [...]time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}
	totalWaits  = [...]time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}
)

// tally counts wrong tries. It is a value: its methods give a new one.
//
// No time is ever stored. The waits run on the monotonic clock, which starts anew
// with each boot, and a stored wall time would be worthless on a machine whose
// clock may be months off in either direction: an attacker's wait could be over at
// once, or the facilitator's never. So the waits begin anew after a restart.
type tally struct {
	Total   int           `json:"total"`             // since the last success of anybody
	Clients []clientTally `json:"clients,omitempty"` // the newest at the end

	until time.Time
}

type clientTally struct {
	Address string `json:"address"`
	Wrong   int    `json:"wrong"` // since the last success of this client

	until time.Time
}

func (t tally) find(c Client) int {
	return slices.IndexFunc(t.Clients, func(e clientTally) bool { return e.Address == c.Address })
}

// wait is how long the client still has to wait, or 0. The total does not hold the
// kiosk's own screen: whoever is out on the Wi-Fi could otherwise lock the
// facilitator out for the whole evening.
func (t tally) wait(c Client, now time.Time) time.Duration {
	var until time.Time
	if !c.Own {
		until = t.until
	}
	if i := t.find(c); i >= 0 && t.Clients[i].until.After(until) {
		until = t.Clients[i].until
	}
	return max(0, until.Sub(now))
}

// wrong counts one more wrong try.
func (t tally) wrong(c Client, now time.Time) tally {
	e := clientTally{Address: c.Address}
	i := t.find(c)
	t.Clients = slices.Clone(t.Clients)
	if i >= 0 {
		e = t.Clients[i]
		t.Clients = slices.Delete(t.Clients, i, i+1)
	}
	e.Wrong++
	e.until = now.Add(waitAfter(e.Wrong, freePerClient, clientWaits[:]))
	t.Clients = append(t.Clients, e)
	// Forgetting the oldest is safe: with so many clients the total lock holds.
	t.Clients = t.Clients[max(0, len(t.Clients)-clientsKept):]
	t.Total++
	t.until = now.Add(waitAfter(t.Total, freeInTotal, totalWaits[:]))
	return t
}

// right forgets the client's wrong tries and the total.
func (t tally) right(c Client) tally {
	t.Total, t.until = 0, time.Time{}
	if i := t.find(c); i >= 0 {
		t.Clients = slices.Delete(slices.Clone(t.Clients), i, i+1)
	}
	return t
}

// restarted begins all waits anew.
func (t tally) restarted(now time.Time) tally {
	t.until = now.Add(waitAfter(t.Total, freeInTotal, totalWaits[:]))
	t.Clients = slices.Clone(t.Clients)
	for i := range t.Clients {
		e := &t.Clients[i]
		e.until = now.Add(waitAfter(e.Wrong, freePerClient, clientWaits[:]))
	}
	return t
}

func waitAfter(wrong, free int, waits []time.Duration) time.Duration {
	if wrong < free {
		return 0
	}
	return waits[min(wrong-free, len(waits)-1)]
}
