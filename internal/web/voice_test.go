package web

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"mimpi-kiosk/internal/screening"
)

// tapes keep recordings as they come and speak nothing: what internal/voice does with sound
// is tested there.
type tapes struct {
	dir  string
	mu   sync.Mutex
	kept map[string]string // "LANG/KEY" -> the sentence
}

func newTapes(t testing.TB) *tapes { return &tapes{dir: t.TempDir(), kept: map[string]string{}} }

func (v *tapes) file(name string) string { return filepath.Join(v.dir, filepath.FromSlash(name)) }

func (v *tapes) Sound(_ context.Context, lang, key string, _ screening.Text) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.kept[lang+"/"+key]; !ok {
		return "", fs.ErrNotExist
	}
	return v.file(lang + "/" + key + ".ogg"), nil
}

func (v *tapes) State(lang, key string, _ screening.Text) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.kept[lang+"/"+key]; ok {
		return "current"
	}
	return ""
}

func (v *tapes) Keep(_ context.Context, lang, key string, text screening.Text, sound io.Reader) error {
	if !regexp.MustCompile(`^[a-z]{2,3}$`).MatchString(lang) { // as package voice
		return ErrNoText
	}
	data, err := io.ReadAll(sound)
	if err != nil {
		return err
	}
	if len(data) == 0 {
		return ErrNoSound
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.kept[lang+"/"+key] = text["id"]
	return errors.Join(os.MkdirAll(v.file(lang), 0o750), os.WriteFile(v.file(lang+"/"+key+".ogg"), data, 0o640))
}

func (v *tapes) Forget(lang, key string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.kept, lang+"/"+key)
	return nil
}

func (v *tapes) Recordings() ([]string, func(string) (io.ReadCloser, error), error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	names := []string{}
	for name := range maps.Keys(v.kept) {
		names = append(names, name+".ogg")
	}
	slices.Sort(names)
	return names, func(name string) (io.ReadCloser, error) { return os.Open(v.file(name)) }, nil
}

func withVoices(v Voices) setup { return setup{parts: func(p *Parts) { p.Show.Voices = v }} }

func TestVoices(t *testing.T) {
	t.Parallel()
	v := newTapes(t)
	k := newKiosk(t, setup{parts: func(p *Parts) {
		p.Show.Voices, p.Show.Spoken = v, []Language{{"aoz", "Uab Meto"}, {"en", ""}, {"kem", ""}}
	}})
	facilitator := k.phone(1).signIn()
	put := func(b *browser, path, body string) reply { return b.request("PUT", path, body, http.Header{}) }

	// Nobody but the facilitator records.
	for _, path := range []string{"/api/voices", "/api/voices/aoz", "/api/voices.zip"} {
		for name, b := range map[string]*browser{"a phone": k.phone(2), "the kiosk's own screen": k.own()} {
			if r := b.get(path); r.StatusCode != 401 {
				t.Errorf("%s gets %s: %s", name, path, r.Status)
			}
		}
	}
	const key = "questions.age.text"
	if r := put(k.phone(2), "/api/voices/aoz/"+key, "sound"); r.StatusCode != 401 {
		t.Errorf("a phone records: %s", r.Status)
	}
	for _, path := range []string{"/api/voices/..%2fx/" + key, "/api/voices/aoz/..%2f" + key, "/api/voices/a%00z/" + key} {
		if r := put(facilitator, path, "sound"); r.StatusCode != 404 || !strings.Contains(string(r.body), `"no_text"`) || !strings.Contains(string(r.body), "/record") {
			t.Errorf("PUT %s: %s %s", path, r.Status, r.body)
		}
	}
	if r := put(facilitator, "/api/voices/aoz/questions.weather.text", "sound"); r.StatusCode != 404 || !strings.Contains(string(r.body), `"no_text"`) {
		t.Errorf("a text that there is not is recorded: %s", r.Status)
	}
	if r := put(facilitator, "/api/voices/aoz/"+key, ""); r.StatusCode != 422 || !strings.Contains(string(r.body), `"no_sound"`) {
		t.Errorf("nothing is recorded: %s %s", r.Status, r.body)
	}
	if r := put(facilitator, "/api/voices/aoz/"+key, strings.Repeat("x", recordingBytes+1)); r.StatusCode < 400 {
		t.Errorf("a recording without end is kept: %s", r.Status)
	}
	if r := put(facilitator, "/api/voices/aoz/"+key, "Neu atuli"); r.StatusCode != 204 {
		t.Fatalf("record: %s %s", r.Status, r.body)
	}
	if v.kept["aoz/"+key] != "Pertanyaan age?" {
		t.Errorf("recorded for the sentence %q", v.kept["aoz/"+key])
	}

	// A language without a name has that of the screens, or is called by its code.
	var langs []Language
	if r := facilitator.get("/api/voices"); json.Unmarshal(r.body, &langs) != nil || !slices.Equal(langs, []Language{{"aoz", "Uab Meto"}, {"en", "English"}, {"kem", "kem"}}) {
		t.Errorf("the languages: %s %s", r.Status, r.body)
	}
	var list []textToRecord
	if r := facilitator.get("/api/voices/aoz"); json.Unmarshal(r.body, &list) != nil || r.StatusCode != 200 {
		t.Fatalf("the list: %s %s", r.Status, r.body)
	}
	// Of every question its text, its options and its explanation.
	if n := 4 + (3 + 2 + 3 + 3) + 4; len(list) != n {
		t.Errorf("%d texts to record, want %d", len(list), n)
	}
	for _, line := range list {
		if want := map[bool]string{true: "current"}[line.Key == key]; line.State != want {
			t.Errorf("%s is %q, want %q", line.Key, line.State, want)
		}
	}

	// Heard by the kiosk's own screens and the facilitator, and by no phone.
	for name, c := range map[string]struct {
		b    *browser
		path string
		want int
	}{
		"the kiosk":            {k.own(), "/voice/aoz/" + key, 200},
		"the facilitator":      {facilitator, "/voice/aoz/" + key, 200},
		"a phone":              {k.phone(2), "/voice/aoz/" + key, 404},
		"no such text":         {k.own(), "/voice/aoz/questions.weather.text", 404},
		"nobody has said it":   {k.own(), "/voice/tet/" + key, 404},
		"somebody else's file": {k.own(), "/voice/..%2f..%2fetc/passwd", 404},
	} {
		if r := c.b.get(c.path); r.StatusCode != c.want || c.want == 200 && (string(r.body) != "Neu atuli" || r.Header.Get("Content-Type") != "audio/ogg") {
			t.Errorf("%s: %s %v %q", name, r.Status, r.Header["Content-Type"], r.body)
		}
	}

	r := facilitator.get("/api/voices.zip")
	z, err := zip.NewReader(bytes.NewReader(r.body), int64(len(r.body)))
	if err != nil || len(z.File) != 1 || z.File[0].Name != "audio/aoz/"+key+".ogg" {
		t.Errorf("the recordings as a folder: %v %s", err, r.Status)
	}
	if r := facilitator.request("DELETE", "/api/voices/aoz/"+key, "", http.Header{}); r.StatusCode != 204 || len(v.kept) != 0 {
		t.Errorf("take back: %s, %d left", r.Status, len(v.kept))
	}
}

