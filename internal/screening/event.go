package screening

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Stamp says when something happened, as well as an offline kiosk can know.
type Stamp struct {
	At    time.Time   `json:"at"`    // wall clock, UTC, whole milliseconds; may be wrong, see Clock
	Boot  string      `json:"boot"`  // id of this boot of the machine
	Mono  Millis      `json:"mono"`  // since that boot; never runs backwards within it
	Clock ClockSource `json:"clock"` // how At is known
}

// ClockSource says how the wall time of a Stamp is known.
type ClockSource string

const (
	ClockUnset    ClockSource = "unset"    // nobody has vouched for it
	ClockOperator ClockSource = "operator" // the facilitator confirmed it in this boot
	ClockRTC      ClockSource = "rtc"      // a real-time clock with a battery gave it
	ClockSynced   ClockSource = "synced"   // the machine says that it is synchronised over the network (NTP)
)

// Rank says which of two sources to believe: the higher one.
func (c ClockSource) Rank() int {
	return slices.Index([]ClockSource{ClockUnset, ClockRTC, ClockOperator, ClockSynced}, c)
}

// Recorded is an event as it stands in the journal.
type Recorded struct {
	Seq       int64 // 1, 2, 3, ... without gaps
	Stamp     Stamp
	Screening string // "" for what concerns the kiosk only
	Command   string // idempotency id; only on the first event of a command, else ""
	From      Source
	Event     Event
}

// Event is something that happened: one of the structs of this file. Kind is its
// name in the journal and never changes; fields may be added, never renamed.
type Event interface{ Kind() string }

type (
	KioskStarted struct {
		Kiosk   string `json:"kiosk"`
		Version string `json:"version"`
	}
	ClockSet struct {
		Was time.Time `json:"was"`
		Now time.Time `json:"now"`
		// Offset is how far Now is from the machine's own clock.
		Offset Millis `json:"offset"`
		// Source is how Now is known: ClockRTC or ClockSynced; empty is the facilitator.
		Source ClockSource `json:"source,omitempty"`
	}
	ScreeningPlanned struct {
		Screening string    `json:"screening"`
		Kiosk     string    `json:"kiosk"`
		Details   Details   `json:"details"`
		Rehearsal bool      `json:"rehearsal,omitempty"`
		Programme Programme `json:"programme"`
		// SoundLag is that of the evening before: the loudspeaker is most likely the same.
		SoundLag Millis `json:"soundLag,omitempty"`
	}
	DetailsEdited struct {
		Details Details `json:"details"`
	}
	StepChanged struct {
		From Step `json:"from"`
		To   Step `json:"to"`
	}
	DoorsOpened     struct{}
	DoorsClosed     struct{}
	AttendeeCounted struct {
		Category string `json:"category"`
		// Edge is when the button went down, since the boot of the Stamp, which says when
		// the press was saved. 0: not a button.
		Edge Millis `json:"edge,omitempty"`
	}
	CountUndone struct {
		Of       int64  `json:"of"` // Seq of the AttendeeCounted
		Category string `json:"category"`
	}
	AttendanceCorrected struct {
		Category string `json:"category"`
		Delta    int    `json:"delta"`
		Reason   string `json:"reason"`
	}
	PressesLost struct {
		Presses  int        `json:"presses"` // 0 when nobody can know
		Category string     `json:"category,omitempty"`
		Undo     bool       `json:"undo,omitempty"`     // of the undo button
		Question string     `json:"question,omitempty"` // that they would have answered
		Why      LossReason `json:"why"`
		Unheard  Millis     `json:"unheard,omitempty"` // how long nobody listened to the buttons
	}
	PressesSuspected struct {
		Presses  int      `json:"presses"`
		Category string   `json:"category,omitempty"`
		Undo     bool     `json:"undo,omitempty"`
		Question string   `json:"question,omitempty"`
		Commands []string `json:"commands,omitempty"` // the ids that the presses were sent under; not those of ballots
	}
	DoubtSettled struct {
		Of    int64 `json:"of"`              // Doubt.Seq
		Delta int   `json:"delta,omitempty"` // of the correction that was made for it
	}
	RowCounted struct {
		Row    string         `json:"row"`
		Counts map[string]int `json:"counts"`
	}
	DisabilityRecorded struct {
		Count *int `json:"count"`
	}
	QuestionOpened struct {
		Question string `json:"question"`
		Round    int    `json:"round"`
		Reopened bool   `json:"reopened,omitempty"`
	}
	QuestionClosed struct {
		Question string `json:"question"`
		Round    int    `json:"round"`
	}
	// ResultsShown shows the bars of a question without its right answer.
	ResultsShown struct {
		Question string `json:"question"`
		Round    int    `json:"round"`
	}
	QuestionRevealed struct {
		Question string `json:"question"`
		Round    int    `json:"round"`
	}
	QuestionDismissed struct {
		Question string `json:"question"`
	}
	BallotCast struct {
		Question string   `json:"question"`
		Round    int      `json:"round"`
		Choices  []string `json:"choices"` // in the order of the question's options; empty is "skip"
		Channel  Channel  `json:"channel"`
		Voter    string   `json:"voter,omitempty"`
		Replaces int64    `json:"replaces,omitempty"` // Seq of this voter's earlier ballot
	}
	HandsCounted struct {
		Question string         `json:"question"`
		Round    int            `json:"round"`
		Counts   map[string]int `json:"counts"`
	}
	RunningTotalsShown struct {
		Show bool `json:"show"`
	}
	PhonesAllowed struct {
		Allow bool `json:"allow"`
	}
	StageSet struct {
		Page   StagePage `json:"page"`
		Count  bool      `json:"count"`
		Lang   string    `json:"lang"`
		Silent bool      `json:"silent,omitempty"`
	}
	QuestionReadAloud struct {
		Question string `json:"question"`
	}
	FilmPlayed struct {
		At Millis `json:"at"`
	}
	FilmPaused struct {
		At         Millis `json:"at"`
		PausePoint *int   `json:"pausePoint,omitempty"` // the one it halted at by itself
	}
	FilmSought struct {
		From Millis `json:"from"`
		To   Millis `json:"to"`
	}
	FilmPositionNoted struct {
		At       Millis `json:"at"`
		Duration Millis `json:"duration"`
	}
	FilmFinished struct {
		At Millis `json:"at"`
	}
	VolumeSet struct {
		Percent int `json:"percent"`
	}
	SubtitlesSet struct {
		Lang string `json:"lang"`
	}
	PausePointsUsed struct {
		Use bool `json:"use"`
	}
	SoundLagSet struct {
		Lag Millis `json:"lag"`
	}
	// FilmShown says how a stretch of the film looked, from its beginning or the last such
	// event to this one.
	FilmShown struct {
		Player           PlayerKind `json:"player"`
		Decoder          string     `json:"decoder,omitempty"` // "h264, v4l2m2m-copy"; "" when unknown
		Played           Millis     `json:"played"`
		Dropped          int64      `json:"dropped"`            // pictures that came too late to be shown
		DroppedByDecoder int64      `json:"droppedByDecoder"`   // that were not even decoded, to catch up
		Late             int64      `json:"late"`               // shown, but late
		Restarts         int        `json:"restarts,omitempty"` // of the player meanwhile
	}
	FilmPlayerChosen struct {
		Player PlayerKind `json:"player"`
		Why    string     `json:"why"` // for those who look after the kiosk
	}
	// EveningNoted is how the evening went, in the codes of NoteLists: all that is noted now.
	EveningNoted struct {
		Went []string `json:"went"`
		Away []string `json:"away"`
		Why  []string `json:"why"`
	}
	// ExportWritten belongs to no screening, also when it happens in the middle of one.
	ExportWritten struct {
		Stick      string `json:"stick"`      // what tells one stick from another; nobody's name
		Screenings int    `json:"screenings"` // that are whole on the stick now
		Written    int    `json:"written"`    // of those, written this time
		Missing    int    `json:"missing"`    // that had no room
		Checksum   string `json:"checksum"`   // SHA-256 of the checksums of all folders, the newest first
	}
)

