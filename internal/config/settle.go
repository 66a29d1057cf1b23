package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"mimpi-kiosk/kiosk-ui/lang"
)

// File is a configuration file as it was found. A file that is not there says nothing.
type File struct {
	Name string
	Data []byte
	Err  error // why it could not be read; nil when it is not there
}

// Find reads the file at path. Windows hides the ends of names, so that a file saved
// as kiosk.toml is often kiosk.toml.txt: that is taken where the other is not there.
func Find(path string) File {
	f := File{Name: path}
	for _, name := range []string{path, path + ".txt"} {
		data, err := read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		return File{Name: name, Data: data, Err: err}
	}
	return f
}

// Settle lays the files over [Default], key by key, the later over the earlier, and
// gives a Config that can be used whatever is in them: what is wrong costs the line or
// the key alone. A key with a wrong value keeps that of last, the values that were good
// before (nil: the default). A file of which nothing can be read leaves all of last in
// force, under what the other files say. The Problems are in the order of files and lines.
func Settle(last *Config, files ...File) (Config, Problems) {
	known := Default()
	if last != nil && len(last.problems()) == 0 {
		known = *last
	}
	c, layers, problems := layFiles(Default(), files)
	for _, l := range layers {
		if l.lost {
			c, layers, problems = layFiles(known, files)
			break
		}
	}
	wrong := c.problems()
	// What a key stands against may be in another: then more has to go, and in the end all.
	for _, give := range []func(string) string{
		withoutNumbers,
		func(key string) string { top, _, _ := strings.Cut(withoutNumbers(key), "."); return top },
		func(string) string { return "" },
	} {
		now := c.problems()
		if len(now) == 0 {
			break
		}
		for _, p := range now {
			keep(reflect.ValueOf(&c).Elem(), reflect.ValueOf(known), give(p.Key))
		}
	}
	for i := range wrong {
		locate(&wrong[i], layers)
		wrong[i].Used = shown(reflect.ValueOf(c), withoutNumbers(wrong[i].Key))
	}
	return c, append(problems, wrong...)
}

// layer is one file that was read.
type layer struct {
	name   string
	meta   toml.MetaData
	places places
	lost   bool // nothing of it could be read
}

func layFiles(c Config, files []File) (Config, []layer, Problems) {
	var layers []layer
	var problems Problems
	for _, f := range files {
		l := layer{name: f.Name}
		var found Problems
		if f.Err != nil {
			l.lost = true
			if !errors.As(f.Err, &found) {
				found = Problems{{File: f.Name, Say: lang.Text("config.unreadable_file", lang.Params{"why": f.Err})}}
			}
		} else {
			c, l, found = laySound(c, f.Name, decodeText(f.Data))
		}
		layers = append(layers, l)
		problems = append(problems, found...)
	}
	return c, layers, problems
}

// most is how many mistakes a file may have before it is no configuration at all.
const most = 100

// laySound lays the lines of a text that can be read over c.
func laySound(c Config, name, text string) (Config, layer, Problems) {
	lines := strings.Split(text, "\n")
	out := make([]bool, len(lines)) // lines that were left out
	var problems Problems
	for range most {
		sound := strings.Join(lines, "\n")
		laid, meta, err := decodeOver(c, sound)
		if err == nil {
			places := placesIn(sound)
			unknown := unknownKeys(meta.Undecoded())
			for i := range unknown {
				unknown[i].File, unknown[i].Line = name, places.line(unknown[i].Key)
			}
			return laid, layer{name: name, meta: meta, places: places}, append(problems, unknown...)
		}
		p := syntaxProblem(name, err)
		i := p.Line - 1
		if i < 0 || i >= len(lines) || out[i] || strings.TrimSpace(lines[i]) == "" {
			problems = append(problems, p)
			break
		}
		if i == 0 || !out[i-1] { // the rest of a mistake over several lines is not another one
			problems = append(problems, p)
		}
		header := strings.HasPrefix(strings.TrimSpace(lines[i]), "[")
		for lines[i], out[i] = "", true; header && i+1 < len(lines) && !strings.HasPrefix(strings.TrimSpace(lines[i+1]), "["); i++ {
			lines[i+1], out[i+1] = "", true // they would be taken for those of the table above
		}
	}
	return c, layer{name: name, lost: true}, problems
}

// locate says in which file and line a wrong value stands.
func locate(p *Problem, layers []layer) {
	for i := len(layers) - 1; i >= 0; i-- {
		l := layers[i]
		for key := withoutNumbers(p.Key); key != "" && !l.lost; key, _ = splitKey(key) {
			if defines(l.meta, strings.Split(key, ".")...) {
				p.File, p.Line = l.name, l.places.line(p.Key)
				return
			}
		}
	}
}

// field gives what stands under a key, or what it stands in where that is a list; a
// key of "" is all.
func field(of reflect.Value, key string) reflect.Value {
	for name := range strings.SplitSeq(key, ".") {
		if of.Kind() != reflect.Struct || name == "" {
			return of
		}
		for i := range of.NumField() {
			if of.Type().Field(i).Tag.Get("toml") == name {
				of = of.Field(i)
				break
			}
		}
	}
	return of
}

func keep(c, known reflect.Value, key string) { field(c, key).Set(field(known, key)) }

// shown is the value of a key as a file would say it; "" for lists, tables and secrets.
func shown(c reflect.Value, key string) string {
	if strings.Contains(key, "password") {
		return ""
	}
	switch v := field(c, key); v.Kind() {
	case reflect.String:
		return fmt.Sprintf("%q", v.String())
	case reflect.Int64:
		if d, ok := v.Interface().(time.Duration); ok {
			return d.String()
		}
		return fmt.Sprint(v.Interface())
	case reflect.Int, reflect.Bool, reflect.Float64:
		return fmt.Sprint(v.Interface())
	}
	return ""
}

// Encode gives a Config as a file that [Parse] reads back.
func (c Config) Encode() ([]byte, error) {
	var out bytes.Buffer
	out.WriteString("# The settings that were good last, written by mimpi-kiosk. Do not edit: the kiosk writes it anew.\n")
	if err := toml.NewEncoder(&out).Encode(c); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	return out.Bytes(), nil
}

// LoadLastGood reads a file that [Config.Encode] made; nil when there is none that can
// be used. What a newer or older version wrote in it and this one does not know is passed over.
func LoadLastGood(path string) *Config {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	c, _ := Settle(nil, File{Name: path, Data: data})
	return &c
}
