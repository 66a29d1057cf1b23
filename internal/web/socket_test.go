package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"mimpi-kiosk/internal/screening"
)

// heavy makes the facilitator's view, and only that, larger than what a connection
// holds unread.
func heavy(p *Parts) {
	p.Show.Programme.Regencies = append(p.Show.Programme.Regencies, screening.Regency{ID: "long", Name: strings.Repeat("panjang ", 30_000)})
}

// deaf opens a socket that never reads.
func (b *browser) deaf(as role) *websocket.Conn {
	b.t.Helper()
	ws, _, err := b.upgrade(as, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { ws.Close() })
	return ws
}

func TestSlowReaderHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{buffer: 4096, parts: heavy})
	k.plan()
	k.do(screening.MoveTo{Step: screening.Doors})
	own := k.own().signIn()
	own.deaf(facilitatorRole)
	chatty := own.deaf(facilitatorRole)
	touch := k.own().socket(touchRole)
	sockets := func() int { return k.server.hub.counts()[facilitatorRole] }
	eventually(t, "both are connected", func() bool { return sockets() == 2 })

	// It asks and asks and never hears an answer: it goes as soon as too many wait.
	for i := range 3 * answersHeld {
		if chatty.WriteJSON(map[string]any{"id": fmt.Sprint(i), "do": "ping"}) != nil {
			break // the kiosk has ended it
		}
	}
	eventually(t, "the one that asks is gone", func() bool { return sockets() == 1 })

	// The silent one goes when a message to it takes too long. Until then nobody notices.
	begin, longest, n := time.Now(), time.Duration(0), 0
	for sockets() == 1 && time.Since(begin) < writeWait+patience {
		n++
		sent := time.Now()
		touch.must("countAttendee", map[string]any{"category": "woman"})
		touch.until(func(p packet) bool { return p.View.Total == n })
		longest = max(longest, time.Since(sent))
	}
	if sockets() != 0 {
		t.Error("a screen that never reads is still connected")
	}
	if n < 10 || longest > 5*time.Second {
		t.Errorf("beside it there were %d presses, the slowest took %v until it was seen", n, longest)
	}
	t.Logf("%d presses, the slowest was seen after %v; the slow screen went after %v", n, longest, time.Since(begin))
}

func TestScreenThatPanicsEndsAlone(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{parts: func(p *Parts) {
		p.Show.PressKey = func(context.Context, string, string, string) error { panic("a mistake of ours") }
	}})
	other, broken := k.own().socket(touchRole), k.own().deaf(touchRole)
	sockets := func() int { return k.server.hub.counts()[touchRole] }
	eventually(t, "both are connected", func() bool { return sockets() == 2 })
	if err := broken.WriteJSON(map[string]any{"id": "press-1", "do": "pressKey", "key": "1"}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the one that panicked is gone", func() bool { return sockets() == 1 })
	other.must("ping", nil)
}

func TestTooManyConnections(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{parts: func(p *Parts) { p.Limits.Connections, p.Limits.ConnectionsPerAddress = 5, 2 }})
	refused := func(b *browser, as role, why string) {
		t.Helper()
		ws, answer, err := b.upgrade(as, nil)
		if err == nil {
			ws.Close()
		}
		if answer == nil || answer.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s: %v, %v", why, answer, err)
		}
	}
	one, two := k.phone(1), k.phone(2)
	one.get("/vote")
	two.get("/vote")
	first := one.socket(voteRole)
	one.socket(voteRole)
	refused(one, voteRole, "a third one from one address")
	two.socket(voteRole)
	own := k.own()
	own.socket(stageRole)
	own.socket(touchRole)
	refused(own, stageRole, "a sixth one in all")
	refused(two, voteRole, "a sixth one in all, from a phone")

	first.ws.Close()
	eventually(t, "the one that left has made room", func() bool {
		ws, _, err := own.upgrade(stageRole, nil)
		if err == nil {
			t.Cleanup(func() { ws.Close() })
		}
		return err == nil // the third from the kiosk's own address, which is not held to two
	})
	refused(two, voteRole, "it is full again")
	// Somebody who may not connect does not take a place away either.
	for range 10 {
		if _, answer, _ := k.phone(3).upgrade(facilitatorRole, nil); answer == nil || answer.StatusCode != http.StatusForbidden {
			t.Errorf("a facilitator without the PIN gets %v", answer)
		}
	}
}

