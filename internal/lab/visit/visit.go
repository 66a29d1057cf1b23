// Package visit starts the daemon, or another server, as a process of its own and comes to
// it as browsers do: with cookies and websockets. It is for the labs and the bench.
//
// A [Visitor] is for one goroutine at a time; different ones are independent.
package visit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

// Daemon is the shipped program, as make build makes it.
const Daemon = "build/mimpi-kiosk"

// Process is a server that runs.
type Process struct {
	Cmd   *exec.Cmd
	Base  string        // http://127.0.0.1:PORT
	Ready time.Duration // from exec until it had what was waited for, Await
	Dial  Dial          // opens every connection to it, and none is kept for the next request; nil: the usual way

	began time.Time
	said  *bytes.Buffer // nil: its standard error was the caller's
}

// Dial opens a connection, as net.Dialer.DialContext does.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Start runs a server until it is healthy.
func Start(cmd *exec.Cmd) (*Process, error) {
	p, err := Begin(cmd)
	if err != nil {
		return nil, err
	}
	if err := p.Await(func(status int) bool { return status == http.StatusOK }); err != nil {
		return nil, errors.Join(err, p.Stop())
	}
	return p, nil
}

// Begin runs a server until it has said its address.
func Begin(cmd *exec.Cmd) (*Process, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p := &Process{Cmd: cmd, began: time.Now()}
	if cmd.Stderr == nil {
		p.said = &bytes.Buffer{}
		cmd.Stderr = p.said
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w (make build makes it)", cmd.Path, err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		err = errors.Join(err, cmd.Wait())
		return nil, fmt.Errorf("%s ended: %w: %s", cmd.Path, err, p.said)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // until it ends
	at := strings.TrimSpace(line[strings.Index(line, "http://"):])
	p.Base = strings.Replace(at, "localhost", "127.0.0.1", 1)
	return p, nil
}

// Await waits until /healthz answers with a status as wanted, for half a minute.
func (p *Process) Await(wanted func(status int) bool) error {
	client := &http.Client{Transport: p.transport()}
	for {
		r, err := client.Get(p.Base + "/healthz")
		if err == nil {
			r.Body.Close()
			if wanted(r.StatusCode) {
				p.Ready = time.Since(p.began)
				return nil
			}
		}
		if time.Since(p.began) > 30*time.Second {
			return fmt.Errorf("%s did not answer as it should within 30 s", p.Cmd.Path)
		}
		time.Sleep(time.Millisecond)
	}
}

// Stop ends the process that Start began.
func (p *Process) Stop() error {
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := p.Cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil // ended by our signal
	}
	return err
}

// Resident is the memory that the process holds, in MB.
func (p *Process) Resident() (float64, error) { return p.memory("VmRSS:") }

// Own is what of Resident no file on the disk could bring back.
func (p *Process) Own() (float64, error) { return p.memory("RssAnon:") }

// Peak is the most memory that the process ever held, in MB.
func (p *Process) Peak() (float64, error) { return p.memory("VmHWM:") }

func (p *Process) memory(line string) (float64, error) {
	kb, err := status(fmt.Sprintf("/proc/%d/status", p.Cmd.Process.Pid), line)
	return float64(kb) / 1024, err
}

// Files is how many files and sockets the process has open.
func (p *Process) Files() (int, error) {
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.Cmd.Process.Pid))
	return len(files), err
}

// status reads one number of a status file of the kernel.
func status(file, line string) (int64, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	_, after, ok := strings.Cut(string(data), "\n"+line)
	if !ok {
		return 0, fmt.Errorf("no %s", line)
	}
	return strconv.ParseInt(strings.Fields(after)[0], 10, 64)
}

// Wakeups is how often the threads of the process that are there now have gone to sleep.
func (p *Process) Wakeups() (int64, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", p.Cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	var sum int64
	for _, file := range files {
		n, err := status(file, "voluntary_ctxt_switches:")
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// CPU is the processor time that the threads of the process have used.
func (p *Process) CPU() (time.Duration, error) { return CPUOf(p.Cmd.Process.Pid) }

func CPUOf(pid int) (time.Duration, error) {
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return 0, err
	}
	var sum time.Duration
	for _, t := range tasks {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/schedstat", pid, t.Name()))
		if err != nil {
			continue // the thread has ended
		}
		ns, err := strconv.ParseInt(strings.Fields(string(data))[0], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += time.Duration(ns)
	}
	return sum, nil
}

// Visitor is a browser as far as the server can tell.
type Visitor struct {
	Base string
	HTTP *http.Client
	WS   *websocket.Conn
	Seen json.RawMessage // the newest view, on whatever socket it came

	dial Dial
}

func (p *Process) Visitor() (*Visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &Visitor{Base: p.Base, HTTP: &http.Client{Jar: jar, Transport: p.transport()}, dial: p.Dial}, nil
}

func (p *Process) transport() *http.Transport {
	if p.Dial == nil {
		return shared
	}
	return &http.Transport{DialContext: p.Dial, DisableKeepAlives: true}
}

// shared keeps connections for all visitors: they are not what is measured.
var shared = &http.Transport{MaxIdleConnsPerHost: 64}

func (v *Visitor) Get(path string) error {
	r, err := v.HTTP.Get(v.Base + path)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return err
	}
	if r.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", path, r.Status)
	}
	return nil
}

