package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"mimpi-kiosk/internal/screening"
)

// message is what a screen sends: an id, the name of a command, and its fields.
type message struct {
	ID        string `json:"id"`
	Do        string `json:"do"`
	Screening string `json:"screening"`
	fields    json.RawMessage
}

// decodeMessage reads the frame of a websocket message. The error is for the log and
// for the screen's developer: no person makes such a message by hand.
func decodeMessage(data []byte) (message, error) {
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		return message{}, fmt.Errorf("not a message: %w", err)
	}
	if m.ID == "" || len(m.ID) > 64 {
		return message{}, errors.New("a message needs an id of 1 to 64 characters")
	}
	m.fields = data
	return m, nil
}

// wish is a kind of command that a screen may send.
type wish struct {
	from   []role
	decode func(json.RawMessage) (screening.Command, error)
}

// wishes lists every command that can come in by websocket, and from whom. Commands
// of the player and of the daemon itself are not among them.
var wishes = map[string]wish{
	"castBallot":        command[screening.CastBallot](touchRole, voteRole),
	"countAttendee":     command[screening.CountAttendee](touchRole, facilitatorRole),
	"undoCount":         command[screening.UndoCount](touchRole, facilitatorRole),
	"planScreening":     command[screening.PlanScreening](facilitatorRole),
	"editDetails":       command[screening.EditDetails](facilitatorRole),
	"moveTo":            command[screening.MoveTo](facilitatorRole),
	"openDoors":         command[screening.OpenDoors](facilitatorRole),
	"closeDoors":        command[screening.CloseDoors](facilitatorRole),
	"correctAttendance": command[screening.CorrectAttendance](facilitatorRole),
	"settleDoubt":       command[screening.SettleDoubt](facilitatorRole),
	"countRow":          command[screening.CountRow](facilitatorRole),
	"recordDisability":  command[screening.RecordDisability](facilitatorRole),
	"openQuestion":      command[screening.OpenQuestion](facilitatorRole),
	"closeQuestion":     command[screening.CloseQuestion](facilitatorRole),
	"showResults":       command[screening.ShowResults](facilitatorRole),
	"revealQuestion":    command[screening.RevealQuestion](facilitatorRole),
	"dismissQuestion":   command[screening.DismissQuestion](facilitatorRole),
	"countHands":        command[screening.CountHands](facilitatorRole),
	"showRunningTotals": command[screening.ShowRunningTotals](facilitatorRole),
	"allowPhones":       command[screening.AllowPhones](facilitatorRole),
	"readAloud":         command[screening.ReadAloud](facilitatorRole),
	"setStage":          command[screening.SetStage](facilitatorRole),
	"playFilm":          command[screening.PlayFilm](facilitatorRole),
	"pauseFilm":         command[screening.PauseFilm](facilitatorRole),
	"seekFilm":          command[screening.SeekFilm](facilitatorRole),
	"setVolume":         command[screening.SetVolume](facilitatorRole),
	"setSubtitles":      command[screening.SetSubtitles](facilitatorRole),
	"usePausePoints":    command[screening.UsePausePoints](facilitatorRole),
	"setSoundLag":       command[screening.SetSoundLag](facilitatorRole),
	"noteEvening":       command[screening.NoteEvening](facilitatorRole),
	"setClock":          command[screening.SetClock](facilitatorRole),
}

// command decodes the fields into the command itself: JSON names match the Go names
// whatever their case.
func command[C screening.Command](from ...role) wish {
	return wish{from, func(data json.RawMessage) (screening.Command, error) {
		var c C
		err := json.Unmarshal(data, &c)
		return c, err
	}}
}

// decodeCommand gives the command of a message from a screen of this role, filled
// in only with what that screen may say.
func decodeCommand(m message, from role) (screening.Command, error) {
	w, ok := wishes[m.Do]
	if !ok {
		return nil, fmt.Errorf("there is no command %q", m.Do)
	}
	if !slices.Contains(w.from, from) {
		return nil, fmt.Errorf("%s may not send %s", from, m.Do)
	}
	c, err := w.decode(m.fields)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.Do, err)
	}
	return c, nil
}

// encodeCommand is the other way round, for the commands that Next proposes.
func encodeCommand(c screening.Command) map[string]any {
	switch c := c.(type) {
	case screening.MoveTo:
		return map[string]any{"do": "moveTo", "step": c.Step}
	case screening.OpenQuestion:
		return map[string]any{"do": "openQuestion", "question": c.Question, "newRound": c.NewRound}
	case screening.CloseQuestion:
		return map[string]any{"do": "closeQuestion", "question": c.Question}
	case screening.ShowResults:
		return map[string]any{"do": "showResults", "question": c.Question}
	case screening.RevealQuestion:
		return map[string]any{"do": "revealQuestion", "question": c.Question}
	case screening.DismissQuestion:
		return map[string]any{"do": "dismissQuestion"}
	case screening.PlayFilm:
		return map[string]any{"do": "playFilm"}
	}
	return nil
}

// PlayerReport is what the browser's film player on /stage sees now; the fields are
// those of protocol.ts.
type PlayerReport struct {
	Epoch         int64            `json:"epoch"`
	State         string           `json:"state"`
	At            screening.Millis `json:"at"`
	Duration      screening.Millis `json:"duration"`
	PausePoint    *int             `json:"pausePoint"`
	DecodedFrames int64            `json:"decodedFrames"`
	DroppedFrames int64            `json:"droppedFrames"`
	Error         string           `json:"error"`
}

func decodeReport(m message) (PlayerReport, error) {
	var r PlayerReport
	err := json.Unmarshal(m.fields, &r)
	return r, err
}
