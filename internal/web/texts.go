package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Texts are the sentences of the screens: one flat JSON file per language. Files that
// a translator drops into a folder, or that a pack brings, come over those in the program;
// a sentence that a language lacks is said in Indonesian.
type Texts struct {
	languages []Language
	missing   map[string]int
	sentences map[string]map[string]string // language, key
	encoded   map[string][]byte
}

// Language is one that the screens can speak.
type Language struct {
	Code string `json:"code"`
	Name string `json:"name"` // in the language itself: the sentence "language.name"
}

var languageFile = regexp.MustCompile(`^([a-z]{2,3}(?:-[a-z0-9]{1,8})*)\.json$`)

// LoadTexts reads the program's own texts and those dropped into folders, which may be
// missing; later folders come over earlier ones. A dropped file that cannot be read is left out and told in the error,
// which does not stop the rest: the Texts are good whenever they are not nil.
func LoadTexts(own fs.FS, dropped ...string) (*Texts, error) {
	t := &Texts{missing: map[string]int{}, sentences: map[string]map[string]string{}, encoded: map[string][]byte{}}
	if err := t.read(own); err != nil {
		return nil, err
	}
	base := t.sentences["id"]
	if base == nil {
		return nil, errors.New("the program has no Indonesian texts (lang/id.json)")
	}
	var left error
	for _, dir := range dropped {
		if _, err := os.Stat(dir); err == nil {
			left = errors.Join(left, t.read(os.DirFS(dir)))
		}
	}
	for code, own := range t.sentences {
		if own["language.name"] == "" {
			own["language.name"] = code
		}
		t.languages = append(t.languages, Language{code, own["language.name"]})
		all := maps.Clone(base)
		for key := range all {
			if own[key] == "" {
				t.missing[code]++
			}
		}
		maps.Copy(all, own)
		t.sentences[code] = all
		data, err := json.Marshal(all)
		if err != nil {
			return nil, fmt.Errorf("texts %s: %w", code, err)
		}
		t.encoded[code] = data
	}
	first := []string{"id", "en"}
	slices.SortFunc(t.languages, func(a, b Language) int {
		place := func(l Language) int {
			if i := slices.Index(first, l.Code); i >= 0 {
				return i
			}
			return len(first)
		}
		if d := place(a) - place(b); d != 0 {
			return d
		}
		return strings.Compare(a.Name, b.Name)
	})
	return t, left
}

func (t *Texts) read(files fs.FS) error {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return fmt.Errorf("texts: %w", err)
	}
	var wrong error
	for _, e := range entries {
		m := languageFile.FindStringSubmatch(e.Name())
		if m == nil {
			continue
		}
		data, err := fs.ReadFile(files, e.Name())
		var sentences map[string]string
		if err == nil {
			err = json.Unmarshal([]byte(strings.TrimPrefix(string(data), "\ufeff")), &sentences)
		}
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("texts %s: %w; it must be {\"key\": \"sentence\", ...}", e.Name(), err))
			continue
		}
		if t.sentences[m[1]] == nil {
			t.sentences[m[1]] = map[string]string{}
		}
		maps.DeleteFunc(sentences, func(key, s string) bool {
			// Not translated yet, a text of the pack (which has its own way, and its own time to be
			// told), or a remark.
			return s == "" || strings.HasPrefix(key, "pack.") || strings.HasPrefix(key, "//")
		})
		maps.Copy(t.sentences[m[1]], sentences)
	}
	return wrong
}

// Languages lists them, Indonesian and English first.
func (t *Texts) Languages() []Language { return t.languages }

// Missing says how many sentences of a language are said in Indonesian, and of how many.
func (t *Texts) Missing(lang string) (missing, all int) {
	return t.missing[lang], len(t.sentences["id"])
}

// Say gives a sentence, in Indonesian when the language is not known.
func (t *Texts) Say(lang, key string) string {
	all := t.sentences[lang]
	if all == nil {
		all = t.sentences["id"]
	}
	return all[key]
}

func (s *Server) serveTexts(w http.ResponseWriter, r *http.Request) {
	file := r.PathValue("file")
	w.Header().Set("Cache-Control", "no-cache")
	if file == "index.json" {
		s.writeJSON(w, http.StatusOK, s.texts.languages)
		return
	}
	data, ok := s.texts.encoded[strings.TrimSuffix(file, ".json")]
	if !ok || path.Ext(file) != ".json" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(data) // the reader may have gone
}
