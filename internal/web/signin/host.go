package signin

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"
)

// origin is scheme, host and port of a page. The host is in lower case, without a
// dot at its end; an IP address is in its usual form, without brackets. The port
// is "" when it is the usual one of the scheme.
type origin struct{ scheme, host, port string }

var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// parseOrigin reads an Origin header. It takes only what a browser sends for an
// http or https page: no path, no user, no other scheme, not "null".
func parseOrigin(s string) (origin, bool) {
	s = strings.ToLower(s)
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || s != u.Scheme+"://"+u.Host {
		return origin{}, false
	}
	o := origin{u.Scheme, strings.TrimSuffix(u.Hostname(), "."), u.Port()}
	if a, err := netip.ParseAddr(o.host); err == nil {
		// Browsers send no zone and put brackets round IPv6 and only IPv6.
		if a.Zone() != "" || a.Is6() != strings.HasPrefix(u.Host, "[") {
			return origin{}, false
		}
		o.host = a.Unmap().String()
	} else if len(o.host) > 253 || !hostName.MatchString(o.host) {
		return origin{}, false
	}
	if o.port != "" {
		if n, err := strconv.ParseUint(o.port, 10, 16); err != nil || n == 0 || o.port[0] == '0' {
			return origin{}, false
		}
	}
	if o.port == map[string]string{"http": "80", "https": "443"}[o.scheme] {
		o.port = ""
	}
	return o, true
}

// parseHost reads a Host header.
func parseHost(s string) (origin, bool) { return parseOrigin("http://" + s) }

// requestOrigin is the origin of our own pages as this request names us.
func requestOrigin(r *http.Request) (origin, bool) {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return parseOrigin(scheme + r.Host)
}

const addressesKept = 3 * time.Second

// Hosts knows the names this machine goes by: localhost, all loopback addresses,
// the addresses of its network interfaces, and configured names. Its methods may
// be called concurrently.
//
// An interface that just came up is known after 3 s at the latest.
type Hosts struct {
	names  map[string]bool
	lookup func() ([]net.Addr, error)

	mu        sync.Mutex
	addresses map[netip.Addr]bool
	asked     time.Time
}

// NewHosts makes a Hosts with names besides the machine's own, such as
// "mimpi.local". It fails for what is not a plain host name or IP address.
func NewHosts(names ...string) (*Hosts, error) {
	h := &Hosts{names: map[string]bool{}, lookup: net.InterfaceAddrs}
	for _, name := range names {
		o, ok := parseHost(name)
		if !ok {
			if a, err := netip.ParseAddr(name); err == nil { // IPv6 without brackets
				o, ok = origin{host: a.Unmap().String()}, a.Zone() == ""
			}
		}
		if !ok || o.port != "" {
			return nil, fmt.Errorf("host name %q: write a name such as mimpi.local or an IP address, without http:// and port", name)
		}
		h.names[o.host] = true
	}
	return h, nil
}

// Allowed is true when host (as [Guard] gives it) is a name of this machine.
func (h *Hosts) Allowed(host string) bool {
	if h.names[host] || loopbackName(host) {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && h.own(a.Unmap())
}

func (h *Hosts) own(a netip.Addr) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); h.asked.IsZero() || now.Sub(h.asked) > addressesKept {
		h.asked = now
		// When the lookup fails the old answer is the best one there is.
		if found, err := h.lookup(); err == nil {
			h.addresses = map[netip.Addr]bool{}
			for _, f := range found {
				if p, err := netip.ParsePrefix(f.String()); err == nil {
					h.addresses[p.Addr().Unmap().WithZone("")] = true
				}
			}
		}
	}
	return h.addresses[a]
}
