package signin

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"
)

func FuzzOrigin(f *testing.F) {
	for _, s := range []string{
		"http://localhost:8080", "http://10.42.0.1", "https://mimpi.local.", "http://[::1]:80", "http://[fe80::1%25wlan0]", "null", "",
		"http://a@b", "http://a/", "http://a?", "http://a#", "HTTP://A:0080", "http://a:", "http://[::ffff:127.0.0.1]", "http://a;b", "http://a%2eb", "http://::1",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, ok := parseOrigin(s)
		if !ok {
			if o != (origin{}) {
				t.Fatalf("%q: refused and yet %v", s, o)
			}
			return
		}
		a, err := netip.ParseAddr(o.host)
		isAddr := err == nil
		if strings.Trim(o.host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" && !(isAddr && a.Is6()) {
			t.Fatalf("%q: host %q", s, o.host)
		}
		if strings.Trim(o.port, "0123456789") != "" || (o.scheme != "http" && o.scheme != "https") {
			t.Fatalf("%q: %+v", s, o)
		}
		// Written again it is the same origin.
		again := o.scheme + "://" + o.host
		if isAddr && a.Is6() {
			again = o.scheme + "://[" + o.host + "]"
		}
		if o.port != "" {
			again += ":" + o.port
		}
		if o2, ok := parseOrigin(again); !ok || o2 != o {
			t.Fatalf("%q: %+v, again %+v %v", s, o, o2, ok)
		}
		if loopbackName(o.host) && o.host != "localhost" && !a.IsLoopback() {
			t.Fatalf("%q is taken for loopback", s)
		}
	})
}

func FuzzCookie(f *testing.F) {
	k := open(f, f.TempDir())
	if _, err := k.SetPIN(kiosk, "", rightPIN); err != nil {
		f.Fatal(err)
	}
	token := []byte("0123456789abcdef")
	for name, content := range map[string][]byte{sessionCookie: []byte(k.state.Load().Generation), voterCookie: token} {
		good, err := k.cookies.Encode(name, content)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good) // a seed with a fresh key each run; those below show shape only
	}
	for _, s := range []string{"", "|", "MTc2MzkzNjAwMHxhYmN8", "MTc2MzkzNjAwMHx8fA==", strings.Repeat("A", 600), "\x00", "a;b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, name := range []string{sessionCookie, voterCookie} {
			got, ok := k.decode(&http.Cookie{Name: name, Value: value})
			// Only what was signed comes out, and under its own name.
			if ok && name == sessionCookie && string(got) != k.state.Load().Generation {
				t.Fatalf("session %q", got)
			}
			if ok && name == voterCookie && string(got) != string(token) {
				t.Fatalf("voter %q", got)
			}
		}
	})
}

func FuzzState(f *testing.F) {
	for _, s := range []string{
		"", "{}", "null", `{"version":1}`, `{"version":9}`, `{"version":1,"wrong":{"total":3,"clients":[{"address":"10.42.0.17","wrong":3}]}}`,
		`{"version":1,"hash":"$2a$10$7EqJtq98hPqEX7fNZaFWoOhi5KUEvTBH5e7l0F7Y0sRjJ7eGkC7zK","generation":"ab"}`,
		`{"version":1,"resetSeen":{"size":0,"modified":"2026-11-24T08:00:00Z","sha256":""}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := parseState(raw)
		if err != nil {
			return
		}
		if (s.Hash == "") != (s.Generation == "") || s.Wrong.Total < 0 || len(s.Wrong.Clients) > clientsKept {
			t.Fatalf("%+v", s)
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseState(again); err != nil {
			t.Fatalf("%s: %v", again, err)
		}
	})
}
