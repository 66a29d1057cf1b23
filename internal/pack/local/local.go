// Package local keeps the copy of a shipped screening pack that people change: the package
// of the system puts the pack below /usr/share, where an upgrade overwrites it, and so what
// is edited, ticked and added stands in the data folder.
//
//	media/NAME/            the copy of /usr/share/mimpi-kiosk/media/NAME, read in its place
//	media/NAME/.shipped    "MD5  FILE" (dpkg's checksums) of the shipped files that the copy was made from
//	media/.next-NAME/      what comes into its place between two screenings
//	media/.before-NAME/    what was there before
//	packs/NAME-given/      the copy while an older version is installed (systemd/deb/postrm), which
//	media/.given-NAME/     takes it for a pack from a stick; and once more, as links
//	media/replaced/N/      files of the copy that an upgrade has put others in the place of
//	media/taken-over.json  what the last upgrade took over, for the facilitator
//	rescued/               what the last upgrade has kept of /usr/share (systemd/deb/preinst)
//
// [Copy.Settle] brings all this into order after an upgrade and may be ended at any point.
// The package starts no goroutines. Methods of a Copy must not be called at once.
package local

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"

	"mimpi-kiosk/internal/pack"
)

// shippedPacks is where the package of the system puts packs, below the root of the system.
const shippedPacks = "/usr/share/mimpi-kiosk/media"

// original is put behind the name of a shipped pack for the file that says so. Other packs
// may lie beside it: they are people's own, and no upgrade touches them.
const original = ".original.txt"

// GivenEnding is put behind the name of a pack for the copy that an older version was given.
const GivenEnding = "-given"

const (
	dataFolder  = "/var/lib/mimpi-kiosk"
	shippedFile = ".shipped" // in a copy
	waitingFile = ".waiting" // in media/.next-NAME when it is whole
	quietMark   = "quiet"    // what is in it, when there is no way back
	noteFile    = "taken-over.json"
	large       = 1 << 20   // bytes; a film or the like, which is linked where that can be done
	spare       = 256 << 20 // is left free: the journal needs room too
)

// Copy is people's copy of one shipped pack. Of a pack that is not a shipped one the zero
// Copy is: then nothing is done, and [Copy.Folder] is the pack's own.
type Copy struct {
	shipped string // folder of the shipped pack
	media   string // folder of copies
	data    string // the data folder
	name    string
	pack    string // as it was given
}

// Of gives the copy of a pack in the data folder. With data "" it is the data folder of the
// system that the shipped pack belongs to.
func Of(data, dir string) Copy {
	c := Copy{pack: dir}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return c
	}
	root, ok := strings.CutSuffix(filepath.Dir(abs), shippedPacks)
	if !ok || !exists(abs+original) {
		return c
	}
	if data == "" {
		data = root + dataFolder
	}
	return Copy{pack: dir, shipped: abs, data: data, media: filepath.Join(data, "media"), name: filepath.Base(abs)}
}

// Shipped says whether the pack is one that the system's package puts in place.
func (c Copy) Shipped() bool { return c.shipped != "" }

// Original is the folder of the pack as it was given: of the shipped one, where it is one.
func (c Copy) Original() string { return c.pack }

func (c Copy) at(prefix string) string { return filepath.Join(c.media, prefix+c.name) }

// Folder is that of the copy, or of the shipped pack where there is none. The error says
// that the data folder may not be looked into.
func (c Copy) Folder() (string, error) {
	if !c.Shipped() {
		return c.pack, nil
	}
	_, err := os.Stat(c.at(""))
	switch {
	case err == nil:
		return c.at(""), nil
	case errors.Is(err, fs.ErrNotExist):
		return c.shipped, nil
	}
	return c.shipped, err
}

