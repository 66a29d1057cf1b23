package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/lab/gpio/sim"
	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/visit"
)

// cut works on a card (/dev/vda) whose power the host takes away at any moment. It prints
// what the journal has kept from the times before, sees the kiosk go on where it was, and
// then presses, votes and corrects, and tells the host of each before and after:
//
//	LAB KEPT who n    the journal has n of them, and they are the first n
//	LAB READY         the kiosk went on where it was; now the power may go at any time
//	ASK who, ACK who  one more was sent; one more was acknowledged
//
// With lab.look=yes it ends after READY. With lab.sync=no the journal's WAL is not synced, as it
// would be with synchronous=NORMAL.
func cut(asked map[string]string) error {
	boot, err := number(asked, "boot")
	if err != nil {
		return err
	}
	if err := unix.Mount("/dev/vda", "/data", "ext4", unix.MS_NOATIME, ""); err != nil {
		return fmt.Errorf("mount the card: %w", err)
	}
	forgetful := asked["sync"] == "no" // then whatever is lost is what the host wants to see
	net, err := kept()
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
	lead, evening, err := goOn(boot, net, forgetful)
	if err != nil {
		return err
	}
	if asked["look"] == "yes" {
		fmt.Println("LAB READY")
		return d.end(unix.SIGTERM)
	}
	broken := make(chan error, len(buttons)+5)
	for _, b := range buttons {
		go func() { broken <- pressOnAndOn(chip, b) }()
	}
	for i := range 4 {
		go func() { broken <- voteOnAndOn(fmt.Sprintf("cut-%d-vote%d", boot, i), evening) }()
	}
	go func() { broken <- correctOnAndOn(lead, fmt.Sprintf("cut-%d-lead", boot), evening) }()
	fmt.Println("LAB READY")
	return <-broken // until the power goes
}

// attendance is what the count of people must come to: presses, less those undone.
type attendance int

// kept looks at a copy of the journal, so that the daemon finds it as the cut left it.
func kept() (net attendance, err error) {
	files, err := filepath.Glob("/data/journal.db*")
	if err != nil || len(files) == 0 {
		return -1, err
	}
	if err := os.MkdirAll("/tmp/copy", 0o755); err != nil {
		return 0, err
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			return 0, err
		}
		if err := os.WriteFile(filepath.Join("/tmp/copy", filepath.Base(f)), data, 0o644); err != nil {
			return 0, err
		}
	}
	const journal = "/tmp/copy/journal.db"
	// Whether it is sound, and time and numbers run on, the oracle of all labs knows; what was
	// asked and answered only the host does.
	verdict, err := (&oracle.History{}).Judge(context.Background(), journal)
	if err == nil && len(verdict.Others) > 0 {
		err = errors.New(strings.Join(verdict.Others, "; "))
	}
	if err != nil {
		return 0, err
	}
	db, err := sql.Open("sqlite3", "file:"+journal)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	rows, err := db.Query(`SELECT seq, kind, source, coalesce(command, ''), coalesce(json_extract(data, '$.category'), '') FROM events ORDER BY seq`)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	count := map[string]int{}
	for rows.Next() {
		var seq int64
		var kind, source, command, category string
		if err := rows.Scan(&seq, &kind, &source, &command, &category); err != nil {
			return 0, err
		}
		switch kind {
		case "AttendeeCounted":
			net++
		case "CountUndone":
			net--
		}
		if source == "buttons" && kind == "AttendeeCounted" {
			count["press-"+category]++
		}
		if who, n, ours := cutID(command); ours {
			if count[who]++; n != count[who] {
				return 0, fmt.Errorf("event %d is command %s, and %d were there before: one is missing or counted twice", seq, command, count[who]-1)
			}
		}
	}
	for who, n := range count {
		fmt.Println("LAB KEPT", who, n)
	}
	return net, rows.Err()
}

// cutID takes the id of a command apart: cut-BOOT-WHO-N.
func cutID(command string) (who string, n int, ours bool) {
	at := strings.LastIndexByte(command, '-')
	if at < 0 || !strings.HasPrefix(command, "cut-") {
		return "", 0, false
	}
	n, err := strconv.Atoi(command[at+1:])
	return command[:at], n, err == nil
}

