package voice

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mimpi-kiosk/internal/screening"
)

var age = screening.Text{
	"id": "Menurut undang-undang, umur paling muda untuk bekerja di luar negeri?",
	"en": "By law, what is the youngest age to work abroad?",
}

const key = "questions.k1.text"

func newVoices(t *testing.T, o Options) *Voices {
	t.Helper()
	for _, program := range []string{"espeak-ng", "sox", "mpv"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is needed: make test-go has it", program)
		}
	}
	if o.Dir == "" {
		o.Dir = filepath.Join(t.TempDir(), "voices")
	}
	if o.Pace == 0 {
		o.Pace = 135
	}
	return New(o)
}

// heard is what sox finds in a file.
type heard struct{ seconds, loudest, rms float64 }

func listen(t *testing.T, file string) heard {
	t.Helper()
	if filepath.Ext(file) == ".ogg" { // sox of Debian reads no Opus
		wav := filepath.Join(t.TempDir(), "a.wav")
		if out, err := exec.Command("mpv", "--no-config", "--msg-level=all=error", "--vid=no", "--o="+wav, "--of=wav", "--oac=pcm_s16le", file).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		file = wav
	}
	out, err := exec.Command("sox", file, "-n", "stat").CombinedOutput()
	if err != nil {
		t.Fatalf("sox %s: %v\n%s", file, err, out)
	}
	var h heard
	for line := range strings.Lines(string(out)) {
		name, value, _ := strings.Cut(line, ":")
		n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil {
			continue
		}
		switch strings.Join(strings.Fields(name), " ") {
		case "Length (seconds)":
			h.seconds = n
		case "Maximum amplitude":
			h.loudest = n
		case "RMS amplitude":
			h.rms = n
		}
	}
	return h
}

// speaks fails the test unless a person in the hall would hear a sentence.
func (h heard) speaks(t *testing.T, least, most float64) {
	t.Helper()
	if h.seconds < least || h.seconds > most || h.loudest < 0.3 || h.loudest > 0.999 || h.rms < 0.03 {
		t.Errorf("heard %+v, want %v to %v s, loud and not clipped", h, least, most)
	}
}

func TestSpeechSounds(t *testing.T) {
	v := newVoices(t, Options{})
	for lang, least := range map[string]float64{"id": 3, "en": 2} {
		s, err := v.Sound(t.Context(), lang, key, age)
		if err != nil || s.Lang != lang || !s.Made {
			t.Fatalf("%s: %+v, %v", lang, s, err)
		}
		listen(t, s.File).speaks(t, least, 10)
	}
}

func TestSpeechIsMadeOnce(t *testing.T) {
	v := newVoices(t, Options{})
	first, err := v.Sound(t.Context(), "id", key, age)
	if err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(first.File)
	if err != nil {
		t.Fatal(err)
	}
	second, err := v.Sound(t.Context(), "id", key, age)
	if err != nil || second != first {
		t.Fatalf("%+v, %v, want %+v", second, err, first)
	}
	if after, err := os.Stat(first.File); err != nil || !os.SameFile(before, after) || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("the speech was made again (%v)", err)
	}
	slower := New(Options{Dir: v.options.Dir, Pace: 90})
	third, err := slower.Sound(t.Context(), "id", key, age)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := listen(t, third.File), listen(t, first.File); a.seconds < 1.2*b.seconds {
		t.Errorf("90 words a minute take %.1f s, 135 take %.1f s", a.seconds, b.seconds)
	}
}

