package web

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
	"golang.org/x/time/rate"

	"mimpi-kiosk/internal/screening"
)

const (
	writeWait   = 10 * time.Second // a screen that takes longer for one message is dropped
	pongWait    = 60 * time.Second // a screen that is silent longer is gone
	pingEvery   = 25 * time.Second
	commitWait  = 15 * time.Second // how long a command may wait for the disk
	byeWait     = time.Second      // what a screen that does not read gets at the end
	unreadBytes = 64 << 10         // what waits in the kernel for a slow screen
	answersHeld = 32               // answers that may wait for a slow screen
)

// screen is one websocket. Its reader goroutine decodes and sends commands one at a
// time; its writer goroutine alone writes. The newest view waits in a one-slot
// mailbox: a slow screen skips views and holds nobody up.
type screen struct {
	server  *Server
	role    role
	request *http.Request
	voter   string // token of a phone
	ws      *websocket.Conn

	news    chan struct{}
	answers chan []byte
	gone    chan struct{} // closed when the reader has ended

	mu      sync.Mutex
	mineKey asked // what mine belongs to
	mineOf  string
	mine    *mineView
}

func (c *screen) wake() {
	select {
	case c.news <- struct{}{}:
	default:
	}
}

// serveSocket upgrades /ws?role=ROLE for a screen that may have that role. The screen then
// runs by itself until ctx ends: while this function ran, net/http would keep what it needed
// for the request, which is more than the screen needs.
func (s *Server) serveSocket(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	as := role(r.URL.Query().Get("role"))
	switch {
	case !slices.Contains(roles, as):
		http.Error(w, "role must be stage, touch, facilitator or vote", http.StatusBadRequest)
		return
	case !s.mayBe(r, as):
		http.Error(w, "this role needs the kiosk's own screen or the PIN", http.StatusForbidden)
		return
	}
	c := &screen{
		server: s, role: as, request: r.WithContext(ctx),
		news: make(chan struct{}, 1), answers: make(chan []byte, answersHeld), gone: make(chan struct{}),
	}
	if as == voteRole {
		token, ok := s.keeper.VoterOf(r)
		if !ok {
			http.Error(w, "open /vote first: it gives this phone its token", http.StatusForbidden)
			return
		}
		c.voter = token
	}
	// Before the upgrade, while the HTTP server still waits for this request when it ends.
	s.sockets.Add(1)
	defer s.sockets.Done()
	leave, no := s.door.enter(r)
	if no != nil {
		http.Error(w, no.Error(), http.StatusServiceUnavailable)
		return
	}
	ws, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		leave()
		return // Upgrade has answered
	}
	c.ws = ws
	if tcp, ok := ws.NetConn().(*net.TCPConn); ok {
		// What the kernel holds for a phone that does not read; else it would be megabytes.
		_ = tcp.SetWriteBuffer(unreadBytes)
	}
	s.sockets.Go(func() {
		defer leave()
		defer func() { // as net/http does: one screen must not end the film of all
			if err := recover(); err != nil {
				s.log.Error("screen", "role", as, "panic", err, "stack", string(debug.Stack()))
			}
		}()
		c.serve(ctx)
	})
}

// serve runs the screen until either side ends; ctx ends with the server.
func (c *screen) serve(ctx context.Context) {
	server := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		time.AfterFunc(byeWait, func() { _ = c.ws.Close() }) // a writer that waits for a slow screen ends
	})()
	var writer sync.WaitGroup
	writer.Go(func() {
		defer cancel()
		c.write(ctx)
		_ = c.ws.Close() // wakes the reader; there is nobody left to tell of an error
	})
	c.server.hub.add(c)
	defer func() {
		if left := c.server.show.PageLeft; c.server.hub.remove(c) && left != nil {
			left(server)
		}
		c.server.checkup.leave(c)
		close(c.gone)
		cancel()
		writer.Wait()
	}()
	c.read(ctx)
}

func (c *screen) read(ctx context.Context) {
	limits := c.server.limits
	c.ws.SetReadLimit(int64(limits.MessageBytes))
	_ = c.ws.SetReadDeadline(time.Now().Add(pongWait)) // fails on a closed socket only: Read says so
	pace := rate.NewLimiter(rate.Limit(limits.MessagesPerSecond), limits.MessagesBurst)
	// Pings and pongs wait their turn like messages: a flood of them stays in the network.
	pong := c.ws.PingHandler()
	c.ws.SetPingHandler(func(data string) error {
		if err := pace.Wait(ctx); err != nil {
			return err
		}
		return pong(data)
	})
	c.ws.SetPongHandler(func(string) error {
		if err := pace.Wait(ctx); err != nil {
			return err
		}
		return c.ws.SetReadDeadline(time.Now().Add(pongWait))
	})
	for {
		kind, data, err := c.ws.ReadMessage()
		if err != nil || kind != websocket.TextMessage {
			return
		}
		_ = c.ws.SetReadDeadline(time.Now().Add(pongWait))
		if !utf8.Valid(data) {
			c.bye(websocket.CloseInvalidFramePayloadData)
			return
		}
		if pace.Wait(ctx) != nil { // a screen in a hurry waits; TCP holds it back
			return
		}
		m, err := decodeMessage(data)
		if err != nil {
			c.server.log.Warn("message", "role", c.role, "error", err)
			return // a broken or hostile screen; a sound one connects again
		}
		if !c.answer(m.ID, c.handle(ctx, m)) {
			return
		}
	}
}

