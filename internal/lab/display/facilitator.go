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
	ws *websocket.Conn
	n  int
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
	return &facilitator{ws: ws}, err
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
	if err := f.ws.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	for {
		var answer struct {
			Type, ID, Reason string
			Message          json.RawMessage
		}
		if err := f.ws.ReadJSON(&answer); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		switch {
		case answer.ID != id:
		case answer.Type == "done":
			return nil
		default:
			return fmt.Errorf("%s was refused: %s %s", what, answer.Reason, answer.Message)
		}
	}
}
