package main

import (
	"cmp"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"mimpi-kiosk/internal/browser"
	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/display"
)

// The screens of the Raspberry Pi run in processes of their own, as another user than
// the daemon: a compositor ("display") and a browser for each page ("browser ROLE").

const sessionFolder = "/run/mimpi-display"

// displayFlags are those of the verbs of the display session.
type displayFlags struct {
	config, override, folder, url string
}

func (f *displayFlags) add(cmd *cobra.Command) {
	f.addSettings(cmd)
	cmd.Flags().StringVar(&f.folder, "session", sessionFolder, "folder of the display session, its XDG_RUNTIME_DIR")
}

func (f *displayFlags) addSettings(cmd *cobra.Command) {
	addConfig(cmd, &f.config, true)
	cmd.Flags().StringVar(&f.override, "override", bootConfig, "file whose settings win over the configuration's, key by key")
}

// settled is the configuration; the daemon says what is wrong in it.
func (f *displayFlags) settled() config.Config {
	c, _ := config.Settle(nil, config.Find(cmp.Or(f.config, installedConfig)), config.Find(f.override))
	return c
}

func wanted(d config.Display) display.Wanted {
	return display.Wanted{
		Touch: d.Touch, Stage: d.Stage, TouchTurn: d.TouchRotation, StageTurn: d.StageRotation,
		TouchDevice: d.TouchDevice, Cursor: d.Cursor,
	}
}

func displayCommand() *cobra.Command {
	var f displayFlags
	cmd := &cobra.Command{
		Use:   "display",
		Short: "Run the compositor of the touch screen and the projector",
		Long: "Run the compositor of the touch screen and the projector; mimpi-kiosk-display.service does.\n" +
			exitCodes("stopped by Ctrl-C or SIGTERM", "could not begin or go on", "wrong use"),
		Example: "  mimpi-kiosk display --config kiosk.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log := slog.New(slog.NewTextHandler(os.Stderr, nil))
			tell := func(state string) {
				if err := notifySystemd(state); err != nil {
					log.Warn("systemd was not told", "state", state, "error", err)
				}
			}
			return display.Session{
				Wanted: wanted(f.settled().Display), Folder: f.folder, Log: log,
				Ready: func() { tell("READY=1") },
				Alive: func() { tell("WATCHDOG=1") },
			}.Run(cmd.Context())
		},
	}
	f.add(cmd)
	return cmd
}

func browserCommand() *cobra.Command {
	var f displayFlags
	var program string
	cmd := &cobra.Command{
		Use:   "browser touch|stage",
		Short: "Keep Chromium showing a page on its screen while that is plugged in",
		Long: "Keep Chromium showing a page on its screen while that is plugged in; mimpi-kiosk-browser@.service does.\n" +
			exitCodes("stopped by Ctrl-C or SIGTERM", "could not begin or go on", "wrong use"),
		Example:   "  mimpi-kiosk browser stage",
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"touch", "stage"},
		RunE: func(cmd *cobra.Command, args []string) error {
			c := f.settled()
			if f.url == "" {
				f.url = ownURL(c.Listen)
			}
			window := browser.Window{
				Program: program, Class: "mimpi-" + args[0],
				Profile: filepath.Join(f.folder, "chromium-"+args[0]),
				Env:     browserEnvironment(f.folder, c.Display.Cursor),
				Log:     slog.New(slog.NewTextHandler(os.Stderr, nil)),
			}
			show := func(p display.Places) (output, page string) { return shown(args[0], c.Display.Alone, p) }
			return keepOnScreen(cmd.Context(), f, wanted(c.Display), window, show)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.url, "url", "", "address of the kiosk; none is this machine at the configuration's port")
	cmd.Flags().StringVar(&program, "program", "chromium", "the browser")
	return cmd
}

// ownURL is the kiosk's address for its own browser.
func ownURL(listen string) string {
	_, port, err := net.SplitHostPort(listen)
	if err != nil || port == "80" {
		return "http://127.0.0.1"
	}
	return "http://127.0.0.1:" + port
}

// shown says which page a browser shows on which output; no output: none.
func shown(role string, alone config.Alone, p display.Places) (output, page string) {
	switch {
	case p.Alone() && role == "stage":
		return "", "" // the other browser shows it
	case p.Alone() && alone == config.OnlyStage:
		return p.Stage, "/stage"
	case p.Alone() && alone == config.Turns:
		return p.Touch, "/single"
	case role == "stage":
		return p.Stage, "/stage"
	}
	return p.Touch, "/touch"
}

// browserEnvironment leaves nothing of a browser outside the session's folder.
func browserEnvironment(folder string, cursor bool) []string {
	return append(display.Environment(folder, cursor), "WAYLAND_DISPLAY="+filepath.Base(display.Socket(folder)),
		"HOME="+folder, "XDG_CONFIG_HOME="+filepath.Join(folder, "config"), "XDG_CACHE_HOME="+filepath.Join(folder, "cache"))
}

// keepOnScreen has a browser while there is an output for it. Another page on the same
// output is only another address; another output is another window. It ends with an
// error when the compositor goes: systemd then starts both anew.
func keepOnScreen(ctx context.Context, f displayFlags, want display.Wanted, w browser.Window, show func(display.Places) (output, page string)) error {
	places := make(chan display.Places, 1) // the newest
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return display.Watch(ctx, display.Socket(f.folder), func(outputs []display.Output) error {
			select {
			case <-places:
			default:
			}
			places <- want.Places(outputs)
			return nil
		}, nil)
	})
	group.Go(func() error {
		var now display.Places
		for {
			output, page := show(now)
			if output == "" {
				w.Log.Info("no screen for this page", "window", w.Class)
				select {
				case now = <-places:
					continue
				case <-ctx.Done():
					return nil
				}
			}
			next, err := keepOn(ctx, f.url, w, output, page, places, show)
			if err != nil || ctx.Err() != nil {
				return err
			}
			now = next
		}
	})
	return group.Wait()
}

// keepOn shows pages on one output until there is another for them.
func keepOn(ctx context.Context, base string, w browser.Window, output, page string, places <-chan display.Places, show func(display.Places) (output, page string)) (display.Places, error) {
	var next display.Places
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	address := make(chan string, 1)
	address <- base + page
	w.URL = func() string { u := <-address; address <- u; return u }
	w.Log.Info("showing", "window", w.Class, "output", output, "page", page)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer cancel()
		return browser.Keep(ctx, w)
	})
	group.Go(func() error {
		for {
			select {
			case next = <-places:
			case <-ctx.Done():
				return nil
			}
			on, page := show(next)
			if on != output {
				cancel()
				return nil
			}
			<-address
			address <- base + page
			w.Log.Info("showing", "window", w.Class, "output", output, "page", page)
		}
	})
	err := group.Wait()
	return next, err
}
