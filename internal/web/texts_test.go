package web

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func TestTexts(t *testing.T) {
	own := fstest.MapFS{
		"id.json": {Data: []byte(`{"language.name":"Bahasa Indonesia","hello":"Halo","wait":"Tunggu","bye":"Sampai jumpa"}`)},
		"en.json": {Data: []byte(`{"language.name":"English","hello":"Hello","wait":"Please wait"}`)},
		"README":  {Data: []byte("no language")},
	}
	dropped := t.TempDir()
	for name, data := range map[string]string{
		"aoz.json":         "\ufeff" + `{"language.name":"Uab Meto","hello":"Tabe","wait":""}`, // a BOM, as Windows' editor writes it
		"en.json":          `{"hello":"Hi there"}`,                                             // over ours
		"tet.json":         `{"hello":"Bondia"`,                                                // broken
		"fr.json":          `["hello"]`,                                                        // not what is asked for
		"de.json":          `{"hello":5}`,
		"nms-x-tetun.json": `{"hello":"Ola"}`, // without its own name
		"EN.json":          `{"hello":"LOUD"}`,
		"english.json":     `{"hello":"long"}`,
		"id.json.bak":      `{"hello":"old"}`,
		".id.json.swp":     "\x00",
		"e n.json":         `{"hello":"blank"}`,
	} {
		if err := os.WriteFile(filepath.Join(dropped, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	texts, left := LoadTexts(own, dropped)
	if texts == nil {
		t.Fatal(left)
	}
	if left == nil {
		t.Fatal("nothing is said of the broken files")
	}
	for _, name := range []string{"tet.json", "fr.json", "de.json"} {
		if !strings.Contains(left.Error(), "texts "+name+": ") {
			t.Errorf("%s is not named in: %v", name, left)
		}
	}
	if n := strings.Count(left.Error(), "it must be"); n != 3 {
		t.Errorf("%d files are complained of, want 3: %v", n, left)
	}
	want := []Language{{"id", "Bahasa Indonesia"}, {"en", "English"}, {"aoz", "Uab Meto"}, {"nms-x-tetun", "nms-x-tetun"}}
	if diff := cmp.Diff(want, texts.Languages()); diff != "" {
		t.Errorf("languages (-want +got):\n%s", diff)
	}
	for _, c := range []struct{ lang, key, want string }{
		{"id", "hello", "Halo"},
		{"en", "hello", "Hi there"},   // dropped, over ours
		{"en", "wait", "Please wait"}, // ours stays
		{"en", "bye", "Sampai jumpa"}, // Indonesian, for want of English
		{"aoz", "hello", "Tabe"},
		{"aoz", "wait", "Tunggu"}, // not translated yet
		{"aoz", "bye", "Sampai jumpa"},
		{"nms-x-tetun", "hello", "Ola"},
		{"tet", "hello", "Halo"}, // broken: not there
		{"xx", "hello", "Halo"},
		{"en", "nothing", ""},
	} {
		if got := texts.Say(c.lang, c.key); got != c.want {
			t.Errorf("Say(%s, %s) = %q, want %q", c.lang, c.key, got, c.want)
		}
	}

	// As the screens get them.
	k := newKiosk(t, setup{parts: func(p *Parts) { p.Texts = texts }})
	b := k.phone(1)
	var served map[string]string
	if err := json.Unmarshal(b.get("/lang/aoz.json").body, &served); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"language.name": "Uab Meto", "hello": "Tabe", "wait": "Tunggu", "bye": "Sampai jumpa"}, served); diff != "" {
		t.Errorf("/lang/aoz.json (-want +got):\n%s", diff)
	}
	for _, missing := range []string{"tet", "fr", "EN", "english", "e%20n"} {
		if r := b.get("/lang/" + missing + ".json"); r.StatusCode != 404 {
			t.Errorf("/lang/%s.json gives %s", missing, r.Status)
		}
	}
	if page := string(b.get("/vote?lang=aoz").body); !strings.Contains(page, `lang="aoz"`) || !strings.Contains(page, `href="/vote?lang=nms-x-tetun"`) {
		t.Errorf("the page in a dropped language is %s", page)
	}
}

func TestTextsThatCannotBeHad(t *testing.T) {
	id := fstest.MapFS{"id.json": {Data: []byte(`{"language.name":"Bahasa Indonesia"}`)}}
	if texts, err := LoadTexts(id, filepath.Join(t.TempDir(), "none")); texts == nil || err != nil {
		t.Errorf("a folder that is not there: %v, %v", texts, err)
	}
	if texts, err := LoadTexts(id, ""); texts == nil || err != nil {
		t.Errorf("no folder: %v, %v", texts, err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if texts, err := LoadTexts(id, file); texts == nil || err == nil {
		t.Errorf("a file for a folder: %v, %v", texts, err)
	}
	if texts, err := LoadTexts(fstest.MapFS{"en.json": {Data: []byte(`{}`)}}, ""); texts != nil || err == nil {
		t.Errorf("without Indonesian: %v, %v", texts, err)
	}
}
