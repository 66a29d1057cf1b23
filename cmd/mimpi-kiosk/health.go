package main

import (
	"cmp"
	"context"
	"errors"
	"time"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
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

func textsHealth(err error) health.Part {
	if err == nil {
		return health.Part{Part: "languages", Level: health.OK, Message: map[string]string{
			"id": "Bahasa layar lengkap.", "en": "The languages of the screens are complete.",
		}}
	}
	return health.Part{Part: "languages", Level: health.Note, Message: map[string]string{
		"id": "Berkas bahasa tambahan tidak bisa dibaca: " + err.Error(),
		"en": "An added language file cannot be read: " + err.Error(),
	}, Hint: map[string]string{
		"id": "Perbaiki berkas itu di folder lang, lalu nyalakan ulang kotak.",
		"en": "Mend that file in the folder lang, then restart the kiosk.",
	}}
}

func pinHealth(notes []screening.Text) health.Part {
	if len(notes) == 0 {
		return health.Part{Part: "pin", Level: health.OK, Message: map[string]string{
			"id": "PIN aman.", "en": "The PIN is in order.",
		}}
	}
	return health.Part{Part: "pin", Level: health.Note, Message: notes[0]}
}
