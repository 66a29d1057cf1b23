package pack

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mimpi-kiosk/internal/screening"
)

func parseJSON(t *testing.T, data []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// inPack puts any bytes in the place of one file of a good pack, and holds what is said of
// it: each mistake is in both languages, and on a line that is there.
func inPack(f *testing.F, name string, read func(t *testing.T, p *Pack, folder folder, data []byte, m *mistakes), seeds ...string) {
	good := goodPack()[name]
	for _, s := range append(seeds, good, "", "\ufeff"+strings.ReplaceAll(good, "\n", "\r\n"), "\xff\xfe\x00") {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "book.pdf"), []byte("%PDF"), 0o644); err != nil {
		f.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { root.Close() })
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &mistakes{}
		read(t, &Pack{Dir: dir}, folder{root: root}, data, m)
		for _, mistake := range append(m.found, m.notes...) {
			if mistake.What["id"] == "" || mistake.What["en"] == "" || mistake.File == "" || mistake.Line > strings.Count(string(data), "\n")+1 {
				t.Fatalf("%+v", mistake)
			}
		}
	})
}

func FuzzPackTOML(f *testing.F) {
	inPack(f, "pack.toml", func(t *testing.T, p *Pack, folder folder, data []byte, m *mistakes) {
		d, order := p.readMain(data, folder, m)
		if d == nil && len(m.found) == 0 {
			t.Fatal("refused without a word")
		}
		if len(m.found) > 0 {
			return
		}
		if p.ID == "" || p.Title["id"] == "" || len(p.Regencies) == 0 || len(order) == 0 || p.Guidebook.File != "" && !strings.HasPrefix(p.Guidebook.File, p.Dir+"/") {
			t.Fatalf("%+v", p)
		}
		for _, r := range p.Regencies {
			if len(r.BPS) != 4 || len(r.Kemendagri) != 5 || r.ID == "" || r.Name == "" {
				t.Fatalf("%+v", r)
			}
		}
	})
}

func FuzzFilmTOML(f *testing.F) {
	inPack(f, "film/film.toml", func(t *testing.T, p *Pack, folder folder, data []byte, m *mistakes) {
		film := readFilm(data, folder, p.Dir, m)
		if film.Dir == "" && len(m.found) == 0 {
			t.Fatal("refused without a word")
		}
		if len(m.found) > 0 {
			return
		}
		if film.ID == "" || film.Title["id"] == "" || film.File != "" && !strings.HasPrefix(film.File, p.Dir+"/") || len(film.pauseLines) != len(film.PausePoints) {
			t.Fatalf("%+v", film)
		}
		for i, pause := range film.PausePoints {
			if pause.At <= 0 || i > 0 && pause.At <= film.PausePoints[i-1].At {
				t.Fatalf("%+v", film.PausePoints)
			}
		}
	})
}

func FuzzLanguage(f *testing.F) {
	inPack(f, "lang/aoz.json", func(t *testing.T, p *Pack, _ folder, data []byte, m *mistakes) {
		p.Title = screening.Text{"id": "Judul"}
		l, ok := readLang("lang/aoz.json", data, m)
		if ok != (l != nil) || !ok && len(m.found) == 0 {
			t.Fatal("refused without a word")
		}
		if !ok {
			return
		}
		var all map[string]any
		if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &all); err != nil && !bytes.Contains(data, []byte("\r")) {
			t.Fatalf("taken, but no JSON: %v", err)
		}
		l.into("aoz", map[string]screening.Text{"title": p.Title}, true, m)
		if got, want := p.Title["aoz"], strings.TrimSpace(l.text["pack.title"]); got != want || p.Title["id"] != "Judul" {
			t.Fatalf("title %q, want %q", got, want)
		}
	}, "[]", `{"a": {"b": 1}}`, `{"pack.title": "x", "pack.title": "y"}`, "{}{}")
}

func FuzzSubtitles(f *testing.F) {
	inPack(f, "film/id.vtt", func(t *testing.T, _ *Pack, _ folder, data []byte, m *mistakes) {
		checkSubtitles("film/id.vtt", data, m)
		if len(m.found) == 0 && !bytes.Contains(data, []byte("-->")) {
			t.Fatal("subtitles without one are sound")
		}
	}, "WEBVTT\n\n1\n100:00:00.000 --> 100:00:01.000 align:start\nx\n")
}

func FuzzPicture(f *testing.F) {
	inPack(f, "icons/own.svg", func(t *testing.T, _ *Pack, _ folder, data []byte, m *mistakes) {
		checkPicture("icons/own.svg", data, m)
		if len(m.found) == 0 && !bytes.Contains(data, []byte("svg")) {
			t.Fatalf("%q is a picture", data)
		}
	}, `<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"><image href="//x"/>&a;</svg>`)
}

func FuzzSums(f *testing.F) {
	for _, s := range []string{sumsOf(goodPack()), strings.Repeat("a", 64) + " *..\\..\\x\r\n", "\ufeff" + strings.Repeat("A", 64) + "  ./a\\b\n\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sums, bad := ParseSums(data)
		if (sums == nil) != (bad > 0) || bad > strings.Count(string(data), "\n")+1 {
			t.Fatalf("%v, line %d", sums, bad)
		}
		for name, sum := range sums {
			if !filepath.IsLocal(name) || len(sum) != 64 || sum != strings.ToLower(sum) {
				t.Fatalf("%q %q", name, sum)
			}
		}
	})
}

// FuzzNameFilm holds that writing a film's name into film.toml changes nothing else.
func FuzzNameFilm(f *testing.F) {
	for _, s := range []string{goodPack()["film/film.toml"], "file=''", "id = \"x\"\r\ntitle.id = \"y\"\r\n", "[[subtitles]]\nfile = \"a.vtt\"\n"} {
		f.Add([]byte(s))
	}
	path := filepath.Join(f.TempDir(), "film.toml")
	f.Fuzz(func(t *testing.T, data []byte) {
		var before filmTOML
		if _, ok := decode("film.toml", data, &before, &mistakes{}); !ok {
			return // AddFilm loads the pack first
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := NameFilm(path, "film-2.mp4"); err != nil {
			return // it says why
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var after filmTOML
		if _, ok := decode("film.toml", got, &after, &mistakes{}); !ok || after.File != "film-2.mp4" || after.ID != before.ID || len(after.Subtitles) != len(before.Subtitles) {
			t.Fatalf("%q became %q", data, got)
		}
	})
}
