package trial

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mimpi-kiosk/internal/pack"
)

const demo = "../../../media/demo-film/film.mp4"

// clip makes a film of some seconds from the demo film.
func clip(t *testing.T, name string, how ...string) string {
	t.Helper()
	if _, err := os.Stat(demo); err != nil {
		t.Fatalf("%v; make demo-film puts it in place", err)
	}
	to := filepath.Join(t.TempDir(), name)
	args := append([]string{"-nostdin", "-v", "error", "-t", "8", "-i", demo}, how...)
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", append(args, to)...).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v %s; make test-go has it", err, out)
	}
	return to
}

var small = []string{"-vf", "scale=320:-2", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-movflags", "+faststart"}

func spoil(t *testing.T, path string, how func([]byte) []byte) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := os.WriteFile(to, how(bytes.Clone(data)), 0o644); err != nil {
		t.Fatal(err)
	}
	return to
}

// packWith makes a pack and puts the film into it.
func packWith(t *testing.T, film string) (dir string, added pack.Added) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "paket")
	if err := pack.New(dir); err != nil {
		t.Fatal(err)
	}
	added, err := pack.AddFilm(t.Context(), dir, film, nil)
	if err != nil {
		t.Fatal(err)
	}
	return dir, added
}

func verify(t *testing.T, dir string) (wrong string) {
	t.Helper()
	v, err := pack.Verify(t.Context(), dir, pack.Check{})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range append(v.Mistakes, v.Notes...) {
		if strings.Contains(m.What["en"], "film") && !strings.Contains(m.What["en"], "texts") && m.File == "film/film.toml" {
			wrong += m.Error() + "\n"
		}
	}
	return wrong
}

