// Package preload plays a bad disk to the daemon, by a library in C that is preloaded into it
// (disk.c): slow, failing once or for ever, or the end of the process at one call. It reaches
// SQLite, which is C, and nothing of Go's own.
package preload

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Build compiles the library with gcc. The source folder is the working directory.
func Build(ctx context.Context, library string) error {
	cmd := exec.CommandContext(ctx, "gcc", "-O2", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, "internal/lab/preload/disk.c", "-ldl")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("gcc: %w\n%s", err, out)
	}
	return nil
}

// Kill in an [Order] is no error, but the end of the process.
const Kill syscall.Errno = 1<<32 - 1

// Order is what happens to the calls of one kind, which are counted from when it is given.
type Order struct {
	Error syscall.Errno // 0: nothing
	After int           // so many calls go well first
	Times int           // then so many fail; -1: all
}

// Disk is the disk of one program. Its orders may be given while that runs.
type Disk struct{ file *os.File }

// NewDisk makes a disk that is well, with its orders in a file of that name.
func NewDisk(name string) (*Disk, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	return &Disk{f}, f.Truncate(4 + 3*16)
}

// Environment is what the program must have in its own.
func (d *Disk) Environment(library string) []string {
	return []string{"LD_PRELOAD=" + library, "LAB_DISK=" + d.file.Name()}
}

// Stall lets each sync take so much longer.
func (d *Disk) Stall(by time.Duration) error { return d.put(0, int32(by/time.Millisecond)) }

// Writes, Syncs and Reads give an order for the calls of that kind.
func (d *Disk) Writes(o Order) error { return d.order(4, o) }
func (d *Disk) Syncs(o Order) error  { return d.order(20, o) }
func (d *Disk) Reads(o Order) error  { return d.order(36, o) }

// Calls is how many writes and syncs there were since their order was given.
func (d *Disk) Calls() (writes, syncs int, err error) {
	var all [36]byte
	_, err = d.file.ReadAt(all[:], 0)
	return int(binary.NativeEndian.Uint32(all[16:])), int(binary.NativeEndian.Uint32(all[32:])), err
}

func (d *Disk) order(at int64, o Order) error {
	// The number of calls first, and the error last: it is what brings the order into force.
	if err := d.put(at, 0); err != nil {
		return err
	}
	if err := d.put(at+4, int32(o.After), int32(o.Times), 0); err != nil {
		return err
	}
	return d.put(at, int32(uint32(o.Error)))
}

func (d *Disk) put(at int64, numbers ...int32) error {
	var data []byte
	for _, n := range numbers {
		data = binary.NativeEndian.AppendUint32(data, uint32(n))
	}
	_, err := d.file.WriteAt(data, at)
	return err
}

// Close gives the orders up; the program goes on with the last ones.
func (d *Disk) Close() error { return d.file.Close() }
