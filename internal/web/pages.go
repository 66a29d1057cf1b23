package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/web/signin"
)

// page serves an HTML page of the built UI to those who may act in a role.
func (s *Server) page(name string, as role) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.mayBe(r, as) {
			http.Redirect(w, r, "/vote", http.StatusSeeOther) // a phone that typed the wrong address
			return
		}
		s.writePage(w, r, name)
	})
}

func (s *Server) writePage(w http.ResponseWriter, r *http.Request, name string) {
	data, err := fs.ReadFile(s.pages, name)
	if err != nil {
		http.Error(w, "The screens are not built into this program. Run: make ui build", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(data) // the reader may have gone
}

// serveStart shows the kiosk's own browser where to go; phones go and vote.
func (s *Server) serveStart(w http.ResponseWriter, r *http.Request) {
	if !signin.Loopback(r) {
		http.Redirect(w, r, "/vote", http.StatusSeeOther)
		return
	}
	s.writePage(w, r, "start.html")
}

// serveAsset serves the built files; those with a hash in their name never change.
func (s *Server) serveAsset(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(r.URL.Path, "/")
	data, err := fs.ReadFile(s.pages, name) // an invalid name, such as one with "..", is not there
	if err != nil {
		http.NotFound(w, r)
		return
	}
	if strings.HasPrefix(name, "assets/") {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	w.Header().Set("Content-Type", contentType(name))
	_, _ = w.Write(data) // the reader may have gone
}

// contentType does not depend on what the machine has in /etc/mime.types.
func contentType(name string) string {
	switch ext := path.Ext(name); ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".woff2":
		return "font/woff2"
	case ".svg":
		return "image/svg+xml"
	default:
		if t := mime.TypeByExtension(ext); t != "" {
			return t
		}
		return "application/octet-stream"
	}
}

var iconName = regexp.MustCompile(`^([a-z0-9][a-z0-9-]{0,63})\.svg$`)

// serveIcon serves the picture of an option: the pack's own, else ours.
func (s *Server) serveIcon(w http.ResponseWriter, r *http.Request) {
	m := iconName.FindStringSubmatch(r.PathValue("file"))
	if m == nil {
		http.NotFound(w, r)
		return
	}
	data, err := s.icon(m[1])
	if errors.Is(err, fs.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		s.log.Error("icon", "name", m[1], "error", err)
		http.Error(w, "this picture cannot be read", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", pictureType(data))
	w.Header().Set("Cache-Control", "max-age=300")
	_, _ = w.Write(data) // the reader may have gone
}

// pictureType tells an SVG from the PNG or JPEG that a pack may have in its place.
func pictureType(data []byte) string {
	switch kind := http.DetectContentType(data); kind {
	case "image/png", "image/jpeg":
		return kind
	}
	return "image/svg+xml"
}

const iconBytes = 256 << 10

func (s *Server) icon(name string) ([]byte, error) {
	f, err := s.show.OpenIcon(name)
	if errors.Is(err, fs.ErrNotExist) {
		return fs.ReadFile(s.pages, "icons/"+name+".svg")
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, iconBytes+1))
	if err == nil && len(data) > iconBytes {
		err = fmt.Errorf("the picture is larger than %d kB", iconBytes>>10)
	}
	return data, err
}

func (s *Server) serveSubtitles(w http.ResponseWriter, r *http.Request) {
	file, ok := s.show.Subtitles(strings.TrimSuffix(r.PathValue("file"), ".vtt"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/vtt; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeFile(w, r, file)
}

func (s *Server) serveGuidebookFile(w http.ResponseWriter, r *http.Request) {
	if s.show.GuidebookFile == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/pdf")
	http.ServeFile(w, r, s.show.GuidebookFile)
}

// checked remembers the last check for a moment, so that nobody can wear the card out
// by asking.
type checked struct {
	mu  sync.Mutex
	at  time.Time
	err error
}

const checkedFor = time.Second

// check also says whether this is another answer than the last.
func (c *checked) check(ctx context.Context, room *screening.Room) (news bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() || time.Since(c.at) > checkedFor {
		err := room.Check(ctx)
		news = fmt.Sprint(err) != fmt.Sprint(c.err)
		c.err, c.at = err, time.Now()
	}
	return news, c.err
}

// serveHealthz answers 200 only when a commit works.
func (s *Server) serveHealthz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), commitWait)
	defer cancel()
	news, err := s.checked.check(ctx, s.room)
	switch { // nobody can fill the log by asking
	case news && err != nil:
		s.log.Warn("a commit does not work", "error", err)
	case news:
		s.log.Warn("a commit works again")
	}
	if err != nil {
		http.Error(w, "a commit does not work: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ok\n") // the reader may have gone
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, v any) {
	var buf bytes.Buffer
	if err := json.NewEncoder(&buf).Encode(v); err != nil {
		s.log.Error("write JSON", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = buf.WriteTo(w) // the reader may have gone
}
