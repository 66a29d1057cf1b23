package pack

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mimpi-kiosk/internal/screening"
)

// Film is a film, its subtitles and its pause points.
type Film struct {
	screening.Film        // what the rules need; Duration comes from the file
	Dir            string // the film's folder, absolute
	File           string // absolute path, also when the file is not there; "" when film.toml names none

	subtitles  map[string]string // language -> absolute path
	fileLine   int               // where film.toml names the file
	pauseLines []int             // where each of PausePoints stands in film.toml
}

type filmTOML struct {
	ID          string            `toml:"id" want:"id,required" doc:"Name of the film in exported files."`
	Title       map[string]string `toml:"title" want:"required" doc:"Title by language: title.id, title.en, ..."`
	Credit      string            `toml:"credit" doc:"Who made it and who must be named, as they want it."`
	File        string            `toml:"file" doc:"File of the film in this folder; empty while there is none. \"mimpi-kiosk pack add-film\" writes it."`
	Subtitles   []subtitleTOML    `toml:"subtitles" doc:"Subtitles, one block per language."`
	PausePoints []pausePointTOML  `toml:"pause_points" doc:"Moments at which the film halts by itself so that people can talk."`
}

type subtitleTOML struct {
	Lang  string `toml:"lang" want:"lang,required" doc:"Code of the language: id, en, aoz, ..."`
	Label string `toml:"label" want:"required" doc:"Name of the language, in itself."`
	File  string `toml:"file" want:"required" doc:"WebVTT file in this folder."`
}

type pausePointTOML struct {
	At       string            `toml:"at" want:"time,required" doc:"Time from the beginning of the film: 1m30s"`
	Note     map[string]string `toml:"note" doc:"What the facilitator may say or ask there, by language."`
	Question string            `toml:"question" doc:"Id of a question to ask there."`
}

// longest is the longest film that a pause point may lie in.
const longest = 12 * time.Hour

// LoadFilm reads a film folder by itself. The error joins every [Mistake] that was
// found. A film file that is not there is no mistake but Missing; a damaged one is
// told by [Film.Check]. Give the film to a pack with [Pack.UseFilm].
func LoadFilm(dir string) (Film, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Film{}, fmt.Errorf("open film folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Film{}, fmt.Errorf("open film folder: %w", err)
	}
	defer root.Close() // read only: nothing to lose
	m := &mistakes{}
	f := folder{root: root}
	var film Film
	if data, ok := f.read("film.toml", m); ok {
		film = readFilm(data, f, dir, m)
	}
	if err := m.err(); err != nil {
		return Film{}, err
	}
	return film, nil
}

// SubtitleFile gives the path of the WebVTT file in a language of Subtitles.
func (f Film) SubtitleFile(lang string) (path string, ok bool) {
	path, ok = f.subtitles[lang]
	return path, ok
}

// Check says, as [CheckFilm] does, whether the film can be shown. It also knows
// that the pack may have a place for a film but no file yet, and that pause points
// may lie after the end of a film that was cut shorter.
func (f Film) Check() FilmReport {
	if f.File == "" {
		return problem(
			"Belum ada film.", "There is no film yet.",
			fmt.Sprintf("Salin berkas film ke %s dan tulis namanya di film.toml.", f.Dir),
			fmt.Sprintf("Copy the film file to %s and write its name in film.toml.", f.Dir))
	}
	report := CheckFilm(f.File)
	if n := len(f.PausePoints); report.Level == LevelOK && report.Duration > 0 && n > 0 {
		if last := f.PausePoints[n-1].At.Duration(); last >= report.Duration {
			report.Level = LevelNote
			report.Message = screening.Text{
				"id": fmt.Sprintf("Film bisa diputar, tetapi titik jeda pada %s ada sesudah akhir film (%s).", clock(last), clock(report.Duration)),
				"en": fmt.Sprintf("The film can be played, but the pause point at %s lies after its end (%s).", clock(last), clock(report.Duration)),
			}
			report.Hint = screening.Text{
				"id": "Perbaiki pause_points di film.toml, atau periksa apakah ini film yang benar.",
				"en": "Put pause_points right in film.toml, or check that this is the right film.",
			}
		}
	}
	return report
}

