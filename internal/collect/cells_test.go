package collect

import (
	"archive/zip"
	"bytes"
	stdcmp "cmp"
	"database/sql"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html"
	"io"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/export/chart"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/kiosk-ui/lang"
)

// sameCells compares a table with what must stand in it, cell by cell: texts, whole numbers, and
// shares up to the last digits. nil is an empty cell.
func sameCells(t *testing.T, name string, got [][]string, want [][]any) {
	t.Helper()
	wrong := 0
	for i := range max(len(got), len(want)) {
		var g []string
		var w []any
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		for j := range max(len(g), len(w)) {
			var is string
			var must any
			if j < len(g) {
				is = g[j]
			}
			if j < len(w) {
				must = w[j]
			}
			if !sameCell(is, must) {
				if wrong++; wrong < 20 {
					t.Errorf("%s, row %d, column %d: %q, want %v", name, i+1, j+1, is, must)
				}
			}
		}
	}
	if wrong >= 20 {
		t.Errorf("%s: %d cells are wrong", name, wrong)
	}
}

func sameCell(is string, must any) bool {
	switch must := must.(type) {
	case nil:
		return is == ""
	case float64:
		got, err := strconv.ParseFloat(is, 64)
		return err == nil && math.Abs(got-must) < 1e-12
	}
	return is == fmt.Sprint(must)
}

