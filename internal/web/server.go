// Package web serves the screens: pages, live state over websockets, the film, QR
// codes, the plain form for phones without JavaScript, and the export.
//
// Every request passes signin.Guard first (Host, Origin, security headers). The stage
// and the touch screen need the kiosk's own browser (loopback) or the PIN, the
// facilitator's screen needs the PIN, phones get /vote.
//
// [Server.Run] owns the hub, which renders the views; each websocket has a reader and a
// writer of its own that end with Run. Messages are described in PROTOCOL.md.
package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/klauspost/compress/gzhttp"
	"golang.org/x/sync/errgroup"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/web/signin"
)

// Show is what the kiosk has to show, and the functions by which the screens reach
// the parts of it that are not the Room. Nothing in it changes while a Server runs.
type Show struct {
	Programme screening.Programme // of the next screening
	Help      []HelpNumber
	Keys      []string // keyboard keys that are clicker buttons

	// VotingButtons is how many of the clicker's buttons answer an open question; one
	// with more options is not answered with them.
	VotingButtons int

	FilmFile       string                                   // "" when missing
	Subtitles      func(lang string) (file string, ok bool) // a WebVTT file
	OpenIcon       func(name string) (io.ReadCloser, error) // an SVG of the pack; fs.ErrNotExist: use ours
	GuidebookFile  string                                   // PDF, "" when missing
	GuidebookPages string                                   // a folder of its own for pictures of its pages; "": none are made
	GuidebookURL   string                                   // public, "" when unknown
	WiFi           WiFi
	PublicURL      string // base address for phones; "" finds the machine's own

	Voices Voices     // nil: nothing is read aloud
	Spoken []Language // that the questions can be recorded in; without a name: as the screens call it

	Idle screening.Millis // without a touch until the touch screen goes back to rest

	CheckButtons []CheckButton // to press in the guided check

	Demo bool // a trial on a laptop: a clock that nobody has set stands in nobody's way

	NewID func() string // of a new screening
	// PressKey is a press of a key of the clicker, in the screening that the page had before it, or "".
	PressKey     func(ctx context.Context, id, screeningID, key string) error
	ReportPlayer func(context.Context, PlayerReport)
	// PageLeft is called when the page which reported is closed; it may be nil.
	PageLeft func(context.Context)
	// FilmPlayer says what plays the film now; nil is the page. When that changes the
	// health board must change too, which brings the screens a new view.
	FilmPlayer func() screening.PlayerKind
	// Tone plays a tone where the sound of the film comes from; nil, and any error: the
	// page is to play one.
	Tone func(context.Context) error
}

// HelpNumber is a number that people can call.
type HelpNumber struct {
	Name      screening.Text `json:"name"`
	Tel       string         `json:"tel"`
	Hours     screening.Text `json:"hours,omitempty"`
	CheckedOn string         `json:"checkedOn,omitempty"` // ISO date of the last call that got through
}

// WiFi is the kiosk's own network. No name: none is offered.
type WiFi struct {
	Name, Password string
	Security       string // "WPA" or "none"
	Hidden         bool
	Address        string // of the kiosk on a network that it makes itself; else ""
}

// Limits bound what screens may use.
type Limits struct {
	Connections           int // websockets in all
	ConnectionsPerAddress int // from one address other than the kiosk's own
	MessageBytes          int
	MessagesPerSecond     float64 // per websocket; more wait
	MessagesBurst         int
}

// Archive reads screenings back from the journal.
type Archive interface {
	// ScreeningIDs lists all, the newest first.
	ScreeningIDs(context.Context) ([]string, error)
	// State gives a screening as its last event left it; fs.ErrNotExist for an
	// unknown one.
	State(ctx context.Context, id string) (*screening.State, error)
	// Export writes a ZIP of all screenings but rehearsals.
	Export(ctx context.Context, w io.Writer) error
}

// Parts are what a Server is made of.
type Parts struct {
	Room    *screening.Room
	Clock   screening.Clock
	Board   *health.Board
	Keeper  *signin.Keeper
	Archive Archive
	Pages   fs.FS // the built kiosk-ui
	Texts   *Texts
	Hosts   []string // names allowed in the Host header besides the machine's own
	Limits  Limits
	Zone    *time.Location
	Checkup *Checkup // nil: one that gets no presses of buttons
	Show    Show
	Sticks  Sticks // nil: there are none
	Log     *slog.Logger
}

