package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"mimpi-kiosk/internal/lab/visit"
)

// check is one thing that must hold; what it saw is printed.
type check struct {
	what string
	see  func(context.Context, *machine) (string, error)
}

var theChecks = []check{
	{"the unit is active, at both ports, in its sandbox", active},
	{"the verbs of the service", verbs},
	{"a screening over HTTP", screening},
	{"the sandbox lets it speak", speaks},
	{"a clock set from a phone is in the real-time clock", clockFromPhone},
	{"killed, it is back with its state", killed},
	{"stopped dead, the watchdog bites", stopped},
	{"upgraded in the middle of the screening", upgraded},
	{"nothing was forbidden that it needs", allowed},
	{"started on a card that takes nothing", readOnly},
	{"purged, the records stay; asked to, they go", purged},
	{"the unit installed without a package", withoutPackage},
}

func expect(got, want string) error {
	if got != want {
		return fmt.Errorf("%q where %q was expected", got, want)
	}
	return nil
}

func active(ctx context.Context, m *machine) (string, error) {
	for name, want := range map[string]string{
		"ActiveState": "active", "SubState": "running", "Type": "notify", "WatchdogUSec": "25s", "User": "mimpi-kiosk",
		"NRestarts": "0", "UnitFileState": "enabled", "FragmentPath": "/lib/systemd/system/mimpi-kiosk.service",
	} {
		got, err := m.property(ctx, name)
		got = strings.TrimPrefix(got, "/usr") // Debian 12's systemd goes by the link /lib
		if err = errors.Join(err, expect(got, want)); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
	}
	for _, port := range []int{80, 8080} {
		if err := m.healthy(ctx, port, patience); err != nil {
			return "", err
		}
	}
	if _, err := m.run(ctx, "curl -sS -f -o /dev/null http://127.0.0.1:8080/touch"); err != nil {
		return "", err
	}
	said, err := m.run(ctx, "systemd-analyze security --no-pager mimpi-kiosk.service | tail -n 1")
	if err != nil {
		return "", err
	}
	match := regexp.MustCompile(`: ([0-9.]+)`).FindStringSubmatch(said)
	if match == nil {
		return "", fmt.Errorf("systemd-analyze security says %q", said)
	}
	if exposure, err := strconv.ParseFloat(match[1], 64); err != nil || exposure > 2.0 {
		return "", fmt.Errorf("the exposure is %s (%w)", match[1], err)
	}
	owner, err := m.run(ctx, "stat -c '%U %a' /var/lib/mimpi-kiosk")
	return "exposure " + match[1], errors.Join(err, expect(owner, "mimpi-kiosk 750"))
}

func verbs(ctx context.Context, m *machine) (string, error) {
	said, err := m.run(ctx, "mimpi-kiosk service status")
	if err = errors.Join(err, expect(said, "running")); err != nil {
		return "", err
	}
	if _, err := m.run(ctx, "mimpi-kiosk service stop"); err != nil {
		return "", err
	}
	// Nobody starts it again by asking for a page.
	if said, code, err := m.try(ctx, "curl -sS -m 5 http://127.0.0.1/"); err != nil || code == 0 {
		return "", fmt.Errorf("port 80 of a stopped service: %q, %w", said, err)
	}
	if said, code, err := m.try(ctx, "mimpi-kiosk service status"); err != nil || code == 0 || !strings.Contains(said, "service start") {
		return "", fmt.Errorf("status of a stopped service: %q, %w", said, err)
	}
	for _, verb := range []string{"start", "restart"} {
		if _, err := m.run(ctx, "mimpi-kiosk service "+verb); err != nil {
			return "", err
		}
		if err := m.healthy(ctx, 80, patience); err != nil {
			return "", fmt.Errorf("after %s: %w", verb, err)
		}
	}
	said, code, err := m.try(ctx, "mimpi-kiosk service install")
	if err == nil && (code == 0 || !strings.Contains(said, "package")) {
		err = fmt.Errorf("install beside the package: %q", said)
	}
	return "", err
}

// people so far; every check goes on from here.
const people = 25

// setPIN is what the kiosk's own browser does.
const setPIN = `curl -sS -f -m 20 -H 'Content-Type: application/json' -d '{"pin":"` + visit.PIN + `"}' http://127.0.0.1:8080/api/pin`

