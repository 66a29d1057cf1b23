package signin

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/securecookie"
	"golang.org/x/crypto/bcrypt"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/kiosk-ui/lang"
)

const (
	minDigits, maxDigits = 6, 12

	// bcrypt and not argon2id: argon2id is strong through memory (its authors advise
	// 64 MiB and more for each try), which a board with 1 GB that plays a film has
	// not, least of all for several tries at once. With so few digits no hash stops
	// somebody who holds the disk; against those who do not, the waits do the work.
	bcryptCost = 10
)

// Keeper keeps the PIN, the sessions and the tokens of voters. Make it with [Open].
type Keeper struct {
	path string // of pin.json
	cost int    // of bcrypt for new PINs

	// one lets one try or change happen at a time: it orders the writers of state,
	// and a crowd of tries gets one core for one hash, not all of them.
	one       sync.Mutex
	strangers atomic.Int32          // phones that hold one or wait for it
	state     atomic.Pointer[state] // never changed in place; replaced after it is on the disk

	cookies  *securecookie.SecureCookie
	voterKey []byte
	secret   []byte // of which both keys are
	arrivals arrivals

	notesMu   sync.Mutex
	damaged   []screening.Text
	resetLeft string // name of a reset file that could not be deleted
	unsaved   bool   // the last write failed, or the disk gave nothing
}

// Open reads the files in dir and makes dir and secret.key at the first start.
//
// A damaged file is set aside (NAME.damaged) and [Keeper.Notes] says so. Without
// pin.json there is no PIN until one is set on the kiosk's own screen; that opens
// nothing to the Wi-Fi, and who can damage the file on purpose holds the SD card
// and could use the reset file as well. A disk that gives or takes nothing is no error
// either: what is missing is made in memory, [Keeper.Notes] says so, and [Keeper.Keep]
// writes it later. An error means that pin.json is from a newer program.
func Open(dir string) (*Keeper, error) {
	k := &Keeper{path: filepath.Join(dir, pinFile), cost: bcryptCost}
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		err = sweep(dir)
	}
	k.unsaved = err != nil

	s, err := readState(k.path)
	if errors.Is(err, errDamaged) {
		err = k.setAside(k.path, "PIN fasilitator hilang: buat PIN baru di layar kiosk.",
			"the facilitator's PIN is lost: set a new one on the kiosk's screen.")
	}
	if errors.Is(err, errNewer) {
		return nil, err
	}
	if s == nil {
		s = &state{Version: stateVersion}
	}
	k.unsaved = k.unsaved || err != nil
	s.Wrong = s.Wrong.restarted(time.Now())
	k.state.Store(s)

	secretPath := filepath.Join(dir, secretFile)
	k.secret, err = readSecret(secretPath)
	if errors.Is(err, errDamaged) {
		if err = k.setAside(secretPath, "semua yang sudah masuk harus memasukkan PIN lagi.",
			"everybody who was signed in has to enter the PIN again."); err == nil {
			k.secret, err = readSecret(secretPath)
		}
	}
	if k.secret == nil {
		k.secret = randomBytes(secretBytes)
	}
	k.unsaved = k.unsaved || err != nil
	k.cookies = newCookies(k.secret[:32])
	k.voterKey = k.secret[32:]
	return k, nil
}

