package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"mimpi-kiosk/internal/config"
)

// The film of an evening, as on the Raspberry Pi: the daemon asks the player host for an
// mpv. Either is killed while it plays, and the film goes on where it was.
func TestFilmByMPVSurvivesKills(t *testing.T) {
	dir := t.TempDir()
	film := filepath.Join(dir, "film")
	if err := os.Mkdir(film, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25:duration=300",
		"-f", "lavfi", "-i", "sine=duration=300", "-c:v", "libx264", "-preset", "ultrafast", "-g", "50",
		"-pix_fmt", "yuv420p", "-c:a", "aac", "-movflags", "+faststart", filepath.Join(film, "film.mp4")).CombinedOutput()
	if err != nil {
		t.Fatalf("make a film: %v: %s (apt install ffmpeg, or run the tests by make)", err, out)
	}
	socket := filepath.Join(dir, "player.sock")
	write(t, filepath.Join(film, "film.toml"), "id = \"long\"\ntitle.id = \"Film panjang\"\nfile = \"film.mp4\"\n")
	write(t, filepath.Join(dir, "kiosk.toml"), "[film]\nplayer = \"mpv\"\nsocket = \""+socket+"\"\n")

	host := program(t, "player", "--listen", socket, "--", "--vo=null", "--ao=null")
	host.Stderr = os.Stderr
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := host.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := host.Wait(); err != nil {
			t.Errorf("the player host: %v", err)
		}
	})
	data := filepath.Join(dir, "data")
	args := []string{"--film", film, "--config", filepath.Join(dir, "kiosk.toml")}
	k := start(t, data, args...)
	k.facilitate("/api/pin")
	k.do("a", plan)
	k.do("b", `"do":"moveTo","step":"film"`)
	k.do("c", `"do":"seekFilm","to":100000`)
	k.do("d", `"do":"setSoundLag","lag":280`)
	k.do("e", `"do":"playFilm"`)
	m := k.filmPast(105_000)
	if m.View.Film.Player != "mpv" || m.View.Playback.SoundLag != 280 {
		t.Errorf("the screens are told %+v %+v", m.View.Film, m.View.Playback)
	}

	// mpv is killed.
	if err := syscall.Kill(playing(t, host.Process.Pid, filepath.Join(film, "film.mp4")), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	before := m.View.Playback.At
	if m = k.filmPast(before + 3000); m.View.Playback.At > before+15_000 {
		t.Errorf("mpv killed at about %d ms, the film is at %d", before, m.View.Playback.At)
	}

	// The daemon is killed: its mpv goes with it, and the next one begins where that was. On
	// a busy machine the film has gone on by the time the screen reads the first view.
	before, seen := m.View.Playback.At, time.Now()
	k.end(syscall.SIGKILL)
	k = start(t, data, args...)
	k.facilitate("/api/sign-in")
	first := k.filmPast(1)
	passed := int(time.Since(seen).Milliseconds())
	if at := first.View.Playback.At; !first.View.Playback.Playing || at < before || at > before+passed+6000 {
		t.Errorf("the daemon killed at about %d ms, the film is %+v", before, first.View.Playback)
	}
	m = k.filmPast(before + 6500)
	k.do("f", `"do":"pauseFilm"`)
	k.do("g", `"do":"moveTo","step":"discussion"`)
	// How the film looked is noted once mpv has let go of it.
	var told filmTold
	for deadline := time.Now().Add(30 * time.Second); told.Shown.Player == "" && time.Now().Before(deadline); {
		told = exportedFilm(t, data)
	}
	k.end(syscall.SIGTERM)
	if told.At < m.View.Playback.At || told.Shown.Player != "mpv" || told.Shown.Decoder != "h264, no" || told.Shown.Played == 0 {
		t.Errorf("the summary says %+v", told)
	}
}

// filmTold is the film in a summary.json.
type filmTold struct {
	At    int
	Shown struct {
		Player, Decoder string
		Played          int
	}
}

// exportedFilm exports the one screening and gives what its summary says of the film.
func exportedFilm(t *testing.T, data string) filmTold {
	t.Helper()
	to := t.TempDir()
	if out, err := program(t, "export", "--data", data, "--to", to).CombinedOutput(); err != nil {
		t.Fatalf("export: %v: %s", err, out)
	}
	found, err := filepath.Glob(filepath.Join(to, "mimpi-kiosk", "kiosk-*", "*", "summary.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("exported %v (%v)", found, err)
	}
	summary, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ Film filmTold }
	if err := json.Unmarshal(summary, &told); err != nil {
		t.Fatal(err)
	}
	return told.Film
}

// filmPast waits until the film is known to be past a place.
func (k *kioskProcess) filmPast(at int) facilitatorMessage {
	k.t.Helper()
	for {
		if m := k.read(); m.Type == "view" && m.View.Playback.At >= at {
			return m
		}
	}
}

// playing gives the child of the player host that has the film open: the other is the spare.
func playing(t *testing.T, host int, film string) int {
	t.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", host))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		children, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for child := range strings.FieldsSeq(string(children)) {
			open, err := filepath.Glob("/proc/" + child + "/fd/*")
			if err != nil {
				t.Fatal(err)
			}
			for _, fd := range open {
				if target, err := os.Readlink(fd); err == nil && target == film {
					pid, err := strconv.Atoi(child)
					if err != nil {
						t.Fatal(err)
					}
					return pid
				}
			}
		}
	}
	t.Fatalf("nobody below process %d plays %s", host, film)
	return 0
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWhichPlayer(t *testing.T) {
	there := filepath.Join(t.TempDir(), "player.sock")
	write(t, there, "")
	for _, c := range []struct {
		player        config.Player
		socket, model string
		mpv           bool
	}{
		{config.AutoPlayer, "/nonexistent/player.sock", "", false}, // a laptop
		{config.AutoPlayer, "/nonexistent/player.sock", "Raspberry Pi 4 Model B Rev 1.4", true},
		{config.AutoPlayer, there, "", true},
		{config.AutoPlayer, "", "", false},
		{config.BrowserPlayer, there, "Raspberry Pi 4 Model B Rev 1.4", false},
		{config.MPVPlayer, "", "", true},
	} {
		if got := mpvPlays(config.Film{Player: c.player, Socket: c.socket}, c.model); got != c.mpv {
			t.Errorf("%+v: mpv plays: %v", c, got)
		}
	}
}

func TestPlayerHostTakesThePlaceOfADeadOne(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "player.sock")
	dead, err := listenAt(socket)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := listenAt(socket); err == nil {
		t.Error("two hosts serve on one socket")
	}
	type unlinker interface{ SetUnlinkOnClose(bool) }
	dead.(unlinker).SetUnlinkOnClose(false) // as kill -9 leaves it
	if err := dead.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := listenAt(socket)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}
