package signin

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// hosts of a kiosk on its own hotspot.
func hosts(t testing.TB) *Hosts {
	t.Helper()
	h, err := NewHosts("mimpi.local", "10.9.8.7")
	if err != nil {
		t.Fatal(err)
	}
	h.lookup = func() ([]net.Addr, error) {
		var all []net.Addr
		for _, s := range []string{"127.0.0.1/8", "10.42.0.1/24", "::1/128", "fd00::1/64"} {
			ip, n, err := net.ParseCIDR(s)
			if err != nil {
				return nil, err
			}
			all = append(all, &net.IPNet{IP: ip, Mask: n.Mask})
		}
		return all, nil
	}
	return h
}

func TestGuard(t *testing.T) {
	const (
		ok      = http.StatusNoContent
		foreign = http.StatusForbidden
		astray  = http.StatusMisdirectedRequest
		socket  = "Connection: Upgrade\nUpgrade: websocket\n"
	)
	guard := Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(ok) }), hosts(t).Allowed)
	for _, tc := range []struct {
		what, request, headers string
		want                   int
	}{
		// Host
		{"phone by address", "GET / HTTP/1.1", "Host: 10.42.0.1:8080\n", ok},
		{"phone by configured name", "GET / HTTP/1.1", "Host: mimpi.local\n", ok},
		{"name in capitals, dot at the end", "GET / HTTP/1.1", "Host: MIMPI.Local.:8080\n", ok},
		{"configured address", "GET / HTTP/1.1", "Host: 10.9.8.7\n", ok},
		{"kiosk", "GET / HTTP/1.1", "Host: localhost:8080\n", ok},
		{"kiosk by address", "GET / HTTP/1.1", "Host: 127.0.0.1:8080\n", ok},
		{"kiosk by another loopback address", "GET / HTTP/1.1", "Host: 127.9.9.9\n", ok},
		{"kiosk by IPv6", "GET / HTTP/1.1", "Host: [::1]:8080\n", ok},
		{"own IPv6, written at length", "GET / HTTP/1.1", "Host: [FD00:0:0:0:0:0:0:1]\n", ok},
		{"DNS rebinding", "GET / HTTP/1.1", "Host: evil.example:8080\n", astray},
		{"DNS rebinding, post that looks our own", "POST /api/pin HTTP/1.1", "Host: evil.example:8080\nOrigin: http://evil.example:8080\nSec-Fetch-Site: same-origin\n", astray},
		{"DNS rebinding, socket", "GET /ws HTTP/1.1", "Host: evil.example\nOrigin: http://evil.example\n" + socket, astray},
		{"our name in front", "GET / HTTP/1.1", "Host: mimpi.local.evil.example\n", astray},
		{"our name behind", "GET / HTTP/1.1", "Host: evil-mimpi.local\n", astray},
		{"below localhost", "GET / HTTP/1.1", "Host: evil.localhost\n", astray},
		{"our name as user", "GET / HTTP/1.1", "Host: mimpi.local@evil.example\n", astray},
		{"not an address of ours", "GET / HTTP/1.1", "Host: 10.42.0.2\n", astray},
		{"loopback as one number", "GET / HTTP/1.1", "Host: 2130706433\n", astray},
		{"all addresses", "GET / HTTP/1.1", "Host: 0.0.0.0:8080\n", astray},
		{"empty host", "GET / HTTP/1.1", "Host: \n", astray},
		{"no host", "GET / HTTP/1.0", "", astray},
		{"address in full wins over Host", "GET http://evil.example/ HTTP/1.1", "Host: mimpi.local\n", astray},
		{"X-Forwarded-Host is nothing", "GET / HTTP/1.1", "Host: evil.example\nX-Forwarded-Host: mimpi.local\n", astray},
		// Sockets
		{"own socket", "GET /ws HTTP/1.1", "Host: 10.42.0.1:8080\nOrigin: http://10.42.0.1:8080\n" + socket, ok},
		{"own socket, usual port", "GET /ws HTTP/1.1", "Host: mimpi.local:80\nOrigin: http://Mimpi.local\n" + socket, ok},
		{"own socket, IPv6", "GET /ws HTTP/1.1", "Host: [::1]:8080\nOrigin: http://[::1]:8080\n" + socket, ok},
		{"foreign socket", "GET /ws HTTP/1.1", "Host: 10.42.0.1\nOrigin: http://evil.example\n" + socket, foreign},
		{"socket of a file or sandbox", "GET /ws HTTP/1.1", "Host: 10.42.0.1\nOrigin: null\n" + socket, foreign},
		{"socket without Origin", "GET /ws HTTP/1.1", "Host: 10.42.0.1\n" + socket, foreign},
		{"socket with two Origins", "GET /ws HTTP/1.1", "Host: 10.42.0.1\nOrigin: http://10.42.0.1\nOrigin: http://evil.example\n" + socket, foreign},
		{"socket from another port", "GET /ws HTTP/1.1", "Host: 10.42.0.1:8080\nOrigin: http://10.42.0.1:9090\n" + socket, foreign},
		{"socket from https", "GET /ws HTTP/1.1", "Host: mimpi.local\nOrigin: https://mimpi.local\n" + socket, foreign},
		{"socket from another name of ours", "GET /ws HTTP/1.1", "Host: 10.42.0.1\nOrigin: http://mimpi.local\n" + socket, foreign},
		{"socket, Origin with our name in it", "GET /ws HTTP/1.1", "Host: 10.42.0.1\nOrigin: http://10.42.0.1.evil.example\n" + socket, foreign},
		{"socket, Origin with our name as user", "GET /ws HTTP/1.1", "Host: 10.42.0.1\nOrigin: http://10.42.0.1@evil.example\n" + socket, foreign},
		{"socket, odd spelling", "GET /ws HTTP/1.1", "Host: 10.42.0.1\nOrigin: http://evil.example\nConnection: keep-alive, upgrade\nUpgrade: h2c, WebSocket\n", foreign},
		{"socket, Sec-Fetch-Site does not help", "GET /ws HTTP/1.1", "Host: 10.42.0.1\nSec-Fetch-Site: same-origin\n" + socket, foreign},
		// Changes
		{"own post, new browser", "POST /vote HTTP/1.1", "Host: localhost\nOrigin: http://localhost\nSec-Fetch-Site: same-origin\n", ok},
		{"own post over http", "POST /vote HTTP/1.1", "Host: 10.42.0.1:8080\nOrigin: http://10.42.0.1:8080\n", ok},
		{"curl", "POST /api/sign-in HTTP/1.1", "Host: localhost:8080\n", ok},
		{"foreign post", "POST /api/pin HTTP/1.1", "Host: localhost:8080\nOrigin: http://evil.example\nSec-Fetch-Site: cross-site\n", foreign},
		{"foreign post, old browser", "POST /vote HTTP/1.1", "Host: 10.42.0.1\nOrigin: http://evil.example\n", foreign},
		{"post of a file or sandbox", "POST /vote HTTP/1.1", "Host: 10.42.0.1\nOrigin: null\n", foreign},
		{"post from another port", "POST /vote HTTP/1.1", "Host: localhost:8080\nOrigin: http://localhost:9090\nSec-Fetch-Site: same-site\n", foreign},
		{"foreign delete", "DELETE /x HTTP/1.1", "Host: 10.42.0.1\nOrigin: http://evil.example\n", foreign},
		{"link from elsewhere", "GET /vote HTTP/1.1", "Host: 10.42.0.1\nSec-Fetch-Site: cross-site\n", ok},
	} {
		t.Run(tc.what, func(t *testing.T) {
			raw := strings.ReplaceAll(tc.request+"\n"+tc.headers+"\n", "\n", "\r\n")
			r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(raw)))
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			guard.ServeHTTP(w, r)
			if w.Code != tc.want {
				t.Errorf("%d, want %d", w.Code, tc.want)
			}
			if w.Header().Get("Content-Security-Policy") == "" {
				t.Error("no policy")
			}
			if body := w.Body.String(); tc.want != ok && (strings.Count(body, "\n") != 2 || strings.Contains(body, "evil") || w.Header().Get("Content-Type") != "text/plain; charset=utf-8") {
				t.Errorf("body %q", body)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	guard := Guard(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), hosts(t).Allowed)
	for host, connect := range map[string]string{
		"10.42.0.1:8080":                "connect-src 'self' ws://10.42.0.1:8080;",
		"MIMPI.local:80":                "connect-src 'self' ws://mimpi.local;",
		"[::1]:8080":                    "connect-src 'self';",
		"evil.example":                  "connect-src 'self';",
		"mimpi.local; script-src *":     "connect-src 'self';",
		"mimpi.local;script-src%20*":    "connect-src 'self';",
		"mimpi.local:8080,default-src*": "connect-src 'self';",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		guard.ServeHTTP(w, r)
		csp := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(csp, connect) {
			t.Errorf("%s: %s", host, csp)
		}
		for _, bad := range []string{"*", "unsafe", "data:", "blob:", "%20"} {
			if strings.Contains(csp, bad) {
				t.Errorf("%s: %q in %s", host, bad, csp)
			}
		}
		for _, need := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, need) {
				t.Errorf("%s: no %s", host, need)
			}
		}
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q", host, name, got)
			}
		}
		want := map[bool]string{true: "same-origin"}[host == "[::1]:8080"]
		if got := w.Header().Get("Cross-Origin-Opener-Policy"); got != want {
			t.Errorf("%s: opener policy %q", host, got)
		}
	}
}

