package collect

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/export/chart"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/kiosk-ui/lang"
)

// Names of the sheets.
const (
	sheetSummary    = "Ringkasan Summary"
	sheetScreenings = "Pemutaran Screenings"
	sheetAttendance = "Kehadiran Attendance"
	sheetAnswers    = "Jawaban Answers"
	sheetChange     = "Sebelum-sesudah Change"
	sheetNotes      = "Catatan Notes"
	sheetProblems   = "Masalah Problems"
	sheetAbout      = "Keterangan About"
)

// mostRows is below what a sheet of Excel takes, with room for the heading.
const mostRows = 1_000_000

// workbook is an XLSX that is being made. The first error stays.
type workbook struct {
	*excelize.File
	err                                              error
	width                                            map[string]float64 // of a sheet's columns, "sheet/column"
	lines                                            map[string]int     // of a sheet's rows so far, "sheet/row"
	title, head, text, wrap, whole, share, day, note int                // styles
}

// writeXLSX writes the spreadsheet: eight sheets with Excel's own charts.
func writeXLSX(w io.Writer, r *Result, t *Totals, made time.Time) error {
	b := &workbook{File: excelize.NewFile(), width: map[string]float64{}, lines: map[string]int{}}
	defer b.Close() // its temporary files
	b.styles()
	for i, name := range []string{sheetSummary, sheetAttendance, sheetChange, sheetAnswers, sheetScreenings, sheetNotes, sheetProblems, sheetAbout} {
		if i == 0 {
			b.must(b.SetSheetName("Sheet1", name))
		} else {
			_, err := b.NewSheet(name)
			b.must(err)
		}
		orientation, wide, high := "landscape", 1, 0 // as many pages high as it takes
		switch name {
		case sheetSummary:
			orientation, high = "portrait", 1 // on paper a page's end would cut through a chart
		case sheetAttendance:
			high = 1
		}
		b.must(b.SetPageLayout(name, &excelize.PageLayoutOptions{Orientation: &orientation, FitToWidth: &wide, FitToHeight: &high, Size: new(9)}))
		b.must(b.SetSheetProps(name, &excelize.SheetPropsOptions{FitToPage: new(true)}))
	}
	b.attendance(t)
	b.change(t)
	b.answers(t)
	b.screenings(r, t)
	b.notes(t)
	b.problems(r)
	b.about()
	b.summary(r, t, made)
	b.must(b.SetDocProps(&excelize.DocProperties{Title: "Mimpi Kiosk", Creator: "mimpi-collect"}))
	b.must(b.UpdateLinkedValue())
	if b.err != nil {
		return b.err
	}
	return b.Write(w)
}

func (b *workbook) must(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *workbook) styles() {
	style := func(s excelize.Style) int {
		id, err := b.NewStyle(&s)
		b.must(err)
		return id
	}
	line := []excelize.Border{{Type: "bottom", Color: "D9CFB4", Style: 1}}
	top := &excelize.Alignment{Vertical: "top"}
	wrap := &excelize.Alignment{Vertical: "top", WrapText: true}
	b.title = style(excelize.Style{Font: &excelize.Font{Family: "Calibri", Bold: true, Size: 18, Color: "2A3166"}})
	b.head = style(excelize.Style{Font: &excelize.Font{Family: "Calibri", Size: 11, Bold: true, Color: "FFFFFF"}, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"2A3166"}},
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true}})
	b.text = style(excelize.Style{Alignment: top, Border: line})
	b.wrap = style(excelize.Style{Alignment: wrap, Border: line})
	b.whole = style(excelize.Style{NumFmt: 3, Alignment: top, Border: line})
	b.share = style(excelize.Style{CustomNumFmt: new("0.0%"), Alignment: top, Border: line})
	b.day = style(excelize.Style{CustomNumFmt: new("yyyy-mm-dd"), Alignment: &excelize.Alignment{Vertical: "top", Horizontal: "left"}, Border: line})
	b.note = style(excelize.Style{Alignment: wrap, Fill: excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{"F8E8D6"}}})
}

// heading is a column's two words and its width.
type heading struct {
	id, en string
	width  float64
}

