// Mimpi-kiosk is the daemon of a screening kiosk: it plays the film, takes the polls,
// counts attendance and keeps the journal. See "mimpi-kiosk help".
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// version is set by the build.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := root().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "mimpi-kiosk:", err)
		os.Exit(exitCode(err))
	}
}

func root() *cobra.Command {
	cmd := &cobra.Command{
		Use:           "mimpi-kiosk",
		Short:         "A kiosk for film screenings with a discussion poll",
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true, // main says it
	}
	cmd.AddCommand(versionCommand(), runCommand(), exportCommand(), configCommand(), doctorCommand(), displayCommand(), browserCommand(), playerCommand(), serviceCommand(), hotspotCommand(), packCommand(), rtcCommand())
	refuseWrongUse(cmd)
	return cmd
}
