package signin

import (
	"fmt"
	"math"
	"time"

	"mimpi-kiosk/internal/screening"
)

// Reason is why something was refused, for programs.
type Reason string

const (
	WrongPIN      Reason = "wrong_pin"
	Locked        Reason = "locked"          // too many wrong tries; nothing was verified
	NoPIN         Reason = "no_pin"          // no PIN is set yet
	BadPIN        Reason = "bad_pin"         // not 6 to 12 digits, or too easy to guess
	NotHere       Reason = "not_here"        // the first PIN is set on the kiosk's own screen only
	TooManyVoters Reason = "too_many_voters" // one address asked for too many voter tokens
)

// Refusal is the error for something a person may not do, or not yet.
type Refusal struct {
	Reason Reason
	// Wait is how long the next try has to wait, or 0. A wrong PIN has one too
	// when that try was one too many.
	Wait time.Duration

	message screening.Text
}

// Error gives the English sentence.
func (r *Refusal) Error() string { return r.message["en"] }

// Message gives the sentence for the person, in Indonesian and English.
func (r *Refusal) Message() screening.Text { return r.message }

// Seconds is Wait in whole seconds, rounded up.
func (r *Refusal) Seconds() int { return wholeSeconds(r.Wait) }

func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }

func refuse(reason Reason, id, en string) *Refusal {
	return &Refusal{Reason: reason, message: screening.Text{"id": id, "en": en}}
}

func refuseWrong(wait time.Duration) *Refusal {
	r := refuse(WrongPIN, "PIN salah. Coba lagi.", "Wrong PIN. Try again.")
	if wait > 0 {
		id, en := spell(wait)
		r = refuse(WrongPIN,
			fmt.Sprintf("PIN salah. Tunggu %s sebelum mencoba lagi.", id),
			fmt.Sprintf("Wrong PIN. Wait %s before the next try.", en))
		r.Wait = wait
	}
	return r
}

func refuseLocked(wait time.Duration) *Refusal {
	id, en := spell(wait)
	r := refuse(Locked,
		fmt.Sprintf("PIN salah sudah terlalu sering dimasukkan. Tunggu %s, atau masuk di layar kiosk sendiri.", id),
		fmt.Sprintf("Too many wrong PINs. Wait %s, or sign in on the kiosk's own screen.", en))
	r.Wait = wait
	return r
}

func refuseNoPIN() *Refusal {
	return refuse(NoPIN,
		"PIN belum dibuat. Buat PIN di layar kiosk sendiri lebih dahulu.",
		"No PIN has been set. Set one on the kiosk's own screen first.")
}

func refuseNotHere() *Refusal {
	return refuse(NotHere,
		"PIN pertama hanya dapat dibuat di layar kiosk sendiri.",
		"The first PIN can be set on the kiosk's own screen only.")
}

func refuseVoter(wait time.Duration) *Refusal {
	id, en := spell(wait)
	r := refuse(TooManyVoters,
		fmt.Sprintf("Terlalu banyak peserta baru dari ponsel ini. Tunggu %s, lalu muat ulang halaman.", id),
		fmt.Sprintf("Too many new voters from this phone. Wait %s, then load the page again.", en))
	r.Wait = wait
	return r
}

// spell says a time in Indonesian and English, rounded up to whole seconds below
// a minute and a half and to whole minutes above.
func spell(d time.Duration) (id, en string) {
	n, unitID, unitEN := wholeSeconds(d), "detik", "second"
	if d >= 90*time.Second {
		n, unitID, unitEN = int(math.Ceil(d.Minutes())), "menit", "minute"
	}
	if n != 1 {
		unitEN += "s"
	}
	return fmt.Sprintf("%d %s", n, unitID), fmt.Sprintf("%d %s", n, unitEN)
}
