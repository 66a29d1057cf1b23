package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"mimpi-kiosk/systemd"
)

// exposure is what "systemd-analyze security" says of a unit, from 0 to 10.
func exposure(t *testing.T, unit string) float64 {
	t.Helper()
	out, err := exec.Command("systemd-analyze", "security", "--offline=true", "--no-pager", unit).CombinedOutput()
	match := regexp.MustCompile(`Overall exposure level for \S+: ([0-9.]+)`).FindSubmatch(out)
	if match == nil {
		t.Fatalf("systemd-analyze (of the package systemd): %v: %s", err, out)
	}
	level, err := strconv.ParseFloat(string(match[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return level
}

func TestTheDaemonSitsInASandbox(t *testing.T) {
	const most = 2.0
	if level := exposure(t, "mimpi-kiosk.service"); level > most {
		t.Errorf("the exposure is %.1f, more than %.1f: `systemd-analyze security --offline=true systemd/mimpi-kiosk.service` says what opens it", level, most)
	}
}

// misread is what systemd does not understand in unit files. Programs that are not on
// this machine are not what is asked here.
func misread(t *testing.T, units ...string) []string {
	t.Helper()
	out, err := exec.Command("systemd-analyze", append([]string{"verify", "--man=no"}, units...)...).CombinedOutput()
	var wrong []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, "mimpi-kiosk") && !strings.Contains(line, "is not executable: No such file") {
			wrong = append(wrong, line)
		}
	}
	if err != nil && len(out) == 0 {
		t.Fatal(err)
	}
	return wrong
}

func TestSystemdUnderstandsTheUnits(t *testing.T) {
	units, err := filepath.Glob("*.service")
	if err != nil {
		t.Fatal(err)
	}
	sockets, err := filepath.Glob("*.socket")
	if err != nil {
		t.Fatal(err)
	}
	if units = append(units, sockets...); len(units) < 5 {
		t.Fatalf("only %q were looked at", units)
	}
	for i, unit := range units {
		units[i] = "./" + strings.ReplaceAll(unit, "@.", "@stage.")
	}
	for _, wrong := range misread(t, units...) {
		t.Error(wrong)
	}

	bad := filepath.Join(t.TempDir(), "mimpi-kiosk.service")
	if err := os.WriteFile(bad, []byte(strings.Replace(systemd.Unit, "WatchdogSec=", "WatchdogSecs=", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if len(misread(t, bad)) == 0 {
		t.Error("a misspelt setting was not noticed")
	}
}

// A file that is not in the package is missed first in the village.
func TestThePackageHasEveryFile(t *testing.T) {
	recipe, err := os.ReadFile("deb/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var scripts [3]string
	for i, name := range []string{"postinst", "prerm", "postrm"} {
		script, err := os.ReadFile(filepath.Join("deb", name))
		if err != nil {
			t.Fatal(err)
		}
		scripts[i] = string(script)
	}
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := file.Name()
		if ext := filepath.Ext(name); file.IsDir() || ext == ".go" || ext == ".md" {
			continue
		}
		if !strings.Contains(string(recipe), "{src: systemd/"+name+", dst: /") {
			t.Errorf("%s is not in deb/nfpm.yaml", name)
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "\n[Install]\n") {
			continue
		}
		for _, script := range scripts {
			if !strings.Contains(script, name) {
				t.Errorf("%s is enabled by nobody, or stays behind: see the lists of units in deb/postinst, prerm and postrm", name)
			}
		}
	}
}
