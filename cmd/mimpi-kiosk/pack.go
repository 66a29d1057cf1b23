package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aead.dev/minisign"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"mimpi-kiosk/kiosk-ui/lang"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/pack/local"
	"mimpi-kiosk/internal/pack/shelf"
	"mimpi-kiosk/internal/pack/trial"
	"mimpi-kiosk/internal/playback"
)

// Exit codes of the pack verbs.
const (
	exitMistakes = 1 // the pack or the film has mistakes, which were named
	exitWrongUse = 2 // nothing could be looked at
)

// coded is an error with an exit code of its own.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// exitCode is 1 but for errors that say otherwise.
func exitCode(err error) int {
	var c coded
	if errors.As(err, &c) {
		return c.code
	}
	return 1
}

func packCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "pack",
		Short: "Make, fill in and check screening packs",
		Long: "A screening pack is a folder with the questions, help numbers, languages and film of an evening.\n" +
			"Where DIR or --pack is not given it is the pack in use. The pack that the package put below /usr/share is an original:\n" +
			"what is done to it is done to its copy in the data folder, which the kiosk uses.\n" +
			"Exit code 0: sound (notes may be there); 1: mistakes, which were named; 2: wrong use, nothing was looked at.",
	}
	var data string
	cmd.PersistentFlags().StringVar(&data, "data", "/var/lib/mimpi-kiosk", "data folder of the kiosk, where the pack in use is")
	cmd.AddCommand(packVerify(), packNew(), packAddFilm(), packLanguage(), packSums(), packSign(), packWhere())
	return cmd
}

// sourcePack is the pack in use where nothing is installed.
const sourcePack = "media/mimpi-beta"

// packFolder gives the folder of a pack, of the one in use for "". When it is to be edited
// and is a shipped one, it has a copy then. done is called afterwards.
func packFolder(cmd *cobra.Command, given string, toEdit bool) (dir string, done func() error, err error) {
	data, err := cmd.Flags().GetString("data")
	if err != nil {
		return "", nil, err
	}
	done = func() error { return nil }
	if given == "" {
		s, err := shelf.Open(filepath.Join(data, "packs"), nil)
		if errors.Is(err, fs.ErrPermission) {
			return "", nil, notAllowed(err)
		}
		if dir, ok := s.Current(); ok {
			return dir, func() error { return local.Give(dir, data) }, nil
		}
		given = sourcePack
		if exists(installedPack) {
			given = installedPack
		}
	} else {
		if err := folderThere(given); err != nil {
			return "", nil, err
		}
		if !cmd.Flags().Changed("data") {
			data = "" // that of the system which the pack belongs to
		}
	}
	c := local.Of(data, given)
	if !c.Shipped() {
		return given, done, nil
	}
	if !toEdit {
		dir, err = c.Folder()
	} else if err = c.Settle(); err == nil {
		dir, err = c.Make(true)
		done = c.Give
	}
	if errors.Is(err, fs.ErrPermission) {
		err = notAllowed(err)
	}
	return dir, done, err
}

func notAllowed(err error) error {
	return coded{fmt.Errorf("jalankan dengan sudo / run it with sudo: %w", err), exitWrongUse}
}

// edit does something to a pack, as packFolder finds it.
func edit(cmd *cobra.Command, given string, do func(dir string) error) error {
	dir, done, err := packFolder(cmd, given, true)
	if err != nil {
		return err
	}
	return errors.Join(do(dir), done())
}

func packWhere() *cobra.Command {
	return &cobra.Command{
		Use:     "where",
		Example: "  sudo nano \"$(sudo mimpi-kiosk pack where)/pack.toml\"",
		Short:   "Print the folder of the pack in use, which can be edited there",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return edit(cmd, "", func(dir string) error {
				_, err := fmt.Fprintln(cmd.OutOrStdout(), dir)
				return err
			})
		},
	}
}

// verified is what "pack verify --json" prints. Fields may be added, never renamed.
type verified struct {
	Program  string   `json:"program"` // "mimpi-kiosk"
	Version  string   `json:"version"`
	Folder   string   `json:"folder"`
	Sound    bool     `json:"sound"` // no mistakes
	Mistakes []judged `json:"mistakes"`
	Notes    []judged `json:"notes"`
}

// judged is a finding: file, line (0: no line), what by language, part and class.
type judged struct {
	*pack.Mistake
	Class health.Class `json:"class"` // as doctor judges it
}

