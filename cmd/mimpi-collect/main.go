// Mimpi-collect brings the exports of many kiosks together into one spreadsheet, report
// or database. See "mimpi-collect --help".
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // Windows has none

	"aead.dev/minisign"
	"filippo.io/age"
	"github.com/inconshreveable/mousetrap"
	"github.com/spf13/cobra"
	"golang.org/x/term"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"mimpi-kiosk/internal/collect"
	"mimpi-kiosk/kiosk-ui/lang"
)

// version is set by the build.
var version = "dev"

// What the program ends with.
const (
	exitWell     = 0
	exitFailed   = 1 // wrong use, or what was asked for could not be written
	exitProblems = 2 // written, but something does not count or is in doubt
	exitNothing  = 3 // no screening was found; nothing was written
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	p := &program{
		in: os.Stdin, out: os.Stdout, err: os.Stderr, goos: runtime.GOOS, now: time.Now,
		clicked:  runtime.GOOS == "windows" && mousetrap.StartedByExplorer(),
		terminal: term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd())),
		sticks:   collect.Sticks, home: os.UserHomeDir,
	}
	code := p.run(ctx, os.Args[1:])
	if p.clicked {
		// The window would be gone before anybody has read it.
		fmt.Fprint(p.out, "\nTekan Enter untuk menutup. / Press Enter to close.")
		p.line()
	}
	os.Exit(code)
}

// program is one run, with what it touches of the world.
type program struct {
	in       io.Reader
	out, err io.Writer
	goos     string
	now      func() time.Time
	clicked  bool // started by a double click, or by a stick dragged onto the icon
	terminal bool // a person is there to ask
	sticks   func() []string
	home     func() (string, error)
}

const help = `Menggabungkan ekspor banyak kiosk menjadi satu lembar Excel, laporan, atau basis data.
Sebutkan stik, map, atau export.zip; tanpa itu program mencari stik dan bertanya. Di Windows
boleh juga menyeret stik ke ikon program ini. Pemutaran yang sama di tiga stik dihitung sekali.

  mimpi-collect E:\ -o laporan.xlsx       satu stik menjadi satu lembar Excel
  mimpi-collect E: F: kiriman -o hasil/   semua jenis laporan ke map hasil

Brings the exports of many kiosks together into one spreadsheet, report or database. Name
sticks, folders or export.zip; without any the program looks for sticks and asks. On Windows
a stick may be dragged onto this program's icon. A screening on three sticks counts once.

The ending of -o says what is written: .xlsx, .csv (one long table), .html, .json; a folder
gets all of them, and datapackage.json and a form for KoboToolbox.

Kode akhir / Exit codes:
  0  semua terbaca / everything was read
  1  salah pakai, atau hasil tidak bisa ditulis / wrong use, or the result could not be written
  2  ditulis, tetapi ada yang rusak atau meragukan / written, but something is damaged or in doubt
  3  tidak ada pemutaran / there is no screening`

type flags struct {
	outputs    []string
	to         []string
	identities []string
	keys       string
	mapping    string
	dhis2      string
	form       string
	hxl        bool
	rehearsals bool
	quiet      bool
}

func (p *program) run(ctx context.Context, args []string) int {
	cobra.MousetrapHelpText = "" // cobra would refuse to be clicked on
	var f flags
	code := exitWell
	cmd := &cobra.Command{
		Use:           "mimpi-collect [-o laporan.xlsx] STIK-ATAU-MAP...",
		Long:          help,
		Version:       version,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			code, err = p.collect(cmd.Context(), f, args)
			return err
		},
	}
	flag := cmd.Flags()
	flag.StringArrayVarP(&f.outputs, "output", "o", nil, "berkas atau map hasil, boleh beberapa / file or folder to write, may be given again (laporan.xlsx)")
	flag.StringArrayVar(&f.to, "to", nil, "basis data: postgres://... atau nama.sqlite / database: postgres://... or NAME.sqlite")
	flag.StringArrayVar(&f.identities, "identity", nil, "berkas kunci untuk ekspor yang terkunci / key file for encrypted exports (age-keygen)")
	flag.StringVar(&f.keys, "keys", "", "berkas kunci kiosk yang dikenal, per baris: KIOSK KUNCI / file of known kiosks' keys, a line each: KIOSK KEY")
	flag.StringVar(&f.mapping, "dhis2-mapping", "", "berkas pemetaan DHIS2 / mapping file for DHIS2")
	flag.StringVar(&f.dhis2, "dhis2", "", "berkas dataValueSets yang ditulis / file of dataValueSets to write (needs --dhis2-mapping)")
	flag.StringVar(&f.form, "xlsform", "", "tulis formulir KoboToolbox / write the form for KoboToolbox")
	flag.BoolVar(&f.hxl, "hxl", false, "baris tagar HXL di CSV / a row of HXL hashtags in CSV files")
	flag.BoolVar(&f.rehearsals, "rehearsals", false, "sertakan latihan; tidak pernah masuk jumlah / include rehearsals; they never count")
	flag.BoolVarP(&f.quiet, "quiet", "q", false, "tanpa ringkasan / no summary")
	cmd.SetArgs(p.arguments(args))
	cmd.SetIn(p.in)
	cmd.SetOut(p.out)
	cmd.SetErr(p.err)
	if err := cmd.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(p.err, "mimpi-collect:", err)
		return exitFailed
	}
	return code
}

// arguments mends what the command line of Windows makes of "E:\".
func (p *program) arguments(args []string) []string {
	out := []string{}
	for _, a := range args {
		place, more := collect.PlaceNamed(p.goos, a)
		out = append(append(out, place), more...)
	}
	return out
}

