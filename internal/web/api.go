package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"
	"runtime"
	"time"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/web/signin"
)

// signInState says whether there is a PIN and who is asking.
func (s *Server) signInState(w http.ResponseWriter, r *http.Request) {
	client := signin.ClientOf(r)
	set := s.keeper.PINSet()
	s.writeJSON(w, http.StatusOK, map[string]any{
		"pinSet":        set,
		"signedIn":      s.keeper.SignedIn(r),
		"maySetPin":     !set && client.Own,
		"lockedSeconds": int(math.Ceil(s.keeper.LockedFor(client).Seconds())),
	})
}

func (s *Server) signIn(w http.ResponseWriter, r *http.Request) {
	var ask struct{ PIN string }
	if !s.readJSON(w, r, &ask) {
		return
	}
	pass, err := s.keeper.Verify(signin.ClientOf(r), ask.PIN)
	s.begin(w, r, pass, err)
}

func (s *Server) setPIN(w http.ResponseWriter, r *http.Request) {
	var ask struct{ PIN, Old string }
	if !s.readJSON(w, r, &ask) {
		return
	}
	pass, err := s.keeper.SetPIN(signin.ClientOf(r), ask.Old, ask.PIN)
	if err == nil {
		s.board.Set(PINHealth(true))
	}
	s.begin(w, r, pass, err)
}

// begin starts a session, or says why not.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, pass signin.Pass, err error) {
	if err == nil {
		err = s.keeper.Start(w, r, pass)
	}
	if err != nil {
		s.writeRefusal(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) signOut(w http.ResponseWriter, _ *http.Request) {
	s.keeper.End(w)
	w.WriteHeader(http.StatusNoContent)
}

// readJSON reads a small body; it answers itself when it cannot.
func (s *Server) readJSON(w http.ResponseWriter, r *http.Request, into any) bool {
	hurry(w)
	body := http.MaxBytesReader(w, r.Body, int64(s.limits.MessageBytes))
	if err := json.NewDecoder(body).Decode(into); err != nil {
		http.Error(w, "the request is not the JSON that is asked for", http.StatusBadRequest)
		return false
	}
	return true
}

// writeRefusal answers an HTTP request that is refused.
func (s *Server) writeRefusal(w http.ResponseWriter, err error) {
	var no *signin.Refusal
	if !errors.As(err, &no) {
		s.writeJSON(w, http.StatusServiceUnavailable, s.refusalOf(err))
		return
	}
	status := http.StatusUnauthorized
	if no.Seconds() > 0 {
		status = http.StatusTooManyRequests
	}
	s.writeJSON(w, status, &refusal{Reason: string(no.Reason), Message: no.Message(), LockedSeconds: no.Seconds()})
}

// signedIn lets only the facilitator in.
func (s *Server) signedIn(next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.keeper.SignedIn(r) {
			s.writeJSON(w, http.StatusUnauthorized, errSignedOut)
			return
		}
		next(w, r)
	})
}

// past is a line of the list of screenings.
type past struct {
	ID        string    `json:"id"`
	HeldAt    time.Time `json:"heldAt"`
	Venue     string    `json:"venue"`
	Regency   string    `json:"regency"`
	Rehearsal bool      `json:"rehearsal"`
	Total     int       `json:"total"`
	Ended     bool      `json:"ended"`
}

// listed is how many screenings the list holds; the export has all of them.
const listed = 30

func (s *Server) serveScreenings(w http.ResponseWriter, r *http.Request) {
	ids, err := s.archive.ScreeningIDs(r.Context())
	if err != nil {
		s.writeRefusal(w, fmt.Errorf("list the screenings: %w", err))
		return
	}
	list := []past{}
	for _, id := range ids[:min(len(ids), listed)] {
		state, err := s.stateOf(r.Context(), id)
		if err != nil {
			s.writeRefusal(w, fmt.Errorf("read screening %s: %w", id, err))
			return
		}
		d := state.Screening.Details
		list = append(list, past{
			ID: id, HeldAt: d.HeldAt.In(s.zone), Venue: d.Venue, Regency: state.Screening.Regency().Name,
			Rehearsal: state.Screening.Rehearsal, Total: state.Attendance.Total(), Ended: state.Step == screening.Ended,
		})
	}
	s.writeJSON(w, http.StatusOK, list)
}

// stateOf gives the state of a screening: the current one from the Room, others from
// the journal.
func (s *Server) stateOf(ctx context.Context, id string) (*screening.State, error) {
	if state := s.room.Latest(); state.Screening != nil && state.Screening.ID == id {
		return state, nil
	}
	return s.archive.State(ctx, id)
}

// summary is what a coordinator wants to see of one screening.
type summary struct {
	Screening  endedScreening    `json:"screening"`
	Attendance attendanceView    `json:"attendance"`
	Shown      []shownGroup      `json:"shown"`  // attendance, small groups merged
	Fewest     int               `json:"fewest"` // people in a group of which a number may be shown
	Questions  []questionSummary `json:"questions"`
	Film       filmSummary       `json:"film"`
	Note       []screening.Noted `json:"note"` // how it went
}

type endedScreening struct {
	screeningInfo
	StartedAt time.Time  `json:"startedAt"`
	EndedAt   *time.Time `json:"endedAt"`
}

