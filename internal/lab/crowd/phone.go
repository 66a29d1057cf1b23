package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"mimpi-kiosk/internal/lab/visit"
)

type kind int

const (
	sound    kind = iota
	slow          // reads nothing after its first view
	flapping      // its Wi-Fi goes every second or two
	nonsense      // sends what no page sends
)

// phone is one phone with its page open. What its socket says is read by a goroutine of
// its own, as a page would.
type phone struct {
	hall *hall
	n    int
	kind kind
	rnd  *rand.Rand // of whoever acts for the phone at the moment, never two

	visitor *visit.Visitor
	running sync.WaitGroup
	left    chan struct{} // closed when it leaves

	page page // where outages are

	mu        sync.Mutex
	ws        *websocket.Conn // nil: it is away
	screening string
	question  question
	news      chan struct{}            // has one when there was a view
	lost      []error                  // why its sockets ended, but for those that it closed itself
	answers   map[string]chan answered // by command
}

type answered struct{ refused string }

// question is what a phone sees of it.
type question struct {
	Phase string
	Round int
}

const patience = 60 * time.Second

func (p *phone) join() error {
	v, err := p.hall.phone(p.n)
	if err != nil {
		return err
	}
	p.visitor, p.news, p.answers = v, make(chan struct{}, 1), map[string]chan answered{}
	p.left = make(chan struct{})
	if err := v.Get("/vote"); err != nil {
		return err
	}
	if err := p.connect(); err != nil {
		return err
	}
	switch p.kind {
	case flapping:
		seed := p.rnd.Uint64()
		p.running.Go(func() { p.flap(rand.New(rand.NewPCG(seed, 1))) })
	case nonsense:
		seed := p.rnd.Uint64()
		p.running.Go(func() { p.babble(rand.New(rand.NewPCG(seed, 2))) })
	}
	return nil
}

// connect opens the socket and reads the first view; from then on a goroutine reads.
func (p *phone) connect() error {
	v := *p.visitor
	if err := v.Connect("vote"); err != nil {
		return err
	}
	if p.kind == slow {
		if err := v.WS.NetConn().(*net.TCPConn).SetReadBuffer(2048); err != nil {
			return err
		}
	}
	m, err := v.Read()
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.ws = v.WS
	p.see(m)
	p.mu.Unlock()
	if p.kind == slow {
		return nil
	}
	p.running.Go(func() {
		for {
			m, err := v.Read()
			if err != nil {
				v.WS.Close()
				p.mu.Lock()
				if p.ws == v.WS { // it was not the phone that went
					p.ws, p.lost = nil, append(p.lost, err)
					p.page.wake()
				}
				p.mu.Unlock()
				return
			}
			p.mu.Lock()
			p.see(m)
			p.mu.Unlock()
		}
	})
	return nil
}

// see takes a message in; it needs p.mu.
func (p *phone) see(m visit.Message) {
	p.page.hear()
	switch m.Type {
	case "view":
		var view struct {
			Screening struct{ ID string }
			Question  question
		}
		if json.Unmarshal(m.View, &view) != nil {
			return
		}
		p.screening, p.question = view.Screening.ID, view.Question
		select {
		case p.news <- struct{}{}:
		default:
		}
	case "done", "refused":
		if c := p.answers[m.ID]; c != nil {
			select {
			case c <- answered{m.Reason}:
			default:
			}
		}
	}
}

// until waits until the question is as wanted.
func (p *phone) until(is func(question) bool) bool {
	late := time.After(patience)
	for {
		p.mu.Lock()
		seen := is(p.question)
		p.mu.Unlock()
		if seen {
			return true
		}
		select {
		case <-p.news:
		case <-late:
			return false
		}
	}
}

