package usb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bench is what a System is tried on: sticks can be plugged in and pulled out.
type bench struct {
	system System
	plug   func(t *testing.T) (name string)
	pull   func(t *testing.T, name string)
	hold   func(t *testing.T, name string) (letGo func())
}

// every System passes it.
func testSystem(t *testing.T, b bench) {
	seen := make(chan []Partition, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.system.Watch(ctx, func(all []Partition) { seen <- all }) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Watch ended with %v", err)
		}
	}()
	until := func(what string, is func([]Partition) bool) Partition {
		t.Helper()
		late := time.After(20 * time.Second)
		for {
			select {
			case all := <-seen:
				if is(all) {
					if len(all) == 0 {
						return Partition{}
					}
					return all[0]
				}
			case <-late:
				t.Fatalf("never seen: %s", what)
			}
		}
	}
	state := func(s State) func([]Partition) bool {
		return func(all []Partition) bool { return len(all) == 1 && all[0].State == s && all[0].Why == "" }
	}
	ask := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	until("nothing, at once", func(all []Partition) bool { return len(all) == 0 })

	name := b.plug(t)
	p := until("mounted", state(Mounted))
	if p.Name != name || p.Disk == "" || p.Dir == "" {
		t.Fatalf("got %+v", p)
	}
	file := filepath.Join(p.Dir, "file")
	ask(os.WriteFile(file, []byte("kept"), 0o644))

	ask(b.system.Release(name))
	until("released", state(Released))
	ask(b.system.Mount(name))
	until("mounted again", state(Mounted))
	if text, err := os.ReadFile(file); err != nil || string(text) != "kept" {
		t.Errorf("after a release the file holds %q (%v)", text, err)
	}

	letGo := b.hold(t, name)
	ask(b.system.Release(name))
	until("held", func(all []Partition) bool { return len(all) == 1 && all[0].State == Mounted && all[0].Why == Held })
	letGo()
	ask(b.system.Mount(name))
	until("mounted, not held any more", state(Mounted))
	ask(b.system.Release(name))
	until("released at last", state(Released))
	ask(b.system.Mount(name))
	until("mounted a third time", state(Mounted))

	b.pull(t, name)
	until("gone", func(all []Partition) bool { return len(all) == 0 })
	ask(b.system.Release(name)) // of what is not there: nothing happens
}

func TestFake(t *testing.T) {
	f := &Fake{}
	testSystem(t, bench{
		system: f,
		plug: func(t *testing.T) string {
			f.Plug(Partition{Name: "sda1", Disk: "sda", Dir: t.TempDir()})
			return "sda1"
		},
		pull: func(_ *testing.T, name string) { f.Pull("sda") },
		hold: func(_ *testing.T, name string) func() {
			f.Hold(name, true)
			return func() { f.Hold(name, false) }
		},
	})
}

// box is the real script on loop devices; the test does what systemd does with the units.
type box struct {
	t      *testing.T
	dir    string
	script string // the real one
	mu     sync.Mutex
	runs   string // script, or what stands in for it
}

func (b *box) set(script string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.runs = script
}

func (b *box) program() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.runs
}

// The script mounts FAT and exFAT alone, and kernels for tests often know neither. These
// put other functions in place of its own; whatever else is tried is the script's. On a
// machine with both kernel modules the stick lab mounts them (make test-stick).
const (
	// withExt4 lets ext4 be a file system for sticks.
	withExt4 = `
for_sticks() { [ "$1" = ext4 ]; }
try() { mount -t ext4 -o "$1,errors=remount-ro" "$dev" "$mnt"; }
repair() { e2fsck -p "$dev"; }
`
	// withoutKernel mounts an empty folder where FAT or exFAT is sound. As the kernel does, it
	// looks at the checksums of exFAT; blkid does in some versions only.
	withoutKernel = `
try() {
    [ "$(found TYPE)" = "$type" ] || return 1
    if [ "$type" = exfat ]; then fsck.exfat -n "$dev" >/dev/null || return 1; fi
    mount -t tmpfs -o "${1%%,*}" none "$mnt"
}
`
)

// with gives a box whose script has other functions.
func (b *box) with(functions string) *box {
	b.t.Helper()
	script := filepath.Join(b.t.TempDir(), "usb")
	text := "#!/bin/sh\nMIMPI_KIOSK_USB_SOURCED=1\n. " + b.script + functions + "main \"$@\"\n"
	if err := os.WriteFile(script, []byte(text), 0o755); err != nil {
		b.t.Fatal(err)
	}
	b.set(script)
	return b
}

