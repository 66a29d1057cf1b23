package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/lab/visit"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
	"mimpi-kiosk/internal/sqlite"
)

const (
	startRuns     = 7
	eveningEvents = 60
	growthPhones  = 20
	growthBallots = 15               // of each, which may send 20 at once
	restAfter     = 25 * time.Second // the start is over, and the look at the card that follows it
	restFor       = 20 * time.Second
	restPhones    = 500
)

// startKiosk starts the real daemon on a data folder.
func startKiosk(ctx context.Context, data string, flags ...string) (*visit.Process, error) {
	return visit.Start(kioskCommand(ctx, data, flags...))
}

func kioskCommand(ctx context.Context, data string, flags ...string) *exec.Cmd {
	return exec.CommandContext(ctx, visit.Daemon, append([]string{"run", "--demo", "--data", data, "--listen", "127.0.0.1:0"}, flags...)...)
}

// growth measures the kiosk with ever longer histories, and a new one.
func growth(ctx context.Context, dir string) (rows []row, err error) {
	kiosks := []*old{{}, {evenings: 100}, {evenings: 1000}, {evenings: 10000}}
	for _, o := range kiosks {
		o.dir = filepath.Join(dir, fmt.Sprint(o.evenings))
		if err := os.Mkdir(o.dir, 0o755); err != nil {
			return nil, err
		}
		if o.evenings > 0 {
			if o.events, err = fill(ctx, filepath.Join(o.dir, "journal.db"), o.evenings); err != nil {
				return nil, fmt.Errorf("fill a journal: %w", err)
			}
		}
	}
	var bare []time.Duration
	for range startRuns {
		p, err := startBare(ctx, dir)
		if err != nil {
			return nil, err
		}
		bare = append(bare, p.Ready)
		if err := p.Stop(); err != nil {
			return nil, err
		}
		for _, o := range kiosks {
			if err := o.start(ctx); err != nil {
				return nil, err
			}
		}
	}
	for _, o := range kiosks {
		if err := o.work(ctx); err != nil {
			return nil, fmt.Errorf("%d screenings: %w", o.evenings, err)
		}
		rows = append(rows, row{
			fmt.Sprintf("start until /healthz, %d screenings (%d events)", o.evenings, o.events), ms(median(o.ready)), ms(median(bare)) + ", bare Go + SQLite + websocket",
			times(float64(median(o.ready)) / float64(median(bare))), "< 100 ms", "libraries; a commit in the answer",
		})
	}
	few := kiosks[1]
	for _, o := range kiosks[2:] {
		grows := func(what, ours, plain string, ratio float64, aim, equality string) {
			rows = append(rows, row{
				fmt.Sprintf("%s, %d screenings in the journal", what, o.evenings), ours, fmt.Sprintf("%s, with %d", plain, few.evenings), times(ratio), aim, equality,
			})
		}
		grows("start until /healthz", ms(median(o.ready)), ms(median(few.ready)), float64(median(o.ready))/float64(median(few.ready)), "about 1", fmt.Sprintf("kiosk, disk; medians of %d, in turns", startRuns))
		grows("resident memory after the start", fmt.Sprintf("%.1f MB", median(o.memory)), fmt.Sprintf("%.1f MB", median(few.memory)), median(o.memory)/median(few.memory), "about 1", "the same")
		grows("a ballot of a phone, p50", ms(median(o.ballots)), ms(median(few.ballots)), float64(median(o.ballots))/float64(median(few.ballots)), "about 1", fmt.Sprintf("kiosk, disk; %d, one after the other", len(o.ballots)))
		grows("export of one screening", ms(o.one), ms(few.one), float64(o.one)/float64(few.one), "about 1",
			fmt.Sprintf("the same screening, the first in the journal; signed and synced; medians of %d", startRuns))
	}
	return append(rows, row{
		fmt.Sprintf("export of all, %d screenings", few.evenings), ms(few.all), "", "", "", "signed and synced",
	}), nil
}

// old is a kiosk with so many evenings behind it.
type old struct {
	dir              string
	evenings, events int
	ready, ballots   []time.Duration
	memory           []float64
	one, all         time.Duration
}

func (o *old) start(ctx context.Context) error {
	data := o.dir
	if o.evenings == 0 { // a new one each time
		data = filepath.Join(o.dir, fmt.Sprint(len(o.ready)))
	}
	p, err := startKiosk(ctx, data)
	if err != nil {
		return err
	}
	o.ready = append(o.ready, p.Ready)
	memory, err := p.Resident()
	o.memory = append(o.memory, memory)
	return errors.Join(err, p.Stop())
}

// work has phones vote one after the other, and exports.
func (o *old) work(ctx context.Context) error {
	if o.evenings == 0 {
		return nil
	}
	if err := o.export(ctx); err != nil {
		return err
	}
	kiosk, err := startKiosk(ctx, o.dir)
	if err != nil {
		return err
	}
	return errors.Join(o.vote(kiosk), kiosk.Stop())
}

func (o *old) vote(kiosk *visit.Process) error {
	h, err := gather(kiosk, growthPhones)
	if err != nil {
		return err
	}
	if err := h.do("openQuestion", "question", "k2", "newRound", false); err != nil {
		return err
	}
	o.ballots, err = oneByOne(growthPhones*growthBallots, func(i int) error {
		return h.phones[i%growthPhones].Do(fmt.Sprint("ballot-", i), map[string]any{
			"do": "castBallot", "screening": h.evening, "question": "k2", "round": 1, "choices": choices(i / growthPhones),
		})
	})
	return err
}

