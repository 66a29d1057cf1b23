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

// What mounts sticks is installed as the package has it, and taken away whole.
func TestWhatIsInstalledBesideTheUnit(t *testing.T) {
	recipe, err := os.ReadFile("../../systemd/deb/nfpm.yaml")
	if err != nil {
		t.Fatal(err)
	}
	places := strings.NewReplacer("etc/systemd/", "usr/lib/systemd/", "etc/udev/", "usr/lib/udev/", "etc/tmpfiles.d/", "usr/lib/tmpfiles.d/")
	root := t.TempDir()
	if err := putBeside(root); err != nil {
		t.Fatal(err)
	}
	for _, b := range beside {
		info, err := os.Stat(filepath.Join(root, b.path))
		if err != nil || info.Mode().Perm() != b.mode || info.Size() == 0 {
			t.Errorf("%s: %v, %v", b.path, info, err)
		}
		if packaged := "{src: systemd/" + b.file + ", dst: /" + places.Replace(b.path); !strings.Contains(string(recipe), packaged) {
			t.Errorf("the package has %s elsewhere", b.file)
		}
	}
	if err := takeBeside(root); err != nil {
		t.Fatal(err)
	}
	if err := takeBeside(root); err != nil {
		t.Errorf("once more, with nothing there: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(root, "*/*/*/*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
