package pack

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"mimpi-kiosk/internal/screening"
)

// Mistake is one thing in a pack that its editor has to put right. Every Mistake
// that [Load] or [LoadFilm] finds can be had with errors.As or by unwrapping.
type Mistake struct {
	File string         // relative to the folder that was read, with forward slashes
	Line int            // 1 is the first; 0 when it cannot be pinned to a line
	What screening.Text // what is wrong and what to do, in "id" and "en"
}

// Error gives "FILE:LINE: English (Indonesian)" on one line.
func (m *Mistake) Error() string {
	where := m.File
	if m.Line > 0 {
		where += ":" + strconv.Itoa(m.Line)
	}
	return fmt.Sprintf("%s: %s (%s)", where, m.What["en"], m.What["id"])
}

// mistakes gathers what is wrong with a pack, so that its editor sees all of it at once.
type mistakes struct {
	found []*Mistake
}

// add notes a mistake. Both formats get the same arguments.
func (m *mistakes) add(file string, line int, id, en string, args ...any) {
	m.found = append(m.found, &Mistake{
		File: file,
		Line: line,
		What: screening.Text{"id": fmt.Sprintf(id, args...), "en": fmt.Sprintf(en, args...)},
	})
}

// err joins the mistakes, those of one file together and in the order of its
// lines; nil when there is none.
func (m *mistakes) err() error {
	rank := map[string]int{}
	for _, mistake := range m.found {
		if _, ok := rank[mistake.File]; !ok {
			rank[mistake.File] = len(rank)
		}
	}
	sorted := slices.SortedStableFunc(slices.Values(m.found), func(a, b *Mistake) int {
		return cmp.Or(rank[a.File]-rank[b.File], a.Line-b.Line)
	})
	errs := make([]error, len(sorted))
	for i, mistake := range sorted {
		errs[i] = mistake
	}
	return errors.Join(errs...)
}
