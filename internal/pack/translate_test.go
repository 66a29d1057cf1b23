package pack

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"aead.dev/minisign"
	"github.com/BurntSushi/toml"
)

// textsOf finds every text by language below a value of a TOML file: a table that has the key
// "id" and none but codes of languages.
func textsOf(value any) []string {
	var out []string
	switch v := value.(type) {
	case map[string]any:
		text := v["id"] != nil
		for key, value := range v {
			_, is := value.(string)
			text = text && is && codeForm.MatchString(key)
		}
		if text {
			return []string{v["id"].(string)}
		}
		for _, value := range v {
			out = append(out, textsOf(value)...)
		}
	case []map[string]any:
		for _, value := range v {
			out = append(out, textsOf(value)...)
		}
	case []any:
		for _, value := range v {
			out = append(out, textsOf(value)...)
		}
	}
	return out
}

// TestEveryTextCanBeTranslated takes the campaign's pack: whatever stands in it in Indonesian
// stands in the file for translators, and a translation of all of it is taken.
func TestEveryTextCanBeTranslated(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../media/mimpi-beta")); err != nil {
		t.Fatal(err)
	}
	file, missing, err := WriteLanguage(dir, "tet", []byte(`{"language.name": "Bahasa Indonesia"}`))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var asked map[string]string
	if err := json.Unmarshal(data, &asked); err != nil {
		t.Fatal(err)
	}
	var indonesian []string
	for key, text := range asked {
		if strings.HasPrefix(key, "//pack.") {
			indonesian = append(indonesian, text)
			asked[strings.TrimPrefix(key, "//")] = "T " + strings.TrimPrefix(key, "//")
		}
	}
	asked["language.name"] = "Tetun"
	if len(indonesian)+1 != missing {
		t.Errorf("%d texts wait for a translation, and %d are said to", len(indonesian)+1, missing)
	}
	found := 0
	err = fs.WalkDir(os.DirFS(dir), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".toml" {
			return err
		}
		var value map[string]any
		if _, err := toml.DecodeFile(filepath.Join(dir, name), &value); err != nil {
			return err
		}
		for _, text := range textsOf(value) {
			found++
			if !slices.Contains(indonesian, strings.TrimSpace(text)) {
				t.Errorf("%s: %q cannot be translated", name, text)
			}
		}
		return nil
	})
	if err != nil || found < len(indonesian) {
		t.Errorf("%d texts were found in the pack, of %d that can be translated: %v", found, len(indonesian), err)
	}

	translated, err := json.Marshal(asked)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, translated, 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := Load(dir)
	if err != nil || len(p.Left) > 0 {
		t.Fatalf("%v %v", err, p.Left)
	}
	if missing, all := p.Missing("tet"); len(missing) > 0 || all < len(indonesian) {
		t.Errorf("%d of %d are still missing: %q", len(missing), all, missing)
	}
	for _, q := range p.Questions {
		for i, prompt := range q.Prompts {
			if !strings.HasPrefix(prompt["tet"], "T pack.questions."+q.ID+".prompts.") {
				t.Errorf("the facilitator reads prompt %d of %s as %q", i+1, q.ID, prompt["tet"])
			}
		}
	}
}

// What is no pack, or a broken one, gets words and no panic, from every verb.
func TestNoPackNoPanic(t *testing.T) {
	broken := goodPack()
	broken["pack.toml"] = "id = "
	for name, dir := range map[string]string{"empty": t.TempDir(), "not there": filepath.Join(t.TempDir(), "no"), "broken": write(t, broken)} {
		for verb, do := range map[string]func() error{
			"language": func() error { _, _, err := WriteLanguage(dir, "tet", []byte("{}")); return err },
			"film":     func() error { _, err := AddFilm(t.Context(), dir, "translate_test.go", nil); return err },
			"sign":     func() error { return Sign(t.Context(), dir, minisign.PrivateKey{}) },
		} {
			if err := do(); err == nil {
				t.Errorf("%s of a folder that is %s succeeds", verb, name)
			}
		}
	}
	good := write(t, goodPack())
	if _, _, err := WriteLanguage(good, "tet", []byte("{")); err == nil {
		t.Error("sentences of the screens that cannot be read are taken")
	}
	if err := os.WriteFile(filepath.Join(good, "lang", "tet.json"), []byte("{\"a\": 1}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := WriteLanguage(good, "tet", []byte("{}")); err == nil {
		t.Error("a broken translation is written over")
	}
	if data, err := os.ReadFile(filepath.Join(good, "lang", "tet.json")); err != nil || string(data) != "{\"a\": 1}" {
		t.Errorf("%v %s", err, data)
	}
}
