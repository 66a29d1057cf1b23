package collect

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"aead.dev/minisign"
	"filippo.io/age"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/kiosk-ui/lang"
)

// version is a sound copy of a screening.
type version struct {
	*Screening
	trusted bool   // signed
	stray   bool   // of a kiosk that the list of known keys lacks: it does not count
	events  string // checksum of events.jsonl
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
	c := checked{at: at, id: idInName(at.folder())}
	var v *version
	inside := at
	if at.sealed {
		inside = r.unseal(&c)
	}
	if inside != nil {
		v = r.check(ctx, &c, inside)
		if v == nil {
			c.measure(inside)
		}
		r.others(ctx, &c, inside, v != nil)
	}
	if at.sealed {
		r.others(ctx, &c, at, v != nil)
	}
	if ctx.Err() != nil {
		return nil, nil
	}
	slices.SortStableFunc(c.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), strings.Compare(a.What.EN, b.What.EN))
	})
	return v, c.problems
}

// check gives the copy when it may count.
func (r *reader) check(ctx context.Context, c *checked, at *place) *version {
	sums := c.sums(at)
	if sums == nil {
		return nil
	}
	summary := c.summary(at, sums[export.SummaryFile])
	if summary == nil {
		return nil
	}
	c.id, c.key = summary.Screening.ID, summary.PublicKey
	trusted, ok := c.signature(at, summary, r.opts.Keys)
	if !ok {
		return nil
	}
	h := r.history(ctx, c, at, sums[export.EventsFile])
	if h == nil || !c.agrees(h, summary) {
		return nil
	}
	s, err := r.terms.screeningOf(summary, h)
	if err != nil {
		c.wrong(Missing, Figures, say("summary.json tidak bisa dipakai: %v.", "summary.json cannot be used: %v.", err), askForFresh)
		return nil
	}
	s.LastEvent, s.Digest, s.Path, s.Copies = h.last, sums[ofAll], c.at.path(), 1
	if trusted {
		s.Key = summary.PublicKey
	}
	s.history = h
	_, listed := r.opts.Keys[s.Kiosk]
	s.vouched = listed
	return &version{Screening: s, trusted: trusted, stray: r.opts.Keys != nil && !listed, events: sums[export.EventsFile], path: c.at.path()}
}

// checked gathers what is wrong with a copy.
type checked struct {
	at       *place
	id       string
	key      string          // public key that summary.json names
	manifest []byte          // SHA256SUMS
	named    map[string]bool // files that problems name already
	problems []Problem
	reach    reach // of a copy that does not count
}

func (c *checked) names(file string) {
	if c.named == nil {
		c.named = map[string]bool{}
	}
	c.named[file] = true
}

func (c *checked) wrong(l Level, k Kind, what, do Words) {
	c.problems = append(c.problems, Problem{Level: l, Kind: k, Path: c.at.path(), Screening: c.id, What: what, Do: do})
}

func (c *checked) unreadable(name string, err error) {
	c.names(name)
	switch {
	case errors.Is(err, errTooMuch):
		c.wrong(Missing, TooMuch, say("%s terlalu besar untuk buatan kiosk.", "%s is larger than a kiosk makes it.", name), askForFresh)
	case errors.Is(err, fs.ErrNotExist):
		c.wrong(Missing, Unreadable, say("%s tidak ada.", "%s is missing.", name), copyAgain)
	default:
		c.wrong(Missing, Unreadable, say("%s tidak bisa dibaca: %v.", "%s cannot be read: %v.", name, err), copyAgain)
	}
}

var (
	// DATE_VENUE_ID, as the kiosk is writing or has replaced it, and as file managers name a
	// second copy: "... - Copy", "... (2)".
	folderID = regexp.MustCompile(`^(?:\.tmp-|\.old-)?[0-9]{4}-[0-9]{2}-[0-9]{2}_.+_([A-Za-z0-9][A-Za-z0-9-]*)(?: .*)?$`)
	// What kiosks give as ids of screenings: UUIDs.
	ourIDs = regexp.MustCompile(`^(?:s-.+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$`)
)