// judge returns mistakes (of level problem) or notes with the class that doctor gives them.
func judge(found []*pack.Mistake, level health.Level, p *pack.Pack) []judged {
	out := []judged{}
	for _, m := range found {
		part, level := m.Part, level
		switch {
		case p == nil && part == pack.PartPack && level == health.Problem:
			part = "pack" // it keeps the kiosk from reading the pack
		case p != nil && part == pack.PartPack:
			level = health.Note
		case p != nil && (part == pack.PartNumbers && len(p.HelpNumbers) == 0 || part == pack.PartFilm && p.Film.Missing):
			level = health.Problem // a pack may travel without them; an evening should not begin
		}
		out = append(out, judged{m, health.ClassOf(part, level)})
	}
	return out
}

func packVerify() *cobra.Command {
	var asJSON bool
	var keys []string
	cmd := &cobra.Command{
		Use:     "verify [DIR]",
		Example: "  mimpi-kiosk pack verify media/mimpi-beta\n  mimpi-kiosk pack verify kampung --key campaign.pub --json",
		Short:   "Name every mistake of a pack with file, line and remedy",
		Args:    atMostOne("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			check := pack.Check{Today: time.Now(), ScreenText: screenText()}
			var err error
			if check.Keys, err = publicKeys(keys); err != nil {
				return coded{err, exitWrongUse}
			}
			dir, _, err := packFolder(cmd, first(args), false)
			if err != nil {
				return coded{err, exitWrongUse}
			}
			v, err := pack.Verify(cmd.Context(), dir, check)
			if err != nil {
				return coded{err, exitWrongUse}
			}
			out := cmd.OutOrStdout()
			if asJSON {
				err = printJSON(out, verified{
					Program: "mimpi-kiosk", Version: version, Folder: dir, Sound: len(v.Mistakes) == 0,
					Mistakes: judge(v.Mistakes, health.Problem, v.Pack), Notes: judge(v.Notes, health.Note, v.Pack),
				})
			} else {
				err = printVerdict(out, v)
			}
			if err == nil && len(v.Mistakes) > 0 {
				err = coded{errors.New(lang.Both(lang.Text("usage.mistakes", lang.Params{"n": len(v.Mistakes)}), " / ")), exitMistakes}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	cmd.Flags().StringArrayVar(&keys, "key", nil, "public key of minisign, or its file: one of them must have signed the pack")
	return cmd
}

func printVerdict(w io.Writer, v pack.Verdict) error {
	list := func(sign string, found []*pack.Mistake) {
		for _, m := range found {
			where := m.File
			if m.Line > 0 {
				where = fmt.Sprintf("%s:%d", m.File, m.Line)
			}
			fmt.Fprintf(w, "%s %s\n    %s\n    %s\n", sign, where, m.What["id"], m.What["en"])
		}
	}
	list("!", v.Notes)
	list("✗", v.Mistakes)
	verdict := "✓ Paket ini bisa dipakai. / This pack can be used."
	if len(v.Mistakes) > 0 {
		verdict = "✗ Perbaiki dulu yang bertanda ✗. / Put right what has ✗ first."
	}
	_, err := fmt.Fprintln(w, verdict)
	return err
}

func packNew() *cobra.Command {
	return &cobra.Command{
		Use:     "new DIR",
		Example: "  mimpi-kiosk pack new kampung",
		Short:   "Make a fresh pack to fill in, for any community film",
		Args:    oneArg("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := pack.New(args[0]); err != nil {
				return coded{err, exitWrongUse}
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "Paket baru ada di %[1]s. Baca BACA-SAYA.txt di dalamnya, lalu: mimpi-kiosk pack verify %[1]s\n"+
				"The new pack is in %[1]s. Read BACA-SAYA.txt in it, then: mimpi-kiosk pack verify %[1]s\n", args[0])
			return err
		},
	}
}

func packLanguage() *cobra.Command {
	return &cobra.Command{
		Use:     "language [DIR] CODE",
		Example: "  mimpi-kiosk pack language kampung aoz",
		Short:   "Make lang/CODE.json with every text to be translated, or add what is missing in it",
		Args:    oneOrTwo("DIR", "CODE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			code := args[len(args)-1]
			if !pack.IsLanguageCode(code) {
				return coded{errors.New(lang.Both(lang.Text("usage.language_code", lang.Params{"code": code}), " / ")), exitWrongUse}
			}
			screens, err := fs.ReadFile(lang.Files(), "id.json")
			if err != nil {
				return err
			}
			return edit(cmd, first(args[:len(args)-1]), func(dir string) error {
				file, missing, err := pack.WriteLanguage(dir, code, screens)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d teks masih kosong / texts are still empty\n", file, missing)
				return err
			})
		},
	}
}

func packSums() *cobra.Command {
	return &cobra.Command{
		Use:     "sums [DIR]",
		Example: "  mimpi-kiosk pack sums kampung",
		Short:   "Write SHA256SUMS, by which damage on the way is found",
		Args:    atMostOne("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return edit(cmd, first(args), func(dir string) error {
				sums, err := pack.WriteSums(cmd.Context(), dir)
				if err != nil {
					return err
				}
				n := bytes.Count(sums, []byte("\n"))
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d berkas tercatat dalam SHA256SUMS. / %d files are in SHA256SUMS.\n", n, n)
				return err
			})
		},
	}
}