func TestWrongFramesEndTheConnection(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.plan()
	bystander := k.own().socket(touchRole)
	message := func(id string, size int) []byte {
		data, err := json.Marshal(map[string]any{"id": id, "do": "ping", "padding": ""})
		if err != nil {
			t.Fatal(err)
		}
		return []byte(strings.Replace(string(data), `"padding":""`, `"padding":"`+strings.Repeat("x", size-len(data))+`"`, 1))
	}
	for name, frame := range map[string]struct {
		kind int
		data []byte
	}{
		"one byte too many": {websocket.TextMessage, message("a", 8193)},
		"a megabyte":        {websocket.TextMessage, message("a", 1<<20)},
		"binary":            {websocket.BinaryMessage, []byte(`{"id":"a","do":"ping"}`)},
		"no JSON":           {websocket.TextMessage, []byte(`{"id":"a","do":"ping"`)},
		"no object":         {websocket.TextMessage, []byte(`["id"]`)},
		"nothing":           {websocket.TextMessage, nil},
		"no id":             {websocket.TextMessage, []byte(`{"do":"ping"}`)},
		"a long id":         {websocket.TextMessage, []byte(`{"do":"ping","id":"` + strings.Repeat("i", 65) + `"}`)},
		"id is a number":    {websocket.TextMessage, []byte(`{"do":"ping","id":5}`)},
		"two messages":      {websocket.TextMessage, []byte(`{"do":"ping","id":"a"}{"do":"ping","id":"b"}`)},
		"no UTF-8 at all":   {websocket.TextMessage, []byte("\xff\xfe\x00")},
	} {
		s := k.own().socket(touchRole)
		s.read()
		_ = s.ws.WriteMessage(frame.kind, frame.data) // the kiosk may end it meanwhile
		s.ended()
		if name == "one byte too many" {
			again := k.own().socket(touchRole)
			if err := again.ws.WriteMessage(websocket.TextMessage, message("just", 8192)); err != nil {
				t.Fatal(err)
			}
			if p := again.answer("just"); p.Type != "done" {
				t.Errorf("a message of just the allowed size is answered by %s", p.raw)
			}
		}
	}
	bystander.must("ping", nil)
	eventually(t, "they are gone", func() bool { return k.server.hub.counts()[touchRole] <= 2 })

	// Fields of a wrong kind are only that message's fault.
	f := k.own().signIn().socket(facilitatorRole)
	f.refused("moveTo", map[string]any{"step": 5}, "not_for_this_screen")
	f.refused("setClock", map[string]any{"now": "yesterday"}, "not_for_this_screen")
	f.refused("countRow", map[string]any{"row": "A", "counts": []int{1}}, "not_for_this_screen")
	f.refused("correctAttendance", map[string]any{"category": "woman", "delta": 1e99, "reason": "abc"}, "not_for_this_screen")
	f.refused("pressKey", map[string]any{"key": []int{1}}, "not_for_this_screen")
	f.must("ping", nil)
}

func TestCommandsTooFastWait(t *testing.T) {
	t.Parallel()
	const burst, perSecond, sent = 5, 20, 29
	k := newKiosk(t, setup{parts: func(p *Parts) { p.Limits.MessagesBurst, p.Limits.MessagesPerSecond = burst, perSecond }})
	k.plan()
	k.do(screening.OpenDoors{})
	touch := k.own().socket(touchRole)
	touch.read()
	begin := time.Now()
	var ids []string
	for range sent {
		ids = append(ids, touch.send("countAttendee", map[string]any{"category": "woman"}))
	}
	for _, id := range ids { // in order, each of them
		if p := touch.answer(id); p.Type != "done" {
			t.Fatalf("answered by %s", p.raw)
		}
	}
	if took := time.Since(begin); took < (sent-burst)*time.Second/perSecond-100*time.Millisecond {
		t.Errorf("%d commands took %v only", sent, took)
	}
	if n := k.room.Latest().Attendance.Total(); n != sent {
		t.Errorf("%d were counted, of %d", n, sent)
	}
}