// sheets reads all cells of a spreadsheet, formulas worked out.
func sheets(t *testing.T, file string) (*excelize.File, map[string][][]string) {
	t.Helper()
	f, err := excelize.OpenFile(file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	out := map[string][][]string{}
	for _, name := range f.GetSheetList() {
		rows, err := f.GetRows(name, excelize.Options{RawCellValue: true})
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows {
			for j := range rows[i] {
				formula, err := f.GetCellFormula(name, at(j+1, i+1))
				if err != nil {
					t.Fatal(err)
				}
				if formula == "" {
					continue
				}
				if rows[i][j], err = f.CalcCellValue(name, at(j+1, i+1), excelize.Options{RawCellValue: true}); err != nil {
					t.Fatal(err)
				}
			}
		}
		out[name] = rows
	}
	return f, out
}

// bi is a heading or text in two languages as it stands in a cell.
func bi(id, en string) string { return id + "\n" + en }

func ticked(o Option) any {
	if o.Right {
		return "✓"
	}
	return nil
}

// share is what a table says of k out of n: how many, how many of them, the share, its interval.
func share(k, n int) []any {
	low, high := chart.Wilson(k, n)
	return []any{n, k, float64(k) / float64(n), low, high}
}

// fewOrNumber is how many have a disability, as it may be told.
func fewOrNumber(n, askedAt int) any {
	switch {
	case askedAt == 0:
		return "–"
	case n > 0 && n < 10:
		return "<10"
	}
	return n
}

func isFew(n int) bool { return n > 0 && n < 10 }

// keepBack says which rows must not be told, so that none with a small cell is, and nothing
// small is left over when those that are told are taken from the sums.
func keepBack(rows [][]int) []bool {
	kept := make([]bool, len(rows))
	for i, row := range rows {
		for _, n := range row {
			kept[i] = kept[i] || isFew(n)
		}
	}
	for {
		smallest, people := -1, 0
		for i, row := range rows {
			if kept[i] {
				continue
			}
			all, covers := 0, false
			for column, n := range row {
				all += n
				left := 0
				for j := range rows {
					if kept[j] {
						left += rows[j][column]
					}
				}
				covers = covers || isFew(left) && n > 0
			}
			if covers && (smallest < 0 || all < people) {
				smallest, people = i, all
			}
		}
		if smallest < 0 {
			return kept
		}
		kept[smallest] = true
	}
}

// asking is a question in a phase of the evening.
type asking struct {
	*Question
	phase screening.RoundPhase
}

// sum is what was answered to a question in a phase.
type sum struct {
	times, answered, skipped int
	counts                   []int
}

func (s *sum) add(r *Round) {
	s.times++
	s.answered += r.Ballots - r.Skipped
	s.skipped += r.Skipped
	for i, n := range r.Counts {
		s.counts[i] += n
	}
}

// withheld is what must not be told of a mixture, worked out from its screenings.
type withheld struct {
	columns            [][]*Category // of the tables of groups; several groups in one are merged
	merged             bool
	places             []string                      // regencies, as they first come
	groups, disability map[string]bool               // by regency
	of, disabilityOf   map[*Screening]bool           // of single screenings
	rounds             map[*Round]bool               // that only machines get
	all, paired        map[asking]*sum               // of all screenings, and of those with both figures
	figure             map[*Round]bool               // rounds that are in all
	people             map[*Screening]map[string]int // by the names of columns
}

func placeOf(s *Screening) string { return s.KodeKemendagri + " " + s.Regency }

// nameOf tells groups apart.
func nameOf(c *Category) string { return c.ID + " " + c.Sex + " " + c.Age }

func (w *withheld) peopleOf(s *Screening) []int {
	row := make([]int, len(w.columns))
	for i, of := range w.columns {
		for _, c := range of {
			row[i] += w.people[s][nameOf(c)]
		}
	}
	return row
}

func asked(s *Screening) []int {
	if s.Disability == nil {
		return []int{0}
	}
	return []int{*s.Disability}
}

func added(to, row []int) []int {
	if to == nil {
		to = make([]int, len(row))
	}
	for i, n := range row {
		to[i] += n
	}
	return to
}

func withheldOf(r *Result) *withheld {
	w := &withheld{groups: map[string]bool{}, disability: map[string]bool{}, of: map[*Screening]bool{}, disabilityOf: map[*Screening]bool{},
		rounds: map[*Round]bool{}, figure: map[*Round]bool{}, all: map[asking]*sum{}, paired: map[asking]*sum{}, people: map[*Screening]map[string]int{}}
	everybody := map[string]int{}
	var categories []*Category
	at := map[string][]*Screening{}
	for _, s := range r.Screenings {
		w.people[s] = map[string]int{}
		for _, g := range s.Groups {
			w.people[s][nameOf(g.Category)] += g.Net
			if s.Rehearsal {
				continue
			}
			if _, known := everybody[nameOf(g.Category)]; !known {
				categories = append(categories, g.Category)
			}
			everybody[nameOf(g.Category)] += g.Net
		}
		if !s.Rehearsal {
			if at[placeOf(s)] == nil {
				w.places = append(w.places, placeOf(s))
			}
			at[placeOf(s)] = append(at[placeOf(s)], s)
		}
	}
	// Grown-ups first, women first.
	slices.SortStableFunc(categories, func(a, b *Category) int {
		return stdcmp.Or(strings.Compare(b.Age, a.Age), strings.Compare(a.Sex, b.Sex), strings.Compare(a.ID, b.ID))
	})
	var small []string
	left := 0
	bySize := slices.Clone(categories)
	slices.SortStableFunc(bySize, func(a, b *Category) int { return everybody[nameOf(a)] - everybody[nameOf(b)] })
	for _, c := range bySize {
		if n := everybody[nameOf(c)]; isFew(n) || n > 0 && isFew(left) {
			small, left = append(small, nameOf(c)), left+n
		}
	}
	var together []*Category
	for _, c := range categories {
		if slices.Contains(small, nameOf(c)) {
			together = append(together, c)
		} else {
			w.columns = append(w.columns, []*Category{c})
		}
	}
	if len(together) > 0 {
		w.columns = append(w.columns, together)
	}
	w.merged = len(together) > 1

	// The regencies stand by their names.
	slices.SortFunc(w.places, func(a, b string) int {
		return stdcmp.Or(strings.Compare(at[a][0].Regency, at[b][0].Regency), strings.Compare(a, b))
	})
	var groups, disability [][]int
	for _, place := range w.places {
		var people, many []int
		for _, s := range at[place] {
			people, many = added(people, w.peopleOf(s)), added(many, asked(s))
		}
		groups, disability = append(groups, people), append(disability, many)
	}
	keptGroups, keptDisability := keepBack(groups), keepBack(disability)
	for i, place := range w.places {
		w.groups[place], w.disability[place] = keptGroups[i], keptDisability[i]
		groups, disability = nil, nil
		for _, s := range at[place] {
			groups, disability = append(groups, w.peopleOf(s)), append(disability, asked(s))
		}
		keptOf, keptDisabilityOf := keepBack(groups), keepBack(disability)
		for j, s := range at[place] {
			w.of[s] = keptGroups[i] || keptOf[j]
			w.disabilityOf[s] = asked(s)[0] > 0 && (keptDisability[i] || keptDisabilityOf[j])
		}
	}
	for _, s := range r.Screenings {
		if s.Rehearsal { // in no sum
			w.of[s], w.disabilityOf[s] = keepBack([][]int{w.peopleOf(s)})[0], isFew(asked(s)[0])
		}
	}
	w.answers(r)
	return w
}

func (w *withheld) answers(r *Result) {
	type like struct {
		asking
		both bool
	}
	rounds := map[like][]*Round{}
	for _, s := range r.Screenings {
		last := map[asking]*Round{}
		for i := range s.Rounds {
			round := &s.Rounds[i]
			w.rounds[round] = round.Ballots-round.Skipped < 10
			if round.Phase != "" && !s.Rehearsal {
				last[asking{round.Question, round.Phase}] = round
			}
		}
		for of, round := range last {
			w.figure[round] = true
			if w.all[of] == nil {
				w.all[of] = &sum{counts: make([]int, len(of.Options))}
				w.paired[of] = &sum{counts: make([]int, len(of.Options))}
			}
			w.all[of].add(round)
			both := of.phase != "after_talking" && last[asking{of.Question, "before"}] != nil && last[asking{of.Question, "after"}] != nil
			if both {
				w.paired[of].add(round)
			}
			rounds[like{of, both}] = append(rounds[like{of, both}], round)
		}
	}
	for _, all := range rounds {
		// The order of rounds matters only among those that as many people answered.
		slices.SortStableFunc(all, func(a, b *Round) int { return w.place(r, a) - w.place(r, b) })
		var rows [][]int
		for _, round := range all {
			rows = append(rows, []int{round.Ballots - round.Skipped})
		}
		for i, kept := range keepBack(rows) {
			w.rounds[all[i]] = w.rounds[all[i]] || kept
		}
	}
}

// place counts the rounds before one.
func (w *withheld) place(r *Result, of *Round) int {
	n := 0
	for _, s := range r.Screenings {
		for i := range s.Rounds {
			if &s.Rounds[i] == of {
				return n
			}
			n++
		}
	}
	return -1
}

// tooFew says that the answers of all screenings are not told: few gave them, or few others
// than those who are told of as before and after.
func (w *withheld) tooFew(a *Answers) bool {
	of := asking{a.Question, a.Phase}
	return w.all[of].answered < 10 || isFew(w.paired[of].answered) || isFew(w.all[of].answered-w.paired[of].answered)
}

// changeHidden says that a question's figures before and after the film are not told.
func (w *withheld) changeHidden(c *Change) bool {
	return w.paired[asking{c.Before.Question, "before"}].answered < 10 || w.paired[asking{c.Before.Question, "after"}].answered < 10
}

// label is a column's heading.
func label(of []*Category) Words {
	var id, en []string
	for _, c := range of {
		id, en = append(id, c.Label.ID), append(en, c.Label.EN)
	}
	return Words{strings.Join(id, " + "), strings.Join(en, " + ")}
}

// inColumns adds up the people of totals.Groups by columns.
func (w *withheld) inColumns(totals *Totals, people []int) []int {
	row := make([]int, len(w.columns))
	for i, of := range w.columns {
		for _, c := range of {
			for j, g := range totals.Groups {
				if nameOf(g) == nameOf(c) {
					row[i] += people[j]
				}
			}
		}
	}
	return row
}

// eachMixture runs a test on the mixture, and on copies of its figures in which few people of
// some groups came: in all, and in one regency.
func eachMixture(t *testing.T, test func(t *testing.T, m *mixture)) {
	m := mixed(t)
	t.Run("all", func(t *testing.T) { test(t, m) })
	t.Run("few boys", func(t *testing.T) {
		boys := 4
		test(t, m.with(func(_ *Screening, g *Group) {
			if g.Sex != "male" || g.Age != "0-17" {
				return
			}
			g.Net = min(g.Net, boys)
			boys -= g.Net
		}))
	})
	t.Run("few girls in one regency", func(t *testing.T) {
		place := ""
		girls := 3
		test(t, m.with(func(s *Screening, g *Group) {
			if s.Rehearsal || g.Sex != "female" || g.Age != "0-17" || place != "" && placeOf(s) != place || place == "" && g.Net < girls {
				return
			}
			place = placeOf(s)
			g.Net = min(g.Net, girls)
			girls -= g.Net
		}))
	})
}

// with copies the screenings with other people in their groups. How they were counted is changed
// as well, so that the sums stay right.
func (m *mixture) with(change func(*Screening, *Group)) *mixture {
	r := *m.Result
	r.Screenings = nil
	for _, s := range m.Screenings {
		own := *s
		own.Groups, own.Rounds = slices.Clone(s.Groups), slices.Clone(s.Rounds)
		for i := range own.Groups {
			g := &own.Groups[i]
			before := g.Net
			change(&own, g)
			g.Undone += before - g.Net
		}
		r.Screenings = append(r.Screenings, &own)
	}
	return &mixture{&r, m.journals}
}

// TestWhatIsWithheld sees that the mixture has what the other tests compare, and that the
// sums of answers are those of the rounds.
func TestWhatIsWithheld(t *testing.T) { eachMixture(t, whatIsWithheld) }

func whatIsWithheld(t *testing.T, m *mixture) {
	w := withheldOf(m.Result)
	totals := m.Totals()
	count := func(of map[*Screening]bool) (n int) {
		for _, kept := range of {
			if kept {
				n++
			}
		}
		return n
	}
	own, derived := 0, 0
	for round, kept := range w.rounds {
		if kept && round.Ballots-round.Skipped < 10 {
			own++
		} else if kept {
			derived++
		}
	}
	phases := map[screening.RoundPhase]int{}
	for _, s := range m.Screenings {
		for _, round := range s.Rounds {
			phases[round.Phase]++
		}
	}
	places := 0
	for _, kept := range w.groups {
		if kept {
			places++
		}
	}
	if merged, kept := strings.HasSuffix(t.Name(), "few_boys"), strings.HasSuffix(t.Name(), "one_regency"); w.merged != merged || places > 1 != kept {
		t.Errorf("groups merged %t, those of %d regencies kept back: the test shows nothing", w.merged, places)
	}
	if n := count(w.of); n == 0 || n == len(w.of) {
		t.Errorf("the groups of %d of %d screenings are kept back: the test shows nothing", n, len(w.of))
	}
	if n := count(w.disabilityOf); n == 0 || n == len(w.of) {
		t.Errorf("disability at %d of %d screenings is kept back: the test shows nothing", n, len(w.of))
	}
	if own == 0 || derived == 0 || phases["before"] == 0 || phases["after"] == 0 || phases["after_talking"] == 0 || phases[""] == 0 {
		t.Errorf("%d small rounds, %d others are kept back; phases %v: the test shows nothing", own, derived, phases)
	}
	if len(totals.Answers) != len(w.all) {
		t.Errorf("answers to %d questions and phases, want %d", len(totals.Answers), len(w.all))
	}
	same := func(what string, a *Answers, of *sum) {
		t.Helper()
		if of == nil || a.Times != of.times || a.Answered != of.answered || a.Skipped != of.skipped || !slices.Equal(a.Counts, of.counts) {
			t.Errorf("%s %s %s: %+v, want %+v", what, a.ID, a.Phase, *a, of)
		}
	}
	for _, a := range totals.Answers {
		same("answers", a, w.all[asking{a.Question, a.Phase}])
	}
	pairs := 0
	for of, sum := range w.paired {
		if of.phase == "before" && sum.times > 0 {
			pairs++
		}
	}
	if len(totals.Changes) != pairs || pairs == 0 {
		t.Errorf("%d questions before and after, want %d", len(totals.Changes), pairs)
	}
	for _, c := range totals.Changes {
		same("before", c.Before, w.paired[asking{c.Before.Question, "before"}])
		same("after", c.After, w.paired[asking{c.Before.Question, "after"}])
	}
}

func TestEveryCellOfTheSpreadsheet(t *testing.T) { eachMixture(t, everyCellOfTheSpreadsheet) }

func everyCellOfTheSpreadsheet(t *testing.T, m *mixture) {
	totals, w := m.Totals(), withheldOf(m.Result)
	file := filepath.Join(t.TempDir(), "laporan.xlsx")
	if _, err := Write(file, m.Result, Output{Made: made}); err != nil {
		t.Fatal(err)
	}
	f, got := sheets(t, file)
	if names := f.GetSheetList(); !slices.Equal(names, []string{"Ringkasan Summary", "Kehadiran Attendance", "Sebelum-sesudah Change", "Jawaban Answers", "Pemutaran Screenings", "Catatan Notes", "Masalah Problems", "Keterangan About"}) {
		t.Errorf("the sheets are %q", names)
	}
	sameCells(t, "summary", got["Ringkasan Summary"], summaryCells(m.Result, totals))
	sameCells(t, "attendance", got["Kehadiran Attendance"], attendanceCells(totals, w))
	sameCells(t, "before and after", got["Sebelum-sesudah Change"], changeCells(t, totals, w))
	sameCells(t, "answers", got["Jawaban Answers"], answerCells(t, totals, w))
	sameCells(t, "notes", got["Catatan Notes"], noteCells(totals))
	sameCells(t, "problems", got["Masalah Problems"], problemCells(m.Result))

	screenings := [][]any{{}}
	columns := sessionsTable.columns
	if last := columns[len(columns)-1]; last.name != "under_10_do_not_publish" {
		t.Errorf("the last column of sessions.csv is %s", last.name)
	}
	columns = columns[:len(columns)-1]
	for _, c := range columns {
		screenings[0] = append(screenings[0], bi(c.title.ID, c.title.EN))
	}
	for _, s := range m.Screenings {
		of := sessionOf(s)
		if w.merged || w.of[s] {
			for _, name := range []string{"female_under_18", "male_under_18", "female_adults", "male_adults", "other_groups"} {
				of[name] = "…"
			}
		}
		if w.disabilityOf[s] {
			of["disability"] = "…"
		}
		var row []any
		for _, c := range columns {
			row = append(row, inExcel(c.kind, of[c.name]))
		}
		screenings = append(screenings, row)
	}
	sameCells(t, "screenings", got["Pemutaran Screenings"], screenings)

	about := [][]any{{"Keterangan · About"}, {}}
	for i, name := range []string{"Batas angka / Limits", "Sebelum dan sesudah film / Before and after the film", "…", "Yang datang / Attendance", "Disabilitas / Disability", "Kode wilayah / Region codes"} {
		row := got["Keterangan About"][2+i]
		if len(row) != 3 || row[1] == "" || row[2] == "" {
			t.Errorf("a line of explanation is %q", row)
		}
		about = append(about, []any{name, row[1], row[2]})
	}
	about[2][1], about[2][2] = chart.CannotShow[0], chart.CannotShow[1]
	phases, hidden := lang.Text("collect.phases"), lang.Text("collect.not_shown", lang.Params{"n": 10})
	about[3][1], about[3][2], about[4][1], about[4][2] = phases["id"], phases["en"], hidden["id"], hidden["en"]
	for _, word := range export.QualityWords() {
		id, en := export.QualityNote(word)
		about = append(about, []any{word, id, en})
	}
	sameCells(t, "about", got["Keterangan About"], about)
	sameCharts(t, f, file, totals, w)
}

func summaryCells(r *Result, t *Totals) [][]any {
	rehearsals := r.Rehearsals
	for _, s := range r.Screenings {
		if s.Rehearsal {
			rehearsals++
		}
	}
	bad := 0
	for _, p := range r.Problems {
		if p.Level != Note {
			bad++
		}
	}
	out := [][]any{
		{"Pemutaran film · Film screenings"}, {},
		{"Pemutaran / Screenings", t.Screenings},
		{"Orang yang datang / People who came", t.People},
		{"Dengan disabilitas, di antaranya / Of them with a disability", fewOrNumber(t.Disability, t.AskedAt)},
		{"Kiosk / Kiosks", len(r.Kiosks)},
		{"Dari / From", export.LongDate(t.First)},
		{"Sampai / Until", export.LongDate(t.Last)},
		{"Latihan, tidak dihitung / Rehearsals, not counted", rehearsals},
		{"Salinan yang dibaca / Copies that were read", r.Copies},
		{"Salinan ganda / Of them seen twice", r.Twice},
		{"Masalah yang perlu dilihat / Problems to look at", bad},
		{"Dibuat / Made", "24 November 2026"}, {},
		{bi(chart.CannotShow[0], chart.CannotShow[1])},
	}
	// Below the chart of regencies, whose height grows with them.
	for range 1 + (120+26*len(t.Regencies))/18 + 3 {
		out = append(out, nil)
	}
	out = append(out, []any{"Bulan / Month", "Pemutaran / Screenings", "Orang / People"})
	for _, month := range t.Months {
		out = append(out, []any{month.Month, month.Screenings, month.People})
	}
	return out
}

func attendanceCells(t *Totals, w *withheld) [][]any {
	head := []any{bi("Kabupaten/kota", "Regency"), bi("Kode Kemendagri", "Home Affairs code"), bi("Pemutaran", "Screenings")}
	for _, of := range w.columns {
		head = append(head, columnHead(of))
	}
	head = append(head, bi("Semua orang", "All people"), bi("Dengan disabilitas*", "With a disability*"), bi("Ditanyakan di ... pemutaran", "Asked at ... screenings"))
	out := [][]any{{"Kehadiran per kabupaten · Attendance by regency"}, head}
	line := func(name, kode string, screenings int, groups []int, hidden bool, people int, disability any, asked int) {
		row := []any{name, kode, screenings}
		for _, n := range w.inColumns(t, groups) {
			if hidden {
				row = append(row, "…")
			} else {
				row = append(row, n)
			}
		}
		out = append(out, append(row, people, disability, asked))
	}
	for _, r := range t.Regencies {
		place := r.Kemendagri + " " + r.Name
		disability := fewOrNumber(r.Disability, r.AskedAt)
		if r.Disability >= 10 && w.disability[place] {
			disability = "…"
		}
		line(r.Name, r.Kemendagri, r.Screenings, r.Groups, w.groups[place], r.People, disability, r.AskedAt)
	}
	line("Semua / All", "", t.Screenings, t.ByGroup, false, t.People, fewOrNumber(t.Disability, t.AskedAt), t.AskedAt)
	why := lang.Text("collect.not_shown", lang.Params{"n": 10})
	return append(out, nil, []any{"* Yang ditanya dan menjawab; sudah terhitung juga di kolom lain. Kurang dari 10 orang tidak ditulis. / As asked and answered; counted in the other columns already. Fewer than 10 people are not told."},
		[]any{why["id"] + " / " + why["en"]})
}

// columnHead is the heading of a column of groups.
func columnHead(of []*Category) string {
	l := label(of)
	if len(of) == 1 {
		return bi(l.ID, l.EN+" ("+of[0].Sex+" "+of[0].Age+")")
	}
	return bi(l.ID, l.EN)
}

func changeCells(t *testing.T, totals *Totals, w *withheld) [][]any {
	out := [][]any{
		{"Sebelum dan sesudah film · Before and after the film"},
		{bi(chart.CannotShow[0], chart.CannotShow[1])},
		{bi("Pertanyaan", "Question"), bi("Jawaban", "Answer"), bi("Benar", "Right"), bi("Pemutaran", "Screenings"),
			bi("Menjawab sebelum", "Answered before"), bi("Memilih ini sebelum", "Chose this before"), bi("Bagian sebelum", "Share before"), bi("dari", "from"), bi("sampai", "to"),
			bi("Menjawab sesudah", "Answered after"), bi("Memilih ini sesudah", "Chose this after"), bi("Bagian sesudah", "Share after"), bi("dari", "from"), bi("sampai", "to"),
			bi("Selisih", "Difference"), bi("dari", "from"), bi("sampai", "to")},
	}
	var right [][]any
	small := 0
	for _, c := range totals.Changes {
		for i, o := range c.Before.Options {
			row := []any{bi(c.Before.Text.ID, c.Before.Text.EN), bi(o.Text.ID, o.Text.EN), ticked(o), c.Before.Times}
			if w.changeHidden(c) {
				small++
				out = append(out, append(row, "<10", nil, nil, nil, nil, "<10"))
				continue
			}
			row = append(append(row, share(c.Before.Counts[i], c.Before.Answered)...), share(c.After.Counts[i], c.After.Answered)...)
			d, low, high := chart.Change(c.Before.Counts[i], c.Before.Answered, c.After.Counts[i], c.After.Answered)
			out = append(out, append(row, d, low, high))
			if o.Right {
				right = append(right, []any{row[0], row[6], row[11]})
			}
		}
	}
	if small == 0 || len(right) == 0 {
		t.Errorf("%d answers of small groups, %d right answers of others: the test shows nothing", small, len(right))
	}
	out = append(out, nil, nil, []any{"Jawaban yang benar · Right answers", "Sebelum / Before", "Sesudah / After"})
	return append(out, right...)
}

func answerCells(t *testing.T, totals *Totals, w *withheld) [][]any {
	out := [][]any{
		{"Semua jawaban · All answers"},
		{bi("Pertanyaan", "Question"), bi("Kapan", "When"), bi("Jawaban", "Answer"), bi("Benar", "Right"), bi("Pemutaran", "Screenings"),
			bi("Menjawab", "Answered"), bi("Memilih ini", "Chose this"), bi("Bagian", "Share"), bi("dari", "from"), bi("sampai", "to"), bi("Melewati", "Skipped")},
	}
	small := 0
	for _, a := range totals.Answers {
		when, known := map[screening.RoundPhase]string{
			"before": bi("Sebelum film", "Before the film"), "after": bi("Sesudah film", "After the film"),
			"after_talking": bi("sesudah berbincang, atau ditanya lagi", "after talking, or asked again"),
		}[a.Phase]
		if !known {
			t.Errorf("%s has answers of phase %q", a.ID, a.Phase)
		}
		for i, o := range a.Options {
			row := []any{bi(a.Text.ID, a.Text.EN), when, bi(o.Text.ID, o.Text.EN), ticked(o), a.Times}
			if w.tooFew(a) {
				small++
				out = append(out, append(row, "<10"))
				continue
			}
			out = append(out, append(append(row, share(a.Counts[i], a.Answered)...), a.Skipped))
		}
	}
	if small == 0 || small == len(out)-2 {
		t.Errorf("%d of %d answers are of small groups: the test shows nothing", small, len(out)-2)
	}
	return append(out, nil, []any{"dari ... sampai: selang kepercayaan 95% (Wilson). Kelompok di bawah 10 orang tidak ditampilkan. / from ... to: 95% confidence interval (Wilson). Groups under 10 are not shown."})
}

func noteCells(t *Totals) [][]any {
	out := [][]any{{"Catatan fasilitator · The facilitators' notes"}, {bi("Catatan fasilitator", "The facilitator's note"), bi("Pilihan", "Choice"), bi("Pemutaran", "Screenings")}}
	for _, n := range t.Notes {
		for i, c := range n.Choices {
			out = append(out, []any{bi(n.Title["id"], n.Title["en"]), bi(c.Text["id"], c.Text["en"]), n.Times[i]})
		}
	}
	return append(out, nil, []any{fmt.Sprintf("Dicatat di %d dari %d pemutaran; yang tidak dicatat belum tentu tidak terjadi. / Noted at %d of %d screenings; what was not noted may have happened all the same.", t.Noted, t.Screenings, t.Noted, t.Screenings)})
}

func problemCells(r *Result) [][]any {
	out := [][]any{{"Masalah · Problems"}, {bi("Berat", "Level"), bi("Di mana", "Where"), bi("Apa", "What"), bi("Lakukan", "Do"), bi("Pemutaran", "Screening")}}
	for _, p := range r.Problems {
		level := map[Level]string{Note: bi("catatan", "note"), Doubt: bi("meragukan", "in doubt"), Missing: bi("tidak dihitung", "does not count")}[p.Level]
		if p.Saved {
			level = bi("aman: salinan lain dipakai", "safe: another copy counts")
		}
		out = append(out, []any{level, p.Path, bi(p.What.ID, p.What.EN), bi(p.Do.ID, p.Do.EN), p.Screening})
	}
	return out
}

// sessionOf is what a table says of a screening, by column.
func sessionOf(s *Screening) map[string]any {
	groups := map[string]int{}
	people := 0
	for _, g := range s.Groups {
		groups[g.Sex+" "+g.Age] += g.Net
		people += g.Net
	}
	questions := map[string]bool{}
	for _, r := range s.Rounds {
		questions[r.ID] = true
	}
	out := map[string]any{
		"session_id": s.ID, "device_id": s.Kiosk, "date": s.HeldAt[:10], "held_at": s.HeldAt, "started_at": s.StartedAt, "ended_at": s.EndedAt,
		"kode_kemendagri": s.KodeKemendagri, "kode_bps": s.KodeBPS, "pcode": "ID" + s.KodeBPS, "kabupaten": s.Regency, "venue": s.Venue,
		"audience": s.Audience, "programme": s.Programme, "film_title": s.FilmTitle.ID, "film_finished": s.FilmFinished, "people": people,
		"female_under_18": groups["female 0-17"], "male_under_18": groups["male 0-17"], "female_adults": groups["female 18+"], "male_adults": groups["male 18+"],
		"other_groups": 0, "disability": nil, "questions_asked": len(questions),
		"note_went": strings.Join(s.Note.Went, ","), "note_away": strings.Join(s.Note.Away, ","), "note_why": strings.Join(s.Note.Why, ","),
		"data_quality": s.Quality, "signed": s.Key != "", "copies": s.Copies,
	}
	few := isFew(asked(s)[0])
	for _, n := range groups {
		few = few || isFew(n)
	}
	out["under_10_do_not_publish"] = few
	if s.Disability != nil {
		out["disability"] = *s.Disability
	}
	return out
}

// inExcel is how a value stands in the sheet of screenings: days are numbers of days since 1899-12-30.
func inExcel(kind string, v any) any {
	switch {
	case v == true:
		return "ya / yes"
	case v == false:
		return "tidak / no"
	case kind == "date":
		day, err := time.Parse(time.DateOnly, v.(string))
		if err != nil {
			return v
		}
		return int(day.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Hours() / 24)
	}
	return v
}

// series is one row of bars of a chart.
type series struct {
	Name       string
	Categories []string
	Values     []string
}

// charts resolves what the charts of a spreadsheet show, by their titles.
func charts(t *testing.T, f *excelize.File, file string) map[string][]series {
	t.Helper()
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	out := map[string][]series{}
	for _, part := range z.File {
		if !strings.HasPrefix(part.Name, "xl/charts/chart") {
			continue
		}
		r, err := part.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var c struct {
			Chart struct {
				Title struct {
					Runs []string `xml:"tx>rich>p>r>t"`
				} `xml:"title"`
				Plot struct {
					Bars []struct {
						Series []struct {
							Name       string `xml:"tx>strRef>f"`
							Categories string `xml:"cat>strRef>f"`
							Values     string `xml:"val>numRef>f"`
						} `xml:"ser"`
					} `xml:"barChart"`
				} `xml:"plotArea"`
			} `xml:"chart"`
		}
		if err := xml.Unmarshal(b, &c); err != nil {
			t.Fatal(err)
		}
		title := strings.Join(c.Chart.Title.Runs, "")
		for _, bars := range c.Chart.Plot.Bars {
			for _, s := range bars.Series {
				name := s.Name
				if strings.Contains(name, "!") {
					name = strings.Join(cellsOf(t, f, name), "")
				}
				out[title] = append(out[title], series{name, cellsOf(t, f, s.Categories), cellsOf(t, f, s.Values)})
			}
		}
	}
	return out
}

// cellsOf gives the values of a range as "'Sheet'!$A$3:$A$9", formulas worked out.
func cellsOf(t *testing.T, f *excelize.File, where string) []string {
	t.Helper()
	sheet, cells, ok := strings.Cut(strings.ReplaceAll(where, "$", ""), "!")
	if !ok {
		t.Fatalf("a chart shows %q, which is no range", where)
	}
	from, to, ok := strings.Cut(cells, ":")
	if !ok {
		to = from
	}
	column1, row1, err1 := excelize.CellNameToCoordinates(from)
	column2, row2, err2 := excelize.CellNameToCoordinates(to)
	if err1 != nil || err2 != nil {
		t.Fatalf("a chart shows %q", where)
	}
	var out []string
	for row := row1; row <= row2; row++ {
		for column := column1; column <= column2; column++ {
			value, err := f.CalcCellValue(strings.Trim(sheet, "'"), at(column, row), excelize.Options{RawCellValue: true})
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, value)
		}
	}
	return out
}

