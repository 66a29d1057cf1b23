package pack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"aead.dev/minisign"
	"github.com/google/renameio/v2"
	"golang.org/x/sys/unix"
)

// spareRoom is left free on the disk beside a film: the journal needs room too.
const spareRoom = 256 << 20

// Added is what [AddFilm] did.
type Added struct {
	File      string // absolute path of the film in the pack
	Sum       string // its SHA-256
	Before    string // the film file that the pack had before and does not use any more, absolute; "" when none is left over
	Unsigned  bool   // the signature of the pack was taken away: it was for another film
	SumsAnew  bool   // SHA256SUMS was made anew
	FilmTOML  string // absolute path
	FromSums  bool   // the source was compared with a checksum that lay beside it
	TotalSize int64
}

// ErrSourceDamaged says that the film is not what the checksum beside it says.
var ErrSourceDamaged = errors.New("film di sumber rusak: tidak cocok dengan catatan keutuhan di sebelahnya; salin lagi ke sana / " +
	"the film at the source is damaged: it does not match the checksum beside it; copy it there again")

// AddFilm copies a film into a pack: under a passing name, to the card, read back from the
// card and compared, and only then in place of an earlier one. Beside it lies its checksum
// (FILE.sha256) for [Film.CheckWhole], and film.toml names it. A source that has a checksum
// beside it (FILE.sha256 or SHA256SUMS) is held to it. Whether the film plays is for the
// caller to find out before, with [CheckFilm] and a trial. told hears of bytes copied and
// read back, twice the film in all; it may be nil.
func AddFilm(ctx context.Context, dir, source string, told func(n int)) (added Added, err error) {
	p, err := Load(dir)
	if err != nil {
		return added, err
	}
	in, err := os.Open(source)
	if err != nil {
		return added, err
	}
	defer in.Close() // read only: nothing to lose
	info, err := in.Stat()
	if err != nil {
		return added, err
	}
	missing, err := Lacks(p.Film.Dir, info.Size()+spareRoom)
	if err != nil {
		return added, err
	}
	if missing > 0 {
		return added, fmt.Errorf("kurang tempat: perlu %d MB lagi / not enough room: %d MB more are needed", missing, missing)
	}
	name := fileName(filepath.Base(source))
	final := filepath.Join(p.Film.Dir, name)
	tmp, err := os.CreateTemp(p.Film.Dir, ".film-*.part")
	if err != nil {
		return added, err
	}
	defer func() {
		_ = tmp.Close()
		if rerr := os.Remove(tmp.Name()); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}()
	sum := sha256.New()
	if _, err := io.Copy(io.MultiWriter(tmp, sum, Counter{ctx, told}), in); err != nil {
		return added, fmt.Errorf("copy the film: %w", err)
	}
	added = Added{File: final, Sum: fmt.Sprintf("%x", sum.Sum(nil)), FilmTOML: filepath.Join(p.Film.Dir, "film.toml"), TotalSize: info.Size()}
	if wanted, err := sumBeside(source); err != nil {
		return added, err
	} else if wanted != "" {
		if wanted != added.Sum {
			return added, ErrSourceDamaged
		}
		added.FromSums = true
	}
	if err := errors.Join(tmp.Chmod(0o644), tmp.Sync()); err != nil {
		return added, fmt.Errorf("write the film: %w", err)
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return added, err
	}
	back, err := hashFile(ctx, tmp, told)
	if err != nil {
		return added, fmt.Errorf("read the film back: %w", err)
	}
	if back != added.Sum {
		return added, errors.New("kartu mengembalikan data lain dari yang ditulis: ganti kartunya / the card gives back other data than was written: replace the card")
	}
	if err := os.Rename(tmp.Name(), final); err != nil {
		return added, err
	}
	if err := replace(final+sumEnding, fmt.Appendf(nil, "%s  %s\n", added.Sum, name)); err != nil {
		return added, fmt.Errorf("keep the checksum: %w", err)
	}
	if err := NameFilm(added.FilmTOML, name); err != nil {
		return added, err
	}
	if p.Film.File != "" && p.Film.File != final && !p.Film.Missing {
		added.Before = p.Film.File
	}
	return added, added.sumsAnew(ctx, p.Dir)
}

