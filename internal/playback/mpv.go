package playback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"mimpi-kiosk/internal/screening"
)

// Line is a line to a fresh mpv; internal/mpv has it.
type Line interface {
	Run(ctx context.Context, listen func(event, property string, data json.RawMessage)) error
	Call(ctx context.Context, command ...any) (json.RawMessage, error)
	Close() error // ends that mpv, also one that hangs
}

// MPVFilm is the one film that an [MPV] plays, and how.
type MPVFilm struct {
	File        string            // absolute path, readable by whoever runs mpv
	Subtitles   map[string]string // language -> absolute path of a WebVTT file
	HWDec       string            // see HWDec
	AudioDevice string            // mpv's name, or "auto"
	VolumeMax   int               // percent of the film's own loudness at volume 100
}

const (
	launchWithin = 5 * time.Second
	callWithin   = 3 * time.Second        // an mpv that takes longer hangs, and is replaced
	beat         = 800 * time.Millisecond // while it plays: how much of the film a crash can take back, and the dearest of all we do meanwhile
	startWithin  = 15 * time.Second       // its first answer: a busy Raspberry Pi takes its time to start a program
	idleBeat     = 5 * time.Second        // else
	stuckAfter   = 15 * time.Second       // it says that it plays, and stands
	soundAfter   = 3 * time.Second        // of life, until earlier deaths are forgotten
	nearPoint    = screening.Millis(1500)
	deviceRetry  = 10 * time.Second // for a sound device that does not tell when it is back
	pictureRetry = 4 * time.Second  // for a screen
	mostTries    = 6                // deaths in a row until another player should do it: 5.6 s, in which a display session is there again
	mostLoads    = 3                // of a film that mpv cannot open
	longestPause = 10 * time.Second
)

// MPV is the [Player] that drives mpv. It starts one, and another when that one has died
// or does not answer in time; the film then goes on from where it was last seen, never
// further. Make it with NewMPV.
type MPV struct {
	launch  func(context.Context) (Line, error)
	film    MPVFilm
	log     func(error)
	wants   newest[Want]
	reports newest[Report]
	tones   chan chan<- error

	// Of Run alone, and kept over the life of one mpv.
	now      Want
	place    screening.Millis // where the film is
	duration screening.Millis
	halt     *int // the pause point at which it halted, until the Room knows
	loads    int  // that failed in a row
	failure  string
	restarts int
}

// NewMPV makes a player of what launch starts. log is told why an mpv had to be replaced.
func NewMPV(launch func(context.Context) (Line, error), film MPVFilm, log func(error)) *MPV {
	return &MPV{launch: launch, film: film, log: log, wants: make(newest[Want], 1), reports: make(newest[Report], 1), tones: make(chan chan<- error)}
}

// Want implements [Player].
func (p *MPV) Want(w Want) { p.wants.put(w) }

// Reports implements [Player].
func (p *MPV) Reports() <-chan Report { return p.reports }

// Run implements [Player].
func (p *MPV) Run(ctx context.Context) error {
	for tries := 0; ; {
		begin := time.Now()
		err := p.live(ctx)
		if ctx.Err() != nil {
			return nil
		}
		p.log(err)
		if time.Since(begin) >= soundAfter {
			tries = 0
		}
		tries++
		p.restarts++
		r := Report{Epoch: p.now.Epoch, State: Loading, At: p.place, Duration: p.duration, Restarts: p.restarts, Error: err.Error()}
		if tries >= mostTries {
			r.State, r.GiveUp = Failed, true
		}
		p.reports.put(r)
		if !p.pause(ctx, tries) {
			return nil
		}
	}
}

// pause waits before the next try: not at all after the first deaths. It is false when ctx
// has ended.
func (p *MPV) pause(ctx context.Context, tries int) bool {
	wait := time.Duration(0)
	if tries > 2 {
		wait = min(longestPause, 100*time.Millisecond<<min(tries, 10))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case w := <-p.wants:
			p.take(w)
		case <-timer.C:
			return true
		}
	}
}

// take makes a wish the one that counts.
func (p *MPV) take(w Want) {
	if w.Epoch != p.now.Epoch {
		p.place, p.halt = w.At, nil
	}
	if p.halt != nil && (!w.Playing || !w.UsePausePoints || w.Passed == *p.halt+1) { // the Room knows of it
		p.halt = nil
	}
	p.now = w
}