func screening(ctx context.Context, m *machine) (string, error) {
	if _, err := m.run(ctx, setPIN); err != nil {
		return "", err
	}
	f, err := signIn(m)
	if err != nil {
		return "", err
	}
	if err := errors.Join(f.openDoors(), f.count(0, people)); err != nil {
		return "", closing(f, err)
	}
	return "", f.Close()
}

// speaks: espeak-ng runs inside the sandbox of the daemon.
func speaks(ctx context.Context, m *machine) (string, error) {
	said, err := m.run(ctx, "curl -sS -f -m 60 -o /tmp/lab-voice http://127.0.0.1:8080/voice/id/questions.k1.text && head -c 4 /tmp/lab-voice && stat -c ' %s bytes' /tmp/lab-voice")
	if err == nil && !strings.HasPrefix(said, "RIFF ") {
		err = fmt.Errorf("what it says is %q, no sound", said)
	}
	return strings.TrimPrefix(said, "RIFF "), err
}

// allThere signs in and sees the people; what was acknowledged last is sent again.
func allThere(ctx context.Context, m *machine) error {
	f, err := signIn(m)
	if err != nil {
		return err
	}
	if err := f.people(people); err != nil {
		return closing(f, err)
	}
	if err := f.count(people-1, people); err != nil {
		return closing(f, err)
	}
	if err := f.Close(); err != nil {
		return err
	}
	in, err := m.run(ctx, "sqlite3 -readonly /var/lib/mimpi-kiosk/journal.db 'SELECT sum(net) FROM attendance'")
	return errors.Join(err, expect(in, strconv.Itoa(people)))
}

// asking asks for a page at port 80 again and again while what happens, and says how
// often there was no answer.
func (m *machine) asking(ctx context.Context, line string) (unanswered string, err error) {
	ask := `(while [ ! -e /tmp/lab-enough ]; do curl -sS -m 60 -o /dev/null http://127.0.0.1/healthz || echo unanswered; done) >/tmp/lab-asked 2>&1 & `
	return m.run(ctx, "rm -f /tmp/lab-enough; "+ask+line+" >/tmp/lab-said 2>&1 || { cat /tmp/lab-said; touch /tmp/lab-enough; exit 1; }; sleep 5; touch /tmp/lab-enough; wait; cat /tmp/lab-asked")
}

func killed(ctx context.Context, m *machine) (string, error) {
	before, err := m.property(ctx, "MainPID")
	if err != nil {
		return "", err
	}
	said, err := m.asking(ctx, "cut -d' ' -f1 /proc/uptime >/tmp/lab-then; kill -9 "+before)
	// A kill cuts the one request that is being answered; whoever asks next waits.
	if err == nil && strings.Count(said, "unanswered") > 1 {
		err = errors.New(said)
	}
	if err != nil {
		return "", fmt.Errorf("port 80 while it was killed: %w", err)
	}
	then, err := m.run(ctx, "cat /tmp/lab-then")
	if err != nil {
		return "", err
	}
	if err := m.healthy(ctx, 80, patience); err != nil {
		return "", err
	}
	started, err := m.property(ctx, "ExecMainStartTimestampMonotonic")
	if err != nil {
		return "", err
	}
	ready, err := m.property(ctx, "ActiveEnterTimestampMonotonic")
	if err != nil {
		return "", err
	}
	at := func(text string, unit time.Duration) time.Duration {
		n, parse := strconv.ParseFloat(text, 64)
		err = errors.Join(err, parse)
		return time.Duration(n * float64(unit))
	}
	again := at(started, time.Microsecond) - at(then, time.Second)
	serving := at(ready, time.Microsecond) - at(then, time.Second)
	if err != nil {
		return "", err
	}
	if again <= 0 || again > 4*time.Second { // 1 s of the unit, and what an emulated processor needs for it
		return "", fmt.Errorf("it was started again %v after the kill", again)
	}
	return fmt.Sprintf("started again after %.1f s, ready after %.1f s, no page refused", again.Seconds(), serving.Seconds()), allThere(ctx, m)
}

