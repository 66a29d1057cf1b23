package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"mimpi-kiosk/internal/lab/oracle"
	"mimpi-kiosk/internal/lab/visit"
)

// soak holds the faults lab's evenings (internal/lab/faults), with a rest after each step, for
// lab.soak by this machine's clock. It prints the row of the table that they leave:
//
//	LAB ROW {...}
func soak(asked map[string]string) error {
	if err := os.Chdir("/data"); err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(filepath.Dir(visit.Daemon), 0o755), os.Symlink("/bin/mimpi-kiosk", visit.Daemon), os.Symlink("/media", "media")); err != nil {
		return err
	}
	cmd := exec.Command("/bin/lab-faults", "-do", "soak", "-soak", asked["soak"], "-rest", asked["rest"], "-seed", asked["seed"])
	cmd.Env = []string{"HOME=/tmp", "PATH=/bin", "GODEBUG=disablethp=1"} // the last as the unit has it
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	rows, lerr := filepath.Glob(filepath.Join(oracle.Kept, "*.json"))
	for _, file := range rows {
		row, rerr := os.ReadFile(file)
		lerr = errors.Join(lerr, rerr)
		fmt.Println("LAB ROW", strings.Join(strings.Fields(string(row)), " "))
	}
	return errors.Join(err, lerr)
}
