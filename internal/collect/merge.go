package collect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"mimpi-kiosk/kiosk-ui/lang"
)

// merge makes one of the copies of each screening. It also gives the copy that counts, of
// rehearsals too, and all sound ones, by screening.
func merge(read []*version, opts Options) (out *Result, counts map[string]*version, byID map[string][]*version) {
	out, counts, byID = &Result{}, map[string]*version{}, map[string][]*version{}
	strays := map[string][]*version{} // by kiosk
	signs := signers{}
	for _, v := range read {
		switch {
		case v == nil:
		case v.stray:
			strays[v.Kiosk] = append(strays[v.Kiosk], v)
		default:
			byID[v.ID] = append(byID[v.ID], v)
			signs.add(v)
		}
	}
	unsigned := map[string][]*version{} // that count, by kiosk
	screenings := map[string]int{}      // by kiosk
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		v := pick(byID[id], signs, out)
		if v == nil {
			continue
		}
		counts[id] = v
		screenings[v.Kiosk]++
		if v.Key == "" {
			unsigned[v.Kiosk] = append(unsigned[v.Kiosk], v)
		}
		if v.Rehearsal && !opts.Rehearsals {
			out.Rehearsals++
			continue
		}
		out.Screenings = append(out.Screenings, v.Screening)
	}
	slices.SortFunc(out.Screenings, func(a, b *Screening) int {
		return cmp.Or(cmp.Compare(a.HeldAt, b.HeldAt), cmp.Compare(a.ID, b.ID))
	})
	for _, id := range slices.Sorted(maps.Keys(screenings)) {
		out.addKiosk(id, screenings[id], signs[id], unsigned[id], opts.Keys[id])
	}
	for _, id := range slices.Sorted(maps.Keys(strays)) {
		out.addStray(id, strays[id])
	}
	return out, counts, byID
}

// signers are the screenings of which there is a sound signed copy, by kiosk and key.
type signers map[string]map[string]map[string]bool

func (s signers) add(v *version) {
	if v.Key == "" {
		return
	}
	if s[v.Kiosk] == nil {
		s[v.Kiosk] = map[string]map[string]bool{}
	}
	if s[v.Kiosk][v.Key] == nil {
		s[v.Kiosk][v.Key] = map[string]bool{}
	}
	s[v.Kiosk][v.Key][v.ID] = true
}

// others says of how many other screenings of the kiosk the copy's key is.
func (s signers) others(v *version) int {
	n := len(s[v.Kiosk][v.Key])
	if s[v.Kiosk][v.Key][v.ID] {
		n--
	}
	return n
}

func (r *Result) addKiosk(id string, screenings int, keys map[string]map[string]bool, unsigned []*version, known []string) {
	k := Kiosk{ID: id, Screenings: screenings}
	var signed []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		signed = append(signed, fmt.Sprintf("%s (%d)", key, len(keys[key])))
		if k.Key == "" || len(keys[key]) > len(keys[k.Key]) {
			k.Key = key
		}
	}
	r.Kiosks = append(r.Kiosks, k)
	if len(signed) > 1 && known == nil {
		r.Problems = append(r.Problems, Problem{Level: Doubt, Kind: KeyChanged, Path: id,
			What: say("Kiosk ini menandatangani dengan %d kunci: %s.", "This kiosk signs with %d keys: %s.", len(signed), strings.Join(signed, ", ")),
			Do:   words(lang.Text("collect.key.two_do"))})
	}
	if len(signed) > 0 && len(unsigned) > 0 {
		r.Problems = append(r.Problems, Problem{Level: Doubt, Kind: Signature, Path: unsigned[0].path,
			What: words(lang.Text("collect.key.unsigned", lang.Params{"kiosk": id, "list": paths(unsigned)})),
			Do:   words(lang.Text("collect.key.unsigned_do"))})
	}
}

// addStray names a kiosk that the list of known keys lacks.
func (r *Result) addStray(id string, all []*version) {
	var keys []string
	ids := map[string]bool{}
	for _, v := range all {
		keys = append(keys, cmp.Or(v.Key, "-"))
		ids[v.ID] = true
	}
	slices.Sort(keys)
	slices.SortFunc(all, func(a, b *version) int { return strings.Compare(a.path, b.path) })
	r.Problems = append(r.Problems, Problem{Level: Missing, Kind: Unlisted, Path: all[0].path,
		What: words(lang.Text("collect.key.unlisted", lang.Params{"kiosk": id, "n": len(ids), "keys": strings.Join(slices.Compact(keys), ", ")})),
		Do:   words(lang.Text("collect.key.unlisted_do"))})
}

// paths names the first few copies.
func paths(all []*version) string {
	const few = 3
	var out []string
	for _, v := range all[:min(len(all), few)] {
		out = append(out, v.path)
	}
	if len(all) > few {
		out = append(out, fmt.Sprintf("+%d", len(all)-few))
	}
	return strings.Join(out, ", ")
}

