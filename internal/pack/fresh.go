package pack

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed fresh
var freshFiles embed.FS

// freshID is the id that the pack in fresh/ has until it gets its own.
const freshID = "film-saya"

var notInID = regexp.MustCompile(`[^a-z0-9]+`)

// New makes a pack to be filled in, named for its folder, which must be new or empty. The
// kiosk can use it at once; [Verify] names every place that still waits for words. Ends of
// lines are those of Windows, where it is likely to be edited.
func New(dir string) error {
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("folder %s tidak kosong; pilih nama lain / is not empty; choose another name", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	id := strings.Trim(notInID.ReplaceAllString(strings.ToLower(filepath.Base(full)), "-"), "-")
	if !idForm.MatchString(id) {
		id = freshID
	}
	return fs.WalkDir(freshFiles, "fresh", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(name, "fresh")))
		if e.IsDir() {
			return os.MkdirAll(to, 0o755)
		}
		data, err := freshFiles.ReadFile(name)
		if err != nil {
			return err
		}
		data = bytes.ReplaceAll(data, []byte(`id = "`+freshID+`"`), []byte(`id = "`+id+`"`))
		data = bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n"))
		return os.WriteFile(to, data, 0o644)
	})
}