// bye says why the screen is let go of; the socket may be beyond hearing it.
func (c *screen) bye(code int) {
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(byeWait))
}

// handle does what a message asks and gives its outcome.
func (c *screen) handle(ctx context.Context, m message) error {
	ctx, cancel := context.WithTimeout(ctx, commitWait)
	defer cancel()
	s := c.server
	if c.role != voteRole && !s.mayBe(c.request, c.role) {
		return errSignedOut
	}
	switch m.Do {
	case "ping":
		return nil
	case "pressKey":
		if c.role == voteRole {
			return errNotForYou
		}
		var press struct{ Key string }
		if err := json.Unmarshal(m.fields, &press); err != nil {
			return errNotForYou
		}
		return s.show.PressKey(ctx, m.ID, m.Screening, press.Key)
	case "copyToStick", "logToStick", "takePack", "backToPack", "takeShippedPack":
		return c.handleStick(ctx, m)
	case "checkBox":
		return c.checkBox(m)
	case "reportPlayer":
		if c.role != stageRole {
			return errNotForYou
		}
		report, err := decodeReport(m)
		if err != nil {
			return errNotForYou
		}
		if s.hub.leading(c) {
			s.show.ReportPlayer(ctx, report)
		}
		return nil
	}
	cmd, err := decodeCommand(m, c.role)
	if err != nil {
		s.log.Warn("command", "role", c.role, "error", err)
		return errNotForYou
	}
	if c.role == voteRole {
		return c.castBallot(ctx, m, cmd)
	}
	return s.room.Do(ctx, screening.Envelope{
		ID: m.ID, From: sourceOf[c.role], Screening: m.Screening, Command: s.complete(cmd),
	})
}

// castBallot sends a phone's ballot, and keeps what then counts for the phone.
func (c *screen) castBallot(ctx context.Context, m message, cmd screening.Command) error {
	ballot, ok := cmd.(screening.CastBallot)
	if !ok {
		return errNotForYou
	}
	mine, err := c.server.castBallot(c.request.WithContext(ctx), m.ID, c.voter, m.Screening, ballot)
	if err != nil {
		return err
	}
	f := c.server.hub.frame(voteRole)
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.voter == m.Screening && f.asked.question == ballot.Question && f.asked.round == ballot.Round {
		c.mineKey, c.mineOf, c.mine = f.asked, f.voter, mine
	}
	return nil
}

// castBallot casts the ballot of a phone and gives the one that counts for it then (an
// older one sent again does not). A phone must say for which screening it votes: its
// voter's key is made of that, and without it would be another voter's.
func (s *Server) castBallot(r *http.Request, id, token, screeningID string, b screening.CastBallot) (*mineView, error) {
	if screeningID == "" {
		return nil, errNotForYou
	}
	b = s.phoneBallot(token, screeningID, b)
	counts := make(chan *mineView, 1) // the request may end before the Room gets to it
	err := s.room.DoThenRead(r.Context(), screening.Envelope{
		ID: id, From: screening.FromPhone, Screening: screeningID, Command: b,
	}, func(st *screening.State) { counts <- mineIn(st, screeningID, b.Question, b.Voter) })
	if err != nil {
		return nil, err
	}
	if s.sources.note(r, ballotRound{screeningID, b.Question, b.Round}, b.Voter) {
		s.hub.signal()
	}
	return <-counts, nil
}

// phoneBallot fills in what a phone must not say of itself.
func (s *Server) phoneBallot(token, screeningID string, b screening.CastBallot) screening.CastBallot {
	b.Channel, b.Voter = screening.ByPhone, s.keeper.Key(token, screeningID, b.Question, b.Round)
	return b
}

// phonesVoted says whether any phone has a ballot in the newest round of a question.
func phonesVoted(st *screening.State, question string) bool {
	q := st.Question(question)
	return q != nil && len(q.Rounds) > 0 && q.Rounds[len(q.Rounds)-1].ByChannel[screening.ByPhone] > 0
}

