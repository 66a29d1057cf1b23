package web

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strconv"

	"github.com/google/uuid"

	"mimpi-kiosk/internal/screening"
)

// The phone's page comes with a plain form in it that votes without JavaScript and
// without websockets. Where there is both, the page's script takes its place with
// the first view.

//go:embed form.html
var formHTML string

const formMark = "<!--form-->"

// votePage is vote.html with a place for the form.
type votePage struct {
	before, after []byte
	form          *template.Template
}

func newVotePage(pages fs.FS) (*votePage, error) {
	form, err := template.New("").Parse(formHTML)
	if err != nil {
		return nil, fmt.Errorf("the plain voting form: %w", err)
	}
	p := &votePage{form: form}
	data, err := fs.ReadFile(pages, "vote.html")
	if errors.Is(err, fs.ErrNotExist) { // built without the screens: the form still votes
		p.before, p.after = []byte("<!doctype html><html><meta charset=utf-8><title>Mimpi</title>"), nil
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("vote.html: %w", err)
	}
	var found bool
	if p.before, p.after, found = bytes.Cut(data, []byte(formMark)); !found {
		return nil, fmt.Errorf("vote.html has no %s for the plain form", formMark)
	}
	return p, nil
}

// form is what form.html shows.
type form struct {
	texts     *Texts
	Lang      string
	Languages []Language
	Said      string
	Screening string
	Question  *questionView
	Over      bool
	Guidebook bool // there is one to offer
	mine      *mineView
}

func (f *form) T(key string) string          { return f.texts.Say(f.Lang, key) }
func (f *form) Text(t screening.Text) string { return t.In(f.Lang) }
func (f *form) Several() bool                { return f.Question.Kind == screening.Several }
func (f *form) Chosen(option string) bool {
	return f.mine != nil && slices.Contains(f.mine.Choices, option)
}
func (f *form) Skipped() bool { return f.mine != nil && len(f.mine.Choices) == 0 }

// serveVote gives the phone its token and the page with the form.
func (s *Server) serveVote(w http.ResponseWriter, r *http.Request) {
	token, err := s.keeper.Voter(w, r)
	if err != nil {
		s.writeRefusal(w, err)
		return
	}
	said := ""
	if r.URL.Query().Get("said") == "done" {
		said = s.texts.Say(s.lang(r), "vote.saved")
	}
	s.portal.voted(r)
	s.writeVote(w, r, token, http.StatusOK, said)
}

func (s *Server) lang(r *http.Request) string {
	lang := r.URL.Query().Get("lang")
	if slices.ContainsFunc(s.texts.languages, func(l Language) bool { return l.Code == lang }) {
		return lang
	}
	return "id"
}

func (s *Server) writeVote(w http.ResponseWriter, r *http.Request, token string, status int, said string) {
	state := s.room.Latest()
	f := &form{
		texts: s.texts, Lang: s.lang(r), Languages: s.texts.languages, Said: said,
		Question: s.viewer.question(state, false), Over: state.Step == screening.Ended,
		Guidebook: s.show.hasGuidebook(),
	}
	if state.Screening != nil {
		f.Screening = state.Screening.ID
	}
	if f.Question != nil {
		mine, err := s.standing(r.Context(), token, f.Screening, f.Question.ID, f.Question.Round)
		if err != nil {
			s.writeRefusal(w, err)
			return
		}
		f.mine = mine
	}
	var page bytes.Buffer
	page.Write(s.vote.before)
	if err := s.vote.form.ExecuteTemplate(&page, "form", f); err != nil {
		s.log.Error("the plain voting form", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	page.Write(s.vote.after)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the reader may have gone
}

// takeVote takes the form's ballot, and shows the page again: by a redirect, so that a
// reload does not ask whether to send again (it would count once all the same).
func (s *Server) takeVote(w http.ResponseWriter, r *http.Request) {
	hurry(w)
	r.Body = http.MaxBytesReader(w, r.Body, int64(s.limits.MessageBytes))
	if err := r.ParseForm(); err != nil {
		http.Error(w, "the form cannot be read", http.StatusBadRequest)
		return
	}
	token, ok := s.keeper.VoterOf(r)
	if !ok { // cookies were cleared meanwhile, or are off
		http.Redirect(w, r, "/vote?lang="+s.lang(r), http.StatusSeeOther)
		return
	}
	round, err := strconv.Atoi(r.PostForm.Get("round"))
	if err != nil {
		http.Error(w, "the form is incomplete; load the page again", http.StatusBadRequest)
		return
	}
	ballot := screening.CastBallot{Question: r.PostForm.Get("question"), Round: round, Choices: r.PostForm["choice"]}
	if r.PostForm.Get("skip") != "" {
		ballot.Choices = nil
	} else if len(ballot.Choices) == 0 {
		s.writeVote(w, r, token, http.StatusOK, s.texts.Say(s.lang(r), "vote.nothing"))
		return
	}
	// The id is made here and not in the page: a page that the browser brings back from its
	// memory would send another choice under an old id. A ballot sent twice counts once all
	// the same, since the phone's last one counts.
	if _, err := s.castBallot(r, uuid.NewString(), token, r.PostForm.Get("screening"), ballot); err != nil {
		s.writeVote(w, r, token, http.StatusConflict, s.refusalOf(err).Message.In(s.lang(r)))
		return
	}
	http.Redirect(w, r, "/vote?said=done&lang="+s.lang(r), http.StatusSeeOther)
}