func (b *workbook) widths(sheet string, heads []heading) {
	for i, h := range heads {
		name, err := excelize.ColumnNumberToName(i + 1)
		b.must(err)
		b.must(b.SetColWidth(sheet, name, name, h.width))
		b.width[fmt.Sprintf("%s/%d", sheet, i+1)] = h.width
	}
}

func at(column, row int) string {
	name, err := excelize.CoordinatesToCellName(column, row)
	if err != nil {
		panic(err) // only for columns and rows under 1
	}
	return name
}

// heads writes the heading of a table.
func (b *workbook) heads(sheet string, row int, heads []heading) {
	for i, h := range heads {
		b.set(sheet, i+1, row, h.id+"\n"+h.en, b.head)
	}
	b.must(b.SetRowHeight(sheet, row, 48))
}

func (b *workbook) set(sheet string, column, row int, value any, style int) {
	cell := at(column, row)
	var err error
	switch v := value.(type) {
	case nil:
	case string:
		err = b.SetCellStr(sheet, cell, clean(v)) // text stays text: never a formula, a number or a date
	default:
		err = b.SetCellValue(sheet, cell, v)
	}
	b.must(err)
	b.must(b.SetCellStyle(sheet, cell, cell, style))
	if s, ok := value.(string); ok && style == b.wrap {
		b.makeRoom(sheet, column, row, s)
	}
}

// makeRoom makes a row high enough for a text, which spreadsheets do not do by themselves.
func (b *workbook) makeRoom(sheet string, column, row int, s string) {
	width, lines := b.width[fmt.Sprintf("%s/%d", sheet, column)], 0
	for part := range strings.SplitSeq(s, "\n") {
		lines += 1 + int(float64(utf8.RuneCountInString(part))*1.1/max(width, 8))
	}
	key := fmt.Sprintf("%s/%d", sheet, row)
	if lines > b.lines[key] {
		b.lines[key] = lines
		b.must(b.SetRowHeight(sheet, row, min(float64(15*lines+2), 400)))
	}
}

// clean takes out what XML, and so Excel, cannot hold.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < 0x20 || r == 0x7f || r == 0xfffe || r == 0xffff:
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd"))
}

func (b *workbook) freeze(sheet string, rows int) {
	b.must(b.SetPanes(sheet, &excelize.Panes{Freeze: true, YSplit: rows, TopLeftCell: at(1, rows+1), ActivePane: "bottomLeft"}))
}

func ref(sheet string, column1, row1, column2, row2 int) string {
	absolute := func(column, row int) string {
		name, err := excelize.CoordinatesToCellName(column, row, true)
		if err != nil {
			panic(err) // only for columns and rows under 1
		}
		return name
	}
	out := "'" + sheet + "'!" + absolute(column1, row1)
	if column1 != column2 || row1 != row2 {
		out += ":" + absolute(column2, row2)
	}
	return out
}

func title(s string) excelize.ChartTitle {
	return excelize.ChartTitle{Paragraph: []excelize.RichTextRun{{Text: s, Font: &excelize.Font{Size: 13, Bold: true, Color: "1C1F3A"}}}}
}

func solid(colour string) excelize.Fill {
	return excelize.Fill{Type: "pattern", Pattern: 1, Color: []string{colour}}
}

// axisFont is dark enough for a bad projector; the default is a pale grey.
var axisFont = excelize.Font{Family: "Calibri", Size: 10, Color: "1C1F3A"}

// groupColours tell the groups apart, also in grey.
var groupColours = []string{"2A3166", "C08327", "2F6B45", "B5532D", "7A7FB5", "8F8468"}

