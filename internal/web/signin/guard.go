package signin

import (
	"net/http"
	"strings"
)

// Guard lets a request through to next only if it calls this machine by a name
// that allowed knows and was not made by a page of another site, and sets the
// security headers of every answer.
//
//   - Host: unknown or malformed gives 421. This ends DNS rebinding, where a foreign
//     name is made to point to the kiosk so that the browser takes a foreign page
//     for one of ours. allowed gets the host in lower case, without port, brackets
//     and trailing dot; it is called concurrently. See [Hosts.Allowed].
//   - Websocket: exactly one Origin, equal to scheme, host and port of the request;
//     none, "null" or another gives 403. Browsers do not keep foreign pages from
//     opening sockets, cookies and all, and always send Origin, so nothing honest
//     is lost by asking for it. (A program that is no browser has to send it too.)
//   - Other methods than GET, HEAD, OPTIONS: as [http.CrossOriginProtection], else
//     403. The handlers must change nothing on those three.
func Guard(next http.Handler, allowed func(host string) bool) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		self, ok := requestOrigin(r)
		ok = ok && allowed(self.host)
		setHeaders(w.Header(), self, ok)
		switch {
		case !ok:
			deny(w, http.StatusMisdirectedRequest,
				"Kiosk ini tidak memakai alamat itu. Pindai kode QR di layar, atau ketik alamat yang tertulis di sana.",
				"This kiosk does not go by that address. Scan the QR code on the screen, or type the address written there.")
		case opensSocket(r) && !sameOrigin(r, self),
			!opensSocket(r) && protection.Check(r) != nil:
			deny(w, http.StatusForbidden,
				"Permintaan ini datang dari halaman lain, jadi ditolak. Buka halaman kiosk, lalu coba lagi.",
				"This request came from another page and was refused. Open the kiosk's own page and try again.")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// opensSocket is generous: what a websocket library might take for an upgrade is one.
func opensSocket(r *http.Request) bool {
	return strings.Contains(strings.ToLower(strings.Join(r.Header.Values("Upgrade"), ",")), "websocket")
}

func sameOrigin(r *http.Request, self origin) bool {
	sent := r.Header.Values("Origin")
	if len(sent) != 1 {
		return false
	}
	o, ok := parseOrigin(sent[0])
	return ok && o == self
}

func deny(w http.ResponseWriter, status int, id, en string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	// A browser that went away is no fault of ours.
	_, _ = w.Write([]byte(id + "\n" + en + "\n"))
}

func setHeaders(h http.Header, self origin, known bool) {
	connect := "connect-src 'self'"
	// An older Safari does not take ws: for 'self'. The host went through
	// parseOrigin, so it can carry nothing else into the policy; the grammar of
	// policies has no IPv6 addresses.
	if known && !strings.Contains(self.host, ":") {
		connect += " " + strings.Replace(self.scheme, "http", "ws", 1) + "://" + self.host
		if self.port != "" {
			connect += ":" + self.port
		}
	}
	h.Set("Content-Security-Policy", strings.Join([]string{
		"default-src 'none'",
		"script-src 'self'",
		"style-src 'self'",
		"img-src 'self'",
		"font-src 'self'",
		"media-src 'self'",
		connect,
		"manifest-src 'self'",
		"form-action 'self'",
		"frame-ancestors 'none'",
		"base-uri 'none'",
	}, "; "))
	h.Set("X-Content-Type-Options", "nosniff")
	// Not no-referrer: under it browsers send "Origin: null" with a plain form, and
	// over http, where there is no Sec-Fetch-Site, the vote of a phone without
	// JavaScript would be refused as a foreign one. Other sites get nothing either way.
	h.Set("Referrer-Policy", "same-origin")
	if self.scheme == "https" || loopbackName(self.host) {
		// Elsewhere browsers ignore it and complain in the console.
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	}
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), display-capture=()")
}
