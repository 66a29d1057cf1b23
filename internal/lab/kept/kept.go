// Package kept reads from a journal how far the people of a lab had come: those who
// press, vote, correct and show the film while the power fails or the clock jumps. It reads
// with SQL alone, not with the rules that the kiosk goes by.
package kept

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mimpi-kiosk/internal/lab/oracle"
)

// Kept is what a journal has.
type Kept struct {
	Counts  map[string]int // who pressed, voted or corrected how often: each command once, and none missing before the last
	People  int            // counted, less those undone
	Step    string         // of the evening; "" before it was moved
	Film    int            // where the film is, in milliseconds
	Playing bool           // it ran
	Open    bool           // a question can be answered
}

// ID is the id of somebody's nth command.
func ID(who string, n int) string { return fmt.Sprint(ours, who, "-", n) }

const ours = "lab-"

// Read reads the journal of a kiosk that has ended, or a copy of it. It is an error when that
// is not sound, its times or numbers do not run on, or a command is there twice or not in order.
func Read(ctx context.Context, journal string) (*Kept, error) {
	verdict, err := (&oracle.History{}).Judge(ctx, journal)
	if err == nil && len(verdict.Others) > 0 {
		err = errors.New(strings.Join(verdict.Others, "; "))
	}
	if err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite3", "file:"+journal)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `SELECT seq, kind, source, coalesce(command, ''), coalesce(data ->> 'category', ''),
		coalesce(data ->> 'to', ''), coalesce(data ->> 'at', 0) FROM events ORDER BY seq`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	k := &Kept{Counts: map[string]int{}}
	for rows.Next() {
		var seq int64
		var kind, source, command, category, to string
		var at int
		if err := rows.Scan(&seq, &kind, &source, &command, &category, &to, &at); err != nil {
			return nil, err
		}
		switch kind {
		case "AttendeeCounted":
			k.People++
			if source == "buttons" {
				k.Counts["press-"+category]++
			}
		case "CountUndone":
			k.People--
		case "StepChanged":
			k.Step = to
		case "QuestionOpened", "QuestionClosed":
			k.Open = kind == "QuestionOpened"
		case "FilmPlayed", "FilmPaused", "FilmPositionNoted", "FilmFinished":
			k.Film = at
			if kind != "FilmPositionNoted" {
				k.Playing = kind == "FilmPlayed"
			}
		}
		if who, n, counts := parse(command); counts {
			if k.Counts[who]++; n != k.Counts[who] {
				return nil, fmt.Errorf("event %d is command %s, and %d were there before: one is missing or counted twice", seq, command, k.Counts[who]-1)
			}
		}
	}
	return k, rows.Err()
}

// parse takes an id of ID apart.
func parse(command string) (who string, n int, counts bool) {
	rest, is := strings.CutPrefix(command, ours)
	at := strings.LastIndexByte(rest, '-')
	if !is || at < 0 {
		return "", 0, false
	}
	n, err := strconv.Atoi(rest[at+1:])
	return rest[:at], n, err == nil
}
