package systemd_test

import (
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/pack/local"
	"mimpi-kiosk/internal/pack/shelf"
	"mimpi-kiosk/systemd"
)

// Upgrades with the real dpkg, on a root folder of their own: the package of commit 17e72fc,
// whose packs people changed below /usr/share, and this one. The scripts are the real ones.

var killPoints = flag.Int("points", 10, "so many moments at which an upgrade is killed, spread over it; 0: each")

const (
	packFolder = "usr/share/mimpi-kiosk/media/mimpi-beta"
	dataFolder = "var/lib/mimpi-kiosk"
)

// packages are built once for all tests.
type packages struct {
	old, current, newer string // files
	stubs, counter      string // folder of programs, and the library that kills
}

func build(t *testing.T) packages {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("dpkg needs root: run this as root, as `make test` does")
	}
	dir := t.TempDir()
	p := packages{stubs: filepath.Join(dir, "stubs"), counter: filepath.Join(dir, "kill.so")}
	run(t, "gcc", "-O2", "-shared", "-fPIC", "-o", p.counter, "testdata/kill.c", "-ldl")
	for _, name := range []string{"systemd-sysusers", "systemd-tmpfiles", "deb-systemd-helper", "deb-systemd-invoke", "systemctl", "udevadm"} {
		write(t, filepath.Join(p.stubs, name), "#!/bin/sh\nexit 0\n", 0o755)
	}
	// An older version of the pack: a question is different, one is missing, one has gone since.
	shipped := tree(t, "../media/mimpi-beta")
	before := maps.Clone(shipped)
	before["questions/k3.toml"] = strings.Replace(before["questions/k3.toml"], "kind =", "# before\nkind =", 1)
	before["questions/gone.toml"] = strings.Replace(before["questions/spare.toml"], `id = "spare"`, `id = "gone"`, 1)
	delete(before, "questions/o5.toml")
	before["pack.toml"] = strings.Replace(before["pack.toml"], `"o5"`, ``, 1)
	p.old = debOf(t, dir, "1", "testdata/17e72fc", "[Service]\n", before, false)
	p.current = debOf(t, dir, "2", "deb", systemd.Unit, shipped, true)
	after := maps.Clone(shipped)
	after["questions/k4.toml"] = strings.Replace(after["questions/k4.toml"], "kind =", "# newer\nkind =", 1)
	p.newer = debOf(t, dir, "3", "deb", systemd.Unit, after, true)
	return p
}

func debOf(t *testing.T, dir, version, scripts, unit string, files map[string]string, original bool) string {
	t.Helper()
	top := filepath.Join(dir, version)
	all := map[string]string{"usr/lib/systemd/system/mimpi-kiosk.service": unit, "usr/bin/mimpi-kiosk": "version " + version}
	for name, text := range files {
		all[packFolder+"/"+name] = text
	}
	if original {
		text, err := os.ReadFile("deb/original.txt")
		if err != nil {
			t.Fatal(err)
		}
		all[packFolder+".original.txt"] = string(text)
	}
	var sums strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		write(t, filepath.Join(top, name), all[name], 0o644)
		fmt.Fprintf(&sums, "%x  ./%s\n", md5.Sum([]byte(all[name])), name) // as nfpm writes them
	}
	write(t, filepath.Join(top, "DEBIAN/md5sums"), sums.String(), 0o644)
	write(t, filepath.Join(top, "DEBIAN/control"), "Package: mimpi-kiosk\nVersion: "+version+"\nArchitecture: all\nMaintainer: x <x@example.org>\nDescription: x\n", 0o644)
	for _, script := range []string{"preinst", "postinst", "prerm", "postrm"} {
		text, err := os.ReadFile(filepath.Join(scripts, script))
		if errors.Is(err, fs.ErrNotExist) && script == "preinst" {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(top, "DEBIAN", script), string(text), 0o755)
	}
	file := filepath.Join(dir, "mimpi-kiosk_"+version+".deb")
	run(t, "dpkg-deb", "--root-owner-group", "-Znone", "--build", top, file)
	return file
}

// box is a root folder.
type box struct {
	t *testing.T
	p packages
	r string
}

