package web

import (
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mimpi-kiosk/internal/screening"
)

func readJSONFile(files fs.FS, name string, into any) error {
	data, err := fs.ReadFile(files, name)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// withFiles gives a kiosk a film, subtitles, a guidebook and a pack's own icon.
func withFiles(t testing.TB, film []byte) func(*Parts) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("secret.vtt", []byte("not for the web"))
	vtt := write("id.vtt", []byte("WEBVTT\n\n00:00.000 --> 00:01.000\nHalo\n"))
	movie, book := write("film.mp4", film), write("guidebook.pdf", []byte("%PDF-1.7"))
	return func(p *Parts) {
		p.Show.FilmFile, p.Show.GuidebookFile = movie, book
		p.Show.Subtitles = func(lang string) (string, bool) { return vtt, lang == "id" }
		p.Show.OpenIcon = func(name string) (io.ReadCloser, error) {
			if name != "pack-icon" {
				return nil, fs.ErrNotExist
			}
			return io.NopCloser(strings.NewReader("<svg>from the pack</svg>")), nil
		}
	}
}

func TestWhoMaySeeWhat(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{parts: withFiles(t, []byte("film"))})
	k.plan()
	// own: the kiosk's own browser. tunnel: this machine too, but by another name.
	clients := map[string]*browser{"own": k.own(), "phone": k.phone(1), "signed in": k.phone(2).signIn(), "tunnel": k.phone(0)}
	everybody := map[string]int{"own": 200, "phone": 200, "signed in": 200, "tunnel": 200}
	screens := map[string]int{"own": 200, "phone": 303, "signed in": 200, "tunnel": 303}
	hiddenOnes := map[string]int{"own": 200, "phone": 404, "signed in": 200, "tunnel": 404}
	facilitators := map[string]int{"own": 401, "phone": 401, "signed in": 200, "tunnel": 401}
	for path, want := range map[string]map[string]int{
		"/":                      {"own": 200, "phone": 303, "signed in": 303, "tunnel": 303},
		"/stage":                 screens,
		"/single":                screens,
		"/touch":                 screens,
		"/facilitator":           everybody, // it asks for the PIN itself
		"/summary":               everybody, // as does this; the numbers come from /api
		"/vote":                  everybody,
		"/guidebook":             everybody,
		"/guidebook.pdf":         everybody,
		"/film":                  hiddenOnes,
		"/film/subtitles/id.vtt": everybody,
		"/icon/star-1.svg":       everybody,
		"/icon/pack-icon.svg":    everybody,
		"/assets/app-3c4d.js":    everybody,
		"/lang/index.json":       everybody,
		"/lang/id.json":          everybody,
		"/qr/vote.png":           everybody,
		"/qr/wifi.svg":           everybody,
		"/healthz":               everybody,
		"/metrics":               hiddenOnes,
		"/api/sign-in":           everybody,
		"/api/screenings":        facilitators,
		"/api/summary":           facilitators,
		"/api/export.zip":        facilitators,
	} {
		for name, b := range clients {
			r := b.get(path)
			if r.StatusCode != want[name] {
				t.Errorf("GET %s from %s gives %d, want %d", path, name, r.StatusCode, want[name])
			}
			if r.StatusCode == 303 && r.Header.Get("Location") != "/vote" {
				t.Errorf("GET %s sends %s to %q", path, name, r.Header.Get("Location"))
			}
			if !strings.HasPrefix(r.Header.Get("Content-Security-Policy"), "default-src 'none'") || r.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("GET %s has not the security headers", path)
			}
		}
		foreign := k.own().request("GET", path, "", http.Header{"Host": {"evil.example"}})
		if foreign.StatusCode != http.StatusMisdirectedRequest {
			t.Errorf("GET %s by a foreign name gives %s", path, foreign.Status)
		}
	}
	for _, path := range []string{"/vote", "/api/sign-in", "/api/pin", "/api/sign-out"} {
		for name, header := range map[string]http.Header{
			"another page": {"Origin": {"http://evil.example"}},
			"another site": {"Sec-Fetch-Site": {"cross-site"}},
			"no page":      {"Origin": {"null"}},
		} {
			if r := k.own().signIn().request("POST", path, "", header); r.StatusCode != http.StatusForbidden {
				t.Errorf("POST %s from %s gives %s", path, name, r.Status)
			}
		}
		if r := k.own().request("PUT", path, "", nil); r.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("PUT %s gives %s", path, r.Status)
		}
	}
}

