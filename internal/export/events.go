package export

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"mimpi-kiosk/internal/screening"
)

// Line is one event of events.jsonl, as it stands in the journal but for the ballots
// (see the comment of the package).
type Line struct {
	Seq       int64                 `json:"seq"`
	At        time.Time             `json:"at"` // UTC
	Boot      string                `json:"boot"`
	Mono      screening.Millis      `json:"mono"`
	Clock     screening.ClockSource `json:"clock"`
	Time      time.Time             `json:"time"`      // UTC, as it is known now; At is the journal's
	TimeKnown string                `json:"timeKnown"` // how: see the comment of the package
	Screening string                `json:"screening"`
	Command   string                `json:"command,omitempty"`
	From      screening.Source      `json:"from"`
	Kind      string                `json:"kind"`
	Data      json.RawMessage       `json:"data"`

	event screening.Event
}

func lineOf(r screening.Recorded) Line {
	return Line{
		Seq: r.Seq, At: r.Stamp.At, Boot: r.Stamp.Boot, Mono: r.Stamp.Mono, Clock: r.Stamp.Clock,
		Screening: r.Screening, Command: r.Command, From: r.From, Kind: r.Event.Kind(), event: r.Event,
	}
}

func (e *evening) eventLines() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out) // ends each line with \n
	enc.SetEscapeHTML(false)
	for _, l := range e.events {
		data, err := json.Marshal(l.event)
		if err != nil {
			return nil, fmt.Errorf("event %d: %w", l.Seq, err)
		}
		l.Data = data
		if err := enc.Encode(l); err != nil {
			return nil, fmt.Errorf("event %d: %w", l.Seq, err)
		}
	}
	return out.Bytes(), nil
}

// DecodeLine reads one line of events.jsonl. The error of an event of a newer version
// is a [screening.UnknownEvent].
func DecodeLine(line []byte) (screening.Recorded, error) {
	var l Line
	dec := json.NewDecoder(bytes.NewReader(line))
	if err := dec.Decode(&l); err != nil {
		return screening.Recorded{}, fmt.Errorf("line of events: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return screening.Recorded{}, errors.New("line of events: something follows the event")
	}
	if l.Seq < 1 {
		return screening.Recorded{}, fmt.Errorf("line of events: seq is %d", l.Seq)
	}
	e, err := screening.DecodeEvent(l.Kind, l.Data)
	if err != nil {
		return screening.Recorded{}, fmt.Errorf("line of event %d: %w", l.Seq, err)
	}
	return screening.Recorded{
		Seq: l.Seq, Stamp: screening.Stamp{At: l.At.UTC(), Boot: l.Boot, Mono: l.Mono, Clock: l.Clock},
		Screening: l.Screening, Command: l.Command, From: l.From, Event: e,
	}, nil
}
