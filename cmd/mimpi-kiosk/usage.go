package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"mimpi-kiosk/kiosk-ui/lang"
)

// exitCodes is the line on exit codes in the help of a verb.
func exitCodes(zero, one, two string) string {
	return fmt.Sprintf("Exit code 0: %s; 1: %s; 2: %s.", zero, one, two)
}

// refuseWrongUse gives every command of the tree the exit code of wrong use for flags,
// arguments and verbs that it does not know.
func refuseWrongUse(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return coded{err, exitWrongUse} })
	if rule := cmd.Args; rule != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := rule(cmd, args)
			if err == nil || exitCode(err) == exitWrongUse {
				return err
			}
			return coded{err, exitWrongUse}
		}
	}
	if cmd.HasSubCommands() && cmd.RunE == nil {
		cmd.Args, cmd.RunE = cobra.ArbitraryArgs, needsVerb
	}
	for _, below := range cmd.Commands() {
		refuseWrongUse(below)
	}
}

// needsVerb is for a command that only has verbs below it.
func needsVerb(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return coded{errors.New(lang.Both(lang.Text("usage.no_verb", lang.Params{"command": cmd.CommandPath(), "verb": args[0]}), " / ")), exitWrongUse}
	}
	return cmd.Help()
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of the program",
		Long:    "Print the version of the program.\n" + exitCodes("printed", "it could not be printed", "wrong use"),
		Example: "  mimpi-kiosk version",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "mimpi-kiosk", version)
			return err
		},
	}
}
