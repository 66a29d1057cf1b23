// Package paper makes what is printed for an evening, as PDF: the sheet and cards with QR
// codes and help numbers for the tables by the door, and our own short guide for
// facilitators. It holds the words of that guide.
//
// Nothing in it waits, keeps anything or knows the kiosk: what is printed is given. Letters
// are those of Western Windows (cp1252), which Indonesian and the languages of NTT are
// written with; others are printed as a dot.
package paper

import (
	"bytes"
	"fmt"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"github.com/skip2/go-qrcode"
)

// Code is a QR code on paper.
type Code struct {
	Title   string // what it is for
	Caption string // what it holds, for those who type
	Content string
}

// Number is a number to call.
type Number struct {
	Name  string
	Tel   string
	Hours string // may be empty
	Note  string // when it was checked, or that it was not
}

// Sheet is what is printed for the tables by the door, in one language.
type Sheet struct {
	Lang      string
	Title     string
	Line      string // under the title: what to keep in mind
	Codes     []Code
	Numbers   []Number
	Statement string // who wrote this; small, at the foot
	Made      time.Time
}

const (
	a4Wide, a4High = 210.0, 297.0 // mm
	font           = "Helvetica"
)

// page is a PDF while it is drawn.
type page struct {
	*fpdf.Fpdf
	in func(string) string // UTF-8 to the font's letters
}

func newPage(lang, title string, made time.Time) page {
	p := fpdf.New("P", "mm", "A4", "")
	p.SetCatalogSort(true) // the same words make the same bytes
	p.SetCreationDate(made)
	p.SetModificationDate(made)
	p.SetTitle(title, true)
	p.SetLang(lang)
	p.SetAutoPageBreak(false, 0)
	return page{p, p.UnicodeTranslatorFromDescriptor("")}
}

func (p page) bytes() ([]byte, error) {
	var out bytes.Buffer
	if err := p.Output(&out); err != nil {
		return nil, fmt.Errorf("make the PDF: %w", err)
	}
	return out.Bytes(), nil
}

// words writes text into a column and gives the height that it took.
func (p page) words(x, y, w, size float64, style, align, text string) float64 {
	if text == "" {
		return 0
	}
	p.SetFont(font, style, size)
	line := size * 0.3528 * 1.22
	p.SetXY(x, y)
	p.MultiCell(w, line, p.in(text), "", align, false)
	return p.GetY() - y
}

// qr draws a code with its quiet zone.
func (p page) qr(x, y, size float64, content string) error {
	code, err := qrcode.New(content, qrcode.Medium)
	if err != nil {
		return fmt.Errorf("encode %q: %w", content, err)
	}
	bitmap := code.Bitmap()
	module := size / float64(len(bitmap))
	p.SetFillColor(0, 0, 0)
	for row, line := range bitmap {
		for from := 0; from < len(line); from++ {
			if !line[from] {
				continue
			}
			to := from
			for to < len(line) && line[to] {
				to++
			}
			// A hair wider, so that no printer leaves a white line between two rows.
			p.Rect(x+float64(from)*module, y+float64(row)*module, float64(to-from)*module+0.02, module+0.02, "F")
			from = to
		}
	}
	return nil
}

// Cards gives a PDF of two pages: an A4 sheet to put up, and four cards of A6 to cut out
// and take home. The error says which code cannot be drawn.
func Cards(s Sheet) ([]byte, error) {
	p := newPage(s.Lang, s.Title, s.Made)
	p.AddPage()
	if err := p.sheet(s); err != nil {
		return nil, err
	}
	p.AddPage()
	p.SetDrawColor(150, 150, 150)
	p.SetLineWidth(0.2)
	p.SetDashPattern([]float64{1.5, 1.5}, 0)
	p.Line(a4Wide/2, 0, a4Wide/2, a4High)
	p.Line(0, a4High/2, a4Wide, a4High/2)
	p.SetDashPattern(nil, 0)
	for i := range 4 {
		if err := p.card(float64(i%2)*a4Wide/2, float64(i/2)*a4High/2, s); err != nil {
			return nil, err
		}
	}
	return p.bytes()
}

func (p page) sheet(s Sheet) error {
	const margin = 18.0
	y := margin
	y += p.words(margin, y, a4Wide-2*margin, 30, "B", "L", s.Title) + 2
	y += p.words(margin, y, a4Wide-2*margin, 16, "", "L", s.Line) + 6
	size := min(72.0, (a4Wide-2*margin)/float64(max(1, len(s.Codes)))-6)
	below := y
	for i, c := range s.Codes {
		x := margin + float64(i)*(size+6)
		if err := p.qr(x, y, size, c.Content); err != nil {
			return err
		}
		at := y + size + 1
		at += p.words(x, at, size, 14, "B", "C", c.Title)
		at += p.words(x, at, size, 10, "", "C", c.Caption)
		below = max(below, at)
	}
	y = below + 6
	p.numbers(margin, y, a4Wide-2*margin, a4High-margin-12-y, 20, s.Numbers)
	p.words(margin, a4High-margin-6, a4Wide-2*margin, 8, "", "L", s.Statement)
	return nil
}

func (p page) card(x, y float64, s Sheet) error {
	const margin = 7.0
	w := a4Wide/2 - 2*margin
	at := y + margin
	at += p.words(x+margin, at, w, 13, "B", "L", s.Title)
	at += p.words(x+margin, at, w, 9, "", "L", s.Line) + 2
	if len(s.Codes) > 0 {
		c := s.Codes[0]
		const size = 34.0
		if err := p.qr(x+margin-2, at, size, c.Content); err != nil {
			return err
		}
		side := at + 6
		side += p.words(x+margin+size, side, w-size, 11, "B", "L", c.Title) + 1
		p.words(x+margin+size, side, w-size, 8, "", "L", c.Caption)
		at += size + 1
	}
	p.numbers(x+margin, at, w, y+a4High/2-margin-6-at, 12, s.Numbers)
	p.words(x+margin, y+a4High/2-margin-5, w, 5.5, "", "L", s.Statement)
	return nil
}

// numbers lists the numbers, each smaller when they would not fit.
func (p page) numbers(x, y, w, high, size float64, all []Number) {
	for ; size > 5; size *= 0.93 {
		if p.numbersAt(x, y, w, size, all, false) <= high {
			break
		}
	}
	p.numbersAt(x, y, w, size, all, true)
}

// numbersAt gives the height of the list, and draws it when it is told to.
func (p page) numbersAt(x, y, w, size float64, all []Number, draw bool) float64 {
	at := y
	line := func(size float64, style, text string) {
		if text == "" {
			return
		}
		if draw {
			at += p.words(x, at, w, size, style, "L", text)
			return
		}
		p.SetFont(font, style, size)
		at += float64(len(p.SplitLines([]byte(p.in(text)), w))) * size * 0.3528 * 1.22
	}
	for _, n := range all {
		line(size, "B", n.Tel)
		line(size*0.62, "", n.Name)
		note := n.Note
		if n.Hours != "" {
			note = n.Hours + " · " + note
		}
		line(size*0.5, "I", note)
		at += size * 0.12
	}
	return at - y
}
