package usb

import (
	"bytes"
	"crypto/sha256"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// damage changes an image of a stick.
type damage func(t *testing.T, image *os.File)

func put(at int64, data string) damage {
	return func(t *testing.T, image *os.File) {
		t.Helper()
		if _, err := image.WriteAt([]byte(data), at); err != nil {
			t.Fatal(err)
		}
	}
}

func zeros(at int64, n int) damage { return put(at, string(make([]byte, n))) }

// noise is alike in each run, and has no magic number at the places that are looked at.
func noise(at int64, n int) damage {
	random := rand.New(rand.NewPCG(1, uint64(n)))
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return put(at, string(data))
}

func all(damages ...damage) damage {
	return func(t *testing.T, image *os.File) {
		for _, d := range damages {
			d(t, image)
		}
	}
}

// inside puts a file system of its own into the image, as a partition does.
func inside(at, size int64, format ...string) damage {
	return func(t *testing.T, image *os.File) {
		part := filepath.Join(t.TempDir(), "part")
		if err := os.WriteFile(part, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(part, size); err != nil {
			t.Fatal(err)
		}
		tool(t, format[0], append(format[1:], part)...)
		data, err := os.ReadFile(part)
		if err != nil {
			t.Fatal(err)
		}
		put(at, string(data))(t, image)
	}
}

// A torn stick is never called empty: whoever formats it loses the records of other
// kiosks. What can be repaired is, and only what nobody knows is unformatted.
func TestTornSticks(t *testing.T) {
	fat16, fat32, exfat := []string{"mkfs.vfat", "-F", "16"}, []string{"mkfs.vfat", "-F", "32"}, []string{"mkfs.exfat"}
	ext4 := []string{"mkfs.ext4", "-q"}
	const sector, mega = 512, 1 << 20
	for name, test := range map[string]struct {
		size    int64
		format  []string
		damage  damage
		state   State
		why     Why
		changed bool // the script has repaired it
	}{
		"sound FAT16":                      {16 * mega, fat16, nil, Mounted, "", false},
		"sound FAT32":                      {34 * mega, fat32, nil, Mounted, "", false},
		"sound exFAT":                      {16 * mega, exfat, nil, Mounted, "", false},
		"exFAT, a byte of the boot sector": {16 * mega, exfat, put(300, "\xff"), Mounted, "", true},
		"exFAT, a byte of the checksums":   {16 * mega, exfat, put(11*sector+5, "\x5a"), Mounted, "", true},
		"exFAT, no boot sector":            {16 * mega, exfat, zeros(0, sector), Mounted, "", true},
		"exFAT, noise for a boot sector":   {16 * mega, exfat, noise(0, sector), Mounted, "", true},
		"exFAT, no boot region":            {16 * mega, exfat, zeros(0, 12*sector), Mounted, "", true},
		"exFAT, no copy either":            {16 * mega, exfat, all(put(300, "\xff"), put(12*sector+300, "\xff")), Refused, Damaged, false},
		"FAT32, no boot sector":            {34 * mega, fat32, zeros(0, sector), Mounted, "", true},
		"FAT32, noise for a boot sector":   {34 * mega, fat32, noise(0, sector), Mounted, "", true},
		"FAT32, no copy either":            {34 * mega, fat32, all(zeros(0, sector), zeros(6*sector, sector)), Refused, Damaged, false},
		"FAT32, the tables alone":          {34 * mega, fat32, zeros(0, 16*sector), Refused, Damaged, false},
		"FAT16, no boot sector":            {16 * mega, fat16, zeros(0, sector), Refused, Damaged, false},
		"NTFS, the name alone":             {8 * mega, nil, put(3, "NTFS    "), Refused, Damaged, false},
		"NTFS, the copy alone":             {8 * mega, nil, put(8*mega-sector+3, "NTFS    "), Refused, Damaged, false},
		"HFS+, the name alone":             {8 * mega, nil, put(1024, "H+"), Refused, Damaged, false},
		"APFS, the name alone":             {8 * mega, nil, put(32, "NXSB"), Refused, Damaged, false},
		"LUKS, the name alone":             {8 * mega, nil, put(0, "LUKS\xba\xbe"), Refused, Encrypted, false},
		"BitLocker, the name alone":        {8 * mega, nil, put(3, "-FVE-FS-"), Refused, Encrypted, false},
		"a table without partitions":       {8 * mega, nil, put(510, "\x55\xaa"), Refused, Damaged, false},
		"GPT, its head alone":              {8 * mega, nil, put(sector, "EFI PART"), Refused, Damaged, false},
		"GPT, its copy alone":              {8 * mega, nil, put(8*mega-sector, "EFI PART"), Refused, Damaged, false},
		"FAT32 without its table":          {40 * mega, nil, inside(mega, 34*mega, fat32...), Refused, Damaged, false},
		"exFAT without its table":          {32 * mega, nil, inside(4*mega, 16*mega, exfat...), Refused, Damaged, false},
		"exFAT, an SD card's, likewise":    {48 * mega, nil, inside(16*mega, 16*mega, exfat...), Refused, Damaged, false},

		"empty":      {8 * mega, nil, nil, Refused, Unformatted, false},
		"noise":      {8 * mega, nil, noise(0, mega), Refused, Unformatted, false},
		"swap space": {8 * mega, []string{"mkswap"}, nil, Refused, Unknown, false},
		"ext2":       {8 * mega, []string{"mkfs.ext2", "-q"}, nil, Refused, Unknown, false},
		"ext3":       {8 * mega, []string{"mkfs.ext3", "-q"}, nil, Refused, Unknown, false},
		"ext4":       {8 * mega, ext4, nil, Refused, Unknown, false},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t).with(withoutKernel)
			device, image := b.loop(test.size, test.format...)
			if test.damage != nil {
				file, err := os.OpenFile(image, os.O_RDWR, 0)
				if err != nil {
					t.Fatal(err)
				}
				test.damage(t, file)
				if err := file.Close(); err != nil {
					t.Fatal(err)
				}
				tool(t, "blockdev", "--flushbufs", "/dev/"+device)
			}
			before := sumOf(t, image)
			said := b.run("plug", device)
			p := b.noted(device)
			b.run("unplug", device)
			if p.State != test.state || p.Why != test.why {
				t.Errorf("got %s %s, want %s %s; it said:\n%s", p.State, p.Why, test.state, test.why, said)
			}
			tool(t, "sync")
			if changed := !bytes.Equal(before, sumOf(t, image)); test.state == Mounted && changed != test.changed {
				t.Errorf("the stick was changed: %t, want %t; it said:\n%s", changed, test.changed, said)
			}
			if test.why == Unformatted && strings.Contains(said, "repairing") {
				t.Errorf("it was repaired:\n%s", said)
			}
		})
	}
}