// What can be wrong with a film is found, and explained with what to do, before the
// screening: by its index, by decoding it, or by its checksum.
func TestFilmsThatAreNotWhatTheyShouldBe(t *testing.T) {
	good := clip(t, "Film baik (1).MP4", small...)
	for name, c := range map[string]struct {
		film            string
		index, decoding pack.Level
		says            string // by the first that finds it
	}{
		"good":                  {good, pack.LevelOK, pack.LevelOK, "The film is ready (0:08)."},
		"cut in half":           {spoil(t, good, func(b []byte) []byte { return b[:len(b)/2] }), pack.LevelProblem, "", "cut short: only"},
		"unsupported codec":     {clip(t, "tua.mp4", "-vf", "scale=320:-2", "-c:v", "mpeg4", "-c:a", "aac"), pack.LevelProblem, "", `codec "mp4v"`},
		"sound of another kind": {clip(t, "ac3.mp4", "-vf", "scale=320:-2", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "ac3"), pack.LevelProblem, "", `codec "ac-3"`},
		"variable frame rate": {clip(t, "ponsel.mp4", "-vf", "scale=320:-2,select='if(lt(t,4),1,not(mod(n,3)))'", "-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
			pack.LevelNote, pack.LevelOK, "varies (8 to 24 a second)"},
		"ten bits": {clip(t, "sepuluh.mp4", "-vf", "scale=320:-2", "-pix_fmt", "yuv420p10le", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac"),
			pack.LevelNote, pack.LevelOK, "10 bits"},
		"a hole of zeros": {spoil(t, good, func(b []byte) []byte { clear(b[len(b)/2 : len(b)/2+8192]); return b }), pack.LevelOK, pack.LevelProblem, "decoder complained"},
	} {
		t.Run(name, func(t *testing.T) {
			report := pack.CheckFilm(c.film)
			said := report.Message["en"] + " " + report.Hint["en"]
			if report.Level != c.index {
				t.Errorf("by its index %s: %s", report.Level, said)
			}
			if c.decoding != "" {
				// Without its length nothing is said of speed: other tests run beside this one.
				tried, err := Decode(t.Context(), Film{File: c.film, Convert: report.ConvertCommand(c.film)})
				if errors.Is(err, ErrNoDecoder) {
					t.Fatalf("%v; make test-go has it", err)
				}
				if err != nil || tried.Level != c.decoding {
					t.Errorf("by decoding %s: %q %v", tried.Level, tried.Message["en"], err)
				}
				said += tried.Message["en"] + " " + tried.Hint["en"]
			}
			if !strings.Contains(said, c.says) {
				t.Errorf("it is not explained: %q", said)
			}
			worst := report.Level
			if c.decoding == pack.LevelProblem {
				worst = c.decoding
			}
			if worst != pack.LevelOK && !strings.Contains(said, "ffmpeg -i") && !strings.Contains(said, "Copy the film again") {
				t.Errorf("nobody says what to do: %q", said)
			}
		})
	}
}

// One bit turned over on the card is seen by no decoder, and found all the same: by doctor and by
// "pack verify".
func TestOneFlippedBit(t *testing.T) {
	good := clip(t, "Film baik (1).MP4", small...)
	dir, added := packWith(t, good)
	if filepath.Base(added.File) != "Film-baik-1.mp4" {
		t.Errorf("the film is called %s", added.File)
	}
	if wrong := verify(t, dir); wrong != "" {
		t.Errorf("a good film: %s", wrong)
	}
	p, err := pack.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r := p.Film.CheckWhole(t.Context(), nil); r.Level != pack.LevelOK {
		t.Errorf("a good film: %+v", r)
	}
	file, err := os.OpenFile(added.File, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	one := make([]byte, 1)
	const place = 100_000
	if _, err := file.ReadAt(one, place); err != nil {
		t.Fatal(err)
	}
	one[0] ^= 0x10
	if _, err := file.WriteAt(one, place); err != nil {
		t.Fatal(err)
	}
	if wrong := verify(t, dir); !strings.Contains(wrong, "at least one bit is damaged on the card") || !strings.Contains(wrong, "add-film FILE") {
		t.Errorf("pack verify says %q", wrong)
	}
	if r := p.Film.CheckWhole(t.Context(), nil); r.Level != pack.LevelProblem || r.Hint["id"] == "" {
		t.Errorf("doctor says %+v", r)
	}
	// Put in place again, it is whole again.
	if _, err := pack.AddFilm(t.Context(), dir, good, nil); err != nil || verify(t, dir) != "" {
		t.Errorf("%v %s", err, verify(t, dir))
	}

	// A stick that has a checksum beside its film is held to it.
	stick := t.TempDir()
	damaged := filepath.Join(stick, "film.mp4")
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	data[place] ^= 0x10
	if err := errors.Join(os.WriteFile(damaged, data, 0o644), os.WriteFile(filepath.Join(stick, "SHA256SUMS"), []byte(added.Sum+" *film.mp4\r\n"), 0o644)); err != nil {
		t.Fatal(err)
	}
	if _, err := pack.AddFilm(t.Context(), dir, damaged, nil); !errors.Is(err, pack.ErrSourceDamaged) {
		t.Errorf("a film that was damaged on the stick: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "film", ".film-*"))
	if err != nil || len(left) > 0 || verify(t, dir) != "" {
		t.Errorf("%v is left, %v, and the pack: %s", left, err, verify(t, dir))
	}
}

// What a film is copied over stays until the new one is whole; what was said of the pack is
// said anew.
func TestAddFilm(t *testing.T) {
	good := clip(t, "film.mp4", small...)
	dir, first := packWith(t, good)
	if _, err := pack.WriteSums(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, pack.SignatureFile), []byte("of another film"), 0o644); err != nil {
		t.Fatal(err)
	}
	other := spoil(t, good, func(b []byte) []byte { return append(b, "more"...) })
	renamed := filepath.Join(filepath.Dir(other), "film dua.mp4")
	if err := os.Rename(other, renamed); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := pack.AddFilm(ctx, dir, renamed, func(int) { cancel() }); !errors.Is(err, context.Canceled) {
		t.Errorf("given up in the middle: %v", err)
	}
	if p, err := pack.Load(dir); err != nil || p.Film.File != first.File || p.Film.CheckWhole(t.Context(), nil).Level != pack.LevelOK {
		t.Errorf("given up in the middle, the film is %+v %v", p, err)
	}
	read := 0
	second, err := pack.AddFilm(t.Context(), dir, renamed, func(n int) { read += n })
	if err != nil {
		t.Fatal(err)
	}
	if int64(read) != 2*second.TotalSize || second.Before != first.File || !second.Unsigned || !second.SumsAnew {
		t.Errorf("%d bytes, %+v", read, second)
	}
	v, err := pack.Verify(t.Context(), dir, pack.Check{})
	if err != nil || v.Pack == nil || v.Pack.Film.File != second.File {
		t.Fatalf("%+v %v", v, err)
	}
	for _, m := range v.Mistakes {
		if !strings.Contains(m.What["en"], "filled in") {
			t.Error(m)
		}
	}
	toml, err := os.ReadFile(second.FilmTOML)
	if err != nil || !strings.Contains(string(toml), "# Film acara ini.") || !strings.Contains(string(toml), "file = \"film-dua.mp4\"\r\n") {
		t.Errorf("film.toml: %v %s", err, toml)
	}
	if _, err := pack.AddFilm(t.Context(), t.TempDir(), good, nil); err == nil {
		t.Error("a folder without a pack took a film")
	}
}

func TestJudge(t *testing.T) {
	film := Film{Duration: 10 * time.Second, Convert: "ffmpeg -i x"}
	for name, c := range map[string]struct {
		took  time.Duration
		level pack.Level
		says  string
	}{
		"fast":       {2 * time.Second, pack.LevelOK, "5.0 times as fast"},
		"just":       {6 * time.Second, pack.LevelNote, "rather heavy"},
		"much":       {9 * time.Second, pack.LevelProblem, "too heavy"},
		"far slower": {30 * time.Second, pack.LevelProblem, "only 0.3 seconds"},
	} {
		if r := judge(film, nil, nil, c.took); r.Level != c.level || !strings.Contains(r.Message["en"], c.says) || (r.Level != pack.LevelOK) != strings.Contains(r.Hint["id"], film.Convert) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestDecodeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := Decode(ctx, Film{File: demo}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}
