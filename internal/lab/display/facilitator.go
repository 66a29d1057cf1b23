package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"time"

	"github.com/gorilla/websocket"
)

const address = "http://127.0.0.1:8080"

// facilitator leads the evening from a browser of the kiosk.
type facilitator struct {
	ws    *websocket.Conn
	n     int
	heard chan answer // closed when the line is
}

type answer struct {
	Type, ID, Reason string
	Message          json.RawMessage
}

// listen reads on while the evening is looked at: the kiosk's pings want answers.
func (f *facilitator) listen() {
	defer close(f.heard)
	for {
		var a answer
		if f.ws.ReadJSON(&a) != nil {
			return
		}
		if a.Type != "view" {
			f.heard <- a
		}
	}
}

func signIn() (*facilitator, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Jar: jar, Timeout: 10 * time.Second}
	r, err := client.Post(address+"/api/pin", "application/json", bytes.NewReader([]byte(`{"pin":"258014"}`)))
	if err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil || r.StatusCode != http.StatusNoContent {
		return nil, fmt.Errorf("set the PIN: %s, %w", r.Status, err)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Origin": {address}}
	for _, c := range jar.Cookies(u) {
		header.Add("Cookie", c.String())
	}
	ws, _, err := websocket.DefaultDialer.Dial("ws://"+u.Host+"/ws?role=facilitator", header)
	if err != nil {
		return nil, err
	}
	f := &facilitator{ws: ws, heard: make(chan answer, 16)}
	go f.listen()
	return f, nil
}

// do sends a command and waits until the kiosk has done it.
func (f *facilitator) do(what string, fields map[string]any) error {
	f.n++
	id := fmt.Sprintf("lab-%d", f.n)
	message := map[string]any{"id": id, "do": what}
	for k, v := range fields {
		message[k] = v
	}
	if err := f.ws.WriteJSON(message); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	select {
	case a, ok := <-f.heard:
		if !ok || a.ID != id || a.Type != "done" {
			return fmt.Errorf("%s was not done: %s %s %s", what, a.Type, a.Reason, a.Message)
		}
		return nil
	case <-time.After(30 * time.Second):
		return fmt.Errorf("%s: no answer", what)
	}
}
