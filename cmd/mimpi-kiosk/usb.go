package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path"
	"slices"
	"time"

	"github.com/google/uuid"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/pack/shelf"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
	"mimpi-kiosk/internal/usb"
	"mimpi-kiosk/internal/web"
	"mimpi-kiosk/kiosk-ui/lang"
)

// sticks brings together the USB sticks, the journal, the packs and the screens.
type sticks struct {
	*kiosk
	journal  *sqlite.Late
	room     *screening.Room
	desk     *usb.Desk
	news     chan struct{} // for the screens
	lampNews chan struct{} // for the lamp
	reload   chan struct{} // another pack was put into use
}

func (k *kiosk) newSticks(journal *sqlite.Late, room *screening.Room) *sticks {
	token := func() chan struct{} { return make(chan struct{}, 1) }
	s := &sticks{kiosk: k, journal: journal, room: room, news: token(), lampNews: token(), reload: token()}
	s.desk = &usb.Desk{
		System: usb.Notes{Dir: k.config.USB.Folder}, Work: s,
		Changed: s.changed,
		Wrong:   func(what string, err error) { k.log.Warn(what, "error", err) },
	}
	return s
}

// run looks after sticks, and starts that anew when it fails: no evening ends by a stick.
func (s *sticks) run(ctx context.Context) error {
	if !s.config.USB.Enabled {
		<-ctx.Done()
		return nil
	}
	const pause = 10 * time.Second
	for ctx.Err() == nil {
		err := s.desk.Run(ctx)
		if errors.Is(err, usb.ErrNoSystem) {
			s.log.Info("USB sticks are not looked after on this machine", "folder", s.config.USB.Folder)
			<-ctx.Done()
		}
		if ctx.Err() != nil {
			break
		}
		s.log.Error("USB sticks", "error", err)
		s.board.Set(health.Found("usb", health.Problem, "Stik USB tidak bisa dilayani sekarang.", "USB sticks cannot be looked after now.",
			"Unduh ekspor di layar ini, atau nyalakan ulang kotak.", "Download the export on this screen, or restart the box."))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// follow tells the desk when the film runs or the power is weak, and puts a pack that was
// chosen into use when no screening goes on. It ends, with errPackChanged, when that has
// happened.
func (s *sticks) follow(ctx context.Context) error {
	states, stop := s.room.Follow()
	defer stop()
	healths, stopHealths := s.board.Follow()
	defer stopHealths()
	if s.room.Read(ctx, func(*screening.State) {}) != nil {
		return nil // the Room's own Run says why
	}
	wasOn := false
	for {
		state := s.room.Latest()
		if wasOn && !state.GoingOn() { // a whole evening's time to read what the upgrade took over
			if err := s.packs.local.Forget(); err != nil {
				s.log.Warn("forget what the upgrade took over", "error", err)
			}
			s.board.Set(takenOverHealth(s.packs.local))
		}
		wasOn = state.GoingOn()
		s.desk.SetHold(holdOf(state, s.board.Parts()))
		if s.packs.waits() && !state.GoingOn() {
			err := s.packs.advance()
			if err == nil {
				return errPackChanged
			}
			s.log.Error("put the new pack into use", "error", err)
			s.board.Set(packHealth(err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-states:
		case <-s.reload:
		case <-healths:
		}
	}
}

// holdOf says what holds up the writing to sticks.
func holdOf(state *screening.State, parts []health.Part) usb.Hold {
	weak := func(p health.Part) bool { return p.Part == box.PowerPart && p.Level == health.Problem }
	switch {
	case slices.ContainsFunc(parts, weak):
		return usb.WeakPower
	case state.FilmAtWork():
		return usb.FilmRuns
	}
	return usb.Free
}

// heldBy is how the screens are told what a stick waits for.
var heldBy = map[usb.Hold]string{usb.FilmRuns: "film", usb.WeakPower: "power"}

// Export implements [usb.Work].
func (s *sticks) Export(ctx context.Context, dir string, before func(done, all int) error) (usb.Exported, error) {
	opts, err := s.exportOptions()
	switch {
	case errors.Is(err, errWithheld):
		return usb.Exported{}, &usb.Trouble{Why: usb.Withheld, Err: err}
	case err != nil:
		return usb.Exported{}, &usb.Trouble{Why: usb.Incomplete, Err: err, Message: lang.Text("export.key_failed")}
	}
	var e usb.Exported
	sum := sha256.New()
	opts.Before = before
	opts.Placed = func(p export.Placed) {
		e.Screenings++
		if p.Written {
			e.Written++
		}
		fmt.Fprintf(sum, "%x  %s\n", p.Sums, p.Folder)
	}
	_, err = export.Write(ctx, s.journal, dir, opts)
	e.Checksum = fmt.Sprintf("%x", sum.Sum(nil))
	return e, exportTrouble(err, &e)
}

// exportTrouble says what went wrong in the words of the screens. That a stick is full is
// no error here: what had room is there.
func exportTrouble(err error, e *usb.Exported) error {
	var full *export.Full
	var fault *sqlite.Fault
	why := usb.Failed
	switch {
	case err == nil:
		return nil
	case errors.As(err, &full):
		e.Missing, e.Need = full.Missing, full.Need
		return nil
	case errors.Is(err, export.ErrNotKept):
		why = usb.Lying
	case export.IsProtected(err):
		why = usb.Protected
	case errors.As(err, &fault):
		why = usb.Incomplete
	}
	return &usb.Trouble{Why: why, Err: err}
}

// Exported implements [usb.Work].
func (s *sticks) Exported(ctx context.Context, stick string, e usb.Exported) error {
	return s.room.Do(ctx, screening.Envelope{ID: uuid.NewString(), From: screening.FromKiosk, Command: screening.RecordExport{
		Stick: stick, Screenings: e.Screenings, Written: e.Written, Missing: e.Missing, Checksum: e.Checksum,
	}})
}

// Log implements [usb.Work].
func (s *sticks) Log(_ context.Context, dir string) error {
	err := export.PutFile(dir, path.Join("mimpi-kiosk", "catatan-kotak", s.id+".txt"), s.boxReport())
	return exportTrouble(err, &usb.Exported{})
}

// Offers implements [usb.Work].
func (s *sticks) Offers(ctx context.Context, dir string) []usb.Offer {
	out := []usb.Offer{}
	for _, o := range s.packs.offers(ctx, dir) {
		out = append(out, usb.Offer{
			Name: o.Name, Title: o.Title, Film: o.Film, Signed: o.Signed, Bytes: o.Bytes, Same: o.Same, Problem: o.No,
		})
	}
	return out
}

// Take implements [usb.Work].
func (s *sticks) Take(ctx context.Context, dir, name string, progress func(done, all int64)) error {
	if err := s.packs.take(ctx, dir, name, s.pack, progress); err != nil {
		return &usb.Trouble{Why: usb.Failed, Err: err, Message: shelf.Sentences(err)}
	}
	s.reconsider()
	return nil
}

// reconsider has follow look whether a pack waits.
func (s *sticks) reconsider() {
	s.changed()
	select {
	case s.reload <- struct{}{}:
	default:
	}
}

// changed tells the screens and the health board.
func (s *sticks) changed() {
	part := health.Found("usb", health.OK, "Stik USB: tidak ada masalah.", "USB sticks: no trouble.")
	for _, stick := range s.desk.Sticks() {
		if stick.Phase == usb.InTrouble {
			part.Level, part.Message, part.Hint = health.Note, stick.Message(), stick.Why.Hint()
		}
	}
	s.board.Set(part)
	for _, news := range []chan struct{}{s.news, s.lampNews} {
		select {
		case news <- struct{}{}:
		default:
		}
	}
}

// Sticks implements [web.Sticks].
func (s *sticks) Sticks() []web.Stick {
	out := []web.Stick{}
	for _, u := range s.desk.Sticks() {
		w := web.Stick{
			Disk: u.Disk, Label: u.Label, Phase: string(u.Phase), WaitsFor: heldBy[u.WaitsFor], Task: string(u.Task), Done: u.Done, All: u.All,
			Screenings: u.Exported.Screenings, Written: u.Exported.Written, Missing: u.Exported.Missing,
			NeedMB: (u.Exported.Need + 1<<20 - 1) >> 20, Why: string(u.Why), Safe: u.Safe, Here: u.Here, Offers: []web.PackOffer{},
		}
		if u.Phase == usb.InTrouble {
			w.Message, w.Hint = u.Message(), u.Why.Hint()
		}
		for _, o := range u.Offers {
			w.Offers = append(w.Offers, web.PackOffer{
				Name: o.Name, Title: o.Title, Film: o.Film, Signed: o.Signed, MB: (o.Bytes + 1<<20 - 1) >> 20, Same: o.Same, No: o.Problem,
			})
		}
		out = append(out, w)
	}
	return out
}

// Follow implements [web.Sticks].
func (s *sticks) Follow() <-chan struct{} { return s.news }

// Ask implements [web.Sticks].
func (s *sticks) Ask(disk, task, pack string) error {
	switch err := s.desk.Ask(disk, usb.Task(task), pack); {
	case errors.Is(err, usb.ErrNoStick):
		return web.ErrNoStick
	case errors.Is(err, usb.ErrAtWork):
		return web.ErrStickBusy
	default:
		return err
	}
}

// Pack implements [web.Sticks].
func (s *sticks) Pack() web.PackState {
	seen := s.packs.seen()
	state := web.PackState{Title: s.pack.Title, Waits: seen.waits, Back: seen.back, Newer: []web.PackChange{}}
	for _, change := range seen.newer {
		state.Newer = append(state.Newer, web.PackChange{File: change.File, Kind: string(change.Kind), Text: s.packs.inWords(change.File)})
	}
	return state
}

// TakeShipped implements [web.Sticks].
func (s *sticks) TakeShipped(context.Context) error {
	if err := s.packs.takeShipped(); err != nil {
		s.log.Error("take the newer shipped pack", "error", err)
		return web.PackRefused(shelf.Sentences(err))
	}
	s.reconsider()
	return nil
}

// BackToPack implements [web.Sticks].
func (s *sticks) BackToPack(context.Context) error {
	if err := s.packs.back(); err != nil {
		return err
	}
	s.reconsider()
	return nil
}