func (b *workbook) attendance(t *Totals) {
	s := sheetAttendance
	heads := []heading{{"Kabupaten/kota", "Regency", 26}, {"Kode Kemendagri", "Home Affairs code", 19}, {"Pemutaran", "Screenings", 12}}
	for _, c := range t.Columns {
		name := c.Label
		if g := t.Groups[c.Groups[0]]; len(c.Groups) == 1 && g.Sex+g.Age != "" {
			name.EN += " (" + strings.TrimSpace(g.Sex+" "+g.Age) + ")"
		}
		heads = append(heads, heading{name.ID, name.EN, 22})
	}
	heads = append(heads, heading{"Semua orang", "All people", 13},
		heading{"Dengan disabilitas*", "With a disability*", 19}, heading{"Ditanyakan di ... pemutaran", "Asked at ... screenings", 27})
	b.set(s, 1, 1, "Kehadiran per kabupaten · Attendance by regency", b.title)
	b.widths(s, heads)
	b.heads(s, 2, heads)
	row := 3
	line := func(name, kode string, screenings int, groups []int, hidden bool, people int, disability any, asked int) {
		b.set(s, 1, row, name, b.text)
		b.set(s, 2, row, kode, b.text)
		b.set(s, 3, row, screenings, b.whole)
		for i, n := range t.columns(groups) {
			if hidden {
				b.set(s, 4+i, row, notShown, b.text)
				continue
			}
			b.set(s, 4+i, row, n, b.whole)
		}
		last := 4 + len(t.Columns)
		b.set(s, last, row, people, b.whole)
		b.set(s, last+1, row, disability, b.whole)
		b.set(s, last+2, row, asked, b.whole)
		row++
	}
	for _, r := range t.Regencies {
		disability := few(r.Disability, r.AskedAt)
		if n, told := disability.(int); told && n > 0 && r.HiddenDisability {
			disability = notShown
		}
		line(r.Name, r.Kemendagri, r.Screenings, r.Groups, r.Hidden, r.People, disability, r.AskedAt)
	}
	line("Semua / All", "", t.Screenings, t.ByGroup, false, t.People, few(t.Disability, t.AskedAt), t.AskedAt)
	b.set(s, 1, row+1, "* Yang ditanya dan menjawab; sudah terhitung juga di kolom lain. Kurang dari 10 orang tidak ditulis. / As asked and answered; counted in the other columns already. Fewer than 10 people are not told.", b.text)
	why := hiddenNote()
	b.set(s, 1, row+2, why.ID+" / "+why.EN, b.text)
	b.freeze(s, 2)
	if len(t.Regencies) == 0 {
		return
	}
	c := &excelize.Chart{Type: excelize.BarStacked, Title: title("Siapa yang datang, per kabupaten · Who came, by regency"),
		Dimension: excelize.ChartDimension{Width: 900, Height: uint(160 + 26*len(t.Regencies))}, GapWidth: new(uint(45)),
		Legend: excelize.ChartLegend{Position: "bottom"}, XAxis: excelize.ChartAxis{ReverseOrder: true, Font: axisFont}, YAxis: excelize.ChartAxis{Font: axisFont, MajorGridLines: true}}
	for i := range t.Columns {
		c.Series = append(c.Series, excelize.ChartSeries{
			Name: ref(s, 4+i, 2, 4+i, 2), Categories: ref(s, 1, 3, 1, 2+len(t.Regencies)), Values: ref(s, 4+i, 3, 4+i, 2+len(t.Regencies)),
			Fill: solid(groupColours[i%len(groupColours)])})
	}
	b.must(b.AddChart(s, at(1, row+4), c))
}

// few is a number of people with a disability; under ten, somebody could guess who.
func few(n, askedAt int) any {
	switch {
	case askedAt == 0:
		return "–"
	case screening.Few(n):
		return "<10"
	}
	return n
}

