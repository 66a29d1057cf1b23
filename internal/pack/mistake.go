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
	File string         `json:"file"` // relative to the folder that was read, with forward slashes
	Line int            `json:"line"` // 1 is the first; 0 when it cannot be pinned to a line
	What screening.Text `json:"what"` // what is wrong and what to do, in "id" and "en"
	Part string         `json:"part"` // what it is about: one of the Part constants, set by [Verify]
}

// What a [Mistake] is about. They are the names of the parts on the health board.
const (
	PartPack      = "pack_check" // all that is none of the following
	PartPlaces    = "pack_places"
	PartNumbers   = "help_numbers"
	PartGuidebook = "guidebook"
	PartFilm      = "film"
	PartLanguages = "languages" // texts, pictures and recordings that are left out or missing
)

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
	notes []*Mistake // what the editor should know; the pack can be used all the same
}

// add notes a mistake. Both formats get the same arguments.
func (m *mistakes) add(file string, line int, id, en string, args ...any) {
	m.found = append(m.found, mistake(file, line, id, en, args...))
}

// note notes what is no mistake. Both formats get the same arguments.
func (m *mistakes) note(file string, line int, id, en string, args ...any) {
	m.notes = append(m.notes, mistake(file, line, id, en, args...))
}

func mistake(file string, line int, id, en string, args ...any) *Mistake {
	return &Mistake{File: file, Line: line, What: screening.Text{"id": fmt.Sprintf(id, args...), "en": fmt.Sprintf(en, args...)}}
}

// about marks what add adds as being about the part.
func (m *mistakes) about(part string, add func()) {
	mistakes, notes := len(m.found), len(m.notes)
	add()
	for _, found := range [][]*Mistake{m.found[mistakes:], m.notes[notes:]} {
		for _, one := range found {
			one.Part = part
		}
	}
}

// inOrderOfFiles puts those of one file together and in the order of its lines.
func inOrderOfFiles(found []*Mistake) []*Mistake {
	rank := map[string]int{}
	for _, m := range found {
		if _, ok := rank[m.File]; !ok {
			rank[m.File] = len(rank)
		}
	}
	return slices.SortedStableFunc(slices.Values(found), func(a, b *Mistake) int {
		return cmp.Or(rank[a.File]-rank[b.File], a.Line-b.Line)
	})
}

// err joins the mistakes; nil when there is none.
func (m *mistakes) err() error {
	errs := make([]error, 0, len(m.found))
	for _, found := range inOrderOfFiles(m.found) {
		errs = append(errs, found)
	}
	return errors.Join(errs...)
}
