package config_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"mimpi-kiosk/internal/config"
)

func file(name, text string) config.File { return config.File{Name: name, Data: []byte(text)} }

func TestSettle(t *testing.T) {
	last := config.Default()
	last.Poll.ShareMinimum, last.Timezone = 25, "Asia/Jayapura"
	last.Touch.Idle = 2 * time.Minute
	for _, c := range []struct {
		name  string
		last  *config.Config
		files []config.File
		want  func(*config.Config)
		says  []string
	}{
		{"nothing", nil, nil, func(*config.Config) {}, nil},
		{"files that are not there", nil, []config.File{{Name: "a"}, {Name: "b"}}, func(*config.Config) {}, nil},
		{"the override wins, key by key", nil, []config.File{
			file("kiosk.toml", "listen = \":1\"\nhosts = [\"a\"]\n[wifi]\nname = \"X\"\npassword = \"12345678\"\n"),
			file("mimpi-kiosk.toml", "hosts = [\"b\"]\n[wifi]\nname = \"Y\"\n"),
		}, func(c *config.Config) {
			c.Listen, c.Hosts, c.WiFi.Name, c.WiFi.Password = ":1", []string{"b"}, "Y", "12345678"
		}, nil},
		{"a list of the override replaces", nil, []config.File{
			file("kiosk.toml", ""),
			file("mimpi-kiosk.toml", "[[attendance]]\nid = \"p\"\nlabel = { id = \"Orang\" }\n"),
		}, func(c *config.Config) {
			c.Attendance = []config.Category{{ID: "p", Label: map[string]string{"id": "Orang"}}}
		}, nil},
		{"a wrong value costs its key: the last good one holds", &last, []config.File{
			file("mimpi-kiosk.toml", "listen = \":1\"\n[poll]\nshare_minimum = 0\n"),
		}, func(c *config.Config) { c.Listen, c.Poll.ShareMinimum = ":1", 25 },
			[]string{"mimpi-kiosk.toml line 3: poll.share_minimum is 0: give a whole number from 10 to 1000; used instead: 25."}},
		{"without a last good one the default holds", nil, []config.File{
			file("mimpi-kiosk.toml", "timezone = \"WITA\"\n[touch]\nidle = \"1ns\"\n"),
		}, func(*config.Config) {},
			[]string{`line 1: timezone is "WITA"`, `used instead: "Asia/Makassar"`, "line 3: touch.idle is 1ns", "used instead: 1m0s"}},
		{"a wrong type costs its line", nil, []config.File{
			file("mimpi-kiosk.toml", "listen = 8080\n[poll]\nshare_minimum = \"x\"\n[touch]\nidle = \"90s\"\n"),
		}, func(c *config.Config) { c.Touch.Idle = 90 * time.Second },
			[]string{"line 1: listen is a whole number", "line 3: poll.share_minimum is text"}},
		{"an unclosed quote costs its line", nil, []config.File{
			file("mimpi-kiosk.toml", "timezone = \"Asia/Jakarta\nlisten = \":1\"\n"),
		}, func(c *config.Config) { c.Listen = ":1" }, []string{"line 1: the line cannot be read"}},
		{"quotes of Word", nil, []config.File{file("mimpi-kiosk.toml", "timezone = “Asia/Jakarta”\nlisten = \":1\"\n")},
			func(c *config.Config) { c.Listen = ":1" }, []string{"line 1: the line has slanted quotes"}},
		{"below a broken heading nothing is taken for the table above", nil, []config.File{
			file("mimpi-kiosk.toml", "[clicker.keyboard]\nundo = \"9\"\n[wifi\nenabled = false\nname = \"X\"\n[poll]\nshare_minimum = 20\n"),
		}, func(c *config.Config) { c.Clicker.Keyboard.Undo, c.Poll.ShareMinimum = "9", 20 }, []string{"line 3: the line cannot be read"}},
		{"unknown keys cost nothing", nil, []config.File{file("mimpi-kiosk.toml", "lisen = \":2\"\nlisten = \":1\"\n")},
			func(c *config.Config) { c.Listen = ":1" }, []string{"line 1: lisen is not a setting: did you mean listen?"}},
		{"a wrong group costs the groups, which belong together", nil, []config.File{
			file("kiosk.toml", "[[attendance]]\nid = \"woman\"\nlabel = { id = \"P\" }\n[[attendance]]\nid = \"A B\"\nlabel = { id = \"L\" }\n"),
		}, func(*config.Config) {}, []string{`kiosk.toml line 5: attendance[2].id is "A B"`}},
		{"two keys against each other", nil, []config.File{file("mimpi-kiosk.toml", "[clicker.keyboard]\nundo = \"1\"\n")},
			func(*config.Config) {}, []string{"mimpi-kiosk.toml line 2: clicker.keyboard.undo"}},
		{"a key against one that the kiosk's own file has", nil, []config.File{
			file("kiosk.toml", "[clicker.keyboard]\nundo = \"9\"\n"),
			file("mimpi-kiosk.toml", "[[attendance]]\nid = \"p\"\nkey = \"9\"\nlabel = { id = \"Orang\" }\n"),
		}, func(c *config.Config) {
			c.Attendance = []config.Category{{ID: "p", Key: "9", Label: map[string]string{"id": "Orang"}}}
		}, []string{"kiosk.toml line 2: clicker.keyboard.undo"}},
		{"a file that cannot be read leaves all that was good", &last, []config.File{
			file("kiosk.toml", "timezone = \"Asia/Makassar\"\n"),
			{Name: "mimpi-kiosk.toml", Err: os.ErrPermission},
		}, func(c *config.Config) {
			*c = last
			c.Timezone = "Asia/Makassar"
		}, []string{"mimpi-kiosk.toml: the file cannot be read"}},
		{"a picture under the name of the file", &last, []config.File{file("mimpi-kiosk.toml", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"+strings.Repeat("\n\x01\x02=", 300))},
			func(c *config.Config) { *c = last }, []string{"mimpi-kiosk.toml"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := config.Default()
			c.want(&want)
			got, problems := config.Settle(c.last, c.files...)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			said := ""
			for _, p := range problems {
				notice := p.Notice()
				said += notice["en"] + "\n"
				if p.File == "" || notice["id"] == "" {
					t.Errorf("problem %+v", p)
				}
			}
			for _, want := range c.says {
				if !strings.Contains(said, want) {
					t.Errorf("said:\n%swhich lacks %q", said, want)
				}
			}
			if len(c.says) == 0 && said != "" {
				t.Errorf("said %s", said)
			}
		})
	}
}

// The same file as the editors of the world save it.
func TestEncodings(t *testing.T) {
	text := "# Aula \u00e9\r\n[wifi]\r\nname = \"Aula \u00e9\"\r\npassword = \"12345678\"\r\n"
	utf16File := func(order binary.AppendByteOrder, mark bool) (out []byte) {
		units := utf16.Encode([]rune(text))
		if mark {
			units = append([]uint16{0xfeff}, units...)
		}
		for _, u := range units {
			out = order.AppendUint16(out, u)
		}
		return out
	}
	for name, data := range map[string][]byte{
		"UTF-8":                   []byte(text),
		"UTF-8 with mark":         []byte("\ufeff" + text),
		"UTF-16 LE":               utf16File(binary.LittleEndian, true),
		"UTF-16 BE":               utf16File(binary.BigEndian, true),
		"UTF-16 LE without mark":  utf16File(binary.LittleEndian, false),
		"ANSI of Western Windows": []byte(strings.ReplaceAll(text, "\u00e9", "\xe9")),
	} {
		c, err := config.Parse("kiosk.toml", data)
		if err != nil || c.WiFi.Name != "Aula \u00e9" {
			t.Errorf("%s: %q, %v", name, c.WiFi.Name, err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "mimpi-kiosk.toml")
	if f := config.Find(path); f.Err != nil || f.Data != nil || f.Name != path {
		t.Errorf("not there: %+v", f)
	}
	write(t, path+".txt", "listen = \":2\"\n")
	if f := config.Find(path); f.Name != path+".txt" || string(f.Data) != "listen = \":2\"\n" {
		t.Errorf("as Windows names it: %+v", f)
	}
	write(t, path, "listen = \":1\"\n")
	if f := config.Find(path); f.Name != path || string(f.Data) != "listen = \":1\"\n" {
		t.Errorf("both: %+v", f)
	}
	if f := config.Find(dir); f.Err == nil {
		t.Errorf("a folder: %+v", f)
	}
}

func TestLastGoodIsReadBack(t *testing.T) {
	c := config.Default()
	c.WiFi.Name, c.WiFi.Password, c.Touch.Idle, c.Hosts = "Aula \"é\"", "rahasia;123", 95*time.Second, []string{}
	data, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "last-good.toml")
	if config.LoadLastGood(path) != nil {
		t.Error("nothing there, but something was read")
	}
	write(t, path, string(data)+"\n[of_a_newer_version]\nx = 1\n")
	if got := config.LoadLastGood(path); got == nil {
		t.Error("not read back")
	} else if diff := cmp.Diff(c, *got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := config.Parse("x", data); err != nil {
		t.Error(err)
	}
}

// Whatever is in the files, what comes out can be used and every problem has its place.
func FuzzSettle(f *testing.F) {
	f.Add([]byte(config.Sample()), []byte("[poll]\nshare_minimum = 0\n"))
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte("[wifi]\nname = \"X\"\n"), data)
	}
	f.Fuzz(func(t *testing.T, base, over []byte) {
		c, problems := config.Settle(nil, config.File{Name: "a", Data: base}, config.File{Name: "b", Data: over})
		if err := c.Validate(); err != nil {
			t.Errorf("not usable: %v", err)
		}
		for _, p := range problems {
			if p.File != "a" && p.File != "b" || p.Notice()["en"] == "" {
				t.Errorf("problem %+v", p)
			}
		}
		if _, err := config.Parse("b", over); err == nil {
			alone, problems := config.Settle(nil, config.File{Name: "b", Data: over})
			if strict, _ := config.Parse("b", over); len(problems) > 0 || cmp.Diff(strict, alone) != "" {
				t.Errorf("sound, but %v", problems)
			}
		}
	})
}
