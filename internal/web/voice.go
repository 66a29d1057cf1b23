package web

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/kiosk-ui/lang"
)

// Voices speaks the texts of the pack to people who do not read, and keeps recordings of
// them. It must be safe for concurrent use. A text is named by its key in the pack, such as
// "questions.k1.text".
type Voices interface {
	// Sound gives a file that says a text in a language, or else in Indonesian;
	// fs.ErrNotExist when nothing can.
	Sound(ctx context.Context, lang, key string, text screening.Text) (file string, err error)
	// State says how a text is recorded in a language: "", "current", "outdated", "pack".
	State(lang, key string, text screening.Text) string
	// Keep takes a recording; ErrNoSound when nothing can be heard in it, ErrNoText for no text of the kiosk.
	Keep(ctx context.Context, lang, key string, text screening.Text, sound io.Reader) error
	// Forget takes back a recording that was made here.
	Forget(lang, key string) error
	// Recordings lists the files made here as a pack has them in its folder audio.
	Recordings() (names []string, open func(name string) (io.ReadCloser, error), err error)
}

// ErrNoText is what Voices.Keep gives where the kiosk has no such text to record in that
// language.
var ErrNoText error = &refusal{Reason: "no_text", Message: lang.Text("record.no_text")}

// ErrNoSound is what Voices.Keep gives for a recording in which nothing can be heard.
var ErrNoSound error = &refusal{Reason: "no_sound", Message: screening.Text{
	"id": "Tidak ada suara di rekaman ini. Dekatkan mikrofon ke mulut, lalu rekam lagi.",
	"en": "Nothing can be heard in this recording. Bring the microphone close to your mouth and record again.",
}}

// stageVoice says what the projector's page reads aloud.
type stageVoice struct {
	On     bool  `json:"on"`     // questions, when they open
	Again  int64 `json:"again"`  // another number: read the question now
	Volume int   `json:"volume"` // 0..100
}

// touchVoice is there when the touch screen can read aloud.
type touchVoice struct {
	Volume int `json:"volume"`
}

// spokenTexts lists what is read aloud; kiosk-ui/src/lib/reader.svelte.ts makes the same keys.
func spokenTexts(p *screening.Programme) []screening.KeyedText {
	out := []screening.KeyedText{}
	for i := range p.Questions {
		out = append(out, p.Questions[i].Spoken()...)
	}
	return out
}

func spokenText(p *screening.Programme, key string) (screening.Text, bool) {
	all := spokenTexts(p)
	i := slices.IndexFunc(all, func(t screening.KeyedText) bool { return t.Key == key })
	if i < 0 {
		return nil, false
	}
	return all[i].Text, true
}

