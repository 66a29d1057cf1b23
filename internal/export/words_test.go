package export

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// sound is an evening of which there is nothing to say; happen comes in the middle of it.
func sound(t *testing.T, alone, rehearsal, open bool, happen func(k *journaltest.Kiosk, do func(screening.Source, screening.Command))) made {
	t.Helper()
	at := time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC)
	k := journaltest.NewKiosk("kiosk-1", at)
	k.Alone = alone
	if alone {
		k.Restart("kiosk-1")
	}
	do := func(from screening.Source, c screening.Command) {
		t.Helper()
		if !k.Do(from, c) {
			t.Fatalf("%#v was refused", c)
		}
	}
	f := screening.FromFacilitator
	do(f, screening.PlanScreening{Screening: "s1", Rehearsal: rehearsal, Programme: journaltest.Programme(),
		Details: screening.Details{Regency: "belu", Venue: "Balai", Audience: screening.Public, HeldAt: at}})
	do(f, screening.MoveTo{Step: screening.Doors})
	for range 3 {
		do(screening.FromButtons, screening.PressButton{Category: "woman", Edge: 1})
	}
	if happen != nil {
		happen(k, do)
	}
	if !open {
		do(f, screening.MoveTo{Step: screening.Ended})
	}
	return made{events: k.Events}
}

// answered asks a question before the film.
func answered(do func(screening.Source, screening.Command)) {
	f := screening.FromFacilitator
	do(f, screening.MoveTo{Step: screening.PollBefore})
	do(f, screening.OpenQuestion{Question: "q1"})
	do(f, screening.CloseQuestion{Question: "q1"})
	do(f, screening.CountHands{Question: "q1", Counts: map[string]int{"a": 2, "b": 1}})
}

