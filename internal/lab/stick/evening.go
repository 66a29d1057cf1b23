package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const pin = "258014"

// evening is a screening that goes on in the guest while sticks come and go: people are
// counted and vote, and what the kiosk acknowledges is remembered.
type evening struct {
	address string
	client  *http.Client

	mu      sync.Mutex
	news    chan struct{} // closed and made anew at each view
	stick   stickView
	acked   map[string]string // what, by the id of its command
	longest time.Duration     // until something was acknowledged
}

// stickView is what the facilitator's screen is told of the stick.
type stickView struct {
	Phase, Why            string
	Done, All, Screenings int
}

type message struct {
	Type, ID, Reason string
	View             struct{ Sticks []stickView }
}

func newEvening(address string) (*evening, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	e := &evening{
		address: address, client: &http.Client{Jar: jar, Timeout: time.Minute},
		news: make(chan struct{}), acked: map[string]string{},
	}
	r, err := e.client.Post("http://"+address+"/api/sign-in", "application/json", strings.NewReader(`{"pin":"`+pin+`"}`))
	if err != nil {
		return nil, err
	}
	if err := r.Body.Close(); err != nil || r.StatusCode != http.StatusNoContent {
		return nil, errors.Join(fmt.Errorf("sign in: %s", r.Status), err)
	}
	return e, nil
}

// begin ends what the journal has left open, and opens the doors and a question.
func (e *evening) begin(ctx context.Context) error {
	f := e.screen("facilitator")
	defer f.close()
	for n, body := range []string{
		`"do":"moveTo","step":"ended"`,
		`"do":"planScreening","details":{"regency":"kupang","venue":"Balai Desa","audience":"public","label":"","heldAt":"2026-11-24T19:00:00+08:00"}`,
		`"do":"moveTo","step":"poll_before"`, `"do":"openQuestion","question":"k1","newRound":false`, `"do":"openDoors"`,
	} {
		if err := f.do(ctx, fmt.Sprint("begin-", n), body); err != nil {
			return err
		}
	}
	return nil
}

// goOn counts people and ballots until ctx ends.
func (e *evening) goOn(ctx context.Context) error {
	touch := e.screen("touch")
	defer touch.close()
	for n := 0; ; n++ {
		what, body := "press", `"do":"countAttendee","category":"woman"`
		if n%16 == 15 { // the screen thanks for 1.5 s between two of them
			what, body = "ballot", `"do":"castBallot","question":"k1","round":1,"choices":["18"]`
		}
		id := fmt.Sprintf("%s-%d", what, n)
		start := time.Now()
		err := touch.do(ctx, id, body)
		if ctx.Err() != nil {
			return nil // it may be in the journal or not
		}
		if err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
		e.mu.Lock()
		e.acked[id] = what
		e.longest = max(e.longest, time.Since(start))
		e.mu.Unlock()
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(150 * time.Millisecond):
		}
	}
}

// watch follows what the facilitator is told of sticks, until ctx ends.
func (e *evening) watch(ctx context.Context) error {
	f := e.screen("facilitator")
	defer f.close()
	for ctx.Err() == nil {
		m, err := f.read(ctx)
		if err != nil {
			f.close() // it comes back, as a page does
			continue
		}
		if m.Type != "view" {
			continue
		}
		e.mu.Lock()
		e.stick = stickView{}
		if len(m.View.Sticks) > 0 {
			e.stick = m.View.Sticks[0]
		}
		close(e.news)
		e.news = make(chan struct{})
		e.mu.Unlock()
	}
	return nil
}

// seen is what the facilitator sees of the stick now, and what the next news close.
func (e *evening) seen() (stickView, <-chan struct{}) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.stick, e.news
}

// until waits until the facilitator sees it.
func (e *evening) until(ctx context.Context, what string, is func(stickView) bool) (stickView, error) {
	late := time.After(patience)
	for {
		s, news := e.seen()
		if is(s) {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return s, ctx.Err()
		case <-news:
		case <-late:
			return s, fmt.Errorf("the facilitator never sees: %s; last seen %+v", what, s)
		}
	}
}

// screen is a page's line to the kiosk, which connects again when it breaks.
type screen struct {
	of   *evening
	role string
	ws   *websocket.Conn
}

func (e *evening) screen(role string) *screen { return &screen{of: e, role: role} }

func (s *screen) close() {
	if s.ws != nil {
		s.ws.Close() // it may be broken already
		s.ws = nil
	}
}

func (s *screen) connect(ctx context.Context) error {
	if s.ws != nil {
		return nil
	}
	base := "http://" + s.of.address
	u, err := url.Parse(base)
	if err != nil {
		return err
	}
	header := http.Header{"Origin": {base}}
	for _, c := range s.of.client.Jar.Cookies(u) {
		header.Add("Cookie", c.String())
	}
	dialing, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	s.ws, _, err = websocket.DefaultDialer.DialContext(dialing, "ws://"+s.of.address+"/ws?role="+s.role, header)
	return err
}

func (s *screen) read(ctx context.Context) (m message, err error) {
	if err := s.connect(ctx); err != nil {
		return m, err
	}
	if err := s.ws.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return m, err
	}
	defer context.AfterFunc(ctx, func() { s.ws.UnderlyingConn().Close() })()
	err = s.ws.ReadJSON(&m)
	return m, err
}

// do sends a command until it is answered, always under the same id.
func (s *screen) do(ctx context.Context, id, body string) error {
	var broken error
	for late := time.Now().Add(patience); time.Now().Before(late) && ctx.Err() == nil; {
		err := s.connect(ctx)
		if err == nil {
			err = s.ws.WriteMessage(websocket.TextMessage, []byte(`{"id":"`+id+`",`+body+`}`))
		}
		for err == nil {
			var m message
			m, err = s.read(ctx)
			switch {
			case err != nil || m.ID != id:
			case m.Type == "done":
				return nil
			default:
				return fmt.Errorf("%s was refused: %s", body, m.Reason)
			}
		}
		broken = err
		s.close()
		time.Sleep(200 * time.Millisecond)
	}
	return errors.Join(fmt.Errorf("%s was never answered", body), broken, ctx.Err())
}
