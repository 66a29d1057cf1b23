package root

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMirror(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"deb822":   {"sources.list.d/debian.sources", "Types: deb\nURIs: http://deb.example/debian\nSuites: trixie\n", "http://deb.example/debian"},
		"one line": {"sources.list", "deb [signed-by=/x.gpg] http://deb.example/debian/ bookworm main\n", "http://deb.example/debian/"},
		"no other": {"sources.list.d/node.sources", "URIs: https://deb.example/node_20.x\n", ""},
		"off":      {"sources.list.d/debian.sources.off", "URIs: http://deb.example/debian\n", ""},
		"none":     {"sources.list.d/empty.list", "", ""},
	} {
		apt := t.TempDir()
		path := filepath.Join(apt, c.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if got, err := Mirror(apt); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
