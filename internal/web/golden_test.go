package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing them")

// golden compares JSON with the file of that name, indented.
func golden(t *testing.T, file string, data []byte) {
	t.Helper()
	var got bytes.Buffer
	if err := json.Indent(&got, data, "", "  "); err != nil {
		t.Fatalf("%s is no JSON: %v: %s", file, err, data)
	}
	got.WriteByte('\n')
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; if the message is new, run: go test ./internal/web -run Golden -update", err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-golden +now); if it must change, protocol.ts must too; then run with -update:\n%s", path, diff)
	}
}

// noMore fails for golden files that nothing writes any more.
func noMore(t *testing.T, dir string, written []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if slices.Contains(written, filepath.Base(file)) {
			continue
		}
		if *update {
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			continue
		}
		t.Errorf("%s is not written any more: run with -update", file)
	}
}

// faces are one screen of each role, on a kiosk whose server does not run: so each
// view is rendered when the test says so, and numbers are the same in every run.
type faces struct {
	t       *testing.T
	k       *kiosk
	screens map[role]*screen
	written []string
	scenes  map[string]bool // "stage welcome", "next plan", ...
}

func newFaces(t *testing.T, with setup) *faces {
	with.still = true
	f := &faces{t: t, k: newKiosk(t, with), screens: map[role]*screen{}, scenes: map[string]bool{}}
	for _, as := range roles {
		f.screens[as] = f.screen(as)
	}
	return f
}