func (KioskStarted) Kind() string        { return "KioskStarted" }
func (ClockSet) Kind() string            { return "ClockSet" }
func (ScreeningPlanned) Kind() string    { return "ScreeningPlanned" }
func (DetailsEdited) Kind() string       { return "DetailsEdited" }
func (StepChanged) Kind() string         { return "StepChanged" }
func (DoorsOpened) Kind() string         { return "DoorsOpened" }
func (DoorsClosed) Kind() string         { return "DoorsClosed" }
func (AttendeeCounted) Kind() string     { return "AttendeeCounted" }
func (CountUndone) Kind() string         { return "CountUndone" }
func (AttendanceCorrected) Kind() string { return "AttendanceCorrected" }
func (PressesLost) Kind() string         { return "PressesLost" }
func (PressesSuspected) Kind() string    { return "PressesSuspected" }
func (DoubtSettled) Kind() string        { return "DoubtSettled" }
func (RowCounted) Kind() string          { return "RowCounted" }
func (DisabilityRecorded) Kind() string  { return "DisabilityRecorded" }
func (QuestionOpened) Kind() string      { return "QuestionOpened" }
func (QuestionClosed) Kind() string      { return "QuestionClosed" }
func (ResultsShown) Kind() string        { return "ResultsShown" }
func (QuestionRevealed) Kind() string    { return "QuestionRevealed" }
func (QuestionDismissed) Kind() string   { return "QuestionDismissed" }
func (BallotCast) Kind() string          { return "BallotCast" }
func (HandsCounted) Kind() string        { return "HandsCounted" }
func (RunningTotalsShown) Kind() string  { return "RunningTotalsShown" }
func (PhonesAllowed) Kind() string       { return "PhonesAllowed" }
func (StageSet) Kind() string            { return "StageSet" }
func (QuestionReadAloud) Kind() string   { return "QuestionReadAloud" }
func (FilmPlayed) Kind() string          { return "FilmPlayed" }
func (FilmPaused) Kind() string          { return "FilmPaused" }
func (FilmSought) Kind() string          { return "FilmSought" }
func (FilmPositionNoted) Kind() string   { return "FilmPositionNoted" }
func (FilmFinished) Kind() string        { return "FilmFinished" }
func (VolumeSet) Kind() string           { return "VolumeSet" }
func (SubtitlesSet) Kind() string        { return "SubtitlesSet" }
func (PausePointsUsed) Kind() string     { return "PausePointsUsed" }
func (SoundLagSet) Kind() string         { return "SoundLagSet" }
func (FilmShown) Kind() string           { return "FilmShown" }
func (FilmPlayerChosen) Kind() string    { return "FilmPlayerChosen" }
func (EveningNoted) Kind() string        { return "EveningNoted" }
func (ExportWritten) Kind() string       { return "ExportWritten" }