// shownGroup is people as they may be shown: of one category, or of several merged.
type shownGroup struct {
	Labels []screening.Text `json:"labels"`
	Total  int              `json:"total"`
}

type questionSummary struct {
	ID          string                 `json:"id"`
	Kind        screening.QuestionKind `json:"kind"`
	Text        screening.Text         `json:"text"`
	Options     []screening.Option     `json:"options"`
	Explanation screening.Text         `json:"explanation,omitempty"`
	Rounds      []roundView            `json:"rounds"`

	// AnswerShownEarly says that the question has no figures before and after the film,
	// because its right answer was shown before the film had ended.
	AnswerShownEarly bool `json:"answerShownEarly,omitempty"`
}

type filmSummary struct {
	Title    screening.Text   `json:"title"`
	Finished bool             `json:"finished"`
	At       screening.Millis `json:"at"`
	Duration screening.Millis `json:"duration"`
}

func (s *Server) serveSummary(w http.ResponseWriter, r *http.Request) {
	id := r.URL.Query().Get("screening")
	if current := s.room.Latest().Screening; id == "" && current != nil {
		id = current.ID
	}
	state, err := s.stateOf(r.Context(), id)
	if errors.Is(err, fs.ErrNotExist) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		s.writeRefusal(w, fmt.Errorf("read screening %s: %w", id, err))
		return
	}
	s.writeJSON(w, http.StatusOK, s.viewer.summary(state))
}

func (v *viewer) summary(s *screening.State) summary {
	p := s.Screening.Programme
	out := summary{
		Screening:  endedScreening{screeningInfo: v.info(s.Screening), StartedAt: s.Screening.PlannedAt.At.In(v.zone)},
		Attendance: v.attendance(s), Shown: shownGroups(s), Fewest: screening.Fewest,
		Questions: []questionSummary{},
		Film:      filmSummary{p.Film.Title, s.Playback.Finished, s.Playback.At, s.Playback.Duration},
		Note:      s.Note.InWords(),
	}
	if e := s.Screening.EndedAt; e != nil {
		at := e.At.In(v.zone)
		out.Screening.EndedAt = &at
	}
	for i := range s.Questions {
		q, asked := &s.Questions[i], p.Questions[i]
		if len(q.Rounds) == 0 {
			continue
		}
		sum := questionSummary{
			ID: q.ID, Kind: asked.Kind, Text: asked.Text, Options: withoutRight(asked.Options), Rounds: []roundView{},
		}
		if s.MayShowResults(q.ID) {
			sum.Options, sum.Explanation, sum.Rounds = asked.Options, asked.Explanation, rounds(s, q)
			sum.AnswerShownEarly = s.Spoilt(q)
		}
		out.Questions = append(out.Questions, sum)
	}
	return out
}

func shownGroups(s *screening.State) []shownGroup {
	out := []shownGroup{}
	for _, g := range s.Attendance.Groups() {
		group := shownGroup{Total: g.Total}
		for _, i := range g.Categories {
			group.Labels = append(group.Labels, s.Screening.Programme.Categories[i].Label)
		}
		out = append(out, group)
	}
	return out
}

func (s *Server) serveExport(w http.ResponseWriter, r *http.Request) {
	name := "mimpi-kiosk-" + time.Now().In(s.zone).Format("2006-01-02") + ".zip"
	zip := &download{to: w, head: func() {
		w.Header().Set("Content-Type", "application/zip")
		w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
		w.Header().Set("Cache-Control", "no-store")
	}}
	switch err := s.archive.Export(r.Context(), zip); {
	case err == nil:
	case !zip.begun:
		s.writeRefusal(w, fmt.Errorf("export: %w", err))
	default:
		s.log.Error("export", "error", err)
		panic(http.ErrAbortHandler) // so that the browser does not take the half for the whole
	}
}

// download is an answer whose header is made with its first byte: until then it can still
// become a refusal.
type download struct {
	to    io.Writer
	head  func()
	begun bool
}

func (d *download) Write(p []byte) (int, error) {
	if !d.begun {
		d.begun = true
		d.head()
	}
	return d.to.Write(p)
}

// serveMetrics tells the kiosk's own machine how it does, in Prometheus' text format.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if !s.mayBe(r, stageRole) {
		http.NotFound(w, r)
		return
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	fmt.Fprintf(w, "# TYPE mimpi_events counter\nmimpi_events %d\n", s.room.Latest().Seq)
	fmt.Fprintf(w, "# TYPE mimpi_screens gauge\n")
	counts := s.hub.counts()
	for _, as := range roles {
		fmt.Fprintf(w, "mimpi_screens{role=%q} %d\n", as, counts[as])
	}
	fmt.Fprintf(w, "# TYPE mimpi_health gauge\n# HELP mimpi_health 1 where the part is at this level.\n")
	for _, p := range s.board.Parts() {
		fmt.Fprintf(w, "mimpi_health{part=%q,level=%q} 1\n", p.Part, p.Level)
	}
	fmt.Fprintf(w, "# TYPE mimpi_goroutines gauge\nmimpi_goroutines %d\n", runtime.NumGoroutine())
	fmt.Fprintf(w, "# TYPE mimpi_heap_bytes gauge\nmimpi_heap_bytes %d\n", mem.HeapAlloc)
}
