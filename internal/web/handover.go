package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"
)

// beginners are the connections that have not yet sent a request. [http.Server.Shutdown]
// cuts what they ask without an answer, though with a socket held by systemd the next
// daemon would have taken them; so the last of them are heard before.
type beginners struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func (b *beginners) follow(c net.Conn, state http.ConnState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if state != http.StateNew {
		delete(b.conns, c)
		return
	}
	if b.conns == nil {
		b.conns = map[net.Conn]struct{}{}
	}
	b.conns[c] = struct{}{}
}

func (b *beginners) none() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.conns) == 0
}

// gone waits until there is none, at most until ctx ends. Browsers open connections in
// advance and say nothing on them: those are waited for in vain.
func (b *beginners) gone(ctx context.Context) {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !b.none() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func closeAll(listeners []net.Listener) (err error) {
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}
