package signin

import (
	"net/http"
	"net/netip"
)

// Client is who asks, as far as the network tells.
type Client struct {
	// Address groups requests for the counters: an IPv4 address, or the first 64
	// bits of an IPv6 one, since a single phone can take any number of IPv6
	// addresses within them.
	Address string
	// Own is true for the kiosk's own screen: see [Loopback].
	Own bool
}

// ClientOf tells who sent the request. Only the address of the connection counts:
// no proxy stands before the kiosk, so X-Forwarded-For and its like could only be
// forged.
func ClientOf(r *http.Request) Client {
	if Loopback(r) {
		return Client{Address: "kiosk", Own: true}
	}
	a, ok := Address(r)
	switch {
	case !ok:
		return Client{Address: "unknown"} // all of those share one counter
	case a.Is6():
		return Client{Address: netip.PrefixFrom(a, 64).Masked().String()}
	default:
		return Client{Address: a.String()}
	}
}

// Loopback is true for a request from the kiosk's own screen: the connection comes
// from this machine and was opened by a loopback name. The name is asked for too
// because a tunnel or proxy on this machine would also connect from 127.0.0.1, on
// behalf of somebody who typed another name.
func Loopback(r *http.Request) bool {
	a, ok := Address(r)
	if !ok || !a.IsLoopback() {
		return false
	}
	o, ok := parseHost(r.Host)
	return ok && loopbackName(o.host)
}

// Address is the address of the connection, as plain IPv4 where it is one.
func Address(r *http.Request) (netip.Addr, bool) {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	return ap.Addr().Unmap(), err == nil
}

func loopbackName(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
