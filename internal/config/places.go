package config

import (
	"fmt"
	"strings"
)

// places are the lines that keys stand on: the decoder knows them but does not tell.
// A file of an unusual shape (keys in one-line tables, texts over several lines) may
// give a key no line or a neighbouring one; only the sentence to the reader suffers.
type places map[string]int

func placesIn(text string) places {
	found := places{}
	entries := map[string]int{}
	table := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(strings.TrimPrefix(line, "\ufeff"))
		switch {
		case strings.HasPrefix(line, "[["):
			name, _, _ := strings.Cut(line[2:], "]")
			name = plainKey(name)
			entries[name]++
			table = fmt.Sprintf("%s[%d].", name, entries[name])
			found.add(strings.TrimSuffix(table, "."), i+1)
		case strings.HasPrefix(line, "["):
			name, _, _ := strings.Cut(line[1:], "]")
			table = plainKey(name) + "."
			found.add(plainKey(name), i+1)
		case strings.HasPrefix(line, "#"):
		default:
			if key, _, ok := strings.Cut(line, "="); ok {
				found.add(table+plainKey(key), i+1)
			}
		}
	}
	return found
}

// add keeps the first line of a key, with the number of its entry and without.
func (p places) add(key string, line int) {
	for _, k := range []string{key, withoutNumbers(key)} {
		if _, ok := p[k]; !ok {
			p[k] = line
		}
	}
}

// line gives the line of a key, else that of what it stands in, else 0. A key
// without the number of its entry ("attendance.kye") is the first of that name.
func (p places) line(key string) int {
	if line, ok := p[key]; ok {
		return line
	}
	if table, _ := splitKey(key); table != "" {
		return p.line(table)
	}
	return p[withoutNumbers(key)]
}

// plainKey takes blanks and quotes out of a key: ` wifi . "name" ` is wifi.name.
func plainKey(key string) string {
	parts := strings.Split(key, ".")
	for i, part := range parts {
		parts[i] = strings.Trim(strings.TrimSpace(part), `"'`)
	}
	return strings.Join(parts, ".")
}

func withoutNumbers(key string) string {
	before, after, numbered := strings.Cut(key, "[")
	if !numbered {
		return key
	}
	_, after, _ = strings.Cut(after, "]")
	return before + after
}