// Make makes the copy where there is none, and gives its folder. A pack with large files
// in it, a film, is copied only when people are about to change it (toEdit): else the
// shipped one is used as it is.
func (c Copy) Make(toEdit bool) (string, error) {
	dir, err := c.Folder()
	if err != nil || dir != c.shipped {
		return dir, err
	}
	files, err := list(c.shipped)
	if err != nil {
		return dir, err
	}
	if !toEdit {
		for _, f := range files {
			if info, err := os.Stat(filepath.Join(c.shipped, f)); err == nil && info.Size() >= large {
				return dir, nil
			}
		}
	}
	if err := c.build(c.at(".new-"), c.shipped, files); err != nil {
		return dir, errors.Join(err, os.RemoveAll(c.at(".new-")))
	}
	if err := c.keepShipped(c.at(".new-")); err != nil {
		return dir, err
	}
	if err := os.Rename(c.at(".new-"), c.at("")); err != nil {
		return dir, err
	}
	return c.at(""), errors.Join(pack.SyncDir(c.media), Give(c.media, c.data))
}

// build makes a folder with these files of another.
func (c Copy) build(to, from string, files []string) error {
	if err := errors.Join(os.RemoveAll(to), os.MkdirAll(to, 0o755)); err != nil {
		return err
	}
	for _, f := range files {
		if err := put(filepath.Join(from, f), filepath.Join(to, f)); err != nil {
			return err
		}
	}
	return syncFolders(to)
}

// put puts a file there: a large one as a link where that can be done.
func put(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	info, err := os.Lstat(from)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(from)
		if err != nil {
			return err
		}
		return os.Symlink(target, to)
	}
	if info.Size() >= large {
		if os.Link(from, to) == nil {
			return nil
		}
		missing, err := pack.Lacks(filepath.Dir(to), info.Size()+spare)
		if err != nil {
			return err
		}
		if missing > 0 {
			return &NoRoom{missing}
		}
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() // read only
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Chmod(0o644), out.Sync(), out.Close())
}

// NoRoom says that the disk is too full.
type NoRoom struct {
	MB int64 // so many more are needed
}

func (n *NoRoom) Error() string {
	return fmt.Sprintf("kurang tempat: perlu %d MB lagi / not enough room: %d MB more are needed", n.MB, n.MB)
}

// keepShipped notes in a copy what the shipped files are now.
func (c Copy) keepShipped(dir string) error {
	sums, err := sumsOf(c.shipped)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, f := range slices.Sorted(maps.Keys(sums)) {
		fmt.Fprintf(&text, "%s  %s\n", sums[f], f)
	}
	return renameio.WriteFile(filepath.Join(dir, shippedFile), text.Bytes(), 0o644)
}

// Give gives what root has put into the copy to the user of the data folder.
func (c Copy) Give() error { return Give(c.media, c.data) }

// Give gives everything below a folder to the user of another, who runs the daemon. It does
// nothing unless root runs it.
func Give(dir, like string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(like)
	if err != nil {
		return err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return errors.New("whose the data folder is cannot be seen here")
	}
	return filepath.WalkDir(dir, func(name string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(name, int(s.Uid), int(s.Gid))
		}
		return err
	})
}

// list gives the files of a pack, with slashes, sorted; hidden ones are no part of it.
func list(dir string) ([]string, error) {
	var out []string
	root := strings.TrimSuffix(dir, "/") + "/" // the folder itself may be a link
	err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		switch {
		case err != nil || rel == ".":
			return err
		case strings.HasPrefix(e.Name(), ".") && e.IsDir():
			return fs.SkipDir
		case strings.HasPrefix(e.Name(), ".") || e.IsDir() || !e.Type().IsRegular() && e.Type() != fs.ModeSymlink:
			return nil
		}
		out = append(out, filepath.ToSlash(rel))
		return nil
	})
	slices.Sort(out)
	return out, err
}

func sumsOf(dir string) (map[string]string, error) {
	files, err := list(dir)
	if err != nil {
		return nil, err
	}
	sums := map[string]string{}
	for _, f := range files {
		if sums[f], err = sumOf(filepath.Join(dir, f)); err != nil {
			return nil, err
		}
	}
	return sums, nil
}

// sumOf gives the MD5 of a file, "" of one that is not there.
func sumOf(name string) (string, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer file.Close() // read only
	sum := md5.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// was reads .shipped of a copy: file to checksum.
func (c Copy) was() (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(c.at(""), shippedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil // nobody knows: then all of it is people's own
	}
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if sum, name, ok := strings.Cut(strings.TrimRight(line, "\n"), "  "); ok {
			out[name] = sum
		}
	}
	return out, nil
}

