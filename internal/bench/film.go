package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"mimpi-kiosk/internal/lab/visit"
	"mimpi-kiosk/internal/mpv"
)

const (
	filmRuns = 5
	filmFrom = 5 * time.Second // of the film, until the measurement begins: the start is over
	filmFor  = 10 * time.Second
	filmClip = "media/demo-film/film.mp4"
)

// film measures the processor time that ten seconds of film take: under the kiosk the sum
// of visit.Daemon, player host and mpv, else mpv alone. Neither shows a picture or makes a sound.
func film(ctx context.Context, dir string) ([]row, error) {
	var ours, plain, daemons, hosts []time.Duration
	for run := range filmRuns {
		alone, err := filmAlone(ctx)
		if err != nil {
			return nil, fmt.Errorf("mpv alone: %w", err)
		}
		under, err := filmUnderKiosk(ctx, filepath.Join(dir, fmt.Sprint(run)))
		if err != nil {
			return nil, fmt.Errorf("under the kiosk: %w", err)
		}
		ours, plain = append(ours, under.all()), append(plain, alone)
		daemons, hosts = append(daemons, under.daemon), append(hosts, under.host)
	}
	return []row{{
		fmt.Sprintf("film, processor for %s of 1080p", filmFor), ms(median(ours)), ms(median(plain)) + ", mpv alone",
		times(float64(median(ours)) / float64(median(plain))), "<= 1.02",
		fmt.Sprintf("clip, mpv and its options, --vo=null --ao=null; medians of %d. Of ours the daemon %s, the player host %s",
			filmRuns, ms(median(daemons)), ms(median(hosts))),
	}}, nil
}

var mute = []string{"--vo=null", "--ao=null"}

// filmAlone plays the clip with the same options, asked for nothing but where it is.
func filmAlone(ctx context.Context) (_ time.Duration, err error) {
	line, err := mpv.Child{Args: append(mpv.Arguments(""), mute...)}.Launch(ctx)
	if err != nil {
		return 0, err
	}
	client := mpv.NewClient(line)
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx, func(string, string, json.RawMessage) {}) }()
	defer func() {
		err = errors.Join(err, client.Close())
		<-ended // closed by us
	}()
	clip, err := filepath.Abs(filmClip)
	if err != nil {
		return 0, err
	}
	if _, err := client.Call(ctx, "loadfile", clip); err != nil {
		return 0, err
	}
	data, err := client.Call(ctx, "get_property", "pid")
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(string(data))
	if err != nil {
		return 0, err
	}
	for at := 0.0; at < filmFrom.Seconds(); time.Sleep(50 * time.Millisecond) {
		if data, err := client.Call(ctx, "get_property", "time-pos"); err == nil {
			if err := json.Unmarshal(data, &at); err != nil {
				return 0, err
			}
		}
	}
	used, err := usedBy(filmFor, pid)
	if err != nil {
		return 0, err
	}
	return used[0], nil
}

// shares is the processor time of a film under the kiosk.
type shares struct{ daemon, host, players time.Duration }

func (s shares) all() time.Duration { return s.daemon + s.host + s.players }

// filmUnderKiosk plays it as an evening does.
func filmUnderKiosk(ctx context.Context, dir string) (_ shares, err error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return shares{}, err
	}
	socket, settings := filepath.Join(dir, "player.sock"), filepath.Join(dir, "kiosk.toml")
	if err := os.WriteFile(settings, []byte("[film]\nplayer = \"mpv\"\nsocket = \""+socket+"\"\n"), 0o644); err != nil {
		return shares{}, err
	}
	host := exec.CommandContext(ctx, visit.Daemon, append([]string{"player", "--listen", socket, "--"}, mute...)...)
	if err := host.Start(); err != nil {
		return shares{}, err
	}
	defer func() {
		err = errors.Join(err, host.Process.Signal(os.Interrupt))
		_ = host.Wait() // ended by us
	}()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("unix", socket); err == nil {
			conn.Close()
			break
		}
		if time.Now().After(end) {
			return shares{}, errors.New("the player host does not come up")
		}
	}
	kiosk, err := visit.Start(exec.CommandContext(ctx, visit.Daemon, "run", "--demo", "--data", filepath.Join(dir, "data"), "--config", settings, "--listen", "127.0.0.1:0"))
	if err != nil {
		return shares{}, err
	}
	defer func() { err = errors.Join(err, kiosk.Stop()) }()
	facilitator, err := screens(kiosk)
	if err != nil {
		return shares{}, err
	}
	if err := facilitator.Plan("plan", "film"); err != nil {
		return shares{}, err
	}
	for i, fields := range []map[string]any{
		{"do": "usePausePoints", "use": false}, {"do": "moveTo", "step": "film"}, {"do": "playFilm"},
	} {
		if err := facilitator.Do(fmt.Sprint("film-", i), fields); err != nil {
			return shares{}, err
		}
	}
	for at := time.Duration(0); at < filmFrom; {
		m, err := facilitator.Read()
		if err != nil {
			return shares{}, err
		}
		var view struct{ Playback struct{ At int64 } }
		if m.View != nil {
			if err := json.Unmarshal(m.View, &view); err != nil {
				return shares{}, err
			}
		}
		at = time.Duration(view.Playback.At) * time.Millisecond
	}
	players, err := childrenOf(host.Process.Pid) // the one that plays, and the spare
	if err != nil {
		return shares{}, err
	}
	used, err := usedBy(filmFor, append([]int{kiosk.Cmd.Process.Pid, host.Process.Pid}, players...)...)
	if err != nil {
		return shares{}, err
	}
	out := shares{daemon: used[0], host: used[1]}
	for _, player := range used[2:] {
		out.players += player
	}
	return out, nil
}

// usedBy waits, and gives the processor time that each process has used meanwhile.
func usedBy(wait time.Duration, pids ...int) ([]time.Duration, error) {
	used := make([]time.Duration, len(pids))
	for i, pid := range pids {
		before, err := visit.CPUOf(pid)
		if err != nil {
			return nil, err
		}
		used[i] = -before
	}
	time.Sleep(wait)
	for i, pid := range pids {
		after, err := visit.CPUOf(pid)
		if err != nil {
			return nil, err
		}
		used[i] += after
	}
	return used, nil
}

func childrenOf(pid int) (all []int, err error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		children, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for child := range strings.FieldsSeq(string(children)) {
			pid, err := strconv.Atoi(child)
			if err != nil {
				return nil, err
			}
			all = append(all, pid)
		}
	}
	return all, nil
}
