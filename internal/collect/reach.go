package collect

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/kiosk-ui/lang"
)

// reach is how far the journal of a copy goes that does not count.
type reach struct {
	last   int64  // the highest number of an event that anything in the copy speaks of; 0: nothing does
	known  bool   // it goes no further than that
	events string // checksum of its events.jsonl; "" when it is not known
}

// within says whether the copy has nothing that the one which counts lacks, as far as
// anybody can know. A copy of unknown length has nothing more where the evening had ended
// in the one that counts.
func (r reach) within(counts *version, sound []*version) bool {
	if r.last > counts.LastEvent {
		return false
	}
	same := slices.ContainsFunc(sound, func(v *version) bool {
		return r.events != "" && v.events == r.events && v.LastEvent <= counts.LastEvent
	})
	return r.known || same || counts.EndedAt != ""
}

// measure finds out how far a copy goes that does not count, and puts it into its problems.
// What does not match its checksum is believed only where events.jsonl and summary.json
// say the same.
func (c *checked) measure(at *place) {
	sums, _, _ := sumsOf(at) // without it less is known
	if c.manifest != nil && sums[export.EventsFile] == "" {
		sums = nil
	}
	var r reach
	r.events = sums[export.EventsFile]
	summary, content := summaryOf(at)
	last, sum := lastEvent(at)
	wholeSummary := summary != nil && sums != nil && hexSum(content) == sums[export.SummaryFile]
	wholeEvents := last > 0 && sums != nil && sum == sums[export.EventsFile]
	if summary != nil {
		switch {
		case c.id == "" || wholeSummary:
			c.id = summary.Screening.ID
		case c.id != summary.Screening.ID: // one of the two is damaged too
			c.id = ""
		}
		r.last = summary.Events.Last
	}
	switch {
	case wholeSummary && wholeEvents:
		r.last, r.known = max(r.last, last), true
	case wholeSummary:
		r.known = true
	case wholeEvents:
		r.last, r.known = last, true
	default:
		r.known = last > 0 && last == r.last
		r.last = max(r.last, last)
	}
	c.reach = r
	for i := range c.problems {
		c.problems[i].reach, c.problems[i].Screening = r, c.id
	}
}

// summaryOf reads summary.json, whatever its checksum; nil when it is none of ours.
func summaryOf(at *place) (*export.Summary, []byte) {
	content, err := at.whole(export.SummaryFile, mostSummary)
	var s export.Summary
	if err != nil || json.Unmarshal(content, &s) != nil || s.Screening.ID == "" {
		return nil, nil
	}
	return &s, content
}

// lastEvent is the number of the last line of events.jsonl that can be read, 0 when there is
// none, and the checksum of the file, "" when not all of it can be read.
func lastEvent(at *place) (last int64, sum string) {
	f, _, err := at.open(export.EventsFile, mostEvents)
	if err != nil {
		return 0, ""
	}
	defer f.Close() // read only
	hash := sha256.New()
	lines := bufio.NewReaderSize(io.TeeReader(io.LimitReader(f, mostEvents+1), hash), 64<<10)
	for begins := true; ; {
		line, err := lines.ReadSlice('\n')
		if seq, _, ok := cutSeq(line); ok && begins {
			last = seq
		}
		begins = err == nil
		if errors.Is(err, io.EOF) {
			return last, hex.EncodeToString(hash.Sum(nil))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return last, ""
		}
	}
}

// settle puts the problems into order and says which of them did no harm: those of copies of
// which another one counts that is no shorter.
func (r *Result) settle(counts map[string]*version, sound map[string][]*version) {
	for i := range r.Problems {
		p := &r.Problems[i]
		v := counts[p.Screening]
		if p.Level != Missing || !p.Kind.spoils() || p.foreign || v == nil {
			continue
		}
		if p.reach.within(v, sound[p.Screening]) {
			p.Level, p.Saved = Note, true
			continue
		}
		p.Level = Doubt
		if p.reach.last > v.LastEvent {
			p.What = p.What.and(words(lang.Text("collect.shorter.known", lang.Params{"path": v.path, "n": v.LastEvent, "last": p.reach.last})))
		} else {
			p.What = p.What.and(words(lang.Text("collect.shorter.unknown", lang.Params{"path": v.path})))
		}
		p.Do = words(lang.Text("collect.shorter.do"))
	}
	slices.SortStableFunc(r.Problems, func(a, b Problem) int {
		if a.Level != b.Level {
			return int(b.Level - a.Level)
		}
		return strings.Compare(a.Path, b.Path)
	})
}
