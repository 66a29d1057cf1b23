package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/sqlite"
)

func exportCommand() *cobra.Command {
	var f flags
	var to string
	var rehearsals bool
	cmd := &cobra.Command{
		Use:   "export --to DIR",
		Short: "Write the logs of all screenings into a folder, also while the kiosk runs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			journal, err := sqlite.OpenToRead(cmd.Context(), filepath.Join(f.data, "journal.db"))
			if err != nil {
				return err
			}
			defer journal.Close() // read only: nothing to lose
			if f.config == "" && exists(installedConfig) {
				f.config = installedConfig
			}
			f.settle(cmd.Flags().Changed)
			s, err := readSettings(f)
			if err != nil {
				return err
			}
			opts, err := exportOptions(f.data, s)
			if err != nil {
				return err
			}
			opts.Rehearsals = rehearsals
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
	cmd.Flags().StringVar(&f.config, "config", "", "configuration file; none is "+installedConfig+" where that is, else the built-in defaults")
	cmd.Flags().StringVar(&f.data, "data", "/var/lib/mimpi-kiosk", "folder of the journal")
	cmd.Flags().StringVar(&to, "to", "", "folder to write into; it must exist")
	cmd.Flags().BoolVar(&rehearsals, "rehearsals", false, "export rehearsals too; they are marked")
	if err := cmd.MarkFlagRequired("to"); err != nil {
		panic(err) // only for a flag that is not there
	}
	return cmd
}

func (k *kiosk) exportOptions() (export.Options, error) { return exportOptions(k.data, k.config) }

// exportOptions says how exports are signed, and for whom they are encrypted. Who asked
// for encryption and made a mistake in it must not get exports that everybody can read.
func exportOptions(data string, s settings) (export.Options, error) {
	if len(s.Export.AgeRecipients) == 0 {
		for _, p := range s.problems {
			// The mistake may be the very line, or its heading.
			if text, _ := os.ReadFile(p.File); bytes.Contains(text, []byte("age1")) {
				return export.Options{}, fmt.Errorf("nothing is exported: what should be encrypted would be readable by everybody. Mend the configuration first: %w", p)
			}
		}
	}
	key, err := export.OpenKey(filepath.Join(data, "signing.key"))
	return export.Options{Key: key, Recipients: s.Export.AgeRecipients}, err
}
