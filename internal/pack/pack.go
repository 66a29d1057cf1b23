// Package pack reads a screening pack: the questions, regencies, help numbers,
// guidebook and film of an evening, in a folder that a person can edit with Notepad.
//
//	pack.toml            title, order of the questions, regencies, help numbers, guidebook
//	questions/NAME.toml  one question each
//	icons/NAME.svg       pictures of options (PNG and JPG too), beside those of the kiosk or in their place
//	film/film.toml       title, credit, subtitles and pause points of the film
//	film/...             the film itself, its checksum (FILE.sha256) and its subtitles
//	lang/CODE.json       a further language: texts of the pack ("pack.questions.k1.text") and of the screens
//	audio/CODE/KEY.mp3   recordings of texts, by the same keys
//	SHA256SUMS(.minisig) checksums of all files and their signature, as an editor may add them
//
// [Load] checks everything and returns every [Mistake] it finds, each with file,
// line and what to do, so that an editor mends a pack in one go. [Verify] looks longer
// and says more, for the editor's own desk. [CheckFilm] says whether a film file can be
// played, before anybody sits down.
//
// Nothing outside the pack's folder is ever read. The package starts no goroutine;
// a Pack may be read by many at once as long as nobody calls UseFilm.
package pack

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"mimpi-kiosk/internal/screening"
)

// Pack is a screening pack, read and checked.
type Pack struct {
	ID          string
	Title       screening.Text
	Regencies   []screening.Regency  // at least one
	Questions   []screening.Question // in the order in which they are asked; spare ones are left out
	HelpNumbers []HelpNumber
	Guidebook   Guidebook
	Film        Film
	Languages   []string   // codes of those that files of the pack bring, lang/CODE.json
	Spoken      []Language // that the questions can be recorded in
	Left        []*Mistake // in languages, recordings and pictures: the evening does without what they are about
	Dir         string     // the folder, absolute

	helpLines  []int                        // where each of HelpNumbers says when it was dialled
	spare      []screening.Question         // that are in the folder and not asked
	recordings map[string]map[string]string // language, key of the text -> absolute path
}

// Language is one that the questions can be recorded in.
type Language struct {
	Code string // as in lang/CODE.json and audio/CODE
	Name string // in the language itself; "" when the pack does not say
}

// HelpNumber is a number to call for help.
type HelpNumber struct {
	Name      screening.Text
	Tel       string         // as dialled and shown: "0800-1000", "+62 21 2924 4800"
	Hours     screening.Text // nil when not known
	CheckedOn string         // the day when somebody last dialled it, "2026-11-30"; "" when nobody has
}

// Guidebook is the facilitators' book that belongs to the film.
type Guidebook struct {
	File      string // absolute path of a PDF or HTML file, "" when the pack has none
	PublicURL string // where it can be read at home, "" when unknown
}

// The structs of the TOML files are also what the schemas in media/schema are made of:
// "doc" says what a key is for, "want" what a value must be like (see schema.go).

type packTOML struct {
	ID          string            `toml:"id" want:"id,required" doc:"Name of the pack in exported files. Never change it later."`
	Title       map[string]string `toml:"title" want:"required" doc:"Title by language: title.id, title.en, ..."`
	Questions   []string          `toml:"questions" want:"required,some" doc:"Ids of the questions, in the order in which they are asked. One that is not in the list is not asked."`
	Regencies   []regencyTOML     `toml:"regencies" want:"required,some" doc:"Regencies (kabupaten, kota) in which the film is shown."`
	HelpNumbers []helpTOML        `toml:"help_numbers" doc:"Numbers to call for help, the most important one first."`
	Languages   []languageTOML    `toml:"languages" doc:"Languages that the questions can be recorded in on the page /record, in this order. Without any: those of the texts."`
	Guidebook   guidebookTOML     `toml:"guidebook" doc:"The guidebook of the film."`
}

type guidebookTOML struct {
	File      string `toml:"file" doc:"PDF or HTML file in the pack's folder; empty while there is none."`
	PublicURL string `toml:"public_url" doc:"Where it can be read at home, with https://; empty when nowhere."`
}

type regencyTOML struct {
	ID         string `toml:"id" want:"id,required" doc:"Name of the regency in exported files."`
	Name       string `toml:"name" want:"required" doc:"Name as people say it."`
	Kemendagri string `toml:"kemendagri" want:"kemendagri,required" doc:"Code of the Ministry of Home Affairs, with its dot: 53.04"`
	BPS        string `toml:"bps" want:"bps,required" doc:"Code of Statistics Indonesia, four digits: 5306"`
}

