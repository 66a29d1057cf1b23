package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/lab/gpio/sim"
	"mimpi-kiosk/internal/lab/kept"
	"mimpi-kiosk/internal/lab/visit"
)

// cut works on a card (/dev/vda) whose power the host takes away at any moment. It prints
// what the journal has kept from the times before, sees the kiosk go on where it was, and
// then presses, corrects, and votes or (lab.film=yes) shows the film, and tells the host of
// each before and after:
//
//	LAB KEPT who n      the journal has n of them, and they are the first n
//	LAB KEPT step S     it has the evening in this step, and
//	LAB KEPT film N     the film at this millisecond
//	LAB LOOKED          the kiosk went on where it was
//	LAB READY           everybody begins: now the power may go at any time
//	ASK who, ACK who    one more was sent; one more was acknowledged
//	ASK step S, ACK ... the same of a move to another step
//	ASK film N, DONE .. the film's player reported N; that was answered
//	ACK film N          a screen shows N: it must be in the journal
//
// With lab.look=yes it ends after LOOKED. With lab.sync=no the journal's WAL is not synced, as it
// would be with synchronous=NORMAL.
func cut(asked map[string]string) error {
	boot, err := number(asked, "boot")
	if err != nil {
		return err
	}
	// As Debian's initramfs does with the root file system. The kernel (6.1) alone refuses a
	// journal whose last block the cut has torn.
	out, err := exec.Command("/bin/e2fsck", "-p", "/dev/vda").CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // 1: it mended
		return fmt.Errorf("e2fsck: %w: %s", err, out)
	}
	if err := unix.Mount("/dev/vda", "/data", "ext4", unix.MS_NOATIME, ""); err != nil {
		return fmt.Errorf("mount the card: %w; the kernel says %s", err, kernelSays())
	}
	forgetful := asked["sync"] == "no" // then whatever is lost is what the host wants to see
	before, err := copyAndRead()
	if err != nil && !forgetful {
		return fmt.Errorf("the journal: %w", err)
	}
	chip, err := sim.New(func(err error) { fmt.Println("LAB FAILED: the simulated chip:", err) })
	if err != nil {
		return err
	}
	defer chip.Close()
	d := &daemon{chip: chip, forgetful: forgetful}
	if err := d.start(); err != nil {
		return err
	}
	e, err := goOn(boot, before, forgetful)
	if err != nil {
		return err
	}
	fmt.Println("LAB LOOKED")
	if asked["look"] == "yes" {
		return d.end(unix.SIGTERM)
	}
	step := "discussion"
	if asked["film"] == "yes" {
		step = "film"
	}
	if err := e.moveTo(step); err != nil {
		return err
	}
	fmt.Println("LAB READY")
	return <-e.work(chip, nil) // until the power goes
}

// kernelSays gives the end of its log.
func kernelSays() string {
	log := make([]byte, 1<<16)
	n, err := unix.Klogctl(unix.SYSLOG_ACTION_READ_ALL, log)
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, n-1000):n])
}

// copyAndRead looks at a copy of the journal, so that the daemon finds it as the cut left it,
// and prints what it has. A kiosk that is new has none: nil.
func copyAndRead() (*kept.Kept, error) {
	files, err := filepath.Glob(journalFile + "*")
	if err != nil || len(files) == 0 {
		return nil, err
	}
	if err := os.MkdirAll("/tmp/copy", 0o755); err != nil {
		return nil, err
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join("/tmp/copy", filepath.Base(f)), data, 0o644); err != nil {
			return nil, err
		}
	}
	k, err := kept.Read(context.Background(), filepath.Join("/tmp/copy", filepath.Base(journalFile)))
	if err != nil {
		return nil, err
	}
	for who, n := range k.Counts {
		fmt.Println("LAB KEPT", who, n)
	}
	fmt.Println("LAB KEPT film", k.Film)
	if k.Step != "" {
		fmt.Println("LAB KEPT step", k.Step)
	}
	return k, nil
}

// evening is one that goes on, and who leads it.
type evening struct {
	lead *visit.Visitor
	boot int
	id   string // of the screening
	step string
	sent int
}

// seen is what everybody looks at in a view.
type seen struct {
	Screening  struct{ ID string }
	Step       string
	Attendance struct{ Total int }
	Current    struct{ ID, Phase string }
	Playback   playback
	Clock      struct{ Now time.Time }
}

