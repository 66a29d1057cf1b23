package collect

import (
	"slices"
	"strconv"
	"strings"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
)

// schemaVersion changes when a column is renamed, removed or means something else.
const schemaVersion = 1

// column is one column of a table for machines.
type column struct {
	name  string
	kind  string // of Frictionless Data: string, integer, number, date, datetime
	hxl   string // hashtag, "" for none
	title Words
}

// table is one CSV file, and what stands in datapackage.json of it.
type table struct {
	name    string // of the file
	title   Words
	columns []column
	key     []string
	rows    func(r *Result, row func(cells ...any))
}

// attendanceTable is one row per screening and group.
var attendanceTable = table{
	name:  "attendance.csv",
	title: Words{"Yang datang: satu baris per pemutaran dan kelompok", "Who came: one row per screening and group"},
	key:   []string{"session_id", "sex", "age_group", "disability"},
	columns: []column{
		{"schema_version", "integer", "", Words{"Versi kolom", "Version of the columns"}},
		{"session_id", "string", "#activity+id", Words{"Nomor pemutaran", "Id of the screening"}},
		{"device_id", "string", "#meta+device+id", Words{"Kiosk", "Kiosk"}},
		{"programme", "string", "#activity+programme", Words{"Paket", "Pack"}},
		{"film_id", "string", "#item+id", Words{"Nomor film", "Id of the film"}},
		{"film_title", "string", "#item+name", Words{"Film", "Film"}},
		{"started_at", "datetime", "#date+start", Words{"Mulai", "Started"}},
		{"ended_at", "datetime", "#date+end", Words{"Selesai", "Ended"}},
		{"utc_offset", "string", "#date+offset", Words{"Zona waktu", "Offset from UTC"}},
		{"clock_source", "string", "#meta+clock", Words{
			"Dari mana waktunya: synced (internet), operator, rtc (baterai), yang sama dengan _corrected (dibetulkan kemudian), unset (tidak tahu)",
			"How the times are known: synced (network), operator, rtc (a battery), the same with _corrected (put right later), unset (not at all)",
		}},
		{"kode_kemendagri", "string", "#adm2+code+kemendagri", Words{"Kode Kemendagri", "Code of the Ministry of Home Affairs"}},
		{"kode_bps", "string", "#adm2+code+bps", Words{"Kode BPS", "Code of Statistics Indonesia"}},
		{"pcode", "string", "#adm2+code", Words{"P-code OCHA", "P-code of OCHA"}},
		{"kabupaten", "string", "#adm2+name", Words{"Kabupaten atau kota", "Regency or city"}},
		{"kecamatan", "string", "#adm3+name", Words{"Kecamatan (kosong: kiosk tidak mencatatnya)", "District (empty: kiosks do not note it)"}},
		{"desa", "string", "#adm4+name", Words{"Desa (kosong: kiosk tidak mencatatnya)", "Village (empty: kiosks do not note it)"}},
		{"venue", "string", "#loc+name", Words{"Tempat", "Venue"}},
		{"lat", "number", "#geo+lat", Words{"Lintang (kosong: kiosk tidak mencatatnya)", "Latitude (empty: kiosks do not note it)"}},
		{"lon", "number", "#geo+lon", Words{"Bujur (kosong: kiosk tidak mencatatnya)", "Longitude (empty: kiosks do not note it)"}},
		{"sex", "string", "#reached+sex", Words{"Jenis kelamin: female, male; kosong: semua", "Sex: female, male; empty: all"}},
		{"age_group", "string", "#reached+age", Words{"Umur; kosong: semua", "Age; empty: all"}},
		{"disability", "integer", "#reached+disabled", Words{"Orang dengan disabilitas, yang ditanya; sudah terhitung di baris lain", "People with a disability, as asked; the other rows count them already"}},
		{"count_method", "string", "#meta+method", Words{"Cara menghitung: press, rows, correction, asked", "How it was counted: press, rows, correction, asked"}},
		{"count_in", "integer", "#reached+in", Words{"Dihitung masuk", "Counted in"}},
		{"count_out", "integer", "#reached+out", Words{"Dibatalkan", "Undone"}},
		{"corrections", "integer", "#reached+corrections", Words{"Koreksi", "Corrections"}},
		{"net_count", "integer", "#reached", Words{"Yang datang: masuk - dibatalkan + koreksi", "Who came: in - undone + corrections"}},
		{"data_quality", "string", "#meta+quality", Words{"Catatan tentang data", "Notes on the data"}},
		{"operator_code", "string", "#meta+operator", Words{"Petugas (kosong: kiosk tidak mencatat orang)", "Operator (empty: kiosks note no persons)"}},
		{"notes", "string", "#description", Words{"Catatan", "Notes"}},
		{"app_version", "string", "#meta+version", Words{"Versi program kiosk", "Version of the kiosk's program"}},
		smallColumn,
	},
	rows: func(r *Result, row func(cells ...any)) {
		for _, s := range r.Screenings {
			line := func(people int, sex, age string, disability any, method string, in, out, corrected, net any) {
				row(schemaVersion, s.ID, s.Kiosk, s.Programme, s.FilmID, s.FilmTitle.ID, s.StartedAt, s.EndedAt, "+08:00", s.Clock,
					s.KodeKemendagri, code(s.KodeBPS), s.PCode(), s.Regency, "", "", s.Venue, nil, nil, sex, age, disability, method,
					in, out, corrected, net, s.Quality, "", s.Label, s.AppVersion, screening.Few(people))
			}
			for _, g := range s.Groups {
				line(g.Net, g.Sex, g.Age, nil, export.Method(g.Pressed, g.Rows, g.Corrected), g.Pressed+g.Rows, g.Undone, g.Corrected, g.Net)
			}
			if s.Disability != nil {
				line(*s.Disability, "", "", *s.Disability, "asked", nil, nil, nil, nil)
			}
		}
	},
}

