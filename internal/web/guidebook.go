package web

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"regexp"

	"mimpi-kiosk/internal/screening"
)

//go:embed guidebook.html
var guidebookHTML string

// guidebookPage is a page without any script: it is for every phone.
type guidebookPage struct {
	page   *template.Template
	styles []string
}

var stylesheet = regexp.MustCompile(`<link rel="stylesheet"[^>]*href="([^"]+)"`)

// newGuidebookPage takes its styles from the phone's page, whose hashed names only the
// build knows.
func newGuidebookPage(pages fs.FS) (*guidebookPage, error) {
	page, err := template.New("").Parse(guidebookHTML)
	if err != nil {
		return nil, fmt.Errorf("the guidebook page: %w", err)
	}
	g := &guidebookPage{page: page}
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
	URL       string
	Help      []HelpNumber
}

func (g *guidebook) T(key string) string          { return g.texts.Say(g.Lang, key) }
func (g *guidebook) Text(t screening.Text) string { return t.In(g.Lang) }

// Dial is the number as a telephone dials it.
func (n HelpNumber) Dial() string { return dialled(n.Tel) }

func (s *Server) serveGuidebook(w http.ResponseWriter, r *http.Request) {
	var page bytes.Buffer
	err := s.guidebook.page.Execute(&page, &guidebook{
		texts: s.texts, Lang: s.lang(r), Languages: s.texts.languages, Styles: s.guidebook.styles,
		File: s.show.GuidebookFile != "", URL: s.show.GuidebookURL, Help: s.show.Help,
	})
	if err != nil {
		s.log.Error("the guidebook page", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = page.WriteTo(w) // the reader may have gone
}