// goOn signs the facilitator in. A new kiosk gets a screening with a question open; one
// that was cut off must still have it, and count net people; but not a forgetful one.
func goOn(boot int, net attendance, forgetful bool) (lead *visit.Visitor, evening string, err error) {
	kiosk := visit.Process{Base: "http://" + pageAddress}
	if lead, err = kiosk.Visitor(); err != nil {
		return nil, "", err
	}
	fresh := net < 0
	enter := []func() error{lead.SignIn}
	if fresh || forgetful {
		enter = append(enter, lead.SetPIN)
	}
	for _, try := range enter {
		if err = try(); err == nil {
			break
		}
	}
	if err != nil {
		return nil, "", fmt.Errorf("the facilitator: %w", err)
	}
	if err := lead.Connect("facilitator"); err != nil {
		return nil, "", err
	}
	var view struct {
		Screening  struct{ ID string }
		Step       string
		Attendance struct{ Total int }
		Current    struct{ ID, Phase string }
	}
	read := func(is func() bool) error {
		return lead.WaitFor(func(m visit.Message) bool {
			return m.Type == "view" && json.Unmarshal(m.View, &view) == nil && is()
		})
	}
	if err := read(func() bool { return true }); err != nil {
		return nil, "", err
	}
	if fresh || forgetful && view.Current.Phase != "open" {
		err := lead.Plan(fmt.Sprint("plan-", boot), "Lab")
		for i, command := range []map[string]any{
			{"do": "openDoors"}, {"do": "moveTo", "step": "discussion"}, {"do": "openQuestion", "question": "k1"},
		} {
			if err == nil {
				err = lead.Do(fmt.Sprint("begin-", boot, "-", i), command)
			}
		}
		if err == nil {
			err = read(func() bool { return view.Current.Phase == "open" })
		}
		return lead, view.Screening.ID, err
	}
	if view.Step != "discussion" || view.Current.ID != "k1" || view.Current.Phase != "open" || view.Attendance.Total != int(net) {
		err = fmt.Errorf("boot %d: the kiosk did not go on where it was: %+v, and %d people by the journal", boot, view, net)
	}
	return lead, view.Screening.ID, err
}

// pressOnAndOn presses a button again and again; its lamp is the answer.
func pressOnAndOn(chip *sim.Chip, b button) error {
	wire, err := chip.Wire(b.line)
	if err != nil {
		return err
	}
	lamp, err := chip.Wire(b.lamp)
	if err != nil {
		return err
	}
	until := func(lit bool) error {
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
			if now, err := lamp.Lit(); err != nil || now == lit {
				return err
			}
		}
		return fmt.Errorf("the lamp of %s: not lit=%t within 30 s", b.category, lit)
	}
	for {
		fmt.Println("ASK press-" + b.category)
		if err := errors.Join(wire.Press(true), until(true)); err != nil {
			return err
		}
		fmt.Println("ACK press-" + b.category)
		time.Sleep(40 * time.Millisecond)
		if err := errors.Join(wire.Press(false), until(false)); err != nil {
			return err
		}
		time.Sleep(60 * time.Millisecond)
	}
}

// voteOnAndOn is a phone that cannot make up its mind: each ballot replaces the one before.
func voteOnAndOn(who, evening string) error {
	kiosk := visit.Process{Base: "http://" + pageAddress}
	phone, err := kiosk.Visitor()
	if err != nil {
		return err
	}
	if err := errors.Join(phone.Get("/vote"), phone.Connect("vote")); err != nil {
		return err
	}
	ballot := func(choice string) map[string]any {
		return map[string]any{"do": "castBallot", "question": "k1", "round": 1, "choices": []string{choice}}
	}
	return onAndOn(phone, who, evening, ballot("18"), ballot("15"))
}

func correctOnAndOn(lead *visit.Visitor, who, evening string) error {
	return onAndOn(lead, who, evening, map[string]any{"do": "countAttendee", "category": "woman"}, map[string]any{"do": "undoCount", "category": ""})
}

func onAndOn(v *visit.Visitor, who, evening string, commands ...map[string]any) error {
	for n := 1; ; n++ {
		command := commands[(n-1)%len(commands)]
		command["screening"] = evening
		fmt.Println("ASK", who)
		if err := v.Do(fmt.Sprint(who, "-", n), command); err != nil {
			return err
		}
		fmt.Println("ACK", who)
	}
}
