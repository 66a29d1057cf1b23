package pack

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func parseJSON(t *testing.T, data []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// inPack puts any bytes in the place of one file of a good pack, and holds what is said of
// it: a pack that is refused has a mistake in both languages on a line that is there.
func inPack(f *testing.F, name string, seeds ...string) {
	for _, s := range append(seeds, goodPack()[name], "", "\ufeff"+strings.ReplaceAll(goodPack()[name], "\n", "\r\n"), "\xff\xfe\x00") {
		f.Add([]byte(s))
	}
	dir := f.TempDir()
	for name, content := range goodPack() {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			f.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), data, 0o644); err != nil {
			t.Fatal(err)
		}
		v, err := Verify(t.Context(), dir, Check{})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range append(v.Mistakes, v.Notes...) {
			if m.What["id"] == "" || m.What["en"] == "" || m.File == "" || m.File == name && m.Line > strings.Count(string(data), "\n")+1 {
				t.Fatalf("%+v", m)
			}
		}
		p, err := Load(dir)
		if (err == nil) != (v.Pack != nil) || err == nil && len(v.Mistakes) < len(p.Left) {
			t.Fatalf("Load: %v, Verify: %v", err, v.Mistakes)
		}
		if err != nil {
			return
		}
		if p.ID == "" || p.Title["id"] == "" || len(p.Regencies) == 0 || len(p.Questions) == 0 || !filepath.IsLocal(strings.TrimPrefix(p.Film.File, p.Dir+"/")) && p.Film.File != "" {
			t.Fatalf("%+v", p)
		}
		for _, r := range p.Regencies {
			if len(r.BPS) != 4 || len(r.Kemendagri) != 5 {
				t.Fatalf("%+v", r)
			}
		}
	})
}

func FuzzPackTOML(f *testing.F) { inPack(f, "pack.toml") }
func FuzzFilmTOML(f *testing.F) { inPack(f, "film/film.toml") }
func FuzzLanguage(f *testing.F) {
	inPack(f, "lang/aoz.json", "[]", `{"a": {"b": 1}}`, `{"pack.title": "x", "pack.title": "y"}`, "{}{}")
}
func FuzzSubtitles(f *testing.F) {
	inPack(f, "film/id.vtt", "WEBVTT\n\n1\n100:00:00.000 --> 100:00:01.000 align:start\nx\n")
}
func FuzzPicture(f *testing.F) {
	inPack(f, "icons/own.svg", `<!DOCTYPE svg [<!ENTITY a "b">]><svg xmlns="http://www.w3.org/2000/svg"><image href="//x"/>&a;</svg>`)
}
func FuzzSums(f *testing.F) {
	inPack(f, SumsFile, sumsOf(goodPack()), strings.Repeat("a", 64)+" *..\\..\\x\r\n")
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
		if err := nameFilm(path, "film-2.mp4"); err != nil {
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
