package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mimpi-kiosk/internal/lab/visit"
)

const (
	fanRuns     = 7
	joinAt      = 16 // joining at once: a crowd at the door is not what is measured
	stallRounds = 3
	stallFill   = 75 // states until a phone that does not read holds its writer up
	stallPace   = 110 * time.Millisecond
	stallStates = 10 // measured then, before the daemon lets go of it
	voteFor     = 5 * time.Second
)

// hall is a kiosk with a facilitator and phones, in the discussion.
type hall struct {
	kiosk       *visit.Process
	facilitator *visit.Visitor
	phones      []*visit.Visitor
	evening     string
	commands    int
}

// gather brings n phones in.
func gather(kiosk *visit.Process, n int) (*hall, error) {
	facilitator, err := screens(kiosk)
	if err != nil {
		return nil, err
	}
	h := &hall{kiosk: kiosk, facilitator: facilitator}
	if err := facilitator.Plan("plan", "crowd"); err != nil {
		return nil, err
	}
	if err := h.do("moveTo", "step", "discussion"); err != nil {
		return nil, err
	}
	if h.phones, err = join(kiosk, n, "vote"); err != nil {
		return nil, err
	}
	h.evening, err = screeningOf(h.phones[0])
	return h, err
}

// do gives a command of the facilitator, with its fields in pairs.
func (h *hall) do(command string, fields ...any) error {
	h.commands++
	all := map[string]any{"do": command}
	for i := 0; i < len(fields); i += 2 {
		all[fields[i].(string)] = fields[i+1]
	}
	return h.facilitator.Do(fmt.Sprint("facilitator-", h.commands), all)
}

// join brings n phones in and reads their first view.
func join(p *visit.Process, n int, role string) ([]*visit.Visitor, error) {
	all := make([]*visit.Visitor, n)
	err := together(joinAt, func(k int) error {
		for i := k; i < n; i += joinAt {
			v, err := p.Visitor()
			if err != nil {
				return err
			}
			if role == "vote" {
				if err := v.Get("/vote"); err != nil {
					return err
				}
			}
			if err := v.Connect(role); err != nil {
				return err
			}
			switch role {
			case "vote":
				_, err = v.Read()
			case byCentrifugo:
				err = subscribe(v)
			}
			if err != nil {
				return err
			}
			all[i] = v
		}
		return nil
	})
	return all, err
}

// screeningOf gives the id of the screening that gather has planned, once the phone sees it.
func screeningOf(v *visit.Visitor) (string, error) {
	if err := errors.Join(v.WS.Close(), v.Connect("vote")); err != nil {
		return "", err
	}
	var view struct{ Screening struct{ ID string } }
	if err := v.WaitFor(func(m visit.Message) bool { return bytes.Contains(m.View, []byte(`"venue":"crowd"`)) }); err != nil {
		return "", err
	}
	err := json.Unmarshal(v.Seen, &view)
	return view.Screening.ID, err
}

// await reads the sockets of all phones until each has had that phase.
func (h *hall) await(phase string) error {
	return together(len(h.phones), func(i int) error {
		return h.phones[i].WaitFor(func(m visit.Message) bool {
			return m.Type == "view" && bytes.Contains(m.View, []byte(`"phase":"`+phase+`"`))
		})
	})
}

// tap lets all phones vote at once, in several questions one after the other, the round-th
// time that each is asked.
func (h *hall) tap(round int) (taps []time.Duration, err error) {
	for _, question := range []string{"k1", "k2", "k3", "k4", "k5"} {
		if err := h.do("openQuestion", "question", question, "newRound", round > 1); err != nil {
			return nil, err
		}
		if err := h.await("open"); err != nil {
			return nil, err
		}
		each := make([]time.Duration, len(h.phones))
		err := together(len(h.phones), func(i int) error {
			begin := time.Now()
			err := h.phones[i].Do(fmt.Sprint("tap-", question, "-", round, "-", i), map[string]any{
				"do": "castBallot", "screening": h.evening, "question": question, "round": round, "choices": []string{},
			})
			each[i] = time.Since(begin)
			return err
		})
		if err != nil {
			return nil, err
		}
		taps = append(taps, each...)
		if err := h.do("closeQuestion", "question", question); err != nil {
			return nil, err
		}
		if err := h.await("closed"); err != nil {
			return nil, err
		}
	}
	return taps, nil
}

