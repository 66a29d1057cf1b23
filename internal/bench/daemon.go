package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"mimpi-kiosk/internal/lab/visit"
	"mimpi-kiosk/internal/screening/journaltest"
	"mimpi-kiosk/internal/sqlite"
)

const (
	startRuns     = 7
	manyEvenings  = 10000
	eveningEvents = 60
	restFor       = 20 * time.Second
)

// startKiosk starts the real daemon on a data folder.
func startKiosk(ctx context.Context, data string) (*visit.Process, error) {
	return visit.Start(exec.CommandContext(ctx, visit.Daemon, "run", "--demo", "--data", data, "--listen", "127.0.0.1:0"))
}

// starts measures from exec to a healthy answer.
func starts(ctx context.Context, dir string) ([]row, error) {
	full := filepath.Join(dir, "full")
	if err := os.Mkdir(full, 0o755); err != nil {
		return nil, err
	}
	n, err := fill(ctx, filepath.Join(full, "journal.db"))
	if err != nil {
		return nil, fmt.Errorf("fill a journal: %w", err)
	}
	var bare, empty, many []time.Duration
	for run := range startRuns {
		fresh := filepath.Join(dir, fmt.Sprint("empty-", run))
		for _, s := range []struct {
			into  *[]time.Duration
			start func() (*visit.Process, error)
		}{
			{&bare, func() (*visit.Process, error) { return startBare(ctx, dir) }},
			{&empty, func() (*visit.Process, error) { return startKiosk(ctx, fresh) }},
			{&many, func() (*visit.Process, error) { return startKiosk(ctx, full) }},
		} {
			p, err := s.start()
			if err != nil {
				return nil, err
			}
			*s.into = append(*s.into, p.Ready)
			if err := p.Stop(); err != nil {
				return nil, err
			}
		}
	}
	plain := ms(median(bare)) + ", bare Go + SQLite + websocket"
	return []row{
		{"start until /healthz, new journal", ms(median(empty)), plain, times(float64(median(empty)) / float64(median(bare))), "< 100 ms", "libraries; a commit in the answer"},
		{fmt.Sprintf("start until /healthz, %d screenings (%d events)", manyEvenings, n), ms(median(many)), plain, times(float64(median(many)) / float64(median(bare))), "< 100 ms", "libraries; a commit in the answer"},
	}, nil
}

// fill writes many evenings into a journal and gives the number of its events.
func fill(ctx context.Context, path string) (int, error) {
	journal, err := sqlite.Open(ctx, path)
	if err != nil {
		return 0, err
	}
	defer journal.Close()
	kiosk := journaltest.Evenings(rand.Uint64(), manyEvenings, eveningEvents)
	events := kiosk.Events
	for len(events) > 0 {
		n := min(len(events), 5000)
		if err := journal.Append(ctx, events[:n]); err != nil {
			return 0, err
		}
		events = events[n:]
	}
	return len(kiosk.Events), nil
}

// atRest measures memory and processor with one screen of each kind open and a
// screening planned.
func atRest(ctx context.Context, dir string) ([]row, error) {
	kiosk, err := startKiosk(ctx, filepath.Join(dir, "kiosk"))
	if err != nil {
		return nil, err
	}
	facilitator, err := screens(kiosk)
	if err != nil {
		return nil, errors.Join(err, kiosk.Stop())
	}
	if err := facilitator.Plan("plan", "rest"); err != nil {
		return nil, errors.Join(err, kiosk.Stop())
	}
	bare, err := startBare(ctx, dir)
	if err != nil {
		return nil, errors.Join(err, kiosk.Stop())
	}
	for range 4 {
		v, err := bare.Visitor()
		if err == nil {
			err = v.Connect("any")
		}
		if err != nil {
			return nil, errors.Join(err, kiosk.Stop(), bare.Stop())
		}
	}
	memory, processor, err := rest(kiosk, bare)
	if err := errors.Join(err, kiosk.Stop(), bare.Stop()); err != nil {
		return nil, err
	}
	return []row{
		{"resident memory at rest, 4 screens", fmt.Sprintf("%.1f MB", memory[0]), fmt.Sprintf("%.1f MB, bare server, 4 websockets", memory[1]), times(memory[0] / memory[1]), "< 25 MB", fmt.Sprintf("both for %s", restFor)},
		{"processor at rest, 4 screens", fmt.Sprintf("%.3f%% of a core", processor[0]), fmt.Sprintf("%.3f%%, bare server", processor[1]), "", "< 0.5%", fmt.Sprintf("both for %s", restFor)},
	}, nil
}

