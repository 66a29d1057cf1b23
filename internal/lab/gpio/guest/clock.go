package main

import (
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/lab/gpio/sim"
	"mimpi-kiosk/internal/lab/kept"
	"mimpi-kiosk/internal/lab/visit"
)

// jumpsFor is how long the clock jumps while people vote, and again while the film runs. In
// both together the daemon looks at the machine's clock at least once (clockLooks).
const jumpsFor = 15 * time.Second

// clock sets the machine's clock years forward and back while everybody is at work (see cut,
// and what it prints), and begins the daemon anew in 1970. What was acknowledged is judged by
// the host; here, that a person waits as long as they should, that nobody is signed out or let
// in, and that the times in the journal, and on the facilitator's screen, know of no jump.
func clock(asked map[string]string) error {
	seed, err := number(asked, "seed")
	if err != nil {
		return err
	}
	chip, err := sim.New(func(err error) { fmt.Println("LAB FAILED: the simulated chip:", err) })
	if err != nil {
		return err
	}
	defer chip.Close()
	d := &daemon{chip: chip}
	if err := d.start(); err != nil {
		return err
	}
	e, err := goOn(1, nil, false)
	if err != nil {
		return err
	}
	j := &jumper{evening: e, random: rand.New(rand.NewPCG(uint64(seed), 0))}
	if err := j.begin(); err != nil {
		return err
	}
	for _, step := range []string{"discussion", "film"} {
		if err := errors.Join(e.moveTo(step), j.during(chip, jumpsFor)); err != nil {
			said, _ := os.ReadFile("/run/daemon.log")
			return fmt.Errorf("while the clock jumped (%s): %w; the daemon said:\n%s", step, err, said)
		}
	}
	if err := errors.Join(j.noGuessing(), d.end(unix.SIGTERM), setClock(in1970)); err != nil {
		return err
	}
	before, err := copyAndRead()
	if err != nil {
		return err
	}
	fmt.Println("LAB LOOKED")
	if err := errors.Join(d.start(), e.lead.Connect("facilitator")); err != nil {
		return fmt.Errorf("in 1970: %w", err)
	}
	v, err := e.wait(func(seen) bool { return true })
	if err == nil {
		err = e.stands(v, before, false)
	}
	if err != nil {
		return fmt.Errorf("in 1970: %w", err)
	}
	e.boot++ // new ids
	if err := errors.Join(j.during(chip, jumpsFor/8), d.end(unix.SIGTERM)); err != nil {
		return fmt.Errorf("in 1970: %w", err)
	}
	if _, err := copyAndRead(); err != nil {
		return err
	}
	fmt.Println("LAB LOOKED")
	if j.jumps < 20 || j.tooSoon == 0 || j.again == 0 {
		return fmt.Errorf("this shows too little: %d jumps, %d ballots refused as too soon, %d taken", j.jumps, j.tooSoon, j.again)
	}
	fmt.Printf("LAB JUMPS %d jumps; on the touch screen %d ballots were too soon and %d not; the facilitator was let in %d times\n", j.jumps, j.tooSoon, j.again, j.came)
	return timesRunOn()
}

// jumper sets the clock, and sees what that does.
type jumper struct {
	*evening
	random  *rand.Rand
	watcher *visit.Visitor // a facilitator who comes again and again
	touch   *visit.Visitor // the touch screen, one person after the other
	first   glance
	last    struct{ began, ended time.Time } // the last ballot that was taken
	asked   int

	jumps, came, tooSoon, again int
}

func (j *jumper) begin() (err error) {
	kiosk := visit.Process{Base: "http://" + pageAddress}
	if j.watcher, err = kiosk.Visitor(); err != nil {
		return err
	}
	if j.touch, err = kiosk.Visitor(); err != nil {
		return err
	}
	if err := errors.Join(j.watcher.SignIn(), j.touch.Connect("touch")); err != nil {
		return err
	}
	j.first, err = j.comeAgain()
	return err
}

var (
	in1970 = time.Date(1970, 1, 2, 0, 0, 0, 0, time.UTC)
	in2099 = time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
)

func setClock(to time.Time) error {
	t := unix.NsecToTimeval(to.UnixNano())
	return unix.Settimeofday(&t)
}

// during lets everybody work, and the clock jump, for so long.
func (j *jumper) during(chip *sim.Chip, d time.Duration) error {
	ended := make(chan struct{})
	broken := j.work(chip, ended)
	var errs []error
	for end := time.Now().Add(d); time.Now().Before(end) && len(broken) == 0 && len(errs) == 0; {
		to := in1970.Add(time.Duration(j.random.Int64N(int64(in2099.Sub(in1970)/time.Second))) * time.Second)
		if j.random.IntN(4) == 0 {
			to = in1970
		}
		j.jumps++
		errs = append(errs, nonNil(setClock(to), j.look())...)
		if j.step == "discussion" {
			errs = append(errs, nonNil(j.vote())...)
		}
		time.Sleep(time.Duration(100+j.random.IntN(400)) * time.Millisecond)
	}
	close(ended)
	for range cap(broken) {
		errs = append(errs, nonNil(<-broken)...)
	}
	return errors.Join(errs...)
}

