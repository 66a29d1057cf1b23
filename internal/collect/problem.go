package collect

import "fmt"

// Level says how bad a problem is.
type Level int

// The levels.
const (
	Note    Level = iota // good to know; the figures are as they should be
	Doubt                // something counts, but a person should look
	Missing              // something does not count
)

// String gives the word for the level that machines read.
func (l Level) String() string { return [...]string{"note", "doubt", "missing"}[l] }

// MarshalText writes the word.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Kind is what sort of problem it is.
type Kind string

// The kinds. Machines may rely on these words.
const (
	Unreadable Kind = "unreadable" // cannot be opened or read
	Checksum   Kind = "checksum"   // a file is not as it was written
	Signature  Kind = "signature"  // not signed by the kiosk
	Journal    Kind = "journal"    // the journal has gaps or nonsense
	Figures    Kind = "figures"    // summary.json is not what the journal says
	Histories  Kind = "histories"  // two histories under one id
	KeyChanged Kind = "keys"       // a kiosk with two keys
	Locked     Kind = "locked"     // encrypted, and no key for it
	TooMuch    Kind = "too_much"   // a bound was met
	Unfinished Kind = "unfinished" // an export or a copy that was interrupted
	Nested     Kind = "nested"     // a zip in a zip, which is not read
	Unlisted   Kind = "unlisted"   // a kiosk that is not in the list of known keys
	Newer      Kind = "newer"      // written by a newer program
	Nothing    Kind = "nothing"    // no screening was found in a place
	Unmapped   Kind = "unmapped"   // no place for it in DHIS2
	Outdated   Kind = "outdated"   // stored by an older mimpi-collect
	Suppressed Kind = "suppressed" // a small group, not sent to DHIS2
)

// spoils says whether a problem of this kind keeps a copy from counting, in which case
// another copy of the screening may be as good.
func (k Kind) spoils() bool {
	switch k {
	case Unreadable, Checksum, Signature, Journal, Figures, Locked, Unfinished:
		return true
	}
	return false
}

// Problem is one thing that a person should know.
type Problem struct {
	Level     Level  `json:"level"`
	Kind      Kind   `json:"kind"`
	Path      string `json:"path"`
	Screening string `json:"screening,omitempty"` // id, "" when it is not known
	What      Words  `json:"what"`
	Do        Words  `json:"do"`
	// Saved: another copy of the screening counts, which is sound and no shorter.
	Saved bool `json:"saved,omitempty"`

	reach   reach // of the copy that does not count
	foreign bool  // signed by a key that is not the kiosk's: another copy does not settle it
}

// Words is a sentence in Indonesian and English.
type Words struct {
	ID string `json:"id"`
	EN string `json:"en"`
}

// In gives the sentence in the language, "en" or else Indonesian.
func (w Words) In(lang string) string {
	if lang == "en" {
		return w.EN
	}
	return w.ID
}

// and is a sentence with another one behind it.
func (w Words) and(more Words) Words { return Words{w.ID + " " + more.ID, w.EN + " " + more.EN} }

func say(id, en string, args ...any) Words {
	return Words{fmt.Sprintf(id, args...), fmt.Sprintf(en, args...)}
}

var (
	copyAgain   = Words{"Colokkan stik ke kiosk lagi, atau salin lagi seluruh map dari stik.", "Plug the stick into the kiosk again, or copy the whole folder from the stick again."}
	askForFresh = Words{"Jangan pakai salinan ini. Minta stik yang baru diisi dari kiosk itu.", "Do not use this copy. Ask for a stick freshly filled at that kiosk."}
)
