package box

import (
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/health"
)

const (
	spaceNote    = 500 << 20 // bytes that a daemon may still use
	spaceProblem = 50 << 20
	inodeNote    = 2000
	inodeProblem = 100
)

// disk says how much room there is for the journal.
func (w *Watch) disk() *health.Part {
	var fs unix.Statfs_t
	if err := unix.Statfs(w.Data, &fs); err != nil {
		return part("disk", health.Problem,
			"Penyimpanan tidak menjawab: "+err.Error(), "The storage does not answer: "+err.Error(),
			"Nyalakan ulang kotak. Kalau tetap begitu, ganti kartu memorinya.", "Restart the box. If that does not help, replace the memory card.")
	}
	inodes := fs.Ffree
	if fs.Files == 0 { // a file system without a fixed number of them
		inodes = inodeNote
	}
	return spaceIn(fs.Bavail*uint64(fs.Bsize), inodes, fs.Flags&unix.ST_RDONLY != 0)
}

func spaceIn(free, inodes uint64, readOnly bool) *health.Part {
	hint := []string{
		"Salin hasil pemutaran ke laptop, lalu minta teknisi mengosongkan kartu memori.",
		"Copy the results to a laptop, then ask the technician to free space on the memory card.",
	}
	megabytes := free >> 20
	switch {
	case readOnly:
		return part("disk", health.Problem, "Kartu memori hanya bisa dibaca: hitungan tidak bisa disimpan.",
			"The memory card can only be read: counts cannot be saved.",
			"Nyalakan ulang kotak. Kalau tetap begitu, ganti kartu memorinya.", "Restart the box. If that does not help, replace the memory card.")
	case free < spaceProblem || inodes < inodeProblem:
		return part("disk", health.Problem, fmt.Sprintf("Kartu memori hampir penuh: sisa %d MB.", megabytes),
			fmt.Sprintf("The memory card is almost full: %d MB left.", megabytes), hint...)
	case free < spaceNote || inodes < inodeNote:
		return part("disk", health.Note, fmt.Sprintf("Ruang kartu memori tinggal sedikit: %d MB.", megabytes/50*50),
			fmt.Sprintf("There is little room on the memory card: %d MB.", megabytes/50*50), hint...)
	}
	return part("disk", health.OK, "Ruang kartu memori cukup.", "There is enough room on the memory card.")
}

// replaceCard is the remedy for a card that fails, in Indonesian and English.
func replaceCard() []string {
	return []string{
		"Salin hasil pemutaran ke laptop hari ini, lalu ganti kartu memorinya.",
		"Copy the results to a laptop today, then replace the memory card.",
	}
}

// cardRecord is what the kernel and the card say of the card's past: errors that ext4
// has met, and how much of an eMMC's life is used up. Cheap cards say nothing.
func (w *Watch) cardRecord() *health.Part {
	known := false
	for _, f := range w.glob("sys/fs/ext4/*/errors_count") {
		n, ok := number(f)
		known = known || ok
		if n > 0 {
			name := filepath.Base(filepath.Dir(f))
			return part("card", health.Problem, fmt.Sprintf("Kartu memori (%s) sudah %d kali salah.", name, n),
				fmt.Sprintf("The memory card (%s) has had %d errors.", name, n), replaceCard()...)
		}
	}
	worst := int64(0)
	for _, f := range w.glob("sys/block/mmcblk*/device/pre_eol_info") {
		n, ok := number(f)
		known = known || ok && n > 0
		worst = max(worst, n-1) // 1 is normal, 2 warns, 3 is urgent
	}
	for _, f := range w.glob("sys/block/mmcblk*/device/life_time") {
		for _, kind := range strings.Fields(word(f)) { // of two kinds of memory, in tenths; 0x0b is over
			var n int64
			if _, err := fmt.Sscanf(kind, "0x%x", &n); err == nil && n > 0 {
				known = true
				worst = max(worst, n-9)
			}
		}
	}
	switch {
	case worst >= 2:
		return part("card", health.Problem, "Kartu memori sudah aus.", "The memory card is worn out.", replaceCard()...)
	case worst == 1:
		return part("card", health.Note, "Kartu memori hampir aus.", "The memory card is almost worn out.",
			"Ganti kartu memorinya sebelum pemutaran berikutnya.", "Replace the memory card before the next screening.")
	case !known:
		return nil
	}
	return part("card", health.OK, "Kartu memori belum pernah salah.", "The memory card has had no errors.")
}

// saving says whether commits are slow. How slow is not said where all is well, so
// that the screens need not change with every commit.
func (w *Watch) saving() *health.Part {
	if w.Commits == nil {
		return nil
	}
	slow, of, longest := w.Commits.Slow(limp)
	if slow >= 3 || of > 0 && longest > 4*limp {
		return part("saving", health.Note,
			fmt.Sprintf("Kartu memori lambat: menyimpan sampai %.1f detik.", longest.Seconds()),
			fmt.Sprintf("The memory card is slow: saving takes up to %.1f seconds.", longest.Seconds()),
			"Semua tetap tersimpan; tunggu lampu sebelum menekan lagi. Ganti kartu memorinya setelah malam ini.",
			"Everything is still saved; wait for the light before the next press. Replace the memory card after this evening.")
	}
	return part("saving", health.OK, "Menyimpan berjalan cepat.", "Saving is fast.")
}
