package web

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mimpi-kiosk/internal/screening"
)

// FuzzDecodeMessage: whatever a screen sends does not hurt, and what it decodes to can
// be given to the rules.
func FuzzDecodeMessage(f *testing.F) {
	files, err := filepath.Glob("testdata/protocol/to/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("the golden messages are not there: %v", err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	for _, odd := range []string{
		``, `null`, `{}`, `{"id":"1","do":"castBallot","question":"age","round":-1,"choices":null}`,
		`{"id":"1","do":"castBallot","question":"age","round":1,"choices":["a15","a15"],"Choices":["a18"],"VOTER":"x"}`,
		`{"id":"1","do":"countHands","question":"signs","counts":{"papers":-9223372036854775808}}`,
		`{"id":"1","do":"seekFilm","to":9223372036854775807}`, `{"id":"1","do":"correctAttendance","category":"woman","delta":-1,"reason":"\u0000\u0000\u0000"}`,
		`{"id":"1","do":"setClock","now":"9999-12-31T23:59:59Z"}`, `{"id":"1","do":"recordDisability","count":null}`,
		`{"id":"1","do":"noteEvening","went":["rain_on_roof",null,""],"away":null,"Kind":"x"}`,
		`{"id":"1","do":"planScreening","programme":{"questions":[{}]},"details":{"regency":"belu","venue":"x","audience":"public","heldAt":"2026-01-01T00:00:00Z"}}`,
		`{"id":"1","do":"reportPlayer","epoch":-1,"state":"playing","at":-5,"pausePoint":99}`,
	} {
		f.Add([]byte(odd))
	}
	signed, err := signedIn()
	if err != nil {
		f.Fatal(err)
	}
	s := &Server{keeper: openKeeper(f, signed.files), show: Show{Programme: programme(), NewID: func() string { return "s-new" }}}
	reading := screening.Reading{Boot: "boot-1", Mono: 1000, Wall: details().HeldAt}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodeMessage(data)
		if err != nil {
			return
		}
		if m.ID == "" || len(m.ID) > 64 {
			t.Fatalf("the id is %q", m.ID)
		}
		_, _ = decodeReport(m)
		for _, as := range roles {
			command, err := decodeCommand(m, as)
			if err != nil {
				continue
			}
			if _, casts := command.(screening.CastBallot); as != facilitatorRole && as != touchRole && !casts {
				t.Fatalf("%s may send %#v", as, command)
			}
			state := evening(t, reading)
			e := screening.Envelope{ID: m.ID, From: sourceOf[as], Screening: m.Screening}
			if as == voteRole {
				e.From, e.Command = screening.FromPhone, s.phoneBallot("token", m.Screening, command.(screening.CastBallot))
			} else {
				e.Command = s.complete(command)
			}
			switch c := e.Command.(type) {
			case screening.CastBallot:
				if (c.Channel == screening.ByPhone) != (as == voteRole) || (c.Voter != "") != (as == voteRole) {
					t.Fatalf("%s casts %#v", as, c)
				}
			case screening.PlanScreening:
				if c.Screening != "s-new" || len(c.Programme.Questions) != len(programme().Questions) {
					t.Fatalf("planned: %#v", c)
				}
			}
			decided, no := state.Decide(e, reading)
			if no != nil {
				if no.Message()["id"] == "" || no.Message()["en"] == "" {
					t.Fatalf("refused as %s without its sentences", no.Reason)
				}
				continue
			}
			for _, rec := range state.Record(e, reading, decided) {
				state.Apply(rec)
			}
			v := viewer{sources: &sources{}, sticks: noSticks{}, show: s.show, zone: details().HeldAt.Location(), codes: func() []Code { return nil }}
			v.stage(state)
			v.touch(state)
			v.vote(state)
			v.facilitator(state, nil, nil, state.Stamp(reading))
		}
	})
}

// evening is a state in which most commands have something to do.
func evening(t testing.TB, reading screening.Reading) *screening.State {
	t.Helper()
	state := screening.NewState()
	for i, c := range []screening.Command{
		screening.StartKiosk{Kiosk: "kiosk-1"},
		screening.PlanScreening{Screening: "s-1", Details: details(), Programme: programme()},
		screening.MoveTo{Step: screening.Doors},
		screening.CountAttendee{Category: "woman"},
		screening.MoveTo{Step: screening.FilmStep},
		screening.OpenDoors{},
		screening.PlayFilm{},
		screening.OpenQuestion{Question: "age"},
	} {
		e := screening.Envelope{ID: "evening-" + string(rune('a'+i)), From: screening.FromFacilitator, Command: c}
		decided, no := state.Decide(e, reading)
		if no != nil {
			t.Fatalf("%#v: %v", c, no)
		}
		for _, rec := range state.Record(e, reading, decided) {
			state.Apply(rec)
		}
	}
	return state
}

// FuzzVoteForm: whatever is posted, the answer is one of a few, and one phone is one
// ballot.
func FuzzVoteForm(f *testing.F) {
	for _, body := range []string{
		"screening=s-plan&question=age&round=1&choice=a15", "screening=s-plan&question=age&round=1&skip=1", "",
		"question=age&round=1&choice=a18", "question=age&round=1&choice=a18&choice=a15", "screening=s-plan&question=signs&round=1&choice=papers",
		"screening=s-other&question=age&round=1&choice=a15", "screening=s-plan&question=age&round=-1&choice=a15",
		"question=age&round=99999999999999999999&choice=a15", "question=%00&round=1&choice=%ff%fe", "round=1;choice=a15", "%zz",
		"screening=s-plan&question=age&round=1&choice=%3Cscript%3E",
	} {
		f.Add(body)
	}
	k := newKiosk(f, setup{still: true})
	k.ask("age", screening.PollBefore)
	handler := k.server.Handler(f.Context())
	page := httptest.NewRecorder()
	open := httptest.NewRequest("GET", "http://"+host+"/vote", nil)
	handler.ServeHTTP(page, open)
	cookies := page.Result().Cookies()
	if page.Code != http.StatusOK || len(cookies) != 1 {
		f.Fatalf("/vote gives %d and %d cookies", page.Code, len(cookies))
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "http://"+host+"/vote", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(cookies[0])
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		switch w.Code {
		case http.StatusSeeOther, http.StatusBadRequest:
		case http.StatusOK, http.StatusConflict:
			if page := w.Body.String(); !strings.Contains(page, "Pertanyaan age?") || strings.Contains(page, "<script") {
				t.Errorf("%q gives the page %s", body, page)
			}
		default:
			t.Errorf("%q gives %d: %s", body, w.Code, w.Body)
		}
		if round := k.room.Latest().Question("age").Rounds[0]; round.Ballots > 1 {
			t.Errorf("after %q the one phone has %d ballots", body, round.Ballots)
		}
	})
}
