// Package lang holds the sentences of the product, one JSON file per language, for the
// daemon, the coordinators' tool and the screens alike.
//
// A file CODE.json is one flat object of key to sentence. A sentence has parameters in
// braces: "{n} files". The key "language.name" is the language's own name. Indonesian
// (id.json) and English (en.json) have the same keys with the same parameters; a test
// holds that, and that every key and parameter which Go code names is there.
//
// Everything here is read-only after the program's start and safe for concurrent use.
package lang

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
)

// Home is the language in which every sentence exists, and which is used where another
// lacks one.
const Home = "id"

//go:embed *.json
var files embed.FS

var sentences = readAll(files)

// Params are the values for the parameters of a sentence, by name. They are written with
// [fmt.Sprint]; format a number, time or share for people before it comes here.
type Params map[string]any

// Files returns the language files: CODE.json at the root.
func Files() fs.FS { return files }

// Text returns the sentence of the key in every language of the product, by language
// code, with its parameters filled in. An unknown key gives the key itself in [Home], and
// a parameter without a value stays as it stands in the file.
func Text(key string, params ...Params) map[string]string {
	out := map[string]string{}
	for code, known := range sentences {
		if sentence, ok := known[key]; ok {
			out[code] = fill(sentence, params)
		}
	}
	if len(out) == 0 {
		out[Home] = key
	}
	return out
}

// Both joins the Indonesian and the English form of a sentence, for terminals and files that
// readers of either language see.
func Both(sentence map[string]string, between string) string {
	return sentence["id"] + between + sentence["en"]
}

// In returns the sentence of the key in one language, as [Text] does; in [Home] where the
// language is unknown or lacks the key.
func In(code, key string, params ...Params) string {
	if sentence, ok := sentences[code][key]; ok {
		return fill(sentence, params)
	}
	if sentence, ok := sentences[Home][key]; ok {
		return fill(sentence, params)
	}
	return key
}

var parameter = regexp.MustCompile(`\{\w+\}`)

func fill(sentence string, params []Params) string {
	if len(params) == 0 {
		return sentence
	}
	all := Params{}
	for _, p := range params {
		maps.Copy(all, p)
	}
	return parameter.ReplaceAllStringFunc(sentence, func(place string) string {
		if value, ok := all[place[1:len(place)-1]]; ok {
			return fmt.Sprint(value)
		}
		return place
	})
}

// readAll panics on a file that is not a flat object of sentences: the files are part of
// the program, and a test reads them.
func readAll(from fs.FS) map[string]map[string]string {
	names, err := fs.Glob(from, "*.json")
	if err != nil {
		panic("lang: " + err.Error()) // only for a malformed constant
	}
	out := map[string]map[string]string{}
	for _, name := range names {
		data, err := fs.ReadFile(from, name)
		if err != nil {
			panic("lang: " + err.Error())
		}
		known := map[string]string{}
		if err := json.Unmarshal(data, &known); err != nil {
			panic(fmt.Sprintf("lang: %s: %v", name, err))
		}
		out[name[:len(name)-len(".json")]] = known
	}
	return out
}
