package screening

import "slices"

// NoteList is one question about the evening that the facilitator may answer by a few
// taps. There is no free text: nothing of a person can be written down.
type NoteList struct {
	ID      string       `json:"id"`
	Title   Text         `json:"title"`
	Choices []NoteChoice `json:"choices"`
}

// NoteChoice is something that the facilitator may tap.
type NoteChoice struct {
	ID   string `json:"id"` // as the journal and the exports write it; never changes
	Text Text   `json:"text"`
	Icon string `json:"icon"`
}

// NoteLists are all that can be noted. Those who came back from working away are not among
// those who stayed away: in a village that would point at a few.
var NoteLists = [3]NoteList{
	{"went", Text{"id": "Bagaimana jalannya acara?", "en": "How did it go?"}, []NoteChoice{
		{"lively_talk", Text{"id": "Diskusi ramai", "en": "A lively talk"}, "message"},
		{"took_cards", Text{"id": "Banyak yang ambil kartu bantuan", "en": "Many took a help card"}, "help"},
		{"split_by_language", Text{"id": "Dibagi per bahasa", "en": "Split by language"}, "languages"},
		{"rain_on_roof", Text{"id": "Hujan di atap", "en": "Rain on the roof"}, "rain"},
		{"power_failed", Text{"id": "Listrik padam", "en": "The power failed"}, "no-power"},
		{"film_stopped", Text{"id": "Film macet", "en": "The film stopped"}, "film"},
		{"sound_too_quiet", Text{"id": "Suara kurang keras", "en": "Sound too quiet"}, "volume-off"},
		{"picture_too_pale", Text{"id": "Gambar kurang terang", "en": "Picture too pale"}, "sun"},
		{"too_crowded", Text{"id": "Tempat terlalu sempit", "en": "Too little room"}, "people"},
		{"too_little_time", Text{"id": "Waktu kurang", "en": "Too little time"}, "clock"},
		{"people_left_early", Text{"id": "Banyak pulang lebih awal", "en": "Many left early"}, "log-out"},
		{"women_said_little", Text{"id": "Perempuan jarang bicara", "en": "Women said little"}, "person-woman"},
	}},
	{"away", Text{"id": "Siapa yang sedikit datang?", "en": "Who stayed away?"}, []NoteChoice{
		{"women", Text{"id": "Perempuan", "en": "Women"}, "person-woman"},
		{"men", Text{"id": "Laki-laki", "en": "Men"}, "person-man"},
		{"young_people", Text{"id": "Anak muda", "en": "Young people"}, "young"},
		{"older_people", Text{"id": "Orang tua lanjut usia", "en": "Older people"}, "person-old"},
		{"people_with_disabilities", Text{"id": "Orang dengan disabilitas", "en": "People with disabilities"}, "wheelchair"},
		{"far_hamlets", Text{"id": "Warga dusun jauh", "en": "People of far hamlets"}, "pin"},
	}},
	{"why", Text{"id": "Mengapa?", "en": "Why?"}, []NoteChoice{
		{"field_work", Text{"id": "Kerja di kebun atau laut", "en": "Work in field or at sea"}, "field"},
		{"duties_at_home", Text{"id": "Urusan rumah dan anak", "en": "Home and children"}, "house"},
		{"worship_or_ceremony", Text{"id": "Ibadah atau pesta adat", "en": "Worship or ceremony"}, "calendar"},
		{"school_or_market", Text{"id": "Sekolah atau hari pasar", "en": "School or market day"}, "market"},
		{"far_no_transport", Text{"id": "Jauh, tidak ada angkutan", "en": "Far, no transport"}, "bus"},
		{"rain_or_road", Text{"id": "Hujan atau jalan rusak", "en": "Rain or bad road"}, "rain"},
		{"hard_to_enter", Text{"id": "Tempat sulit dimasuki", "en": "Hard to get in"}, "open-door"},
		{"not_told_in_time", Text{"id": "Terlambat diberi tahu", "en": "Not told in time"}, "clock"},
		{"shy_or_afraid", Text{"id": "Malu atau takut", "en": "Shy or afraid"}, "hand"},
	}},
}

// Word gives the words for a code; of a code that a newer version knows, the code itself.
func (l NoteList) Word(code string) Text {
	for _, c := range l.Choices {
		if c.ID == code {
			return c.Text
		}
	}
	return Text{"id": code, "en": code}
}

// inOrder gives the codes in the order of the list, each once; ok is false when one is unknown.
func (l NoteList) inOrder(codes []string) (out []string, ok bool) {
	out = []string{}
	for _, c := range l.Choices {
		if slices.Contains(codes, c.ID) {
			out = append(out, c.ID)
		}
	}
	return out, !slices.ContainsFunc(codes, func(code string) bool { return !slices.Contains(out, code) })
}

// Codes gives what was noted, by NoteLists.
func (n EveningNoted) Codes() [len(NoteLists)][]string {
	return [...][]string{n.Went, n.Away, n.Why}
}

// Noted is one list of which something was noted, in words.
type Noted struct {
	Title Text   `json:"title"`
	Said  []Text `json:"said"`
}

// InWords gives what was noted for people to read.
func (n EveningNoted) InWords() []Noted {
	out := []Noted{}
	for i, codes := range n.Codes() {
		if len(codes) == 0 {
			continue
		}
		noted := Noted{Title: NoteLists[i].Title}
		for _, code := range codes {
			noted.Said = append(noted.Said, NoteLists[i].Word(code))
		}
		out = append(out, noted)
	}
	return out
}

// MayNote says whether the evening can be noted: when it closes, and after its end until the
// next one is planned.
func (s *State) MayNote() bool { return s.Step == Closing || s.Step == Ended }

func (s *State) decideNote(c NoteEvening) ([]Event, *Refusal) {
	if !s.MayNote() {
		return nil, refuse(TooEarlyToNote)
	}
	changed := false
	for i, codes := range []*[]string{&c.Went, &c.Away, &c.Why} {
		sorted, ok := NoteLists[i].inOrder(*codes)
		if !ok {
			return nil, refuse(UnknownNote)
		}
		*codes = sorted
		changed = changed || !slices.Equal(sorted, s.Note.Codes()[i])
	}
	if !changed {
		return nil, nil
	}
	return events(c.EveningNoted)
}
