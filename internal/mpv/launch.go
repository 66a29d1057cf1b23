package mpv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Launcher starts one fresh mpv and gives the line to it. Whoever closes the line ends
// that mpv.
type Launcher interface {
	Launch(ctx context.Context) (io.ReadWriteCloser, error)
}

// Arguments are those that every mpv of ours gets, whoever starts it. What belongs to a
// film or an evening (hardware decoder, sound device, volume, subtitles, where to begin)
// is set over the line afterwards. output is the name of the display, such as "HDMI-A-1"
// ("" leaves the choice to the compositor).
func Arguments(output string) []string {
	args := []string{
		"--no-config", "--no-terminal", "--load-scripts=no", "--ytdl=no",
		"--input-ipc-client=fd://3",
		"--idle=yes",
		// The window is there only while a film is: below it is the stage page.
		"--force-window=no", "--fullscreen", "--wayland-app-id=mimpi-film", "--x11-name=mimpi-film",
		"--keep-open=yes", "--keep-open-pause=no", // the last picture stays until we are told what comes next
		"--hr-seek=yes",
		"--no-osc", "--osd-level=0", "--cursor-autohide=always", "--no-input-cursor",
		"--no-input-default-bindings", "--input-vo-keyboard=no", // keys are the clicker's and the compositor's
		"--sub-auto=no", "--audio-file-auto=no", "--audio-display=no",
		// Without a loudspeaker the film goes on by the clock, and its sound track stays
		// chosen: ao-reload brings it back.
		"--audio-fallback-to-null=yes",
	}
	if output != "" {
		args = append(args, "--fs-screen-name="+output)
	}
	return args
}

// Child starts mpv as a child of this process. The zero value is "mpv" with no arguments,
// which will not do: use Arguments.
type Child struct {
	Program string   // "" is mpv, found by PATH
	Args    []string // with --input-ipc-client=fd://3 among them
	Stderr  io.Writer
}

// Launch starts it. ctx bounds nothing that takes time: the kernel starts a process or
// says why not.
func (c Child) Launch(context.Context) (io.ReadWriteCloser, error) { return c.start() }

func (c Child) start() (*childLine, error) {
	program := c.Program
	if program == "" {
		program = "mpv"
	}
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, fmt.Errorf("make a line to mpv: %w", err)
	}
	cmd := exec.Command(program, c.Args...)
	cmd.ExtraFiles = []*os.File{theirs} // descriptor 3
	cmd.Stderr = c.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl+C in our terminal is for us, not for it
	err = cmd.Start()
	if cerr := theirs.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w (apt install mpv)", program, err), ours.Close())
	}
	return &childLine{UnixConn: ours, cmd: cmd}, nil
}

// childLine is the line to a child of ours.
type childLine struct {
	*net.UnixConn
	cmd     *exec.Cmd
	closing sync.Once
	closed  error
}

// Close kills the child and waits until it is gone.
func (l *childLine) Close() error {
	l.closing.Do(func() {
		err := l.cmd.Process.Kill()
		if errors.Is(err, os.ErrProcessDone) {
			err = nil
		}
		_ = l.cmd.Wait() // it was killed, or died before: both are what was wanted
		l.closed = errors.Join(err, l.UnixConn.Close())
	})
	return l.closed
}

// ended says whether the child has closed its end, which it does by dying only. What it
// has said before then may still be there to read.
func (l *childLine) ended() bool {
	socket, err := l.SyscallConn()
	if err != nil {
		return true
	}
	var gone bool
	err = socket.Control(func(fd uintptr) {
		ends := []unix.PollFd{{Fd: int32(fd)}} // a hang-up is told unasked
		_, err := unix.Poll(ends, 0)
		gone = err != nil || ends[0].Revents&unix.POLLHUP != 0
	})
	return gone || err != nil
}

// socketPair gives a connected pair: ours for Go's poller, theirs for a child.
func socketPair() (*net.UnixConn, *os.File, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "mpv"), os.NewFile(uintptr(fds[1]), "mpv's end")
	conn, err := net.FileConn(ours) // of its own descriptor
	if cerr := ours.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return conn.(*net.UnixConn), theirs, nil
}

// Host asks a player host ([Serve]) for an mpv.
type Host struct {
	Socket string // path of its unix socket
}

// Launch connects, and waits until ctx ends for the mpv.
func (h Host) Launch(ctx context.Context) (io.ReadWriteCloser, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", h.Socket)
	if err != nil {
		return nil, fmt.Errorf("reach the player host: %w", err)
	}
	defer context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Now()) })() // accept says so
	line, err := accept(conn.(*net.UnixConn))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the player host gives no mpv (its log says why): %w", err), conn.Close())
	}
	return hostLine{line, conn}, nil
}

// hostLine is a line to an mpv that lives as long as the connection to its host.
type hostLine struct {
	net.Conn
	host net.Conn
}

// Close ends both.
func (l hostLine) Close() error { return errors.Join(l.Conn.Close(), l.host.Close()) }