// smallColumn stands last in the tables that keep the counts of small groups; see
// export.SmallColumn.
var smallColumn = column{export.SmallColumn, "boolean", "#meta+small", Words{
	"Ada kelompok di bawah 10 orang di baris ini: jangan diterbitkan", "A group of this row has fewer than 10 people: do not publish it",
}}

// sessionsTable is one row per screening.
var sessionsTable = table{
	name:  "sessions.csv",
	title: Words{"Pemutaran: satu baris per pemutaran", "Screenings: one row per screening"},
	key:   []string{"session_id"},
	columns: []column{
		{"session_id", "string", "#activity+id", Words{"Nomor pemutaran", "Id of the screening"}},
		{"device_id", "string", "#meta+device+id", Words{"Kiosk", "Kiosk"}},
		{"date", "date", "#date", Words{"Tanggal", "Date"}},
		{"held_at", "datetime", "#date+held", Words{"Waktu yang dipastikan fasilitator", "Time that the facilitator confirmed"}},
		{"started_at", "datetime", "#date+start", Words{"Mulai", "Started"}},
		{"ended_at", "datetime", "#date+end", Words{"Selesai", "Ended"}},
		{"kode_kemendagri", "string", "#adm2+code+kemendagri", Words{"Kode Kemendagri", "Code of the Ministry of Home Affairs"}},
		{"kode_bps", "string", "#adm2+code+bps", Words{"Kode BPS", "Code of Statistics Indonesia"}},
		{"pcode", "string", "#adm2+code", Words{"P-code OCHA", "P-code of OCHA"}},
		{"kabupaten", "string", "#adm2+name", Words{"Kabupaten atau kota", "Regency or city"}},
		{"venue", "string", "#loc+name", Words{"Tempat", "Venue"}},
		{"audience", "string", "#population+type", Words{"Penonton: public, students", "Audience: public, students"}},
		{"programme", "string", "#activity+programme", Words{"Paket", "Pack"}},
		{"film_title", "string", "#item+name", Words{"Film", "Film"}},
		{"film_finished", "boolean", "#item+finished", Words{"Film diputar sampai habis", "The film ran to its end"}},
		{"people", "integer", "#reached", Words{"Yang datang", "Who came"}},
		{"female_under_18", "integer", "#reached+f+children", Words{"Anak perempuan", "Girls"}},
		{"male_under_18", "integer", "#reached+m+children", Words{"Anak laki-laki", "Boys"}},
		{"female_adults", "integer", "#reached+f+adults", Words{"Perempuan dewasa", "Women"}},
		{"male_adults", "integer", "#reached+m+adults", Words{"Laki-laki dewasa", "Men"}},
		{"other_groups", "integer", "#reached+other", Words{"Kelompok lain", "Other groups"}},
		{"disability", "integer", "#reached+disabled", Words{"Orang dengan disabilitas, yang ditanya", "People with a disability, as asked"}},
		{"questions_asked", "integer", "#indicator+questions", Words{"Pertanyaan yang diajukan", "Questions asked"}},
		{"note_went", "string", "#meta+note+went", Words{"Catatan fasilitator: jalannya acara", "Facilitator's note: how it went"}},
		{"note_away", "string", "#meta+note+away", Words{"Catatan fasilitator: siapa yang sedikit datang", "Facilitator's note: who stayed away"}},
		{"note_why", "string", "#meta+note+why", Words{"Catatan fasilitator: mengapa", "Facilitator's note: why"}},
		{"data_quality", "string", "#meta+quality", Words{"Catatan tentang data", "Notes on the data"}},
		{"signed", "boolean", "#meta+signed", Words{"Ditandatangani kiosk", "Signed by the kiosk"}},
		{"copies", "integer", "#meta+copies", Words{"Salinan utuh yang dibaca", "Sound copies that were read"}},
		smallColumn,
	},
	rows: func(r *Result, row func(cells ...any)) {
		for _, s := range r.Screenings {
			row(s.sessionCells(nil)...)
		}
	},
}

