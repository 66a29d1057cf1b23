package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/qemu"
)

// rest of everybody in the soak after each step. It takes no time here (see skipping), and
// lets what happens by the clock happen: an evening has ten steps.
const rest = 15 * time.Second

// soakByTheClock holds evenings for so long by the clock of a machine that skips all time in
// which nobody has anything to do. What the daemon holds must stay flat: see the faults lab,
// which runs in the guest.
func soakByTheClock(ctx context.Context, k *kernel, initrd string, howLong time.Duration, seed int) error {
	began := time.Now()
	row, err := soakInGuest(ctx, k, initrd, howLong, seed)
	row.Part, row.Fault, row.Seed = "soak", "evenings by the clock of a machine that skips idle time", seed
	row.Says += fmt.Sprintf(", in %v", time.Since(began).Round(time.Second))
	return row.Keep(ctx, err)
}

// addFaultsLab adds what the soak needs besides; program is where it is built here.
func (i initramfs) addFaultsLab(ctx context.Context, program string) error {
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./internal/lab/faults").CombinedOutput(); err != nil {
		return fmt.Errorf("build the faults lab: %w\n%s", err, out)
	}
	return errors.Join(i.addProgram("/bin/lab-faults", program), i.addFolder("/media", "media"))
}

func soakInGuest(ctx context.Context, k *kernel, initrd string, howLong time.Duration, seed int) (row oracle.Row, err error) {
	guest, err := qemu.Start(ctx, qemu.Options{
		CPUs: 1, Memory: 2048, Kernel: k.image, Initrd: initrd,
		Append: fmt.Sprint(commandLine, "lab.do=soak lab.soak=", howLong, " lab.rest=", rest, " lab.seed=", seed),
		Args:   skipping, Log: &labLines{to: os.Stdout},
	})
	if err != nil {
		return row, err
	}
	defer func() { err = errors.Join(err, guest.Close()) }()
	for {
		got, err := guest.Console(0).Expect(ctx, `LAB (ROW (\{.*\})|END (\w+))\n`)
		switch {
		case err != nil:
			return row, err
		case got[2] != "":
			if err := json.Unmarshal([]byte(got[2]), &row); err != nil {
				return row, fmt.Errorf("the guest's row: %w", err)
			}
		case got[3] != "passed":
			return row, fmt.Errorf("the soak in the guest %s: %s", got[3], row.Wrong)
		case !row.Judged:
			return row, errors.New("the guest left no figures: this run shows nothing")
		default:
			return row, nil
		}
	}
}
