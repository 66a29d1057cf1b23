package config

import (
	"strings"

	"mimpi-kiosk/kiosk-ui/lang"
)

// Problem is one thing that is wrong in a configuration file.
type Problem struct {
	File string // "" when the Config did not come from a file
	Line int    // from 1; 0 when the key is not in the file
	Key  string // "poll.share_minimum", "attendance[2].key" (from 1), or "" when it is not about a key
	// Say is what is wrong and what to write instead, by language code. It goes on from
	// Key: "is 0: give ...".
	Say map[string]string
	// Used is the value that [Settle] took instead, or "" where there is none to show.
	Used string
}

// Notice gives the problem for the facilitator, by language code, with what is used instead.
func (p Problem) Notice() map[string]string {
	return eachLanguage(func(code string) string {
		sentence := p.sentence(code)
		if p.Used != "" {
			sentence = strings.TrimSuffix(sentence, "?") + "; " + lang.In(code, "config.used", lang.Params{"value": p.Used})
		}
		if strings.HasSuffix(sentence, "?") {
			return sentence
		}
		return sentence + "."
	})
}

// Error gives the problem in one English sentence: "kiosk.toml line 4: poll.share_minimum
// is 0: ...".
func (p Problem) Error() string { return p.sentence("en") }

func (p Problem) sentence(code string) string {
	var b strings.Builder
	switch {
	case p.File == "":
	case p.Line > 0:
		b.WriteString(lang.In(code, "config.file_line", lang.Params{"file": p.File, "line": p.Line}) + ": ")
	default:
		b.WriteString(lang.In(code, "config.file", lang.Params{"file": p.File}) + ": ")
	}
	if p.Key != "" {
		b.WriteString(p.Key + " ")
	}
	b.WriteString(p.Say[code])
	return b.String()
}

// eachLanguage makes a sentence in every language of the product, where a part of it is a
// sentence itself.
func eachLanguage(say func(code string) string) map[string]string {
	out := map[string]string{}
	for code := range lang.Text("language.name") {
		out[code] = say(code)
	}
	return out
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
