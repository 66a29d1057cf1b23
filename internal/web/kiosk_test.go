package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
	"go.uber.org/goleak"

	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/health"
	follower "mimpi-kiosk/internal/playback"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/sqlite"
	"mimpi-kiosk/internal/web/signin"
)

// The tests run a whole kiosk but for the pack and the configuration: sqlite, Room,
// clicker, film follower and server, wired as cmd/mimpi-kiosk does it. A phone N dials
// from 127.0.0.N+1, which the listener shows to the server as 10.0.0.N+1: so it is a
// stranger to the kiosk, with an address of its own.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 20 * time.Second // generous: the machine may be busy
	pin      = "271828"
	host     = "kiosk.test" // what phones call the kiosk
)

// clock stands still until it is moved.
type clock struct {
	mu   sync.Mutex
	wall time.Time
	boot string
	mono screening.Millis
}

func (c *clock) Read() screening.Reading {
	c.mu.Lock()
	defer c.mu.Unlock()
	return screening.Reading{Wall: c.wall, Boot: c.boot, Mono: c.mono}
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wall, c.mono = c.wall.Add(d), c.mono+screening.ToMillis(d)
}

func (c *clock) restart(boot string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.boot, c.mono = boot, 20_000
}

func text(id, en string) screening.Text { return screening.Text{"id": id, "en": en} }

// programme has every kind of question, and a marker in everything that the audience
// must not see too early: RAHASIA-Q in explanations and sources of question Q, CEK-Q in
// what only the facilitator may see.
func programme() screening.Programme {
	option := func(id string, right bool) screening.Option {
		return screening.Option{ID: id, Text: text("Pilihan "+id, "Option "+id), Icon: "icon-" + id, Right: right}
	}
	question := func(id string, kind screening.QuestionKind, ask []screening.Step, options ...screening.Option) screening.Question {
		return screening.Question{
			ID: id, Kind: kind, Text: text("Pertanyaan "+id+"?", "Question "+id+"?"), Options: options, Ask: ask,
			Explanation: text("RAHASIA-"+id+" penjelasan", "RAHASIA-"+id+" explanation"),
			Source:      "RAHASIA-" + id + " https://example.org/source",
			Check:       text("CEK-"+id+" periksa", "CEK-"+id+" check"),
			Prompts:     []screening.Text{text("RAHASIA-"+id+" percakapan", "RAHASIA-"+id+" talk")},
		}
	}
	halfTranslated := option("3", false)
	delete(halfTranslated.Text, "en")
	before, film, after := screening.PollBefore, screening.FilmStep, screening.Discussion
	return screening.Programme{
		Pack: "test",
		Regencies: []screening.Regency{
			{ID: "belu", Name: "Belu", Kemendagri: "53.04", BPS: "5306"},
			{ID: "nagekeo", Name: "Nagekeo", Kemendagri: "53.16", BPS: "5318"},
		},
		Categories: []screening.Category{
			{ID: "woman", Label: text("Perempuan", "Woman"), Sex: "female", Age: "18+"},
			{ID: "man", Label: text("Laki-laki", "Man"), Sex: "male", Age: "18+"},
			{ID: "child", Label: text("Anak", "Child"), Age: "0-17"},
		},
		Questions: []screening.Question{
			question("age", screening.Single, []screening.Step{before, after}, option("a15", false), option("a18", true), option("a21", false)),
			question("fee", screening.Single, []screening.Step{before}, option("yes", false), option("no", true)),
			question("signs", screening.Several, []screening.Step{film}, option("papers", true), option("debt", true), option("smile", false)),
			question("sure", screening.Scale, []screening.Step{after}, option("1", false), option("2", false), halfTranslated),
		},
		Film: screening.Film{
			ID: "mimpi", Title: text("Mimpi Beta", "My Dream"), Credit: "CC BY 4.0", Duration: 600_000,
			Subtitles: []screening.Subtitle{{Lang: "id", Label: "Indonesia"}, {Lang: "en", Label: "English"}},
			PausePoints: []screening.PausePoint{
				{At: 60_000, Note: text("Siapa yang memegang paspor?", "Who holds the passport?"), Question: "signs"},
				{At: 120_000},
			},
		},
		ThankYou: 1500, ShareMinimum: fewAnswered,
	}
}

