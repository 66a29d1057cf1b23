// Package booklet turns the pages of a PDF into pictures, so that cheap phones can read the
// guidebook in their browser without opening the whole file. Poppler draws them
// (poppler-utils), one at a time, and each only once.
//
// A [Booklet] is safe for concurrent use and has no goroutines; the programs that it starts
// end with the context of the call.
package booklet

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
)

const (
	wide     = 720 // pixels: twice what a cheap phone has
	most     = 400 // pages that are looked at
	patience = time.Minute
)

// Booklet is a PDF. Make one with New.
type Booklet struct {
	file, dir string
	one       *semaphore.Weighted // page at a time: a Pi has other work

	counting sync.Mutex
	pages    int // 0: not counted yet
}

// New makes a Booklet of a PDF. Pictures are kept in a folder of its own in dir.
func New(file, dir string) *Booklet {
	return &Booklet{file: file, dir: dir, one: semaphore.NewWeighted(1)}
}

var pagesLine = regexp.MustCompile(`(?m)^Pages:\s+(\d+)`)

// Pages says how many pages there are, at most 400. The error says why that cannot be known:
// the file is no PDF, or poppler-utils is not installed.
func (b *Booklet) Pages(ctx context.Context) (int, error) {
	b.counting.Lock()
	defer b.counting.Unlock()
	if b.pages > 0 {
		return b.pages, nil
	}
	out, err := run(ctx, "pdfinfo", b.file)
	if err != nil {
		return 0, err
	}
	m := pagesLine.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("%s has no pages", filepath.Base(b.file))
	}
	n, err := strconv.Atoi(string(m[1]))
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s has %s pages", filepath.Base(b.file), m[1])
	}
	b.pages = min(n, most)
	return b.pages, nil
}

// Page gives the file of the picture of a page, from 1 on, as JPEG; fs.ErrNotExist when
// there is no such page.
func (b *Booklet) Page(ctx context.Context, n int) (string, error) {
	pages, err := b.Pages(ctx)
	if err != nil {
		return "", err
	}
	if n < 1 || n > pages {
		return "", fmt.Errorf("page %d of %d: %w", n, pages, fs.ErrNotExist)
	}
	info, err := os.Stat(b.file)
	if err != nil {
		return "", err
	}
	// Another book under the same name is another folder.
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %d", b.file, info.Size(), info.ModTime().UnixNano()))
	dir := filepath.Join(b.dir, hex.EncodeToString(sum[:8]))
	picture := filepath.Join(dir, fmt.Sprintf("%d.jpg", n))
	if drawn(picture) {
		return picture, nil
	}
	if err := b.one.Acquire(ctx, 1); err != nil {
		return "", err
	}
	defer b.one.Release(1)
	if drawn(picture) { // somebody else asked for it too
		return picture, nil
	}
	if _, err := os.Stat(dir); err != nil { // pictures of an older book take room for nothing
		if err := os.RemoveAll(b.dir); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	half := filepath.Join(dir, fmt.Sprintf("half-%d", n))
	if _, err := run(ctx, "pdftoppm", "-jpeg", "-jpegopt", "quality=75", "-f", strconv.Itoa(n), "-l", strconv.Itoa(n), "-singlefile",
		"-scale-to-x", strconv.Itoa(wide), "-scale-to-y", "-1", b.file, half); err != nil {
		return "", err
	}
	return picture, os.Rename(half+".jpg", picture)
}

// drawn says whether a picture is there whole: a power cut may leave an empty one.
func drawn(picture string) bool {
	info, err := os.Stat(picture)
	return err == nil && info.Size() > 0
}

func run(ctx context.Context, program string, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var why bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Stderr = &why
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w: %s", program, err, bytes.TrimSpace(why.Bytes()))
	}
	return out, nil
}
