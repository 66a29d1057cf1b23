package export

import (
	"encoding/json"

	"mimpi-kiosk/internal/screening"
)

// Summary is summary.json: the totals of one screening. Times are in WITA, ISO 8601.
type Summary struct {
	SchemaVersion int               `json:"schemaVersion"`
	Kiosk         string            `json:"kiosk"`
	PublicKey     string            `json:"publicKey,omitempty"` // of the kiosk, as minisign writes it; "" when nothing is signed
	AppVersion    string            `json:"appVersion"`
	Screening     ScreeningSummary  `json:"screening"`
	Film          FilmSummary       `json:"film"`
	Attendance    AttendanceSummary `json:"attendance"`
	Questions     []QuestionSummary `json:"questions"` // those that were asked
	Quality       QualitySummary    `json:"quality"`
	// Note is how it went, in the codes of screening.NoteLists; no free text.
	Note   screening.EveningNoted `json:"note"`
	Events EventsSummary          `json:"events"`
}

// ScreeningSummary says where, when and for whom.
type ScreeningSummary struct {
	ID             string  `json:"id"`
	Rehearsal      bool    `json:"rehearsal"`
	Programme      string  `json:"programme"`
	Regency        string  `json:"regency"`
	KodeKemendagri string  `json:"kodeKemendagri"` // "53.18"
	KodeBPS        string  `json:"kodeBps"`        // "5317"
	Venue          string  `json:"venue"`
	Audience       string  `json:"audience"`
	Label          string  `json:"label"`
	HeldAt         string  `json:"heldAt"`
	StartedAt      string  `json:"startedAt"`
	StartedClock   string  `json:"startedClock"` // how that time is known
	EndedAt        *string `json:"endedAt"`      // null while it goes on
	EndedClock     string  `json:"endedClock,omitempty"`
	Step           string  `json:"step"`
}

// FilmSummary says how far the film came; milliseconds.
type FilmSummary struct {
	ID       string           `json:"id"`
	Title    screening.Text   `json:"title"`
	Finished bool             `json:"finished"` // it was shown whole, see screening.Showing
	At       screening.Millis `json:"at"`
	Duration screening.Millis `json:"duration"`
	Shown    ShownSummary     `json:"shown"`
}

// ShownSummary says how the film looked, all stretches of it together. The last moments
// before a power failure are not in it.
type ShownSummary struct {
	Player           screening.PlayerKind `json:"player"`  // that played last: "mpv", "browser", "" when nothing was played
	Decoder          string               `json:"decoder"` // "h264, v4l2m2m-copy"; "" when unknown
	Played           screening.Millis     `json:"played"`
	Dropped          int64                `json:"dropped"`          // pictures that came too late to be shown
	DroppedByDecoder int64                `json:"droppedByDecoder"` // that were not even decoded, to catch up
	Late             int64                `json:"late"`             // shown, but late
	Restarts         int                  `json:"restarts"`         // of the player
}

// AttendanceSummary says who came.
type AttendanceSummary struct {
	Total      int               `json:"total"`
	Disability *int              `json:"disability"` // of those who were asked; null when nobody was
	Categories []CategorySummary `json:"categories"`
}

// CategorySummary counts one category: net = pressed - undone + corrected + rows.
type CategorySummary struct {
	ID        string         `json:"id"`
	Label     screening.Text `json:"label"`
	Sex       string         `json:"sex"`
	Age       string         `json:"age"`
	Pressed   int            `json:"pressed"`
	Undone    int            `json:"undone"`
	Corrected int            `json:"corrected"`
	Rows      int            `json:"rows"`
	Net       int            `json:"net"`
}

// QuestionSummary is one question with its rounds.
type QuestionSummary struct {
	ID      string                 `json:"id"`
	Kind    screening.QuestionKind `json:"kind"`
	Text    screening.Text         `json:"text"`
	Options []OptionSummary        `json:"options"`
	Rounds  []RoundSummary         `json:"rounds"`

	// AnswerShownEarly says that the right answer was shown before the film had ended, so
	// that no round is "before" or "after".
	AnswerShownEarly bool `json:"answerShownEarly,omitempty"`
}

// OptionSummary is one option.
type OptionSummary struct {
	ID    string         `json:"id"`
	Text  screening.Text `json:"text"`
	Right bool           `json:"right"`
}

// RoundSummary is one asking. Counts are people per option, raised hands included.
type RoundSummary struct {
	N         int                       `json:"n"`
	Step      screening.Step            `json:"step"`
	Phase     screening.RoundPhase      `json:"phase"` // which figure it belongs to; "" when nobody answered
	OpenedAt  string                    `json:"openedAt"`
	Ballots   int                       `json:"ballots"` // people, the skipped ones included
	Skipped   int                       `json:"skipped"`
	Counts    map[string]int            `json:"counts"`
	Hands     map[string]int            `json:"hands"` // the part of counts that was raised hands
	ByChannel map[screening.Channel]int `json:"byChannel"`
}

