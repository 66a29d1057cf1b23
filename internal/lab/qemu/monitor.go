package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"
)

// An Event of QEMU, such as {"DEVICE_DELETED", ...}; see the QMP reference.
type Event struct {
	Name string          `json:"event"`
	Data json.RawMessage `json:"data"`
}

// monitor speaks QMP: one command at a time, events in between.
type monitor struct {
	file *os.File
	turn chan struct{} // holds one token: whoever has it may give a command

	answers chan answer
	gone    chan struct{} // closed when nothing more can be read

	mu     sync.Mutex
	events []Event       // come and not yet taken
	news   chan struct{} // closed and replaced when an event comes
}

type answer struct {
	Greeting json.RawMessage `json:"QMP"`
	Return   json.RawMessage `json:"return"`
	Error    *struct {
		Class string `json:"class"`
		Desc  string `json:"desc"`
	} `json:"error"`
	Event
}

func newMonitor(file *os.File) *monitor {
	m := &monitor{
		file:    file,
		turn:    make(chan struct{}, 1),
		answers: make(chan answer, 1),
		gone:    make(chan struct{}),
		news:    make(chan struct{}),
	}
	m.turn <- struct{}{}
	return m
}

func (m *monitor) read() {
	defer close(m.gone)
	lines := bufio.NewReader(m.file)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(line, &a) != nil {
			return // not QMP: whoever waits is told that the monitor is gone
		}
		if a.Name == "" {
			m.answers <- a
			continue
		}
		m.mu.Lock()
		m.events = append(m.events, a.Event)
		close(m.news)
		m.news = make(chan struct{})
		m.mu.Unlock()
	}
}

var errMonitorGone = errors.New("QEMU's monitor is gone")

func (m *monitor) answer(ctx context.Context) (answer, error) {
	select {
	case a := <-m.answers:
		return a, nil
	case <-m.gone:
		select {
		case a := <-m.answers: // the last thing it said
			return a, nil
		default:
			return answer{}, errMonitorGone
		}
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

func (m *monitor) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	hello, err := m.answer(ctx)
	if err != nil {
		return err
	}
	if hello.Greeting == nil {
		return errors.New("it did not greet")
	}
	_, err = m.do(ctx, "qmp_capabilities", nil)
	return err
}

func (m *monitor) do(ctx context.Context, command string, arguments any) (json.RawMessage, error) {
	select {
	case <-m.turn:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	line, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
	}{command, arguments})
	if err != nil {
		m.turn <- struct{}{}
		return nil, err
	}
	if _, err := m.file.Write(append(line, '\n')); err != nil {
		m.turn <- struct{}{}
		return nil, err
	}
	a, err := m.answer(ctx)
	if err != nil {
		return nil, err // the token is kept: a late answer must not be taken for the next command's
	}
	m.turn <- struct{}{}
	if a.Error != nil {
		return nil, fmt.Errorf("%s: %s", a.Error.Class, a.Error.Desc)
	}
	return a.Return, nil
}

// Do gives QEMU a QMP command ("device_add", "system_powerdown", "stop", ...) with its
// arguments (marshalled as JSON; nil for none) and returns the answer. After a command
// whose context ended before its answer came, no further command can be given.
func (g *Guest) Do(ctx context.Context, command string, arguments any) (json.RawMessage, error) {
	result, err := g.monitor.do(ctx, command, arguments)
	if err != nil {
		return nil, fmt.Errorf("qemu: %s: %w", command, err)
	}
	return result, nil
}

// Event waits for the next event called name, takes it and returns it; events of other
// names stay for other callers.
func (g *Guest) Event(ctx context.Context, name string) (Event, error) {
	m := g.monitor
	for {
		m.mu.Lock()
		for i, event := range m.events {
			if event.Name == name {
				m.events = append(m.events[:i:i], m.events[i+1:]...)
				m.mu.Unlock()
				return event, nil
			}
		}
		news := m.news
		m.mu.Unlock()
		select {
		case <-news:
		case <-m.gone:
			select {
			case <-news: // it came with QEMU's last breath
			default:
				return Event{}, fmt.Errorf("qemu: the event %s has not come: %w", name, io.ErrUnexpectedEOF)
			}
		case <-ctx.Done():
			return Event{}, fmt.Errorf("qemu: the event %s has not come: %w", name, ctx.Err())
		}
	}
}

var forwarded = regexp.MustCompile(`TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+(\d+)`)

// forwards asks which free ports QEMU took: asking the kernel for a free one first and
// giving it to QEMU would be a race.
func (g *Guest) forwards(ctx context.Context) (map[int]string, error) {
	table, err := g.Do(ctx, "human-monitor-command", map[string]string{"command-line": "info usernet"})
	if err != nil {
		return nil, err
	}
	var text string
	if err := json.Unmarshal(table, &text); err != nil {
		return nil, fmt.Errorf("qemu: info usernet: %w", err)
	}
	addrs := make(map[int]string)
	for _, match := range forwarded.FindAllStringSubmatch(text, -1) {
		guest, err := strconv.Atoi(match[2])
		if err != nil {
			return nil, fmt.Errorf("qemu: info usernet: %w", err)
		}
		addrs[guest] = "127.0.0.1:" + match[1]
	}
	return addrs, nil
}