// readFilm reads film.toml and checks what it names.
func readFilm(data []byte, f folder, dir string, m *mistakes) Film {
	var t filmTOML
	d, ok := decode(f.prefix+"film.toml", data, &t, m)
	if !ok {
		return Film{}
	}
	d.id("id", t.ID)
	film := Film{
		Film: screening.Film{
			ID:      t.ID,
			Title:   d.text("title", t.Title),
			Credit:  strings.TrimSpace(t.Credit),
			Missing: true,
		},
		Dir:       dir,
		subtitles: map[string]string{},
	}
	film.PausePoints, film.pauseLines = d.pausePoints(t.PausePoints)
	film.fileLine = d.line("file")
	if t.File != "" {
		there, ok := f.named(d, "file", t.File)
		film.File = filepath.Join(dir, filepath.FromSlash(t.File))
		if there && ok {
			film.Missing = false
			film.Duration = screening.ToMillis(CheckFilm(film.File).Duration)
		}
	}
	for i, s := range t.Subtitles {
		key := fmt.Sprintf("subtitles.%d", i)
		if !langForm.MatchString(s.Lang) {
			d.wrong(key+".lang", "%q bukan kode bahasa. Pakai misalnya id, en atau aoz.",
				"%q is not a language code. Use for example id, en or aoz.", s.Lang)
		}
		if _, twice := film.subtitles[s.Lang]; twice {
			d.wrong(key+".lang", "Teks film bahasa %q ditulis dua kali. Hapus satu.",
				"Subtitles in the language %q are written twice. Delete one.", s.Lang)
		}
		if strings.TrimSpace(s.Label) == "" {
			d.wrong(key+".label", "Nama bahasa kosong. Tambahkan: label = \"Bahasa Indonesia\"",
				"The name of the language is missing. Add: label = \"Bahasa Indonesia\"")
		}
		d.subtitleFile(f, key+".file", s.File)
		film.subtitles[s.Lang] = filepath.Join(dir, filepath.FromSlash(s.File))
		film.Subtitles = append(film.Subtitles, screening.Subtitle{Lang: s.Lang, Label: s.Label})
	}
	return film
}

func (d *document) subtitleFile(f folder, key, name string) {
	there, ok := f.named(d, key, name)
	if !ok {
		return
	}
	if !there {
		d.wrong(key, "Berkas teks film %q tidak ada. Taruh berkasnya di folder film, atau hapus [[subtitles]] ini.",
			"The subtitle file %q is not there. Put it into the film's folder, or delete this [[subtitles]].", name)
		return
	}
	data, ok := f.read(name, d.mistakes)
	if !ok {
		return
	}
	checkSubtitles(f.prefix+name, data, d.mistakes)
}

// pausePoints checks the pause points and puts them in the order of the film. It
// also gives the line of each.
func (d *document) pausePoints(in []pausePointTOML) (points []screening.PausePoint, lines []int) {
	for i, p := range in {
		key := fmt.Sprintf("pause_points.%d", i)
		at, err := time.ParseDuration(p.At)
		if err != nil || at <= 0 || at > longest {
			d.wrong(key+".at", "Waktu jeda %q salah. Tulis menit dan detik sejak awal film, misalnya \"1m30s\".",
				"The time %q of the pause is wrong. Write minutes and seconds from the beginning of the film, such as \"1m30s\".", p.At)
			continue
		}
		point := screening.PausePoint{
			At:       screening.ToMillis(at),
			Note:     d.optionalText(key+".note", p.Note),
			Question: p.Question,
		}
		place, twice := slices.BinarySearchFunc(points, point, func(a, b screening.PausePoint) int {
			return cmp.Compare(a.At, b.At)
		})
		if twice {
			d.wrong(key+".at", "Ada dua jeda pada %q. Hapus satu.", "There are two pauses at %q. Delete one.", p.At)
			continue
		}
		points = slices.Insert(points, place, point)
		lines = slices.Insert(lines, place, d.line(key+".question"))
	}
	return points, lines
}
