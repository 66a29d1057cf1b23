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
	filmRuns = 3
	filmFrom = 5 * time.Second // of the film, until the measurement begins: the start is over
	filmFor  = 10 * time.Second
	filmClip = "media/demo-film/film.mp4"
)

// film measures the processor time that ten seconds of film take: under the kiosk the sum
// of visit.Daemon, player host and mpv, else mpv alone. Neither shows a picture or makes a sound.
func film(ctx context.Context, dir string) ([]row, error) {
	var ours, plain, daemons, hosts []time.Duration
	var lost []int
	for run := range filmRuns {
		alone, err := filmAlone(ctx)
		if err != nil {
			return nil, fmt.Errorf("mpv alone: %w", err)
		}
		under, err := filmUnderKiosk(ctx, filepath.Join(dir, fmt.Sprint(run)), 0)
		if err != nil {
			return nil, fmt.Errorf("under the kiosk: %w", err)
		}
		ours, plain = append(ours, under.all()), append(plain, alone)
		daemons, hosts, lost = append(daemons, under.daemon), append(hosts, under.host), append(lost, under.lost)
	}
	crowded, err := filmUnderKiosk(ctx, filepath.Join(dir, "crowded"), voters)
	if err != nil {
		return nil, fmt.Errorf("under the kiosk, with phones: %w", err)
	}
	return []row{{
		fmt.Sprintf("film, processor for %s of 1080p", filmFor), ms(median(ours)), ms(median(plain)) + ", mpv alone",
		times(float64(median(ours)) / float64(median(plain))), "<= 1.02",
		fmt.Sprintf("clip, mpv and its options, --vo=null --ao=null; medians of %d. Of ours the daemon %s, the player host %s",
			filmRuns, ms(median(daemons)), ms(median(hosts))),
	}, {
		fmt.Sprintf("pictures lost in %s of film while %d phones try to vote", filmFrom+filmFor, voters),
		fmt.Sprintf("%d lost, %d late", crowded.lost, crowded.late), fmt.Sprintf("%d lost, without phones", median(lost)), "", "0 lost",
		fmt.Sprintf("as the kiosk tells the facilitator; %.0f ballots/s, all refused: a question that opens halts the film", float64(crowded.refused)/filmFor.Seconds()),
	}}, nil
}

// tryToVote has phones send a ballot each second, until it is told to stop; then it says how
// many were refused.
func tryToVote(kiosk *visit.Process, n int) (stop func() (int, error), err error) {
	phones, err := join(kiosk, n, "vote")
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	refused := make([]int, n)
	go func() {
		ended <- together(n, func(i int) error {
			pause := time.Second * time.Duration(i) / time.Duration(n)
			for ; ; pause = time.Second {
				select {
				case <-ctx.Done():
					return nil
				case <-time.After(pause):
				}
				err := phones[i].Do(fmt.Sprint("ballot-", i, "-", refused[i]), map[string]any{
					"do": "castBallot", "screening": "", "question": "k2", "round": 1, "choices": []string{},
				})
				var no *visit.Refused
				if !errors.As(err, &no) {
					return fmt.Errorf("a ballot during the film was not refused: %w", err)
				}
				refused[i]++
			}
		})
	}()
	return func() (sum int, err error) {
		cancel()
		err = <-ended
		for _, n := range refused {
			sum += n
		}
		return sum, err
	}, nil
}

// picturesLost halts the film, for then the daemon asks mpv, and reads what it tells.
func picturesLost(facilitator *visit.Visitor) (lost, late int, err error) {
	if err := facilitator.Do("halt", map[string]any{"do": "pauseFilm"}); err != nil {
		return 0, 0, err
	}
	time.Sleep(time.Second)
	if err := facilitator.Do("look", map[string]any{"do": "ping"}); err != nil { // what was said meanwhile is read
		return 0, 0, err
	}
	var view struct {
		Health []struct {
			Part    string
			Message map[string]string
		}
	}
	if err := json.Unmarshal(facilitator.Seen, &view); err != nil {
		return 0, 0, err
	}
	for _, p := range view.Health {
		if _, after, ok := strings.Cut(p.Message["en"], "; "); ok && p.Part == "film_picture" {
			_, err := fmt.Sscanf(after, "%d lost, %d late", &lost, &late)
			return lost, late, err
		}
	}
	return 0, 0, errors.New("the kiosk does not tell of the film's pictures")
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

// shares is the processor time of a film under the kiosk, and what came of its pictures.
type shares struct {
	daemon, host, players time.Duration
	lost, late            int
	refused               int // ballots
}

func (s shares) all() time.Duration { return s.daemon + s.host + s.players }

// filmUnderKiosk plays it as an evening does, with so many phones that try to vote.
func filmUnderKiosk(ctx context.Context, dir string, phones int) (_ shares, err error) {
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
	kiosk, err := startKiosk(ctx, filepath.Join(dir, "data"), "--config", settings)
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
	stop, err := tryToVote(kiosk, phones)
	if err != nil {
		return shares{}, err
	}
	players, err := childrenOf(host.Process.Pid) // the one that plays, and the spare
	if err != nil {
		return shares{}, err
	}
	used, err := usedBy(filmFor, append([]int{kiosk.Cmd.Process.Pid, host.Process.Pid}, players...)...)
	refused, serr := stop()
	if err := errors.Join(err, serr); err != nil {
		return shares{}, err
	}
	out := shares{daemon: used[0], host: used[1], refused: refused}
	if out.lost, out.late, err = picturesLost(facilitator); err != nil {
		return shares{}, err
	}
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
