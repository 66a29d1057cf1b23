package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mimpi-kiosk/kiosk-ui/lang"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/doctor"
	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/pack/local"
	"mimpi-kiosk/internal/pack/shelf"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/web"
	"mimpi-kiosk/internal/web/signin"
)

// Where the package puts the screening pack.
const installedPack = "/usr/share/mimpi-kiosk/media/mimpi-beta"

// examination is what doctor --json prints. Fields may be added, never renamed.
type examination struct {
	Program   string        `json:"program"` // "mimpi-kiosk"
	Version   string        `json:"version"`
	CheckedAt time.Time     `json:"checkedAt"` // by the machine's clock, UTC
	Level     health.Level  `json:"level"`     // the worst of the checks
	Class     health.Class  `json:"class"`     // of the check that matters most for the evening; "" when all is ok
	Running   bool          `json:"running"`   // the daemon answered
	Checks    []health.Part `json:"checks"`    // part, level (ok, note, problem), class unless ok, message and hint by language
}

func doctorCommand() *cobra.Command {
	var f flags
	var asJSON, buttons bool
	var root string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check the box before leaving for the village; a red line says what to do",
		Long: "Check the box: pack, film, sound, displays, buttons, storage, power, clock, PIN, Wi-Fi.\n" +
			"What is found has one of three classes, which --json gives as \"class\":\n" +
			"  cannot_begin      no pack that can be read, no journal that can be written, no PIN\n" +
			"  should_not_begin  no film, no picture, no sound, places in the pack to be filled in, no help number\n" +
			"  good_to_know      the rest\n" +
			"It is advice and never a lock: the kiosk begins an evening whatever is found.\n" +
			"A running kiosk is asked and not disturbed. --buttons asks you to press each button.\n" +
			exitCodes("ready (something good to know may be there)", "something cannot or should not begin", "wrong use"),
		Example: "  sudo mimpi-kiosk doctor\n  mimpi-kiosk doctor --demo --listen :8081\n  sudo mimpi-kiosk doctor --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			changed := cmd.Flags().Changed
			if !changed("config") && exists(installedConfig) {
				f.config = installedConfig
			}
			if !changed("pack") && exists(installedPack) {
				f.pack = installedPack
			}
			f.settle(changed)
			e := examine(cmd.Context(), f, root)
			if buttons {
				e.add(pressButtons(cmd.Context(), f, cmd.ErrOrStderr()))
				e.judge()
			}
			if err := e.print(cmd.OutOrStdout(), asJSON); err != nil {
				return err
			}
			if n := e.toMend(); n > 0 {
				return coded{errors.New(lang.Both(lang.Text("ready.mend", lang.Params{"n": n}), " / ")), exitMistakes}
			}
			return nil
		},
	}
	addPlaces(cmd, &f, true)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	cmd.Flags().StringVar(&root, "root", "/", "folder with the machine's /sys and /proc")
	if err := cmd.Flags().MarkHidden("root"); err != nil { // for tests: they build a machine
		panic(err) // only for a flag that is not there
	}
	cmd.Flags().BoolVar(&buttons, "buttons", false, "ask for each button, and let its lamp blink; the kiosk must be stopped")
	return cmd
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// examine checks everything once. What the running daemon knows better it is asked for:
// it holds the buttons and has watched the power since it was started. Displays, sound,
// Wi-Fi, clock and stick are looked for below root.
func examine(ctx context.Context, f flags, root string) examination {
	e := examination{Program: "mimpi-kiosk", Version: version, CheckedAt: time.Now().UTC()}
	pi := box.IsPi("/")

	s, err := readSettings(f)
	if err != nil {
		e.add(health.Found("configuration", health.Problem, "Berkas pengaturan tidak ada: "+err.Error(), "The configuration is not there: "+err.Error(),
			"Periksa nama berkas setelah --config.", "Check the name of the file after --config."))
		s.Config, s.problems = config.Default(), nil
	} else {
		e.add(s.health())
	}
	address := s.Listen
	if f.listen != "" {
		address = f.listen
	}
	answer := ask(ctx, address)
	e.Running = answer.report != nil
	e.add(answer.part(address))

	watch := box.Watch{Root: "/", Data: f.data, Runtime: "/run/mimpi-kiosk", Now: func() string { return time.Now().Format("15:04") }}
	folder := dataFolder(f.data)
	if folder.Level == health.OK {
		probe := box.ProbeCard(f.data)
		for _, p := range append(watch.Parts(), probe.Part(), journalWritable(probe, f.data)) {
			e.add(p)
		}
	} else {
		e.add(folder)
	}
	if p := watch.Power(); p != nil {
		e.add(*p)
	}
	for _, p := range (doctor.Machine{Root: root, Pi: pi}).Look() {
		e.add(p)
	}
	if clock, err := newMachineClock("/"); err == nil && !e.Running {
		e.add(clockHealth(sourceOf(clock.Read())))
	}
	e.add(pinSet(f.data))
	if part := signingKey(f.data); part != nil && !e.Running {
		e.add(*part)
	}
	film, parts := packOf(ctx, f)
	for _, p := range parts {
		e.add(p)
	}
	if !film.Missing {
		e.add(filmWhole(ctx, film))
	}
	if !film.Missing && (answer.report == nil || !answer.report.GoingOn) { // not beside a film that is on
		e.add(doctor.PlayFilm(ctx, film.File))
	}
	if answer.report != nil {
		for _, p := range answer.report.Parts {
			e.add(p)
		}
	}
	e.judge()
	return e
}

