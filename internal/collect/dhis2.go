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

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/kiosk-ui/lang"
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
// problems, and left out. So are small groups, and what they could be worked out from.
func writeDHIS2(w io.Writer, r *Result, m *Mapping) ([]Problem, error) {
	sums := map[dataValue]int{}
	lost := map[string]int{}
	t := r.Totals()
	hidden := t.hiddenPeriods(r, func(s *Screening) string { return m.OrgUnits[s.KodeKemendagri] + " " + m.period(s) })
	small := map[dataValue]bool{}
	for _, s := range r.Screenings {
		if s.Rehearsal {
			continue
		}
		unit := m.OrgUnits[s.KodeKemendagri]
		if unit == "" {
			lost["orgUnits["+s.KodeKemendagri+"]"]++
			continue
		}
		period := m.period(s)
		if period == "" {
			lost["date of "+s.ID]++
			continue
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
			if hidden[s].groups || t.merged(g.Category) {
				small[value] = true
			}
		}
		if value.DataElement = m.DataElements.Screenings; value.DataElement != "" {
			sums[value]++
		}
		if value.DataElement = m.DataElements.Disability; value.DataElement != "" && s.Disability != nil {
			sums[value] += *s.Disability
			small[value] = small[value] || hidden[s].disability
		}
	}
	out := struct {
		DataSet    string      `json:"dataSet,omitempty"`
		DataValues []dataValue `json:"dataValues"`
	}{m.DataSet, []dataValue{}}
	left := 0
	for v, n := range sums {
		if small[v] {
			left += min(n, 1)
			continue
		}
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
	if left > 0 {
		problems = append(problems, Problem{Level: Note, Kind: Suppressed, Path: DHIS2File,
			What: words(lang.Text("collect.dhis2_small", lang.Params{"n": left, "fewest": screening.Fewest})),
			Do:   words(lang.Text("collect.dhis2_small_do"))})
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return problems, enc.Encode(out)
}

// period gives the period of a screening as DHIS2 writes it, or "".
func (m *Mapping) period(s *Screening) string {
	period := strings.ReplaceAll(s.Date(), "-", "")
	switch {
	case len(period) != 8:
		return ""
	case m.Period == "monthly":
		return period[:6]
	}
	return period
}

// notSent says what of a screening's sum with others is left out.
type notSent struct{ groups, disability bool }

// hiddenPeriods says which sums of screenings with the same key (place and period) may not
// be shown: beside the other reports they would tell of screenings that these leave out.
// A sum may be shown where the parts that they leave out are none, or large enough, and
// so is what it leaves over.
func (t *Totals) hiddenPeriods(r *Result, key func(*Screening) string) map[*Screening]notSent {
	out := map[*Screening]notSent{}
	for i := range t.Regencies {
		reg := &t.Regencies[i]
		var keys []string
		all := map[string][]*Screening{}
		for _, s := range r.Screenings {
			if s.Rehearsal || s.regency() != reg.key() {
				continue
			}
			if all[key(s)] == nil {
				keys = append(keys, key(s))
			}
			all[key(s)] = append(all[key(s)], s)
		}
		var groups, disability [][]int
		for _, k := range keys {
			parts, asked := make([]int, len(t.Columns)), []int{0}
			for _, s := range all[k] {
				if t.hidden[s] {
					for j, n := range t.columns(t.byGroup(s)) {
						parts[j] += n
					}
				}
				if t.hiddenDisability[s] {
					asked[0] += s.disability()
				}
			}
			groups, disability = append(groups, parts), append(disability, asked)
		}
		hideGroups, hideDisability := screening.HideRows(groups), screening.HideRows(disability)
		for j, k := range keys {
			for _, s := range all[k] {
				out[s] = notSent{reg.Hidden || hideGroups[j], reg.HiddenDisability || hideDisability[j]}
			}
		}
	}
	return out
}

// merged says whether a group is shown only together with others.
func (t *Totals) merged(c *Category) bool {
	return slices.ContainsFunc(t.Columns, func(col Column) bool {
		return len(col.Groups) > 1 && slices.ContainsFunc(col.Groups, func(i int) bool { return t.Groups[i].key() == c.key() })
	})
}