// vote sends one ballot under one id, again after each second without an answer, as the page does
// when its line is back.
func (p *phone) vote() error {
	if p.visitor == nil {
		return errors.New("it never joined")
	}
	if p.kind != slow && !p.until(func(q question) bool { return q.Phase == "open" }) {
		return errors.New("it never saw the open question")
	}
	id := fmt.Sprintf("ballot-%d", p.n)
	answer := make(chan answered, 1)
	p.mu.Lock()
	p.answers[id] = answer
	p.mu.Unlock()
	until := time.Now().Add(patience)
	for time.Now().Before(until) {
		p.mu.Lock()
		ws := p.ws
		var err error
		if ws != nil {
			p.hall.history.Invoke(id)
			err = p.write(ws, map[string]any{
				"id": id, "do": "castBallot", "screening": p.screening, "question": "k1", "round": 1, "choices": []string{"18"},
			})
		}
		p.mu.Unlock()
		if p.kind == slow {
			return err // nobody listens to the answer
		}
		again := time.Second
		if ws == nil || err != nil {
			again = 50 * time.Millisecond
			if p.kind == sound {
				_ = p.connect() // as the page does; it tries again
			}
		}
		select {
		case a := <-answer:
			switch a.refused {
			case "":
				p.hall.history.Acknowledge(id)
				return nil
			case "busy", "not_saved":
			default:
				p.hall.history.Refuse(id, a.refused)
				return fmt.Errorf("its ballot was refused: %s", a.refused)
			}
		case <-time.After(again):
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("its ballot was never answered; its socket: %v", p.lost)
}

// write needs p.mu: a socket has one writer at a time.
func (p *phone) write(ws *websocket.Conn, message any) error {
	_ = ws.SetWriteDeadline(time.Now().Add(time.Second)) // a closed socket: the write says so
	return ws.WriteJSON(message)
}

func (p *phone) leave() error {
	if p.left == nil {
		return nil
	}
	close(p.left)
	p.away()
	return nil
}

// away closes the socket as a phone does that walks off: without a word.
func (p *phone) away() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ws != nil {
		p.ws.Close()
		p.ws = nil
	}
}

// pause is false when the phone has left.
func (p *phone) pause(d time.Duration) bool {
	select {
	case <-p.left:
		return false
	case <-time.After(d):
		return true
	}
}

func (p *phone) flap(rnd *rand.Rand) {
	for p.pause(time.Second + time.Duration(rnd.Int64N(int64(time.Second)))) {
		p.away()
		if !p.pause(time.Duration(rnd.Int64N(int64(500 * time.Millisecond)))) {
			return
		}
		p.back()
	}
}

// back connects again, unless the phone has left meanwhile.
func (p *phone) back() {
	if p.connect() != nil {
		return // it tries again
	}
	select {
	case <-p.left:
		p.away()
	default:
	}
}

// babble sends something wrong twice a second. Some of it ends the connection.
func (p *phone) babble(rnd *rand.Rand) {
	for p.pause(time.Duration(rnd.Int64N(int64(time.Second)))) {
		p.mu.Lock()
		ws := p.ws
		if ws != nil {
			_ = ws.SetWriteDeadline(time.Now().Add(time.Second)) // as in write
			switch rnd.IntN(7) {
			case 0:
				_ = ws.WriteMessage(websocket.TextMessage, []byte("hallo kotak")) // whatever comes of it
			case 1:
				_ = ws.WriteMessage(websocket.BinaryMessage, make([]byte, 500))
			case 2:
				_ = ws.WriteMessage(websocket.TextMessage, []byte(`{"id":"x","do":"`+strings.Repeat("a", 9000)+`"}`))
			case 3:
				_ = ws.WriteMessage(websocket.TextMessage, []byte("\xff\xfe{}"))
			case 4:
				_ = p.write(ws, map[string]any{"id": "n", "do": "moveTo", "step": "ended"})
			case 5:
				_ = p.write(ws, map[string]any{"id": "n", "do": "castBallot", "screening": "s-0", "question": "k1", "round": -1, "choices": []string{"18", "18"}})
			case 6:
				for range 30 {
					_ = ws.WriteControl(websocket.PingMessage, make([]byte, 125), time.Now().Add(time.Second))
				}
			}
		}
		p.mu.Unlock()
		if !p.pause(100 * time.Millisecond) {
			return
		}
		p.mu.Lock()
		gone := p.ws == nil || p.ws == ws && !alive(ws)
		p.mu.Unlock()
		if gone {
			p.away()
			p.back()
		}
	}
}

// alive finds out whether the kiosk has ended the connection.
func alive(ws *websocket.Conn) bool {
	return ws.WriteControl(websocket.PongMessage, nil, time.Now().Add(time.Second)) == nil
}
