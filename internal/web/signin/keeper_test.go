package signin

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/bcrypt"
)

const (
	rightPIN = "472905"
	wrongPIN = "472906"
)

var (
	kiosk = Client{Address: "kiosk", Own: true}
	phone = Client{Address: "10.42.0.17"}
)

// open gives a Keeper that hashes at bcrypt's lowest cost: the race detector makes
// each of the hundreds of tries here take seconds at the real one.
func open(t testing.TB, dir string) *Keeper {
	t.Helper()
	k, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	k.cost = bcrypt.MinCost
	return k
}

// withPIN gives a Keeper whose PIN is rightPIN.
func withPIN(t testing.TB, dir string) (*Keeper, Pass) {
	t.Helper()
	k := open(t, dir)
	pass, err := k.SetPIN(kiosk, "", rightPIN)
	if err != nil {
		t.Fatal(err)
	}
	return k, pass
}

// reason gives the reason of a refusal, "" for no error.
func reason(t testing.TB, err error) Reason {
	t.Helper()
	if err == nil {
		return ""
	}
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		t.Fatalf("not a refusal: %v", err)
	}
	if m := r.Message(); m["id"] == "" || m["en"] == "" || m["id"] == m["en"] || r.Error() != m["en"] {
		t.Fatalf("%s: not in two languages: %v", r.Reason, m)
	}
	return r.Reason
}

func verify(t testing.TB, k *Keeper, c Client, pin string) Reason {
	t.Helper()
	_, err := k.Verify(c, pin)
	return reason(t, err)
}

func TestFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	k := open(t, dir)
	if k.PINSet() {
		t.Fatal("a PIN is set that nobody chose")
	}
	for _, pin := range []string{"", "000000", "123456", "1234", rightPIN} {
		if got := verify(t, k, kiosk, pin); got != NoPIN {
			t.Errorf("PIN %q: %q, want no_pin", pin, got)
		}
	}
	if _, err := k.SetPIN(phone, "", rightPIN); reason(t, err) != NotHere {
		t.Errorf("first PIN from a phone: %v", err)
	}
	if _, err := k.SetPIN(kiosk, "", rightPIN); err != nil || !k.PINSet() {
		t.Fatalf("first PIN: %v", err)
	}
	if _, err := k.SetPIN(kiosk, "", "593017"); reason(t, err) != BadPIN {
		t.Errorf("a second first PIN: %v", err)
	}
	for _, name := range []string{pinFile, secretFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
	if raw, _ := os.ReadFile(filepath.Join(dir, secretFile)); len(raw) != 64 {
		t.Errorf("secret has %d bytes", len(raw))
	}
	if n := k.Notes(); len(n) != 0 {
		t.Errorf("notes: %v", n)
	}
}

func TestHashIsBcrypt(t *testing.T) {
	dir := t.TempDir()
	k, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.SetPIN(kiosk, "", rightPIN); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, pinFile))
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(raw, []byte(rightPIN)) {
		t.Error("the PIN itself is on the disk")
	}
	var s struct{ Hash string }
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	if cost, err := bcrypt.Cost([]byte(s.Hash)); err != nil || cost != 10 {
		t.Errorf("cost %d, %v", cost, err)
	}
	if err := bcrypt.CompareHashAndPassword([]byte(s.Hash), []byte(rightPIN)); err != nil {
		t.Errorf("right PIN: %v", err)
	}
	if got := verify(t, k, kiosk, wrongPIN); got != WrongPIN {
		t.Errorf("wrong PIN: %q", got)
	}
}

func TestNewPIN(t *testing.T) {
	for pin, ok := range map[string]bool{
		"472905": true, "131313": true, "320145": true, "310231": true, "18990817": true, "17082145": true, "170819456": true, "112233": true, "123465": true, "012346": true, "135791": true, "246802": true,
		"472905472905": true,
		"010190":       false, "170845": false, "290204": false, "450817": false, "121212": false, "17081945": false, "19450817": false,
		"1781945": false, "111990": false, "199011": false, "31122009": false,
		"": false, "47290": false, "4729054729051": false, "47290a": false, "47 905": false, "-72905": false,
		"４７２９０５": false, "472905\n": false, "٤٧٢٩٠٥": false,
		"000000": false, "777777": false, "999999999999": false,
		"123456": false, "654321": false, "0123456789": false, "9876543210": false, "345678": false, "7890123": false, "2109876": false,
	} {
		if r := checkNewPIN(pin); (r == nil) != ok {
			t.Errorf("%q: %v", pin, r)
		} else if r != nil && reason(t, r) != BadPIN {
			t.Errorf("%q: %v", pin, r.Reason)
		}
	}
}

