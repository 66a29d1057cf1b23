package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	kioskui "mimpi-kiosk/kiosk-ui"
	"mimpi-kiosk/kiosk-ui/lang"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
	"mimpi-kiosk/internal/web"
	"mimpi-kiosk/internal/web/signin"
)

// flags are those of "mimpi-kiosk run".
type flags struct {
	config, override, data, listen, pack, film string
	demo                                       bool
}

func runCommand() *cobra.Command {
	var f flags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Serve the kiosk until Ctrl-C or SIGTERM",
		Long: "Serve the kiosk until Ctrl-C or SIGTERM. A mistake in the settings never stops a start: it is logged, the\n" +
			"last good value holds, and /facilitator names it.\n" +
			exitCodes("stopped by Ctrl-C or SIGTERM", "could not begin or go on", "wrong use"),
		Example: "  mimpi-kiosk run --demo --listen :8081\n  mimpi-kiosk run --config kiosk.toml --pack kampung --data data",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.settle(cmd.Flags().Changed)
			return run(cmd.Context(), f, cmd.OutOrStdout())
		},
	}
	addPlaces(cmd, &f, false)
	return cmd
}

// addPlaces adds the flags that say where everything is. installed says that the verb takes
// the installed settings and pack where they are.
func addPlaces(cmd *cobra.Command, f *flags, installed bool) {
	addConfig(cmd, &f.config, installed)
	cmd.Flags().StringVar(&f.override, "override", "", "file whose settings win over the configuration's, key by key; with "+installedConfig+" it is "+bootConfig)
	cmd.Flags().StringVar(&f.data, "data", "/var/lib/mimpi-kiosk", "folder of the journal, the PIN and added languages; with --demo demo-data in the current folder")
	cmd.Flags().StringVar(&f.listen, "listen", "", "address to serve on, HOST:PORT or :PORT, in place of the configuration's (built in: "+config.Default().Listen+")")
	pack := "folder of the screening pack; without it media/mimpi-beta in the current folder"
	if installed {
		pack = "folder of the screening pack; without it " + installedPack + " where that is, else media/mimpi-beta in the current folder"
	}
	cmd.Flags().StringVar(&f.pack, "pack", "media/mimpi-beta", pack)
	cmd.Flags().Lookup("pack").DefValue = "" // the text says it
	cmd.Flags().StringVar(&f.film, "film", "", "folder of a film, in place of the pack's own; with --demo media/demo-film in the current folder")
	cmd.Flags().BoolVar(&f.demo, "demo", false, "a trial from the source folder: open film clip, data in ./demo-data")
}

// addConfig adds the flag of the configuration.
func addConfig(cmd *cobra.Command, file *string, installed bool) {
	use := "configuration file; without it the built-in settings"
	if installed {
		use = "configuration file; without it " + installedConfig + " where that is, else the built-in settings"
	}
	cmd.Flags().StringVar(file, "config", "", use)
}

// settle fills in what --demo and the installed --config stand for.
func (f *flags) settle(changed func(string) bool) {
	if f.config == installedConfig && !changed("override") {
		f.override = bootConfig
	}
	if !f.demo {
		return
	}
	if !changed("data") {
		f.data = "demo-data"
	}
	if !changed("film") {
		f.film = "media/demo-film"
	}
}

// packThere is an error where there is no folder of the pack or the film, and no other pack
// that a stick may have brought: nothing is written then.
func (f flags) packThere() error {
	if exists(filepath.Join(f.data, "packs")) {
		return nil // loadPack sees what is there
	}
	for _, dir := range []string{f.pack, f.film} {
		if dir == "" || exists(dir) {
			continue
		}
		say := lang.Text("run.no_pack", lang.Params{"dir": dir})
		switch {
		case f.demo:
			say = lang.Text("run.no_pack_demo", lang.Params{"dir": dir})
		case dir == f.film:
			say = lang.Text("run.no_film", lang.Params{"dir": dir})
		}
		return errors.New(lang.Both(say, "\n"))
	}
	return nil
}

// logSettings logs each mistake in the settings once, a line for each.
func (k *kiosk) logSettings() {
	for _, p := range k.config.problems[k.logged:] {
		k.log.Warn("mistake in the settings", "what", p.Error(), "id", p.Notice()["id"])
	}
	k.logged = len(k.config.problems)
}

