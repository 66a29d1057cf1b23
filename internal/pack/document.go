package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"mimpi-kiosk/internal/screening"
)

// maxText is the size of the longest text file that a pack may hold, in bytes. It
// only keeps a film that was named *.toml by mistake out of memory.
const maxText = 1 << 20

// document is one TOML file of a pack, while it is being checked.
type document struct {
	file     string
	lines    map[string]int // "options.2.icon" -> line; tables of arrays count from 0
	mistakes *mistakes
}

// wrong notes a mistake at a key of the document.
func (d *document) wrong(key, id, en string, args ...any) {
	d.mistakes.add(d.file, d.line(key), id, en, args...)
}

// line gives the line of a key or, when the key is not there, of the first of its tables,
// or of the table around it; else the first line, where it is to be added.
func (d *document) line(key string) int {
	for key != "" {
		if n := max(d.lines[key], d.lines[key+".0"]); n > 0 {
			return n
		}
		key = key[:max(0, strings.LastIndexByte(key, '.'))]
	}
	return 1
}

// decode reads TOML as Notepad saves it (UTF-8 with or without a byte order mark,
// CRLF) into v. It is false when nothing of the file can be used.
func decode(file string, data []byte, v any, m *mistakes) (*document, bool) {
	data, ok := notepad(file, data, m)
	if !ok {
		return nil, false
	}
	d := &document{file: file, lines: keyLines(string(data)), mistakes: m}

	meta, err := toml.Decode(string(data), v)
	if err != nil {
		d.notTOML(err)
		return nil, false
	}
	seen := map[string]bool{}
	for _, key := range meta.Undecoded() {
		if name := key.String(); !seen[name] {
			seen[name] = true
			d.unknown(name)
		}
	}
	return d, true
}

// notepad gives the text of a file as Notepad saves it (UTF-8 with or without a byte
// order mark, CRLF) with plain ends of lines; false, with a mistake, when it is none.
func notepad(file string, data []byte, m *mistakes) ([]byte, bool) {
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		m.add(file, 1, "Berkas ini disimpan sebagai UTF-16. Simpan lagi dengan pengodean (encoding) UTF-8.",
			"This file was saved as UTF-16. Save it again with the encoding UTF-8.")
		return nil, false
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	if n := firstNotUTF8(data); n > 0 {
		m.add(file, n, "Ada huruf yang tidak bisa dibaca. Simpan lagi dengan pengodean (encoding) UTF-8.",
			"A letter here cannot be read. Save the file again with the encoding UTF-8.")
		return nil, false
	}
	return data, true
}

// unknown notes a key that no field reads. TOML's own list of keys does not count
// the tables of an array, so every line that has the key is named.
func (d *document) unknown(key string) {
	id := "%q tidak dikenal di sini. Periksa ejaannya; kalau letaknya salah, pindahkan ke atas [bagian] pertama."
	en := "%q is not known here. Check its spelling; if it is in the wrong place, move it above the first [section]."
	found := false
	for k, line := range d.lines {
		if indexes.ReplaceAllString(k, "") == key {
			found = true
			d.mistakes.add(d.file, line, id, en, key)
		}
	}
	if !found {
		d.wrong(key, id, en, key)
	}
}

var (
	indexes  = regexp.MustCompile(`\.\d+\b`)
	typeErr  = regexp.MustCompile(`^toml: (?:line (\d+) )?\(last key "([^"]*)"\): .*destination has type (\w+)$`)
	header   = regexp.MustCompile(`^\s*(\[\[?)\s*([A-Za-z0-9_.-]+)\s*\]`)
	assigned = regexp.MustCompile(`^\s*([A-Za-z0-9_.-]+)\s*=`)
)

