package pack

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"mimpi-kiosk/internal/screening"
)

// Schemas gives JSON Schemas (draft 2020-12) of the files of a pack, made from the types
// that read them: name of the schema's file to its content. Editors that know TOML use
// them to complete and check while one types; media/schema holds them.
func Schemas() map[string][]byte {
	out := map[string][]byte{}
	for name, of := range map[string]struct {
		title string
		t     reflect.Type
	}{
		"pack.json":     {"pack.toml", reflect.TypeFor[packTOML]()},
		"question.json": {"questions/*.toml", reflect.TypeFor[questionTOML]()},
		"film.json":     {"film/film.toml", reflect.TypeFor[filmTOML]()},
	} {
		out[name] = schemaFile(of.title, schemaOf(of.t, ""))
	}
	out["lang.json"] = schemaFile("lang/CODE.json", schema{
		"type": "object", "additionalProperties": schema{"type": "string"},
		"description": `Keys that begin with "pack." are texts of the pack ("pack.questions.k1.text"), all others those of the screens. Empty or missing: it is said in Indonesian. A key that begins with "//" is a remark.`,
	})
	return out
}

type schema map[string]any

func schemaFile(title string, s schema) []byte {
	s["$schema"], s["title"] = "https://json-schema.org/draft/2020-12/schema", title
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("schema of %s: %v", title, err)) // only strings, maps and lists are in it
	}
	return append(data, '\n')
}

// wants are the words of the tag "want" that stand for a form of text.
var wants = map[string]*regexp.Regexp{
	"id": idForm, "option": optionIDForm, "lang": langForm, "code": codeForm, "kemendagri": kemendagriForm, "bps": bpsForm, "tel": telForm,
	"date": regexp.MustCompile(`^(\d{4}-\d\d-\d\d)?$`),
	"time": regexp.MustCompile(`^(\d+h)?(\d+m)?(\d+(\.\d+)?s)?$`),
}

// oneOfThese are those that stand for a choice.
var oneOfThese = map[string][]string{
	"kind": {string(screening.Single), string(screening.Several), string(screening.Scale)},
	"step": {string(screening.PollBefore), string(screening.Discussion)},
}

func schemaOf(t reflect.Type, want string) schema {
	words := strings.Split(want, ",")
	text := schema{"type": "string"}
	for _, w := range words {
		if form := wants[w]; form != nil {
			text["pattern"] = form.String()
		}
		if choice := oneOfThese[w]; choice != nil {
			text["enum"] = choice
		}
	}
	switch t.Kind() {
	case reflect.String:
		return text
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Map: // a text by language
		return schema{
			"type": "object", "required": []string{"id"}, "additionalProperties": false,
			"patternProperties": schema{langForm.String(): schema{"type": "string"}},
		}
	case reflect.Slice:
		list := schema{"type": "array", "items": text}
		if t.Elem().Kind() != reflect.String {
			list["items"] = schemaOf(t.Elem(), "")
		}
		if slices.Contains(words, "some") {
			list["minItems"] = 1
		}
		if slices.Contains(words, "options") {
			list["minItems"], list["maxItems"] = fewestOptions, mostOptions
		}
		return list
	case reflect.Struct:
		properties, required := schema{}, []string{}
		for i := range t.NumField() {
			f := t.Field(i)
			key, want := f.Tag.Get("toml"), f.Tag.Get("want")
			p := schemaOf(f.Type, want)
			p["description"] = f.Tag.Get("doc")
			properties[key] = p
			if slices.Contains(strings.Split(want, ","), "required") {
				required = append(required, key)
			}
		}
		out := schema{"type": "object", "properties": properties, "additionalProperties": false}
		if len(required) > 0 {
			out["required"] = required
		}
		return out
	}
	panic(fmt.Sprintf("no schema for %s", t)) // a new kind of field: say above what it is
}
