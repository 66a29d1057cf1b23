package web

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"mimpi-kiosk/internal/web/paper"
)

func TestGuidebookOnPhones(t *testing.T) {
	t.Parallel()
	book, err := paper.GuidePDF("id", "", "", time.Now()) // any PDF
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "panduan.pdf")
	if err := os.WriteFile(file, book, 0o600); err != nil {
		t.Fatal(err)
	}
	k := newKiosk(t, setup{parts: func(p *Parts) {
		p.Show.GuidebookFile, p.Show.GuidebookPages = file, filepath.Join(dir, "pages")
	}})
	phone := k.phone(1)
	page := phone.get("/guidebook")
	pictures := regexp.MustCompile(`src="(/guidebook/\d+\.jpg)"`).FindAllStringSubmatch(string(page.body), -1)
	if len(pictures) != 2 {
		t.Fatalf("%d pages on the page (poppler-utils is needed: make test-go has it)", len(pictures))
	}
	for _, m := range pictures {
		if r := phone.get(m[1]); r.StatusCode != 200 || r.Header.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(string(r.body), "\xff\xd8") {
			t.Errorf("%s: %s %v", m[1], r.Status, r.Header["Content-Type"])
		}
	}
	for _, none := range []string{"/guidebook/0.jpg", "/guidebook/3.jpg", "/guidebook/x.jpg", "/guidebook/1.png", "/guidebook/-1.jpg"} {
		if r := phone.get(none); r.StatusCode != 404 {
			t.Errorf("%s: %s", none, r.Status)
		}
	}
	if strings.Contains(string(page.body), paper.Statement["id"]) {
		t.Error("the official guidebook is marked as ours")
	}
	if r := phone.get("/guidebook.pdf"); r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/pdf" {
		t.Errorf("the file itself: %s", r.Status)
	}
}

func TestOurOwnGuideIsMarked(t *testing.T) {
	t.Parallel()
	phone := newKiosk(t, setup{}).phone(1)
	for _, lang := range []string{"id", "en"} {
		page := string(phone.get("/guidebook?lang=" + lang).body)
		for _, section := range paper.Guide {
			if !strings.Contains(page, section.Title[lang]) {
				t.Errorf("%s: %q is not there", lang, section.Title[lang])
			}
		}
		// ' is written as an entity.
		if said, _, _ := strings.Cut(paper.Statement[lang], "'"); !strings.Contains(page, said) {
			t.Errorf("%s: it does not say whose it is", lang)
		}
		if r := phone.get("/guidebook/short.pdf?lang=" + lang); r.StatusCode != 200 || !strings.HasPrefix(string(r.body), "%PDF-") {
			t.Errorf("%s as a PDF: %s", lang, r.Status)
		}
	}
	if r := phone.get("/guidebook/1.jpg"); r.StatusCode != 404 {
		t.Errorf("a page of no book: %s", r.Status)
	}
}

func TestCards(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	if r := k.phone(1).get("/print/cards.pdf"); r.StatusCode != 401 {
		t.Errorf("a phone: %s", r.Status)
	}
	if r := k.phone(2).signIn().get("/print/cards.pdf?lang=en"); r.StatusCode != 200 || r.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(string(r.body), "%PDF-") {
		t.Errorf("the facilitator: %s %v", r.Status, r.Header["Content-Type"])
	}
}
