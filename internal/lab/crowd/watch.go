package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/visit"
)

// given is a command that the other process has given, and that was acknowledged.
type given struct {
	Who  string
	ID   string
	At   time.Time // when it was sent
	Took time.Duration
}

const every = 120 * time.Millisecond // a command of each of the two; ten a second is what one screen may send

// watch counts people at the door, in turns as the facilitator and by the clicker's key,
// until standard input ends, and writes what it saw to standard output.
func watch(base string) error {
	p := &visit.Process{Base: base}
	facilitator, err := p.Visitor()
	if err == nil {
		err = facilitator.SignIn()
	}
	if err == nil {
		err = facilitator.Connect("facilitator")
	}
	if err != nil {
		return err
	}
	stage, err := p.Visitor()
	if err == nil {
		err = stage.Connect("stage")
	}
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until it ends
		close(ended)
	}()
	out := make(chan []given, 2)
	errs := make(chan error, 2)
	for who, give := range map[string]func(id string) error{
		"facilitator": func(id string) error {
			return facilitator.Do(id, map[string]any{"do": "countAttendee", "category": "woman"})
		},
		"clicker": func(id string) error { return stage.Do(id, map[string]any{"do": "pressKey", "key": "1"}) },
	} {
		go func() {
			var all []given
			for n := 0; ; n++ {
				select {
				case <-ended:
					out <- all
					errs <- nil
					return
				case <-time.After(every):
				}
				id := fmt.Sprintf("%s-%d", who, n)
				begin := time.Now()
				if err := give(id); err != nil {
					out <- all
					errs <- fmt.Errorf("%s: %w", who, err)
					return
				}
				all = append(all, given{who, id, begin, time.Since(begin)})
			}
		}()
	}
	all := append(<-out, <-out...)
	if err := errors.Join(<-errs, <-errs); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}

// watcher is the other process.
type watcher struct {
	cmd *exec.Cmd
	in  io.Closer
	out *bufio.Reader
	err *strings.Builder
}

// startWatch starts it at the kiosk at an address; command makes the command for that, as exec.Command.
func startWatch(base string, command func(name string, args ...string) *exec.Cmd) (*watcher, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &watcher{cmd: command(self, "-watch", base), err: &strings.Builder{}}
	w.cmd.Stderr = w.err
	in, err := w.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.in, w.out = in, bufio.NewReader(out)
	return w, w.cmd.Start()
}

// end gives the commands, and notes them.
func (w *watcher) end(h *oracle.History) ([]given, error) {
	if err := w.in.Close(); err != nil {
		return nil, err
	}
	var all []given
	err := json.NewDecoder(w.out).Decode(&all)
	if err := errors.Join(err, w.cmd.Wait()); err != nil {
		return nil, fmt.Errorf("the other process: %w: %s", err, w.err)
	}
	for _, g := range all {
		h.Invoke(g.ID)
		h.Acknowledge(g.ID)
	}
	return all, nil
}

// times are how long the commands of one took, of those that are as wanted.
func times(all []given, who string, is func(given) bool) (took []time.Duration) {
	for _, g := range all {
		if g.Who == who && is(g) {
			took = append(took, g.Took)
		}
	}
	return took
}
