package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/screening"
)

// Names of the files that show whether a pack is whole, and who says so.
const (
	SumsFile      = "SHA256SUMS"
	SignatureFile = "SHA256SUMS.minisig"
)

// sumEnding is put behind the name of a film for the file that remembers its checksum,
// written as sha256sum writes it.
const sumEnding = ".sha256"

var sumForm = regexp.MustCompile(`^([0-9a-fA-F]{64})[ \t]+\*?(.+)$`)

// ParseSums reads what sha256sum writes, also as Notepad and Windows change it: file,
// with slashes and relative to the pack, to checksum in small letters. badLine is the
// first line that makes no sense, 0 when all do.
func ParseSums(text []byte) (sums map[string]string, badLine int) {
	sums = map[string]string{}
	for n, line := range strings.Split(strings.TrimPrefix(string(text), "\ufeff"), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		m := sumForm.FindStringSubmatch(line)
		if m == nil {
			return nil, n + 1
		}
		name := path.Clean(strings.ReplaceAll(m[2], `\`, "/"))
		if !filepath.IsLocal(filepath.FromSlash(name)) || name == "." {
			return nil, n + 1
		}
		sums[name] = strings.ToLower(m[1])
	}
	return sums, 0
}

// hashFile reads a file from the medium, not from what the machine remembers of it, to
// its end. told hears of bytes as they are read; it may be nil.
func hashFile(ctx context.Context, file *os.File, told func(n int)) (string, error) {
	// Only a wish: what is remembered would hide what the medium has lost.
	_ = unix.Fadvise(int(file.Fd()), 0, 0, unix.FADV_DONTNEED)
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(sum, Counter{ctx, told}), file); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// sumIn gives the checksum that a list of them has of a file; "" when it has none, or is
// not there. badLine is that of ParseSums.
func sumIn(list, name string) (sum string, badLine int, err error) {
	text, err := readSmall(list)
	if errors.Is(err, fs.ErrNotExist) {
		return "", 0, nil
	}
	if err != nil {
		return "", 0, err
	}
	sums, badLine := ParseSums(text)
	return sums[name], badLine, nil
}

// remembered gives the checksum that was kept of the film: beside it, or in the
// SHA256SUMS of its pack; "" when nobody kept one.
func (f Film) remembered() (string, error) {
	base := filepath.Base(f.File)
	for _, place := range []struct{ file, name string }{
		{f.File + sumEnding, base},
		{filepath.Join(f.Dir, "..", SumsFile), filepath.Base(f.Dir) + "/" + filepath.ToSlash(strings.TrimPrefix(f.File, f.Dir+string(filepath.Separator)))},
	} {
		sum, bad, err := sumIn(place.file, place.name)
		if bad > 0 {
			err = fmt.Errorf("%s, line %d, is no checksum", filepath.Base(place.file), bad)
		}
		if err != nil || sum != "" {
			return sum, err
		}
	}
	return "", nil
}

func readSmall(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // read only: nothing to lose
	return io.ReadAll(io.LimitReader(file, maxText))
}

// CheckWhole reads the whole film from the card and compares it with the checksum that
// [AddFilm] kept: a card that forgets is found here and not by the audience. At 40 MB a
// second a film of 1 GB takes 25 s. told hears of bytes as they are read; it may be nil.
func (f Film) CheckWhole(ctx context.Context, told func(n int)) FilmReport {
	if f.File == "" || f.Missing {
		return f.Check()
	}
	wanted, err := f.remembered()
	if err != nil {
		return unreadable(err)
	}
	if wanted == "" {
		return FilmReport{Level: LevelNote,
			Message: screening.Text{"id": "Film belum punya catatan keutuhan, jadi kerusakan kartu tidak bisa ditemukan.", "en": "No checksum was kept of the film, so damage on the card cannot be found."},
			Hint:    screening.Text{"id": "Pasang film dengan: mimpi-kiosk pack add-film BERKAS", "en": "Put the film in place with: mimpi-kiosk pack add-film FILE"}}
	}
	file, err := os.Open(f.File)
	if err != nil {
		return unreadable(err)
	}
	defer file.Close() // read only: nothing to lose
	sum, err := hashFile(ctx, file, told)
	if err != nil {
		return unreadable(err)
	}
	if sum != wanted {
		return problem("Film berubah sejak dipasang: sedikitnya satu bit rusak di kartu.", "The film has changed since it was put in place: at least one bit is damaged on the card.",
			"Pasang lagi dari sumbernya dengan: mimpi-kiosk pack add-film BERKAS. Kalau terjadi lagi, ganti kartunya.",
			"Put it in place again from its source with: mimpi-kiosk pack add-film FILE. If it happens again, replace the card.")
	}
	return FilmReport{Level: LevelOK, Message: screening.Text{"id": "Film utuh: sama persis dengan waktu dipasang.", "en": "The film is whole: exactly as it was put in place."}}
}

// Rubbish says whether a name is one of what Windows and macOS leave in folders: it is no
// part of a pack.
func Rubbish(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains([]string{"desktop.ini", "thumbs.db", "system volume information", "$recycle.bin"}, strings.ToLower(name))
}

// eachFile visits the plain files of a pack, by name, but for those that hold checksums.
func eachFile(root *os.Root, visit func(name string) error) error {
	return fs.WalkDir(root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case name != "." && Rubbish(e.Name()):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir() || name == SumsFile || name == SignatureFile:
			return nil
		}
		return visit(name)
	})
}

// checkSums compares every file with SHA256SUMS, where the pack has it. Quick leaves out
// the contents of films and recordings.
func checkSums(ctx context.Context, f folder, quick bool, m *mistakes) {
	if _, err := f.root.Stat(SumsFile); errors.Is(err, fs.ErrNotExist) {
		return
	}
	text, ok := f.read(SumsFile, m)
	if !ok {
		return
	}
	sums, bad := ParseSums(text)
	if bad > 0 {
		m.add(SumsFile, bad, "Baris ini bukan catatan keutuhan. Buat lagi dengan: mimpi-kiosk pack sums FOLDER", "This line is no checksum. Make the file again with: mimpi-kiosk pack sums DIR")
		return
	}
	err := eachFile(f.root, func(name string) error {
		wanted := sums[name]
		delete(sums, name)
		if wanted == "" {
			m.add(name, 0, "Berkas ini tidak ada dalam SHA256SUMS. Hapus, atau buat lagi daftarnya dengan: mimpi-kiosk pack sums FOLDER", "This file is not in SHA256SUMS. Delete it, or make the list again with: mimpi-kiosk pack sums DIR")
			return nil
		}
		if top, _, _ := strings.Cut(name, "/"); quick && (top == "film" || top == "audio") {
			return nil
		}
		file, err := f.root.Open(filepath.FromSlash(name))
		if err != nil {
			m.unreadable(name, err)
			return nil
		}
		defer file.Close() // read only: nothing to lose
		sum, err := hashFile(ctx, file, nil)
		if err != nil {
			return err
		}
		if sum != wanted {
			m.add(name, 0, "Berkas ini rusak atau diubah: tidak cocok dengan SHA256SUMS. Salin lagi, atau kalau memang diubah buat lagi daftarnya dengan: mimpi-kiosk pack sums FOLDER",
				"This file is damaged or was changed: it does not match SHA256SUMS. Copy it again or, if it was meant to change, make the list again with: mimpi-kiosk pack sums DIR")
		}
		return nil
	})
	if err != nil {
		m.unreadable(SumsFile, err)
		return
	}
	lines := bytes.Split(text, []byte("\n"))
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		at := slices.IndexFunc(lines, func(l []byte) bool { return bytes.Contains(l, []byte(path.Base(name))) })
		m.add(SumsFile, at+1, "%s ada dalam daftar, tetapi tidak ada dalam paket. Salin lagi paketnya.", "%s is in the list, but not in the pack. Copy the pack again.", name)
	}
}