func sameCharts(t *testing.T, f *excelize.File, file string, totals *Totals, w *withheld) {
	t.Helper()
	var regencies, months, people, monthly []string
	for _, r := range totals.Regencies {
		regencies, people = append(regencies, r.Name), append(people, fmt.Sprint(r.People))
	}
	for _, m := range totals.Months {
		months, monthly = append(months, m.Month), append(monthly, fmt.Sprint(m.People))
	}
	want := map[string][]series{
		"Orang yang datang per kabupaten · People by regency": {{"Orang / People", regencies, people}},
		"Orang yang datang per bulan · People by month":       {{"Orang / People", months, monthly}},
	}
	for i, of := range w.columns {
		s := series{Name: columnHead(of), Categories: regencies}
		for _, r := range totals.Regencies {
			value := fmt.Sprint(w.inColumns(totals, r.Groups)[i])
			if w.groups[r.Kemendagri+" "+r.Name] {
				value = "…"
			}
			s.Values = append(s.Values, value)
		}
		want["Siapa yang datang, per kabupaten · Who came, by regency"] = append(want["Siapa yang datang, per kabupaten · Who came, by regency"], s)
	}
	before, after := series{Name: "Sebelum / Before"}, series{Name: "Sesudah / After"}
	var shares []float64
	for _, c := range totals.Changes {
		if w.changeHidden(c) {
			continue
		}
		for i, o := range c.Before.Options {
			if o.Right {
				before.Categories = append(before.Categories, bi(c.Before.Text.ID, c.Before.Text.EN))
				shares = append(shares, float64(c.Before.Counts[i])/float64(c.Before.Answered), float64(c.After.Counts[i])/float64(c.After.Answered))
			}
		}
	}
	after.Categories = before.Categories
	got := charts(t, f, file)
	const change = "Memilih jawaban benar, sebelum dan sesudah film · Chose a right answer, before and after the film"
	if len(got[change]) != 2 || got[change][0].Name != before.Name || got[change][1].Name != after.Name ||
		!slices.Equal(got[change][0].Categories, before.Categories) || !slices.Equal(got[change][1].Categories, after.Categories) {
		t.Fatalf("the chart of right answers shows %+v", got[change])
	}
	for i, s := range shares {
		if value := got[change][i%2].Values[i/2]; !sameCell(value, s) {
			t.Errorf("the chart of right answers shows %s, want %v", value, s)
		}
	}
	delete(got, change)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("charts (-want +got):\n%s", diff)
	}
}

