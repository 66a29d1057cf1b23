package collect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"pgregory.net/rapid"

	"mimpi-kiosk/internal/screening"
)

var someGroups = []*Category{
	{"woman", Words{"Perempuan", "Women"}, "female", "18+"}, {"man", Words{"Laki-laki", "Men"}, "male", "18+"},
	{"girl", Words{"Anak perempuan", "Girls"}, "female", "0-17"}, {"boy", Words{"Anak laki-laki", "Boys"}, "male", "0-17"},
}

// counted is a screening with so many women, men, girls and boys, and of them so many with
// a disability (-1: nobody asked).
func counted(id, regency, date string, disability int, people ...int) *Screening {
	s := &Screening{ID: id, Kiosk: "k", Regency: regency, KodeKemendagri: "53." + regency, HeldAt: date + "T19:00:00+08:00", Venue: "Balai " + id}
	for i, n := range people {
		s.Groups = append(s.Groups, Group{Category: someGroups[i], Pressed: n, Net: n})
	}
	if disability >= 0 {
		s.Disability = &disability
	}
	return s
}

var someMapping = func() *Mapping {
	m := &Mapping{Period: "monthly", OrgUnits: map[string]string{"53.01": "orgUnit0001", "53.02": "orgUnit0002", "53.03": "orgUnit0003"},
		CategoryOptionCombos: map[string]string{"female|18+": "women000001", "male|18+": "men00000001", "female|0-17": "girls000001", "male|0-17": "boys0000001"}}
	m.DataElements.Attendance, m.DataElements.Disability = "attendance1", "disability1"
	return m
}