// Server serves the screens. Make one with New and run it once with Run.
type Server struct {
	room      *screening.Room
	board     *health.Board
	keeper    *signin.Keeper
	archive   Archive
	pages     fs.FS
	texts     *Texts
	hosts     *signin.Hosts
	limits    Limits
	show      Show
	sticks    Sticks
	zone      *time.Location
	log       *slog.Logger
	viewer    *viewer
	hub       *hub
	door      *door
	crush     *crush
	sources   *sources
	codes     *codes
	portal    *portal
	checkup   *Checkup
	upgrader  websocket.Upgrader
	vote      *votePage
	guidebook *guidebookPage
	checked   checked
	film      film
	sockets   sync.WaitGroup
}

// New makes a Server for a listener's address.
func New(p Parts, listens net.Addr) (*Server, error) {
	hosts, err := signin.NewHosts(p.Hosts...)
	if err != nil {
		return nil, err
	}
	vote, err := newVotePage(p.Pages)
	if err != nil {
		return nil, err
	}
	guide, err := newGuidebookPage(p.Pages, p.Show)
	if err != nil {
		return nil, err
	}
	if p.Sticks == nil {
		p.Sticks = noSticks{}
	}
	s := &Server{
		sticks:    p.Sticks,
		guidebook: guide,
		room:      p.Room, board: p.Board, keeper: p.Keeper, archive: p.Archive,
		pages: p.Pages, texts: p.Texts, hosts: hosts, limits: p.Limits,
		film: film{path: p.Show.FilmFile}, show: p.Show, zone: p.Zone, log: p.Log, vote: vote,
		door:  &door{most: p.Limits.Connections, mostPerAddress: p.Limits.ConnectionsPerAddress, byAddr: map[netip.Addr]int{}},
		codes: newCodes(p.Show, listens), crush: newCrush(p.Limits), sources: &sources{},
		upgrader: websocket.Upgrader{
			ReadBufferSize: 1024, WriteBufferSize: 2048, WriteBufferPool: &sync.Pool{},
			// signin.Guard has checked the Origin, more strictly than gorilla would.
			CheckOrigin: func(*http.Request) bool { return true },
		},
	}
	if s.checkup = p.Checkup; s.checkup == nil {
		s.checkup = NewCheckup()
	}
	s.portal = &portal{base: s.codes.base, seen: map[netip.Addr]opened{}}
	s.keeper.LimitArrivals(p.Limits.ConnectionsPerAddress)
	s.viewer = &viewer{sources: s.sources, show: p.Show, zone: p.Zone, languages: p.Texts.Languages(), codes: s.codes.list, sticks: p.Sticks}
	s.hub = newHub(p.Room, s.viewer, p.Board, p.Clock, s.checkup, p.Log)
	return s, nil
}