// CountsPeople says whether an event changes what is counted, answered or noted, or the record
// of it: somebody may rely on it. The others are how the evening goes.
func CountsPeople(e Event) bool {
	switch e.(type) {
	case AttendeeCounted, CountUndone, AttendanceCorrected, PressesLost, PressesSuspected, DoubtSettled,
		RowCounted, DisabilityRecorded, BallotCast, HandsCounted, EveningNoted, ExportWritten:
		return true
	}
	return false
}

// decoders read an event's JSON by its kind.
var decoders = map[string]func([]byte) (Event, error){
	KioskStarted{}.Kind():        decode[KioskStarted],
	ClockSet{}.Kind():            decode[ClockSet],
	ScreeningPlanned{}.Kind():    decode[ScreeningPlanned],
	DetailsEdited{}.Kind():       decode[DetailsEdited],
	StepChanged{}.Kind():         decode[StepChanged],
	DoorsOpened{}.Kind():         decode[DoorsOpened],
	DoorsClosed{}.Kind():         decode[DoorsClosed],
	AttendeeCounted{}.Kind():     decode[AttendeeCounted],
	CountUndone{}.Kind():         decode[CountUndone],
	AttendanceCorrected{}.Kind(): decode[AttendanceCorrected],
	PressesLost{}.Kind():         decode[PressesLost],
	PressesSuspected{}.Kind():    decode[PressesSuspected],
	DoubtSettled{}.Kind():        decode[DoubtSettled],
	RowCounted{}.Kind():          decode[RowCounted],
	DisabilityRecorded{}.Kind():  decode[DisabilityRecorded],
	QuestionOpened{}.Kind():      decode[QuestionOpened],
	QuestionClosed{}.Kind():      decode[QuestionClosed],
	ResultsShown{}.Kind():        decode[ResultsShown],
	QuestionRevealed{}.Kind():    decode[QuestionRevealed],
	QuestionDismissed{}.Kind():   decode[QuestionDismissed],
	BallotCast{}.Kind():          decode[BallotCast],
	HandsCounted{}.Kind():        decode[HandsCounted],
	RunningTotalsShown{}.Kind():  decode[RunningTotalsShown],
	PhonesAllowed{}.Kind():       decode[PhonesAllowed],
	StageSet{}.Kind():            decode[StageSet],
	QuestionReadAloud{}.Kind():   decode[QuestionReadAloud],
	FilmPlayed{}.Kind():          decode[FilmPlayed],
	FilmPaused{}.Kind():          decode[FilmPaused],
	FilmSought{}.Kind():          decode[FilmSought],
	FilmPositionNoted{}.Kind():   decode[FilmPositionNoted],
	FilmFinished{}.Kind():        decode[FilmFinished],
	VolumeSet{}.Kind():           decode[VolumeSet],
	SubtitlesSet{}.Kind():        decode[SubtitlesSet],
	PausePointsUsed{}.Kind():     decode[PausePointsUsed],
	SoundLagSet{}.Kind():         decode[SoundLagSet],
	FilmShown{}.Kind():           decode[FilmShown],
	FilmPlayerChosen{}.Kind():    decode[FilmPlayerChosen],
	EveningNoted{}.Kind():        decode[EveningNoted],
	ExportWritten{}.Kind():       decode[ExportWritten],
}

func decode[E Event](data []byte) (Event, error) {
	var e E
	err := json.Unmarshal(data, &e)
	return e, err
}

// DecodeEvent reads the JSON of an event of this kind, as json.Marshal wrote it. A
// kind that this version does not know gives an [UnknownEvent].
func DecodeEvent(kind string, data []byte) (Event, error) {
	decode, ok := decoders[kind]
	if !ok {
		return nil, UnknownEvent{kind}
	}
	e, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", kind, err)
	}
	return e, nil
}

// UnknownEvent is the error for an event that a newer version wrote.
type UnknownEvent struct{ KindName string }

func (e UnknownEvent) Error() string {
	return fmt.Sprintf("event %q is not known to this version; a newer mimpi-kiosk wrote this journal", e.KindName)
}
