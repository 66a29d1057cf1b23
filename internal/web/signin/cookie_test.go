package signin

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// from makes a request with the cookies that an answer set.
func from(remote, host string, w *httptest.ResponseRecorder) *http.Request {
	r := httptest.NewRequest("GET", "http://"+host+"/", nil)
	r.RemoteAddr = remote
	if w != nil {
		for _, c := range w.Result().Cookies() {
			r.AddCookie(c)
		}
	}
	return r
}

// withCookies gives a request of a phone that started a session.
func withCookies(t testing.TB, k *Keeper, p Pass) *http.Request {
	t.Helper()
	w := httptest.NewRecorder()
	r := from("10.42.0.17:999", "10.42.0.1:8080", nil)
	if err := k.Start(w, r, p); err != nil {
		t.Fatal(err)
	}
	return from("10.42.0.17:999", "10.42.0.1:8080", w)
}

func TestSession(t *testing.T) {
	dir := t.TempDir()
	k, pass := withPIN(t, dir)
	r := withCookies(t, k, pass)
	if !k.SignedIn(r) {
		t.Fatal("not signed in")
	}
	if !open(t, dir).SignedIn(r) {
		t.Error("a restart ended the session")
	}
	if k.SignedIn(from("10.42.0.17:1", "10.42.0.1", nil)) {
		t.Error("signed in without a cookie")
	}
	if k.SignedIn(withCookies(t, k, Pass{})) {
		t.Error("signed in without ever giving the PIN")
	}
	verified, err := k.Verify(phone, rightPIN)
	if err != nil || !k.SignedIn(withCookies(t, k, verified)) {
		t.Errorf("after Verify: %v", err)
	}
	other, otherPass := withPIN(t, t.TempDir())
	if k.SignedIn(withCookies(t, other, otherPass)) {
		t.Error("a session of another kiosk is taken")
	}

	next, err := k.SetPIN(phone, rightPIN, "830164")
	if err != nil {
		t.Fatal(err)
	}
	if k.SignedIn(r) || k.SignedIn(withCookies(t, k, verified)) || !k.SignedIn(withCookies(t, k, next)) {
		t.Error("a new PIN has to end the old sessions and only those")
	}
}

func TestSessionCookie(t *testing.T) {
	k, pass := withPIN(t, t.TempDir())
	for _, tc := range []struct {
		remote, host string
		maxAge       int
	}{
		{"10.42.0.17:999", "10.42.0.1:8080", 12 * 60 * 60},
		{"127.0.0.1:999", "localhost:8080", 0}, // until the kiosk's browser closes, whatever its clock does
	} {
		w := httptest.NewRecorder()
		if err := k.Start(w, from(tc.remote, tc.host, nil), pass); err != nil {
			t.Fatal(err)
		}
		c := w.Result().Cookies()[0]
		if c.Name != "mimpi_session" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.MaxAge != tc.maxAge {
			t.Errorf("%s: %v", tc.remote, c)
		}
	}
	w := httptest.NewRecorder()
	k.End(w)
	if c := w.Result().Cookies()[0]; c.Name != "mimpi_session" || c.Value != "" || c.MaxAge != -1 || c.Path != "/" {
		t.Errorf("end: %v", c)
	}
}

func TestClockJumpDoesNotEndSessions(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		k, pass := withPIN(t, dir)
		session := withCookies(t, k, pass)
		w := httptest.NewRecorder()
		token, err := k.Voter(w, from("10.42.0.5:1", "10.42.0.1", nil))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(26 * 365 * 24 * time.Hour)
		if !k.SignedIn(session) {
			t.Error("the session ended")
		}
		if got, ok := k.VoterOf(from("10.42.0.5:1", "10.42.0.1", w)); !ok || got != token {
			t.Error("the voter is another one")
		}
	})
}

func TestForgedCookies(t *testing.T) {
	k, pass := withPIN(t, t.TempDir())
	good := withCookies(t, k, pass).Cookies()[0].Value
	flip := []byte(good)
	flip[len(flip)/2] ^= 1
	signedEmpty, err := k.cookies.Encode(sessionCookie, []byte(""))
	if err != nil {
		t.Fatal(err)
	}
	voter, err := k.cookies.Encode(voterCookie, []byte(k.state.Load().Generation))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"empty": "", "rubbish": "abc", "cut": good[:len(good)-4], "flipped": string(flip), "the generation itself": k.state.Load().Generation,
		"long": strings.Repeat("A", 5000), "signed nothing": signedEmpty, "voter cookie": voter,
	} {
		r := from("10.42.0.17:1", "10.42.0.1", nil)
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: value})
		r.AddCookie(&http.Cookie{Name: voterCookie, Value: good})
		if k.SignedIn(r) {
			t.Errorf("%s: signed in", name)
		}
		if token, ok := k.VoterOf(r); ok {
			t.Errorf("%s: a session is the voter %s", name, token)
		}
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: good})
		if !k.SignedIn(r) {
			t.Errorf("%s: a foreign cookie hides the good one", name)
		}
	}
	if err := k.Start(httptest.NewRecorder(), from("1.2.3.4:1", "x", nil), pass); err != nil {
		t.Fatal(err)
	}
}