func TestChangePIN(t *testing.T) {
	dir := t.TempDir()
	k, _ := withPIN(t, dir)
	const next = "830164"
	for _, tc := range []struct {
		old, pin string
		want     Reason
	}{
		{wrongPIN, next, WrongPIN},
		{"", next, BadPIN},
		{rightPIN, "111111", BadPIN},
		{rightPIN, next, ""},
		{rightPIN, "555444", WrongPIN},
	} {
		_, err := k.SetPIN(phone, tc.old, tc.pin)
		if got := reason(t, err); got != tc.want {
			t.Errorf("%s -> %s: %q, want %q", tc.old, tc.pin, got, tc.want)
		}
	}
	k = open(t, dir)
	if verify(t, k, phone, rightPIN) != WrongPIN || verify(t, k, phone, next) != "" {
		t.Error("after a restart the PIN is not the new one")
	}
}

// Changing the PIN must not be a second door for guessing it.
func TestChangePINCountsTries(t *testing.T) {
	k, _ := withPIN(t, t.TempDir())
	for range 5 {
		if _, err := k.SetPIN(phone, wrongPIN, "830164"); reason(t, err) != WrongPIN {
			t.Fatal(err)
		}
	}
	if _, err := k.SetPIN(phone, rightPIN, "830164"); reason(t, err) != Locked {
		t.Errorf("right old PIN while locked: %v", err)
	}
	if got := verify(t, k, phone, rightPIN); got != Locked {
		t.Errorf("sign-in: %q", got)
	}
}

func TestMalformedTryIsNotCounted(t *testing.T) {
	k, _ := withPIN(t, t.TempDir())
	for range 10 {
		if got := verify(t, k, phone, "4729"); got != BadPIN {
			t.Fatalf("%q", got)
		}
	}
	if got := verify(t, k, phone, rightPIN); got != "" {
		t.Errorf("%q", got)
	}
}

func TestLockOutOfOneClient(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		k, _ := withPIN(t, dir)
		for i := range 4 {
			if got := verify(t, k, phone, wrongPIN); got != WrongPIN || k.LockedFor(phone) != 0 {
				t.Fatalf("try %d: %q, locked for %v", i+1, got, k.LockedFor(phone))
			}
		}
		for i, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
			_, err := k.Verify(phone, wrongPIN)
			r, ok := errors.AsType[*Refusal](err)
			if !ok || r.Reason != WrongPIN || r.Wait != want || r.Seconds() != int(want.Seconds()) {
				t.Fatalf("try %d: %#v, want a wait of %v", i+5, err, want)
			}
			time.Sleep(want - time.Millisecond)
			// To the last moment the right PIN gets what a wrong one gets.
			_, right := k.Verify(phone, rightPIN)
			_, wrong := k.Verify(phone, wrongPIN)
			if reason(t, right) != Locked || right.Error() != wrong.Error() {
				t.Fatalf("while locked: right %v, wrong %v", right, wrong)
			}
			if got := right.(*Refusal).Seconds(); got != 1 {
				t.Fatalf("seconds left: %d", got)
			}
			other := Client{Address: "10.42.0.99"}
			if k.LockedFor(other) != 0 {
				t.Fatal("another client is held too")
			}
			time.Sleep(time.Millisecond)
		}
		if got := verify(t, k, phone, rightPIN); got != "" {
			t.Fatalf("right PIN after the wait: %q", got)
		}
		for i := range 4 {
			if got := verify(t, k, phone, wrongPIN); got != WrongPIN || k.LockedFor(phone) != 0 {
				t.Fatalf("after success, try %d: %q, locked for %v", i+1, got, k.LockedFor(phone))
			}
		}
	})
}