type helpTOML struct {
	Name      map[string]string `toml:"name" want:"required" doc:"Whose number it is, by language."`
	Tel       string            `toml:"tel" want:"tel,required" doc:"The number as it is dialled."`
	Hours     map[string]string `toml:"hours" doc:"When somebody answers, by language."`
	CheckedOn string            `toml:"checked_on" want:"date" doc:"Day on which somebody last dialled it: 2026-11-30; empty when nobody has."`
}

type languageTOML struct {
	Code string `toml:"code" want:"code,required" doc:"Code of the language, ISO 639: aoz. The recordings are in audio/CODE."`
	Name string `toml:"name" want:"required" doc:"Name of the language in the language itself."`
}

// Load reads the pack in a folder. The error joins every [Mistake] that was found,
// or says that the folder itself cannot be opened. A film that is not there is no
// mistake (films travel apart from packs): see [Film.Check].
func Load(dir string) (*Pack, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open pack: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open pack: %w", err)
	}
	defer root.Close() // read only: nothing to lose
	m, left := &mistakes{}, &mistakes{}
	p := load(root, dir, m, left)
	if err := m.err(); err != nil {
		return nil, err
	}
	p.Left = inOrderOfFiles(left.found)
	return p, nil
}

// load reads all of a pack. Into left goes what an evening can do without.
func load(root *os.Root, dir string, m, left *mistakes) *Pack {
	f := folder{root: root}
	p := &Pack{Dir: dir}
	questions, readable := f.questions(m)
	var d *document
	var order []string
	if data, ok := f.read("pack.toml", m); ok {
		d, order = p.readMain(data, f, m)
	}
	p.Questions = inOrder(d, order, questions, readable)
	for _, id := range slices.Sorted(maps.Keys(questions)) {
		if !slices.Contains(order, id) {
			p.spare = append(p.spare, questions[id])
		}
	}

	film, err := root.OpenRoot("film")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		m.add("film/film.toml", 0, "Berkas ini tidak ada. Buat folder film dengan film.toml, atau salin dari paket contoh.",
			"This file is not there. Make the folder film with a film.toml, or copy it from the pack that came with the kiosk.")
	case err != nil:
		m.unreadable("film", err)
	default:
		defer film.Close()
		filmFolder := folder{root: film, prefix: "film/"}
		if data, ok := filmFolder.read("film.toml", m); ok {
			p.Film = readFilm(data, filmFolder, filepath.Join(dir, "film"), m)
		}
		if d != nil && readable && len(order) > 0 { // else nobody knows which questions there are
			p.checkPauses(p.Film, "film/film.toml", m)
		}
	}
	checkPictures(f, left)
	all := len(m.found) == 0
	p.addLanguages(f, all, left)
	p.addRecordings(f, all, left)
	if len(p.Spoken) == 0 {
		for _, code := range p.textLanguages() {
			p.Spoken = append(p.Spoken, Language{Code: code})
		}
	}
	return p
}

// readMain reads pack.toml, and gives the order of the questions that stands there.
func (p *Pack) readMain(data []byte, f folder, m *mistakes) (*document, []string) {
	var t packTOML
	d, ok := decode("pack.toml", data, &t, m)
	if !ok {
		return nil, nil
	}
	d.id("id", t.ID)
	p.ID = t.ID
	p.Title = d.text("title", t.Title)
	p.Regencies = d.regencies(t.Regencies)
	p.HelpNumbers = d.helpNumbers(t.HelpNumbers)
	p.Spoken = d.languages(t.Languages)
	for i := range p.HelpNumbers {
		p.helpLines = append(p.helpLines, d.line(fmt.Sprintf("help_numbers.%d.checked_on", i)))
	}
	p.Guidebook.PublicURL = d.publicURL(t.Guidebook.PublicURL)
	if t.Guidebook.File != "" {
		p.Guidebook.File = d.guidebook(f, p.Dir, t.Guidebook.File)
	}
	if len(t.Questions) == 0 {
		d.wrong("questions", "Tidak ada pertanyaan. Tambahkan: questions = [\"k1\", \"k2\"]",
			"There are no questions. Add: questions = [\"k1\", \"k2\"]")
	}
	return d, t.Questions
}

var (
	kemendagriForm = regexp.MustCompile(`^\d\d\.\d\d$`)
	bpsForm        = regexp.MustCompile(`^\d{4}$`)
	telForm        = regexp.MustCompile(`^\+?\d[\d -]{1,24}$`)
)