// kiosk is what has been read from the disk before anything runs.
type kiosk struct {
	id       string
	data     string // folder
	config   settings
	logged   int // of its problems
	packs    *packs
	pack     *pack.Pack      // in use
	film     pack.FilmReport // of its film
	texts    *web.Texts
	keeper   *signin.Keeper
	clock    *machineClock
	demo     bool
	listenOn string   // of the command line, "" is the configuration's
	socket   *os.File // port 80 as systemd hands it over, or nil
	board    *health.Board
	own      *boxLog
	checkup  *web.Checkup
	log      *slog.Logger
}

// So often a card that fails at reading the journal is asked again, after a pause:
// what it cannot read now it may read then, and an evening that is set aside is out of sight.
const (
	unreadAtMost = 6
	unreadPause  = time.Second
)

// run opens everything and serves. A journal that turns out to be damaged while it is
// replayed is set aside, and the kiosk goes on with a new one.
func run(ctx context.Context, f flags, out io.Writer) error {
	if err := f.packThere(); err != nil {
		return err
	}
	own := openBoxLog(f.data)
	socket, err := inherited(os.Getenv, os.Getpid())
	if err != nil {
		return err
	}
	k, err := prepare(f, own, newLog(own), socket)
	if err != nil {
		return err
	}
	path := filepath.Join(f.data, "journal.db")
	for unread := 0; ; {
		if err := k.loadPack(f); err != nil {
			return err
		}
		if err := k.loadTexts(); err != nil {
			return err
		}
		k.film = k.pack.Film.Check()
		k.board.Set(filmHealth(k.film))
		if err := k.checkPack(ctx); err != nil {
			k.log.Warn("check the pack", "error", err)
		}
		err := k.serve(ctx, path, out)
		if errors.Is(err, errPackChanged) && ctx.Err() == nil {
			continue
		}
		if errors.Is(err, sqlite.ErrAnew) && ctx.Err() == nil {
			k.log.Warn("the data folder can be used now", "error", err)
			if k, err = prepare(f, own, k.log, socket); err != nil {
				return err
			}
			continue
		}
		if !errors.Is(err, sqlite.ErrDamaged) || ctx.Err() != nil {
			return err
		}
		if sqlite.Unread(err) && unread < unreadAtMost {
			unread++
			k.log.Warn("the journal cannot be read, trying again", "error", err)
			select {
			case <-time.After(unreadPause):
			case <-ctx.Done():
			}
			continue
		}
		k.log.Error("the journal is damaged", "error", err)
		unread = 0
		name, aside := sqlite.SetAside(path)
		if aside != nil {
			return errors.Join(err, aside)
		}
		k.board.Set(setAside(sqlite.SetAsideNotice(name)))
	}
}

func prepare(f flags, own *boxLog, log *slog.Logger, socket *os.File) (*kiosk, error) {
	k := &kiosk{data: f.data, demo: f.demo, own: own, board: &health.Board{}, checkup: web.NewCheckup(), log: log, listenOn: f.listen, socket: socket}
	var err error
	if k.config, err = readSettings(f); err != nil {
		return nil, err
	}
	k.logSettings()
	// A disk that cannot be written must not leave the screens black: see [kiosk.awaitDisk].
	if err := os.MkdirAll(f.data, 0o750); errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("the data folder cannot be made: %w; choose another with --data", err)
	} else if err != nil {
		log.Error("the data folder", "error", err)
	}
	if k.id, err = kioskID(k.idFile()); err != nil {
		log.Error("the kiosk has a name for today only", "error", err)
	}
	if k.clock, err = newMachineClock("/"); err != nil {
		return nil, err
	}
	if k.packs, err = openPacks(f.data, f.pack, k.config.Packs.TrustedKeys); err != nil {
		k.board.Set(packHealth(err))
		log.Error("packs", "error", err)
	}
	if k.keeper, err = signin.Open(f.data); err != nil {
		return nil, err
	}
	if _, err := k.keeper.Reset(k.config.PIN.ResetFile); err != nil {
		log.Error("the PIN is not reset", "error", err)
	}
	k.board.Set(pinHealth(k.keeper.Notes()))
	k.noteSigningKey()
	k.board.Set(web.PINHealth(k.keeper.PINSet()))
	return k, nil
}