// mineIn looks a phone's ballot up in the state of the Room.
func mineIn(st *screening.State, screeningID, question, key string) *mineView {
	n, choices, ok := st.Standing(question, key)
	if !ok || st.Screening.ID != screeningID {
		return nil
	}
	return &mineView{Question: question, Round: n, Choices: choices}
}

var sourceOf = map[role]screening.Source{
	touchRole: screening.FromTouch, facilitatorRole: screening.FromFacilitator,
}

// complete fills in what a touch screen or the facilitator must not say of itself.
func (s *Server) complete(cmd screening.Command) screening.Command {
	switch cmd := cmd.(type) {
	case screening.CastBallot:
		cmd.Channel, cmd.Voter = screening.ByTouch, ""
		return cmd
	case screening.PlanScreening:
		cmd.Screening, cmd.Programme = s.show.NewID(), s.show.Programme
		return cmd
	}
	return cmd
}

// answer queues the outcome of a message. It is false when the screen must go.
func (c *screen) answer(id string, err error) bool {
	var out any
	if err == nil {
		type done struct {
			Type string    `json:"type"`
			ID   string    `json:"id"`
			Mine *mineView `json:"mine,omitempty"`
		}
		c.mu.Lock()
		out = done{Type: "done", ID: id, Mine: c.mine}
		c.mu.Unlock()
	} else {
		var no *refusal
		if !errors.As(err, &no) {
			no = c.server.refusalOf(err)
		}
		out = struct {
			Type string `json:"type"`
			ID   string `json:"id"`
			*refusal
		}{"refused", id, no}
	}
	data, merr := json.Marshal(out)
	if merr != nil {
		c.server.log.Error("answer", "error", merr)
		return false
	}
	select {
	case c.answers <- data:
		return true
	default: // it asks and does not listen
		return false
	}
}

func (c *screen) write(ctx context.Context) {
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	soon := func() { _ = c.ws.SetWriteDeadline(time.Now().Add(writeWait)) } // fails on a closed socket only: the write says so
	send := func(kind int, data []byte) bool {
		soon()
		return c.ws.WriteMessage(kind, data) == nil
	}
	for {
		select {
		case data := <-c.answers: // before a view: the person waits for it
			if !send(websocket.TextMessage, data) {
				return
			}
			continue
		default:
		}
		select {
		case <-ctx.Done():
			send(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseGoingAway, ""))
			return
		case <-c.gone:
			return
		case data := <-c.answers:
			if !send(websocket.TextMessage, data) {
				return
			}
		case <-c.news:
			m, err := c.viewMessage()
			if err != nil {
				c.server.log.Error("view", "error", err)
				return
			}
			soon()
			if c.ws.WritePreparedMessage(m) != nil {
				return
			}
		case <-ping.C:
			if !send(websocket.PingMessage, nil) {
				return
			}
		}
	}
}

// viewMessage is the newest view of the role with what is this screen's own.
func (c *screen) viewMessage() (*websocket.PreparedMessage, error) {
	f := c.server.hub.frame(c.role)
	own, err := c.own(f)
	if err != nil {
		return nil, err
	}
	return f.message(own)
}

// own is what only this screen is told with a view of its role.
func (c *screen) own(f *frame) (string, error) {
	switch c.role {
	case voteRole:
		data, err := json.Marshal(c.mineFor(f))
		return `,"mine":` + string(data), err
	case stageRole:
		return `,"leads":` + strconv.FormatBool(c.server.hub.leading(c)), nil
	}
	return "", nil
}

// mineFor gives the phone's own ballot in the question of a frame. The Room is asked
// only when the question or its round has changed since.
func (c *screen) mineFor(f *frame) *mineView {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.mineKey == f.asked && c.mineOf == f.voter {
		return c.mine
	}
	return c.lookUpMine(f)
}

// lookUpMine needs c.mu, also while it waits for the Room: an answer from before a
// ballot must not be kept over one from after it.
func (c *screen) lookUpMine(f *frame) *mineView {
	if !phonesVoted(c.server.room.Latest(), f.asked.question) {
		// A hall to which a question opens need not ask. One of its ballots may be on its way.
		return nil
	}
	mine, err := c.server.standing(context.Background(), c.voter, f.voter, f.asked.question, f.asked.round)
	if err != nil {
		return nil // the next view asks again
	}
	c.mineKey, c.mineOf, c.mine = f.asked, f.voter, mine
	return mine
}

// standing asks the Room for the ballot that counts for a phone.
func (s *Server) standing(ctx context.Context, token, screeningID, question string, round int) (*mineView, error) {
	if question == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, commitWait)
	defer cancel()
	key := s.keeper.Key(token, screeningID, question, round)
	counts := make(chan *mineView, 1) // ctx may end before the Room gets to it
	err := s.room.Read(ctx, func(st *screening.State) { counts <- mineIn(st, screeningID, question, key) })
	if err != nil {
		return nil, err
	}
	return <-counts, nil
}
