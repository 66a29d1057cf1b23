package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/sqlite"
	"mimpi-kiosk/kiosk-ui/lang"
)

func exportCommand() *cobra.Command {
	var f flags
	var to string
	var rehearsals bool
	cmd := &cobra.Command{
		Use:   "export --to DIR",
		Short: "Write the logs of all screenings into a folder, also while the kiosk runs",
		Long: "Write the logs of all screenings into a folder, as a stick gets them. The kiosk may run meanwhile.\n" +
			exitCodes("everything was written", "something could not be written", "wrong use, or no such folder: nothing was written"),
		Example: "  mkdir export && sudo mimpi-kiosk export --to export\n  mimpi-kiosk export --data demo-data --to export",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if to == "" {
				return coded{errors.New("tulis --to FOLDER / give --to DIR"), exitWrongUse}
			}
			if err := folderThere(to); errors.Is(err, fs.ErrNotExist) {
				return coded{errors.New(lang.Both(lang.Text("usage.no_folder_make", lang.Params{"dir": to}), " / ")), exitWrongUse}
			} else if err != nil {
				return err
			}
			if !exists(filepath.Join(f.data, "journal.db")) {
				return coded{errors.New(lang.Both(lang.Text("usage.no_journal", lang.Params{"file": filepath.Join(f.data, "journal.db")}), " / ")), exitMistakes}
			}
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
	addConfig(cmd, &f.config, true)
	cmd.Flags().StringVar(&f.data, "data", "/var/lib/mimpi-kiosk", "folder of the journal")
	cmd.Flags().StringVar(&to, "to", "", "folder to write into; it must be there")
	cmd.Flags().BoolVar(&rehearsals, "rehearsals", false, "export rehearsals too; they are marked")
	return cmd
}

func (k *kiosk) exportOptions() (export.Options, error) {
	opts, err := exportOptions(k.data, k.config)
	k.noteSigningKey()
	return opts, err
}

func (k *kiosk) noteSigningKey() {
	if part := signingKey(k.data); part != nil {
		k.board.Set(*part)
	}
}

// errWithheld says that the settings forbid an export.
var errWithheld = errors.New("nothing is exported: what should be encrypted would be readable by everybody. Mend the configuration first")

const signingKeyFile = "signing.key"

// signingKey is the note on a key that was damaged and made again, nil when none was.
func signingKey(data string) *health.Part {
	file, err := export.DamagedKey(filepath.Join(data, signingKeyFile))
	if err != nil || file == "" { // the pattern is a constant: no error comes of it
		return nil
	}
	return &health.Part{
		Part: "signing_key", Level: health.Note,
		Message: lang.Text("export.key_replaced", lang.Params{"file": filepath.Base(file)}),
		Hint:    lang.Text("export.key_replaced_do", lang.Params{"file": file}),
	}
}

// exportOptions says how exports are signed, and for whom they are encrypted. Who asked
// for encryption and made a mistake in it must not get exports that everybody can read.
func exportOptions(data string, s settings) (export.Options, error) {
	if len(s.Export.AgeRecipients) == 0 {
		for _, p := range s.problems {
			// The mistake may be the very line, or its heading.
			if text, _ := os.ReadFile(p.File); bytes.Contains(text, []byte("age1")) {
				return export.Options{}, fmt.Errorf("%w: %w", errWithheld, p)
			}
		}
	}
	key, err := export.OpenKey(filepath.Join(data, signingKeyFile))
	return export.Options{Key: key, Recipients: s.Export.AgeRecipients}, err
}
