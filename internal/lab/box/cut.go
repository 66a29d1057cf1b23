package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"mimpi-kiosk/internal/lab/card"
	"mimpi-kiosk/internal/lab/kept"
	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/root"
	"mimpi-kiosk/internal/lab/visit"
)

// power is what is cut.
type power struct {
	cuts, seed int

	history oracle.History
	boots   int
	ready   []time.Duration // from power-on until the touch screen's page was answered

	mu   sync.Mutex
	film struct{ asked, answered, shown int } // since the journal was last looked at, in ms
	back int                                  // the furthest that the film fell back
}

const (
	cutCard   = 64 << 20
	cutWithin = 12 * time.Second
)

// cut takes the power away from the installed kiosk, under systemd, while people count, vote
// and watch the film through the network: its data folder is on a card whose cache forgets. After each
// cut the journal is taken from the card and judged, the machine switched on again, and
// the evening must stand where the journal has it.
func (p *power) cut(ctx context.Context, a architecture, i image, work string, log io.Writer) error {
	begun := time.Now()
	disk, err := card.Ext4(ctx, cutCard, work)
	if err == nil {
		err = withFilm(ctx, i, work)
	}
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(uint64(p.seed), 0))
	var verdict *oracle.Verdict
	var before *kept.Kept
	for p.boots <= p.cuts && err == nil {
		p.boots++
		if err = p.live(ctx, a, i, disk, before, random, log); err != nil || p.boots > p.cuts {
			break
		}
		cached, old := disk.Cut(random)
		var recovered []byte
		verdict, before, recovered, err = p.judge(ctx, disk, work)
		if err == nil {
			err = verdict.Err()
		}
		fmt.Printf("cut %d: %v; the film fell back by %d ms at most; %d sectors were not flushed, %d of them are old\n", p.boots, verdict, p.back, cached, old)
		// The journal of the file system is replayed by e2fsck, as Debian's initramfs does it for the
		// root file system: the kernel alone may refuse one whose last block was torn.
		disk = card.New(recovered)
	}
	row := oracle.Row{Part: "cut-box", Fault: "power cut under the installed package, in a Debian with systemd", Size: fmt.Sprint(p.cuts, " cuts"), Seed: p.seed}
	if verdict != nil {
		row = row.With(verdict)
		row.Says = fmt.Sprintf("the film fell back by %d ms at most; the touch screen's page after %v; %v in all", p.back, p.ready, time.Since(begun).Round(time.Second))
		fmt.Println("cut-box:", row.Says)
		if verdict.Acknowledged < 20*p.cuts {
			err = errors.Join(err, fmt.Errorf("only %d commands were acknowledged: too few to show anything", verdict.Acknowledged))
		}
	}
	return row.Keep(ctx, err)
}

// withFilm puts a film into the package's pack on the machine's own disk.
func withFilm(ctx context.Context, i image, work string) error {
	film := filepath.Join(work, "film")
	if err := visit.Film(ctx, film); err != nil {
		return err
	}
	const there = "/usr/share/mimpi-kiosk/media/mimpi-beta/film/"
	for _, command := range []string{
		"rm " + there + "film.toml", "rm " + there + "film.mp4", // the latter is of an earlier run
		"write " + film + "/film.toml " + there + "film.toml", "write " + film + "/film.mp4 " + there + "film.mp4",
	} {
		if err := root.Command(ctx, "debugfs", "-w", "-R", command, i.disk); err != nil {
			return err
		}
	}
	return nil
}

// judge takes the journal from the card and holds it against all that was asked and acknowledged.
func (p *power) judge(ctx context.Context, disk *card.Card, work string) (_ *oracle.Verdict, _ *kept.Kept, recovered []byte, err error) {
	folder := filepath.Join(work, "cut")
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755)); err != nil {
		return nil, nil, nil, err
	}
	if recovered, err = card.Files(ctx, disk.Content(), folder, "journal.db", "journal.db-wal"); err != nil {
		return nil, nil, nil, err
	}
	journal := filepath.Join(folder, "journal.db")
	verdict, err := p.history.Judge(ctx, journal)
	if err != nil {
		return nil, nil, nil, err
	}
	k, err := kept.Read(ctx, journal)
	if err != nil {
		return nil, nil, nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.back = max(p.back, p.film.answered-k.Film)
	if k.Film < p.film.shown || k.Film > p.film.asked || p.film.answered-k.Film >= 5000 {
		verdict.Others = append(verdict.Others, fmt.Sprintf("the film is at %d ms; %+v", k.Film, p.film))
	}
	p.film.asked, p.film.answered, p.film.shown = k.Film, k.Film, k.Film
	return verdict, k, recovered, nil
}