func details() screening.Details {
	return screening.Details{
		Regency: "belu", Venue: "Balai Desa Fulur", Audience: screening.Public, Label: "RT 3",
		HeldAt: time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC),
	}
}

var builtPages = fstest.MapFS{
	"start.html":         {Data: []byte("<!doctype html><title>start</title>")},
	"stage.html":         {Data: []byte("<!doctype html><title>stage</title>")},
	"touch.html":         {Data: []byte("<!doctype html><title>touch</title>")},
	"single.html":        {Data: []byte("<!doctype html><title>single</title>")},
	"check.html":         {Data: []byte("<!doctype html><title>check</title>")},
	"facilitator.html":   {Data: []byte("<!doctype html><title>facilitator</title>")},
	"summary.html":       {Data: []byte("<!doctype html><title>summary</title>")},
	"vote.html":          {Data: []byte(`<!doctype html><title>vote</title><link rel="stylesheet" crossorigin href="/assets/vote-1a2b.css"><div id="app"><!--form--></div>`)},
	"assets/app-3c4d.js": {Data: []byte("export const secret = 0;\n")},
	"icons/star-1.svg":   {Data: []byte("<svg>our star</svg>")},
	"favicon.svg":        {Data: []byte("<svg>favicon</svg>")},
}

// withoutPages is a fresh clone.
var withoutPages = fstest.MapFS{".keep": {}}

var ownTexts = fstest.MapFS{
	"id.json": {Data: []byte(`{"language.name":"Bahasa Indonesia","vote.wait":"Tunggu","vote.saved":"Tersimpan","vote.nothing":"Belum ada yang dipilih","vote.closed":"Sudah ditutup","vote.yours":"pilihan Anda","vote.thanks":"Terima kasih"}`)},
	"en.json": {Data: []byte(`{"language.name":"English","vote.wait":"Please wait"}`)},
}

// setup is what a test wants otherwise. Nil and zero are the usual.
type setup struct {
	exportFails error // of the download of all screenings, before its first byte
	journal     func(screening.Journal) screening.Journal
	parts       func(*Parts)
	buffer      int  // bytes that the server's sockets may hold unread; 0 is the system's own
	still       bool // the server is made but does not run: for tests of the views alone
}

type kiosk struct {
	t       testing.TB
	clock   *clock
	board   *health.Board
	keeper  *signin.Keeper
	journal *sqlite.Journal
	room    *screening.Room
	server  *Server
	addr    string // HOST:PORT on which it serves
	stop    func() // ends the whole kiosk and waits; may be called again
}

// signedData is a data folder with a PIN and the cookies of one who gave it: to hash a
// PIN takes a while.
type signedData struct {
	files   map[string][]byte
	cookies []*http.Cookie
}

var signedIn = sync.OnceValues(func() (signedData, error) {
	dir, err := os.MkdirTemp("", "mimpi-web-test")
	if err != nil {
		return signedData{}, err
	}
	defer os.RemoveAll(dir)
	k, err := signin.Open(dir)
	if err != nil {
		return signedData{}, err
	}
	pass, err := k.SetPIN(signin.Client{Address: "kiosk", Own: true}, "", pin)
	if err != nil {
		return signedData{}, err
	}
	w := httptest.NewRecorder()
	if err := k.Start(w, httptest.NewRequest("POST", "/", nil), pass); err != nil {
		return signedData{}, err
	}
	data := signedData{map[string][]byte{}, w.Result().Cookies()}
	for _, name := range []string{"pin.json", "secret.key"} {
		if data.files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return signedData{}, err
		}
	}
	return data, nil
})

