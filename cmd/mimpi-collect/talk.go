package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/schollz/progressbar/v3"

	"mimpi-kiosk/internal/collect"
	"mimpi-kiosk/kiosk-ui/lang"
)

// line reads what a person types, without what comes after it.
func (p *program) line() string {
	if _, ok := p.in.(*bufio.Reader); !ok {
		p.in = bufio.NewReader(p.in)
	}
	s, _ := p.in.(*bufio.Reader).ReadString('\n') // at the end of the input nothing more is said
	return strings.TrimSpace(s)
}

// choose asks which stick is meant.
func (p *program) choose() ([]string, error) {
	found := p.sticks()
	if !p.terminal && !p.clicked {
		return nil, errors.New("sebutkan stik atau map, misalnya: mimpi-collect E:\\ / name a stick or a folder; mimpi-collect --help says more")
	}
	if len(found) == 0 {
		fmt.Fprint(p.out, "Tidak ada stik dengan map mimpi-kiosk. Tancapkan stik lalu jalankan lagi, atau ketik nama mapnya:\n"+
			"There is no stick with the folder mimpi-kiosk. Plug it in and run again, or type the folder's name:\n> ")
		if s := p.line(); s != "" {
			place, _ := collect.PlaceNamed(p.goos, s)
			return []string{strings.Trim(place, `"`)}, nil
		}
		return nil, errors.New("tidak ada yang dipilih / nothing was chosen")
	}
	fmt.Fprintln(p.out, "Stik yang ditemukan / Sticks found:")
	for i, s := range found {
		fmt.Fprintf(p.out, "  %d  %s\n", i+1, s)
	}
	fmt.Fprint(p.out, "Nomor, atau Enter untuk semua / Number, or Enter for all:\n> ")
	s := p.line()
	if s == "" {
		return found, nil
	}
	var out []string
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == ',' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > len(found) {
			return nil, fmt.Errorf("%q bukan nomor dari daftar / is no number of the list", word)
		}
		out = append(out, found[n-1])
	}
	return out, nil
}

// bar shows how far the reading is, to people who watch.
type bar struct {
	show bool
	to   io.Writer
	bar  *progressbar.ProgressBar
}

func (p *program) bar(quiet bool) *bar {
	return &bar{show: !quiet && (p.terminal || p.clicked), to: p.err}
}

func (b *bar) progress(done, all int) {
	if !b.show || all < 20 {
		return
	}
	if b.bar == nil {
		b.bar = progressbar.NewOptions(all, progressbar.OptionSetWriter(b.to), progressbar.OptionSetDescription("Membaca / Reading"),
			progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionThrottle(100e6), progressbar.OptionClearOnFinish())
	}
	_ = b.bar.Set(done) // only for the eye
}

func (b *bar) done() {
	if b.bar != nil {
		_ = b.bar.Finish() // only for the eye
	}
}

const mostTold = 20

// tell is the summary at the end.
func (p *program) tell(r *collect.Result, written []string, quiet bool) {
	if quiet {
		return
	}
	w := p.out
	fmt.Fprintln(w)
	for _, code := range []string{"id", "en"} {
		fmt.Fprintln(w, summary(code, r))
	}
	if n := r.Rehearsals; n > 0 {
		fmt.Fprintln(w, lang.Both(amount(n, lang.Text("collect.tell.rehearsals.one"), lang.Text("collect.tell.rehearsals.many", lang.Params{"n": n})), " / "))
	}
	for _, problem := range r.Problems[:min(len(r.Problems), mostTold)] {
		fmt.Fprintf(w, "\n%s: %s\n  %s %s\n  %s %s\n", lang.Both(mark(problem), " / "), printable(problem.Path),
			printable(problem.What.ID), printable(problem.Do.ID), printable(problem.What.EN), printable(problem.Do.EN))
	}
	if n := len(r.Problems) - mostTold; n > 0 {
		fmt.Fprintln(w, "\n"+lang.Both(amount(n, lang.Text("collect.tell.more.one"), lang.Text("collect.tell.more.many", lang.Params{"n": n})), " / "))
	}
	if len(written) > 0 {
		fmt.Fprintln(w, "\nDitulis / Written:")
		for _, name := range written {
			fmt.Fprintln(w, "  "+name)
		}
	}
	if len(r.Screenings) == 0 {
		fmt.Fprintln(w, "\nTidak ada pemutaran, jadi tidak ada yang ditulis. / There is no screening, so nothing was written.")
	}
}

// summary is what was read, in one line.
func summary(code string, r *collect.Result) string {
	t := r.Totals()
	return fmt.Sprintf("%s, %s, %s (%s, %s)",
		amount(t.Screenings, lang.Text("collect.tell.screenings.one"), lang.Text("collect.tell.screenings.many", lang.Params{"n": t.Screenings}))[code],
		amount(t.People, lang.Text("collect.tell.people.one"), lang.Text("collect.tell.people.many", lang.Params{"n": t.People}))[code],
		amount(len(r.Kiosks), lang.Text("collect.tell.kiosks.one"), lang.Text("collect.tell.kiosks.many", lang.Params{"n": len(r.Kiosks)}))[code],
		amount(r.Copies, lang.Text("collect.tell.copies.one"), lang.Text("collect.tell.copies.many", lang.Params{"n": r.Copies}))[code],
		lang.In(code, "collect.tell.twice", lang.Params{"n": r.Twice}))
}

// amount gives the words for one, or for another number.
func amount(n int, one, many map[string]string) map[string]string {
	if n == 1 {
		return one
	}
	return many
}

// mark says how bad a problem is.
func mark(p collect.Problem) map[string]string {
	switch {
	case p.Saved:
		return lang.Text("collect.tell.saved")
	case p.Level == collect.Missing:
		return lang.Text("collect.tell.missing")
	case p.Level == collect.Doubt:
		return lang.Text("collect.tell.doubt")
	}
	return lang.Text("collect.tell.note")
}

func (p *program) stored(s collect.Stored) {
	fmt.Fprintf(p.out, "\nBasis data: %d baru, %d diperbarui, %d sudah sama, %d di sana lebih lengkap\n", s.New, s.Changed, s.Same, s.Longer)
	fmt.Fprintf(p.out, "Database: %d new, %d brought up to date, %d the same, %d longer there\n", s.New, s.Changed, s.Same, s.Longer)
}

// printable keeps names from a stick from doing things to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