// judge sets Level and Class.
func (e *examination) judge() {
	var worst health.Part
	for _, c := range e.Checks {
		if health.Compare(c.Level, e.Level) > 0 {
			e.Level = c.Level
		}
		if health.Worse(c, worst) > 0 {
			worst = c
		}
	}
	e.Class = worst.Class
}

// add puts a finding in, in the place of an earlier one of that name.
func (e *examination) add(p health.Part) {
	p = p.Classified()
	if i := slices.IndexFunc(e.Checks, func(c health.Part) bool { return c.Part == p.Part }); i >= 0 {
		e.Checks[i] = p
		return
	}
	e.Checks = append(e.Checks, p)
}

// toMend is the number of checks that speak against beginning.
func (e *examination) toMend() int {
	n := 0
	for _, c := range e.Checks {
		if !c.Class.Begin() {
			n++
		}
	}
	return n
}

func (e *examination) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, e)
	}
	titles := map[health.Class]map[string]string{
		health.CannotBegin:    lang.Text("ready.cannot_begin"),
		health.ShouldNotBegin: lang.Text("ready.should_not_begin"),
		health.GoodToKnow:     lang.Text("ready.good_to_know"),
		"":                    lang.Text("ready.well"),
	}
	sorted := slices.Clone(e.Checks)
	slices.SortStableFunc(sorted, func(a, b health.Part) int { return health.Worse(b, a) })
	for i, c := range sorted {
		if i == 0 || c.Class != sorted[i-1].Class {
			if _, err := fmt.Fprintln(w, lang.Both(titles[c.Class], " / ")); err != nil {
				return err
			}
		}
		sign := "✗"
		switch c.Class {
		case "":
			sign = "✓"
		case health.GoodToKnow:
			sign = "!"
		}
		fmt.Fprintf(w, "  %s %s\n    %s\n", sign, c.Message["id"], c.Message["en"])
		if c.Level != health.OK && c.Hint != nil {
			fmt.Fprintf(w, "      → %s\n      → %s\n", c.Hint["id"], c.Hint["en"])
		}
	}
	verdict := lang.Text("ready.verdict.begin")
	switch e.Class {
	case health.CannotBegin:
		verdict = lang.Text("ready.verdict.cannot_begin")
	case health.ShouldNotBegin:
		verdict = lang.Text("ready.verdict.should_not_begin")
	}
	_, err := fmt.Fprintln(w, "\n"+lang.Both(verdict, " / "))
	return err
}

// answered is what a daemon said, if there is one.
type answered struct {
	report *struct {
		Program string
		GoingOn bool
		Parts   []health.Part
	}
	other   bool  // somebody else holds the port
	commits error // what /healthz says
}

// ask asks the daemon on this machine, over its own door.
func ask(ctx context.Context, listen string) (a answered) {
	if _, port, err := net.SplitHostPort(listen); err != nil || port == "0" {
		return a
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second) // a card that limps
	defer cancel()
	get := func(path string) (*http.Response, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, ownURL(listen)+path, nil)
		if err != nil {
			return nil, err
		}
		return http.DefaultClient.Do(r)
	}
	r, err := get("/api/health")
	if err != nil {
		return a
	}
	defer r.Body.Close()
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&a.report); err != nil || a.report == nil || a.report.Program != "mimpi-kiosk" {
		return answered{other: true}
	}
	h, err := get("/healthz")
	if err != nil {
		a.commits = err
		return a
	}
	defer h.Body.Close()
	if h.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(h.Body, 500)) // half a sentence is a help as well
		a.commits = errors.New(strings.TrimSpace(string(why)))
	}
	return a
}

