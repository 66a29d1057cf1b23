package config_test

import (
	"encoding/json"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/google/go-cmp/cmp"

	"mimpi-kiosk/kiosk-ui/lang"

	"mimpi-kiosk/internal/config"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestDefaultIsValid(t *testing.T) {
	if err := config.Default().Validate(); err != nil {
		t.Error(err)
	}
}

// The sample is decoded without the defaults behind it, so a setting that the sample
// leaves out shows up as a difference.
func TestSampleSaysTheDefaultsInFull(t *testing.T) {
	var sample config.Config
	if _, err := toml.Decode(config.Sample(), &sample); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), sample); diff != "" {
		t.Errorf("sample differs from the defaults (-default +sample):\n%s", diff)
	}
	parsed, err := config.Parse("kiosk.toml", []byte(config.Sample()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), parsed); diff != "" {
		t.Errorf("parsed sample (-default +sample):\n%s", diff)
	}
}

// Values that are empty or false by default would not be missed by the comparison.
func TestSampleNamesEverySetting(t *testing.T) {
	meta, err := toml.Decode(config.Sample(), &map[string]any{})
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"public_url", "wifi.name", "wifi.password", "wifi.hidden", "clicker.gpio.chip", "clicker.gpio.voting"} {
		if !meta.IsDefined(strings.Split(key, ".")...) {
			t.Errorf("the sample does not have %s", key)
		}
	}
}

func TestParseTakesWhatTheFileSays(t *testing.T) {
	text := strings.ReplaceAll(`listen = "127.0.0.1:0"
hosts = []
public_url = "https://[fd00::1]:8443"
timezone = "Asia/Jakarta"
[wifi]
name = "Mimpi \"Balai Desa\""
password = "rahasia;123"
hidden = true
[touch]
thank_you_pause = "200ms"
[poll]
share_minimum = 20
[[attendance]]
id = "person"
label = { id = "Orang", tet = "Ema" }
[clicker.keyboard]
enabled = false
`, "\n", "\r\n")
	got, err := config.Parse("kiosk.toml", []byte("\ufeff"+text)) // as Notepad on Windows saves it
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Listen = "127.0.0.1:0"
	want.Hosts = []string{}
	want.PublicURL = "https://[fd00::1]:8443"
	want.Timezone = "Asia/Jakarta"
	want.WiFi = config.WiFi{Name: `Mimpi "Balai Desa"`, Password: "rahasia;123", Security: config.WPA, Hidden: true, Interface: "wlan0", Country: "ID"}
	want.Touch.ThankYouPause = 200 * time.Millisecond
	want.Poll.ShareMinimum = 20
	want.Attendance = []config.Category{{ID: "person", Label: map[string]string{"id": "Orang", "tet": "Ema"}}}
	want.Clicker.Keyboard.Enabled = false
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	zone, err := got.Location()
	if err != nil {
		t.Fatal(err)
	}
	if at := time.Date(2026, 11, 24, 19, 0, 0, 0, zone).Format(time.RFC3339); at != "2026-11-24T19:00:00+07:00" {
		t.Errorf("time in the zone = %s", at)
	}
}

func TestEmptyFileIsTheDefault(t *testing.T) {
	got, err := config.Parse("kiosk.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(config.Default(), got); diff != "" {
		t.Errorf("(-default +got):\n%s", diff)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "kiosk.toml")
	write(t, good, "listen = \":9000\"\n")
	if c, err := config.Load(good); err != nil || c.Listen != ":9000" {
		t.Errorf("Load = %q, %v", c.Listen, err)
	}

	missing := filepath.Join(dir, "missing.toml")
	if _, err := config.Load(missing); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("missing file: %v", err)
	}

	large := filepath.Join(dir, "film.mp4")
	write(t, large, strings.Repeat("#", 1<<20+1))
	var problems config.Problems
	if _, err := config.Load(large); !errors.As(err, &problems) || problems[0].File != large {
		t.Errorf("large file: %v", err)
	}

	if _, err := config.Load(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a folder: %v", err)
	}
}

