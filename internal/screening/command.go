package screening

import "time"

// Source says where a command came from. Undo works within one source.
type Source string

const (
	FromTouch       Source = "touch"
	FromPhone       Source = "phone"
	FromKeyboard    Source = "keyboard"
	FromButtons     Source = "buttons" // GPIO clickers
	FromFacilitator Source = "facilitator"
	FromPlayer      Source = "player"
	FromKiosk       Source = "kiosk" // the daemon itself
)

// Envelope carries a command to the Room. ID makes the command idempotent: within
// one screening a second envelope with the same ID is answered like the first and
// changes nothing. ID must be unique and not empty.
//
// Screening, when not empty, is the screening that the sender had before it: the
// command is refused when another one is current. A phone or a page may wake up,
// and send what it kept, on another evening.
type Envelope struct {
	ID        string
	From      Source
	Screening string
	Command   Command
}

// Command is a wish: one of the structs of this file.
type Command interface{ command() }

// PlanScreening begins a new screening in step set_up. A screening that is
// going on must be ended first.
type PlanScreening struct {
	Screening string // id of the new screening, made by the kiosk, unique
	Details   Details
	Rehearsal bool
	Programme Programme // taken from the pack by the kiosk, never from a client
}

// EditDetails changes what is known of the current screening.
type EditDetails struct{ Details Details }

// Details are what the facilitator says of a screening.
type Details struct {
	Regency  string       `json:"regency"`  // Regency.ID
	Venue    string       `json:"venue"`    // 1 to 80 characters
	Audience AudienceKind `json:"audience"` // students or general public
	Label    string       `json:"label"`    // free, 0 to 80 characters; no names of people, please
	HeldAt   time.Time    `json:"heldAt"`   // as the facilitator confirmed it
}

// AudienceKind is the kind of audience.
type AudienceKind string

const (
	Students AudienceKind = "students"
	Public   AudienceKind = "public"
)

// MoveTo goes to a step, forward or back. It closes an open question and halts the
// film when the film step is left.
type MoveTo struct{ Step Step }

// OpenDoors lets people be counted, in any step (late-comers); CloseDoors ends that.
type (
	OpenDoors  struct{}
	CloseDoors struct{}
)

// CountAttendee is one press at the door.
type CountAttendee struct{ Category string }

// UndoCount takes back the last press of the same source, or its last press of the
// Category when that is not empty.
type UndoCount struct{ Category string }

// PressButton is a press of a GPIO button. While a question is open and buttons vote
// (Places is not 0) it is a ballot for option number Place; a question with more options
// than Places is not voted on with buttons at all, for what cannot be pressed would look
// like what nobody chose. At any other time it is a count at the door, or an undo.
type PressButton struct {
	Category      string // with Undo: of what is undone, or "" for the last press
	Undo          bool
	Place, Places int    // from 1; Place 0: this button casts no ballots
	Edge          Millis // when it went down, since this boot
}

// ReportLostPresses says that presses of a button were lost. It changes nothing while
// presses would not count anyway.
type ReportLostPresses struct {
	Press   PressButton // what one of them would have been
	Presses int         // 0 for Unheard
	Why     LossReason
	// Since is when the buttons were last listened to in this boot, for Unheard; 0: the
	// last press in the journal says it.
	Since Millis
}

// LossReason says how presses were lost.
type LossReason string

const (
	Overrun   LossReason = "overrun" // more came than the kernel keeps
	QueueFull LossReason = "full"    // more waited for the disk than are kept
	AtStop    LossReason = "stopped" // the kiosk was stopped before they were saved
	Unheard   LossReason = "unheard" // nobody listened: the kiosk or the GPIO chip was away
)

// SuspectPresses says that presses, all with the same meaning, came as a USB device was
// plugged in or out, which can make phantom ones.
type SuspectPresses struct {
	Press    PressButton
	Commands []string // the ids that they were sent under
}