// TestEveryQualityWord lets each thing that a reader of the figures should know happen, alone,
// and looks for its word in every file.
func TestEveryQualityWord(t *testing.T) {
	lost := screening.PressButton{Category: "woman"}
	type doing = func(k *journaltest.Kiosk, do func(screening.Source, screening.Command))
	cases := map[string]struct {
		alone, rehearsal, open bool
		happen                 doing
		also                   string // words that come with it
		buttons                ButtonsSummary
	}{
		"":            {},
		"rehearsal":   {rehearsal: true},
		"clock_unset": {alone: true},
		"clock_changed": {alone: true, also: "clock_corrected", happen: func(k *journaltest.Kiosk, do func(screening.Source, screening.Command)) {
			do(screening.FromFacilitator, screening.SetClock{Now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)})
		}},
		"restarted": {happen: func(k *journaltest.Kiosk, _ func(screening.Source, screening.Command)) { k.Restart("kiosk-1") }},
		"not_ended": {open: true},
		"corrected": {happen: func(_ *journaltest.Kiosk, do func(screening.Source, screening.Command)) {
			do(screening.FromFacilitator, screening.CorrectAttendance{Category: "boy", Delta: 2, Reason: "came in by the window"})
		}},
		"counted_by_rows": {happen: func(_ *journaltest.Kiosk, do func(screening.Source, screening.Command)) {
			do(screening.FromFacilitator, screening.CountRow{Row: "1", Counts: map[string]int{"woman": 9}})
		}},
		"presses_lost": {also: "presses_unsettled", buttons: ButtonsSummary{PressesLost: 4}, happen: func(_ *journaltest.Kiosk, do func(screening.Source, screening.Command)) {
			do(screening.FromKiosk, screening.ReportLostPresses{Press: lost, Presses: 4, Why: screening.QueueFull})
		}},
		"buttons_unheard": {also: "presses_unsettled", happen: func(k *journaltest.Kiosk, do func(screening.Source, screening.Command)) {
			k.Wait(time.Minute)
			do(screening.FromKiosk, screening.ReportLostPresses{Press: lost, Why: screening.Unheard})
		}},
		"presses_suspected": {also: "presses_unsettled", buttons: ButtonsSummary{PressesSuspected: 2}, happen: func(_ *journaltest.Kiosk, do func(screening.Source, screening.Command)) {
			do(screening.FromKiosk, screening.SuspectPresses{Press: lost, Commands: []string{"gpio-1", "gpio-2"}})
		}},
		"no_whole_film": {happen: func(_ *journaltest.Kiosk, do func(screening.Source, screening.Command)) {
			answered(do)
			do(screening.FromFacilitator, screening.MoveTo{Step: screening.FilmStep})
			do(screening.FromFacilitator, screening.PlayFilm{})
		}},
		"answer_shown_early": {happen: func(k *journaltest.Kiosk, do func(screening.Source, screening.Command)) {
			answered(do)
			// An older kiosk: this one refuses it.
			early := k.Events[len(k.Events)-1]
			early.Seq, early.Command, early.Event = early.Seq+1, "early", screening.QuestionRevealed{Question: "q1", Round: 1}
			k.State.Apply(early)
			k.Events = append(k.Events, early)
			do(screening.FromFacilitator, screening.MoveTo{Step: screening.FilmStep})
			do(screening.FromFacilitator, screening.PlayFilm{})
			do(screening.FromPlayer, screening.FinishFilm{Epoch: k.State.Playback.Epoch, At: 600_000})
		}},
	}
	tried := map[string]bool{"": true}
	for word, c := range cases {
		want := strings.Fields(word + " " + c.also)
		for _, w := range want {
			tried[w] = true
		}
		t.Run(word, func(t *testing.T) {
			src := sound(t, c.alone, c.rehearsal, c.open, c.happen)
			if word == "buttons_unheard" {
				i := slices.IndexFunc(src.events, func(r screening.Recorded) bool { return r.Event.Kind() == screening.PressesLost{}.Kind() })
				if c.buttons.Unheard = src.events[i].Event.(screening.PressesLost).Unheard; c.buttons.Unheard < 60_000 {
					t.Fatalf("unheard for %d ms: the test shows nothing", c.buttons.Unheard)
				}
			}
			_, files, err := Files(t.Context(), src, "s1", Options{Rehearsals: true})
			if err != nil {
				t.Fatal(err)
			}
			var sum Summary
			if err := json.Unmarshal(files[SummaryFile], &sum); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(sum.Quality.Notes, want) {
				t.Errorf("summary.json says %q, want %q", sum.Quality.Notes, want)
			}
			if b := sum.Quality.Buttons; b != c.buttons {
				t.Errorf("summary.json says of the buttons %+v, want %+v", b, c.buttons)
			}
			rows := table(t, string(files["attendance.csv"]))
			for _, row := range rows[1:] {
				if got := row[slices.Index(rows[0], "data_quality")]; got != strings.Join(want, ",") {
					t.Errorf("attendance.csv says %q, want %q", got, want)
				}
			}
			for _, w := range QualityWords() {
				id, en := QualityNote(w)
				page := string(files["report.html"])
				if shown := strings.Contains(page, id) && strings.Contains(page, strings.ReplaceAll(en, "'", "&#39;")); shown != slices.Contains(want, w) {
					t.Errorf("report.html explains %s: %t", w, shown)
				}
			}
		})
	}
	for _, w := range QualityWords() {
		if !tried[w] {
			t.Errorf("%s is not tried", w)
		}
	}
}

// table reads a CSV file as its readers do.
func table(t *testing.T, content string) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(content, "\ufeff")))
	r.Comma = ';'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestLikeBallotsAreOneRow: two rows of the same question, round, channel and options would tell
// in what order people voted.
func TestLikeBallotsAreOneRow(t *testing.T) {
	several := 0
	for seed := range uint64(6) {
		k := journaltest.Evenings(seed+40, 1, 700)
		_, files, err := Files(t.Context(), made{events: k.Events}, "s1", Options{Rehearsals: true})
		if err != nil {
			t.Fatal(err)
		}
		rows := table(t, string(files["ballots.csv"]))
		seen := map[string]bool{}
		for _, row := range rows[1:] {
			var key []string
			for _, c := range []string{"question", "round", "channel", "options"} {
				key = append(key, row[slices.Index(rows[0], c)])
			}
			if k := strings.Join(key, " "); seen[k] {
				t.Errorf("%q has two rows", k)
			} else {
				seen[k] = true
			}
			if row[slices.Index(rows[0], "count")] != "1" {
				several++
			}
		}
	}
	if several == 0 {
		t.Error("no row has more than one ballot: the test shows nothing")
	}
}