type playback struct {
	Epoch       int64
	Playing     bool
	At          int
	Interrupted bool
}

// goOn signs the facilitator in. A new kiosk gets a screening; one that was cut off must have
// it as its journal says, and its film must stand and wait for the facilitator; but not a
// forgetful one.
func goOn(boot int, before *kept.Kept, forgetful bool) (*evening, error) {
	kiosk := visit.Process{Base: "http://" + pageAddress}
	lead, err := kiosk.Visitor()
	if err != nil {
		return nil, err
	}
	enter := []func() error{lead.SignIn}
	if before == nil || forgetful {
		enter = append(enter, lead.SetPIN)
	}
	for _, try := range enter {
		if err = try(); err == nil {
			break
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the facilitator: %w", err)
	}
	if err := lead.Connect("facilitator"); err != nil {
		return nil, err
	}
	e := &evening{lead: lead, boot: boot}
	v, err := e.wait(func(seen) bool { return true })
	if err != nil {
		return nil, err
	}
	e.id, e.step = v.Screening.ID, v.Step
	if before == nil || before.Step == "" || forgetful && e.id == "" {
		if v.Screening.ID == "" {
			if err := lead.Plan(fmt.Sprint("plan-", boot), "Lab"); err != nil {
				return nil, err
			}
		}
		if err := lead.Do(fmt.Sprint("doors-", boot), map[string]any{"do": "openDoors"}); err != nil {
			return nil, err
		}
		v, err := e.wait(func(v seen) bool { return v.Screening.ID != "" })
		e.id, e.step = v.Screening.ID, v.Step
		return e, err
	}
	if forgetful {
		return e, lead.Do(fmt.Sprint("doors-", boot), map[string]any{"do": "openDoors"})
	}
	return e, e.stands(v, before, true)
}

// stands compares what the facilitator sees with the journal; cut says that the machine was
// off in between, which halts the film.
func (e *evening) stands(v seen, k *kept.Kept, cut bool) error {
	halted := cut && k.Playing
	wanted := seen{Screening: v.Screening, Step: k.Step, Attendance: v.Attendance, Current: v.Current, Playback: playback{
		Epoch: v.Playback.Epoch, At: k.Film, Playing: k.Playing && !cut, Interrupted: halted || v.Playback.Interrupted && !k.Playing,
	}, Clock: v.Clock}
	if open := v.Current.Phase == "open"; v != wanted || v.Attendance.Total != k.People || open != k.Open || open && v.Current.ID != question {
		return fmt.Errorf("boot %d: the kiosk did not go on where it was: %+v, and by the journal %+v", e.boot, v, *k)
	}
	return nil
}

// wait reads until a view is as wanted.
func (e *evening) wait(is func(seen) bool) (v seen, err error) {
	err = e.lead.WaitFor(func(m visit.Message) bool {
		var now seen
		if m.Type != "view" || json.Unmarshal(m.View, &now) != nil || !is(now) {
			return false
		}
		v = now
		return true
	})
	return v, err
}

// question is the one that is asked.
const question = "k1"

// moveTo brings the evening to the film, which is played, or to the discussion, in which a
// question is opened.
func (e *evening) moveTo(step string) error {
	do := func(fields map[string]any) error {
		e.sent++
		return e.lead.Do(fmt.Sprintf("move-%d-%d", e.boot, e.sent), fields)
	}
	if step != e.step {
		fmt.Println("ASK step", step)
		if err := do(map[string]any{"do": "moveTo", "step": step}); err != nil {
			return err
		}
		fmt.Println("ACK step", step)
		e.step = step
	}
	if step == "film" {
		return do(map[string]any{"do": "playFilm"})
	}
	return do(map[string]any{"do": "openQuestion", "question": question})
}

// work has everybody at work until ended is closed or the power goes. It gives one error of
// each of them, nil when they ended because they were told to.
func (e *evening) work(chip *sim.Chip, ended <-chan struct{}) <-chan error {
	var all []func() error
	for _, b := range buttons {
		all = append(all, func() error { return pressOnAndOn(chip, b, ended) })
	}
	all = append(all, func() error { return e.correctOnAndOn(ended) })
	if e.step == "film" {
		all = append(all, func() error { return e.showFilm(ended) })
	} else {
		for i := range 4 {
			all = append(all, func() error { return e.voteOnAndOn(fmt.Sprintf("%d-vote%d", e.boot, i), ended) })
		}
	}
	broken := make(chan error, len(all))
	for _, one := range all {
		go func() { broken <- one() }()
	}
	return broken
}

func told(ended <-chan struct{}) bool {
	select {
	case <-ended:
		return true
	default:
		return false
	}
}

// pressOnAndOn presses a button again and again; its lamp is the answer.
func pressOnAndOn(chip *sim.Chip, b button, ended <-chan struct{}) error {
	wire, err := chip.Wire(b.line)
	if err != nil {
		return err
	}
	defer wire.Close()
	lamp, err := chip.Wire(b.lamp)
	if err != nil {
		return err
	}
	defer lamp.Close()
	until := func(lit bool, within time.Duration) (seen bool, err error) {
		for end := time.Now().Add(within); time.Now().Before(end) && !seen && err == nil; time.Sleep(2 * time.Millisecond) {
			var now bool
			now, err = lamp.Lit()
			seen = now == lit
		}
		return seen, err
	}
	for dark := 0; !told(ended); {
		fmt.Println("ASK press-" + b.category)
		lit, err := false, wire.Press(true)
		if err == nil {
			lit, err = until(true, 5*time.Second)
		}
		if err != nil {
			return err
		}
		// A busy machine may look away while the lamp is lit, which is short. Then nobody knows.
		if dark++; lit {
			dark = 0
			fmt.Println("ACK press-" + b.category)
		}
		if dark == 10 {
			return fmt.Errorf("the lamp of %s: not lit in %d presses", b.category, dark)
		}
		time.Sleep(40 * time.Millisecond)
		if err := wire.Press(false); err != nil {
			return err
		}
		if out, err := until(false, 30*time.Second); err != nil {
			return err
		} else if !out {
			return fmt.Errorf("the lamp of %s does not go out", b.category)
		}
		time.Sleep(60 * time.Millisecond)
	}
	return nil
}

// voteOnAndOn is a phone that cannot make up its mind: each ballot replaces the one before.
func (e *evening) voteOnAndOn(who string, ended <-chan struct{}) error {
	kiosk := visit.Process{Base: "http://" + pageAddress}
	phone, err := kiosk.Visitor()
	if err != nil {
		return err
	}
	if err := errors.Join(phone.Get("/vote"), phone.Connect("vote")); err != nil {
		return err
	}
	defer phone.WS.Close()
	// Once people have seen the film, a question that is opened again has another round.
	round, err := phone.OpenRound()
	if err != nil {
		return err
	}
	ballot := func(choice string) map[string]any {
		return map[string]any{"do": "castBallot", "question": question, "round": round, "choices": []string{choice}}
	}
	return e.onAndOn(phone, who, ended, ballot("18"), ballot("15"))
}

func (e *evening) correctOnAndOn(ended <-chan struct{}) error {
	return e.onAndOn(e.lead, fmt.Sprint(e.boot, "-lead-", e.step), ended,
		map[string]any{"do": "countAttendee", "category": "woman"}, map[string]any{"do": "undoCount", "category": ""})
}

func (e *evening) onAndOn(v *visit.Visitor, who string, ended <-chan struct{}, commands ...map[string]any) error {
	for n := 1; !told(ended); n++ {
		command := commands[(n-1)%len(commands)]
		command["screening"] = e.id
		fmt.Println("ASK", who)
		if err := v.Do(kept.ID(who, n), command); err != nil {
			return err
		}
		fmt.Println("ACK", who)
	}
	return nil
}

// showFilm is the projector's page.
func (e *evening) showFilm(ended <-chan struct{}) error {
	kiosk := visit.Process{Base: "http://" + pageAddress}
	stage, err := kiosk.Visitor()
	if err != nil {
		return err
	}
	if err := errors.Join(stage.Get("/stage"), stage.Connect("stage")); err != nil {
		return err
	}
	defer stage.WS.Close()
	return stage.Show(fmt.Sprint("report-", e.boot), ended, func(what string, at int) { fmt.Println(what, "film", at) })
}
