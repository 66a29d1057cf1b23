package signin

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
	"golang.org/x/crypto/bcrypt"
)

const (
	pinFile    = "pin.json"
	secretFile = "secret.key"

	stateVersion = 1
	secretBytes  = 64
)

// errDamaged marks a file whose content cannot be what we wrote.
var errDamaged = errors.New("damaged")

// errNewer marks a file that a newer program wrote.
var errNewer = errors.New("newer")

// state is pin.json.
type state struct {
	Version int `json:"version"`
	// Hash is the PIN by bcrypt, or "" when none is set.
	Hash string `json:"hash,omitempty"`
	// Generation names this setting of the PIN; sessions carry it. It is random and
	// not a number, so that a lost pin.json cannot bring old sessions back to life.
	Generation string `json:"generation,omitempty"`
	Wrong      tally  `json:"wrong"`
	// ResetSeen is the last reset file that was obeyed and may still be there.
	ResetSeen *identity `json:"resetSeen,omitempty"`
}

func readState(path string) (*state, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &state{Version: stateVersion}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read PIN: %w", err)
	}
	return parseState(raw)
}

func parseState(raw []byte) (*state, error) {
	var s state
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", pinFile, errDamaged, err)
	}
	if s.Version > stateVersion {
		return nil, fmt.Errorf("%w: %s has version %d, this program knows %d: install the newer program again", errNewer, pinFile, s.Version, stateVersion)
	}
	bad := s.Version != stateVersion || (s.Hash == "") != (s.Generation == "") || s.Wrong.Total < 0 || len(s.Wrong.Clients) > clientsKept
	for _, e := range s.Wrong.Clients {
		bad = bad || e.Address == "" || e.Wrong < 0
	}
	if s.Hash != "" {
		cost, err := bcrypt.Cost([]byte(s.Hash))
		bad = bad || err != nil || cost > bcryptCost // a high cost would hold the CPU for hours
	}
	if bad {
		return nil, fmt.Errorf("%s: %w", pinFile, errDamaged)
	}
	return &s, nil
}

func (s *state) write(path string) error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", pinFile, err)
	}
	return writeDurably(path, append(raw, '\n'))
}

// readSecret reads the secret, and makes it when there is none. There may be a secret with
// an error: it holds, and what the disk should have kept is not kept.
func readSecret(path string) ([]byte, error) {
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		raw = make([]byte, secretBytes)
		rand.Read(raw) // never fails: see crypto/rand
		return raw, writeDurably(path, raw)
	case err != nil:
		return nil, fmt.Errorf("read secret: %w", err)
	case len(raw) != secretBytes || bytes.Equal(raw, make([]byte, secretBytes)):
		// All zero is what some SD cards leave behind after a power cut: it must
		// never become a key that everybody knows.
		return nil, fmt.Errorf("%s: %w", secretFile, errDamaged)
	}
	// A copy made by hand may have got wider rights than ours.
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		if err := os.Chmod(path, 0o600); err != nil {
			return raw, fmt.Errorf("make secret private: %w", err)
		}
	}
	return raw, nil
}

// writeDurably replaces a file so that after a power cut either the old or the new
// content is there, whole, and after return the new one.
func writeDurably(path string, data []byte) error {
	dir, name := filepath.Split(path)
	err := renameio.WriteFile(path, data, 0o600, renameio.WithTempDir(dir), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	// renameio syncs the file but not the directory, where the rename is kept.
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open directory to sync: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	return nil
}

// sweep removes temporary files that a power cut left behind.
func sweep(dir string) error {
	for _, name := range []string{pinFile, secretFile} {
		left, err := filepath.Glob(filepath.Join(dir, "."+name+"*"))
		if err != nil {
			return fmt.Errorf("look for left-over files: %w", err)
		}
		for _, path := range left {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("remove left-over file: %w", err)
			}
		}
	}
	return nil
}