// TestEveryCellOfTheTables compares the three CSV files with what was read.
func TestEveryCellOfTheTables(t *testing.T) { eachMixture(t, everyCellOfTheTables) }

func everyCellOfTheTables(t *testing.T, m *mixture) {
	out := t.TempDir()
	if _, err := Write(out, m.Result, Output{Made: made}); err != nil {
		t.Fatal(err)
	}
	table := func(name string, columns []string, rows []map[string]any) {
		t.Helper()
		want := [][]any{{}}
		for _, c := range columns {
			want[0] = append(want[0], c)
		}
		for _, r := range rows {
			row := make([]any, len(columns))
			for i, c := range columns {
				row[i] = r[c]
			}
			if extra := len(r) - len(columns); extra > 0 {
				t.Errorf("%s lacks %d columns of %v", name, extra, slices.Sorted(maps.Keys(r)))
			}
			want = append(want, row)
		}
		got := excelRows(t, read(t, out, name))
		for _, row := range got {
			for i := range row {
				row[i] = strings.TrimPrefix(row[i], "'") // how it keeps spreadsheets from changing it
			}
		}
		sameCells(t, name, got, want)
	}
	var attendance, sessions, polls []map[string]any
	w := withheldOf(m.Result)
	shown, hidden := 0, 0
	for _, s := range m.Screenings {
		sessions = append(sessions, sessionOf(s))
		of := sessionOf(s)
		row := func(more map[string]any) {
			r := map[string]any{"schema_version": 1, "film_id": s.FilmID, "utc_offset": "+08:00", "clock_source": s.Clock, "notes": strings.ReplaceAll(s.Label, "\n", " "), "app_version": s.AppVersion}
			for _, c := range []string{"session_id", "device_id", "programme", "film_title", "started_at", "ended_at", "kode_kemendagri", "kode_bps", "pcode", "kabupaten", "venue", "data_quality"} {
				r[c] = of[c]
			}
			maps.Copy(r, more)
			attendance = append(attendance, r)
		}
		for _, g := range s.Groups {
			var method []string
			for _, way := range []struct {
				name string
				n    int
			}{{"press", g.Pressed}, {"rows", g.Rows}, {"correction", g.Corrected}} {
				if way.n != 0 {
					method = append(method, way.name)
				}
			}
			row(map[string]any{"sex": g.Sex, "age_group": g.Age, "count_method": strings.Join(method, ","), "count_in": g.Pressed + g.Rows, "count_out": g.Undone, "corrections": g.Corrected, "net_count": g.Net,
				"under_10_do_not_publish": isFew(g.Net)})
		}
		if s.Disability != nil {
			row(map[string]any{"disability": *s.Disability, "count_method": "asked", "under_10_do_not_publish": isFew(*s.Disability)})
		}
		for j := range s.Rounds {
			r := &s.Rounds[j]
			for i, o := range r.Options {
				p := map[string]any{"session_id": s.ID, "date": s.HeldAt[:10], "kode_kemendagri": s.KodeKemendagri, "kabupaten": s.Regency, "question": r.ID, "question_text": r.Text.ID,
					"round": r.N, "step": r.Step, "option": o.ID, "option_text": o.Text.ID, "right": o.Right, "suppressed": w.rounds[r], "data_quality": s.Quality,
					"phase": r.Phase}
				if !w.rounds[r] {
					p["count"], p["answered"], p["skipped"] = r.Counts[i], r.Ballots-r.Skipped, r.Skipped
					shown++
				} else {
					hidden++
				}
				polls = append(polls, p)
			}
		}
	}
	if shown == 0 || hidden == 0 {
		t.Errorf("%d answers are shown, %d hidden: the test shows nothing", shown, hidden)
	}
	table("attendance.csv", strings.Fields(`schema_version session_id device_id programme film_id film_title started_at ended_at utc_offset clock_source
		kode_kemendagri kode_bps pcode kabupaten kecamatan desa venue lat lon sex age_group disability count_method count_in count_out corrections net_count
		data_quality operator_code notes app_version under_10_do_not_publish`), attendance)
	table("sessions.csv", strings.Fields(`session_id device_id date held_at started_at ended_at kode_kemendagri kode_bps pcode kabupaten venue audience programme
		film_title film_finished people female_under_18 male_under_18 female_adults male_adults other_groups disability questions_asked note_went note_away note_why
		data_quality signed copies under_10_do_not_publish`), sessions)
	table("poll_results.csv", strings.Fields(`session_id date kode_kemendagri kabupaten question question_text round step option option_text right count answered skipped suppressed data_quality phase`), polls)
}

