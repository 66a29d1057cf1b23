package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
	"mimpi-kiosk/internal/web"
)

// What the parts found, as the facilitator's screen says it.

// watchedJournal tells the board whether commits work.
type watchedJournal struct {
	*sqlite.Late
	board   *health.Board
	commits *box.Commits
}

func (j watchedJournal) Append(ctx context.Context, events []screening.Recorded) error {
	begin := time.Now()
	err := j.Late.Append(ctx, events)
	if err == nil && j.There() {
		j.commits.Took(time.Since(begin))
	}
	j.board.Set(journalHealth(cmp.Or(err, j.Refusal())))
	return err
}

func (j watchedJournal) Probe(ctx context.Context) error {
	err := j.Late.Probe(ctx)
	j.board.Set(journalHealth(err))
	return err
}

func journalHealth(err error) health.Part {
	part := health.Part{Part: "journal", Level: health.OK, Message: map[string]string{
		"id": "Semua hitungan dan jawaban tersimpan.",
		"en": "All counts and answers are saved.",
	}}
	if err == nil {
		return part
	}
	part.Level = health.Problem
	part.Message = map[string]string{
		"id": "Hitungan dan jawaban tidak bisa disimpan sekarang. Film tetap jalan.",
		"en": "Counts and answers cannot be saved now. The film goes on.",
	}
	var f *sqlite.Fault
	if errors.As(err, &f) {
		part.Hint = f.Message()
	}
	return part
}

func setAside(notice screening.Text) health.Part {
	return health.Part{Part: "old_journal", Level: health.Problem, Message: notice}
}

func filmHealth(r pack.FilmReport) health.Part {
	return health.Part{Part: "film", Level: health.Level(r.Level), Message: r.Message, Hint: r.Hint}
}

// textsHealth says what is said in Indonesian for want of a translation. What of the
// languages, pictures and recordings is left out is in the part of [checkPart].
func textsHealth(err error, p *pack.Pack, texts *web.Texts) health.Part {
	const part = "languages"
	if err != nil {
		return health.Found(part, health.Note, "Berkas bahasa tambahan tidak bisa dibaca: "+err.Error(), "An added language file cannot be read: "+err.Error(),
			"Perbaiki berkas itu di folder lang, lalu nyalakan ulang kotak.", "Mend that file in the folder lang, then restart the kiosk.")
	}
	var id, en []string
	for _, l := range texts.Languages() {
		ours, allOurs := p.Missing(l.Code)
		screens, allScreens := texts.Missing(l.Code)
		if len(ours)+screens > 0 {
			id = append(id, fmt.Sprintf("%s (%d dari %d teks paket, %d dari %d teks layar)", l.Name, len(ours), allOurs, screens, allScreens))
			en = append(en, fmt.Sprintf("%s (%d of %d texts of the pack, %d of %d of the screens)", l.Name, len(ours), allOurs, screens, allScreens))
		}
	}
	if len(id) > 0 {
		return health.Found(part, health.Note, "Sebagian teks belum diterjemahkan dan dikatakan dalam bahasa Indonesia: "+strings.Join(id, "; ")+".",
			"Some texts are not translated and are said in Indonesian: "+strings.Join(en, "; ")+".",
			"Tambahkan dengan: mimpi-kiosk pack language FOLDER KODE", "Add them with: mimpi-kiosk pack language DIR CODE")
	}
	return health.Found(part, health.OK, "Bahasa layar dan paket lengkap.", "The languages of the screens and the pack are complete.")
}

func pinHealth(notes []screening.Text) health.Part {
	if len(notes) == 0 {
		return health.Part{Part: "pin", Level: health.OK, Message: map[string]string{
			"id": "PIN aman.", "en": "The PIN is in order.",
		}}
	}
	return health.Part{Part: "pin", Level: health.Note, Message: notes[0]}
}
