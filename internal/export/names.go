package export

import (
	"crypto/sha256"
	"fmt"
	"regexp"
	"strings"
	"time"
)

const (
	longestName = 60
	longestID   = 36 // a UUID
)

var (
	unsafeRunes = regexp.MustCompile(`[^A-Za-z0-9]+`)
	safeIDs     = regexp.MustCompile(fmt.Sprintf(`^[A-Za-z0-9][A-Za-z0-9-]{0,%d}$`, longestID-1))
	dosDevices  = regexp.MustCompile(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)
)

// safeID gives a name for an id that FAT takes and that no other id has: the id
// itself where it can be.
func safeID(id string) string {
	if safeIDs.MatchString(id) && !dosDevices.MatchString(id) {
		return id
	}
	name := slug(id, longestID-9)
	if name == "" {
		name = "x"
	}
	return fmt.Sprintf("%s-%x", name, sha256.Sum256([]byte(id)))[:len(name)+9]
}

// slug keeps the ASCII letters and digits of a text, words joined by '-'.
func slug(s string, longest int) string {
	s = strings.Trim(unsafeRunes.ReplaceAllString(s, "-"), "-")
	return strings.Trim(s[:min(len(s), longest)], "-")
}

// folderName is DATE_VENUE_ID. The suffix _ID tells the screening also when its date
// or venue were put right later.
func folderName(held time.Time, venue, id string) (name, suffix string) {
	suffix = "_" + safeID(id)
	date := held.Format("2006-01-02")
	if len(date) != 10 || held.Year() < 1 {
		date = "0000-00-00" // a clock beyond the year 9999
	}
	v := slug(venue, longestName-len(date)-1-len(suffix))
	if v == "" {
		v = "tempat"
	}
	return date + "_" + v + suffix, suffix
}
