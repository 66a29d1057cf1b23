package pack

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"aead.dev/minisign"

	"mimpi-kiosk/internal/screening"
)

// Check is what [Verify] holds a pack to, beside what stands in it.
type Check struct {
	Keys       []minisign.PublicKey // one of them must have signed SHA256SUMS; none: signatures are not looked at
	ScreenText func(key string) bool
	Today      time.Time // for dates that have grown old; zero leaves them alone
	Quick      bool      // leave out what reads films and recordings to their ends: their checksums
}

// Verdict is what [Verify] found, files together and lines in order.
type Verdict struct {
	Mistakes []*Mistake // to be put right; the kiosk may refuse the pack
	Notes    []*Mistake // to be known, or still to be filled in
	Pack     *Pack      // nil when a mistake keeps the kiosk from using it
}

// Verify looks at everything of a pack: all that [Load] looks at, and the film's index and
// checksum, recordings, pictures, SHA256SUMS, and what was left to be filled in. Films are
// read to their ends, which takes time, unless check is Quick. The error says that the folder cannot be opened.
func Verify(ctx context.Context, dir string, check Check) (Verdict, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Verdict{}, fmt.Errorf("open pack: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Verdict{}, fmt.Errorf("open pack: %w", err)
	}
	defer root.Close() // read only: nothing to lose
	m, left := &mistakes{}, &mistakes{}
	p := load(root, dir, m, left)
	f := folder{root: root}
	out := Verdict{}
	if len(m.found) == 0 {
		out.Pack = p
		p.Left = left.found
		p.remark(check, m)
	}
	if p.Film.Dir != "" { // film.toml could be read
		m.about(PartFilm, func() { p.checkFilm(ctx, check.Quick, m) })
	}
	m.about(PartLanguages, func() { m.found = append(m.found, left.found...) })
	m.about(PartPlaces, func() { checkFilledIn(f, m) })
	checkSums(ctx, f, check.Quick, m)
	checkSignature(f, check.Keys, m)
	p.strangers(f, m)
	if check.ScreenText != nil {
		m.about(PartLanguages, func() { screenTexts(f, check.ScreenText, m) })
	}
	for _, one := range slices.Concat(m.found, m.notes) {
		one.Part = cmp.Or(one.Part, PartPack)
	}
	out.Mistakes, out.Notes = inOrderOfFiles(m.found), inOrderOfFiles(m.notes)
	return out, ctx.Err()
}

// checkFilm looks at the film file.
func (p *Pack) checkFilm(ctx context.Context, quick bool, m *mistakes) {
	const file = "film/film.toml"
	report := p.Film.Check()
	switch {
	case p.Film.Missing:
		m.note(file, p.Film.fileLine, "Belum ada film. Pasang dengan: mimpi-kiosk pack add-film BERKAS", "There is no film yet. Put it in place with: mimpi-kiosk pack add-film FILE")
		return
	case report.Level == LevelProblem:
		m.found = append(m.found, p.Film.said(report))
		return
	case report.Level == LevelNote:
		m.notes = append(m.notes, p.Film.said(report))
	}
	if quick {
		return
	}
	switch whole := p.Film.CheckWhole(ctx, nil); whole.Level {
	case LevelProblem:
		m.found = append(m.found, p.Film.said(whole))
	case LevelNote:
		m.notes = append(m.notes, p.Film.said(whole))
	}
}

// said is a report on the film as a mistake at the place where film.toml names it.
func (f Film) said(r FilmReport) *Mistake {
	what := screening.Text{}
	for lang, s := range r.Message {
		what[lang] = strings.TrimSpace(s + " " + r.Hint[lang])
	}
	return &Mistake{File: "film/film.toml", Line: f.fileLine, What: what}
}

// old is the age from which on a number should be dialled again.
const old = 90 * 24 * time.Hour

// remark notes what the editor should know of a pack that can be used.
func (p *Pack) remark(check Check, m *mistakes) {
	for _, q := range p.spare {
		m.note("pack.toml", 0, "Pertanyaan %q ada di folder, tetapi tidak ditanyakan: tidak ada dalam daftar questions.", "The question %q is in the folder, but not asked: it is not in the list questions.", q.ID)
	}
	m.about(PartNumbers, func() { p.remarkNumbers(check, m) })
	m.about(PartGuidebook, func() {
		if p.Guidebook == (Guidebook{}) {
			m.note("pack.toml", 0, "Belum ada buku panduan: [guidebook] masih kosong.", "There is no guidebook yet: [guidebook] is empty.")
		}
	})
	m.about(PartLanguages, func() { p.remarkLanguages(m) })
}

func (p *Pack) remarkNumbers(check Check, m *mistakes) {
	if len(p.HelpNumbers) == 0 {
		m.note("pack.toml", 0, "Belum ada nomor bantuan. Tulis sedikitnya satu di bawah [[help_numbers]].", "There is no help number yet. Write at least one below [[help_numbers]].")
	}
	for i, h := range p.HelpNumbers {
		day, err := time.Parse(time.DateOnly, h.CheckedOn)
		switch {
		case err != nil:
			m.note("pack.toml", p.helpLines[i], "Nomor %s belum pernah dicoba. Telepon dulu, lalu tulis harinya di checked_on.", "Nobody has dialled %s yet. Dial it, then write the day into checked_on.", h.Tel)
		case !check.Today.IsZero() && day.After(check.Today):
			m.note("pack.toml", p.helpLines[i], "Tanggal %s ada di masa depan. Periksa checked_on.", "The date %s lies in the future. Check checked_on.", h.CheckedOn)
		case !check.Today.IsZero() && check.Today.Sub(day) > old:
			m.note("pack.toml", p.helpLines[i], "Nomor %s terakhir dicoba %s. Telepon lagi.", "%s was last dialled on %s. Dial it again.", h.Tel, h.CheckedOn)
		}
	}
}