// live is one time with power: before is what the journal had when it began, nil when the
// kiosk is new. In the last one the evening is only looked at.
func (p *power) live(ctx context.Context, a architecture, i image, disk *card.Card, before *kept.Kept, random *rand.Rand, log io.Writer) (err error) {
	m, err := boot(ctx, a, i, kind{card: disk}, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	p.ready = append(p.ready, m.touch.Round(time.Second))
	if before == nil {
		if _, err := m.run(ctx, setPIN); err != nil {
			return err
		}
	}
	e, err := p.stands(m, before)
	if err != nil || p.boots > p.cuts {
		return err
	}
	step := []string{"discussion", "film"}[p.boots%2]
	if err := e.moveTo(step); err != nil {
		return err
	}
	ended := make(chan struct{})
	var working sync.WaitGroup
	broken := make(chan error, 8)
	for _, one := range p.people(e, step, ended) {
		working.Go(func() {
			if err := one(); err != nil {
				broken <- err
			}
		})
	}
	after, writes := time.Duration(random.Int64N(int64(cutWithin))), random.IntN(5)
	select {
	case err = <-broken: // before the cut nobody may
	case <-time.After(after):
		if writes > 0 {
			select {
			case <-disk.AfterWrites(writes):
			case <-time.After(cutWithin):
			}
		}
	}
	close(ended)
	err = errors.Join(err, m.Guest.Close()) // the power is gone
	working.Wait()
	return err
}

// led is an evening and its facilitator.
type led struct {
	kiosk visit.Process
	lead  *visit.Visitor
	id    string
	name  string // of this life
}

// stands signs in, and compares what the facilitator sees with the journal.
func (p *power) stands(m *machine, before *kept.Kept) (*led, error) {
	e := &led{kiosk: visit.Process{Base: "http://" + m.addr(8080)}, name: fmt.Sprint("life", p.boots)}
	var err error
	if e.lead, err = e.kiosk.Visitor(); err != nil {
		return nil, err
	}
	if err := errors.Join(e.lead.SignIn(), e.lead.Connect("facilitator")); err != nil {
		return nil, fmt.Errorf("the facilitator: %w", err)
	}
	if before == nil {
		for n, err := range []error{e.lead.Plan("plan", "Balai Desa"), e.lead.Do("doors", map[string]any{"do": "openDoors"})} {
			if err != nil {
				return nil, fmt.Errorf("command %d: %w", n, err)
			}
		}
	}
	var view struct {
		Screening  struct{ ID string }
		Step       string
		Attendance struct{ Total int }
		Current    struct{ Phase string }
		Playback   struct {
			At          int
			Playing     bool
			Interrupted bool
		}
	}
	err = e.lead.WaitFor(func(msg visit.Message) bool {
		return msg.Type == "view" && json.Unmarshal(msg.View, &view) == nil && view.Screening.ID != ""
	})
	if err != nil {
		return nil, err
	}
	e.id = view.Screening.ID
	if before == nil {
		return e, nil
	}
	if view.Step != before.Step || view.Attendance.Total != before.People || view.Playback.At != before.Film || view.Playback.Playing ||
		before.Playing && !view.Playback.Interrupted || (view.Current.Phase == "open") != before.Open {
		return nil, fmt.Errorf("after the cut the evening does not stand where the journal has it: %+v, and by the journal %+v", view, *before)
	}
	return e, nil
}

// moveTo brings the evening to the film, which plays, or to the discussion, with a question open.
func (e *led) moveTo(step string) error {
	commands := []map[string]any{{"do": "moveTo", "step": step}, {"do": "openQuestion", "question": "k1"}}
	if step == "film" {
		commands[1] = map[string]any{"do": "playFilm"}
	}
	for n, c := range commands {
		if err := e.lead.Do(fmt.Sprint(e.name, "-move-", n), c); err != nil {
			return err
		}
	}
	return nil
}

// people are those at work in a life: each ends when ended is closed, or with an error.
func (p *power) people(e *led, step string, ended <-chan struct{}) []func() error {
	again := func(role, who string, commands ...map[string]any) func() error {
		return func() error {
			v, err := e.visitor(role)
			if err != nil {
				return err
			}
			defer v.WS.Close()
			round := 0
			if role == "vote" {
				if round, err = v.OpenRound(); err != nil {
					return p.gone(ended, who, err)
				}
			}
			for n := 1; ; n++ {
				select {
				case <-ended:
					return nil
				default:
				}
				id, c := kept.ID(e.name+"-"+who, n), commands[(n-1)%len(commands)]
				c["screening"] = e.id
				if role == "vote" {
					c["round"] = round
				}
				p.history.Invoke(id)
				if err := v.Do(id, c); err != nil {
					return p.gone(ended, who, err)
				}
				p.history.Acknowledge(id)
			}
		}
	}
	all := []func() error{
		again("facilitator", "lead", map[string]any{"do": "countAttendee", "category": "woman"}, map[string]any{"do": "undoCount", "category": ""}),
		again("facilitator", "keys", map[string]any{"do": "pressKey", "key": "1"}, map[string]any{"do": "pressKey", "key": "3"}),
	}
	if step == "film" {
		return append(all, func() error {
			v, err := e.visitor("stage")
			if err != nil {
				return err
			}
			defer v.WS.Close()
			return p.gone(ended, "film", v.Show(e.name+"-report", ended, p.note))
		})
	}
	for n := range 3 {
		ballot := func(choice string) map[string]any {
			return map[string]any{"do": "castBallot", "question": "k1", "choices": []string{choice}}
		}
		all = append(all, again("vote", fmt.Sprint("phone", n), ballot("18"), ballot("15")))
	}
	return all
}

// gone is nil for an error that came of the cut.
func (p *power) gone(ended <-chan struct{}, who string, err error) error {
	select {
	case <-ended:
		return nil
	case <-time.After(time.Second): // the cut may be a moment away: the card goes first
	}
	select {
	case <-ended:
		return nil
	default:
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", who, err)
	}
	return err
}

// visitor is a phone, or another page of the browser in which the facilitator signed in.
func (e *led) visitor(role string) (*visit.Visitor, error) {
	v := &visit.Visitor{Base: e.kiosk.Base, HTTP: e.lead.HTTP}
	if role == "vote" {
		var err error
		if v, err = e.kiosk.Visitor(); err != nil {
			return nil, err
		}
		if err := v.Get("/vote"); err != nil {
			return nil, err
		}
	}
	return v, v.Connect(role)
}

func (p *power) note(what string, at int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch what {
	case "ASK":
		p.film.asked = max(p.film.asked, at)
	case "DONE":
		p.film.answered = at
	case "ACK":
		p.film.shown = max(p.film.shown, at)
	}
}