func TestLockOutInTotal(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		k, _ := withPIN(t, dir)
		client := func(i int) Client { return Client{Address: "10.42.0." + string(rune('a'+i))} }
		for i := range 19 {
			if got := verify(t, k, client(i/4), wrongPIN); got != WrongPIN {
				t.Fatalf("try %d: %q", i+1, got)
			}
		}
		if k.LockedFor(phone) != 0 {
			t.Fatal("locked after 19")
		}
		for i, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
			if got := verify(t, k, client(10+i), wrongPIN); got != WrongPIN {
				t.Fatalf("try %d: %q", 20+i, got)
			}
			if got := k.LockedFor(phone); got != want {
				t.Fatalf("try %d: all wait %v, want %v", 20+i, got, want)
			}
			if got := verify(t, k, phone, rightPIN); got != Locked {
				t.Fatalf("a phone that never tried: %q", got)
			}
			if k.LockedFor(kiosk) != 0 {
				t.Fatal("the kiosk's own screen is held by the others")
			}
			time.Sleep(want)
		}
		if got := verify(t, k, client(20), wrongPIN); got != WrongPIN || k.LockedFor(phone) == 0 {
			t.Fatalf("%q", got)
		}
		if got := verify(t, k, kiosk, rightPIN); got != "" {
			t.Fatalf("the facilitator at the kiosk: %q", got)
		}
		if got := verify(t, k, phone, rightPIN); got != "" {
			t.Fatalf("success did not end the total lock: %q", got)
		}
		if got := verify(t, k, phone, wrongPIN); got != WrongPIN || k.LockedFor(client(21)) != 0 {
			t.Fatalf("the total was not forgotten: %q, all wait %v", got, k.LockedFor(client(21)))
		}
	})
}

func TestKioskScreenHasItsOwnCounter(t *testing.T) {
	k, _ := withPIN(t, t.TempDir())
	for range 5 {
		verify(t, k, kiosk, wrongPIN)
	}
	if got := verify(t, k, kiosk, rightPIN); got != Locked {
		t.Errorf("kiosk: %q", got)
	}
	if got := verify(t, k, phone, rightPIN); got != "" {
		t.Errorf("phone: %q", got)
	}
}

func TestRestartDuringLock(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		k, _ := withPIN(t, dir)
		for range 6 {
			verify(t, k, phone, wrongPIN)
			time.Sleep(k.LockedFor(phone))
		}
		verify(t, k, phone, wrongPIN)
		time.Sleep(100 * time.Second)
		if got := k.LockedFor(phone); got != 20*time.Second {
			t.Fatalf("before the restart: %v", got)
		}
		k = open(t, dir)
		if got := k.LockedFor(phone); got != 2*time.Minute {
			t.Fatalf("after the restart: %v, want all of the 2 minutes again", got)
		}
		if got := verify(t, k, phone, rightPIN); got != Locked {
			t.Fatalf("right PIN: %q", got)
		}
		time.Sleep(2 * time.Minute)
		if got := verify(t, k, phone, wrongPIN); got != WrongPIN || k.LockedFor(phone) != 4*time.Minute {
			t.Fatalf("%q, then %v", got, k.LockedFor(phone))
		}
		// The total too.
		for i := range 12 {
			verify(t, k, Client{Address: string(rune('a' + i))}, wrongPIN)
		}
		k = open(t, dir)
		if got := k.LockedFor(Client{Address: "new"}); got != time.Minute {
			t.Fatalf("total after the restart: %v", got)
		}
		if k.LockedFor(kiosk) != 0 {
			t.Fatal("kiosk is held")
		}
	})
}

func TestTallyKeepsTheNewestClients(t *testing.T) {
	now := time.Now()
	var tl tally
	for i := range 200 {
		tl = tl.wrong(Client{Address: string(rune('a' + i))}, now)
	}
	if len(tl.Clients) != 64 || tl.Clients[63].Address != string(rune('a'+199)) || tl.Total != 200 {
		t.Errorf("%d clients, total %d", len(tl.Clients), tl.Total)
	}
	if got := tl.wait(phone, now); got != 15*time.Minute {
		t.Errorf("all wait %v", got)
	}
	raw, err := json.Marshal(state{Version: stateVersion, Wrong: tl})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseState(raw); err != nil {
		t.Errorf("a full tally cannot be read again: %v", err)
	}
}

