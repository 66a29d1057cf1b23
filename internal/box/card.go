package box

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/health"
)

// limp is how long a good card never takes for one small write that is synced.
const limp = time.Second

// Probe is one small file written, synced, and read back from the card itself.
type Probe struct {
	Write, Read time.Duration
	Err         error
}

// probed is the size of the file: a block of most file systems, and little wear.
const probed = 4096

var errOther = errors.New("what was read back is not what was written")

// ProbeCard writes a small file into a folder, syncs it, and reads it back past the
// cache of the kernel, so that it comes from the card. The file is removed.
func ProbeCard(dir string) (p Probe) {
	path := filepath.Join(dir, ".card-probe")
	want := aligned(probed)
	rand.Read(want) // never fails: see crypto/rand
	begin := time.Now()
	defer os.Remove(path) // the next one overwrites what is left
	if p.Err = writeSynced(path, want); p.Err != nil {
		return p
	}
	p.Write = time.Since(begin)
	begin = time.Now()
	got, err := readPastCache(path)
	p.Read, p.Err = time.Since(begin), err
	if err == nil && !bytes.Equal(got, want) {
		p.Err = errOther
	}
	return p
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// readPastCache reads with O_DIRECT. A file system without it (tmpfs) is asked to
// forget its cache first.
func readPastCache(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECT, 0)
	if errors.Is(err, syscall.EINVAL) {
		f, err = os.Open(path)
		if err == nil {
			err = unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
		}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	data := aligned(probed)
	n, err := f.ReadAt(data, 0)
	return data[:n], err
}

// aligned gives memory at a place that O_DIRECT takes.
func aligned(n int) []byte {
	room := make([]byte, 2*n)
	skip := n - int(uintptr(unsafe.Pointer(&room[0]))%uintptr(n))
	return room[skip%n : skip%n+n]
}

// Part says what a probe means; "" is nothing to say.
func (p Probe) Part() health.Part {
	switch {
	case errors.Is(p.Err, syscall.ENOSPC), errors.Is(p.Err, syscall.EROFS), errors.Is(p.Err, syscall.EACCES), errors.Is(p.Err, syscall.EDQUOT):
		// The parts "disk" and "journal" say what to do.
		return *part("card_test", health.Note, "Kartu memori tidak bisa diuji: "+p.Err.Error(), "The memory card cannot be tested: "+p.Err.Error())
	case p.Err != nil:
		return *part("card_test", health.Problem, "Kartu memori rusak: yang ditulis tidak terbaca kembali ("+p.Err.Error()+").",
			"The memory card is failing: what is written cannot be read back ("+p.Err.Error()+").", replaceCard()...)
	case p.Write > limp || p.Read > limp:
		return *part("card_test", health.Note,
			fmt.Sprintf("Kartu memori lambat: perlu %.1f detik untuk berkas kecil. Kartu yang akan rusak sering begitu.", (p.Write+p.Read).Seconds()),
			fmt.Sprintf("The memory card is slow: it needs %.1f seconds for a small file. Cards that are about to fail often do.", (p.Write+p.Read).Seconds()),
			replaceCard()...)
	}
	return *part("card_test", health.OK, "Kartu memori menulis dan membaca dengan baik.", "The memory card writes and reads well.")
}

// probeCard probes now and then. A card that hangs holds the goroutine up, not the kiosk.
func (w *Watch) probeCard(ctx context.Context) error {
	for wait := probeFirst; ; wait = probeEvery {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		late := time.AfterFunc(hangs, func() {
			w.Set(*part("card_test", health.Problem, "Kartu memori tidak menjawab.", "The memory card does not answer.",
				"Tunggu sebentar. Kalau tetap begitu, nyalakan ulang kotak dan ganti kartu memorinya setelah malam ini.",
				"Wait a moment. If it stays so, restart the box, and replace the memory card after this evening."))
		})
		p := ProbeCard(w.Data)
		late.Stop()
		w.Set(p.Part())
	}
}