// TestEveryRowOfTheDatabase compares tables and views with what was read.
func TestEveryRowOfTheDatabase(t *testing.T) {
	m := mixed(t)
	for name, address := range map[string]func(t *testing.T) string{
		"PostgreSQL": startPostgres,
		"SQLite":     func(t *testing.T) string { return filepath.Join(t.TempDir(), "pemutaran.sqlite") },
	} {
		t.Run(name, func(t *testing.T) {
			to := address(t)
			if got, err := Store(t.Context(), to, m.Result); err != nil || got.New != len(m.Screenings) {
				t.Fatalf("%+v %v", got, err)
			}
			db, d, err := openDatabase(to)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			for table, want := range databaseRows(m) {
				got := rowsOf(t, db, d.schema+table, slices.Sorted(maps.Keys(want[0])))
				var lines []string
				for _, r := range want {
					lines = append(lines, lineOf(r))
				}
				slices.Sort(lines)
				if diff := cmp.Diff(lines, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", table, diff)
				}
			}
		})
	}
}

// lineOf writes a row in the order of its columns' names.
func lineOf(row map[string]any) string {
	var out strings.Builder
	for _, c := range slices.Sorted(maps.Keys(row)) {
		v := row[c]
		if n, ok := v.(*int); ok {
			v = nil
			if n != nil {
				v = *n
			}
		}
		fmt.Fprintf(&out, "%s=%v|", c, v)
	}
	return out.String()
}

