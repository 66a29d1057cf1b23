package playback

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestCommandOf(t *testing.T) {
	const duration = 600_000
	playing := screening.Playback{Epoch: 7, Playing: true, At: 60_000, Duration: duration, UsePausePoints: true}
	halted := playing
	halted.Playing = false
	unmeasured := playing
	unmeasured.Duration = 0
	note := func(at, d screening.Millis) screening.Command {
		return screening.NotePosition{Epoch: 7, At: at, Duration: d}
	}
	point := 1
	for name, c := range map[string]struct {
		wanted screening.Playback
		report Report
		want   screening.Command
	}{
		"plays on, not far yet":        {playing, Report{Epoch: 7, State: Playing, At: 62_999, Duration: duration}, nil},
		"plays on":                     {playing, Report{Epoch: 7, State: Playing, At: 63_000, Duration: duration}, note(63_000, duration)},
		"is behind":                    {playing, Report{Epoch: 7, State: Playing, At: 57_000, Duration: duration}, note(57_000, duration)},
		"does not know the length":     {playing, Report{Epoch: 7, State: Playing, At: 64_000}, note(64_000, duration)},
		"of an old epoch":              {playing, Report{Epoch: 6, State: Playing, At: 99_000, Duration: duration}, nil},
		"of an old epoch, at its end":  {playing, Report{Epoch: 6, State: Finish, At: duration, Duration: duration}, nil},
		"of an old epoch, at a point":  {playing, Report{Epoch: 6, State: Paused, At: 60_000, Duration: duration, PausePoint: &point}, nil},
		"waits for data":               {playing, Report{Epoch: 7, State: Loading, At: 70_000, Duration: duration}, nil},
		"may not play":                 {playing, Report{Epoch: 7, State: Blocked, Duration: duration}, nil},
		"cannot play":                  {playing, Report{Epoch: 7, State: Failed, Error: "decode"}, nil},
		"has just been told to play":   {playing, Report{Epoch: 7, State: Paused, At: 0, Duration: duration}, nil},
		"halted where it should":       {halted, Report{Epoch: 7, State: Paused, At: 60_000, Duration: duration}, nil},
		"halted a little later":        {halted, Report{Epoch: 7, State: Paused, At: 60_400, Duration: duration}, note(60_400, duration)},
		"has just been told to halt":   {halted, Report{Epoch: 7, State: Playing, At: 66_000, Duration: duration}, nil},
		"came to a pause point":        {playing, Report{Epoch: 7, State: Paused, At: 120_000, Duration: duration, PausePoint: &point}, screening.ReachPausePoint{Epoch: 7, N: 1, At: 120_000}},
		"came to the end":              {playing, Report{Epoch: 7, State: Finish, At: duration, Duration: duration}, screening.FinishFilm{Epoch: 7, At: duration}},
		"still at the end":             {halted, Report{Epoch: 7, State: Finish, At: duration, Duration: duration}, nil},
		"has read the length":          {unmeasured, Report{Epoch: 7, State: Ready, At: 0, Duration: duration}, note(60_000, duration)},
		"has read it while it plays":   {unmeasured, Report{Epoch: 7, State: Playing, At: 61_000, Duration: duration}, note(60_000, duration)},
		"says nothing of the length":   {unmeasured, Report{Epoch: 7, State: Ready}, nil},
		"says nonsense of the length":  {playing, Report{Epoch: 7, State: Ready, Duration: -1}, nil},
		"is another file":              {playing, Report{Epoch: 7, State: Ready, Duration: 500_000}, note(60_000, 500_000)},
		"is ready, at its beginning":   {halted, Report{Epoch: 7, State: Ready, At: 0, Duration: duration}, nil},
		"says what we do not know":     {playing, Report{Epoch: 7, State: "dreaming", At: 99_000, Duration: duration}, nil},
		"is loading after a power cut": {halted, Report{Epoch: 7, State: Loading, At: 0}, nil},
	} {
		if diff := cmp.Diff(c.want, c.report.command(c.wanted)); diff != "" {
			t.Errorf("the player %s (-want +got):\n%s", name, diff)
		}
	}
}

