package config

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong in a configuration file.
type Problem struct {
	File string // "" when the Config did not come from a file
	Line int    // from 1; 0 when the key is not in the file
	Key  string // "poll.share_minimum", "attendance[2].key" (from 1), or "" when it is not about a key
	Say  string // what is wrong and what to write instead; goes on from Key: "is 0: give ..."
	// Katakan is Say in Indonesian, "" where there is only a general sentence.
	Katakan string
	// Used is the value that [Settle] took instead, or "" where there is none to show.
	Used string
}

// Notice gives the problem for the facilitator, by language code, with what is used instead.
func (p Problem) Notice() map[string]string {
	en, id := p.Error(), "Berkas "+p.File
	if p.Line > 0 {
		id += fmt.Sprintf(" baris %d", p.Line)
	}
	katakan := p.Katakan
	switch {
	case katakan != "":
	case p.Key != "":
		katakan = "tidak bisa dipakai: " + p.Say
	default:
		katakan = "tidak bisa dibaca: " + p.Say
	}
	if id += ": "; p.Key != "" {
		id += p.Key + " "
	}
	id += katakan
	if p.Used != "" {
		en += "; used instead: " + p.Used
		id += "; yang dipakai: " + p.Used
	}
	return map[string]string{"id": id + ".", "en": en + "."}
}

// Error gives the problem in one sentence: "kiosk.toml line 4: poll.share_minimum is 0: ...".
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, " line %d", p.Line)
	}
	if b.Len() > 0 {
		b.WriteString(": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + " ")
	}
	b.WriteString(p.Say)
	return b.String()
}

// Problems is everything that is wrong in a configuration file, in the order of its lines.
type Problems []Problem

// Error gives one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}
