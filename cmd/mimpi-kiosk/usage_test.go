package main

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// The help of each verb has an example and the exit codes, and says the same of --config.
func TestHelp(t *testing.T) {
	verbs := 0
	var look func(cmd *cobra.Command, above string)
	look = func(cmd *cobra.Command, above string) {
		if cmd.Hidden {
			return
		}
		path, help := cmd.CommandPath(), above+cmd.Long
		if !cmd.HasSubCommands() {
			verbs++
			if !strings.Contains(cmd.Example, path) {
				t.Errorf("%s: no example", path)
			}
			if !strings.Contains(help, "Exit code 0: ") || !strings.Contains(help, "2: wrong use") {
				t.Errorf("%s: no exit codes", path)
			}
			if f := cmd.Flags().Lookup("config"); f != nil && !strings.HasPrefix(f.Usage, "configuration file; without it ") {
				t.Errorf("%s: --config is %q", path, f.Usage)
			}
			if f := cmd.Flags().Lookup("pack"); f != nil && !strings.Contains(f.Usage, "media/mimpi-beta in the current folder") {
				t.Errorf("%s: --pack is %q", path, f.Usage)
			}
		}
		for _, below := range cmd.Commands() {
			look(below, help)
		}
	}
	for _, cmd := range root().Commands() {
		look(cmd, "")
	}
	if verbs < 15 {
		t.Errorf("only %d verbs were looked at", verbs)
	}
}
