package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"mimpi-kiosk/kiosk-ui/lang"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/pack/local"
	"mimpi-kiosk/internal/pack/shelf"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/web"
)

// errPackChanged ends serve when another pack was put into use: it begins anew with that.
var errPackChanged = errors.New("another pack was put into use")

// packs is the shelf and the copy of the shipped pack, for several goroutines. Nothing
// waits for a pack that is copied.
type packs struct {
	mu    sync.Mutex // of the fields that screens look at
	shelf *shelf.Shelf
	local local.Copy
	state packsState
	work  sync.Mutex // one change at a time
}

type packsState struct {
	waits, back bool
	newer       []local.Change            // of the shipped pack, when it is offered
	asked       map[string]screening.Text // its questions, by id, then
}

// openPacks opens the shelf in the data folder, and brings people's copy of the pack there
// into order. With an error there are packs all the same.
func openPacks(data, dir string, keys []string) (*packs, error) {
	p := &packs{local: local.Of(data, dir)}
	settled := p.local.Settle()
	var err error
	p.shelf, err = shelf.Open(filepath.Join(data, "packs"), keys)
	_, made := p.local.Make(false)
	followed := p.follow()
	p.look()
	return p, errors.Join(err, settled, made, followed)
}

// follow has a copy that nobody has edited follow a newer shipped pack.
func (p *packs) follow() error {
	changes, edited, err := p.local.Newer()
	if err != nil || edited || len(changes) == 0 || p.local.Waits() {
		return err
	}
	return p.local.Take(true)
}