func TestConcurrentTries(t *testing.T) {
	dir := t.TempDir()
	k, _ := withPIN(t, dir)
	const clients, triesEach = 40, 6
	count := map[Reason]int{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range clients {
		for range triesEach {
			wg.Go(func() {
				_, err := k.Verify(Client{Address: string(rune('A' + i))}, wrongPIN)
				r, ok := errors.AsType[*Refusal](err)
				if !ok {
					t.Errorf("not a refusal: %v", err)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				count[r.Reason]++
			})
		}
	}
	wg.Go(func() { k.Notes(); k.PINSet(); k.LockedFor(phone) })
	wg.Wait()
	// The lock takes hold between any two tries, however many arrive at once; most are not
	// even looked at.
	if count[WrongPIN] < 1 || count[WrongPIN] > 20 || count[Locked] != clients*triesEach-count[WrongPIN] {
		t.Errorf("%v", count)
	}
	if got := open(t, dir).state.Load().Wrong.Total; got != count[WrongPIN] {
		t.Errorf("on the disk: %d", got)
	}
}

func TestFullDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	k, _ := withPIN(t, dir)
	if err := os.Rename(dir, dir+".gone"); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if got := verify(t, k, phone, wrongPIN); got != WrongPIN {
			t.Fatalf("%q", got)
		}
	}
	if got := verify(t, k, phone, rightPIN); got != Locked {
		t.Errorf("wrong tries do not count: %q", got)
	}
	if len(k.Notes()) != 1 {
		t.Errorf("notes: %v", k.Notes())
	}
	if got := verify(t, k, kiosk, rightPIN); got != "" {
		t.Errorf("the facilitator is kept out: %q", got)
	}
	if _, err := k.SetPIN(kiosk, rightPIN, "830164"); err == nil {
		t.Error("a PIN was set that is not on the disk")
	} else if _, ok := errors.AsType[*Refusal](err); ok {
		t.Errorf("refusal instead of a failure: %v", err)
	}
	if got := verify(t, k, kiosk, rightPIN); got != "" {
		t.Errorf("the old PIN no longer holds: %q", got)
	}
	if err := os.Rename(dir+".gone", dir); err != nil {
		t.Fatal(err)
	}
	if verify(t, k, kiosk, wrongPIN); len(k.Notes()) != 0 {
		t.Errorf("disk is well again, notes: %v", k.Notes())
	}
}

