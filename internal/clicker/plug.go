package clicker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// WatchPlugs gives what the kernel says of devices that are plugged in or out, of the
// subsystems "usb" (a device, not each of its parts) and "gpio" (a chip), until ctx ends.
// It waits for nobody: a full channel drops what comes. Its error says why it cannot
// listen; that needs no rights, but a sandbox must let AF_NETLINK through.
func WatchPlugs(ctx context.Context, plugs chan<- Plug) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_KOBJECT_UEVENT)
	if err != nil {
		return fmt.Errorf("listen for plugged devices: %w", err)
	}
	const kernel = 1 // the group of the kernel itself; 2 is udev's
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: kernel}); err != nil {
		return errors.Join(fmt.Errorf("listen for plugged devices: %w", err), unix.Close(fd))
	}
	socket := os.NewFile(uintptr(fd), "uevents")
	defer context.AfterFunc(ctx, func() { socket.Close() })()
	defer socket.Close()
	buf := make([]byte, 64*1024)
	for {
		n, err := socket.Read(buf)
		now := Monotonic()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, syscall.ENOBUFS): // more came than the socket holds: some of it may have been USB
			select {
			case plugs <- Plug{now, "usb"}:
			default:
			}
		case err != nil:
			return fmt.Errorf("listen for plugged devices: %w", err)
		default:
			if subsystem, ok := decodeUevent(buf[:n]); ok {
				select {
				case plugs <- Plug{now, subsystem}:
				default:
				}
			}
		}
	}
}

// decodeUevent reads a message of the kernel: "add@/devices/...\0" and then KEY=VALUE
// strings. It tells of devices that come and go, and of nothing else.
func decodeUevent(message []byte) (subsystem string, ok bool) {
	var action, kind string
	for part := range bytes.SplitSeq(message, []byte{0}) {
		key, value, _ := bytes.Cut(part, []byte{'='})
		switch string(key) {
		case "ACTION":
			action = string(value)
		case "SUBSYSTEM":
			subsystem = string(value)
		case "DEVTYPE":
			kind = string(value)
		}
	}
	comes := action == "add" || action == "remove"
	return subsystem, comes && (subsystem == "gpio" || subsystem == "usb" && kind == "usb_device")
}

// Monotonic reads CLOCK_MONOTONIC, which the times of edges are in.
func Monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0 // it has no way to fail on Linux
	}
	return time.Duration(t.Nano())
}