func (b *workbook) change(t *Totals) {
	s := sheetChange
	heads := []heading{{"Pertanyaan", "Question", 46}, {"Jawaban", "Answer", 34}, {"Benar", "Right", 8}, {"Pemutaran", "Screenings", 12},
		{"Menjawab sebelum", "Answered before", 18}, {"Memilih ini sebelum", "Chose this before", 20}, {"Bagian sebelum", "Share before", 15}, {"dari", "from", 9}, {"sampai", "to", 9},
		{"Menjawab sesudah", "Answered after", 18}, {"Memilih ini sesudah", "Chose this after", 20}, {"Bagian sesudah", "Share after", 15}, {"dari", "from", 9}, {"sampai", "to", 9},
		{"Selisih", "Difference", 11}, {"dari", "from", 9}, {"sampai", "to", 9}}
	b.set(s, 1, 1, "Sebelum dan sesudah film · Before and after the film", b.title)
	b.must(b.MergeCell(s, "A2", "Q2"))
	b.set(s, 1, 2, chart.CannotShow[0]+"\n"+chart.CannotShow[1], b.note)
	b.must(b.SetRowHeight(s, 2, 96))
	b.widths(s, heads)
	b.heads(s, 3, heads)
	row := 4
	var right []int // rows of right answers that are shown
	for _, c := range t.Changes {
		small := c.Before.Small() || c.After.Small()
		for i, o := range c.Before.Options {
			b.set(s, 1, row, c.Before.Text.ID+"\n"+c.Before.Text.EN, b.wrap)
			b.set(s, 2, row, o.Text.ID+"\n"+o.Text.EN, b.wrap)
			b.set(s, 3, row, tick(o.Right), b.text)
			b.set(s, 4, row, c.Before.Times, b.whole)
			if small {
				b.set(s, 5, row, "<10", b.text)
				b.set(s, 10, row, "<10", b.text)
				row++
				continue
			}
			b.shares(s, 5, row, c.Before.Counts[i], c.Before.Answered)
			b.shares(s, 10, row, c.After.Counts[i], c.After.Answered)
			d, low, high := chart.Change(c.Before.Counts[i], c.Before.Answered, c.After.Counts[i], c.After.Answered)
			b.set(s, 15, row, d, b.share)
			b.set(s, 16, row, low, b.share)
			b.set(s, 17, row, high, b.share)
			if o.Right {
				right = append(right, row)
			}
			row++
		}
	}
	b.freeze(s, 3)
	if len(right) == 0 {
		return
	}
	// A chart needs its figures in one piece.
	row += 2
	b.set(s, 1, row, "Jawaban yang benar · Right answers", b.head)
	b.set(s, 2, row, "Sebelum / Before", b.head)
	b.set(s, 3, row, "Sesudah / After", b.head)
	b.must(b.SetRowHeight(s, row, 34))
	first := row + 1
	for _, from := range right {
		row++
		for column, source := range map[int]string{1: "A", 2: "G", 3: "L"} {
			b.must(b.SetCellFormula(s, at(column, row), fmt.Sprintf("%s%d", source, from)))
		}
		b.must(b.SetCellStyle(s, at(1, row), at(1, row), b.wrap))
		b.must(b.SetCellStyle(s, at(2, row), at(3, row), b.share))
		height, err := b.GetRowHeight(s, from) // a formula's text does not tell its own
		b.must(errors.Join(err, b.SetRowHeight(s, row, height)))
	}
	whole := 1.0
	b.must(b.AddChart(s, at(1, row+3), &excelize.Chart{Type: excelize.Bar, Title: title("Memilih jawaban benar, sebelum dan sesudah film · Chose a right answer, before and after the film"),
		Dimension: excelize.ChartDimension{Width: 1000, Height: uint(170 + 62*len(right))}, GapWidth: new(uint(60)),
		Legend: excelize.ChartLegend{Position: "bottom"}, XAxis: excelize.ChartAxis{ReverseOrder: true, Font: axisFont},
		YAxis:    excelize.ChartAxis{Font: axisFont, MajorGridLines: true, Minimum: new(0.0), Maximum: &whole, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "0%"}},
		PlotArea: excelize.ChartPlotArea{ShowVal: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "0%"}},
		Series: []excelize.ChartSeries{
			{Name: ref(s, 2, first-1, 2, first-1), Categories: ref(s, 1, first, 1, row), Values: ref(s, 2, first, 2, row), Fill: solid("C08327")},
			{Name: ref(s, 3, first-1, 3, first-1), Categories: ref(s, 1, first, 1, row), Values: ref(s, 3, first, 3, row), Fill: solid("2F6B45")},
		}}))
}

func tick(yes bool) string {
	if yes {
		return "✓"
	}
	return ""
}

// shares writes how many, of how many, which share, and its interval.
func (b *workbook) shares(sheet string, column, row, k, n int) {
	low, high := chart.Wilson(k, n)
	b.set(sheet, column, row, n, b.whole)
	b.set(sheet, column+1, row, k, b.whole)
	b.set(sheet, column+2, row, float64(k)/float64(n), b.share)
	b.set(sheet, column+3, row, low, b.share)
	b.set(sheet, column+4, row, high, b.share)
}

