package collect

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// Mapping says where figures go in a DHIS2. All ids are DHIS2's, of 11 characters.
type Mapping struct {
	DataSet string `json:"dataSet"` // "" for none
	Period  string `json:"period"`  // "daily" (yyyyMMdd) or "monthly" (yyyyMM)
	// OrgUnits by kode_kemendagri ("53.18").
	OrgUnits     map[string]string `json:"orgUnits"`
	DataElements struct {
		Attendance string `json:"attendance"`
		Screenings string `json:"screenings"` // "" leaves them out
		Disability string `json:"disability"` // "" leaves it out
	} `json:"dataElements"`
	// CategoryOptionCombos by "SEX|AGE" ("female|0-17") for attendance.
	CategoryOptionCombos map[string]string `json:"categoryOptionCombos"`
	AttributeOptionCombo string            `json:"attributeOptionCombo"` // "" for none
}

var dhis2ID = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9]{10}$`)

// ReadMapping reads a mapping file.
func ReadMapping(r io.Reader) (*Mapping, error) {
	var m Mapping
	dec := json.NewDecoder(io.LimitReader(r, 4<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("the mapping for DHIS2: %w", err)
	}
	var wrong []string
	check := func(name, id string, optional bool) {
		if !(optional && id == "") && !dhis2ID.MatchString(id) {
			wrong = append(wrong, fmt.Sprintf("%s is %q: give an id of DHIS2, 11 letters and digits that begin with a letter", name, id))
		}
	}
	check("dataSet", m.DataSet, true)
	check("dataElements.attendance", m.DataElements.Attendance, false)
	check("dataElements.screenings", m.DataElements.Screenings, true)
	check("dataElements.disability", m.DataElements.Disability, true)
	check("attributeOptionCombo", m.AttributeOptionCombo, true)
	for _, code := range slices.Sorted(maps.Keys(m.OrgUnits)) {
		check("orgUnits["+code+"]", m.OrgUnits[code], false)
	}
	for _, group := range slices.Sorted(maps.Keys(m.CategoryOptionCombos)) {
		check("categoryOptionCombos["+group+"]", m.CategoryOptionCombos[group], false)
	}
	if m.Period != "daily" && m.Period != "monthly" {
		wrong = append(wrong, fmt.Sprintf(`period is %q: give "daily" or "monthly"`, m.Period))
	}
	if len(wrong) > 0 {
		return nil, errors.New("the mapping for DHIS2: " + strings.Join(wrong, "; "))
	}
	return &m, nil
}

// dataValue is one value as DHIS2's dataValueSets takes it.
type dataValue struct {
	DataElement          string `json:"dataElement"`
	Period               string `json:"period"`
	OrgUnit              string `json:"orgUnit"`
	CategoryOptionCombo  string `json:"categoryOptionCombo,omitempty"`
	AttributeOptionCombo string `json:"attributeOptionCombo,omitempty"`
	Value                string `json:"value"`
}

// writeDHIS2 adds up by place and period. What the mapping has no place for is told as
// problems, and left out.
func writeDHIS2(w io.Writer, r *Result, m *Mapping) ([]Problem, error) {
	sums := map[dataValue]int{}
	lost := map[string]int{}
	for _, s := range r.Screenings {
		if s.Rehearsal {
			continue
		}
		unit := m.OrgUnits[s.KodeKemendagri]
		if unit == "" {
			lost["orgUnits["+s.KodeKemendagri+"]"]++
			continue
		}
		period := strings.ReplaceAll(s.Date(), "-", "")
		if len(period) != 8 {
			lost["date of "+s.ID]++
			continue
		}
		if m.Period == "monthly" {
			period = period[:6]
		}
		value := dataValue{Period: period, OrgUnit: unit, AttributeOptionCombo: m.AttributeOptionCombo}
		for _, g := range s.Groups {
			value := value
			value.DataElement = m.DataElements.Attendance
			value.CategoryOptionCombo = m.CategoryOptionCombos[g.Sex+"|"+g.Age]
			if value.CategoryOptionCombo == "" {
				lost["categoryOptionCombos["+g.Sex+"|"+g.Age+"]"]++
				continue
			}
			sums[value] += g.Net
		}
		if value.DataElement = m.DataElements.Screenings; value.DataElement != "" {
			sums[value]++
		}
		if value.DataElement = m.DataElements.Disability; value.DataElement != "" && s.Disability != nil {
			sums[value] += *s.Disability
		}
	}
	out := struct {
		DataSet    string      `json:"dataSet,omitempty"`
		DataValues []dataValue `json:"dataValues"`
	}{m.DataSet, []dataValue{}}
	for v, n := range sums {
		v.Value = fmt.Sprint(n)
		out.DataValues = append(out.DataValues, v)
	}
	slices.SortFunc(out.DataValues, func(a, b dataValue) int {
		return cmp.Or(cmp.Compare(a.Period, b.Period), cmp.Compare(a.OrgUnit, b.OrgUnit), cmp.Compare(a.DataElement, b.DataElement), cmp.Compare(a.CategoryOptionCombo, b.CategoryOptionCombo))
	})
	var problems []Problem
	for _, what := range slices.Sorted(maps.Keys(lost)) {
		problems = append(problems, Problem{Level: Doubt, Kind: Unmapped, Path: what,
			What: say("Tidak ada tempatnya di berkas pemetaan DHIS2; %d angka ditinggalkan.", "The mapping for DHIS2 has no place for it; %d figures were left out.", lost[what]),
			Do:   Words{"Tambahkan ke berkas pemetaan.", "Add it to the mapping file."}})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return problems, enc.Encode(out)
}