func TestHealthOf(t *testing.T) {
	for state, want := range map[PlayerState]health.Level{
		Loading: health.OK, Ready: health.OK, Playing: health.OK, Paused: health.OK, Finish: health.OK,
		Blocked: health.Problem, Failed: health.Problem,
	} {
		part := Report{State: state, Error: "MEDIA_ERR_DECODE"}.stageHealth()
		if part.Part != "stage_player" || part.Level != want || part.Message["id"] == "" || part.Message["en"] == "" {
			t.Errorf("%s is %+v, want %s", state, part, want)
		}
		if (want == health.Problem) != (part.Hint["id"] != "" && part.Hint["en"] != "") {
			t.Errorf("%s has the hint %v: a problem, and only that, has one in both languages", state, part.Hint)
		}
	}
}

type clock struct{}

func (clock) Read() screening.Reading {
	return screening.Reading{Wall: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC), Boot: "boot-1", Mono: 1000}
}

// hall is a Room on a real journal with its follower.
type hall struct {
	t        *testing.T
	room     *screening.Room
	follower *Follower
	board    *health.Board
	commands int
}

func newHall(t *testing.T) *hall {
	journal, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	h := &hall{t: t, room: screening.NewRoom(journal, clock{}), board: &health.Board{}}
	ids := 0
	newID := func() string { ids++; return fmt.Sprint("player-", ids) } // Run's goroutine alone calls it
	h.follower = New(h.room, h.board, newID, func(err error) { t.Errorf("the follower says: %v", err) }, nil)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := h.room.Run(ctx, screening.Envelope{ID: "start", From: screening.FromKiosk, Command: screening.StartKiosk{Kiosk: "k"}}); err != nil {
			t.Errorf("the room: %v", err)
		}
	})
	running.Go(func() {
		if err := h.follower.Run(ctx); err != nil {
			t.Errorf("the follower: %v", err)
		}
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := journal.Close(); err != nil {
			t.Error(err)
		}
	})
	h.do(screening.PlanScreening{
		Screening: "s-1",
		Details:   screening.Details{Regency: "belu", Venue: "Balai", Audience: screening.Public, HeldAt: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)},
		Programme: screening.Programme{
			Regencies: []screening.Regency{{ID: "belu", Name: "Belu"}},
			Film:      screening.Film{ID: "film", Title: screening.Text{"id": "Film"}, PausePoints: []screening.PausePoint{{At: 60_000}}},
		},
	})
	h.do(screening.MoveTo{Step: screening.FilmStep})
	return h
}

func (h *hall) do(c screening.Command) {
	h.t.Helper()
	h.commands++
	if err := h.room.Do(h.t.Context(), screening.Envelope{ID: fmt.Sprint("facilitator-", h.commands), From: screening.FromFacilitator, Command: c}); err != nil {
		h.t.Fatalf("%#v: %v", c, err)
	}
}

// report hands a report over and waits until it is dealt with.
func (h *hall) report(r Report) screening.Playback {
	h.t.Helper()
	h.follower.Report(h.t.Context(), r)
	// The follower is one goroutine and takes reports in order: when it takes this one, which
	// changes nothing but the board, it is through with the other.
	h.follower.Report(h.t.Context(), Report{Epoch: -1, State: Failed, Error: "sync"})
	h.until("the report is dealt with", func() bool {
		parts := h.board.Parts()
		return len(parts) == 1 && parts[0].Level == health.Problem
	})
	h.follower.Report(h.t.Context(), Report{Epoch: -1, State: Ready})
	h.until("the board is as before", func() bool { return h.board.Parts()[0].Level == health.OK })
	return h.room.Latest().Playback
}

func (h *hall) until(what string, so func() bool) {
	h.t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("still not so: %s", what)
		}
	}
}

// The power may fail at any second: then the film goes on at most 5 s before where it
// was, and the journal does not get an event for each report.
func TestPositionIsNoted(t *testing.T) {
	h := newHall(t)
	h.do(screening.PlayFilm{})
	epoch := h.room.Latest().Playback.Epoch
	before := h.room.Latest().Seq
	const seconds = 60
	for second := range seconds {
		at := screening.Millis(1000*second + 137*(second%3)) // a player is not a clock
		p := h.report(Report{Epoch: epoch, State: Playing, At: at, Duration: 600_000})
		if p.At > at || at-p.At > 5000-1000 { // the next report is a second away
			t.Errorf("when the film is at %d ms, %d is noted", at, p.At)
		}
		if p.Duration != 600_000 {
			t.Errorf("the length is noted as %d", p.Duration)
		}
	}
	if events := h.room.Latest().Seq - before; events < seconds/5 || events > seconds/3+2 {
		t.Errorf("%d events for %d seconds of film", events, seconds)
	}
}