// SettleDoubt is the facilitator's answer to a [Doubt]. Correct adds the lost presses to
// their category, or takes off the suspected ones.
type SettleDoubt struct {
	Doubt   int64 // Doubt.Seq
	Correct bool
}

// CorrectAttendance adds Delta (not 0, may be negative) to a category, with a reason.
type CorrectAttendance struct {
	Category string
	Delta    int
	Reason   string // 3 to 200 characters
}

// CountRow enters the heads of one row of seats, counted by hand. The same Row
// again replaces the earlier numbers (a re-check); all zero removes the row.
type CountRow struct {
	Row    string         // "1", "A", "kiri 3": 1 to 20 characters
	Counts map[string]int // category id -> heads, 0 to 999
}

// RecordDisability enters how many people, of those who were asked, said that
// they have a disability. It is asked, never judged by eye. A nil Count removes it.
type RecordDisability struct{ Count *int }

// OpenQuestion opens a question for ballots. A question that was open before in
// this step is reopened; in another step, after its result or the film was shown, or with
// NewRound, a new round begins, shown beside the earlier ones.
type OpenQuestion struct {
	Question string
	NewRound bool
}

// CloseQuestion ends the ballots of the open question; ShowResults shows its bars
// without the right answer, so that people can talk and vote again; RevealQuestion shows
// the right answer too; DismissQuestion takes it off the screens.
type (
	CloseQuestion   struct{ Question string }
	ShowResults     struct{ Question string }
	RevealQuestion  struct{ Question string }
	DismissQuestion struct{}
)

// Channel says how a ballot came in.
type Channel string

const (
	ByTouch  Channel = "touch"
	ByPhone  Channel = "phone"
	ByButton Channel = "button"
	ByHands  Channel = "hands" // raised hands, counted by the facilitator
)

// Channels lists all of them.
var Channels = []Channel{ByTouch, ByPhone, ByButton, ByHands}

// CastBallot is one person's ballot. By phone, Voter names the phone (an opaque
// key that differs per question) and a later ballot of the same Voter replaces the
// earlier one while the question is open. Choices is empty for "skip".
type CastBallot struct {
	Question string
	Round    int // 1, 2, ...
	Choices  []string
	Channel  Channel // touch, phone or button
	Voter    string  // phones only
}

// CountHands enters raised hands for the newest round of a question, in place of
// an earlier count of it.
type CountHands struct {
	Question string
	Counts   map[string]int // option id -> hands, 0 to 9999
}

// ShowRunningTotals lets the bars be seen while a question is open, or hides them.
type ShowRunningTotals struct{ Show bool }

// AllowPhones says whether phones may vote, from the next ballot on. Who can be counted is
// bounded by the touch screen; phones are easier to use twice.
type AllowPhones struct{ Allow bool }

// SetStage chooses what the projector shows.
type SetStage struct {
	Page  StagePage
	Count bool   // show the live count
	Lang  string // language of the projector
	// Silent: questions are not read aloud by the kiosk when they open.
	Silent bool
}

// ReadAloud has the kiosk read the question on the screens aloud (again).
type ReadAloud struct{ Question string }

// StagePage is what the projector shows.
type StagePage string

const (
	PageAuto      StagePage = "auto"      // what the step asks for
	PageGuidebook StagePage = "guidebook" // QR codes of the guidebook
	PageHelp      StagePage = "help"      // numbers to call
	PageJoin      StagePage = "join"      // QR codes to join and vote
)

