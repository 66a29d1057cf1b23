package pack

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mimpi-kiosk/internal/screening"
)

const (
	campaign = "../../media/mimpi-beta"
	demoFilm = "../../media/demo-film"
)

func TestTheCampaignsPack(t *testing.T) {
	p, err := Load(campaign)
	if err != nil {
		t.Fatal(err)
	}
	asked := func(step screening.Step) (ids []string) {
		for _, q := range p.Questions {
			if slices.Contains(q.Ask, step) {
				ids = append(ids, q.ID)
			}
		}
		return ids
	}
	for step, want := range map[screening.Step][]string{
		screening.PollBefore: {"k1", "k2", "k3", "k4", "k5", "o3"},
		screening.Discussion: {"k1", "k2", "k3", "k4", "k5", "o1", "o2", "o3", "o4", "o5"},
	} {
		if diff := cmp.Diff(want, asked(step)); diff != "" {
			t.Errorf("asked in %s (-want +got):\n%s", step, diff)
		}
	}
	codes := map[string][2]string{}
	for _, r := range p.Regencies {
		codes[r.Name] = [2]string{r.Kemendagri, r.BPS}
	}
	if diff := cmp.Diff(map[string][2]string{
		"Kupang": {"53.01", "5303"}, "Timor Tengah Selatan": {"53.02", "5304"}, "Belu": {"53.04", "5306"},
		"Sumba Barat Daya": {"53.18", "5317"}, "Sumba Barat": {"53.12", "5301"},
	}, codes); diff != "" {
		t.Errorf("regencies (-want +got):\n%s", diff)
	}
	if p.ID != "mimpi-beta" || len(p.HelpNumbers) != 7 || p.Guidebook != (Guidebook{}) {
		t.Errorf("id %q, %d help numbers, guidebook %+v", p.ID, len(p.HelpNumbers), p.Guidebook)
	}
	if n := len(p.Spoken); n != 15 || p.Spoken[0] != (Language{"id", "Bahasa Indonesia"}) || !slices.Contains(p.Spoken, Language{"wew-x-loli", "Loli"}) {
		t.Errorf("to be recorded in %d languages: %v", n, p.Spoken)
	}
	if !p.Film.Missing || p.Film.Check().Level != LevelProblem || strings.Contains(p.Film.Credit, "IOM") {
		t.Errorf("film %+v", p.Film)
	}
}

func TestEverySentenceOfTheCampaignIsInIndonesianAndEnglish(t *testing.T) {
	p, err := Load(campaign)
	if err != nil {
		t.Fatal(err)
	}
	both := func(where string, text screening.Text) {
		t.Helper()
		if text["id"] == "" || text["en"] == "" || text["id"] == text["en"] {
			t.Errorf("%s: %v", where, text)
		}
	}
	both("title", p.Title)
	questions := p.Questions
	root, err := os.OpenRoot(campaign)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	files, _ := (folder{root: root}).questions(&mistakes{})
	if spare, ok := files["spare"]; ok {
		questions = append(slices.Clone(questions), spare)
	} else {
		t.Error("the spare question is not there")
	}
	for _, q := range questions {
		both(q.ID, q.Text)
		if q.Explanation != nil {
			both(q.ID+" explanation", q.Explanation)
			if q.Source == "" {
				t.Errorf("%s states a fact without a source", q.ID)
			}
		}
		if q.Check != nil {
			both(q.ID+" check", q.Check)
		}
		for _, o := range q.Options {
			both(q.ID+" "+o.ID, o.Text)
		}
		if n := len(q.Prompts); n < 2 || n > 3 {
			t.Errorf("%s has %d prompts for the talk, want two or three", q.ID, n)
		}
		for _, p := range q.Prompts {
			both(q.ID+" prompt", p)
		}
	}
	for _, h := range p.HelpNumbers {
		both(h.Tel, h.Name)
		if h.CheckedOn != "" {
			t.Errorf("%s: somebody claims to have dialled it on %s", h.Tel, h.CheckedOn)
		}
	}
	k5 := questions[4]
	if k5.ID != "k5" || !strings.Contains(k5.Check["en"], "lawyer") {
		t.Errorf("%s does not ask for a legal check: %v", k5.ID, k5.Check)
	}
}

