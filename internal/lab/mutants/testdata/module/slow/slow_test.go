package slow

import (
	"os/exec"
	"syscall"
	"testing"
)

func TestDown(t *testing.T) {
	left := exec.Command("sleep", "31.41592653") // in a session of its own, never ended
	left.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := left.Start(); err != nil {
		t.Fatal(err)
	}
	if got := Down(3); got != 0 {
		t.Errorf("Down(3) = %d, want 0", got)
	}
}