func packSign() *cobra.Command {
	var key, makeKey string
	cmd := &cobra.Command{
		Use:     "sign [DIR] --key FILE",
		Example: "  mimpi-kiosk pack sign kampung --new-key campaign.key\n  mimpi-kiosk pack sign kampung --key campaign.key",
		Short:   "Sign a pack with a key of minisign; kiosks that trust the key take no other",
		Long: "Writes SHA256SUMS and SHA256SUMS.minisig. The key is that of \"minisign -G\"; its password is asked for, or\n" +
			"read from $MINISIGN_PASSWORD. --new-key FILE makes a key without a password first: keep that file to yourself.\n" +
			"Beside it FILE with the ending .pub in place of its own is the public key, to be given away.",
		Args: atMostOne("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (key == "") == (makeKey == "") {
				return coded{errors.New("--key FILE atau/or --new-key FILE"), exitWrongUse}
			}
			out := cmd.OutOrStdout()
			if makeKey != "" {
				public, err := newKey(makeKey)
				if err != nil {
					return coded{err, exitWrongUse}
				}
				fmt.Fprintln(out, lang.Both(lang.Text("usage.new_key", lang.Params{"secret": makeKey, "public": public}), "\n"))
				key = makeKey
			}
			private, err := privateKey(key)
			if err != nil {
				return coded{err, exitWrongUse}
			}
			if err := edit(cmd, first(args), func(dir string) error { return pack.Sign(cmd.Context(), dir, private) }); err != nil {
				return err
			}
			public := fmt.Sprintf("%q", private.Public().(minisign.PublicKey).String())
			_, err = fmt.Fprintln(out, lang.Both(lang.Text("usage.signed", lang.Params{"key": public}), "\n"))
			return err
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "secret key of minisign")
	cmd.Flags().StringVar(&makeKey, "new-key", "", "make a secret key in this new file, and sign with it")
	return cmd
}

// newKey makes a pair of keys without a password in two new files, and returns the name of
// that with the public one. With an error neither file is left behind.
func newKey(path string) (public string, err error) {
	public = strings.TrimSuffix(path, filepath.Ext(path)) + ".pub"
	if public == path {
		public += ".pub"
	}
	open, private, err := minisign.GenerateKey(nil)
	if err != nil {
		return "", err
	}
	secret, err := private.MarshalText()
	if err != nil {
		return "", err
	}
	given, err := open.MarshalText()
	if err != nil {
		return "", err
	}
	if err := newFile(path, secret, 0o600); err != nil {
		return "", err
	}
	if err := newFile(public, given, 0o644); err != nil {
		return "", errors.Join(err, os.Remove(path))
	}
	return public, nil
}

func newFile(path string, text []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return errors.New(lang.Both(lang.Text("usage.file_there", lang.Params{"file": path}), " / "))
	}
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}

// noFolder is a sentence on a missing folder, with the system's error behind it.
type noFolder struct {
	error
	why error
}

func (n noFolder) Unwrap() error { return n.why }

// folderThere is wrong use where there is no such folder.
func folderThere(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return coded{noFolder{errors.New(lang.Both(lang.Text("usage.no_folder", lang.Params{"dir": dir}), " / ")), err}, exitWrongUse}
	case err != nil:
		return coded{err, exitWrongUse}
	case !info.IsDir():
		return coded{errors.New(lang.Both(lang.Text("usage.not_a_folder", lang.Params{"dir": dir}), " / ")), exitWrongUse}
	}
	return nil
}

