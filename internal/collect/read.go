package collect

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"aead.dev/minisign"
	"filippo.io/age"

	"mimpi-kiosk/internal/export"
)

// version is a sound copy of a screening.
type version struct {
	*Screening
	trusted bool // signed
	path    string
}

// reader reads copies, one after the other.
type reader struct {
	opts   Options
	terms  *glossary
	buffer []byte
}

func newReader(opts Options, terms *glossary) *reader {
	return &reader{opts: opts, terms: terms, buffer: make([]byte, 256<<10)}
}

// read gives the copy at a place, or nil and why it does not count. There may be
// problems with a copy that counts too.
func (r *reader) read(ctx context.Context, at *place) (*version, []Problem) {
	c := checked{at: at, id: idInName(at.dir)}
	if at.sealed {
		inside := r.unseal(&c)
		if inside == nil {
			return nil, c.problems
		}
		at = inside
	}
	sums := c.sums(at)
	if sums == nil {
		return nil, c.problems
	}
	summary := c.summary(at, sums[export.SummaryFile])
	if summary == nil {
		return nil, c.problems
	}
	c.id = summary.Screening.ID
	trusted, ok := c.signature(at, summary, r.opts.Keys)
	if !ok {
		return nil, c.problems
	}
	h := r.history(ctx, &c, at, sums[export.EventsFile])
	if h == nil || !c.agrees(h, summary) {
		return nil, c.problems
	}
	r.others(&c, at, sums)
	s, err := r.terms.screeningOf(summary, h)
	if err != nil {
		c.wrong(Missing, Figures, say("summary.json tidak bisa dipakai: %v.", "summary.json cannot be used: %v.", err), askForFresh)
		return nil, c.problems
	}
	s.LastEvent, s.Digest, s.Path, s.Copies = h.last, sums[ofAll], c.at.path(), 1
	if trusted {
		s.Key = summary.PublicKey
	}
	s.history = h
	return &version{Screening: s, trusted: trusted, path: c.at.path()}, c.problems
}

// checked gathers what is wrong with a copy.
type checked struct {
	at       *place
	id       string
	manifest []byte // SHA256SUMS
	problems []Problem
}

func (c *checked) wrong(l Level, k Kind, what, do Words) {
	c.problems = append(c.problems, Problem{Level: l, Kind: k, Path: c.at.path(), Screening: c.id, What: what, Do: do})
}

func (c *checked) unreadable(name string, err error) {
	switch {
	case errors.Is(err, errTooMuch):
		c.wrong(Missing, TooMuch, say("%s terlalu besar untuk buatan kiosk.", "%s is larger than a kiosk makes it.", name), askForFresh)
	case errors.Is(err, fs.ErrNotExist):
		c.wrong(Missing, Unreadable, say("%s tidak ada.", "%s is missing.", name), copyAgain)
	default:
		c.wrong(Missing, Unreadable, say("%s tidak bisa dibaca: %v.", "%s cannot be read: %v.", name, err), copyAgain)
	}
}

var folderID = regexp.MustCompile(`_([A-Za-z0-9-]+)$`)

// idInName is the id that the folder's name tells, "" when it tells none.
func idInName(dir string) string {
	if m := folderID.FindStringSubmatch(dir); m != nil {
		return m[1]
	}
	return ""
}

// unseal gives what is inside an encrypted screening.
func (r *reader) unseal(c *checked) *place {
	f, _, err := c.at.open(export.SealedFile, mostSealed)
	if err != nil {
		c.unreadable(export.SealedFile, err)
		return nil
	}
	defer f.Close() // read only
	if len(r.opts.Identities) == 0 {
		c.wrong(Missing, Locked, Words{"Terkunci.", "It is encrypted."},
			Words{"Jalankan lagi dengan --identity BERKAS (berkas kunci dari age-keygen).", "Run again with --identity FILE (the key file of age-keygen)."})
		return nil
	}
	plain, err := age.Decrypt(f, r.opts.Identities...)
	if noMatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &noMatch) {
		c.wrong(Missing, Locked, Words{"Terkunci untuk kunci lain.", "It is encrypted for another key."},
			Words{"Pakai kunci koordinator yang tertulis di kiosk.", "Use the key of a coordinator that the kiosk has."})
		return nil
	}
	var content []byte
	if err == nil {
		content, err = io.ReadAll(io.LimitReader(plain, mostSealed+1))
	}
	if err == nil && len(content) > mostSealed {
		err = errTooMuch
	}
	var z *zip.Reader
	if err == nil {
		z, err = newZip(bytes.NewReader(content), int64(len(content)))
	}
	if err != nil {
		c.unreadable(export.SealedFile, err)
		return nil
	}
	return &place{of: &source{name: c.at.path(), tree: z, close: func() {}, zip: true}, dir: "."}
}

var sumLine = regexp.MustCompile(`^([0-9a-f]{64}) [ *]([A-Za-z0-9][A-Za-z0-9._-]{0,63})$`)

const ofAll = "" // in the list of checksums: that of the list itself

