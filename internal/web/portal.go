package web

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"mimpi-kiosk/internal/web/signin"
)

// A phone that joins a Wi-Fi asks a known address whether the internet is there. On the
// kiosk's own Wi-Fi those names lead to the kiosk (systemd/mimpi-kiosk-dnsmasq.conf), and
// the answer opens the vote page by itself:
//
//   - Until the phone has had the vote page it is sent there: a redirect is what makes
//     Android say "sign in to network", iOS slide up its sheet, Windows open a browser.
//   - Afterwards it is told that all is well, or it would leave the Wi-Fi for one with
//     internet: iOS asks again every half minute (AlexAsplund/Vanchor#153), and turns
//     "Cancel", which drops the Wi-Fi, into "Done".
//   - Android closes its sign-in sheet the moment all is well, and with it the ballot in
//     somebody's hand. A phone that votes in the sheet (a WebView, "; wv)" in its name) is
//     sent to the vote page for as long; one that has opened it in a browser is not.
//
// Android asks by https too, which nobody here can answer: it then says "limited
// connection" and stays when told to. RFC 8910 (DHCP option 114) wants https as well.

// probe is what an operating system asks, and the answer that contents it.
type probe struct {
	host, path string
	status     int
	kind, body string
	sheet      bool // the system closes its sheet when contented
}

const (
	plain = "text/plain; charset=utf-8"
	page  = "text/html; charset=utf-8"
	apple = "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
)

// probes are those that phones in Indonesia make: WiFiManager#114, ConnectBox#41, the
// systems' own documentation. The dnsmasq file has the same hosts; a test holds them equal.
var probes = []probe{
	{host: "connectivitycheck.gstatic.com", path: "/generate_204", status: 204, sheet: true}, // Android
	{host: "connectivitycheck.android.com", path: "/generate_204", status: 204, sheet: true},
	{host: "clients3.google.com", path: "/generate_204", status: 204, sheet: true}, // Android up to 5
	{host: "play.googleapis.com", path: "/generate_204", status: 204, sheet: true},
	{host: "connect.rom.miui.com", path: "/generate_204", status: 204, sheet: true}, // Xiaomi, Redmi, Poco
	{host: "conn1.oppomobile.com", path: "/generate_204", status: 204, sheet: true}, // Oppo, Realme
	{host: "conn2.oppomobile.com", path: "/generate_204", status: 204, sheet: true},
	{host: "wifi.vivo.com.cn", path: "/generate_204", status: 204, sheet: true},                       // Vivo
	{host: "connectivitycheck.platform.hicloud.com", path: "/generate_204", status: 204, sheet: true}, // Huawei
	{host: "captive.apple.com", path: "/hotspot-detect.html", status: 200, kind: page, body: apple},
	{host: "captive.apple.com", path: "/", status: 200, kind: page, body: apple},
	{host: "www.msftconnecttest.com", path: "/connecttest.txt", status: 200, kind: plain, body: "Microsoft Connect Test"}, // Windows 10, 11
	{host: "www.msftconnecttest.com", path: "/redirect", status: 302},
	{host: "www.msftncsi.com", path: "/ncsi.txt", status: 200, kind: plain, body: "Microsoft NCSI"}, // Windows 7, 8
	{host: "detectportal.firefox.com", path: "/success.txt", status: 200, kind: plain, body: "success\n"},
	{host: "detectportal.firefox.com", path: "/canonical.html", status: 200, kind: page,
		body: `<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>`},
	{host: "networkcheck.kde.org", path: "/", status: 200, kind: plain, body: "OK\n"},
	{host: "network-test.debian.org", path: "/nm", status: 200, kind: plain, body: "NetworkManager is online\n"},
}

// portal answers probes, and remembers for a while which phones have had the vote page.
type portal struct {
	base func() string // of the pages, for phones

	mu   sync.Mutex
	seen map[netip.Addr]opened
}

type opened struct {
	at      time.Time
	browser bool // in a real one, not in the system's sheet
}

// A phone keeps its address for an hour (dnsmasq's lease): then another may have it.
const (
	openedFor  = time.Hour
	openedMost = 4096
)

// before answers probes in front of next. Only a probe's very host and path pass here:
// any other name that is not ours goes on to the guard, which turns it away.
func (p *portal) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		found, ok := probeOf(r)
		if !ok {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Cache-Control", "no-store")
		if found.status == http.StatusFound || !p.content(r, found) {
			http.Redirect(w, r, p.base()+"/vote", http.StatusFound)
			return
		}
		if found.kind != "" {
			w.Header().Set("Content-Type", found.kind)
		}
		w.WriteHeader(found.status)
		if found.body != "" && r.Method == http.MethodGet {
			_, _ = w.Write([]byte(found.body)) // the phone may have gone
		}
	})
}

func probeOf(r *http.Request) (probe, bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.TLS != nil {
		return probe{}, false
	}
	host := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(r.Host), ":80"), ".")
	for _, p := range probes {
		if p.host == host && p.path == r.URL.Path {
			return p, true
		}
	}
	return probe{}, false
}

// content says whether the phone may be told that all is well.
func (p *portal) content(r *http.Request, found probe) bool {
	a, ok := signin.Address(r)
	if !ok {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	o, ok := p.seen[a]
	return ok && time.Since(o.at) < openedFor && (o.browser || !found.sheet)
}

// voted notes that a phone has been given the vote page.
func (p *portal) voted(r *http.Request) {
	a, ok := signin.Address(r)
	if !ok || a.IsLoopback() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) >= openedMost {
		clear(p.seen) // they are sent to the page once more
	}
	o := p.seen[a]
	if time.Since(o.at) >= openedFor {
		o.browser = false
	}
	o.at = time.Now()
	o.browser = o.browser || !strings.Contains(r.UserAgent(), "; wv)")
	p.seen[a] = o
}
