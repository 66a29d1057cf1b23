package config

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

var (
	hostName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)
	categoryID = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	language   = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	wpaHex     = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)
)

// Validate gives nil, or as [Problems] everything that is out of its range.
func (c Config) Validate() error {
	if p := c.problems(); len(p) > 0 {
		return p
	}
	return nil
}

// inspection gathers problems.
type inspection struct{ found Problems }

func (in *inspection) wrong(key, format string, args ...any) {
	in.found = append(in.found, Problem{Key: key, Say: fmt.Sprintf(format, args...)})
}

// wrongIn is wrong with the sentence in Indonesian beside it.
func (in *inspection) wrongIn(key, katakan, say string) {
	in.found = append(in.found, Problem{Key: key, Say: say, Katakan: katakan})
}

func (in *inspection) number(key string, value, low, high int) {
	if value < low || value > high {
		in.wrongIn(key, fmt.Sprintf("adalah %d: beri bilangan bulat dari %d sampai %d", value, low, high),
			fmt.Sprintf("is %d: give a whole number from %d to %d", value, low, high))
	}
}

func (in *inspection) span(key string, value, low, high time.Duration, example string) {
	if value < low || value > high {
		in.wrongIn(key, fmt.Sprintf("adalah %s: beri waktu dari %s sampai %s dengan satuannya, misalnya %q", value, low, high, example),
			fmt.Sprintf("is %s: give a time from %s to %s with its unit, such as %q", value, low, high, example))
	}
}

func (c Config) problems() Problems {
	var in inspection
	in.addresses(c)
	if _, err := time.LoadLocation(c.Timezone); err != nil || c.Timezone == "" || c.Timezone == "Local" {
		in.wrong("timezone", `is %q: give the name of a time zone: "Asia/Jakarta" for WIB, "Asia/Makassar" for WITA, "Asia/Jayapura" for WIT`, c.Timezone)
	}
	in.wifi(c.WiFi)
	in.hotspot(c.WiFi)
	in.display(c.Display)
	in.film(c.Film)
	in.voice(c.Voice)
	in.span("touch.thank_you_pause", c.Touch.ThankYouPause, 100*time.Millisecond, 10*time.Second, "1.5s")
	in.span("touch.idle", c.Touch.Idle, 5*time.Second, 30*time.Minute, "60s")
	in.number("poll.share_minimum", c.Poll.ShareMinimum, 10, 1000)
	in.attendance(c.Attendance)
	in.keys(c)
	in.gpio(c.Clicker.GPIO, c.Attendance)
	if f := c.PIN.ResetFile; f != "" && (!filepath.IsAbs(f) || strings.ContainsFunc(f, unicode.IsControl)) {
		in.wrong("pin.reset_file", `is %q: give a whole path that begins with /, such as "/boot/firmware/mimpi-kiosk-reset-pin"`, f)
	}
	in.number("limits.max_connections", c.Limits.MaxConnections, 16, 65536)
	in.number("limits.max_connections_per_address", c.Limits.MaxConnectionsPerAddress, 2, 65536)
	in.number("limits.message_bytes", c.Limits.MessageBytes, 1024, 1<<20)
	in.number("limits.messages_per_second", c.Limits.MessagesPerSecond, 1, 1000)
	in.number("limits.message_burst", c.Limits.MessageBurst, 1, 1000)
	in.export(c.Export)
	in.sticks(c.USB, c.Packs)
	return in.found
}

func (in *inspection) addresses(c Config) {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil || !isPort(port, 0) || host != "" && !isHost(host) {
		in.wrong("listen", `is %q: give ":PORT", or "ADDRESS:PORT", with a port from 0 to 65535, such as ":8080"`, c.Listen)
	}
	for i, h := range c.Hosts {
		if !isHost(h) {
			in.wrong("hosts", `has %q as entry %d: give a name or an address without http:// and without a port, such as "kiosk.local" or "10.42.0.1"`, h, i+1)
		}
	}
	if c.PublicURL != "" && !isBaseURL(c.PublicURL) {
		in.wrong("public_url", `is %q: give http:// or https://, a name or an address, and a port if it is not the usual one, with nothing after it, such as "http://10.42.0.1:8080"`, c.PublicURL)
	}
}

func isBaseURL(s string) bool {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Scheme+"://"+u.Host != s || strings.HasSuffix(s, ":") {
		return false
	}
	return isHost(u.Hostname()) && (u.Port() == "" || isPort(u.Port(), 1))
}