// Each testdata/*.toml is wrong, and the .golden beside it holds the sentences.
func TestProblems(t *testing.T) {
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".toml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			c, err := config.Parse("kiosk.toml", data)
			var problems config.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("error = %v, want Problems", err)
			}
			if diff := cmp.Diff(config.Default(), c); diff != "" {
				t.Errorf("with problems the defaults are given (-default +got):\n%s", diff)
			}
			golden := strings.TrimSuffix(file, ".toml") + ".golden"
			got := err.Error() + "\n"
			for _, p := range problems {
				got += p.Notice()["id"] + "\n"
			}
			if *update {
				write(t, golden, got)
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("sentences (-want +got):\n%s", diff)
			}
		})
	}
}

// english finds words that an Indonesian sentence has not got. What stands in quotes or
// brackets is to be written as it is.
var (
	english = regexp.MustCompile(`(?i)\b(is|are|the|give|with|has|have|such|must|cannot|did|mean|which|take|out|set|but|not|below)\b`)
	literal = regexp.MustCompile("\"[^\"]*\"|\\[[^\\]]*\\]|=\\s*\\S+|kiosk\\.toml|\\w+(\\[\\d+\\])?\\.[a-z_.]+")
)

// Every sentence of this package, and every problem of the test files, is Indonesian in
// Indonesian: half of a sentence in another language helps nobody.
func TestIndonesianIsIndonesian(t *testing.T) {
	var sentences map[string]string
	data, err := fs.ReadFile(lang.Files(), "id.json")
	if err == nil {
		err = json.Unmarshal(data, &sentences)
	}
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	look := func(from, sentence string) {
		looked++
		if word := english.FindString(literal.ReplaceAllString(sentence, "")); word != "" {
			t.Errorf("%s: the word %q in %q", from, word, sentence)
		}
	}
	for key, sentence := range sentences {
		if strings.HasPrefix(key, "config.") {
			look(key, sentence)
		}
	}
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, problems := config.Settle(nil, config.File{Name: "kiosk.toml", Data: data})
		for _, p := range problems {
			look(file, p.Notice()["id"])
		}
	}
	if looked < 100 {
		t.Errorf("only %d sentences were looked at", looked)
	}
}

// What a key that nothing reads was most likely meant to be.
func TestNearKeys(t *testing.T) {
	for _, c := range []struct{ text, key, near string }{
		{"[display]\nrotate = 90\n", "display.rotate", "display.touch_rotation or display.stage_rotation"},
		{"[display]\nrotation = 90\n", "display.rotation", "display.touch_rotation or display.stage_rotation"},
		{"[display]\nstag = \"auto\"\n", "display.stag", "display.stage"},
		{"[wifi]\npasword = \"12345678\"\n", "wifi.pasword", "wifi.password"},
		{"[wifi]\npass = \"12345678\"\n", "wifi.pass", "wifi.password"},
		{"[film]\nvolume = 100\n", "film.volume", "film.volume_max"},
		{"[film]\naudio = \"auto\"\n", "film.audio", "film.audio_device"},
		{"[voice]\nspeed = 135\n", "voice.speed", ""},
		{"lisetn = \":80\"\n", "lisetn", "listen"},
		{"colour = 1\n", "colour", ""},
		{"share_minimum = 10\n", "share_minimum", "poll.share_minimum"},
	} {
		_, problems := config.Settle(nil, config.File{Name: "kiosk.toml", Data: []byte(c.text)})
		if len(problems) == 0 {
			t.Errorf("%q: no problem", c.text)
			continue
		}
		notice := problems[0].Notice()
		_, near, _ := strings.Cut(notice["en"], "did you mean ")
		near, _, _ = strings.Cut(strings.TrimSuffix(near, "?"), ", below")
		if problems[0].Key != c.key || near != c.near {
			t.Errorf("%q: key %s, near %q, want %q (%s)", c.text, problems[0].Key, near, c.near, notice["en"])
		}
		for code, sentence := range notice {
			if strings.HasSuffix(sentence, "?.") || strings.HasSuffix(sentence, "..") {
				t.Errorf("%s: %s", code, sentence)
			}
		}
	}
}

