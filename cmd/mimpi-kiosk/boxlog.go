package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"mimpi-kiosk/internal/health"
)

// boxLog keeps what the box did for those who mend it: starts, changes of its health, and
// warnings. It goes onto a stick on request, so nothing of people is in it: no address of a
// phone, no venue, no count. It is bounded, and never synced: it may lose its last lines.
type boxLog struct {
	mu   sync.Mutex
	path string
}

const (
	boxLogFile = "box.log" // with box.log.old in the data folder
	boxLogMost = 512 << 10 // bytes of each of the two
	lineMost   = 2000      // bytes
	logTime    = "2006-01-02 15:04:05 MST"
	hidden     = "(...)" // in place of an address
)

var addresses = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b|\b[0-9a-fA-F]{0,4}(:[0-9a-fA-F]{0,4}){3,7}\b`)

// Write adds a line of the log; it never fails, for there is nobody to tell.
func (b *boxLog) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if info, err := os.Stat(b.path); err == nil && info.Size() > boxLogMost {
		_ = os.Rename(b.path, b.path+".old") // else it grows until it works
	}
	f, err := os.OpenFile(b.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return len(line), nil
	}
	defer f.Close() // a lost line
	short := bytes.TrimRight(line[:min(len(line), lineMost)], "\n")
	_, _ = f.Write(append(addresses.ReplaceAll(short, []byte(hidden)), '\n'))
	return len(line), nil
}

func (b *boxLog) note(format string, args ...any) {
	fmt.Fprintf(b, time.Now().Format(logTime)+" "+format+"\n", args...)
}

// read gives both files.
func (b *boxLog) read() ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []byte
	for _, path := range []string{b.path + ".old", b.path} {
		data, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return out, err
		}
		out = append(out, data...)
	}
	return out, nil
}

// twice is a log of which warnings go to the box's own log too.
type twice struct{ all, warnings slog.Handler }

func newLog(b *boxLog) *slog.Logger {
	return slog.New(twice{
		slog.NewTextHandler(os.Stderr, nil),
		slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelWarn}),
	})
}

func (t twice) Enabled(ctx context.Context, l slog.Level) bool { return t.all.Enabled(ctx, l) }

func (t twice) Handle(ctx context.Context, r slog.Record) error {
	if t.warnings.Enabled(ctx, r.Level) {
		_ = t.warnings.Handle(ctx, r) // boxLog never fails
	}
	return t.all.Handle(ctx, r)
}

func (t twice) WithAttrs(a []slog.Attr) slog.Handler {
	return twice{t.all.WithAttrs(a), t.warnings.WithAttrs(a)}
}

func (t twice) WithGroup(name string) slog.Handler {
	return twice{t.all.WithGroup(name), t.warnings.WithGroup(name)}
}

// keepHealth writes each change of the box's health into its log, until ctx ends.
func (k *kiosk) keepHealth(ctx context.Context) error {
	k.own.note("start: mimpi-kiosk %s, %s, boot %s", version, k.id, k.clock.Read().Boot)
	levels := map[string]health.Level{}
	news, stop := k.board.Follow()
	defer stop()
	for {
		for _, p := range k.board.Parts() {
			if was, known := levels[p.Part]; p.Level != was && (known || p.Level != health.OK) {
				k.own.note("health: %s is %s: %s", p.Part, p.Level, p.Message["en"])
			}
			levels[p.Part] = p.Level
		}
		select {
		case <-ctx.Done():
			k.own.note("stop")
			return nil
		case <-news:
		}
	}
}

// boxReport is what goes onto the stick.
func (k *kiosk) boxReport() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "Mimpi Kiosk %s, %s, %s\r\n\r\nKondisi sekarang / health now:\r\n", version, k.id, time.Now().Format(logTime))
	for _, p := range k.board.Parts() {
		fmt.Fprintf(&out, "  %-8s %s: %s / %s\r\n", p.Level, p.Part, p.Message["id"], p.Message["en"])
	}
	out.WriteString("\r\nCatatan / log:\r\n")
	text, err := k.own.read()
	out.Write(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))) // Notepad
	if err != nil {
		fmt.Fprintf(&out, "%v\r\n", err)
	}
	return addresses.ReplaceAll(out.Bytes(), []byte(hidden))
}

func openBoxLog(data string) *boxLog { return &boxLog{path: filepath.Join(data, boxLogFile)} }