// Kind says what a newer shipped pack has of a file.
type Kind string

// Kinds of a Change.
const (
	New     Kind = "new"     // the copy does not have it
	Changed Kind = "changed" // it differs, and nobody has edited the copy's
	Kept    Kind = "kept"    // it differs, and the copy's was edited: that stays
)

// Change is a file in which a newer shipped pack differs.
type Change struct {
	File string // below the pack, with slashes
	Kind Kind
}

// Newer compares the copy with the shipped pack, where that has changed since the copy was
// made. edited says whether people have changed anything in the copy.
func (c Copy) Newer() (changes []Change, edited bool, err error) {
	dir, err := c.Folder()
	if err != nil || dir == c.shipped || !c.Shipped() {
		return nil, false, err
	}
	was, err := c.was()
	if err != nil {
		return nil, false, err
	}
	theirs, err := sumsOf(c.shipped)
	if err != nil {
		return nil, false, err
	}
	mine := map[string]string{}
	files, err := list(dir)
	if err != nil {
		return nil, false, err
	}
	for _, f := range files {
		if was[f] == "" && theirs[f] == "" { // a film, most likely: no need to read it
			edited = true
			continue
		}
		if mine[f], err = sumOf(filepath.Join(dir, f)); err != nil {
			return nil, false, err
		}
		edited = edited || mine[f] != was[f] && mine[f] != theirs[f]
	}
	for f := range was {
		edited = edited || mine[f] == "" && theirs[f] != ""
	}
	for _, f := range slices.Sorted(maps.Keys(theirs)) {
		switch {
		case theirs[f] == was[f] || theirs[f] == mine[f]:
		case mine[f] == "" && was[f] == "":
			changes = append(changes, Change{f, New})
		case mine[f] == was[f]:
			changes = append(changes, Change{f, Changed})
		default:
			changes = append(changes, Change{f, Kept})
		}
	}
	return changes, edited, nil
}

// Take makes what comes into the place of the copy: the copy with what is new in the shipped
// pack. What people have edited or added stays as it is. When it was not asked for (quiet),
// because nobody has edited anything, there is no way back. The error may be one of
// [pack.Mistake]: the two do not fit together.
func (c Copy) Take(quiet bool) error {
	changes, _, err := c.Newer()
	if err != nil || len(changes) == 0 {
		return err
	}
	files, err := list(c.at(""))
	if err != nil {
		return err
	}
	next := c.at(".next-")
	fromShipped := map[string]bool{}
	for _, change := range changes {
		fromShipped[change.File] = change.Kind != Kept
	}
	mine := slices.DeleteFunc(files, func(f string) bool { return fromShipped[f] })
	err = c.build(next, c.at(""), mine)
	for _, f := range slices.Sorted(maps.Keys(fromShipped)) {
		if err == nil && fromShipped[f] {
			err = put(filepath.Join(c.shipped, f), filepath.Join(next, f))
		}
	}
	if err == nil {
		err = c.keepShipped(next)
	}
	if err == nil {
		_, err = pack.Load(next)
	}
	if err == nil {
		err = syncFolders(next)
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(next))
	}
	var mark []byte
	if quiet {
		mark = []byte(quietMark)
	}
	return renameio.WriteFile(filepath.Join(next, waitingFile), mark, 0o644)
}

// Waits says whether something waits to come into the place of the copy.
func (c Copy) Waits() bool { return c.Shipped() && exists(filepath.Join(c.at(".next-"), waitingFile)) }

// CanGoBack says whether something waits, or there is a copy from before to go back to.
func (c Copy) CanGoBack() bool {
	return c.Waits() || c.Shipped() && exists(filepath.Join(c.at(".before-"), "pack.toml"))
}

