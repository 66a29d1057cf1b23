package screening

import "strings"

// Reason is why a command was refused; stable, part of the outside contract.
type Reason string

const (
	NoScreening         Reason = "no_screening"
	ScreeningGoingOn    Reason = "screening_going_on"
	UnknownRegency      Reason = "unknown_regency"
	VenueMissing        Reason = "venue_missing"
	TextTooLong         Reason = "text_too_long"
	UnknownAudience     Reason = "unknown_audience"
	DateMissing         Reason = "date_missing"
	UnknownStep         Reason = "unknown_step"
	DoorsAreClosed      Reason = "doors_closed"
	UnknownCategory     Reason = "unknown_category"
	NothingToUndo       Reason = "nothing_to_undo"
	BelowZero           Reason = "below_zero"
	DeltaOutOfRange     Reason = "delta_out_of_range"
	ReasonMissing       Reason = "reason_missing"
	RowNameMissing      Reason = "row_name_missing"
	NumberOutOfRange    Reason = "number_out_of_range"
	UnknownQuestion     Reason = "unknown_question"
	NoQuestionsNow      Reason = "no_questions_now"
	AnotherQuestionOpen Reason = "another_question_open"
	QuestionNotOpen     Reason = "question_not_open"
	CloseQuestionFirst  Reason = "close_question_first"
	QuestionNotAsked    Reason = "question_not_asked"
	AlreadyRevealed     Reason = "already_revealed"
	AskedAgainLater     Reason = "asked_again_later"
	ResultsAfterFilm    Reason = "results_after_film"
	WrongScreening      Reason = "wrong_screening"
	OldRound            Reason = "old_round"
	UnknownOption       Reason = "unknown_option"
	OneChoiceOnly       Reason = "one_choice_only"
	UnknownChannel      Reason = "unknown_channel"
	VoterMissing        Reason = "voter_missing"
	PhonesMayNot        Reason = "phones_may_not"
	TooSoon             Reason = "too_soon"
	MoreThanButtons     Reason = "more_than_buttons"
	UnknownDoubt        Reason = "unknown_doubt"
	FilmMissing         Reason = "film_missing"
	NotInFilm           Reason = "not_in_film"
	UnknownSubtitles    Reason = "unknown_subtitles"
	VolumeOutOfRange    Reason = "volume_out_of_range"
	SoundLagOutOfRange  Reason = "sound_lag_out_of_range"
	UnknownPage         Reason = "unknown_page"
	TooEarlyToNote      Reason = "too_early_to_note"
	UnknownNote         Reason = "unknown_note"
	ClockImplausible    Reason = "clock_implausible"
	CommandWithoutID    Reason = "command_without_id"
)

// Refusal is a command that the rules do not allow now. Nothing was changed.
type Refusal struct {
	Reason Reason
	params []string // pairs for strings.NewReplacer
}

func refuse(r Reason, params ...string) *Refusal { return &Refusal{Reason: r, params: params} }

// Error gives the English sentence.
func (r *Refusal) Error() string { return r.Message()["en"] }

// Message gives the sentence for the person who asked, in Indonesian and English:
// what is wrong and what to do.
func (r *Refusal) Message() Text {
	fill := strings.NewReplacer(r.params...)
	out := Text{}
	for lang, s := range sentences[r.Reason] {
		out[lang] = fill.Replace(s)
	}
	return out
}

