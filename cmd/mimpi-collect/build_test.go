package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestNoCInIt lists what the program is made of on each system of the coordinators:
// nothing of it needs a C compiler, and nothing is missing there. "make collect" builds them.
func TestNoCInIt(t *testing.T) {
	for _, system := range []string{"windows/amd64", "darwin/arm64", "darwin/amd64", "linux/amd64"} {
		goos, arch, _ := strings.Cut(system, "/")
		for cgo, format := range map[string]string{
			"1": `{{if and .CgoFiles (not .Standard)}}{{.ImportPath}} {{end}}`,
			"0": `{{with .Error}}{{.}} {{end}}{{if and (not .GoFiles) (not .Standard)}}{{.ImportPath}} {{end}}`,
		} {
			cmd := exec.Command("go", "list", "-e", "-deps", "-f", format, ".")
			cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+arch, "CGO_ENABLED="+cgo)
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v", system, err)
			}
			if left := strings.TrimSpace(string(out)); left != "" {
				t.Errorf("%s with CGO_ENABLED=%s: %s", system, cgo, left)
			}
		}
	}
}
