package usb

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Notes is the [System] of systemd/mimpi-kiosk-usb: Dir is the folder that they share.
type Notes struct{ Dir string }

const longestNote = 4096 // bytes

// Watch implements [System].
func (n Notes) Watch(ctx context.Context, seen func([]Partition)) error {
	sticks := filepath.Join(n.Dir, "sticks")
	if _, err := os.Stat(sticks); errors.Is(err, fs.ErrNotExist) {
		return ErrNoSystem
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return fmt.Errorf("listen for USB sticks: %w", err)
	}
	events := os.NewFile(uintptr(fd), "inotify")
	defer events.Close() // read only
	const changes = unix.IN_MOVED_TO | unix.IN_MOVED_FROM | unix.IN_DELETE | unix.IN_CLOSE_WRITE | unix.IN_DELETE_SELF | unix.IN_ONLYDIR
	if _, err := unix.InotifyAddWatch(fd, sticks, changes); err != nil {
		return fmt.Errorf("listen for USB sticks: %w", err)
	}
	defer context.AfterFunc(ctx, func() { events.Close() })()
	buffer := make([]byte, 16<<10)
	for {
		all, err := n.read(sticks)
		if err != nil {
			return err
		}
		seen(all)
		_, err = events.Read(buffer) // whatever it was: all notes are read anew
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("listen for USB sticks: %w", err)
		}
	}
}

func (n Notes) read(sticks string) ([]Partition, error) {
	entries, err := os.ReadDir(sticks)
	if err != nil {
		return nil, fmt.Errorf("look for USB sticks: %w", err)
	}
	var out []Partition
	for _, e := range entries {
		if !nameFits(e.Name()) {
			continue
		}
		f, err := os.Open(filepath.Join(sticks, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone since
		}
		if err != nil {
			return nil, fmt.Errorf("look for USB sticks: %w", err)
		}
		data, err := io.ReadAll(io.LimitReader(f, longestNote))
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("look for USB sticks: %w", err)
		}
		p, number := parseNote(e.Name(), data)
		p.Dir = filepath.Join(n.Dir, "mnt", p.Name)
		if p.State == Mounted && number != "" && !mountedHere(p.Dir, number) {
			p.State, p.Why = Refused, Invisible
		}
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Partition) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// mountedHere guards against a mount that this process cannot see (its unit lets no mounts
// in): writing would go to the folder below, and "safe to take out" would be a lie.
func mountedHere(dir, number string) bool {
	info, err := os.Stat(dir)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return false
	}
	return fmt.Sprintf("%d:%d", unix.Major(stat.Dev), unix.Minor(stat.Dev)) == number
}

func nameFits(name string) bool {
	return name != "" && len(name) <= 32 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// parseNote reads a note; what is missing in it is empty.
func parseNote(name string, data []byte) (p Partition, number string) {
	p = Partition{Name: name, Disk: name, State: Refused}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), "=")
		switch key {
		case "state":
			p.State = State(value)
		case "why":
			p.Why = Why(value)
		case "ro":
			p.ReadOnly = value == "1"
		case "disk":
			p.Disk = value
		case "dev":
			number = value
		case "type":
			p.Type = value
		case "uuid":
			p.UUID = value
		case "label":
			p.Label = value
		case "size":
			p.Size, _ = strconv.ParseInt(value, 10, 64) // 0 when it is none
		}
	}
	if !slices.Contains([]State{Mounted, Released, Refused}, p.State) {
		p.State = Refused
	}
	if p.State == Refused && p.Why == "" {
		p.Why = Unknown
	}
	return p, number
}

// Release implements [System].
func (n Notes) Release(name string) error { return n.ask(name + ".release") }

// Mount implements [System].
func (n Notes) Mount(name string) error { return n.ask(name + ".mount") }

func (n Notes) ask(what string) error {
	f, err := os.OpenFile(filepath.Join(n.Dir, "requests", what), os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("ask the system for %s: %w", what, err)
	}
	return f.Close()
}