func TestGuardOnARealServer(t *testing.T) {
	own, err := NewHosts()
	if err != nil {
		t.Fatal(err)
	}
	var up websocket.Upgrader
	s := httptest.NewServer(Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.WriteMessage(websocket.TextMessage, []byte("view"))
	}), own.Allowed))
	defer s.Close()
	url := "ws" + strings.TrimPrefix(s.URL, "http")
	for _, tc := range []struct {
		origin, host string
		want         int
	}{
		{s.URL, "", http.StatusSwitchingProtocols},
		{"http://evil.example", "", http.StatusForbidden},
		{"", "", http.StatusForbidden},
		{"http://evil.example", "evil.example", http.StatusMisdirectedRequest},
	} {
		h := http.Header{}
		if tc.origin != "" {
			h.Set("Origin", tc.origin)
		}
		if tc.host != "" {
			h.Set("Host", tc.host)
		}
		c, res, err := websocket.DefaultDialer.Dial(url, h)
		if res == nil {
			t.Fatal(err)
		}
		if res.StatusCode != tc.want {
			t.Errorf("%v: %d", tc, res.StatusCode)
		}
		if err == nil {
			if _, msg, err := c.ReadMessage(); err != nil || string(msg) != "view" {
				t.Errorf("%q, %v", msg, err)
			}
			c.Close()
		}
	}
}