// idInName is the id that the name of a screening's folder tells, "" when it tells none.
func idInName(folder string) string {
	if m := folderID.FindStringSubmatch(folder); m != nil {
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
	sums, content, err := sumsOf(at)
	if err != nil {
		c.unreadable(export.SumsFile, err)
		return nil
	}
	c.manifest = content
	if sums[export.EventsFile] == "" || sums[export.SummaryFile] == "" {
		c.names(export.SumsFile)
		c.wrong(Missing, Checksum, say("%s bukan buatan kiosk.", "%s is not as kiosks make it.", export.SumsFile), copyAgain)
		return nil
	}
	return sums
}

// sumsOf reads a list of checksums; without an error none are given for a list that is not
// as kiosks write it.
func sumsOf(at *place) (sums map[string]string, content []byte, err error) {
	content, err = at.whole(export.SumsFile, mostSums)
	if err != nil {
		return nil, nil, err
	}
	sums = map[string]string{ofAll: hexSum(content)}
	for line := range strings.Lines(string(content)) {
		m := sumLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil || sums[m[2]] != "" {
			return nil, content, nil
		}
		sums[m[2]] = m[1]
	}
	return sums, content, nil
}

func hexSum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func (c *checked) changed(name string) {
	c.names(name)
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
func (c *checked) signature(at *place, s *export.Summary, known map[string][]string) (signed, ok bool) {
	if keys, listed := known[s.Kiosk]; listed && !slices.Contains(keys, s.PublicKey) {
		what := say("Kiosk %s dikenal dengan kunci lain.", "Kiosk %s is known by another key.", s.Kiosk)
		if s.PublicKey == "" {
			what = words(lang.Text("collect.key.none", lang.Params{"kiosk": s.Kiosk}))
		}
		c.wrong(Missing, Signature, what, words(lang.Text("collect.key.other_do")))
		c.problems[len(c.problems)-1].foreign = true
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

// others names what in a folder is not as the list of checksums has it and was not named
// yet. The figures do not come from these files.
func (r *reader) others(ctx context.Context, c *checked, at *place, counts bool) {
	sums, _, err := sumsOf(at)
	if sums == nil {
		if at.sealed && !c.named[export.SumsFile] {
			what := words(lang.Text("collect.file.changed", lang.Params{"file": export.SumsFile}))
			if errors.Is(err, fs.ErrNotExist) {
				what = words(lang.Text("collect.file.missing", lang.Params{"file": export.SumsFile}))
			}
			c.wrong(Doubt, Checksum, what, words(lang.Text("collect.file.do")))
		}
		return
	}
	for _, name := range slices.Sorted(maps.Keys(sums)) {
		main := !at.sealed && (name == export.EventsFile || name == export.SummaryFile)
		if name == ofAll || main && counts || c.named[name] || ctx.Err() != nil {
			continue
		}
		sum, err := r.sumOf(at, name)
		if err == nil && sum == sums[name] {
			continue
		}
		what := words(lang.Text("collect.file.changed", lang.Params{"file": name}))
		if errors.Is(err, fs.ErrNotExist) {
			what = words(lang.Text("collect.file.missing", lang.Params{"file": name}))
		}
		c.names(name)
		switch {
		case main: // beside what keeps the copy from counting already
			kind := Checksum
			if errors.Is(err, fs.ErrNotExist) {
				kind = Unreadable
			}
			c.wrong(Missing, kind, what, copyAgain)
			c.problems[len(c.problems)-1].reach = c.reach
		case counts:
			c.wrong(Doubt, Checksum, what.and(words(lang.Text("collect.file.figures"))), words(lang.Text("collect.file.do")))
		default:
			c.wrong(Doubt, Checksum, what, words(lang.Text("collect.file.do")))
		}
	}
	c.signatureOfSeal(at)
	c.added(at, sums, counts)
}

func (r *reader) sumOf(at *place, name string) (string, error) {
	f, _, err := at.open(name, mostSealed)
	if err != nil {
		return "", err
	}
	defer f.Close() // read only
	hash := sha256.New()
	_, err = io.CopyBuffer(struct{ io.Writer }{hash}, struct{ io.Reader }{io.LimitReader(f, mostSealed)}, r.buffer)
	return hex.EncodeToString(hash.Sum(nil)), err
}

// signatureOfSeal looks at the signature beside what is encrypted; what counts is the one
// inside.
func (c *checked) signatureOfSeal(at *place) {
	if !at.sealed || c.key == "" {
		return
	}
	manifest, err := at.whole(export.SumsFile, mostSums)
	var signature []byte
	if err == nil {
		signature, err = at.whole(export.SignatureFile, 4096)
	}
	var public minisign.PublicKey
	if err == nil {
		err = public.UnmarshalText([]byte(c.key))
	}
	if err == nil && !minisign.Verify(public, manifest, signature) {
		err = errors.New("it does not fit")
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.wrong(Doubt, Checksum, words(lang.Text("collect.file.missing", lang.Params{"file": export.SignatureFile})), words(lang.Text("collect.file.do")))
	case err != nil:
		c.wrong(Doubt, Checksum, words(lang.Text("collect.file.changed", lang.Params{"file": export.SignatureFile})), words(lang.Text("collect.file.do")))
	}
}

const (
	mostAdded = 1000 // entries that are looked at for files that were added
	fewAdded  = 5    // that are named
)

// added names what kiosks did not put into the folder.
func (c *checked) added(at *place, sums map[string]string, counts bool) {
	entries, err := at.names(mostAdded)
	if err != nil {
		c.wrong(Doubt, Unreadable, say("Map ini tidak bisa dibaca: %v.", "This folder cannot be read: %v.", err), copyAgain)
		return
	}
	var added []string
	for _, e := range entries {
		name := e.Name()
		switch {
		case name == export.SumsFile, sums[name] != "", leftover(e):
		case name == export.SignatureFile && (!counts || at.sealed || c.key != ""):
		default:
			added = append(added, name)
		}
	}
	if len(added) == 0 {
		return
	}
	slices.Sort(added)
	list := strings.Join(added[:min(len(added), fewAdded)], ", ")
	if len(added) > fewAdded {
		list += ", ..."
	}
	c.wrong(Doubt, Checksum, words(lang.Text("collect.file.added", lang.Params{"files": list})), words(lang.Text("collect.file.added_do")))
}

// leftover says whether Windows, macOS or an office program leaves such a file beside those
// that somebody has looked at.
func leftover(e fs.DirEntry) bool {
	if !e.Type().IsRegular() {
		return e.IsDir() && e.Name() == "@eaDir" // of Synology
	}
	name := strings.ToLower(e.Name())
	switch name {
	case "thumbs.db", "ehthumbs.db", "desktop.ini", ".ds_store", ".localized", ".directory", ".nomedia", "icon\r":
		return true
	}
	return strings.HasPrefix(name, "._") || strings.HasPrefix(name, ".~lock.") || strings.HasPrefix(name, "~$") ||
		strings.HasSuffix(name, ":zone.identifier")
}

func (c *checked) String() string { return fmt.Sprintf("%s (%s)", c.at.path(), c.id) }
