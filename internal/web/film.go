package web

import (
	"errors"
	"io/fs"
	"net/http"
	"os"
	"sync"
)

// film opens the film's file. Browsers ask for a film in many small ranges, and to open and
// close the file is a tenth of the work of one: what has been read stays open for a while.
type film struct {
	path string
	idle sync.Pool // of *openFilm; one that is forgotten is closed when its memory is freed
}

type openFilm struct {
	*os.File
	info fs.FileInfo
}

// open gives the file that is there now. Put it into idle at the end.
func (f *film) open() (*openFilm, error) {
	now, err := os.Stat(f.path)
	if err != nil {
		return nil, err
	}
	if kept, ok := f.idle.Get().(*openFilm); ok {
		if os.SameFile(kept.info, now) {
			kept.info = now
			return kept, nil
		}
		_ = kept.Close() // only read; another film is in its place
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	return &openFilm{file, now}, nil
}

// serveFilm serves the film with byte ranges.
func (s *Server) serveFilm(w http.ResponseWriter, r *http.Request) {
	if s.show.FilmFile == "" || !s.mayBe(r, stageRole) {
		http.NotFound(w, r)
		return
	}
	file, err := s.film.open()
	if errors.Is(err, fs.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		s.log.Error("film", "error", err)
		http.Error(w, "the film cannot be read", http.StatusInternalServerError)
		return
	}
	defer s.film.idle.Put(file)
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, s.show.FilmFile, file.info.ModTime(), file.File)
}