// badJournal fails at one call.
type badJournal struct {
	made
	at    string // "ids", "events" or "settings"
	of    string // of this screening
	after int    // so many events are read
	err   error
}

func (b badJournal) ScreeningIDs(ctx context.Context) ([]string, error) {
	if b.at == "ids" {
		return nil, b.err
	}
	return b.made.ScreeningIDs(ctx)
}

func (b badJournal) Events(ctx context.Context, id string) iter.Seq2[screening.Recorded, error] {
	if b.at != "events" || id != b.of {
		return b.made.Events(ctx, id)
	}
	return func(yield func(screening.Recorded, error) bool) {
		n := 0
		for r, err := range b.made.Events(ctx, id) {
			if n == b.after {
				yield(screening.Recorded{}, b.err)
				return
			}
			if n++; !yield(r, err) {
				return
			}
		}
	}
}

func (b badJournal) ClockSettings(ctx context.Context, id string) ([]screening.Recorded, error) {
	if b.at == "settings" && id == b.of {
		return nil, b.err
	}
	return b.made.ClockSettings(ctx, id)
}

// TestNoFailureOfTheJournalIsKeptBack has each way to read the journal fail, for each way to export.
func TestNoFailureOfTheJournalIsKeptBack(t *testing.T) {
	wrong := errors.New("the card does not answer")
	good := made{events: journaltest.Evenings(9, 3, 60).Events}
	for _, bad := range []badJournal{{at: "ids"}, {at: "events", of: "s2"}, {at: "events", of: "s2", after: 20}, {at: "settings", of: "s2"}} {
		bad.made, bad.err = good, wrong
		name := fmt.Sprint(bad.at, " after ", bad.after)
		others := 2
		if bad.at == "ids" {
			others = 0
		}
		folders, err := Write(t.Context(), bad, t.TempDir(), Options{Rehearsals: true})
		if !errors.Is(err, wrong) || len(folders) != others {
			t.Errorf("%s: Write gives %d folders and %v", name, len(folders), err)
		}
		var out bytes.Buffer
		if err := Zip(t.Context(), bad, &out, Options{Rehearsals: true}); !errors.Is(err, wrong) {
			t.Errorf("%s: Zip gives %v", name, err)
		}
		if others > 0 {
			z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
			if err != nil {
				t.Fatal(err)
			}
			summaries, told := 0, false
			for _, f := range z.File {
				if strings.HasSuffix(f.Name, "/"+SummaryFile) {
					summaries++
				}
				told = told || strings.HasSuffix(f.Name, "MASALAH.txt")
			}
			if summaries != others || !told {
				t.Errorf("%s: the zip has %d screenings, and says what is missing: %t", name, summaries, told)
			}
			if _, files, err := Files(t.Context(), bad, "s2", Options{Rehearsals: true}); !errors.Is(err, wrong) || files != nil {
				t.Errorf("%s: Files gives %d files and %v", name, len(files), err)
			}
		}
	}
}

// breaksAfter is a connection that ends after so many bytes.
type breaksAfter struct {
	left int
	err  error
}

func (b *breaksAfter) Write(p []byte) (int, error) {
	if len(p) > b.left {
		n := b.left
		b.left = 0
		return n, b.err
	}
	b.left -= len(p)
	return len(p), nil
}

// TestAZipThatDoesNotGetThroughIsAnError breaks the connection everywhere.
func TestAZipThatDoesNotGetThroughIsAnError(t *testing.T) {
	src := made{events: goldenEvening().Events}
	var whole bytes.Buffer
	if err := Zip(t.Context(), src, &whole, Options{Key: newKey(t)}); err != nil {
		t.Fatal(err)
	}
	for n := 0; n < whole.Len(); n += 1 + whole.Len()/150 {
		if err := Zip(t.Context(), src, &breaksAfter{n, os.ErrDeadlineExceeded}, Options{Key: newKey(t)}); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}