// Metrics is what /metrics says, by the name with its labels.
func (v *Visitor) Metrics() (map[string]float64, error) {
	r, err := v.HTTP.Get(v.Base + "/metrics")
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for line := range strings.Lines(string(text)) {
		if line[0] == '#' {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		n, err := strconv.ParseFloat(strings.TrimSpace(line[at+1:]), 64)
		if err != nil || at < 0 {
			return nil, fmt.Errorf("/metrics: %s: %q", r.Status, line)
		}
		all[line[:at]] = n
	}
	return all, nil
}

// PIN of the kiosk that a lab visits.
const PIN = "258014"

// SetPIN makes the visitor the facilitator of a new kiosk.
func (v *Visitor) SetPIN() error { return v.pin("/api/pin") }

// SignIn makes the visitor the facilitator where SetPIN was before.
func (v *Visitor) SignIn() error { return v.pin("/api/sign-in") }

func (v *Visitor) pin(path string) error {
	r, err := v.HTTP.Post(v.Base+path, "application/json", strings.NewReader(`{"pin":"`+PIN+`"}`))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusNoContent {
		return fmt.Errorf("POST %s: %s", path, r.Status)
	}
	return nil
}

// Connect opens the websocket of a role with the visitor's cookies.
func (v *Visitor) Connect(role string) error {
	u, err := url.Parse(v.Base)
	if err != nil {
		return err
	}
	header := http.Header{"Origin": {v.Base}}
	for _, c := range v.HTTP.Jar.Cookies(u) {
		header.Add("Cookie", c.String())
	}
	dialer := websocket.Dialer{ReadBufferSize: 4096, WriteBufferSize: 1024, HandshakeTimeout: 30 * time.Second, NetDialContext: v.dial}
	ws, r, err := dialer.Dial("ws://"+u.Host+"/ws?role="+role, header)
	if err != nil {
		if r != nil {
			return fmt.Errorf("websocket %s: %s", role, r.Status)
		}
		return err
	}
	v.WS = ws
	return nil
}

// Message is what the kiosk sends, as far as it is needed here.
type Message struct {
	Type    string            `json:"type"`
	ID      string            `json:"id"`
	Seq     int64             `json:"seq"`
	Reason  string            `json:"reason"`
	Message map[string]string `json:"message"`
	View    json.RawMessage   `json:"view"`
}

// Refused is a command that the kiosk answered with a no.
type Refused struct {
	Reason  string
	Message map[string]string // by language
}

func (r *Refused) Error() string { return "refused: " + r.Reason }

func (v *Visitor) Read() (Message, error) {
	if err := v.WS.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return Message{}, err
	}
	_, data, err := v.WS.ReadMessage()
	if err != nil {
		return Message{}, err
	}
	var m Message
	err = json.Unmarshal(data, &m)
	if m.Type == "view" {
		v.Seen = m.View
	}
	return m, err
}

// Do sends a command and waits for its answer.
func (v *Visitor) Do(id string, fields map[string]any) error {
	fields["id"] = id
	if err := v.WS.WriteJSON(fields); err != nil {
		return err
	}
	for {
		m, err := v.Read()
		if err != nil {
			return fmt.Errorf("%s: %w", fields["do"], err)
		}
		switch {
		case m.ID != id:
		case m.Type == "done":
			return nil
		default:
			return fmt.Errorf("%s: %w", fields["do"], &Refused{m.Reason, m.Message})
		}
	}
}

// WaitFor reads until a message is as wanted.
func (v *Visitor) WaitFor(is func(Message) bool) error {
	for {
		m, err := v.Read()
		if err != nil {
			return err
		}
		if is(m) {
			return nil
		}
	}
}

// OpenRound waits, as a phone that has just connected, for the question that is open and
// returns the number of its round: a ballot must name it.
func (v *Visitor) OpenRound() (int, error) {
	var view struct {
		Question struct {
			Phase string
			Round int
		}
	}
	err := v.WaitFor(func(msg Message) bool {
		return msg.Type == "view" && json.Unmarshal(msg.View, &view) == nil && view.Question.Phase == "open"
	})
	return view.Question.Round, err
}

// Plan begins a screening.
func (v *Visitor) Plan(id, venue string) error {
	return v.Do(id, map[string]any{"do": "planScreening", "details": map[string]any{
		"regency": "kupang", "venue": venue, "audience": "public", "label": "", "heldAt": time.Now().Format(time.RFC3339),
	}})
}