// sessionCells gives the row of a screening: for machines, or, with what may be shown, for people.
func (s *Screening) sessionCells(shown *Totals) []any {
	var disability any
	if s.Disability != nil {
		disability = *s.Disability
	}
	questions := map[*Question]bool{}
	for _, r := range s.Rounds {
		questions[r.Question] = true
	}
	standard := [4]int{}
	other := 0
	for _, g := range s.Groups {
		switch g.Sex + " " + g.Age {
		case "female 0-17":
			standard[0] += g.Net
		case "male 0-17":
			standard[1] += g.Net
		case "female 18+":
			standard[2] += g.Net
		case "male 18+":
			standard[3] += g.Net
		default:
			other += g.Net
		}
	}
	var groups []any
	few := screening.Few(s.disability())
	for _, n := range append(standard[:], other) {
		groups = append(groups, n)
		few = few || screening.Few(n)
	}
	last := []any{few}
	if shown != nil {
		last = nil
		if shown.Merged || shown.hidden[s] {
			groups = []any{notShown, notShown, notShown, notShown, notShown}
		}
		if shown.hiddenDisability[s] {
			disability = notShown
		}
	}
	return slices.Concat([]any{s.ID, s.Kiosk, s.Date(), s.HeldAt, s.StartedAt, s.EndedAt, s.KodeKemendagri, code(s.KodeBPS), s.PCode(), s.Regency,
		s.Venue, s.Audience, s.Programme, s.FilmTitle.ID, s.FilmFinished, s.People()}, groups, []any{
		disability, len(questions), joined(s.Note.Went), joined(s.Note.Away), joined(s.Note.Why), s.Quality, s.Key != "", s.Copies}, last)
}

// joined writes several words into one cell.
func joined(codes []string) string { return strings.Join(codes, ",") }