// pick gives the copy that counts; nil when none does.
func pick(all []*version, signs signers, out *Result) *version {
	slices.SortFunc(all, func(a, b *version) int {
		return cmp.Or(cmp.Compare(b.history.last, a.history.last), cmp.Compare(len(b.history.prints), len(a.history.prints)),
			cmp.Compare(rank(b), rank(a)), cmp.Compare(a.path, b.path))
	})
	able := authority(all, signs)
	histories := historiesOf(able)
	if len(histories) > 1 {
		out.histories(Missing, histories, say("Ada %d riwayat berbeda dengan nomor pemutaran yang sama, dan tidak ada yang dihitung: %s.",
			"There are %d different histories under the same screening id, and none of them counts: %s.", len(histories), list(histories)),
			Words{"Putuskan yang mana yang benar, pindahkan yang lain, lalu jalankan lagi.", "Decide which one is true, move the others away, and run again."})
		return nil
	}
	v := shortestSigned(able)
	sound := 0
	var beyond []*version
	for _, o := range all {
		if o.history.beginningOf(v.history) {
			sound++
		} else {
			beyond = append(beyond, o)
		}
	}
	v.Copies = sound
	out.Twice += sound - 1
	for _, h := range historiesOf(beyond) {
		out.beyond(v, h, slices.Contains(able, h[0]))
	}
	return v
}

// authority gives the copies that say what a screening came to: those that are signed,
// where any are; of those signed by several keys that the list of known keys does not have,
// the ones by the key that alone has signed other screenings of the kiosk, else all.
func authority(all []*version, signs signers) []*version {
	keys, of := map[string]bool{}, map[string]bool{}
	for _, v := range all {
		if v.Key != "" {
			keys[v.Key] = true
			if signs.others(v) > 0 {
				of[v.Key] = true
			}
		}
	}
	if len(of) != 1 || all[0].vouched {
		of = keys
	}
	if len(keys) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(v *version) bool { return !of[v.Key] })
}

// shortestSigned gives the longest copy, of copies of one history. Where they are signed by
// several keys, and nothing says which one is the kiosk's, it is the longest that all keys
// agree on.
func shortestSigned(able []*version) *version {
	if able[0].vouched {
		return able[0]
	}
	v := able[0]
	longest := map[string]bool{} // the longest copies come first
	for _, o := range able {
		if !longest[o.Key] {
			longest[o.Key], v = true, o
		}
	}
	if v.history.last == able[0].history.last && len(v.history.prints) == len(able[0].history.prints) {
		return able[0]
	}
	return v
}

// historiesOf puts copies that are beginnings of one another together, the longest first.
func historiesOf(all []*version) [][]*version {
	var out [][]*version
	for _, v := range all {
		i := slices.IndexFunc(out, func(h []*version) bool { return v.history.beginningOf(h[0].history) })
		if i < 0 {
			out = append(out, []*version{v})
			continue
		}
		out[i] = append(out[i], v)
	}
	return out
}

func list(histories [][]*version) string {
	var where []string
	for _, h := range histories {
		where = append(where, fmt.Sprintf("%s (kiosk %s, %d)", h[0].path, h[0].Kiosk, h[0].People()))
	}
	return strings.Join(where, "; ")
}

func (r *Result) histories(l Level, histories [][]*version, what, do Words) {
	r.Problems = append(r.Problems, Problem{Level: l, Kind: Histories, Path: histories[0][0].path, Screening: histories[0][0].ID, What: what, Do: do})
}

// beyond names copies that are sound and go further than the one that counts, or elsewhere.
func (r *Result) beyond(v *version, h []*version, equal bool) {
	o := h[0]
	if !v.history.beginningOf(o.history) && o.Key != "" {
		r.histories(Doubt, [][]*version{h, {v}}, words(lang.Text("collect.histories.own_key", lang.Params{"path": v.path, "list": list([][]*version{{v}, h})})),
			words(lang.Text("collect.longer.do")))
		return
	}
	if !v.history.beginningOf(o.history) {
		r.histories(Doubt, [][]*version{h, {v}}, say("Ada %d riwayat berbeda dengan nomor pemutaran yang sama. Yang dihitung hanya yang bertanda tangan, di %s. Semua: %s.",
			"There are %d different histories under the same screening id. Only the signed one counts, in %s. All: %s.", 2, v.path, list([][]*version{{v}, h})),
			Words{"Cari tahu dari mana yang lain berasal.", "Find out where the others come from."})
		return
	}
	p := Problem{Level: Doubt, Kind: Signature, Path: o.path, Screening: o.ID}
	switch {
	case equal:
		p.What = words(lang.Text("collect.longer.two_keys", lang.Params{"kiosk": v.Kiosk, "path": v.path, "people": v.People(), "more": o.People(), "key": v.Key, "other": o.Key}))
		p.Do = words(lang.Text("collect.longer.two_keys_do", lang.Params{"kiosk": v.Kiosk}))
	case o.Key == "":
		p.What = words(lang.Text("collect.longer.unsigned", lang.Params{"path": v.path, "people": v.People(), "more": o.People()}))
		p.Do = words(lang.Text("collect.longer.do"))
	default:
		p.What = words(lang.Text("collect.longer.other_key", lang.Params{"path": v.path, "people": v.People(), "more": o.People()}))
		p.Do = words(lang.Text("collect.longer.do"))
	}
	r.Problems = append(r.Problems, p)
}

func rank(v *version) int {
	if v.trusted {
		return 1
	}
	return 0
}