func (b *workbook) answers(t *Totals) {
	s := sheetAnswers
	heads := []heading{{"Pertanyaan", "Question", 46}, {"Kapan", "When", 24}, {"Jawaban", "Answer", 34}, {"Benar", "Right", 8}, {"Pemutaran", "Screenings", 12},
		{"Menjawab", "Answered", 12}, {"Memilih ini", "Chose this", 12}, {"Bagian", "Share", 10}, {"dari", "from", 9}, {"sampai", "to", 9}, {"Melewati", "Skipped", 11}}
	b.set(s, 1, 1, "Semua jawaban · All answers", b.title)
	b.widths(s, heads)
	b.heads(s, 2, heads)
	row := 3
	for _, a := range t.Answers {
		for i, o := range a.Options {
			b.set(s, 1, row, a.Text.ID+"\n"+a.Text.EN, b.wrap)
			asked := whenAsked(a.Phase)
			b.set(s, 2, row, asked.ID+"\n"+asked.EN, b.wrap)
			b.set(s, 3, row, o.Text.ID+"\n"+o.Text.EN, b.wrap)
			b.set(s, 4, row, tick(o.Right), b.text)
			b.set(s, 5, row, a.Times, b.whole)
			if a.Small() {
				b.set(s, 6, row, "<10", b.text)
			} else {
				b.shares(s, 6, row, a.Counts[i], a.Answered)
				b.set(s, 11, row, a.Skipped, b.whole)
			}
			row++
		}
	}
	b.set(s, 1, row+1, "dari ... sampai: selang kepercayaan 95% (Wilson). Kelompok di bawah 10 orang tidak ditampilkan. / from ... to: 95% confidence interval (Wilson). Groups under 10 are not shown.", b.text)
	b.freeze(s, 2)
}

// screenings may be many, so they are streamed.
func (b *workbook) screenings(r *Result, t *Totals) {
	w, err := b.NewStreamWriter(sheetScreenings)
	if err != nil {
		b.must(err)
		return
	}
	widths := map[string]float64{"session_id": 16, "device_id": 15, "date": 12, "held_at": 26, "started_at": 26, "ended_at": 26, "kabupaten": 24, "venue": 32, "data_quality": 34, "film_title": 20}
	for i, c := range sessionsTable.columns {
		width := widths[c.name]
		if width == 0 {
			width = 14
		}
		b.must(w.SetColWidth(i+1, i+1, width))
	}
	b.must(w.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}))
	columns := sessionsTable.columns[:len(sessionsTable.columns)-1] // this sheet is for people
	head := make([]any, len(columns))
	for i, c := range columns {
		head[i] = excelize.Cell{StyleID: b.head, Value: c.title.ID + "\n" + c.title.EN}
	}
	b.must(w.SetRow("A1", head, excelize.RowOpts{Height: 50}))
	for i, s := range r.Screenings {
		if i == mostRows {
			break
		}
		cells := s.sessionCells(t)
		for j, v := range cells {
			cells[j] = excelize.Cell{StyleID: b.text, Value: b.streamed(sessionsTable.columns[j], v)}
			if day, ok := cells[j].(excelize.Cell).Value.(time.Time); ok {
				cells[j] = excelize.Cell{StyleID: b.day, Value: day}
			}
		}
		b.must(w.SetRow(at(1, i+2), cells))
	}
	b.must(w.Flush())
}

func (b *workbook) streamed(c column, v any) any {
	switch v := v.(type) {
	case code:
		return clean(string(v))
	case bool:
		if v {
			return "ya / yes"
		}
		return "tidak / no"
	case string:
		if day, err := time.Parse(time.DateOnly, v); err == nil && c.kind == "date" && day.Year() >= 1900 {
			return day
		}
		return clean(v)
	}
	return v
}

