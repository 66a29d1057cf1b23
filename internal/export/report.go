package export

import (
	"bytes"
	"cmp"
	"embed"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"mimpi-kiosk/internal/export/chart"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/kiosk-ui/lang"
)

//go:embed report.html index.html
var pages embed.FS

var (
	reportPage = template.Must(template.ParseFS(pages, "report.html"))
	indexPage  = template.Must(template.ParseFS(pages, "index.html"))
)

// words is a sentence in Indonesian and in English.
type words struct{ ID, EN string }

func both(t screening.Text) words {
	w := words{t.In("id"), t.In("en")}
	if w.EN == w.ID {
		w.EN = ""
	}
	return w
}

// qualityNames explain the words of the column data_quality.
var qualityNames = []struct {
	word string
	words
}{
	{"rehearsal", words{"Ini latihan, bukan pemutaran.", "This was a rehearsal, not a screening."}},
	{"clock_unset", words{"Jam kiosk belum dipastikan: tanggal dan waktu mungkin salah.", "Nobody vouched for the kiosk's clock: date and time may be wrong."}},
	{"clock_changed", words{"Jam kiosk disetel saat pemutaran.", "The kiosk's clock was set during the screening."}},
	{"clock_corrected", words{"Waktu sebelum jam disetel dibetulkan sesudahnya.", "Times from before the clock was set were put right afterwards."}},
	{"restarted", words{"Kiosk menyala ulang saat pemutaran (misalnya listrik padam); hitungan tidak hilang.", "The kiosk restarted during the screening (a power cut, for instance); no count was lost."}},
	{"not_ended", words{"Pemutaran belum diakhiri.", "The screening was not ended."}},
	{"corrected", words{"Hitungan dikoreksi dengan tangan.", "Counts were corrected by hand."}},
	{"presses_lost", words{"Ada tekanan tombol yang hilang.", "Some presses of the buttons were lost."}},
	{"buttons_unheard", words{"Selama beberapa waktu tombol tidak didengar.", "For a while nobody listened to the buttons."}},
	{"presses_suspected", words{"Ada tekanan tombol yang meragukan (misalnya karena colokan USB).", "Some presses are doubtful (made by a plug, perhaps)."}},
	{"presses_unsettled", words{"Tekanan yang meragukan belum diputuskan fasilitator.", "The facilitator has not settled the doubtful presses."}},
	{"counted_by_rows", words{"Sebagian dihitung per baris tempat duduk.", "Some were counted by rows of seats."}},
	{"no_whole_film", both(lang.Text("report.no_whole_film"))},
	{"answer_shown_early", both(lang.Text("report.answer_shown_early"))},
}

var audienceNames = map[screening.AudienceKind]words{
	screening.Public:   {"umum", "public"},
	screening.Students: {"pelajar", "students"},
}

// Audience says a kind of audience in Indonesian and English.
func Audience(kind string) (id, en string) {
	w, ok := audienceNames[screening.AudienceKind(kind)]
	if !ok {
		return kind, kind
	}
	return w.ID, w.EN
}

// QualityWords lists the words of the column data_quality.
func QualityWords() []string {
	var out []string
	for _, n := range qualityNames {
		out = append(out, n.word)
	}
	return out
}

// QualityNote explains a word of the column data_quality in Indonesian and English.
func QualityNote(word string) (id, en string) {
	for _, n := range qualityNames {
		if n.word == word {
			return n.ID, n.EN
		}
	}
	return word, word
}

type reportData struct {
	Summary
	Style      template.CSS
	Title      words
	Audience   words
	Date, Time string
	People     template.HTML
	Disability *words
	Questions  []reportQuestion
	Merged     bool // groups that few were in are shown together
	Legend     template.HTML
	Quality    []words
	Noted      []reportNote
	Cannot     words
	Fewest     int // people in a group of which a figure is shown
	Smallest   int // likewise, who answered
}

type reportNote struct {
	Title words
	Said  []words
}

type reportQuestion struct {
	Text   words
	Rounds []reportRound
	Chart  template.HTML
	Early  *words // why there are no figures before and after the film; nil when there may be
}

type reportRound struct {
	When              words
	Answered, Skipped int
	Small             bool
}

