package screening_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	. "mimpi-kiosk/internal/screening"
)

var update = flag.Bool("update", false, "write the golden files anew")

// goldenEvents is every kind of event with every field set, and the shapes beside
// that which a field may have.
func goldenEvents() []Event {
	p := programme()
	p.Questions[3].Source, p.Questions[3].Check = "IOM 2024", Text{"id": "Periksa dulu."}
	p.Film.Credit, p.Film.Missing = "Sutradara", true
	return []Event{
		KioskStarted{"kiosk-7", "1.2.3"},
		ClockSet{Was: time.Unix(61, 0).UTC(), Now: eve, Offset: 1_795_516_139_000},
		ScreeningPlanned{"scr-1", "kiosk-7", details(), true, p, 280},
		DetailsEdited{edited(func(d *Details) { d.Label = "RT 3 <malam>" })},
		StepChanged{Discussion, Ended},
		DoorsOpened{},
		DoorsClosed{},
		AttendeeCounted{Category: "woman"},
		AttendeeCounted{"woman", 61_234},
		CountUndone{41, "woman"},
		AttendanceCorrected{"man", -3, "dihitung dua kali"},
		PressesLost{Presses: 3, Category: "woman", Why: Overrun},
		PressesLost{2, "", true, "offer", QueueFull, 0},
		PressesLost{Why: Unheard, Unheard: 3200},
		PressesSuspected{2, "girl", true, "offer", []string{"gpio-1", "gpio-2"}},
		DoubtSettled{Of: 41},
		DoubtSettled{41, -2},
		RowCounted{"kiri 3", map[string]int{"woman": 12, "boy": 0}},
		DisabilityRecorded{number(4)},
		DisabilityRecorded{nil},
		QuestionOpened{"offer", 2, true},
		QuestionClosed{"offer", 2},
		ResultsShown{"offer", 2},
		QuestionRevealed{"offer", 2},
		QuestionDismissed{"offer"},
		BallotCast{"signs", 1, []string{"debt", "ticket"}, ByPhone, "v-1", 77},
		BallotCast{Question: "signs", Round: 1, Choices: []string{}, Channel: ByTouch},
		HandsCounted{"offer", 1, map[string]int{"police": 31, "agent": 4}},
		RunningTotalsShown{true},
		StageSet{PageGuidebook, true, "aoz", false},
		FilmPlayed{1000},
		FilmPaused{60_010, number(0)},
		FilmPaused{At: 60_010},
		FilmSought{60_010, 30_000},
		FilmPositionNoted{35_000, 600_000},
		FilmFinished{600_000},
		VolumeSet{55},
		SubtitlesSet{"en"},
		PausePointsUsed{false},
		SoundLagSet{-120},
		FilmShown{MPVPlayer, "h264, v4l2m2m-copy", 312_000, 4, 1, 9, 1},
		FilmShown{Player: BrowserPlayer, Played: 61_000},
		FilmPlayerChosen{BrowserPlayer, "mpv could not be started"},
		ExportWritten{"9c2f1a6b", 12, 3, 2, "0c5f"},
		StageSet{PageAuto, true, "id", true},
		QuestionReadAloud{"age"},
		EveningNoted{[]string{"split_by_language", "rain_on_roof"}, []string{"women"}, []string{"field_work"}},
		EveningNoted{[]string{}, []string{}, []string{}},
		PhonesAllowed{true},
	}
}

type goldenEvent struct {
	Kind  string          `json:"kind"`
	Event json.RawMessage `json:"event"`
}

const goldenFile = "testdata/events.golden.json"

func readGolden(t testing.TB) []goldenEvent {
	t.Helper()
	data, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	var out []goldenEvent
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("%s: %v", goldenFile, err)
	}
	return out
}

