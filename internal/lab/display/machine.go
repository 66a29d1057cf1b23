package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mimpi-kiosk/internal/lab/picture"
)

const (
	session  = "/run/mimpi-display"
	pictures = inside + "/build/lab/display"
	program  = inside + "/build/mimpi-kiosk"
)

// Who runs what, as on the Raspberry Pi.
const (
	daemonUser  = 1501
	displayUser = 1500
)

// prepare makes the users' folders and brings the network's loopback up.
func prepare() error {
	passwd, err := os.OpenFile("/etc/passwd", os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(passwd, "mimpi-display:x:%d:%d::%s:/bin/false\nmimpi-kiosk:x:%d:%d::/:/bin/false\n",
		displayUser, displayUser, session, daemonUser, daemonUser)
	if err := errors.Join(err, passwd.Close()); err != nil {
		return err
	}
	for folder, owner := range map[string]int{session: displayUser, "/var/lib/mimpi-kiosk": daemonUser} {
		if err := errors.Join(os.MkdirAll(folder, 0o755), os.Chown(folder, owner, owner)); err != nil {
			return err
		}
	}
	policies := "/etc/chromium/policies/managed"
	if err := os.MkdirAll(policies, 0o755); err != nil {
		return err
	}
	data, err := os.ReadFile(inside + "/systemd/chromium-policies.json")
	if err != nil {
		return err
	}
	if err := os.WriteFile(policies+"/mimpi-kiosk.json", data, 0o644); err != nil {
		return err
	}
	if err := os.MkdirAll("/etc/mimpi-kiosk", 0o755); err != nil {
		return err
	}
	return loopbackUp()
}

func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	var request [40]byte // struct ifreq: a name of 16 bytes, then the flags
	copy(request[:], "lo")
	binary.NativeEndian.PutUint16(request[16:], syscall.IFF_UP)
	return ioctl(fd, syscall.SIOCSIFFLAGS, request[:])
}

// process is a program of the lab.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{}
	err   error
}

// start runs a program as a user; its lines go to NAME.log beside the pictures.
func start(name string, user int, env []string, args ...string) (*process, error) {
	log, err := os.OpenFile(filepath.Join(pictures, name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = inside
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}, env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user), Groups: []uint32{displayUser}}, // the daemon may use the player's socket
		Pdeathsig:  syscall.SIGKILL,
	}
	err = cmd.Start()
	if err := errors.Join(err, log.Close()); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &process{name: name, cmd: cmd, ended: make(chan struct{})}
	go func() { p.err = cmd.Wait(); close(p.ended) }()
	return p, nil
}

// stop asks a program to end, as systemd does.
func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("%s did not end well: %w", p.name, p.err)
		}
		return nil
	case <-time.After(10 * time.Second):
		_ = p.cmd.Process.Kill()
		return fmt.Errorf("%s did not end when asked to", p.name)
	}
}

// failed waits until a program ends with an error, as it should after what was done to it.
func (p *process) failed(limit time.Duration) error {
	select {
	case <-p.ended:
		if p.err == nil {
			return fmt.Errorf("%s ended well; systemd would not start it again", p.name)
		}
		return nil
	case <-time.After(limit):
		return fmt.Errorf("%s still runs after %s", p.name, limit)
	}
}

const notifySocket = "/run/lab-notify"

// states hears what a service tells systemd.
type states struct{ conn *net.UnixConn }

func listenToStates() (*states, error) {
	if err := os.Remove(notifySocket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: notifySocket, Net: "unixgram"})
	if err != nil {
		return nil, err
	}
	return &states{conn}, os.Chmod(notifySocket, 0o777)
}

func (s *states) await(state string, limit time.Duration) error {
	if err := s.conn.SetReadDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	for {
		data := make([]byte, 4096)
		n, err := s.conn.Read(data)
		if err != nil {
			return fmt.Errorf("nothing says %s: %w", state, err)
		}
		if string(data[:n]) == state {
			return nil
		}
	}
}

func (s *states) close() error { return s.conn.Close() }

// tool runs a small program of the display session.
func tool(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "XDG_RUNTIME_DIR=" + session, "WAYLAND_DISPLAY=wayland-0"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: displayUser, Gid: displayUser}}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return said.String(), fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(said.String()))
	}
	return said.String(), nil
}

func look(ctx context.Context, name, output string) (picture.Picture, error) {
	file := filepath.Join(pictures, name+"-"+output+".png")
	if _, err := tool(ctx, "grim", "-o", output, file); err != nil {
		return picture.Picture{}, err
	}
	return picture.Read(file)
}

// browser finds the Chromium of a page.
func browser(role string) (int, error) {
	return find(func(line string) bool {
		return strings.Contains(line, session+"/chromium-"+role) && !strings.Contains(line, "--type=") && !strings.Contains(line, "crashpad")
	})
}

func find(is func(commandLine string) bool) (int, error) {
	pids, err := processes(is)
	if err != nil {
		return 0, err
	}
	if len(pids) == 0 {
		return 0, errors.New("no such process")
	}
	return pids[0], nil
}

func processes(is func(commandLine string) bool) (pids []int, err error) {
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return nil, err
	}
	for _, f := range found {
		line, err := os.ReadFile(f)
		if err != nil || !is(string(line)) {
			continue
		}
		pid, err := strconv.Atoi(strings.Split(f, "/")[2])
		if err != nil {
			return nil, err
		}
		pids = append(pids, pid)
	}
	return pids, nil
}

// await tries until it holds.
func await(ctx context.Context, limit time.Duration, what string, holds func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	begun := time.Now()
	for {
		err := holds()
		if err == nil {
			fmt.Printf("  %-62s %5.1f s\n", what, time.Since(begun).Seconds())
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: not within %s: %w", what, limit, err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
