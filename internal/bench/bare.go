package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/gobwas/ws"
	"github.com/gorilla/websocket"

	"mimpi-kiosk/internal/lab/visit"
)

// bareServer names the folder for the plain baseline, a program of its own: the same
// libraries, a database and a websocket that gets every message that is posted.
const bareServer = "BENCH_BARE_SERVER"

// The libraries of its websockets, by the role that a visitor asks for; and a server of others.
const (
	byGorilla    = "gorilla"
	byGobwas     = "gobwas"
	byCentrifugo = "centrifugo"
)

// startBare starts it.
func startBare(ctx context.Context, dir string) (*visit.Process, error) {
	cmd, err := another(ctx, bareServer, dir)
	if err != nil {
		return nil, err
	}
	return visit.Start(cmd)
}

// startCentrifugo starts the one on PATH, open to everybody; nil when there is none.
func startCentrifugo(ctx context.Context) (*visit.Process, error) {
	program, err := exec.LookPath("centrifugo")
	if err != nil {
		return nil, nil
	}
	at, err := freeAddress()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(at)
	if err != nil {
		return nil, err
	}
	cmd := sayingWhere(ctx, at, program)
	cmd.Env = append(os.Environ(),
		"CENTRIFUGO_HTTP_SERVER_ADDRESS="+host, "CENTRIFUGO_HTTP_SERVER_PORT="+port,
		"CENTRIFUGO_CLIENT_INSECURE=true", "CENTRIFUGO_HTTP_API_INSECURE=true", "CENTRIFUGO_CLIENT_ALLOWED_ORIGINS=*",
		"CENTRIFUGO_WEBSOCKET_HANDLER_PREFIX=/ws", "CENTRIFUGO_HEALTH_ENABLED=true", "CENTRIFUGO_HEALTH_HANDLER_PREFIX=/healthz",
		"CENTRIFUGO_CLIENT_PING_INTERVAL=20m") // our phones answer none
	return visit.Start(cmd)
}

// subscribe lets a visitor of Centrifugo hear what is published.
func subscribe(v *visit.Visitor) error {
	for i, command := range []string{`{"id":1,"connect":{}}`, `{"id":2,"subscribe":{"channel":"states"}}`} {
		if err := v.WS.WriteMessage(websocket.TextMessage, []byte(command)); err != nil {
			return err
		}
		_, data, err := v.WS.ReadMessage()
		if err != nil {
			return err
		}
		if want := fmt.Sprintf(`{"id":%d,`, i+1); !strings.HasPrefix(string(data), want) || strings.Contains(string(data), `"error"`) {
			return fmt.Errorf("centrifugo answers %s to %s", data, command)
		}
	}
	return nil
}

// freeAddress is one of this machine that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// sayingWhere runs a server that does not say its address, which is said for it.
func sayingWhere(ctx context.Context, at, program string, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "sh", append([]string{"-c", `echo "http://$0"; exec "$@" >&2`, at, program}, args...)...)
}

func serveBare(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "bare.db")+"?_journal_mode=WAL&_synchronous=FULL")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS rows (seq INTEGER PRIMARY KEY, data TEXT)`); err != nil {
		return err
	}
	var mu sync.Mutex
	var sockets []*websocket.Conn
	var conns []net.Conn
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 2048, CheckOrigin: func(*http.Request) bool { return true }}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := db.ExecContext(r.Context(), `INSERT OR REPLACE INTO rows VALUES (1, 'x')`); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /film.mp4", func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, filepath.Join(dir, "film.mp4")) })
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("role") == byGobwas {
			conn, _, _, err := ws.UpgradeHTTP(r, w)
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			_, _ = io.Copy(io.Discard, conn) // until it ends
			return
		}
		ws, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		mu.Lock()
		sockets = append(sockets, ws)
		mu.Unlock()
		for {
			if _, _, err := ws.ReadMessage(); err != nil {
				return
			}
		}
	})
	// The plainest way to tell everybody: one loop over all sockets.
	mux.HandleFunc("POST /tell", func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		message, err := websocket.NewPreparedMessage(websocket.TextMessage, data)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		frame := ws.MustCompileFrame(ws.NewTextFrame(data))
		mu.Lock()
		defer mu.Unlock()
		if r.URL.Query().Get("role") == byGobwas {
			for _, conn := range conns {
				if _, err := conn.Write(frame); err != nil {
					return
				}
			}
			return
		}
		for _, ws := range sockets {
			if err := ws.WritePreparedMessage(message); err != nil {
				return
			}
		}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("Bare: http://%s\n", l.Addr())
	server := &http.Server{Handler: mux}
	go func() {
		<-ctx.Done()
		_ = server.Close() // the end of the baseline
	}()
	if err := server.Serve(l); err != http.ErrServerClosed {
		return err
	}
	return nil
}
