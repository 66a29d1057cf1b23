package web

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"mimpi-kiosk/internal/screening"
)

func TestVoteByPhone(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.ask("age", screening.PollBefore)
	v := k.voter(1)
	first := v.until(func(p packet) bool { return p.View.Question != nil })
	if first.Mine != nil || first.View.Scene != "question" {
		t.Fatalf("the first view of a phone is %s", first.raw)
	}

	done := v.must("castBallot", ballot("age", 1, "a15"))
	if done.Mine == nil || !slices.Equal(done.Mine.Choices, []string{"a15"}) || done.Mine.Round != 1 {
		t.Errorf("done says %s, want the ballot that counts", done.raw)
	}
	if r := k.round("age"); !slices.Equal(r.Counts, []int{1, 0, 0}) || r.ByChannel[screening.ByPhone] != 1 {
		t.Errorf("the round is %+v after done: it must be on the disk by then", r)
	}
	v.must("castBallot", ballot("age", 1, "a18"))
	if r := k.round("age"); !slices.Equal(r.Counts, []int{0, 1, 0}) || r.Ballots != 1 {
		t.Errorf("after a change of mind the round is %+v", r)
	}

	// The page is loaded again: the same cookie, a new socket.
	again := v.b.socket(voteRole)
	if p := again.until(func(p packet) bool { return p.View.Question != nil }); p.Mine == nil || !slices.Equal(p.Mine.Choices, []string{"a18"}) {
		t.Errorf("after a refresh the first message is %s, want mine in it", p.raw)
	}
	if p := again.must("castBallot", ballot("age", 1)); p.Mine == nil || len(p.Mine.Choices) != 0 {
		t.Errorf("a skip is answered by %s", p.raw)
	}
	if r := k.round("age"); r.Ballots != 1 || r.Skipped != 1 {
		t.Errorf("after a skip the round is %+v", r)
	}

	other := k.voter(2)
	if p := other.until(func(p packet) bool { return p.View.Question != nil }); p.Mine != nil {
		t.Errorf("another phone is told %s", p.raw)
	}
	other.must("castBallot", ballot("age", 1, "a21"))
	if r := k.round("age"); r.Ballots != 2 {
		t.Errorf("two phones make %+v", r)
	}
}

func TestMineGoesWithItsRound(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.ask("age", screening.PollBefore)
	v := k.voter(1)
	v.must("castBallot", ballot("age", 1, "a15"))
	k.do(screening.CloseQuestion{Question: "age"})
	p := v.until(func(p packet) bool { return p.View.Question != nil && p.View.Question.Phase == screening.Closed })
	if p.Mine == nil || p.Mine.Round != 1 {
		t.Errorf("in the closed question the phone is told %s", p.raw)
	}
	k.do(screening.MoveTo{Step: screening.Discussion})
	k.do(screening.OpenQuestion{Question: "age"})
	p = v.until(func(p packet) bool { return p.View.Question != nil && p.View.Question.Round == 2 })
	if p.Mine != nil {
		t.Errorf("in a new round the phone is told %s", p.raw)
	}
	v.refused("castBallot", ballot("age", 1, "a15"), "old_round")
	if p := v.must("castBallot", ballot("age", 2, "a21")); p.Mine == nil || p.Mine.Round != 2 {
		t.Errorf("the ballot of round 2 is answered by %s", p.raw)
	}
	if rounds := k.room.Latest().Question("age").Rounds; rounds[0].Counts[0] != 1 || rounds[1].Counts[2] != 1 {
		t.Errorf("the rounds are %+v", rounds)
	}
}

func TestResentCommandCountsOnce(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.plan()
	k.do(screening.MoveTo{Step: screening.Doors})
	touch := k.own().socket(touchRole)
	press := map[string]any{"id": "same", "category": "woman"}
	for range 3 {
		touch.must("countAttendee", press)
	}
	if n := k.room.Latest().Attendance.Total(); n != 1 {
		t.Errorf("one press sent three times counts %d", n)
	}
	// The line broke after the commit: the page sends it once more on a new one.
	touch.ws.Close()
	k.own().socket(touchRole).must("countAttendee", press)
	if n := k.room.Latest().Attendance.Total(); n != 1 {
		t.Errorf("sent again on a new line it counts %d", n)
	}

	k.do(screening.MoveTo{Step: screening.PollBefore})
	k.do(screening.OpenQuestion{Question: "age"})
	v := k.voter(1)
	cast := ballot("age", 1, "a15")
	cast["id"] = "ballot"
	v.must("castBallot", cast)
	v.must("castBallot", ballot("age", 1, "a18"))
	v.must("castBallot", cast) // late: the phone has changed its mind since
	if r := k.round("age"); !slices.Equal(r.Counts, []int{0, 1, 0}) {
		t.Errorf("a ballot that came twice undid a later one: %+v", r)
	}
	// A refused command is refused again, and is free to work later.
	k.do(screening.CloseQuestion{Question: "age"})
	late := ballot("age", 1, "a21")
	late["id"] = "late"
	v.refused("castBallot", late, "question_not_open")
	v.refused("castBallot", late, "question_not_open")
	k.do(screening.OpenQuestion{Question: "age"})
	v.must("castBallot", late)
	if r := k.round("age"); !slices.Equal(r.Counts, []int{0, 0, 1}) {
		t.Errorf("the round is %+v", r)
	}
}