func privateKey(path string) (key minisign.PrivateKey, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return key, err
	}
	text = bytes.TrimSpace(text)
	if !minisign.IsEncrypted(text) {
		if err = key.UnmarshalText(text); err != nil {
			err = fmt.Errorf("%s is no secret key of minisign: %w", path, err)
		}
		return key, err
	}
	password := os.Getenv("MINISIGN_PASSWORD")
	if password == "" && term.IsTerminal(int(os.Stdin.Fd())) {
		fmt.Fprint(os.Stderr, "Kata sandi kunci / password of the key: ")
		typed, err := term.ReadPassword(int(os.Stdin.Fd()))
		fmt.Fprintln(os.Stderr)
		if err != nil {
			return key, err
		}
		password = string(typed)
	}
	if key, err = minisign.DecryptKey(password, text); err != nil {
		return key, fmt.Errorf("kata sandi kunci salah / the password of the key is wrong: %w", err)
	}
	return key, nil
}

// publicKeys reads keys as they are written, or from files.
func publicKeys(given []string) ([]minisign.PublicKey, error) {
	var out []minisign.PublicKey
	for _, text := range given {
		var key minisign.PublicKey
		if key.UnmarshalText([]byte(text)) == nil {
			out = append(out, key)
			continue
		}
		data, err := os.ReadFile(text)
		switch {
		case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(text, "RW") && !strings.ContainsAny(text, "./"):
			return nil, errors.New(lang.Both(lang.Text("usage.no_public_key", lang.Params{"key": text}), " / "))
		case err != nil:
			return nil, errors.New(lang.Both(lang.Text("usage.no_key_file", lang.Params{"file": text, "why": errors.Unwrap(err)}), " / "))
		case key.UnmarshalText(bytes.TrimSpace(data)) != nil:
			return nil, errors.New(lang.Both(lang.Text("usage.no_public_key", lang.Params{"key": text}), " / "))
		}
		out = append(out, key)
	}
	return out, nil
}

// screenText says whether the screens have a text.
func screenText() func(key string) bool {
	data, err := fs.ReadFile(lang.Files(), "id.json")
	texts := map[string]string{}
	if err != nil || json.Unmarshal(data, &texts) != nil {
		return nil // a program without screens
	}
	return func(key string) bool { return texts[key] != "" }
}

func packAddFilm() *cobra.Command {
	var dir string
	var quick, anyway bool
	cmd := &cobra.Command{
		Use:     "add-film FILE",
		Example: "  sudo mimpi-kiosk pack add-film film.mp4\n  mimpi-kiosk pack add-film film.mp4 --pack kampung",
		Short:   "Check a film, try whether this box plays it smoothly, and copy it into the pack",
		Long: "FILE is a path, or the name of a film on a USB stick that is mounted below /media, /run/media or /mnt.\n" +
			"The film is decoded to its end first, which takes about a third of its length on a Raspberry Pi 4. It is copied under a passing\n" +
			"name, read back from the card, and only then takes its place; its checksum is kept for \"mimpi-kiosk doctor\".",
		Args: oneArg("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := findFilm(args[0])
			if err != nil {
				return coded{err, exitWrongUse}
			}
			return edit(cmd, dir, func(dir string) error {
				return addFilm(cmd.Context(), cmd.OutOrStdout(), dir, source, quick, anyway)
			})
		},
	}
	cmd.Flags().StringVar(&dir, "pack", "", "folder of the screening pack; without it the pack in use, where nothing is installed media/mimpi-beta in the current folder")
	cmd.Flags().BoolVar(&quick, "quick", false, "do not decode the film before it is copied")
	cmd.Flags().BoolVar(&anyway, "anyway", false, "copy it also when this box does not play it well")
	return cmd
}

// findFilm gives the path of a film: as it is, or on a stick.
func findFilm(name string) (string, error) {
	if exists(name) {
		return name, nil
	}
	if filepath.Base(name) == name {
		for _, place := range []string{"/media/*", "/media/*/*", "/run/media/*/*", "/mnt", "/mnt/*"} {
			found, _ := filepath.Glob(filepath.Join(place, escapeGlob(name))) // the pattern is sound
			if len(found) > 0 {
				return found[0], nil
			}
		}
	}
	return "", fmt.Errorf("film %q tidak ada, juga tidak di stik yang terpasang. Stik dipasang dengan: sudo mount /dev/sda1 /mnt / "+
		"film %[1]q is not there, nor on a mounted stick. A stick is mounted with: sudo mount /dev/sda1 /mnt", name)
}

func escapeGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// addFilm checks, tries and copies.
func addFilm(ctx context.Context, w io.Writer, dir, source string, quick, anyway bool) error {
	report := pack.CheckFilm(source)
	sayReport(w, report)
	if report.Level == pack.LevelProblem && !anyway {
		return coded{errors.New("film tidak dipasang / the film was not put in place"), exitMistakes}
	}
	if report.Duration > 0 {
		fmt.Fprintf(w, "  %s %dx%d, %s, %s\n", source, report.Width, report.Height, report.Video, report.Duration.Round(time.Second))
	}
	if !quick {
		fmt.Fprintln(w, "Mencoba film sampai akhir ... / Decoding the film to its end ...")
		tried, err := trial.Decode(ctx, trial.Film{
			File: source, HWDec: playback.HWDec(box.Model("/"), report.Video), Duration: report.Duration, Convert: report.ConvertCommand(source),
		})
		switch {
		case errors.Is(err, trial.ErrNoDecoder):
			fmt.Fprintf(w, "! mpv tidak terpasang: film tidak bisa dicoba. Jalankan: sudo apt install mpv\n    mpv is not installed: the film cannot be tried. Run: sudo apt install mpv\n")
		case err != nil:
			return err
		default:
			sayReport(w, tried)
			if tried.Level == pack.LevelProblem && !anyway {
				return coded{errors.New("film tidak dipasang; --anyway memasangnya juga / the film was not put in place; --anyway does it all the same"), exitMistakes}
			}
		}
	}
	fmt.Fprintln(w, "Menyalin dan membaca kembali ... / Copying and reading back ...")
	added, err := pack.AddFilm(ctx, dir, source, nil)
	if errors.Is(err, pack.ErrSourceDamaged) {
		return coded{err, exitMistakes}
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "✓ Film ada di %[1]s dan tercatat di film.toml.\n    The film is at %[1]s, and film.toml names it.\n    SHA-256 %[2]s\n", added.File, added.Sum)
	if added.Before != "" {
		fmt.Fprintf(w, "! Film sebelumnya tidak dipakai lagi; hapus kalau perlu tempat: %[1]s\n    The earlier film is not used any more; delete it if you need the room: %[1]s\n", added.Before)
	}
	if added.Unsigned {
		fmt.Fprintln(w, "! Paket berubah, jadi tanda tangannya dihapus. Tandatangani lagi: mimpi-kiosk pack sign\n    The pack has changed, so its signature was removed. Sign it again: mimpi-kiosk pack sign")
	}
	return nil
}

func sayReport(w io.Writer, r pack.FilmReport) {
	sign := map[pack.Level]string{pack.LevelOK: "✓", pack.LevelNote: "!", pack.LevelProblem: "✗"}[r.Level]
	fmt.Fprintf(w, "%s %s\n    %s\n", sign, r.Message["id"], r.Message["en"])
	if r.Hint != nil && r.Level != pack.LevelOK {
		fmt.Fprintf(w, "      → %s\n      → %s\n", r.Hint["id"], r.Hint["en"])
	}
}

// oneOrTwo takes the second argument, and the first where it is wanted.
func oneOrTwo(first, second string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 && len(args) != 2 {
			return coded{fmt.Errorf("tulis %[1]s dan %[2]s, atau %[2]s / give %[1]s and %[2]s, or %[2]s", first, second), exitWrongUse}
		}
		return nil
	}
}

func oneArg(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return coded{fmt.Errorf("tulis satu %[1]s / give one %[1]s", name), exitWrongUse}
		}
		return nil
	}
}

func atMostOne(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > 1 {
			return coded{fmt.Errorf("tulis satu %[1]s / give one %[1]s", name), exitWrongUse}
		}
		return nil
	}
}

// first gives the first argument, "" where there is none.
func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// filmWhole compares the film with the checksum that was kept of it, byte by byte.
func filmWhole(ctx context.Context, film pack.Film) health.Part {
	r := film.CheckWhole(ctx, nil)
	return health.Part{Part: "film_whole", Level: health.Level(r.Level), Message: r.Message, Hint: r.Hint}
}
