package collect

import (
	"encoding/json"
)

type field struct {
	Name        string   `json:"name"`
	Type        string   `json:"type"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	TrueValues  []string `json:"trueValues,omitempty"`
	FalseValues []string `json:"falseValues,omitempty"`
}

// datapackage describes the CSV files as Frictionless Data has it.
func datapackage() ([]byte, error) {
	type schema struct {
		Fields        []field  `json:"fields"`
		PrimaryKey    []string `json:"primaryKey"`
		MissingValues []string `json:"missingValues"`
	}
	type resource struct {
		Name     string         `json:"name"`
		Path     string         `json:"path"`
		Profile  string         `json:"profile"`
		Title    string         `json:"title"`
		Format   string         `json:"format"`
		Encoding string         `json:"encoding"`
		Dialect  map[string]any `json:"dialect"`
		Schema   schema         `json:"schema"`
	}
	var resources []resource
	for _, t := range tables {
		r := resource{
			Name: t.name[:len(t.name)-len(".csv")], Path: t.name, Profile: "tabular-data-resource",
			Title: t.title.ID + " / " + t.title.EN, Format: "csv", Encoding: "utf-8",
			Dialect: map[string]any{"delimiter": ";", "quoteChar": "\"", "doubleQuote": true, "lineTerminator": "\r\n", "header": true},
			Schema:  schema{PrimaryKey: t.key, MissingValues: []string{""}},
		}
		for _, c := range t.columns {
			f := field{Name: c.name, Type: c.kind, Title: c.title.ID, Description: c.title.EN}
			if c.kind == "boolean" {
				f.TrueValues, f.FalseValues = []string{"true"}, []string{"false"}
			}
			r.Schema.Fields = append(r.Schema.Fields, f)
		}
		resources = append(resources, r)
	}
	b, err := json.MarshalIndent(map[string]any{
		"name":    "mimpi-kiosk",
		"profile": "tabular-data-package",
		"title":   "Pemutaran film / Film screenings",
		"description": "Di sel yang mulai dengan apostrof, sisanya adalah isinya: apostrof itu menahan lembar kerja mengubah isi sel. " +
			"Where a cell begins with an apostrophe, the rest is the text: it keeps spreadsheets from changing what the cell says. " +
			"Tidak ada data pribadi. / There is no personal data.",
		"resources": resources,
	}, "", "  ")
	return append(b, '\n'), err
}
