package shelf

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mimpi-kiosk/internal/pack"
)

// FuzzOffers looks at a stick whose pack has anything at all in one of its files, and takes
// what is offered. What is refused says why, and leaves nothing behind.
func FuzzOffers(f *testing.F) {
	files := map[string][]byte{pack.SumsFile: []byte("00  pack.toml\n"), pack.SignatureFile: []byte("untrusted comment: x\nRWQ\ntrusted comment: y\nRWQ"), "film/id.vtt": []byte("WEBVTT\n\n00:00.000 --> 00:01.000\nx\n")}
	for _, name := range []string{"pack.toml", "film/film.toml", "questions/k1.toml"} {
		text, err := os.ReadFile(filepath.Join(ours, name))
		if err != nil {
			f.Fatal(err)
		}
		files[name] = text
	}
	names := slices.Sorted(maps.Keys(files))
	for i, name := range names {
		f.Add(uint8(i), files[name], i%2 == 0)
	}
	inUse, err := pack.Load(ours)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, which uint8, content []byte, trusting bool) {
		dir, shelfDir := stick(t, "baru"), filepath.Join(t.TempDir(), "packs")
		write(t, filepath.Join(dir, Place, "baru", names[int(which)%len(names)]), content)
		var keys []string
		if trusting {
			keys = []string{"RWRkkwnnPaOD+oGeVRUYKqTaLkTL1FuXkxMAt4VlB6bwcP7FKaiiAz9s"}
		}
		s := open(t, shelfDir, keys...)
		offers := s.Offers(t.Context(), dir)
		if len(offers) != 1 || offers[0].Name != "baru" || offers[0].No == nil && (offers[0].Title.In("en") == "" || trusting) {
			t.Fatalf("offered: %+v", offers)
		}
		err := s.Take(t.Context(), dir, "baru", inUse, func(int64, int64) {})
		if err == nil {
			if trusting {
				t.Error("taken unsigned")
			}
			return
		}
		if said := Sentences(err); said["id"] == "" || said["en"] == "" {
			t.Errorf("refused without a word: %v", err)
		}
		left, rerr := os.ReadDir(shelfDir)
		if s.Waits() || len(left) > 0 || rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			t.Errorf("refused (%v), and left behind: %v (%v)", err, left, rerr)
		}
	})
}
