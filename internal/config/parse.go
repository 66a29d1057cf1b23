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
	"time"

	"github.com/BurntSushi/toml"

	"mimpi-kiosk/kiosk-ui/lang"
)

// maxFile is far more than a person writes by hand.
const maxFile = 1 << 20

// Load reads the file at path over [Default]. Its error is [Problems] when the file
// was read but something in it is wrong; the Config is then Default.
func Load(path string) (Config, error) {
	data, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		none := lang.Text("config.no_file", lang.Params{"file": path})
		return Default(), fmt.Errorf("%s / %s (%w)", none["id"], none["en"], err)
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
		return nil, Problems{{File: path, Say: lang.Text("config.too_large")}}
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

// definedTwice is how the decoder says that a key stands in a file twice.
var definedTwice = regexp.MustCompile(`^Key '(.*)' has already been defined\.$`)

// syntaxProblem puts the decoder's error in our words. What it says itself is kept for
// technicians, in English, where ours say less.
func syntaxProblem(name string, err error) Problem {
	p := Problem{File: name}
	said := err.Error()
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		p.Line, p.Key, said = syntax.Position.Line, syntax.LastKey, syntax.Message
	} else if m := decoderPlace.FindStringSubmatch(said); m != nil {
		p.Line, _ = strconv.Atoi(m[1])
		p.Key, said = m[2], m[3]
	}
	if strings.HasSuffix(said, `but got '\n' instead`) && strings.Contains(said, "table name") {
		p.Line-- // the decoder counts the end of the line as the next one
	}
	twice := definedTwice.FindStringSubmatch(said)
	switch {
	case strings.ContainsAny(said, "\u201c\u201d\u2018\u2019"):
		p.Key, p.Say = "", lang.Text("config.slanted_quotes")
	case strings.HasPrefix(said, "incompatible types: "):
		_, kinds, _ := strings.Cut(said, "TOML value has type ")
		given, wanted, _ := strings.Cut(kinds, "; destination has type ")
		if isTable(given) && isList(wanted) {
			p.Say = lang.Text("config.brackets", lang.Params{"key": p.Key})
			break
		}
		want := kind(wanted)
		if field(reflect.ValueOf(Default()), withoutNumbers(p.Key)).Type() == reflect.TypeFor[time.Duration]() {
			want = lang.Text("config.kind.time") // a whole number to the decoder
		}
		p.Say = eachLanguage(func(code string) string {
			return lang.In(code, "config.type", lang.Params{"given": kind(given)[code], "wanted": want[code]})
		})
	case strings.HasPrefix(said, "type mismatch for "):
		p.Say = lang.Text("config.single", lang.Params{"key": p.Key})
	case strings.HasPrefix(said, "invalid duration: "):
		p.Say = lang.Text("config.duration", lang.Params{"value": strings.TrimPrefix(said, "invalid duration: ")})
	case twice != nil:
		p.Key, p.Say = "", lang.Text("config.twice", lang.Params{"key": twice[1]})
	default:
		p.Key, p.Say = "", lang.Text("config.unreadable_line")
		p.Say["en"] += " (" + said + ")"
	}
	return p
}

func isTable(decoderWord string) bool {
	return slices.Contains([]string{"map", "map[string]interface {}", "map[string]any"}, decoderWord)
}

func isList(decoderWord string) bool {
	return slices.Contains([]string{"slice", "[]interface {}", "[]any"}, decoderWord)
}

// kind says in plain words what the decoder calls a type.
func kind(decoderWord string) map[string]string {
	switch decoderWord {
	case "string":
		return lang.Text("config.kind.text")
	case "integer", "int64":
		return lang.Text("config.kind.whole")
	case "float", "float64":
		return lang.Text("config.kind.point")
	case "boolean", "bool":
		return lang.Text("config.kind.truth")
	case "time.Time":
		return lang.Text("config.kind.date")
	}
	switch {
	case isList(decoderWord):
		return lang.Text("config.kind.list")
	case isTable(decoderWord):
		return lang.Text("config.kind.table")
	}
	return lang.Text("config.kind.other")
}

// unknownKeys says each key that nothing reads, with the known ones it looks most like.
func unknownKeys(undecoded []toml.Key) Problems {
	known := knownKeys(reflect.TypeFor[Config](), "")
	var problems Problems
	seen := map[string]bool{}
	for _, k := range undecoded {
		key := cmp.Or(strings.Join(k, "."), `""`)
		table, _ := splitKey(key)
		wrongAbove := seen[table] // a wrong table is said once, not once more for each key in it
		seen[key] = true
		if !wrongAbove {
			problems = append(problems, Problem{Key: key, Say: unknownKey(table, nearest(key, known))})
		}
	}
	return problems
}

// unknownKey is the sentence on an unknown key of a table, with those that are near.
func unknownKey(table string, near []string) map[string]string {
	if len(near) == 0 {
		return lang.Text("config.unknown")
	}
	if home, _ := splitKey(near[0]); len(near) == 1 && table == "" && home != "" {
		return lang.Text("config.unknown_here", lang.Params{"near": near[0], "table": home})
	}
	return eachLanguage(func(code string) string {
		list := near[0]
		for _, another := range near[1:] {
			list = lang.In(code, "config.or", lang.Params{"first": list, "second": another})
		}
		return lang.In(code, "config.unknown_near", lang.Params{"near": list})
	})
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

// mostNear is how many keys are named as near at most.
const mostNear = 3

// nearest gives the known keys that an unknown one may have been meant to be, none where
// nothing is like it: the one that it is mistyped from, also in another table, or else
// those of its table that have a word in common with it, such as touch_rotation with rotate.
func nearest(key string, known []string) []string {
	table, name := splitKey(key)
	best, bestDistance := "", 2+len(name)/4
	for _, k := range known {
		t, n := splitKey(k)
		d := distance(name, n)
		if t != table {
			d += 1 + min(1, distance(table, t))
		}
		d = min(d, distance(key, k))
		if d < bestDistance || d == bestDistance && best != "" && n[:1] == name[:min(1, len(name))] {
			best, bestDistance = k, d
		}
	}
	if best != "" {
		return []string{best}
	}
	var alike []string
	for _, k := range known {
		if t, n := splitKey(k); (t == table || table == "") && shareWord(name, n) && len(alike) < mostNear {
			alike = append(alike, k)
		}
	}
	return alike
}

// shareWord says whether two names have words, set apart by _, that begin alike: with four
// letters or more, and all but two of the shorter one.
func shareWord(a, b string) bool {
	for x := range strings.SplitSeq(a, "_") {
		for y := range strings.SplitSeq(b, "_") {
			alike := 0
			for alike < min(len(x), len(y)) && x[alike] == y[alike] {
				alike++
			}
			if alike >= 4 && alike >= min(len(x), len(y))-2 {
				return true
			}
		}
	}
	return false
}

func splitKey(key string) (table, name string) {
	if i := strings.LastIndexByte(key, '.'); i >= 0 {
		return key[:i], key[i+1:]
	}
	return "", key
}

// distance is how many characters differ, are missing, too many or exchanged with their
// neighbour (optimal string alignment).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			differ := 1
			if a[i-1] == b[j-1] {
				differ = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+differ)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