// The file is what the disks of old kiosks hold: a change to a line of it, other
// than a field that was added, makes their journals unreadable.
func TestGoldenEvents(t *testing.T) {
	events := goldenEvents()
	var lines []goldenEvent
	for _, e := range events {
		data, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, goldenEvent{e.Kind(), data})
	}
	got, err := json.MarshalIndent(lines, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.MkdirAll(filepath.Dir(goldenFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(goldenFile, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s (-want +got); write it anew with -update if old journals can still be read:\n%s",
			goldenFile, cmp.Diff(string(want), string(got)))
	}
	for i, line := range readGolden(t) {
		e, err := DecodeEvent(line.Kind, line.Event)
		if err != nil {
			t.Errorf("line %d: %v", i, err)
			continue
		}
		if d := cmp.Diff(events[i], e); d != "" {
			t.Errorf("line %d, %s (-want +got):\n%s", i, line.Kind, d)
		}
	}
}

func TestEveryEventIsDecodedAndGolden(t *testing.T) {
	golden := map[string]bool{}
	for _, line := range readGolden(t) {
		golden[line.Kind] = true
	}
	for _, name := range structs(t, "event.go", "Kind") {
		e, err := DecodeEvent(name, []byte("{}"))
		if err != nil {
			t.Errorf("%s has no decoder: %v", name, err)
			continue
		}
		if e.Kind() != name {
			t.Errorf("the decoder of %s gives a %s", name, e.Kind())
		}
		if !golden[name] {
			t.Errorf("%s is not in %s", name, goldenFile)
		}
	}
}

func TestDecodeEventSaysWhatIsWrong(t *testing.T) {
	_, err := DecodeEvent("AttendeeTeleported", []byte("{}"))
	var unknown UnknownEvent
	if !errors.As(err, &unknown) || unknown.KindName != "AttendeeTeleported" || !strings.Contains(err.Error(), "newer mimpi-kiosk") {
		t.Fatalf("%v", err)
	}
	for _, data := range []string{"", "{", `{"category":7}`, `[]`, `{} x`} {
		e, err := DecodeEvent("AttendeeCounted", []byte(data))
		if err == nil || e != nil || !strings.Contains(err.Error(), "AttendeeCounted") {
			t.Errorf("%q: event %v, error %v", data, e, err)
		}
	}
	// A field that a newer version added is no reason to stop.
	if _, err := DecodeEvent("AttendeeCounted", []byte(`{"category":"man","hat":true}`)); err != nil {
		t.Error(err)
	}
}

// FuzzDecodeEvent: whatever stands in a journal, the decoder does not panic, what it
// takes it writes as it read it, and the state survives it.
func FuzzDecodeEvent(f *testing.F) {
	for _, line := range readGolden(f) {
		f.Add(line.Kind, []byte(line.Event))
	}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		e, err := DecodeEvent(kind, data)
		if err != nil {
			if e != nil {
				t.Fatalf("both an event %v and an error: %v", e, err)
			}
			return
		}
		if e.Kind() != kind {
			t.Fatalf("a %s was read as a %s", kind, e.Kind())
		}
		written, err := json.Marshal(e)
		if err != nil {
			t.Fatalf("%+v was read and cannot be written: %v", e, err)
		}
		again, err := DecodeEvent(kind, written)
		if err != nil {
			t.Fatalf("%s was written and cannot be read: %v", written, err)
		}
		if d := cmp.Diff(e, again, cmpopts.EquateEmpty()); d != "" {
			t.Fatalf("%s (-read +read again):\n%s", kind, d)
		}
		v := newEvening(t).run(offered...)
		v.run(from{FromPhone, phone("offer", 1, "p1", "agent")}, CountHands{"offer", map[string]int{"police": 2}})
		for _, v := range []*evening{v, newEvening(t).run(playing...)} {
			v.s.Apply(Recorded{Seq: v.s.Seq + 1, Stamp: v.s.Last, Screening: "scr-1", Event: e})
			_, _ = v.s.Copy(), v.s.Next()
		}
	})
}

func TestChannelsAndStepsAreListed(t *testing.T) {
	for _, c := range []Channel{ByTouch, ByPhone, ByButton, ByHands} {
		if !slices.Contains(Channels, c) {
			t.Errorf("%s is not among the channels", c)
		}
	}
	if !slices.Equal(Steps, []Step{SetUp, Doors, PollBefore, FilmStep, Discussion, Closing, Ended}) {
		t.Errorf("steps %v", Steps)
	}
}