// sumsAnew makes SHA256SUMS anew where there was one. A signature was for the pack as it
// was.
func (a *Added) sumsAnew(ctx context.Context, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, SumsFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := WriteSums(ctx, dir); err != nil {
		return err
	}
	a.SumsAnew = true
	err := os.Remove(filepath.Join(dir, SignatureFile))
	a.Unsigned = err == nil
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Counter counts what passes, and ends it when nobody waits any more.
type Counter struct {
	Ended interface{ Err() error } // a context
	Told  func(n int)              // nil: nobody wants to know
}

func (c Counter) Write(p []byte) (int, error) {
	if c.Told != nil {
		c.Told(len(p))
	}
	return len(p), c.Ended.Err()
}

var notInFileName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// fileName makes of a film's name one that every file system and film.toml take.
func fileName(name string) string {
	ext := filepath.Ext(name)
	stem := strings.Trim(notInFileName.ReplaceAllString(strings.TrimSuffix(name, ext), "-"), "-.")
	if stem == "" {
		stem = "film"
	}
	return stem + strings.ToLower(notInFileName.ReplaceAllString(ext, ""))
}

// sumBeside gives the checksum that lies beside a file, "" when there is none.
func sumBeside(source string) (string, error) {
	base := filepath.Base(source)
	for _, file := range []string{source + sumEnding, filepath.Join(filepath.Dir(source), SumsFile)} {
		// One with a bad line is somebody's other file; it proves nothing, and gives none.
		if sum, _, err := sumIn(file, base); err != nil || sum != "" {
			return sum, err
		}
	}
	return "", nil
}

var fileKey = regexp.MustCompile(`(?m)^([ \t]*file[ \t]*=[ \t]*)("[^"\r\n]*"|'[^'\r\n]*')`)

// NameFilm writes the name of the film into the film.toml at path, and leaves all else in it
// as it is: remarks, ends of lines, byte order mark.
func NameFilm(path, name string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	// Below the first [[subtitles]] or [[pause_points]] "file" means another one.
	top := len(data)
	if at := firstTable.FindIndex(data); at != nil {
		top = at[0]
	}
	quoted := fmt.Sprintf("%q", name)
	if at := fileKey.FindSubmatchIndex(data[:top]); at != nil {
		data = bytes.Join([][]byte{data[:at[4]], []byte(quoted), data[at[5]:]}, nil)
	} else {
		line := "\n"
		if bytes.Contains(data, []byte("\r\n")) {
			line = "\r\n"
		}
		data = bytes.Join([][]byte{bytes.TrimRight(data[:top], "\r\n"), []byte(line + "file = " + quoted + line + line), data[top:]}, nil)
	}
	if err := replace(path, data); err != nil {
		return fmt.Errorf("write the film's name: %w", err)
	}
	return nil
}

var firstTable = regexp.MustCompile(`(?m)^[ \t]*\[`)

// WriteSums writes SHA256SUMS for all files of a pack, and gives what it wrote.
func WriteSums(ctx context.Context, dir string) ([]byte, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close() // read only: nothing to lose
	var sums bytes.Buffer
	err = eachFile(root, func(name string) error {
		file, err := root.Open(filepath.FromSlash(name))
		if err != nil {
			return err
		}
		defer file.Close() // read only
		sum, err := hashFile(ctx, file, nil)
		fmt.Fprintf(&sums, "%s  %s\n", sum, name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("checksums of the pack: %w", err)
	}
	if err := replace(filepath.Join(dir, SumsFile), sums.Bytes()); err != nil {
		return nil, fmt.Errorf("write %s: %w", SumsFile, err)
	}
	return sums.Bytes(), nil
}

// Sign writes SHA256SUMS and its signature, which minisign and kiosks check:
// "minisign -V -m SHA256SUMS -P KEY".
func Sign(ctx context.Context, dir string, key minisign.PrivateKey) error {
	p, err := Load(dir)
	if err != nil {
		return err
	}
	sums, err := WriteSums(ctx, dir)
	if err != nil {
		return err
	}
	r := minisign.NewReader(bytes.NewReader(sums))
	_, _ = io.Copy(io.Discard, r) // from memory
	signature := r.SignWithComments(key, "mimpi-kiosk pack "+p.ID, "signature of a screening pack, mimpi-kiosk")
	return replace(filepath.Join(dir, SignatureFile), signature)
}

// replace writes a file so that after a power cut either the old or the new content is there,
// whole, and after return the new one.
func replace(path string, data []byte) error {
	if err := renameio.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	return SyncDir(filepath.Dir(path)) // renameio does not sync the name
}

// SyncDir makes the names in a folder durable: after return a power cut does not undo what
// was made, renamed or removed in it.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Lacks is how many MB the disk of a folder has too few for so many bytes; 0: they fit.
func Lacks(dir string, bytes int64) (mb int64, err error) {
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err != nil {
		return 0, err
	}
	free := int64(disk.Bavail) * int64(disk.Bsize) // of other types in 32 bits
	if free >= bytes {
		return 0, nil
	}
	return (bytes-free)>>20 + 1, nil
}