func newBox(t *testing.T) *box {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test mounts loop devices, which needs root: run it as root, as CI does")
	}
	script, err := filepath.Abs("../../systemd/mimpi-kiosk-usb")
	if err != nil {
		t.Fatal(err)
	}
	b := &box{t: t, dir: t.TempDir(), script: script, runs: script}
	for _, dir := range []string{"sticks", "mnt", "requests"} {
		if err := os.Mkdir(filepath.Join(b.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { // mimpi-kiosk-usb-requests.path
		defer close(done)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if some, err := filepath.Glob(filepath.Join(b.dir, "requests", "*")); err != nil || len(some) > 0 {
				b.run("requests")
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return b
}

func (b *box) run(args ...string) string {
	cmd := exec.Command(b.program(), args...)
	cmd.Env = append(os.Environ(), "MIMPI_KIOSK_USB="+b.dir, "MIMPI_KIOSK_USER=root")
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.t.Errorf("%s %v: %v\n%s", b.script, args, err, out)
	}
	return string(out)
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// loop makes a disk of this size of a file; format "" leaves it empty.
func (b *box) loop(size int64, format ...string) (name, image string) {
	b.t.Helper()
	image = filepath.Join(b.t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Truncate(image, size); err != nil {
		b.t.Fatal(err)
	}
	if len(format) > 0 {
		tool(b.t, format[0], append(format[1:], image)...)
	}
	path := tool(b.t, "losetup", "--find", "--show", image)
	b.t.Cleanup(func() {
		exec.Command("umount", "-l", path).Run() // most often it is not mounted any more
		tool(b.t, "losetup", "--detach", path)
	})
	return filepath.Base(path), image
}

func TestNotesWithTheRealScript(t *testing.T) {
	b := newBox(t).with(withExt4)
	testSystem(t, bench{
		system: Notes{b.dir},
		plug: func(t *testing.T) string {
			name, _ := b.loop(16<<20, "mkfs.ext4", "-q", "-L", "KIOS", "-e", "panic")
			b.run("plug", name)
			return name
		},
		pull: func(_ *testing.T, name string) { b.run("unplug", name) },
		hold: func(t *testing.T, name string) func() {
			f, err := os.Open(filepath.Join(b.dir, "mnt", name))
			if err != nil {
				t.Fatal(err)
			}
			return func() { f.Close() }
		},
	})
}

func TestMountsAreHarmless(t *testing.T) {
	b := newBox(t).with(withExt4)
	name, _ := b.loop(16<<20, "mkfs.ext4", "-q", "-L", "A\nstate=released\n$(x)", "-e", "panic")
	b.run("plug", name)
	defer b.run("unplug", name)
	dir := filepath.Join(b.dir, "mnt", name)
	options := tool(t, "findmnt", "-n", "-o", "OPTIONS", dir)
	for _, want := range []string{"nosuid", "nodev", "noexec", "nosymfollow"} {
		if !strings.Contains(options, want) {
			t.Errorf("mounted with %s, want %s", options, want)
		}
	}
	// A stick could ask for a panic of the kernel at its first fault.
	if strings.Contains(options, "errors=panic") {
		t.Errorf("mounted with %s", options)
	}
	all, err := Notes{b.dir}.read(filepath.Join(b.dir, "sticks"))
	if err != nil || len(all) != 1 || all[0].State != Mounted || strings.ContainsAny(all[0].Label, "\n$(=") {
		t.Errorf("got %+v, %v", all, err)
	}
}

// What cannot be written to says why.
func TestAWriteProtectedStick(t *testing.T) {
	b := newBox(t).with(withExt4)
	device, _ := b.loop(8<<20, "mkfs.ext4", "-q")
	tool(t, "blockdev", "--setro", "/dev/"+device)
	t.Cleanup(func() { tool(t, "blockdev", "--setrw", "/dev/"+device) }) // the flag outlives the loop
	b.run("plug", device)
	defer b.run("unplug", device)
	if p := b.only(); p.State != Mounted || p.Why != Protected || !p.ReadOnly {
		t.Errorf("got %+v", p)
	}
}

// only gives the one partition that the script has noted.
func (b *box) only() Partition {
	b.t.Helper()
	all, err := Notes{b.dir}.read(filepath.Join(b.dir, "sticks"))
	if err != nil || len(all) != 1 {
		b.t.Fatalf("noted are %+v, %v", all, err)
	}
	return all[0]
}

// A mount that this process does not see must not be written to: it would be a folder.
func TestAMountElsewhereIsSaid(t *testing.T) {
	b := newBox(t)
	if err := os.Mkdir(filepath.Join(b.dir, "mnt", "sda1"), 0o755); err != nil {
		t.Fatal(err)
	}
	note := fmt.Appendf(nil, "state=mounted\nwhy=\nro=0\ndisk=sda\ndev=8:1\ntype=vfat\n")
	if err := os.WriteFile(filepath.Join(b.dir, "sticks", "sda1"), note, 0o644); err != nil {
		t.Fatal(err)
	}
	all, err := Notes{b.dir}.read(filepath.Join(b.dir, "sticks"))
	if err != nil || len(all) != 1 || all[0].State != Refused || all[0].Why != Invisible {
		t.Errorf("got %+v, %v", all, err)
	}
}

func TestNoSystem(t *testing.T) {
	err := Notes{filepath.Join(t.TempDir(), "none")}.Watch(t.Context(), func([]Partition) { t.Error("seen something") })
	if !errors.Is(err, ErrNoSystem) {
		t.Errorf("got %v", err)
	}
}

func FuzzParseNote(f *testing.F) {
	f.Add("sda1", []byte("state=mounted\nwhy=\nro=1\ndisk=sda\ndev=8:1\ntype=vfat\nuuid=1-2\nlabel=A=B\nsize=99\n"))
	f.Add("sda", []byte("state=eaten\nsize=-\x00"))
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		p, _ := parseNote(name, data)
		if p.State != Mounted && p.State != Released && p.State != Refused || p.State == Refused && p.Why == "" {
			t.Errorf("%+v", p)
		}
	})
}

// Every trouble has its sentences.
func TestSentences(t *testing.T) {
	for why, s := range sentences {
		for _, text := range []string{s.id, s.en, s.hintID, s.hintEN} {
			if !strings.HasSuffix(text, ".") {
				t.Errorf("%s: %q", why, text)
			}
		}
	}
}