func (p *program) collect(ctx context.Context, f flags, places []string) (int, error) {
	opts := collect.Options{Rehearsals: f.rehearsals}
	out := collect.Output{HXL: f.hxl, Made: p.now()}
	var err error
	if opts.Identities, err = identities(f.identities); err != nil {
		return exitFailed, err
	}
	if opts.Keys, err = knownKeys(f.keys); err != nil {
		return exitFailed, err
	}
	if f.mapping != "" {
		if out.DHIS2, err = mapping(f.mapping); err != nil {
			return exitFailed, err
		}
	}
	if f.dhis2 != "" && out.DHIS2 == nil {
		return exitFailed, errors.New("--dhis2 perlu --dhis2-mapping / --dhis2 needs --dhis2-mapping")
	}
	for _, name := range f.outputs {
		if err := collect.CheckName(name); err != nil {
			return exitFailed, err
		}
	}
	if f.form != "" {
		if err := collect.WriteForm(f.form); err != nil {
			return exitFailed, err
		}
		if len(places) == 0 {
			return exitWell, nil
		}
	}
	if len(places) == 0 {
		if places, err = p.choose(); err != nil {
			return exitFailed, err
		}
	}
	bar := p.bar(f.quiet)
	opts.Progress = bar.progress
	r, err := collect.Collect(ctx, places, opts)
	bar.done()
	if err != nil {
		return exitFailed, err
	}
	if len(r.Screenings) == 0 {
		p.tell(r, nil, f.quiet)
		return exitNothing, nil
	}
	var written []string
	for _, name := range p.outputs(f) {
		files, err := collect.Write(name, r, out)
		written = append(written, files...)
		if err != nil {
			return exitFailed, err
		}
	}
	if f.dhis2 != "" {
		if err := collect.WriteDHIS2(f.dhis2, r, out.DHIS2); err != nil {
			return exitFailed, err
		}
		written = append(written, f.dhis2)
	}
	for _, to := range f.to {
		stored, err := collect.Store(ctx, to, r)
		if err != nil {
			return exitFailed, err
		}
		p.stored(stored)
		r.Problems = append(r.Problems, stored.Problems()...)
	}
	p.tell(r, written, f.quiet)
	if r.Bad() > 0 {
		return exitProblems, nil
	}
	return exitWell, nil
}

// outputs is what is written where nothing was said: all of it for somebody who clicked.
func (p *program) outputs(f flags) []string {
	switch {
	case len(f.outputs) > 0:
		return f.outputs
	case len(f.to) > 0 || f.dhis2 != "":
		return nil
	case !p.clicked:
		return []string{collect.XLSXFile}
	}
	folder := "laporan-" + p.now().Format(time.DateOnly)
	home, err := p.home()
	if err != nil {
		return []string{folder + string(filepath.Separator)}
	}
	for _, documents := range []string{"Documents", "Dokumen"} {
		if info, err := os.Stat(filepath.Join(home, documents)); err == nil && info.IsDir() {
			home = filepath.Join(home, documents)
			break
		}
	}
	return []string{filepath.Join(home, "Mimpi-Kiosk", folder) + string(filepath.Separator)}
}

func identities(files []string) ([]age.Identity, error) {
	var out []age.Identity
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--identity: %w", err)
		}
		ids, err := age.ParseIdentities(io.LimitReader(f, 1<<20))
		f.Close() // read only
		if err != nil {
			return nil, fmt.Errorf("--identity %s: bukan berkas kunci dari age-keygen / not a key file of age-keygen: %w", name, err)
		}
		out = append(out, ids...)
	}
	return out, nil
}

// mostKeys is far more bytes than the list of all kiosks of a country takes.
const mostKeys = 1 << 20

// knownKeys reads lines "KIOSK KEY", of which a kiosk may have several; '#' begins a remark.
// It takes UTF-8, and UTF-16 with a byte order mark, as Notepad saves "Unicode".
func knownKeys(name string) (map[string][]string, error) {
	if name == "" {
		return nil, nil
	}
	text, err := readKeys(name)
	if err != nil {
		return nil, errors.New(lang.Both(lang.Text("collect.keys.unreadable", lang.Params{"file": name, "why": err}), " / "))
	}
	out := map[string][]string{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line, _, _ = strings.Cut(line, "#")
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		if len(words) != 2 || !strings.HasPrefix(words[1], "RW") {
			return nil, errors.New(lang.Both(lang.Text("collect.keys.line", lang.Params{"file": name, "n": n}), " / "))
		}
		if err := new(minisign.PublicKey).UnmarshalText([]byte(words[1])); err != nil {
			return nil, errors.New(lang.Both(lang.Text("collect.keys.key", lang.Params{"file": name, "n": n, "key": words[1]}), " / "))
		}
		out[words[0]] = append(out[words[0]], words[1])
	}
	if len(out) == 0 {
		return nil, errors.New(lang.Both(lang.Text("collect.keys.empty", lang.Params{"file": name}), " / "))
	}
	return out, nil
}

func readKeys(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close() // read only
	text, err := io.ReadAll(io.LimitReader(f, mostKeys+1))
	if err == nil && len(text) > mostKeys {
		err = fmt.Errorf("it has more than %d bytes", mostKeys)
	}
	if err != nil {
		return "", err
	}
	text, _, err = transform.Bytes(unicode.BOMOverride(transform.Nop), text)
	return string(text), err
}

func mapping(name string) (*collect.Mapping, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("--dhis2-mapping: %w", err)
	}
	defer f.Close() // read only
	return collect.ReadMapping(f)
}