// The film commands. Positions are clamped to the film.
type (
	PlayFilm  struct{}
	PauseFilm struct{}
	// SeekFilm goes to a position, playing or halted as before.
	SeekFilm struct{ To Millis }
	// SetVolume sets the loudness, 0 to 100.
	SetVolume struct{ Percent int }
	// SetSubtitles chooses a subtitle language of the film; "" is none.
	SetSubtitles struct{ Lang string }
	// UsePausePoints says whether the film halts at its pause points.
	UsePausePoints struct{ Use bool }
	// SetSoundLag says how long the sound of the loudspeaker comes after the picture; the
	// picture then waits for it. Negative where the sound is early. SoundLagMin to SoundLagMax.
	SetSoundLag struct{ Lag Millis }
	// NotePosition is the player's report of where the film is. Epoch is the
	// Playback.Epoch that the player is in: reports of an older one are dropped.
	NotePosition struct {
		Epoch    int64
		At       Millis
		Duration Millis
	}
	// ReachPausePoint is the player's report that it halted at pause point N
	// (0 is the first).
	ReachPausePoint struct {
		Epoch int64
		N     int
		At    Millis
	}
	// FinishFilm is the player's report that the film came to its end.
	FinishFilm struct {
		Epoch int64
		At    Millis
	}
)

// How far sound and picture may be set apart: a Bluetooth loudspeaker is some 300 ms late.
const (
	SoundLagMin Millis = -500
	SoundLagMax Millis = 1500
)

// PlayerKind says what plays the film.
type PlayerKind string

const (
	BrowserPlayer PlayerKind = "browser" // the page /stage
	MPVPlayer     PlayerKind = "mpv"
)

// NoteFilmShown is the player's account of a stretch of film, when that has ended.
type NoteFilmShown struct{ FilmShown }

// ChooseFilmPlayer records that another player takes the film over, and why.
type ChooseFilmPlayer struct {
	Player PlayerKind
	Why    string
}

// NoteEvening says how the evening went, in place of what was noted before; with nothing
// in it, that is taken back. See NoteLists and [State.MayNote].
type NoteEvening struct{ EveningNoted }

// SetClock sets the kiosk's clock to Now, after a person confirmed the date shown.
type SetClock struct{ Now time.Time }

// TrustClock is sent by the daemon when the machine's own clock may be known better than
// before: the network told it the time, or it has a battery.
type TrustClock struct{}

// StartKiosk is sent once by the daemon when it starts.
type StartKiosk struct {
	Kiosk   string // the kiosk's id
	Version string
}

// RecordExport is sent by the daemon when the screenings stand on a stick, safely.
type RecordExport struct {
	Stick                        string
	Screenings, Written, Missing int
	Checksum                     string
}

func (PlanScreening) command()     {}
func (EditDetails) command()       {}
func (MoveTo) command()            {}
func (OpenDoors) command()         {}
func (CloseDoors) command()        {}
func (CountAttendee) command()     {}
func (UndoCount) command()         {}
func (PressButton) command()       {}
func (ReportLostPresses) command() {}
func (SuspectPresses) command()    {}
func (SettleDoubt) command()       {}
func (CorrectAttendance) command() {}
func (CountRow) command()          {}
func (RecordDisability) command()  {}
func (OpenQuestion) command()      {}
func (CloseQuestion) command()     {}
func (ShowResults) command()       {}
func (RevealQuestion) command()    {}
func (DismissQuestion) command()   {}
func (CastBallot) command()        {}
func (CountHands) command()        {}
func (ShowRunningTotals) command() {}
func (AllowPhones) command()       {}
func (SetStage) command()          {}
func (ReadAloud) command()         {}
func (PlayFilm) command()          {}
func (PauseFilm) command()         {}
func (SeekFilm) command()          {}
func (SetVolume) command()         {}
func (SetSubtitles) command()      {}
func (UsePausePoints) command()    {}
func (SetSoundLag) command()       {}
func (NoteFilmShown) command()     {}
func (ChooseFilmPlayer) command()  {}
func (NotePosition) command()      {}
func (ReachPausePoint) command()   {}
func (FinishFilm) command()        {}
func (NoteEvening) command()       {}
func (SetClock) command()          {}
func (TrustClock) command()        {}
func (StartKiosk) command()        {}
func (RecordExport) command()      {}
