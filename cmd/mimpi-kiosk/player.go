package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"mimpi-kiosk/internal/display"
	"mimpi-kiosk/internal/mpv"
)

// The player host runs in the display session, as the user who may use screen and
// sound; the daemon, which is in a sandbox, asks it for an mpv over a socket.

func playerCommand() *cobra.Command {
	var socket, output string
	cmd := &cobra.Command{
		Use:   "player --listen SOCKET [-- MPV-OPTION...]",
		Short: "Start an mpv in the display session for each connection to a socket",
		Long: "Start an mpv in the display session for each connection to a socket; mimpi-kiosk-player.service runs it.\n" +
			exitCodes("stopped by Ctrl-C or SIGTERM", "could not begin or go on", "wrong use"),
		Example: "  mimpi-kiosk player --listen /run/mimpi-display/player.sock",
		RunE: func(cmd *cobra.Command, extra []string) error {
			listener, err := listenAt(socket)
			if err != nil {
				return err
			}
			log := slog.New(slog.NewTextHandler(os.Stderr, nil))
			renew := make(chan struct{})
			group, ctx := errgroup.WithContext(cmd.Context())
			group.Go(func() error {
				return mpv.Serve(ctx, listener, mpv.Child{Args: append(mpv.Arguments(output), extra...), Stderr: os.Stderr}, renew, log)
			})
			if folder, name := os.Getenv("XDG_RUNTIME_DIR"), os.Getenv("WAYLAND_DISPLAY"); folder != "" && name != "" {
				group.Go(func() error { return bringBack(ctx, filepath.Join(folder, name), renew, log) })
			}
			return group.Wait()
		},
	}
	cmd.Flags().StringVar(&socket, "listen", sessionFolder+"/player.sock", "unix socket to serve on; whoever may write to it may run anything as this user")
	cmd.Flags().StringVar(&output, "output", "", "output of the film, such as HDMI-A-1; none leaves it to the compositor, which knows the projector and takes the film back to it when it was pulled out")
	return cmd
}

const (
	rulesWithin  = time.Second     // for the compositor to know where the film belongs now
	screensAgain = 5 * time.Second // a compositor that does not answer is asked again
)

// bringBack has the film's window opened anew when a screen was plugged in: the compositor
// places windows as they open, and without its projector the film has gone to the touch
// screen. It is back within the time that a new mpv takes.
func bringBack(ctx context.Context, socket string, renew chan<- struct{}, log *slog.Logger) error {
	for {
		screens := -1
		err := display.Watch(ctx, socket, func(outputs []display.Output) error {
			more := screens >= 0 && len(outputs) > screens
			if screens = len(outputs); !more {
				return nil
			}
			log.Info("a screen was plugged in: the film is opened on it anew", "outputs", outputs)
			select {
			case <-time.After(rulesWithin):
			case <-ctx.Done():
				return nil
			}
			select {
			case renew <- struct{}{}:
			case <-ctx.Done():
			}
			return nil
		}, nil)
		if ctx.Err() != nil {
			return nil
		}
		log.Warn("screens that are plugged in will not be noticed", "error", err)
		select {
		case <-time.After(screensAgain):
		case <-ctx.Done():
			return nil
		}
	}
}

// listenAt serves on a unix socket, and takes the place of a host that has died.
func listenAt(socket string) (net.Listener, error) {
	if conn, err := net.Dial("unix", socket); err == nil {
		return nil, errors.Join(fmt.Errorf("another player host serves on %s: end that one first", socket), conn.Close())
	}
	if info, err := os.Lstat(socket); err == nil && info.Mode().Type() == fs.ModeSocket {
		if err := os.Remove(socket); err != nil {
			return nil, fmt.Errorf("take the place of a player host that has died: %w", err)
		}
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("serve on %s: %w", socket, err)
	}
	return listener, nil
}