// live is the life of one mpv, from its start to its end. It gives why it ended.
func (p *MPV) live(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	start, started := context.WithTimeout(ctx, launchWithin)
	defer started()
	line, err := p.launch(start)
	if err != nil {
		return err
	}
	s := &session{MPV: p, line: line, sent: map[string]any{}}
	events := make(chan said, 1024) // far more than comes during one call
	ended := make(chan error, 1)
	go func() {
		ended <- line.Run(ctx, func(event, property string, data json.RawMessage) {
			select {
			case events <- said{event, property, data}:
			default:
				cancel() // it talks without end
			}
		})
	}()
	err = s.drive(ctx, events, ended)
	cancel()
	if err != errEnded {
		<-ended // we ended it: err says why
		return errors.Join(err, line.Close())
	}
	return errors.Join(s.why, line.Close())
}

var errEnded = errors.New("mpv has ended")

// said is an event of mpv's.
type said struct {
	event, property string
	data            json.RawMessage
}

// session is one mpv. Its fields say what that mpv does.
type session struct {
	*MPV
	line Line
	why  error // it ended by itself

	up       bool           // it has answered
	sent     map[string]any // properties as we have set them
	entry    int64          // of its playlist: the film that we loaded last
	loaded   bool           // the film was loaded, or is being loaded
	open     bool           // and mpv has opened it
	arriving bool           // on its way to place: what it says of the position is of before
	asked    time.Time      // since when
	epoch    int64          // that it is in
	ended    bool           // at the end of the film
	tracks   map[string]int64
	audible  bool // the film has sound
	blind    bool // mpv could not open the film with its picture: it is heard until there is a screen again
	silent   bool // it was told to make no sound at all, for a test

	retryLoad, retrySound, retryPicture time.Time
	moved                               time.Time // when the place last changed
	watching                            bool      // every picture is told: a pause point is near
	counted                             time.Time // when the lost pictures were asked for last
	vo, ao, decoder, codec              string
	dropped, droppedByDecoder, late     int64
	last                                Report
}

// observed are the properties of which mpv tells every change.
var observed = []string{
	"eof-reached", "duration", "current-vo", "current-ao", "audio-device-list", "hwdec-current", "video-format",
}

// countEvery is how often the lost pictures are asked for. Observed, a struggling mpv
// would tell of each, and struggle the more.
const countEvery = 5 * time.Second

// count asks how many pictures were lost, now that the film comes to a stand or some time
// has passed.
func (s *session) count(ctx context.Context) error {
	s.counted = time.Now()
	for _, c := range []struct {
		name string
		into *int64
	}{
		{"frame-drop-count", &s.dropped}, {"decoder-frame-drop-count", &s.droppedByDecoder}, {"vo-delayed-frame-count", &s.late},
	} {
		data, err := s.call(ctx, "get_property", c.name)
		if refused(err) || err == nil && data == nil {
			continue // it has none now: what was before still says how the film looked
		}
		if err == nil {
			err = json.Unmarshal(data, c.into)
		}
		if err != nil {
			return fmt.Errorf("property %s: %w", c.name, err)
		}
	}
	return nil
}

func (s *session) drive(ctx context.Context, events <-chan said, ended <-chan error) error {
	if err := s.prepare(ctx); err != nil {
		return s.orEnd(err, ended)
	}
	beats := time.NewTicker(idleBeat)
	defer beats.Stop()
	every := idleBeat
	for {
		if err := s.steer(ctx); err != nil {
			return s.orEnd(err, ended)
		}
		s.report(false)
		if wanted := s.pace(); wanted != every {
			every = wanted
			beats.Reset(every)
		}
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case s.why = <-ended:
			return errEnded
		case w := <-s.wants:
			s.take(w)
		case e := <-events:
			err = s.hear(ctx, e)
		case answer := <-s.tones:
			var said error
			said, err = s.tone(ctx)
			answer <- said
		case <-beats.C:
			err = s.beat(ctx)
		}
		if err != nil {
			return s.orEnd(err, ended)
		}
	}
}

// orEnd prefers to say that mpv has died over what that did to a call.
func (s *session) orEnd(err error, ended <-chan error) error {
	select {
	case s.why = <-ended:
		return errEnded
	default:
		return err
	}
}

func (s *session) pace() time.Duration {
	if s.loaded {
		return beat
	}
	return idleBeat
}