func TestTheDemoFilm(t *testing.T) {
	film, err := LoadFilm(demoFilm)
	if err != nil {
		t.Fatal(err)
	}
	if len(film.PausePoints) != 1 || film.PausePoints[0].At != 15_000 || film.PausePoints[0].Note["en"] == "" {
		t.Errorf("pause points %+v", film.PausePoints)
	}
	for _, s := range film.Subtitles {
		path, ok := film.SubtitleFile(s.Lang)
		if data, err := os.ReadFile(path); !ok || err != nil || !strings.HasPrefix(string(data), "WEBVTT") {
			t.Errorf("subtitles %s at %q: %v", s.Lang, path, err)
		}
	}
	if _, ok := film.SubtitleFile("aoz"); ok || len(film.Subtitles) != 2 {
		t.Errorf("subtitles %+v", film.Subtitles)
	}
}

// goodPack is a small pack without a fault.
func goodPack() map[string]string {
	return map[string]string{
		"pack.toml": `id = "small"
title.id = "Kecil"
questions = ["k1", "o1"]

[[regencies]]
id = "belu"
name = "Belu"
kemendagri = "53.04"
bps = "5306"

[[regencies]]
id = "sikka"
name = "Sikka"
kemendagri = "53.07"
bps = "5310"

[[help_numbers]]
name.id = "Polisi"
tel = "110"
hours.id = "24 jam"
checked_on = "2026-11-20"

[guidebook]
file = "book.pdf"
public_url = "https://example.org/book"
`,
		"book.pdf": "%PDF-1.4",
		"questions/k1.toml": `id = "k1"
kind = "single"
ask = ["poll_before", "discussion"]
text.id = "Berapa?"
explanation.id = "Dua."

[[options]]
id = "1"
text.id = "Satu"
icon = "minus"

[[options]]
id = "2"
text.id = "Dua"
icon = "own"
right = true
`,
		"questions/o1.toml": `id = "o1"
kind = "several"
ask = ["discussion"]

[text]
id = "Apa?"
en = "What?"

[[options]]
id = "a"
icon = "clock"
[options.text]
id = "Ini"

[[options]]
id = "b"
icon = "paper"
[options.text]
id = "Itu"
`,
		"icons/own.svg": "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
		"lang/aoz.json": `{
  "//language.name": "a remark",
  "language.name": "Uab Meto",
  "touch.skip": "Lewat",
  "pack.title": "Ana'",
  "pack.questions.k1.text": "Fauk?",
  "pack.questions.k1.options.2": "",
  "pack.help.110.name": "Polisi"
}
`,
		"audio/aoz/questions.k1.text.mp3":      "ID3",
		"audio/aoz/questions.k1.options.2.ogg": "OggS",
		"film/film.toml": `id = "short"
title.id = "Pendek"
credit = "Kami"
file = "film.mp4"

[[subtitles]]
lang = "id"
label = "Bahasa Indonesia"
file = "id.vtt"

[[pause_points]]
at = "1m30s"
note.id = "Bicara"
question = "o1"

[[pause_points]]
at = "20s"
`,
		"film/id.vtt": "WEBVTT\n\n00:00.000 --> 00:01.000\nHalo\n",
	}
}

