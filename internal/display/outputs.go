package display

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"
)

// Output is a screen that the compositor uses now.
type Output struct {
	Name          string // of the connector: "HDMI-A-1", "DSI-1"
	Width, Height int    // in pixels, before it is turned
	Turn          int    // in degrees, as wlr-randr's --transform: 0, 90, 180 or 270
}

// ErrCompositor is what [Watch] ends with when the compositor went away or hangs.
var ErrCompositor = errors.New("the compositor does not answer")

// How often the compositor is asked for a sign of life, and how long it may take.
const (
	askEvery   = 5 * time.Second
	answerTime = 15 * time.Second
)

// Watch tells the outputs of the compositor that listens on the Unix socket: once at
// once, and again at every change. Between, it asks the compositor for a sign of life
// every 5 s, and calls alive (may be nil) at each. Both are called on Watch's own
// goroutine. It ends with ctx (nil), with the first error of changed, or with
// [ErrCompositor].
//
// It speaks as much of the Wayland protocol as that needs: wl_display, wl_registry,
// wl_callback and wl_output, version 4 of which brings the name.
func Watch(ctx context.Context, socket string, changed func([]Output) error, alive func()) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCompositor, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	w := &wire{conn: conn, outputs: map[uint32]*screen{}, nextID: firstFree, alive: alive}
	err = w.watch(ctx, changed)
	if cerr := conn.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("close the line to the compositor: %w", cerr)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// Objects of a Wayland connection that are always there or made first.
const (
	displayID  = 1
	registryID = 2
	firstFree  = 3
)

// Opcodes, in the order of wayland.xml.
const (
	displaySync, displayGetRegistry = 0, 1
	displayError, displayDeleteID   = 0, 1
	registryBind                    = 0
	registryGlobal, registryRemove  = 0, 1
	outputRelease                   = 0
	outputGeometry, outputMode      = 0, 1
	outputDone, outputName          = 2, 4
	callbackDone                    = 0
)

const outputVersion = 4 // the first with a name

// screen is a wl_output: what has been said of it so far.
type screen struct {
	Output
	global uint32
	known  bool // its first description is whole
}

type wire struct {
	conn    net.Conn
	nextID  uint32
	outputs map[uint32]*screen // by object
	pending uint32             // the sync that waits for its answer, 0 when none does
	settled bool               // the outputs there from the beginning are all described
	alive   func()
	changed bool
}

func (w *wire) watch(ctx context.Context, changed func([]Output) error) error {
	if err := w.send(displayID, displayGetRegistry, registryID); err != nil {
		return err
	}
	// The first answer comes after all globals, the second after their descriptions.
	for range 2 {
		if err := w.roundTrip(); err != nil {
			return err
		}
	}
	w.settled, w.changed = true, true
	for {
		if w.changed {
			w.changed = false
			if err := changed(w.list()); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return nil
		}
		if err := w.wait(); err != nil {
			return err
		}
	}
}

// wait takes one message, or asks for a sign of life after a while of silence.
func (w *wire) wait() error {
	limit := askEvery
	if w.pending != 0 {
		limit = answerTime
	}
	err := w.receive(time.Now().Add(limit))
	var timeout net.Error
	if err == nil || !errors.As(err, &timeout) || !timeout.Timeout() || w.pending != 0 {
		return err
	}
	return w.sync()
}

func (w *wire) sync() error {
	w.pending = w.newID()
	return w.send(displayID, displaySync, w.pending)
}

func (w *wire) roundTrip() error {
	if err := w.sync(); err != nil {
		return err
	}
	until := time.Now().Add(answerTime)
	for w.pending != 0 {
		if err := w.receive(until); err != nil {
			return err
		}
	}
	return nil
}

func (w *wire) newID() uint32 {
	id := w.nextID
	w.nextID++
	return id
}

