package qemu_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"mimpi-kiosk/internal/lab/qemu"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The whole operating system of the guest in these tests: it prints "ready> ", sends
// back what it reads from the serial port, and switches the machine off at a "!".
//
//	       xor  %ax,%ax             0x00
//	       mov  %ax,%ds
//	       mov  $0x3f8,%dx
//	       mov  $0x7c2e,%si         the text
//	next:  lodsb                    0x0a
//	       test %al,%al
//	       jz   wait
//	       out  %al,%dx
//	       jmp  next
//	wait:  mov  $0x3fd,%dx          0x12
//	       in   %dx,%al
//	       test $1,%al              a byte has come?
//	       jz   wait
//	       mov  $0x3f8,%dx
//	       in   %dx,%al
//	       cmp  $'!',%al
//	       je   off
//	       out  %al,%dx
//	       jmp  wait
//	off:   mov  $0x604,%dx          0x25: ACPI's power register
//	       mov  $0x2000,%ax
//	       out  %ax,%dx
//	       jmp  wait
//	       "ready> \0"              0x2e
const echo = "\x31\xc0\x8e\xd8\xba\xf8\x03\xbe\x2e\x7c\xac\x84\xc0\x74\x03\xee\xeb\xf8\xba\xfd\x03\xec\xa8\x01" +
	"\x74\xf8\xba\xf8\x03\xec\x3c\x21\x74\x03\xee\xeb\xed\xba\x04\x06\xb8\x00\x20\xef\xeb\xe4" + "ready> \x00"

func bootSector(t *testing.T) string {
	t.Helper()
	sector := make([]byte, 1<<20) // less is not booted from
	copy(sector, echo)
	copy(sector[510:], "\x55\xaa")
	path := filepath.Join(t.TempDir(), "disk, with a comma.img")
	if err := os.WriteFile(path, sector, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T, options qemu.Options) *qemu.Guest {
	t.Helper()
	options.Disks = []qemu.Disk{{Path: bootSector(t), Snapshot: true}}
	guest, err := qemu.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := guest.Close(); err != nil {
			t.Error(err)
		}
	})
	return guest
}

func expect(t *testing.T, console *qemu.Console, pattern string) []string {
	t.Helper()
	match, err := console.Expect(within(t, time.Minute), pattern)
	if err != nil {
		t.Fatal(err)
	}
	return match
}

func TestAGuestTalksAndPowersItselfOff(t *testing.T) {
	var log bytes.Buffer
	guest := start(t, qemu.Options{Log: &log, Consoles: 2})
	console := guest.Console(0)

	expect(t, console, `ready> `)
	if err := console.Send("one \x1b[1;32mtwo\x1b[0m\r\nthree\n"); err != nil {
		t.Fatal(err)
	}
	if got := expect(t, console, `(?m)^one (\w+)\n`); got[1] != "two" {
		t.Errorf("got %q", got)
	}
	expect(t, console, `^three\n`)

	if _, err := console.Expect(within(t, 50*time.Millisecond), `never`); err == nil || !strings.Contains(err.Error(), "never") {
		t.Errorf("waiting for what is not said: %v", err)
	}

	if err := console.Send("!"); err != nil {
		t.Fatal(err)
	}
	event, err := guest.Event(within(t, time.Minute), "SHUTDOWN")
	if err != nil || !strings.Contains(string(event.Data), `"guest": true`) {
		t.Errorf("SHUTDOWN: %s, %v", event.Data, err)
	}
	if err := guest.Wait(within(t, time.Minute)); err != nil {
		t.Error(err)
	}
	if _, err := console.Expect(t.Context(), `more`); err == nil || !strings.Contains(err.Error(), "ended") {
		t.Errorf("a console of an ended guest: %v", err)
	}
	if _, err := guest.Do(t.Context(), "query-status", nil); err == nil {
		t.Error("an ended QEMU took a command")
	}
	if err := guest.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "ready> one") {
		t.Errorf("the log has %q", log.String())
	}
}

func TestTheMonitorAnswersAndTells(t *testing.T) {
	guest := start(t, qemu.Options{CPUs: 2, Memory: 64, Forward: []int{80, 8080}})

	if _, err := guest.Do(t.Context(), "stop", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := guest.Event(within(t, time.Minute), "STOP"); err != nil {
		t.Error(err)
	}
	result, err := guest.Do(t.Context(), "query-status", nil)
	var status struct{ Status string }
	if err := json.Unmarshal(result, &status); err != nil || status.Status != "paused" {
		t.Errorf("query-status: %s, %v", result, err)
	}
	if err != nil {
		t.Error(err)
	}
	_, err = guest.Do(t.Context(), "device_del", map[string]string{"id": "nothing"})
	if err == nil || !strings.Contains(err.Error(), "DeviceNotFound") {
		t.Errorf("a refused command: %v", err)
	}
	if _, err := guest.Event(within(t, 50*time.Millisecond), "RESUME"); err == nil {
		t.Error("an event that did not happen")
	}

	if guest.Addr(80) == guest.Addr(8080) {
		t.Errorf("two ports at %s", guest.Addr(80))
	}
	for _, port := range []int{80, 8080} {
		connection, err := net.Dial("tcp", guest.Addr(port))
		if err != nil {
			t.Fatal(err)
		}
		connection.Close()
	}
}

func TestAGuestEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	guest, err := qemu.Start(ctx, qemu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := guest.Wait(within(t, time.Minute)); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("a killed QEMU: %v", err)
	}
	if err := guest.Close(); err != nil {
		t.Error(err)
	}
}

func TestWhyQEMUDidNotStart(t *testing.T) {
	for name, c := range map[string]struct {
		options qemu.Options
		want    string
	}{
		"unknown architecture": {qemu.Options{Arch: "z80"}, `"z80"`},
		"no kernel there":      {qemu.Options{Kernel: "/nonexistent/vmlinuz"}, "could not"},
		"bad argument":         {qemu.Options{Args: []string{"-nonsense"}}, "nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			guest, err := qemu.Start(t.Context(), c.options)
			if err == nil {
				guest.Close()
				t.Fatal("it started")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error does not say %q: %v", c.want, err)
			}
		})
	}
}