// fanOut measures how one state reaches many.
func fanOut(ctx context.Context, dir string) (_ []row, err error) {
	kiosk, err := startKiosk(ctx, filepath.Join(dir, "kiosk"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, kiosk.Stop()) }()
	bare, err := startBare(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.Stop()) }()
	centrifugo, err := startCentrifugo(ctx)
	if err != nil {
		return nil, err
	}
	peers := []*peer{
		{name: "bare loop of one prepared message, gorilla", role: byGorilla, server: bare, path: "/tell?role=" + byGorilla, body: "%s"},
		{name: "bare loop of one prepared message, gobwas", role: byGobwas, server: bare, path: "/tell?role=" + byGobwas, body: "%s"},
	}
	if centrifugo != nil {
		defer func() { err = errors.Join(err, centrifugo.Stop()) }()
		peers = append(peers, &peer{name: "Centrifugo", role: byCentrifugo, server: centrifugo, path: "/api/publish", body: `{"channel":"states","data":%s}`})
	}
	h, err := gather(kiosk, voters)
	if err != nil {
		return nil, err
	}
	rows, err := h.coalesced()
	if err != nil {
		return nil, err
	}
	stalled, err := h.stalled()
	if err != nil {
		return nil, err
	}
	rows = append(rows, stalled)
	for _, n := range []int{1000, 2000} {
		more, err := join(kiosk, n-len(h.phones), "vote")
		if err != nil {
			return nil, err
		}
		h.phones = append(h.phones, more...)
		for _, p := range peers {
			more, err := join(p.server, n-len(p.phones), p.role)
			if err != nil {
				return nil, err
			}
			p.phones = append(p.phones, more...)
		}
		told, err := h.tellAll(peers)
		if err != nil {
			return nil, err
		}
		rows = append(rows, told...)
	}
	if centrifugo == nil {
		rows = append(rows, row{job: "a new state, beside Centrifugo", plain: "there is no centrifugo on this machine's PATH"})
	}
	return rows, nil
}

// peer is a server that sends what is posted to it to all its phones.
type peer struct {
	name, role string
	server     *visit.Process
	path, body string // what to post, around the state
	phones     []*visit.Visitor
	last       []time.Duration
}

func (p *peer) tell(state string) error {
	r, err := http.Post(p.server.Base+p.path, "application/json", strings.NewReader(fmt.Sprintf(p.body, state)))
	if err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", p.name, r.Status)
	}
	return errors.Join(err, r.Body.Close())
}

// tellAll reveals results, and has the peers send as much, in turns.
func (h *hall) tellAll(peers []*peer) ([]row, error) {
	var last, saved []time.Duration
	for _, p := range peers {
		p.last = nil
	}
	size := 0
	for range fanRuns {
		took, n, committed, err := h.reveal(h.phones)
		if err != nil {
			return nil, err
		}
		last, saved, size = append(last, slices.Max(took)), append(saved, committed), n
		state := fmt.Sprintf(`{%s,"x":"%s"}`, marks[0], strings.Repeat("x", size-len(marks[0])-9))
		for _, p := range peers {
			took, _, err := told(p.phones, marks[:1], func() error { return p.tell(state) })
			if err != nil {
				return nil, err
			}
			p.last = append(p.last, slices.Max(took))
		}
	}
	var rows []row
	for _, p := range peers {
		aim := ""
		if p.role == byGobwas && len(h.phones) == 1000 {
			aim = "<= 1.25"
		}
		rows = append(rows, row{
			fmt.Sprintf("a new state until the last of %d phones has it", len(h.phones)),
			ms(median(last)), ms(median(p.last)) + ", " + p.name, times(float64(median(last)) / float64(median(p.last))), aim,
			fmt.Sprintf("%d bytes to each; ours from the facilitator's press, who has the answer after %s: commit, then the views of four roles are made, and each phone's own answer looked up", size, ms(median(saved))),
		})
	}
	return rows, nil
}

