package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// class is what a person says of a survivor.
type class string

const (
	equivalent class = "equivalent" // the program does the same
	boundary   class = "boundary"   // it differs only exactly at a limit that nobody meets
	wording    class = "wording"    // of a log line, or of a text for those who build it
	speed      class = "speed"      // only that, and nobody waits for it
	cosmetic   class = "cosmetic"   // looks: a person could notice and nothing is wrong
	real       class = "real"       // a person could meet it: a test is missing
	unjudged   class = "unjudged"   // nobody has said yet
)

var classes = []class{equivalent, boundary, wording, speed, cosmetic, real}

// met: a person could meet it, as far as anybody knows.
func (c class) met() bool { return c == cosmetic || c == real || c == unjudged }

// judgements are the classes of survivors by [site.key].
type judgements map[string]class

// readJudged reads lines of eight fields with a tab between them: class, the six of [site.key], and why.
// Empty lines and those that begin with # are left out; a file that is missing is empty.
func readJudged(name string) (judgements, error) {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return judgements{}, nil
	}
	if err != nil {
		return nil, err
	}
	j := judgements{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		text := lines.Text()
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		fields := strings.Split(text, "\t")
		if len(fields) != 8 || fields[7] == "" {
			return nil, fmt.Errorf("%s:%d: a line has eight fields, a tab between them: class, package, function, operator, number, line, changed line, why", name, n)
		}
		if !slices.Contains(classes, class(fields[0])) {
			return nil, fmt.Errorf("%s:%d: class %q: it is one of %q", name, n, fields[0], classes)
		}
		key := strings.Join(fields[1:7], "\t")
		if j[key] != "" {
			return nil, fmt.Errorf("%s:%d: judged twice", name, n)
		}
		j[key] = class(fields[0])
	}
	return j, lines.Err()
}

// stale gives the judgements of code that is no longer there.
func (j judgements) stale(sites []site) []string {
	there := map[string]bool{}
	for _, s := range sites {
		there[s.key()] = true
	}
	var gone []string
	for key := range j {
		if !there[key] {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	return gone
}
