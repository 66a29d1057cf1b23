package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
)

// boot switches the installed kiosk on in a virtual machine (make test-box without its
// checks), and the same machine without the kiosk.
func boot(ctx context.Context, _ string) ([]row, error) {
	cmd := exec.CommandContext(ctx, "make", "bench-box")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	data, err := os.ReadFile("build/lab/box-amd64/boot.json")
	if err != nil {
		return nil, err
	}
	var seen struct{ Touch, Bare float64 } // seconds
	if err := json.Unmarshal(data, &seen); err != nil {
		return nil, err
	}
	return []row{{
		job:  "power-on to the touch screen's page, in an emulated machine",
		ours: fmt.Sprintf("%.1f s", seen.Touch), plain: fmt.Sprintf("%.1f s (to multi-user.target, without the kiosk)", seen.Bare),
		ratio: times(seen.Touch / seen.Bare), aim: "-",
		equality: "disk, kernel, processor; one boot each",
	}}, nil
}