// export writes the first screening, which is the same one whatever came after it, and, where
// they are few, all of them.
func (o *old) export(ctx context.Context) error {
	journal, err := sqlite.OpenToRead(ctx, filepath.Join(o.dir, "journal.db"))
	if err != nil {
		return err
	}
	defer journal.Close() // read only: nothing to lose
	key, err := export.OpenKey(filepath.Join(o.dir, "signing.key"))
	if err != nil {
		return err
	}
	write := func(src export.Source, want int) (time.Duration, error) {
		to, err := os.MkdirTemp(o.dir, "export-")
		if err != nil {
			return 0, err
		}
		begin := time.Now()
		folders, err := export.Write(ctx, src, to, export.Options{Key: key, Rehearsals: true})
		took := time.Since(begin)
		if err == nil && len(folders) != want {
			err = fmt.Errorf("%d screenings were exported, not %d", len(folders), want)
		}
		return took, err
	}
	var ones []time.Duration
	for range startRuns {
		took, err := write(firstOf{journal}, 1)
		if err != nil {
			return err
		}
		ones = append(ones, took)
	}
	o.one = median(ones)
	if o.evenings <= 100 {
		o.all, err = write(journal, o.evenings)
	}
	return err
}

// firstOf is a journal of which nothing but the first screening is looked at.
type firstOf struct{ *sqlite.Journal }

func (firstOf) ScreeningIDs(context.Context) ([]string, error) { return []string{"s1"}, nil }

// fill writes evenings into a journal, the same ones each time, and gives the number of its
// events. None of them goes on.
func fill(ctx context.Context, path string, evenings int) (int, error) {
	journal, err := sqlite.Open(ctx, path)
	if err != nil {
		return 0, err
	}
	defer journal.Close()
	kiosk := journaltest.Evenings(1, evenings, eveningEvents)
	kiosk.Do(screening.FromFacilitator, screening.MoveTo{Step: screening.Ended}) // refused when it has ended
	for events := range slices.Chunk(kiosk.Events, 5000) {
		if err := journal.Append(ctx, events); err != nil {
			return 0, err
		}
	}
	return len(kiosk.Events), nil
}

// atRest measures memory, processor and wake-ups with one screen of each kind open and a
// screening planned; then what each further phone takes.
func atRest(ctx context.Context, dir string) (_ []row, err error) {
	kiosk, err := startKiosk(ctx, filepath.Join(dir, "kiosk"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, kiosk.Stop()) }()
	facilitator, err := screens(kiosk)
	if err != nil {
		return nil, err
	}
	if err := facilitator.Plan("plan", "rest"); err != nil {
		return nil, err
	}
	bare, err := startBare(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, bare.Stop()) }()
	if _, err := join(bare, 4, byGorilla); err != nil {
		return nil, err
	}
	all := []*visit.Process{kiosk, bare}
	seen, err := rest(all)
	if err != nil {
		return nil, err
	}
	perPhone := make([]float64, len(all))
	for i, role := range []string{"vote", byGorilla} {
		if _, err := join(all[i], restPhones, role); err != nil {
			return nil, err
		}
		mb, err := all[i].Resident()
		if err != nil {
			return nil, err
		}
		perPhone[i] = (mb - seen[i].memory) * 1024 / restPhones
	}
	ours, plain := seen[0], seen[1]
	equality := fmt.Sprintf("both for %s, a screening planned; libraries, 4 websockets", restFor)
	return []row{
		{"resident memory at rest, 4 screens", fmt.Sprintf("%.1f MB, %.1f without the program's file", ours.memory, ours.own), fmt.Sprintf("%.1f MB, %.1f without its file, bare server", plain.memory, plain.own), times(ours.memory / plain.memory), "<= 15 MB", equality},
		{fmt.Sprintf("resident memory of each of %d phones more", restPhones), fmt.Sprintf("%.1f kB", perPhone[0]), fmt.Sprintf("%.1f kB, bare server", perPhone[1]), times(perPhone[0] / perPhone[1]), "<= 40 kB", "just joined, no garbage collection forced"},
		{"processor at rest, 4 screens", fmt.Sprintf("%.3f%% of a core", ours.processor), fmt.Sprintf("%.3f%%, bare server", plain.processor), "", "< 0.5%", equality},
		{"wake-ups at rest, 4 screens", fmt.Sprintf("%.2f/s", ours.wakeups), fmt.Sprintf("%.2f/s, bare server", plain.wakeups), "", "<= 5/s", equality + "; voluntary switches of all threads"},
	}, nil
}

// resting is what a process takes while nothing happens.
type resting struct {
	memory    float64 // MB
	own       float64 // MB, without the pages of the program's file
	processor float64 // percent of a core
	wakeups   float64 // a second
}

// rest waits, and gives what each has taken meanwhile.
func rest(all []*visit.Process) ([]resting, error) {
	time.Sleep(restAfter)
	out := make([]resting, len(all))
	look := func(sign float64) error {
		for i, p := range all {
			used, err := p.CPU()
			if err != nil {
				return err
			}
			woken, err := p.Wakeups()
			if err != nil {
				return err
			}
			out[i].processor += sign * 100 * used.Seconds() / restFor.Seconds()
			out[i].wakeups += sign * float64(woken) / restFor.Seconds()
			if out[i].memory, err = p.Resident(); err != nil {
				return err
			}
			if out[i].own, err = p.Own(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := look(-1); err != nil {
		return nil, err
	}
	time.Sleep(restFor)
	return out, look(1)
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
