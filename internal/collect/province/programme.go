package province

import "mimpi-kiosk/internal/screening"

func text(id, en string) screening.Text { return screening.Text{"id": id, "en": en} }

// Programme is what all evenings are held by: four groups, five questions, the right
// answer first.
func Programme() screening.Programme {
	p := screening.Programme{
		Pack: "mimpi-beta",
		Categories: []screening.Category{
			{ID: "woman", Label: text("Perempuan dewasa", "Woman"), Sex: "female", Age: "18+"},
			{ID: "man", Label: text("Laki-laki dewasa", "Man"), Sex: "male", Age: "18+"},
			{ID: "girl", Label: text("Anak perempuan", "Girl"), Sex: "female", Age: "0-17"},
			{ID: "boy", Label: text("Anak laki-laki", "Boy"), Sex: "male", Age: "0-17"},
		},
		Film:         screening.Film{ID: "mimpi-beta", Title: text("Mimpi Beta", "My Dream"), Duration: 600_000},
		ShareMinimum: 10,
	}
	for _, r := range [][4]string{
		{"kupang", "Kupang", "53.01", "5303"}, {"timor-tengah-selatan", "Timor Tengah Selatan", "53.02", "5304"},
		{"belu", "Belu", "53.04", "5306"}, {"flores-timur", "Flores Timur", "53.06", "5309"}, {"ende", "Ende", "53.08", "5311"},
		{"manggarai", "Manggarai", "53.10", "5313"}, {"sumba-timur", "Sumba Timur", "53.11", "5302"},
		{"nagekeo", "Nagekeo", "53.16", "5318"}, {"sumba-barat-daya", "Sumba Barat Daya", "53.18", "5317"},
		{"malaka", "Malaka", "53.21", "5321"}, {"kota-kupang", "Kota Kupang", "53.71", "5371"},
	} {
		p.Regencies = append(p.Regencies, screening.Regency{ID: r[0], Name: r[1], Kemendagri: r[2], BPS: r[3]})
	}
	both := []screening.Step{screening.PollBefore, screening.Discussion}
	for _, q := range [][]string{
		{"documents", "Siapa yang boleh menyimpan paspor Anda saat bekerja di luar negeri?", "Who may keep your passport while you work abroad?",
			"Saya sendiri", "I myself", "Majikan", "The employer", "Agen", "The agent"},
		{"fee", "Seorang calo menawarkan berangkat besok tanpa surat. Apa yang dilakukan?", "A broker offers to leave tomorrow without papers. What do you do?",
			"Bertanya dulu ke dinas tenaga kerja", "Ask the labour office first", "Berangkat", "Leave", "Membayar lebih murah", "Pay less"},
		{"help", "Ke mana meminta tolong di luar negeri?", "Where do you ask for help abroad?",
			"KBRI atau KJRI", "Embassy or consulate", "Tidak ada", "Nowhere", "Agen saja", "The agent only"},
		{"visa", "Visa mana untuk bekerja?", "Which visa is for work?",
			"Visa kerja", "A work visa", "Visa turis", "A tourist visa"},
		{"contract", "Kontrak kerja sebaiknya dalam bahasa apa?", "In which language should a contract be?",
			"Bahasa yang saya pahami", "One that I understand", "Bahasa majikan saja", "The employer's only", "Tidak perlu kontrak", "No contract is needed"},
	} {
		out := screening.Question{ID: q[0], Kind: screening.Single, Text: text(q[1], q[2]), Ask: both}
		for i := 3; i < len(q); i += 2 {
			out.Options = append(out.Options, screening.Option{ID: string(rune('a' + (i-3)/2)), Text: text(q[i], q[i+1]), Icon: "dot", Right: i == 3})
		}
		p.Questions = append(p.Questions, out)
	}
	return p
}
