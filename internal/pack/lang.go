package pack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mimpi-kiosk/internal/screening"
)

// packPrefix begins the keys of the pack's own texts in lang/CODE.json. All others are
// those of the screens (kiosk-ui/lang), which the pack does not know.
const packPrefix = "pack."

// langFile is lang/CODE.json, while it is being checked.
type langFile struct {
	name  string
	text  map[string]string
	lines map[string]int
}

// codeForm is the code of a language that files and folders are named by.
var codeForm = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{1,8})*$`)

// readLang reads one flat JSON object of sentences, and knows on which line each stands.
func readLang(name string, data []byte, m *mistakes) (*langFile, bool) {
	data, ok := notepad(name, data, m)
	if !ok {
		return nil, false
	}
	l := &langFile{name: name, text: map[string]string{}, lines: map[string]int{}}
	dec := json.NewDecoder(bytes.NewReader(data))
	line := func() int { return 1 + bytes.Count(data[:min(dec.InputOffset(), int64(len(data)))], []byte("\n")) }
	wrong := func(err error) (*langFile, bool) {
		at := line()
		if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
			at = 1 + bytes.Count(data[:min(max(syntax.Offset-1, 0), int64(len(data)))], []byte("\n"))
		} else if err == io.ErrUnexpectedEOF || err == io.EOF {
			at = 1 + bytes.Count(bytes.TrimRight(data, "\n"), []byte("\n"))
		}
		m.add(name, at, "Penulisan JSON salah (%v). Setiap baris: \"kunci\": \"kalimat\", dengan koma di antaranya, semua di dalam { }.",
			"The JSON is written wrongly (%v). Each line is \"key\": \"sentence\", with a comma between them, all within { }.", err)
		return nil, false
	}
	begin, err := dec.Token()
	if err != nil {
		return wrong(err)
	}
	if begin != json.Delim('{') {
		return wrong(errors.New("it does not begin with {"))
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return wrong(err)
		}
		key, _ := token.(string) // the decoder lets nothing else be a key
		at := line()
		var value any
		if err := dec.Decode(&value); err != nil {
			return wrong(err)
		}
		s, isText := value.(string)
		switch {
		case !isText:
			m.add(name, at, "%q harus berupa kalimat di antara tanda petik.", "%q must be a sentence between quotation marks.", key)
		case l.lines[key] > 0:
			m.add(name, at, "%q ditulis dua kali (juga di baris %d). Hapus satu.", "%q is written twice (in line %d too). Delete one.", key, l.lines[key])
		default:
			l.text[key], l.lines[key] = s, at
		}
	}
	if _, err := dec.Token(); err != nil {
		return wrong(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return wrong(errors.New("there is something after the last }"))
	}
	return l, true
}

// keys gives the keys in the order of their lines.
func (l *langFile) keys() []string {
	return slices.SortedFunc(maps.Keys(l.text), func(a, b string) int { return l.lines[a] - l.lines[b] })
}

// texts lists all texts that people see or hear, in the order in which they are met. Their
// keys are those in lang/CODE.json, without packPrefix.
func (p *Pack) texts() []screening.KeyedText {
	var out []screening.KeyedText
	add := func(key string, t screening.Text) {
		if len(t) > 0 {
			out = append(out, screening.KeyedText{Key: key, Text: t})
		}
	}
	add("title", p.Title)
	add("film.title", p.Film.Title)
	for i, pause := range p.Film.PausePoints {
		add(fmt.Sprintf("film.pauses.%d", i+1), pause.Note)
	}
	for _, q := range slices.Concat(p.Questions, p.spare) {
		for _, t := range q.Spoken() {
			add(t.Key, t.Text)
		}
		add("questions."+q.ID+".check", q.Check)
		for i, p := range q.Prompts {
			add(fmt.Sprintf("questions.%s.prompts.%d", q.ID, i+1), p)
		}
	}
	for _, h := range p.HelpNumbers {
		add("help."+digits(h.Tel)+".name", h.Name)
		add("help."+digits(h.Tel)+".hours", h.Hours)
	}
	return out
}

func digits(tel string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, tel)
}

// Missing gives the keys of the texts that the pack does not have in a language, and says
// in Indonesian, and how many texts there are in all.
func (p *Pack) Missing(lang string) (missing []string, all int) {
	texts := p.texts()
	for _, t := range texts {
		if t.Text[lang] == "" {
			missing = append(missing, packPrefix+t.Key)
		}
	}
	return missing, len(texts)
}

// textLanguages gives the codes of the languages that any text of the pack is in.
func (p *Pack) textLanguages() []string {
	in := map[string]bool{}
	for _, t := range p.texts() {
		for lang := range t.Text {
			in[lang] = true
		}
	}
	return slices.Sorted(maps.Keys(in))
}

// addLanguages reads lang/*.json and puts its sentences into the texts of the pack. What
// is wrong with it does not keep an evening from being held: it goes into m apart. all
// says that every text of the pack could be read.
func (p *Pack) addLanguages(f folder, all bool, m *mistakes) {
	entries, err := fs.ReadDir(f.root.FS(), "lang")
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		m.unreadable("lang", err)
		return
	}
	byKey := map[string]screening.Text{}
	for _, t := range p.texts() {
		byKey[t.Key] = t.Text
	}
	for _, entry := range entries {
		name := "lang/" + entry.Name()
		lower := strings.ToLower(name)
		if strings.HasSuffix(lower, ".json.txt") {
			m.add(name, 0, "Notepad menambahkan .txt pada nama berkas. Ganti namanya sehingga berakhir dengan .json.",
				"Notepad added .txt to the name of this file. Rename it so that it ends in .json.")
		}
		if !strings.HasSuffix(lower, ".json") {
			continue
		}
		code, named := strings.CutSuffix(entry.Name(), ".json")
		if !named || !codeForm.MatchString(code) {
			m.add(name, 0, "Nama berkas harus kode bahasa dengan huruf kecil, misalnya aoz.json.",
				"The name of the file must be a language code in small letters, such as aoz.json.")
			continue
		}
		data, ok := f.read(name, m)
		if !ok {
			continue
		}
		l, ok := readLang(name, data, m)
		if !ok {
			continue
		}
		p.Languages = append(p.Languages, code)
		l.into(code, byKey, all, m)
	}
}

// into puts the sentences of a file into the pack.
func (l *langFile) into(code string, byKey map[string]screening.Text, all bool, m *mistakes) {
	for _, full := range l.keys() {
		key, ours := strings.CutPrefix(full, packPrefix)
		sentence := strings.TrimSpace(l.text[full])
		if !ours || sentence == "" { // the screens', or not translated yet
			continue
		}
		text, known := byKey[key]
		switch {
		case !known && !all:
		case !known:
			m.add(l.name, l.lines[full], "Paket tidak punya teks %q. Periksa ejaannya: id pertanyaan dan pilihan harus sama dengan di folder questions.",
				"The pack has no text %q. Check the spelling: ids of questions and options must be those in the folder questions.", full)
		case text[code] != "" && text[code] != sentence:
			m.add(l.name, l.lines[full], "Teks ini sudah ada dengan kata lain di berkas .toml. Hapus salah satu.",
				"This text is there already, in other words, in a .toml file. Delete one of the two.")
		default:
			text[code] = sentence
		}
	}
}

// IsLanguageCode says whether [WriteLanguage] takes the code: that of any language but
// Indonesian.
func IsLanguageCode(code string) bool { return codeForm.MatchString(code) && code != "id" }

// WriteLanguage writes lang/CODE.json with every text of the pack and of the screens, each
// after a remark ("//KEY") with the Indonesian one. What the file says already stays. It
// gives the file's name and how many texts wait for a translation. screens are the
// Indonesian sentences of the screens, as they lie in kiosk-ui/lang/id.json.
func WriteLanguage(dir, code string, screens []byte) (file string, missing int, err error) {
	if !IsLanguageCode(code) {
		return "", 0, fmt.Errorf("%q bukan kode bahasa lain / is not the code of another language; aoz is one", code)
	}
	p, err := Load(dir)
	if err != nil {
		return "", 0, err
	}
	m := &mistakes{}
	own, ok := readLang("id.json", screens, m)
	if !ok {
		return "", 0, m.err()
	}
	file = filepath.Join(p.Dir, "lang", code+".json")
	have := map[string]string{}
	data, err := os.ReadFile(file)
	if err == nil {
		l, ok := readLang("lang/"+code+".json", data, m)
		if !ok || len(m.found) > 0 {
			return "", 0, m.err()
		}
		have = l.text
	} else if !errors.Is(err, fs.ErrNotExist) {
		return "", 0, err
	}
	var out bytes.Buffer
	first := "{\n"
	add := func(key, indonesian string) {
		out.WriteString(first)
		first = ",\n"
		if have[key] == "" {
			missing++
		}
		fmt.Fprintf(&out, "  %s: %s,\n  %s: %s", quote("//"+key), quote(indonesian), quote(key), quote(have[key]))
		delete(have, key)
	}
	add("language.name", "nama bahasa dalam bahasa itu sendiri")
	for _, t := range p.texts() {
		if t.Text[code] != "" && have[packPrefix+t.Key] == "" {
			continue // a .toml file says it
		}
		add(packPrefix+t.Key, t.Text["id"])
	}
	for _, key := range own.keys() {
		if key != "language.name" {
			add(key, own.text[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(have)) { // what nobody asks for, but somebody wrote
		if !strings.HasPrefix(key, "//") {
			fmt.Fprintf(&out, ",\n  %s: %s", quote(key), quote(have[key]))
		}
	}
	out.WriteString("\n}\n")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", 0, err
	}
	return file, missing, replace(file, out.Bytes())
}

func quote(s string) string {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		panic(err) // a string can be encoded
	}
	return strings.TrimRight(out.String(), "\n")
}