// marks are in a view of a result, besides the question.
var marks = []string{`"phase":"revealed"`, `"question":{"id":"`}

// reveal shows the result of another question to the phones. took is how long it was until
// each had it, committed until the facilitator had the answer.
func (h *hall) reveal(phones []*visit.Visitor) (took []time.Duration, size int, committed time.Duration, err error) {
	question := []string{"k1", "k2"}[h.commands%2]
	took, size, err = told(phones, []string{marks[0], marks[1] + question + `"`}, func() error {
		begin := time.Now()
		err := h.do("revealQuestion", "question", question)
		committed = time.Since(begin)
		return err
	})
	return took, size, committed, err
}

// told has all read before something is told to them, and gives how long it was until each
// had a message with those marks in it, and how long that was.
func told(all []*visit.Visitor, marks []string, tell func() error) (took []time.Duration, size int, err error) {
	at, sizes := make([]time.Time, len(all)), make([]int, len(all))
	read := make(chan error, 1)
	go func() {
		read <- together(len(all), func(i int) error {
			if err := all[i].WS.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
				return err
			}
			for {
				_, data, err := all[i].WS.ReadMessage()
				if err != nil {
					return err
				}
				if !slices.ContainsFunc(marks, func(mark string) bool { return !bytes.Contains(data, []byte(mark)) }) {
					at[i], sizes[i] = time.Now(), len(data)
					return nil
				}
			}
		})
	}()
	time.Sleep(200 * time.Millisecond) // they wait, and the hub has rested
	begin := time.Now()
	err = tell()
	if err := errors.Join(err, <-read); err != nil {
		return nil, 0, err
	}
	for _, t := range at {
		took = append(took, t.Sub(begin))
	}
	return took, sizes[0], nil
}

// stalled compares how long states take to all phones with and without one more phone that
// does not read, in turns.
func (h *hall) stalled() (row, error) {
	if err := errors.Join(
		h.do("closeQuestion", "question", "k2"),
		h.do("openQuestion", "question", "k1", "newRound", false), h.do("closeQuestion", "question", "k1"),
	); err != nil {
		return row{}, err
	}
	var calm, beside []time.Duration
	for range stallRounds {
		for _, s := range []struct {
			into  *[]time.Duration
			stall bool
		}{{&calm, false}, {&beside, true}} {
			one, err := h.oneMore(s.stall)
			if err != nil {
				return row{}, err
			}
			for range stallStates {
				took, _, _, err := h.reveal(h.phones)
				if err != nil {
					return row{}, err
				}
				*s.into = append(*s.into, took...)
			}
			if s.stall {
				err = h.wasDeaf(one)
			}
			if err := errors.Join(err, one.WS.Close()); err != nil {
				return row{}, err
			}
		}
	}
	with, without := quantile(beside, 0.99), quantile(calm, 0.99)
	return row{
		fmt.Sprintf("a new state to %d phones while one more does not read, p99", len(h.phones)),
		ms(with), ms(without) + ", while it reads", times(float64(with) / float64(without)), "< 1.1",
		fmt.Sprintf("%d states each, in turns; the writer of that phone was held up: the kiosk held it, and it missed states", stallRounds*stallStates),
	}, nil
}

// oneMore connects a phone that reads or does not, and sends states until one that does not is full.
func (h *hall) oneMore(stall bool) (*visit.Visitor, error) {
	v, err := h.kiosk.Visitor()
	if err != nil {
		return nil, err
	}
	if err := v.Get("/vote"); err != nil {
		return nil, err
	}
	if err := v.Connect("vote"); err != nil {
		return nil, err
	}
	if tcp, ok := v.WS.NetConn().(*net.TCPConn); ok && stall {
		if err := tcp.SetReadBuffer(4096); err != nil {
			return nil, err
		}
	}
	if !stall {
		go drain(v)
	}
	for i := range stallFill {
		if err := h.do("revealQuestion", "question", []string{"k1", "k2"}[i%2]); err != nil {
			return nil, err
		}
		time.Sleep(stallPace)
	}
	// What the others have not read yet ends with a question that is open.
	if err := h.do("openQuestion", "question", "k3", "newRound", false); err != nil {
		return nil, err
	}
	if err := h.await("open"); err != nil {
		return nil, err
	}
	return v, h.do("closeQuestion", "question", "k3")
}