// What field.md saw: two boys beside regency and date, in the page and in two sheets.
func TestTwoBoysAreShownToNobody(t *testing.T) {
	r := &Result{Screenings: []*Screening{
		counted("s1", "01", "2026-11-24", 4, 40, 31, 17, 2),
		counted("s2", "01", "2026-11-25", -1, 50, 41, 12, 11),
		counted("s3", "02", "2026-11-25", 12, 30, 30, 30, 30),
	}}
	out := t.TempDir()
	if _, err := Write(out, r, Output{Made: made, DHIS2: someMapping()}); err != nil {
		t.Fatal(err)
	}
	page := read(t, out, HTMLFile)
	if strings.Contains(page, `<td class="n">13</td>`) == false {
		t.Error("13 boys of a regency are not shown; the test shows nothing")
	}
	f, err := excelize.OpenFile(filepath.Join(out, XLSXFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(sheetScreenings)
	if err != nil {
		t.Fatal(err)
	}
	boys := slices.IndexFunc(rows[0], func(s string) bool { return strings.HasPrefix(s, "Anak laki-laki") })
	disability := slices.IndexFunc(rows[0], func(s string) bool { return strings.HasPrefix(s, "Orang dengan disabilitas") })
	if got := []string{rows[1][boys], rows[2][boys], rows[3][boys], rows[1][disability], rows[3][disability]}; !slices.Equal(got, []string{"…", "…", "30", "…", "…"}) { // 12 of 16 in all would tell of the 4
		t.Errorf("the sheet of screenings shows %q", got)
	}
	if slices.ContainsFunc(rows[0], func(s string) bool { return strings.Contains(s, "jangan diterbitkan") }) {
		t.Error("a sheet for people has the column for machines")
	}
	table := excelRows(t, read(t, out, "sessions.csv"))
	last := len(table[0]) - 1
	if table[0][last] != "under_10_do_not_publish" || table[1][last] != "true" || table[2][last] != "false" {
		t.Errorf("sessions.csv does not say that it keeps small groups: %q", table[0][last])
	}
	table = excelRows(t, read(t, out, "attendance.csv"))
	if last := len(table[0]) - 1; table[0][last] != "under_10_do_not_publish" || table[4][last] != "true" || table[1][last] != "false" {
		t.Errorf("attendance.csv does not say that it keeps small groups: %q", table)
	}
	content, err := os.ReadFile(filepath.Join(out, DHIS2File))
	if err != nil {
		t.Fatal(err)
	}
	// Both evenings of the month are in one sum, which is that of the regency.
	if !bytes.Contains(content, []byte(`"value": "13"`)) || bytes.Contains(content, []byte(`"value": "4"`)) {
		t.Errorf("%s", content)
	}
	daily := *someMapping()
	daily.Period = "daily"
	var sent bytes.Buffer
	problems, err := writeDHIS2(&sent, r, &daily)
	if err != nil || strings.Contains(sent.String(), "orgUnit0001") || !strings.Contains(sent.String(), "orgUnit0002") {
		t.Errorf("%v %s", err, sent.String())
	}
	if len(problems) != 1 || problems[0].Kind != Suppressed || problems[0].Level != Note || !strings.HasPrefix(problems[0].What.EN, "10 figures") {
		t.Errorf("%+v", problems)
	}
}

// One evening alone: its small groups are merged, in the page and in the sheet.
func TestOneEveningMergesItsSmallGroups(t *testing.T) {
	r := &Result{Screenings: []*Screening{counted("s1", "01", "2026-11-24", 4, 40, 31, 17, 2)}}
	out := t.TempDir()
	if _, err := Write(out, r, Output{Made: made}); err != nil {
		t.Fatal(err)
	}
	page := read(t, out, HTMLFile)
	for _, want := range []string{"Anak perempuan + Anak laki-laki", `<td class="n">19</td>`, "Kelompok di bawah 10 orang"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %q", want)
		}
	}
	if strings.Contains(page, `<td class="n">2</td>`) || strings.Contains(page, `<td class="n">17</td>`) {
		t.Error("the page tells of two boys")
	}
	f, err := excelize.OpenFile(filepath.Join(out, XLSXFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows(sheetAttendance)
	if err != nil || !slices.Equal(rows[2][2:8], []string{"1", "40", "31", "19", "90", "<10"}) {
		t.Errorf("%v %q", err, rows[2])
	}
}

// attack is one who has all files for people, and takes sums from sums.
type attack struct{ t *rapid.T }

func (a *attack) tell(what string, n int) {
	if n > 0 && n < 10 {
		a.t.Fatalf("%s: %d people can be told", what, n)
	}
}

// Whoever subtracts what is shown from what is shown is left with no small group: of
// regencies, screenings, DHIS2's periods, and rounds.
func TestNoSmallGroupCanBeWorkedOut(t *testing.T) {
	q := &Question{ID: "q", Kind: screening.Single, Options: []Option{{ID: "a", Right: true}, {ID: "b"}}}
	rapid.Check(t, func(t *rapid.T) {
		a := &attack{t: t}
		size := rapid.SampledFrom([]int{0, 3, 9, 10, 12, 25, 60})
		r := &Result{}
		for i := range rapid.IntRange(1, 9).Draw(t, "screenings") {
			var people []int
			for range someGroups {
				people = append(people, size.Draw(t, "people"))
			}
			s := counted(fmt.Sprint("s", i), rapid.SampledFrom([]string{"01", "02", "03"}).Draw(t, "regency"),
				rapid.SampledFrom([]string{"2026-10-01", "2026-10-02", "2026-11-01"}).Draw(t, "date"), rapid.SampledFrom([]int{-1, 0, 3, 11, 14}).Draw(t, "disability"), people...)
			for n, phase := range rapid.SampledFrom([][]screening.RoundPhase{{"before"}, {"after"}, {"before", "after"}, {"before", "after", "after_talking"}, {"before", "after_talking", "after_talking"}}).Draw(t, "rounds") {
				right, wrong := size.Draw(t, "right"), size.Draw(t, "wrong")
				if right+wrong == 0 {
					phase = screening.NoRound
				}
				s.Rounds = append(s.Rounds, Round{Question: q, N: n + 1, Phase: phase, Ballots: right + wrong, Counts: []int{right, wrong}})
			}
			r.Screenings = append(r.Screenings, s)
		}
		var content bytes.Buffer
		if err := writeJSON(&content, r, r.Totals()); err != nil {
			t.Fatal(err)
		}
		var shown jsonReport
		if err := json.Unmarshal(content.Bytes(), &shown); err != nil {
			t.Fatal(err)
		}
		a.people(&shown)
		for _, period := range []string{"daily", "monthly"} {
			m := someMapping()
			m.Period = period
			content.Reset()
			if _, err := writeDHIS2(&content, r, m); err != nil {
				t.Fatal(err)
			}
			var sent struct{ DataValues []dataValue }
			if err := json.Unmarshal(content.Bytes(), &sent); err != nil {
				t.Fatal(err)
			}
			a.periods(&shown, m, sent.DataValues)
		}
		a.rounds(&shown)
	})
}

func byID(groups []jsonGroup) map[string]int {
	out := map[string]int{}
	for _, g := range groups {
		out[g.ID] += g.People
	}
	return out
}

func (a *attack) people(r *jsonReport) {
	for id, n := range byID(r.Totals.Groups) {
		if n != r.Totals.People { // of all together
			a.tell("all "+id, n)
		}
		left := n
		for _, reg := range r.Regencies {
			known, people := byID(reg.Groups), 0
			if people = known[id]; !reg.Suppressed {
				left -= people
				if n != r.Totals.People {
					a.tell(reg.Name+" "+id, people)
				}
			}
			rest, told, whole := people, 0, true
			for _, s := range r.Screenings {
				if s.Regency == reg.Name {
					whole = whole && !s.Suppressed
					told += byID(s.Groups)[id]
				}
			}
			if rest -= told; reg.Suppressed && whole { // its screenings tell what its row does not
				left -= told
			}
			if !reg.Suppressed && n != r.Totals.People {
				a.tell("what is left of "+reg.Name+" "+id, rest)
			}
		}
		if n != r.Totals.People {
			a.tell("what regencies leave of "+id, left)
		}
	}
}

func (a *attack) periods(r *jsonReport, m *Mapping, sent []dataValue) {
	ids := map[string]string{}
	for _, g := range someGroups {
		ids[m.CategoryOptionCombos[g.Sex+"|"+g.Age]] = g.ID
	}
	for _, reg := range r.Regencies {
		left := byID(reg.Groups)
		for _, v := range sent {
			if v.OrgUnit != m.OrgUnits[reg.KodeKemendagri] || v.DataElement != m.DataElements.Attendance {
				continue
			}
			n, _ := strconv.Atoi(v.Value)
			id := ids[v.CategoryOptionCombo]
			a.tell("DHIS2 "+v.Period+" "+id, n)
			left[id] -= n
			for _, s := range r.Screenings {
				if s.Regency == reg.Name && !s.Suppressed && strings.HasPrefix(strings.ReplaceAll(s.HeldAt[:10], "-", ""), v.Period) {
					n -= byID(s.Groups)[id]
				}
			}
			a.tell("DHIS2 without screenings, "+v.Period+" "+id, n)
		}
		if !reg.Suppressed {
			for id, n := range left {
				if !strings.Contains(id, "+") && reg.People != n {
					a.tell(reg.Name+" without DHIS2, "+id, n)
				}
			}
		}
	}
	for _, v := range sent {
		if n, _ := strconv.Atoi(v.Value); v.DataElement == m.DataElements.Disability {
			a.tell("DHIS2's disability "+v.Period, n)
		}
	}
}

func (a *attack) rounds(r *jsonReport) {
	pairs := map[screening.RoundPhase]int{}
	for _, c := range r.Changes {
		if c.Suppressed {
			continue
		}
		pairs["before"], pairs["after"] = c.Options[0].Before.Answered, c.Options[0].After.Answered
		for _, n := range pairs {
			a.tell("a change", n)
		}
	}
	for _, of := range r.Answers {
		if of.Suppressed {
			continue
		}
		all, both := of.Options[0].Share.Answered, 0
		a.tell("answers", all)
		if n := pairs[of.Phase]; n > 0 {
			a.tell("answers without changes", all-n)
		}
		left := all
		for _, s := range r.Screenings {
			phases := map[string]bool{}
			for _, round := range s.Rounds {
				phases[round.Phase] = true
			}
			for i, round := range s.Rounds {
				if round.Phase != string(of.Phase) || round.Suppressed {
					continue
				}
				a.tell("a round", *round.Answered)
				if slices.ContainsFunc(s.Rounds[i+1:], func(later jsonRound) bool { return later.Phase == round.Phase }) {
					continue // the sum takes the last
				}
				left -= *round.Answered
				if phases["before"] && phases["after"] {
					both += *round.Answered
				}
			}
		}
		a.tell("answers without rounds", left)
		if n := pairs[of.Phase]; n > 0 {
			a.tell("changes without rounds", n-both)
			a.tell("the others without rounds", (all-n)-(all-left-both))
		}
	}
}
