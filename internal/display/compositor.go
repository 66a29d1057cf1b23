package display

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// Session is the compositor with what belongs to it.
type Session struct {
	Wanted Wanted
	Folder string // XDG_RUNTIME_DIR of the session: it holds the socket and the files
	Log    *slog.Logger

	Ready func() // the compositor answers for the first time
	Alive func() // it still does, every few seconds
}

// Socket is where the compositor of a session listens, for programs of the session.
func Socket(folder string) string { return filepath.Join(folder, "wayland-0") }

const startTime = 30 * time.Second // on a Raspberry Pi 3 from a slow card

// Run starts the compositor and keeps it to its rules until ctx ends. labwc where the
// system has it: it places windows and touch by output, and lets them come and go. Else
// cage, which uses one output, the last one plugged in: the screens then take turns.
// It ends with an error when the compositor ended or hangs, and leaves none behind.
func (s Session) Run(ctx context.Context) (err error) {
	files, err := s.Wanted.Files(Places{})
	if err != nil {
		return err
	}
	if _, err := write(s.Folder, files); err != nil {
		return err
	}
	program, args, err := compositor(filepath.Join(s.Folder, "labwc"))
	if err != nil {
		return err
	}
	// One that was killed leaves its socket, and nobody may take that for a living one.
	if err := os.Remove(Socket(s.Folder)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the socket of the last compositor: %w", err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = Environment(s.Folder, s.Wanted.Cursor)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the compositor: %w", err)
	}
	s.Log.Info("compositor started", "program", program, "pid", cmd.Process.Pid)
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	watching, cancel := context.WithCancel(ctx)
	watched := make(chan error, 1)
	go func() { watched <- s.watch(watching, cmd.Process, filepath.Base(program) == "labwc") }()

	running, listening := true, true
	select {
	case err = <-ended:
		running = false
		if err = fmt.Errorf("the compositor ended: %w", errors.Join(err, errEnded)); ctx.Err() != nil {
			err = nil
		}
	case err = <-watched:
		listening = false
	case <-ctx.Done():
	}
	cancel()
	if running {
		end(cmd.Process, ended)
	}
	if listening {
		<-watched
	}
	return err
}

var errEnded = errors.New("see its lines above")

// end asks the compositor to go and, when it does not, makes it.
func end(p *os.Process, ended <-chan error) {
	_ = p.Signal(syscall.SIGTERM) // it may be gone already
	patience := time.NewTimer(2 * time.Second)
	defer patience.Stop()
	select {
	case <-ended:
	case <-patience.C:
		_ = p.Kill()
		<-ended
	}
}

func compositor(labwcFolder string) (string, []string, error) {
	if path, err := exec.LookPath("labwc"); err == nil {
		return path, []string{"-C", labwcFolder}, nil
	}
	if path, err := exec.LookPath("cage"); err == nil {
		// Without a program of its own cage would end; ours connect from their own units.
		return path, []string{"-m", "last", "--", "sleep", "infinity"}, nil
	}
	return "", nil, errors.New("there is no compositor: install labwc (apt install labwc), or cage where the system has no labwc")
}

// Environment is that of the programs of a session with this folder, beside our own.
func Environment(folder string, cursor bool) []string {
	env := append(os.Environ(), "XDG_RUNTIME_DIR="+folder, "XDG_SESSION_TYPE=wayland")
	if !cursor {
		env = append(env, "XCURSOR_THEME="+CursorTheme, "XCURSOR_PATH="+filepath.Join(folder, "icons"))
	}
	return env
}

// watch waits for the compositor's socket, then follows its outputs.
func (s Session) watch(ctx context.Context, compositor *os.Process, isLabwc bool) error {
	if err := s.awaitSocket(ctx); err != nil {
		return err
	}
	first := true
	return Watch(ctx, Socket(s.Folder), func(outputs []Output) error {
		places := s.Wanted.Places(outputs)
		s.Log.Info("outputs", "all", outputs, "touch", places.Touch, "stage", places.Stage)
		if isLabwc {
			files, err := s.Wanted.Files(places)
			if err != nil {
				return err
			}
			changed, err := write(s.Folder, files)
			if err != nil {
				return err
			}
			if changed {
				if err := compositor.Signal(syscall.SIGHUP); err != nil {
					return fmt.Errorf("tell labwc its new rules: %w", err)
				}
			}
			s.turn(ctx, outputs, places)
		}
		if first && s.Ready != nil {
			s.Ready()
		}
		first = false
		return nil
	}, s.Alive)
}

func (s Session) awaitSocket(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTime, fmt.Errorf("%w: no socket %s in %s", ErrCompositor, Socket(s.Folder), startTime))
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for {
		if _, err := os.Stat(Socket(s.Folder)); err == nil {
			return nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// turn turns the outputs that do not stand as wanted. One that cannot be turned still
// shows something, so it is only said.
func (s Session) turn(ctx context.Context, outputs []Output, p Places) {
	for _, o := range outputs {
		wanted := 0
		switch o.Name {
		case p.Touch:
			wanted = s.Wanted.TouchTurn
		case p.Stage:
			wanted = s.Wanted.StageTurn
		}
		if o.Turn == wanted {
			continue
		}
		how := "normal"
		if wanted != 0 {
			how = strconv.Itoa(wanted)
		}
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		cmd := exec.CommandContext(ctx, "wlr-randr", "--output", o.Name, "--transform", how)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+s.Folder, "WAYLAND_DISPLAY="+filepath.Base(Socket(s.Folder)))
		if said, err := cmd.CombinedOutput(); err != nil {
			s.Log.Error("the screen cannot be turned; is wlr-randr installed?", "output", o.Name, "error", err, "said", string(said))
		}
		cancel()
	}
}
