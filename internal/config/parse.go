package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// maxFile is far more than a person writes by hand.
const maxFile = 1 << 20

// Load reads the file at path over [Default]. Its error is [Problems] when the file
// was read but something in it is wrong; the Config is then Default.
func Load(path string) (Config, error) {
	data, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), fmt.Errorf("there is no configuration file %s: name another with --config, or leave --config out to use the built-in settings: %w", path, err)
	}
	if err != nil {
		return Default(), err
	}
	return Parse(path, data)
}

// read gives the content of a configuration file.
func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the configuration file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration file: %w", err)
	}
	if len(data) > maxFile {
		return nil, Problems{{File: path, Say: "the file is larger than 1 MiB: this is hardly the configuration file; name the right one with --config"}}
	}
	return data, nil
}

// Parse reads a configuration file over [Default]. Name is the file's name, for the
// sentences. Its error is [Problems]; the Config is then Default.
func Parse(name string, data []byte) (Config, error) {
	c, problems := parseOver(Default(), name, decodeText(data))
	if len(problems) > 0 {
		return Default(), problems
	}
	return c, nil
}

// parseOver is Parse over another Config; c is not to be used when there are problems.
func parseOver(c Config, name, text string) (Config, Problems) {
	c, meta, err := decodeOver(c, text)
	if err != nil {
		return c, Problems{syntaxProblem(name, err)}
	}
	problems := unknownKeys(meta.Undecoded())
	problems = append(problems, c.problems()...)
	places := placesIn(text)
	for i, p := range problems {
		problems[i].File = name
		problems[i].Line = places.line(p.Key)
	}
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	return c, problems
}

// decodeOver lays what the text says over c, key by key. A list in the text replaces
// that of c and never mixes with it.
func decodeOver(c Config, text string) (Config, toml.MetaData, error) {
	meta, err := toml.Decode(text, &map[string]any{})
	if err != nil {
		return c, meta, err
	}
	clearLists(reflect.ValueOf(&c).Elem(), meta)
	meta, err = toml.Decode(text, &c)
	return c, meta, err
}

// clearLists empties the lists and maps that the text sets. They may be those of
// another Config, and are not changed themselves.
func clearLists(of reflect.Value, meta toml.MetaData, above ...string) {
	for i := range of.NumField() {
		path := append(slices.Clone(above), of.Type().Field(i).Tag.Get("toml"))
		switch field := of.Field(i); field.Kind() {
		case reflect.Struct:
			clearLists(field, meta, path...)
		case reflect.Slice, reflect.Map:
			if defines(meta, path...) {
				field.SetZero()
			}
		}
	}
}

// defines says whether the text has this key. Small and capital letters are the same
// to the decoder.
func defines(meta toml.MetaData, key ...string) bool {
	return slices.ContainsFunc(meta.Keys(), func(k toml.Key) bool {
		return len(k) >= len(key) && slices.EqualFunc(k[:len(key)], key, strings.EqualFold)
	})
}

// decoderPlace is how the decoder begins the errors that it gives as plain text.
var decoderPlace = regexp.MustCompile(`^toml: line (\d+) \(last key "(.*?)"\): (?s:(.*))$`)

