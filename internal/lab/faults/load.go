package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/visit"
)

// settings let a few visitors make the load of many.
const settings = `
[touch]
thank_you_pause = "100ms"
[limits]
messages_per_second = 1000
message_burst = 1000
max_connections_per_address = 1000
`

// hall is one kiosk and its people, through all lives of its daemon.
type hall struct {
	dir, data string
	listen    string   // 127.0.0.1:PORT, the same in all lives
	env       []string // of the daemon, besides our own
	history   oracle.History
	seats     []*seat
	lead      *seat // the facilitator's, who leads the evening; one of the seats

	mu     sync.Mutex
	stands place  // as it was acknowledged
	moving *place // asked for, and not answered yet
}

// place is where an evening stands.
type place struct{ screening, step string }

// seat is somebody with a screen: one goroutine at a time.
type seat struct {
	hall    *hall
	name    string
	role    string
	visitor *visit.Visitor
	random  *rand.Rand
	next    func(*seat) *command // nil: nothing to do now
	pace    time.Duration        // on average between two commands
	open    []*command           // that have no answer yet; sent again before anything else
	sent    int
	cast    map[string][2]int // of a phone, by question and round: its option acknowledged last, and sent last
	done    int               // of the touch screen in a short life: commands answered
}

// command is one that is sent under one id until it is answered.
type command struct {
	id     string
	fields map[string]any
	judged bool            // the oracle is told of it
	after  func(err error) // the answer has come, or cannot come any more; may be nil
}

// newHall makes a folder with the people of one kiosk: a facilitator who leads, one who
// corrects counts, two touch screens, the keyboard of the projector, phones, and phones
// without JavaScript.
func newHall(dir string, seed uint64) (*hall, error) {
	h := &hall{dir: dir, data: filepath.Join(dir, "data")}
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(h.data, 0o755)); err != nil {
		return nil, err
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h.listen = free.Addr().String()
	if err := free.Close(); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "kiosk.toml"), []byte(settings), 0o644); err != nil {
		return nil, err
	}
	add := func(name, role string, pace time.Duration, next func(*seat) *command) {
		s := &seat{hall: h, name: name, role: role, pace: pace, next: next, random: rand.New(rand.NewPCG(seed, uint64(len(h.seats))))}
		h.seats = append(h.seats, s)
	}
	add("lead", "facilitator", 15*time.Millisecond, leads)
	add("corrector", "facilitator", 10*time.Millisecond, corrects)
	for i := range 2 {
		add(fmt.Sprint("touch", i), "touch", 4*time.Millisecond, touches)
	}
	add("keys", "stage", 4*time.Millisecond, pressesKeys)
	for i := range 4 {
		add(fmt.Sprint("phone", i), "vote", 8*time.Millisecond, votes)
	}
	add("form", "", 25*time.Millisecond, nil)
	h.lead = h.seats[0]
	for _, s := range h.seats {
		if s.visitor, err = h.visitor(); err != nil {
			return nil, err
		}
	}
	return h, nil
}

// visitor is somebody new.
func (h *hall) visitor() (*visit.Visitor, error) {
	return (&visit.Process{Base: "http://" + h.listen}).Visitor()
}

