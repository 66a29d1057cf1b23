package main

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/gorilla/websocket"

	"mimpi-kiosk/internal/lab/visit"
)

// bareServer names the folder for the plain baseline, a program of its own: the same
// libraries, a database and a websocket that gets every message that is posted.
const bareServer = "BENCH_BARE_SERVER"

// startBare starts it.
func startBare(ctx context.Context, dir string) (*visit.Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), bareServer+"="+dir)
	return visit.Start(cmd)
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
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 2048, CheckOrigin: func(*http.Request) bool { return true }}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := db.ExecContext(r.Context(), `INSERT OR REPLACE INTO rows VALUES (1, 'x')`); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) {
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
		data := make([]byte, r.ContentLength)
		if _, err := r.Body.Read(data); err != nil && r.ContentLength > 0 && data[0] == 0 {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, ws := range sockets {
			if err := ws.WriteMessage(websocket.TextMessage, data); err != nil {
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