func TestViews(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	touch := k.own().socket(touchRole)
	if p := touch.read(); p.Type != "view" || p.View.Role != touchRole || p.View.Scene != "rest" {
		t.Errorf("the first message is %s", p.raw)
	}
	k.plan()
	k.do(screening.MoveTo{Step: screening.Doors})
	touch.until(func(p packet) bool { return p.View.Scene == "doors" })

	// A storm of changes: few views, in order, and the newest is the last.
	const presses = 200
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range presses {
			k.from(screening.FromKeyboard, screening.CountAttendee{Category: "man"})
		}
	}()
	views, seq := 0, int64(0)
	touch.until(func(p packet) bool {
		views++
		if p.Seq <= seq {
			t.Errorf("view %d comes after view %d", p.Seq, seq)
		}
		seq = p.Seq
		return p.View.Total == presses
	})
	<-done
	if views > presses/2 {
		t.Errorf("%d changes at once gave %d views", presses, views)
	}

	// A facilitator sees who is connected.
	f := k.own().signIn().socket(facilitatorRole)
	f.until(func(p packet) bool { return p.View.Screens[touchRole] == 1 && p.View.Screens[facilitatorRole] == 1 })
	v := k.voter(1)
	f.until(func(p packet) bool { return p.View.Screens[voteRole] == 1 })
	v.ws.Close()
	f.until(func(p packet) bool { return p.View.Screens[voteRole] == 0 })
}

// Many facilitators come and go while everything changes: each message is whole.
func TestViewsAreWhole(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.plan()
	k.do(screening.OpenDoors{})
	own := k.own().signIn()
	first := own.socket(facilitatorRole)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 30 {
			k.from(screening.FromKeyboard, screening.CountAttendee{Category: "man"})
			ws, _, err := own.upgrade(facilitatorRole, nil)
			if err != nil {
				t.Error(err)
				return
			}
			ws.Close()
		}
	}()
	seq := int64(0)
	first.until(func(p packet) bool { // read fails for a message that is no JSON
		if p.Seq < seq || p.View.Role != facilitatorRole {
			t.Errorf("after view %d comes %s", seq, p.raw)
		}
		seq = p.Seq
		return p.View.Attendance.Total == 30
	})
	<-done
}

func TestRunEndsSoon(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	k := newKiosk(t, setup{buffer: 4096, parts: func(p *Parts) {
		heavy(p)
		withFiles(t, make([]byte, 8<<20))(p)
	}})
	k.plan()
	own := k.own().signIn()
	var open []*websocket.Conn
	for i := range 12 {
		open = append(open, own.socket(facilitatorRole).ws, k.voter(1+i).ws, own.socket(stageRole).ws, own.socket(touchRole).ws)
	}
	for range 4 {
		open = append(open, own.deaf(facilitatorRole))
	}
	film, err := own.http.Get(own.base.String() + "/film") // and somebody who does not read the film
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all are connected", func() bool {
		n := 0
		for _, c := range k.server.hub.counts() {
			n += c
		}
		return n == len(open)
	})
	begin := time.Now()
	k.stop()
	if took := time.Since(begin); took > 3*time.Second {
		t.Errorf("with %d sockets the kiosk took %v to end", len(open), took)
	}
	if err := open[1].SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, _, err = open[1].ReadMessage()
	}
	if !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("a phone is told %v, want that the kiosk goes", err)
	}
	film.Body.Close()
	for _, ws := range open {
		ws.Close()
	}
	goleak.VerifyNone(t, ignore)
}