// noted is what the script says of a device. An empty folder in the place of a stick is no
// mount of it to [Notes].
func (b *box) noted(device string) Partition {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "sticks", device))
	if err != nil {
		b.t.Fatal(err)
	}
	p, _ := parseNote(device, text)
	return p
}

// Not every blkid gives a type for a torn ext4; none calls it empty.
func TestATornExt4IsNotCalledEmpty(t *testing.T) {
	for name, d := range map[string]damage{
		"a byte":    put(1024+0x90, "\xff"),
		"noise":     noise(1024+0x70, 600),
		"more":      all(noise(1024, 56), noise(1024+58, 900)),
		"the magic": zeros(1024, 1024),
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			device, image := b.loop(16<<20, "mkfs.ext4", "-q", "-b", "1024")
			file, err := os.OpenFile(image, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			d(t, file)
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
			tool(t, "blockdev", "--flushbufs", "/dev/"+device)
			b.run("plug", device)
			defer b.run("unplug", device)
			if p := b.only(); p.State != Refused || p.Why != Damaged && p.Why != Unknown {
				t.Errorf("got %+v", p)
			}
		})
	}
}

// A locked stick is not written to, also where it is torn.
func TestATornStickThatIsLocked(t *testing.T) {
	b := newBox(t).with(withoutKernel)
	device, image := b.loop(16<<20, "mkfs.exfat")
	file, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	put(300, "\xff")(t, file)
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	tool(t, "blockdev", "--flushbufs", "/dev/"+device)
	tool(t, "blockdev", "--setro", "/dev/"+device)
	t.Cleanup(func() { tool(t, "blockdev", "--setrw", "/dev/"+device) })
	before := sumOf(t, image)
	said := b.run("plug", device)
	defer b.run("unplug", device)
	if p := b.noted(device); p.Why == Unformatted {
		t.Errorf("it is called unformatted: %+v", p)
	}
	if strings.Contains(said, "repairing") || !bytes.Equal(before, sumOf(t, image)) {
		t.Errorf("it was written to:\n%s", said)
	}
}

// A file system that the script may mount is FAT or exFAT, whatever a test puts in its place.
func TestOnlyFATAndExFATAreMounted(t *testing.T) {
	text, err := os.ReadFile("../../systemd/mimpi-kiosk-usb")
	if err != nil {
		t.Fatal(err)
	}
	mounts := 0
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); strings.Contains(line, "mount -t ") {
			mounts++
			if !strings.HasPrefix(line, "vfat) mount -t vfat ") && !strings.HasPrefix(line, "exfat) mount -t exfat ") {
				t.Errorf("mounts another file system: %s", line)
			}
		}
	}
	if mounts != 2 {
		t.Errorf("%d mounts were found, want 2", mounts)
	}
}

func sumOf(t *testing.T, path string) []byte {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		t.Fatal(err)
	}
	return sum.Sum(nil)
}
