package display

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// Names by which windows are told apart: their Wayland app_id.
const (
	TouchWindow = "mimpi-touch"
	StageWindow = "mimpi-stage"
	FilmWindow  = "mimpi-film"
)

// CursorTheme is the theme of cursors that cannot be seen, in the session's icons folder.
const CursorTheme = "mimpi-none"

// Files gives the files of a session by their path in its folder: the rules of labwc for
// these places, and the cursors.
func (w Wanted) Files(p Places) (map[string][]byte, error) {
	rules, err := w.rules(p)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{"labwc/rc.xml": rules}
	if !w.Cursor {
		theme := "[Icon Theme]\nName=" + CursorTheme + "\n"
		files["icons/"+CursorTheme+"/index.theme"] = []byte(theme)
		for _, name := range cursors {
			files["icons/"+CursorTheme+"/cursors/"+name] = noCursor()
		}
	}
	return files, nil
}

// rc is labwc's rc.xml. Keys that labwc does not know it leaves alone.
type rc struct {
	XMLName xml.Name `xml:"labwc_config"`
	Core    struct {
		Decoration string `xml:"decoration"`
	} `xml:"core"`
	Keyboard struct {
		Binds []bind `xml:"keybind"`
	} `xml:"keyboard"`
	Mouse struct {
		Contexts []mouseContext `xml:"context"`
	} `xml:"mouse"`
	Touch       []touch      `xml:"touch"`
	WindowRules []windowRule `xml:"windowRules>windowRule"`
}

type action struct {
	Name   string `xml:"name,attr"`
	Output string `xml:"output,attr,omitempty"`
}

type bind struct {
	Key    string `xml:"key,attr"`
	Action action `xml:"action"`
}

type mouseContext struct {
	Name  string `xml:"name,attr"`
	Binds []struct {
		Button string `xml:"button,attr"`
		On     string `xml:"action,attr"`
		Action action `xml:"action"`
	} `xml:"mousebind"`
}

type touch struct {
	Device string `xml:"deviceName,attr,omitempty"`
	Output string `xml:"mapToOutput,attr"`
}

type windowRule struct {
	Window     string  `xml:"identifier,attr"`
	Decoration string  `xml:"serverDecoration,attr"`
	Action     *action `xml:"action,omitempty"`
}

func (w Wanted) rules(p Places) ([]byte, error) {
	var c rc
	c.Core.Decoration = "client" // Chromium's and mpv's full-screen windows have none
	// One bind of each kind, or labwc takes its own: a terminal, window switching, menus.
	c.Keyboard.Binds = []bind{{Key: "XF86Launch9", Action: action{Name: "None"}}}
	c.Mouse.Contexts = []mouseContext{{Name: "Root"}}
	c.Mouse.Contexts[0].Binds = append(c.Mouse.Contexts[0].Binds, struct {
		Button string `xml:"button,attr"`
		On     string `xml:"action,attr"`
		Action action `xml:"action"`
	}{"Left", "Press", action{Name: "None"}})
	if p.Touch != "" {
		t := touch{Output: p.Touch}
		if w.TouchDevice != Auto {
			t.Device = w.TouchDevice
		}
		c.Touch = []touch{t}
	}
	for _, r := range []struct{ window, output string }{
		{TouchWindow, p.Touch}, {StageWindow, p.Stage}, {FilmWindow, p.Stage},
	} {
		rule := windowRule{Window: r.window, Decoration: "no"}
		if r.output != "" {
			rule.Action = &action{Name: "MoveToOutput", Output: r.output}
		}
		c.WindowRules = append(c.WindowRules, rule)
	}
	out, err := xml.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write labwc's rules: %w", err)
	}
	return append([]byte(xml.Header+"<!-- Made by mimpi-kiosk display from [display] of kiosk.toml. -->\n"), append(out, '\n')...), nil
}

// cursors are the names that programs ask a theme for.
var cursors = []string{
	"default", "left_ptr", "arrow", "top_left_arrow", "pointer", "hand", "hand1", "hand2", "pointing_hand",
	"text", "xterm", "ibeam", "vertical-text", "wait", "watch", "progress", "left_ptr_watch", "half-busy",
	"crosshair", "cross", "move", "fleur", "all-scroll", "grab", "grabbing", "openhand", "closedhand", "dnd-move",
	"not-allowed", "no-drop", "forbidden", "crossed_circle", "help", "question_arrow", "context-menu", "cell",
	"copy", "alias", "zoom-in", "zoom-out", "none", "n-resize", "s-resize", "e-resize", "w-resize", "ne-resize",
	"nw-resize", "se-resize", "sw-resize", "ew-resize", "ns-resize", "nesw-resize", "nwse-resize", "col-resize",
	"row-resize", "sb_h_double_arrow", "sb_v_double_arrow",
}

// noCursor is an Xcursor file with one picture of one transparent pixel.
func noCursor() []byte {
	const picture, size = 0xfffd0002, 24
	var b bytes.Buffer
	b.WriteString("Xcur")
	for _, word := range []uint32{
		16, 0x10000, 1, // head: its size, version, pictures
		picture, size, 28, // contents: kind, size it is for, place in the file
		36, picture, size, 1, // picture: size of its head, kind, size it is for, version
		1, 1, 0, 0, 0, // width, height, hot spot, delay
		0, // the pixel
	} {
		_ = binary.Write(&b, binary.LittleEndian, word) // a Buffer takes everything
	}
	return b.Bytes()
}

// write puts files below a folder and says whether any of them changed.
func write(folder string, files map[string][]byte) (bool, error) {
	changed := false
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(folder, name)
		old, err := readSmall(path)
		if err == nil && bytes.Equal(old, files[name]) {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return changed, fmt.Errorf("the folder of the display session cannot be made: %w", err)
		}
		// Renamed into place: labwc may read it at any moment.
		if err := os.WriteFile(path+".new", files[name], 0o644); err != nil {
			return changed, fmt.Errorf("write a file of the display session: %w", err)
		}
		if err := os.Rename(path+".new", path); err != nil {
			return changed, fmt.Errorf("write a file of the display session: %w", err)
		}
		changed = true
	}
	return changed, nil
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() > 1<<20 {
		return nil, fs.ErrInvalid
	}
	return io.ReadAll(f)
}