func (f *faces) screen(as role) *screen {
	f.t.Helper()
	signed, err := signedIn()
	if err != nil {
		f.t.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/ws", nil)
	r.RemoteAddr, r.Host = "127.0.0.1:1234", "localhost"
	for _, c := range signed.cookies {
		r.AddCookie(c)
	}
	c := &screen{
		server: f.k.server, role: as, request: r,
		news: make(chan struct{}, 1), answers: make(chan []byte, answersHeld), gone: make(chan struct{}),
	}
	if as == voteRole {
		w := httptest.NewRecorder()
		if c.voter, err = f.k.keeper.Voter(w, httptest.NewRequest("GET", "/vote", nil)); err != nil {
			f.t.Fatal(err)
		}
	}
	f.k.server.hub.add(c)
	return c
}

// view renders and gives the message that the screen would send now.
func (f *faces) view(c *screen) []byte {
	f.k.server.hub.render()
	now := f.k.server.hub.frame(c.role)
	own, err := c.own(now)
	if err != nil {
		f.t.Fatal(err)
	}
	return now.json(own)
}

// show writes the faces of these roles under name.
func (f *faces) show(name string, of ...role) {
	f.t.Helper()
	for _, as := range of {
		f.write(string(as)+"-"+name, f.view(f.screens[as]))
	}
}

func (f *faces) write(name string, message []byte) {
	f.t.Helper()
	var p struct {
		View struct {
			Role  role
			Scene string
			Next  *struct{ Label string }
		}
	}
	if err := json.Unmarshal(message, &p); err != nil {
		f.t.Fatal(err)
	}
	f.scenes[string(p.View.Role)+" "+p.View.Scene] = true
	if p.View.Next != nil {
		f.scenes["next "+p.View.Next.Label] = true
	}
	golden(f.t, "protocol/from/"+name+".json", message)
	f.written = append(f.written, name+".json")
}

// send gives a screen a message and writes its answer under name, unless that is "".
func (f *faces) send(c *screen, message, name string) {
	f.t.Helper()
	m, err := decodeMessage([]byte(message))
	if err != nil {
		f.t.Fatal(err)
	}
	if !c.answer(m.ID, c.handle(f.t.Context(), m)) {
		f.t.Fatal("too many answers")
	}
	answer := <-c.answers
	if name != "" {
		f.write(name, answer)
	} else if !bytes.HasPrefix(answer, []byte(`{"type":"done"`)) {
		f.t.Fatalf("%s is answered by %s", message, answer)
	}
}

// TestGoldenMessages walks through an evening and writes down each face of it.
func TestGoldenMessages(t *testing.T) {
	t.Parallel()
	f := newFaces(t, setup{})
	k, touch, vote, facilitator := f.k, f.screens[touchRole], f.screens[voteRole], f.screens[facilitatorRole]
	all := []role{stageRole, touchRole, voteRole, facilitatorRole}
	audience := all[:3]

	f.show("no-screening", all...)
	f.k.server.checkup.lead(touch, checkProjector)
	f.k.server.checkup.number = 7
	f.show("check", stageRole, touchRole)
	f.send(touch, `{"id":"c0","do":"checkBox","step":""}`, "")
	f.send(facilitator, `{"id":"c1","do":"openDoors"}`, "refused-no-screening")
	f.send(facilitator, `{"id":"c2","do":"setClock","now":"2026-11-24T18:45:00+08:00"}`, "done")
	f.send(facilitator, `{"id":"c3","do":"planScreening","rehearsal":false,"details":{"regency":"belu","venue":"Balai Desa Fulur","audience":"public","label":"RT 3","heldAt":"2026-11-24T19:00:00+08:00"}}`, "")
	k.board.Set(health.Part{Part: "film", Level: health.OK, Message: text("Film siap.", "The film is ready.")})
	k.board.Set(health.Part{Part: "journal", Level: health.Problem, Message: text("Disk penuh.", "The disk is full."), Hint: text("Hapus sesuatu.", "Delete something.")})
	f.show("welcome", stageRole)
	f.show("set-up", facilitatorRole)

	k.do(screening.MoveTo{Step: screening.Doors})
	for range 3 {
		f.k.from(screening.FromTouch, screening.CountAttendee{Category: "woman"})
	}
	k.from(screening.FromKeyboard, screening.CountAttendee{Category: "man"})
	k.do(screening.CountAttendee{Category: "child"})
	k.do(screening.CountRow{Row: "kiri 3", Counts: map[string]int{"woman": 4, "child": 2}})
	k.do(screening.CorrectAttendance{Category: "man", Delta: 2, Reason: "dua orang masuk lewat samping"})
	two := 2
	k.do(screening.RecordDisability{Count: &two})
	f.show("doors", stageRole, touchRole, facilitatorRole)
	k.do(screening.SetStage{Page: screening.PageJoin, Count: false, Lang: "en"})
	f.show("join", stageRole)
	k.do(screening.SetStage{Page: screening.PageAuto, Count: true, Lang: "id"})

	k.do(screening.MoveTo{Step: screening.PollBefore})
	f.show("poll-before", stageRole, touchRole, voteRole, facilitatorRole)
	f.send(vote, `{"id":"b0","do":"castBallot","screening":"s-1","question":"age","round":1,"choices":["a15"]}`, "refused-not-open")
	k.do(screening.OpenQuestion{Question: "age"})
	f.show("question-open", all...)
	f.send(vote, `{"id":"b1","do":"castBallot","screening":"s-1","question":"age","round":1,"choices":["a15"]}`, "done-mine")
	others := []*screen{f.screen(voteRole), f.screen(voteRole), f.screen(voteRole), f.screen(voteRole), f.screen(voteRole)}
	for i, c := range others {
		choices := []string{`["a18"]`, `["a18"]`, `["a21"]`, `["a15"]`, `[]`}[i]
		f.send(c, `{"id":"b2`+string(rune('a'+i))+`","do":"castBallot","screening":"s-1","question":"age","round":1,"choices":`+choices+`}`, "")
	}
	f.write("vote-question-open-mine", f.view(vote))
	f.write("vote-question-open-skipped", f.view(others[4]))
	f.send(vote, `{"id":"b3","do":"castBallot","screening":"s-2","question":"age","round":1,"choices":["a15"]}`, "refused-wrong-screening")
	f.send(vote, `{"id":"b4","do":"moveTo","screening":"s-1","step":"film"}`, "refused-not-for-this-screen")
	f.send(touch, `{"id":"t1","do":"pressKey","key":"9"}`, "refused-unknown-key")
	f.send(facilitator, `{"id":"r1","do":"showRunningTotals","screening":"s-1","show":true}`, "refused-asked-again-later")
	k.do(screening.CloseQuestion{Question: "age"})
	k.do(screening.CountHands{Question: "age", Counts: map[string]int{"a15": 5, "a18": 3, "a21": 2}})
	f.show("question-closed", all...) // before the film: nobody sees a result
	k.do(screening.OpenQuestion{Question: "fee"})
	k.from(screening.FromTouch, screening.CastBallot{Question: "fee", Round: 1, Choices: []string{"no"}, Channel: screening.ByTouch})
	k.do(screening.CloseQuestion{Question: "fee"})
	f.send(facilitator, `{"id":"r2","do":"showResults","screening":"s-1","question":"fee"}`, "refused-results-after-film")
	f.show("poll-over", facilitatorRole)

	k.do(screening.MoveTo{Step: screening.FilmStep})
	f.show("film-ready", stageRole, touchRole, facilitatorRole)
	k.do(screening.PlayFilm{})
	player := func(at screening.Millis) {
		k.from(screening.FromPlayer, screening.NotePosition{Epoch: k.room.Latest().Playback.Epoch, At: at, Duration: 600_000})
	}
	player(30_000)
	f.show("film-playing", stageRole, voteRole, facilitatorRole)
	k.from(screening.FromPlayer, screening.ReachPausePoint{Epoch: k.room.Latest().Playback.Epoch, N: 0, At: 60_000})
	f.show("film-halted", stageRole, facilitatorRole)
	k.do(screening.OpenQuestion{Question: "signs"})
	f.show("question-several", stageRole, touchRole, voteRole)
	k.from(screening.FromTouch, screening.CastBallot{Question: "signs", Round: 1, Choices: []string{"papers", "debt"}, Channel: screening.ByButton})
	k.do(screening.CloseQuestion{Question: "signs"})
	k.do(screening.CountHands{Question: "signs", Counts: map[string]int{"papers": 9, "debt": 4, "smile": 1}})
	k.do(screening.RevealQuestion{Question: "signs"})
	f.show("question-in-film-revealed", stageRole, facilitatorRole)
	k.do(screening.DismissQuestion{})
	k.do(screening.SetSubtitles{Lang: "en"})
	k.do(screening.SetVolume{Percent: 65})
	f.show("film-after-question", facilitatorRole)
	k.do(screening.PlayFilm{})
	player(95_000)
	k.clock.restart("boot-2")
	k.from(screening.FromKiosk, screening.StartKiosk{Kiosk: "kiosk-1", Version: "test"})
	f.show("film-interrupted", stageRole, facilitatorRole)
	k.do(screening.PlayFilm{})
	k.from(screening.FromPlayer, screening.FinishFilm{Epoch: k.room.Latest().Playback.Epoch, At: 600_000})
	f.show("film-finished", stageRole, facilitatorRole)

	k.do(screening.MoveTo{Step: screening.Discussion})
	f.show("between", stageRole)
	k.do(screening.OpenQuestion{Question: "age"})
	for i, c := range append(others, vote) {
		f.send(c, `{"id":"d`+string(rune('a'+i))+`","do":"castBallot","screening":"s-1","question":"age","round":2,"choices":["`+[]string{"a18", "a18", "a18", "a18", "a15", "a18"}[i]+`"]}`, "")
	}
	k.do(screening.CloseQuestion{Question: "age"})
	k.do(screening.CountHands{Question: "age", Counts: map[string]int{"a18": 9, "a21": 1}})
	f.show("question-to-show", facilitatorRole)
	k.do(screening.ShowResults{Question: "age"})
	f.show("question-bars", all...)
	k.do(screening.RevealQuestion{Question: "age"})
	f.show("question-before-and-after", all...)
	k.do(screening.OpenQuestion{Question: "fee"})
	k.from(screening.FromTouch, screening.CastBallot{Question: "fee", Round: 2, Choices: []string{"no"}, Channel: screening.ByTouch})
	k.do(screening.ShowRunningTotals{Show: true})
	k.do(screening.CountHands{Question: "fee", Counts: map[string]int{"yes": 4, "no": 7}})
	f.show("question-open-running", all...)
	k.do(screening.ShowRunningTotals{Show: false})
	k.do(screening.CloseQuestion{Question: "fee"})
	k.do(screening.OpenQuestion{Question: "sure"})
	f.show("question-scale", audience...)
	k.do(screening.CloseQuestion{Question: "sure"})
	k.do(screening.RevealQuestion{Question: "sure"})
	f.show("question-revealed-few", all...) // too few for any number
	f.show("discussion-over", facilitatorRole)
	k.do(screening.MoveTo{Step: screening.Closing})
	f.show("closing", stageRole, facilitatorRole)
	f.send(facilitator, `{"id":"n1","do":"noteEvening","screening":"s-1","went":["Ibu Maria"]}`, "refused-unknown-note")
	f.send(facilitator, `{"id":"n2","do":"noteEvening","screening":"s-1","went":["rain_on_roof","split_by_language"],"away":["women"],"why":["field_work"]}`, "")
	k.do(screening.SetStage{Page: screening.PageHelp, Count: false, Lang: "en"})
	f.show("help", stageRole)
	k.do(screening.SetStage{Page: screening.PageGuidebook, Count: false, Lang: "id"})
	f.show("guidebook", stageRole)
	k.clock.advance(2 * time.Hour)
	k.do(screening.MoveTo{Step: screening.Ended})
	f.show("ended", all...)
	k.do(screening.PlanScreening{Screening: "s-rehearsal", Details: details(), Rehearsal: true, Programme: programme()})
	f.show("rehearsal", facilitatorRole)

	mirror := f.screen(stageRole)
	f.write("stage-mirror", f.view(mirror))

	bare := newFaces(t, setup{parts: func(p *Parts) {
		p.Show.Programme = screening.Programme{Pack: "bare", Film: screening.Film{Title: text("Belum ada", "None yet"), Missing: true}}
		p.Show.Keys, p.Show.Help, p.Show.GuidebookURL, p.Show.WiFi = nil, nil, "", WiFi{}
	}})
	bare.show("bare", all...)
	missing := programme()
	missing.Film.Missing = true
	bare.k.do(screening.PlanScreening{Screening: "s-missing", Details: details(), Programme: missing})
	bare.k.do(screening.MoveTo{Step: screening.FilmStep})
	bare.show("film-missing", stageRole, facilitatorRole)

	clicker := newFaces(t, setup{parts: func(p *Parts) { p.Show.VotingButtons = 4 }})
	clicker.k.plan()
	clicker.k.do(screening.MoveTo{Step: screening.Doors})
	woman := screening.PressButton{Category: "woman", Place: 1, Places: 4, Edge: 1000}
	clicker.k.from(screening.FromButtons, woman)
	clicker.k.from(screening.FromButtons, screening.ReportLostPresses{Press: woman, Presses: 3, Why: screening.Overrun})
	clicker.k.from(screening.FromButtons, screening.ReportLostPresses{Press: woman, Why: screening.Unheard})
	clicker.k.from(screening.FromButtons, screening.SuspectPresses{Press: woman, Commands: []string{"gpio-1"}})
	clicker.show("doubts", facilitatorRole)
	clicker.k.do(screening.MoveTo{Step: screening.PollBefore})
	clicker.k.do(screening.OpenQuestion{Question: "age"})
	clicker.show("question-buttons", stageRole, touchRole, facilitatorRole)

	usb := newSticks()
	stick := newFaces(t, setup{parts: func(p *Parts) { p.Sticks = usb }})
	for _, one := range stickFaces() {
		usb.show(one)
		stick.show("stick-"+one.Phase+one.Why, touchRole, facilitatorRole)
	}
	stick.send(stick.screens[facilitatorRole], `{"id":"u1","do":"takePack","disk":"sda","pack":"mimpi-beta-2"}`, "")
	stick.send(stick.screens[facilitatorRole], `{"id":"u2","do":"copyToStick","disk":"sdz"}`, "refused-no-stick")
	stick.send(stick.screens[touchRole], `{"id":"u3","do":"copyToStick","disk":"sda"}`, "refused-stick-from-touch")

	if !t.Failed() {
		noMore(t, "protocol/from", slices.Concat(f.written, bare.written, clicker.written, stick.written))
	}
	maps.Copy(f.scenes, bare.scenes)
	checkAllSeen(t, f.scenes)
}

// checkAllSeen reads protocol.ts: each scene and each next step that it names has a
// golden message.
func checkAllSeen(t *testing.T, seen map[string]bool) {
	t.Helper()
	source, err := os.ReadFile("../../kiosk-ui/src/lib/protocol.ts")
	if err != nil {
		t.Fatal(err)
	}
	ts := string(source)
	names := 0
	for prefix, pattern := range map[string]string{
		"stage": `(?s)interface StageView.*?scene:\s([^;]+);`, "touch": `(?s)interface TouchView.*?scene: ([^;]+);`,
		"vote": `(?s)interface VoteView.*?scene: ([^;]+);`, "next": `(?s)interface Suggestion.*?label:([^;]+);`,
	} {
		m := regexp.MustCompile(pattern).FindStringSubmatch(ts)
		if m == nil {
			t.Fatalf("protocol.ts has no %s", pattern)
		}
		for _, name := range regexp.MustCompile(`'([a-z_]+)'`).FindAllStringSubmatch(m[1], -1) {
			names++
			if !seen[prefix+" "+name[1]] {
				t.Errorf("no golden message shows %s %s", prefix, name[1])
			}
		}
	}
	if names < 25 {
		t.Errorf("only %d names were found in protocol.ts", names)
	}
}

// TestGoldenCommands decodes one message of every command; the TypeScript tests check
// that the screens may send just these.
func TestGoldenCommands(t *testing.T) {
	count, at := 3, time.Date(2026, 11, 24, 19, 0, 0, 0, time.FixedZone("", 8*60*60))
	held := screening.Details{Regency: "belu", Venue: "Balai Desa Fulur", Audience: screening.Students, Label: "kelas 9", HeldAt: at}
	const heldJSON = `"details":{"regency":"belu","venue":"Balai Desa Fulur","audience":"students","label":"kelas 9","heldAt":"2026-11-24T19:00:00+08:00"}`
	var written []string
	seen := map[string]bool{}
	for name, c := range map[string]struct {
		fields string
		from   role
		want   any // a Command; a string is the key pressed
	}{
		"castBallot":            {`"question":"age","round":2,"choices":["a18"]`, voteRole, screening.CastBallot{Question: "age", Round: 2, Choices: []string{"a18"}}},
		"castBallot-skip":       {`"question":"age","round":1,"choices":[]`, touchRole, screening.CastBallot{Question: "age", Round: 1, Choices: []string{}}},
		"pressKey":              {`"key":"1"`, stageRole, nil},
		"ping":                  {``, voteRole, nil},
		"copyToStick":           {`"disk":"sda"`, facilitatorRole, nil},
		"logToStick":            {`"disk":"sda"`, facilitatorRole, nil},
		"takePack":              {`"disk":"sda","pack":"mimpi-beta-2"`, facilitatorRole, nil},
		"backToPack":            {``, facilitatorRole, nil},
		"takeShippedPack":       {``, facilitatorRole, nil},
		"checkBox":              {`"step":"projector"`, touchRole, nil},
		"countAttendee":         {`"category":"woman"`, touchRole, screening.CountAttendee{Category: "woman"}},
		"undoCount":             {``, touchRole, screening.UndoCount{}},
		"planScreening":         {heldJSON + `,"rehearsal":true`, facilitatorRole, screening.PlanScreening{Details: held, Rehearsal: true}},
		"editDetails":           {heldJSON, facilitatorRole, screening.EditDetails{Details: held}},
		"moveTo":                {`"step":"poll_before"`, facilitatorRole, screening.MoveTo{Step: screening.PollBefore}},
		"openDoors":             {``, facilitatorRole, screening.OpenDoors{}},
		"closeDoors":            {``, facilitatorRole, screening.CloseDoors{}},
		"correctAttendance":     {`"category":"man","delta":-2,"reason":"terhitung dua kali"`, facilitatorRole, screening.CorrectAttendance{Category: "man", Delta: -2, Reason: "terhitung dua kali"}},
		"settleDoubt":           {`"doubt":41,"correct":true`, facilitatorRole, screening.SettleDoubt{Doubt: 41, Correct: true}},
		"countRow":              {`"row":"kiri 3","counts":{"woman":4,"child":0}`, facilitatorRole, screening.CountRow{Row: "kiri 3", Counts: map[string]int{"woman": 4, "child": 0}}},
		"recordDisability":      {`"count":3`, facilitatorRole, screening.RecordDisability{Count: &count}},
		"recordDisability-none": {`"count":null`, facilitatorRole, screening.RecordDisability{}},
		"openQuestion":          {`"question":"age","newRound":true`, facilitatorRole, screening.OpenQuestion{Question: "age", NewRound: true}},
		"closeQuestion":         {`"question":"age"`, facilitatorRole, screening.CloseQuestion{Question: "age"}},
		"showResults":           {`"question":"age"`, facilitatorRole, screening.ShowResults{Question: "age"}},
		"revealQuestion":        {`"question":"age"`, facilitatorRole, screening.RevealQuestion{Question: "age"}},
		"dismissQuestion":       {``, facilitatorRole, screening.DismissQuestion{}},
		"countHands":            {`"question":"age","counts":{"a15":3,"a18":12}`, facilitatorRole, screening.CountHands{Question: "age", Counts: map[string]int{"a15": 3, "a18": 12}}},
		"showRunningTotals":     {`"show":true`, facilitatorRole, screening.ShowRunningTotals{Show: true}},
		"allowPhones":           {`"allow":false`, facilitatorRole, screening.AllowPhones{}},
		"setStage":              {`"page":"help","count":true,"lang":"en","silent":true`, facilitatorRole, screening.SetStage{Page: screening.PageHelp, Count: true, Lang: "en", Silent: true}},
		"readAloud":             {`"question":"age"`, facilitatorRole, screening.ReadAloud{Question: "age"}},
		"playFilm":              {``, facilitatorRole, screening.PlayFilm{}},
		"pauseFilm":             {``, facilitatorRole, screening.PauseFilm{}},
		"seekFilm":              {`"to":90000`, facilitatorRole, screening.SeekFilm{To: 90_000}},
		"setVolume":             {`"percent":65`, facilitatorRole, screening.SetVolume{Percent: 65}},
		"setSubtitles":          {`"lang":"id"`, facilitatorRole, screening.SetSubtitles{Lang: "id"}},
		"usePausePoints":        {`"use":true`, facilitatorRole, screening.UsePausePoints{Use: true}},
		"setSoundLag":           {`"lag":280`, facilitatorRole, screening.SetSoundLag{Lag: 280}},
		"noteEvening": {`"went":["rain_on_roof"],"away":["women"],"why":[]`, facilitatorRole,
			screening.NoteEvening{EveningNoted: screening.EveningNoted{Went: []string{"rain_on_roof"}, Away: []string{"women"}, Why: []string{}}}},
		"setClock":            {`"now":"2026-11-24T19:00:00+08:00"`, facilitatorRole, screening.SetClock{Now: at}},
		"reportPlayer":        {`"epoch":12,"state":"playing","at":61000,"duration":600000,"decodedFrames":1500,"droppedFrames":2`, stageRole, PlayerReport{Epoch: 12, State: "playing", At: 61_000, Duration: 600_000, DecodedFrames: 1500, DroppedFrames: 2}},
		"reportPlayer-paused": {`"epoch":12,"state":"paused","at":60000,"duration":600000,"pausePoint":0`, stageRole, PlayerReport{Epoch: 12, State: "paused", At: 60_000, Duration: 600_000, PausePoint: new(int)}},
		"reportPlayer-failed": {`"epoch":12,"state":"failed","at":0,"duration":0,"error":"MEDIA_ERR_DECODE"`, stageRole, PlayerReport{Epoch: 12, State: "failed", Error: "MEDIA_ERR_DECODE"}},
	} {
		do, _, _ := strings.Cut(name, "-")
		seen[do] = true
		scope := `"screening":"s-1",`
		if do == "planScreening" || do == "setClock" || do == "reportPlayer" || do == "ping" || do == "checkBox" {
			scope = ""
		}
		message := `{"id":"7f3a9c",` + scope + `"do":"` + do + `"`
		if c.fields != "" {
			message += "," + c.fields
		}
		message += "}"
		golden(t, "protocol/to/"+name+".json", []byte(message))
		written = append(written, name+".json")

		m, err := decodeMessage([]byte(message))
		if err != nil || m.ID != "7f3a9c" || m.Do != do || (m.Screening == "s-1") != (scope != "") {
			t.Errorf("%s is read as %+v, %v", message, m, err)
			continue
		}
		var got any
		switch c.want.(type) {
		case nil:
			continue // see TestKeys and TestWhoMaySendWhat
		case PlayerReport:
			got, err = decodeReport(m)
		default:
			got, err = decodeCommand(m, c.from)
		}
		if err != nil {
			t.Errorf("%s: %v", message, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", message, diff)
		}
	}
	for _, do := range slices.Concat(slices.Collect(maps.Keys(wishes)), slices.Collect(maps.Keys(wishesOfSticks))) {
		if !seen[do] {
			t.Errorf("there is no golden message of %s", do)
		}
	}
	if !t.Failed() {
		noMore(t, "protocol/to", written)
	}
}

func TestGoldenSummary(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	b := k.own().signIn()
	if r := b.get("/api/summary"); r.StatusCode != 404 {
		t.Errorf("before the first screening the summary is %s", r.Status)
	}
	if r := b.get("/api/screenings"); compact(r.body) != "[]" {
		t.Errorf("before the first screening there are %s", r.body)
	}
	k.plan()
	k.do(screening.MoveTo{Step: screening.Doors})
	for range 6 {
		k.from(screening.FromKeyboard, screening.CountAttendee{Category: "woman"})
	}
	k.from(screening.FromKeyboard, screening.UndoCount{})
	k.do(screening.CountRow{Row: "A", Counts: map[string]int{"man": 7}})
	k.do(screening.CorrectAttendance{Category: "man", Delta: -1, Reason: "terhitung dua kali"})
	poll := func(step screening.Step, choices ...string) {
		k.do(screening.MoveTo{Step: step})
		k.do(screening.OpenQuestion{Question: "age"})
		round := k.round("age").N
		for i, choice := range choices {
			k.from(screening.FromPhone, screening.CastBallot{
				Question: "age", Round: round, Choices: []string{choice}, Channel: screening.ByPhone, Voter: "voter-" + string(rune('a'+i)),
			})
		}
		k.do(screening.CloseQuestion{Question: "age"})
	}
	poll(screening.PollBefore, "a15", "a15", "a18", "a21", "a15", "a15", "a15", "a15", "a18", "a21", "a15")
	if early := b.get("/api/summary"); bytes.Contains(early.body, []byte(`"shares"`)) || bytes.Contains(early.body, []byte(`"right"`)) || bytes.Contains(early.body, []byte("RAHASIA")) {
		t.Errorf("before the film the summary tells %s", early.body)
	}
	k.do(screening.MoveTo{Step: screening.FilmStep})
	k.do(screening.PlayFilm{})
	k.from(screening.FromPlayer, screening.FinishFilm{Epoch: k.room.Latest().Playback.Epoch, At: 600_000})
	poll(screening.Discussion, "a18", "a18", "a18")
	k.do(screening.OpenQuestion{Question: "age"})
	k.from(screening.FromButtons, screening.CastBallot{Question: "age", Round: 2, Choices: []string{"a18"}, Channel: screening.ByButton})
	k.do(screening.CloseQuestion{Question: "age"})
	k.do(screening.CountHands{Question: "age", Counts: map[string]int{"a15": 2, "a18": 9}})
	k.do(screening.RevealQuestion{Question: "age"})

	going := b.get("/api/summary")
	if going.StatusCode != 200 || !bytes.Contains(going.body, []byte(`"endedAt":null`)) {
		t.Errorf("the summary of a screening that goes on: %s %s", going.Status, going.body)
	}
	k.clock.advance(90 * time.Minute)
	k.do(screening.MoveTo{Step: screening.Ended})
	fromRoom := b.get("/api/summary?screening=s-plan")
	golden(t, "summary.json", fromRoom.body)

	k.do(screening.PlanScreening{Screening: "s-second", Details: details(), Rehearsal: true, Programme: programme()})
	// The room has forgotten the first one: this is from the journal.
	if diff := cmp.Diff(string(fromRoom.body), string(b.get("/api/summary?screening=s-plan").body)); diff != "" {
		t.Errorf("the journal tells another summary than the room did (-room +journal):\n%s", diff)
	}
	golden(t, "summary-new.json", b.get("/api/summary").body)
	golden(t, "screenings.json", b.get("/api/screenings").body)
	if r := b.get("/api/summary?screening=s-unknown"); r.StatusCode != 404 {
		t.Errorf("the summary of an unknown screening is %s: %s", r.Status, r.body)
	}
	zip := b.get("/api/export.zip")
	if zip.Header.Get("Content-Type") != "application/zip" || !strings.HasPrefix(zip.Header.Get("Content-Disposition"), `attachment; filename="mimpi-kiosk-20`) || !bytes.HasPrefix(zip.body, []byte("PK")) {
		t.Errorf("the export is %v %q", zip.Header, zip.body)
	}
}

// An export that cannot begin is refused with a sentence, not by a broken connection.
func TestAnExportThatFailsIsRefused(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{exportFails: errors.New("the card does not answer")})
	r := k.own().signIn().get("/api/export.zip")
	if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Content-Disposition") != "" || !bytes.Contains(r.body, []byte(`"message"`)) {
		t.Errorf("it is answered with %s %v %q", r.Status, r.Header, r.body)
	}
}