func (p *Pack) remarkLanguages(m *mistakes) {
	for _, lang := range p.textLanguages() {
		missing, all := p.Missing(lang)
		if len(missing) == 0 || len(missing) == all {
			continue
		}
		file := "pack.toml"
		if slices.Contains(p.Languages, lang) {
			file = "lang/" + lang + ".json"
		}
		some := strings.Join(missing[:min(len(missing), 5)], ", ")
		m.note(file, 0, "%d dari %d teks belum ada dalam bahasa %q dan dikatakan dalam bahasa Indonesia: %s ...", "%d of %d texts are not there in the language %q and are said in Indonesian: %s ...", len(missing), all, lang, some)
	}
}

// toFillIn finds a text that begins with the mark, in either kind of quotes or on a line of its own.
var toFillIn = regexp.MustCompile(`(?i)(?:["']|^)\s*(?:ISI|FILL IN)\s*:`)

// checkFilledIn finds what a pack made by [New] still waits for.
func checkFilledIn(f folder, m *mistakes) {
	err := eachFile(f.root, func(name string) error {
		if ext := path.Ext(name); ext != ".toml" && ext != ".json" {
			return nil
		}
		data, ok := f.read(name, &mistakes{}) // who cannot read it has said so
		if !ok {
			return nil
		}
		for n, line := range strings.Split(string(data), "\n") {
			if strings.HasPrefix(strings.TrimSpace(line), `"//`) { // a remark in lang/*.json for its translator
				continue
			}
			if at := toFillIn.FindStringIndex(line); at != nil && !strings.Contains(line[:at[0]], "#") {
				m.add(name, n+1, "Ini masih harus diisi. Ganti kata-kata di antara tanda petik.", "This is still to be filled in. Replace the words between the quotation marks.")
			}
		}
		return nil
	})
	if err != nil {
		m.unreadable(".", err)
	}
}

// checkSignature says whether one of the keys signed the checksums.
func checkSignature(f folder, keys []minisign.PublicKey, m *mistakes) {
	if len(keys) == 0 {
		return
	}
	text, err := fs.ReadFile(f.root.FS(), SumsFile)
	if err != nil {
		m.add(SumsFile, 0, "Paket ini belum ditandatangani. Tandatangani dengan: mimpi-kiosk pack sign FOLDER --key KUNCI", "This pack is not signed. Sign it with: mimpi-kiosk pack sign DIR --key KEY")
		return
	}
	signature, err := f.root.Open(SignatureFile)
	if err != nil {
		m.add(SignatureFile, 0, "Tanda tangan tidak ada. Tandatangani dengan: mimpi-kiosk pack sign FOLDER --key KUNCI", "The signature is not there. Sign the pack with: mimpi-kiosk pack sign DIR --key KEY")
		return
	}
	signature.Close()
	data, _ := f.read(SignatureFile, m)
	if !SignedBy(keys, text, data) {
		m.add(SignatureFile, 0, "Tanda tangan tidak cocok dengan kunci yang dipercaya. Minta paket dari pembuatnya, atau periksa kuncinya.", "The signature is not by a key that is trusted. Ask the maker for the pack, or check the key.")
	}
}

// SignedBy says whether one of the keys made the signature of the checksums.
func SignedBy(keys []minisign.PublicKey, sums, signature []byte) bool {
	return slices.ContainsFunc(keys, func(key minisign.PublicKey) bool { return minisign.Verify(key, sums, signature) })
}

// strangers notes files that nobody reads: they may have been meant for another folder.
func (p *Pack) strangers(f folder, m *mistakes) {
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		m.unreadable(".", err)
		return
	}
	known := []string{"pack.toml", "questions", "icons", "film", "lang", "audio", SumsFile, SignatureFile}
	for _, e := range entries {
		name := e.Name()
		lower := strings.ToLower(name)
		switch {
		case slices.Contains(known, name) || Rubbish(name) || lower == "readme.md" || lower == "baca-saya.txt":
		case p.Guidebook.File == filepath.Join(p.Dir, name):
		case slices.Contains(known, lower):
			m.add(name, 0, "Nama harus dengan huruf kecil: %q.", "The name must be in small letters: %q.", lower)
		default:
			m.note(name, 0, "Kios tidak membaca ini. Mungkin ada di folder yang salah, atau salah ejaan.", "The kiosk does not read this. It may be in the wrong folder, or misspelt.")
		}
	}
}

// screenTexts finds sentences of lang/*.json that no screen says.
func screenTexts(f folder, known func(string) bool, m *mistakes) {
	names, err := fs.Glob(f.root.FS(), "lang/*.json")
	if err != nil {
		m.unreadable("lang", err)
	}
	for _, name := range names {
		data, ok := f.read(name, &mistakes{}) // who cannot read it has said so
		if !ok {
			continue
		}
		l, ok := readLang(name, data, &mistakes{})
		if !ok {
			continue
		}
		for _, key := range l.keys() {
			if !strings.HasPrefix(key, packPrefix) && !strings.HasPrefix(key, "//") && !known(key) {
				m.add(name, l.lines[key], "Layar tidak punya teks %q. Periksa ejaannya; teks paket mulai dengan \"pack.\".", "The screens have no text %q. Check the spelling; texts of the pack begin with \"pack.\".", key)
			}
		}
	}
}
