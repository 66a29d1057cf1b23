package main

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/web"
)

// clickerOf makes the clicker, which knows the keys of the keyboard and the GPIO buttons.
func (k *kiosk) clickerOf(room *screening.Room) *clicker.Clicker {
	actions := k.keys()
	maps.Copy(actions, k.gpio().ButtonNames())
	return clicker.New(actions, pressJournal{room, k.votingButtons(), k.checkup})
}

// gpio is how the configuration wires the buttons.
func (k *kiosk) gpio() clicker.Setup {
	g := k.config.Clicker.GPIO
	setup := clicker.Setup{
		Chip: g.Chip, Debounce: g.Debounce, LongPress: g.LongPress, Buzzer: g.Buzzer, Boot: k.clock.boot,
	}
	place := 0
	for _, b := range g.Buttons {
		button := clicker.Button{Line: b.Line, Lamp: b.Lamp, Modifier: b.Action == config.ModifierAction}
		button.Action.Undo = b.Action == config.UndoAction
		if i, counts := b.Group(k.config.Attendance); counts {
			button.Action.Category = k.config.Attendance[i].ID
		}
		if b.Votes() {
			place++
			button.Action.Place = place
		}
		setup.Buttons = append(setup.Buttons, button)
	}
	return setup
}

// votingButtons is how many GPIO buttons answer questions.
func (k *kiosk) votingButtons() int {
	n := 0
	for _, b := range k.config.Clicker.GPIO.Buttons {
		if b.Votes() {
			n++
		}
	}
	if g := k.config.Clicker.GPIO; !g.Voting || g.Enabled == config.Off {
		return 0
	}
	return n
}

// runClicker runs the clicker and the GPIO buttons. When ctx ends, the buttons end first,
// then the clicker when it has saved what they gave it, and last the Room, by stopRoom.
func (k *kiosk) runClicker(ctx context.Context, keys *clicker.Clicker, stopRoom func()) error {
	defer stopRoom()
	group, groupCtx := errgroup.WithContext(ctx)
	keysCtx, stopKeys := context.WithCancel(context.WithoutCancel(ctx))
	group.Go(func() error { return keys.Run(keysCtx) })
	group.Go(func() error {
		defer stopKeys()
		if g := k.config.Clicker.GPIO; g.Enabled == config.Off || len(g.Buttons) == 0 {
			<-groupCtx.Done()
			return nil
		}
		return k.runButtons(groupCtx, keys)
	})
	return group.Wait()
}

func (k *kiosk) runButtons(ctx context.Context, keys *clicker.Clicker) error {
	group, ctx := errgroup.WithContext(ctx)
	plugs := make(chan clicker.Plug, 64)
	group.Go(func() error {
		if err := clicker.WatchPlugs(ctx, plugs); err != nil { // the buttons work without it
			k.log.Warn("phantom presses will not be noticed", "error", err)
		}
		return nil
	})
	group.Go(func() error {
		return clicker.Run(ctx, k.gpio(), clicker.Tools{
			Clicker: keys, Open: clicker.OpenGPIO, Plugs: plugs, Now: clicker.Monotonic,
			Report: k.reportButtons,
		})
	})
	return group.Wait()
}

// reportButtons puts the condition of the buttons on the board. A machine that is not a
// Raspberry Pi, and was not told that it has buttons, says nothing of them.
func (k *kiosk) reportButtons(c clicker.Condition) {
	g := k.config.Clicker.GPIO
	var trouble *clicker.Trouble
	if errors.As(c.Trouble, &trouble) && trouble.Kind == clicker.NoChip && g.Enabled == config.Auto && g.Chip == "" && !box.IsPi("/") {
		return
	}
	if c.Trouble != nil {
		k.log.Warn("buttons", "error", c.Trouble)
	}
	k.board.Set(buttonsHealth(c, k.buttonLabel))
}

// buttonLabel is what people call the button on a line.
func (k *kiosk) buttonLabel(line, lang string) string {
	for _, b := range k.config.Clicker.GPIO.Buttons {
		if b.Line != line {
			continue
		}
		if i, counts := b.Group(k.config.Attendance); counts {
			return screening.Text(k.config.Attendance[i].Label).In(lang)
		}
		return b.Action
	}
	return line
}

func buttonsHealth(c clicker.Condition, label func(line, lang string) string) health.Part {
	part := health.Part{Part: "buttons", Level: health.OK, Message: map[string]string{
		"id": "Tombol siap.", "en": "The buttons are ready.",
	}}
	if len(c.Stuck) > 0 {
		names := map[string]string{}
		for _, lang := range []string{"id", "en"} {
			var all []string
			for _, line := range c.Stuck {
				all = append(all, label(line, lang))
			}
			names[lang] = strings.Join(all, ", ")
		}
		part.Level = health.Problem
		part.Message = map[string]string{
			"id": "Tombol tertekan terus: " + names["id"] + ". Tombol itu tidak menghitung; yang lain jalan.",
			"en": "A button is held down all the time: " + names["en"] + ". It does not count; the others do.",
		}
		part.Hint = map[string]string{
			"id": "Lepaskan tombolnya. Kalau macet, cabut kabelnya dan hitung dengan layar sentuh.",
			"en": "Release the button. If it is stuck, pull out its cable and count on the touch screen.",
		}
	}
	if c.Trouble == nil {
		return part
	}
	part.Level = health.Problem
	part.Message = map[string]string{
		"id": "Tombol tidak jalan. Hitung dengan layar sentuh.",
		"en": "The buttons do not work. Count on the touch screen.",
	}
	part.Hint = troubleHint(c.Trouble)
	return part
}