func nonNil(errs ...error) (out []error) {
	for _, err := range errs {
		if err != nil {
			out = append(out, err)
		}
	}
	return out
}

// look comes as the facilitator once more, with the cookie from before: it must be good, and
// the screen's clock must have gone on as if nothing had been.
func (j *jumper) look() error {
	now, err := j.comeAgain()
	if err != nil {
		return fmt.Errorf("the facilitator comes again: %w", err)
	}
	j.came++
	const blink = 100 * time.Millisecond
	gone := now.shown.Sub(j.first.shown)
	if least, most := now.began.Sub(j.first.ended)-blink, now.ended.Sub(j.first.began)+blink; gone < least || gone > most {
		return fmt.Errorf("the clock on the facilitator's screen has gone on by %v, and should by %v to %v", gone, least, most)
	}
	return nil
}

// glance is a look at the clock on the facilitator's screen, between two times by the
// machine's monotonic clock.
type glance struct{ shown, began, ended time.Time }

func (j *jumper) comeAgain() (g glance, err error) {
	g.began = time.Now()
	if err := j.watcher.Connect("facilitator"); err != nil {
		return g, err
	}
	defer j.watcher.WS.Close()
	e := &evening{lead: j.watcher}
	v, err := e.wait(func(v seen) bool { return !v.Clock.Now.IsZero() })
	g.shown, g.ended = v.Clock.Now, time.Now()
	return g, err
}

// thankYou is the pause after a ballot on the touch screen that the kiosk has by itself.
const thankYou = 1500 * time.Millisecond

// vote tries to vote on the touch screen at any time: within the pause it is refused, and after
// it not, whatever the clock says.
func (j *jumper) vote() error {
	if j.asked == j.again {
		j.asked++
		fmt.Println("ASK touch")
	}
	began := time.Now()
	err := j.touch.Do(kept.ID("touch", j.asked), map[string]any{
		"do": "castBallot", "screening": j.id, "question": question, "round": 1, "choices": []string{"18"},
	})
	ended := time.Now()
	var no *visit.Refused
	switch refused := errors.As(err, &no) && no.Reason == "too_soon"; {
	case refused && began.Sub(j.last.ended) > thankYou:
		return fmt.Errorf("a ballot %v after the last one is too soon", began.Sub(j.last.ended))
	case refused:
		j.tooSoon++
		return nil
	case err != nil:
		return err
	case ended.Sub(j.last.began) < thankYou:
		return fmt.Errorf("a ballot %v after the last one was taken", ended.Sub(j.last.began))
	}
	fmt.Println("ACK touch")
	j.again++
	j.last.began, j.last.ended = began, ended
	return nil
}

// noGuessing is somebody at the box who tries PINs, and sets the clock forward so as not to wait.
func (j *jumper) noGuessing() error {
	try := func(pin string) (status int, err error) {
		r, err := http.Post("http://"+pageAddress+"/api/sign-in", "application/json", strings.NewReader(`{"pin":"`+pin+`"}`))
		if err != nil {
			return 0, err
		}
		defer r.Body.Close()
		return r.StatusCode, nil
	}
	for range 5 {
		if status, err := try("904713"); err != nil || status == http.StatusNoContent {
			return fmt.Errorf("a wrong PIN: status %d, %w", status, err)
		}
	}
	for _, to := range []time.Time{in2099, in1970} {
		if err := setClock(to); err != nil {
			return err
		}
		if status, err := try("258014"); err != nil || status == http.StatusNoContent {
			return fmt.Errorf("after 5 wrong PINs and a jump of the clock to %d the next one is not made to wait: status %d, %w", to.Year(), status, err)
		}
	}
	return j.look() // who is in stays in
}

// timesRunOn holds the times of the journal against the machine's monotonic clock: all of it is
// one boot, and nobody set the kiosk's own clock by more than a blink.
func timesRunOn() error {
	db, err := sql.Open("sqlite3", "file:"+journalFile)
	if err != nil {
		return err
	}
	defer db.Close()
	var boots, off, apart, n int
	err = db.QueryRow(`SELECT count(DISTINCT boot), count(*), max(at - mono) - min(at - mono), coalesce(max(step), 0) FROM (
		SELECT *, CASE kind WHEN 'ClockSet' THEN 0 ELSE abs((at - mono) - lag(at - mono) OVER (ORDER BY seq)) END AS step FROM events)`).Scan(&boots, &n, &off, &apart)
	if err != nil {
		return err
	}
	if boots != 1 || apart > 1 || off > 2000 {
		return fmt.Errorf("the times of %d events of %d boots are off by %d ms in all, by %d ms from one to the next", n, boots, off, apart)
	}
	fmt.Printf("LAB  clock: the times of %d events follow the monotonic clock within %d ms\n", n, off)
	return nil
}