// list gives the outputs that are described, by name.
func (w *wire) list() []Output {
	out := []Output{}
	for _, s := range w.outputs {
		if s.known {
			out = append(out, s.Output)
		}
	}
	slices.SortFunc(out, func(a, b Output) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// send writes a request; its arguments are whole numbers and texts.
func (w *wire) send(object uint32, opcode int, args ...any) error {
	var body []byte
	for _, a := range args {
		switch a := a.(type) {
		case int:
			body = binary.NativeEndian.AppendUint32(body, uint32(a))
		case uint32:
			body = binary.NativeEndian.AppendUint32(body, a)
		case string:
			body = binary.NativeEndian.AppendUint32(body, uint32(len(a)+1))
			body = append(body, a...)
			body = append(body, make([]byte, 4-len(a)%4)...)
		default:
			return fmt.Errorf("wayland: no way to send %T", a)
		}
	}
	head := binary.NativeEndian.AppendUint32(nil, object)
	head = binary.NativeEndian.AppendUint32(head, uint32(len(body)+8)<<16|uint32(opcode))
	if err := w.conn.SetWriteDeadline(time.Now().Add(answerTime)); err != nil {
		return fmt.Errorf("%w: %w", ErrCompositor, err)
	}
	if _, err := w.conn.Write(append(head, body...)); err != nil {
		return fmt.Errorf("%w: %w", ErrCompositor, err)
	}
	return nil
}

// receive takes one event. A message is never taken in part: its head comes in one
// piece with its body, so a deadline passes only between two.
func (w *wire) receive(until time.Time) error {
	if err := w.conn.SetReadDeadline(until); err != nil {
		return fmt.Errorf("%w: %w", ErrCompositor, err)
	}
	var head [8]byte
	if _, err := io.ReadFull(w.conn, head[:]); err != nil {
		return fmt.Errorf("%w: %w", ErrCompositor, err)
	}
	object := binary.NativeEndian.Uint32(head[:])
	word := binary.NativeEndian.Uint32(head[4:])
	size, opcode := int(word>>16), int(word&0xffff)
	if size < 8 {
		return fmt.Errorf("%w: a message of %d bytes", ErrCompositor, size)
	}
	body := make([]byte, size-8)
	if _, err := io.ReadFull(w.conn, body); err != nil {
		return fmt.Errorf("%w: %w", ErrCompositor, err)
	}
	return w.event(object, opcode, &arguments{rest: body})
}

func (w *wire) event(object uint32, opcode int, args *arguments) error {
	switch {
	case object == displayID && opcode == displayError:
		_, _, text := args.number(), args.number(), args.text()
		return fmt.Errorf("%w: it refused: %s", ErrCompositor, text)
	case object == w.pending && opcode == callbackDone:
		w.pending = 0
		if w.settled && w.alive != nil {
			w.alive()
		}
	case object == registryID && opcode == registryGlobal:
		global, kind, version := args.number(), args.text(), args.number()
		if kind != "wl_output" {
			break
		}
		if version < outputVersion {
			return fmt.Errorf("%w: it does not name its outputs (wl_output %d); labwc 0.6 or cage 0.1.5 and later do", ErrCompositor, version)
		}
		id := w.newID()
		w.outputs[id] = &screen{global: global}
		return w.send(registryID, registryBind, global, kind, outputVersion, id)
	case object == registryID && opcode == registryRemove:
		global := args.number()
		for id, s := range w.outputs {
			if s.global == global {
				delete(w.outputs, id)
				w.changed = true
				return errors.Join(args.err, w.send(id, outputRelease))
			}
		}
	case w.outputs[object] != nil:
		w.describe(w.outputs[object], opcode, args)
	}
	return args.err
}

func (w *wire) describe(s *screen, opcode int, args *arguments) {
	switch opcode {
	case outputGeometry:
		args.number() // x
		args.number() // y
		args.number() // millimetres
		args.number()
		args.number() // subpixels
		args.text()   // make
		args.text()   // model
		s.Turn = int(args.number()&3) * 90
	case outputMode:
		flags, width, height := args.number(), args.number(), args.number()
		if flags&1 != 0 { // the current one
			s.Width, s.Height = int(width), int(height)
		}
	case outputName:
		s.Name = args.text()
	case outputDone:
		s.known = true
		w.changed = true
	}
}

// arguments reads the arguments of an event one after the other.
type arguments struct {
	rest []byte
	err  error
}

func (a *arguments) take(n int) []byte {
	if n < 0 || n > len(a.rest) {
		a.err = fmt.Errorf("%w: a message is too short", ErrCompositor)
		a.rest = nil
		return make([]byte, min(max(n, 4), 8))
	}
	out := a.rest[:n]
	a.rest = a.rest[n:]
	return out
}

func (a *arguments) number() uint32 { return binary.NativeEndian.Uint32(a.take(4)) }

func (a *arguments) text() string {
	n := uint64(a.number()) // an int of 32 bits could not hold all of them
	if n == 0 {
		return ""
	}
	padded := (n + 3) / 4 * 4
	if padded > uint64(len(a.rest)) {
		a.take(-1)
		return ""
	}
	return strings.TrimRight(string(a.take(int(padded))[:n]), "\x00")
}
