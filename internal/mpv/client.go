package mpv

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
)

// longestLine bounds what one message of mpv may take. A track list of a large film is
// some 20 KB.
const longestLine = 1 << 20

// ErrGone is the error of a call whose mpv has ended, or whose line was closed.
var ErrGone = errors.New("mpv is gone")

// Refused is the answer of an mpv that understood a command and did not do it.
type Refused struct {
	Command string // its first word
	Says    string // in mpv's words: "property unavailable", "invalid parameter", ...
}

// Refusal is what mpv says; it tells a refusal from an mpv that is gone.
func (e *Refused) Refusal() string { return e.Says }

func (e *Refused) Error() string { return fmt.Sprintf("mpv does not %s: %s", e.Command, e.Says) }

// Listener is told of everything that mpv says unasked. For a property that is observed
// event is "property-change", property its name, and data its value (nil when it has
// none now); for all others property is "" and data is the whole message. It must not
// call the Client it hears from.
type Listener = func(event, property string, data json.RawMessage)

// Client is one line to one mpv. Make it with NewClient and run it once with Run.
type Client struct {
	line io.ReadWriteCloser

	writing sync.Mutex // one message at a time
	mu      sync.Mutex
	last    int64
	waiting map[int64]chan message // each holds one
	gone    chan struct{}          // closed when nothing will be read any more
	broken  error                  // why; set before gone is closed
	closing sync.Once
	closed  error
}

// NewClient takes over the line, which must be new: nothing has been said on it yet.
func NewClient(line io.ReadWriteCloser) *Client {
	return &Client{line: line, waiting: map[int64]chan message{}, gone: make(chan struct{})}
}

// message is one line of mpv's: the answer to a command, or an event.
type message struct {
	Event     string          `json:"event"`
	Name      string          `json:"name"`
	RequestID *int64          `json:"request_id"`
	Error     string          `json:"error"`
	Data      json.RawMessage `json:"data"`
}

// decode reads one line.
func decode(line []byte) (message, error) {
	var m message
	if err := json.Unmarshal(line, &m); err != nil {
		return message{}, fmt.Errorf("mpv says what is not JSON: %w", err)
	}
	if m.Event == "" && m.RequestID == nil {
		return message{}, fmt.Errorf("mpv says something that is neither an answer nor an event: %.80s", line)
	}
	if string(m.Data) == "null" {
		m.Data = nil
	}
	return m, nil
}

// Run reads until the line ends, ctx ends, or mpv says what cannot be understood; it then
// closes the line. The error is never nil: it wraps ErrGone when mpv has ended, and is
// that of ctx when ctx has.
func (c *Client) Run(ctx context.Context, listen Listener) error {
	stop := context.AfterFunc(ctx, func() { _ = c.Close() }) // the end of this Run; Close is asked for its error elsewhere
	defer stop()
	err := c.read(listen)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	c.mu.Lock()
	c.broken = err
	c.mu.Unlock()
	close(c.gone)
	return errors.Join(err, c.Close())
}

func (c *Client) read(listen Listener) error {
	lines := bufio.NewScanner(c.line)
	lines.Buffer(make([]byte, 0, 4096), longestLine)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		m, err := decode(lines.Bytes())
		if err != nil {
			return err
		}
		switch {
		case m.Event == "property-change":
			listen(m.Event, m.Name, m.Data)
		case m.Event != "":
			listen(m.Event, "", append(json.RawMessage{}, lines.Bytes()...))
		default:
			c.answer(m)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("mpv says a line longer than %d bytes", longestLine)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrGone, err)
	}
	return ErrGone
}

// answer hands an answer to its call. One that nobody waits for any more is dropped: its
// call has met its deadline.
func (c *Client) answer(m message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w, ok := c.waiting[*m.RequestID]; ok {
		delete(c.waiting, *m.RequestID)
		w <- m
	}
}

// Call sends a command and waits for its answer until ctx ends. Arguments are what JSON
// can say: strings, numbers, booleans, lists. The data is nil when the answer has none.
// The error is a *[Refused], wraps [ErrGone], or is that of ctx: then mpv may do it yet.
//
// Run must be running. Calls may be made from any goroutine.
func (c *Client) Call(ctx context.Context, command ...any) (json.RawMessage, error) {
	name := fmt.Sprint(command[0])
	c.mu.Lock()
	c.last++
	id, answer := c.last, make(chan message, 1)
	c.waiting[id] = answer
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}()
	data, err := json.Marshal(struct {
		Command   []any `json:"command"`
		RequestID int64 `json:"request_id"`
	}{command, id})
	if err != nil {
		return nil, fmt.Errorf("mpv %s: %w", name, err)
	}
	// An mpv that hangs reads nothing: the deadline must end a write too. What is half
	// written can not be taken back, so the line ends with it.
	stop := context.AfterFunc(ctx, func() { c.abandonWrite() })
	defer stop()
	if err := c.write(append(data, '\n')); err != nil {
		return nil, c.failed(ctx, name, err)
	}
	select {
	case m := <-answer:
		return answered(name, m)
	case <-c.gone:
		select { // it may have been the last thing said
		case m := <-answer:
			return answered(name, m)
		default:
			return nil, c.failed(ctx, name, ErrGone)
		}
	case <-ctx.Done():
		return nil, fmt.Errorf("mpv %s: no answer: %w", name, ctx.Err())
	}
}

func answered(name string, m message) (json.RawMessage, error) {
	if m.Error != "success" {
		return nil, &Refused{name, m.Error}
	}
	return m.Data, nil
}

func (c *Client) write(data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_, err := c.line.Write(data)
	return err
}

// abandonWrite closes the line if somebody is still writing on it.
func (c *Client) abandonWrite() {
	if c.writing.TryLock() {
		c.writing.Unlock()
		return
	}
	_ = c.Close() // the writer says why
}

func (c *Client) failed(ctx context.Context, name string, err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.broken != nil:
		return fmt.Errorf("mpv %s: %w", name, c.broken)
	case ctx.Err() != nil:
		return fmt.Errorf("mpv %s: not taken: %w", name, ctx.Err())
	case errors.Is(err, ErrGone):
		return fmt.Errorf("mpv %s: %w", name, err)
	}
	return fmt.Errorf("mpv %s: %w: %w", name, ErrGone, err)
}

// Close ends the line, and with it the mpv. It may be called more than once, from any
// goroutine; Run then returns.
func (c *Client) Close() error {
	c.closing.Do(func() { c.closed = c.line.Close() })
	return c.closed
}