func (d *document) regencies(in []regencyTOML) []screening.Regency {
	if len(in) == 0 {
		d.wrong("regencies", "Tidak ada kabupaten. Tambahkan sedikitnya satu [[regencies]].",
			"There are no regencies. Add at least one [[regencies]].")
	}
	var out []screening.Regency
	for i, r := range in {
		key := fmt.Sprintf("regencies.%d", i)
		d.id(key+".id", r.ID)
		if strings.TrimSpace(r.Name) == "" {
			d.wrong(key+".name", "Nama kabupaten kosong. Tambahkan: name = \"Belu\"",
				"The regency has no name. Add: name = \"Belu\"")
		}
		if !kemendagriForm.MatchString(r.Kemendagri) {
			d.wrong(key+".kemendagri", "Kode Kemendagri %q salah. Tulis dengan titik, misalnya \"53.04\".",
				"The Kemendagri code %q is wrong. Write it with its dot, such as \"53.04\".", r.Kemendagri)
		}
		if !bpsForm.MatchString(r.BPS) {
			d.wrong(key+".bps", "Kode BPS %q salah. Tulis empat angka tanpa titik, misalnya \"5306\". Kode ini berbeda dari kode Kemendagri.",
				"The BPS code %q is wrong. Write four digits without a dot, such as \"5306\". It differs from the Kemendagri code.", r.BPS)
		}
		for _, same := range []struct {
			field, value string
			of           func(screening.Regency) string
		}{
			{"id", r.ID, func(o screening.Regency) string { return o.ID }},
			{"kemendagri", r.Kemendagri, func(o screening.Regency) string { return o.Kemendagri }},
			{"bps", r.BPS, func(o screening.Regency) string { return o.BPS }},
		} {
			if slices.ContainsFunc(out, func(o screening.Regency) bool { return same.of(o) == same.value }) {
				d.wrong(key+"."+same.field, "%s %q dipakai dua kabupaten. Setiap kabupaten punya sendiri.",
					"The %s %q stands at two regencies. Each has its own.", same.field, same.value)
			}
		}
		out = append(out, screening.Regency(r))
	}
	return out
}

func (d *document) helpNumbers(in []helpTOML) []HelpNumber {
	var out []HelpNumber
	for i, h := range in {
		key := fmt.Sprintf("help_numbers.%d", i)
		if !telForm.MatchString(h.Tel) {
			d.wrong(key+".tel", "Nomor %q salah. Tulis angka saja, boleh dengan +, spasi dan tanda hubung, misalnya \"0800-1000\".",
				"The number %q is wrong. Write digits, with +, spaces and hyphens if wanted, such as \"0800-1000\".", h.Tel)
		}
		if slices.ContainsFunc(out, func(o HelpNumber) bool { return digits(o.Tel) == digits(h.Tel) }) {
			d.wrong(key+".tel", "Nomor %q ditulis dua kali. Hapus satu.", "The number %q is written twice. Delete one.", h.Tel)
		}
		if h.CheckedOn != "" {
			if _, err := time.Parse(time.DateOnly, h.CheckedOn); err != nil {
				d.wrong(key+".checked_on", "Tanggal %q salah. Tulis tahun-bulan-hari, misalnya \"2026-11-30\", atau \"\" kalau belum diperiksa.",
					"The date %q is wrong. Write year-month-day, such as \"2026-11-30\", or \"\" when nobody has checked.", h.CheckedOn)
			}
		}
		out = append(out, HelpNumber{
			Name:      d.text(key+".name", h.Name),
			Tel:       h.Tel,
			Hours:     d.optionalText(key+".hours", h.Hours),
			CheckedOn: h.CheckedOn,
		})
	}
	return out
}

func (d *document) languages(in []languageTOML) []Language {
	var out []Language
	for i, l := range in {
		key := fmt.Sprintf("languages.%d", i)
		if !codeForm.MatchString(l.Code) {
			d.wrong(key+".code", "%q bukan kode bahasa. Pakai huruf kecil, misalnya \"aoz\".",
				"%q is not a language code. Use small letters, such as \"aoz\".", l.Code)
		}
		if slices.ContainsFunc(out, func(o Language) bool { return o.Code == l.Code }) {
			d.wrong(key+".code", "Bahasa %q ditulis dua kali. Hapus satu.", "The language %q is written twice. Delete one.", l.Code)
		}
		if strings.TrimSpace(l.Name) == "" {
			d.wrong(key+".name", "Nama bahasa kosong. Tambahkan: name = \"Uab Meto\"",
				"The language has no name. Add: name = \"Uab Meto\"")
		}
		out = append(out, Language(l))
	}
	return out
}

func (d *document) publicURL(s string) string {
	if s == "" {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
		d.wrong("guidebook.public_url", "Alamat %q salah. Tulis seluruh alamat, mulai dengan https://, atau \"\" kalau tidak ada.",
			"The address %q is wrong. Write the whole address, beginning with https://, or \"\" when there is none.", s)
	}
	return s
}