func openKeeper(t testing.TB, files map[string][]byte) *signin.Keeper {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k, err := signin.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keyJournal is that of cmd/mimpi-kiosk/buttons.go, for keys.
type keyJournal struct{ room *screening.Room }

func (j keyJournal) Send(ctx context.Context, p clicker.Press, a clicker.Action) func(context.Context) error {
	var command screening.Command = screening.CountAttendee{Category: a.Category}
	if a.Undo {
		command = screening.UndoCount{}
	}
	return j.room.Send(ctx, screening.Envelope{ID: p.ID, From: screening.FromKeyboard, Screening: p.For, Command: command})
}

func (keyJournal) Note(context.Context, string, clicker.Note) error { return nil }

func (keyJournal) MayPass(err error) bool {
	var notSaved *screening.NotSaved
	return errors.As(err, &notSaved)
}

func newKiosk(t testing.TB, with setup) *kiosk {
	t.Helper()
	signed, err := signedIn()
	if err != nil {
		t.Fatal(err)
	}
	k := &kiosk{
		t: t, board: &health.Board{}, keeper: openKeeper(t, signed.files),
		clock: &clock{wall: time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC), boot: "boot-1", mono: 60_000},
	}
	if k.journal, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db")); err != nil {
		t.Fatal(err)
	}
	var journal screening.Journal = k.journal
	if with.journal != nil {
		journal = with.journal(journal)
	}
	k.room = screening.NewRoom(journal, k.clock)

	// As in cmd/mimpi-kiosk/wiring.go.
	buttons := map[string]clicker.Action{"1": {Category: "woman"}, "2": {Category: "man"}, "0": {Undo: true}}
	keys := clicker.New(buttons, keyJournal{k.room})
	film := follower.New(k.room, k.board, uuid.NewString, func(err error) { t.Errorf("film: %v", err) }, nil)

	texts, err := LoadTexts(ownTexts, "")
	if err != nil {
		t.Fatal(err)
	}
	screenings := 0
	parts := Parts{
		Room: k.room, Clock: k.clock, Board: k.board, Keeper: k.keeper, Archive: archive{k.journal, with.exportFails},
		Pages: builtPages, Texts: texts, Hosts: []string{host},
		Limits: Limits{Connections: 1000, ConnectionsPerAddress: 100, MessageBytes: 8192, MessagesPerSecond: 1000, MessagesBurst: 1000},
		Zone:   time.FixedZone("WITA", 8*60*60),
		Show: Show{
			Programme: programme(), Keys: []string{"0", "1", "2"},
			Help: []HelpNumber{{
				Name: text("BP3MI NTT", "Migrant worker office NTT"), Tel: "0800 1000-111",
				Hours: text("setiap hari", "every day"), CheckedOn: "2026-11-01",
			}},
			Subtitles:    func(string) (string, bool) { return "", false },
			OpenIcon:     func(string) (io.ReadCloser, error) { return nil, fs.ErrNotExist },
			GuidebookURL: "https://example.org/panduan",
			WiFi:         WiFi{Name: "Mimpi", Password: "mimpibeta", Security: "WPA"},
			PublicURL:    "http://" + host,
			Idle:         60_000,
			NewID:        func() string { screenings++; return fmt.Sprintf("s-%d", screenings) }, // one facilitator at a time
			PressKey: func(ctx context.Context, id, screeningID, key string) error {
				select {
				case err := <-keys.Press(clicker.Press{ID: id, Button: key, For: screeningID}):
					if errors.Is(err, clicker.ErrUnknownButton) {
						return ErrUnknownKey
					}
					return err
				case <-ctx.Done():
					return ctx.Err()
				}
			},
			ReportPlayer: func(ctx context.Context, r PlayerReport) {
				film.Report(ctx, follower.Report{
					Epoch: r.Epoch, State: follower.PlayerState(r.State), At: r.At, Duration: r.Duration,
					PausePoint: r.PausePoint, DecodedFrames: r.DecodedFrames, DroppedFrames: r.DroppedFrames, Error: r.Error,
				})
			},
			PageLeft: film.PageLeft,
		},
		Log: slog.New(slog.DiscardHandler),
	}
	if with.parts != nil {
		with.parts(&parts)
		k.keeper = parts.Keeper
	}
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k.addr = listener.Addr().String()
	if k.server, err = New(parts, listener.Addr()); err != nil {
		t.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	roomCtx, closeRoom := context.WithCancel(context.Background())
	var running, room sync.WaitGroup
	start := func(group *sync.WaitGroup, what string, run func() error) {
		group.Go(func() {
			if err := run(); err != nil {
				t.Errorf("%s ended with: %v", what, err)
			}
		})
	}
	start(&room, "the room", func() error {
		return k.room.Run(roomCtx, screening.Envelope{ID: "start-1", From: screening.FromKiosk, Command: screening.StartKiosk{Kiosk: "kiosk-1", Version: "test"}})
	})
	start(&running, "the clicker", func() error { return keys.Run(ctx) })
	start(&running, "the film", func() error { return film.Run(ctx) })
	if with.still {
		listener.Close()
	} else {
		start(&running, "the server", func() error { return k.server.Run(ctx, farListener{listener, with.buffer}) })
	}
	k.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		closeRoom()
		room.Wait()
		if err := k.journal.Close(); err != nil {
			t.Errorf("close the journal: %v", err)
		}
	})
	t.Cleanup(k.stop)
	if err := k.room.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