func TestWhoMayConnect(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	withToken := k.phone(3)
	withToken.get("/vote")
	clients := map[string]*browser{
		"own": k.own(), "own, signed in": k.own().signIn(), "phone": k.phone(1), "signed in": k.phone(2).signIn(),
		"with a token": withToken, "tunnel": k.phone(0),
	}
	for as, want := range map[role]map[string]int{
		stageRole:       {"own": 101, "own, signed in": 101, "phone": 403, "signed in": 101, "with a token": 403, "tunnel": 403},
		touchRole:       {"own": 101, "own, signed in": 101, "phone": 403, "signed in": 101, "with a token": 403, "tunnel": 403},
		facilitatorRole: {"own": 403, "own, signed in": 101, "phone": 403, "signed in": 101, "with a token": 403, "tunnel": 403},
		voteRole:        {"own": 403, "own, signed in": 403, "phone": 403, "signed in": 403, "with a token": 101, "tunnel": 403},
		"":              {"own": 400, "phone": 400, "signed in": 400},
		"kiosk":         {"own": 400, "phone": 400, "signed in": 400},
	} {
		for name, status := range want {
			ws, answer, err := clients[name].upgrade(as, nil)
			if answer == nil {
				t.Errorf("%s as %q: %v", name, as, err)
				continue
			}
			if answer.StatusCode != status {
				t.Errorf("%s as %q gives %d, want %d", name, as, answer.StatusCode, status)
			}
			if err == nil {
				ws.Close()
			}
		}
	}
	for name, wrong := range map[string]struct {
		header http.Header
		status int
	}{
		"no Origin":         {http.Header{"Origin": nil}, 403},
		"Origin null":       {http.Header{"Origin": {"null"}}, 403},
		"another site":      {http.Header{"Origin": {"http://evil.example"}}, 403},
		"another port":      {http.Header{"Origin": {"http://127.0.0.1:1"}}, 403},
		"another scheme":    {http.Header{"Origin": {"https://" + k.addr}}, 403},
		"two of them":       {http.Header{"Origin": {"http://" + k.addr, "http://" + k.addr}}, 403},
		"a foreign name":    {http.Header{"Host": {"evil.example"}, "Origin": {"http://evil.example"}}, 421},
		"another own name":  {http.Header{"Host": {host}}, 403},
		"no name we go by":  {http.Header{"Host": {"kiosk.local"}, "Origin": {"http://kiosk.local"}}, 421},
		"own name, not own": {http.Header{"Host": {host}, "Origin": {"http://" + host}}, 403}, // as a tunnel would call
	} {
		ws, answer, err := k.own().upgrade(stageRole, wrong.header)
		if err == nil {
			ws.Close()
		}
		if answer == nil || answer.StatusCode != wrong.status {
			t.Errorf("a socket with %s: %v, %v; want %d", name, answer, err, wrong.status)
		}
	}
	if r := k.own().request("GET", "/ws?role=stage", "", http.Header{"Origin": {"http://" + k.addr}}); r.StatusCode != http.StatusBadRequest {
		t.Errorf("/ws without an upgrade gives %s", r.Status)
	}
}

// The table of PROTOCOL.md, written out a second time.
func TestWhoMaySendWhat(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.ask("age", screening.PollBefore)
	sockets := map[role]*socket{
		stageRole: k.own().socket(stageRole), touchRole: k.own().socket(touchRole),
		voteRole: k.voter(1), facilitatorRole: k.own().signIn().socket(facilitatorRole),
	}
	may := map[string][]role{
		"ping":          {stageRole, touchRole, voteRole, facilitatorRole},
		"pressKey":      {stageRole, touchRole, facilitatorRole},
		"reportPlayer":  {stageRole},
		"castBallot":    {touchRole, voteRole},
		"countAttendee": {touchRole, facilitatorRole}, "undoCount": {touchRole, facilitatorRole},
	}
	for _, do := range []string{
		"planScreening", "editDetails", "moveTo", "openDoors", "closeDoors", "correctAttendance", "settleDoubt", "countRow",
		"recordDisability", "openQuestion", "closeQuestion", "showResults", "revealQuestion", "dismissQuestion", "countHands",
		"showRunningTotals", "allowPhones", "setStage", "readAloud", "playFilm", "pauseFilm", "seekFilm", "setVolume", "setSubtitles",
		"usePausePoints", "setSoundLag", "noteEvening", "setClock",
	} {
		may[do] = []role{facilitatorRole}
	}
	for _, nobody := range []string{"", "startKiosk", "notePosition", "reachPausePoint", "finishFilm", "MoveTo", "eventually"} {
		may[nobody] = nil
	}
	for do := range wishes {
		if _, ok := may[do]; !ok {
			t.Errorf("%s can be sent and is not in this test", do)
		}
	}
	for do, from := range may {
		for as, s := range sockets {
			// Without fields most are refused by the rules; that is not what is asked here.
			// Another screening, so that those which are allowed change nothing.
			p := s.ask(do, map[string]any{"screening": "s-other"})
			allowed := p.Type == "done" || p.Reason != "not_for_this_screen"
			if want := sorted(from); allowed != contains(want, as) {
				t.Errorf("%s from %s is answered by %s", do, as, p.raw)
			}
		}
	}
	if s := k.room.Latest(); s.Screening.ID != "s-plan" || s.Step != screening.PollBefore {
		t.Errorf("something got through: %+v", s.Screening)
	}
}

func contains(all []role, r role) bool {
	for _, a := range all {
		if a == r {
			return true
		}
	}
	return false
}

// A person gave the PIN; then it was changed elsewhere.
func TestSessionEnds(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.plan()
	own := k.own().signIn()
	f, farStage := own.socket(facilitatorRole), k.phone(1).signIn().socket(stageRole)
	ownStage := k.own().socket(stageRole)
	f.must("openDoors", nil)

	setter := k.own()
	if r := setter.postJSON("/api/pin", `{"pin":"314159","old":"`+pin+`"}`); r.StatusCode != http.StatusNoContent {
		t.Fatalf("the PIN is not changed: %s %s", r.Status, r.body)
	}
	f.refused("closeDoors", nil, "signed_out")
	f.refused("ping", nil, "signed_out")
	farStage.refused("pressKey", map[string]any{"key": "1"}, "signed_out")
	ownStage.must("pressKey", map[string]any{"key": "1"}) // the kiosk's own needs none
	if s := k.room.Latest(); !s.DoorsOpen || s.Attendance.Total() != 1 {
		t.Errorf("the state is %+v", s)
	}
	if _, answer, err := own.upgrade(facilitatorRole, nil); err == nil || answer == nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("the old session still opens a socket: %v", err)
	}
	setter.socket(facilitatorRole).must("closeDoors", nil) // who set the PIN is signed in by it
}
