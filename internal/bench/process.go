package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

const daemon = "build/mimpi-kiosk"

// process is a server under measurement.
type process struct {
	cmd   *exec.Cmd
	base  string        // http://127.0.0.1:PORT
	ready time.Duration // from exec until /healthz gave 200
}

// startKiosk starts the real daemon on a data folder.
func startKiosk(ctx context.Context, data string) (*process, error) {
	cmd := exec.CommandContext(ctx, daemon, "run", "--demo", "--data", data, "--listen", "127.0.0.1:0")
	return start(cmd)
}

// startBare starts the baseline.
func startBare(ctx context.Context, dir string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), bareServer+"="+dir)
	return start(cmd)
}

// start waits for the line that names the address, then for /healthz.
func start(cmd *exec.Cmd) (*process, error) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w (make build makes it)", cmd.Path, err)
	}
	p := &process{cmd: cmd}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s ended: %w: %s", cmd.Path, err, complaint.String()), p.stop())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }() // until it ends
	at := strings.TrimSpace(line[strings.Index(line, "http://"):])
	p.base = strings.Replace(at, "localhost", "127.0.0.1", 1)
	for {
		r, err := http.Get(p.base + "/healthz")
		if err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				p.ready = time.Since(begin)
				return p, nil
			}
		}
		if time.Since(begin) > 30*time.Second {
			return nil, errors.Join(fmt.Errorf("%s was not healthy within 30 s: %s", cmd.Path, complaint.String()), p.stop())
		}
		time.Sleep(time.Millisecond)
	}
}

// stop ends the process that start began.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil // ended by our signal
	}
	return err
}

// resident is the memory that the process holds, in MB.
func (p *process) resident() (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, after, ok := strings.Cut(string(data), "VmRSS:")
	if !ok {
		return 0, errors.New("no VmRSS")
	}
	kb, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	return kb / 1024, err
}

// cpu is the processor time that the threads of the process have used.
func (p *process) cpu() (time.Duration, error) { return cpuOf(p.cmd.Process.Pid) }

func cpuOf(pid int) (time.Duration, error) {
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

// visitor is a browser as far as the server can tell.
type visitor struct {
	base string
	http *http.Client
	ws   *websocket.Conn
}

func (p *process) visitor() (*visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	return &visitor{base: p.base, http: &http.Client{Jar: jar, Transport: shared}}, nil
}

// shared keeps connections for all visitors: they are not what is measured.
var shared = &http.Transport{MaxIdleConnsPerHost: 64}

func (v *visitor) get(path string) error {
	r, err := v.http.Get(v.base + path)
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

// setPIN makes the visitor the facilitator of a new kiosk.
func (v *visitor) setPIN() error {
	r, err := v.http.Post(v.base+"/api/pin", "application/json", strings.NewReader(`{"pin":"258014"}`))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusNoContent {
		return fmt.Errorf("set the PIN: %s", r.Status)
	}
	return nil
}

// connect opens the websocket of a role with the visitor's cookies.
func (v *visitor) connect(role string) error {
	u, err := url.Parse(v.base)
	if err != nil {
		return err
	}
	header := http.Header{"Origin": {v.base}}
	for _, c := range v.http.Jar.Cookies(u) {
		header.Add("Cookie", c.String())
	}
	dialer := websocket.Dialer{ReadBufferSize: 4096, WriteBufferSize: 1024}
	ws, r, err := dialer.Dial("ws://"+u.Host+"/ws?role="+role, header)
	if err != nil {
		if r != nil {
			return fmt.Errorf("websocket %s: %s", role, r.Status)
		}
		return err
	}
	v.ws = ws
	return nil
}

// message is what the kiosk sends, as far as it is needed here.
type message struct {
	Type   string          `json:"type"`
	ID     string          `json:"id"`
	Seq    int64           `json:"seq"`
	Reason string          `json:"reason"`
	View   json.RawMessage `json:"view"`
}

func (v *visitor) read() (message, error) {
	if err := v.ws.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return message{}, err
	}
	_, data, err := v.ws.ReadMessage()
	if err != nil {
		return message{}, err
	}
	var m message
	return m, json.Unmarshal(data, &m)
}

// do sends a command and waits for its answer.
func (v *visitor) do(id string, fields map[string]any) error {
	fields["id"] = id
	if err := v.ws.WriteJSON(fields); err != nil {
		return err
	}
	for {
		m, err := v.read()
		if err != nil {
			return fmt.Errorf("%s: %w", fields["do"], err)
		}
		switch {
		case m.ID != id:
		case m.Type == "done":
			return nil
		default:
			return fmt.Errorf("%s was refused: %s", fields["do"], m.Reason)
		}
	}
}
