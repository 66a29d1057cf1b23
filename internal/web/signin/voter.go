package signin

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	tokenBytes = 16

	arrivalBurst = 30
	arrivalEvery = 10 * time.Second
	arrivalsKept = 1024
)

// Voter gives the token of the phone that sent the request, and a new one with its
// cookie (12 hours) if it has none. Call it before the answer's headers are written.
// The error is a [*Refusal] with reason TooManyVoters when the address got 30 (or as many
// as [Keeper.LimitArrivals] said) at once and then one each 10 s; the kiosk's own screen
// gets any number.
//
// The token is what makes one phone one voter: it never goes into the journal, see
// [Keeper.Key].
func (k *Keeper) Voter(w http.ResponseWriter, r *http.Request) (token string, err error) {
	if token, ok := k.VoterOf(r); ok {
		return token, nil
	}
	if c := ClientOf(r); !c.Own {
		if wait := k.arrivals.wait(c.Address, time.Now()); wait > 0 {
			return "", refuseVoter(wait)
		}
	}
	raw := randomBytes(tokenBytes)
	value, err := k.cookies.Encode(voterCookie, raw)
	if err != nil {
		return "", fmt.Errorf("make voter cookie: %w", err)
	}
	http.SetCookie(w, &http.Cookie{
		Name: voterCookie, Value: value, Path: "/", MaxAge: cookieSeconds, HttpOnly: true,
		// Lax and not Strict: QR scanners and chat apps open the link from a page of
		// their own, and Strict would keep the cookie back then, so that the same phone
		// came as a new voter and could vote twice. Lax still keeps it from requests
		// that other sites make, other than plain navigation.
		SameSite: http.SameSiteLaxMode,
	})
	return hex.EncodeToString(raw), nil
}

// VoterOf gives the token that the request carries. It issues none, for where no
// cookie can be set (a websocket that opens).
func (k *Keeper) VoterOf(r *http.Request) (token string, ok bool) {
	for _, c := range r.CookiesNamed(voterCookie) {
		if raw, ok := k.decode(c); ok && len(raw) == tokenBytes {
			return hex.EncodeToString(raw), true
		}
	}
	return "", false
}

// Key is what the journal calls a voter: 24 hexadecimal digits, the same for the
// same token, screening, question and round, and else unlike.
//
// It differs in each question on purpose. In a village hall a series of answers can
// point to a person; with these keys nobody who reads the journal or an export can
// join the answers of one phone, of one evening or of several. That needs both
// secret.key, which is never exported, and the token, which only the phone has.
func (k *Keeper) Key(token, screening, question string, round int) string {
	mac := hmac.New(sha256.New, k.voterKey)
	for _, field := range []string{token, screening, question} {
		// The length first, so that ("ab", "c") and ("a", "bc") differ.
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(field)))
		mac.Write(n[:])
		mac.Write([]byte(field))
	}
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(round))
	mac.Write(n[:])
	return hex.EncodeToString(mac.Sum(nil)[:12])
}

// arrivals limits new voters per address. The zero value is ready.
type arrivals struct {
	mu    sync.Mutex
	burst int        // 0: arrivalBurst
	all   []*arrival // the newest at the end, at most arrivalsKept
}

// LimitArrivals says how many new voters one address may be at once. It holds for
// addresses that have not come yet.
func (k *Keeper) LimitArrivals(perAddress int) {
	k.arrivals.mu.Lock()
	defer k.arrivals.mu.Unlock()
	k.arrivals.burst = perAddress
}

type arrival struct {
	address string
	limit   *rate.Limiter
}

// wait takes one arrival of the address, or says how long until it may take one.
func (a *arrivals) wait(address string, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	var e *arrival
	if i := slices.IndexFunc(a.all, func(e *arrival) bool { return e.address == address }); i >= 0 {
		e = a.all[i]
		a.all = slices.Delete(a.all, i, i+1)
	} else {
		e = &arrival{address, rate.NewLimiter(rate.Every(arrivalEvery), cmp.Or(a.burst, arrivalBurst))}
	}
	a.all = append(a.all, e)
	if len(a.all) > arrivalsKept {
		a.all = slices.Delete(a.all, 0, 1)
	}
	r := e.limit.ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}
