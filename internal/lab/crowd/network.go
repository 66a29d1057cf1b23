package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/lab/root"
	"mimpi-kiosk/internal/lab/visit"
)

// network is a hall's, made of two network namespaces: this process and all phones are in one,
// the kiosk with its own screens and buttons in the other. A pair of veth between them is the
// Wi-Fi. Nothing of it touches the machine's own network, and it is gone with the processes.
type network struct {
	hall *os.File // the kiosk's namespace

	mu      sync.Mutex
	up      bool
	changed chan struct{} // closed when what a phone is told of has changed
}

// The addresses are those that are set aside for tests of networks. Each phone has its own,
// as on Wi-Fi.
const (
	kioskAddress  = "198.18.0.1"
	phonesAddress = "198.18.0.2"
	both          = "/15"
	phonesRange   = "198.19.0.0/16"
	mostPhones    = 900 // Linux keeps no more than 1024 neighbours
)

// alone starts this program anew, in a network namespace of its own, or says why it cannot.
func alone() error {
	unshare, err := exec.LookPath("unshare")
	if err != nil {
		return fmt.Errorf("outages need a network of their own: %w (util-linux has it)", err)
	}
	args := []string{unshare, "--net"}
	if os.Geteuid() != 0 {
		args = append(args, "--map-root-user")
	}
	if said, err := exec.Command(args[0], append(args[1:], "true")...).CombinedOutput(); err != nil {
		return fmt.Errorf("outages need a network of their own, which only root may make here: run this as root (%w: %s)", err, bytes.TrimSpace(said))
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return syscall.Exec(unshare, slices.Concat(args, []string{self, "-alone"}, os.Args[1:]), os.Environ())
}

func newNetwork(ctx context.Context) (*network, error) {
	if _, err := exec.LookPath("ip"); err != nil {
		return nil, fmt.Errorf("outages need ip: %w (apt install iproute2; make test-network has it)", err)
	}
	n := &network{up: true, changed: make(chan struct{})}
	err := elsewhere(func() (err error) {
		if err = unix.Unshare(unix.CLONE_NEWNET); err == nil {
			n.hall, err = os.Open("/proc/thread-self/ns/net")
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make the kiosk's network: %w", err)
	}
	here := func(args ...string) error { return root.Command(ctx, "ip", args...) }
	there := func(args ...string) error {
		return root.Command(ctx, "nsenter", append([]string{n.enter(), "ip"}, args...)...)
	}
	return n, errors.Join(
		here("link", "add", "phones", "type", "veth", "peer", "name", "kiosk", "netns", n.path()),
		there("link", "set", "lo", "up"),
		there("address", "add", kioskAddress+both, "dev", "kiosk"),
		there("link", "set", "kiosk", "up"),
		here("link", "set", "lo", "up"),
		here("address", "add", phonesAddress+both, "dev", "phones"),
		here("link", "set", "phones", "up"),
		here("route", "add", "local", phonesRange, "dev", "lo"), // all of it is at home here
	)
}

// elsewhere does something on a thread that ends with it: its namespace may be changed.
func elsewhere(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good
		done <- do()
	}()
	return <-done
}

func (n *network) path() string  { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), n.hall.Fd()) }
func (n *network) enter() string { return "--net=" + n.path() }

// beside is a program on the kiosk's machine.
func (n *network) beside(ctx context.Context, name string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "nsenter", slices.Concat([]string{n.enter(), name}, args)...)
}

// loopback dials on the kiosk's machine.
func (n *network) loopback(ctx context.Context, network, address string) (c net.Conn, err error) {
	err = elsewhere(func() error { // a socket stays where the thread was that made it
		if err := unix.Setns(int(n.hall.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		c, err = (&net.Dialer{}).DialContext(ctx, network, address)
		return err
	})
	return c, err
}

// from dials from the address of a phone.
func (n *network) from(phone int) visit.Dial {
	address := net.IPv4(198, 19, byte(1+phone/250), byte(1+phone%250))
	return (&net.Dialer{LocalAddr: &net.TCPAddr{IP: address}, KeepAlive: -1}).DialContext
}

func (n *network) state() (up bool, changed <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.up, n.changed
}

// tell is what phones are told of their network.
func (n *network) tell(up bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.up != up {
		n.up = up
		close(n.changed)
		n.changed = make(chan struct{})
	}
}

// fault is what takes the network away.
type fault int

const (
	accessPoint fault = iota // loses its power: the phones see that
	cable                    // between access point and kiosk: the phones have Wi-Fi all the while
)

func (f fault) String() string { return [...]string{"the access point's power", "its cable"}[f] }

// fade lets nothing come through to the phones any more, while the kiosk still hears them: what
// it answers now is lost. It is how Wi-Fi ends when it is too far.
func (n *network) fade(ctx context.Context) error {
	return root.Command(ctx, "nsenter", n.enter(), "ip", "route", "add", "blackhole", phonesRange)
}

func (n *network) down(ctx context.Context, f fault) error {
	if f == cable {
		return root.Command(ctx, "nsenter", n.enter(), "ip", "link", "set", "kiosk", "down")
	}
	err := root.Command(ctx, "ip", "link", "set", "phones", "down")
	n.tell(false)
	return err
}

// restore ends fade and down.
func (n *network) restore(ctx context.Context, f fault) error {
	err := root.Command(ctx, "nsenter", n.enter(), "ip", "route", "del", "blackhole", phonesRange)
	if f == cable {
		return errors.Join(err, root.Command(ctx, "nsenter", n.enter(), "ip", "link", "set", "kiosk", "up"))
	}
	err = errors.Join(err, root.Command(ctx, "ip", "link", "set", "phones", "up"))
	n.tell(true)
	return err
}
