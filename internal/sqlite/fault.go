package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"mimpi-kiosk/internal/screening"
)

// ErrDamaged marks a journal that cannot be read as it should. Close it, call
// [SetAside], and [Open] a new one.
var ErrDamaged = errors.New("the journal is damaged")

// Unread says whether the disk failed at reading a journal, for which it counts as
// damaged: a card that was busy with itself may read it a moment later.
func Unread(err error) bool {
	var e sqlite3.Error
	return errors.Is(err, ErrDamaged) && errors.As(err, &e) && e.Code == sqlite3.ErrIoErr
}

// Reason says what is wrong with a journal.
type Reason string

const (
	InUse    Reason = "in_use"    // another process has it open
	TooNew   Reason = "too_new"   // a newer version wrote it; it was not touched
	Damaged  Reason = "damaged"   // errors.Is(err, ErrDamaged)
	Missing  Reason = "missing"   // there is no journal to read
	Foreign  Reason = "foreign"   // a database, but not one of ours; it was not touched
	Full     Reason = "full"      // errors.Is(err, screening.ErrRefusedByDisk)
	ReadOnly Reason = "read_only" // errors.Is(err, screening.ErrRefusedByDisk)
	Busy     Reason = "busy"      // errors.Is(err, screening.ErrRefusedByDisk): another program holds it
	Unusable Reason = "unusable"  // anything else; the cause says what
)

// Fault is a failure of the journal with a sentence for the people of the evening.
// It wraps [ErrDamaged] or [screening.ErrRefusedByDisk] where its Reason says so,
// and the cause.
type Fault struct {
	Reason Reason
	Path   string // of the journal
	params []string
	cause  error // may be nil
}

func fault(reason Reason, path string, cause error, params ...string) *Fault {
	return &Fault{Reason: reason, Path: path, params: params, cause: cause}
}

// Error gives the English sentence and the cause.
func (f *Fault) Error() string {
	if f.cause == nil {
		return f.Message()["en"]
	}
	return f.Message()["en"] + " (" + f.cause.Error() + ")"
}

// Unwrap gives the mark that belongs to the Reason, and the cause.
func (f *Fault) Unwrap() []error {
	var out []error
	switch f.Reason {
	case Damaged:
		out = append(out, ErrDamaged)
	case Full, ReadOnly, Busy:
		out = append(out, screening.ErrRefusedByDisk)
	}
	if f.cause != nil {
		out = append(out, f.cause)
	}
	return out
}

// Message says in Indonesian and English what is wrong and what to do.
func (f *Fault) Message() screening.Text {
	fill := strings.NewReplacer(append([]string{"{path}", f.Path}, f.params...)...)
	out := screening.Text{}
	for lang, s := range sentences[f.Reason] {
		out[lang] = fill.Replace(s)
	}
	return out
}

var sentences = map[Reason]screening.Text{
	InUse: {
		"id": "Jurnal {path} sedang dipakai mimpi-kiosk lain (proses {pid}). Hentikan yang itu dulu, lalu mulai lagi.",
		"en": "The journal {path} is in use by another mimpi-kiosk (process {pid}). Stop that one first, then start again."},
	TooNew: {
		"id": "Jurnal {path} ditulis oleh mimpi-kiosk yang lebih baru ({found}). Pasang versi terbaru. Berkasnya tidak diubah.",
		"en": "The journal {path} was written by a newer mimpi-kiosk ({found}). Install the newest version. The file was not changed."},
	Damaged: {
		"id": "Jurnal {path} rusak. Simpan berkas itu apa adanya, jangan dihapus; jurnal baru bisa dimulai.",
		"en": "The journal {path} is damaged. Keep the file as it is, do not delete it; a new journal can be begun."},
	Missing: {
		"id": "Belum ada jurnal di {path}. Periksa nama foldernya.",
		"en": "There is no journal at {path} yet. Check the name of the folder."},
	Foreign: {
		"id": "Berkas {path} bukan jurnal mimpi-kiosk. Pilih folder data yang lain, atau pindahkan berkas itu.",
		"en": "The file {path} is not a journal of mimpi-kiosk. Choose another data folder, or move that file away."},
	Full: {
		"id": "Penyimpanan penuh: tidak ada yang bisa dicatat di {path}. Kosongkan ruang; pencatatan jalan lagi dengan sendirinya.",
		"en": "The disk is full: nothing can be recorded in {path}. Free some space; recording goes on by itself."},
	ReadOnly: {
		"id": "Penyimpanan hanya bisa dibaca: tidak ada yang bisa dicatat di {path}. Nyalakan ulang kotaknya; kalau tetap begitu, ganti kartu memorinya.",
		"en": "The disk can only be read: nothing can be recorded in {path}. Restart the box; if that does not help, replace the memory card."},
	Busy: {
		"id": "Program lain sedang menulis di jurnal {path}. Tutup program itu; pencatatan jalan lagi dengan sendirinya.",
		"en": "Another program is writing to the journal {path}. Close that program; recording goes on by itself."},
	Unusable: {
		"id": "Jurnal {path} tidak bisa dipakai. Nyalakan ulang; kalau tetap begitu, periksa penyimpanannya.",
		"en": "The journal {path} cannot be used. Start again; if that does not help, check the disk."},
}

// classify turns what SQLite or the file system said into a Fault. Errors that are
// Faults already, and those of a context, pass through.
func classify(path string, err error) error {
	if f := (*Fault)(nil); err == nil || errors.As(err, &f) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fault(reasonOf(err), path, err)
}

func reasonOf(err error) Reason {
	var e sqlite3.Error
	if !errors.As(err, &e) {
		var errno syscall.Errno
		if errors.As(err, &errno) {
			return reasonOfErrno(errno)
		}
		return Unusable
	}
	switch e.Code {
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return Damaged
	case sqlite3.ErrFull:
		return Full
	case sqlite3.ErrReadonly:
		if e.ExtendedCode == sqlite3.ErrReadonlyDbMoved {
			return Unusable // the file was taken away while it was open
		}
		return ReadOnly
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return Busy
	case sqlite3.ErrCantOpen:
		return reasonOfErrno(e.SystemErrno)
	case sqlite3.ErrIoErr:
		switch e.ExtendedCode {
		case sqlite3.ErrIoErrFsync, sqlite3.ErrIoErrDirFsync:
			// Whatever the errno: after a failed sync nobody knows what is on the disk.
			return Unusable
		case sqlite3.ErrIoErrRead, sqlite3.ErrIoErr.Extend(33): // 33: the file system says that it is corrupt
			if e.SystemErrno == syscall.EIO {
				return Damaged // a bad spot of the card
			}
		}
		return reasonOfErrno(e.SystemErrno)
	}
	return Unusable
}

func reasonOfErrno(e syscall.Errno) Reason {
	switch e {
	case syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG:
		return Full
	case syscall.EROFS, syscall.EACCES, syscall.EPERM:
		return ReadOnly
	}
	return Unusable
}

func damaged(path, format string, args ...any) *Fault {
	return fault(Damaged, path, fmt.Errorf(format, args...))
}