// archive is that of cmd/mimpi-kiosk/archive.go, without the export.
type archive struct {
	*sqlite.Journal
	exportFails error
}

func (a archive) State(ctx context.Context, id string) (*screening.State, error) {
	state := screening.NewState()
	for rec, err := range a.Events(ctx, id) {
		if err != nil {
			return nil, err
		}
		state.Apply(rec)
	}
	if state.Screening == nil || state.Screening.ID != id {
		return nil, fs.ErrNotExist
	}
	return state, nil
}

func (a archive) Export(_ context.Context, w io.Writer) error {
	if a.exportFails != nil {
		return a.exportFails
	}
	_, err := io.WriteString(w, "PK\x05\x06"+strings.Repeat("\x00", 18)) // an empty ZIP
	return err
}

// farListener shows a client at 127.A.B.C as one at 10.A.B.C, but for 127.0.0.1.
type farListener struct {
	net.Listener
	buffer int
}

func (l farListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp := c.(*net.TCPConn)
	if l.buffer > 0 {
		if err := tcp.SetWriteBuffer(l.buffer); err != nil {
			return nil, err
		}
	}
	from := *tcp.RemoteAddr().(*net.TCPAddr)
	if ip := from.IP.To4(); !ip.Equal(net.IPv4(127, 0, 0, 1)) {
		from.IP = net.IPv4(10, ip[1], ip[2], ip[3])
	}
	return farConn{c, &from}, nil
}

type farConn struct {
	net.Conn
	from net.Addr
}

func (c farConn) RemoteAddr() net.Addr { return c.from }

// do carries out a command as the facilitator's screen would.
func (k *kiosk) do(c screening.Command) {
	k.t.Helper()
	k.from(screening.FromFacilitator, c)
}

func (k *kiosk) from(source screening.Source, c screening.Command) {
	k.t.Helper()
	if err := k.room.Do(context.Background(), screening.Envelope{ID: uuid.NewString(), From: source, Command: c}); err != nil {
		k.t.Fatalf("%#v: %v", c, err)
	}
}

func (k *kiosk) plan() {
	k.t.Helper()
	k.do(screening.PlanScreening{Screening: "s-plan", Details: details(), Programme: programme()})
}

// ask plans a screening and opens a question in the poll before the film, or in the
// discussion.
func (k *kiosk) ask(question string, step screening.Step) {
	k.t.Helper()
	k.plan()
	k.do(screening.MoveTo{Step: step})
	k.do(screening.OpenQuestion{Question: question})
}

func (k *kiosk) round(question string) screening.Round {
	k.t.Helper()
	q := k.room.Latest().Question(question)
	if q == nil || len(q.Rounds) == 0 {
		k.t.Fatalf("%s was never asked", question)
	}
	return q.Rounds[len(q.Rounds)-1]
}

// browser is one browser with its cookies.
type browser struct {
	t    testing.TB
	k    *kiosk
	base *url.URL
	http *http.Client
	dial *net.Dialer
}

// own is the kiosk's own browser.
func (k *kiosk) own() *browser { return k.browser(k.addr, net.IPv4(127, 0, 0, 1)) }

