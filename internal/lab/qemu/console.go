package qemu

import (
	"context"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"sync"
)

// A Console is a serial port of the guest, seen from outside: what the guest prints is
// read all the time and kept until Expect takes it.
type Console struct {
	file *os.File
	log  io.Writer // may be nil

	mu    sync.Mutex
	text  string        // printed and not yet taken
	ended bool          // nothing more will come
	news  chan struct{} // closed and replaced at each change of text or ended
}

func newConsole(file *os.File) *Console {
	return &Console{file: file, news: make(chan struct{})}
}

// What terminals get besides text: colours, cursor movements, window titles, and the
// carriage returns before newlines.
var controls = regexp.MustCompile(`\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()][0-9A-B]|\x1b[=>78cM]|[\r\x00]`)

func (c *Console) read() {
	buffer := make([]byte, 16<<10)
	for {
		n, err := c.file.Read(buffer)
		if n > 0 && c.log != nil {
			c.log.Write(buffer[:n])
		}
		c.mu.Lock()
		c.text = controls.ReplaceAllString(c.text+string(buffer[:n]), "")
		c.ended = err != nil
		close(c.news)
		c.news = make(chan struct{})
		c.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// Expect waits until the guest has printed something that pattern matches, takes it and
// everything before it, and returns the match and its groups. Escape sequences and
// carriage returns are removed first. A pattern is tried on unfinished lines too (a
// prompt is one), so let one that must see a whole line end in `\n`.
//
// When ctx or the guest ends first, the error quotes the last lines that came instead.
func (c *Console) Expect(ctx context.Context, pattern string) ([]string, error) {
	want, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	for {
		c.mu.Lock()
		text, ended, news := c.text, c.ended, c.news
		if at := want.FindStringSubmatchIndex(text); at != nil {
			c.text = text[at[1]:]
			c.mu.Unlock()
			return want.FindStringSubmatch(text), nil
		}
		c.mu.Unlock()
		if ended {
			return nil, fmt.Errorf("qemu: the console ended before it printed %q; its last lines:\n%s", pattern, lastLines(text))
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, fmt.Errorf("qemu: the console has not printed %q: %w; its last lines:\n%s", pattern, ctx.Err(), lastLines(text))
		}
	}
}

// Send types text, as it is (end it in "\n" for a line).
func (c *Console) Send(text string) error {
	if _, err := io.WriteString(c.file, text); err != nil {
		return fmt.Errorf("qemu: typing on the console: %w", err)
	}
	return nil
}

func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-12):], "\n")
}