func TestOnlyThePageForRecordingMayUseTheMicrophone(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withVoices(newTapes(t)))
	for _, path := range []string{"/record", "/vote", "/stage", "/touch", "/facilitator"} {
		allowed := strings.Contains(k.own().get(path).Header.Get("Permissions-Policy"), "microphone=(self)")
		if allowed != (path == "/record") {
			t.Errorf("%s may use the microphone: %v", path, allowed)
		}
	}
}

func TestWhatTheScreensReadAloud(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, withVoices(newTapes(t)))
	k.ask("age", screening.PollBefore)
	see := func() (s stageView, f facilitatorView) {
		state := k.room.Latest()
		return k.server.viewer.stage(state), k.server.viewer.facilitator(state, nil, nil, screening.Stamp{})
	}
	s, f := see()
	if s.Voice == nil || !s.Voice.On || s.Voice.Again != 0 || s.Voice.Volume != 80 || !f.Voice || f.Stage.Silent {
		t.Errorf("at first: stage %+v, facilitator %v %v", s.Voice, f.Voice, f.Stage.Silent)
	}
	k.do(screening.SetStage{Page: screening.PageAuto, Count: true, Lang: "id", Silent: true})
	k.do(screening.ReadAloud{Question: "age"})
	first, f := see()
	if first.Voice.On || first.Voice.Again == 0 || !f.Stage.Silent {
		t.Errorf("silent, and read once: stage %+v, facilitator silent %v", first.Voice, f.Stage.Silent)
	}
	k.do(screening.ReadAloud{Question: "age"})
	if again, _ := see(); again.Voice.Again <= first.Voice.Again {
		t.Errorf("read again: %d, before it %d", again.Voice.Again, first.Voice.Again)
	}

	without := newKiosk(t, setup{})
	state := without.room.Latest()
	if v := without.server.viewer; v.stage(state).Voice != nil || v.touch(state).Voice != nil || v.facilitator(state, nil, nil, screening.Stamp{}).Voice {
		t.Error("a kiosk without voices offers them")
	}
	if r := without.own().get("/voice/id/questions.age.text"); r.StatusCode != 404 {
		t.Errorf("a kiosk without voices speaks: %s", r.Status)
	}
}
