package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A container is a machine without a kernel of its own: the same Debian with its own
// systemd, in seconds instead of minutes, for what systemd and the package do. What the
// kernel, a disk or a screen do only a guest of QEMU shows.
type container struct {
	nspawn *exec.Cmd
	ended  chan error
	init   string   // process id, here outside, of its systemd
	net    *os.File // its network: its loopback is all there is
}

const nspawn = `export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
systemctl --root="$root" mask mimpi-kiosk-display.service
exec systemd-nspawn --quiet --keep-unit --register=no --directory="$root" --machine=kiosk --private-network --boot --console=pipe`

// contain starts a container with the package installed and waits until it is up.
func contain(ctx context.Context, a architecture, deb, newer, work string, log io.Writer) (*machine, error) {
	if a.debian != runtime.GOARCH {
		return nil, errors.New("a container is for this machine's own architecture")
	}
	if _, err := exec.LookPath("systemd-nspawn"); err != nil {
		return nil, errors.New("the lab needs systemd-nspawn: apt install systemd-container (make runs the labs in a Debian that has it)")
	}
	arguments, err := installation(ctx, a, deb, newer, work, os.Stdout)
	if err != nil {
		return nil, err
	}
	c := &container{ended: make(chan error, 1)}
	c.nspawn = exec.Command("unshare", append([]string{"--mount", "bash", "-c", install + nspawn, "lab"}, arguments...)...)
	c.nspawn.Stdout, c.nspawn.Stderr = log, log
	c.nspawn.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.nspawn.Start(); err != nil {
		return nil, err
	}
	go func() { c.ended <- c.nspawn.Wait() }()
	m := &machine{in: c}
	if err := c.await(ctx); err != nil {
		return nil, closing(m, err)
	}
	if err := m.answers(ctx, 8080, "/touch", patience); err != nil {
		return nil, closing(m, err)
	}
	_, err = m.run(ctx, "systemctl is-system-running --wait")
	if err != nil {
		return nil, closing(m, err)
	}
	return m, nil
}

// await waits for the container's systemd.
func (c *container) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	pid := fmt.Sprint(c.nspawn.Process.Pid)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		children, err := os.ReadFile(filepath.Join("/proc", pid, "task", pid, "children"))
		if err != nil {
			return err
		}
		for child := range strings.FieldsSeq(string(children)) {
			name, err := os.ReadFile(filepath.Join("/proc", child, "comm"))
			if err != nil || strings.TrimSpace(string(name)) != "systemd" {
				continue
			}
			if c.net, err = os.Open(filepath.Join("/proc", child, "ns/net")); err != nil {
				return err
			}
			c.init = child
			return nil
		}
		select {
		case <-tick.C:
		case err := <-c.ended:
			c.ended <- err
			return fmt.Errorf("the container ended (console.log says why): %w", err)
		case <-ctx.Done():
			return fmt.Errorf("the container's systemd has not started: %w", ctx.Err())
		}
	}
}

// try runs a line of bash in the container.
func (c *container) try(ctx context.Context, line string) (string, int, error) {
	cmd := exec.CommandContext(ctx, "nsenter", "--target", c.init, "--all", "bash", "-c", line)
	cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8"}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		return strings.TrimSpace(said.String()), exit.ExitCode(), nil
	}
	return strings.TrimSpace(said.String()), 0, err
}

// dial connects from within the container's network.
func (c *container) dial(ctx context.Context, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	dialled := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if err := unix.Setns(int(c.net.Fd()), unix.CLONE_NEWNET); err != nil {
			dialled <- result{nil, fmt.Errorf("enter the container's network: %w", err)}
			return
		}
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		dialled <- result{conn, err}
	}()
	r := <-dialled
	return r.conn, r.err
}

// Close ends the container as a power cut would.
func (c *container) Close() error {
	_ = syscall.Kill(-c.nspawn.Process.Pid, syscall.SIGKILL) // it may have ended; its systemd dies with it
	<-c.ended
	if c.net == nil {
		return nil
	}
	return c.net.Close()
}
