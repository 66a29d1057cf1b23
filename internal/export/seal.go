package export

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"filippo.io/age"
)

// Names of the files of a sealed screening.
const (
	SealedFile = "screening.zip.age" // a zip of the screening's folder
	SealFile   = "sealed.json"
)

const sealedVenue = "terkunci" // stands in the folder's name: the venue is a secret too

// seal is for whom a screening is encrypted.
type seal struct {
	recipients []age.Recipient
	key        *Key
	plain      []file // what is inside
}

// sealed is sealed.json. Encrypting twice never gives the same bytes, so it tells
// whether there is anything new to encrypt.
type sealed struct {
	Note       string   `json:"note"`
	Recipients []string `json:"recipients"`
	Content    string   `json:"content"` // a digest that only the kiosk can make
}

// ParseRecipients reads public keys of coordinators ("age1...").
func ParseRecipients(keys []string) ([]age.Recipient, error) {
	var out []age.Recipient
	for _, k := range keys {
		r, err := age.ParseRecipients(strings.NewReader(k))
		if err != nil || len(r) != 1 {
			return nil, fmt.Errorf("%q is no public key of age; it begins with age1 and age-keygen says it", k)
		}
		out = append(out, r...)
	}
	return out, nil
}

// sealFor turns a folder into one that only the recipients can read.
func (f *folder) sealFor(keys []string, key *Key) error {
	if key == nil {
		return errors.New("encrypting needs the kiosk's key")
	}
	recipients, err := ParseRecipients(keys)
	if err != nil {
		return err
	}
	var contents [][]byte
	for _, k := range keys {
		contents = append(contents, []byte(k))
	}
	for _, file := range f.files {
		contents = append(contents, []byte(file.name), file.content)
	}
	note, err := json.MarshalIndent(sealed{
		Note:       "Terkunci. Hanya koordinator yang punya kunci bisa membukanya: mimpi-collect --identity BERKAS. / Encrypted. Only coordinators with a key can open it: mimpi-collect --identity FILE.",
		Recipients: keys, Content: key.digest(contents...),
	}, "", "  ")
	if err != nil {
		return err
	}
	f.seal = &seal{recipients, key, f.files}
	f.files = []file{{SealFile, append(note, '\n')}}
	f.name = f.name[:len("2006-01-02_")] + sealedVenue + f.suffix
	return nil
}

// content gives what is to be written; of a sealed folder other bytes each time.
func (f *folder) content() ([]file, error) {
	if f.seal == nil {
		return f.files, nil
	}
	var locked bytes.Buffer
	w, err := age.Encrypt(&locked, f.seal.recipients...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	z := zip.NewWriter(w)
	for _, file := range f.seal.plain {
		if err := addToZip(z, &zip.FileHeader{Name: file.name, Method: zip.Deflate, Modified: f.modified}, file.content); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(z.Close(), w.Close()); err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return f.seal.key.withSums(f, append([]file{{SealedFile, locked.Bytes()}}, f.files...)), nil
}

// standsIn says whether the folder has these contents already.
func (f *folder) standsIn(root *os.Root, dir string) bool {
	if !holds(root, dir, f.files) {
		return false
	}
	if f.seal == nil {
		return true
	}
	locked, err := readBounded(root, path.Join(dir, SealedFile), f.seal.most())
	return err == nil && holds(root, dir, f.seal.key.withSums(f, append([]file{{SealedFile, locked}}, f.files...)))
}

// most is how large the sealed file of these contents can be at most.
func (s *seal) most() int64 {
	n := int64(1 << 20)
	for _, f := range s.plain {
		n += 2 * int64(len(f.content))
	}
	return n
}

// readBounded reads a plain file of a disk that may be hostile, from the disk itself
// where the system can do that.
func readBounded(root *os.Root, name string, most int64) ([]byte, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s is not what was written there", name)
	}
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // read only
	forgetCached(f)
	content, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(content)) > most { // it has grown since
		err = fmt.Errorf("%s is not what was written there", name)
	}
	return content, err
}