var sentences = map[Reason]Text{
	NoScreening: {
		"id": "Belum ada pemutaran. Isi dulu tempat dan tanggalnya.",
		"en": "There is no screening yet. First fill in where and when."},
	ScreeningGoingOn: {
		"id": "Pemutaran di {venue} masih berjalan. Akhiri dulu, baru mulai yang baru.",
		"en": "The screening at {venue} is still going on. End it first, then begin a new one."},
	UnknownRegency: {
		"id": "Kabupaten belum dipilih. Pilih satu dari daftar.",
		"en": "No regency is chosen. Choose one from the list."},
	VenueMissing: {
		"id": "Nama tempat masih kosong. Tulis nama desa, sekolah, atau gedungnya.",
		"en": "The venue is empty. Write the name of the village, school or hall."},
	TextTooLong: {
		"id": "Tulisan terlalu panjang: paling banyak {max} huruf.",
		"en": "The text is too long: {max} characters at most."},
	UnknownAudience: {
		"id": "Pilih siapa penontonnya: pelajar atau umum.",
		"en": "Choose who the audience is: students or general public."},
	DateMissing: {
		"id": "Tanggal dan jam belum benar. Periksa, lalu isi lagi.",
		"en": "The date and time are not right. Check them and enter them again."},
	UnknownStep: {
		"id": "Bagian acara ini tidak dikenal. Muat ulang halaman.",
		"en": "This part of the evening is not known. Reload the page."},
	DoorsAreClosed: {
		"id": "Pintu sudah ditutup, jadi belum dihitung. Fasilitator dapat membuka pintu lagi.",
		"en": "The doors are closed, so this was not counted. The facilitator can reopen the doors."},
	UnknownCategory: {
		"id": "Kelompok ini tidak ada dalam daftar hitungan. Muat ulang halaman.",
		"en": "This group is not among those that are counted. Reload the page."},
	NothingToUndo: {
		"id": "Tidak ada hitungan dari tombol ini yang bisa dibatalkan.",
		"en": "There is no press from here that can be undone."},
	BelowZero: {
		"id": "Jumlahnya akan kurang dari nol. Periksa angkanya.",
		"en": "The number would fall below zero. Check the figure."},
	DeltaOutOfRange: {
		"id": "Koreksi harus antara -9999 dan 9999, dan bukan 0.",
		"en": "A correction is from -9999 to 9999, and not 0."},
	ReasonMissing: {
		"id": "Tulis alasan koreksi, paling sedikit 3 huruf.",
		"en": "Write the reason of the correction, 3 characters at least."},
	RowNameMissing: {
		"id": "Baris mana yang dihitung? Tulis nomor atau namanya.",
		"en": "Which row was counted? Write its number or name."},
	NumberOutOfRange: {
		"id": "Angkanya harus antara 0 dan {max}.",
		"en": "The number must be from 0 to {max}."},
	UnknownQuestion: {
		"id": "Pertanyaan ini tidak ada dalam acara malam ini. Muat ulang halaman.",
		"en": "This question is not part of this screening. Reload the page."},
	NoQuestionsNow: {
		"id": "Sekarang bukan waktunya bertanya. Pindah dulu ke pertanyaan awal, film, atau diskusi.",
		"en": "This is not the time for questions. Go to the first poll, the film or the discussion."},
	AnotherQuestionOpen: {
		"id": "Pertanyaan lain masih dibuka. Tutup dulu, baru buka yang ini.",
		"en": "Another question is still open. Close it first, then open this one."},
	PhonesMayNot: {
		"id": "Kali ini memilih hanya di kotak. Pergi ke layar sentuh untuk menjawab.",
		"en": "This time votes are cast at the kiosk only. Go to the touch screen to answer."},
	QuestionNotOpen: {
		"id": "Pertanyaan ini sedang tidak dibuka, jadi jawaban tidak diterima.",
		"en": "This question is not open, so the answer was not taken."},
	CloseQuestionFirst: {
		"id": "Pertanyaan masih dibuka. Tutup dulu supaya semua sempat menjawab.",
		"en": "The question is still open. Close it first so that all have had their say."},
	QuestionNotAsked: {
		"id": "Pertanyaan ini belum pernah dibuka. Buka dulu.",
		"en": "This question has not been asked yet. Open it first."},
	AlreadyRevealed: {
		"id": "Hasilnya sudah ditunjukkan. Buka lagi pertanyaannya kalau mau mengubah.",
		"en": "The result has been shown. Reopen the question to change it."},
	AskedAgainLater: {
		"id": "Pertanyaan ini akan ditanyakan lagi setelah film. Jangan tunjukkan hasilnya sekarang.",
		"en": "This question is asked again after the film. Its result is not shown now."},
	ResultsAfterFilm: {
		"id": "Film belum diputar. Hasil dan jawaban baru ditunjukkan sesudah film.",
		"en": "The film has not been shown. Results and answers are shown after the film only."},
	WrongScreening: {
		"id": "Ini untuk acara yang lain, jadi tidak diterima. Muat ulang halaman.",
		"en": "This belongs to another screening, so it was not taken. Reload the page."},
	OldRound: {
		"id": "Putaran ini sudah selesai. Silakan jawab lagi di putaran yang baru.",
		"en": "This round is over. Please answer again in the new round."},
	UnknownOption: {
		"id": "Pilihan ini tidak ada. Muat ulang halaman.",
		"en": "There is no such choice. Reload the page."},
	OneChoiceOnly: {
		"id": "Pilih satu saja.",
		"en": "Choose one only."},
	UnknownChannel: {
		"id": "Cara menjawab ini tidak dikenal. Muat ulang halaman.",
		"en": "This way of answering is not known. Reload the page."},
	VoterMissing: {
		"id": "Telepon ini belum dikenal. Muat ulang halaman.",
		"en": "This phone is not known yet. Reload the page."},
	TooSoon: {
		"id": "Terima kasih. Tunggu sebentar, lalu orang berikutnya.",
		"en": "Thank you. Wait a moment, then the next person."},
	MoreThanButtons: {
		"id": "Pilihannya lebih banyak daripada tombol. Jawab di layar sentuh, telepon, atau dengan angkat tangan.",
		"en": "There are more choices than buttons. Answer on the touch screen, by phone or by raised hands."},
	UnknownDoubt: {
		"id": "Catatan ini sudah diperiksa atau berubah. Lihat lagi daftarnya.",
		"en": "This note has been dealt with, or has changed. Look at the list again."},
	FilmMissing: {
		"id": "Film belum ada di kotak ini. Masukkan filmnya, atau lanjut ke diskusi.",
		"en": "The film is not on this kiosk. Add it, or go on to the discussion."},
	NotInFilm: {
		"id": "Pindah dulu ke bagian film, dan tutup pertanyaan yang masih dibuka.",
		"en": "Go to the film first, and close the question that is still open."},
	UnknownSubtitles: {
		"id": "Teks dalam bahasa ini tidak ada untuk film ini.",
		"en": "There are no subtitles in this language for this film."},
	SoundLagOutOfRange: {
		"id": "Suara dan gambar bisa digeser dari -500 sampai 1500 milidetik.",
		"en": "Sound and picture can be set apart by -500 to 1500 milliseconds."},
	VolumeOutOfRange: {
		"id": "Suara harus antara 0 dan 100.",
		"en": "The volume is from 0 to 100."},
	UnknownPage: {
		"id": "Halaman layar ini tidak dikenal. Muat ulang halaman.",
		"en": "This page of the projector is not known. Reload the page."},
	TooEarlyToNote: {
		"id": "Acara belum selesai. Catat jalannya acara saat penutupan atau sesudahnya.",
		"en": "The evening is not over. Note how it went at the closing, or after the end."},
	UnknownNote: {
		"id": "Pilihan ini tidak ada dalam daftar catatan. Muat ulang halaman.",
		"en": "This is not on the list of what can be noted. Reload the page."},
	ClockImplausible: {
		"id": "Tanggal ini tidak masuk akal: {now}. Periksa jam di telepon Anda.",
		"en": "This date is not plausible: {now}. Check the clock of your phone."},
	CommandWithoutID: {
		"id": "Perintah ini tidak lengkap. Muat ulang halaman.",
		"en": "This command is incomplete. Reload the page."},
}