// notTOML notes what the TOML library could not read.
func (d *document) notTOML(err error) {
	if parse, ok := errors.AsType[toml.ParseError](err); ok {
		d.mistakes.add(d.file, parse.Position.Line,
			"Penulisan TOML salah: %s. Bandingkan dengan berkas lain yang sudah benar.",
			"The TOML is written wrongly: %s. Compare with a file that works.", strings.TrimRight(parse.Message, "."))
		return
	}
	line, key, wanted := 0, "", ""
	if m := typeErr.FindStringSubmatch(err.Error()); m != nil {
		line, _ = strconv.Atoi(m[1]) // "" gives 0: unknown
		key, wanted = m[2], m[3]
	}
	id, en := "bentuk lain", "another form"
	switch wanted {
	case "string":
		id, en = "teks di antara tanda petik, \"...\"", "text between quotation marks, \"...\""
	case "boolean":
		id, en = "true atau false, tanpa tanda petik", "true or false, without quotation marks"
	case "slice":
		id, en = "daftar, [\"...\", \"...\"], atau bagian [[...]]", "a list, [\"...\", \"...\"], or sections [[...]]"
	}
	d.mistakes.found = append(d.mistakes.found, &Mistake{File: d.file, Line: line, What: screening.Text{
		"id": fmt.Sprintf("%q harus berupa %s. Bandingkan dengan berkas lain yang sudah benar.", key, id),
		"en": fmt.Sprintf("%q must be %s. Compare with a file that works.", key, en),
	}})
}

// keyLines finds on which line each key stands, which the TOML library does not
// tell. It knows tables, arrays of tables, dotted keys and multi-line strings, as
// packs use them; a key that it misses is reported without its own line.
func keyLines(text string) map[string]int {
	lines := map[string]int{}
	count := map[string]int{} // array of tables -> how many so far
	table, inString := "", ""
	for n, line := range strings.Split(text, "\n") {
		if inString != "" {
			if strings.Contains(line, inString) {
				inString = ""
			}
			continue
		}
		switch m := header.FindStringSubmatch(line); {
		case m != nil && m[1] == "[[":
			table = m[2] + "." + strconv.Itoa(count[m[2]])
			count[m[2]]++
			lines[table] = n + 1
		case m != nil:
			table = m[2]
			// [options.text] belongs to the newest [[options]].
			if first, rest, ok := strings.Cut(table, "."); ok && count[first] > 0 {
				table = first + "." + strconv.Itoa(count[first]-1) + "." + rest
			}
			lines[table] = n + 1
		default:
			if k := assigned.FindStringSubmatch(line); k != nil {
				key := k[1]
				if table != "" {
					key = table + "." + key
				}
				lines[key] = n + 1
				// text.id also says where text begins.
				for i := strings.LastIndexByte(key, '.'); i > len(table); i = strings.LastIndexByte(key[:i], '.') {
					if lines[key[:i]] == 0 {
						lines[key[:i]] = n + 1
					}
				}
			}
		}
		for _, quotes := range []string{`"""`, `'''`} {
			if strings.Count(line, quotes)%2 == 1 {
				inString = quotes
			}
		}
	}
	return lines
}

// firstNotUTF8 gives the line of the first byte that is not UTF-8, or 0.
func firstNotUTF8(data []byte) int {
	if utf8.Valid(data) {
		return 0
	}
	for n, line := range bytes.Split(data, []byte("\n")) {
		if !utf8.Valid(line) {
			return n + 1
		}
	}
	return 1
}

// folder is a folder of a pack. Nothing outside it can be reached, by no path and
// no symbolic link.
type folder struct {
	root   *os.Root
	prefix string // put before names in mistakes: "film/"
}

// read gives a text file of the folder; false, with a mistake, when it cannot.
func (f folder) read(name string, m *mistakes) ([]byte, bool) {
	file, err := f.root.Open(filepath.FromSlash(name))
	if errors.Is(err, fs.ErrNotExist) {
		m.add(f.prefix+name, 0, "Berkas ini tidak ada. Buat berkasnya, atau salin dari paket contoh.",
			"This file is not there. Make it, or copy it from the pack that came with the kiosk.")
		return nil, false
	}
	if err != nil {
		m.unreadable(f.prefix+name, err)
		return nil, false
	}
	defer file.Close() // read only: nothing to lose
	data, err := io.ReadAll(io.LimitReader(file, maxText+1))
	if err != nil {
		m.unreadable(f.prefix+name, err)
		return nil, false
	}
	if len(data) > maxText {
		m.add(f.prefix+name, 0, "Berkas teks ini lebih besar dari 1 MB. Periksa apakah ini berkas yang benar.",
			"This text file is larger than 1 MB. Check that it is the right file.")
		return nil, false
	}
	return data, true
}