// answersTable is one row per screening, round and answer. Of rounds that fewer than
// ten people answered, or from which those could be worked out, it has the number of rows,
// and nothing in them.
var answersTable = table{
	name:  "poll_results.csv",
	title: Words{"Jawaban: satu baris per pemutaran, ronde, dan pilihan", "Answers: one row per screening, round and option"},
	key:   []string{"session_id", "question", "round", "option"},
	columns: []column{
		{"session_id", "string", "#activity+id", Words{"Nomor pemutaran", "Id of the screening"}},
		{"date", "date", "#date", Words{"Tanggal", "Date"}},
		{"kode_kemendagri", "string", "#adm2+code+kemendagri", Words{"Kode Kemendagri", "Code of the Ministry of Home Affairs"}},
		{"kabupaten", "string", "#adm2+name", Words{"Kabupaten atau kota", "Regency or city"}},
		{"question", "string", "#indicator+code", Words{"Pertanyaan", "Question"}},
		{"question_text", "string", "#indicator+name", Words{"Bunyi pertanyaan", "Text of the question"}},
		{"round", "integer", "#indicator+round", Words{"Ronde", "Round"}},
		{"step", "string", "#indicator+step", Words{"Saat ditanyakan", "When it was asked"}},
		{"option", "string", "#indicator+option", Words{"Pilihan", "Option"}},
		{"option_text", "string", "#indicator+option+name", Words{"Bunyi pilihan", "Text of the option"}},
		{"right", "boolean", "#indicator+right", Words{"Benar", "Right"}},
		{"count", "integer", "#indicator+value+num", Words{"Orang; kosong kalau tidak ditampilkan", "People; empty when not shown"}},
		{"answered", "integer", "#indicator+total", Words{"Yang menjawab; kosong kalau tidak ditampilkan", "Who answered; empty when not shown"}},
		{"skipped", "integer", "#indicator+skipped", Words{"Yang melewati", "Who skipped"}},
		{"suppressed", "boolean", "#meta+suppressed", Words{"Tidak ditampilkan: kurang dari 10 yang menjawab, atau mereka bisa dihitung dari angka ini", "Not shown: fewer than 10 answered, or they could be worked out from it"}},
		{"data_quality", "string", "#meta+quality", Words{"Catatan tentang data", "Notes on the data"}},
		{"phase", "string", "#indicator+phase", Words{
			"before: putaran pertama sebelum film; after: putaran pertama sesudah film; after_talking: yang lain; kosong: tidak ada yang menjawab",
			"before: the first round before the film; after: the first after it; after_talking: every other; empty: nobody answered",
		}},
	},
	rows: func(r *Result, row func(cells ...any)) {
		shown := r.Totals()
		for _, s := range r.Screenings {
			for i := range s.Rounds {
				round := &s.Rounds[i]
				small := shown.hiddenRounds[round]
				for j, o := range round.Options {
					var count, answered, skipped any = round.Counts[j], round.Answered(), round.Skipped
					if small {
						count, answered, skipped = nil, nil, nil
					}
					row(s.ID, s.Date(), s.KodeKemendagri, s.Regency, round.ID, round.Text.ID, round.N, string(round.Step),
						o.ID, o.Text.ID, o.Right, count, answered, skipped, small, s.Quality, string(round.Phase))
				}
			}
		}
	},
}

var tables = []table{attendanceTable, sessionsTable, answersTable}

// code is a code that is a plain number in all sound packs.
type code string

// csv gives the bytes of the file. See the comment of package export for its rules.
func (t table) csv(r *Result, hxl bool) ([]byte, error) {
	var header []string
	for _, c := range t.columns {
		header = append(header, c.name)
	}
	var rows [][]string
	if hxl {
		var tags []string
		for _, c := range t.columns {
			tags = append(tags, c.hxl)
		}
		rows = append(rows, tags)
	}
	t.rows(r, func(cells ...any) {
		line := make([]string, len(cells))
		for i, c := range cells {
			line[i] = cell(c)
		}
		rows = append(rows, line)
	})
	return export.Table(header, rows)
}

func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case code:
		return export.Code(string(v))
	case string:
		if isISO(v) { // a date or a time, which spreadsheets may take as such
			return v
		}
		return export.Text(v)
	}
	panic("a cell of an unknown type") // only when a column is added and this is not
}

// isISO says whether a text is "2026-11-24" or "2026-11-24T19:00:00+08:00".
func isISO(s string) bool {
	const day, moment = "0000-00-00", "0000-00-00T00:00:00+00:00"
	var shape string
	switch len(s) {
	case len(day):
		shape = day
	case len(moment):
		shape = moment
	default:
		return false
	}
	for i := range len(s) {
		digit := s[i] >= '0' && s[i] <= '9'
		if shape[i] == '0' != digit || shape[i] != '0' && shape[i] != s[i] {
			return false
		}
	}
	return true
}