// QualitySummary is what a reader of the numbers should know.
type QualitySummary struct {
	Notes        []string `json:"notes"`        // as in the column data_quality
	ClockSources []string `json:"clockSources"` // how the times are known
	Restarts     int      `json:"restarts"`
	ClockSet     int      `json:"clockSet"` // how often
	Corrections  int      `json:"corrections"`

	Buttons ButtonsSummary `json:"buttons"`
}

// ButtonsSummary says how far the count of the buttons can be trusted. What the
// facilitator did about it is among the corrections.
type ButtonsSummary struct {
	PressesLost      int              `json:"pressesLost"`
	PressesSuspected int              `json:"pressesSuspected"` // counted, and perhaps made by a plug
	Unheard          screening.Millis `json:"unheard"`          // how long nobody listened to the buttons
}

// EventsSummary says what events.jsonl must hold: from the ScreeningPlanned, which is
// number First, to Last each number once, but for those of replaced ballots.
type EventsSummary struct {
	First           int64 `json:"first"`
	Last            int64 `json:"last"`
	Lines           int   `json:"lines"` // of the file, those before First included
	ReplacedBallots int   `json:"replacedBallots"`
}

func (e *evening) summary() ([]byte, error) {
	b, err := json.MarshalIndent(e.sum, "", "  ")
	return append(b, '\n'), err
}

func (e *evening) totals() Summary {
	s := e.state.Screening
	r := s.Regency()
	started, startedClock := e.when(s.PlannedAt)
	out := Summary{
		SchemaVersion: schemaVersion, Kiosk: e.kiosk, PublicKey: e.key.Public(), AppVersion: e.version,
		Screening: ScreeningSummary{
			ID: s.ID, Rehearsal: s.Rehearsal, Programme: s.Programme.Pack,
			Regency: r.Name, KodeKemendagri: r.Kemendagri, KodeBPS: r.BPS,
			Venue: s.Details.Venue, Audience: string(s.Details.Audience), Label: s.Details.Label,
			HeldAt: iso(e.heldAt()), StartedAt: started, StartedClock: startedClock, Step: string(e.state.Step),
		},
		Film: FilmSummary{
			ID: s.Programme.Film.ID, Title: s.Programme.Film.Title,
			Finished: e.state.Showing.Ended != 0, At: e.state.Playback.At, Duration: e.state.Playback.Duration,
			Shown: ShownSummary(e.state.Shown),
		},
		Attendance: AttendanceSummary{
			Total: e.state.Attendance.Total(), Disability: e.state.Attendance.Disability, Categories: []CategorySummary{},
		},
		Questions: []QuestionSummary{},
		Quality: QualitySummary{
			Notes: append([]string{}, e.quality()...), ClockSources: e.clocks,
			Restarts: e.starts, ClockSet: e.set, Corrections: e.fixes, Buttons: e.buttons,
		},
		Note:   e.state.Note,
		Events: EventsSummary{Last: e.state.Seq, Lines: len(e.events), ReplacedBallots: e.left},
	}
	if s.EndedAt != nil {
		at, known := e.when(*s.EndedAt)
		out.Screening.EndedAt, out.Screening.EndedClock = &at, known
	}
	for _, l := range e.events {
		if l.Kind == (screening.ScreeningPlanned{}).Kind() {
			out.Events.First = l.Seq
			break
		}
	}
	for i, c := range e.state.Attendance.Categories {
		p := s.Programme.Categories[i]
		out.Attendance.Categories = append(out.Attendance.Categories, CategorySummary{
			ID: c.ID, Label: p.Label, Sex: p.Sex, Age: p.Age,
			Pressed: c.Pressed + c.Undone, Undone: c.Undone, Corrected: c.Corrected, Rows: c.Rows, Net: c.Total(),
		})
	}
	for _, q := range e.state.Questions {
		if len(q.Rounds) > 0 {
			out.Questions = append(out.Questions, e.question(q))
		}
	}
	return out
}

func (e *evening) question(q screening.QuestionState) QuestionSummary {
	asked := e.state.Asked(q.ID)
	out := QuestionSummary{ID: q.ID, Kind: asked.Kind, Text: asked.Text, AnswerShownEarly: e.state.Spoilt(&q)}
	for _, o := range asked.Options {
		out.Options = append(out.Options, OptionSummary{ID: o.ID, Text: o.Text, Right: o.Right})
	}
	phases := e.state.Phases(&q)
	for i, r := range q.Rounds {
		opened, _ := e.when(e.opened[asking{q.ID, r.N}])
		round := RoundSummary{
			N: r.N, Step: r.Step, Phase: phases[i], OpenedAt: opened, Ballots: r.Ballots, Skipped: r.Skipped,
			Counts: map[string]int{}, Hands: map[string]int{}, ByChannel: r.ByChannel,
		}
		for i, o := range asked.Options {
			round.Counts[o.ID] = r.Counts[i]
			if r.Hands != nil {
				round.Hands[o.ID] = r.Hands[i]
			}
		}
		out.Rounds = append(out.Rounds, round)
	}
	return out
}
