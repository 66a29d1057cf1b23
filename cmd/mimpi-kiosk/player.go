package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"

	"github.com/spf13/cobra"

	"mimpi-kiosk/internal/mpv"
)

// The player host runs in the display session, as the user who may use screen and
// sound; the daemon, which is in a sandbox, asks it for an mpv over a socket.

func playerCommand() *cobra.Command {
	var socket, output string
	cmd := &cobra.Command{
		Use:   "player --listen SOCKET [-- MPV-OPTION...]",
		Short: "Start an mpv in the display session for each connection to a socket",
		RunE: func(cmd *cobra.Command, extra []string) error {
			listener, err := listenAt(socket)
			if err != nil {
				return err
			}
			return mpv.Serve(cmd.Context(), listener,
				mpv.Child{Args: append(mpv.Arguments(output), extra...), Stderr: os.Stderr},
				slog.New(slog.NewTextHandler(os.Stderr, nil)))
		},
	}
	cmd.Flags().StringVar(&socket, "listen", sessionFolder+"/player.sock", "unix socket to serve on; whoever may write to it may run anything as this user")
	cmd.Flags().StringVar(&output, "output", "", "output of the film, such as HDMI-A-1; none leaves it to the compositor, which knows the projector and takes the film back to it when it was pulled out")
	return cmd
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