func TestWhichVoice(t *testing.T) {
	folder := t.TempDir()
	pack := filepath.Join(folder, "pack.mp3")
	v := newVoices(t, Options{Recorded: func(lang, k string) (string, bool) {
		return pack, lang == "aoz" && k == key
	}})
	only := screening.Text{"id": "Belum tahu"}
	for _, c := range []struct {
		name, lang, key string
		text            screening.Text
		want            string // language that is spoken; "" is none
		made            bool
	}{
		{"a recording of the pack", "aoz", key, age, "aoz", false},
		{"no recording in the language: Indonesian", "aoz", "questions.k1.options.18", only, "id", true},
		{"no text in the language: Indonesian", "en", key, only, "id", true},
		{"Kupang Malay is read as Indonesian is", "mkn", key, screening.Text{"id": "Belum tahu", "mkn": "Balom tau"}, "mkn", true},
		{"nothing to say", "id", key, screening.Text{}, "", false},
		{"a path", "id", "../pin", age, "", false},
		{"an option of the program", "-w", key, age, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := v.Sound(t.Context(), c.lang, c.key, c.text)
			if c.want == "" {
				if !errors.Is(err, ErrNoVoice) {
					t.Fatalf("%+v, %v, want ErrNoVoice", s, err)
				}
				return
			}
			if err != nil || s.Lang != c.want || s.Made != c.made {
				t.Fatalf("%+v, %v", s, err)
			}
		})
	}
}

// spoken is a recording as a phone makes it.
func spoken(t *testing.T, format ...string) []byte {
	t.Helper()
	v := newVoices(t, Options{})
	s, err := v.Sound(t.Context(), "id", key, age)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "phone")
	args := append([]string{"--no-config", "--msg-level=all=error", "--vid=no", "--o=" + out}, format...)
	// With a second of silence around it, and from far away.
	args = append(args, "--af=lavfi=[volume=0.1,adelay=1000|1000,apad=pad_dur=1]", s.File)
	if msg, err := exec.Command("mpv", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, msg)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestRecordingsOfPhonesAndBrowsers(t *testing.T) {
	for name, format := range map[string][]string{
		"Chromium": {"--of=webm", "--oac=libopus"},
		"iPhone":   {"--of=mp4", "--oac=aac"},
		"Firefox":  {"--of=ogg", "--oac=libopus"},
		"WAV":      {"--of=wav", "--oac=pcm_s16le"},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVoices(t, Options{})
			if err := v.Keep(t.Context(), "aoz", key, age, bytes.NewReader(spoken(t, format...))); err != nil {
				t.Fatal(err)
			}
			s, err := v.Sound(t.Context(), "aoz", key, age)
			if err != nil || s.Lang != "aoz" || s.Made {
				t.Fatalf("%+v, %v", s, err)
			}
			listen(t, s.File).speaks(t, 3, 7) // the silence is gone
		})
	}
}

func TestARecordingOfAnotherSentenceIsNotPlayed(t *testing.T) {
	v := newVoices(t, Options{})
	if err := v.Keep(t.Context(), "id", key, age, bytes.NewReader(spoken(t, "--of=wav", "--oac=pcm_s16le"))); err != nil {
		t.Fatal(err)
	}
	if got := v.State("id", key, age); got != Current {
		t.Fatalf("state %q", got)
	}
	changed := screening.Text{"id": "Umur paling muda untuk bekerja di luar negeri?"}
	if got := v.State("id", key, changed); got != Outdated {
		t.Fatalf("state %q", got)
	}
	s, err := v.Sound(t.Context(), "id", key, changed)
	if err != nil || !s.Made {
		t.Fatalf("%+v, %v: want speech made of the new sentence", s, err)
	}
	if err := v.Forget("id", key); err != nil {
		t.Fatal(err)
	}
	if got := v.State("id", key, age); got != None {
		t.Fatalf("state %q after it was taken back", got)
	}
}

func TestNoSound(t *testing.T) {
	v := newVoices(t, Options{})
	silence := filepath.Join(t.TempDir(), "silence.wav")
	if out, err := exec.Command("sox", "-n", "-r", "16000", "-c", "1", silence, "trim", "0", "2").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(silence)
	if err != nil {
		t.Fatal(err)
	}
	for name, sound := range map[string][]byte{"silence": data, "no sound at all": []byte("hello"), "nothing": nil} {
		t.Run(name, func(t *testing.T) {
			if err := v.Keep(t.Context(), "id", key, age, bytes.NewReader(sound)); !errors.Is(err, ErrNoSound) {
				t.Fatalf("%v, want ErrNoSound", err)
			}
			if got := v.State("id", key, age); got != None {
				t.Fatalf("state %q", got)
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(v.options.Dir, ".recording-*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v (%v)", left, err)
	}
}
