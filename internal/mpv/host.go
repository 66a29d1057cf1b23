package mpv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Serve is the player host: it lives in the display session, where mpv may open windows,
// and gives each connection on the listener a fresh mpv of its own, copying bytes both
// ways. When either end goes the other is ended too. There is one projector, so there is
// one mpv that plays: a new connection ends the one before it.
//
// When a connection has stood for a while, one more mpv is started and kept idle until the
// next connection wants it: where mpv died in the middle of the film, loading the program
// is half of the wait. It costs 15 MB of its own (the program itself is in memory already)
// and no processor time.
//
// Who can connect can make mpv run anything, as the user of the host: the socket's
// permissions are the only guard.
//
// Serve returns when ctx ends, with every mpv gone, or when the listener breaks. It closes
// the listener.
func Serve(ctx context.Context, l net.Listener, player Child, log *slog.Logger) error {
	return serveFrom(ctx, l, &spare{Child: player, after: spareAfter}, log)
}

// spareAfter keeps the start of the spare out of the way of the film's.
const spareAfter = 5 * time.Second

func serveFrom(ctx context.Context, l net.Listener, player *spare, log *slog.Logger) (err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer func() { err = errors.Join(err, player.end()) }()
	var running sync.WaitGroup
	defer running.Wait()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() }) // Accept says so
	defer stop()
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
		done := make(chan struct{})
		running.Go(func() {
			defer close(done)
			defer endTurn()
			if err := bridge(turn, conn, player); err != nil {
				log.Error("player host", "error", err)
			}
		})
		end = func() { endTurn(); <-done }
	}
}

// bridge gives one connection its mpv, until either has ended.
func bridge(ctx context.Context, conn net.Conn, player *spare) error {
	line, err := player.take()
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var copying sync.WaitGroup
	for _, way := range [2][2]net.Conn{{line, conn}, {conn, line}} {
		copying.Go(func() {
			defer cancel()
			_, _ = io.Copy(way[0], way[1]) // ends with either end, however it ends
		})
	}
	select {
	case <-ctx.Done():
	case <-time.After(player.after):
		err = player.fill()
		<-ctx.Done()
	}
	err = errors.Join(err, line.Close(), conn.Close())
	copying.Wait()
	return err
}

// spare starts mpvs, and keeps one that waits. Bridges follow on each other, and only one
// uses it at a time.
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
