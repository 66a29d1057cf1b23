package web

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"
	"time"
)

const (
	sheetAgent   = "Mozilla/5.0 (Linux; Android 14; SM-A155F Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/130.0 Mobile Safari/537.36"
	browserAgent = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36"
)

// fromPhone is a request of a phone.
func fromPhone(from, url, agent string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, url, nil)
	r.RemoteAddr = from + ":40000"
	r.Header.Set("User-Agent", agent)
	return r
}

func newPortal() (*portal, http.Handler) {
	p := &portal{base: func() string { return "http://10.42.0.1" }, seen: map[netip.Addr]opened{}}
	return p, p.before(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
}

func answer(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAPhoneThatJoinsIsSentToVoteOnceOnly(t *testing.T) {
	p, h := newPortal()
	for _, found := range probes {
		url := "http://" + found.host + found.path
		if w := answer(h, fromPhone("10.42.0.7", url, "probe")); w.Code != http.StatusFound || w.Header().Get("Location") != "http://10.42.0.1/vote" {
			t.Errorf("%s gives a new phone %d %q", url, w.Code, w.Header().Get("Location"))
		}
	}
	p.voted(fromPhone("10.42.0.7", "http://10.42.0.1/vote", browserAgent))
	for _, found := range probes {
		url := "http://" + found.host + found.path
		if w := answer(h, fromPhone("10.42.0.7", url, "probe")); w.Code != found.status || found.status != http.StatusFound && w.Body.String() != found.body {
			t.Errorf("%s gives a phone that has voted %d %q", url, w.Code, w.Body)
		}
		if w := answer(h, fromPhone("10.42.0.8", url, "probe")); w.Code != http.StatusFound {
			t.Errorf("%s gives another phone %d", url, w.Code)
		}
	}
}

// Android closes its sheet when all is well: not over a ballot.
func TestASheetIsNotClosedOverABallot(t *testing.T) {
	p, h := newPortal()
	probe := func(url string) int { return answer(h, fromPhone("10.42.0.7", url, "probe")).Code }
	p.voted(fromPhone("10.42.0.7", "http://10.42.0.1/vote", sheetAgent))
	if got := probe("http://connectivitycheck.gstatic.com/generate_204"); got != http.StatusFound {
		t.Errorf("while it votes in the sheet: %d", got)
	}
	if got := probe("http://captive.apple.com/hotspot-detect.html"); got != http.StatusOK {
		t.Errorf("a sheet that stays open is told: %d", got)
	}
	p.voted(fromPhone("10.42.0.7", "http://10.42.0.1/vote", browserAgent))
	if got := probe("http://connectivitycheck.gstatic.com/generate_204"); got != http.StatusNoContent {
		t.Errorf("after a browser has the page: %d", got)
	}
	p.mu.Lock()
	p.seen[netip.MustParseAddr("10.42.0.7")] = opened{time.Now().Add(-openedFor), true}
	p.mu.Unlock()
	if got := probe("http://connectivitycheck.gstatic.com/generate_204"); got != http.StatusFound {
		t.Errorf("an hour later another phone may have the address: %d", got)
	}
}

func TestNothingButProbesPasses(t *testing.T) {
	p, h := newPortal()
	p.voted(fromPhone("10.42.0.7", "http://10.42.0.1/vote", browserAgent))
	for _, r := range []*http.Request{
		fromPhone("10.42.0.7", "http://connectivitycheck.gstatic.com/", ""),
		fromPhone("10.42.0.7", "http://connectivitycheck.gstatic.com/vote", ""),
		fromPhone("10.42.0.7", "http://connectivitycheck.gstatic.com/api/pin", ""),
		fromPhone("10.42.0.7", "http://connectivitycheck.gstatic.com:8080/generate_204", ""),
		fromPhone("10.42.0.7", "http://evil.example/generate_204", ""),
		fromPhone("10.42.0.7", "http://captive.apple.com.evil.example/hotspot-detect.html", ""),
		fromPhone("10.42.0.7", "http://10.42.0.1/generate_204", ""),
		httptest.NewRequest(http.MethodPost, "http://captive.apple.com/hotspot-detect.html", nil),
	} {
		if w := answer(h, r); w.Code != http.StatusTeapot {
			t.Errorf("%s %s%s is answered with %d", r.Method, r.Host, r.URL.Path, w.Code)
		}
	}
}

// On a network that is not the kiosk's own, probes are turned away like any foreign name.
func TestProbesAreAnsweredOnTheOwnWiFiOnly(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]int{"10.42.0.1": http.StatusFound, "": http.StatusMisdirectedRequest} {
		k := newKiosk(t, setup{parts: func(p *Parts) { p.Show.WiFi.Address = address }})
		r := fromPhone("10.0.0.9", "http://captive.apple.com/hotspot-detect.html", "CaptiveNetworkSupport")
		w := answer(k.server.Handler(t.Context()), r)
		if w.Code != want {
			t.Errorf("address %q: %d, want %d", address, w.Code, want)
		}
	}
}

// A real dnsmasq reads the file that the package ships, and leads every probe to the kiosk.
func TestDnsmasqLeadsProbesToTheKiosk(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("dnsmasq")
	if err != nil {
		t.Fatal("there is no dnsmasq: install dnsmasq-base (make runs the tests in a Debian that has it)")
	}
	const file = "../../systemd/mimpi-kiosk-dnsmasq.conf"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^address=/([^/]+)/(\S+)$`).FindAllStringSubmatch(string(text), -1) {
		taken[m[1]] = m[2]
	}
	for _, p := range probes {
		if taken[p.host] != "10.42.0.1" {
			t.Errorf("%s leads to %q in %s", p.host, taken[p.host], file)
		}
	}
	ours := []string{"kiosk.local", "kiosk", "dns.msftncsi.com"}
	for host := range taken {
		if !slices.Contains(ours, host) && !slices.ContainsFunc(probes, func(p probe) bool { return p.host == host }) {
			t.Errorf("%s is taken over, but nothing answers for it", host)
		}
	}

	address := freePort(t)
	_, port, _ := net.SplitHostPort(address)
	// As NetworkManager starts it, but for DHCP.
	cmd := exec.Command(program, "--keep-in-foreground", "--no-hosts", "--no-resolv", "--bind-interfaces", "--conf-file="+file,
		"--listen-address=127.0.0.1", "--port="+port, "--pid-file=", "--user=root")
	cmd.Stderr = t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	}()
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp4", address)
	}}
	look := func(host string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		found, err := resolver.LookupNetIP(ctx, "ip4", host+".")
		if err != nil || len(found) != 1 {
			return "", errors.Join(err, errors.New("not one address"))
		}
		return found[0].Unmap().String(), nil
	}
	until := time.Now().Add(10 * time.Second)
	for {
		if _, err := look("kiosk"); err == nil {
			break
		}
		if time.Now().After(until) {
			t.Fatal("dnsmasq does not answer")
		}
	}
	for host, want := range taken {
		if got, err := look(host); got != want {
			t.Errorf("%s: %q, %v; want %s", host, got, err, want)
		}
	}
	if got, err := look("www.google.com"); err == nil {
		t.Errorf("www.google.com is taken over: %s", got)
	}
}

// freePort gives an address that is free for UDP and for TCP: dnsmasq listens on both.
func freePort(t *testing.T) string {
	t.Helper()
	for range 100 {
		udp, err := net.ListenPacket("udp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		address := udp.LocalAddr().String()
		tcp, err := net.Listen("tcp4", address)
		if cerr := udp.Close(); cerr != nil {
			t.Fatal(cerr)
		}
		if err != nil {
			continue
		}
		if err := tcp.Close(); err != nil {
			t.Fatal(err)
		}
		return address
	}
	t.Fatal("no port is free for UDP and TCP")
	return ""
}
