package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/health"
)

// Where the package keeps the settings, and where a laptop finds them on the SD card.
const (
	installedConfig = "/etc/mimpi-kiosk/kiosk.toml"
	bootConfig      = "/boot/firmware/mimpi-kiosk.toml"
)

// settings are the configuration as it is in force.
type settings struct {
	config.Config
	problems config.Problems
	last     *config.Config // what was good before, or nil
	kept     string         // file of the last good ones
}

// readSettings reads the configuration and what the boot partition says otherwise. A
// mistake in them never stops a start: the last good value holds, and the screens say so.
// Only a file that the command line names and that is not there is an error.
func readSettings(f flags) (settings, error) {
	s := settings{kept: filepath.Join(f.data, "last-good.toml")}
	s.last = config.LoadLastGood(s.kept)
	var files []config.File
	for _, path := range []string{f.config, f.override} {
		if path == "" {
			continue
		}
		file := config.Find(path)
		if file.Data == nil && file.Err == nil && path == f.config && path != installedConfig {
			_, err := config.Load(path) // says it
			return s, err
		}
		files = append(files, file)
	}
	s.Config, s.problems = config.Settle(s.last, files...)
	return s, nil
}

// health says what is wrong in the files.
func (s settings) health() health.Part {
	part := health.Part{Part: "configuration", Level: health.OK, Message: map[string]string{
		"id": "Pengaturan terbaca tanpa kesalahan.", "en": "The settings were read without a mistake.",
	}}
	if len(s.problems) == 0 {
		return part
	}
	part.Level = health.Note
	const most = 3
	var id, en []string
	for _, p := range s.problems[:min(len(s.problems), most)] {
		notice := p.Notice()
		id, en = append(id, notice["id"]), append(en, notice["en"])
	}
	if more := len(s.problems) - most; more > 0 {
		id = append(id, fmt.Sprintf("Dan %d kesalahan lagi.", more))
		en = append(en, fmt.Sprintf("And %d more.", more))
	}
	part.Message = map[string]string{
		"id": "Ada yang salah di pengaturan. " + strings.Join(id, " "),
		"en": "There is a mistake in the settings. " + strings.Join(en, " "),
	}
	part.Hint = map[string]string{
		"id": "Malam ini bisa jalan terus: yang salah memakai nilai terakhir yang baik. Perbaiki berkas itu dengan laptop, lalu nyalakan ulang.",
		"en": "The evening can go on: what is wrong has its last good value. Mend that file with a laptop, then restart.",
	}
	return part
}

// remember keeps settings that were read without a mistake for a start with worse ones.
func (s settings) remember() error {
	if len(s.problems) > 0 {
		return nil
	}
	data, err := s.Encode()
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(s.kept); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return renameio.WriteFile(s.kept, data, 0o600) // the password of the Wi-Fi is in it
}

// bind listens at the address of the configuration. Where that cannot be had, the last
// good one and the built-in one are tried: a wrong address must not leave a black screen.
func (s *settings) bind() (net.Listener, error) {
	l, err := net.Listen("tcp", s.Listen)
	if err == nil {
		return l, nil
	}
	others := []string{config.Default().Listen}
	if s.last != nil {
		others = append([]string{s.last.Listen}, others...)
	}
	for _, address := range others {
		if address == s.Listen {
			continue
		}
		if l, other := net.Listen("tcp", address); other == nil {
			s.problems = append(s.problems, config.Problem{
				File: "listen", Say: fmt.Sprintf("cannot serve on %s (%v)", s.Listen, err), Used: address,
				Katakan: fmt.Sprintf("tidak bisa melayani di %s (%v)", s.Listen, err),
			})
			return l, nil
		}
	}
	return nil, err
}

func configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Check a configuration file, or print one to begin with"}
	cmd.AddCommand(&cobra.Command{
		Use:   "check FILE...",
		Short: "Say what is wrong in configuration files; later files override earlier ones",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var files []config.File
			for _, path := range args {
				file := config.Find(path)
				if file.Data == nil && file.Err == nil {
					return fmt.Errorf("there is no file %s", path)
				}
				files = append(files, file)
			}
			_, problems := config.Settle(nil, files...)
			for _, p := range problems {
				notice := p.Notice()
				fmt.Fprintln(cmd.OutOrStdout(), notice["id"]+"\n  "+notice["en"])
			}
			if len(problems) > 0 {
				return errors.New("ada yang salah di pengaturan / there are mistakes in the settings")
			}
			fmt.Fprintln(cmd.OutOrStdout(), "Tidak ada kesalahan. / No mistakes.")
			return nil
		},
	}, &cobra.Command{
		Use:   "sample",
		Short: "Print a commented configuration file with the built-in values",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), config.Sample())
			return err
		},
	})
	return cmd
}
