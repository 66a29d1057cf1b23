// Package usb looks after USB sticks: it learns of them from the system, has the logs
// written onto them, and says when they may be taken out.
//
// # How a stick comes here
//
// The daemon has no right to mount anything and needs none. A udev rule starts a unit for
// each partition that is plugged in, and that unit mounts it and writes a note of it
// (systemd/mimpi-kiosk-usb says what stands where). [Notes] hears of notes by inotify:
// nothing is polled, and what could not be mounted comes the same way, with the reason.
// To unmount, the daemon makes an empty file, which a path unit sees. That is less than
// UDisks2 over D-Bus would need: no D-Bus, no polkit rule, and each piece can be tried by
// hand with a loop device.
//
// # What it promises
//
// [Desk.Run] sees to one stick at a time and blocks until its goroutines are gone. A stick
// is "safe" only when the system has unmounted it after everything on it was synced. An
// export that begins by itself waits while the film runs, also between two screenings; one
// that the facilitator asked for does not. While the power is weak all writing waits, until
// the facilitator asks for it once more. A stick that is pulled
// out does no harm here: the job ends with an error, and the next plug-in begins it anew.
// Nothing that stands on a stick is ever run.
package usb

import (
	"context"
	"crypto/sha256"
	"fmt"
)

// State is what the system did with a partition.
type State string

const (
	Mounted  State = "mounted"
	Released State = "released" // unmounted cleanly; it may be taken out
	Refused  State = "refused"  // cannot be used, see Why
)

// Partition is one partition of a stick, as the system sees it.
type Partition struct {
	Name     string // of the device: "sda1"
	Disk     string // "sda"
	State    State
	Why      Why
	ReadOnly bool
	Type     string // file system
	UUID     string
	Label    string
	Size     int64 // bytes
	Dir      string
}

// ID tells one stick from another without saying whose it is.
func (p Partition) ID() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", p.UUID, p.Label, p.Size))
	return fmt.Sprintf("%x", sum[:6])
}

// System is what mounts and unmounts.
type System interface {
	// Watch tells of all partitions at once and after each change, by name, until ctx ends.
	// It gives [ErrNoSystem] where nothing mounts sticks.
	Watch(ctx context.Context, seen func([]Partition)) error
	// Release and Mount ask for it; what came of it is seen by Watch.
	Release(name string) error
	Mount(name string) error
}

// ErrNoSystem is the error of a machine on which sticks are not looked after.
var ErrNoSystem = errNoSystem{}

type errNoSystem struct{}

func (errNoSystem) Error() string { return "this machine does not look after USB sticks" }