// daemon is the command that starts the kiosk.
func (h *hall) daemon(ctx context.Context) (*exec.Cmd, error) {
	log, err := os.OpenFile(filepath.Join(h.dir, "daemon.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { log.Close() })
	cmd := exec.CommandContext(ctx, visit.Daemon, "run", "--demo", "--data", h.data, "--listen", h.listen, "--config", filepath.Join(h.dir, "kiosk.toml"))
	cmd.Env = append(os.Environ(), h.env...)
	cmd.Stderr = log
	return cmd, nil
}

// begin starts the daemon until it answers, healthy or not.
func (h *hall) begin(ctx context.Context) (*visit.Process, error) {
	cmd, err := h.daemon(ctx)
	if err != nil {
		return nil, err
	}
	p, err := visit.Begin(cmd)
	if err != nil {
		return nil, err
	}
	return p, p.Await(func(int) bool { return true })
}

// enter makes the facilitators known to a new kiosk, and begins its first screening.
func (h *hall) enter() error {
	if err := h.lead.visitor.SetPIN(); err != nil {
		return err
	}
	for _, s := range h.seats {
		if s.role == "facilitator" && s != h.lead {
			if err := s.visitor.SignIn(); err != nil {
				return err
			}
		}
	}
	if err := h.lead.visitor.Connect("facilitator"); err != nil {
		return err
	}
	return h.plan()
}

// plan ends the screening and begins another, with open doors. The lead is connected.
func (h *hall) plan() error {
	lead := h.lead
	if h.stands.screening != "" {
		if err := lead.visitor.Do(lead.id(), map[string]any{"do": "moveTo", "step": "ended"}); err != nil {
			return err
		}
	}
	if err := lead.visitor.Plan(lead.id(), "Balai "+lead.id()); err != nil {
		return err
	}
	if err := lead.visitor.Do(lead.id(), map[string]any{"do": "moveTo", "step": "doors"}); err != nil {
		return err
	}
	v, err := lead.look()
	if err != nil {
		return err
	}
	h.stands, h.moving = place{v.Screening.ID, "doors"}, nil
	return nil
}

func (s *seat) id() string {
	s.sent++
	return fmt.Sprintf("%s-%d", s.name, s.sent)
}

// seen is what the seats look at in a view.
type seen struct {
	Screening  struct{ ID string }
	Step       string
	Question   *inView // of a phone and the touch screen
	Current    *inView // the same, of the facilitator
	Attendance struct{ Total int }
	Health     []struct {
		Part, Level   string
		Message, Hint map[string]string
	}
	Playback struct{ Playing bool }
}

type inView struct {
	ID, Phase string
	Round     int
	Options   []struct{ ID string }
}

func (s *seat) view() (v seen) {
	_ = json.Unmarshal(s.visitor.Seen, &v) // nothing seen yet is no view
	if s.role == "facilitator" {
		v.Question = v.Current
	}
	return v
}

// look asks the kiosk anew for its view.
func (s *seat) look() (seen, error) {
	if s.visitor.WS != nil {
		_ = s.visitor.WS.Close()
	}
	if err := s.visitor.Connect(s.role); err != nil {
		return seen{}, err
	}
	err := s.visitor.WaitFor(func(m visit.Message) bool { return m.Type == "view" })
	return s.view(), err
}

// found compares where the evening stands after a start with what was acknowledged before.
func (h *hall) found() error {
	v, err := h.lead.look()
	if err != nil {
		return fmt.Errorf("the facilitator after a start: %w", err)
	}
	now := place{v.Screening.ID, v.Step}
	h.mu.Lock()
	defer h.mu.Unlock()
	if now != h.stands && (h.moving == nil || now != *h.moving) {
		return fmt.Errorf("after a start the evening stands at %v; acknowledged was %v, asked for %v", now, h.stands, h.moving)
	}
	h.stands, h.moving = now, nil
	return nil
}

// live has everybody at work until ctx ends or the daemon does.
func (h *hall) live(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, s := range h.seats {
		all.Go(func() { s.work(ctx) })
	}
}

// stay is live, but everybody comes back when the daemon does.
func (h *hall) stay(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, s := range h.seats {
		all.Go(func() {
			for ctx.Err() == nil {
				s.work(ctx)
				pause(ctx, 50*time.Millisecond)
			}
		})
	}
}

func (s *seat) work(ctx context.Context) {
	if s.name == "form" {
		s.fillForms(ctx)
	} else {
		s.sit(ctx)
	}
}

// sit works until ctx ends or the daemon is gone.
func (s *seat) sit(ctx context.Context) {
	if s.role == "vote" && s.visitor.Get("/vote") != nil || s.visitor.Connect(s.role) != nil {
		return
	}
	defer s.visitor.WS.Close()
	for ctx.Err() == nil {
		if err := s.act(); err != nil {
			return
		}
		pause(ctx, time.Duration(float64(s.pace)*s.random.ExpFloat64()))
	}
}

// act sends one command; an error says that the connection is gone.
func (s *seat) act() error {
	if len(s.open) == 0 {
		c := s.next(s)
		if c == nil {
			return s.visitor.Do(s.id(), map[string]any{"do": "ping"})
		}
		c.id = s.id()
		s.open = append(s.open, c)
	}
	c := s.open[0]
	if c.judged {
		if c.fields["screening"] == nil { // as pages do: sent again on another evening it is not of that
			c.fields["screening"] = s.view().Screening.ID
		}
		s.hall.history.Invoke(c.id)
	}
	err := s.visitor.Do(c.id, c.fields)
	var no *visit.Refused
	switch {
	case err == nil:
		if c.judged {
			s.hall.history.Acknowledge(c.id)
		}
	case !errors.As(err, &no):
		// Nobody knows. Most send it again, some walk away.
		if !c.judged || s.role != "vote" && s.random.IntN(5) == 0 {
			s.open = s.open[1:]
		}
		return err
	case no.Reason == "busy":
		return nil
	default:
		if c.judged {
			s.hall.history.Refuse(c.id, no.Reason)
		}
		if no.Reason == "not_saved" && c.judged && s.random.IntN(2) == 0 {
			return nil // again
		}
	}
	s.open = s.open[1:]
	if c.after != nil {
		c.after(err)
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func judged(do string, fields map[string]any) *command {
	fields["do"] = do
	return &command{fields: fields, judged: true}
}

var groups = []string{"woman", "man", "girl", "boy"}

func any1[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

func touches(s *seat) *command {
	switch n := s.random.IntN(10); {
	case n < 7:
		return judged("countAttendee", map[string]any{"category": any1(s.random, groups)})
	case n < 8:
		return judged("undoCount", map[string]any{"category": ""})
	}
	return s.ballot()
}

func pressesKeys(s *seat) *command {
	return judged("pressKey", map[string]any{"key": any1(s.random, []string{"1", "2", "3", "4", "1", "2", "3", "4", "0"})})
}

func corrects(s *seat) *command {
	if s.random.IntN(2) == 0 {
		return judged("correctAttendance", map[string]any{"category": any1(s.random, groups), "delta": s.random.IntN(5)*2 - 3, "reason": "counted again"})
	}
	return judged("countAttendee", map[string]any{"category": any1(s.random, groups)})
}

// votes casts a ballot that differs from the phone's last one, which the same answer once
// more would not, and leave no event.
func votes(s *seat) *command {
	c := s.ballot()
	if c == nil {
		return nil
	}
	q := s.view().Question
	key := fmt.Sprint(c.fields["screening"], q.ID, q.Round)
	if s.cast == nil {
		s.cast = map[string][2]int{}
	}
	was, ok := s.cast[key]
	if !ok {
		was = [2]int{-1, -1}
	}
	n := s.random.IntN(len(q.Options))
	for n == was[0] || n == was[1] {
		n = (n + 1) % len(q.Options)
	}
	s.cast[key] = [2]int{was[0], n}
	c.fields["choices"] = []string{q.Options[n].ID}
	c.after = func(err error) {
		if err == nil {
			s.cast[key] = [2]int{n, n}
		}
	}
	return c
}

// ballot answers the question that the seat sees, open or (seldom) not any more.
func (s *seat) ballot() *command {
	v := s.view()
	q := v.Question
	if q == nil || len(q.Options) < 3 || q.Phase != "open" && s.random.IntN(20) > 0 {
		return nil
	}
	c := judged("castBallot", map[string]any{"question": q.ID, "round": q.Round, "choices": []string{any1(s.random, q.Options).ID}})
	c.fields["screening"] = v.Screening.ID
	return c
}

// leads goes through the evening in any order.
func leads(s *seat) *command {
	v := s.view()
	act := func(do, key string, value any) *command {
		return &command{fields: map[string]any{"do": do, key: value}}
	}
	asking := slices.Contains([]string{"poll_before", "film", "discussion"}, v.Step)
	switch n := s.random.IntN(100); {
	case n < 25 && v.Question != nil && v.Question.Phase == "open":
		return act("closeQuestion", "question", v.Question.ID)
	case n < 60 && asking && (v.Question == nil || v.Question.Phase != "open"):
		c := act("openQuestion", "question", any1(s.random, []string{"k1", "k2", "k3", "k4", "k5"}))
		c.fields["newRound"] = s.random.IntN(2) == 0
		return c
	case n < 72:
		return s.move(any1(s.random, []string{"doors", "poll_before", "poll_before", "film", "discussion", "closing"}))
	case n < 85:
		return act("openDoors", "", "")
	case n < 92 && v.Step == "film":
		return act(any1(s.random, []string{"playFilm", "pauseFilm"}), "", "")
	}
	return nil
}

// move goes to a step, and remembers that it is under way.
func (s *seat) move(step string) *command {
	h := s.hall
	h.mu.Lock()
	defer h.mu.Unlock()
	to := place{h.stands.screening, step}
	h.moving = &to
	return &command{fields: map[string]any{"do": "moveTo", "step": step}, after: func(err error) {
		h.mu.Lock()
		defer h.mu.Unlock()
		if err == nil {
			h.stands = to
		}
		h.moving = nil
	}}
}

// fillForms votes as phones without JavaScript do, each ballot as a phone of its own.
func (s *seat) fillForms(ctx context.Context) {
	watch, err := s.hall.visitor()
	if err != nil || watch.Get("/vote") != nil || watch.Connect("vote") != nil {
		return
	}
	defer watch.WS.Close()
	for ctx.Err() == nil {
		if watch.Do(s.id(), map[string]any{"do": "ping"}) != nil {
			return
		}
		s.visitor.Seen = watch.Seen
		if c := s.ballot(); c != nil && s.view().Question.Phase == "open" {
			if err := s.post(c); err != nil {
				return
			}
		}
		pause(ctx, time.Duration(float64(s.pace)*s.random.ExpFloat64()))
	}
}

// post sends a ballot by the form; an error says that the daemon is gone.
func (s *seat) post(c *command) error {
	phone, err := s.hall.visitor()
	if err != nil {
		return err
	}
	if err := phone.Get("/vote"); err != nil {
		return err
	}
	phone.HTTP.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	form := url.Values{
		"screening": {fmt.Sprint(c.fields["screening"])}, "question": {fmt.Sprint(c.fields["question"])},
		"round": {fmt.Sprint(c.fields["round"])}, "choice": c.fields["choices"].([]string),
	}
	request, err := http.NewRequest(http.MethodPost, s.visitor.Base+"/vote", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", s.visitor.Base)
	r, err := phone.HTTP.Do(request)
	if err != nil {
		s.hall.history.Form(false)
		return err
	}
	r.Body.Close()
	switch {
	case r.StatusCode == http.StatusSeeOther && strings.Contains(r.Header.Get("Location"), "said=done"):
		s.hall.history.Form(true)
	case r.StatusCode == http.StatusConflict: // refused, or busy
		s.hall.history.Form(false)
	default:
		return fmt.Errorf("the form: %s", r.Status)
	}
	return nil
}