func TestDamagedFiles(t *testing.T) {
	full, err := json.Marshal(state{Version: 1, Hash: "$2a$31$" + strings.Repeat("a", 53), Generation: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"empty":      "",
		"zeros":      strings.Repeat("\x00", 300),
		"cut":        `{"version":1,"hash":"$2a$`,
		"no version": `{}`,
		"bad hash":   `{"version":1,"hash":"x","generation":"y"}`,
		"cost 31":    string(full),
		"negative":   `{"version":1,"wrong":{"total":-9}}`,
		"half":       `{"version":1,"generation":"y"}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			_, pass := withPIN(t, dir)
			if err := os.WriteFile(filepath.Join(dir, pinFile), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			k := open(t, dir)
			if k.PINSet() || len(k.Notes()) != 1 || !strings.Contains(k.Notes()[0]["en"], "pin.json.damaged") {
				t.Errorf("PIN set %v, notes %v", k.PINSet(), k.Notes())
			}
			if raw, err := os.ReadFile(filepath.Join(dir, "pin.json.damaged")); err != nil || string(raw) != content {
				t.Errorf("set aside: %q, %v", raw, err)
			}
			if _, err := k.SetPIN(phone, "", rightPIN); reason(t, err) != NotHere {
				t.Errorf("from the Wi-Fi: %v", err)
			}
			if _, err := k.SetPIN(kiosk, "", rightPIN); err != nil {
				t.Fatal(err)
			}
			if k.SignedIn(withCookies(t, k, pass)) {
				t.Error("a session from before lives again")
			}
		})
	}
	for name, content := range map[string][]byte{"short": []byte("abc"), "empty": {}, "zeros": make([]byte, 64)} {
		t.Run("secret "+name, func(t *testing.T) {
			dir := t.TempDir()
			k, pass := withPIN(t, dir)
			before := withCookies(t, k, pass)
			if err := os.WriteFile(filepath.Join(dir, secretFile), content, 0o600); err != nil {
				t.Fatal(err)
			}
			k = open(t, dir)
			if len(k.Notes()) != 1 || k.SignedIn(before) || !k.PINSet() {
				t.Errorf("notes %v, signed in %v", k.Notes(), k.SignedIn(before))
			}
			if raw, _ := os.ReadFile(filepath.Join(dir, secretFile)); len(raw) != 64 || bytes.Equal(raw, make([]byte, 64)) {
				t.Errorf("new secret: %x", raw)
			}
		})
	}
}

func TestNewerFileIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, pinFile)
	if err := os.WriteFile(path, []byte(`{"version":2,"pin":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("%v", err)
	}
	if raw, _ := os.ReadFile(path); string(raw) != `{"version":2,"pin":{}}` {
		t.Errorf("now %q", raw)
	}
}

func TestLeftOverFilesAreRemoved(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".pin.json123", ".secret.key99", "journal.db"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	withPIN(t, dir)
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "journal.db pin.json secret.key" {
		t.Error(got)
	}
}

func TestSpell(t *testing.T) {
	for d, want := range map[time.Duration]string{
		time.Millisecond: "1 detik|1 second", 30 * time.Second: "30 detik|30 seconds", 60 * time.Second: "60 detik|60 seconds",
		91 * time.Second: "2 menit|2 minutes", 15 * time.Minute: "15 menit|15 minutes",
	} {
		if id, en := spell(d); id+"|"+en != want {
			t.Errorf("%v: %s|%s, want %s", d, id, en, want)
		}
	}
}

// Who has all the time, and any number of phones, guesses for a day and a night.
func TestSlowGuessing(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		k, _ := withPIN(t, dir)
		begin, tries, hour := time.Now(), 0, 0
		for time.Since(begin) < 24*time.Hour {
			c := Client{Address: fmt.Sprintf("10.42.%d.%d", tries/200, tries%200)}
			if wait := k.LockedFor(c); wait > 0 {
				time.Sleep(wait)
				continue
			}
			if got := verify(t, k, c, wrongPIN); got != WrongPIN {
				t.Fatalf("try %d: %q", tries+1, got)
			}
			if tries++; time.Since(begin) < time.Hour {
				hour = tries
			}
		}
		if hour > 30 || tries > 125 {
			t.Errorf("%d guesses in the first hour, %d in a day: of a million PINs that is %.4f%%", hour, tries, float64(tries)/1e4)
		}
		t.Logf("%d guesses in the first hour, %d in a day", hour, tries)
	})
}

// A crowd that guesses all at once does not stand before the facilitator in a queue.
func TestGuessesDoNotQueue(t *testing.T) {
	dir := t.TempDir()
	k, _ := withPIN(t, dir)
	k.one.Lock() // a PIN is being looked at
	const guesses = 50
	answers := make(chan Reason, guesses)
	for i := range guesses {
		go func() {
			_, err := k.Verify(Client{Address: fmt.Sprint(i)}, wrongPIN)
			no, _ := errors.AsType[*Refusal](err)
			answers <- no.Reason
		}()
	}
	for range guesses - strangersWaiting {
		if got := <-answers; got != Locked {
			t.Errorf("a guess too many: %q", got)
		}
	}
	k.one.Unlock()
	if got := verify(t, k, kiosk, rightPIN); got != "" {
		t.Errorf("the facilitator at the kiosk: %q", got)
	}
	for range strangersWaiting {
		if got := <-answers; got != WrongPIN {
			t.Errorf("the others: %q", got)
		}
	}
}
