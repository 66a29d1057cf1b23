package export

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"mimpi-kiosk/internal/screening"
)

// schemaVersion changes when a column is renamed, removed or means something else.
const schemaVersion = 1

const byteOrderMark = "\uFEFF"

// Table is the bytes of a CSV file.
func Table(header []string, rows [][]string) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(byteOrderMark)
	w := csv.NewWriter(&out)
	w.Comma, w.UseCRLF = ';', true
	if err := w.Write(header); err != nil {
		return nil, err
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// numberLike is what Excel of some region takes for a number, a date or a time:
// digits in groups, or a month with digits. A group of 0 before '-' is no date, so
// that the age "0-17" may stay as it is.
var (
	numberLike = regexp.MustCompile(`^[0-9]+([-.,:/ eE]+[0-9]+)*[-.,:/ %]*$`)
	monthLike  = regexp.MustCompile(`(?i)^([0-9]+[-./, ]*)?(jan|feb|mar|apr|may|mei|jun|jul|aug|agu|sep|o[ck]t|nov|de[cs])[a-z]*([-./, ]*[0-9]+)*$`)
	plainRange = regexp.MustCompile(`^0-[0-9]+$`)
	digits     = regexp.MustCompile(`^[1-9][0-9]*$`)
)

// Text makes a cell of any text: control characters become spaces, and an apostrophe
// stands before what a spreadsheet would run as a formula, or take for a number.
func Text(s string) string {
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	bare := strings.TrimSpace(clean)
	switch {
	case s == "":
		return ""
	case strings.ContainsRune("\t\r\n", rune(s[0])),
		bare != "" && strings.ContainsRune("=+-@'＝＋－＠", []rune(bare)[0]),
		numberLike.MatchString(bare) && !plainRange.MatchString(bare),
		monthLike.MatchString(bare) && strings.ContainsAny(bare, "0123456789"):
		return "'" + clean
	}
	return clean
}

func number(n int) string { return strconv.Itoa(n) }

// Code makes a cell of a code that is a plain number in all sound packs.
func Code(s string) string {
	if digits.MatchString(s) {
		return s
	}
	return Text(s)
}

// session is the part of a row that is the same for the whole screening.
func (e *evening) session() (header, cells []string) {
	s := e.state.Screening
	r := s.Regency()
	started, startedClock := e.when(s.PlannedAt)
	ended, endedClock := "", ""
	if s.EndedAt != nil {
		ended, endedClock = e.when(*s.EndedAt)
	}
	held := e.heldAt()
	for _, c := range [][2]string{
		{"schema_version", number(schemaVersion)},
		{"session_id", Text(s.ID)},
		{"device_id", Text(e.kiosk)},
		{"programme", Text(s.Programme.Pack)},
		{"film_id", Text(s.Programme.Film.ID)},
		{"film_title", Text(s.Programme.Film.Title.In("id"))},
		{"held_at", iso(held)},
		{"date", held.Format("2006-01-02")},
		{"time", held.Format("15:04")},
		{"started_at", started},
		{"ended_at", ended},
		{"utc_offset", Text(held.Format("-07:00"))},
		{"clock_source", strings.Join(e.clocks, ",")},
		{"started_clock", startedClock},
		{"ended_clock", endedClock},
		{"kode_kemendagri", Text(r.Kemendagri)},
		{"kode_bps", Code(r.BPS)},
		{"pcode", Text(PCode(r.BPS))},
		{"kabupaten", Text(cmp.Or(r.Name, r.ID))},
		{"venue", Text(s.Details.Venue)},
		{"audience", Text(string(s.Details.Audience))},
	} {
		header, cells = append(header, c[0]), append(cells, c[1])
	}
	return header, cells
}

// SmallColumn is the last column of the tables of counts. Those tables are for machines
// and keep the counts of small groups; the first line of the file says so by this name,
// and the column which rows are meant.
const SmallColumn = "under_10_do_not_publish"

func small(n int) string { return strconv.FormatBool(screening.Few(n)) }

// attendance is attendance.csv: one row per category, and one for disability.
func (e *evening) attendance() ([]byte, error) {
	header, session := e.session()
	header = append(header, "sex", "age_group", "category", "disability", "count_method",
		"pressed", "undone", "corrected", "rows", "net_count", "data_quality", "notes", "app_version", SmallColumn)
	s := e.state.Screening
	last := []string{strings.Join(e.quality(), ","), Text(s.Details.Label), Text(e.version)}
	row := func(people int, cells ...string) []string {
		return append(slices.Concat(session, cells, last), small(people))
	}
	var rows [][]string
	for i, c := range e.state.Attendance.Categories {
		p := s.Programme.Categories[i]
		rows = append(rows, row(c.Total(), Text(p.Sex), Text(p.Age), Text(c.ID), "", Method(c.Pressed+c.Undone, c.Rows, c.Corrected),
			number(c.Pressed+c.Undone), number(c.Undone), number(c.Corrected), number(c.Rows), number(c.Total())))
	}
	if n := e.state.Attendance.Disability; n != nil {
		rows = append(rows, row(*n, "", "", "(disability)", number(*n), "asked", "", "", "", "", ""))
	}
	return Table(header, rows)
}

// PCode is OCHA's code of a regency, by that of Statistics Indonesia; "" of none.
func PCode(bps string) string {
	if bps == "" {
		return ""
	}
	return "ID" + bps
}

// Method says how a category was counted, as in the column count_method. pressed has what
// was undone too.
func Method(pressed, rows, corrected int) string {
	var out []string
	if pressed > 0 {
		out = append(out, "press")
	}
	if rows > 0 {
		out = append(out, "rows")
	}
	if corrected != 0 {
		out = append(out, "correction")
	}
	return strings.Join(out, ",")
}

// polls is ballots.csv: one row per group of like ballots.
func (e *evening) polls() ([]byte, error) {
	header, session := e.session()
	header = append(header, "question", "question_text", "round", "step", "channel", "options", "options_text", "count", "data_quality", "phase", SmallColumn)
	quality := strings.Join(e.quality(), ",")
	var rows [][]string
	for _, b := range e.ballots {
		q := e.state.Asked(b.question)
		words := []string{}
		for _, o := range q.Options {
			for id := range strings.SplitSeq(b.choices, "+") {
				if o.ID == id {
					words = append(words, o.Text.In("id"))
				}
			}
		}
		asked := e.state.Question(b.question)
		round, phase := &asked.Rounds[b.round-1], e.state.Phases(asked)[b.round-1]
		rows = append(rows, append(append([]string{}, session...),
			Text(b.question), Text(q.Text.In("id")), number(b.round), string(round.Step), string(b.channel),
			Text(b.choices), Text(strings.Join(words, " + ")), number(b.count), quality, string(phase), small(round.Answered())))
	}
	return Table(header, rows)
}