// report is report.html: one page that needs nothing beside it.
func (e *evening) report() ([]byte, error) {
	held := e.heldAt()
	d := reportData{
		Summary: e.sum, Style: chart.Style, Title: both(e.state.Screening.Programme.Film.Title),
		Date: LongDate(held.Format("2006-01-02")), Time: held.Format("15.04"),
		Cannot: words{chart.CannotShow[0], chart.CannotShow[1]}, Fewest: screening.Fewest,
		Smallest: e.state.Screening.Programme.Smallest(),
	}
	d.Audience.ID, d.Audience.EN = Audience(d.Screening.Audience)
	most, bars := 0, []chart.Bar{}
	for _, g := range e.state.Attendance.Groups() {
		most = max(most, g.Total)
		var id, en []string
		for _, i := range g.Categories {
			w := both(d.Attendance.Categories[i].Label)
			id, en = append(id, w.ID), append(en, cmp.Or(w.EN, w.ID))
		}
		d.Merged = d.Merged || len(g.Categories) > 1
		name := words{strings.Join(id, " + "), strings.Join(en, " + ")}
		if name.EN == name.ID {
			name.EN = ""
		}
		bars = append(bars, chart.Bar{Label: label(name), Value: float64(g.Total), Text: number(g.Total)})
	}
	d.People = chart.Bars("Yang datang / Who came", float64(most), bars)
	if n := d.Attendance.Disability; n != nil {
		d.Disability = &words{number(*n), number(*n)}
		if screening.Few(*n) { // of a few, everybody would know who
			d.Disability = &words{"Kurang dari " + number(d.Fewest), "Fewer than " + number(d.Fewest)}
		}
	}
	for _, q := range d.Summary.Questions {
		d.Questions = append(d.Questions, reportOn(q, d.Smallest))
	}
	d.Legend = chart.Legend(slices.ContainsFunc(d.Summary.Questions, func(q QuestionSummary) bool {
		return slices.ContainsFunc(q.Rounds, func(r RoundSummary) bool { return r.Phase == screening.AfterTalking })
	}))
	for _, n := range d.Summary.Quality.Notes {
		var w words
		w.ID, w.EN = QualityNote(n)
		d.Quality = append(d.Quality, w)
	}
	for _, n := range e.state.Note.InWords() {
		noted := reportNote{Title: both(n.Title)}
		for _, said := range n.Said {
			noted.Said = append(noted.Said, both(said))
		}
		d.Noted = append(d.Noted, noted)
	}
	return page(reportPage, d)
}

func label(w words) string {
	if w.EN == "" {
		return w.ID
	}
	return w.ID + " · " + w.EN
}

// reportOn leaves out rounds that nobody answered, and of those that few did all figures.
func reportOn(q QuestionSummary, smallest int) reportQuestion {
	out := reportQuestion{Text: both(q.Text)}
	if q.AnswerShownEarly {
		early := both(lang.Text("summary.answer_early"))
		out.Early = &early
	}
	kinds := map[screening.RoundPhase]chart.Kind{screening.BeforeFilm: chart.Before, screening.AfterFilm: chart.After, screening.AfterTalking: chart.Talked}
	var shown []RoundSummary
	for _, r := range q.Rounds {
		if r.Phase == screening.NoRound {
			continue
		}
		round := reportRound{Answered: r.Ballots - r.Skipped, Skipped: r.Skipped}
		round.When.ID, round.When.EN = RoundName(r.Step, r.Phase)
		if round.Small = round.Answered < smallest; !round.Small {
			shown = append(shown, r)
		}
		out.Rounds = append(out.Rounds, round)
	}
	var bars []chart.Bar
	for _, o := range q.Options {
		text := label(both(o.Text))
		if o.Right {
			text = "✓ " + text
		}
		for _, r := range shown {
			n := r.Counts[o.ID]
			bar := chart.ShareBar(text, n, r.Ballots-r.Skipped, kinds[r.Phase])
			bar.Text = fmt.Sprintf("%d · %s", n, bar.Text)
			text = ""
			bars = append(bars, bar)
		}
	}
	if len(bars) > 0 {
		out.Chart = chart.Bars(out.Text.ID, 1, bars)
	}
	return out
}

// LongDate writes a date ("2026-11-24") as people of the islands do: "24 November 2026".
func LongDate(iso string) string {
	months := strings.Fields("Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember")
	var year, month, day int
	if n, _ := fmt.Sscanf(iso, "%d-%d-%d", &year, &month, &day); n != 3 || month < 1 || month > 12 {
		return iso
	}
	return fmt.Sprintf("%d %s %d", day, months[month-1], year)
}

func page(t *template.Template, data any) ([]byte, error) {
	var out bytes.Buffer
	if err := t.Execute(&out, data); err != nil {
		return nil, fmt.Errorf("page %s: %w", t.Name(), err)
	}
	return out.Bytes(), nil
}