func isHost(h string) bool {
	if address, err := netip.ParseAddr(h); err == nil {
		return address.Zone() == ""
	}
	return len(h) <= 253 && hostName.MatchString(h)
}

func isPort(p string, lowest uint64) bool {
	n, err := strconv.ParseUint(p, 10, 16)
	return err == nil && n >= lowest
}

func (in *inspection) wifi(w WiFi) {
	if len(w.Name) > 32 || !utf8.ValidString(w.Name) || strings.ContainsFunc(w.Name, unicode.IsControl) {
		in.wrong("wifi.name", "has %d bytes: give the name of the network as phones show it, up to 32 bytes of text", len(w.Name))
	}
	if w.Name == "" && w.Password != "" {
		in.wrong("wifi.password", "is set, but wifi.name is not: give the name of the network, or take the password out")
		return
	}
	switch w.Security {
	case WPA:
		if w.Name != "" && !isWPAPassword(w.Password) {
			in.wrong("wifi.password", `has %d characters: give the password of the network, 8 to 63 letters, digits or signs of an English keyboard, or set wifi.security = "none"`, utf8.RuneCountInString(w.Password))
		}
	case None:
		if w.Password != "" {
			in.wrong("wifi.password", `is set, but wifi.security is "none": take the password out, or set wifi.security = "WPA"`)
		}
	default:
		in.wrong("wifi.security", `is %q: give "WPA" (for WPA2 and WPA3 too) or "none"`, w.Security)
	}
}

func isWPAPassword(p string) bool {
	plain := !strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r > '~' })
	return plain && len(p) >= 8 && len(p) <= 63 || wpaHex.MatchString(p)
}

func (in *inspection) attendance(categories []Category) {
	if n := len(categories); n < 1 || n > 12 {
		in.wrong("attendance", "has %d groups: give 1 to 12, each below its own line [[attendance]]", n)
	}
	seen := map[string]int{}
	for i, c := range categories {
		key := fmt.Sprintf("attendance[%d].", i+1)
		if !categoryID.MatchString(c.ID) {
			in.wrong(key+"id", "is %q: give 1 to 32 of a to z, 0 to 9 and _, with a letter first, such as %q", c.ID, "woman")
		} else if first, twice := seen[c.ID]; twice {
			in.wrong(key+"id", "is %q, as that of group %d is: give each group an id of its own", c.ID, first)
		} else {
			seen[c.ID] = i + 1
		}
		if c.Sex != "female" && c.Sex != "male" && c.Sex != "" {
			in.wrong(key+"sex", `is %q: give "female", "male", or "" when the group does not say`, c.Sex)
		}
		if c.Age != "18+" && c.Age != "0-17" && c.Age != "" {
			in.wrong(key+"age", `is %q: give "18+", "0-17", or "" when the group does not say`, c.Age)
		}
		if c.Label["id"] == "" {
			in.wrong(key+"label", `has no Indonesian text: give at least { id = "..." }`)
		}
		for _, code := range slices.Sorted(maps.Keys(c.Label)) {
			text := c.Label[code]
			if !language.MatchString(code) {
				in.wrong(key+"label", `has the language %q: give a code of 2 or 3 small letters, such as "id", "en" or "tet"`, code)
			}
			if n := utf8.RuneCountInString(text); n > 40 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || n > 0 && strings.TrimSpace(text) == "" {
				in.wrong(key+"label", "has %q: give 1 to 40 characters on one line", text)
			}
		}
	}
}

// keys checks the keys of the keyboard together: no two may do different things.
func (in *inspection) keys(c Config) {
	usedBy := map[string]string{}
	check := func(key, value, what string) {
		r, size := utf8.DecodeRuneInString(value)
		switch {
		case value == "":
		case size != len(value) || !unicode.IsPrint(r):
			in.wrong(key, `is %q: give one character, such as "1" or "w", or "" for none`, value)
		case usedBy[value] != "":
			in.wrong(key, "is %q, which %s has: give each its own key", value, usedBy[value])
		default:
			usedBy[value] = what
		}
	}
	for i, a := range c.Attendance {
		check(fmt.Sprintf("attendance[%d].key", i+1), a.Key, fmt.Sprintf("group %d (%s)", i+1, a.ID))
	}
	check("clicker.keyboard.undo", c.Clicker.Keyboard.Undo, "undo")
}
