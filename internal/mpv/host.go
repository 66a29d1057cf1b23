package mpv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Serve is the player host: it lives in the display session, where mpv may open windows,
// and starts a fresh mpv for each connection on the listener, which is of unix sockets. It
// hands the line to that mpv over and keeps out of it: a host that copied bytes would cost
// half a percent of the film. When the connection goes so does the mpv. There is one
// projector, so there is one mpv that plays: a new connection ends the one before it.
//
// When a connection has stood for a while, one more mpv is started and kept idle until the
// next connection wants it: where mpv died in the middle of the film, loading the program
// is half of the wait. It costs 15 MB of its own (the program itself is in memory already)
// and no processor time.
//
// What comes on renew (nil: nothing ever) ends the mpv that plays: whoever has it asks for
// another, whose window the compositor places anew.
//
// Who can connect can make mpv run anything, as the user of the host: the socket's
// permissions are the only guard.
//
// Serve returns when ctx ends, with every mpv gone, or when the listener breaks. It closes
// the listener.
func Serve(ctx context.Context, l net.Listener, player Child, renew <-chan struct{}, log *slog.Logger) error {
	return serveFrom(ctx, l, &spare{Child: player, after: spareAfter}, renew, log)
}

// spareAfter keeps the start of the spare out of the way of the film's.
const spareAfter = 5 * time.Second

func serveFrom(ctx context.Context, l net.Listener, player *spare, renew <-chan struct{}, log *slog.Logger) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { err = errors.Join(err, player.end()) }()
	var running sync.WaitGroup
	defer running.Wait()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // Accept says so
	defer stop()
	var now atomic.Pointer[context.CancelFunc] // of the turn
	running.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-renew:
				if end := now.Load(); end != nil {
					(*end)()
				}
			}
		}
	})
	end := func() {}
	for {
		conn, err := l.Accept()
		if err != nil {
			cancel()
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("player host: %w", errors.Join(err, l.Close()))
		}
		end()
		turn, endTurn := context.WithCancel(ctx)
		now.Store(&endTurn)
		done := make(chan struct{})
		running.Go(func() {
			defer close(done)
			defer endTurn()
			if err := lend(turn, conn.(*net.UnixConn), player); err != nil {
				log.Error("player host", "error", err)
			}
		})
		end = func() { endTurn(); <-done }
	}
}

// lend gives one connection its mpv, until the connection has gone.
func lend(ctx context.Context, conn *net.UnixConn, player *spare) error {
	line, err := player.take()
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var listening sync.WaitGroup
	listening.Go(func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, conn) // nothing is said: it ends with the connection
	})
	if err := handOver(conn, line.UnixConn); err != nil {
		cancel() // it went before it had its mpv, which is no fault of ours
	}
	select {
	case <-ctx.Done():
	case <-time.After(player.after):
		err = player.fill()
		<-ctx.Done()
	}
	err = errors.Join(err, line.Close(), conn.Close())
	listening.Wait()
	return err
}

// handOver sends a line through a connection; accept takes it.
func handOver(through, line *net.UnixConn) error {
	socket, err := line.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = socket.Control(func(fd uintptr) {
		_, _, sent = through.WriteMsgUnix([]byte{0}, unix.UnixRights(int(fd)), nil)
	})
	return errors.Join(err, sent)
}

func accept(through *net.UnixConn) (net.Conn, error) {
	data, rights := make([]byte, 1), make([]byte, unix.CmsgSpace(4))
	n, m, _, _, err := through.ReadMsgUnix(data, rights)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(rights[:m])
	if err != nil || n != 1 || len(messages) != 1 {
		return nil, errors.Join(errors.New("something else came"), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.Join(errors.New("something else came"), err)
	}
	file := os.NewFile(uintptr(fds[0]), "mpv")
	conn, err := net.FileConn(file) // of its own descriptor
	return conn, errors.Join(err, file.Close())
}

// spare starts mpvs, and keeps one that waits. One connection after the other uses it.
type spare struct {
	Child
	after time.Duration
	ready *childLine // or nil
}

// take gives the one that waits, or a new one where that has died.
func (s *spare) take() (*childLine, error) {
	line := s.ready
	s.ready = nil
	switch {
	case line == nil:
		return s.start()
	case line.ended():
		if err := line.Close(); err != nil {
			return nil, err
		}
		return s.start()
	}
	return line, nil
}

func (s *spare) fill() (err error) {
	if s.ready == nil {
		s.ready, err = s.start()
	}
	return err
}

func (s *spare) end() error {
	if s.ready == nil {
		return nil
	}
	return s.ready.Close()
}
