package web

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"os"
	"testing"
	"time"
)

// With a socket that outlives the server, as systemd holds port 80 over an upgrade,
// nobody who was let in before the end is cut off unheard, and nobody after it is refused.
func TestTheLastToComeInAreHeard(t *testing.T) {
	var parts Parts
	k := newKiosk(t, setup{parts: func(p *Parts) { parts = *p }})
	held, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	k.addr = held.Addr().String()
	file, err := held.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	serve := func() (stop func() error) {
		server, listener := again(t, parts, file)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- server.Run(ctx, listener) }()
		return func() error { cancel(); return <-ended }
	}

	stop := serve()
	silent, err := net.Dial("tcp4", k.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if status := ask(t, k.addr); status != http.StatusOK { // so the first connection has been accepted too
		t.Fatalf("before the end: %d", status)
	}
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	time.Sleep(50 * time.Millisecond) // the end has begun
	if status := askOn(t, silent, k.addr); status != http.StatusOK {
		t.Errorf("who had come in before the end got %d", status)
	}
	waiting, err := net.Dial("tcp4", k.addr)
	if err != nil {
		t.Fatalf("a connection between two servers: %v", err)
	}
	defer waiting.Close()
	if err := <-ended; err != nil {
		t.Errorf("the first server ended with: %v", err)
	}
	defer func(stop func() error) {
		if err := stop(); err != nil {
			t.Errorf("the second server ended with: %v", err)
		}
	}(serve())
	if status := askOn(t, waiting, k.addr); status != http.StatusOK {
		t.Errorf("who came between two servers got %d", status)
	}
}

// again makes a server of the same parts on the held socket.
func again(t *testing.T, parts Parts, file *os.File) (*Server, net.Listener) {
	t.Helper()
	listener, err := net.FileListener(file)
	if err != nil {
		t.Fatal(err)
	}
	server, err := New(parts, listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	return server, listener
}

func ask(t *testing.T, addr string) int {
	t.Helper()
	c, err := net.Dial("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	return askOn(t, c, addr)
}

// askOn asks for a page on a connection; 0 is no answer.
func askOn(t *testing.T, c net.Conn, addr string) int {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("GET /vote HTTP/1.1\r\nHost: " + addr + "\r\n\r\n")); err != nil {
		t.Log(err)
		return 0
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Log(err)
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}