// sums reads the list of checksums, by file.
func (c *checked) sums(at *place) map[string]string {
	content, err := at.whole(export.SumsFile, mostSums)
	if err != nil {
		c.unreadable(export.SumsFile, err)
		return nil
	}
	c.manifest = content
	out := map[string]string{ofAll: hexSum(content)}
	for line := range strings.Lines(string(content)) {
		m := sumLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil || out[m[2]] != "" {
			out = nil
			break
		}
		out[m[2]] = m[1]
	}
	if out[export.EventsFile] == "" || out[export.SummaryFile] == "" {
		c.wrong(Missing, Checksum, say("%s bukan buatan kiosk.", "%s is not as kiosks make it.", export.SumsFile), copyAgain)
		return nil
	}
	return out
}

func hexSum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func (c *checked) changed(name string) {
	c.wrong(Missing, Checksum, say("%s rusak atau diubah: isinya tidak cocok dengan SHA256SUMS.", "%s is damaged or was changed: it does not match SHA256SUMS.", name), copyAgain)
}

func (c *checked) summary(at *place, sum string) *export.Summary {
	content, err := at.whole(export.SummaryFile, mostSummary)
	if err != nil {
		c.unreadable(export.SummaryFile, err)
		return nil
	}
	var s export.Summary
	if hexSum(content) != sum {
		if json.Unmarshal(content, &s) == nil && s.Screening.ID != "" {
			c.id = s.Screening.ID
		}
		c.changed(export.SummaryFile)
		return nil
	}
	if err := json.Unmarshal(content, &s); err != nil {
		c.wrong(Missing, Figures, say("summary.json tidak bisa dipakai: %v.", "summary.json cannot be used: %v.", err), askForFresh)
		return nil
	}
	return &s
}

// signature says whether the copy is signed, and whether it may count.
func (c *checked) signature(at *place, s *export.Summary, known map[string]string) (signed, ok bool) {
	key := known[s.Kiosk]
	if key != "" && key != s.PublicKey {
		c.wrong(Missing, Signature, say("Kiosk %s dikenal dengan kunci lain.", "Kiosk %s is known by another key.", s.Kiosk),
			Words{"Mungkin bukan dari kiosk itu, atau kiosk itu dipasang ulang. Tanyakan kepada yang memegangnya.", "It may not be from that kiosk, or the kiosk was set up anew. Ask who looks after it."})
		return false, false
	}
	if s.PublicKey == "" {
		return false, true // of an older kiosk
	}
	var public minisign.PublicKey
	signature, err := at.whole(export.SignatureFile, 4096)
	if errors.Is(err, fs.ErrNotExist) {
		c.wrong(Missing, Signature, say("Tanda tangan %s tidak ada.", "The signature %s is missing.", export.SignatureFile), copyAgain)
		return false, false
	}
	if err == nil {
		err = public.UnmarshalText([]byte(s.PublicKey))
	}
	if err == nil && !minisign.Verify(public, c.manifest, signature) {
		err = errors.New("it does not fit")
	}
	if err != nil {
		c.wrong(Missing, Signature, Words{"Tanda tangan kiosk tidak cocok: ada yang diubah sesudah diekspor.", "The kiosk's signature does not fit: something was changed after the export."}, askForFresh)
		return false, false
	}
	return true, true
}

// agrees says whether the journal is whole, and the figures are what it says.
func (c *checked) agrees(h *history, s *export.Summary) bool {
	defer func() { h.state = nil }() // it has done its work
	e := s.Events
	gaps := e.Last - h.planned + 1 - int64(h.lines)
	if h.planned != e.First || h.last > e.Last || gaps != int64(e.ReplacedBallots) {
		c.wrong(Missing, Journal, say("Jurnal berlubang: ada %d peristiwa dari nomor %d sampai %d.", "The journal has gaps: there are %d events from number %d to %d.", h.lines, e.First, e.Last), askForFresh)
		return false
	}
	if h.unknown > 0 {
		c.wrong(Doubt, Newer, say("%d peristiwa dari program kiosk yang lebih baru tidak dikenal; angkanya dari ringkasan kiosk.", "%d events of a newer kiosk are not known here; the figures are the kiosk's own.", h.unknown),
			Words{"Perbarui mimpi-collect.", "Update mimpi-collect."})
		return true
	}
	if why := h.differs(s); why != "" {
		c.wrong(Missing, Figures, say("Angka di summary.json tidak sama dengan jurnal (%s).", "The figures of summary.json are not those of the journal (%s).", why), askForFresh)
		return false
	}
	return true
}

// others checks the files that people look at and that count for nothing here.
func (r *reader) others(c *checked, at *place, sums map[string]string) {
	for name, want := range sums {
		if name == ofAll || name == export.EventsFile || name == export.SummaryFile {
			continue
		}
		f, _, err := at.open(name, mostTable)
		if err == nil {
			hash := sha256.New()
			_, err = io.CopyBuffer(struct{ io.Writer }{hash}, struct{ io.Reader }{io.LimitReader(f, mostTable)}, r.buffer)
			f.Close()
			if err == nil && hex.EncodeToString(hash.Sum(nil)) == want {
				continue
			}
		}
		c.wrong(Note, Checksum, say("%s rusak atau diubah. Angka gabungan tetap benar: dihitung dari jurnal.", "%s is damaged or was changed. The merged figures are right nevertheless: they come from the journal.", name), copyAgain)
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int { return strings.Compare(a.What.EN, b.What.EN) })
}

func (c *checked) String() string { return fmt.Sprintf("%s (%s)", c.at.path(), c.id) }