// Back takes back what waits, or has the copy from before wait.
func (c Copy) Back() error {
	if c.Waits() {
		// Without its mark it is nothing, should this be ended half-way.
		return errors.Join(os.Remove(filepath.Join(c.at(".next-"), waitingFile)), os.RemoveAll(c.at(".next-")))
	}
	if !c.CanGoBack() {
		return errors.New("there is no earlier pack")
	}
	if err := errors.Join(os.RemoveAll(c.at(".next-")), os.Rename(c.at(".before-"), c.at(".next-"))); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(c.at(".next-"), waitingFile), nil, 0o644)
}

// Advance puts what waits into the place of the copy.
func (c Copy) Advance() error {
	if !c.Waits() {
		return nil
	}
	mark, err := os.ReadFile(filepath.Join(c.at(".next-"), waitingFile))
	if err != nil {
		return err
	}
	if err := os.RemoveAll(c.at(".before-")); err != nil {
		return err
	}
	if err := os.Rename(c.at(""), c.at(".before-")); err != nil {
		return err
	}
	err = c.mend()
	if err == nil && string(mark) == quietMark {
		err = os.RemoveAll(c.at(".before-"))
	}
	return err
}

// mend brings an Advance that was ended half-way to its end.
func (c Copy) mend() error {
	if !exists(c.at("")) {
		switch {
		case c.Waits():
			if err := os.Rename(c.at(".next-"), c.at("")); err != nil {
				return err
			}
		case exists(c.at(".before-")):
			if err := os.Rename(c.at(".before-"), c.at("")); err != nil {
				return err
			}
		}
		if err := pack.SyncDir(c.media); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	err := os.Remove(filepath.Join(c.at(""), waitingFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// TakenOver is what upgrades took over from /usr/share.
type TakenOver struct {
	Files    []string `json:"files"`    // below the pack, that were changed, added or deleted there
	Replaced []string `json:"replaced"` // folders with files of the copy that gave way to them
}

// Noted gives what the last upgrades took over, until Forget.
func (c Copy) Noted() (TakenOver, error) {
	var t TakenOver
	if !c.Shipped() {
		return t, nil
	}
	data, err := os.ReadFile(filepath.Join(c.media, noteFile))
	if errors.Is(err, fs.ErrNotExist) {
		return t, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	return t, err
}

// Forget removes what Noted gives.
func (c Copy) Forget() error {
	err := os.Remove(filepath.Join(c.media, noteFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Settle takes over what an upgrade of the system's package has kept in rescued/.
func (c Copy) Settle() error {
	if !c.Shipped() {
		return nil
	}
	if err := c.mend(); err != nil {
		return err
	}
	rescued := filepath.Join(c.data, "rescued")
	if before := rescued + ".before"; !exists(rescued) && exists(before) { // preinst was killed
		if err := os.Rename(before, rescued); err != nil {
			return err
		}
	}
	changes, err := os.ReadFile(filepath.Join(rescued, "changes"))
	if errors.Is(err, fs.ErrNotExist) {
		return c.restoreGiven()
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.media, 0o755); err != nil {
		return err
	}
	// Another pack's part of it waits until that pack is in use.
	from := filepath.Join(rescued, "media", c.name)
	if !exists(from) {
		return c.restoreGiven()
	}
	var mine []string // kind and file of each change of this pack
	for change := range strings.SplitSeq(string(changes), "\x00") {
		kind, file, _ := strings.Cut(change, " ")
		if f, ok := strings.CutPrefix(file, c.name+"/"); ok && filepath.IsLocal(f) {
			mine = append(mine, kind+" "+f)
		}
	}
	slices.Sort(mine)
	mine = slices.Compact(mine)
	if err := c.note(mine); err != nil {
		return err
	}
	if err := c.restoreGiven(); err != nil {
		return err
	}
	whole := exists(filepath.Join(from, "pack.toml"))
	if !whole {
		if _, err := c.Make(true); err != nil {
			return err
		}
	}
	if !exists(c.at("")) {
		if err := os.Rename(from, c.at("")); err != nil {
			return err
		}
	} else if err := c.merge(from, mine); err != nil {
		return err
	}
	if !whole {
		if err := c.nameFilm(mine); err != nil {
			return err
		}
	}
	if err := errors.Join(syncFolders(c.at("")), Give(c.media, c.data)); err != nil {
		return err
	}
	if err := os.RemoveAll(from); err != nil {
		return err
	}
	others, err := os.ReadDir(filepath.Join(rescued, "media"))
	if err == nil && len(others) == 0 {
		err = os.RemoveAll(rescued)
	}
	return err
}

// nameFilm names the film that was left where the package had been removed, in a copy that
// knows of none.
func (c Copy) nameFilm(changes []string) error {
	film, err := pack.LoadFilm(filepath.Join(c.at(""), "film"))
	if err != nil || film.File != "" {
		return nil // what is wrong there the pack says
	}
	var found []string
	for _, change := range changes {
		_, file, _ := strings.Cut(change, " ")
		info, err := os.Stat(filepath.Join(c.at(""), file))
		if name, ok := strings.CutPrefix(file, "film/"); ok && err == nil && info.Size() >= large {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		return nil
	}
	return pack.NameFilm(filepath.Join(c.at(""), "film", "film.toml"), found[0])
}

// restoreGiven takes back what an older version was given to use, when nothing is in its
// place. That version may have removed its own: then there is the other one.
func (c Copy) restoreGiven() error {
	used := filepath.Join(c.data, "packs", c.name+GivenEnding)
	for _, given := range []string{used, c.at(".given-")} {
		if !exists(c.at("")) && exists(given) {
			if err := errors.Join(os.MkdirAll(c.media, 0o755), os.Rename(given, c.at(""))); err != nil {
				return err
			}
		}
	}
	return errors.Join(os.RemoveAll(used), os.RemoveAll(c.at(".given-")))
}

// merge puts each change into the copy that is there. A file of the copy that differs gives
// way, and is kept.
func (c Copy) merge(from string, changes []string) error {
	for _, change := range changes {
		kind, file, _ := strings.Cut(change, " ")
		source, target := filepath.Join(from, file), filepath.Join(c.at(""), file)
		if _, err := os.Lstat(source); err != nil {
			if kind == "deleted" && exists(target) {
				if err := c.replaced(target, file); err != nil {
					return err
				}
			}
			continue // it is in its place already
		}
		same, err := equal(source, target)
		if err != nil {
			return err
		}
		if same {
			continue
		}
		if exists(target) {
			if err := c.replaced(target, file); err != nil {
				return err
			}
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(target), 0o755), os.Rename(source, target)); err != nil {
			return err
		}
	}
	return nil
}

// replaced moves a file of the copy to media/replaced/N.
func (c Copy) replaced(target, file string) error {
	top := filepath.Join(c.media, "replaced")
	for n := 1; ; n++ {
		folder := filepath.Join(top, fmt.Sprint(n))
		to := filepath.Join(folder, c.name, file)
		if _, err := os.Lstat(to); err == nil {
			continue
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.Rename(target, to)); err != nil {
			return err
		}
		t, err := c.Noted()
		if err != nil || slices.Contains(t.Replaced, folder) {
			return err
		}
		t.Replaced = append(t.Replaced, folder)
		return c.writeNote(t)
	}
}

func (c Copy) note(changes []string) error {
	t, err := c.Noted()
	if err != nil {
		t = TakenOver{} // a damaged note keeps nobody from the evening
	}
	for _, change := range changes {
		_, file, _ := strings.Cut(change, " ")
		if !slices.Contains(t.Files, file) {
			t.Files = append(t.Files, file)
		}
	}
	return c.writeNote(t)
}

func (c Copy) writeNote(t TakenOver) error {
	data, err := json.MarshalIndent(t, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(c.media, noteFile), append(data, '\n'), 0o644)
}

// equal compares two files; one that is not there differs.
func equal(a, b string) (bool, error) {
	x, err := os.Stat(a)
	if err != nil {
		return false, nil // a link to nowhere
	}
	y, err := os.Stat(b)
	if err != nil || x.Size() != y.Size() {
		return false, nil // also: not there
	}
	if os.SameFile(x, y) {
		return true, nil
	}
	one, err := sumOf(a)
	two, other := sumOf(b)
	return one == two, cmp.Or(err, other)
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func syncFolders(top string) error {
	return filepath.WalkDir(top, func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return err
		}
		return pack.SyncDir(name)
	})
}