func TestBallotForAnotherScreening(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.ask("age", screening.PollBefore)
	v := k.voter(1)
	cast := ballot("age", 1, "a15")
	cast["screening"] = "s-of-yesterday"
	v.refused("castBallot", cast, "wrong_screening")
	// Without one, a phone would be a second voter.
	v.must("castBallot", ballot("age", 1, "a18"))
	cast["screening"] = ""
	v.refused("castBallot", cast, "not_for_this_screen")
	v.write(map[string]any{"id": "bare", "do": "castBallot", "question": "age", "round": 1, "choices": []string{"a15"}})
	if p := v.answer("bare"); p.Reason != "not_for_this_screen" {
		t.Errorf("a ballot for no screening is answered by %s", p.raw)
	}
	if r := k.round("age"); r.Ballots != 1 || r.Counts[1] != 1 {
		t.Errorf("one phone makes %+v", r)
	}
}

// The touch screen takes one person after another; a phone's id means nothing there.
func TestVoteOnTheTouchScreen(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.ask("signs", screening.FilmStep)
	touch := k.own().socket(touchRole)
	touch.must("castBallot", ballot("signs", 1, "papers", "debt"))
	touch.refused("castBallot", ballot("signs", 1, "papers"), "too_soon")
	k.clock.advance(2 * time.Second)
	touch.must("castBallot", ballot("signs", 1, "papers"))
	touch.refused("castBallot", ballot("signs", 1, "nothing"), "unknown_option")
	r := k.round("signs")
	if !slices.Equal(r.Counts, []int{2, 1, 0}) || r.Ballots != 2 || r.ByChannel[screening.ByTouch] != 2 {
		t.Errorf("the round is %+v", r)
	}
}

func TestKioskFillsInWhatScreensMayNotSay(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	f := k.own().signIn().socket(facilitatorRole)
	f.refused("planScreening", map[string]any{"details": details(), "screening": "s-of-my-own"}, "wrong_screening")
	f.must("planScreening", map[string]any{
		"details": details(), "rehearsal": true,
		"programme": screening.Programme{Pack: "forged", Regencies: programme().Regencies},
	})
	s := k.room.Latest().Screening
	if s == nil || s.ID != "s-2" || s.Programme.Pack != "test" || !s.Rehearsal || s.Details.Venue != details().Venue {
		t.Fatalf("planned as %+v", s)
	}
	f.must("moveTo", map[string]any{"step": "poll_before"})
	f.must("openQuestion", map[string]any{"question": "age"})
	for n := range 2 {
		forged := ballot("age", 1, "a15")
		forged["voter"], forged["Voter"], forged["VOTER"] = "the same", "the same", "the same"
		forged["channel"], forged["Channel"], forged["from"] = "touch", "hands", "facilitator"
		k.voter(1+n).must("castBallot", forged)
	}
	forged := ballot("age", 1, "a18")
	forged["channel"], forged["voter"] = "phone", "the same"
	k.own().socket(touchRole).must("castBallot", forged)
	r := k.round("age")
	if r.ByChannel[screening.ByPhone] != 2 || r.ByChannel[screening.ByTouch] != 1 || r.ByChannel[screening.ByHands] != 0 {
		t.Errorf("two phones and the touch screen, all with forged fields, make %+v", r)
	}
	// What is in the journal of a voter is not the phone's token.
	for rec, err := range k.journal.Events(t.Context(), "s-2") {
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := rec.Event.(screening.BallotCast); ok && b.Channel == screening.ByPhone && len(b.Voter) != 24 {
			t.Errorf("the journal knows a voter as %q", b.Voter)
		}
	}
}

func TestVoteNeedsThePage(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	b := k.phone(1)
	if _, answer, err := b.upgrade(voteRole, nil); err == nil || answer == nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("a socket without a token: %v", err)
	}
	b.get("/vote")
	b.socket(voteRole).read()
	// A cookie that we did not sign is none.
	forged := k.phone(2)
	forged.http.Jar.SetCookies(forged.base, []*http.Cookie{{Name: "mimpi_voter", Value: "00112233445566778899aabbccddeeff"}})
	if _, answer, err := forged.upgrade(voteRole, nil); err == nil || answer == nil || answer.StatusCode != http.StatusForbidden {
		t.Errorf("a socket with a forged token: %v", err)
	}
}
