package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"mimpi-kiosk/kiosk-ui/lang"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/pack/shelf"
	"mimpi-kiosk/internal/web"
)

// errPackChanged ends serve when another pack was put into use: it begins anew with that.
var errPackChanged = errors.New("another pack was put into use")

// packs is the shelf, for several goroutines. Nothing waits for a pack that is copied.
type packs struct {
	mu    sync.Mutex // of the fields that screens look at
	shelf *shelf.Shelf
	state shelfState
	work  sync.Mutex // one change at a time
}

type shelfState struct{ waits, back bool }

func openPacks(data string, keys []string) (*packs, error) {
	s, err := shelf.Open(filepath.Join(data, "packs"), keys)
	p := &packs{shelf: s}
	p.look()
	return p, err
}

func (p *packs) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = shelfState{p.shelf.Waits(), p.shelf.CanGoBack()}
}

func (p *packs) waits() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.waits
}

func (p *packs) canGoBack() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state.back
}

func (p *packs) change(f func() error) error {
	p.work.Lock()
	defer p.work.Unlock()
	defer p.look()
	return f()
}

func (p *packs) advance() error { return p.change(p.shelf.Advance) }
func (p *packs) back() error    { return p.change(p.shelf.Back) }

func (p *packs) offers(ctx context.Context, dir string) []shelf.Offer {
	p.work.Lock()
	defer p.work.Unlock()
	return p.shelf.Offers(ctx, dir)
}

func (p *packs) take(ctx context.Context, dir, name string, inUse *pack.Pack, progress func(done, all int64)) error {
	return p.change(func() error { return p.shelf.Take(ctx, dir, name, inUse, progress) })
}

// loadPack reads the pack in use. One from a stick that is damaged is given up for the
// earlier one: an evening must not end by it.
func (k *kiosk) loadPack(f flags) error {
	var given error
	for {
		dir, fromStick := k.packs.shelf.Current()
		if !fromStick {
			dir = f.pack
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
			return nil
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
