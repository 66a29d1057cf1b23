package main

import (
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts in testdata/script run the real program. $SOURCE is the source folder,
// $FREE a free port, $OTHER a free address; "serving ADDRESS" waits until a kiosk there
// can save, "stranger ADDRESS" puts another web server there, "exits CODE ARGUMENTS" runs
// the program, which must end with that code, "flip FILE" turns one bit of it over,
// "setpin ADDRESS" sets the PIN of the kiosk there.
func TestScripts(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	source, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			bin := filepath.Join(e.WorkDir, ".bin")
			if err := os.Mkdir(bin, 0o755); err != nil {
				return err
			}
			_, port, err := net.SplitHostPort(freeAddress(t))
			e.Setenv("PATH", bin+string(filepath.ListSeparator)+e.Getenv("PATH"))
			e.Setenv(beTheKiosk, "1")
			e.Setenv("SOURCE", source)
			e.Setenv("FREE", port)
			e.Setenv("OTHER", freeAddress(t))
			if err != nil {
				return err
			}
			return os.Symlink(program, filepath.Join(bin, "mimpi-kiosk"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serving": func(ts *testscript.TestScript, neg bool, args []string) {
				for late := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
					r, err := http.Get("http://" + args[0] + "/healthz")
					if err == nil {
						r.Body.Close()
						if r.StatusCode == http.StatusOK {
							return
						}
					}
					if time.Now().After(late) {
						ts.Fatalf("no kiosk serves at %s: %v", args[0], err)
					}
				}
			},
			"exits": func(ts *testscript.TestScript, neg bool, args []string) {
				err := ts.Exec("mimpi-kiosk", args[1:]...)
				var exit *exec.ExitError
				if code, _ := strconv.Atoi(args[0]); !errors.As(err, &exit) || exit.ExitCode() != code {
					ts.Fatalf("exit code: %v, want %d", err, code)
				}
			},
			"flip": func(ts *testscript.TestScript, neg bool, args []string) {
				name := ts.MkAbs(args[0])
				data, err := os.ReadFile(name)
				ts.Check(err)
				data[len(data)/2] ^= 1
				ts.Check(os.WriteFile(name, data, 0o644))
			},
			"setpin": func(ts *testscript.TestScript, neg bool, args []string) {
				r, err := http.Post("http://"+args[0]+"/api/pin", "application/json", strings.NewReader(`{"pin":"258014"}`))
				ts.Check(err)
				r.Body.Close()
				if r.StatusCode != http.StatusNoContent {
					ts.Fatalf("set the PIN: %s", r.Status)
				}
			},
			"stranger": func(ts *testscript.TestScript, neg bool, args []string) {
				l, err := net.Listen("tcp", args[0])
				ts.Check(err)
				server := &http.Server{Handler: http.NotFoundHandler()}
				go func() { _ = server.Serve(l) }() // until the script ends
				ts.Defer(func() { _ = server.Close() })
			},
		},
	})
}

// freeAddress is an address of this machine that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
