package pack

import (
	"bytes"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write media/schema anew")

const schemas = "../../media/schema"

func TestTheCampaignsPackIsSound(t *testing.T) {
	v, err := Verify(t.Context(), campaign, Check{})
	if err != nil || len(v.Mistakes) > 0 {
		t.Errorf("%v %v", v.Mistakes, err)
	}
	var said []string
	for _, n := range v.Notes {
		said = append(said, n.What["en"])
	}
	for _, want := range []string{"no film yet", `"spare" is in the folder, but not asked`, "no guidebook yet", "Nobody has dialled 0800-1000"} {
		if !strings.Contains(strings.Join(said, "\n"), want) {
			t.Errorf("nothing is said of %q: %q", want, said)
		}
	}
}

func TestAGoodPackIsSound(t *testing.T) {
	files := goodPack()
	day := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	v, err := Verify(t.Context(), write(t, files), Check{Today: day})
	if err != nil || len(v.Mistakes) > 0 || v.Pack == nil {
		t.Fatalf("%v %v", v.Mistakes, err)
	}
	said := map[string]bool{}
	for _, n := range v.Notes {
		said[strings.Fields(n.What["en"])[0]+" "+n.File] = true
	}
	// The film's place is empty, English and Uab Meto are begun and not finished.
	if diff := cmp.Diff([]string{"11 pack.toml", "9 lang/aoz.json", "There film/film.toml"}, slices.Sorted(maps.Keys(said))); diff != "" {
		t.Errorf("notes (-want +got):\n%s%v", diff, v.Notes)
	}
	files["extra.doc"] = "x"
	for want, today := range map[string]time.Time{"dialled on 2026-11-20": day.AddDate(0, 6, 0), "in the future": day.AddDate(0, 0, -7)} {
		v, err := Verify(t.Context(), write(t, files), Check{Today: today})
		all := ""
		for _, n := range v.Notes {
			all += n.Error() + "\n"
		}
		if err != nil || !strings.Contains(all, want) || !strings.Contains(all, "extra.doc: The kiosk does not read this") {
			t.Errorf("on %s: %s %v", today, all, err)
		}
	}
}

func TestSignature(t *testing.T) {
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := write(t, goodPack())
	check := func(keys []minisign.PublicKey, want string) {
		t.Helper()
		v, err := Verify(t.Context(), dir, Check{Keys: keys})
		if err != nil || (want == "") != (len(v.Mistakes) == 0) || want != "" && !strings.Contains(v.Mistakes[0].What["en"], want) {
			t.Errorf("want %q: %v %v", want, v.Mistakes, err)
		}
	}
	trusted := []minisign.PublicKey{other, public}
	check(trusted, "not signed")
	if _, err := WriteSums(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	check(trusted, "signature is not there")
	if err := Sign(t.Context(), dir, private); err != nil {
		t.Fatal(err)
	}
	check(trusted, "")
	check(nil, "")
	check(trusted[:1], "not by a key that is trusted")
	if err := os.WriteFile(filepath.Join(dir, SumsFile), []byte(sumsOf(goodPack())+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	check(trusted, "not by a key that is trusted")
}

func TestNew(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "Film Kampung 2")
	if err := New(dir); err != nil {
		t.Fatal(err)
	}
	if err := New(dir); err == nil {
		t.Error("a folder with a pack in it was written over")
	}
	p, err := Load(dir)
	if err != nil || p.ID != "film-kampung-2" || p.Film.ID != "film-kampung-2" {
		t.Fatalf("%+v %v", p, err)
	}
	v, err := Verify(t.Context(), dir, Check{})
	if err != nil {
		t.Fatal(err)
	}
	places := 0
	err = filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".toml" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(data, []byte("\r\n")) {
			t.Errorf("%s has no ends of lines that every Notepad knows", path)
		}
		places += bytes.Count(data, []byte(`"ISI:`))
		return os.WriteFile(path, bytes.ReplaceAll(data, []byte("ISI: "), []byte("Diisi ")), 0o644)
	})
	if err != nil || places < 10 || len(v.Mistakes) != places {
		t.Errorf("%d places to fill in, %d named: %v", places, len(v.Mistakes), err)
	}
	for _, m := range v.Mistakes {
		if m.Line == 0 || !strings.Contains(m.What["en"], "to be filled in") {
			t.Errorf("%v", m)
		}
	}
	if v, err = Verify(t.Context(), dir, Check{}); err != nil || len(v.Mistakes) > 0 {
		t.Errorf("filled in: %v %v", v.Mistakes, err)
	}
}

func TestLanguages(t *testing.T) {
	dir := write(t, goodPack())
	p, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Questions[0].Text.In("aoz") + p.Questions[1].Text.In("aoz") + p.Title.In("aoz"); got != "Fauk?Apa?Ana'" {
		t.Errorf("said %q", got)
	}
	// The pack names no languages to record: those of its texts.
	if want := []Language{{Code: "aoz"}, {Code: "en"}, {Code: "id"}}; !slices.Equal(p.Spoken, want) {
		t.Errorf("to be recorded in %v, want %v", p.Spoken, want)
	}
	missing, all := p.Missing("aoz")
	if len(missing) != 9 || all != 12 || missing[0] != "pack.film.title" || !slices.Contains(missing, "pack.questions.k1.options.2") {
		t.Errorf("%d of %d are missing: %q", len(missing), all, missing)
	}
	if missing, _ := p.Missing("id"); len(missing) > 0 {
		t.Errorf("Indonesian lacks %q", missing)
	}
	file, ok := p.Recording("aoz", "questions.k1.text")
	if _, err := os.Stat(file); !ok || err != nil {
		t.Errorf("recording %q: %v", file, err)
	}
	if file, ok := p.Recording("aoz", "title"); ok {
		t.Errorf("a recording out of nowhere: %s", file)
	}

	// A file for a translator, twice: what is there stays.
	screens := []byte(`{"language.name": "Bahasa Indonesia", "touch.skip": "Lewati"}`)
	for _, want := range []struct {
		code    string
		missing int
	}{{"aoz", 9}, {"tet", 14}, {"tet", 14}, {"en", 13}} {
		file, missing, err := WriteLanguage(dir, want.code, screens)
		if err != nil || missing != want.missing || filepath.Base(file) != want.code+".json" {
			t.Errorf("%s: %s, %d missing, %v", want.code, file, missing, err)
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "lang/aoz.json"))
	if err != nil || !strings.Contains(string(data), `"//pack.questions.k1.text": "Berapa?",`+"\n"+`  "pack.questions.k1.text": "Fauk?"`) {
		t.Errorf("%v %s", err, data)
	}
	again, err := Load(dir)
	if err != nil || len(again.Left) > 0 || again.Title["aoz"] != "Ana'" || !slices.Equal(again.Languages, []string{"aoz", "en", "tet"}) {
		t.Errorf("%v %v %v", err, again.Left, again.Languages)
	}
	for _, code := range []string{"id", "Tetun", "../x", ""} {
		if _, _, err := WriteLanguage(dir, code, screens); err == nil {
			t.Errorf("%q was taken for a language", code)
		}
	}
}

// What is wrong with a language, a recording or a picture keeps nobody from the evening.
func TestAnEveningDoesWithout(t *testing.T) {
	files := goodPack()
	files["lang/tet.json"] = "{"
	files["audio/aoz/nothing.mp3"] = "ID3"
	files["icons/own.svg"] = "<svg"
	p, err := Load(write(t, files))
	if err != nil || len(p.Left) != 3 || p.Title["aoz"] != "Ana'" {
		t.Errorf("%v: %v", err, p.Left)
	}
}

// The schemas that editors use are made of the types that read the files.
func TestSchemasAreCurrent(t *testing.T) {
	for name, want := range Schemas() {
		path := filepath.Join(schemas, name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not current; run: go test ./internal/pack -run TestSchemas -update (%v)", path, err)
		}
	}
}

// Both the campaign's pack and a fresh one are what the schemas say; wrong ones are not.
func TestSchemasFitPacks(t *testing.T) {
	fresh := filepath.Join(t.TempDir(), "baru")
	if err := New(fresh); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, dir := range []string{campaign, fresh} {
		for pattern, name := range map[string]string{"pack.toml": "pack.json", "questions/*.toml": "question.json", "film/film.toml": "film.json"} {
			paths, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil || len(paths) == 0 {
				t.Fatalf("%s: %v", pattern, err)
			}
			for _, path := range paths {
				var value map[string]any
				if _, err := toml.DecodeFile(path, &value); err != nil {
					t.Fatal(err)
				}
				if wrong := against(schemaNamed(t, name), value, ""); len(wrong) > 0 {
					t.Errorf("%s: %q", path, wrong)
				}
				checked++
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d files were held to a schema", checked)
	}
	var value map[string]any
	if _, err := toml.Decode(`id = "X"
kind = "many"
colour = 1
ask = []
[[options]]
id = 7
`, &value); err != nil {
		t.Fatal(err)
	}
	wrong := against(schemaNamed(t, "question.json"), value, "")
	slices.Sort(wrong)
	if diff := cmp.Diff([]string{".ask: too few", ".colour: unknown", ".id: form", ".kind: choice", ".options.0.icon: missing", ".options.0.id: not string", ".options.0.text: missing", ".options: too few", ".text: missing"}, wrong); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func schemaNamed(t *testing.T, name string) map[string]any {
	t.Helper()
	out := map[string]any{}
	for key, value := range parseJSON(t, Schemas()[name]).(map[string]any) {
		out[key] = value
	}
	return out
}

// against holds a value to those words of JSON Schema that ours use.
func against(s map[string]any, value any, at string) (wrong []string) {
	switch v := value.(type) {
	case map[string]any:
		properties, _ := s["properties"].(map[string]any)
		patterns, _ := s["patternProperties"].(map[string]any)
		required, _ := s["required"].([]any)
		for _, key := range required {
			if _, ok := v[key.(string)]; !ok {
				wrong = append(wrong, at+"."+key.(string)+": missing")
			}
		}
		for key, inner := range v {
			of, ok := properties[key].(map[string]any)
			for pattern, p := range patterns {
				if regexp.MustCompile(pattern).MatchString(key) {
					of, ok = p.(map[string]any), true
				}
			}
			if !ok {
				wrong = append(wrong, at+"."+key+": unknown")
				continue
			}
			wrong = append(wrong, against(of, inner, at+"."+key)...)
		}
	case []map[string]any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		return against(s, list, at)
	case []any:
		if least, ok := s["minItems"].(float64); ok && len(v) < int(least) {
			wrong = append(wrong, at+": too few")
		}
		if most, ok := s["maxItems"].(float64); ok && len(v) > int(most) {
			wrong = append(wrong, at+": too many")
		}
		for i, inner := range v {
			wrong = append(wrong, against(s["items"].(map[string]any), inner, at+"."+string(rune('0'+i)))...)
		}
	case string:
		if s["type"] != "string" {
			return []string{at + ": not " + s["type"].(string)}
		}
		if pattern, ok := s["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString(v) {
			wrong = append(wrong, at+": form")
		}
		if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, any(v)) {
			wrong = append(wrong, at+": choice")
		}
	case bool:
		if s["type"] != "boolean" {
			return []string{at + ": not " + s["type"].(string)}
		}
	default:
		return []string{at + ": not " + s["type"].(string)}
	}
	return wrong
}
