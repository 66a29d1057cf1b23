package collect

import (
	"fmt"
	"io"

	"github.com/xuri/excelize/v2"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
)

// writeXLSForm writes a form for KoboToolbox and ODK, for evenings that are written down
// by hand: its questions have the names of the columns of attendance.csv, so that what
// is entered can be put under that table. One form is one screening; the groups repeat.
func writeXLSForm(w io.Writer) error {
	f := excelize.NewFile()
	defer f.Close() // its temporary files
	sheets := map[string][][]any{
		"survey": {
			{"type", "name", "label::Bahasa Indonesia (id)", "label::English (en)", "required", "constraint", "constraint_message::Bahasa Indonesia (id)", "constraint_message::English (en)", "relevant", "calculation", "default", "appearance", "choice_filter"},
		},
		"choices":  {{"list_name", "name", "label::Bahasa Indonesia (id)", "label::English (en)", "kode_bps"}},
		"settings": {{"form_title", "form_id", "version", "default_language", "instance_name"}, {"Pemutaran film / Film screening", "mimpi_screening", "1", "Bahasa Indonesia (id)", "concat(${started_at}, ' ', ${venue})"}},
	}
	titles := map[string]Words{}
	for _, c := range attendanceTable.columns {
		titles[c.name] = c.title
	}
	ask := func(kind, name string, label Words, more ...any) {
		row := append([]any{kind, name, label.ID, label.EN}, more...)
		sheets["survey"] = append(sheets["survey"], row)
	}
	column := func(kind, name string, more ...any) { ask(kind, name, titles[name], more...) }
	calculate := func(name, what string) { ask("calculate", name, Words{}, "", "", "", "", "", what) }
	const must, optional = "yes", ""

	calculate("schema_version", "1")
	calculate("session_id", "once(concat('h-', substr(uuid(), 0, 12)))")
	column("text", "device_id", must, "regex(., '^[A-Za-z0-9-]{1,36}$')", "Huruf, angka, dan tanda hubung saja", "Letters, digits and hyphens only")
	column("text", "programme", optional)
	column("text", "film_id", optional)
	column("text", "film_title", must)
	column("dateTime", "started_at", must)
	column("dateTime", "ended_at", optional, ". >= ${started_at}", "Selesai sesudah mulai", "It ends after it starts")
	calculate("utc_offset", "'+08:00'")
	calculate("clock_source", "'operator'")
	column("select_one kabupaten", "kode_kemendagri", must, "", "", "", "", "", "", "minimal autocomplete", "true()")
	calculate("kode_bps", "instance('kabupaten')/root/item[name=${kode_kemendagri}]/kode_bps")
	calculate("pcode", "concat('ID', ${kode_bps})")
	calculate("kabupaten", "jr:choice-name(${kode_kemendagri}, '${kode_kemendagri}')")
	column("text", "kecamatan", optional)
	column("text", "desa", optional)
	column("text", "venue", must)
	column("decimal", "lat", optional, ". >= -90 and . <= 90", "Dari -90 sampai 90", "From -90 to 90")
	column("decimal", "lon", optional, ". >= -180 and . <= 180", "Dari -180 sampai 180", "From -180 to 180")
	ask("begin_repeat", "groups", Words{"Kelompok", "Group"})
	column("select_one sex", "sex", must)
	column("select_one age", "age_group", must)
	column("select_one method", "count_method", must)
	whole := []any{must, ". >= 0 and . <= 100000", "Bilangan bulat dari 0", "A whole number from 0", "", "", "0"}
	column("integer", "count_in", whole...)
	column("integer", "count_out", whole...)
	column("integer", "corrections", must, "", "", "", "", "", "0")
	calculate("net_count", "${count_in} - ${count_out} + ${corrections}")
	calculate(export.SmallColumn, fmt.Sprintf("if(${net_count} > 0 and ${net_count} < %d, 'true', 'false')", screening.Fewest))
	ask("end_repeat", "", Words{})
	column("integer", "disability", optional, ". >= 0", "Bilangan bulat dari 0; kosong kalau tidak ditanyakan", "A whole number from 0; empty when nobody asked")
	column("text", "data_quality", optional)
	column("text", "operator_code", optional)
	column("text", "notes", optional)
	calculate("app_version", "'form 1'")

	for _, r := range regencies {
		sheets["choices"] = append(sheets["choices"], []any{"kabupaten", r[1], r[0], r[0], r[2]})
	}
	for _, c := range [][4]string{
		{"sex", "female", "Perempuan", "Female"}, {"sex", "male", "Laki-laki", "Male"},
		{"age", "18+", "18 tahun ke atas", "18 and over"}, {"age", "0-17", "Di bawah 18 tahun", "Under 18"},
		{"method", "press", "Dihitung satu per satu", "Counted one by one"}, {"method", "rows", "Dihitung per baris", "Counted by rows"},
	} {
		sheets["choices"] = append(sheets["choices"], []any{c[0], c[1], c[2], c[3]})
	}
	for i, name := range []string{"survey", "choices", "settings"} {
		var err error
		if i == 0 {
			err = f.SetSheetName("Sheet1", name)
		} else {
			_, err = f.NewSheet(name)
		}
		if err != nil {
			return err
		}
		for j, row := range sheets[name] {
			for k, v := range row {
				if v == "" {
					continue
				}
				if err := f.SetCellStr(name, at(k+1, j+1), v.(string)); err != nil {
					return err
				}
			}
		}
		if err := f.SetColWidth(name, "A", "M", 24); err != nil {
			return err
		}
	}
	return f.Write(w)
}
