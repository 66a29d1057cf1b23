package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"mimpi-kiosk/internal/lab/visit"
)

// facilitator leads an evening from a phone, through port 80.
type facilitator struct{ *visit.Visitor }

// signIn comes in with the PIN, which the kiosk's own browser has set.
func signIn(m *machine) (*facilitator, error) {
	kiosk := visit.Process{Base: "http://" + m.addr(80), Dial: m.dial}
	v, err := kiosk.Visitor()
	if err != nil {
		return nil, err
	}
	v.HTTP.Timeout = time.Minute
	if err := v.SignIn(); err != nil {
		return nil, err
	}
	return &facilitator{v}, v.Connect("facilitator")
}

func (f *facilitator) Close() error { return f.WS.Close() }

// people waits for a view with so many people in it, in step doors.
func (f *facilitator) people(n int) error {
	var view struct {
		Step       string
		Attendance struct{ Total int }
	}
	var wrong error
	err := f.WaitFor(func(m visit.Message) bool {
		if m.Type != "view" {
			return false
		}
		wrong = json.Unmarshal(m.View, &view)
		return wrong != nil || view.Attendance.Total > n || view.Attendance.Total == n && view.Step == "doors"
	})
	if err = errors.Join(err, wrong); err != nil {
		return fmt.Errorf("waiting for %d people, seen %+v: %w", n, view, err)
	}
	if view.Attendance.Total > n {
		return fmt.Errorf("%d people are shown, more than %d", view.Attendance.Total, n)
	}
	return nil
}

func (f *facilitator) openDoors() error {
	if err := f.Plan("plan", "Balai Desa"); err != nil {
		return err
	}
	return f.Do("doors", map[string]any{"do": "moveTo", "step": "doors"})
}

// count counts people from to to; an id that was there already counts once.
func (f *facilitator) count(from, to int) error {
	for i := from; i < to; i++ {
		if err := f.countOne(fmt.Sprint("p", i)); err != nil {
			return err
		}
	}
	return nil
}

func (f *facilitator) countOne(id string) error {
	return f.Do(id, map[string]any{"do": "countAttendee", "category": "woman"})
}
