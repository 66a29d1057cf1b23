package display

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

var (
	dsi       = Output{Name: "DSI-1", Width: 800, Height: 480}
	dsiLarge  = Output{Name: "DSI-2", Width: 1920, Height: 1200}
	hdmi1     = Output{Name: "HDMI-A-1", Width: 1280, Height: 720}
	hdmi2     = Output{Name: "HDMI-A-2", Width: 1280, Height: 720}
	hdmiSmall = Output{Name: "HDMI-A-2", Width: 1024, Height: 600}
)

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		name         string
		touch, stage string
		outputs      []Output
		want         Places
	}{
		{"none", Auto, Auto, nil, Places{}},
		{"named, none", "DSI-1", "HDMI-A-1", nil, Places{}},
		{"the ribbon cable is touch", Auto, Auto, []Output{dsi, hdmi1}, Places{"DSI-1", "HDMI-A-1"}},
		{"however large it is", Auto, Auto, []Output{dsiLarge, hdmi1}, Places{"DSI-2", "HDMI-A-1"}},
		{"the smaller is touch", Auto, Auto, []Output{hdmi1, hdmiSmall}, Places{"HDMI-A-2", "HDMI-A-1"}},
		{"alike", Auto, Auto, []Output{hdmi1, hdmi2}, Places{"HDMI-A-1", "HDMI-A-2"}},
		{"three", Auto, Auto, []Output{dsi, hdmi1, hdmi2}, Places{"DSI-1", "HDMI-A-2"}},
		{"named touch", "HDMI-A-2", Auto, []Output{hdmi1, hdmi2}, Places{"HDMI-A-2", "HDMI-A-1"}},
		{"named stage", Auto, "HDMI-A-1", []Output{hdmi1, hdmi2}, Places{"HDMI-A-2", "HDMI-A-1"}},
		{"named against the guess", "HDMI-A-1", "DSI-1", []Output{dsi, hdmi1}, Places{"HDMI-A-1", "DSI-1"}},
		{"a name that is not there", "HDMI-A-7", Auto, []Output{dsi, hdmi1}, Places{"DSI-1", "HDMI-A-1"}},
		{"two names that are not there", "A", "B", []Output{dsi, hdmi1}, Places{"DSI-1", "HDMI-A-1"}},
		{"alone", Auto, Auto, []Output{dsi}, Places{"DSI-1", "DSI-1"}},
		{"alone, meant for the stage", "DSI-1", "HDMI-A-1", []Output{hdmi1}, Places{"HDMI-A-1", "HDMI-A-1"}},
	} {
		got := Wanted{Touch: c.touch, Stage: c.stage}.Places(c.outputs)
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		reversed := slices.Clone(c.outputs)
		slices.Reverse(reversed)
		if again := (Wanted{Touch: c.touch, Stage: c.stage}).Places(reversed); again != got {
			t.Errorf("%s: %+v with the outputs in another order", c.name, again)
		}
		if got.Alone() != (len(c.outputs) == 1) {
			t.Errorf("%s: Alone is %v", c.name, got.Alone())
		}
	}
}

func TestFiles(t *testing.T) {
	for name, c := range map[string]struct {
		wanted Wanted
		places Places
	}{
		"two-screens": {Wanted{TouchDevice: Auto}, Places{"DSI-1", "HDMI-A-1"}},
		"no-screens":  {Wanted{TouchDevice: Auto}, Places{}},
		"alone":       {Wanted{TouchDevice: "ILITEK <Multi> \"Touch\"", Cursor: true}, Places{"HDMI-A-1", "HDMI-A-1"}},
	} {
		files, err := c.wanted.Files(c.places)
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".xml")
		if *update {
			if err := os.WriteFile(golden, files["labwc/rc.xml"], 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(files["labwc/rc.xml"])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if _, hidden := files["icons/mimpi-none/cursors/default"]; hidden == c.wanted.Cursor {
			t.Errorf("%s: cursor hidden: %v", name, hidden)
		}
	}
}

func TestOnlyChangedFilesAreWritten(t *testing.T) {
	folder := t.TempDir()
	files := map[string][]byte{"a/b": []byte("1"), "c": []byte("2")}
	for i, want := range []bool{true, false, true, false} {
		if i == 2 {
			files["c"] = []byte("3")
		}
		if changed, err := write(folder, files); err != nil || changed != want {
			t.Errorf("time %d: %v, %v", i, changed, err)
		}
	}
	if data, err := os.ReadFile(filepath.Join(folder, "c")); err != nil || string(data) != "3" {
		t.Errorf("c holds %q, %v", data, err)
	}
}

// FuzzEvents: whatever a compositor says, it is taken or refused, never a panic.
func FuzzEvents(f *testing.F) {
	event := func(object uint32, opcode int, body ...uint32) []byte {
		out := binary.NativeEndian.AppendUint32(nil, object)
		out = binary.NativeEndian.AppendUint32(out, uint32(len(body)*4+8)<<16|uint32(opcode))
		for _, word := range body {
			out = binary.NativeEndian.AppendUint32(out, word)
		}
		return out
	}
	f.Add(event(100, outputDone))
	f.Add(event(100, outputMode, 1, 1280, 720, 60000))
	f.Add(event(100, outputName, 6, 0x2d495344, 0x31))
	f.Add(event(100, outputGeometry, 0, 0, 10, 10, 0, 0, 0xffffffff, 3))
	f.Add(event(displayID, displayError, 1, 2, 3, 0x00000041))
	f.Fuzz(func(t *testing.T, data []byte) {
		w := &wire{outputs: map[uint32]*screen{100: {}}, nextID: 101}
		for r := bytes.NewReader(data); r.Len() >= 8; {
			head := make([]byte, 8)
			_, _ = r.Read(head) // there are 8
			object, word := binary.NativeEndian.Uint32(head), binary.NativeEndian.Uint32(head[4:])
			if object == registryID {
				continue // those are answered, and there is nobody
			}
			body := make([]byte, min(int(word>>16), r.Len()))
			_, _ = r.Read(body)
			if err := w.event(object, int(word&0xffff), &arguments{rest: body}); err != nil && !errors.Is(err, ErrCompositor) {
				t.Errorf("refused with %v", err)
			}
		}
		w.list()
	})
}