func (s *session) call(ctx context.Context, command ...any) (json.RawMessage, error) {
	within := callWithin
	if !s.up {
		within = startWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	data, err := s.line.Call(ctx, command...)
	s.up = s.up || err == nil
	return data, err
}

// refused says whether mpv understood a call and said no: it lives.
func refused(err error) bool {
	var no interface{ Refusal() string }
	return errors.As(err, &no)
}

// set sets a property unless it is so already.
func (s *session) set(ctx context.Context, name string, value any) error {
	if old, ok := s.sent[name]; ok && old == value {
		return nil
	}
	if _, err := s.call(ctx, "set_property", name, value); err != nil {
		return err
	}
	s.sent[name] = value
	return nil
}

func (s *session) prepare(ctx context.Context) error {
	for i, name := range observed {
		if _, err := s.call(ctx, "observe_property", i+1, name); err != nil {
			return err
		}
	}
	for _, p := range []struct {
		name  string
		value any
	}{
		{"hwdec", s.film.HWDec}, {"audio-device", s.film.AudioDevice}, {"volume-max", max(100, s.film.VolumeMax)},
	} {
		if err := s.set(ctx, p.name, p.value); err != nil {
			return err
		}
	}
	files := []string{}
	for _, file := range s.film.Subtitles {
		files = append(files, file)
	}
	if _, err := s.call(ctx, "set_property", "sub-files", files); err != nil {
		return err
	}
	var outputs []struct{ Name string }
	data, err := s.call(ctx, "get_property", "ao")
	if err == nil {
		err = json.Unmarshal(data, &outputs)
	}
	s.silent = len(outputs) == 1 && outputs[0].Name == "null"
	return err
}

// steer makes mpv do what is wanted, as far as it can now.
func (s *session) steer(ctx context.Context) error {
	w := s.now
	if !w.On {
		if !s.loaded {
			return nil
		}
		if err := s.count(ctx); err != nil {
			return err
		}
		s.close()
		_, err := s.call(ctx, "stop")
		return err
	}
	if err := s.set(ctx, "volume", float64(w.Volume*s.film.VolumeMax)/100); err != nil {
		return err
	}
	if err := s.set(ctx, "audio-delay", -w.SoundLag.Duration().Seconds()); err != nil {
		return err
	}
	stands := !w.Playing || s.halt != nil
	if stands && s.open && s.sent["pause"] == false {
		if err := s.count(ctx); err != nil {
			return err
		}
	}
	if err := s.set(ctx, "pause", stands); err != nil {
		return err
	}
	if !s.loaded {
		return s.load(ctx)
	}
	if !s.open {
		return nil
	}
	// mpv ends a film of which it shall show and play nothing.
	if err := s.set(ctx, "vid", s.picture(w.Shown || !s.audible)); err != nil {
		return err
	}
	if err := s.set(ctx, "sid", s.subtitles(w.Subtitles)); err != nil {
		return err
	}
	if s.epoch != w.Epoch {
		s.epoch = w.Epoch
		return s.goTo(ctx, s.place)
	}
	return nil
}

func (s *session) picture(wanted bool) string {
	if wanted && !s.blind {
		return "auto"
	}
	return "no"
}

func (s *session) subtitles(lang string) any {
	if id, ok := s.tracks[lang]; ok {
		return id
	}
	return "no"
}

// load opens the film at the place where it should be. Where to begin is a property, not
// an option of loadfile: those have another place in 0.38 and later.
func (s *session) load(ctx context.Context) error {
	if time.Now().Before(s.retryLoad) {
		return nil
	}
	delete(s.sent, "sid")
	for name, value := range map[string]any{
		"start": fmt.Sprintf("%.3f", s.place.Duration().Seconds()),
		"sid":   "no",
		"vid":   s.picture(true), // whether there is sound is not known yet
	} {
		if err := s.set(ctx, name, value); err != nil {
			return err
		}
	}
	data, err := s.call(ctx, "loadfile", s.film.File)
	if err != nil {
		return err
	}
	var answer struct {
		Entry int64 `json:"playlist_entry_id"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return fmt.Errorf("the answer to loadfile: %w", err)
	}
	s.entry, s.epoch, s.loaded, s.arriving, s.asked = answer.Entry, s.now.Epoch, true, true, time.Now()
	s.dropped, s.droppedByDecoder, s.late = 0, 0, 0
	return nil
}

// close forgets the film that mpv had.
func (s *session) close() {
	s.loaded, s.open, s.arriving, s.ended, s.watching = false, false, false, false, false
	s.vo, s.ao = "", ""
}

func (s *session) goTo(ctx context.Context, to screening.Millis) error {
	s.arriving, s.asked, s.ended = true, time.Now(), false
	_, err := s.call(ctx, "seek", to.Duration().Seconds(), "absolute+exact")
	if refused(err) { // it has lost the film: the next turn opens it again, there
		s.close()
		return nil
	}
	return err
}

// hear takes an event in.
func (s *session) hear(ctx context.Context, e said) error {
	switch e.event {
	case "file-loaded":
		return s.opened(ctx)
	case "playback-restart":
		return s.arrived(ctx)
	case "end-file":
		return s.over(e.data)
	case "property-change":
		return s.changed(ctx, e)
	}
	return nil
}

func (s *session) opened(ctx context.Context) error {
	data, err := s.call(ctx, "get_property", "track-list")
	if refused(err) {
		return nil // it was stopped meanwhile
	}
	if err != nil {
		return err
	}
	var tracks []struct {
		ID   int64
		Type string
		File string `json:"external-filename"`
	}
	if err := json.Unmarshal(data, &tracks); err != nil {
		return fmt.Errorf("the list of tracks: %w", err)
	}
	s.open, s.audible, s.tracks = s.loaded, false, map[string]int64{}
	for _, t := range tracks {
		s.audible = s.audible || t.Type == "audio"
		for lang, file := range s.film.Subtitles {
			if t.Type == "sub" && t.File == file {
				s.tracks[lang] = t.ID
			}
		}
	}
	return nil
}

// arrived looks whether mpv is where it should be: this may be the end of an earlier jump.
func (s *session) arrived(ctx context.Context) error {
	if !s.arriving {
		return nil
	}
	at, ok, err := s.position(ctx)
	if err != nil || !ok {
		return err
	}
	onTheWay := screening.ToMillis(time.Since(s.asked))
	if at < s.place-1000 || at > s.place+onTheWay+1000 {
		return nil
	}
	s.arriving, s.loads, s.failure, s.moved = false, 0, "", time.Now()
	return nil
}

func (s *session) position(ctx context.Context) (at screening.Millis, ok bool, err error) {
	data, err := s.call(ctx, "get_property", "time-pos")
	if refused(err) || err == nil && data == nil {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	return decodeSeconds(data)
}

func decodeSeconds(data json.RawMessage) (screening.Millis, bool, error) {
	var seconds float64
	if err := json.Unmarshal(data, &seconds); err != nil {
		return 0, false, fmt.Errorf("a position: %w", err)
	}
	return screening.Millis(math.Round(seconds * 1000)), true, nil
}

// over takes in that the film is no longer in mpv.
func (s *session) over(data json.RawMessage) error {
	var end struct {
		Entry  int64 `json:"playlist_entry_id"`
		Reason string
		Error  string `json:"file_error"`
	}
	if err := json.Unmarshal(data, &end); err != nil {
		return fmt.Errorf("the end of a film: %w", err)
	}
	if end.Entry != s.entry || !s.loaded {
		return nil // one that we stopped
	}
	s.close()
	s.loads++
	s.failure = "mpv: " + end.Error
	// Where it can show no picture (the screen is gone) mpv gives up all of the film: the
	// second try is for its sound. A film that is broken fails in that too.
	s.blind = !s.blind
	if s.loads > 1 {
		s.retryLoad = time.Now().Add(beat << min(s.loads, 4))
	}
	return nil
}

func (s *session) changed(ctx context.Context, e said) error {
	if e.property == "time-pos" {
		return s.seen(ctx, e.data)
	}
	if e.data == nil { // it has none now: what was before still says how the film looked
		switch e.property {
		case "current-vo":
			s.vo = ""
		case "current-ao":
			s.ao = ""
		}
		return nil
	}
	into, ok := map[string]any{
		"eof-reached": &s.ended, "current-vo": &s.vo, "current-ao": &s.ao,
		"hwdec-current": &s.decoder, "video-format": &s.codec,
	}[e.property]
	switch {
	case ok:
		if err := json.Unmarshal(e.data, into); err != nil {
			return fmt.Errorf("property %s: %w", e.property, err)
		}
	case e.property == "duration":
		var err error
		s.duration, _, err = decodeSeconds(e.data)
		return err
	case e.property == "audio-device-list" && s.mute():
		s.retrySound = time.Now().Add(deviceRetry)
		_, err := s.call(ctx, "ao-reload")
		return err
	}
	if e.property == "eof-reached" && s.ended && s.arriving && s.place > s.duration-1000 { // sought to the very end
		s.arriving = false
	}
	return nil
}

// mute says that the film has sound and there is nothing that makes it.
func (s *session) mute() bool {
	return s.open && !s.arriving && s.audible && !s.silent && (s.ao == "" || s.ao == "null")
}

// dark says that the picture is wanted and there is nothing that shows it.
func (s *session) dark() bool { return s.open && s.now.Shown && !s.arriving && s.vo == "" }

// beat asks mpv where it is: the report of the film, and mpv's sign of life.
func (s *session) beat(ctx context.Context) error {
	at, ok, err := s.position(ctx)
	switch {
	case err != nil:
		return err
	case ok && !s.arriving && s.open:
		if err := s.reach(ctx, at); err != nil {
			return err
		}
	case s.arriving && time.Since(s.asked) > stuckAfter:
		return fmt.Errorf("mpv does not come to %s", s.place.Duration())
	case ok && s.open && s.arriving: // a sign that it has arrived may have been taken for that of an earlier jump
		if err := s.arrived(ctx); err != nil {
			return err
		}
	}
	if s.open && time.Since(s.counted) >= countEvery {
		if err := s.count(ctx); err != nil {
			return err
		}
	}
	s.report(true)
	return s.mend(ctx)
}

// mend tries devices again that do not tell when they are back.
func (s *session) mend(ctx context.Context) error {
	now := time.Now()
	if s.mute() && now.After(s.retrySound) {
		s.retrySound = now.Add(deviceRetry)
		if _, err := s.call(ctx, "ao-reload"); err != nil {
			return err
		}
	}
	if s.dark() && now.After(s.retryPicture) {
		s.retryPicture = now.Add(pictureRetry)
		s.blind, s.sent["vid"] = false, "auto"
		if s.audible {
			if _, err := s.call(ctx, "set_property", "vid", "no"); err != nil {
				return err
			}
		}
		if _, err := s.call(ctx, "set_property", "vid", "auto"); err != nil {
			return err
		}
	}
	return nil
}

// seen is told of every picture while a pause point is near.
func (s *session) seen(ctx context.Context, data json.RawMessage) error {
	if data == nil || s.arriving || !s.open {
		return nil
	}
	at, _, err := decodeSeconds(data)
	if err != nil {
		return err
	}
	return s.reach(ctx, at)
}

// reach takes in that the film is at a place, and halts it where it came over a pause point.
func (s *session) reach(ctx context.Context, at screening.Millis) error {
	from := s.place
	if at < from && from-at < 200 {
		at = from // begun a picture early: a pause point must not be come over again
	}
	if at != from {
		s.place, s.moved = at, time.Now()
	}
	w := s.now
	if !w.Playing || s.halt != nil {
		s.moved = time.Now()
		return s.watch(ctx, false)
	}
	if !s.ended && time.Since(s.moved) > stuckAfter {
		return fmt.Errorf("mpv stands at %s and says that it plays", at.Duration())
	}
	near := false
	if w.UsePausePoints {
		for n, point := range w.PausePoints {
			if from < point.At && point.At <= at && n+1 != w.Passed {
				s.halt = &n
				if err := s.set(ctx, "pause", true); err != nil {
					return err
				}
				s.report(true)
				return s.watch(ctx, false)
			}
			near = near || at < point.At && point.At-at <= nearPoint
		}
	}
	return s.watch(ctx, near)
}

// watchID is the id of the observation that comes and goes.
const watchID = 1000

// watch lets mpv tell of every picture, or not: it is dear.
func (s *session) watch(ctx context.Context, on bool) error {
	if s.watching == on {
		return nil
	}
	s.watching = on
	command := []any{"unobserve_property", watchID}
	if on {
		command = []any{"observe_property", watchID, "time-pos"}
	}
	_, err := s.call(ctx, command...)
	return err
}

func (s *session) state() PlayerState {
	switch {
	case s.loads >= mostLoads:
		return Failed
	case !s.now.On && s.place == 0:
		return Ready
	case !s.now.On:
		return Paused
	case !s.open || s.arriving:
		return Loading
	case s.ended:
		return Finish
	case s.now.Playing && s.halt == nil:
		return Playing
	}
	return Paused
}

// report tells what has changed, or where the film is.
func (s *session) report(anyway bool) {
	r := Report{
		Epoch: s.now.Epoch, State: s.state(), At: s.place, Duration: s.duration, PausePoint: s.halt,
		DroppedFrames: s.dropped, DroppedByDecoder: s.droppedByDecoder, LateFrames: s.late, Restarts: s.restarts,
		NoSound: s.mute(), NoPicture: s.dark(),
	}
	if s.codec != "" && s.decoder != "" {
		r.Decoder = s.codec + ", " + s.decoder
		r.Software = s.decoder == "no" && s.film.HWDec != "no"
	}
	if r.State == Failed {
		r.Error, r.GiveUp = s.failure, true
	}
	if r.State == Finish {
		r.At = max(r.At, s.duration)
	}
	plain := r
	plain.At, plain.DroppedFrames, plain.DroppedByDecoder, plain.LateFrames = 0, 0, 0, 0
	if plain == s.last && !anyway {
		return
	}
	s.last = plain
	s.reports.put(r)
}
