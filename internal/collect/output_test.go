package collect

import (
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"mimpi-kiosk/internal/collect/province"
	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
)

var made = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// evenings makes a small province on one stick.
func evenings(t *testing.T, n int) (stick string, all []*province.Evening) {
	t.Helper()
	stick = t.TempDir()
	for i := range n {
		e := province.Make(3, i, small)
		write(t, e, stick, nil)
		all = append(all, e)
	}
	return stick, all
}

// facts puts what happened, one row for each thing, into an SQLite of its own, so that
// totals can be worked out in another way.
func facts(t *testing.T, all []*province.Evening) *sql.DB {
	t.Helper()
	db, _, err := openDatabase(filepath.Join(t.TempDir(), "facts.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.Exec(`CREATE TABLE facts (screening TEXT, kode TEXT, rehearsal INT, sex TEXT, age TEXT, people INT, question TEXT, before INT, option TEXT, right INT)`); err != nil {
		t.Fatal(err)
	}
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		var rows []string
		for _, f := range e.Facts {
			rows = append(rows, fmt.Sprintf("('%s','%s',%t,'%s','%s',%d,'%s',%t,'%s',%t)", f.Screening, f.Kemendagri, f.Rehearsal, f.Sex, f.Age, f.People, f.Question, f.Before, f.Option, f.Right))
		}
		if _, err := tx.Exec(`INSERT INTO facts VALUES ` + strings.Join(rows, ",")); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return db
}

func number(t *testing.T, db *sql.DB, query string, args ...any) int {
	t.Helper()
	var n sql.NullInt64
	if err := db.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return int(n.Int64)
}

func TestTotalsAreThoseOfTheFacts(t *testing.T) {
	stick, all := evenings(t, 60)
	db := facts(t, all)
	r := collect(t, Options{}, stick)
	expect(t, r, number(t, db, `SELECT count(DISTINCT screening) FROM facts WHERE NOT rehearsal`))
	got := r.Totals()
	if want := number(t, db, `SELECT sum(people) FROM facts WHERE NOT rehearsal`); got.People != want || want == 0 {
		t.Errorf("%d people, want %d", got.People, want)
	}
	for _, reg := range got.Regencies {
		for i, g := range got.Groups {
			if want := number(t, db, `SELECT sum(people) FROM facts WHERE NOT rehearsal AND kode = $1 AND sex = $2 AND age = $3`, reg.Kemendagri, g.Sex, g.Age); reg.Groups[i] != want {
				t.Errorf("%s, %s: %d, want %d", reg.Name, g.ID, reg.Groups[i], want)
			}
		}
	}
	rain, women, noted := 0, 0, 0
	for _, e := range all {
		if e.Facts[0].Rehearsal || e.Note.Went == nil {
			continue
		}
		noted++
		rain += len(e.Note.Went)
		women += min(len(e.Note.Away), 1)
	}
	if got.Noted != noted || noted == 0 || got.Notes[0].Times[3] != rain || got.Notes[1].Times[0] != women || women == noted {
		t.Errorf("notes %+v at %d screenings, want rain at %d and women away at %d of %d", got.Notes, got.Noted, rain, women, noted)
	}
	if len(got.Answers) != 10 || len(got.Changes) != 5 {
		t.Fatalf("%d answers, %d changes", len(got.Answers), len(got.Changes))
	}
	for _, a := range got.Answers {
		for i, o := range a.Options {
			if want := number(t, db, `SELECT count(*) FROM facts WHERE NOT rehearsal AND question = $1 AND before = $2 AND option = $3`, a.ID, a.Phase == screening.BeforeFilm, o.ID); a.Counts[i] != want || want == 0 {
				t.Errorf("%s before %t, %s: %d, want %d", a.ID, a.Phase == screening.BeforeFilm, o.ID, a.Counts[i], want)
			}
		}
		if want := number(t, db, `SELECT count(*) FROM facts WHERE NOT rehearsal AND question = $1 AND before = $2 AND option = ''`, a.ID, a.Phase == screening.BeforeFilm); a.Skipped != want {
			t.Errorf("%s: %d skipped, want %d", a.ID, a.Skipped, want)
		}
	}
}

// excelRows reads a CSV as Excel on an Indonesian Windows does.
func excelRows(t *testing.T, content string) [][]string {
	t.Helper()
	body, ok := strings.CutPrefix(content, "\xEF\xBB\xBF")
	if !ok {
		t.Fatal("no byte order mark")
	}
	if strings.Count(body, "\n") != strings.Count(body, "\r\n") || !strings.HasSuffix(body, "\r\n") {
		t.Fatal("lines do not end with CR LF")
	}
	r := csv.NewReader(strings.NewReader(body))
	r.Comma = ';'
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// asNumber is what Excel makes a number, a date or a formula of.
var asNumber = regexp.MustCompile(`^[=+@-]|^[0-9]+[.,:/-][0-9]`)

func TestTables(t *testing.T) {
	stick, all := evenings(t, 12)
	evil := evening(t, 99)
	p := evil.Journal[1].Event.(screening.ScreeningPlanned)
	p.Details.Venue, p.Details.Label = "=HYPERLINK(\"http://x\";1)", "two\nlines; \"quoted\""
	evil.Journal[1].Event = p
	write(t, evil, stick, nil)
	r := collect(t, Options{}, stick)
	expect(t, r, len(r.Screenings))
	out := filepath.Join(t.TempDir(), "hasil")
	for _, hxl := range []bool{false, true} {
		files, err := Write(out, r, Output{HXL: hxl, Made: made})
		if err != nil || len(files) != 8 {
			t.Fatalf("%v %v", files, err)
		}
		var pack struct {
			Resources []struct {
				Path   string
				Schema struct {
					Fields []struct{ Name, Type string }
				}
			}
		}
		if err := json.Unmarshal([]byte(read(t, out, PackageFile)), &pack); err != nil || len(pack.Resources) != 3 {
			t.Fatalf("%v %+v", err, pack)
		}
		for _, res := range pack.Resources {
			rows := excelRows(t, read(t, out, res.Path))
			if hxl {
				if !slices.ContainsFunc(rows[1], func(tag string) bool { return tag == "#adm2+name" }) || strings.Contains(strings.Join(rows[1], ""), "'") {
					t.Errorf("%s has no row of hashtags: %v", res.Path, rows[1])
				}
				rows = slices.Delete(rows, 1, 2)
			}
			for i, f := range res.Schema.Fields {
				if rows[0][i] != f.Name {
					t.Errorf("%s: column %d is %s, datapackage.json says %s", res.Path, i, rows[0][i], f.Name)
				}
				for _, row := range rows[1:] {
					fits(t, res.Path, f.Name, f.Type, row[i])
				}
			}
		}
	}
	// The long table adds up to what came.
	want := people(evil)
	for _, e := range all {
		if !e.Facts[0].Rehearsal {
			want += people(e)
		}
	}
	rows := excelRows(t, read(t, out, "attendance.csv"))
	net := slices.Index(rows[0], "net_count")
	sum := 0
	for _, row := range rows[2:] {
		n, _ := strconv.Atoi(row[net])
		sum += n
	}
	if sum != want || len(rows[0]) != 32 {
		t.Errorf("net_count adds up to %d, want %d; %d columns, want 32", sum, want, len(rows[0]))
	}
	for _, file := range []string{HTMLFile, JSONFile} {
		if content := read(t, out, file); strings.Contains(content, "<script") || !strings.Contains(content, "Timor Tengah Selatan") {
			t.Errorf("%s is not as it should be", file)
		}
	}
}

func fits(t *testing.T, file, name, kind, cell string) {
	t.Helper()
	ok := true
	switch {
	case cell == "":
	case kind == "integer":
		_, err := strconv.Atoi(cell)
		ok = err == nil
	case kind == "boolean":
		ok = cell == "true" || cell == "false"
	case kind == "date":
		_, err := time.Parse(time.DateOnly, cell)
		ok = err == nil
	case kind == "datetime":
		_, err := time.Parse(time.RFC3339, cell)
		ok = err == nil
	case kind == "string":
		ok = !asNumber.MatchString(cell) || name == "age_group" && cell == "0-17"
	}
	if !ok {
		t.Errorf("%s, column %s (%s): %q", file, name, kind, cell)
	}
}

func TestSmallGroupsAreShownNowhere(t *testing.T) {
	stick := t.TempDir()
	for n := range 3 { // 3 answers at each asking: under ten in all
		write(t, province.Make(7, n+100, province.Size{People: 20, Ballots: 20}), stick, nil)
	}
	r := collect(t, Options{}, stick)
	if len(r.Screenings) == 0 || len(r.Totals().Changes) != 5 || !r.Totals().Changes[0].Before.Small() {
		t.Fatalf("not a small group: %+v", r.Totals())
	}
	out := t.TempDir()
	if _, err := Write(out, r, Output{Made: made}); err != nil {
		t.Fatal(err)
	}
	for _, row := range excelRows(t, read(t, out, "poll_results.csv"))[1:] {
		if row[11] != "" || row[12] != "" || row[13] != "" || row[14] != "true" {
			t.Errorf("poll_results.csv tells of a small group: %v", row)
		}
	}
	if page := read(t, out, HTMLFile); !strings.Contains(page, "Kurang dari 10 orang menjawab") || strings.Contains(page, "✓ Saya sendiri") {
		t.Error("the page tells of a small group")
	}
	if content := read(t, out, JSONFile); strings.Contains(content, `"share"`) || strings.Contains(content, `"answered": 2`) {
		t.Error("the JSON tells of a small group")
	}
	f, err := excelize.OpenFile(filepath.Join(out, XLSXFile))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, sheet := range []string{sheetChange, sheetAnswers} {
		rows, err := f.GetRows(sheet)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			if strings.Contains(strings.Join(row, "|"), "%|") {
				t.Errorf("%s tells of a small group: %v", sheet, row)
			}
		}
	}
}

// TestSpreadsheetOpensInLibreOffice has another program than the one that wrote it read
// the spreadsheet, cell by cell and as pictures of its pages.
func TestSpreadsheetOpensInLibreOffice(t *testing.T) {
	office, err := exec.LookPath("soffice")
	if err != nil {
		t.Fatal("LibreOffice is missing: apt-get install libreoffice-calc, or run the tests by make")
	}
	pdftoppm, err := exec.LookPath("pdftoppm")
	if err != nil {
		t.Fatal("pdftoppm is missing: apt-get install poppler-utils, or run the tests by make")
	}
	stick, _ := evenings(t, 40)
	r := collect(t, Options{}, stick)
	dir := t.TempDir()
	xlsx := filepath.Join(dir, "laporan.xlsx")
	if _, err := Write(xlsx, r, Output{Made: made}); err != nil {
		t.Fatal(err)
	}
	convert := func(format string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), office, "--headless", "-env:UserInstallation=file://"+dir+"/profile", "--convert-to", format, "--outdir", dir, xlsx)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	convert(`csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,false,false,false,-1`)
	attendance := read(t, dir, "laporan-"+sheetAttendance+".csv")
	totals := r.Totals()
	want := fmt.Sprintf("Semua / All;;%d;", totals.Screenings)
	if !strings.Contains(attendance, want) || !strings.Contains(attendance, ";53.10;") || !strings.Contains(attendance, fmt.Sprint(";", totals.People, ";")) {
		t.Errorf("LibreOffice reads\n%s\nwant a line %q, the code 53.10 as text, and %s people", attendance, want, fmt.Sprint(";", totals.People, ";"))
	}
	if change := read(t, dir, "laporan-"+sheetChange+".csv"); strings.Contains(change, "Err:") || strings.Contains(change, "#REF") || strings.Count(change, "%") < 50 {
		t.Errorf("LibreOffice reads\n%s", change)
	}
	convert("pdf")
	if out, err := exec.CommandContext(t.Context(), pdftoppm, "-r", "40", "-l", "4", "-png", filepath.Join(dir, "laporan.pdf"), filepath.Join(dir, "page")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	pages, err := filepath.Glob(filepath.Join(dir, "page*.png"))
	if err != nil || len(pages) < 4 {
		t.Fatalf("%v %v", pages, err)
	}
	// The first page has the chart of regencies: a good deal of indigo.
	if share := indigo(t, pages[0]); share < 0.02 {
		t.Errorf("only %.1f%% of the first page is indigo: is its chart there?", 100*share)
	}
}

func indigo(t *testing.T, file string) float64 {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	picture, _, err := image.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	n, all := 0, picture.Bounds()
	for y := all.Min.Y; y < all.Max.Y; y++ {
		for x := all.Min.X; x < all.Max.X; x++ {
			if r, g, b, _ := picture.At(x, y).RGBA(); r>>8 < 0x50 && g>>8 < 0x55 && b>>8 > 0x50 && b>>8 < 0x90 {
				n++
			}
		}
	}
	return float64(n) / float64(all.Dx()*all.Dy())
}

func TestFormAsksForTheColumns(t *testing.T) {
	name := filepath.Join(t.TempDir(), "form.xlsx")
	if err := WriteForm(name); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenFile(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := f.GetRows("survey")
	if err != nil {
		t.Fatal(err)
	}
	asked := map[string]bool{}
	for _, row := range rows[1:] {
		if len(row) > 1 && !strings.HasPrefix(row[0], "end_") {
			asked[row[1]] = true
		}
	}
	delete(asked, "groups")
	for _, c := range attendanceTable.columns {
		if !asked[c.name] {
			t.Errorf("the form does not have %s", c.name)
		}
		delete(asked, c.name)
	}
	if len(asked) > 0 {
		t.Errorf("the form has what is no column: %v", asked)
	}
	if choices, err := f.GetRows("choices"); err != nil || len(choices) < 23 {
		t.Errorf("%d choices (%v)", len(choices), err)
	}
}

func TestDHIS2(t *testing.T) {
	stick, all := evenings(t, 40)
	r := collect(t, Options{}, stick)
	text := `{"dataSet":"dataSet0001","period":"monthly","orgUnits":{"53.01":"orgUnit0001","53.10":"orgUnit0010"},
		"dataElements":{"attendance":"attendance1","screenings":"screenings1","disability":"disability1"},
		"categoryOptionCombos":{"female|18+":"femaleAdult","male|18+":"maleAdults1","female|0-17":"girlsUnder1"},"attributeOptionCombo":"attribute01"}`
	m, err := ReadMapping(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "dhis2.json")
	if err := WriteDHIS2(file, r, m); err != nil {
		t.Fatal(err)
	}
	var got struct {
		DataSet    string
		DataValues []dataValue
	}
	if err := json.Unmarshal([]byte(read(t, filepath.Dir(file), "dhis2.json")), &got); err != nil {
		t.Fatal(err)
	}
	db := facts(t, all)
	checked := 0
	for _, v := range got.DataValues {
		if v.Period != "202601" || v.AttributeOptionCombo != "attribute01" {
			t.Errorf("%+v", v)
		}
		if v.DataElement == "attendance1" && v.OrgUnit == "orgUnit0010" && v.CategoryOptionCombo == "femaleAdult" {
			checked++
			if want := number(t, db, `SELECT sum(people) FROM facts WHERE NOT rehearsal AND kode = '53.10' AND sex = 'female' AND age = '18+'`); v.Value != strconv.Itoa(want) {
				t.Errorf("%s women in 53.10, want %d", v.Value, want)
			}
		}
	}
	if checked != 1 || got.DataSet != "dataSet0001" {
		t.Errorf("%+v", got)
	}
	told := map[string]bool{}
	for _, p := range r.Problems {
		told[p.Path] = p.Kind == Unmapped
	}
	if !told["orgUnits[53.04]"] || !told["categoryOptionCombos[male|0-17]"] {
		t.Errorf("what was left out is not told: %v", told)
	}
	for _, wrong := range []string{`{`, `{}`, `{"perid":"daily"}`, strings.Replace(text, "orgUnit0001", "short", 1), strings.Replace(text, "monthly", "weekly", 1)} {
		if _, err := ReadMapping(strings.NewReader(wrong)); err == nil {
			t.Errorf("%s was taken", wrong)
		}
	}
}

func TestSealedScreeningsNeedAKey(t *testing.T) {
	mine, other := newIdentity(t), newIdentity(t)
	e, stick := evening(t, 6), t.TempDir()
	opts := export.Options{Key: newKey(t), Recipients: []string{mine.Recipient().String()}}
	if err := e.Write(t.Context(), stick, opts); err != nil {
		t.Fatal(err)
	}
	expect(t, collect(t, Options{}, stick), 0, "missing locked")
	expect(t, collect(t, Options{Identities: ids(other)}, stick), 0, "missing locked")
	r := collect(t, Options{Identities: ids(other, mine)}, stick)
	expect(t, r, 1)
	if len(r.Screenings) == 1 && (r.Screenings[0].People() != people(e) || r.Screenings[0].Key != opts.Key.Public()) {
		t.Errorf("%+v", r.Screenings[0])
	}
	sealed, err := filepath.Glob(filepath.Join(stick, "mimpi-kiosk", "*", "*", export.SealedFile))
	if err != nil || len(sealed) != 1 {
		t.Fatalf("%v %v", sealed, err)
	}
	b, err := os.ReadFile(sealed[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(sealed[0], b, 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, collect(t, Options{Identities: ids(mine)}, stick), 0, "missing unreadable")
}

func TestKnownKeys(t *testing.T) {
	e, one, two := evening(t, 8), newKey(t), newKey(t)
	stick := t.TempDir()
	write(t, e, stick, one)
	expect(t, collect(t, Options{Keys: map[string][]string{e.Kiosk: {one.Public()}}}, stick), 1)
	expect(t, collect(t, Options{Keys: map[string][]string{e.Kiosk: {two.Public()}}}, stick), 0, "missing signature")
	f := evening(t, 8+province.Kiosks) // of the same kiosk
	write(t, f, stick, two)
	expect(t, collect(t, Options{}, stick), 2, "doubt keys")
}
