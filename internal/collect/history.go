package collect

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"hash/maphash"
	"io"
	"slices"
	"strings"
	"time"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
)

// history is a journal as it was read, in a form that can be compared.
type history struct {
	planned int64 // number of the ScreeningPlanned
	kiosk   string
	last    int64 // number of the last line
	lines   int   // from planned on
	unknown int   // events of a newer program
	prints  []fingerprint
	rounds  []roundPrint
	state   *screening.State // nil once it was compared

	phases    map[string][]screening.RoundPhase // by question, of its rounds
	notes     []string                          // export.FiguresQuality
	wholeFilm bool                              // the film was shown whole
}

// figures keeps what the figures need of the state.
func (h *history) figures() {
	h.phases = map[string][]screening.RoundPhase{}
	for i := range h.state.Questions {
		if q := &h.state.Questions[i]; len(q.Rounds) > 0 {
			h.phases[q.ID] = h.state.Phases(q)
		}
	}
	h.notes, h.wholeFilm = export.FiguresQuality(h.state), h.state.Showing.Ended != 0
}

// phase gives the phase of round i of a question. A newer kiosk knows better than this
// program, which does not know all of its events.
func (h *history) phase(question string, i int, r export.RoundSummary) screening.RoundPhase {
	if all := h.phases[question]; i < len(all) && (h.unknown == 0 || !slices.Contains(screening.RoundPhases, r.Phase)) {
		return all[i]
	}
	if slices.Contains(screening.RoundPhases, r.Phase) {
		return r.Phase
	}
	return screening.NoRound
}

