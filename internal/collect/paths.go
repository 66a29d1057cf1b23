package collect

import (
	"regexp"
	"strings"
)

var bareDrive = regexp.MustCompile(`^[A-Za-z]:$`)

// PlaceNamed gives the place that a person meant by an argument on the system goos. On
// Windows "E:" is the folder that was last used on the drive, and the command line makes
// E:" out of "E:\", because \" is a quotation mark there; both mean the drive. The rest
// of what the quotation mark swallowed comes back as further arguments.
func PlaceNamed(goos, arg string) (place string, swallowed []string) {
	if goos != "windows" {
		return arg, nil
	}
	place, rest, quoted := strings.Cut(arg, `"`)
	place = strings.TrimRight(place, " ")
	if bareDrive.MatchString(place) {
		place += `\`
	}
	if quoted {
		swallowed = strings.Fields(strings.ReplaceAll(rest, `"`, " "))
	}
	return place, swallowed
}
