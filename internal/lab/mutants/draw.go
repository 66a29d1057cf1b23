package main

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// site is a place in the code and a fault that can be made there.
type site struct {
	Path     string // of the package: "mimpi-kiosk/internal/web"
	Package  string // the same, short
	Func     string // "(*Server).serve"; outside of functions the declared name
	Operator string
	Nth      int    // among those that are the same in all this but Line
	File     string // below the module's root, with slashes
	Line     int    // the first that is changed
	Before   string // that line, its white space made one
	After    string

	edits []edit
}

// edit puts text in place of bytes of a file; edits of a site do not overlap and are in order.
type edit struct {
	from, to int
	text     string
}

// apply gives the file with the fault in it.
func (s *site) apply(source []byte) []byte {
	var out bytes.Buffer
	at := 0
	for _, e := range s.edits {
		out.Write(source[at:e.from])
		out.WriteString(e.text)
		at = e.to
	}
	out.Write(source[at:])
	return out.Bytes()
}

// key is what a judgement is kept under: it stays the same when other code changes.
func (s *site) key() string {
	return strings.Join([]string{s.Package, s.Func, s.Operator, strconv.Itoa(s.Nth), s.Before, s.After}, "\t")
}

// number tells apart the sites of a package that are the same in name, operator and text.
func number(sites []site) {
	seen := map[string]int{}
	for i := range sites {
		s := &sites[i]
		s.Nth = 0
		k := s.key()
		seen[k]++
		s.Nth = seen[k]
	}
}

// draw puts lines that have sites in a random order and draws one site of each: first one of its
// operators, then a site. So each line of the code is as likely as any other.
func draw(sites []site, seed uint64) []site {
	random := rand.New(rand.NewPCG(seed, 0))
	var lines [][]site
	for i, s := range sites {
		if i > 0 && s.File == sites[i-1].File && s.Line == sites[i-1].Line {
			lines[len(lines)-1] = append(lines[len(lines)-1], s)
			continue
		}
		lines = append(lines, []site{s})
	}
	random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	drawn := make([]site, 0, len(lines))
	for _, line := range lines {
		var operators []string
		for _, s := range line {
			if !slices.Contains(operators, s.Operator) {
				operators = append(operators, s.Operator)
			}
		}
		operator := operators[random.IntN(len(operators))]
		of := slices.DeleteFunc(slices.Clone(line), func(s site) bool { return s.Operator != operator })
		drawn = append(drawn, of[random.IntN(len(of))])
	}
	return drawn
}