// Handler gives all routes. Websockets end with ctx.
func (s *Server) Handler(ctx context.Context) http.Handler {
	mux := http.NewServeMux()
	small := gzhttp.GzipHandler // never around /film and /ws: it would hide ReaderFrom and Hijacker

	mux.HandleFunc("GET /{$}", s.serveStart)
	mux.Handle("GET /stage", small(s.page("stage.html", stageRole)))
	mux.Handle("GET /touch", small(s.page("touch.html", touchRole)))
	mux.Handle("GET /single", small(s.page("single.html", touchRole))) // a kiosk with one screen: stage and touch in turns
	mux.Handle("GET /check", small(s.page("check.html", touchRole)))
	mux.Handle("GET /facilitator", small(s.page("facilitator.html", voteRole))) // the page itself asks for the PIN
	mux.Handle("GET /record", small(http.HandlerFunc(s.serveRecord)))
	mux.Handle("GET /summary", small(s.page("summary.html", voteRole)))
	mux.Handle("GET /guidebook", small(http.HandlerFunc(s.serveGuidebook)))
	mux.HandleFunc("GET /guidebook.pdf", s.serveGuidebookFile)
	mux.HandleFunc("GET /guidebook/{page}", s.serveGuidebookPage)
	mux.HandleFunc("GET /guidebook/short.pdf", s.serveOwnGuide)
	mux.Handle("GET /print/cards.pdf", s.signedIn(s.serveCards))
	mux.Handle("GET /vote", small(http.HandlerFunc(s.serveVote)))
	mux.HandleFunc("POST /vote", s.takeVote)

	mux.Handle("GET /assets/", small(http.HandlerFunc(s.serveAsset)))
	mux.Handle("GET /favicon.svg", http.HandlerFunc(s.serveAsset))
	mux.Handle("GET /icon/{file}", small(http.HandlerFunc(s.serveIcon)))
	mux.Handle("GET /lang/{file}", small(http.HandlerFunc(s.serveTexts)))
	mux.HandleFunc("GET /qr/{file}", s.serveCode)
	mux.HandleFunc("GET /film", s.serveFilm)
	mux.HandleFunc("GET /film/subtitles/{file}", s.serveSubtitles)
	mux.HandleFunc("GET /voice/{lang}/{key}", s.serveVoice)
	mux.HandleFunc("GET /ws", func(w http.ResponseWriter, r *http.Request) { s.serveSocket(ctx, w, r) })

	mux.HandleFunc("GET /api/sign-in", s.signInState)
	mux.HandleFunc("POST /api/sign-in", s.signIn)
	mux.HandleFunc("POST /api/pin", s.setPIN)
	mux.HandleFunc("POST /api/sign-out", s.signOut)
	mux.Handle("GET /api/screenings", s.signedIn(s.serveScreenings))
	mux.Handle("GET /api/summary", s.signedIn(s.serveSummary))
	mux.Handle("GET /api/export.zip", s.signedIn(s.serveExport))
	mux.Handle("GET /api/voices", s.withVoices(s.serveSpoken))
	mux.Handle("GET /api/voices/{lang}", s.withVoices(s.serveVoices))
	mux.Handle("PUT /api/voices/{lang}/{key}", s.withVoices(s.keepRecording))
	mux.Handle("DELETE /api/voices/{lang}/{key}", s.withVoices(s.forgetRecording))
	mux.Handle("GET /api/voices.zip", s.withVoices(s.serveRecordings))

	mux.HandleFunc("GET /api/health", s.serveHealth)
	mux.HandleFunc("POST /api/tone", s.playTone)
	mux.HandleFunc("GET /healthz", s.serveHealthz)
	mux.HandleFunc("GET /metrics", s.serveMetrics)
	guarded := signin.Guard(mux, s.hosts.Allowed)
	if s.show.WiFi.Address == "" { // on any other network those names are not the kiosk's to answer for
		return guarded
	}
	return s.portal.before(guarded)
}

// Run serves on the listeners, once the Room has read the journal, until ctx ends; then
// websockets are told to go and requests under way get a moment to finish. It closes
// the listeners.
func (s *Server) Run(ctx context.Context, listeners ...net.Listener) error {
	// A screen that dials at once after a restart must not be shown an empty kiosk: the
	// projector would take the film back to its beginning.
	if s.room.Read(ctx, func(*screening.State) {}) != nil {
		return closeAll(listeners) // ctx has ended, or the Room: its own Run says why
	}
	s.hub.render()
	group, ctx := errgroup.WithContext(ctx)
	server := &http.Server{
		Handler:           s.Handler(ctx),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       30 * time.Second, // of a request, not of a websocket
		IdleTimeout:       60 * time.Second,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	server.BaseContext = func(net.Listener) context.Context { return ctx }
	var unheard beginners
	server.ConnState = func(c net.Conn, state http.ConnState) {
		unheard.follow(c, state)
		s.crush.watch(c, state)
	}
	group.Go(func() error { return s.hub.run(ctx) })
	for _, l := range listeners {
		group.Go(func() error {
			if err := server.Serve(l); ctx.Err() == nil { // else it was closed below
				return fmt.Errorf("serve on %s: %w", l.Addr(), err)
			}
			return nil
		})
	}
	group.Go(func() error {
		<-ctx.Done()
		closed := closeAll(listeners) // whom the kernel holds yet are for the next daemon, where systemd has the socket
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		moment, over := context.WithTimeout(end, 300*time.Millisecond)
		unheard.gone(moment)
		over()
		// What either says is of the listeners, which are closed.
		if err := server.Shutdown(end); errors.Is(err, context.DeadlineExceeded) {
			_ = server.Close() // a slow reader of the film need not hold the end up
		}
		return closed
	})
	err := group.Wait()
	s.sockets.Wait()
	return err
}

// mayBe says whether the sender of a request may act in a role.
func (s *Server) mayBe(r *http.Request, as role) bool {
	switch as {
	case voteRole:
		return true
	case stageRole, touchRole:
		return signin.Loopback(r) || s.keeper.SignedIn(r)
	}
	return s.keeper.SignedIn(r)
}
