package journaltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"mimpi-kiosk/internal/screening"
)

// Memory is a [screening.Journal] that holds its events as the JSON that a disk would
// hold, and can be told to fail. The zero value is empty and ready. It is safe for
// concurrent use.
type Memory struct {
	mu     sync.Mutex
	rows   []row
	seen   map[[2]string]bool
	fail   error
	broken error
}

type row struct {
	recorded screening.Recorded // without its event
	kind     string
	data     []byte
}

// Fail makes every Append and Probe from now on fail with an error that wraps err;
// nothing is written. nil ends that. After an err that does not wrap
// screening.ErrRefusedByDisk the journal is in doubt until it is reopened.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fail = err
}

// Reopen gives a new Memory with the events of this one, as after a crash. This one
// must not be used any more.
func (m *Memory) Reopen() *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Memory{rows: m.rows, seen: m.seen}
}

// Append implements [screening.Journal].
func (m *Memory) Append(_ context.Context, events []screening.Recorded) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.failure(); err != nil || len(events) == 0 {
		return err
	}
	var rows []row
	seen := map[[2]string]bool{}
	for i, r := range events {
		if want := int64(len(m.rows) + i + 1); r.Seq != want {
			return m.doubt(fmt.Errorf("event %d comes where %d should", r.Seq, want))
		}
		if key := [2]string{r.Screening, r.Command}; r.Command != "" {
			if seen[key] || m.seen[key] {
				return m.doubt(fmt.Errorf("command %q is there already", r.Command))
			}
			seen[key] = true
		}
		data, err := json.Marshal(r.Event)
		if err != nil {
			return m.doubt(err)
		}
		w := row{recorded: r, kind: r.Event.Kind(), data: data}
		w.recorded.Event = nil
		rows = append(rows, w)
	}
	if m.seen == nil {
		m.seen = map[[2]string]bool{}
	}
	for key := range seen {
		m.seen[key] = true
	}
	m.rows = append(m.rows, rows...)
	return nil
}

// Probe implements [screening.Journal].
func (m *Memory) Probe(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failure()
}

func (m *Memory) failure() error {
	if m.broken != nil {
		return m.broken
	}
	if m.fail != nil {
		return m.doubt(fmt.Errorf("journal in memory was told to fail: %w", m.fail))
	}
	return nil
}

func (m *Memory) doubt(err error) error {
	if !errors.Is(err, screening.ErrRefusedByDisk) {
		m.broken = err
	}
	return err
}

// Replay implements [screening.Journal].
func (m *Memory) Replay(_ context.Context, yield func(screening.Recorded) error) error {
	m.mu.Lock()
	rows := m.rows
	m.mu.Unlock()
	first := 0
	for i, w := range rows {
		if w.kind == (screening.ScreeningPlanned{}).Kind() {
			first = i
		}
	}
	clock, start := -1, -1
	for i, w := range rows[:first] {
		switch w.kind {
		case screening.ClockSet{}.Kind():
			clock = i
		case screening.KioskStarted{}.Kind():
			start = i
		}
	}
	for i, w := range rows {
		if i < first && i != clock && i != start {
			continue
		}
		r := w.recorded
		var err error
		if r.Event, err = screening.DecodeEvent(w.kind, w.data); err != nil {
			return err
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

// Events gives a copy of everything that was appended.
func (m *Memory) Events() ([]screening.Recorded, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []screening.Recorded
	for _, w := range m.rows {
		r := w.recorded
		var err error
		if r.Event, err = screening.DecodeEvent(w.kind, w.data); err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}