// syntaxProblem puts the decoder's error in our words where they say more.
func syntaxProblem(name string, err error) Problem {
	p := Problem{File: name, Say: err.Error()}
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		p.Line, p.Key, p.Say = syntax.Position.Line, syntax.LastKey, syntax.Message
	} else if m := decoderPlace.FindStringSubmatch(p.Say); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Key, p.Say = m[2], m[3]
	}
	if strings.HasSuffix(p.Say, `but got '\n' instead`) && strings.Contains(p.Say, "table name") {
		p.Line-- // the decoder counts the end of the line as the next one
	}
	switch {
	case strings.ContainsAny(p.Say, "\u201c\u201d\u2018\u2019"):
		p.Key, p.Say = "", "the line has slanted quotes, as Word makes them: write straight ones, \", with Notepad"
		p.Katakan = "tanda kutipnya miring seperti buatan Word: tulis tanda kutip lurus, \", dengan Notepad"
	case strings.HasPrefix(p.Say, "incompatible types: "):
		_, kinds, _ := strings.Cut(p.Say, "TOML value has type ")
		given, wanted, _ := strings.Cut(kinds, "; destination has type ")
		if kind(given) == "a table" && kind(wanted) == "a list" {
			p.Say = fmt.Sprintf("has one pair of brackets, but there may be several: write [[%s]]", p.Key)
			break
		}
		p.Say = fmt.Sprintf("is %s, but wants %s: text and times stand in quotes, numbers and true or false do not, a list stands in [ ]", kind(given), kind(wanted))
	case strings.HasPrefix(p.Say, "type mismatch for "):
		p.Say = fmt.Sprintf("is one value, but has several settings: write them below a line [%s]", p.Key)
	case strings.HasPrefix(p.Say, "invalid duration: "):
		p.Say = strings.Replace(p.Say, "invalid duration: ", "is ", 1) + `: give a time with its unit, such as "1.5s", "60s" or "5m"`
	case strings.HasSuffix(p.Say, " has already been defined."):
		p.Key, p.Say = "", strings.TrimSuffix(p.Say, ".")+" further up: keep one of the two"
	default:
		p.Key, p.Say = "", "the line cannot be read ("+p.Say+"): compare it with the sample file"
		p.Katakan = "baris itu tidak bisa dibaca: bandingkan dengan berkas contoh"
	}
	return p
}

// kind says in plain words what the decoder calls a type.
func kind(decoderWord string) string {
	switch decoderWord {
	case "string":
		return "text"
	case "integer", "int64":
		return "a whole number"
	case "float", "float64":
		return "a number with a point"
	case "boolean", "bool":
		return "true or false"
	case "slice", "[]interface {}", "[]any":
		return "a list"
	case "time.Time":
		return "a date"
	case "map", "map[string]interface {}", "map[string]any":
		return "a table"
	}
	return decoderWord
}

// unknownKeys says each key that nothing reads, with the known one it looks most like.
func unknownKeys(undecoded []toml.Key) Problems {
	known := knownKeys(reflect.TypeFor[Config](), "")
	var problems Problems
	said := map[string]bool{}
	for _, k := range undecoded {
		key := cmp.Or(strings.Join(k, "."), `""`)
		table, _ := splitKey(key)
		wrongAbove := said[table] // a wrong table is said once, not once more for each key in it
		said[key] = true
		if wrongAbove {
			continue
		}
		say := "is not a setting: take it out, or look in the sample file for those that there are"
		katakan := "bukan pengaturan: hapus, atau lihat yang ada di berkas contoh"
		if near := nearest(key, known); near != "" {
			say = fmt.Sprintf("is not a setting: did you mean %s?", near)
			katakan = fmt.Sprintf("bukan pengaturan: maksudnya %s?", near)
			if home, _ := splitKey(near); table == "" && home != "" {
				say = fmt.Sprintf("is not a setting here: did you mean %s, below the line [%s]?", near, home)
			}
		}
		problems = append(problems, Problem{Key: key, Say: say, Katakan: katakan})
	}
	return problems
}

// knownKeys lists the keys of a struct and of the structs in it: "wifi", "wifi.name", ...
func knownKeys(of reflect.Type, table string) []string {
	var keys []string
	for i := range of.NumField() {
		field := of.Field(i)
		key := table + field.Tag.Get("toml")
		keys = append(keys, key)
		inner := field.Type
		if inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() == reflect.Struct {
			keys = append(keys, knownKeys(inner, key+".")...)
		}
	}
	return keys
}

// nearest gives the known key that a mistyped one was most likely meant to be, or "".
// The right name in the wrong table is near as well.
func nearest(key string, known []string) string {
	table, name := splitKey(key)
	best, bestDistance := "", 3+len(name)/4
	for _, k := range known {
		t, n := splitKey(k)
		d := distance(name, n)
		if t != table {
			d += 1 + min(1, distance(table, t))
		}
		if whole := distance(key, k); whole < d {
			d = whole
		}
		if d < bestDistance || d == bestDistance && best != "" && n[:1] == name[:min(1, len(name))] {
			best, bestDistance = k, d
		}
	}
	return best
}

func splitKey(key string) (table, name string) {
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		return key[:i], key[i+1:]
	}
	return "", key
}

// distance is the Levenshtein distance: how many characters differ, are missing or too many.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		above := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := above
			if a[i] != b[j] {
				d = 1 + min(above, row[j], row[j+1])
			}
			above, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
