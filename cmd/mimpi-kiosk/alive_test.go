package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
)

// checkedRoom is a Room of which only Check matters here.
type checkedRoom struct {
	answer atomic.Pointer[func(context.Context) error]
}

func (r *checkedRoom) Check(ctx context.Context) error { return (*r.answer.Load())(ctx) }

func (r *checkedRoom) answers(f func(context.Context) error) { r.answer.Store(&f) }

func well(context.Context) error { return nil }

func TestTheWatchdogIsFedWhileWhatIsVitalWorks(t *testing.T) {
	hung := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	full := func(context.Context) error { return fmt.Errorf("no space left: %w", screening.ErrRefusedByDisk) }
	closed := func(context.Context) error { return screening.ErrRoomClosed }

	var deaf atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if deaf.Load() {
			<-r.Context().Done()
		}
	}))
	defer server.Close()

	room := &checkedRoom{}
	var card atomic.Pointer[error]
	canWrite := func(err error) { card.Store(&err) }
	canWrite(syscall.ENOSPC)
	told := make(chan string)
	room.answers(hung) // the journal is being read
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		tell := func(news string) error { told <- news; return nil }
		ended <- report(ctx, &alive{room: room, url: server.URL, card: func() error { return *card.Load() }, patience: 50 * time.Millisecond}, 10*time.Millisecond, 40*time.Millisecond, tell, slog.New(slog.DiscardHandler))
	}()
	fed := func(want string) {
		t.Helper()
		select {
		case got := <-told:
			if got != want {
				t.Errorf("told %q, not %q", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("not told: %q", want)
		}
	}
	hungry := func(why string) {
		t.Helper()
		for late := time.After(100 * time.Millisecond); ; { // a look under way may still succeed
			select {
			case <-told:
				continue
			case <-late:
			}
			break
		}
		select {
		case got := <-told:
			t.Errorf("told %q although %s", got, why)
		case <-time.After(200 * time.Millisecond):
		}
	}

	hungry("the journal is being read")
	room.answers(well)
	fed("READY=1\nWATCHDOG=1")
	fed("WATCHDOG=1")
	room.answers(hung)
	hungry("the Room hangs")
	room.answers(closed)
	hungry("the Room has ended")
	room.answers(full) // a restart would not help, and it waits as long as it takes
	for range 30 {
		fed("WATCHDOG=1")
	}
	canWrite(nil)
	hungry("the disk can be written")
	canWrite(syscall.EROFS)
	fed("WATCHDOG=1")
	room.answers(well)
	fed("WATCHDOG=1")
	deaf.Store(true)
	hungry("HTTP hangs")
	deaf.Store(false)
	fed("WATCHDOG=1")

	cancel()
	for last := ""; last != "STOPPING=1"; {
		last = <-told
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A start that has brought nothing is not tried again and again.
func TestOneRestartForARefusedJournal(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	room := &checkedRoom{}
	room.answers(func(context.Context) error { return screening.ErrRefusedByDisk })
	a := alive{room: room, url: server.URL, card: func() error { return nil }}
	for range 5 {
		if err := a.check(t.Context()); err != nil {
			t.Errorf("no commit has worked in this run: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestPaceOfTheWatchdog(t *testing.T) {
	with := func(value string) func(string) string { return func(string) string { return value } }
	if every, deadline := watchdogPace(with("24000000")); every != 6*time.Second || deadline != 12*time.Second {
		t.Errorf("24 s: every %v, deadline %v", every, deadline)
	}
	if every, _ := watchdogPace(with("")); every != 5*time.Second {
		t.Errorf("without a watchdog: every %v", every)
	}
}

func TestWhatSystemdHandsOver(t *testing.T) {
	hand := func(pid, fds string) func(string) string {
		return func(name string) string { return map[string]string{"LISTEN_PID": pid, "LISTEN_FDS": fds}[name] }
	}
	for name, environment := range map[string]func(string) string{
		"nothing":           hand("", ""),
		"to another":        hand("7", "1"),
		"no socket at last": hand("12", "0"),
	} {
		if file, err := inherited(environment, 12); file != nil || err != nil {
			t.Errorf("%s: %v, %v", name, file, err)
		}
	}
	if _, err := inherited(hand("12", "2"), 12); err == nil || !strings.Contains(err.Error(), "2 sockets") {
		t.Errorf("two sockets: %v", err)
	}
}

func TestWhereTheKioskReachesItself(t *testing.T) {
	for address, want := range map[string]string{
		"[::]:80": "127.0.0.1:80", "0.0.0.0:8080": "127.0.0.1:8080", "10.42.0.1:80": "10.42.0.1:80", "[::1]:81": "[::1]:81",
	} {
		if got := onThisMachine(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address))); got != want {
			t.Errorf("%s is reached at %s, not %s", address, got, want)
		}
	}
}
