package web

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"mimpi-kiosk/internal/screening"
)

// What a person in the audience with a phone may try. The other tests of this kind:
// foreign pages and names in access_test.go and signin/guard_test.go, the PIN in
// signin/keeper_test.go, odd paths in media_test.go, odd frames in socket_test.go.

// half opens a connection and sends something that is no whole request.
func (b *browser) half(sent string) net.Conn {
	b.t.Helper()
	c, err := b.connect(b.t.Context(), "tcp", "")
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	_, _ = io.WriteString(c, sent) // the kiosk may have closed it
	return c
}

// endsWithin says how many of the connections the kiosk ends within a time.
func endsWithin(t testing.TB, all []net.Conn, limit time.Duration) (ended int) {
	until := time.Now().Add(limit)
	for _, c := range all {
		// A moment also for the last ones: those that are closed say so at once.
		if err := c.SetReadDeadline(later(until, time.Now().Add(20*time.Millisecond))); err != nil {
			t.Fatal(err)
		}
		_, err := io.Copy(io.Discard, c)
		var late net.Error
		if !errors.As(err, &late) || !late.Timeout() {
			ended++
		}
	}
	return ended
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// Slowloris: connections that begin a request and never end it.
func TestHalfRequests(t *testing.T) {
	t.Parallel()
	const perAddress, phones, each = 16, 40, 50
	k := newKiosk(t, setup{parts: func(p *Parts) { p.Limits.Connections, p.Limits.ConnectionsPerAddress = 4096, perAddress }})
	k.plan()
	k.do(screening.OpenDoors{})
	touch := k.own().socket(touchRole)
	const begun = "GET /vote HTTP/1.1\r\nHost: " + host + "\r\nX-Slow: "

	// One phone with 2,000 connections: only a few of them are kept.
	var one []net.Conn
	for range 2000 {
		one = append(one, k.phone(500).half(begun))
	}
	most := 0
	k.server.crush.mu.Lock()
	for addr, n := range k.server.crush.byAddr {
		if !addr.IsLoopback() {
			most = max(most, n)
		}
	}
	k.server.crush.mu.Unlock()
	if most <= perAddress || most > 4*perAddress { // some may have been ended already
		t.Errorf("%d connections of one phone are open, of 2,000; %d may be", most, 4*perAddress)
	}
	// Many phones together.
	var many []net.Conn
	for i := range phones * each {
		many = append(many, k.phone(1+i%phones).half(begun))
	}
	begin := time.Now()
	// Others are served meanwhile, and do not wait for the end of it.
	for n := range 20 {
		asked := time.Now()
		if r := k.phone(600 + n).get("/vote"); r.StatusCode != http.StatusOK {
			t.Errorf("beside half requests /vote gives %s", r.Status)
		}
		touch.must("countAttendee", map[string]any{"category": "woman"})
		if took := time.Since(asked); took > 5*time.Second {
			t.Errorf("beside half requests an honest phone and a press took %v", took)
		}
	}
	many = append(many, one...)
	if ended := endsWithin(t, many, 15*time.Second-time.Since(begin)); ended != len(many) {
		t.Errorf("of %d half requests %d are closed after 15 s", len(many), ended)
	}
	t.Logf("%d half requests were over after %v", len(many), time.Since(begin))
}

func TestBodyThatNeverEnds(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	var open []net.Conn
	for _, path := range []string{"/vote", "/api/sign-in", "/api/pin"} {
		open = append(open, k.phone(1).half("POST "+path+" HTTP/1.1\r\nHost: "+host+"\r\nOrigin: http://"+host+
			"\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nround=1&"))
	}
	if ended := endsWithin(t, open, 15*time.Second); ended != len(open) {
		t.Errorf("%d of %d unfinished bodies are still waited for after 15 s", len(open)-ended, len(open))
	}
}

func TestBombs(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{parts: withFiles(t, make([]byte, 100_000))})
	raw := func(b *browser, request string) int {
		t.Helper()
		c := b.half(request)
		if err := c.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return 0 // it was cut off
		}
		r.Body.Close()
		return r.StatusCode
	}
	const end = " HTTP/1.1\r\nHost: " + host + "\r\n"
	var deflated bytes.Buffer
	z := gzip.NewWriter(&deflated)
	if _, err := z.Write(make([]byte, 5<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	phone := k.phone(1)
	for name, test := range map[string]struct {
		request string
		want    []int // 0: cut off without an answer
	}{
		"a long URL":      {"GET /vote?" + strings.Repeat("a=b&", 100_000) + end + "\r\n", []int{0, 431}},
		"a long path":     {"GET /" + strings.Repeat("../", 100_000) + end + "\r\n", []int{0, 431}},
		"a long header":   {"GET /vote" + end + "X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", []int{0, 431}},
		"many headers":    {"GET /vote" + end + strings.Repeat("X: y\r\n", 20_000) + "\r\n", []int{0, 431}},
		"a long cookie":   {"GET /vote" + end + "Cookie: mimpi_voter=" + strings.Repeat("c", 12_000) + "\r\n\r\n", []int{200}},
		"many cookies":    {"GET /api/sign-in" + end + "Cookie: " + strings.Repeat("mimpi_session=x; ", 700) + "\r\n\r\n", []int{200}},
		"two hosts":       {"GET /vote" + end + "Host: evil.example\r\n\r\n", []int{400}},
		"no host":         {"GET /vote HTTP/1.1\r\n\r\n", []int{400}},
		"smuggled":        {"POST /vote" + end + "Transfer-Encoding: chunked, identity\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", []int{400, 501}},
		"a large body":    {"POST /api/sign-in" + end + "Content-Length: 1000000000\r\n\r\n" + strings.Repeat("1", 100_000), []int{0, 400}},
		"a large form":    {"POST /vote" + end + "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000000\r\n\r\n" + strings.Repeat("a=b&", 250_000), []int{0, 400}},
		"a zipped bomb":   {"POST /api/sign-in" + end + fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n", deflated.Len()) + deflated.String(), []int{0, 400}},
		"an absolute URL": {"GET http://evil.example/vote HTTP/1.1\r\nHost: " + host + "\r\n\r\n", []int{421}},
	} {
		if got := raw(phone, test.request); !slices.Contains(test.want, got) {
			t.Errorf("%s gives %d, want one of %v", name, got, test.want)
		}
	}
	// Thousands of overlapping ranges do not give more than the file has.
	r := k.own().request("GET", "/film", "", http.Header{"Range": {"bytes=0-" + strings.Repeat(",0-", 3000)}})
	if len(r.body) > 200_000 {
		t.Errorf("many ranges of a film of 100 kB give %d bytes", len(r.body))
	}
	if r := k.phone(2).get("/vote"); r.StatusCode != http.StatusOK {
		t.Errorf("after all that /vote gives %s", r.Status)
	}
}

// wire is a masked websocket frame as a client sends it, with the mask 0, and with a
// length that need not be true.
func wire(first byte, length uint64, payload []byte) []byte {
	out := []byte{first, 0x80 | 127}
	out = binary.BigEndian.AppendUint64(out, length)
	return append(append(out, 0, 0, 0, 0), payload...)
}

func TestRawFrames(t *testing.T) {
	t.Parallel()
	const fin, text, cont, ping = 0x80, 1, 0, 9
	k := newKiosk(t, setup{})
	k.plan()
	pieces := func(n, size int) []byte {
		out := wire(text, uint64(size), bytes.Repeat([]byte(" "), size))
		for range n {
			out = append(out, wire(cont, uint64(size), bytes.Repeat([]byte(" "), size))...)
		}
		return out
	}
	bad := []byte("{\"id\":\"a\",\"do\":\"ping\",\"x\":\"\xff\"}")
	for name, test := range map[string]struct {
		sent []byte
		code int // of the close frame; 0: none is asked for
	}{
		"a frame of 4 exabytes":     {wire(fin|text, 1<<62, []byte("{")), websocket.CloseMessageTooBig},
		"a length below zero":       {wire(fin|text, 1<<63, []byte("{")), 0},
		"in pieces without an end":  {pieces(100, 1000), websocket.CloseMessageTooBig},
		"in a million small pieces": {pieces(20_000, 1), websocket.CloseMessageTooBig},
		"no UTF-8 within":           {wire(fin|text, uint64(len(bad)), bad), websocket.CloseInvalidFramePayloadData},
		"not masked":                {[]byte{fin | text, 2, '{', '}'}, websocket.CloseProtocolError},
		"compressed":                {wire(fin|0x40|text, 2, []byte("{}")), websocket.CloseProtocolError},
		"an odd opcode":             {wire(fin|5, 2, []byte("{}")), websocket.CloseProtocolError},
		"a large ping":              {wire(fin|ping, 126, make([]byte, 126)), websocket.CloseProtocolError},
		"a ping in pieces":          {wire(ping, 2, []byte("{}")), websocket.CloseProtocolError},
		"a piece of nothing":        {wire(fin|cont, 2, []byte("{}")), websocket.CloseProtocolError},
	} {
		s := k.own().socket(touchRole)
		s.read()
		_, _ = s.ws.NetConn().Write(test.sent) // the kiosk may end it in the middle
		err := s.ended()
		var closed *websocket.CloseError
		if test.code != 0 && errors.As(err, &closed) && closed.Code != test.code && closed.Code != websocket.CloseAbnormalClosure {
			t.Errorf("%s is closed by %v, want %d", name, err, test.code)
		}
	}
	dialer := websocket.Dialer{NetDialContext: k.own().connect, EnableCompression: true}
	ws, answer, err := dialer.DialContext(t.Context(), "ws://"+k.addr+"/ws?role=touch", http.Header{"Origin": {"http://" + k.addr}})
	if err != nil {
		t.Fatal(err)
	}
	ws.Close()
	if got := answer.Header.Get("Sec-WebSocket-Extensions"); got != "" {
		t.Errorf("compression is agreed to (%s): a message could then be larger than it looks", got)
	}
	k.own().socket(touchRole).must("ping", nil)
}

func TestPingFlood(t *testing.T) {
	t.Parallel()
	const burst, perSecond = 20, 10
	k := newKiosk(t, setup{parts: func(p *Parts) { p.Limits.MessagesBurst, p.Limits.MessagesPerSecond = burst, perSecond }})
	k.plan()
	bystander := k.own().socket(touchRole)
	for name, kind := range map[string]int{"pings": websocket.PingMessage, "pongs": websocket.PongMessage} {
		s := k.voter(map[string]int{"pings": 1, "pongs": 2}[name])
		s.read()
		pongs := 0
		s.ws.SetPongHandler(func(string) error { pongs++; return nil })
		done := make(chan struct{})
		go func() {
			defer close(done)
			until := time.Now().Add(2 * time.Second)
			for time.Now().Before(until) && s.ws.WriteControl(kind, make([]byte, 125), until) == nil {
			}
		}()
		begin := time.Now()
		bystander.must("ping", nil)
		if took := time.Since(begin); took > 5*time.Second {
			t.Errorf("beside a flood of %s an answer took %v", name, took)
		}
		if err := s.ws.SetReadDeadline(time.Now().Add(2500 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		for {
			if _, _, err := s.ws.ReadMessage(); err != nil {
				break
			}
		}
		<-done
		if most := burst + 3*perSecond + 5; pongs > most {
			t.Errorf("a flood of %s was answered %d times in 2.5 s, at most %d are its turn", name, pongs, most)
		}
	}
}

// One phone that clears its cookies, with a script and with many sockets.
func TestBallotStuffing(t *testing.T) {
	t.Parallel()
	const perAddress = 5
	k := newKiosk(t, setup{parts: func(p *Parts) { p.Limits.ConnectionsPerAddress = perAddress }})
	k.ask("age", screening.PollBefore)
	f := k.own().signIn().socket(facilitatorRole)
	honest := k.voter(1)
	honest.must("castBallot", ballot("age", 1, "a15"))

	// A new browser each time: without the cookies of the one before it.
	voters, turned := 0, 0
	for range 100 {
		b := k.phone(2)
		switch r := b.get("/vote"); r.StatusCode {
		case http.StatusOK:
			voters++
			b.postForm("/vote", map[string][]string{"screening": {"s-plan"}, "question": {"age"}, "round": {"1"}, "choice": {"a18"}})
		case http.StatusTooManyRequests:
			turned++
		default:
			t.Fatalf("/vote gives %s", r.Status)
		}
	}
	if voters < perAddress || voters > perAddress+2 || voters+turned != 100 { // one more each 10 s
		t.Errorf("one phone was %d voters, and %d times turned away", voters, turned)
	}
	// Made-up cookies are nobody's.
	for _, cookie := range []string{"mimpi_voter=abc", "mimpi_voter=" + strings.Repeat("QUJD", 40), "mimpi_session=" + strings.Repeat("QUJD", 40)} {
		_, answer, err := k.phone(2).upgrade(voteRole, http.Header{"Cookie": {cookie}})
		if err == nil || answer == nil || answer.StatusCode != http.StatusForbidden {
			t.Errorf("a socket with %s: %v, %v", cookie, answer, err)
		}
	}
	// Many sockets of one token, all at once, are one ballot.
	many := k.phone(3)
	many.get("/vote")
	var sockets []*socket
	for range perAddress {
		sockets = append(sockets, many.socket(voteRole))
	}
	var group sync.WaitGroup
	for i, s := range sockets {
		group.Go(func() {
			for n := range 10 {
				_ = s.ws.WriteJSON(map[string]any{ // the answers are not read
					"id": fmt.Sprintf("%d-%d", i, n), "do": "castBallot", "screening": "s-plan", "question": "age", "round": 1,
					"choices": []string{[]string{"a15", "a18", "a21"}[(i+n)%3]},
				})
			}
		})
	}
	group.Wait()
	honest.must("ping", nil)
	if ws, answer, err := many.upgrade(voteRole, nil); err == nil || answer == nil || answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a socket more than one phone may have: %v %v", ws, err)
	}
	want := 1 + voters + 1
	seen := f.until(func(p packet) bool { return p.View.Current != nil && p.View.Current.Ballots == want })
	if n := k.round("age").Ballots; n != want {
		t.Errorf("there are %d ballots, want %d", n, want)
	}
	// The facilitator sees it.
	if c := seen.View.Current; c.OneAddress != voters || c.ByChannel[screening.ByPhone] != want {
		f.until(func(p packet) bool {
			return p.View.Current.OneAddress == voters && p.View.Current.ByChannel[screening.ByPhone] == want
		})
	}
	for _, raw := range honest.raw {
		if strings.Contains(raw, "oneAddress") || strings.Contains(raw, "byChannel") {
			t.Errorf("the audience is told %s", raw)
		}
	}

	// For a vote that matters: the touch screen only.
	f.must("allowPhones", map[string]any{"allow": false})
	honest.until(func(p packet) bool { return p.View.Question != nil && p.View.Question.NoPhones })
	honest.refused("castBallot", ballot("age", 1, "a21"), "phones_may_not")
	b := k.phone(4)
	if page := b.get("/vote"); strings.Contains(string(page.body), `name="choice"`) {
		t.Errorf("the form still offers answers: %s", page.body)
	}
	r := b.postForm("/vote", map[string][]string{"screening": {"s-plan"}, "question": {"age"}, "round": {"1"}, "choice": {"a18"}})
	if r.StatusCode != http.StatusConflict {
		t.Errorf("the form's ballot gives %s", r.Status)
	}
	k.own().socket(touchRole).must("castBallot", ballot("age", 1, "a18"))
	if n := k.round("age").Ballots; n != want+1 {
		t.Errorf("there are %d ballots, want those before and that of the touch screen, %d", n, want+1)
	}
	f.must("closeQuestion", map[string]any{"question": "age"})
	f.must("openQuestion", map[string]any{"question": "age", "newRound": true})
	honest.refused("castBallot", ballot("age", 2, "a21"), "phones_may_not")
	f.must("allowPhones", map[string]any{"allow": true})
	honest.must("castBallot", ballot("age", 2, "a21"))
}
