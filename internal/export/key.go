package export

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"aead.dev/minisign"
)

// Names of the files that show whether anything was changed.
const (
	SumsFile      = "SHA256SUMS"
	SignatureFile = "SHA256SUMS.minisig"
	PublicKeyFile = "minisign.pub" // in the kiosk's folder
)

// Key signs what a kiosk exports, so that a later change shows. It is Ed25519 as
// minisign has it: "minisign -V -m SHA256SUMS -p ../minisign.pub" checks a folder.
// A nil Key signs nothing.
type Key struct {
	private minisign.PrivateKey
	secret  []byte // for the digest of what is sealed
}

// OpenKey reads the kiosk's key from the file, or makes one when there is no file. The
// file can be read by its owner alone, who is the owner of the folder.
func OpenKey(path string) (*Key, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		text, err = makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("the kiosk's signing key: %w", err)
	}
	k := &Key{secret: text}
	if err := k.private.UnmarshalText(bytes.TrimSpace(text)); err != nil {
		return nil, fmt.Errorf("the kiosk's signing key in %s cannot be read: %w. Move the file away to get a new key, and tell the coordinators", path, err)
	}
	return k, nil
}

func makeKey(path string) (text []byte, err error) {
	_, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	if text, err = private.MarshalText(); err != nil {
		return nil, err
	}
	text = append(text, '\n')
	tmp, err := os.CreateTemp(filepath.Dir(path), tmpPrefix) // 0600
	if err != nil {
		return nil, err
	}
	_, err = tmp.Write(text)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = giveToOwnerOf(filepath.Dir(path), tmp.Name())
	}
	if err == nil {
		// Not a rename: of two programs that make a key at once the first wins.
		err = os.Link(tmp.Name(), path)
	}
	if rerr := os.Remove(tmp.Name()); err == nil {
		err = rerr
	}
	if errors.Is(err, os.ErrExist) {
		return os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	return text, syncOpened(d)
}

// Public gives the public key in one line, as minisign writes it; "" of no key.
func (k *Key) Public() string {
	if k == nil {
		return ""
	}
	return k.private.Public().(minisign.PublicKey).String()
}

// publicFile is the content of minisign.pub.
func (k *Key) publicFile() ([]byte, error) {
	text, err := k.private.Public().(minisign.PublicKey).MarshalText()
	return append(text, '\n'), err
}

// sign makes the signature of the checksums of a screening. The same checksums give
// the same bytes: Ed25519 draws nothing by lot, and the comment has no time in it.
func (k *Key) sign(f *folder, sums []byte) []byte {
	r := minisign.NewReader(bytes.NewReader(sums))
	_, _ = io.Copy(io.Discard, r) // from memory
	return r.SignWithComments(k.private, "mimpi-kiosk "+f.kiosk+" "+f.suffix[1:], "signature of a kiosk, mimpi-kiosk")
}

// withSums adds the checksums and their signature to the files.
func (k *Key) withSums(f *folder, files []file) []file {
	var sums bytes.Buffer
	for _, f := range files {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(f.content), f.name)
	}
	files = append(files, file{SumsFile, sums.Bytes()})
	if k != nil {
		files = append(files, file{SignatureFile, k.sign(f, sums.Bytes())})
	}
	return files
}

// digest tells whether two contents are the same, and nothing else to those who do
// not have the key.
func (k *Key) digest(content ...[]byte) string {
	mac := hmac.New(sha256.New, k.secret)
	for _, c := range content {
		fmt.Fprintf(mac, "%d:", len(c))
		mac.Write(c)
	}
	return fmt.Sprintf("%x", mac.Sum(nil))
}