// serveVoice gives the sound of a text. It is for the kiosk's own screens and the
// facilitator: explanations tell the right answers, and a hall of phones asking for speech
// would take the processor from the film.
func (s *Server) serveVoice(w http.ResponseWriter, r *http.Request) {
	text, ok := spokenText(s.viewer.programme(s.room.Latest()), r.PathValue("key"))
	if !ok || s.show.Voices == nil || !s.mayBe(r, touchRole) {
		http.NotFound(w, r)
		return
	}
	file, err := s.show.Voices.Sound(r.Context(), r.PathValue("lang"), r.PathValue("key"), text)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		http.NotFound(w, r)
		return
	case err != nil:
		s.log.Warn("voice", "error", err)
		http.Error(w, "this text cannot be spoken now", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", soundType(file))
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFile(w, r, file)
}

// soundType does not depend on what the machine has in /etc/mime.types.
func soundType(file string) string {
	switch strings.ToLower(path.Ext(file)) {
	case ".ogg", ".opus":
		return "audio/ogg"
	case ".mp3":
		return "audio/mpeg"
	case ".m4a":
		return "audio/mp4"
	}
	return "audio/wav"
}

// serveRecord serves the page for recording, which asks for the PIN itself. It is the only
// one that may use the microphone.
func (s *Server) serveRecord(w http.ResponseWriter, r *http.Request) {
	policy := w.Header().Get("Permissions-Policy")
	w.Header().Set("Permissions-Policy", strings.Replace(policy, "microphone=()", "microphone=(self)", 1))
	s.writePage(w, r, "record.html")
}

// textToRecord is a line of the page for recording.
type textToRecord struct {
	screening.KeyedText
	State string `json:"state"` // "", "current", "outdated", "pack"
}

// serveSpoken lists the languages that the questions can be recorded in.
func (s *Server) serveSpoken(w http.ResponseWriter, _ *http.Request) {
	out := []Language{}
	for _, l := range s.show.Spoken {
		if l.Name == "" {
			l.Name = l.Code
			if i := slices.IndexFunc(s.texts.languages, func(o Language) bool { return o.Code == l.Code }); i >= 0 {
				l.Name = s.texts.languages[i].Name
			}
		}
		out = append(out, l)
	}
	s.writeJSON(w, http.StatusOK, out)
}

// serveVoices lists all texts and how they are recorded in a language.
func (s *Server) serveVoices(w http.ResponseWriter, r *http.Request) {
	lang := r.PathValue("lang")
	out := []textToRecord{}
	for _, t := range spokenTexts(&s.show.Programme) {
		out = append(out, textToRecord{t, s.show.Voices.State(lang, t.Key, t.Text)})
	}
	s.writeJSON(w, http.StatusOK, out)
}

// recordingBytes bounds a recording as it comes; a minute as WAV is 10 MB.
const recordingBytes = 20 << 20

func (s *Server) keepRecording(w http.ResponseWriter, r *http.Request) {
	lang, key := r.PathValue("lang"), r.PathValue("key")
	text, ok := spokenText(&s.show.Programme, key)
	if !ok {
		s.writeJSON(w, http.StatusNotFound, ErrNoText)
		return
	}
	err := s.show.Voices.Keep(r.Context(), lang, key, text, http.MaxBytesReader(w, r.Body, recordingBytes))
	var no *refusal
	switch {
	case errors.Is(err, ErrNoText):
		s.writeJSON(w, http.StatusNotFound, ErrNoText)
	case errors.As(err, &no):
		s.writeJSON(w, http.StatusUnprocessableEntity, no)
	case err != nil:
		s.log.Warn("keep a recording", "error", err)
		s.writeRefusal(w, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (s *Server) forgetRecording(w http.ResponseWriter, r *http.Request) {
	if err := s.show.Voices.Forget(r.PathValue("lang"), r.PathValue("key")); err != nil {
		s.log.Warn("forget a recording", "error", err)
		s.writeRefusal(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// serveRecordings gives everything that was recorded here as the folder audio of a pack.
func (s *Server) serveRecordings(w http.ResponseWriter, r *http.Request) {
	names, open, err := s.show.Voices.Recordings()
	if err != nil {
		s.writeRefusal(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="mimpi-kiosk-audio.zip"`)
	w.Header().Set("Cache-Control", "no-store")
	if err := zipFiles(w, "audio/", names, open); err != nil {
		s.log.Error("recordings", "error", err)
		panic(http.ErrAbortHandler) // so that the browser does not take the half for the whole
	}
}

func zipFiles(w io.Writer, prefix string, names []string, open func(string) (io.ReadCloser, error)) error {
	z := zip.NewWriter(w)
	for _, name := range names {
		method := zip.Store // sound is packed already
		if strings.HasSuffix(name, ".txt") {
			method = zip.Deflate
		}
		to, err := z.CreateHeader(&zip.FileHeader{Name: prefix + name, Method: method})
		if err != nil {
			return err
		}
		from, err := open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, from)
		if err := errors.Join(err, from.Close()); err != nil {
			return err
		}
	}
	return z.Close()
}

// withVoices lets the facilitator in where there are voices.
func (s *Server) withVoices(next http.HandlerFunc) http.Handler {
	if s.show.Voices == nil {
		return http.NotFoundHandler()
	}
	return s.signedIn(next)
}
