package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"syscall"
	"time"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/screening"
)

// What systemd is told: READY=1 once the journal has been read and HTTP serves, and then
// WATCHDOG=1 for as long as the Room answers, a commit works or the disk says why it does
// not, and HTTP answers.

// alive looks whether what is vital works, within ctx.
type alive struct {
	room interface{ Check(context.Context) error }
	url  string       // any page of the kiosk
	card func() error // writes on the disk of the journal, past the journal

	patience time.Duration // with a disk that refuses
	worked   bool          // a commit has, in this run
	refused  time.Time     // since when none does; zero: the last one worked
	takes    bool          // the card did when it was tried last
	probe    chan error    // of a try under way, or nil
	probed   time.Time     // when that began
}

// refusedLong is how long commits may be refused by a disk that can be written.
const refusedLong = time.Minute

// cardHangs is when a card that does not answer counts as one that takes nothing.
const cardHangs = 15 * time.Second

// check is an error when only a restart can help. The letter asks for a commit that works;
// we depart from it for a disk that refuses (full, or turned read-only): the Room has said
// so, the screens show it, the film goes on, and room on the disk mends it while a restart
// would stop the film and mend nothing. But where the journal is refused for a minute and
// the card takes a file beside it all the same, the fault is in our hold on the journal,
// and a new start gets a new one. That is done once: if no commit works after it, then
// another start would not help either.
func (a *alive) check(ctx context.Context) error {
	err := a.room.Check(ctx)
	switch {
	case err == nil:
		a.worked, a.refused, a.takes = true, time.Time{}, false
	case !errors.Is(err, screening.ErrRefusedByDisk):
		return fmt.Errorf("the Room: %w", err)
	case a.refused.IsZero():
		a.refused = time.Now()
	case a.worked && time.Since(a.refused) >= a.patience && a.cardTakes():
		return fmt.Errorf("the card can be written, but for %s the journal is refused: %w", time.Since(a.refused).Round(time.Second), err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, a.url, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("HTTP: %w", err)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

// cardTakes says what the last try of the card has shown, and tries it from one look to the
// next: a card that hangs must not hold up the looks.
func (a *alive) cardTakes() bool {
	if a.probe != nil {
		select {
		case err := <-a.probe:
			a.takes, a.probe = err == nil, nil
		default:
			a.takes = a.takes && time.Since(a.probed) < cardHangs
			return a.takes
		}
	}
	a.probe, a.probed = make(chan error, 1), time.Now()
	go func(answer chan<- error) { answer <- a.card() }(a.probe) // it ends when the card answers
	return a.takes
}

// tellSystemd tells systemd, if it is there, how the kiosk is.
func (k *kiosk) tellSystemd(ctx context.Context, room *screening.Room, address net.Addr) error {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	every, deadline := watchdogPace(os.Getenv)
	a := &alive{
		room: room, url: "http://" + onThisMachine(address) + "/favicon.svg",
		card: func() error { return box.ProbeCard(k.data).Err }, patience: refusedLong,
	}
	return report(ctx, a, every, deadline, notifySystemd, k.log)
}

// onThisMachine is an address as this process reaches it. It has no name in it: a machine
// that cannot look up "localhost" must not be restarted for ever.
func onThisMachine(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
}

// report tells until ctx ends. every is the time from one look to the
// next; one that takes longer than deadline counts as failed. A look that fails is
// logged and tells nothing: when they go on failing, systemd restarts the daemon.
func report(ctx context.Context, a *alive, every, deadline time.Duration, tell func(string) error, log *slog.Logger) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	news := "READY=1\nWATCHDOG=1"
	for {
		look, cancel := context.WithTimeout(ctx, deadline)
		err := a.check(look)
		cancel()
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			err = tell(news)
		}
		if err != nil {
			log.Error("the watchdog is not fed", "error", err)
		} else {
			news = "WATCHDOG=1"
		}
		select {
		case <-tick.C:
			continue
		case <-ctx.Done():
		}
		break
	}
	if err := tell("STOPPING=1"); err != nil {
		log.Warn("systemd was not told of the end", "error", err)
	}
	return nil
}

// watchdogPace is how often to feed the watchdog and how long a look may take: four
// looks in its time, each with time to see a slow disk through.
func watchdogPace(environment func(string) string) (every, deadline time.Duration) {
	µs, err := strconv.ParseInt(environment("WATCHDOG_USEC"), 10, 64)
	if err != nil || µs <= 0 {
		µs = (20 * time.Second).Microseconds()
	}
	limit := time.Duration(µs) * time.Microsecond
	return limit / 4, limit / 2
}

// notifySystemd tells systemd how a service is, as sd_notify does; without systemd it
// does nothing.
func notifySystemd(state string) error {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if path[0] == '@' {
		path = "\x00" + path[1:]
	}
	conn, err := (&net.Dialer{Timeout: time.Second}).Dial("unixgram", path)
	if err != nil {
		return fmt.Errorf("reach systemd: %w", err)
	}
	_, err = conn.Write([]byte(state))
	return errors.Join(err, conn.Close())
}

// inherited gives the socket that systemd's socket unit holds for this process (port 80),
// or nil. It stays open: every listener made of it is a copy, and whoever connects while
// there is none waits.
func inherited(environment func(string) string, pid int) (*os.File, error) {
	const first = 3
	count := environment("LISTEN_FDS")
	switch {
	case environment("LISTEN_PID") != strconv.Itoa(pid) || count == "" || count == "0":
		return nil, nil
	case count != "1":
		return nil, fmt.Errorf("systemd hands over %s sockets where one is expected: see mimpi-kiosk.socket", count)
	}
	syscall.CloseOnExec(first)
	return os.NewFile(first, "mimpi-kiosk.socket"), nil
}