// rowsOf reads a whole table. It must have these columns, and of others only made and derived ones.
func rowsOf(t *testing.T, db *sql.DB, table string, columns []string) []string {
	t.Helper()
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = `"` + c + `"`
	}
	rows, err := db.Query("SELECT " + strings.Join(quoted, ", ") + " FROM " + table)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		values := make([]any, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		row := map[string]any{}
		for i, c := range columns {
			row[c] = plainValue(c, values[i])
		}
		out = append(out, lineOf(row))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}

// plainValue makes the two databases alike: SQLite has no truth values, PostgreSQL has moments.
func plainValue(column string, v any) any {
	switch v := v.(type) {
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case []byte:
		return string(v)
	case int64:
		if slices.Contains([]string{"rehearsal", "film_finished", "before_film", "is_right", "under_10_do_not_publish"}, column) {
			return v != 0
		}
	case string:
		if at, err := time.Parse(time.RFC3339, v); err == nil {
			return at.UTC().Format(time.RFC3339)
		}
	}
	return v
}

// momentOf is a time as plainValue gives it; nil of none.
func momentOf(t string) any {
	if t == "" {
		return nil
	}
	return plainValue("", t)
}

func databaseRows(m *mixture) map[string][]map[string]any {
	out := map[string][]map[string]any{}
	add := func(table string, row map[string]any) { out[table] = append(out[table], row) }
	type result struct {
		programme, question, text, option, optionText string
		phase                                         screening.RoundPhase
		right                                         bool
	}
	type sums struct {
		screenings map[string]bool
		answered   int
		people     int
	}
	results := map[result]*sums{}
	type place struct{ kemendagri, bps, name, sex, age string }
	attendance := map[place]*sums{}
	w := withheldOf(m.Result)
	for _, s := range m.Screenings {
		of := sessionOf(s)
		add("screenings", map[string]any{
			"session_id": s.ID, "device_id": s.Kiosk, "rehearsal": s.Rehearsal, "programme": s.Programme, "film_id": s.FilmID, "film_title": s.FilmTitle.ID,
			"film_finished": s.FilmFinished, "held_at": momentOf(s.HeldAt), "started_at": momentOf(s.StartedAt), "ended_at": momentOf(s.EndedAt), "clock_source": s.Clock,
			"kode_kemendagri": s.KodeKemendagri, "kode_bps": s.KodeBPS, "pcode": "ID" + s.KodeBPS, "kabupaten": s.Regency, "venue": s.Venue, "audience": s.Audience,
			"notes": s.Label, "data_quality": s.Quality, "app_version": s.AppVersion, "people": of["people"], "disability": s.Disability, "signing_key": s.Key,
			"last_event": s.LastEvent, "digest": s.Digest, "note_went": of["note_went"], "note_away": of["note_away"], "note_why": of["note_why"], "rules": 1,
		})
		for _, g := range s.Groups {
			add("attendance", map[string]any{"session_id": s.ID, "category": g.ID, "label": g.Label.ID, "sex": g.Sex, "age_group": g.Age,
				"count_in": g.Pressed + g.Rows, "count_out": g.Undone, "corrections": g.Corrected, "net_count": g.Net})
			if s.Rehearsal {
				continue
			}
			p := place{s.KodeKemendagri, s.KodeBPS, s.Regency, g.Sex, g.Age}
			if attendance[p] == nil {
				attendance[p] = &sums{screenings: map[string]bool{}}
			}
			attendance[p].screenings[s.ID] = true
			attendance[p].people += g.Net
		}
		for j := range s.Rounds {
			r := &s.Rounds[j]
			by := map[string]int{}
			for _, c := range r.Channels {
				by[c.Name] = c.People
			}
			before := r.Step == screening.SetUp || r.Step == screening.Doors || r.Step == screening.PollBefore
			add("poll_rounds", map[string]any{"session_id": s.ID, "question": r.ID, "round": r.N, "question_text": r.Text.ID, "step": string(r.Step), "before_film": before, "phase": string(r.Phase),
				"answered": r.Ballots - r.Skipped, "skipped": r.Skipped, "by_touch": by["touch"], "by_phone": by["phone"], "by_button": by["button"], "by_hands": by["hands"]})
			for i, o := range r.Options {
				hands := 0
				if r.Hands != nil {
					hands = r.Hands[i]
				}
				add("poll_answers", map[string]any{"session_id": s.ID, "question": r.ID, "round": r.N, "option": o.ID, "place": i + 1, "option_text": o.Text.ID,
					"is_right": o.Right, "people": r.Counts[i], "raised_hands": hands})
				if !w.figure[r] {
					continue
				}
				key := result{s.Programme, r.ID, r.Text.ID, o.ID, o.Text.ID, r.Phase, o.Right}
				if results[key] == nil {
					results[key] = &sums{screenings: map[string]bool{}}
				}
				results[key].screenings[s.ID] = true
				results[key].answered += r.Ballots - r.Skipped
				results[key].people += r.Counts[i]
			}
		}
	}
	for p, n := range attendance {
		add("attendance_by_regency", map[string]any{"kode_kemendagri": p.kemendagri, "kode_bps": p.bps, "kabupaten": p.name, "sex": p.sex, "age_group": p.age,
			"screenings": len(n.screenings), "people": n.people, "under_10_do_not_publish": isFew(n.people)})
	}
	for r, n := range results {
		if n.answered >= 10 {
			add("poll_results", map[string]any{"programme": r.programme, "question": r.question, "question_text": r.text, "phase": string(r.phase), "option": r.option,
				"option_text": r.optionText, "is_right": r.right, "screenings": len(n.screenings), "answered": n.answered, "people": n.people})
		}
	}
	return out
}

// sums says which sums of a place and a day or month are kept back of DHIS2: beside the other
// tables they would tell of screenings of which those do not.
func (w *withheld) sums(r *Result, period string) map[*Screening]struct{ groups, disability bool } {
	out := map[*Screening]struct{ groups, disability bool }{}
	for _, place := range w.places {
		var when []string
		hidden, many := map[string][]int{}, map[string][]int{}
		of := func(s *Screening) string {
			if period == "monthly" {
				return s.HeldAt[:len("2026-11")]
			}
			return s.HeldAt[:len("2026-11-24")]
		}
		for _, s := range r.Screenings {
			if s.Rehearsal || placeOf(s) != place {
				continue
			}
			if hidden[of(s)] == nil {
				when = append(when, of(s))
				hidden[of(s)], many[of(s)] = make([]int, len(w.columns)), []int{0}
			}
			if w.of[s] {
				added(hidden[of(s)], w.peopleOf(s))
			}
			if w.disabilityOf[s] {
				added(many[of(s)], asked(s))
			}
		}
		var groups, disability [][]int
		for _, at := range when {
			groups, disability = append(groups, hidden[at]), append(disability, many[at])
		}
		keptGroups, keptDisability := keepBack(groups), keepBack(disability)
		for _, s := range r.Screenings {
			if !s.Rehearsal && placeOf(s) == place {
				i := slices.Index(when, of(s))
				out[s] = struct{ groups, disability bool }{w.groups[place] || keptGroups[i], w.disability[place] || keptDisability[i]}
			}
		}
	}
	return out
}

func (w *withheld) isMerged(c *Category) bool {
	for _, of := range w.columns {
		for _, in := range of {
			if nameOf(in) == nameOf(c) {
				return len(of) > 1
			}
		}
	}
	return false
}

