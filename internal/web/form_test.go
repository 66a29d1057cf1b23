package web

import (
	"html"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"mimpi-kiosk/kiosk-ui/lang"

	"mimpi-kiosk/internal/screening"
)

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// load opens the page and gives the form's hidden fields.
func (b *browser) load() (page string, fields url.Values) {
	b.t.Helper()
	r := b.get("/vote")
	if r.StatusCode != http.StatusOK {
		b.t.Fatalf("/vote gives %s", r.Status)
	}
	fields = url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(string(r.body), -1) {
		fields.Set(m[1], html.UnescapeString(m[2]))
	}
	return string(r.body), fields
}

// choose presses buttons of a form that was loaded.
func (b *browser) choose(fields url.Values, pressed ...string) reply {
	b.t.Helper()
	all := url.Values{}
	for name, values := range fields {
		all[name] = values
	}
	for i := 0; i < len(pressed); i += 2 {
		all.Add(pressed[i], pressed[i+1])
	}
	return b.postForm("/vote", all)
}

func wantSaved(t *testing.T, b *browser, r reply) {
	t.Helper()
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/vote?said=done&lang=id" {
		t.Fatalf("the form is answered by %s to %q: %s", r.Status, r.Header.Get("Location"), r.body)
	}
	if page := b.get(r.Header.Get("Location")); !strings.Contains(string(page.body), "Tersimpan") {
		t.Errorf("the page after it does not say that it was saved: %s", page.body)
	}
}

func TestPlainForm(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	b := k.phone(1)
	if page, _ := b.load(); !strings.Contains(page, "Tunggu") || strings.Contains(page, "<form") {
		t.Errorf("with nothing to vote on the page is %s", page)
	}
	k.ask("age", screening.PollBefore)
	page, fields := b.load()
	if !strings.HasPrefix(page, `<!doctype html><title>vote</title>`) || !strings.HasSuffix(page, "</div>") {
		t.Errorf("the form does not stand in the built page: %s", page)
	}
	if want := (url.Values{"screening": {"s-plan"}, "question": {"age"}, "round": {"1"}}); fields.Encode() != want.Encode() {
		t.Errorf("the form has %v, want %v", fields, want)
	}
	if strings.Contains(page, "checked") || strings.Contains(page, "✓") {
		t.Errorf("something is chosen already: %s", page)
	}
	wantSaved(t, b, b.choose(fields, "choice", "a15"))
	if r := k.round("age"); !slices.Equal(r.Counts, []int{1, 0, 0}) || r.ByChannel[screening.ByPhone] != 1 {
		t.Fatalf("the round is %+v", r)
	}
	if page, _ = b.load(); strings.Count(page, "✓") != 1 || !strings.Contains(page, "Pilihan a15 <strong>✓ pilihan Anda") {
		t.Errorf("the phone's own choice is not marked: %s", page)
	}

	// Back in the browser's history: the old page, another choice.
	wantSaved(t, b, b.choose(fields, "choice", "a18"))
	if r := k.round("age"); !slices.Equal(r.Counts, []int{0, 1, 0}) || r.Ballots != 1 {
		t.Errorf("after a change the round is %+v", r)
	}
	wantSaved(t, b, b.choose(fields, "skip", "1"))
	if r := k.round("age"); r.Ballots != 1 || r.Skipped != 1 {
		t.Errorf("after a skip the round is %+v", r)
	}

	for name, wrong := range map[string]struct {
		pressed []string
		status  int
		says    string
	}{
		"nothing chosen":    {nil, http.StatusOK, "Belum ada yang dipilih"},
		"two of one choice": {[]string{"choice", "a15", "choice", "a18"}, http.StatusConflict, "Pilih satu saja."},
		"unknown option":    {[]string{"choice", "a99"}, http.StatusConflict, "Pilihan ini tidak ada."},
	} {
		if r := b.choose(fields, wrong.pressed...); r.StatusCode != wrong.status || !strings.Contains(string(r.body), wrong.says) {
			t.Errorf("%s gives %s: %s", name, r.Status, r.body)
		}
	}
	for name, edit := range map[string]func(url.Values){
		"round is a word": func(f url.Values) { f.Set("round", "one") },
		"no round":        func(f url.Values) { f.Del("round") },
	} {
		_, edited := b.load()
		edit(edited)
		if r := b.choose(edited, "choice", "a15"); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s gives %s", name, r.Status)
		}
	}
	_, edited := b.load()
	edited.Set("screening", "s-of-yesterday")
	if r := b.choose(edited, "choice", "a15"); r.StatusCode != http.StatusConflict || !strings.Contains(string(r.body), "acara yang lain") {
		t.Errorf("a form of another screening gives %s: %s", r.Status, r.body)
	}
	edited.Del("screening")
	if r := b.choose(edited, "choice", "a15"); r.StatusCode != http.StatusConflict || k.round("age").Ballots != 1 {
		t.Errorf("a form of no screening gives %s, %+v", r.Status, k.round("age"))
	}
	if r := b.choose(fields, "choice", strings.Repeat("a", 10_000)); r.StatusCode != http.StatusBadRequest {
		t.Errorf("a form of 10 kB gives %s", r.Status)
	}

	k.do(screening.CloseQuestion{Question: "age"})
	if r := b.choose(fields, "choice", "a15"); r.StatusCode != http.StatusConflict || !strings.Contains(string(r.body), "sedang tidak dibuka") {
		t.Errorf("a ballot for a closed question gives %s: %s", r.Status, r.body)
	}
	if page, _ = b.load(); !strings.Contains(page, "Sudah ditutup") || strings.Contains(page, "<button") {
		t.Errorf("in a closed question the page is %s", page)
	}
	if r := k.round("age"); r.Ballots != 1 || r.Skipped != 1 {
		t.Errorf("refused ballots left %+v", r)
	}
	k.do(screening.MoveTo{Step: screening.Ended})
	if page, _ = b.load(); !strings.Contains(page, "Terima kasih") {
		t.Errorf("after the end the page is %s", page)
	}
}

