package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/sqlite"
)

func exportCommand() *cobra.Command {
	var data, to string
	var opts export.Options
	cmd := &cobra.Command{
		Use:   "export --to DIR",
		Short: "Write the logs of all screenings into a folder, also while the kiosk runs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			journal, err := sqlite.OpenToRead(cmd.Context(), filepath.Join(data, "journal.db"))
			if err != nil {
				return err
			}
			defer journal.Close() // read only: nothing to lose
			folders, err := export.Write(cmd.Context(), journal, to, opts)
			for _, f := range folders {
				fmt.Fprintln(cmd.OutOrStdout(), f)
			}
			if err == nil && len(folders) == 0 {
				fmt.Fprintln(cmd.OutOrStdout(), "Belum ada pemutaran untuk diekspor. / There is no screening to export yet.")
			}
			return err
		},
	}
	cmd.Flags().StringVar(&data, "data", "/var/lib/mimpi-kiosk", "folder of the journal")
	cmd.Flags().StringVar(&to, "to", "", "folder to write into; it must exist")
	cmd.Flags().BoolVar(&opts.Rehearsals, "rehearsals", false, "export rehearsals too; they are marked")
	if err := cmd.MarkFlagRequired("to"); err != nil {
		panic(err) // only for a flag that is not there
	}
	return cmd
}
