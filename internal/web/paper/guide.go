package paper

import (
	"time"

	"mimpi-kiosk/internal/screening"
)

// Section is a part of the guide. Lines are in order; Do and Dont, where they are, stand
// side by side.
type Section struct {
	Title    screening.Text
	Lines    []screening.Text
	Do, Dont []screening.Text
}

func both(id, en string) screening.Text { return screening.Text{"id": id, "en": en} }

// Statement says who wrote the guide and the questions.
var Statement = both(
	"Pertanyaan dan panduan ini disusun oleh tim kios, bukan buku panduan resmi film. Periksa nomor dan aturan sebelum dipakai.",
	"These questions and this guide were written by the kiosk team and are not the film's official guidebook. Check numbers and rules before use.",
)

// GuideTitle is that of our own guide.
var GuideTitle = both("Panduan singkat fasilitator", "Short guide for facilitators")

// Guide is our own short guide, for evenings without the official one. What it says of care
// follows the World Health Organization's recommendations for interviewing trafficked women
// (2003) and the questions' own sources; see media/README.md.
var Guide = []Section{
	{Title: both("Untuk apa", "What it is for"), Lines: []screening.Text{
		both("Bekerja jauh adalah hak dan pilihan. Kita membantu orang memilih dengan aman, bukan menakut-nakuti, menyalahkan atau melarang.",
			"Working away is a right and a choice. We help people choose safely; we do not frighten, blame or forbid."),
	}},
	{Title: both("Sehari sebelumnya", "The day before"), Lines: []screening.Text{
		both("Tonton filmnya sampai selesai.", "Watch the whole film."),
		both("Telepon setiap nomor bantuan, lalu tulis tanggalnya.", "Call every help number and write down the date."),
		both("Sepakati satu layanan setempat yang bisa dihubungi malam itu.", "Agree with one local service that can be reached that evening."),
		both("Bertugaslah berdua: satu memimpin, satu mendampingi dengan tenang.", "Be two: one leads, one supports quietly."),
		both("Pilih sudut yang tenang dan jalan keluar yang bebas.", "Choose a quiet corner, and keep the ways out clear."),
		both("Beri tahu aparat desa, dan sediakan lebih dari satu jalan minta tolong: perekrut bisa saja keluarga atau aparat.",
			"Tell the village officials, and offer more than one way to get help: a recruiter may be a relative or an official."),
	}},
	{Title: both("Pembukaan, 5 menit", "Opening, 5 minutes"), Lines: []screening.Text{
		both("Ceritakan isi filmnya, dan bahwa ada adegan yang berat.", "Say what the film is about, and that some scenes are hard."),
		both("“Boleh keluar, boleh diam, boleh tidak menjawab. Tidak ada nama. Jangan memotret.”", "“You may leave, stay silent, or not answer. There are no names. Please take no pictures.”"),
	}},
	{Title: both("Pertanyaan sebelum film, 5 menit", "Questions before the film, 5 minutes"), Lines: []screening.Text{
		both("Bacakan pertanyaan dan tunjukkan gambarnya. Jangan beri tahu jawabannya, dan jangan melihat jari orang.", "Read the question and show the pictures. Do not give the answer away, and do not watch people's fingers."),
	}},
	{Title: both("Film", "The film"), Lines: []screening.Text{
		both("Hentikan kalau ada yang tidak kuat menontonnya. Temannya mendampingi.", "Stop if somebody cannot bear it. Your partner stays with them."),
	}},
	{Title: both("Pertanyaan dan percakapan, 25 sampai 30 menit", "Questions and talk, 25 to 30 minutes"), Lines: []screening.Text{
		both("Buka hasilnya satu per satu dan jelaskan, lalu bicarakan dalam kelompok kecil, dalam bahasa sehari-hari.", "Show the results one by one and explain them, then talk in small groups, in the language of every day."),
		both("Bicarakan tokoh cerita atau “seseorang”, jangan “kamu”.", "Talk about the person in the story or “someone”, never “you”."),
	}, Do: []screening.Text{
		both("“Apa yang bisa dilakukan tokoh cerita?”", "“What could the person in the story do?”"),
		both("Katakan penyintas, tanpa dokumen, nonprosedural.", "Say survivor, undocumented, outside procedure."),
		both("Salahkan penipuan, bukan keluarga.", "Blame the deception, not the family."),
		both("Hentikan cerita pribadi dengan lembut, tawarkan bicara berdua.", "Gently stop a personal story, and offer to talk in private."),
		both("“Saya belum tahu, kita periksa.”", "“I do not know, we will find out.”"),
	}, Dont: []screening.Text{
		both("“Siapa di sini pernah mengalami?”", "“Who here has experienced this?”"),
		both("Jangan berkata ilegal, bodoh, salah sendiri.", "Do not say illegal, stupid, their own fault."),
		both("Jangan sebut nama orang, agen atau desa.", "Name no person, agency or village."),
		both("Jangan minta rincian atau bukti.", "Ask for no details and no proof."),
		both("Jangan janjikan penyelamatan, uang atau penangkapan.", "Promise no rescue, money or arrest."),
	}},
	{Title: both("Kalau ada yang bercerita kepada Anda", "If somebody tells you something"), Lines: []screening.Text{
		both("Pergi ke tempat yang tenang. Dengarkan, ucapkan terima kasih, jangan bertanya rinci. Katakan: ini bukan salahmu.", "Go to a quiet place. Listen, thank them, ask for no details. Say: it is not your fault."),
		both("Jelaskan pilihannya. Orang dewasa memutuskan sendiri. Berikan kartu tanpa dilihat orang.", "Explain the choices. An adult decides for themselves. Hand over the card unseen."),
		both("Bahaya sekarang: 110. Anak-anak: ikuti aturan perlindungan anak dari lembaga Anda.", "Danger now: 110. A child: follow your organisation's child protection rules."),
		both("Jangan tulis apa pun, juga tidak di kios.", "Write nothing down, not on the kiosk either."),
	}},
	{Title: both("Penutup, 5 menit", "Closing, 5 minutes"), Lines: []screening.Text{
		both("Ulangi tiga langkah: tanya, periksa, simpan nomor.", "Repeat three steps: ask, check, keep the number."),
		both("Letakkan kartu di tempat yang bisa diambil tanpa dilihat orang, misalnya dekat kamar kecil.", "Leave cards where they can be taken unseen, by the toilets for instance."),
		both("Sesudahnya bicaralah berdua tentang bagaimana keadaan kalian. Catat jumlah dan masalah saja, tanpa nama.", "Afterwards talk with your partner about how you both are. Record numbers and problems only, no names."),
	}},
}