func TestNoSessionWithoutPIN(t *testing.T) {
	k := open(t, t.TempDir())
	if k.SignedIn(withCookies(t, k, Pass{})) {
		t.Error("signed in though no PIN is set")
	}
}

func TestVoter(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	w := httptest.NewRecorder()
	token, err := k.Voter(w, from("10.42.0.5:1", "10.42.0.1:8080", nil))
	if err != nil || len(token) != 32 {
		t.Fatalf("%q, %v", token, err)
	}
	c := w.Result().Cookies()[0]
	if c.Name != "mimpi_voter" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 12*60*60 {
		t.Errorf("%v", c)
	}
	k = open(t, dir) // the phone comes back after a power cut
	w2 := httptest.NewRecorder()
	again, err := k.Voter(w2, from("10.42.0.6:1", "10.42.0.1:8080", w))
	if err != nil || again != token || len(w2.Result().Cookies()) != 0 {
		t.Errorf("again: %q, %v", again, err)
	}
	if got, ok := k.VoterOf(from("10.42.0.6:1", "x", w)); !ok || got != token {
		t.Errorf("VoterOf: %q %v", got, ok)
	}
	if _, ok := k.VoterOf(from("10.42.0.6:1", "x", nil)); ok {
		t.Error("a voter without a cookie")
	}
	other, err := k.Voter(httptest.NewRecorder(), from("10.42.0.5:1", "10.42.0.1", nil))
	if err != nil || other == token {
		t.Errorf("two phones, one token: %v", err)
	}
}

func TestVotersPerAddress(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		k := open(t, dir)
		ask := func(remote, host string) Reason {
			_, err := k.Voter(httptest.NewRecorder(), from(remote, host, nil))
			return reason(t, err)
		}
		for i := range 30 {
			if got := ask("10.42.0.5:1", "10.42.0.1"); got != "" {
				t.Fatalf("voter %d: %q", i+1, got)
			}
		}
		for range 3 { // being refused costs nothing more
			_, err := k.Voter(httptest.NewRecorder(), from("10.42.0.5:2", "10.42.0.1", nil))
			if reason(t, err) != TooManyVoters || err.(*Refusal).Seconds() != 10 {
				t.Fatalf("voter 31: %v", err)
			}
		}
		if got := ask("10.42.0.6:1", "10.42.0.1"); got != "" {
			t.Errorf("another phone: %q", got)
		}
		time.Sleep(10 * time.Second)
		if got := ask("10.42.0.5:1", "10.42.0.1"); got != "" {
			t.Errorf("after 10 s: %q", got)
		}
		if got := ask("10.42.0.5:1", "10.42.0.1"); got != TooManyVoters {
			t.Errorf("two after 10 s: %q", got)
		}
		for range 100 {
			if got := ask("127.0.0.1:1", "localhost:8080"); got != "" {
				t.Fatalf("kiosk: %q", got)
			}
		}
		// One phone with many IPv6 addresses is one phone.
		refused := 0
		for i := range 40 {
			if ask("[fe80::"+strings.Repeat("1", i%4+1)+"%wlan0]:1", "10.42.0.1") == TooManyVoters {
				refused++
			}
		}
		if refused != 10 {
			t.Errorf("IPv6: %d refused", refused)
		}
		for i := range 3000 {
			k.arrivals.wait(string(rune('a'+i)), time.Now())
		}
		if len(k.arrivals.all) != arrivalsKept {
			t.Errorf("%d addresses kept", len(k.arrivals.all))
		}
	})
}

func TestKey(t *testing.T) {
	dir := t.TempDir()
	k := open(t, dir)
	type in struct {
		token, screening, question string
		round                      int
	}
	seen := map[string]in{}
	for _, x := range []in{
		{"t", "s", "q", 1}, {"t", "s", "q", 2}, {"t", "s", "q2", 1}, {"t", "s2", "q", 1}, {"t2", "s", "q", 1},
		{"ts", "", "q", 1}, {"", "ts", "q", 1}, {"t", "sq", "", 1}, {"t", "", "sq", 1}, {"t", "s", "q1", 1}, {"t", "s", "q", 11}, {"", "", "", 0},
		{"t\x00", "s", "q", 1}, {"t", "\x00s", "q", 1},
	} {
		key := k.Key(x.token, x.screening, x.question, x.round)
		if len(key) != 24 || strings.Trim(key, "0123456789abcdef") != "" {
			t.Errorf("%v: %q", x, key)
		}
		if y, dup := seen[key]; dup {
			t.Errorf("%v and %v have one key", x, y)
		}
		seen[key] = x
	}
	if k.Key("t", "s", "q", 1) != open(t, dir).Key("t", "s", "q", 1) {
		t.Error("another key after a restart")
	}
	if k.Key("t", "s", "q", 1) == open(t, t.TempDir()).Key("t", "s", "q", 1) {
		t.Error("the same key on another kiosk")
	}
}
