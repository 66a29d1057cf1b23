package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"mimpi-kiosk/kiosk-ui/lang"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/doctor"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/screening"
)

// What is known before an evening begins. The sentences of a pack here are those that
// "mimpi-kiosk pack verify" finds, gathered by what they are about; what they mean for the
// evening is decided by health.ClassOf.

// found makes a part of sentences of the language files; hint may be nil.
func found(part string, level health.Level, message, hint map[string]string) health.Part {
	return health.Part{Part: part, Level: level, Message: message, Hint: hint}
}

// packParts returns the parts on the pack in a folder but for its film, from what was
// found in it.
func packParts(v pack.Verdict, dir string) []health.Part {
	if v.Pack == nil {
		return nil
	}
	return []health.Part{placesPart(v, dir), numbersPart(v), guidebookPart(v), checkPart(v, dir)}
}

func placesPart(v pack.Verdict, dir string) health.Part {
	open := about(pack.PartPlaces, v.Mistakes)
	if len(open) == 0 {
		return found(pack.PartPlaces, health.OK, lang.Text("ready.places.filled"), nil)
	}
	return found(pack.PartPlaces, health.Problem,
		lang.Text("ready.places.open", lang.Params{"n": len(open), "where": someOf(open, place)}),
		lang.Text("ready.places.open_hint", lang.Params{"dir": dir}))
}

func numbersPart(v pack.Verdict) health.Part {
	if len(v.Pack.HelpNumbers) == 0 {
		return found(pack.PartNumbers, health.Problem, lang.Text("ready.numbers.none"), lang.Text("ready.numbers.none_hint"))
	}
	doubtful := about(pack.PartNumbers, v.Notes)
	if len(doubtful) == 0 {
		return found(pack.PartNumbers, health.OK, lang.Text("ready.numbers.checked"), nil)
	}
	return found(pack.PartNumbers, health.Note,
		lang.Text("ready.numbers.unchecked", lang.Params{"n": len(doubtful), "all": len(v.Pack.HelpNumbers)}),
		lang.Text("ready.numbers.unchecked_hint"))
}

func guidebookPart(v pack.Verdict) health.Part {
	if v.Pack.Guidebook == (pack.Guidebook{}) {
		return found(pack.PartGuidebook, health.Note, lang.Text("ready.guidebook.none"), lang.Text("ready.guidebook.none_hint"))
	}
	return found(pack.PartGuidebook, health.OK, lang.Text("ready.guidebook.there"), nil)
}

func checkPart(v pack.Verdict, dir string) health.Part {
	wrong := append(about(pack.PartPack, v.Mistakes), about(pack.PartLanguages, v.Mistakes)...)
	if len(wrong) == 0 {
		return found(pack.PartPack, health.OK,
			lang.Text("ready.pack.sound", lang.Params{"n": len(about(pack.PartPack, v.Notes))}), nil)
	}
	part := found(pack.PartPack, health.Note, nil, lang.Text("ready.pack.mistakes_hint", lang.Params{"dir": dir}))
	part.Message = map[string]string{
		"id": lang.In("id", "ready.pack.mistakes", lang.Params{"n": len(wrong), "first": place(wrong[0]) + ": " + wrong[0].What["id"]}),
		"en": lang.In("en", "ready.pack.mistakes", lang.Params{"n": len(wrong), "first": place(wrong[0]) + ": " + wrong[0].What["en"]}),
	}
	return part
}

func about(part string, all []*pack.Mistake) []*pack.Mistake {
	var out []*pack.Mistake
	for _, m := range all {
		if m.Part == part {
			out = append(out, m)
		}
	}
	return out
}

func place(m *pack.Mistake) string {
	if m.Line > 0 {
		return fmt.Sprintf("%s:%d", m.File, m.Line)
	}
	return m.File
}

// someOf names the first three.
func someOf(all []*pack.Mistake, name func(*pack.Mistake) string) string {
	const most = 3
	var names []string
	for _, m := range all[:min(len(all), most)] {
		names = append(names, name(m))
	}
	if len(all) > most {
		names = append(names, "...")
	}
	return strings.Join(names, ", ")
}

// checkPack puts on the board what is wrong in the pack in use. It reads everything but
// films and recordings, so that a start stays quick.
func (k *kiosk) checkPack(ctx context.Context) error {
	v, err := pack.Verify(ctx, k.pack.Dir, pack.Check{Today: k.today(), ScreenText: screenText(), Quick: true})
	if err != nil {
		return err
	}
	for _, p := range packParts(v, k.pack.Dir) {
		k.board.Set(p)
	}
	return nil
}

// today is the date for the age of a help number; zero while the clock is not known, so
// that a wrong date makes no number old.
func (k *kiosk) today() time.Time {
	if sourceOf(k.clock.Read()) == screening.ClockUnset {
		return time.Time{}
	}
	return time.Now()
}

// Reading a film from the card at this pace, in bytes a second, leaves the card to the
// journal and the screens.
const filmPace = 20 << 20

// watchSound keeps the part on the sound device, until ctx ends. Where the projector's
// page plays the film that page says whether it has sound.
func (k *kiosk) watchSound(ctx context.Context) error {
	const every = 10 * time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		k.board.Set(doctor.Machine{Root: "/"}.Sound())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// checkFilm compares the film with its checksum once, and not while a screening goes on.
func (k *kiosk) checkFilm(ctx context.Context, room *screening.Room) error {
	k.board.Remove("film_whole") // that of an earlier pack
	if k.pack.Film.Missing {
		return nil
	}
	wait := func(d time.Duration) {
		select {
		case <-time.After(d):
		case <-ctx.Done():
		}
	}
	var owed time.Duration
	report := k.pack.Film.CheckWhole(ctx, func(n int) {
		for ctx.Err() == nil && room.Latest().GoingOn() {
			wait(time.Second)
		}
		if owed += time.Duration(n) * time.Second / filmPace; owed > 50*time.Millisecond {
			wait(owed)
			owed = 0
		}
	})
	if ctx.Err() == nil {
		k.board.Set(health.Part{Part: "film_whole", Level: health.Level(report.Level), Message: report.Message, Hint: report.Hint})
	}
	return nil
}

// journalWritable says for doctor, without a running kiosk, what a file that was written
// beside the journal says of it. A folder of another user is the kiosk's own.
func journalWritable(probe box.Probe, data string) health.Part {
	switch err := probe.Err; {
	case err == nil:
		return found("journal", health.OK, lang.Text("ready.journal.writable"), nil)
	case errors.Is(err, fs.ErrPermission):
		return found("journal", health.Note, lang.Text("ready.journal.not_allowed", lang.Params{"dir": data}), lang.Text("ready.with_sudo"))
	default:
		return found("journal", health.Problem,
			lang.Text("ready.journal.refused", lang.Params{"dir": data, "why": err}), lang.Text("ready.journal.refused_hint"))
	}
}