// write puts a pack on the disk. A name that begins with "->" is a symbolic link.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		err := error(nil)
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			err = os.Symlink(target, path)
		} else {
			err = os.WriteFile(path, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLoad(t *testing.T) {
	dir := write(t, goodPack())
	p, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	categories := []screening.Category{{ID: "woman", Label: screening.Text{"id": "Perempuan"}}}
	want := screening.Programme{
		Pack: "small",
		Regencies: []screening.Regency{
			{ID: "belu", Name: "Belu", Kemendagri: "53.04", BPS: "5306"},
			{ID: "sikka", Name: "Sikka", Kemendagri: "53.07", BPS: "5310"},
		},
		Categories: categories,
		Questions: []screening.Question{
			{
				ID: "k1", Kind: screening.Single, Text: screening.Text{"id": "Berapa?", "aoz": "Fauk?"},
				Options: []screening.Option{
					{ID: "1", Text: screening.Text{"id": "Satu"}, Icon: "minus"},
					{ID: "2", Text: screening.Text{"id": "Dua"}, Icon: "own", Right: true},
				},
				Explanation: screening.Text{"id": "Dua."},
				Ask:         []screening.Step{screening.PollBefore, screening.Discussion},
			},
			{
				ID: "o1", Kind: screening.Several, Text: screening.Text{"id": "Apa?", "en": "What?"},
				Options: []screening.Option{
					{ID: "a", Text: screening.Text{"id": "Ini"}, Icon: "clock"},
					{ID: "b", Text: screening.Text{"id": "Itu"}, Icon: "paper"},
				},
				Ask: []screening.Step{screening.Discussion},
			},
		},
		Film: screening.Film{
			ID: "short", Title: screening.Text{"id": "Pendek"}, Credit: "Kami", Missing: true,
			Subtitles: []screening.Subtitle{{Lang: "id", Label: "Bahasa Indonesia"}},
			PausePoints: []screening.PausePoint{
				{At: 20_000},
				{At: 90_000, Note: screening.Text{"id": "Bicara"}, Question: "o1"},
			},
		},
		ThankYou:     1500,
		ShareMinimum: 10,
	}
	if diff := cmp.Diff(want, p.Programme(categories, 1500, 10)); diff != "" {
		t.Errorf("programme (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]HelpNumber{{
		Name: screening.Text{"id": "Polisi", "aoz": "Polisi"}, Tel: "110", Hours: screening.Text{"id": "24 jam"}, CheckedOn: "2026-11-20",
	}}, p.HelpNumbers); diff != "" {
		t.Errorf("help numbers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(Guidebook{filepath.Join(dir, "book.pdf"), "https://example.org/book"}, p.Guidebook); diff != "" {
		t.Errorf("guidebook (-want +got):\n%s", diff)
	}
	if p.Film.File != filepath.Join(dir, "film", "film.mp4") || p.Film.Check().Level != LevelProblem {
		t.Errorf("film file %q: %+v", p.Film.File, p.Film.Check())
	}
}

func TestLoadWhatNotepadSaves(t *testing.T) {
	files := goodPack()
	for name, content := range files {
		if name != "book.pdf" && !strings.HasPrefix(name, "audio/") {
			files[name] = "\ufeff" + strings.ReplaceAll(content, "\n", "\r\n")
		}
	}
	plain, err := Load(write(t, goodPack()))
	if err != nil {
		t.Fatal(err)
	}
	notepad, err := Load(write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain.Programme(nil, 0, 0), notepad.Programme(nil, 0, 0)); diff != "" {
		t.Errorf("byte order mark and CRLF change the pack (-plain +notepad):\n%s", diff)
	}
}

func TestOpenIcon(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.svg")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := goodPack()
	files["icons/link.svg"] = "-> " + secret
	p, err := Load(write(t, files))
	if err != nil {
		t.Fatal(err)
	}
	f, err := p.OpenIcon("own")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if data, err := io.ReadAll(f); err != nil || string(data) != files["icons/own.svg"] {
		t.Errorf("own icon: %q, %v", data, err)
	}
	for _, name := range []string{"clock", "../icons/own", "", "own.svg", "..", "a/b"} {
		if _, err := p.OpenIcon(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("OpenIcon(%q) = %v, want not exist", name, err)
		}
	}
	if _, err := p.OpenIcon("link"); err == nil {
		t.Error("a link out of the pack was followed")
	}
}

func TestUseFilm(t *testing.T) {
	p, err := Load(write(t, goodPack()))
	if err != nil {
		t.Fatal(err)
	}
	other, err := LoadFilm(write(t, map[string]string{
		"film.toml": "id = \"other\"\ntitle.id = \"Lain\"\n[[pause_points]]\nat = \"5s\"\nquestion = \"k1\"\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.UseFilm(other); err != nil || p.Programme(nil, 0, 0).Film.ID != "other" {
		t.Errorf("film is %q: %v", p.Film.ID, err)
	}
	stranger, err := LoadFilm(write(t, map[string]string{
		"film.toml": "id = \"stranger\"\ntitle.id = \"Asing\"\n[[pause_points]]\nat = \"5s\"\nquestion = \"k9\"\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	mistake, ok := errors.AsType[*Mistake](p.UseFilm(stranger))
	if !ok || mistake.Line != 5 || p.Film.ID != "other" {
		t.Errorf("mistake %v, film is %q", mistake, p.Film.ID)
	}
}

// Each pack has one fault, which is named with its file and line, and nothing else is said.
func TestBrokenPacks(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside.toml")
	if err := os.WriteFile(outside, []byte(goodPack()["questions/o1.toml"]), 0o644); err != nil {
		t.Fatal(err)
	}
	replace := func(name, old, new string) func(map[string]string) {
		return func(files map[string]string) {
			if !strings.Contains(files[name], old) {
				panic("the case changes nothing: " + old)
			}
			files[name] = strings.Replace(files[name], old, new, 1)
		}
	}
	add := func(name, content string) func(map[string]string) {
		return func(files map[string]string) { files[name] = content }
	}
	remove := func(name string) func(map[string]string) {
		return func(files map[string]string) { delete(files, name) }
	}
	option := "\n[[options]]\nid = \"z%\"\ntext.id = \"Z\"\nicon = \"clock\"\n"
	tooMany := ""
	for _, n := range "1234567" {
		tooMany += strings.Replace(option, "%", string(n), 1)
	}
	for name, c := range map[string]struct {
		change func(map[string]string)
		file   string
		line   int
		says   string
	}{
		"no code of a language":     {replace("pack.toml", "[[regencies]]", "[[languages]]\ncode = \"Tetun\"\nname = \"Tetun\"\n[[regencies]]"), "pack.toml", 6, `"Tetun" is not a language code`},
		"a language twice":          {replace("pack.toml", "[[regencies]]", "[[languages]]\ncode = \"tet\"\nname = \"Tetun\"\n[[languages]]\ncode = \"tet\"\nname = \"Tetum\"\n[[regencies]]"), "pack.toml", 9, `"tet" is written twice`},
		"a language without a name": {replace("pack.toml", "[[regencies]]", "[[languages]]\ncode = \"tet\"\n[[regencies]]"), "pack.toml", 5, "The language has no name"},
		"unknown key":               {replace("pack.toml", `title.id`, "colour = \"red\"\ntitle.id"), "pack.toml", 2, `"colour" is not known`},
		"unknown key of option":     {replace("questions/k1.toml", `icon = "own"`, "icon = \"own\"\nexplanatoin = \"x\""), "questions/k1.toml", 16, `"options.explanatoin" is not known`},
		"no Indonesian":             {replace("questions/o1.toml", "id = \"Apa?\"\n", ""), "questions/o1.toml", 5, "Indonesian text"},
		"no Indonesian in option":   {replace("questions/k1.toml", `text.id = "Dua"`, `text.en = "Two"`), "questions/k1.toml", 14, "Indonesian text"},
		"empty translation":         {replace("questions/o1.toml", `"What?"`, `" "`), "questions/o1.toml", 7, `language "en" is empty`},
		"not a language":            {replace("questions/o1.toml", `en = "What?"`, `English = "What?"`), "questions/o1.toml", 7, `"English" is not a language`},
		"text without language":     {replace("questions/k1.toml", `text.id = "Berapa?"`, `text = "Berapa?"`), "questions/k1.toml", 4, "Add: text.id"},
		"a number for a text":       {replace("questions/k1.toml", `"Berapa?"`, `7`), "questions/k1.toml", 4, `"text.id" must be text`},
		"a text for a list":         {replace("questions/o1.toml", `["discussion"]`, `"discussion"`), "questions/o1.toml", 3, `"ask" must be a list`},
		"a text for yes or no":      {replace("questions/k1.toml", `right = true`, `right = "yes"`), "questions/k1.toml", 16, `"options.right" must be true`},
		"TOML syntax":               {replace("questions/k1.toml", `"single"`, `"single`), "questions/k1.toml", 2, "TOML"},
		"key twice":                 {replace("pack.toml", `title.id`, "id = \"other\"\ntitle.id"), "pack.toml", 2, "TOML"},
		"UTF-16":                    {add("questions/o1.toml", "\xff\xfei\x00d\x00"), "questions/o1.toml", 1, "UTF-16"},
		"Windows letters":           {replace("questions/k1.toml", "Dua.", "Dua\x85"), "questions/k1.toml", 5, "UTF-8"},
		"bad id":                    {replace("pack.toml", `"small"`, `"Small Pack"`), "pack.toml", 1, `id "Small Pack" is wrong`},
		"bad option id":             {replace("questions/k1.toml", `id = "2"`, `id = "two!"`), "questions/k1.toml", 13, `option id "two!" is wrong`},
		"option id twice":           {replace("questions/k1.toml", `id = "2"`, `id = "1"`), "questions/k1.toml", 13, `"1" is used twice`},
		"question id twice":         {add("questions/o9.toml", goodPack()["questions/o1.toml"]), "questions/o9.toml", 0, "already used in questions/o1.toml"},
		"one option":                {replace("questions/o1.toml", "\n[[options]]\nid = \"b\"\nicon = \"paper\"\n[options.text]\nid = \"Itu\"\n", ""), "questions/o1.toml", 9, "There are 1 options"},
		"nine options":              {replace("questions/o1.toml", "\n[[options]]", tooMany+"\n[[options]]"), "questions/o1.toml", 9, "There are 9 options"},
		"bad kind":                  {replace("questions/o1.toml", `"several"`, `"many"`), "questions/o1.toml", 2, `kind "many"`},
		"two right of one":          {replace("questions/k1.toml", `icon = "minus"`, "icon = \"minus\"\nright = true"), "questions/k1.toml", 2, "2 right answers"},
		"nothing right":             {replace("questions/k1.toml", "right = true\n", ""), "questions/k1.toml", 5, "no right answer"},
		"right, not explained":      {replace("questions/k1.toml", "explanation.id = \"Dua.\"\n", ""), "questions/k1.toml", 15, "no explanation"},
		"prompt without Indonesian": {replace("questions/k1.toml", "\n[[options]]", "\n[[prompts]]\nen = \"Why?\"\n\n[[options]]"), "questions/k1.toml", 7, "Indonesian text"},
		"six prompts":               {replace("questions/k1.toml", "\n[[options]]", strings.Repeat("\n[[prompts]]\nid = \"Mengapa?\"\n", 6)+"\n[[options]]"), "questions/k1.toml", 7, "6 [[prompts]]"},
		"no such icon":              {replace("questions/o1.toml", `"paper"`, `"papper"`), "questions/o1.toml", 17, `picture "papper"`},
		"icon outside":              {replace("questions/o1.toml", `"paper"`, `"../icons/own"`), "questions/o1.toml", 17, `picture "../icons/own"`},
		"never asked":               {replace("questions/o1.toml", `["discussion"]`, `[]`), "questions/o1.toml", 3, "when to ask"},
		"asked at a wrong time":     {replace("questions/o1.toml", `["discussion"]`, `["film"]`), "questions/o1.toml", 3, `"film" is not a time`},
		"asked twice":               {replace("questions/o1.toml", `["discussion"]`, `["discussion", "discussion"]`), "questions/o1.toml", 3, "written twice"},
		"question not there":        {replace("pack.toml", `"o1"]`, `"o1", "o7"]`), "pack.toml", 3, `no question "o7"`},
		"question listed twice":     {replace("pack.toml", `"o1"]`, `"o1", "k1"]`), "pack.toml", 3, `"k1" is written twice`},
		"saved as .txt":             {add("questions/o2.toml.txt", "x"), "questions/o2.toml.txt", 0, "Notepad added .txt"},
		"link out of the pack":      {add("questions/o1.toml", "-> "+outside), "questions/o1.toml", 0, "inside the pack's folder"},
		"no regencies": {replace("pack.toml", goodPack()["pack.toml"][strings.Index(goodPack()["pack.toml"], "[[regencies]]"):strings.Index(goodPack()["pack.toml"], "[[help")], ""),
			"pack.toml", 1, "no regencies"},
		"Kemendagri without dot": {replace("pack.toml", `"53.07"`, `"5307"`), "pack.toml", 14, "Kemendagri code"},
		"BPS with dot":           {replace("pack.toml", `"5310"`, `"53.10"`), "pack.toml", 15, "BPS code"},
		"regency twice":          {replace("pack.toml", `"5310"`, `"5306"`), "pack.toml", 15, `bps "5306"`},
		"regency without name":   {replace("pack.toml", `"Sikka"`, `""`), "pack.toml", 13, "no name"},
		"bad number":             {replace("pack.toml", `"110"`, `"call us"`), "pack.toml", 19, `number "call us"`},
		"bad date":               {replace("pack.toml", `"2026-11-20"`, `"20/11/2026"`), "pack.toml", 21, "year-month-day"},
		"bad address":            {replace("pack.toml", `https://example.org`, `example.org`), "pack.toml", 25, "https://"},
		"guidebook not there":    {remove("book.pdf"), "pack.toml", 24, `"book.pdf" is not there`},
		"guidebook outside":      {replace("pack.toml", `"book.pdf"`, `"../book.pdf"`), "pack.toml", 24, "outside the folder"},
		"guidebook of Word": {func(files map[string]string) {
			replace("pack.toml", `"book.pdf"`, `"book.doc"`)(files)
			files["book.doc"] = "x"
		}, "pack.toml", 24, "neither PDF nor HTML"},
		"no pack.toml":            {remove("pack.toml"), "pack.toml", 0, "not there"},
		"no film.toml":            {func(f map[string]string) { delete(f, "film/film.toml"); delete(f, "film/id.vtt") }, "film/film.toml", 0, "not there"},
		"film outside":            {replace("film/film.toml", `"film.mp4"`, `"C:\\Videos\\film.mp4"`), "film/film.toml", 4, "outside the folder"},
		"film is a link out":      {add("film/film.mp4", "-> "+outside), "film/film.toml", 4, "cannot be opened"},
		"subtitles not there":     {remove("film/id.vtt"), "film/film.toml", 9, `"id.vtt" is not there`},
		"subtitles are SRT":       {add("film/id.vtt", "1\n00:00:00,000 --> 00:00:01,000\nHalo\n"), "film/id.vtt", 1, "WebVTT"},
		"subtitles without label": {replace("film/film.toml", `"Bahasa Indonesia"`, `""`), "film/film.toml", 8, "name of the language"},
		"bad time":                {replace("film/film.toml", `"1m30s"`, `"1:30"`), "film/film.toml", 12, `time "1:30"`},
		"pause twice":             {replace("film/film.toml", `"20s"`, `"1m30s"`), "film/film.toml", 17, "two pauses"},
		"pause asks nothing here": {replace("film/film.toml", `"o1"`, `"o8"`), "film/film.toml", 14, `asks "o8"`},

		"capital letters":              {replace("pack.toml", `"book.pdf"`, `"Book.pdf"`), "pack.toml", 24, `but "book.pdf" is`},
		"number twice":                 {replace("pack.toml", "[guidebook]", "[[help_numbers]]\nname.id = \"P\"\ntel = \"1-10\"\n\n[guidebook]"), "pack.toml", 25, `number "1-10" is written twice`},
		"no questions":                 {replace("pack.toml", `["k1", "o1"]`, `[]`), "pack.toml", 3, "no questions"},
		"date of no day":               {replace("pack.toml", `"2026-11-20"`, `"2026-11-31"`), "pack.toml", 21, "year-month-day"},
		"subtitles with a comma":       {replace("film/id.vtt", "00:01.000", "00:01,000"), "film/id.vtt", 3, "with a dot"},
		"subtitles that run backwards": {replace("film/id.vtt", "00:00.000 -->", "00:09.000 -->"), "film/id.vtt", 3, "ends before it begins"},
		"subtitles without text":       {add("film/id.vtt", "WEBVTT\n"), "film/id.vtt", 1, "empty"},
		"film is not a film":           {add("film/film.mp4", "This is the film."), "film/film.toml", 4, "not a film"},
		"picture is damaged":           {add("icons/own.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\">\n<g>\n</svg>"), "icons/own.svg", 3, "damaged"},
		"picture is a page":            {add("icons/own.svg", "<html/>"), "icons/own.svg", 1, "not an SVG"},
		"picture with a script":        {add("icons/own.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\">\n<script/></svg>"), "icons/own.svg", 2, "<script>"},
		"picture from the internet":    {add("icons/own.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\">\n\n<image href=\"https://example.org/a.png\"/></svg>"), "icons/own.svg", 3, "internet"},
		"picture is too large":         {add("icons/large.png", "\x89PNG\r\n\x1a\n"+strings.Repeat("x", maxPicture)), "icons/large.png", 0, "larger than 256 kB"},
		"picture is something else":    {add("icons/other.png", "GIF89a"), "icons/other.png", 0, "not the kind of picture"},
		"picture is a Photoshop file":  {add("icons/other.psd", "8BPS"), "icons/other.psd", 0, "SVG, PNG or JPG"},
		"picture with a bad name":      {add("icons/Small Boat.svg", "<svg/>"), "icons/Small Boat.svg", 0, "small letters"},
		"language: no JSON":            {replace("lang/aoz.json", `"Lewat",`, `"Lewat"`), "lang/aoz.json", 5, "JSON"},
		"language: cut short":          {replace("lang/aoz.json", "\"Polisi\"\n}", "\"Polisi\"\n"), "lang/aoz.json", 8, "JSON"},
		"language: a list":             {add("lang/aoz.json", "[]"), "lang/aoz.json", 1, "begin with {"},
		"language: more than one":      {replace("lang/aoz.json", "\n}\n", "\n}\n{}\n"), "lang/aoz.json", 10, "after the last }"},
		"language: a number":           {replace("lang/aoz.json", `"Lewat"`, `7`), "lang/aoz.json", 4, `"touch.skip" must be a sentence`},
		"language: key twice":          {replace("lang/aoz.json", `"touch.skip"`, `"pack.title"`), "lang/aoz.json", 5, "in line 4 too"},
		"language: no such text":       {replace("lang/aoz.json", "k1.text", "k9.text"), "lang/aoz.json", 6, `no text "pack.questions.k9.text"`},
		"language: no such sentence":   {replace("lang/aoz.json", "touch.skip", "touch.skipp"), "lang/aoz.json", 4, `no text "touch.skipp"`},
		"language: said twice":         {replace("questions/k1.toml", `text.id = "Berapa?"`, "text.id = \"Berapa?\"\ntext.aoz = \"Fauk he?\""), "lang/aoz.json", 6, "in other words"},
		"language: UTF-16":             {add("lang/aoz.json", "\xff\xfe{\x00"), "lang/aoz.json", 1, "UTF-16"},
		"language: saved as .txt":      {add("lang/tet.json.txt", "{}"), "lang/tet.json.txt", 0, "Notepad added .txt"},
		"language: name of no code":    {add("lang/Tetun.json", "{}"), "lang/Tetun.json", 0, "language code"},
		"recording of nothing":         {add("audio/aoz/questions.k7.text.mp3", "ID3"), "audio/aoz/questions.k7.text.mp3", 0, `no text "questions.k7.text"`},
		"recording is empty":           {add("audio/aoz/title.mp3", ""), "audio/aoz/title.mp3", 0, "empty"},
		"recording of a strange kind":  {add("audio/aoz/title.amr", "#!AMR"), "audio/aoz/title.amr", 0, "MP3"},
		"recording twice":              {add("audio/aoz/questions.k1.text.wav", "RIFF"), "audio/aoz/questions.k1.text.wav", 0, "two recordings"},
		"recording without language":   {add("audio/title.mp3", "ID3"), "audio/title.mp3", 0, "folder of its language"},
		"recordings of no language":    {add("audio/Uab Meto/title.mp3", "ID3"), "audio/Uab Meto", 0, "language code"},
		"folder in capitals":           {add("Questions/k2.toml", "x"), "Questions", 0, `"questions"`},
		"still to be filled in":        {replace("questions/k1.toml", `"Satu"`, `"ISI: jawaban"`), "questions/k1.toml", 9, "to be filled in"},
		"checksums: changed file": {func(files map[string]string) {
			files[SumsFile] = sumsOf(files)
			files["questions/k1.toml"] += "# changed\n"
		}, "questions/k1.toml", 0, "does not match SHA256SUMS"},
		"checksums: file not listed": {func(files map[string]string) {
			files[SumsFile] = sumsOf(files)
			files["audio/aoz/title.mp3"] = "ID3"
		}, "audio/aoz/title.mp3", 0, "not in SHA256SUMS"},
		"checksums: file not there": {func(files map[string]string) {
			files[SumsFile] = sumsOf(files)
			delete(files, "audio/aoz/questions.k1.text.mp3")
		}, SumsFile, 2, "but not in the pack"},
		"checksums: no checksum": {add(SumsFile, "abc  pack.toml\n"), SumsFile, 1, "no checksum"},
	} {
		t.Run(name, func(t *testing.T) {
			files := goodPack()
			c.change(files)
			dir := write(t, files)
			v, err := Verify(t.Context(), dir, Check{ScreenText: func(key string) bool { return key == "touch.skip" || key == "language.name" }})
			if err != nil {
				t.Fatal(err)
			}
			if len(v.Mistakes) != 1 {
				t.Fatalf("one fault gives %d mistakes: %v", len(v.Mistakes), v.Mistakes)
			}
			m := v.Mistakes[0]
			if m.File != c.file || m.Line != c.line || !strings.Contains(m.What["en"], c.says) || m.What["id"] == "" {
				t.Errorf("got  %v\nwant %s:%d: ...%s...", m, c.file, c.line, c.says)
			}
			// What the kiosk refuses, it refuses in the same words; all else it can do without.
			if _, err := Load(dir); (err != nil) != (v.Pack == nil) || err != nil && err.Error() != m.Error() {
				t.Errorf("Load says %v", err)
			}
		})
	}
}

// sumsOf is SHA256SUMS as it should be.
func sumsOf(files map[string]string) string {
	out := ""
	for _, name := range slices.Sorted(maps.Keys(files)) {
		out += fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(files[name])), name)
	}
	return out
}

func mistakesIn(err error) (found []*Mistake) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	for _, e := range joined.Unwrap() {
		if m, ok := errors.AsType[*Mistake](e); ok {
			found = append(found, m)
		}
	}
	return found
}

func TestAllMistakesAtOnce(t *testing.T) {
	files := goodPack()
	files["pack.toml"] = strings.NewReplacer(`"53.07"`, `"5307"`, `"110"`, `"x"`).Replace(files["pack.toml"])
	files["questions/k1.toml"] = strings.NewReplacer(`"single"`, `"one"`, `"own"`, `"none"`).Replace(files["questions/k1.toml"])
	files["film/film.toml"] = strings.Replace(files["film/film.toml"], `"20s"`, `"soon"`, 1)
	_, err := Load(write(t, files))
	var got []string
	for _, m := range mistakesIn(err) {
		got = append(got, strings.Fields(m.Error())[0])
	}
	want := []string{"questions/k1.toml:2:", "questions/k1.toml:15:", "pack.toml:14:", "pack.toml:19:", "film/film.toml:17:"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s\n%v", diff, err)
	}
}

func TestLoadWithoutAFolder(t *testing.T) {
	for name, load := range map[string]func(string) error{
		"pack": func(dir string) error { _, err := Load(dir); return err },
		"film": func(dir string) error { _, err := LoadFilm(dir); return err },
	} {
		if err := load(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBuiltInIcons(t *testing.T) {
	icons := BuiltInIcons()
	if !slices.IsSorted(icons) || len(slices.Compact(slices.Clone(icons))) != len(icons) {
		t.Error("the names are not in order, or one stands twice")
	}
	icons[0] = "changed"
	if slices.Contains(BuiltInIcons(), "changed") {
		t.Error("a caller can change the list")
	}
}

// FuzzQuestion holds what a question must be whatever stands in its file.
func FuzzQuestion(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(campaign, "questions", "*.toml"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, content := range slices.Sorted(maps.Values(goodPack())) {
		f.Add([]byte("\ufeff" + strings.ReplaceAll(content, "\n", "\r\n")))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m := &mistakes{}
		q, ok := readQuestion("q.toml", data, func(string) bool { return false }, m)
		if !ok && len(m.found) == 0 {
			t.Fatal("refused without a word")
		}
		for _, mistake := range m.found {
			if mistake.What["id"] == "" || mistake.What["en"] == "" || mistake.Line > strings.Count(string(data), "\n")+1 {
				t.Fatalf("%+v", mistake)
			}
		}
		if len(m.found) > 0 {
			return
		}
		right := 0
		for _, o := range q.Options {
			if o.ID == "" || o.Text.In("en") == "" || o.Icon == "" {
				t.Fatalf("option %+v", o)
			}
			if o.Right {
				right++
			}
		}
		if len(q.Options) < 2 || len(q.Options) > 8 || len(q.Ask) == 0 || q.Text.In("en") == "" || (right > 0) != (q.Explanation != nil) {
			t.Fatalf("question %+v", q)
		}
	})
}
