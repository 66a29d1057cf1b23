package collect

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mimpi-kiosk/internal/collect/province"
	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// mixture is what was read of evenings of all sorts, and their journals.
type mixture struct {
	*Result
	journals map[string][]screening.Recorded // by screening
}

// mixed collects evenings with all that can happen at one: a question that was not asked, or
// only before the film; raised hands; skipped answers; several rounds; notes; disability asked
// and not asked; counts by rows and corrections; small groups; a rehearsal; restarts; text that
// a spreadsheet would take for a formula. Two are there twice, one of those copies is damaged.
func mixed(t *testing.T) *mixture {
	t.Helper()
	m := &mixture{journals: map[string][]screening.Recorded{}}
	stick, second, key := t.TempDir(), t.TempDir(), newKey(t)
	rehearsals := 0
	for n := range 24 {
		e := province.Make(3, n, province.Size{People: 60, Ballots: 260})
		switch n % 5 {
		case 0:
			e.Journal = replayed(e.Journal, notAsking("visa", screening.PollBefore, screening.Discussion))
		case 1:
			e.Journal = replayed(e.Journal, withHands)
		case 2:
			e.Journal = replayed(e.Journal, notAsking("contract", screening.Discussion))
		}
		if n%7 == 3 {
			e.Journal = replayed(e.Journal, inOtherWords)
		}
		if n == 4 {
			e.Journal = replayed(e.Journal, atStrangeVenue)
		}
		if e.Facts[0].Rehearsal {
			rehearsals++
		}
		m.journals[e.ID] = e.Journal
		signed := key
		if n%3 == 0 {
			signed = nil
		}
		write(t, e, stick, signed)
		switch n {
		case 6:
			write(t, e, second, signed)
		case 8:
			folder := write(t, e, second, signed)
			if err := os.WriteFile(filepath.Join(folder, "attendance.csv"), []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for seed := range uint64(3) {
		k := journaltest.Evenings(seed+20, 2, 500)
		for id, journal := range byScreening(k.Events) {
			e := &province.Evening{ID: fmt.Sprintf("random-%d-%s", seed, id), Kiosk: "kiosk-1", Journal: renamed(journal, fmt.Sprintf("random-%d-%s", seed, id))}
			m.journals[e.ID] = e.Journal
			write(t, e, stick, key)
			if planned(e.Journal).Rehearsal {
				rehearsals++
			}
		}
	}
	m.Result = collect(t, Options{Rehearsals: true}, stick, second)
	expect(t, m.Result, 30, "doubt checksum")
	if rehearsals == 0 || rehearsals > 12 || m.Twice != 2 {
		t.Fatalf("%d rehearsals, %d copies seen twice: the test shows nothing", rehearsals, m.Twice)
	}
	return m
}

// replayed changes the events of a journal: of each comes what change returns. They get new numbers.
func replayed(journal []screening.Recorded, change func(screening.Recorded) []screening.Recorded) []screening.Recorded {
	var out []screening.Recorded
	number := map[int64]int64{}
	next := journal[0].Seq
	for _, r := range journal {
		if u, ok := r.Event.(screening.CountUndone); ok {
			u.Of = number[u.Of]
			r.Event = u
		}
		for _, changed := range change(r) {
			number[r.Seq] = next
			changed.Seq = next
			next++
			out = append(out, changed)
		}
	}
	return out
}

// notAsking leaves out the asking of a question in these steps of province's evenings, where the
// first round is before the film.
func notAsking(question string, steps ...screening.Step) func(screening.Recorded) []screening.Recorded {
	gone := func(q string, round int) bool {
		step := screening.Discussion
		if round == 1 {
			step = screening.PollBefore
		}
		return q == question && slices.Contains(steps, step)
	}
	return func(r screening.Recorded) []screening.Recorded {
		out := []screening.Recorded{r}
		switch e := r.Event.(type) {
		case screening.QuestionOpened:
			if gone(e.Question, e.Round) {
				out = nil
			}
		case screening.QuestionClosed:
			if gone(e.Question, e.Round) {
				out = nil
			}
		case screening.BallotCast:
			if gone(e.Question, e.Round) {
				out = nil
			}
		}
		return out
	}
}

// withHands raises hands at the end of every round.
func withHands(r screening.Recorded) []screening.Recorded {
	if e, ok := r.Event.(screening.QuestionClosed); ok {
		hands := r
		hands.Event = screening.HandsCounted{Question: e.Question, Round: e.Round, Counts: map[string]int{"a": 7, "b": 3}}
		return []screening.Recorded{hands, r}
	}
	return []screening.Recorded{r}
}

// inOtherWords asks a question in words of its own, and few people answer it.
func inOtherWords(r screening.Recorded) []screening.Recorded {
	if p, ok := r.Event.(screening.ScreeningPlanned); ok {
		p.Programme.Questions = slices.Clone(p.Programme.Questions)
		for i := range p.Programme.Questions {
			if q := &p.Programme.Questions[i]; q.ID == "help" {
				q.Text = screening.Text{"id": "Siapa menolong?", "en": "Who helps?"}
			}
		}
		r.Event = p
	}
	if b, ok := r.Event.(screening.BallotCast); ok && b.Question == "help" && r.Seq%17 != 0 {
		return nil
	}
	return []screening.Recorded{r}
}

func atStrangeVenue(r screening.Recorded) []screening.Recorded {
	if p, ok := r.Event.(screening.ScreeningPlanned); ok {
		p.Details.Venue, p.Details.Label = "=HYPERLINK(\"http://x\";1)", "two\nlines; \"quoted\" & <b>"
		r.Event = p
	}
	return []screening.Recorded{r}
}

// byScreening takes the journal of a kiosk apart.
func byScreening(journal []screening.Recorded) map[string][]screening.Recorded {
	out := map[string][]screening.Recorded{}
	now := ""
	for _, r := range journal {
		if p, ok := r.Event.(screening.ScreeningPlanned); ok {
			now = p.Screening
		}
		if now != "" && (r.Screening == now || r.Screening == "") {
			out[now] = append(out[now], r)
		}
	}
	return out
}

func renamed(journal []screening.Recorded, id string) []screening.Recorded {
	out := slices.Clone(journal)
	for i := range out {
		if out[i].Screening != "" {
			out[i].Screening = id
		}
		if p, ok := out[i].Event.(screening.ScreeningPlanned); ok {
			p.Screening = id
			out[i].Event = p
		}
	}
	return out
}

func planned(journal []screening.Recorded) screening.ScreeningPlanned {
	for _, r := range journal {
		if p, ok := r.Event.(screening.ScreeningPlanned); ok {
			return p
		}
	}
	return screening.ScreeningPlanned{}
}

// TestScreeningsAreThoseOfTheJournals compares all that was read with what the rules make of
// the journals, and with the words of summary.json.
func TestScreeningsAreThoseOfTheJournals(t *testing.T) {
	m := mixed(t)
	saw := map[string]int{}
	for _, got := range m.Screenings {
		s := screening.NewState()
		for _, r := range m.journals[got.ID] {
			s.Apply(r)
		}
		p := s.Screening.Programme
		want := Screening{
			ID: s.Screening.ID, Kiosk: s.Kiosk, Rehearsal: s.Screening.Rehearsal, Programme: p.Pack,
			FilmID: p.Film.ID, FilmTitle: words(p.Film.Title), FilmFinished: s.Showing.Ended != 0,
			Regency: s.Screening.Regency().Name, KodeKemendagri: s.Screening.Regency().Kemendagri, KodeBPS: s.Screening.Regency().BPS,
			Venue: s.Screening.Details.Venue, Audience: string(s.Screening.Details.Audience), Label: s.Screening.Details.Label,
			Disability: s.Attendance.Disability, LastEvent: s.Seq, Note: s.Note,
		}
		if got.Kiosk == "" || want.Kiosk == "" {
			want.Kiosk = planned(m.journals[got.ID]).Kiosk
		}
		for i, c := range s.Attendance.Categories {
			def := p.Categories[i]
			want.Groups = append(want.Groups, Group{&Category{def.ID, words(def.Label), def.Sex, def.Age}, c.Pressed + c.Undone, c.Undone, c.Corrected, c.Rows, c.Total()})
		}
		for _, q := range s.Questions {
			asked := s.Asked(q.ID)
			def := &Question{Programme: p.Pack, ID: q.ID, Kind: asked.Kind, Text: words(asked.Text)}
			for _, o := range asked.Options {
				def.Options = append(def.Options, Option{o.ID, words(o.Text), o.Right})
			}
			if len(q.Rounds) == 0 {
				saw["unasked"]++
			}
			phases := s.Phases(&q)
			for i, r := range q.Rounds {
				round := Round{Question: def, N: r.N, Step: r.Step, Phase: phases[i], Ballots: r.Ballots, Skipped: r.Skipped, Counts: r.Counts, Hands: r.Hands}
				for _, c := range screening.Channels {
					if n := r.ByChannel[c]; n > 0 {
						round.Channels = append(round.Channels, Channel{string(c), n})
						saw[string(c)] += n
					}
				}
				saw["skipped"] += r.Skipped
				want.Rounds = append(want.Rounds, round)
			}
		}
		opts := cmp.Options{
			cmpopts.EquateEmpty(),
			cmpopts.IgnoreUnexported(Screening{}),
			cmpopts.IgnoreFields(Screening{}, "HeldAt", "StartedAt", "EndedAt", "Clock", "Quality", "AppVersion", "Digest", "Key", "Path", "Copies"),
		}
		if diff := cmp.Diff(want, *got, opts); diff != "" {
			t.Errorf("%s (-journal +read):\n%s", got.ID, diff)
		}
		for name, value := range map[string]string{
			"screening.heldAt": got.HeldAt, "screening.startedAt": got.StartedAt, "screening.endedAt": got.EndedAt, "appVersion": got.AppVersion,
			"quality.clockSources": got.Clock, "quality.notes": got.Quality, "publicKey": got.Key,
		} {
			if written := inSummary(t, got.Path, name); written != value {
				t.Errorf("%s: %s is %q, in summary.json %q", got.ID, name, value, written)
			}
		}
		copies := 1
		if got.ID == "s-000003000006" || got.ID == "s-000003000008" {
			copies = 2
		}
		if got.Copies != copies || got.Digest == "" {
			t.Errorf("%s: %d copies, want %d; digest %q", got.ID, got.Copies, copies, got.Digest)
		}
	}
	for _, what := range []string{"unasked", "skipped", "touch", "phone", "button", "hands"} {
		if saw[what] == 0 {
			t.Errorf("no %s in any evening: the test shows nothing", what)
		}
	}
}

// inSummary reads a value of a summary.json without knowing its Go type; lists are joined by ','.
func inSummary(t *testing.T, folder, name string) string {
	t.Helper()
	var value any
	if err := json.Unmarshal([]byte(read(t, folder, export.SummaryFile)), &value); err != nil {
		t.Fatal(err)
	}
	for key := range strings.SplitSeq(name, ".") {
		value = value.(map[string]any)[key]
	}
	switch v := value.(type) {
	case nil:
		return ""
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, fmt.Sprint(one))
		}
		return strings.Join(all, ",")
	}
	return fmt.Sprint(value)
}
