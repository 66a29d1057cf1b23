package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// The kiosk is started with a data folder that cannot be written: the film plays and the
// questions are shown, nobody is counted and everybody is told why, and once the folder
// takes it the evening goes on and is kept.
func TestAStartWithoutADataFolder(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T) (data string, mend func()){
		"a disk that is read-only": func(t *testing.T) (string, func()) {
			disk := t.TempDir()
			mount := func(flags uintptr) {
				t.Helper()
				if err := syscall.Mount("tmpfs", disk, "tmpfs", flags, "size=64m"); err != nil {
					t.Fatalf("mount a disk: %v (this test needs root)", err)
				}
			}
			mount(syscall.MS_RDONLY)
			t.Cleanup(func() {
				if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
					t.Error(err)
				}
			})
			return filepath.Join(disk, "data"), func() { mount(syscall.MS_REMOUNT) }
		},
		"a folder without the right to write": func(t *testing.T) (string, func()) {
			data := t.TempDir()
			rights := func(mode os.FileMode) {
				t.Helper()
				if err := os.Chmod(data, mode); err != nil {
					t.Fatal(err)
				}
			}
			rights(0o500)
			return data, func() { rights(0o700) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			data, mend := prepare(t)
			k := begin(t, powerless(t, "run", "--demo", "--data", data, "--listen", "127.0.0.1:0"))
			if code, body := k.get("/healthz"); code != http.StatusServiceUnavailable {
				t.Errorf("healthz %d: %s", code, body)
			}
			if code, _ := k.get("/stage"); code != http.StatusOK {
				t.Errorf("the projector's page: %d", code)
			}
			k.facilitate("/api/pin")
			k.do("a", plan)
			k.do("b", `"do":"moveTo","step":"film"`)
			k.do("o", `"do":"openDoors"`) // people still come
			k.do("c", `"do":"playFilm"`)
			k.refused("d", `"do":"countAttendee","category":"woman"`, "not_saved")
			k.do("e", `"do":"setVolume","percent":50`)
			m := k.view(0)
			if !m.View.Playback.Playing {
				t.Error("the film does not play")
			}
			said := ""
			for _, part := range m.View.Health {
				if part.Part == "journal" && part.Level == "problem" {
					said = part.Message["id"] + part.Message["en"] + part.Hint["id"] + part.Hint["en"]
				}
			}
			for _, want := range []string{"tidak bisa disimpan", "cannot be saved", "kartu memori", "memory card"} {
				if !strings.Contains(said, want) {
					t.Errorf("the facilitator is told %q, which lacks %q", said, want)
				}
			}

			mend()
			for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
				if code, _ := k.get("/healthz"); code == http.StatusOK {
					break
				}
				if time.Now().After(end) {
					t.Fatal("it does not heal")
				}
			}
			k.do("d", `"do":"countAttendee","category":"woman"`)
			if !k.view(1).View.Playback.Playing {
				t.Error("the film has stopped")
			}
			for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
				if _, err := os.Stat(filepath.Join(data, "pin.json")); err == nil {
					break
				}
				if time.Now().After(end) {
					t.Fatal("the PIN is not kept")
				}
			}
			k.end(syscall.SIGKILL)

			k = start(t, data)
			k.facilitate("/api/sign-in")
			if m := k.view(1); m.View.Step != "film" {
				t.Errorf("after a restart in step %s", m.View.Step)
			}
			k.end(syscall.SIGTERM)
		})
	}
}

// powerless is the program without the power of root to write where it has no right to.
func powerless(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := program(t, args...)
	if os.Geteuid() != 0 {
		return cmd
	}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Fatal("setpriv is missing: apt install util-linux")
	}
	cmd.Path, cmd.Args = setpriv, append([]string{setpriv, "--bounding-set=-all", "--inh-caps=-all"}, cmd.Args...)
	return cmd
}

// refused sends a command that must be refused for a reason.
func (k *kioskProcess) refused(id, command, reason string) {
	k.t.Helper()
	if err := k.ws.WriteMessage(websocket.TextMessage, []byte(`{"id":"`+id+`",`+command+`}`)); err != nil {
		k.t.Fatal(err)
	}
	for {
		m := k.read()
		if m.ID == id && m.Reason == reason {
			return
		}
		if m.ID == id {
			k.t.Fatalf("%s: %s %s", command, m.Type, m.Reason)
		}
	}
}