// quality adds to the words of a summary those about its figures: older kiosks do not
// write them.
func (h *history) quality(words []string) []string {
	out := slices.Clone(words)
	for _, word := range h.notes {
		if !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// fingerprint stands for an event that is no ballot.
type fingerprint struct {
	seq  int64
	hash uint64 // of all of it; compared within one run
	step uint32 // of when and how it happened; the same for ever
}

// trail stands for the journal up to an event, the same in every version of this program:
// the content of events is left out of it, since later versions may know more of it.
func (h *history) trail(last int64) string {
	sum := fnv.New64a()
	var b [12]byte
	for _, p := range h.prints {
		if p.seq > last {
			break
		}
		binary.LittleEndian.PutUint64(b[:], uint64(p.seq))
		binary.LittleEndian.PutUint32(b[8:], p.step)
		sum.Write(b[:])
	}
	return fmt.Sprintf("%016x", sum.Sum64())
}

// roundPrint stands for the ballots of a round.
type roundPrint struct {
	question string
	round    int
	opened   int64 // number of the last QuestionOpened
	closed   int64 // number of the last QuestionClosed, 0 for none
	ballots  int
	sum      uint64 // of all ballots, in any order
}

// seed makes fingerprints that nobody can aim at; they are compared within one run.
var seed = maphash.MakeSeed()

// history reads and checks events.jsonl; nil when it cannot count.
func (r *reader) history(ctx context.Context, c *checked, at *place, sum string) *history {
	f, _, err := at.open(export.EventsFile, mostEvents)
	if err != nil {
		c.unreadable(export.EventsFile, err)
		return nil
	}
	defer f.Close() // read only
	hash := sha256.New()
	h, err := readHistory(ctx, io.TeeReader(io.LimitReader(f, mostEvents+1), hash))
	if err == nil || errors.As(err, new(nonsense)) {
		if _, rerr := io.CopyBuffer(struct{ io.Writer }{hash}, struct{ io.Reader }{io.LimitReader(f, mostEvents)}, r.buffer); rerr != nil {
			err = rerr
		}
	}
	wrong := new(nonsense)
	switch {
	case ctx.Err() != nil:
		return nil
	case err != nil && !errors.As(err, wrong):
		c.unreadable(export.EventsFile, err)
		return nil
	case hex.EncodeToString(hash.Sum(nil)) != sum:
		c.changed(export.EventsFile)
		return nil
	case err != nil:
		c.wrong(Missing, Journal, say("Jurnal tidak bisa dipakai: %v.", "The journal cannot be used: %v.", err), askForFresh)
		return nil
	}
	return h
}

// nonsense is what no kiosk writes.
type nonsense struct{ what string }

func (n nonsense) Error() string { return n.what }

func absurd(format string, args ...any) error { return nonsense{fmt.Sprintf(format, args...)} }

// readHistory reads the lines of an events.jsonl and lets the rules say what they come to.
func readHistory(ctx context.Context, from io.Reader) (*history, error) {
	h := &history{state: screening.NewState()}
	lines := bufio.NewReaderSize(from, 64<<10)
	var long []byte
	var last decoded
	for n := 1; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		line, err := lines.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			long = append(long[:0], line...)
			for errors.Is(err, bufio.ErrBufferFull) && len(long) <= mostLine {
				line, err = lines.ReadSlice('\n')
				long = append(long, line...)
			}
			line = long
		}
		if len(line) > mostLine {
			return nil, absurd("line %d is too long", n)
		}
		if errors.Is(err, io.EOF) && len(line) == 0 {
			break
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if err := last.decode(line); err != nil {
			return nil, absurd("line %d: %v", n, err)
		}
		if err := h.add(&last); err != nil {
			return nil, err
		}
	}
	if h.planned == 0 {
		return nil, absurd("no screening was planned in it")
	}
	h.figures()
	return h, nil
}

// decoded is a line. A ballot is often the same as the one before but for its number and the
// phone's: then what was decoded stands.
type decoded struct {
	export.Line
	event screening.Event // nil when it is not known

	// Of a ballot: the line after its number, or what stands before and after the phone's.
	before, after []byte
	phone         bool
}

var seqPrefix = []byte(`{"seq":`)

func (d *decoded) decode(line []byte) error {
	seq, rest, ok := cutSeq(line)
	if ok && d.repeats(rest) {
		d.Seq = seq
		return nil
	}
	d.Line, d.event, d.before = export.Line{}, nil, d.before[:0]
	if err := json.Unmarshal(line, &d.Line); err != nil {
		return err
	}
	if d.Seq < 1 {
		return fmt.Errorf("its number is %d", d.Seq)
	}
	event, err := screening.DecodeEvent(d.Kind, d.Data)
	if errors.As(err, new(screening.UnknownEvent)) {
		return nil
	}
	if err != nil {
		return err
	}
	d.event = event
	if b, isBallot := event.(screening.BallotCast); isBallot && ok && seq == d.Seq {
		d.keep(rest, b)
	}
	return nil
}

// repeats says whether rest is that of the ballot before, and takes over its phone's number.
func (d *decoded) repeats(rest []byte) bool {
	if len(d.before) == 0 {
		return false
	}
	rest, ok := bytes.CutPrefix(rest, d.before)
	if !ok || !d.phone {
		return ok && len(rest) == 0
	}
	n := digits(rest)
	if n == 0 || !bytes.Equal(rest[n:], d.after) {
		return false
	}
	b := d.event.(screening.BallotCast)
	b.Voter = string(rest[:n])
	d.event = b
	return true
}

// keep remembers a ballot for the next line. A phone's number is left out where nothing else
// in the line can be taken for it.
func (d *decoded) keep(rest []byte, b screening.BallotCast) {
	d.phone = false
	before, after, found := bytes.Cut(rest, voterPrefix)
	n := digits(after)
	if b.Voter != "" && (!found || n != len(b.Voter) || string(after[:n]) != b.Voter || n == len(after) || after[n] != '"' ||
		bytes.IndexByte(rest, '\\') >= 0 || bytes.Count(bytes.ToLower(rest), []byte("voter")) > 1) {
		return
	}
	if b.Voter == "" {
		d.before = append(d.before, rest...)
		return
	}
	d.before = append(append(d.before, before...), voterPrefix...)
	d.after = append(d.after[:0], after[n:]...)
	d.phone = true
}

var voterPrefix = []byte(`"voter":"`)

// digits counts those that b begins with.
func digits(b []byte) int {
	n := 0
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return n
}

// cutSeq reads the number from the beginning of a line as kiosks write it. The rest is
// all after the number.
func cutSeq(line []byte) (seq int64, rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(line, seqPrefix)
	if !ok {
		return 0, nil, false
	}
	for i, c := range rest {
		switch {
		case c >= '0' && c <= '9' && i < 18:
			seq = seq*10 + int64(c-'0')
		case c == ',' && seq > 0 && rest[0] != '0':
			return seq, rest[i:], true
		default:
			return 0, nil, false
		}
	}
	return 0, nil, false
}

func (h *history) add(d *decoded) error {
	if d.Seq <= h.last {
		return absurd("event %d comes after event %d", d.Seq, h.last)
	}
	h.last = d.Seq
	if p, ok := d.event.(screening.ScreeningPlanned); ok {
		if h.planned != 0 {
			return absurd("two screenings are in it, %s at event %d", p.Screening, d.Seq)
		}
		if p.Screening != d.Screening {
			return absurd("event %d is of another screening", d.Seq)
		}
		h.planned, h.kiosk = d.Seq, cmp.Or(p.Kiosk, h.state.Kiosk)
	}
	if h.planned != 0 {
		h.lines++
	}
	switch e := d.event.(type) {
	case screening.QuestionOpened:
		h.round(e.Question, e.Round).opened = d.Seq
	case screening.QuestionClosed:
		h.round(e.Question, e.Round).closed = d.Seq
	}
	if b, ok := d.event.(screening.BallotCast); ok {
		h.addBallot(b)
	} else {
		f, err := printOf(d)
		if err != nil {
			return err
		}
		h.prints = append(h.prints, f)
	}
	if d.event == nil {
		h.unknown++
		return nil
	}
	h.state.Apply(screening.Recorded{
		Seq: d.Seq, Stamp: screening.Stamp{At: d.At, Boot: d.Boot, Mono: d.Mono, Clock: d.Clock},
		Screening: d.Screening, From: d.From, Event: d.event,
	})
	return nil
}

// printOf leaves out the wall clock, which may be put right later, and fields that this
// version does not know, which an older kiosk does not write.
func printOf(d *decoded) (fingerprint, error) {
	data := []byte(d.Data)
	if d.event != nil {
		var err error
		if data, err = json.Marshal(d.event); err != nil {
			return fingerprint{}, absurd("event %d: %v", d.Seq, err)
		}
	}
	var hash maphash.Hash
	hash.SetSeed(seed)
	step := fnv.New32a()
	for _, s := range []string{d.Kind, string(d.From), d.Boot, d.Screening} {
		hash.WriteString(s)
		hash.WriteByte(0)
		io.WriteString(step, s+"\x00")
	}
	var mono [8]byte
	binary.LittleEndian.PutUint64(mono[:], uint64(d.Mono))
	hash.Write(mono[:])
	step.Write(mono[:])
	hash.Write(data)
	return fingerprint{d.Seq, hash.Sum64(), step.Sum32()}, nil
}

func (h *history) addBallot(b screening.BallotCast) {
	r := h.round(b.Question, b.Round)
	r.ballots++
	r.sum += maphash.String(seed, string(b.Channel)+"\x00"+strings.Join(b.Choices, "\x00"))
}

func (h *history) round(question string, n int) *roundPrint {
	for i := len(h.rounds) - 1; i >= 0; i-- {
		if h.rounds[i].question == question && h.rounds[i].round == n {
			return &h.rounds[i]
		}
	}
	h.rounds = append(h.rounds, roundPrint{question: strings.Clone(question), round: n})
	return &h.rounds[len(h.rounds)-1]
}

// beginningOf says whether h is the beginning of the longer journal, and how it is not.
func (h *history) beginningOf(longer *history) bool {
	if len(h.prints) > len(longer.prints) || !slices.Equal(h.prints, longer.prints[:len(h.prints)]) {
		return false
	}
	if len(longer.prints) > len(h.prints) && longer.prints[len(h.prints)].seq <= h.last {
		return false
	}
	for _, r := range h.rounds {
		i := slices.IndexFunc(longer.rounds, func(l roundPrint) bool { return l.question == r.question && l.round == r.round })
		if i < 0 {
			return false
		}
		// A round that went on afterwards may have other ballots: a phone votes anew.
		l := longer.rounds[i]
		over := longer.last == h.last || l.opened < l.closed && l.closed <= h.last
		if over && (l.ballots != r.ballots || l.sum != r.sum) {
			return false
		}
	}
	return true
}

// differs says in which figure a summary is not what the journal comes to, "" in none.
func (h *history) differs(s *export.Summary) string {
	state := h.state
	if state.Screening == nil || state.Screening.ID != s.Screening.ID || state.Screening.Rehearsal != s.Screening.Rehearsal ||
		state.Screening.Details.Venue != s.Screening.Venue || state.Screening.Regency().Kemendagri != s.Screening.KodeKemendagri {
		return "screening"
	}
	if why := h.differsInDetails(s); why != "" {
		return why
	}
	a := s.Attendance
	if len(a.Categories) != len(state.Attendance.Categories) || !same(a.Disability, state.Attendance.Disability) {
		return "attendance"
	}
	total := 0
	for i, c := range state.Attendance.Categories {
		g := a.Categories[i]
		if g.ID != c.ID || g.Net != c.Total() || g.Pressed != c.Pressed+c.Undone || g.Undone != c.Undone || g.Corrected != c.Corrected || g.Rows != c.Rows ||
			g.Sex != state.Screening.Programme.Categories[i].Sex || g.Age != state.Screening.Programme.Categories[i].Age || impossible(g.Net) {
			return "attendance of " + c.ID
		}
		total += g.Net
	}
	if total != a.Total || a.Disability != nil && impossible(*a.Disability) {
		return "attendance"
	}
	asked := 0
	for _, q := range state.Questions {
		if len(q.Rounds) > 0 {
			asked++
		}
	}
	if asked != len(s.Questions) {
		return "questions"
	}
	for _, q := range s.Questions {
		if !roundsAgree(state.Question(q.ID), state.Asked(q.ID), q) {
			return "question " + q.ID
		}
	}
	for i, codes := range s.Note.Codes() {
		if !slices.Equal(codes, state.Note.Codes()[i]) {
			return "note"
		}
	}
	return ""
}

// differsInDetails looks at what says where, when and for whom.
func (h *history) differsInDetails(s *export.Summary) string {
	in, details, regency := s.Screening, h.state.Screening.Details, h.state.Screening.Regency()
	switch {
	case s.Kiosk != h.kiosk:
		return "kiosk"
	case in.Programme != h.state.Screening.Programme.Pack:
		return "programme"
	case in.Regency != regency.Name || in.KodeBPS != regency.BPS:
		return "regency"
	case in.Audience != string(details.Audience) || in.Label != details.Label:
		return "audience"
	}
	held, err := time.Parse(time.RFC3339, in.HeldAt)
	if err != nil || !details.HeldAt.IsZero() && !held.Equal(details.HeldAt.Truncate(time.Second)) {
		return "heldAt"
	}
	if _, err := time.Parse(time.RFC3339, in.StartedAt); err != nil {
		return "startedAt"
	}
	ended := h.state.Screening.EndedAt != nil
	if in.EndedAt == nil {
		if ended {
			return "endedAt"
		}
		return ""
	}
	if _, err := time.Parse(time.RFC3339, *in.EndedAt); err != nil || !ended {
		return "endedAt"
	}
	return ""
}

func roundsAgree(q *screening.QuestionState, asked *screening.Question, s export.QuestionSummary) bool {
	if q == nil || asked == nil || len(q.Rounds) != len(s.Rounds) || len(asked.Options) != len(s.Options) {
		return false
	}
	for i, o := range asked.Options {
		if s.Options[i].ID != o.ID || s.Options[i].Right != o.Right {
			return false
		}
	}
	for i, r := range q.Rounds {
		g := s.Rounds[i]
		if g.N != r.N || g.Step != r.Step || g.Ballots != r.Ballots || g.Skipped != r.Skipped || impossible(g.Ballots) || impossible(g.Skipped) || g.Skipped > g.Ballots {
			return false
		}
		for j, o := range asked.Options {
			if g.Counts[o.ID] != r.Counts[j] || impossible(r.Counts[j]) {
				return false
			}
		}
	}
	return true
}

// impossible is a number of people that no hall holds.
func impossible(n int) bool { return n < 0 || n > 1_000_000 }

func same(a, b *int) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}