func (a answered) part(address string) health.Part {
	switch {
	case a.other:
		return health.Found("daemon", health.Problem, "Program lain memakai alamat kotak ("+address+").", "Another program holds the address of the kiosk ("+address+").",
			"Hentikan program itu, atau pilih alamat lain dengan listen di pengaturan.", "Stop that program, or choose another address with listen in the settings.")
	case a.report == nil:
		return health.Found("daemon", health.Note, "Kiosk belum berjalan.", "The kiosk is not running.",
			"Jalankan: sudo systemctl start mimpi-kiosk. Lihat: journalctl -u mimpi-kiosk", "Run: sudo systemctl start mimpi-kiosk. See: journalctl -u mimpi-kiosk")
	case a.commits != nil:
		return health.Found("daemon", health.Problem, "Kiosk berjalan, tetapi tidak bisa menyimpan: "+a.commits.Error(), "The kiosk runs, but cannot save: "+a.commits.Error(),
			"Lihat baris tentang kartu memori.", "See the lines about the memory card.")
	}
	return health.Found("daemon", health.OK, "Kiosk berjalan dan bisa menyimpan.", "The kiosk runs and can save.")
}

// sourceOf is how a clock is known without a journal: nobody has set it here.
func sourceOf(r screening.Reading) screening.ClockSource { return screening.NewState().Stamp(r).Clock }

// dataFolder says whether the folder of the journal can be looked at.
func dataFolder(path string) health.Part {
	_, err := os.ReadDir(path)
	switch {
	case err == nil:
		return health.Part{Level: health.OK}
	case errors.Is(err, fs.ErrNotExist):
		return health.Found("data", health.Note, "Folder data "+path+" belum ada: kiosk belum pernah berjalan.", "There is no data folder "+path+" yet: the kiosk has never run.",
			"Nyalakan kiosk sekali, lalu periksa lagi.", "Start the kiosk once, then check again.")
	case errors.Is(err, fs.ErrPermission):
		return health.Found("data", health.Note, "Folder data "+path+" tidak boleh dibaca.", "The data folder "+path+" may not be read.",
			"Jalankan dengan sudo.", "Run with sudo.")
	}
	return health.Found("data", health.Problem, "Folder data tidak bisa dibaca: "+err.Error(), "The data folder cannot be read: "+err.Error(),
		"Nyalakan ulang kotak. Kalau tetap begitu, ganti kartu memorinya.", "Restart the box. If that does not help, replace the memory card.")
}

// pinSet looks whether there is a PIN. There is no default one that could be left as it is.
func pinSet(data string) health.Part {
	set, err := signin.PINSet(data)
	if err != nil && !set {
		return found("pin_set", health.Note, lang.Text("ready.pin.unknown", lang.Params{"why": err}), lang.Text("ready.with_sudo"))
	}
	return web.PINHealth(set)
}

// packOf reads the pack in use, with the parts on it and on the film that will be shown;
// the film is Missing when it cannot be played. It is what "pack verify" finds, but for
// the checksums of recordings.
func packOf(ctx context.Context, f flags) (pack.Film, []health.Part) {
	none := pack.Film{Film: screening.Film{Missing: true}}
	fromStick := false
	if s, err := shelf.Open(filepath.Join(f.data, "packs"), nil); err == nil {
		if dir, ok := s.Current(); ok {
			f.pack, fromStick = dir, true
		}
	}
	if !fromStick {
		dir, err := local.Of(f.data, f.pack).Folder()
		if err != nil {
			return none, []health.Part{health.Found("pack", health.Note, "Folder data tidak boleh dibaca: "+err.Error(), "The data folder may not be read: "+err.Error(),
				"Jalankan dengan sudo.", "Run with sudo.")}
		}
		f.pack = dir
	}
	wrong := func(err error) []health.Part {
		return []health.Part{health.Found("pack", health.Problem, "Paket pemutaran di "+f.pack+" salah: "+err.Error(), "The screening pack in "+f.pack+" has mistakes: "+err.Error(),
			"Pasang ulang paketnya, atau pilih yang lain dengan --pack.", "Install the pack again, or choose another with --pack.")}
	}
	p, err := pack.Load(f.pack)
	if err != nil {
		return none, wrong(err)
	}
	v, err := pack.Verify(ctx, f.pack, pack.Check{Today: time.Now(), ScreenText: screenText(), Quick: true})
	if err != nil {
		return none, wrong(err)
	}
	parts := append([]health.Part{packHealth(nil)}, packParts(v, f.pack)...)
	if f.film != "" && (!fromStick || p.Film.Missing) { // as the daemon does
		if err := useFilm(p, f.film); err != nil {
			return none, append(parts, health.Found("film", health.Problem, "Film di "+f.film+" salah: "+err.Error(), "The film in "+f.film+" has mistakes: "+err.Error(),
				"Pilih folder film yang lain dengan --film.", "Choose another film folder with --film."))
		}
	}
	return p.Film, append(parts, filmHealth(p.Film.Check()))
}