// A Config made in Go is checked by the same rules, without file and line.
func TestValidate(t *testing.T) {
	c := config.Default()
	c.Poll.ShareMinimum = 0
	c.Attendance[1].Key = "1"
	want := "poll.share_minimum is 0: give a whole number from 10 to 1000\n" +
		`attendance[2].key is "1", which group 1 (woman) has: give each its own key`
	if err := c.Validate(); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// The values at both ends of a range, and those just outside.
func TestBounds(t *testing.T) {
	for _, test := range []struct{ key, low, high, below, above string }{
		{"touch.thank_you_pause", `"100ms"`, `"10s"`, `"99ms"`, `"10.1s"`},
		{"touch.idle", `"5s"`, `"30m"`, `"4.9s"`, `"31m"`},
		{"poll.share_minimum", "10", "1000", "9", "1001"},
		{"limits.max_connections", "16", "65536", "15", "65537"},
		{"limits.max_connections_per_address", "2", "65536", "1", "65537"},
		{"limits.message_bytes", "1024", "1048576", "1023", "1048577"},
		{"limits.messages_per_second", "1", "1000", "0", "1001"},
		{"limits.message_burst", "1", "1000", "0", "1001"},
		{"wifi.name", `"n"`, `"` + strings.Repeat("n", 32) + `"`, "", `"` + strings.Repeat("n", 33) + `"`},
		{"wifi.password", `"12345678"`, `"` + strings.Repeat("ab", 32) + `"`, `"1234567"`, `"` + strings.Repeat("zz", 32) + `"`},
		{"clicker.gpio.debounce", `"1ms"`, `"100ms"`, `"999us"`, `"101ms"`},
		{"clicker.gpio.long_press", `"0s"`, `"5s"`, "", `"5.1s"`},
		{"listen", `":0"`, `"[::1]:65535"`, `"8080"`, `":65536"`},
		{"public_url", `""`, `"http://a.b:1"`, `"http://a:0"`, `"http://a/"`},
	} {
		file := func(value string) []byte {
			text := test.key + " = " + value + "\n"
			if strings.HasPrefix(test.key, "wifi.") && test.key != "wifi.name" {
				text += `wifi.name = "Mimpi"` + "\n"
			}
			if test.key == "wifi.name" {
				text += `wifi.security = "none"` + "\n"
			}
			return []byte(text)
		}
		for _, value := range []string{test.low, test.high} {
			if _, err := config.Parse("kiosk.toml", file(value)); err != nil {
				t.Errorf("%s = %s: %v", test.key, value, err)
			}
		}
		for _, value := range []string{test.below, test.above} {
			if value == "" {
				continue
			}
			var problems config.Problems
			if _, err := config.Parse("kiosk.toml", file(value)); !errors.As(err, &problems) || len(problems) != 1 ||
				problems[0].Key != test.key || problems[0].Line != 1 {
				t.Errorf("%s = %s: got %v, want one problem on line 1", test.key, value, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(config.Sample()))
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse("kiosk.toml", data)
		if err == nil {
			if err := c.Validate(); err != nil {
				t.Errorf("taken, but not valid: %v", err)
			}
			return
		}
		var problems config.Problems
		if !errors.As(err, &problems) || len(problems) == 0 {
			t.Fatalf("error %v is not Problems", err)
		}
		lines := strings.Count(string(data), "\n") + 1
		for _, p := range problems {
			if p.File != "kiosk.toml" || p.Say["id"] == "" || p.Say["en"] == "" || p.Line < 0 || p.Line > lines {
				t.Errorf("problem %+v of a file of %d lines", p, lines)
			}
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
