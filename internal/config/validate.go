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

	"mimpi-kiosk/kiosk-ui/lang"
)

var (
	hostName     = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)
	categoryID   = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)
	languageCode = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
	wpaHex       = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)
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

// wrong adds a problem; say is what is wrong and what to write, by language.
func (in *inspection) wrong(key string, say map[string]string) {
	in.found = append(in.found, Problem{Key: key, Say: say})
}

func (in *inspection) number(key string, value, low, high int) {
	if value < low || value > high {
		in.wrong(key, lang.Text("config.number", lang.Params{"value": value, "low": low, "high": high}))
	}
}

func (in *inspection) span(key string, value, low, high time.Duration, example string) {
	if value < low || value > high {
		in.wrong(key, lang.Text("config.span", lang.Params{"value": value, "low": low, "high": high, "example": strconv.Quote(example)}))
	}
}

func (c Config) problems() Problems {
	var in inspection
	in.addresses(c)
	if _, err := time.LoadLocation(c.Timezone); err != nil || c.Timezone == "" || c.Timezone == "Local" {
		in.wrong("timezone", lang.Text("config.timezone", lang.Params{"value": strconv.Quote(c.Timezone)}))
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
		in.wrong("pin.reset_file", lang.Text("config.reset_file", lang.Params{"value": strconv.Quote(f)}))
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
		in.wrong("listen", lang.Text("config.listen", lang.Params{"value": strconv.Quote(c.Listen)}))
	}
	for i, h := range c.Hosts {
		if !isHost(h) {
			in.wrong("hosts", lang.Text("config.host", lang.Params{"value": strconv.Quote(h), "n": i + 1}))
		}
	}
	if c.PublicURL != "" && !isBaseURL(c.PublicURL) {
		in.wrong("public_url", lang.Text("config.public_url", lang.Params{"value": strconv.Quote(c.PublicURL)}))
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
		in.wrong("wifi.name", lang.Text("config.wifi.name", lang.Params{"n": len(w.Name)}))
	}
	if w.Name == "" && w.Password != "" {
		in.wrong("wifi.password", lang.Text("config.wifi.nameless"))
		return
	}
	switch w.Security {
	case WPA:
		if w.Name != "" && !isWPAPassword(w.Password) {
			in.wrong("wifi.password", lang.Text("config.wifi.password", lang.Params{"n": utf8.RuneCountInString(w.Password)}))
		}
	case None:
		if w.Password != "" {
			in.wrong("wifi.password", lang.Text("config.wifi.open"))
		}
	default:
		in.wrong("wifi.security", lang.Text("config.wifi.security", lang.Params{"value": strconv.Quote(string(w.Security))}))
	}
}

func isWPAPassword(p string) bool {
	plain := !strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r > '~' })
	return plain && len(p) >= 8 && len(p) <= 63 || wpaHex.MatchString(p)
}

func (in *inspection) attendance(categories []Category) {
	if n := len(categories); n < 1 || n > 12 {
		in.wrong("attendance", lang.Text("config.attendance.count", lang.Params{"n": n}))
	}
	seen := map[string]int{}
	for i, c := range categories {
		key := fmt.Sprintf("attendance[%d].", i+1)
		if !categoryID.MatchString(c.ID) {
			in.wrong(key+"id", lang.Text("config.attendance.id", lang.Params{"value": strconv.Quote(c.ID)}))
		} else if first, twice := seen[c.ID]; twice {
			in.wrong(key+"id", lang.Text("config.attendance.id_twice", lang.Params{"value": strconv.Quote(c.ID), "n": first}))
		} else {
			seen[c.ID] = i + 1
		}
		if c.Sex != "female" && c.Sex != "male" && c.Sex != "" {
			in.wrong(key+"sex", lang.Text("config.attendance.sex", lang.Params{"value": strconv.Quote(c.Sex)}))
		}
		if c.Age != "18+" && c.Age != "0-17" && c.Age != "" {
			in.wrong(key+"age", lang.Text("config.attendance.age", lang.Params{"value": strconv.Quote(c.Age)}))
		}
		if c.Label["id"] == "" {
			in.wrong(key+"label", lang.Text("config.attendance.no_label"))
		}
		for _, code := range slices.Sorted(maps.Keys(c.Label)) {
			text := c.Label[code]
			if !languageCode.MatchString(code) {
				in.wrong(key+"label", lang.Text("config.attendance.language", lang.Params{"value": strconv.Quote(code)}))
			}
			if n := utf8.RuneCountInString(text); n > 40 || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || n > 0 && strings.TrimSpace(text) == "" {
				in.wrong(key+"label", lang.Text("config.attendance.label", lang.Params{"value": strconv.Quote(text)}))
			}
		}
	}
}

// keys checks the keys of the keyboard together: no two may do different things.
func (in *inspection) keys(c Config) {
	usedBy := map[string]int{} // group, from 1
	check := func(key, value string, group int) {
		r, size := utf8.DecodeRuneInString(value)
		switch {
		case value == "":
		case size != len(value) || !unicode.IsPrint(r):
			in.wrong(key, lang.Text("config.key", lang.Params{"value": strconv.Quote(value)}))
		case usedBy[value] != 0:
			n := usedBy[value]
			in.wrong(key, lang.Text("config.key_twice", lang.Params{"value": strconv.Quote(value), "n": n, "id": c.Attendance[n-1].ID}))
		default:
			usedBy[value] = group
		}
	}
	for i, a := range c.Attendance {
		check(fmt.Sprintf("attendance[%d].key", i+1), a.Key, i+1)
	}
	check("clicker.keyboard.undo", c.Clicker.Keyboard.Undo, 0) // the last: no group comes after it
}
