package mpv

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
)

// Serve is the player host: it lives in the display session, where mpv may open windows,
// and gives each connection on the listener a fresh mpv of its own, copying bytes both
// ways. When either end goes the other is ended too. There is one projector, so there is
// one mpv: a new connection ends the one before it.
//
// Who can connect can make mpv run anything, as the user of the host: the socket's
// permissions are the only guard.
//
// Serve returns when ctx ends, with every mpv gone, or when the listener breaks. It closes
// the listener.
func Serve(ctx context.Context, l net.Listener, player Child, log *slog.Logger) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
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
func bridge(ctx context.Context, conn net.Conn, player Child) error {
	line, err := player.start()
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
	<-ctx.Done()
	err = errors.Join(line.Close(), conn.Close())
	copying.Wait()
	return err
}
