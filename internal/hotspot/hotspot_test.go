package hotspot

import (
	"context"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

func TestKeyfile(t *testing.T) {
	for name, w := range map[string]WiFi{
		"password": {Name: `Mimpi; "Balai" 🎬`, Password: ` a\b;c"d#e f`, Interface: "wlan0", Country: "ID"},
		"open":     {Name: "Mimpi", Hidden: true, Interface: "wlan1", Country: "TL"},
	} {
		golden := filepath.Join("testdata", name+".nmconnection")
		if *update {
			if err := os.WriteFile(golden, []byte(w.Keyfile()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), w.Keyfile()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// places are a system of files alone, which notes what was run.
func places(t *testing.T, fails string) (Places, *[]string) {
	dir := t.TempDir()
	for radio, kind := range map[string]string{"rfkill0": "bluetooth", "rfkill1": "wlan"} {
		folder := filepath.Join(dir, "rfkill", radio)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"type": kind + "\n", "soft": "1\n"} {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var ran []string
	return Places{
		Profiles: filepath.Join(dir, "profiles"), RFKill: filepath.Join(dir, "rfkill"),
		Run: func(_ context.Context, program string, args ...string) error {
			line := program + " " + strings.Join(args, " ")
			ran = append(ran, strings.ReplaceAll(line, dir, ""))
			if fails != "" && strings.Contains(line, fails) {
				return errors.New("no")
			}
			return nil
		},
	}, &ran
}

func TestOnAndOff(t *testing.T) {
	p, ran := places(t, "")
	w := WiFi{Name: "Mimpi", Password: "katong semua", Interface: "wlan0", Country: "ID"}
	if err := w.On(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"iw reg set ID", "nmcli radio wifi on", "nmcli connection load /profiles/mimpi-kiosk.nmconnection",
		"nmcli --wait 45 connection up id mimpi-kiosk",
	}
	if diff := cmp.Diff(want, *ran); diff != "" {
		t.Errorf("On ran (-want +got):\n%s", diff)
	}
	file := filepath.Join(p.Profiles, "mimpi-kiosk.nmconnection")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the profile: %v, %v; NetworkManager leaves one alone that others can read", info, err)
	}
	for radio, soft := range map[string]string{"rfkill0": "1\n", "rfkill1": "0"} {
		if got, err := os.ReadFile(filepath.Join(p.RFKill, radio, "soft")); err != nil || string(got) != soft {
			t.Errorf("%s is %q, %v", radio, got, err)
		}
	}
	for i, more := range []bool{true, false} { // twice does no harm
		*ran = nil
		if err := Off(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(*ran, "nmcli connection reload"); got != more {
			t.Errorf("Off, time %d: ran %v", i+1, *ran)
		}
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the profile is still there: %v", err)
	}
}

// A radio whose country cannot be set may still work; one that NetworkManager cannot use may not.
func TestWhatFailsIsSaid(t *testing.T) {
	for fails, goesOn := range map[string]bool{"iw reg": true, "radio wifi": false, "connection up": false} {
		p, ran := places(t, fails)
		if err := (WiFi{Name: "Mimpi", Interface: "wlan0", Country: "ID"}).On(t.Context(), p); err == nil {
			t.Errorf("%s fails, and nobody says so", fails)
		}
		if up := strings.Contains(strings.Join(*ran, "\n"), "connection up"); up != (goesOn || fails == "connection up") {
			t.Errorf("%s fails: ran %v", fails, *ran)
		}
	}
}
