package web

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestPIN(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{parts: func(p *Parts) { p.Keeper = openKeeper(t, nil) }})
	own, phone, other := k.own(), k.phone(1), k.phone(2)

	type standing struct {
		PINSet, SignedIn, MaySetPIN bool
		LockedSeconds               int
	}
	state := func(b *browser) (s standing) {
		t.Helper()
		if err := json.Unmarshal(b.get("/api/sign-in").body, &s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	want := func(r reply, status int, reason string) refusal {
		t.Helper()
		var no refusal
		if status != http.StatusNoContent {
			if err := json.Unmarshal(r.body, &no); err != nil {
				t.Fatalf("%s: %q", r.Status, r.body)
			}
			if no.Message["id"] == "" || no.Message["en"] == "" {
				t.Errorf("a refusal without its sentences: %s", r.body)
			}
		}
		if r.StatusCode != status || no.Reason != reason {
			t.Errorf("answered by %s: %s, want %d %s", r.Status, r.body, status, reason)
		}
		return no
	}

	if s := state(own); s != (standing{MaySetPIN: true}) {
		t.Errorf("at the first start the kiosk's own browser is told %+v", s)
	}
	if s := state(phone); s != (standing{}) {
		t.Errorf("at the first start a phone is told %+v", s)
	}
	want(own.postJSON("/api/sign-in", `{"pin":"271828"}`), 401, "no_pin")
	want(phone.postJSON("/api/pin", `{"pin":"271828"}`), 401, "not_here")
	want(k.phone(0).postJSON("/api/pin", `{"pin":"271828"}`), 401, "not_here") // by a tunnel
	want(own.postJSON("/api/pin", `{"pin":"27182"}`), 401, "bad_pin")
	want(own.postJSON("/api/pin", `{"pin":"123456"}`), 401, "bad_pin")
	want(own.postJSON("/api/pin", `{"pin":"271828"}`), 204, "")
	if s := state(own); s != (standing{PINSet: true, SignedIn: true}) {
		t.Errorf("after the PIN is set its setter is told %+v", s)
	}

	for range 4 {
		if no := want(phone.postJSON("/api/sign-in", `{"pin":"271829"}`), 401, "wrong_pin"); no.LockedSeconds != 0 {
			t.Errorf("locked already: %+v", no)
		}
	}
	if no := want(phone.postJSON("/api/sign-in", `{"pin":"271829"}`), 429, "wrong_pin"); no.LockedSeconds != 30 {
		t.Errorf("the fifth wrong PIN: %+v", no)
	}
	want(phone.postJSON("/api/sign-in", `{"pin":"271828"}`), 429, "locked") // right, but too soon
	if s := state(phone); s.SignedIn || s.LockedSeconds < 1 || s.LockedSeconds > 30 {
		t.Errorf("the locked phone is told %+v", s)
	}
	want(other.postJSON("/api/sign-in", `{"pin":"271828"}`), 204, "") // another phone does not suffer
	if s := state(other); !s.SignedIn || s.LockedSeconds != 0 {
		t.Errorf("the phone that signed in is told %+v", s)
	}
	other.socket(facilitatorRole).must("ping", nil)
	for _, c := range other.http.Jar.Cookies(other.base) {
		if strings.Contains(c.Value, "271828") {
			t.Errorf("the PIN is in the cookie %s", c.Name)
		}
	}
	want(other.postJSON("/api/sign-out", ``), 204, "")
	if s := state(other); s.SignedIn {
		t.Errorf("after signing out it is told %+v", s)
	}
	if r := other.get("/api/screenings"); r.StatusCode != 401 || !strings.Contains(string(r.body), "signed_out") {
		t.Errorf("after signing out the screenings are %s: %s", r.Status, r.body)
	}

	for name, body := range map[string]string{
		"no JSON": "pin=271828", "nothing": "", "a number": `{"pin":271828}`, "far too long": `{"pin":"` + strings.Repeat("1", 10_000) + `"}`,
	} {
		if r := own.postJSON("/api/sign-in", body); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s gives %s", name, r.Status)
		}
	}
	for _, odd := range []string{"\u0662\u0667\u0661\u0668\u0662\u0668", "-71828", "271828 ", strings.Repeat("1", 13)} {
		body, err := json.Marshal(map[string]string{"pin": odd})
		if err != nil {
			t.Fatal(err)
		}
		want(own.postJSON("/api/sign-in", string(body)), 401, "bad_pin")
	}
}
