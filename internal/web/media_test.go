package web

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestFilm(t *testing.T) {
	t.Parallel()
	film := make([]byte, 300_000)
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range film {
		film[i] = byte(rnd.UintN(256))
	}
	k := newKiosk(t, setup{parts: withFiles(t, film)})
	b := k.own()
	ask := func(method, path, ranges string) reply {
		header := http.Header{}
		if ranges != "" {
			header.Set("Range", ranges)
		}
		return b.request(method, path, "", header)
	}

	whole := ask("GET", "/film", "")
	if whole.StatusCode != 200 || !bytes.Equal(whole.body, film) || whole.Header.Get("Accept-Ranges") != "bytes" || whole.Header.Get("Content-Type") != "video/mp4" {
		t.Errorf("the film is %s %v, %d bytes", whole.Status, whole.Header, len(whole.body))
	}
	if whole.Header.Get("Content-Encoding") != "" {
		t.Error("the film is compressed")
	}
	for ranges, want := range map[string]struct {
		content string
		part    []byte
	}{
		"bytes=0-":             {"bytes 0-299999/300000", film},
		"bytes=0-0":            {"bytes 0-0/300000", film[:1]},
		"bytes=1000-1999":      {"bytes 1000-1999/300000", film[1000:2000]},
		"bytes=-500":           {"bytes 299500-299999/300000", film[299_500:]},
		"bytes=299999-":        {"bytes 299999-299999/300000", film[299_999:]},
		"bytes=299990-999999":  {"bytes 299990-299999/300000", film[299_990:]},
		"bytes=150000-160000 ": {"bytes 150000-160000/300000", film[150_000:160_001]},
	} {
		r := ask("GET", "/film", ranges)
		if r.StatusCode != 206 || r.Header.Get("Content-Range") != want.content || !bytes.Equal(r.body, want.part) {
			t.Errorf("Range: %s gives %s, %q, %d bytes", ranges, r.Status, r.Header.Get("Content-Range"), len(r.body))
		}
	}
	for _, ranges := range []string{"bytes=300000-", "bytes=999999-1999999"} {
		if r := ask("GET", "/film", ranges); r.StatusCode != 416 || r.Header.Get("Content-Range") != "bytes */300000" {
			t.Errorf("Range: %s gives %s, %q", ranges, r.Status, r.Header.Get("Content-Range"))
		}
	}
	several := ask("GET", "/film", "bytes=0-9,100000-100009")
	kind, params, err := mime.ParseMediaType(several.Header.Get("Content-Type"))
	if several.StatusCode != 206 || kind != "multipart/byteranges" || err != nil {
		t.Fatalf("two ranges give %s %v", several.Status, several.Header)
	}
	parts := multipart.NewReader(bytes.NewReader(several.body), params["boundary"])
	for _, want := range [][]byte{film[:10], film[100_000:100_010]} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(p); err != nil || !bytes.Equal(got, want) {
			t.Errorf("a part of two is %x, %v; want %x", got, err, want)
		}
	}
	head := ask("HEAD", "/film", "")
	if head.StatusCode != 200 || head.ContentLength != 300_000 || len(head.body) != 0 {
		t.Errorf("HEAD gives %s, %d bytes long", head.Status, head.ContentLength)
	}
	if r := b.request("GET", "/film", "", http.Header{"If-Modified-Since": {whole.Header.Get("Last-Modified")}}); r.StatusCode != 304 {
		t.Errorf("a film that the browser has gives %s", r.Status)
	}

	vtt := ask("GET", "/film/subtitles/id.vtt", "")
	if vtt.StatusCode != 200 || vtt.Header.Get("Content-Type") != "text/vtt; charset=utf-8" || !bytes.HasPrefix(vtt.body, []byte("WEBVTT")) {
		t.Errorf("subtitles are %s %v %q", vtt.Status, vtt.Header, vtt.body)
	}
	if r := ask("GET", "/film/subtitles/en.vtt", ""); r.StatusCode != 404 {
		t.Errorf("subtitles that there are not give %s", r.Status)
	}
	if r := newKiosk(t, setup{}).own().get("/film"); r.StatusCode != 404 {
		t.Errorf("no film gives %s", r.Status)
	}
}