// rest waits, and gives memory (MB) and processor (percent of a core) of each.
func rest(all ...*visit.Process) (memory, processor []float64, err error) {
	time.Sleep(5 * time.Second) // after the start
	var before []time.Duration
	for _, p := range all {
		used, err := p.CPU()
		if err != nil {
			return nil, nil, err
		}
		before = append(before, used)
	}
	time.Sleep(restFor)
	for i, p := range all {
		used, err := p.CPU()
		if err != nil {
			return nil, nil, err
		}
		mb, err := p.Resident()
		if err != nil {
			return nil, nil, err
		}
		memory = append(memory, mb)
		processor = append(processor, 100*(used-before[i]).Seconds()/restFor.Seconds())
	}
	return memory, processor, nil
}

// screens opens one of each kind; the facilitator's is given back.
func screens(p *visit.Process) (*visit.Visitor, error) {
	facilitator, err := p.Visitor()
	if err != nil {
		return nil, err
	}
	if err := facilitator.SetPIN(); err != nil {
		return nil, err
	}
	for _, role := range []string{"stage", "touch", "vote"} {
		v, err := p.Visitor()
		if err == nil {
			err = v.Get("/vote")
		}
		if err == nil {
			err = v.Connect(role)
		}
		if err != nil {
			return nil, err
		}
		go drain(v)
	}
	return facilitator, facilitator.Connect("facilitator")
}

// drain reads until the socket ends.
func drain(v *visit.Visitor) {
	for {
		if _, _, err := v.WS.ReadMessage(); err != nil {
			return
		}
	}
}

// sizes measures what is shipped: the binary, and what each page loads.
func sizes(context.Context, string) ([]row, error) {
	info, err := os.Stat(visit.Daemon)
	if err != nil {
		return nil, err
	}
	rows := []row{{"size of the daemon with the screens in it", fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), "", "", "", ""}}
	for _, page := range []string{"touch", "stage", "vote", "facilitator", "summary"} {
		js, css, err := pageSize("kiosk-ui/dist", page+".html")
		if err != nil {
			return nil, err
		}
		aim := ""
		if page == "touch" {
			aim = "< 60 KB of JavaScript"
		}
		rows = append(rows, row{"/" + page + ", gzip", fmt.Sprintf("%.1f KB JavaScript, %.1f KB CSS", js, css), "", "", aim, ""})
	}
	return rows, nil
}

var (
	loaded   = regexp.MustCompile(`(?:src|href)="/(assets/[^"]+\.(?:js|css))"`)
	imported = regexp.MustCompile(`["'](?:\./|/assets/)([A-Za-z0-9_.-]+\.(?:js|css))["']`)
)

// pageSize sums the scripts and styles that a page loads, with what those import.
func pageSize(dist, page string) (js, css float64, err error) {
	html, err := os.ReadFile(filepath.Join(dist, page))
	if err != nil {
		return 0, 0, fmt.Errorf("%w (make ui builds the screens)", err)
	}
	seen := map[string]bool{}
	var todo []string
	for _, m := range loaded.FindAllStringSubmatch(string(html), -1) {
		todo = append(todo, m[1])
	}
	for len(todo) > 0 {
		file := todo[0]
		todo = todo[1:]
		if seen[file] {
			continue
		}
		seen[file] = true
		data, err := os.ReadFile(filepath.Join(dist, file))
		if err != nil {
			return 0, 0, err
		}
		size, err := gzipped(data)
		if err != nil {
			return 0, 0, err
		}
		if strings.HasSuffix(file, ".css") {
			css += size
			continue
		}
		js += size
		for _, m := range imported.FindAllStringSubmatch(string(data), -1) {
			todo = append(todo, "assets/"+m[1])
		}
	}
	return js, css, nil
}

// gzipped gives the KB that the data takes on the wire.
func gzipped(data []byte) (float64, error) {
	var n counter
	z := gzip.NewWriter(&n)
	if _, err := z.Write(data); err != nil {
		return 0, err
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	return float64(n) / 1000, nil
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

var _ io.Writer = (*counter)(nil)