func (d *document) guidebook(f folder, dir, name string) string {
	const key = "guidebook.file"
	switch strings.ToLower(filepath.Ext(name)) {
	case ".pdf", ".html", ".htm":
	default:
		d.wrong(key, "Buku panduan %q bukan PDF atau HTML. Simpan sebagai PDF.",
			"The guidebook %q is neither PDF nor HTML. Save it as a PDF.", name)
	}
	if there, ok := f.named(d, key, name); ok && !there {
		d.wrong(key, "Buku panduan %q tidak ada. Taruh berkasnya di folder paket, atau tulis file = \"\".",
			"The guidebook %q is not there. Put the file into the pack's folder, or write file = \"\".", name)
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

// questions reads every question file, also those that pack.toml does not ask for.
// It is not all of them when a file could not be read: then one that seems to be
// missing may only be unreadable, and the editor need not hear of it twice.
func (f folder) questions(m *mistakes) (questions map[string]screening.Question, all bool) {
	entries, err := fs.ReadDir(f.root.FS(), "questions")
	if err != nil {
		m.add("questions", 0, "Folder pertanyaan tidak bisa dibuka (%v). Buat folder questions dengan satu berkas per pertanyaan.",
			"The folder of questions cannot be opened (%v). Make a folder questions with one file per question.", err)
		return nil, false
	}
	hasIcon := func(name string) bool {
		_, ok := pictureFile(f.root, name)
		return ok
	}
	questions, all = map[string]screening.Question{}, true
	fileOf := map[string]string{}
	for _, entry := range entries {
		name := "questions/" + entry.Name()
		lower := strings.ToLower(name)
		if strings.HasSuffix(lower, ".toml.txt") {
			m.add(name, 0, "Notepad menambahkan .txt pada nama berkas. Ganti namanya sehingga berakhir dengan .toml.",
				"Notepad added .txt to the name of this file. Rename it so that it ends in .toml.")
		}
		if !strings.HasSuffix(lower, ".toml") {
			continue
		}
		var q screening.Question
		data, ok := f.read(name, m)
		if ok {
			q, ok = readQuestion(name, data, hasIcon, m)
		}
		if !ok {
			all = false
			continue
		}
		if other := fileOf[q.ID]; other != "" {
			m.add(name, 0, "id %q sudah dipakai di %s. Beri pertanyaan ini id lain.",
				"The id %q is already used in %s. Give this question another id.", q.ID, other)
			continue
		}
		questions[q.ID], fileOf[q.ID] = q, name
	}
	return questions, all
}

// inOrder gives the questions that pack.toml asks for.
func inOrder(d *document, order []string, questions map[string]screening.Question, all bool) []screening.Question {
	var out []screening.Question
	for i, id := range order {
		q, ok := questions[id]
		switch {
		case slices.Contains(order[:i], id):
			d.wrong("questions", "Pertanyaan %q ditulis dua kali. Hapus satu.",
				"The question %q is written twice. Delete one.", id)
		case !ok && all:
			d.wrong("questions", "Pertanyaan %q tidak ada. Periksa ejaannya, atau buat berkasnya di folder questions dengan id = %[1]q.",
				"There is no question %q. Check the spelling, or make its file in the folder questions with id = %[1]q.", id)
		case ok:
			out = append(out, q)
		}
	}
	return out
}

// Programme gives what a screening is held by. The rest comes from the kiosk's
// configuration: the groups that people are counted in, the pause after a ballot on
// the touch screen, and the number of ballots from which on shares are shown.
func (p *Pack) Programme(categories []screening.Category, thankYou screening.Millis, shareMinimum int) screening.Programme {
	return screening.Programme{
		Pack:         p.ID,
		Regencies:    slices.Clone(p.Regencies),
		Categories:   slices.Clone(categories),
		Questions:    slices.Clone(p.Questions),
		Film:         p.Film.Film,
		ThankYou:     thankYou,
		ShareMinimum: shareMinimum,
	}
}

// UseFilm puts a film from another folder in the place of the pack's own. The
// error joins a [Mistake] for each pause point that asks a question which the pack
// does not have; then the pack keeps the film that it had.
func (p *Pack) UseFilm(f Film) error {
	m := &mistakes{}
	p.checkPauses(f, "film.toml", m)
	if err := m.err(); err != nil {
		return err
	}
	p.Film = f
	return nil
}

// checkPauses checks that the pack asks the questions that pause points name.
func (p *Pack) checkPauses(f Film, file string, m *mistakes) {
	for i, pause := range f.PausePoints {
		asked := func(q screening.Question) bool { return q.ID == pause.Question }
		if pause.Question != "" && !slices.ContainsFunc(p.Questions, asked) {
			m.add(file, f.pauseLines[i], "Jeda ini menanyakan %q, tetapi pertanyaan itu tidak ada dalam daftar questions di pack.toml. Periksa ejaannya.",
				"This pause asks %q, but the list questions in pack.toml has no such question. Check the spelling.", pause.Question)
		}
	}
}