// wasDeaf says whether the kiosk has held that phone to the end, and could not send it all.
func (h *hall) wasDeaf(v *visit.Visitor) error {
	r, err := http.Get(h.kiosk.Base + "/metrics")
	if err != nil {
		return err
	}
	metrics, err := io.ReadAll(r.Body)
	if err := errors.Join(err, r.Body.Close()); err != nil {
		return err
	}
	all := len(h.phones) + 2 // the one that screens opens, and this one
	if !bytes.Contains(metrics, fmt.Appendf(nil, "{role=\"vote\"} %d\n", all)) {
		return errors.New("the phone that did not read was let go of before the end")
	}
	if err := v.WS.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	for states := 0; ; states++ {
		if _, _, err := v.WS.ReadMessage(); err != nil {
			if states >= stallFill+stallStates {
				return fmt.Errorf("the phone that did not read was never held up: it got all %d states", states)
			}
			return nil
		}
	}
}

// coalesced counts the states that a screen gets while all phones vote over and over.
func (h *hall) coalesced() (rows []row, err error) {
	if err := h.do("openQuestion", "question", "k2", "newRound", false); err != nil {
		return nil, err
	}
	if err := h.await("open"); err != nil {
		return nil, err
	}
	watchers := map[string]*visit.Visitor{}
	for _, role := range []string{"touch", "facilitator", "vote"} {
		v := *h.facilitator // the same cookies
		if role == "vote" {
			v = *h.phones[0]
		}
		if err := v.Connect(role); err != nil {
			return nil, err
		}
		watchers[role] = &v
	}
	seen := map[string][]time.Time{}
	type states struct {
		role string
		at   []time.Time
	}
	counted := make(chan states)
	end := time.Now().Add(voteFor)
	for role, v := range watchers {
		go func() {
			s := states{role: role}
			_ = v.WS.SetReadDeadline(end) // fails on a closed socket only: the read says so
			for {
				_, data, err := v.WS.ReadMessage()
				if err != nil {
					break // the time is over; if it was not, there are too few states
				}
				if bytes.HasPrefix(data, []byte(`{"type":"view"`)) {
					s.at = append(s.at, time.Now())
				}
			}
			counted <- s
		}()
	}
	votes := make([]int, len(h.phones))
	err = together(len(h.phones), func(i int) error {
		for time.Now().Before(end) {
			votes[i]++
			if err := h.phones[i].Do(fmt.Sprint("again-", i, "-", votes[i]), map[string]any{
				"do": "castBallot", "screening": h.evening, "question": "k2", "round": 1, "choices": choices(votes[i]),
			}); err != nil {
				return err
			}
		}
		return nil
	})
	for range watchers {
		s := <-counted
		seen[s.role] = s.at
		err = errors.Join(err, watchers[s.role].WS.Close())
	}
	if err != nil {
		return nil, err
	}
	sum := 0
	for _, n := range votes {
		sum += n
	}
	for _, role := range []string{"touch", "facilitator", "vote"} {
		at := seen[role]
		most := 0
		for i := range at {
			n := i
			for n < len(at) && at[n].Sub(at[i]) < time.Second {
				n++
			}
			most = max(most, n-i)
		}
		rows = append(rows, row{
			fmt.Sprintf("states that one socket gets while %d phones vote, %s", len(h.phones), role),
			fmt.Sprintf("%.1f/s, at most %d in any second", float64(len(at))/voteFor.Seconds(), most),
			fmt.Sprintf("%.0f ballots/s", float64(sum)/voteFor.Seconds()), "", "<= 10 in a second", "",
		})
	}
	return rows, nil
}

// choices alternate, so that each ballot changes something.
func choices(n int) []string {
	if n%2 == 0 {
		return []string{}
	}
	return []string{"work-visa"}
}