// TestEveryFigureForDHIS2 adds up by day and by month what must be handed over.
func TestEveryFigureForDHIS2(t *testing.T) { eachMixture(t, everyFigureForDHIS2) }

func everyFigureForDHIS2(t *testing.T, m *mixture) {
	w := withheldOf(m.Result)
	for _, period := range []string{"daily", "monthly"} {
		units := map[string]string{}
		combos := map[string]string{}
		for i, s := range m.Screenings {
			if i%4 != 0 {
				units[s.KodeKemendagri] = "unit" + strings.ReplaceAll(s.KodeKemendagri, ".", "") + "abc"
			}
			for j, g := range s.Groups {
				if j != 1 {
					combos[g.Sex+"|"+g.Age] = fmt.Sprintf("combo%06d", len(g.Sex)*10+len(g.Age))
				}
			}
		}
		mapping := map[string]any{"dataSet": "dataSet0001", "period": period, "orgUnits": units, "categoryOptionCombos": combos,
			"dataElements": map[string]string{"attendance": "attendance1", "screenings": "screenings1", "disability": "disability1"}}
		text, err := json.Marshal(mapping)
		if err != nil {
			t.Fatal(err)
		}
		read, err := ReadMapping(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		problems, err := writeDHIS2(&out, m.Result, read)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			DataSet    string
			DataValues []map[string]string
		}
		if err := json.Unmarshal(out.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		want, lost := map[string]int{}, map[string]int{}
		withheldSums := map[string]bool{}
		kept := w.sums(m.Result, period)
		for _, s := range m.Screenings {
			if s.Rehearsal {
				continue
			}
			unit := units[s.KodeKemendagri]
			if unit == "" {
				lost["orgUnits["+s.KodeKemendagri+"]"]++
				continue
			}
			when := strings.ReplaceAll(s.HeldAt[:10], "-", "")
			if period == "monthly" {
				when = when[:6]
			}
			key := "dataSet0001 " + when + " " + unit
			for _, g := range s.Groups {
				if combo := combos[g.Sex+"|"+g.Age]; combo != "" {
					want[key+" attendance1 "+combo] += g.Net
					if kept[s].groups || w.isMerged(g.Category) {
						withheldSums[key+" attendance1 "+combo] = true
					}
				} else {
					lost["categoryOptionCombos["+g.Sex+"|"+g.Age+"]"]++
				}
			}
			want[key+" screenings1 "]++
			if s.Disability != nil {
				want[key+" disability1 "] += *s.Disability
				if kept[s].disability {
					withheldSums[key+" disability1 "] = true
				}
			}
		}
		left := 0
		for key := range withheldSums {
			if want[key] > 0 {
				left++
			}
			delete(want, key)
		}
		if left == 0 || len(want) == 0 {
			t.Errorf("%s: %d values are kept back, %d sent: the test shows nothing", period, left, len(want))
		}
		sums := map[string]int{}
		for _, v := range got.DataValues {
			n, err := strconv.Atoi(v["value"])
			if err != nil {
				t.Error(err)
			}
			sums[got.DataSet+" "+v["period"]+" "+v["orgUnit"]+" "+v["dataElement"]+" "+v["categoryOptionCombo"]] += n
		}
		if diff := cmp.Diff(want, sums); diff != "" || len(sums) != len(got.DataValues) {
			t.Errorf("%s: %d values (-want +got):\n%s", period, len(got.DataValues), diff)
		}
		told := map[string]int{}
		if p := problems[len(problems)-1]; p.Level != Note || p.Kind != Suppressed || p.Path != "dhis2.json" ||
			!strings.HasPrefix(p.What.EN, fmt.Sprintf("%d figures were left out of DHIS2: groups under 10 people", left)) {
			t.Errorf("%s: %+v, want %d figures", period, p, left)
		}
		for _, p := range problems[:len(problems)-1] {
			var n int
			_, err := fmt.Sscanf(p.What.EN, "The mapping for DHIS2 has no place for it; %d figures", &n)
			if p.Level != Doubt || p.Kind != Unmapped || err != nil {
				t.Errorf("%+v (%v)", p, err)
			}
			told[p.Path] = n
		}
		if diff := cmp.Diff(lost, told); diff != "" || len(lost) == 0 {
			t.Errorf("%s, what was left out (-want +got):\n%s", period, diff)
		}
	}
}

// TestEveryFigureOfTheJSON compares laporan.json with the totals, without its Go types.
func TestEveryFigureOfTheJSON(t *testing.T) { eachMixture(t, everyFigureOfTheJSON) }

func everyFigureOfTheJSON(t *testing.T, m *mixture) {
	totals := m.Totals()
	var out bytes.Buffer
	if err := writeJSON(&out, m.Result, totals); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	words := func(w Words) any { return map[string]any{"id": w.ID, "en": w.EN} }
	w := withheldOf(m.Result)
	groups := func(people []int, hidden bool) []any {
		all := []any{}
		if hidden {
			return all
		}
		for i, of := range w.columns {
			group := map[string]any{"id": of[0].ID, "label": words(label(of)), "sex": of[0].Sex, "age": of[0].Age, "people": people[i]}
			for _, c := range of[1:] {
				group["id"], group["sex"], group["age"] = fmt.Sprint(group["id"], "+", c.ID), "", ""
			}
			all = append(all, group)
		}
		return all
	}
	rehearsals := m.Rehearsals
	screenings := []any{}
	for _, s := range m.Screenings {
		if s.Rehearsal {
			rehearsals++
		}
		rounds := []any{}
		for i := range s.Rounds {
			r := &s.Rounds[i]
			round := map[string]any{"question": r.ID, "round": r.N, "step": r.Step, "phase": r.Phase, "suppressed": w.rounds[r], "answered": nil, "skipped": nil, "counts": nil}
			if !w.rounds[r] {
				counts := map[string]any{}
				for i, o := range r.Options {
					counts[o.ID] = r.Counts[i]
				}
				round["answered"], round["skipped"], round["counts"] = r.Ballots-r.Skipped, r.Skipped, counts
			}
			rounds = append(rounds, round)
		}
		disability := s.Disability
		if w.disabilityOf[s] {
			disability = nil
		}
		screenings = append(screenings, map[string]any{
			"id": s.ID, "kiosk": s.Kiosk, "rehearsal": s.Rehearsal, "heldAt": s.HeldAt, "startedAt": s.StartedAt, "endedAt": s.EndedAt, "regency": s.Regency,
			"kodeKemendagri": s.KodeKemendagri, "kodeBps": s.KodeBPS, "venue": s.Venue, "audience": s.Audience, "programme": s.Programme, "film": words(s.FilmTitle),
			"people": sessionOf(s)["people"], "groups": groups(w.peopleOf(s), w.of[s]), "suppressed": w.of[s], "disability": disability, "rounds": rounds, "quality": s.Quality, "signed": s.Key != "", "copies": s.Copies, "digest": s.Digest,
			"note": map[string]any{"went": s.Note.Went, "away": s.Note.Away, "why": s.Note.Why},
		})
	}
	noted := []any{}
	for _, list := range totals.Notes {
		for i, c := range list.Choices {
			noted = append(noted, map[string]any{"list": list.ID, "code": c.ID, "text": map[string]any{"id": c.Text["id"], "en": c.Text["en"]}, "screenings": list.Times[i]})
		}
	}
	var disability any
	if n, ok := fewOrNumber(totals.Disability, totals.AskedAt).(int); ok {
		disability = n
	}
	regencies, changes, answers := []any{}, []any{}, []any{}
	for _, r := range totals.Regencies {
		hidden := w.groups[r.Kemendagri+" "+r.Name]
		regencies = append(regencies, map[string]any{"name": r.Name, "kodeKemendagri": r.Kemendagri, "kodeBps": r.BPS, "screenings": r.Screenings, "people": r.People,
			"groups": groups(w.inColumns(totals, r.Groups), hidden), "suppressed": hidden})
	}
	part := func(a *Answers, i int) any {
		low, high := chart.Wilson(a.Counts[i], a.Answered)
		return map[string]any{"answered": a.Answered, "count": a.Counts[i], "share": float64(a.Counts[i]) / float64(a.Answered), "low": low, "high": high}
	}
	for _, c := range totals.Changes {
		hidden := w.changeHidden(c)
		options := []any{}
		for i, o := range c.Before.Options {
			option := map[string]any{"id": o.ID, "text": words(o.Text), "right": o.Right, "before": nil, "after": nil}
			if !hidden {
				option["before"], option["after"] = part(c.Before, i), part(c.After, i)
			}
			options = append(options, option)
		}
		changes = append(changes, map[string]any{"question": c.Before.ID, "text": words(c.Before.Text), "screenings": c.Before.Times, "suppressed": hidden, "options": options})
	}
	for _, a := range totals.Answers {
		hidden := w.tooFew(a)
		options := []any{}
		for i, o := range a.Options {
			option := map[string]any{"id": o.ID, "text": words(o.Text), "right": o.Right}
			if !hidden {
				option["share"] = part(a, i)
			}
			options = append(options, option)
		}
		answers = append(answers, map[string]any{"question": a.ID, "text": words(a.Text), "phase": a.Phase, "screenings": a.Times, "suppressed": hidden, "options": options})
	}
	kiosks, problems := []any{}, []any{}
	for _, k := range m.Kiosks {
		kiosks = append(kiosks, map[string]any{"id": k.ID, "key": k.Key, "screenings": k.Screenings})
	}
	for _, p := range m.Problems {
		problem := map[string]any{"level": p.Level.String(), "kind": p.Kind, "path": p.Path, "screening": p.Screening, "what": words(p.What), "do": words(p.Do)}
		if p.Saved {
			problem["saved"] = true
		}
		problems = append(problems, problem)
	}
	want := map[string]any{
		"schemaVersion": 1, "regencies": regencies, "answers": answers, "changes": changes, "screenings": screenings, "kiosks": kiosks, "problems": problems,
		"cannotShow": map[string]any{"id": chart.CannotShow[0], "en": chart.CannotShow[1]},
		"totals": map[string]any{"screenings": totals.Screenings, "people": totals.People, "groups": groups(w.inColumns(totals, totals.ByGroup), false), "disability": disability, "disabilityAskedAt": totals.AskedAt,
			"notedAt": totals.Noted, "noted": noted, "first": totals.First, "last": totals.Last, "rehearsals": rehearsals, "copies": m.Copies, "twice": m.Twice},
	}
	b, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(b, &plain); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(plain, got); diff != "" {
		t.Errorf("laporan.json (-want +got):\n%s", diff)
	}
}

var tags = regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`)

// TestEveryFigureOfThePage compares the words and figures of laporan.html, in their order, with the totals.
func TestEveryFigureOfThePage(t *testing.T) { eachMixture(t, everyFigureOfThePage) }

func everyFigureOfThePage(t *testing.T, m *mixture) {
	totals, w := m.Totals(), withheldOf(m.Result)
	var out bytes.Buffer
	if err := writeHTML(&out, m.Result, totals); err != nil {
		t.Fatal(err)
	}
	page := out.String()
	section := func(from, to string) string {
		t.Helper()
		_, after, ok := strings.Cut(page, from)
		part, _, ok2 := strings.Cut(after, to)
		if !ok || !ok2 {
			t.Fatalf("nothing stands between %q and %q", from, to)
		}
		return strings.ReplaceAll(html.UnescapeString(tags.ReplaceAllString(part, " ")), " ;", ";")
	}
	bar := func(label string, n int) string { return label + " " + thousands(n) + " " }
	check := func(what, got, want string) {
		t.Helper()
		if got, want := strings.Join(strings.Fields(got), " "), strings.Join(strings.Fields(want), " "); got != want {
			t.Errorf("%s says\n%s\nwant\n%s", what, got, want)
		}
	}
	check("the time", section("Film screenings</i></h1>", "</header>"), export.LongDate(totals.First)+" – "+export.LongDate(totals.Last))
	check("who came", section("Who came</i></h2>", "</section>"), fmt.Sprintf(
		"%s orang di %d pemutaran, %d kiosk people at %d screenings of %d kiosks %s orang dengan disabilitas, dari %d pemutaran yang menanyakannya people with a disability, at the %d screenings that asked %d latihan tidak dihitung. rehearsals are not counted.",
		thousands(totals.People), totals.Screenings, len(m.Kiosks), totals.Screenings, len(m.Kiosks), thousands(fewOrNumber(totals.Disability, totals.AskedAt).(int)), totals.AskedAt, totals.AskedAt, rehearsals(m.Result)))
	var groups, regencies, months, table, changes strings.Builder
	table.WriteString("Pemutaran Screenings ")
	for i, of := range w.columns {
		l := label(of)
		groups.WriteString(bar(l.ID+" · "+l.EN, w.inColumns(totals, totals.ByGroup)[i]))
		fmt.Fprintf(&table, "%s %s ", l.ID, l.EN)
	}
	table.WriteString("Orang People ")
	hidden := w.merged
	for _, r := range totals.Regencies {
		regencies.WriteString(bar(r.Name, r.People))
		fmt.Fprintf(&table, "%s %s %d ", r.Name, r.Kemendagri, r.Screenings)
		for _, n := range w.inColumns(totals, r.Groups) {
			if w.groups[r.Kemendagri+" "+r.Name] {
				table.WriteString("… ")
				hidden = true
			} else {
				fmt.Fprintf(&table, "%s ", thousands(n))
			}
		}
		fmt.Fprintf(&table, "%d ", r.People)
	}
	if hidden {
		why := lang.Text("collect.not_shown", lang.Params{"n": 10})
		fmt.Fprintf(&table, "%s %s", why["id"], why["en"])
	}
	for _, month := range totals.Months {
		months.WriteString(bar(strings.TrimPrefix(export.LongDate(month.Month+"-01"), "1 "), month.People))
	}
	check("the groups", section("By group</i></h3>", "</section>"), groups.String())
	check("the regencies", section("By regency</i></h3>", "</section>"), regencies.String())
	check("the months", section("By month</i></h3>", "</section>"), months.String())
	check("the table", section("<th>Kode</th>", "<h2>Catatan"), table.String())
	for _, c := range totals.Changes {
		fmt.Fprintf(&changes, "%s %s ", c.Before.Text.ID, c.Before.Text.EN)
		if w.changeHidden(c) {
			changes.WriteString("Kurang dari 10 orang menjawab; tidak ditampilkan. Fewer than 10 answered; not shown. ")
			continue
		}
		for i, o := range c.Before.Options {
			if o.Right {
				changes.WriteString("✓ ")
			}
			fmt.Fprintf(&changes, "%s · %s %s %s ", o.Text.ID, o.Text.EN, chart.Share(c.Before.Counts[i], c.Before.Answered), chart.Share(c.After.Counts[i], c.After.Answered))
		}
		fmt.Fprintf(&changes, "Sebelum before %s, sesudah after %s jawaban answers; %d pemutaran screenings ", thousands(c.Before.Answered), thousands(c.After.Answered), c.Before.Times)
	}
	check("before and after", strings.SplitN(section("Before and after the film</i></h2>", "<h2>Per kabupaten"), "95% confidence interval ", 2)[1], changes.String()+"✓ jawaban yang benar right answer")
	notes := fmt.Sprintf("Dicatat di %d dari %d pemutaran; angkanya banyaknya pemutaran. Noted at %d of %d screenings; the numbers are screenings. ", totals.Noted, totals.Screenings, totals.Noted, totals.Screenings)
	for _, n := range totals.Notes {
		notes += n.Title["id"] + " " + n.Title["en"] + " "
		for i, c := range n.Choices {
			if n.Times[i] > 0 {
				notes += bar(c.Text["id"]+" · "+c.Text["en"], n.Times[i])
			}
		}
	}
	check("the notes", section("The facilitators' notes</i></h2>", "<h2>Masalah"), notes)
	problems := "Di mana Where Apa What Lakukan Do "
	for _, p := range m.Problems {
		problems += p.Path + " " + p.What.ID + " " + p.What.EN + " "
		if p.Saved {
			problems += "Aman: salinan lain dipakai. Safe: another copy counts. "
		}
		problems += p.Do.ID + " " + p.Do.EN + " "
	}
	check("the problems", section("Problems</i></h2>", "</main>"), problems)
}
