package export

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"aead.dev/minisign"
	"golang.org/x/crypto/blake2b"
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

// damagedSuffix is behind the name of a key file that could not be used.
const damagedSuffix = ".damaged"

// OpenKey reads the kiosk's key from the file, or makes one when there is no file. A file
// that holds no usable key (empty, cut, or with a changed bit, as a memory card may leave
// it) is set aside under its name with ".damaged" behind it, and a new key is made;
// [DamagedKey] tells of it from then on. The file can be read by its owner alone, who is
// the owner of the folder. An error means that the card does not take what it must.
func OpenKey(path string) (*Key, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		if k, err := parseKey(text); err == nil {
			return k, nil
		}
		if err = setKeyAside(path, text); err != nil {
			return nil, fmt.Errorf("the kiosk's signing key in %s is damaged and cannot be set aside: %w", path, err)
		}
	}
	if err == nil || errors.Is(err, os.ErrNotExist) {
		text, err = makeKey(path) // of another program, where that was quicker
	}
	if err != nil {
		return nil, fmt.Errorf("the kiosk's signing key: %w", err)
	}
	return parseKey(text)
}

// parseKey returns the key in a file, when it is as [makeKey] made it: its public part checks
// what it signs, and its id is the hash of that part (aead.dev/minisign, GenerateKey).
func parseKey(text []byte) (*Key, error) {
	k := &Key{secret: text}
	if err := k.private.UnmarshalText(bytes.TrimSpace(text)); err != nil {
		return nil, err
	}
	public := k.private.Public().(minisign.PublicKey)
	message := []byte("mimpi-kiosk")
	if !minisign.Verify(public, message, minisign.Sign(k.private, message)) {
		return nil, errors.New("its two halves do not belong together")
	}
	// In one line it is the base64 of "Ed", 8 bytes of id and the 32 bytes of the key.
	line, err := base64.StdEncoding.DecodeString(public.String())
	if err != nil {
		return nil, err
	}
	hash := blake2b.Sum256(line[10:])
	if !bytes.Equal(hash[:8], line[2:10]) {
		return nil, errors.New("its id is not that of the key")
	}
	return k, nil
}

// setKeyAside renames the file with that damaged text, and overwrites nothing that was set
// aside before. Where another program has done so since the text was read, it does nothing.
func setKeyAside(path string, damaged []byte) error {
	now, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !bytes.Equal(now, damaged) {
		return nil
	}
	if err != nil {
		return err
	}
	aside := path + damagedSuffix
	for n := 2; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, os.ErrNotExist) {
			break
		} else if err != nil {
			return err
		}
		aside = fmt.Sprintf("%s%s-%d", path, damagedSuffix, n)
	}
	if err := os.Rename(path, aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return syncFolderOf(path)
}

// syncFolderOf makes the name of a file durable.
func syncFolderOf(path string) error {
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return syncOpened(folder)
}

// DamagedKey returns the newest file that [OpenKey] has set aside for the key in the file,
// "" when there is none. It stands there until a person removes it.
func DamagedKey(path string) (string, error) {
	found, err := filepath.Glob(path + damagedSuffix + "*")
	if err != nil || len(found) == 0 {
		return "", err
	}
	slices.SortFunc(found, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(b, a)) })
	return found[0], nil
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
	return text, syncFolderOf(path)
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
