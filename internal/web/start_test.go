package web

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"mimpi-kiosk/internal/screening"
)

// startAgain makes a Room and a server on the journal of a kiosk that had planned an
// evening; neither runs yet.
func startAgain(t *testing.T) (*kiosk, *screening.Room, *Server, net.Listener) {
	t.Helper()
	var parts Parts
	k := newKiosk(t, setup{still: true, parts: func(p *Parts) { parts = *p }})
	k.plan()
	room := screening.NewRoom(k.journal, k.clock)
	parts.Room = room
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k.addr = listener.Addr().String()
	server, err := New(parts, listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return k, room, server, listener
}

func TestNobodyIsShownAnEmptyKioskWhileTheJournalIsRead(t *testing.T) {
	k, room, server, listener := startAgain(t)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() {
		if err := server.Run(ctx, listener); err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})

	type dialled struct {
		ws  *websocket.Conn
		err error
	}
	open := make(chan dialled, 1)
	own := k.own()
	running.Go(func() {
		ws, _, err := own.upgrade(touchRole, nil)
		open <- dialled{ws, err}
	})
	select {
	case <-open:
		t.Fatal("a screen is served though the Room does not run yet")
	case <-time.After(100 * time.Millisecond):
	}
	running.Go(func() {
		begin := screening.Envelope{ID: "start-2", From: screening.FromKiosk, Command: screening.StartKiosk{Kiosk: "kiosk-1"}}
		if err := room.Run(ctx, begin); err != nil {
			t.Errorf("the room ended with: %v", err)
		}
	})
	d := <-open
	if d.err != nil {
		t.Fatal(d.err)
	}
	defer d.ws.Close()
	first := (&socket{t: t, b: own, ws: d.ws}).read()
	if first.Type != "view" || !strings.Contains(first.raw, details().Venue) {
		t.Errorf("the first that a screen hears is %s", first.raw)
	}
}

func TestServerEndsWithARoomThatCannotBegin(t *testing.T) {
	_, room, server, listener := startAgain(t)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := room.Run(ended, screening.Envelope{ID: "start-2", Command: screening.StartKiosk{Kiosk: "kiosk-1"}}); err != nil {
		t.Fatal(err)
	}
	if err := server.Run(t.Context(), listener); err != nil {
		t.Errorf("it ended with: %v", err)
	}
	if _, err := listener.Accept(); err == nil {
		t.Error("the listener is still open")
	}
}
