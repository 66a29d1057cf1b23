package web

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/web/booklet"
	"mimpi-kiosk/internal/web/paper"
)

//go:embed guidebook.html
var guidebookHTML string

// guidebookPage is a page without any script: it is for every phone.
type guidebookPage struct {
	page   *template.Template
	styles []string
	book   *booklet.Booklet // nil: there is no PDF
}

var stylesheet = regexp.MustCompile(`<link rel="stylesheet"[^>]*href="([^"]+)"`)

// newGuidebookPage takes its styles from the phone's page, whose hashed names only the
// build knows.
func newGuidebookPage(pages fs.FS, show Show) (*guidebookPage, error) {
	page, err := template.New("").Parse(guidebookHTML)
	if err != nil {
		return nil, fmt.Errorf("the guidebook page: %w", err)
	}
	g := &guidebookPage{page: page}
	if show.GuidebookFile != "" && show.GuidebookPages != "" {
		g.book = booklet.New(show.GuidebookFile, show.GuidebookPages)
	}
	vote, err := fs.ReadFile(pages, "vote.html")
	if err == nil {
		for _, m := range stylesheet.FindAllSubmatch(vote, -1) {
			g.styles = append(g.styles, string(m[1]))
		}
	}
	return g, nil
}

type guidebook struct {
	texts     *Texts
	Lang      string
	Languages []Language
	Styles    []string
	File      bool
	Pages     []int // pictures of it, from 1 on
	URL       string
	Help      []HelpNumber
	Guide     []paper.Section // our own, where there is no file
	Statement screening.Text
}

// hasGuidebook says whether people are offered a guidebook: here, or on the internet.
func (s Show) hasGuidebook() bool { return s.GuidebookFile != "" || s.GuidebookURL != "" }

func (g *guidebook) T(key string) string          { return g.texts.Say(g.Lang, key) }
func (g *guidebook) Text(t screening.Text) string { return t.In(g.Lang) }

// Dial is the number as a telephone dials it.
func (n HelpNumber) Dial() string { return dialled(n.Tel) }

// serveGuidebook serves the guidebook to read here: the official one as pictures of its
// pages, or else our own short guide.
func (s *Server) serveGuidebook(w http.ResponseWriter, r *http.Request) {
	g := &guidebook{
		texts: s.texts, Lang: s.lang(r), Languages: s.texts.languages, Styles: s.guidebook.styles,
		File: s.show.GuidebookFile != "", URL: s.show.GuidebookURL, Help: s.show.Help,
	}
	if g.File && s.guidebook.book != nil {
		pages, err := s.guidebook.book.Pages(r.Context())
		if err != nil { // the file itself can still be opened
			s.log.Warn("pages of the guidebook", "error", err)
		}
		for n := range pages {
			g.Pages = append(g.Pages, n+1)
		}
	}
	if !g.File {
		g.Guide, g.Statement = paper.Guide, paper.Statement
	}
	var page bytes.Buffer
	if err := s.guidebook.page.Execute(&page, g); err != nil {
		s.log.Error("the guidebook page", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = page.WriteTo(w) // the reader may have gone
}

// serveGuidebookPage serves the picture of a page: /guidebook/1.jpg.
func (s *Server) serveGuidebookPage(w http.ResponseWriter, r *http.Request) {
	name, ok := strings.CutSuffix(r.PathValue("page"), ".jpg")
	n, err := strconv.Atoi(name)
	if !ok || err != nil || s.guidebook.book == nil {
		http.NotFound(w, r)
		return
	}
	picture, err := s.guidebook.book.Page(r.Context(), n)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.NotFound(w, r)
	case err != nil:
		s.log.Warn("a page of the guidebook", "page", n, "error", err)
		http.Error(w, "this page cannot be drawn now", http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "image/jpeg")
		w.Header().Set("Cache-Control", "max-age=300")
		http.ServeFile(w, r, picture)
	}
}

// serveOwnGuide gives our own guide to print or keep.
func (s *Server) serveOwnGuide(w http.ResponseWriter, r *http.Request) {
	lang := s.lang(r)
	say := func(key string) string { return s.texts.Say(lang, key) }
	pdf, err := paper.GuidePDF(lang, say("guidebook.do"), say("guidebook.dont"), time.Now())
	s.writePDF(w, pdf, err)
}

// serveCards gives the sheet and cards with QR codes and help numbers, to print. They hold
// what is still good at home: the Wi-Fi and the address of this kiosk are not among it.
func (s *Server) serveCards(w http.ResponseWriter, r *http.Request) {
	lang := s.lang(r)
	say := func(key string) string { return s.texts.Say(lang, key) }
	sheet := paper.Sheet{
		Lang: lang, Title: say("guidebook.help"), Line: say("guidebook.cards_line"), Statement: paper.Statement.In(lang), Made: time.Now(),
	}
	titles := map[string]string{"guidebook-online": say("guidebook.title"), "help": say("guidebook.call")}
	for _, c := range s.codes.list() {
		if title, keeps := titles[c.Name]; keeps {
			sheet.Codes = append(sheet.Codes, paper.Code{Title: title, Caption: c.Caption, Content: c.content})
		}
	}
	for _, n := range s.show.Help {
		note := say("guidebook.unchecked")
		if n.CheckedOn != "" {
			note = say("guidebook.checked") + " " + n.CheckedOn
		}
		sheet.Numbers = append(sheet.Numbers, paper.Number{Name: n.Name.In(lang), Tel: n.Tel, Hours: n.Hours.In(lang), Note: note})
	}
	pdf, err := paper.Cards(sheet)
	s.writePDF(w, pdf, err)
}

func (s *Server) writePDF(w http.ResponseWriter, pdf []byte, err error) {
	if err != nil {
		s.log.Error("make a PDF", "error", err)
		http.Error(w, "this PDF cannot be made: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(pdf) // the reader may have gone
}