// The kiosk holds the film open between requests, and yet serves what is there now.
func TestFilmIsReplaced(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "film.mp4")
	put := func(film string) {
		t.Helper()
		part := path + ".part"
		if err := errors.Join(os.WriteFile(part, []byte(film), 0o644), os.Rename(part, path)); err != nil {
			t.Fatal(err)
		}
	}
	put("one")
	b := newKiosk(t, setup{parts: func(p *Parts) { p.Show.FilmFile = path }}).own()
	for _, film := range []string{"one", "the other", "a third"} {
		put(film)
		for range 3 {
			if r := b.get("/film"); r.StatusCode != 200 || string(r.body) != film {
				t.Fatalf("the film is %s %q, want %q", r.Status, r.body, film)
			}
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if r := b.get("/film"); r.StatusCode != 404 {
		t.Errorf("a film that is gone gives %s", r.Status)
	}
	put("one")
	if r := b.get("/film"); string(r.body) != "one" {
		t.Errorf("a film that is there again is %s %q", r.Status, r.body)
	}
}

func TestFilesAndTheirKinds(t *testing.T) {
	t.Parallel()
	b := newKiosk(t, setup{parts: withFiles(t, nil)}).own()
	for path, want := range map[string]struct{ kind, cache, body string }{
		"/":                   {"text/html; charset=utf-8", "no-cache", "<title>start"},
		"/stage":              {"text/html; charset=utf-8", "no-cache", "<title>stage"},
		"/vote":               {"text/html; charset=utf-8", "no-store", "<title>vote"},
		"/guidebook":          {"text/html; charset=utf-8", "no-cache", `href="/assets/vote-1a2b.css"`},
		"/guidebook.pdf":      {"application/pdf", "", "%PDF-1.7"},
		"/assets/app-3c4d.js": {"text/javascript; charset=utf-8", "public, max-age=31536000, immutable", "export"},
		"/favicon.svg":        {"image/svg+xml", "", "favicon"},
		"/icon/star-1.svg":    {"image/svg+xml", "max-age=300", "our star"},
		"/icon/pack-icon.svg": {"image/svg+xml", "max-age=300", "from the pack"},
		"/lang/index.json":    {"application/json", "no-store", `[{"code":"id","name":"Bahasa Indonesia"},{"code":"en","name":"English"}]`},
		"/lang/en.json":       {"application/json", "no-cache", `"vote.saved":"Tersimpan"`}, // Indonesian, for want of English
		"/qr/vote.svg":        {"image/svg+xml", "no-cache", "<svg"},
		"/qr/vote.png":        {"image/png", "no-cache", "PNG"},
		"/healthz":            {"text/plain; charset=utf-8", "", "ok\n"},
		"/metrics":            {"text/plain; version=0.0.4", "", "mimpi_events 1\n"},
		"/api/sign-in":        {"application/json", "no-store", `"pinSet":true`},
	} {
		r := b.get(path)
		if r.StatusCode != 200 || r.Header.Get("Content-Type") != want.kind || r.Header.Get("Cache-Control") != want.cache || !strings.Contains(string(r.body), want.body) {
			t.Errorf("GET %s gives %s %q %q: %.300q", path, r.Status, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"), r.body)
		}
		if r := b.request("HEAD", path, "", nil); r.StatusCode != 200 || len(r.body) != 0 {
			t.Errorf("HEAD %s gives %s", path, r.Status)
		}
	}
}

func TestPathTricks(t *testing.T) {
	t.Parallel()
	b := newKiosk(t, setup{parts: withFiles(t, nil)}).own()
	for _, path := range []string{
		"/icon/../stage.html", "/icon/..%2fstage.html", "/icon/..%2f..%2fstage.svg", "/icon/%2e%2e%2ffavicon.svg", "/icon/.svg",
		"/icon/star-1", "/icon/star-1.png", "/icon/STAR-1.svg", "/icon/star-1.svg%00", "/icon/-star.svg", "/icon/a%2fb.svg",
		"/icon/" + strings.Repeat("a", 65) + ".svg", "/icon/", "/icon/star-9.svg", "/icon/star_1.svg",
		"/qr/", "/qr/vote", "/qr/vote.gif", "/qr/vote.svg.png", "/qr/..%2fvote.svg", "/qr/nothing.svg", "/qr/.svg", "/qr/VOTE.svg",
		"/film/subtitles/", "/film/subtitles/..%2fsecret.vtt", "/film/subtitles/secret.vtt", "/film/subtitles/../secret.vtt", "/film/..%2ffilm",
		"/film/subtitles/id.vtt/x", "/film/subtitles/%2fid.vtt",
		"/assets/", "/assets/../stage.html", "/assets/..%2fstage.html", "/assets/%2e%2e/stage.html", "/assets/x/../../stage.html",
		"/assets//app-3c4d.js/", "/assets/app-3c4d.js/..%2f..%2fstage.html", "/assets/app-3c4d.js%00", "/assets/.keep",
		"/lang/", "/lang/id", "/lang/de.json", "/lang/..%2fid.json", "/lang/id.json.bak", "/lang/ID.json", "/lang/index",
		"/stage.html", "/vote.html", "/icons/star-1.svg", "/.keep", "/ws/", "/api/", "/api", "/api/export", "/..%2f..%2fetc%2fpasswd",
	} {
		r := b.get(path)
		for hops := 0; r.StatusCode >= 300 && r.StatusCode < 400 && hops < 3; hops++ {
			r = b.get(r.Header.Get("Location")) // the server cleans paths by a redirect
		}
		if r.StatusCode != 404 {
			t.Errorf("GET %s gives %s: %.200q", path, r.Status, r.body)
		}
		if s := string(r.body); strings.Contains(s, "<title>") || strings.Contains(s, "not for the web") || strings.Contains(s, "<svg") {
			t.Errorf("GET %s gives away %.200q", path, s)
		}
	}
}

func TestIconTooLarge(t *testing.T) {
	t.Parallel()
	b := newKiosk(t, setup{parts: func(p *Parts) {
		p.Show.OpenIcon = func(name string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader("<svg>" + strings.Repeat(" ", map[string]int{"fits": iconBytes - 5, "large": iconBytes - 4}[name]))), nil
		}
	}}).own()
	if r := b.get("/icon/fits.svg"); r.StatusCode != 200 || len(r.body) != iconBytes {
		t.Errorf("a picture of the largest size gives %s", r.Status)
	}
	if r := b.get("/icon/large.svg"); r.StatusCode != 500 {
		t.Errorf("one larger gives %s", r.Status)
	}
}

func TestWithoutBuiltScreens(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{parts: func(p *Parts) { p.Pages = withoutPages }})
	k.ask("age", "poll_before")
	if r := k.own().get("/stage"); r.StatusCode != 404 || !strings.Contains(string(r.body), "make") {
		t.Errorf("/stage gives %s: %s", r.Status, r.body)
	}
	b := k.phone(1)
	_, fields := b.load()
	wantSaved(t, b, b.choose(fields, "choice", "a15"))
	if r := b.get("/guidebook"); r.StatusCode != 200 {
		t.Errorf("/guidebook gives %s", r.Status)
	}
}