func (b *workbook) notes(t *Totals) {
	s := sheetNotes
	heads := []heading{{"Catatan fasilitator", "The facilitator's note", 40}, {"Pilihan", "Choice", 44}, {"Pemutaran", "Screenings", 14}}
	b.set(s, 1, 1, "Catatan fasilitator · The facilitators' notes", b.title)
	b.widths(s, heads)
	b.heads(s, 2, heads)
	row := 3
	for _, n := range t.Notes {
		for i, choice := range n.Choices {
			b.set(s, 1, row, n.Title["id"]+"\n"+n.Title["en"], b.wrap)
			b.set(s, 2, row, choice.Text["id"]+"\n"+choice.Text["en"], b.wrap)
			b.set(s, 3, row, n.Times[i], b.whole)
			row++
		}
	}
	b.set(s, 1, row+1, fmt.Sprintf("Dicatat di %d dari %d pemutaran; yang tidak dicatat belum tentu tidak terjadi. / Noted at %[1]d of %[2]d screenings; what was not noted may have happened all the same.", t.Noted, t.Screenings), b.text)
	b.freeze(s, 2)
}

func (b *workbook) problems(r *Result) {
	s := sheetProblems
	heads := []heading{{"Berat", "Level", 12}, {"Di mana", "Where", 60}, {"Apa", "What", 60}, {"Lakukan", "Do", 60}, {"Pemutaran", "Screening", 18}}
	b.set(s, 1, 1, "Masalah · Problems", b.title)
	b.widths(s, heads)
	b.heads(s, 2, heads)
	for i, p := range r.Problems {
		if i == 20_000 {
			b.set(s, 1, i+3, "... dan lainnya / and more", b.text)
			break
		}
		b.set(s, 1, i+3, levelWord(p), b.wrap)
		b.set(s, 2, i+3, p.Path, b.wrap)
		b.set(s, 3, i+3, p.What.ID+"\n"+p.What.EN, b.wrap)
		b.set(s, 4, i+3, p.Do.ID+"\n"+p.Do.EN, b.wrap)
		b.set(s, 5, i+3, p.Screening, b.wrap)
	}
	if len(r.Problems) == 0 {
		b.set(s, 1, 3, "Tidak ada. / None.", b.text)
	}
	b.freeze(s, 2)
}

func levelWord(p Problem) string {
	switch {
	case p.Saved:
		return "aman: salinan lain dipakai\nsafe: another copy counts"
	case p.Level == Missing:
		return "tidak dihitung\ndoes not count"
	case p.Level == Doubt:
		return "meragukan\nin doubt"
	}
	return "catatan\nnote"
}

func (b *workbook) about() {
	s := sheetAbout
	b.set(s, 1, 1, "Keterangan · About", b.title)
	b.widths(s, []heading{{width: 34}, {width: 72}, {width: 72}})
	row := 3
	line := func(name, id, en string) {
		b.set(s, 1, row, name, b.wrap)
		b.set(s, 2, row, id, b.wrap)
		b.set(s, 3, row, en, b.wrap)
		row++
	}
	line("Batas angka / Limits", chart.CannotShow[0], chart.CannotShow[1])
	rounds := words(lang.Text("collect.phases"))
	line("Sebelum dan sesudah film / Before and after the film", rounds.ID, rounds.EN)
	why := hiddenNote()
	line(notShown, why.ID, why.EN)
	line("Yang datang / Attendance", "Dihitung di pintu dengan tombol, dikurangi yang dibatalkan, ditambah koreksi dan hitungan per baris. Orang yang datang dua kali ke dua pemutaran terhitung dua kali.",
		"Counted at the door by button, less what was undone, plus corrections and counts by row. Who came to two screenings is counted twice.")
	line("Disabilitas / Disability", "Ditanyakan, bukan dinilai dari penampilan. Kosong kalau tidak ditanyakan.", "Asked, not judged by looks. Empty when nobody asked.")
	line("Kode wilayah / Region codes", "Kode Kemendagri (53.18) dan kode BPS (5317) berbeda: BPS 5318 adalah Nagekeo, Kemendagri 53.18 adalah Sumba Barat Daya.",
		"The codes of Home Affairs (53.18) and of Statistics Indonesia (5317) differ: BPS 5318 is Nagekeo, Kemendagri 53.18 is Sumba Barat Daya.")
	for _, word := range export.QualityWords() {
		id, en := export.QualityNote(word)
		line(word, id, en)
	}
}