// phone is a visitor's phone with an address of its own; n is 1 to 60000.
func (k *kiosk) phone(n int) *browser {
	_, port, _ := net.SplitHostPort(k.addr)
	return k.browser(net.JoinHostPort(host, port), net.IPv4(127, 0, byte((n+1)>>8), byte(n+1)))
}

func (k *kiosk) browser(calls string, from net.IP) *browser {
	jar, _ := cookiejar.New(nil) // never fails without options
	b := &browser{t: k.t, k: k, base: &url.URL{Scheme: "http", Host: calls}, dial: &net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}}
	b.http = &http.Client{
		Jar: jar, Timeout: patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:       b.connect,
			DisableKeepAlives: true,
		},
	}
	return b
}

// connect goes to the kiosk whatever name it is called by.
func (b *browser) connect(ctx context.Context, network, _ string) (net.Conn, error) {
	return b.dial.DialContext(ctx, network, b.k.addr)
}

// signIn gives the browser a session, as the right PIN would.
func (b *browser) signIn() *browser {
	b.t.Helper()
	signed, err := signedIn()
	if err != nil {
		b.t.Fatal(err)
	}
	b.http.Jar.SetCookies(b.base, signed.cookies)
	return b
}

// reply is an HTTP answer with its body read.
type reply struct {
	*http.Response
	body []byte
}

func (b *browser) request(method, path, body string, header http.Header) reply {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base.String()+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	maps.Copy(r.Header, header)
	if h := header.Get("Host"); h != "" {
		r.Host = h
	}
	answer, err := b.http.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return reply{answer, data}
}

func (b *browser) get(path string) reply {
	b.t.Helper()
	return b.request("GET", path, "", nil)
}

func (b *browser) postJSON(path, body string) reply {
	b.t.Helper()
	return b.request("POST", path, body, http.Header{"Content-Type": {"application/json"}, "Origin": {b.base.String()}})
}