func TestPlainFormSeveralChoices(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.ask("signs", screening.FilmStep)
	b := k.phone(1)
	page, fields := b.load()
	if strings.Count(page, `type="checkbox"`) != 3 {
		t.Errorf("several choices are not boxes to tick: %s", page)
	}
	wantSaved(t, b, b.choose(fields, "choice", "smile", "choice", "papers"))
	if r := k.round("signs"); !slices.Equal(r.Counts, []int{1, 0, 1}) || r.Ballots != 1 {
		t.Errorf("the round is %+v", r)
	}
	if page, _ = b.load(); strings.Count(page, " checked>") != 2 {
		t.Errorf("the ticks are not where they were: %s", page)
	}
	wantSaved(t, b, b.choose(fields, "choice", "debt"))
	if r := k.round("signs"); !slices.Equal(r.Counts, []int{0, 1, 0}) || r.Ballots != 1 {
		t.Errorf("after a change the round is %+v", r)
	}
	if r := b.choose(fields, "choice", "debt", "choice", "debt"); r.StatusCode != http.StatusConflict {
		t.Errorf("the same option twice gives %s", r.Status)
	}
}

func TestPlainFormSentTwiceCountsOnce(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.ask("age", screening.PollBefore)
	b := k.phone(1)
	_, fields := b.load()
	fields.Set("choice", "a18")
	var group errgroup.Group
	status := make([]int, 8)
	for i := range status {
		group.Go(func() error {
			r, err := b.http.PostForm(b.base.String()+"/vote", fields)
			if err == nil {
				status[i] = r.StatusCode
				err = r.Body.Close()
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(status, func(s int) bool { return s != http.StatusSeeOther }) {
		t.Errorf("sent eight times the form is answered by %v", status)
	}
	if r := k.round("age"); r.Ballots != 1 || r.Counts[1] != 1 {
		t.Errorf("one form sent eight times makes %+v", r)
	}
}

func TestFormAndSocketAreOneVoter(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.ask("age", screening.PollBefore)
	b := k.phone(1)
	_, fields := b.load()
	s := b.socket(voteRole)
	wantSaved(t, b, b.choose(fields, "choice", "a15"))
	s.must("castBallot", ballot("age", 1, "a18"))
	if r := k.round("age"); !slices.Equal(r.Counts, []int{0, 1, 0}) || r.Ballots != 1 {
		t.Errorf("the form's ballot and then the socket's make %+v", r)
	}
	if page, _ := b.load(); !strings.Contains(page, "Pilihan a18 <strong>✓") {
		t.Errorf("the form does not know the socket's ballot: %s", page)
	}
	wantSaved(t, b, b.choose(fields, "choice", "a21"))
	if r := k.round("age"); !slices.Equal(r.Counts, []int{0, 0, 1}) || r.Ballots != 1 {
		t.Errorf("and then the form's again: %+v", r)
	}
	if p := b.socket(voteRole).until(func(p packet) bool { return p.View.Question != nil }); p.Mine == nil || !slices.Equal(p.Mine.Choices, []string{"a21"}) {
		t.Errorf("a new socket is told %s", p.raw)
	}
}

func TestPlainFormWithoutCookies(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.ask("age", screening.PollBefore)
	b := k.phone(1)
	_, fields := b.load()
	if r := k.phone(2).choose(fields, "choice", "a15"); r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/vote?lang=id" {
		t.Errorf("a form without its cookie is answered by %s to %q, want the page again", r.Status, r.Header.Get("Location"))
	}
	if r := k.round("age"); r.Ballots != 0 {
		t.Errorf("it was counted: %+v", r)
	}
}

// What comes from a pack and from the configuration goes into HTML as text.
func TestHTMLEscapes(t *testing.T) {
	t.Parallel()
	const evil = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`
	p := programme()
	p.Questions[0].Text = screening.Text{"id": evil}
	p.Questions[0].Options[0] = screening.Option{ID: evil, Text: screening.Text{"id": evil}, Icon: evil}
	k := newKiosk(t, setup{parts: func(parts *Parts) {
		parts.Show.Programme = p
		parts.Show.Help = []HelpNumber{{Name: screening.Text{"id": evil}, Tel: evil, Hours: screening.Text{"id": evil}, CheckedOn: evil}}
		parts.Show.GuidebookURL = "javascript:alert(3)//" + evil
	}})
	k.do(screening.PlanScreening{Screening: evil, Details: details(), Programme: p})
	k.do(screening.MoveTo{Step: screening.PollBefore})
	k.do(screening.OpenQuestion{Question: "age"})
	b := k.phone(1)
	page, fields := b.load()
	guide := string(b.get("/guidebook?lang=" + url.QueryEscape(evil)).body)
	for name, page := range map[string]string{"the form": page, "the guidebook": guide} {
		if !strings.Contains(page, "&lt;script&gt;") || strings.Contains(page, "<script") || strings.Contains(page, "<img src=x") {
			t.Errorf("%s does not escape: %s", name, page)
		}
		if strings.Contains(page, `"javascript:`) || strings.Contains(page, " style=") {
			t.Errorf("%s has what the content policy forbids: %s", name, page)
		}
	}
	if fields.Get("screening") != evil {
		t.Errorf("the screening comes back as %q", fields.Get("screening"))
	}
	wantSaved(t, b, b.choose(fields, "choice", evil))
}

// Each sentence that the server's own pages say is in both languages of the program.
func TestEverySentenceIsThere(t *testing.T) {
	texts, err := LoadTexts(lang.Files(), "")
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"vote.saved", "vote.nothing", "language.name"}
	for _, file := range []string{"form.html", "guidebook.html"} {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\.T "([^"]+)"`).FindAllSubmatch(page, -1) {
			keys = append(keys, string(m[1]))
		}
	}
	if len(keys) < 10 {
		t.Fatalf("only %v: the test looks in the wrong place", keys)
	}
	for _, code := range []string{"id", "en"} {
		own := map[string]string{}
		if err := readJSONFile(lang.Files(), code+".json", &own); err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if own[key] == "" {
				t.Errorf("kiosk-ui/lang/%s.json has no %s", code, strconv.Quote(key))
			}
		}
	}
	if len(texts.Languages()) < 2 {
		t.Errorf("languages: %v", texts.Languages())
	}
}

// A guidebook that is not there is not offered at the end.
func TestThePlainFormOffersAGuidebookThatIsThere(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"https://example.org/panduan", ""} {
		k := newKiosk(t, setup{parts: func(parts *Parts) { parts.Show.GuidebookFile, parts.Show.GuidebookURL = "", url }})
		k.ask("age", screening.PollBefore) // there is a screening
		f := k.own().signIn().socket(facilitatorRole)
		f.must("closeQuestion", map[string]any{"question": "age"})
		f.must("moveTo", map[string]any{"step": "ended"})
		page, _ := k.phone(1).load()
		if !strings.Contains(page, "Terima kasih") {
			t.Fatalf("it is not the end: %s", page)
		}
		if offered := strings.Contains(page, `href="/guidebook`); offered != (url != "") {
			t.Errorf("with the guidebook %q it is offered: %t", url, offered)
		}
	}
}
