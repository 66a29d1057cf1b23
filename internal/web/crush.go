package web

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// crush bounds the connections that are no websockets yet (those are the door's), in all
// and from one address other than the kiosk's own: a phone that opens thousands, and sends
// half a request on each, must not use up the process's files for everybody. One too many
// is closed at once.
type crush struct {
	most, mostPerAddress int

	mu     sync.Mutex
	open   map[net.Conn]netip.Addr
	byAddr map[netip.Addr]int
}

func newCrush(l Limits) *crush {
	// A browser has up to six connections to a host beside its websocket.
	return &crush{
		most: l.Connections, mostPerAddress: 4 * l.ConnectionsPerAddress,
		open: map[net.Conn]netip.Addr{}, byAddr: map[netip.Addr]int{},
	}
}

// watch is the ConnState of the HTTP server.
func (k *crush) watch(c net.Conn, now http.ConnState) {
	switch now {
	case http.StateNew:
		if !k.enter(c) {
			_ = c.Close() // the server sees that and forgets it
		}
	case http.StateClosed, http.StateHijacked:
		k.leave(c)
	}
}

func (k *crush) enter(c net.Conn) bool {
	addr := addrIn(c.RemoteAddr().String())
	k.mu.Lock()
	defer k.mu.Unlock()
	if !addr.IsLoopback() && (len(k.open) >= k.most || k.byAddr[addr] >= k.mostPerAddress) {
		return false
	}
	k.open[c] = addr
	k.byAddr[addr]++
	return true
}

func (k *crush) leave(c net.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	addr, entered := k.open[c]
	if !entered {
		return
	}
	delete(k.open, c)
	if k.byAddr[addr]--; k.byAddr[addr] == 0 {
		delete(k.byAddr, addr)
	}
}

// bodyWait is how long a small body may take.
const bodyWait = 10 * time.Second

// hurry makes a body that does not come end the request.
func hurry(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyWait)) // a recorder in tests has none
}