func (b *workbook) summary(r *Result, t *Totals, made time.Time) {
	s := sheetSummary
	b.must(b.SetColWidth(s, "A", "A", 62))
	b.must(b.SetColWidth(s, "B", "B", 26))
	b.must(b.SetColWidth(s, "C", "E", 13))
	b.set(s, 1, 1, "Pemutaran film · Film screenings", b.title)
	row := 3
	line := func(name string, value any) {
		style := b.whole
		if _, ok := value.(string); ok {
			style = b.text
		}
		b.set(s, 1, row, name, b.text)
		b.set(s, 2, row, value, style)
		row++
	}
	line("Pemutaran / Screenings", t.Screenings)
	line("Orang yang datang / People who came", t.People)
	line("Dengan disabilitas, di antaranya / Of them with a disability", few(t.Disability, t.AskedAt))
	line("Kiosk / Kiosks", len(r.Kiosks))
	line("Dari / From", export.LongDate(t.First))
	line("Sampai / Until", export.LongDate(t.Last))
	line("Latihan, tidak dihitung / Rehearsals, not counted", rehearsals(r))
	line("Salinan yang dibaca / Copies that were read", r.Copies)
	line("Salinan ganda / Of them seen twice", r.Twice)
	line("Masalah yang perlu dilihat / Problems to look at", r.Bad())
	line("Dibuat / Made", export.LongDate(made.Format(time.DateOnly)))
	row++
	b.must(b.MergeCell(s, at(1, row), at(5, row)))
	b.set(s, 1, row, chart.CannotShow[0]+"\n"+chart.CannotShow[1], b.note)
	b.must(b.SetRowHeight(s, row, 112))
	row += 2
	if len(t.Regencies) == 0 {
		return
	}
	last := 4 + len(t.Columns)
	b.must(b.AddChart(s, at(1, row), &excelize.Chart{Type: excelize.Bar, Title: title("Orang yang datang per kabupaten · People by regency"),
		Dimension: excelize.ChartDimension{Width: 900, Height: uint(120 + 26*len(t.Regencies))}, GapWidth: new(uint(40)),
		Legend: excelize.ChartLegend{Position: "none"}, XAxis: excelize.ChartAxis{ReverseOrder: true, Font: axisFont}, YAxis: excelize.ChartAxis{Font: axisFont, MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}},
		PlotArea: excelize.ChartPlotArea{ShowVal: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}},
		Series: []excelize.ChartSeries{{Name: "Orang / People", Categories: ref(sheetAttendance, 1, 3, 1, 2+len(t.Regencies)),
			Values: ref(sheetAttendance, last, 3, last, 2+len(t.Regencies)), Fill: solid("2A3166")}}}))
	row += (120+26*len(t.Regencies))/18 + 3
	b.set(s, 1, row, "Bulan / Month", b.head)
	b.set(s, 2, row, "Pemutaran / Screenings", b.head)
	b.set(s, 3, row, "Orang / People", b.head)
	b.must(b.SetRowHeight(s, row, 34))
	first := row + 1
	for _, m := range t.Months {
		row++
		b.set(s, 1, row, m.Month, b.text)
		b.set(s, 2, row, m.Screenings, b.whole)
		b.set(s, 3, row, m.People, b.whole)
	}
	b.must(b.AddChart(s, at(1, row+2), &excelize.Chart{Type: excelize.Col, Title: title("Orang yang datang per bulan · People by month"),
		Dimension: excelize.ChartDimension{Width: 900, Height: 300}, GapWidth: new(uint(60)), Legend: excelize.ChartLegend{Position: "none"}, XAxis: excelize.ChartAxis{Font: axisFont},
		YAxis:  excelize.ChartAxis{Font: axisFont, MajorGridLines: true, NumFmt: excelize.ChartNumFmt{CustomNumFmt: "#,##0"}},
		Series: []excelize.ChartSeries{{Name: ref(s, 3, first-1, 3, first-1), Categories: ref(s, 1, first, 1, row), Values: ref(s, 3, first, 3, row), Fill: solid("B5532D")}}}))
}

// rehearsals is how many were read, also when they are among the screenings.
func rehearsals(r *Result) int {
	n := r.Rehearsals
	for _, s := range r.Screenings {
		if s.Rehearsal {
			n++
		}
	}
	return n
}
