// Package shelf keeps the screening packs that came to the kiosk on USB sticks, beside the
// one that it was installed with.
//
//	packs/shelf.json     which pack is in use, which was before, which comes next
//	packs/ID-12345678/   a pack, never changed once it stands under its name
//
// [Shelf.Offers] looks at what a stick brings and changes nothing. [Shelf.Take] copies a
// pack, bounded in every way (a stick is hostile until shown otherwise), and checks the
// copy whole: SHA256SUMS where the pack has it, its minisign signature where the kiosk has
// keys that it trusts (then both must be there), every text of it as [pack.Load] does, and
// the film. Only then it is chosen, by one rename; the pack in use is never touched.
// [Shelf.Advance] puts the chosen one into use between two screenings, and [Shelf.Back]
// undoes it. Nothing of a pack is ever run.
//
// The package starts no goroutines. Methods of a Shelf must not be called at once, but for
// Offers.
package shelf

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"aead.dev/minisign"
	"github.com/google/renameio/v2"

	"mimpi-kiosk/internal/pack/local"
)

// Shelf is the folder of packs.
type Shelf struct {
	dir     string
	trusted []minisign.PublicKey
	state   state
}

// BuiltIn stands for the pack that the kiosk was installed with.
const BuiltIn = ""

// state is shelf.json. Names are those of folders, or BuiltIn.
type state struct {
	Current  string  `json:"current"`
	Previous *string `json:"previous,omitempty"` // nil: there was none
	Next     *string `json:"next,omitempty"`     // nil: it stays as it is
}

const (
	tmpPrefix = ".tmp-" // a pack that is being copied
	stateFile = "shelf.json"
)

// Open opens the folder, which is made when something is taken. The keys are public keys
// of minisign ("RW..."). A shelf.json that cannot be read is an error, and the Shelf then
// says that the built-in pack is in use.
func Open(dir string, keys []string) (*Shelf, error) {
	s := &Shelf{dir: dir}
	for _, text := range keys {
		var key minisign.PublicKey
		if err := key.UnmarshalText([]byte(text)); err != nil {
			return s, fmt.Errorf("the key %q of packs: %w", text, err)
		}
		s.trusted = append(s.trusted, key)
	}
	data, err := os.ReadFile(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &s.state)
	}
	if err != nil {
		s.state = state{}
		return s, fmt.Errorf("which pack is in use: %w", err)
	}
	s.state.Current = s.notGiven(s.state.Current)
	for _, name := range []*string{s.state.Previous, s.state.Next} {
		if name != nil {
			*name = s.notGiven(*name)
		}
	}
	return s, nil
}

// notGiven gives BuiltIn for the copy of the built-in pack that an older version was given
// (see package local) and that is back in its place.
func (s *Shelf) notGiven(name string) string {
	if _, err := os.Stat(filepath.Join(s.dir, name)); strings.HasSuffix(name, local.GivenEnding) && errors.Is(err, fs.ErrNotExist) {
		return BuiltIn
	}
	return name
}

// Current gives the folder of the pack in use; ok is false when it is the built-in one.
func (s *Shelf) Current() (dir string, ok bool) {
	if !plainName(s.state.Current) {
		return "", false
	}
	return filepath.Join(s.dir, s.state.Current), true
}

// Waits says whether another pack was chosen and is not in use yet.
func (s *Shelf) Waits() bool { return s.state.Next != nil }

// CanGoBack says whether there is a pack to go back to.
func (s *Shelf) CanGoBack() bool { return s.state.Next != nil || s.state.Previous != nil }

// Choose has the pack used from the next Advance on.
func (s *Shelf) Choose(name string) error {
	next := s.state
	next.Next = &name
	if name == s.state.Current {
		next.Next = nil
	}
	return s.keep(next)
}

// Back takes back a choice that is not in use yet, or chooses the pack that was in use
// before.
func (s *Shelf) Back() error {
	next := s.state
	switch {
	case s.state.Next != nil:
		next.Next = nil
	case s.state.Previous != nil:
		next.Next = s.state.Previous
	default:
		return errors.New("there is no earlier pack")
	}
	return s.keep(next)
}

// Advance puts the chosen pack into use. Packs that nothing leads to any more are removed.
func (s *Shelf) Advance() error {
	if s.state.Next == nil {
		return nil
	}
	was := s.state.Current
	if err := s.keep(state{Current: *s.state.Next, Previous: &was}); err != nil {
		return err
	}
	return s.tidy()
}

// Retreat gives up the pack in use, which turned out to be damaged, for the earlier one.
func (s *Shelf) Retreat() error {
	next := state{Current: BuiltIn}
	if p := s.state.Previous; p != nil && *p != s.state.Current {
		next.Current = *p
	}
	return s.keep(next)
}

func (s *Shelf) keep(next state) error {
	data, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("keep which pack is in use: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(s.dir, stateFile), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("keep which pack is in use: %w", err)
	}
	s.state = next
	return nil
}

func (s *Shelf) tidy() error {
	kept := []string{s.state.Current}
	for _, name := range []*string{s.state.Previous, s.state.Next} {
		if name != nil {
			kept = append(kept, *name)
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.IsDir() && !slices.Contains(kept, e.Name()) {
			if err := os.RemoveAll(filepath.Join(s.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// plainName says whether a name can be that of a folder of a pack.
func plainName(name string) bool {
	return name != "" && len(name) <= 100 && !strings.HasPrefix(name, ".") && filepath.Base(name) == name && filepath.IsLocal(name)
}