func (p *packs) look() {
	state := packsState{waits: p.shelf.Waits() || p.local.Waits(), back: p.shelf.CanGoBack() || p.local.CanGoBack()}
	if _, fromStick := p.shelf.Current(); !fromStick && !state.waits {
		state.newer, _, _ = p.local.Newer() // what cannot be read is not offered; openPacks has said so
	}
	if shipped, err := pack.Load(p.local.Original()); err == nil && len(state.newer) > 0 {
		state.asked = map[string]screening.Text{}
		for _, q := range shipped.Questions {
			state.asked[q.ID] = q.Text
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = state
}

func (p *packs) seen() packsState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

func (p *packs) waits() bool { return p.seen().waits }

func (p *packs) change(f func() error) error {
	p.work.Lock()
	defer p.work.Unlock()
	defer p.look()
	return f()
}

// advance puts what was chosen into use.
func (p *packs) advance() error {
	return p.change(func() error {
		if p.local.Waits() {
			return p.local.Advance()
		}
		return p.shelf.Advance()
	})
}

// back takes back the last choice.
func (p *packs) back() error {
	return p.change(func() error {
		_, fromStick := p.shelf.Current()
		if p.local.Waits() || !p.shelf.Waits() && !fromStick && p.local.CanGoBack() {
			return p.local.Back()
		}
		return p.shelf.Back()
	})
}

// inWords says what a file of the newer shipped pack is; of a question, what it asks.
func (p *packs) inWords(file string) screening.Text {
	out := screening.Text{}
	asked := p.seen().asked[strings.TrimSuffix(path.Base(file), ".toml")]
	for code := range lang.Text("shipped_pack.taken_over_none") {
		out[code] = filesInWords(code, []string{file})
		if strings.HasPrefix(file, "questions/") && asked != nil {
			out[code] += " (" + asked.In(code) + ")"
		}
	}
	return out
}

// takeShipped has the newer shipped pack used.
func (p *packs) takeShipped() error {
	return p.change(func() error { return p.local.Take(false) })
}

func (p *packs) offers(ctx context.Context, dir string) []shelf.Offer {
	p.work.Lock()
	defer p.work.Unlock()
	return p.shelf.Offers(ctx, dir)
}

func (p *packs) take(ctx context.Context, dir, name string, inUse *pack.Pack, progress func(done, all int64)) error {
	return p.change(func() error { return p.shelf.Take(ctx, dir, name, inUse, progress) })
}

// loadPack reads the pack in use. One from a stick that is damaged is given up for the
// earlier one, and people's own copy with a mistake in it for the shipped original: an
// evening must not end by it.
func (k *kiosk) loadPack(f flags) error {
	var given error
	for {
		dir, fromStick := k.packs.shelf.Current()
		own := false
		if !fromStick {
			var err error
			if dir, err = k.packs.local.Folder(); err != nil {
				k.log.Error("the copy of the pack", "error", err)
			}
			own = dir != f.pack
		}
		p, err := pack.Load(dir)
		if err == nil && f.film != "" && (!fromStick || p.Film.Missing) {
			if err = useFilm(p, f.film); err != nil {
				err = fmt.Errorf("the film in %s has mistakes:\n%w", f.film, err)
			}
			if err != nil && fromStick {
				k.log.Warn("the pack from the stick has no film", "error", err)
				err = nil
			}
		}
		switch {
		case err == nil:
			k.pack = p
			k.board.Set(packHealth(given))
			k.board.Set(takenOverHealth(k.packs.local))
			return nil
		case own:
			k.log.Error("people's copy of the pack has mistakes", "folder", dir, "error", err)
			return k.loadShipped(f, dir, err)
		case !fromStick:
			return fmt.Errorf("the pack in %s has mistakes:\n%w", dir, err)
		}
		k.log.Error("the pack in use cannot be read", "folder", dir, "error", err)
		given = err
		if err := k.packs.change(k.packs.shelf.Retreat); err != nil {
			return err
		}
	}
}

// loadShipped uses the shipped pack in place of people's copy of it, with their film.
func (k *kiosk) loadShipped(f flags, dir string, mistakes error) error {
	p, err := pack.Load(f.pack)
	if err != nil {
		return fmt.Errorf("the pack in %s has mistakes:\n%w", f.pack, err)
	}
	film := filepath.Join(dir, "film")
	if f.film != "" {
		film = f.film
	}
	if err := useFilm(p, film); err != nil {
		k.log.Error("the film of the copy is not used", "error", err)
	}
	k.pack = p
	k.board.Set(ownPackHealth(dir, mistakes))
	k.board.Set(takenOverHealth(k.packs.local))
	return nil
}

// loadTexts reads the sentences of the screens: the program's, over them those of the pack,
// over them those in the data folder.
func (k *kiosk) loadTexts() error {
	texts, err := web.LoadTexts(lang.Files(), filepath.Join(k.pack.Dir, "lang"), filepath.Join(k.data, "lang"))
	if texts == nil {
		return err
	}
	k.texts = texts
	k.board.Set(textsHealth(err, k.pack, texts))
	return nil
}

// useFilm has the pack show the film of another folder.
func useFilm(p *pack.Pack, dir string) error {
	film, err := pack.LoadFilm(dir)
	if err != nil {
		return err
	}
	return p.UseFilm(film)
}

func packHealth(err error) health.Part {
	if err == nil {
		return found("pack", health.OK, lang.Text("ready.pack.readable"), nil)
	}
	return health.Found("pack", health.Note, // there is a pack all the same
		"Paket dari stik USB tidak bisa dipakai. Kios memakai yang sebelumnya.", "The pack from the USB stick cannot be used. The kiosk uses the earlier one.",
		"Pasang stik itu lagi dan ambil paketnya sekali lagi.", "Plug that stick in again and take the pack once more.")
}

// ownPackHealth says the mistakes of people's copy of the shipped pack, which is not used.
func ownPackHealth(dir string, err error) health.Part {
	said := shelf.Sentences(err)
	hint := map[string]string{}
	for code := range said {
		hint[code] = lang.In(code, "shipped_pack.own_mistakes_what", lang.Params{"mistake": said[code], "folder": dir})
	}
	return health.Part{Part: "pack", Level: health.Problem, Message: lang.Text("shipped_pack.own_mistakes", lang.Params{"folder": dir}), Hint: hint}
}

// takenOverHealth says what an upgrade took over from where the package had been edited.
func takenOverHealth(copied local.Copy) health.Part {
	noted, err := copied.Noted()
	switch {
	case err != nil:
		return health.Part{Part: "taken_over", Level: health.Note, Message: lang.Text("shipped_pack.taken_over_unread", lang.Params{"error": err})}
	case len(noted.Files) == 0:
		return health.Part{Part: "taken_over", Level: health.OK, Message: lang.Text("shipped_pack.taken_over_none")}
	}
	dir, _ := copied.Folder() // it only says where
	part := health.Part{Part: "taken_over", Level: health.Note, Message: map[string]string{}, Hint: lang.Text("shipped_pack.taken_over_what", lang.Params{"folder": dir})}
	for code := range lang.Text("shipped_pack.taken_over_none") {
		part.Message[code] = lang.In(code, "shipped_pack.taken_over", lang.Params{"list": filesInWords(code, noted.Files)})
		if len(noted.Replaced) > 0 {
			part.Hint[code] += " " + lang.In(code, "shipped_pack.taken_over_replaced", lang.Params{"folders": strings.Join(noted.Replaced, ", ")})
		}
	}
	return part
}

// filesInWords lists files of a pack by what they are: the film, questions, numbers, ...
func filesInWords(code string, files []string) string {
	const most = 8 // of one kind that are named
	kinds := []struct {
		is  func(string) bool
		say func(names string) string
	}{
		{func(f string) bool { return slices.Contains(filmEndings, strings.ToLower(path.Ext(f))) }, func(n string) string { return lang.In(code, "shipped_pack.file.film", lang.Params{"names": n}) }},
		{func(f string) bool { return path.Ext(f) == ".vtt" }, func(n string) string { return lang.In(code, "shipped_pack.file.subtitles", lang.Params{"names": n}) }},
		{func(f string) bool { return strings.HasPrefix(f, "film/") }, func(n string) string { return lang.In(code, "shipped_pack.file.film_text", lang.Params{"names": n}) }},
		{func(f string) bool { return f == "pack.toml" }, func(n string) string { return lang.In(code, "shipped_pack.file.pack_toml", lang.Params{"names": n}) }},
		{func(f string) bool { return strings.HasPrefix(f, "questions/") }, func(n string) string { return lang.In(code, "shipped_pack.file.questions", lang.Params{"names": n}) }},
		{func(f string) bool { return strings.HasPrefix(f, "lang/") }, func(n string) string { return lang.In(code, "shipped_pack.file.languages", lang.Params{"names": n}) }},
		{func(f string) bool { return strings.HasPrefix(f, "audio/") }, func(n string) string { return lang.In(code, "shipped_pack.file.recordings", lang.Params{"names": n}) }},
		{func(f string) bool { return strings.HasPrefix(f, "icons/") }, func(n string) string { return lang.In(code, "shipped_pack.file.pictures", lang.Params{"names": n}) }},
		{func(string) bool { return true }, func(n string) string { return lang.In(code, "shipped_pack.file.others", lang.Params{"names": n}) }},
	}
	var out []string
	for _, kind := range kinds {
		var names []string
		files = slices.DeleteFunc(slices.Clone(files), func(f string) bool {
			if kind.is(f) {
				names = append(names, strings.TrimSuffix(path.Base(f), ".toml"))
				return true
			}
			return false
		})
		if more := len(names) - most; more > 0 {
			names = append(names[:most], fmt.Sprintf("+%d", more))
		}
		if len(names) > 0 {
			out = append(out, kind.say(strings.Join(names, ", ")))
		}
	}
	return strings.Join(out, "; ")
}

var filmEndings = []string{".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".sha256"}
