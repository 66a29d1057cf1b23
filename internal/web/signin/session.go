package signin

import (
	"fmt"
	"net/http"

	"github.com/gorilla/securecookie"
)

const (
	sessionCookie = "mimpi_session"
	voterCookie   = "mimpi_voter"

	cookieSeconds = 12 * 60 * 60
)

func newCookies(key []byte) *securecookie.SecureCookie {
	// MaxAge(0): securecookie would judge the age of a cookie by the wall clock, and
	// the moment the facilitator sets the kiosk's clock (from 1970, say) everybody
	// would be signed out or, the other way, cookies "from the future" never end. What
	// ends a session on the server is the generation of the PIN. The content is
	// signed, with the cookie's name, and not encrypted: it holds no secret of ours.
	return securecookie.New(key, nil).MaxAge(0).MaxLength(512).SetSerializer(securecookie.NopEncoder{})
}

// Start gives the browser a session: a cookie that lasts 12 hours. It ends earlier
// when the PIN is changed or reset, and outlives restarts of the kiosk.
func (k *Keeper) Start(w http.ResponseWriter, r *http.Request, p Pass) error {
	value, err := k.cookies.Encode(sessionCookie, []byte(p.generation))
	if err != nil {
		return fmt.Errorf("make session cookie: %w", err)
	}
	c := session(value)
	if !Loopback(r) {
		c.MaxAge = cookieSeconds
	}
	// The kiosk's own browser shares the kiosk's clock: 12 hours would be over the
	// moment the clock is set forward by more. There the session lasts until the
	// browser is closed, which is when the box is switched off.
	http.SetCookie(w, c)
	return nil
}

// SignedIn is true when the request belongs to a session of the PIN now in force.
func (k *Keeper) SignedIn(r *http.Request) bool {
	want := k.state.Load().Generation
	if want == "" {
		return false
	}
	// All cookies of that name: another server on this host may have set one too.
	for _, c := range r.CookiesNamed(sessionCookie) {
		if got, ok := k.decode(c); ok && string(got) == want {
			return true
		}
	}
	return false
}

// End signs this browser out.
func (k *Keeper) End(w http.ResponseWriter) {
	c := session("")
	c.MaxAge = -1
	http.SetCookie(w, c)
}

func session(value string) *http.Cookie {
	// Not Secure: the kiosk speaks plain HTTP, there is no name it could have a
	// certificate for.
	return &http.Cookie{Name: sessionCookie, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// decode gives the content of a cookie that we signed under that name.
func (k *Keeper) decode(c *http.Cookie) ([]byte, bool) {
	var content []byte
	err := k.cookies.Decode(c.Name, c.Value, &content)
	return content, err == nil
}