// Keep writes what a disk did not take, if there is anything.
func (k *Keeper) Keep() error {
	k.one.Lock()
	defer k.one.Unlock()
	k.notesMu.Lock()
	unsaved := k.unsaved
	k.notesMu.Unlock()
	if !unsaved {
		return nil
	}
	dir := filepath.Dir(k.path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := writeDurably(filepath.Join(dir, secretFile), k.secret); err != nil {
		return err
	}
	return k.save(k.state.Load())
}

func (k *Keeper) setAside(path, effectID, effectEN string) error {
	aside := path + ".damaged"
	if err := os.Rename(path, aside); err != nil {
		return fmt.Errorf("set damaged file aside: %w", err)
	}
	name := filepath.Base(aside)
	k.damaged = append(k.damaged, screening.Text{
		"id": fmt.Sprintf("Berkas rusak disisihkan sebagai %s; %s", name, effectID),
		"en": fmt.Sprintf("A damaged file was set aside as %s; %s", name, effectEN),
	})
	return syncDir(filepath.Dir(path))
}

// Notes gives what the facilitator should know and do about PIN and secret, newest
// state, for the health page. It is empty when all is well.
func (k *Keeper) Notes() []screening.Text {
	k.notesMu.Lock()
	defer k.notesMu.Unlock()
	notes := append([]screening.Text(nil), k.damaged...)
	if k.resetLeft != "" {
		notes = append(notes, screening.Text{
			"id": fmt.Sprintf("PIN sudah dihapus, tetapi berkas %s tidak dapat dihapus oleh kiosk. Hapus sendiri berkas itu dengan komputer.", k.resetLeft),
			"en": fmt.Sprintf("The PIN has been reset, but the kiosk cannot delete the file %s. Delete it yourself with a computer.", k.resetLeft),
		})
	}
	if k.unsaved {
		notes = append(notes, screening.Text{
			"id": "Catatan PIN tidak dapat disimpan. Periksa apakah disk penuh atau hanya dapat dibaca.",
			"en": "The PIN record cannot be saved. See whether the disk is full or read-only.",
		})
	}
	return notes
}

// save puts the state on the disk and, only when that worked, in force.
func (k *Keeper) save(s *state) error {
	err := s.write(k.path)
	k.notesMu.Lock()
	k.unsaved = err != nil
	k.notesMu.Unlock()
	if err != nil {
		return err
	}
	k.state.Store(s)
	return nil
}

// PINSet says whether a PIN is set in dir, for a program beside the one that serves: it
// changes nothing there. A damaged file is no PIN.
func PINSet(dir string) (bool, error) {
	s, err := readState(filepath.Join(dir, pinFile))
	if errors.Is(err, errDamaged) {
		return false, nil
	}
	return err == nil && s.Hash != "", err
}

// PINSet is true when a PIN is set.
func (k *Keeper) PINSet() bool { return k.state.Load().Hash != "" }

// LockedFor is how long the client has to wait until its next try, or 0.
func (k *Keeper) LockedFor(c Client) time.Duration {
	return k.state.Load().Wrong.wait(c, time.Now())
}

// Pass proves that somebody just gave the right PIN; [Keeper.Start] makes a session
// of it. The zero Pass opens nothing.
type Pass struct{ generation string }

// Verify checks a PIN. The error is a [*Refusal] with reason WrongPIN, Locked,
// NoPIN or BadPIN (not 6 to 12 digits; that is not counted as a try), or another
// error when the record of the PIN cannot be used.
//
// While the client has to wait nothing is verified at all, so answer and time are
// the same for right and wrong PINs. A wrong try is on the disk before Verify
// returns; when the disk takes nothing it still counts until the next start and
// [Keeper.Notes] says so: a full disk must not keep the facilitator out.
func (k *Keeper) Verify(c Client, pin string) (Pass, error) {
	if wait := k.LockedFor(c); wait > 0 {
		return Pass{}, refuseLocked(wait) // without standing in the queue
	}
	leave, no := k.queue(c)
	if no != nil {
		return Pass{}, no
	}
	defer leave()
	return k.verify(c, pin)
}

const (
	strangersWaiting = 2 // phones whose PIN is looked at or waits for that
	strangersWait    = 2 * time.Second
)

// queue takes k.one. Looking at a PIN is slow on purpose: phones that come all at once are
// told to wait rather than put into a queue, at whose end the facilitator would stand.
func (k *Keeper) queue(c Client) (leave func(), no *Refusal) {
	if !c.Own {
		if k.strangers.Add(1) > strangersWaiting {
			k.strangers.Add(-1)
			return nil, refuseLocked(strangersWait)
		}
	}
	k.one.Lock()
	return func() {
		k.one.Unlock()
		if !c.Own {
			k.strangers.Add(-1)
		}
	}, nil
}

// verify needs k.one.
func (k *Keeper) verify(c Client, pin string) (Pass, error) {
	old := k.state.Load()
	if old.Hash == "" {
		return Pass{}, refuseNoPIN()
	}
	if wait := old.Wrong.wait(c, time.Now()); wait > 0 {
		return Pass{}, refuseLocked(wait)
	}
	if r := checkDigits(pin); r != nil {
		return Pass{}, r
	}
	s := *old
	var pass Pass
	var refusal error
	switch err := bcrypt.CompareHashAndPassword([]byte(old.Hash), []byte(pin)); {
	case err == nil:
		s.Wrong = old.Wrong.right(c)
		pass = Pass{generation: s.Generation}
		if old.Wrong.Total == 0 && old.Wrong.find(c) < 0 {
			return pass, nil // nothing to write: spare the SD card
		}
	case errors.Is(err, bcrypt.ErrMismatchedHashAndPassword):
		now := time.Now()
		s.Wrong = old.Wrong.wrong(c, now)
		refusal = refuseWrong(s.Wrong.wait(c, now))
	default:
		return Pass{}, fmt.Errorf("check PIN: %w", err)
	}
	if err := k.save(&s); err != nil {
		k.state.Store(&s)
	}
	return pass, refusal
}

// SetPIN sets the first PIN (old is not looked at; only the kiosk's own screen may)
// or changes it (old must be the PIN, and is checked and counted as by [Keeper.Verify]).
// All sessions end; the Pass begins a new one. Errors are as those of Verify, with
// BadPIN also for a new PIN that is easy to guess and NotHere for a first PIN from
// elsewhere; an error that is no [*Refusal] means that the disk did not take the new
// PIN and the old one holds. A first PIN that the disk does not take holds until the next
// start, and [Keeper.Notes] says so.
func (k *Keeper) SetPIN(c Client, old, pin string) (Pass, error) {
	if r := checkNewPIN(pin); r != nil {
		return Pass{}, r // before the old one, so that a slip costs no try
	}
	leave, no := k.queue(c)
	if no != nil {
		return Pass{}, no
	}
	defer leave()
	if k.PINSet() {
		if _, err := k.verify(c, old); err != nil {
			return Pass{}, err
		}
	} else if !c.Own {
		return Pass{}, refuseNotHere()
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(pin), k.cost)
	if err != nil {
		return Pass{}, fmt.Errorf("hash PIN: %w", err)
	}
	s := *k.state.Load()
	s.Hash = string(hash)
	s.Generation = hex.EncodeToString(randomBytes(16))
	if err := k.save(&s); err != nil {
		if k.PINSet() {
			return Pass{}, fmt.Errorf("save PIN: %w", err)
		}
		k.state.Store(&s) // else a disk that takes nothing would keep everybody out
	}
	return Pass{generation: s.Generation}, nil
}

func checkDigits(pin string) *Refusal {
	ok := len(pin) >= minDigits && len(pin) <= maxDigits
	for i := range len(pin) {
		ok = ok && '0' <= pin[i] && pin[i] <= '9'
	}
	if !ok {
		return refuse(BadPIN,
			fmt.Sprintf("PIN terdiri dari %d sampai %d angka.", minDigits, maxDigits),
			fmt.Sprintf("A PIN has %d to %d digits.", minDigits, maxDigits))
	}
	return nil
}

// checkNewPIN also refuses what is tried first: 000000, 123456, 987654, 7890123, and what
// can be somebody's birthday.
func checkNewPIN(pin string) *Refusal {
	if r := checkDigits(pin); r != nil {
		return r
	}
	step := func(i int) byte { return (pin[i] - pin[i-1] + 10) % 10 } // 9 to 0 goes on
	first, even := step(1), true
	for i := 2; i < len(pin); i++ {
		even = even && step(i) == first
	}
	switch {
	case even && (first == 0 || first == 1 || first == 9):
		return refuse(BadPIN,
			"PIN ini mudah ditebak. Jangan pakai angka yang sama semua atau angka berurutan.",
			"This PIN is easy to guess. Do not use one digit only or digits in a row.")
	case isDate(pin):
		return &Refusal{Reason: BadPIN, message: lang.Text("signin.date")}
	}
	return nil
}

// isDate says whether a PIN is a date as people here write it: day, month and year, or
// the other way round, the year with two digits or four (1900 to 2099), and day and month
// with or without a leading zero where the year has four.
func isDate(pin string) bool {
	if len(pin) == 6 {
		if isDay(pin[:2], pin[2:4]) || isDay(pin[4:], pin[2:4]) { // 170845, 450817
			return true
		}
	}
	if len(pin) < 6 || len(pin) > 8 {
		return false
	}
	end := len(pin) - 4
	return isYear(pin[end:]) && isDayAndMonth(pin[:end], false) || // 17081945, 1781945
		isYear(pin[:4]) && isDayAndMonth(pin[4:], true) // 19450817
}

func isYear(digits string) bool { return digits[:2] == "19" || digits[:2] == "20" }

// isDayAndMonth splits 2 to 4 digits wherever they can be.
func isDayAndMonth(digits string, monthFirst bool) bool {
	for cut := 1; cut < len(digits); cut++ {
		day, month := digits[:cut], digits[cut:]
		if monthFirst {
			day, month = month, day
		}
		if len(day) <= 2 && len(month) <= 2 && isDay(day, month) {
			return true
		}
	}
	return false
}

// isDay says whether the digits are a day of some year.
func isDay(day, month string) bool {
	_, err := time.Parse("2006-1-2", "2000-"+strings.TrimPrefix(month, "0")+"-"+strings.TrimPrefix(day, "0")) // a leap year
	return err == nil
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails: see crypto/rand
	return b
}