func newBox(t *testing.T, p packages, deb string) *box {
	t.Helper()
	b := &box{t, p, t.TempDir()}
	for _, dir := range []string{"var/lib/dpkg/info", "var/lib/dpkg/updates", dataFolder} {
		if err := os.MkdirAll(filepath.Join(b.r, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, b.at("var/lib/dpkg/status"), "", 0o644)
	if deb != "" {
		b.must("--install", deb)
	}
	return b
}

func (b *box) at(name string) string { return filepath.Join(b.r, name) }

func (b *box) command(env []string, args ...string) *exec.Cmd {
	cmd := exec.Command("dpkg", append([]string{
		"--root=" + b.r, "--log=" + b.at("dpkg.log"), "--force-depends", "--force-script-chrootless", "--force-unsafe-io", "--force-downgrade", "--force-bad-path",
	}, args...)...)
	cmd.Env = append([]string{"PATH=" + b.p.stubs + ":/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

func (b *box) dpkg(args ...string) (string, error) {
	out, err := b.command(nil, args...).CombinedOutput()
	return string(out), err
}

func (b *box) must(args ...string) string {
	b.t.Helper()
	out, err := b.dpkg(args...)
	if err != nil {
		b.t.Fatalf("dpkg %v: %v\n%s", args, err, out)
	}
	return out
}

// start is what the daemon does first.
func (b *box) start() local.Copy {
	b.t.Helper()
	c := b.copy()
	if err := c.Settle(); err != nil {
		b.t.Fatal(err)
	}
	if _, err := c.Make(false); err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *box) copy() local.Copy { return local.Of(b.at(dataFolder), b.at(packFolder)) }

// inUse is the pack that the kiosk shows, as the installed version finds it.
func (b *box) inUse() string {
	b.t.Helper()
	dir, err := b.copy().Folder()
	if err != nil {
		b.t.Fatal(err)
	}
	return dir
}

// older is the pack that an older version shows: it knows packs from sticks, and /usr/share.
func (b *box) older() string {
	b.t.Helper()
	s, err := shelf.Open(b.at(dataFolder+"/packs"), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	if dir, ok := s.Current(); ok {
		return dir
	}
	return b.at(packFolder)
}

const filmSize = 3 << 20

// change does what people do to a pack.
func (b *box) change(dir string) {
	b.t.Helper()
	film, err := os.ReadFile("../internal/pack/testdata/films/good.mp4")
	if err != nil {
		b.t.Fatal(err)
	}
	write(b.t, filepath.Join(dir, "film/mimpi.mp4"), string(film)+strings.Repeat("\x00", filmSize-len(film)), 0o644)
	write(b.t, filepath.Join(dir, "film/mimpi.mp4.sha256"), "0  mimpi.mp4\n", 0o644)
	write(b.t, filepath.Join(dir, "film/id.vtt"), "WEBVTT\n\n00:00.000 --> 00:01.000\nHalo\n", 0o644)
	b.edit(dir, "film/film.toml", `file = ""`, `file = "mimpi.mp4"`)
	b.edit(dir, "film/film.toml", "# [[pause_points]]", "[[subtitles]]\nlang = \"id\"\nlabel = \"Bahasa Indonesia\"\nfile = \"id.vtt\"\n\n# [[pause_points]]")
	b.edit(dir, "pack.toml", `checked_on = ""`, `checked_on = "2026-11-29"`)
	b.edit(dir, "pack.toml", "[guidebook]\nfile = \"\"", "[guidebook]\nfile = \"panduan.pdf\"")
	b.edit(dir, "questions/k1.toml", "kind =", "# our own\nkind =")
	write(b.t, filepath.Join(dir, "panduan.pdf"), "%PDF-1.4\n"+strings.Repeat("panduan ", 1<<18), 0o644) // large
	write(b.t, filepath.Join(dir, "questions/q 'x' $(touch pwned) [1].toml"), strings.Replace(read(b.t, filepath.Join(dir, "questions/spare.toml")), `id = "spare"`, `id = "x1"`, 1), 0o644)
	write(b.t, filepath.Join(dir, "audio/id/questions.k1.text.mp3"), "ID3 a recording", 0o644)
	write(b.t, filepath.Join(dir, "icons/perahu.svg"), "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"/>", 0o644)
	if err := os.Remove(filepath.Join(dir, "questions/spare.toml")); err != nil {
		b.t.Fatal(err)
	}
}

func (b *box) edit(dir, name, from, to string) {
	b.t.Helper()
	text := read(b.t, filepath.Join(dir, name))
	if !strings.Contains(text, from) {
		b.t.Fatalf("%s has no %q", name, from)
	}
	write(b.t, filepath.Join(dir, name), strings.Replace(text, from, to, 1), 0o644)
}

// whole says how a pack differs from what people made of it.
func (b *box) whole(dir string, want map[string]string) {
	b.t.Helper()
	got := tree(b.t, dir)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			b.t.Errorf("%s in %s is not what people made of it (%d bytes in place of %d)", name, dir, len(got[name]), len(want[name]))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			b.t.Errorf("%s is in %s again", name, dir)
		}
	}
	p, err := pack.Load(dir)
	if err != nil {
		b.t.Fatal(err)
	}
	if p.Film.Missing || p.Guidebook.File == "" || p.HelpNumbers[0].CheckedOn != "2026-11-29" || len(p.Film.Subtitles) != 1 {
		b.t.Errorf("film missing %v, guidebook %q, dialled %q, subtitles %v", p.Film.Missing, p.Guidebook.File, p.HelpNumbers[0].CheckedOn, p.Film.Subtitles)
	}
}

func inode(t *testing.T, name string) uint64 {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	return info.Sys().(*syscall.Stat_t).Ino
}

func TestAnUpgradeKeepsWhatPeopleChanged(t *testing.T) {
	p := build(t)
	b := newBox(t, p, p.old)
	b.change(b.at(packFolder))
	want, film := tree(t, b.at(packFolder)), inode(t, b.at(packFolder+"/film/mimpi.mp4"))
	// Packs of people's own beside it are not the package's, and stay where they are.
	run(t, "cp", "-a", b.at(packFolder), b.at("usr/share/mimpi-kiosk/media/my-pack"))

	b.must("--install", p.current)
	c := b.start()
	b.whole(b.inUse(), want)
	if b.inUse() == b.at(packFolder) || inode(t, filepath.Join(b.inUse(), "film/mimpi.mp4")) != film {
		t.Error("the film was copied")
	}
	b.whole(b.at("usr/share/mimpi-kiosk/media/my-pack"), want)
	if own := local.Of(b.at(dataFolder), b.at("usr/share/mimpi-kiosk/media/my-pack")); own.Shipped() {
		t.Error("a pack of people's own counts as the package's")
	}
	if diff := cmp.Diff(tree(t, filepath.Join(filepath.Dir(p.current), "2", packFolder)), tree(t, b.at(packFolder))); diff != "" {
		t.Errorf("the original is not as the package has it (-package +there):\n%s", diff)
	}
	noted, err := c.Noted()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"film/mimpi.mp4", "film/id.vtt", "film/film.toml", "pack.toml", "questions/k1.toml", "panduan.pdf", "questions/spare.toml"} {
		if !slices.Contains(noted.Files, name) {
			t.Errorf("the note does not name %s: %v", name, noted.Files)
		}
	}
	if found, _ := filepath.Glob("pwned"); len(found) > 0 {
		t.Error("a file's name was run")
	}
	// What the newer pack has is offered, and does not touch what was edited.
	changes, edited, err := c.Newer()
	if err != nil || !edited {
		t.Fatal(edited, err)
	}
	offered := []local.Change{{File: "pack.toml", Kind: local.Kept}, {File: "questions/k3.toml", Kind: local.Changed}, {File: "questions/o5.toml", Kind: local.New}}
	if diff := cmp.Diff(offered, changes); diff != "" {
		t.Errorf("offered (-want +got):\n%s", diff)
	}
	if err := errors.Join(c.Take(false), c.Advance()); err != nil {
		t.Fatal(err)
	}
	shipped := tree(t, b.at(packFolder))
	taken := maps.Clone(want)
	taken["questions/k3.toml"], taken["questions/o5.toml"] = shipped["questions/k3.toml"], shipped["questions/o5.toml"]
	b.whole(b.inUse(), taken)
	if changes, _, err := c.Newer(); err != nil || len(changes) > 0 {
		t.Errorf("offered once more: %v %v", changes, err)
	}
	if err := errors.Join(c.Back(), c.Advance()); err != nil {
		t.Fatal(err)
	}
	b.whole(b.inUse(), want)

	// The next upgrades, and the same package once more, find nothing to take over.
	for _, deb := range []string{p.current, p.newer} {
		b.must("--install", deb)
		if entries, _ := os.ReadDir(b.at(dataFolder)); len(entries) != 1 {
			t.Errorf("beside media there is something: %v", entries)
		}
		b.start()
		b.whole(b.inUse(), want)
	}
	// Who still edits the original finds it in the copy after the next upgrade.
	b.edit(b.at(packFolder), "questions/o1.toml", "kind =", "# there\nkind =")
	there := read(t, b.at(packFolder+"/questions/o1.toml"))
	b.must("--install", p.newer)
	b.start()
	want["questions/o1.toml"] = there
	b.whole(b.inUse(), want)
}

func TestAnUpgradeWithoutChanges(t *testing.T) {
	p := build(t)
	b := newBox(t, p, p.old)
	b.must("--install", p.current)
	c := b.start()
	if noted, err := c.Noted(); err != nil || len(noted.Files) > 0 {
		t.Errorf("taken over: %v %v", noted, err)
	}
	b.must("--install", p.newer)
	changes, edited, err := c.Newer()
	if err != nil || edited || len(changes) != 1 {
		t.Fatal(changes, edited, err)
	}
	if err := errors.Join(c.Take(true), c.Advance()); err != nil || c.CanGoBack() {
		t.Fatal(err, c.CanGoBack())
	}
	if diff := cmp.Diff(tree(t, b.at(packFolder)), tree(t, b.inUse())); diff != "" {
		t.Errorf("the copy is not the newer one (-original +copy):\n%s", diff)
	}
}

func TestOlderAndNewerAgain(t *testing.T) {
	p := build(t)
	b := newBox(t, p, p.old)
	b.change(b.at(packFolder))
	want := tree(t, b.at(packFolder))
	b.must("--install", p.current)
	b.start()

	b.must("--install", p.old)
	b.whole(b.older(), want)
	// People edit what is in use, or as they did before.
	b.edit(b.older(), "questions/k1.toml", "# our own", "# our own, meanwhile")
	b.edit(b.at(packFolder), "questions/k2.toml", "kind =", "# meanwhile\nkind =")
	want["questions/k1.toml"] = read(t, filepath.Join(b.older(), "questions/k1.toml"))
	want["questions/k2.toml"] = read(t, b.at(packFolder+"/questions/k2.toml"))
	write(t, b.at(packFolder+"/lang/aoz.json"), "{}", 0o644)
	want["lang/aoz.json"] = "{}"

	b.must("--install", p.newer)
	b.start()
	b.whole(b.inUse(), want)

	// Removed and installed again.
	b.must("--remove", "mimpi-kiosk")
	if _, err := os.Stat(b.at("usr/share/mimpi-kiosk")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after removing: %v", err)
	}
	b.must("--install", p.newer)
	b.start()
	b.whole(b.inUse(), want)

	// Editing the original, and then removing the package.
	b.edit(b.at(packFolder), "questions/o2.toml", "kind =", "# last\nkind =")
	want["questions/o2.toml"] = read(t, b.at(packFolder+"/questions/o2.toml"))
	b.must("--remove", "mimpi-kiosk")
	b.must("--install", p.newer)
	b.start()
	b.whole(b.inUse(), want)
}

// The older version's own removal takes the texts, and leaves films.
func TestRemovedBeforeTheUpgrade(t *testing.T) {
	p := build(t)
	b := newBox(t, p, p.old)
	b.change(b.at(packFolder))
	b.must("--remove", "mimpi-kiosk")
	b.must("--install", p.current)
	b.start()
	there, err := pack.Load(b.inUse())
	if err != nil || there.Film.Missing || filepath.Base(there.Film.File) != "mimpi.mp4" {
		t.Errorf("the film that was left is not used: %+v, %v", there.Film, err)
	}
	if _, err := os.Stat(filepath.Join(b.inUse(), "panduan.pdf")); err != nil {
		t.Error(err)
	}

	// With a copy from an upgrade before.
	b = newBox(t, p, p.old)
	b.change(b.at(packFolder))
	want := tree(t, b.at(packFolder))
	b.must("--install", p.current)
	b.start()
	b.must("--install", p.old)
	b.must("--purge", "mimpi-kiosk")
	b.must("--install", p.current)
	b.start()
	b.whole(b.inUse(), want)
}

func TestPurgeSaysWhatGoes(t *testing.T) {
	p := build(t)
	b := newBox(t, p, p.old)
	b.change(b.at(packFolder))
	want := tree(t, b.at(packFolder))
	write(t, b.at(dataFolder+"/journal.db"), "the journal", 0o640)
	b.must("--install", p.current)
	b.start()
	out := b.must("--purge", "mimpi-kiosk")
	if !strings.Contains(out, "stay; delete these folders") || !strings.Contains(out, b.at(dataFolder)) {
		t.Errorf("purge says: %s", out)
	}
	b.must("--install", p.current)
	b.start()
	b.whole(b.inUse(), want)
	cmd := b.command([]string{"MIMPI_PURGE_DATA=yes"}, "--purge", "mimpi-kiosk")
	said, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "Deleted: the records of the screenings, your films and packs") {
		t.Errorf("purge with the data: %v, %s", err, said)
	}
	for _, gone := range []string{dataFolder, "usr/share/mimpi-kiosk"} {
		if _, err := os.Stat(b.at(gone)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %v", gone, err)
		}
	}
}

// state is all that an upgrade must not change when it is refused.
func (b *box) state() map[string]string {
	b.t.Helper()
	out := map[string]string{}
	for _, top := range []string{"usr", "var/lib/mimpi-kiosk", "var/lib/dpkg/info"} {
		err := filepath.WalkDir(b.at(top), func(name string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := e.Info()
			if err != nil {
				return err
			}
			s := info.Sys().(*syscall.Stat_t)
			text := fmt.Sprintf("%v %d:%d", info.Mode(), s.Uid, s.Gid)
			if info.Mode().IsRegular() {
				text += fmt.Sprintf(" %x", md5.Sum([]byte(read(b.t, name))))
			}
			rel, err := filepath.Rel(b.r, name)
			out[rel] = text
			return err
		})
		if err != nil {
			b.t.Fatal(err)
		}
	}
	return out
}

// small mounts a small disk.
func small(t *testing.T, dir, size string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatalf("mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
}

func TestAnUpgradeWithoutRoomIsRefused(t *testing.T) {
	p := build(t)
	for name, size := range map[string]string{
		"another disk that the film does not fit on": "200m",
		"no room for anything":                       "1m",
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, p, p.old)
			b.change(b.at(packFolder))
			small(t, b.at(dataFolder), size)
			if size == "1m" {
				write(t, b.at(dataFolder+"/journal.db"), strings.Repeat("x", 1<<20-64<<10), 0o640)
			}
			before := b.state()
			out, err := b.dpkg("--install", p.current)
			if err == nil || !strings.Contains(out, "There is not enough room") || !strings.Contains(out, "Tidak cukup tempat") || !strings.Contains(out, "MB more") {
				t.Errorf("dpkg says: %v, %s", err, out)
			}
			if diff := cmp.Diff(before, b.state()); diff != "" {
				t.Errorf("something was changed (-before +after):\n%s", diff)
			}
			if status := read(t, b.at("var/lib/dpkg/status")); !strings.Contains(status, "Status: install ok installed") || !strings.Contains(status, "Version: 1\n") {
				t.Errorf("dpkg's status:\n%s", status)
			}
		})
	}
}

// /var on a disk of its own: the film is moved.
func TestAnUpgradeToAnotherDisk(t *testing.T) {
	p := build(t)
	b := newBox(t, p, p.old)
	b.change(b.at(packFolder))
	want := tree(t, b.at(packFolder))
	small(t, b.at(dataFolder), "400m")
	b.must("--install", p.current)
	b.start()
	b.whole(b.inUse(), want)
	if _, err := os.Stat(b.at(packFolder + "/film/mimpi.mp4")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the film is there twice: %v", err)
	}
	b.must("--install", p.old) // and back
	b.whole(b.older(), want)
	b.must("--install", p.current)
	b.start()
	b.whole(b.inUse(), want)
}

// killer counts the steps of dpkg and all that it starts, and kills at one of them.
type killer struct {
	t    *testing.T
	file string
	env  []string
}

func newKiller(t *testing.T, p packages, what string) *killer {
	k := &killer{t: t, file: filepath.Join(t.TempDir(), "counter")}
	k.env = []string{"LD_PRELOAD=" + p.counter, "KILL_COUNTER=" + k.file, "KILL_WHAT=" + what}
	return k
}

func (k *killer) at(step int) {
	k.t.Helper()
	data := binary.NativeEndian.AppendUint32(make([]byte, 4, 8), uint32(step))
	write(k.t, k.file, string(data), 0o644)
}

func (k *killer) steps() int {
	return int(binary.NativeEndian.Uint32([]byte(read(k.t, k.file))))
}

// Each upgrade is killed at some moment, as by a power cut, and then goes on as people let
// it: with the daemon started before or not, by `dpkg --configure -a` or the package again.
func TestKilledUpgradesLoseNothing(t *testing.T) {
	p := build(t)
	for _, way := range []struct {
		name string
		what string // is killed
		back bool   // to the older version, and forth
	}{
		{"a power cut in the upgrade", "all", false},
		{"one program of it is killed", "one", false},
		{"a power cut in the downgrade", "all", true},
	} {
		t.Run(way.name, func(t *testing.T) {
			k := newKiller(t, p, way.what)
			first, target := p.old, p.current
			if way.back {
				first, target = p.current, p.old
			}
			template := newBox(t, p, first)
			dir := template.at(packFolder)
			if way.back {
				template.start()
				dir = template.inUse()
			}
			template.change(dir)
			want := tree(t, dir)
			try := func(step int) (*box, error) {
				b := &box{t, p, filepath.Join(t.TempDir(), "root")}
				run(t, "cp", "-a", template.r, b.r)
				k.at(step)
				out, err := b.command(k.env, "--install", target).CombinedOutput()
				if err != nil && step == 0 {
					t.Fatalf("%v\n%s", err, out)
				}
				return b, err
			}
			try(0)
			steps := k.steps()
			if steps < 100 {
				t.Fatalf("only %d steps were counted", steps)
			}
			stride := 1
			if *killPoints > 0 {
				stride = max(1, steps/(*killPoints))
			}
			killed, tries := 0, 0
			for step := 1; step <= steps; step += stride {
				b, err := try(step)
				tries++
				if err != nil {
					killed++
				}
				if tries%3 == 0 && !way.back && exists(b.at(packFolder+".original.txt")) { // the box is switched on
					b.start()
				}
				said := ""
				if tries%2 == 0 {
					said, err = b.dpkg("--configure", "-a")
				}
				if err != nil || !strings.Contains(read(t, b.at("var/lib/dpkg/status")), "ok installed") {
					said += b.must("--install", target)
				}
				if way.back {
					b.whole(b.older(), want)
				}
				if way.back {
					b.must("--install", p.current)
				}
				b.start()
				if b.whole(b.inUse(), want); t.Failed() {
					t.Fatalf("killed at step %d of %d:\n%s", step, steps, said)
				}
				if err := os.RemoveAll(b.r); err != nil {
					t.Fatal(err)
				}
			}
			t.Logf("%d of %d steps were tried; dpkg failed in %d", tries, steps, killed)
			if killed == 0 {
				t.Error("nothing was ever killed")
			}
		})
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func write(t *testing.T, name, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(text), mode)); err != nil {
		t.Fatal(err)
	}
}

// tree reads all files of a folder but hidden ones.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || bytes.HasPrefix([]byte(e.Name()), []byte(".")) {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		out[filepath.ToSlash(rel)] = read(t, name)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