func (m *mistakes) unreadable(file string, err error) {
	m.add(file, 0, "Berkas tidak bisa dibaca (%v). Berkas harus ada di dalam folder paket; salin lagi.",
		"The file cannot be read (%v). It must be inside the pack's folder; copy it again.", err)
}

// alike gives the name of a file beside the named one that differs from it by small and
// capital letters only: Windows takes the two for the same, the kiosk does not.
func (f folder) alike(name string) (string, bool) {
	dir, base := path.Split(name)
	entries, err := fs.ReadDir(f.root.FS(), path.Clean("./"+dir))
	if err != nil {
		return "", false // then the folder is missing too
	}
	for _, e := range entries {
		if strings.EqualFold(e.Name(), base) {
			return dir + e.Name(), true
		}
	}
	return "", false
}

// named says whether a file that a document names is inside the folder and there.
// A wrong path is a mistake; a file that is not there is left to the caller.
func (f folder) named(d *document, key, name string) (there, ok bool) {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) || strings.ContainsAny(name, `\:`) || path.Clean(name) == "." {
		d.wrong(key, "%q menunjuk ke luar folder. Taruh berkasnya di dalam folder paket dan tulis namanya saja.",
			"%q points outside the folder. Put the file inside the pack's folder and write its name only.", name)
		return false, false
	}
	info, err := f.root.Stat(local)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if other, ok := f.alike(name); ok {
			d.wrong(key, "%q tidak ada, tetapi %q ada: huruf besar dan kecil harus sama. Samakan namanya.",
				"%q is not there, but %q is: small and capital letters must be the same. Make the names equal.", name, other)
			return false, false
		}
		return false, true
	case err != nil:
		d.wrong(key, "%q tidak bisa dibuka (%v). Salin berkasnya sendiri ke dalam folder paket, bukan pintasan.",
			"%q cannot be opened (%v). Copy the file itself into the pack's folder, not a link to it.", name, err)
		return false, false
	case !info.Mode().IsRegular():
		d.wrong(key, "%q bukan berkas. Tulis nama berkasnya.", "%q is not a file. Write the name of the file.", name)
		return false, false
	}
	return true, true
}

var (
	idForm       = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)
	optionIDForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)
	langForm     = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)
)

// id checks an identifier. Identifiers stand in exported files for ever.
func (d *document) id(key, id string) {
	if !idForm.MatchString(id) {
		d.wrong(key, "id %q salah. Pakai huruf kecil, angka dan tanda hubung, mulai dengan huruf, misalnya \"any-age\".",
			"The id %q is wrong. Use small letters, digits and hyphens, beginning with a letter, such as \"any-age\".", id)
	}
}

// optionID checks the identifier of an option, which may be a number: "18".
func (d *document) optionID(key, id string) {
	if !optionIDForm.MatchString(id) {
		d.wrong(key, "id pilihan %q salah. Pakai huruf kecil, angka dan tanda hubung, misalnya \"18\" atau \"any-age\".",
			"The option id %q is wrong. Use small letters, digits and hyphens, such as \"18\" or \"any-age\".", id)
	}
}

// text checks a sentence in several languages. One that is there must have
// Indonesian, the language that every other falls back to.
func (d *document) text(key string, t map[string]string) screening.Text {
	if strings.TrimSpace(t["id"]) == "" {
		d.wrong(key+".id", "Teks Indonesia kosong atau tidak ada. Tambahkan: %s.id = \"...\"",
			"The Indonesian text is empty or missing. Add: %s.id = \"...\"", lastName(key))
	}
	for lang, s := range t {
		switch {
		case !langForm.MatchString(lang):
			d.wrong(key+"."+lang, "%q bukan kode bahasa. Pakai misalnya id, en atau aoz.",
				"%q is not a language code. Use for example id, en or aoz.", lang)
		case lang != "id" && strings.TrimSpace(s) == "":
			d.wrong(key+"."+lang, "Teks untuk bahasa %q kosong. Isi, atau hapus barisnya.",
				"The text for the language %q is empty. Fill it in, or delete the line.", lang)
		}
	}
	return t
}

// optionalText checks a sentence that may be left out; then it is nil.
func (d *document) optionalText(key string, t map[string]string) screening.Text {
	if len(t) == 0 {
		return nil
	}
	return d.text(key, t)
}

func lastName(key string) string { return key[strings.LastIndexByte(key, '.')+1:] }