func stopped(ctx context.Context, m *machine) (string, error) {
	before, err := m.property(ctx, "MainPID")
	if err != nil {
		return "", err
	}
	if _, err := m.run(ctx, "kill -STOP "+before); err != nil {
		return "", err
	}
	start := time.Now()
	for after := before; after == before || after == "0"; {
		if time.Since(start) > patience {
			return "", fmt.Errorf("nobody noticed for %v", patience)
		}
		if after, err = m.run(ctx, "sleep 1; systemctl show --value -p MainPID mimpi-kiosk.service"); err != nil {
			return "", err
		}
	}
	noticed := time.Since(start)
	if err := m.healthy(ctx, 80, patience); err != nil {
		return "", err
	}
	if _, err := m.run(ctx, "journalctl --no-pager -b -u mimpi-kiosk | grep -i 'watchdog timeout'"); err != nil {
		return "", err
	}
	return fmt.Sprintf("another one after %.0f s", noticed.Seconds()), allThere(ctx, m)
}

// readOnly starts the daemon while its card has turned read-only, as ext4 makes it after an
// error. A container's card is this machine's, which needs it.
func readOnly(ctx context.Context, m *machine) (string, error) {
	if m.in != nil {
		return "not in a container", nil
	}
	const worse = "echo 1 >/proc/sys/kernel/sysrq; echo u >/proc/sysrq-trigger; for i in $(seq 60); do ! touch /root/lab-written && exit; sleep 1; done; exit 1"
	for _, line := range []string{"systemctl kill --signal=KILL mimpi-kiosk; systemctl stop mimpi-kiosk", worse, "systemctl start mimpi-kiosk"} {
		if _, err := m.run(ctx, line); err != nil {
			return "", err
		}
	}
	if err := m.answers(ctx, 80, "/stage", patience); err != nil {
		return "", err
	}
	before, err := m.property(ctx, "NRestarts")
	if err != nil {
		return "", err
	}
	if said, code, err := m.try(ctx, "curl -sS -f -m 20 http://127.0.0.1:8080/healthz"); err != nil || code == 0 {
		return "", fmt.Errorf("it says that it keeps what it is given: %q, %w", said, err)
	}
	f, err := signIn(m)
	if err != nil {
		return "", err
	}
	err = f.people(people)
	var refused *visit.Refused
	if answer := f.countOne("ro"); !errors.As(answer, &refused) || refused.Reason != "not_saved" {
		err = errors.Join(err, fmt.Errorf("a press that cannot be kept was answered with %v", answer))
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	// Longer than the watchdog's patience.
	after, err := m.run(ctx, "sleep 30; systemctl show --value -p NRestarts mimpi-kiosk.service")
	if err = errors.Join(err, expect(after, before)); err != nil {
		return "", fmt.Errorf("restarts on a card that takes nothing: %w", err)
	}
	if _, err := m.run(ctx, "mount -o remount,rw /"); err != nil {
		return "", err
	}
	start := time.Now()
	if err := m.healthy(ctx, 80, patience); err != nil {
		return "", err
	}
	return fmt.Sprintf("the evening is shown, a press is refused, counting goes on %.0f s after the card", time.Since(start).Seconds()), allThere(ctx, m)
}

func upgraded(ctx context.Context, m *machine) (string, error) {
	version := func() string {
		said, other := m.run(ctx, "dpkg-query -W -f '${Version}' mimpi-kiosk")
		running, another := m.run(ctx, "/proc/$(systemctl show --value -p MainPID mimpi-kiosk)/exe --version")
		if other != nil || another != nil || !strings.HasSuffix(running, said) {
			return fmt.Sprintf("installed %s, running %s (%v %v)", said, running, other, another)
		}
		return said
	}
	before := version()
	if _, err := m.run(ctx, `sed -i 's/^share_minimum = 10/share_minimum = 12/' /etc/mimpi-kiosk/kiosk.toml`); err != nil {
		return "", err
	}
	unanswered, err := m.asking(ctx, "DEBIAN_FRONTEND=noninteractive apt-get install -y /root/newer.deb")
	if err = errors.Join(err, expect(unanswered, "")); err != nil {
		return "", fmt.Errorf("port 80 while it was upgraded: %w", err)
	}
	if err := m.healthy(ctx, 80, patience); err != nil {
		return "", err
	}
	after := version()
	if before == after || strings.Contains(before+after, "installed") {
		return "", fmt.Errorf("before: %s; after: %s", before, after)
	}
	if _, err := m.run(ctx, "grep -q '^share_minimum = 12' /etc/mimpi-kiosk/kiosk.toml"); err != nil {
		return "", fmt.Errorf("the configuration was not kept: %w", err)
	}
	return before + " -> " + after + ", no page refused", allThere(ctx, m)
}

// allowed looks for what the sandbox forbade and the daemon missed. A GPIO chip that udev had
// not yet given to its group when the daemon began is opened later.
func allowed(ctx context.Context, m *machine) (string, error) {
	said, _, err := m.try(ctx, `passed=none; test "$(stat -c %G /dev/gpiochip0 2>&1)" != gpio || passed="gpiochip0 may not be opened"; journalctl --no-pager -b -u mimpi-kiosk | grep -iE 'not permitted|permission denied|read-only file system' | grep -v "$passed"`)
	return "", errors.Join(err, expect(said, ""))
}

func purged(ctx context.Context, m *machine) (string, error) {
	const purge = "DEBIAN_FRONTEND=noninteractive apt-get purge -y mimpi-kiosk"
	if _, err := m.run(ctx, purge); err != nil {
		return "", err
	}
	for _, gone := range []string{"/etc/mimpi-kiosk", "/usr/bin/mimpi-kiosk", "/usr/share/mimpi-kiosk", "/etc/systemd/system/multi-user.target.wants/mimpi-kiosk.service"} {
		if _, err := m.run(ctx, "test ! -e "+gone); err != nil {
			return "", err
		}
	}
	if said, code, err := m.try(ctx, "systemctl is-active mimpi-kiosk.service mimpi-kiosk.socket"); err != nil || code == 0 {
		return "", fmt.Errorf("it still runs: %s, %w", said, err)
	}
	if _, err := m.run(ctx, "DEBIAN_FRONTEND=noninteractive apt-get install -y /root/newer.deb"); err != nil {
		return "", err
	}
	if err := m.healthy(ctx, 80, patience); err != nil {
		return "", err
	}
	if err := allThere(ctx, m); err != nil {
		return "", fmt.Errorf("after installing it again: %w", err)
	}
	if _, err := m.run(ctx, "cp /usr/bin/mimpi-kiosk /root/program; cp -r /usr/share/mimpi-kiosk /root/share; cp /usr/lib/systemd/system/mimpi-kiosk.service /root/"); err != nil {
		return "", err
	}
	if _, err := m.run(ctx, "MIMPI_PURGE_DATA=yes "+purge); err != nil {
		return "", err
	}
	_, err := m.run(ctx, "test ! -e /var/lib/mimpi-kiosk")
	return "", err
}

func withoutPackage(ctx context.Context, m *machine) (string, error) {
	if said, code, err := m.try(ctx, "/root/program service install"); err != nil || code == 0 || !strings.Contains(said, "copy") {
		return "", fmt.Errorf("install without the files: %q, %w", said, err)
	}
	for _, line := range []string{
		"cp /root/program /usr/bin/mimpi-kiosk; cp -r /root/share /usr/share/mimpi-kiosk",
		"mimpi-kiosk service install",
		"cmp /root/mimpi-kiosk.service /etc/systemd/system/mimpi-kiosk.service",
		"mimpi-kiosk service start",
		"mimpi-kiosk service status",
		"systemctl is-active mimpi-kiosk-usb-requests.path",
		"test ! -e /run/udev/control || udevadm settle",
	} {
		if _, err := m.run(ctx, line); err != nil {
			return "", err
		}
	}
	if err := m.healthy(ctx, 8080, patience); err != nil {
		return "", err
	}
	seen := "none in a container"
	if m.in == nil {
		var err error
		if seen, err = plugged(ctx, m); err != nil {
			return "", err
		}
	}
	_, err := m.run(ctx, "mimpi-kiosk service uninstall && ! find /etc/systemd /etc/udev /etc/tmpfiles.d -name '*mimpi*' -type f | grep . && test ! -e /usr/lib/mimpi-kiosk && ! systemctl is-active mimpi-kiosk")
	return "sticks: " + seen, err
}

// plugged plugs a stick in. What is new is copied to it at once, and then it is safe to
// pull it.
func plugged(ctx context.Context, m *machine) (string, error) {
	if err := m.plug(ctx); err != nil {
		return "", err
	}
	seen, err := m.run(ctx, "for i in $(seq 60); do grep -sE 'state=(mounted|released)' /run/mimpi-kiosk-usb/sticks/sda && exit; sleep 1; done; journalctl -b -u 'mimpi-kiosk-usb*'; exit 1")
	if err != nil {
		return "", fmt.Errorf("a stick is not mounted: %w", err)
	}
	return seen, nil
}
