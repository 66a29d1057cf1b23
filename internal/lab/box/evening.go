package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const pin = "258014"

// facilitator leads an evening from a phone, through port 80.
type facilitator struct {
	ws *websocket.Conn
}

type message struct {
	Type, ID, Reason string
	View             struct {
		Step       string
		Attendance struct{ Total int }
	}
}

// signIn comes in with the PIN, which the kiosk's own browser has set.
func signIn(ctx context.Context, m *machine) (*facilitator, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	address := m.addr(80)
	base := "http://" + address
	client := &http.Client{Transport: &http.Transport{DialContext: m.dial, DisableKeepAlives: true}, Jar: jar, Timeout: 30 * time.Second}
	r, err := client.Post(base+"/api/sign-in", "application/json", strings.NewReader(`{"pin":"`+pin+`"}`))
	if err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil || r.StatusCode != http.StatusNoContent {
		return nil, errors.Join(fmt.Errorf("sign in: %s", r.Status), err)
	}
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Origin": {base}}
	for _, c := range jar.Cookies(u) {
		header.Add("Cookie", c.String())
	}
	ws, _, err := (&websocket.Dialer{NetDialContext: m.dial, HandshakeTimeout: 45 * time.Second}).DialContext(ctx, "ws://"+address+"/ws?role=facilitator", header)
	if err != nil {
		return nil, err
	}
	return &facilitator{ws}, nil
}

func (f *facilitator) Close() error { return f.ws.Close() }

func (f *facilitator) read() (message, error) {
	var m message
	if err := f.ws.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return m, err
	}
	err := f.ws.ReadJSON(&m)
	return m, err
}

// do sends a command and waits until the kiosk has done it.
func (f *facilitator) do(id, command string) error {
	if err := f.ws.WriteMessage(websocket.TextMessage, []byte(`{"id":"`+id+`",`+command+`}`)); err != nil {
		return err
	}
	for {
		m, err := f.read()
		if err != nil {
			return fmt.Errorf("%s: %w", command, err)
		}
		if m.ID == id && m.Type == "done" {
			return nil
		}
		if m.ID == id {
			return fmt.Errorf("%s was refused: %s", command, m.Reason)
		}
	}
}

// people waits for a view with so many people in it, in step doors.
func (f *facilitator) people(n int) error {
	for {
		m, err := f.read()
		if err != nil {
			return fmt.Errorf("waiting for %d people: %w", n, err)
		}
		if m.Type == "view" && m.View.Attendance.Total == n && m.View.Step == "doors" {
			return nil
		}
		if m.Type == "view" && m.View.Attendance.Total > n {
			return fmt.Errorf("%d people are shown, more than %d", m.View.Attendance.Total, n)
		}
	}
}

const plan = `"do":"planScreening","details":{"regency":"kupang","venue":"Balai Desa","audience":"public","label":"","heldAt":"2026-11-24T19:00:00+08:00"}`

func openDoors(f *facilitator) error {
	if err := f.do("plan", plan); err != nil {
		return err
	}
	return f.do("doors", `"do":"moveTo","step":"doors"`)
}

// count counts people from to to; an id that was there already counts once.
func count(f *facilitator, from, to int) error {
	for i := from; i < to; i++ {
		if err := f.do(fmt.Sprint("p", i), `"do":"countAttendee","category":"woman"`); err != nil {
			return err
		}
	}
	return nil
}