// serve runs every long-lived part of the kiosk; this is the whole list of them.
func (k *kiosk) serve(ctx context.Context, path string, out io.Writer) error {
	journal, err := sqlite.OpenLate(ctx, path)
	if err != nil {
		return err
	}
	defer func() {
		if err := journal.Close(); err != nil {
			k.log.Error("close the journal", "error", err)
		}
	}()
	if notice := journal.Opened().Notice(); notice != nil {
		k.board.Set(setAside(notice))
	}
	commits := &box.Commits{}
	room := screening.NewRoom(watchedJournal{journal, k.board, commits}, k.clock)
	keys := k.clickerOf(room)
	film := k.filmOn(room)

	listeners, err := k.listen()
	if err != nil {
		return err
	}
	address := listeners[0].Addr() // the one that phones are told
	show := k.show(keys, film)
	sticks := k.newSticks(journal, room)
	server, err := web.New(web.Parts{
		Room: room, Clock: k.clock, Board: k.board, Keeper: k.keeper,
		Archive: archive{journal, k.exportOptions}, Pages: kioskui.Dist(), Texts: k.texts, Hosts: k.config.Hosts,
		Limits: web.Limits(limits(k.config.Limits)), Zone: k.zone(), Checkup: k.checkup, Show: show, Sticks: sticks, Log: k.log,
	}, address)
	if err != nil {
		return closing(err, listeners)
	}
	fmt.Fprintf(out, "Mimpi Kiosk: http://%s\n", reachable(address))
	if k.demo {
		fmt.Fprintln(out, lang.Both(lang.Text("run.demo_again", lang.Params{"dir": k.data}), "\n"))
	}

	group, ctx := errgroup.WithContext(ctx)
	roomCtx, stopRoom := context.WithCancel(context.WithoutCancel(ctx)) // the presses of the last moment are saved
	group.Go(func() error { return room.Run(roomCtx, k.start()) })
	group.Go(func() error { return k.runClicker(ctx, keys, stopRoom) })
	group.Go(func() error { return film.Run(ctx) })
	group.Go(func() error { return k.watchClock(ctx, room) })
	group.Go(func() error { return k.machine(room, commits).Run(ctx) })
	group.Go(func() error { return k.keepHealth(ctx) })
	group.Go(func() error { return k.checkFilm(ctx, room) })
	if mpvPlays(k.config.Film, box.Model("/")) {
		group.Go(func() error { return k.watchSound(ctx) })
	}
	group.Go(func() error { return k.awaitDisk(ctx, room, journal) })
	group.Go(func() error { return sticks.run(ctx) })
	group.Go(func() error { return sticks.follow(ctx) })
	group.Go(func() error { return sticks.runLamp(ctx) })
	group.Go(func() error { return server.Run(ctx, listeners...) })
	group.Go(func() error { return k.tellSystemd(ctx, room, address) })
	return group.Wait()
}

// listen opens the configured port, and before it, in the list too, the one that systemd
// holds. From then on the settings have proved good.
func (k *kiosk) listen() ([]net.Listener, error) {
	bind, address := k.config.bind, k.config.Listen
	if k.listenOn != "" {
		address = k.listenOn
		bind = func() (net.Listener, error) { return net.Listen("tcp", address) }
	}
	var listeners []net.Listener
	if k.socket != nil {
		listener, err := net.FileListener(k.socket)
		if err != nil {
			return nil, fmt.Errorf("take over the socket of systemd: %w", err)
		}
		listeners = append(listeners, listener)
	}
	listener, err := bind()
	if err != nil {
		return nil, closing(listenError(address, err), listeners)
	}
	k.logSettings() // binding may have taken another address
	k.board.Set(k.config.health())
	if err := k.config.remember(); err != nil {
		k.log.Warn("keep the settings for later", "error", err)
	}
	return append(listeners, listener), nil
}

// closing gives the error, and what the closing of the listeners adds to it.
func closing(err error, listeners []net.Listener) error {
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}

func (k *kiosk) start() screening.Envelope {
	return screening.Envelope{
		ID: uuid.NewString(), From: screening.FromKiosk,
		Command: screening.StartKiosk{Kiosk: k.id, Version: version},
	}
}

// reachable is an address as a browser on this machine can open it.
func reachable(a net.Addr) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() || ip.IsLoopback() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}

func (k *kiosk) idFile() string { return filepath.Join(k.data, "kiosk-id") }

// kioskID reads the kiosk's name for itself, or makes one up at the first start. With an
// error the name is good for now, and not kept.
func kioskID(path string) (string, error) {
	data, err := os.ReadFile(path)
	if id := strings.TrimSpace(string(data)); err == nil && id != "" {
		return id, nil
	}
	id := "kiosk-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:8]
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return id, fmt.Errorf("read the kiosk's id: %w", err)
	}
	if err := writeDurably(path, []byte(id+"\n")); err != nil {
		return id, fmt.Errorf("write the kiosk's id: %w", err)
	}
	return id, nil
}