func TestPausePointAndEnd(t *testing.T) {
	h := newHall(t)
	h.do(screening.PlayFilm{})
	epoch := h.room.Latest().Playback.Epoch
	zero := 0
	p := h.report(Report{Epoch: epoch, State: Paused, At: 60_010, Duration: 600_000, PausePoint: &zero})
	if p.Playing || p.HaltedAt == nil || *p.HaltedAt != 0 || p.At != 60_010 {
		t.Fatalf("at the pause point the film is %+v", p)
	}
	p = h.report(Report{Epoch: epoch, State: Paused, At: 60_010, Duration: 600_000, PausePoint: &zero}) // told twice
	if p.Playing || p.HaltedAt == nil || p.At != 60_010 {
		t.Errorf("told twice of it the film is %+v", p)
	}
	h.do(screening.PlayFilm{})
	h.do(screening.PauseFilm{})
	if p = h.report(Report{Epoch: epoch, State: Paused, At: 61_500, Duration: 600_000}); p.At != 61_500 || p.Epoch != epoch {
		t.Errorf("halted by the facilitator the film is %+v", p)
	}
	// After a jump what the player says of the time before it is nothing.
	h.do(screening.SeekFilm{To: 300_000})
	h.do(screening.PlayFilm{})
	if p = h.report(Report{Epoch: epoch, State: Playing, At: 70_000, Duration: 600_000}); p.At != 300_000 || p.Epoch == epoch {
		t.Errorf("after a jump the film is %+v", p)
	}
	epoch = p.Epoch
	if p = h.report(Report{Epoch: epoch, State: Finish, At: 600_000, Duration: 600_000}); p.Playing || !p.Finished {
		t.Errorf("at its end the film is %+v", p)
	}
	// Once more, from the beginning.
	h.do(screening.PlayFilm{})
	if p = h.room.Latest().Playback; p.At != 0 || p.Epoch == epoch || p.Finished {
		t.Errorf("played again the film is %+v", p)
	}
}

// deaf is a Room that saves nothing.
type deaf struct{ err error }

func (d deaf) Do(context.Context, screening.Envelope) error { return d.err }
func (deaf) Follow() (<-chan struct{}, func())              { return nil, func() {} }
func (deaf) Latest() *screening.State {
	return &screening.State{Screening: &screening.Screening{ID: "s-1"}, Playback: screening.Playback{Playing: true}}
}

// empty is a Room without a screening that nobody may ask for anything.
type empty struct{ t *testing.T }

func (e empty) Do(_ context.Context, envelope screening.Envelope) error {
	e.t.Errorf("it sent %#v", envelope.Command)
	return nil
}
func (empty) Follow() (<-chan struct{}, func()) { return nil, func() {} }
func (empty) Latest() *screening.State          { return screening.NewState() }

func TestFollowerRecordsNothingBeforeAScreening(t *testing.T) {
	board := &health.Board{}
	f := New(empty{t}, board, func() string { return "id" }, func(err error) { t.Error(err) }, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	f.Report(ctx, Report{State: Ready, Duration: 30_000})
	f.Report(ctx, Report{State: Failed, Duration: 30_000, Error: "broken"})
	for board.Parts() == nil || board.Parts()[0].Level != health.Problem { // its health is told all the same
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
}

func TestFollowerSaysWhatWasNotSaved(t *testing.T) {
	full := errors.New("the disk is full")
	said := make(chan error, 1)
	f := New(deaf{full}, &health.Board{}, func() string { return "id" }, func(err error) { said <- err }, nil)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- f.Run(ctx) }()
	f.Report(ctx, Report{State: Playing, At: 10_000})
	if err := <-said; !errors.Is(err, full) {
		t.Errorf("it says %v", err)
	}
	f.Report(ctx, Report{State: Playing, At: 20_000}) // and goes on
	<-said
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("it ended with %v", err)
	}
	// Nobody takes reports any more: who hands one over is not held for ever.
	gone, give := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer give()
	for range 100 {
		f.Report(gone, Report{})
	}
}
