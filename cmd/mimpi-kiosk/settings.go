package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"mimpi-kiosk/kiosk-ui/lang"

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
	part := found("configuration", health.OK, lang.Text("settings.sound"), nil)
	if len(s.problems) == 0 {
		return part
	}
	part.Level = health.Note
	const most = 3
	part.Message = lang.Text("settings.mistakes", lang.Params{"n": len(s.problems)})
	for _, p := range s.problems[:min(len(s.problems), most)] {
		for code, sentence := range p.Notice() {
			part.Message[code] += " " + sentence
		}
	}
	if more := len(s.problems) - most; more > 0 {
		for code, sentence := range lang.Text("settings.more", lang.Params{"n": more}) {
			part.Message[code] += " " + sentence
		}
	}
	part.Hint = lang.Text("settings.hint")
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

// whyNotListen is the sentence on an address that cannot be listened on.
func whyNotListen(address string, err error) map[string]string {
	var malformed *net.AddrError
	var noNumber *net.DNSError // of a port that is none, or a host that nobody knows
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return lang.Text("listen.taken", lang.Params{"address": address})
	case errors.Is(err, fs.ErrPermission):
		return lang.Text("listen.not_allowed", lang.Params{"address": address})
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return lang.Text("listen.not_here", lang.Params{"address": address})
	case errors.As(err, &malformed), errors.As(err, &noNumber):
		return lang.Text("listen.malformed", lang.Params{"address": address})
	}
	return lang.Text("listen.failed", lang.Params{"address": address, "why": err})
}

// listenError is what somebody reads whose daemon cannot begin for want of an address.
func listenError(address string, err error) error {
	say := whyNotListen(address, err)
	var malformed *net.AddrError
	if !errors.As(err, &malformed) { // which says already what to write
		for code, sentence := range lang.Text("listen.choose") {
			say[code] += " " + sentence
		}
	}
	return fmt.Errorf("%s\n%s (%w)", say["id"], say["en"], err)
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
			say := whyNotListen(s.Listen, err)
			for code, sentence := range say {
				say[code] = strings.TrimSuffix(sentence, ".")
			}
			s.problems = append(s.problems, config.Problem{File: "listen", Say: say, Used: address})
			return l, nil
		}
	}
	return nil, err
}

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "config", Short: "Check a configuration file, or print one to begin with",
		Long: "Check a configuration file, or print one to begin with.\n" +
			exitCodes("no mistakes", "mistakes, which were named", "wrong use"),
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "check FILE...",
		Short: "Say what is wrong in configuration files; later files override earlier ones",
		Long: "Name every mistake in configuration files with file, line and remedy. A later file wins over an earlier one, key by key.\n" +
			exitCodes("no mistakes", "mistakes, which were named", "wrong use, nothing was looked at"),
		Example: "  mimpi-kiosk config check kiosk.toml\n  mimpi-kiosk config check /etc/mimpi-kiosk/kiosk.toml /boot/firmware/mimpi-kiosk.toml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var files []config.File
			for _, path := range args {
				file := config.Find(path)
				if file.Data == nil && file.Err == nil {
					return coded{errors.New(lang.Both(lang.Text("usage.no_file", lang.Params{"file": path}), " / ")), exitWrongUse}
				}
				files = append(files, file)
			}
			_, problems := config.Settle(nil, files...)
			for _, p := range problems {
				notice := p.Notice()
				fmt.Fprintln(cmd.OutOrStdout(), notice["id"]+"\n  "+notice["en"])
			}
			if len(problems) > 0 {
				return coded{errors.New(lang.Both(lang.Text("usage.mistakes", lang.Params{"n": len(problems)}), " / ")), exitMistakes}
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), lang.Both(lang.Text("settings.none"), " / "))
			return err
		},
	}, &cobra.Command{
		Use:     "sample",
		Short:   "Print a commented configuration file with the built-in values",
		Example: "  mimpi-kiosk config sample > kiosk.toml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(cmd.OutOrStdout(), config.Sample())
			return err
		},
	})
	return cmd
}
