package collect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// merge makes one of the copies of each screening.
func merge(read []*version, opts Options) *Result {
	out := &Result{}
	byID := map[string][]*version{}
	for _, v := range read {
		if v != nil {
			byID[v.ID] = append(byID[v.ID], v)
		}
	}
	keys := map[string]map[string]int{} // screenings by kiosk and key
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		v := pick(byID[id], out)
		if v == nil {
			continue
		}
		if keys[v.Kiosk] == nil {
			keys[v.Kiosk] = map[string]int{}
		}
		keys[v.Kiosk][v.Key]++
		if v.Rehearsal && !opts.Rehearsals {
			out.Rehearsals++
			continue
		}
		out.Screenings = append(out.Screenings, v.Screening)
	}
	slices.SortFunc(out.Screenings, func(a, b *Screening) int {
		return cmp.Or(cmp.Compare(a.HeldAt, b.HeldAt), cmp.Compare(a.ID, b.ID))
	})
	for _, id := range slices.Sorted(maps.Keys(keys)) {
		out.addKiosk(id, keys[id])
	}
	return out
}

func (r *Result) addKiosk(id string, keys map[string]int) {
	k := Kiosk{ID: id}
	var signed []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		k.Screenings += keys[key]
		if key != "" {
			signed = append(signed, fmt.Sprintf("%s (%d)", key, keys[key]))
			k.Key = key
		}
	}
	r.Kiosks = append(r.Kiosks, k)
	if len(signed) > 1 {
		r.Problems = append(r.Problems, Problem{Level: Doubt, Kind: KeyChanged, Path: id,
			What: say("Kiosk ini menandatangani dengan %d kunci: %s.", "This kiosk signs with %d keys: %s.", len(signed), strings.Join(signed, ", ")),
			Do:   Words{"Tanyakan apakah kiosk itu dipasang ulang. Kalau tidak, ada yang memakai namanya.", "Ask whether the kiosk was set up anew. If not, somebody uses its name."}})
	}
}

// pick gives the copy that counts; nil when none does.
func pick(all []*version, out *Result) *version {
	slices.SortFunc(all, func(a, b *version) int {
		return cmp.Or(cmp.Compare(b.history.last, a.history.last), cmp.Compare(len(b.history.prints), len(a.history.prints)),
			cmp.Compare(rank(b), rank(a)), cmp.Compare(a.path, b.path))
	})
	// Each history by its longest copy.
	var histories [][]*version
	for _, v := range all {
		i := slices.IndexFunc(histories, func(h []*version) bool { return v.history.beginningOf(h[0].history) })
		if i < 0 {
			histories = append(histories, []*version{v})
			continue
		}
		histories[i] = append(histories[i], v)
	}
	if len(histories) == 1 {
		all[0].Copies = len(all)
		out.Twice += len(all) - 1
		return all[0]
	}
	var best []*version
	signed := 0
	for _, h := range histories {
		if slices.ContainsFunc(h, func(v *version) bool { return v.trusted }) {
			signed++
			best = h
		}
	}
	p := Problem{Level: Missing, Kind: Histories, Path: all[0].path, Screening: all[0].ID}
	var where []string
	for _, h := range histories {
		where = append(where, fmt.Sprintf("%s (kiosk %s, %d)", h[0].path, h[0].Kiosk, h[0].People()))
	}
	list := strings.Join(where, "; ")
	if signed != 1 {
		p.What = say("Ada %d riwayat berbeda dengan nomor pemutaran yang sama, dan tidak ada yang dihitung: %s.",
			"There are %d different histories under the same screening id, and none of them counts: %s.", len(histories), list)
		p.Do = Words{"Putuskan yang mana yang benar, pindahkan yang lain, lalu jalankan lagi.", "Decide which one is true, move the others away, and run again."}
		out.Problems = append(out.Problems, p)
		return nil
	}
	p.Level = Doubt
	p.What = say("Ada %d riwayat berbeda dengan nomor pemutaran yang sama. Yang dihitung hanya yang bertanda tangan, di %s. Semua: %s.",
		"There are %d different histories under the same screening id. Only the signed one counts, in %s. All: %s.", len(histories), best[0].path, list)
	p.Do = Words{"Cari tahu dari mana yang lain berasal.", "Find out where the others come from."}
	out.Problems = append(out.Problems, p)
	best[0].Copies = len(best)
	out.Twice += len(best) - 1
	return best[0]
}

func rank(v *version) int {
	if v.trusted {
		return 1
	}
	return 0
}
