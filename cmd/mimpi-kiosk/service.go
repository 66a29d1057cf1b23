package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/kardianos/service"
	"github.com/spf13/cobra"

	"mimpi-kiosk/systemd"
)

const serviceName = "mimpi-kiosk"

// places of what "service install" meets and needs.
type servicePlaces struct {
	packaged []string // the unit as a package ships it
	program  string   // what the unit starts
	pack     string   // and what that reads
}

var installedPlaces = servicePlaces{
	packaged: []string{"/usr/lib/systemd/system/mimpi-kiosk.service", "/lib/systemd/system/mimpi-kiosk.service"},
	program:  "/usr/bin/mimpi-kiosk",
	pack:     installedPack,
}

// byPackage says whether the Debian package brought the unit.
func (p servicePlaces) byPackage() bool {
	for _, unit := range p.packaged {
		if exists(unit) {
			return true
		}
	}
	return false
}

// mayInstall refuses what would not work, with what to do instead.
func (p servicePlaces) mayInstall() error {
	switch {
	case p.byPackage():
		return errors.New("the package mimpi-kiosk has installed the service, and a second unit would hide the package's. Use `mimpi-kiosk service start`")
	case !exists(p.program):
		return fmt.Errorf("the service starts %s, which is not there: copy this program to it first", p.program)
	case !exists(p.pack):
		return fmt.Errorf("the service shows the pack in %s, which is not there: copy media/mimpi-beta to it first", p.pack)
	}
	return nil
}

func (p servicePlaces) mayUninstall() error {
	if p.byPackage() {
		return errors.New("the package mimpi-kiosk has installed the service. Use `apt remove mimpi-kiosk`; the records of the screenings stay")
	}
	return nil
}

func serviceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "service", Short: "Install, start and stop the daemon as a service of systemd",
		Long: "Install, start and stop the daemon as a service of systemd; needs root.\n" +
			exitCodes("done; of status: the daemon runs", "not done; of status: it does not run", "wrong use"),
	}
	verb := func(name, short string, run func(service.Service) error) {
		cmd.AddCommand(&cobra.Command{Use: name, Short: short, Example: "  sudo mimpi-kiosk service " + name, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := systemService()
			if err != nil {
				return err
			}
			if err := run(s); err != nil {
				return fmt.Errorf("service %s: %w", name, err)
			}
			return nil
		}})
	}
	verb("install", "Install the unit of the daemon where no package did", func(s service.Service) error {
		if err := installedPlaces.mayInstall(); err != nil {
			return err
		}
		users := exec.Command("systemd-sysusers", "-")
		users.Stdin = strings.NewReader(systemd.Sysusers)
		if out, err := users.CombinedOutput(); err != nil {
			return fmt.Errorf("make the users of the service: %w: %s", err, strings.TrimSpace(string(out)))
		}
		if err := putBeside("/"); err != nil {
			return err
		}
		if err := s.Install(); err != nil {
			return err
		}
		if err := inOrder([][]string{
			{"systemd-tmpfiles", "--create", "mimpi-kiosk-usb.conf"},
			{"systemctl", "enable", "--now", "mimpi-kiosk-usb-requests.path"},
		}); err != nil {
			return err
		}
		return tellUdev()
	})
	verb("uninstall", "Stop the daemon and take away what install put there; the records stay", func(s service.Service) error {
		if err := installedPlaces.mayUninstall(); err != nil {
			return err
		}
		if err := inOrder([][]string{
			{"systemctl", "disable", "--now", "mimpi-kiosk-usb-requests.path"},
			{"systemctl", "stop", "mimpi-kiosk-usb@*.service"},
		}); err != nil {
			return err
		}
		if err := errors.Join(s.Stop(), takeBeside("/"), s.Uninstall()); err != nil {
			return err
		}
		return tellUdev()
	})
	verb("start", "Start the daemon", service.Service.Start)
	verb("stop", "Stop the daemon until it is started again or the machine is", func(s service.Service) error {
		if installedPlaces.byPackage() {
			// Port 80 first, or the next phone would start the daemon again.
			if err := inOrder([][]string{{"systemctl", "stop", "mimpi-kiosk.socket"}}); err != nil {
				return err
			}
		}
		return s.Stop()
	})
	verb("restart", "Stop the daemon and start it again", service.Service.Restart)
	verb("status", "Say whether the daemon runs; exit code 0 if it does", func(s service.Service) error {
		status, err := s.Status()
		if err != nil {
			return err
		}
		if status != service.StatusRunning {
			return errors.New("it does not run. `mimpi-kiosk service start` starts it; `journalctl -u mimpi-kiosk` says what it said")
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), "running")
		return err
	})
	return cmd
}

// beside is what mounts USB sticks and opens the GPIO chip, by where the package has it.
// What an administrator puts there goes to /etc; the units name the program's place.
var beside = []struct {
	file, path string
	mode       os.FileMode
}{
	{"mimpi-kiosk-usb", "usr/lib/mimpi-kiosk/usb", 0o755},
	{"mimpi-kiosk-usb@.service", "etc/systemd/system/mimpi-kiosk-usb@.service", 0o644},
	{"mimpi-kiosk-usb-requests.path", "etc/systemd/system/mimpi-kiosk-usb-requests.path", 0o644},
	{"mimpi-kiosk-usb-requests.service", "etc/systemd/system/mimpi-kiosk-usb-requests.service", 0o644},
	{"mimpi-kiosk-usb.tmpfiles", "etc/tmpfiles.d/mimpi-kiosk-usb.conf", 0o644},
	{"mimpi-kiosk-usb.rules", "etc/udev/rules.d/61-mimpi-kiosk-usb.rules", 0o644},
	{"mimpi-kiosk.rules", "etc/udev/rules.d/60-mimpi-kiosk.rules", 0o644},
}

func putBeside(root string) error {
	for _, b := range beside {
		data, err := systemd.Beside.ReadFile(b.file)
		if err != nil {
			return err
		}
		path := filepath.Join(root, b.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, data, b.mode); err != nil {
			return err
		}
	}
	return nil
}

func takeBeside(root string) (err error) {
	paths := []string{}
	for _, b := range beside {
		paths = append(paths, b.path)
	}
	for _, path := range append(paths, "usr/lib/mimpi-kiosk") { // the folder last
		if gone := os.Remove(filepath.Join(root, path)); !errors.Is(gone, os.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// tellUdev has it read its rules again and apply them to what is plugged in. A container
// has none.
func tellUdev() error {
	if !exists("/run/udev/control") {
		return nil
	}
	return inOrder([][]string{
		{"udevadm", "control", "--reload"},
		{"udevadm", "trigger", "--subsystem-match=gpio", "--subsystem-match=block"},
	})
}

// inOrder runs commands and stops at the first that fails.
func inOrder(commands [][]string) error {
	for _, c := range commands {
		if out, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(c, " "), err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}

func systemService() (service.Service, error) {
	if service.Platform() != "linux-systemd" {
		return nil, errors.New("there is no systemd here, which runs the service. `mimpi-kiosk run` serves without one")
	}
	return service.New(notAService{}, &service.Config{
		Name:       serviceName,
		Executable: installedPlaces.program,
		// The built-in unit knows neither readiness nor watchdog nor sandbox, and waits two
		// minutes before each restart.
		Option: service.KeyValue{"SystemdScript": systemd.Unit},
	})
}

// notAService satisfies the library, whose own main loop is not used: "run" is one.
type notAService struct{}

func (notAService) Start(service.Service) error { return errors.New("use `mimpi-kiosk run`") }
func (notAService) Stop(service.Service) error  { return os.ErrProcessDone }