// GuidePDF gives our own guide as a PDF in a language.
func GuidePDF(lang, doWord, dontWord string, made time.Time) ([]byte, error) {
	const margin, foot = 20.0, 22.0
	w := a4Wide - 2*margin
	p := newPage(lang, GuideTitle.In(lang), made)
	p.AddPage()
	y := margin
	// room begins a new page where the next part would run over the foot.
	room := func(high float64) {
		if y+high > a4High-foot {
			p.words(margin, a4High-foot+4, w, 8, "", "L", Statement.In(lang))
			p.AddPage()
			y = margin
		}
	}
	put := func(x, at, w, size float64, style, text string) float64 {
		return p.words(x, at, w, size, style, "L", text)
	}
	y += put(margin, y, w, 24, "B", GuideTitle.In(lang)) + 2
	y += put(margin, y, w, 9, "I", Statement.In(lang)) + 4
	for _, s := range Guide {
		room(24)
		y += put(margin, y, w, 13, "B", s.Title.In(lang)) + 1
		for _, line := range s.Lines {
			room(14)
			put(margin, y, 5, 11, "", "•")
			y += put(margin+5, y, w-5, 11, "", line.In(lang)) + 1
		}
		if len(s.Do) > 0 {
			room(70)
			left, right := y, y
			half := w/2 - 3
			left += put(margin, left, half, 11, "B", doWord) + 1
			right += put(margin+half+6, right, half, 11, "B", dontWord) + 1
			for _, line := range s.Do {
				left += put(margin, left, half, 10, "", line.In(lang)) + 1
			}
			for _, line := range s.Dont {
				right += put(margin+half+6, right, half, 10, "", line.In(lang)) + 1
			}
			y = max(left, right)
		}
		y += 3
	}
	p.words(margin, a4High-foot+4, w, 8, "", "L", Statement.In(lang))
	return p.bytes()
}
