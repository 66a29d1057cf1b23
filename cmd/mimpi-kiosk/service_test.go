package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mimpi-kiosk/systemd"
)

// kardianos/service takes the unit for a template; what it would make something of must
// not be in there. And what it writes into the unit's place must be the unit.
func TestTheUnitIsNoTemplate(t *testing.T) {
	if strings.Contains(systemd.Unit, "{{") || !strings.Contains(systemd.Unit, "ExecStart="+installedPlaces.program+" run") {
		t.Errorf("the unit:\n%s", systemd.Unit)
	}
}

func TestWhenTheServiceMayBeInstalled(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	p := servicePlaces{packaged: []string{at("usr.service"), at("lib.service")}, program: at("program"), pack: at("pack")}

	make := func(name string) {
		if err := os.WriteFile(at(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(why string) {
		t.Helper()
		if err := p.mayInstall(); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("not refused because of %q: %v", why, err)
		}
	}

	refused("copy this program")
	make("program")
	refused("copy media/mimpi-beta")
	make("pack")
	if err := p.mayInstall(); err != nil {
		t.Error(err)
	}
	if err := p.mayUninstall(); err != nil {
		t.Error(err)
	}
	make("lib.service")
	refused("service start")
	if err := p.mayUninstall(); err == nil || !strings.Contains(err.Error(), "apt remove") {
		t.Errorf("the package's unit may be uninstalled: %v", err)
	}
}
