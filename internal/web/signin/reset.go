package signin

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// identity tells one reset file from the next.
type identity struct {
	Size     int64     `json:"size"`     // bytes
	Modified time.Time `json:"modified"` // UTC
	SHA256   string    `json:"sha256"`   // of the first 64 KiB
}

func (a identity) equal(b identity) bool {
	return a.Size == b.Size && a.SHA256 == b.SHA256 && a.Modified.Equal(b.Modified)
}

// Reset removes the PIN if there is a reset file at path, which somebody who forgot
// the PIN puts on the boot partition with a computer. It then ends all sessions,
// forgets wrong tries and deletes the file; it is true when it did so. Call it at
// the start and whenever a sign-in page is asked for: without a file it costs one
// look at the directory.
//
// A file that cannot be deleted (read-only partition, not root) works once only,
// and [Keeper.Notes] says to delete it. A new one is known by size, time of change
// and content. Only a regular file counts. After an error the PIN still holds.
func (k *Keeper) Reset(path string) (bool, error) {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		k.noteReset("") // somebody deleted it
		return false, nil
	}
	k.one.Lock()
	defer k.one.Unlock()
	id, err := identify(path)
	if errors.Is(err, fs.ErrNotExist) { // another call was quicker
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("reset PIN: %w", err)
	}
	s := *k.state.Load()
	fresh := s.ResetSeen == nil || !s.ResetSeen.equal(id)
	if fresh {
		// Remembered before it is deleted: after a power cut an old FAT directory may
		// bring the file back.
		s = state{Version: stateVersion, ResetSeen: &id}
		if err := k.save(&s); err != nil {
			return false, fmt.Errorf("reset PIN: %w", err)
		}
	}
	if err := remove(path); err != nil {
		k.noteReset(filepath.Base(path)) // the note is the report
		return fresh, nil
	}
	k.noteReset("")
	// Surely gone, so it may come again: a copy of the same file has the same time of
	// change and has to work the next time too. It stays remembered if this fails.
	// When a file is merely not seen it is not forgotten, because the boot partition
	// may only not be mounted yet.
	s.ResetSeen = nil
	if err := k.save(&s); err != nil {
		return fresh, fmt.Errorf("forget the deleted reset file: %w", err)
	}
	return fresh, nil
}

func identify(path string) (identity, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return identity{}, fmt.Errorf("look at reset file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return identity{}, fmt.Errorf("%s is not a plain file: delete it and put an empty file there", filepath.Base(path))
	}
	f, err := os.Open(path)
	if err != nil {
		return identity{}, fmt.Errorf("open reset file: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, io.LimitReader(f, 64<<10)); err != nil {
		return identity{}, fmt.Errorf("read reset file: %w", err)
	}
	return identity{Size: info.Size(), Modified: info.ModTime().UTC(), SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

func remove(path string) error {
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("delete reset file: %w", err)
	}
	return syncDir(filepath.Dir(path))
}

func (k *Keeper) noteReset(name string) {
	k.notesMu.Lock()
	defer k.notesMu.Unlock()
	k.resetLeft = name
}
