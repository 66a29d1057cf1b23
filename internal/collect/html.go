package collect

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/export/chart"
	"mimpi-kiosk/internal/screening"
)

//go:embed report.html
var reportPage string

const mostProblemsShown = 200

type reportData struct {
	*Result
	Totals               *Totals
	Style                template.CSS
	From, Until          string
	People, Disability   string
	Bad, More            int
	Rehearsals, Smallest int
	Regencies            []reportRegency
	Hidden               *Words // why groups are merged or left out; nil when none are
	ByGroup, ByRegency   template.HTML
	ByMonth, Legend      template.HTML
	Cannot               Words
	Changes              []reportChange
	Notes                []reportNotes
	Problems             []Problem
}

type reportRegency struct {
	*Regency
	Cells []string // by Totals.Columns
}

type reportNotes struct {
	Title Words
	Chart template.HTML
}

type reportChange struct {
	Text          Words
	Small         bool
	Chart         template.HTML
	Before, After string
	Screenings    int
}

// writeHTML writes one page that needs nothing beside it.
func writeHTML(w io.Writer, r *Result, t *Totals) error {
	d := reportData{
		Result: r, Totals: t, Style: chart.Style, From: export.LongDate(t.First), Until: export.LongDate(t.Last),
		People: thousands(t.People), Disability: fewInWords(t), Bad: r.Bad(), Rehearsals: rehearsals(r),
		Legend: chart.Legend(false), Cannot: Words{chart.CannotShow[0], chart.CannotShow[1]}, Smallest: screening.Fewest,
		Problems: r.Problems[:min(len(r.Problems), mostProblemsShown)],
	}
	d.More = len(r.Problems) - len(d.Problems)
	bars := func(title string, all []chart.Bar) template.HTML {
		most := 0.0
		for _, b := range all {
			most = max(most, b.Value)
		}
		return chart.Bars(title, most, all)
	}
	var groups, regencies, months []chart.Bar
	for i, n := range t.columns(t.ByGroup) {
		groups = append(groups, chart.Bar{Label: both(t.Columns[i].Label), Value: float64(n), Text: thousands(n)})
	}
	hidden := t.Merged
	for i := range t.Regencies {
		reg := &t.Regencies[i]
		row := reportRegency{Regency: reg}
		for _, n := range t.columns(reg.Groups) {
			text := thousands(n)
			if reg.Hidden {
				text, hidden = notShown, true
			}
			row.Cells = append(row.Cells, text)
		}
		d.Regencies = append(d.Regencies, row)
		regencies = append(regencies, chart.Bar{Label: reg.Name, Value: float64(reg.People), Text: thousands(reg.People)})
	}
	if hidden {
		why := hiddenNote()
		d.Hidden = &why
	}
	for _, m := range t.Months {
		name := export.LongDate(m.Month + "-01")
		months = append(months, chart.Bar{Label: strings.TrimPrefix(name, "1 "), Value: float64(m.People), Text: thousands(m.People)})
	}
	d.ByGroup, d.ByRegency, d.ByMonth = bars("Per kelompok", groups), bars("Per kabupaten", regencies), bars("Per bulan", months)
	for _, c := range t.Changes {
		d.Changes = append(d.Changes, changeOf(c))
	}
	for _, n := range t.Notes {
		var all []chart.Bar
		for i, choice := range n.Choices {
			if n.Times[i] > 0 {
				all = append(all, chart.Bar{Label: both(words(choice.Text)), Value: float64(n.Times[i]), Text: thousands(n.Times[i])})
			}
		}
		if len(all) > 0 {
			d.Notes = append(d.Notes, reportNotes{words(n.Title), chart.Bars(n.Title["id"], float64(t.Noted), all)})
		}
	}
	page, err := template.New("report").Parse(reportPage)
	if err != nil {
		return err
	}
	return page.Execute(w, d)
}

func fewInWords(t *Totals) string {
	if n, told := few(t.Disability, t.AskedAt).(int); told {
		return thousands(n)
	}
	return fmt.Sprint(few(t.Disability, t.AskedAt))
}

func changeOf(c *Change) reportChange {
	out := reportChange{Text: c.Before.Text, Small: c.Before.Small() || c.After.Small(),
		Before: thousands(c.Before.Answered), After: thousands(c.After.Answered), Screenings: c.Before.Times}
	if out.Small {
		return out
	}
	var bars []chart.Bar
	for i, o := range c.Before.Options {
		label := both(o.Text)
		if o.Right {
			label = "✓ " + label
		}
		for _, a := range []*Answers{c.Before, c.After} {
			kind := chart.After
			if a == c.Before {
				kind = chart.Before
			}
			bars = append(bars, chart.ShareBar(label, a.Counts[i], a.Answered, kind))
			label = ""
		}
	}
	out.Chart = chart.Bars(c.Before.Text.ID, 1, bars)
	return out
}

func both(w Words) string {
	if w.EN == w.ID || w.EN == "" {
		return w.ID
	}
	return w.ID + " · " + w.EN
}

// thousands writes a number as Indonesians do: 300.000.
func thousands(n int) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "." + s[i:]
	}
	return s
}