// troubleHint says what to do about buttons that cannot be listened to. They come back
// by themselves once it is done.
func troubleHint(err error) map[string]string {
	var t *clicker.Trouble
	if !errors.As(err, &t) {
		return map[string]string{
			"id": "Matikan kotak, tunggu 10 detik, lalu nyalakan lagi. (" + err.Error() + ")",
			"en": "Switch the kiosk off, wait 10 seconds, and switch it on again. (" + err.Error() + ")",
		}
	}
	switch t.Kind {
	case clicker.NoChip:
		if t.Chip != "" {
			return map[string]string{
				"id": "Chip GPIO " + t.Chip + " tidak ada di kotak ini. Perbaiki clicker.gpio.chip di berkas pengaturan, atau kosongkan untuk Raspberry Pi.",
				"en": "This kiosk has no GPIO chip " + t.Chip + ". Mend clicker.gpio.chip in the configuration, or empty it for a Raspberry Pi.",
			}
		}
		return map[string]string{
			"id": `Kotak ini tidak punya pin Raspberry Pi. Kalau memang tidak ada tombol, tulis enabled = "off" di [clicker.gpio].`,
			"en": `This kiosk has no pins of a Raspberry Pi. If it has no buttons, write enabled = "off" below [clicker.gpio].`,
		}
	case clicker.NoLine:
		return map[string]string{
			"id": "Chip " + t.Chip + " tidak punya jalur " + t.Line + ". Perbaiki nomornya di [clicker.gpio]: itu nomor BCM, bukan nomor pin.",
			"en": "The chip " + t.Chip + " has no line " + t.Line + ". Mend the number below [clicker.gpio]: it is the BCM number, not that of the pin.",
		}
	case clicker.Busy:
		return map[string]string{
			"id": "Jalur " + t.Line + " sedang dipakai oleh " + strconv.Quote(t.Holder) + ". Hentikan program itu, atau pilih jalur lain di [clicker.gpio].",
			"en": "Line " + t.Line + " is in use by " + strconv.Quote(t.Holder) + ". Stop that program, or choose another line below [clicker.gpio].",
		}
	case clicker.Denied:
		return map[string]string{
			"id": "Kotak tidak boleh membuka " + t.Chip + ". Masukkan pengguna mimpi-kiosk ke grup gpio: sudo adduser mimpi-kiosk gpio",
			"en": "The kiosk may not open " + t.Chip + ". Put the user mimpi-kiosk into the group gpio: sudo adduser mimpi-kiosk gpio",
		}
	}
	return map[string]string{
		"id": "Periksa kabel tombol. Kalau tetap begini, matikan kotak dan nyalakan lagi. (" + err.Error() + ")",
		"en": "Check the cables of the buttons. If it stays like this, switch the kiosk off and on. (" + err.Error() + ")",
	}
}

// pressJournal is the way of a press from the clicker to the journal.
type pressJournal struct {
	room   *screening.Room
	places int // buttons that answer questions
	check  *web.Checkup
}

// Send implements clicker.Journal.
func (j pressJournal) Send(ctx context.Context, p clicker.Press, a clicker.Action) func(context.Context) error {
	if j.check.Pressed(p.Button, j.room.Latest()) {
		return func(context.Context) error { return nil }
	}
	if !p.Final { // a key, which the screen sends again until it is answered
		var command screening.Command = screening.CountAttendee{Category: a.Category}
		if a.Undo {
			command = screening.UndoCount{}
		}
		return j.room.Send(ctx, screening.Envelope{ID: p.ID, From: screening.FromKeyboard, Screening: p.For, Command: command})
	}
	press := j.press(a)
	press.Edge = sinceBoot(p.Edge)
	return j.room.Send(ctx, screening.Envelope{ID: p.ID, From: screening.FromButtons, Command: press})
}

func (j pressJournal) press(a clicker.Action) screening.PressButton {
	return screening.PressButton{Category: a.Category, Undo: a.Undo, Place: a.Place, Places: j.places}
}

// Note implements clicker.Journal.
func (j pressJournal) Note(ctx context.Context, id string, n clicker.Note) error {
	var command screening.Command
	if n.Lost == "" {
		command = screening.SuspectPresses{Press: j.press(n.Action), Commands: n.Suspected}
	} else {
		why := map[string]screening.LossReason{
			clicker.Overrun: screening.Overrun, clicker.Full: screening.QueueFull,
			clicker.Stopped: screening.AtStop, clicker.Unheard: screening.Unheard,
		}[n.Lost]
		command = screening.ReportLostPresses{Press: j.press(n.Action), Presses: n.Presses, Why: why, Since: sinceBoot(n.Since)}
	}
	return j.room.Do(ctx, screening.Envelope{ID: id, From: screening.FromButtons, Command: command})
}

// MayPass implements clicker.Journal.
func (pressJournal) MayPass(err error) bool { return mayBeSavedLater(err) }

// sinceBoot turns a time of CLOCK_MONOTONIC, which stands still while the machine
// sleeps, into that of the journal. 0 stays 0.
func sinceBoot(monotonic time.Duration) screening.Millis {
	if monotonic == 0 {
		return 0
	}
	var boot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot); err == nil { // it has no way to fail on Linux
		monotonic += max(time.Duration(boot.Nano())-clicker.Monotonic(), 0)
	}
	return screening.ToMillis(monotonic)
}