func (b *browser) postForm(path string, fields url.Values) reply {
	b.t.Helper()
	return b.request("POST", path, fields.Encode(), http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Origin": {b.base.String()}})
}

// upgrade tries to open /ws; header says what it sends beside the page's own Origin.
func (b *browser) upgrade(as role, header http.Header) (*websocket.Conn, *http.Response, error) {
	all := http.Header{"Origin": {b.base.String()}}
	for name, values := range header {
		if all[name] = values; values == nil {
			delete(all, name)
		}
	}
	d := websocket.Dialer{NetDialContext: b.connect, Jar: b.http.Jar, HandshakeTimeout: patience}
	return d.DialContext(b.t.Context(), "ws://"+b.base.Host+"/ws?role="+string(as), all)
}

// packet is a message from the kiosk.
type packet struct {
	Type    string         `json:"type"`
	ID      string         `json:"id"`
	Reason  string         `json:"reason"`
	Message screening.Text `json:"message"`
	Seq     int64          `json:"seq"`
	Leads   *bool          `json:"leads"`
	Mine    *mineView      `json:"mine"`
	View    struct {
		Role       role           `json:"role"`
		Scene      string         `json:"scene"`
		Step       screening.Step `json:"step"`
		Question   *questionView  `json:"question"`
		Current    *questionView  `json:"current"`
		Playback   playbackView   `json:"playback"`
		Total      int            `json:"total"`
		Attendance attendanceView `json:"attendance"`
		Screens    map[role]int   `json:"screens"`
		Health     []health.Part  `json:"health"`
	} `json:"view"`

	raw string
}

// socket is an open websocket. Only the test's goroutine may use it.
type socket struct {
	t    testing.TB
	b    *browser
	ws   *websocket.Conn
	sent int
	last packet   // the newest view
	raw  []string // every message
}

func (b *browser) socket(as role) *socket {
	b.t.Helper()
	ws, answer, err := b.upgrade(as, nil)
	if err != nil {
		status := "no answer"
		if answer != nil {
			status = answer.Status
		}
		b.t.Fatalf("open /ws as %s: %v (%s)", as, err, status)
	}
	s := &socket{t: b.t, b: b, ws: ws}
	b.t.Cleanup(func() { ws.Close() })
	return s
}

// voter opens the phone's page and its socket.
func (k *kiosk) voter(n int) *socket {
	k.t.Helper()
	b := k.phone(n)
	if r := b.get("/vote"); r.StatusCode != http.StatusOK {
		k.t.Fatalf("/vote gives %s", r.Status)
	}
	return b.socket(voteRole)
}

func (s *socket) read() packet {
	s.t.Helper()
	if err := s.ws.SetReadDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	_, data, err := s.ws.ReadMessage()
	if err != nil {
		s.t.Fatalf("read: %v; the last view was %s", err, s.last.raw)
	}
	p := packet{raw: string(data)}
	if err := json.Unmarshal(data, &p); err != nil {
		s.t.Fatalf("the kiosk sent %q: %v", data, err)
	}
	s.raw = append(s.raw, p.raw)
	if p.Type == "view" {
		s.last = p
	}
	return p
}

// until reads views until one is as wanted; it may have come already.
func (s *socket) until(wanted func(packet) bool) packet {
	s.t.Helper()
	if s.last.raw != "" && wanted(s.last) {
		return s.last
	}
	for {
		if p := s.read(); p.Type == "view" && wanted(p) {
			return p
		}
	}
}

func (s *socket) write(message map[string]any) {
	s.t.Helper()
	if err := s.ws.WriteJSON(message); err != nil {
		s.t.Fatalf("write: %v", err)
	}
}

// send sends a command for the current screening under a new id.
func (s *socket) send(do string, fields map[string]any) (id string) {
	s.t.Helper()
	s.sent++
	id = fmt.Sprintf("%s-%d", s.ws.LocalAddr(), s.sent)
	message := map[string]any{"id": id, "do": do}
	if now := s.b.k.room.Latest().Screening; now != nil && do != "planScreening" && do != "setClock" {
		message["screening"] = now.ID
	}
	maps.Copy(message, fields)
	s.write(message)
	return message["id"].(string)
}

// answer reads until the command of that id is answered.
func (s *socket) answer(id string) packet {
	s.t.Helper()
	for {
		if p := s.read(); p.ID == id && p.Type != "view" {
			return p
		}
	}
}

// ask sends a command and gives its answer.
func (s *socket) ask(do string, fields map[string]any) packet {
	s.t.Helper()
	return s.answer(s.send(do, fields))
}

// must sends a command that has to be done.
func (s *socket) must(do string, fields map[string]any) packet {
	s.t.Helper()
	p := s.ask(do, fields)
	if p.Type != "done" {
		s.t.Fatalf("%s %v: %s", do, fields, p.raw)
	}
	return p
}

func (s *socket) refused(do string, fields map[string]any, reason string) {
	s.t.Helper()
	if p := s.ask(do, fields); p.Type != "refused" || p.Reason != reason || p.Message["id"] == "" || p.Message["en"] == "" {
		s.t.Errorf("%s %v is answered by %s, want refused as %s with its sentences", do, fields, p.raw, reason)
	}
}

// ended reads on and says how the connection ended.
func (s *socket) ended() error {
	s.t.Helper()
	if err := s.ws.SetReadDeadline(time.Now().Add(patience)); err != nil {
		s.t.Fatal(err)
	}
	for {
		if _, _, err := s.ws.ReadMessage(); err != nil {
			var slow net.Error
			if errors.As(err, &slow) && slow.Timeout() {
				s.t.Fatal("the kiosk did not end the connection")
			}
			return err
		}
	}
}

func ballot(question string, round int, choices ...string) map[string]any {
	return map[string]any{"question": question, "round": round, "choices": append([]string{}, choices...)}
}

// eventually waits until something is so.
func eventually(t testing.TB, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not so: %s", what)
		}
	}
}

// compact is JSON without the spaces.
func compact(data []byte) string {
	var b bytes.Buffer
	if err := json.Compact(&b, data); err != nil {
		return string(data)
	}
	return b.String()
}

func sorted[T ~string](s []T) []T { return slices.Sorted(slices.Values(s)) }
