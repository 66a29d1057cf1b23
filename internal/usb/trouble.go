package usb

import "fmt"

// Why says what is wrong with a stick.
type Why string

// What the system finds.
const (
	Unformatted Why = "unformatted" // nothing on it that anybody knows
	NTFS        Why = "ntfs"
	Encrypted   Why = "encrypted"
	Unknown     Why = "unknown" // a file system that is not for sticks
	Damaged     Why = "damaged"
	Unreadable  Why = "unreadable" // the stick itself does not answer
	Protected   Why = "protected"  // read only: a switch on it, or a file system that is ill
	Held        Why = "busy"       // it could not be unmounted
	Invisible   Why = "invisible"  // mounted, but not where the daemon sees it
)

// What happens at the work.
const (
	PulledOut  Why = "pulled"   // in the middle
	Full       Why = "full"     // some screenings had no room
	Lying      Why = "lying"    // it did not give back what was written to it
	Failed     Why = "failed"   // writing or reading failed
	Unanswered Why = "silent"   // the system did not do what it was asked
	Withheld   Why = "withheld" // the kiosk's own settings forbid the export
	Incomplete Why = "journal"  // the journal gave some screenings not
)

// Trouble is an error with a sentence for people.
type Trouble struct {
	Why     Why
	Err     error             // for the log; may be nil
	Message map[string]string // in place of that of Why; may be nil
}

func (t *Trouble) Error() string {
	if t.Err == nil {
		return string(t.Why)
	}
	return fmt.Sprintf("%s: %v", t.Why, t.Err)
}

func (t *Trouble) Unwrap() error { return t.Err }

type sentence struct{ id, en, hintID, hintEN string }

var sentences = map[Why]sentence{
	Unformatted: {"Stik USB ini kosong atau belum diformat.", "This USB stick is empty or not formatted.",
		"Format di laptop sebagai FAT32 atau exFAT, atau pakai stik lain.", "Format it on a laptop as FAT32 or exFAT, or use another stick."},
	NTFS: {"Stik USB ini memakai NTFS, yang tidak bisa dipakai kios.", "This USB stick uses NTFS, which the kiosk cannot use.",
		"Format di laptop sebagai exFAT (semua isinya hilang), atau pakai stik lain.", "Format it on a laptop as exFAT (everything on it is lost), or use another stick."},
	Encrypted: {"Stik USB ini terkunci (BitLocker atau LUKS).", "This USB stick is locked (BitLocker or LUKS).",
		"Pakai stik yang tidak dikunci.", "Use a stick that is not encrypted."},
	Unknown: {"Format stik USB ini tidak dikenal kios.", "The kiosk does not know the format of this USB stick.",
		"Pakai stik FAT32 atau exFAT.", "Use a stick with FAT32 or exFAT."},
	Damaged: {"Isi stik USB ini rusak dan tidak bisa dibuka.", "What is on this USB stick is damaged and cannot be opened.",
		"Selamatkan isinya di laptop dan format ulang, atau pakai stik lain.", "Save what is on it with a laptop and format it anew, or use another stick."},
	Unreadable: {"Stik USB ini tidak bisa dibaca.", "This USB stick cannot be read.",
		"Cabut dan pasang lagi di colokan lain. Kalau tetap begitu, pakai stik lain.", "Take it out and plug it into another socket. If that does not help, use another stick."},
	Protected: {"Stik USB ini tidak bisa ditulisi.", "This USB stick cannot be written to.",
		"Geser sakelar kunci di stik kalau ada, atau pakai stik lain.", "Move the lock switch on the stick if it has one, or use another stick."},
	Held: {"Stik USB belum bisa dilepas dengan aman.", "The USB stick cannot be let go of safely yet.",
		"Tekan “Salin sekarang” sekali lagi. Kalau tetap begitu, matikan kotak dulu, baru cabut.", "Press “Copy now” once more. If that does not help, switch the box off before you take the stick out."},
	Invisible: {"Stik USB terpasang, tetapi program kios tidak bisa melihatnya.", "The USB stick is there, but the kiosk's program cannot see it.",
		"Nyalakan ulang kotak. Kalau tetap begitu, beri tahu koordinator.", "Restart the box. If that does not help, tell the coordinator."},
	PulledOut: {"Stik USB dicabut sebelum selesai. Tidak ada yang hilang di kios.", "The USB stick was taken out too early. Nothing is lost on the kiosk.",
		"Pasang lagi: penyalinan akan diselesaikan.", "Plug it in again: the copying will be finished."},
	Full: {"Stik USB penuh. Pemutaran terbaru sudah disalin.", "The USB stick is full. The newest screenings were copied.",
		"Kosongkan stik di laptop dan pasang lagi, atau pakai stik lain.", "Make room on the stick with a laptop and plug it in again, or use another stick."},
	Lying: {"Stik USB ini menghilangkan apa yang ditulis: rusak, atau palsu.", "This USB stick loses what is written to it: it is broken, or a fake.",
		"Jangan pakai stik ini lagi. Pakai stik lain.", "Do not use this stick any more. Use another one."},
	Failed: {"Menyalin ke stik USB gagal.", "Copying to the USB stick failed.",
		"Cabut dan pasang lagi. Kalau tetap gagal, pakai stik lain.", "Take it out and plug it in again. If it fails again, use another stick."},
	Unanswered: {"Sistem kotak tidak menjawab soal stik USB.", "The box's system does not answer about the USB stick.",
		"Matikan kotak sebelum mencabut stik. Beri tahu koordinator.", "Switch the box off before you take the stick out. Tell the coordinator."},
	Withheld: {"Tidak ada yang disalin: pengaturan enkripsi kios salah, dan tanpa itu semua orang bisa membaca.", "Nothing is copied: the kiosk's settings for encryption have a mistake, and without it everybody could read.",
		"Perbaiki age_recipients di pengaturan, lalu nyalakan ulang.", "Mend age_recipients in the settings, then restart."},
	Incomplete: {"Sebagian pemutaran tidak bisa dibaca dari jurnal kios. Yang lain sudah disalin.", "Some screenings cannot be read from the kiosk's journal. The others were copied.",
		"Beri tahu koordinator.", "Tell the coordinator."},
}

// Message and Hint are what people read, by language.
func (w Why) Message() map[string]string {
	s := sentences[w]
	return map[string]string{"id": s.id, "en": s.en}
}

func (w Why) Hint() map[string]string {
	s := sentences[w]
	return map[string]string{"id": s.hintID, "en": s.hintEN}
}