func TestHosts(t *testing.T) {
	for _, bad := range []string{"", "http://mimpi.local", "mimpi.local:8080", "mimpi local", "*.local", "fe80::1%wlan0", "mimpi/x"} {
		if _, err := NewHosts(bad); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
	for _, good := range []string{"mimpi.local", "Mimpi", "10.0.0.1", "fd00::5", "[fd00::5]"} {
		h, err := NewHosts(good)
		if err != nil {
			t.Errorf("%q: %v", good, err)
			continue
		}
		if name := strings.Trim(strings.ToLower(good), "[]"); !h.Allowed(name) {
			t.Errorf("%q is not allowed", good)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		h := hosts(t)
		asked, fails, real := 0, false, h.lookup
		h.lookup = func() ([]net.Addr, error) {
			asked++
			if fails {
				return nil, errors.New("no network")
			}
			return real()
		}
		for range 100 {
			if !h.Allowed("10.42.0.1") || h.Allowed("10.42.0.2") || !h.Allowed("fd00::1") {
				t.Fatal("wrong answer")
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		fails = true
		time.Sleep(4 * time.Second)
		if !h.Allowed("10.42.0.1") || asked != 2 {
			t.Errorf("a failed lookup forgot the addresses (asked %d times)", asked)
		}
		fails = false
		h.lookup = func() ([]net.Addr, error) {
			return []net.Addr{&net.IPNet{IP: net.IPv4(10, 42, 0, 2), Mask: net.CIDRMask(24, 32)}}, nil
		}
		time.Sleep(4 * time.Second)
		if h.Allowed("10.42.0.1") || !h.Allowed("10.42.0.2") {
			t.Error("the old addresses were kept")
		}
	})
	// The real interfaces of this machine.
	h, err := NewHosts()
	if err != nil {
		t.Fatal(err)
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if ip := a.(*net.IPNet).IP; !h.Allowed(ip.String()) {
			t.Errorf("own address %v", ip)
		}
	}
}

func TestClient(t *testing.T) {
	for _, tc := range []struct {
		remote, host, address string
		own                   bool
	}{
		{"127.0.0.1:5000", "localhost:8080", "kiosk", true},
		{"127.0.0.1:5000", "127.0.0.1:8080", "kiosk", true},
		{"[::1]:5000", "[::1]:8080", "kiosk", true},
		{"[::ffff:127.0.0.1]:5000", "localhost", "kiosk", true},
		{"127.0.0.1:5000", "mimpi.local", "127.0.0.1", false}, // through a tunnel
		{"127.0.0.1:5000", "localhost.evil.example", "127.0.0.1", false},
		{"127.0.0.1:5000", "localhost@evil.example", "127.0.0.1", false},
		{"127.0.0.1:5000", "", "127.0.0.1", false},
		{"10.42.0.17:5000", "localhost:8080", "10.42.0.17", false},
		{"10.42.0.17:5000", "10.42.0.1", "10.42.0.17", false},
		{"[::ffff:10.42.0.17]:5000", "10.42.0.1", "10.42.0.17", false},
		{"[fe80::1234%wlan0]:5000", "x", "fe80::/64", false},
		{"[2001:db8:1:2:3:4:5:6]:5000", "x", "2001:db8:1:2::/64", false},
		{"", "localhost", "unknown", false},
		{"@", "localhost", "unknown", false},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr, r.Host = tc.remote, tc.host
		for _, name := range []string{"X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Forwarded-Host"} {
			r.Header.Set(name, "127.0.0.1")
		}
		if got := ClientOf(r); got != (Client{tc.address, tc.own}) || Loopback(r) != tc.own {
			t.Errorf("%s for %q: %+v", tc.remote, tc.host, got)
		}
	}
}
