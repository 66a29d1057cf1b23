package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

var (
	errGone    = errors.New("the browser is gone")
	errCrashed = errors.New("the page crashed")
)

// pipe is the line to a Chromium: JSON messages, each ended by a zero byte.
type pipe struct {
	from, to *os.File

	mu      sync.Mutex
	next    int
	waiting map[int]chan answer
	over    error // why nothing will be answered any more
}

type answer struct {
	result json.RawMessage
	err    error
}

func newPipe(from, to *os.File) *pipe {
	return &pipe{from: from, to: to, waiting: map[int]chan answer{}}
}

// close ends listen once the browser has closed its end.
func (p *pipe) close() {
	_ = p.from.Close() // nothing is lost by it
	_ = p.to.Close()
}

// listen hands out answers until the browser is gone. A call under way then fails at once.
func (p *pipe) listen() error {
	lines := bufio.NewReader(p.from)
	for {
		line, err := lines.ReadBytes(0)
		if err != nil {
			p.end(errGone)
			if errors.Is(err, io.EOF) || errors.Is(err, os.ErrClosed) {
				return nil
			}
			return fmt.Errorf("read from the browser: %w", err)
		}
		var message struct {
			ID     int             `json:"id"`
			Method string          `json:"method"`
			Result json.RawMessage `json:"result"`
			Error  *struct {
				Message string `json:"message"`
			} `json:"error"`
		}
		if err := json.Unmarshal(line[:len(line)-1], &message); err != nil {
			p.end(errGone)
			return fmt.Errorf("the browser said what nobody understands: %w", err)
		}
		switch {
		case message.ID != 0 && message.Error != nil:
			p.settle(message.ID, answer{err: errors.New(message.Error.Message)})
		case message.ID != 0:
			p.settle(message.ID, answer{result: message.Result})
		case message.Method == "Inspector.targetCrashed", message.Method == "Target.detachedFromTarget":
			p.end(errCrashed)
		}
	}
}

func (p *pipe) settle(id int, a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if to, ok := p.waiting[id]; ok {
		delete(p.waiting, id)
		to <- a // it has room for this one
	}
}

// end fails what waits and what will be asked.
func (p *pipe) end(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over == nil {
		p.over = why
	}
	for id, to := range p.waiting {
		delete(p.waiting, id)
		to <- answer{err: p.over}
	}
}

// call asks and waits for the answer, which goes into result unless that is nil. Session
// is a page's, or "" for the browser.
func (p *pipe) call(ctx context.Context, session, method string, params, result any) error {
	message := map[string]any{"method": method}
	if session != "" {
		message["sessionId"] = session
	}
	if params != nil {
		message["params"] = params
	}
	answered := make(chan answer, 1)
	p.mu.Lock()
	if p.over != nil {
		defer p.mu.Unlock()
		return p.over
	}
	p.next++
	id := p.next
	message["id"] = id
	p.waiting[id] = answered
	data, err := json.Marshal(message)
	if err == nil {
		// A few hundred bytes each: a browser that reads nothing is given up long before
		// the pipe is full.
		_, err = p.to.Write(append(data, 0))
	}
	p.mu.Unlock()
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	select {
	case a := <-answered:
		if a.err != nil {
			return fmt.Errorf("%s: %w", method, a.err)
		}
		if result == nil {
			return nil
		}
		if err := json.Unmarshal(a.result, result); err != nil {
			return fmt.Errorf("%s: the answer: %w", method, err)
		}
		return nil
	case <-ctx.Done():
		p.mu.Lock()
		delete(p.waiting, id)
		p.mu.Unlock()
		return fmt.Errorf("%s: %w", method, ctx.Err())
	}
}
