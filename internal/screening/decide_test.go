package screening_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	. "mimpi-kiosk/internal/screening"
)

// decision is one line of the table of rules: after given, when leads to these
// events (none: the wish is fulfilled already), or is refused.
type decision struct {
	name  string
	given []any
	when  any
	then  []Event
	no    Reason
}

func acts(a ...any) []any               { return a }
func then(e ...Event) []Event           { return e }
func number(n int) *int                 { return &n }
func long(n int) string                 { return strings.Repeat("é", n) } // characters, not bytes
func offer(choice ...string) CastBallot { return touch("offer", 1, choice...) }

func touch(question string, round int, choices ...string) CastBallot {
	return CastBallot{Question: question, Round: round, Choices: choices, Channel: ByTouch}
}

func phone(question string, round int, voter string, choices ...string) CastBallot {
	return CastBallot{Question: question, Round: round, Choices: choices, Channel: ByPhone, Voter: voter}
}

// lost and suspect are about the third of four voting buttons, which is for girls.
func lost(presses int) from {
	return from{FromButtons, ReportLostPresses{PressButton{Category: "girl", Place: 3, Places: 4}, presses, Overrun, 0}}
}

func suspect(commands ...string) from {
	return from{FromButtons, SuspectPresses{PressButton{Category: "girl", Place: 3, Places: 4}, commands}}
}

// note notes one code of each list, or none of it.
func note(codes ...string) NoteEvening {
	n := NoteEvening{}
	for i, to := range []*[]string{&n.Went, &n.Away, &n.Why} {
		if i < len(codes) && codes[i] != "" {
			*to = []string{codes[i]}
		}
	}
	return n
}

func edited(change func(*Details)) Details {
	d := details()
	change(&d)
	return d
}

func planned(change func(*PlanScreening)) PlanScreening {
	p := plan()
	change(&p)
	return p
}

var (
	atDoors   = acts(plan(), MoveTo{Doors})
	atPoll    = acts(plan(), MoveTo{Doors}, MoveTo{PollBefore})
	atFilm    = acts(plan(), MoveTo{FilmStep})
	atTalk    = acts(plan(), MoveTo{Discussion})
	atClosing = acts(plan(), MoveTo{Closing})
	counted   = after(atTalk, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}, ShowResults{"offer"})
	pressed   = after(atDoors, from{FromButtons, PressButton{Category: "girl", Edge: 39_000}}, from{FromButtons, PressButton{Category: "boy", Edge: 39_500}}, wait(500*time.Millisecond))
	offered   = after(atPoll, OpenQuestion{Question: "offer"})
	playing   = after(atFilm, PlayFilm{})
	noFilm    = acts(planned(func(p *PlanScreening) { p.Programme.Film = Film{Missing: true} }), MoveTo{FilmStep})
)

func after(given []any, more ...any) []any { return append(given[:len(given):len(given)], more...) }

// decisions is the whole of Decide. The epoch of a film that never jumped is 2: the
// Seq of ScreeningPlanned, which follows KioskStarted.
var decisions = []decision{
	// The envelope.
	{name: "no id", when: resent{Envelope{From: FromPhone, Command: OpenDoors{}}}, no: CommandWithoutID},
	{name: "no command", when: resent{Envelope{ID: "x", From: FromPhone}}, no: CommandWithoutID},
	{name: "another evening's screening", given: atDoors,
		when: resent{Envelope{ID: "x", Screening: "scr-0", Command: CountAttendee{"man"}}}, no: WrongScreening},
	{name: "a screening before the first", when: resent{Envelope{ID: "x", Screening: "scr-0", Command: SetVolume{3}}}, no: WrongScreening},
	{name: "this screening", given: atDoors,
		when: resent{Envelope{ID: "x", Screening: "scr-1", Command: CountAttendee{"man"}}}, then: then(AttendeeCounted{Category: "man"})},
	{name: "the same id again", given: after(atDoors, resent{Envelope{ID: "x", Command: CountAttendee{"man"}}}),
		when: resent{Envelope{ID: "x", Command: CountAttendee{"man"}}}},
	{name: "the same id after a restart", given: after(atDoors, resent{Envelope{ID: "x", Command: CountAttendee{"man"}}}, reboot("b2")),
		when: resent{Envelope{ID: "x", Command: CountAttendee{"man"}}}},
	{name: "no screening", when: MoveTo{Doors}, no: NoScreening},

	// The kiosk and its clock.
	{name: "start", when: StartKiosk{"k", "v"}, then: then(KioskStarted{"k", "v"})},
	{name: "export", when: RecordExport{"9c2f", 3, 1, 0, "0c5f"}, then: then(ExportWritten{"9c2f", 3, 1, 0, "0c5f"})},
	{name: "clock", when: SetClock{eve.Add(90 * time.Minute)},
		then: then(ClockSet{Was: eve, Now: eve.Add(90 * time.Minute), Offset: 5_400_000})},
	{name: "clock in another zone, finer than a millisecond", when: SetClock{eve.Add(1_999_999).In(time.FixedZone("WITA", 8*3600))},
		then: then(ClockSet{Was: eve, Now: eve.Add(time.Millisecond), Offset: 1})},
	{name: "a network told the machine the time", given: acts(synced(eve.Add(-time.Hour))), when: TrustClock{},
		then: then(ClockSet{Was: eve, Now: eve.Add(-time.Hour), Source: ClockSynced})},
	{name: "nobody told it", when: TrustClock{}},
	{name: "clock of 1970", when: SetClock{time.Unix(0, 0)}, no: ClockImplausible},
	{name: "clock of 2100", when: SetClock{time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}, no: ClockImplausible},

	// The screening.
	{name: "plan", when: plan(), then: then(ScreeningPlanned{Screening: "scr-1", Kiosk: kiosk, Details: details(), Programme: programme()})},
	{name: "plan a rehearsal", when: planned(func(p *PlanScreening) { p.Rehearsal = true }),
		then: then(ScreeningPlanned{Screening: "scr-1", Kiosk: kiosk, Details: details(), Rehearsal: true, Programme: programme()})},
	{name: "plan while one goes on", given: atDoors, when: plan(), no: ScreeningGoingOn},
	{name: "plan after the last has ended", given: after(atDoors, MoveTo{Ended}), when: planned(func(p *PlanScreening) { p.Screening = "scr-2" }),
		then: then(ScreeningPlanned{Screening: "scr-2", Kiosk: kiosk, Details: details(), Programme: programme()})},
	{name: "plan without a venue", when: planned(func(p *PlanScreening) { p.Details.Venue = "  " }), no: VenueMissing},
	{name: "details are trimmed", given: acts(plan()), when: EditDetails{edited(func(d *Details) { d.Venue, d.Label = " Balai Desa ", " ibu-ibu\n" })},
		then: then(DetailsEdited{edited(func(d *Details) { d.Venue, d.Label = "Balai Desa", "ibu-ibu" })})},
	{name: "details: regency by its code", given: acts(plan()), when: EditDetails{edited(func(d *Details) { d.Regency = "53.18" })}, no: UnknownRegency},
	{name: "details: 80 characters", given: acts(plan()), when: EditDetails{edited(func(d *Details) { d.Venue, d.Label = long(80), long(80) })},
		then: then(DetailsEdited{edited(func(d *Details) { d.Venue, d.Label = long(80), long(80) })})},
	{name: "details: long venue", given: acts(plan()), when: EditDetails{edited(func(d *Details) { d.Venue = long(81) })}, no: TextTooLong},
	{name: "details: long label", given: acts(plan()), when: EditDetails{edited(func(d *Details) { d.Label = long(81) })}, no: TextTooLong},
	{name: "details: no audience", given: acts(plan()), when: EditDetails{edited(func(d *Details) { d.Audience = "" })}, no: UnknownAudience},
	{name: "details: no date", given: acts(plan()), when: EditDetails{edited(func(d *Details) { d.HeldAt = time.Time{} })}, no: DateMissing},

	// The steps.
	{name: "forward to the doors", given: acts(plan()), when: MoveTo{Doors}, then: then(StepChanged{SetUp, Doors}, DoorsOpened{})},
	{name: "where we are", given: atDoors, when: MoveTo{Doors}},
	{name: "no such step", given: atDoors, when: MoveTo{"intermission"}, no: UnknownStep},
	{name: "leaving the doors closes them", given: atDoors, when: MoveTo{PollBefore}, then: then(DoorsClosed{}, StepChanged{Doors, PollBefore})},
	{name: "doors that are closed already", given: after(atDoors, CloseDoors{}), when: MoveTo{FilmStep}, then: then(StepChanged{Doors, FilmStep})},
	{name: "skipping", given: acts(plan()), when: MoveTo{Closing}, then: then(StepChanged{SetUp, Closing})},
	{name: "back to the doors", given: atTalk, when: MoveTo{Doors}, then: then(StepChanged{Discussion, Doors}, DoorsOpened{})},
	{name: "back to the doors, late-comers there", given: after(atTalk, OpenDoors{}), when: MoveTo{Doors}, then: then(StepChanged{Discussion, Doors})},
	{name: "late-comers do not end with the step", given: after(atFilm, OpenDoors{}), when: MoveTo{Discussion}, then: then(StepChanged{FilmStep, Discussion})},
	{name: "the end closes the doors", given: after(atFilm, OpenDoors{}), when: MoveTo{Ended}, then: then(DoorsClosed{}, StepChanged{FilmStep, Ended})},
	{name: "back from the end", given: after(atFilm, MoveTo{Ended}), when: MoveTo{Discussion}, then: then(StepChanged{Ended, Discussion})},
	{name: "a step closes the open question", given: offered, when: MoveTo{FilmStep}, then: then(QuestionClosed{"offer", 1}, StepChanged{PollBefore, FilmStep})},
	{name: "a step leaves a closed one alone", given: after(offered, CloseQuestion{"offer"}), when: MoveTo{FilmStep}, then: then(StepChanged{PollBefore, FilmStep})},
	{name: "a step halts the film", given: after(playing, NotePosition{2, 5000, 600_000}), when: MoveTo{Discussion},
		then: then(FilmPaused{At: 5000}, StepChanged{FilmStep, Discussion})},

	// The doors.
	{name: "open for late-comers", given: atFilm, when: OpenDoors{}, then: then(DoorsOpened{})},
	{name: "open again", given: atDoors, when: OpenDoors{}},
	{name: "close", given: atDoors, when: CloseDoors{}, then: then(DoorsClosed{})},
	{name: "close again", given: atFilm, when: CloseDoors{}},

	// Attendance.
	{name: "a press", given: atDoors, when: from{FromButtons, CountAttendee{"girl"}}, then: then(AttendeeCounted{Category: "girl"})},
	{name: "a press of no category", given: atDoors, when: CountAttendee{"child"}, no: UnknownCategory},
	{name: "a press at closed doors", given: atFilm, when: CountAttendee{"girl"}, no: DoorsAreClosed},
	{name: "undo", given: after(atDoors, CountAttendee{"girl"}), when: UndoCount{}, then: then(CountUndone{5, "girl"})},
	{name: "undo with the doors closed", given: after(atDoors, CountAttendee{"girl"}, CloseDoors{}), when: UndoCount{}, then: then(CountUndone{5, "girl"})},
	{name: "undo of its own last press, not the newest", given: after(atDoors, CountAttendee{"girl"}, from{FromTouch, CountAttendee{"boy"}}),
		when: UndoCount{}, then: then(CountUndone{5, "girl"})},
	{name: "undo of another's press", given: after(atDoors, CountAttendee{"girl"}), when: from{FromTouch, UndoCount{}}, no: NothingToUndo},
	{name: "undo twice", given: after(atDoors, CountAttendee{"girl"}, UndoCount{}), when: UndoCount{}, no: NothingToUndo},
	{name: "undo of what was corrected away", given: after(atDoors, CountAttendee{"girl"}, CorrectAttendance{"girl", -1, "dobel"}), when: UndoCount{}, no: BelowZero},
	{name: "correction", given: atFilm, when: CorrectAttendance{"man", 12, " bus terlambat "}, then: then(AttendanceCorrected{"man", 12, "bus terlambat"})},
	{name: "correction down to zero", given: after(atDoors, CountAttendee{"man"}), when: CorrectAttendance{"man", -1, "dobel"}, then: then(AttendanceCorrected{"man", -1, "dobel"})},
	{name: "correction below zero", given: after(atDoors, CountAttendee{"man"}), when: CorrectAttendance{"man", -2, "dobel"}, no: BelowZero},
	{name: "correction of none", given: atDoors, when: CorrectAttendance{"man", 0, "dobel"}, no: DeltaOutOfRange},
	{name: "correction too large", given: atDoors, when: CorrectAttendance{"man", 10_000, "dobel"}, no: DeltaOutOfRange},
	{name: "correction too small", given: atDoors, when: CorrectAttendance{"man", -10_000, "dobel"}, no: DeltaOutOfRange},
	{name: "correction without a reason", given: atDoors, when: CorrectAttendance{"man", 1, " ya "}, no: ReasonMissing},
	{name: "correction with a story", given: atDoors, when: CorrectAttendance{"man", 1, long(201)}, no: TextTooLong},
	{name: "correction of no category", given: atDoors, when: CorrectAttendance{"child", 1, "dobel"}, no: UnknownCategory},
	{name: "undo of one category", given: after(atDoors, CountAttendee{"girl"}, CountAttendee{"boy"}, CountAttendee{"man"}),
		when: UndoCount{"boy"}, then: then(CountUndone{6, "boy"})},
	{name: "undo of a category without a press", given: after(atDoors, CountAttendee{"girl"}), when: UndoCount{"boy"}, no: NothingToUndo},
	{name: "row", given: atFilm, when: CountRow{" kiri 3 ", map[string]int{"woman": 12, "boy": 0}}, then: then(RowCounted{"kiri 3", map[string]int{"woman": 12, "boy": 0}})},
	{name: "row again", given: after(atFilm, CountRow{"1", map[string]int{"woman": 12}}), when: CountRow{"1", map[string]int{"woman": 11}},
		then: then(RowCounted{"1", map[string]int{"woman": 11}})},
	{name: "row removed", given: after(atFilm, CountRow{"1", map[string]int{"woman": 12}}), when: CountRow{"1", nil}, then: then(RowCounted{"1", map[string]int{}})},
	{name: "row of nobody", given: atFilm, when: CountRow{"1", map[string]int{"woman": 0}}},
	{name: "row without a name", given: atFilm, when: CountRow{" ", map[string]int{"woman": 1}}, no: RowNameMissing},
	{name: "row with a long name", given: atFilm, when: CountRow{long(21), map[string]int{"woman": 1}}, no: TextTooLong},
	{name: "row of no category", given: atFilm, when: CountRow{"1", map[string]int{"child": 1}}, no: UnknownCategory},
	{name: "row below zero", given: atFilm, when: CountRow{"1", map[string]int{"man": -1}}, no: NumberOutOfRange},
	{name: "row too large", given: atFilm, when: CountRow{"1", map[string]int{"man": 1000}}, no: NumberOutOfRange},
	{name: "row whose people were corrected away", given: after(atFilm, CountRow{"1", map[string]int{"man": 3}}, CorrectAttendance{"man", -2, "dobel"}),
		when: CountRow{"1", map[string]int{"man": 1}}, no: BelowZero},
	{name: "row left out whose people were corrected away", given: after(atFilm, CountRow{"1", map[string]int{"man": 3}}, CorrectAttendance{"man", -2, "dobel"}),
		when: CountRow{"1", map[string]int{"woman": 5}}, no: BelowZero},
	{name: "disability", given: atFilm, when: RecordDisability{number(0)}, then: then(DisabilityRecorded{number(0)})},
	{name: "disability removed", given: after(atFilm, RecordDisability{number(4)}), when: RecordDisability{nil}, then: then(DisabilityRecorded{nil})},
	{name: "disability below zero", given: atFilm, when: RecordDisability{number(-1)}, no: NumberOutOfRange},
	{name: "disability too many", given: atFilm, when: RecordDisability{number(10_000)}, no: NumberOutOfRange},

	// How it went.
	{name: "note", given: atClosing, when: note("rain_on_roof", "women", "field_work"),
		then: then(EveningNoted{[]string{"rain_on_roof"}, []string{"women"}, []string{"field_work"}})},
	{name: "note in the order of the list, each once", given: atClosing, when: NoteEvening{EveningNoted{Went: []string{"rain_on_roof", "lively_talk", "rain_on_roof"}}},
		then: then(EveningNoted{[]string{"lively_talk", "rain_on_roof"}, []string{}, []string{}})},
	{name: "note after the end", given: after(atClosing, MoveTo{Ended}), when: note("", "men"), then: then(EveningNoted{[]string{}, []string{"men"}, []string{}})},
	{name: "the last note counts", given: after(atClosing, note("rain_on_roof", "women")), when: note("rain_on_roof"),
		then: then(EveningNoted{[]string{"rain_on_roof"}, []string{}, []string{}})},
	{name: "note taken back", given: after(atClosing, note("rain_on_roof")), when: NoteEvening{}, then: then(EveningNoted{[]string{}, []string{}, []string{}})},
	{name: "note as it stands", given: after(atClosing, note("rain_on_roof")), when: note("rain_on_roof")},
	{name: "note of nothing", given: atClosing, when: NoteEvening{}},
	{name: "note that stays when one goes back", given: after(atClosing, note("rain_on_roof"), MoveTo{Discussion}, MoveTo{Closing}), when: note("rain_on_roof")},
	{name: "note of another list", given: atClosing, when: note("women"), no: UnknownNote},
	{name: "note in one's own words", given: atClosing, when: note("", "Ibu Maria"), no: UnknownNote},
	{name: "note of an empty code", given: atClosing, when: NoteEvening{EveningNoted{Why: []string{""}}}, no: UnknownNote},
	{name: "note during the talk", given: atTalk, when: note("rain_on_roof"), no: TooEarlyToNote},
	{name: "note of an evening that is only planned", given: after(atClosing, note("rain_on_roof"), MoveTo{Ended}, planned(func(p *PlanScreening) { p.Screening = "scr-2" })),
		when: note("rain_on_roof"), no: TooEarlyToNote},
	{name: "the next evening begins without a note", given: after(atClosing, note("rain_on_roof"), MoveTo{Ended}, planned(func(p *PlanScreening) { p.Screening = "scr-2" }), MoveTo{Closing}),
		when: NoteEvening{}},

	// GPIO buttons.
	{name: "a button", given: atDoors, when: from{FromButtons, PressButton{Category: "girl", Edge: 39_000}}, then: then(AttendeeCounted{"girl", 39_000})},
	{name: "a button of no category", given: atDoors, when: from{FromButtons, PressButton{Category: "child"}}, no: UnknownCategory},
	{name: "a button at closed doors", given: atPoll, when: from{FromButtons, PressButton{Category: "girl", Place: 3, Places: 4}}, no: DoorsAreClosed},
	{name: "the undo button", given: pressed, when: from{FromButtons, PressButton{Undo: true}}, then: then(CountUndone{6, "boy"})},
	{name: "the undo button, one category", given: pressed, when: from{FromButtons, PressButton{Undo: true, Category: "girl"}}, then: then(CountUndone{5, "girl"})},
	{name: "a button answers", given: after(offered, OpenDoors{}), when: from{FromButtons, PressButton{Category: "girl", Place: 3, Places: 4, Edge: 39_000}},
		then: then(BallotCast{Question: "offer", Round: 1, Choices: []string{"agent"}, Channel: ByButton})},
	{name: "a button beyond the options", given: offered, when: from{FromButtons, PressButton{Category: "boy", Place: 4, Places: 4}}, no: UnknownOption},
	{name: "a button that does not vote", given: offered, when: from{FromButtons, PressButton{Category: "boy", Places: 4}}, no: UnknownOption},
	{name: "options beyond the buttons", given: after(atPoll, OpenQuestion{Question: "trust"}), when: from{FromButtons, PressButton{Category: "boy", Place: 4, Places: 4}}, no: MoreThanButtons},
	{name: "no undo of an answer", given: after(pressed, MoveTo{PollBefore}, OpenQuestion{Question: "offer"}), when: from{FromButtons, PressButton{Undo: true, Places: 4}}, no: NothingToUndo},
	{name: "buttons that never vote count late-comers", given: after(offered, OpenDoors{}), when: from{FromButtons, PressButton{Category: "girl"}},
		then: then(AttendeeCounted{Category: "girl"})},
	{name: "the next at the buttons", given: after(offered, from{FromButtons, PressButton{Category: "girl", Place: 3, Places: 4}}, wait(1499*time.Millisecond)),
		when: from{FromButtons, PressButton{Category: "girl", Place: 3, Places: 4}}, no: TooSoon},
	{name: "the next at the buttons, in time", given: after(offered, from{FromButtons, PressButton{Category: "girl", Place: 3, Places: 4}}, wait(1500*time.Millisecond)),
		when: from{FromButtons, PressButton{Category: "girl", Place: 1, Places: 4}},
		then: then(BallotCast{Question: "offer", Round: 1, Choices: []string{"police"}, Channel: ByButton})},
	{name: "lost presses", given: atDoors, when: lost(3), then: then(PressesLost{Presses: 3, Category: "girl", Why: Overrun})},
	{name: "lost undo presses", given: atDoors, when: from{FromButtons, ReportLostPresses{PressButton{Undo: true}, 1, AtStop, 0}},
		then: then(PressesLost{Presses: 1, Undo: true, Why: AtStop})},
	{name: "lost answers", given: offered, when: lost(2), then: then(PressesLost{Presses: 2, Question: "offer", Why: Overrun})},
	{name: "no presses were lost", given: atDoors, when: lost(0)},
	{name: "lost while they would not count", given: atPoll, when: lost(3)},
	{name: "unheard since the last press", given: after(pressed, wait(5*time.Second), restart{}), when: from{FromButtons, ReportLostPresses{Why: Unheard}},
		then: then(PressesLost{Why: Unheard, Unheard: 6_900})},
	{name: "unheard since the chip went", given: after(pressed, wait(5*time.Second)), when: from{FromButtons, ReportLostPresses{Why: Unheard, Since: 43_000}},
		then: then(PressesLost{Why: Unheard, Unheard: 2_500})},
	{name: "unheard since the power failed", given: after(pressed, reboot("b2")), when: from{FromButtons, ReportLostPresses{Why: Unheard}},
		then: then(PressesLost{Why: Unheard, Unheard: 12_000})},
	{name: "unheard where nobody has pressed a button", given: after(atDoors, CountAttendee{"girl"}, restart{}), when: from{FromButtons, ReportLostPresses{Why: Unheard}}},
	{name: "unheard at closed doors", given: after(pressed, CloseDoors{}, restart{}), when: from{FromButtons, ReportLostPresses{Why: Unheard}}},
	{name: "suspected presses", given: pressed, when: suspect("a", "b"), then: then(PressesSuspected{Presses: 2, Category: "girl", Commands: []string{"a", "b"}})},
	{name: "suspected answers", given: offered, when: suspect("a", "b"), then: then(PressesSuspected{Presses: 2, Question: "offer"})},
	{name: "suspected of nothing", given: pressed, when: suspect()},
	{name: "settled: add them", given: after(atDoors, lost(3)), when: SettleDoubt{5, true},
		then: then(AttendanceCorrected{"girl", 3, "button presses lost"}, DoubtSettled{5, 3})},
	{name: "settled: take them off", given: after(pressed, suspect("a")), when: SettleDoubt{7, true},
		then: then(AttendanceCorrected{"girl", -1, "phantom button presses"}, DoubtSettled{7, -1})},
	{name: "settled: take off more than there are", given: after(pressed, suspect("a", "b")), when: SettleDoubt{7, true}, no: BelowZero},
	{name: "settled: leave it", given: after(pressed, suspect("a", "b")), when: SettleDoubt{7, false}, then: then(DoubtSettled{Of: 7})},
	{name: "settled: answers are not corrected", given: after(offered, lost(2)), when: SettleDoubt{8, true}, then: then(DoubtSettled{Of: 8})},
	{name: "settled before", given: after(atDoors, lost(3), SettleDoubt{5, true}), when: SettleDoubt{5, true}, no: UnknownDoubt},
	{name: "settled after it grew", given: after(atDoors, lost(3), lost(1)), when: SettleDoubt{5, true}, no: UnknownDoubt},
	{name: "settled as it grew", given: after(atDoors, lost(3), lost(1)), when: SettleDoubt{6, true},
		then: then(AttendanceCorrected{"girl", 4, "button presses lost"}, DoubtSettled{6, 4})},

	// Questions.
	{name: "open", given: atPoll, when: OpenQuestion{Question: "offer"}, then: then(QuestionOpened{Question: "offer", Round: 1})},
	{name: "open one that another step asks", given: atPoll, when: OpenQuestion{Question: "signs"}, then: then(QuestionOpened{Question: "signs", Round: 1})},
	{name: "open what is open", given: offered, when: OpenQuestion{Question: "offer"}},
	{name: "open none", given: atPoll, when: OpenQuestion{Question: "weather"}, no: UnknownQuestion},
	{name: "open at the doors", given: atDoors, when: OpenQuestion{Question: "offer"}, no: NoQuestionsNow},
	{name: "open after the end", given: after(atPoll, MoveTo{Ended}), when: OpenQuestion{Question: "offer"}, no: NoQuestionsNow},
	{name: "open a second one", given: offered, when: OpenQuestion{Question: "trust"}, no: AnotherQuestionOpen},
	{name: "a new round of the open one", given: offered, when: OpenQuestion{Question: "offer", NewRound: true}, no: CloseQuestionFirst},
	{name: "reopen", given: after(offered, CloseQuestion{"offer"}), when: OpenQuestion{Question: "offer"}, then: then(QuestionOpened{"offer", 1, true})},
	{name: "a new round after the reveal", given: after(atTalk, OpenQuestion{Question: "signs"}, CloseQuestion{"signs"}, RevealQuestion{"signs"}),
		when: OpenQuestion{Question: "signs"}, then: then(QuestionOpened{"signs", 2, false})},
	{name: "vote again", given: after(offered, CloseQuestion{"offer"}), when: OpenQuestion{Question: "offer", NewRound: true}, then: then(QuestionOpened{"offer", 2, false})},
	{name: "again in a later step", given: after(offered, MoveTo{Discussion}), when: OpenQuestion{Question: "offer"}, then: then(QuestionOpened{"offer", 2, false})},
	{name: "a question halts the film", given: after(playing, NotePosition{2, 60_100, 600_000}), when: OpenQuestion{Question: "halt"},
		then: then(FilmPaused{At: 60_100}, QuestionOpened{Question: "halt", Round: 1})},
	{name: "close", given: offered, when: CloseQuestion{"offer"}, then: then(QuestionClosed{"offer", 1})},
	{name: "close again", given: after(offered, CloseQuestion{"offer"}), when: CloseQuestion{"offer"}},
	{name: "close what was not asked", given: offered, when: CloseQuestion{"trust"}, no: QuestionNotAsked},
	{name: "close none", given: offered, when: CloseQuestion{"weather"}, no: UnknownQuestion},
	{name: "reveal", given: after(atTalk, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}), when: RevealQuestion{"offer"}, then: then(QuestionRevealed{"offer", 1})},
	{name: "reveal again", given: after(atTalk, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}, RevealQuestion{"offer"}), when: RevealQuestion{"offer"}},
	{name: "reveal again after another", given: after(atTalk, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}, RevealQuestion{"offer"}, DismissQuestion{}),
		when: RevealQuestion{"offer"}, then: then(QuestionRevealed{"offer", 1})},
	{name: "reveal what is open", given: after(atTalk, OpenQuestion{Question: "offer"}), when: RevealQuestion{"offer"}, no: CloseQuestionFirst},
	{name: "reveal what was not asked", given: atTalk, when: RevealQuestion{"offer"}, no: QuestionNotAsked},
	{name: "reveal none", given: atTalk, when: RevealQuestion{"weather"}, no: UnknownQuestion},
	{name: "reveal what is asked again later", given: after(offered, CloseQuestion{"offer"}), when: RevealQuestion{"offer"}, no: AskedAgainLater},
	{name: "reveal before the film", given: after(atPoll, OpenQuestion{Question: "trust"}, CloseQuestion{"trust"}), when: RevealQuestion{"trust"}, no: ResultsAfterFilm},
	{name: "reveal where the film has not begun", given: after(atFilm, OpenQuestion{Question: "halt"}, CloseQuestion{"halt"}), when: RevealQuestion{"halt"}, no: ResultsAfterFilm},
	{name: "reveal in the middle of the film", given: after(playing, OpenQuestion{Question: "halt"}, CloseQuestion{"halt"}), when: RevealQuestion{"halt"},
		then: then(QuestionRevealed{"halt", 1})},
	{name: "reveal after the film what only the first poll asks", given: after(atPoll, OpenQuestion{Question: "trust"}, CloseQuestion{"trust"}, MoveTo{Discussion}), when: RevealQuestion{"trust"},
		then: then(QuestionRevealed{"trust", 1})},
	{name: "show the bars", given: counted[:len(counted)-1], when: ShowResults{"offer"}, then: then(ResultsShown{"offer", 1})},
	{name: "show the bars again", given: counted, when: ShowResults{"offer"}},
	{name: "show the bars again after another", given: after(counted, DismissQuestion{}), when: ShowResults{"offer"}, then: then(ResultsShown{"offer", 1})},
	{name: "the bars, then the answer", given: counted, when: RevealQuestion{"offer"}, then: then(QuestionRevealed{"offer", 1})},
	{name: "the bars after the answer", given: after(counted, RevealQuestion{"offer"}), when: ShowResults{"offer"}},
	{name: "the bars of what is open", given: after(atTalk, OpenQuestion{Question: "offer"}), when: ShowResults{"offer"}, no: CloseQuestionFirst},
	{name: "the bars of what was not asked", given: atTalk, when: ShowResults{"offer"}, no: QuestionNotAsked},
	{name: "the bars of none", given: atTalk, when: ShowResults{"weather"}, no: UnknownQuestion},
	{name: "the bars of what is asked again later", given: after(offered, CloseQuestion{"offer"}), when: ShowResults{"offer"}, no: AskedAgainLater},
	{name: "the bars before the film", given: after(atPoll, OpenQuestion{Question: "trust"}, CloseQuestion{"trust"}), when: ShowResults{"trust"}, no: ResultsAfterFilm},
	{name: "the bars while another is open", given: after(atTalk, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}, OpenQuestion{Question: "signs"}),
		when: ShowResults{"offer"}, no: AnotherQuestionOpen},
	{name: "a new round after the bars", given: counted, when: OpenQuestion{Question: "offer"}, then: then(QuestionOpened{"offer", 2, false})},
	{name: "hands after the bars", given: counted, when: CountHands{"offer", map[string]int{"police": 1}}, no: AlreadyRevealed},
	{name: "reveal while another is open", given: after(atTalk, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}, OpenQuestion{Question: "signs"}),
		when: RevealQuestion{"offer"}, no: AnotherQuestionOpen},
	{name: "reveal after the end", given: after(atTalk, OpenQuestion{Question: "offer"}, MoveTo{Ended}), when: RevealQuestion{"offer"}, then: then(QuestionRevealed{"offer", 1})},
	{name: "dismiss", given: after(offered, CloseQuestion{"offer"}), when: DismissQuestion{}, then: then(QuestionDismissed{"offer"})},
	{name: "dismiss what is open", given: offered, when: DismissQuestion{}, no: CloseQuestionFirst},
	{name: "dismiss nothing", given: atPoll, when: DismissQuestion{}},
	{name: "show the running totals", given: atTalk, when: ShowRunningTotals{true}, then: then(RunningTotalsShown{true})},
	{name: "show the running totals before the film", given: atPoll, when: ShowRunningTotals{true}, no: ResultsAfterFilm},
	{name: "show the running totals of what is asked again later", given: offered, when: ShowRunningTotals{true}, no: AskedAgainLater},
	{name: "hide the running totals before the film", given: after(atTalk, ShowRunningTotals{true}, MoveTo{PollBefore}), when: ShowRunningTotals{false}, then: then(RunningTotalsShown{false})},
	{name: "the credits are left: the film has ended", given: after(playing, from{FromPlayer, NotePosition{2, 541_000, 600_000}}), when: MoveTo{Discussion},
		then: then(FilmFinished{At: 541_000}, StepChanged{FilmStep, Discussion})},
	{name: "the credits are left, halted", given: after(playing, from{FromPlayer, NotePosition{2, 541_000, 600_000}}, PauseFilm{}), when: MoveTo{Discussion},
		then: then(FilmFinished{At: 541_000}, StepChanged{FilmStep, Discussion})},
	{name: "the film is left before its credits", given: after(playing, from{FromPlayer, NotePosition{2, 539_000, 600_000}}), when: MoveTo{Discussion},
		then: then(FilmPaused{At: 539_000}, StepChanged{FilmStep, Discussion})},
	{name: "no phones", given: atPoll, when: AllowPhones{false}, then: then(PhonesAllowed{false})},
	{name: "phones may already", given: atPoll, when: AllowPhones{true}},
	{name: "a phone that may not", given: after(offered, AllowPhones{false}), when: from{FromPhone, phone("offer", 1, "p1", "agent")}, no: PhonesMayNot},
	{name: "a phone that may not any more", given: after(offered, from{FromPhone, phone("offer", 1, "p1", "agent")}, AllowPhones{false}),
		when: from{FromPhone, phone("offer", 1, "p1", "police")}, no: PhonesMayNot},
	{name: "a phone that may again", given: after(offered, AllowPhones{false}, AllowPhones{true}), when: from{FromPhone, phone("offer", 1, "p1", "agent")},
		then: then(BallotCast{"offer", 1, []string{"agent"}, ByPhone, "p1", 0})},
	{name: "touch without phones", given: after(offered, AllowPhones{false}), when: from{FromTouch, offer("agent")},
		then: then(BallotCast{Question: "offer", Round: 1, Choices: []string{"agent"}, Channel: ByTouch})},
	{name: "read aloud", given: offered, when: ReadAloud{"offer"}, then: then(QuestionReadAloud{"offer"})},
	{name: "read aloud what is revealed", given: after(atTalk, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}, RevealQuestion{"offer"}),
		when: ReadAloud{"offer"}, then: then(QuestionReadAloud{"offer"})},
	{name: "read another aloud", given: offered, when: ReadAloud{"signs"}, no: QuestionNotOpen},
	{name: "read nothing aloud", given: atPoll, when: ReadAloud{}, no: QuestionNotOpen},
	{name: "do not read aloud", given: atPoll, when: SetStage{PageAuto, true, "id", true}, then: then(StageSet{PageAuto, true, "id", true})},
	{name: "they are hidden already", given: atPoll, when: ShowRunningTotals{false}},

	// Ballots.
	{name: "ballot by touch", given: offered, when: from{FromTouch, offer("agent")},
		then: then(BallotCast{Question: "offer", Round: 1, Choices: []string{"agent"}, Channel: ByTouch})},
	{name: "ballot by button", given: offered, when: from{FromButtons, CastBallot{"offer", 1, []string{"agent"}, ByButton, ""}},
		then: then(BallotCast{Question: "offer", Round: 1, Choices: []string{"agent"}, Channel: ByButton})},
	{name: "a touch ballot names nobody", given: offered, when: from{FromTouch, CastBallot{"offer", 1, []string{"agent"}, ByTouch, "someone"}},
		then: then(BallotCast{Question: "offer", Round: 1, Choices: []string{"agent"}, Channel: ByTouch})},
	{name: "skip", given: offered, when: from{FromTouch, offer()}, then: then(BallotCast{Question: "offer", Round: 1, Choices: []string{}, Channel: ByTouch})},
	{name: "several, in the question's order", given: after(atTalk, OpenQuestion{Question: "signs"}), when: from{FromPhone, phone("signs", 1, "p1", "ticket", "debt")},
		then: then(BallotCast{Question: "signs", Round: 1, Choices: []string{"debt", "ticket"}, Channel: ByPhone, Voter: "p1"})},
	{name: "scale", given: after(atPoll, OpenQuestion{Question: "trust"}), when: from{FromTouch, touch("trust", 1, "4")},
		then: then(BallotCast{Question: "trust", Round: 1, Choices: []string{"4"}, Channel: ByTouch})},
	{name: "two points of a scale", given: after(atPoll, OpenQuestion{Question: "trust"}), when: from{FromTouch, touch("trust", 1, "4", "5")}, no: OneChoiceOnly},
	{name: "two of a single choice", given: offered, when: from{FromTouch, offer("agent", "police")}, no: OneChoiceOnly},
	{name: "no such option", given: offered, when: from{FromTouch, offer("uncle")}, no: UnknownOption},
	{name: "the same option twice", given: after(atTalk, OpenQuestion{Question: "signs"}), when: from{FromTouch, touch("signs", 1, "debt", "debt")}, no: UnknownOption},
	{name: "no such question", given: offered, when: from{FromTouch, touch("weather", 1, "rain")}, no: UnknownQuestion},
	{name: "question not asked", given: offered, when: from{FromTouch, touch("trust", 1, "1")}, no: QuestionNotOpen},
	{name: "question closed", given: after(offered, CloseQuestion{"offer"}), when: from{FromTouch, offer("agent")}, no: QuestionNotOpen},
	{name: "an old round", given: after(offered, CloseQuestion{"offer"}, OpenQuestion{Question: "offer", NewRound: true}), when: from{FromTouch, offer("agent")}, no: OldRound},
	{name: "a round to come", given: offered, when: from{FromTouch, touch("offer", 2, "agent")}, no: OldRound},
	{name: "no channel", given: offered, when: from{FromTouch, CastBallot{Question: "offer", Round: 1}}, no: UnknownChannel},
	{name: "hands are not a ballot", given: offered, when: from{FromTouch, CastBallot{Question: "offer", Round: 1, Channel: ByHands}}, no: UnknownChannel},
	{name: "a phone without a name", given: offered, when: from{FromPhone, phone("offer", 1, "", "agent")}, no: VoterMissing},
	{name: "a phone changes its ballot", given: after(offered, from{FromPhone, phone("offer", 1, "p1", "agent")}), when: from{FromPhone, phone("offer", 1, "p1", "police")},
		then: then(BallotCast{"offer", 1, []string{"police"}, ByPhone, "p1", 8})},
	{name: "a phone takes its answer back", given: after(offered, from{FromPhone, phone("offer", 1, "p1", "agent")}), when: from{FromPhone, phone("offer", 1, "p1")},
		then: then(BallotCast{"offer", 1, []string{}, ByPhone, "p1", 8})},
	{name: "a phone sends the same ballot", given: after(offered, from{FromPhone, phone("offer", 1, "p1", "agent")}), when: from{FromPhone, phone("offer", 1, "p1", "agent")}},
	{name: "a phone skips twice", given: after(offered, from{FromPhone, phone("offer", 1, "p1")}), when: from{FromPhone, phone("offer", 1, "p1")}},
	{name: "a phone in a new round", given: after(offered, from{FromPhone, phone("offer", 1, "p1", "agent")}, CloseQuestion{"offer"}, OpenQuestion{Question: "offer", NewRound: true}),
		when: from{FromPhone, phone("offer", 2, "p1", "agent")}, then: then(BallotCast{"offer", 2, []string{"agent"}, ByPhone, "p1", 0})},
	{name: "a double tap", given: after(offered, from{FromTouch, offer("agent")}, wait(1499*time.Millisecond)), when: from{FromTouch, offer("agent")}, no: TooSoon},
	{name: "the next person", given: after(offered, from{FromTouch, offer("agent")}, wait(1500*time.Millisecond)), when: from{FromTouch, offer("agent")},
		then: then(BallotCast{Question: "offer", Round: 1, Choices: []string{"agent"}, Channel: ByTouch})},
	{name: "a double tap, and the wall clock jumps on", given: after(offered, from{FromTouch, offer("agent")}, wall(eve.AddDate(1, 0, 0))), when: from{FromTouch, offer("agent")}, no: TooSoon},
	{name: "the next person, and the wall clock jumped back", given: after(offered, from{FromTouch, offer("agent")}, wait(2*time.Second), wall(eve.AddDate(-1, 0, 0))),
		when: from{FromTouch, offer("agent")}, then: then(BallotCast{Question: "offer", Round: 1, Choices: []string{"agent"}, Channel: ByTouch})},
	{name: "a double tap, and the daemon restarted", given: after(offered, from{FromTouch, offer("agent")}, restart{}), when: from{FromTouch, offer("agent")}, no: TooSoon},
	{name: "the next person, in another boot", given: after(offered, from{FromTouch, offer("agent")}, reboot("b2")), when: from{FromTouch, offer("agent")},
		then: then(BallotCast{Question: "offer", Round: 1, Choices: []string{"agent"}, Channel: ByTouch})},
	{name: "phones need no pause", given: after(offered, from{FromTouch, offer("agent")}), when: from{FromPhone, phone("offer", 1, "p1", "agent")},
		then: then(BallotCast{"offer", 1, []string{"agent"}, ByPhone, "p1", 0})},

	// Raised hands.
	{name: "hands", given: offered, when: CountHands{"offer", map[string]int{"police": 9, "agent": 0}}, then: then(HandsCounted{"offer", 1, map[string]int{"police": 9, "agent": 0}})},
	{name: "hands after the close, in a later step", given: after(offered, MoveTo{FilmStep}), when: CountHands{"offer", map[string]int{"police": 9}},
		then: then(HandsCounted{"offer", 1, map[string]int{"police": 9}})},
	{name: "hands: nobody", given: offered, when: CountHands{"offer", map[string]int{"police": 0}}},
	{name: "hands taken away", given: after(offered, CountHands{"offer", map[string]int{"police": 9}}), when: CountHands{"offer", nil}, then: then(HandsCounted{"offer", 1, map[string]int{}})},
	{name: "hands for none", given: offered, when: CountHands{"weather", nil}, no: UnknownQuestion},
	{name: "hands for what was not asked", given: offered, when: CountHands{"trust", map[string]int{"1": 1}}, no: QuestionNotAsked},
	{name: "hands after the reveal", given: after(atTalk, OpenQuestion{Question: "offer"}, CloseQuestion{"offer"}, RevealQuestion{"offer"}),
		when: CountHands{"offer", map[string]int{"police": 1}}, no: AlreadyRevealed},
	{name: "hands for no option", given: offered, when: CountHands{"offer", map[string]int{"uncle": 1}}, no: UnknownOption},
	{name: "hands below zero", given: offered, when: CountHands{"offer", map[string]int{"police": -1}}, no: NumberOutOfRange},
	{name: "hands too many", given: offered, when: CountHands{"offer", map[string]int{"police": 10_000}}, no: NumberOutOfRange},

	// The projector.
	{name: "stage", given: atDoors, when: SetStage{PageHelp, false, "en", false}, then: then(StageSet{PageHelp, false, "en", false})},
	{name: "stage as it is", given: atDoors, when: SetStage{PageAuto, true, "id", false}},
	{name: "no such page", given: atDoors, when: SetStage{"cat", true, "id", false}, no: UnknownPage},
	{name: "no such language", given: atDoors, when: SetStage{PageAuto, true, strings.Repeat("x", 36), false}, no: UnknownPage},

	// The film.
	{name: "play", given: atFilm, when: PlayFilm{}, then: then(FilmPlayed{0})},
	{name: "play what plays", given: playing, when: PlayFilm{}},
	{name: "play no film", given: noFilm, when: PlayFilm{}, no: FilmMissing},
	{name: "play at the doors", given: atDoors, when: PlayFilm{}, no: NotInFilm},
	{name: "play over a question", given: after(atFilm, OpenQuestion{Question: "halt"}), when: PlayFilm{}, no: NotInFilm},
	{name: "play on", given: after(playing, NotePosition{2, 7000, 600_000}, PauseFilm{}), when: PlayFilm{}, then: then(FilmPlayed{7000})},
	{name: "play it again", given: after(playing, FinishFilm{2, 600_000}), when: PlayFilm{}, then: then(FilmPlayed{0})},
	{name: "pause", given: after(playing, NotePosition{2, 7000, 600_000}), when: PauseFilm{}, then: then(FilmPaused{At: 7000})},
	{name: "pause what is paused", given: atFilm, when: PauseFilm{}},
	{name: "seek", given: after(playing, NotePosition{2, 7000, 600_000}), when: SeekFilm{30_000}, then: then(FilmSought{7000, 30_000})},
	{name: "seek before the beginning", given: playing, when: SeekFilm{-5}, then: then(FilmSought{0, 0})},
	{name: "seek behind the end", given: playing, when: SeekFilm{700_000}, then: then(FilmSought{0, 600_000})},
	{name: "seek in no film", given: noFilm, when: SeekFilm{1}, no: FilmMissing},
	{name: "volume", given: atDoors, when: SetVolume{100}, then: then(VolumeSet{100})},
	{name: "volume as it is", given: atDoors, when: SetVolume{80}},
	{name: "volume too high", given: atDoors, when: SetVolume{101}, no: VolumeOutOfRange},
	{name: "volume too low", given: atDoors, when: SetVolume{-1}, no: VolumeOutOfRange},
	{name: "sound lag", given: atDoors, when: SetSoundLag{1500}, then: then(SoundLagSet{1500})},
	{name: "sound lag as it is", given: after(atDoors, SetSoundLag{-500}), when: SetSoundLag{-500}},
	{name: "sound too late", given: atDoors, when: SetSoundLag{1501}, no: SoundLagOutOfRange},
	{name: "sound too early", given: atDoors, when: SetSoundLag{-501}, no: SoundLagOutOfRange},
	{name: "how the film looked", given: playing, when: from{FromPlayer, NoteFilmShown{FilmShown{Player: MPVPlayer, Played: 9000, Late: 2}}}, then: then(FilmShown{Player: MPVPlayer, Played: 9000, Late: 2})},
	{name: "how no film looked", given: playing, when: from{FromPlayer, NoteFilmShown{FilmShown{Player: MPVPlayer}}}},
	{name: "another player", given: playing, when: from{FromKiosk, ChooseFilmPlayer{BrowserPlayer, "no mpv"}}, then: then(FilmPlayerChosen{BrowserPlayer, "no mpv"})},
	{name: "subtitles", given: atDoors, when: SetSubtitles{"en"}, then: then(SubtitlesSet{"en"})},
	{name: "subtitles as they are", given: atDoors, when: SetSubtitles{""}},
	{name: "no subtitles", given: after(atDoors, SetSubtitles{"en"}), when: SetSubtitles{""}, then: then(SubtitlesSet{""})},
	{name: "subtitles that the film lacks", given: atDoors, when: SetSubtitles{"nl"}, no: UnknownSubtitles},
	{name: "no pause points", given: atFilm, when: UsePausePoints{false}, then: then(PausePointsUsed{false})},
	{name: "pause points as they are", given: atFilm, when: UsePausePoints{true}},
	{name: "position", given: playing, when: from{FromPlayer, NotePosition{2, 5000, 600_040}}, then: then(FilmPositionNoted{5000, 600_040})},
	{name: "position as it is", given: playing, when: from{FromPlayer, NotePosition{2, 0, 600_000}}},
	{name: "position before a jump", given: after(playing, SeekFilm{30_000}), when: from{FromPlayer, NotePosition{2, 5000, 600_000}}},
	{name: "position after a jump", given: after(playing, SeekFilm{30_000}), when: from{FromPlayer, NotePosition{5, 35_000, 600_000}}, then: then(FilmPositionNoted{35_000, 600_000})},
	{name: "position of nonsense", given: playing, when: from{FromPlayer, NotePosition{2, -1, 600_000}}},
	{name: "a player that does not know the length yet", given: playing, when: from{FromPlayer, NotePosition{2, 5000, 0}}, then: then(FilmPositionNoted{5000, 600_000})},
	{name: "a player behind the end", given: playing, when: from{FromPlayer, NotePosition{2, 600_090, 600_000}}, then: then(FilmPositionNoted{600_000, 600_000})},
	{name: "pause point", given: playing, when: from{FromPlayer, ReachPausePoint{2, 1, 120_020}}, then: then(FilmPaused{120_020, number(1)})},
	{name: "pause point, told again after it has gone on", given: after(playing, ReachPausePoint{2, 1, 120_020}, PlayFilm{}), when: from{FromPlayer, ReachPausePoint{2, 1, 120_020}}},
	{name: "pause point, not wanted", given: after(playing, UsePausePoints{false}), when: from{FromPlayer, ReachPausePoint{2, 1, 120_020}}},
	{name: "pause point before a jump", given: after(playing, SeekFilm{30_000}), when: from{FromPlayer, ReachPausePoint{2, 1, 120_020}}},
	{name: "pause point of a halted film", given: after(playing, PauseFilm{}), when: from{FromPlayer, ReachPausePoint{2, 1, 120_020}}},
	{name: "no such pause point", given: playing, when: from{FromPlayer, ReachPausePoint{2, 2, 120_020}}},
	{name: "a pause point below the first", given: playing, when: from{FromPlayer, ReachPausePoint{2, -1, 120_020}}},
	{name: "finished", given: playing, when: from{FromPlayer, FinishFilm{2, 600_070}}, then: then(FilmFinished{600_000})},
	{name: "finished before a jump", given: after(playing, SeekFilm{30_000}), when: from{FromPlayer, FinishFilm{2, 600_000}}},
	{name: "finished while halted", given: after(playing, PauseFilm{}), when: from{FromPlayer, FinishFilm{2, 600_000}}},
}

func TestDecide(t *testing.T) {
	for _, d := range decisions {
		t.Run(d.name, func(t *testing.T) {
			e := newEvening(t).run(d.given...)
			before := e.s.Copy()
			got, no := e.act(d.when)
			if d.no != "" {
				if no == nil || no.Reason != d.no {
					t.Fatalf("refusal %v, events %v; want %q", no, got, d.no)
				}
				sameState(t, "a refused command changed the state", e.s.Copy(), before)
				return
			}
			if no != nil {
				t.Fatalf("refused as %q (%v), want %v", no.Reason, no, d.then)
			}
			if diff := cmp.Diff(d.then, got); diff != "" {
				t.Fatalf("events (-want +got):\n%s", diff)
			}
			if len(d.then) == 0 {
				sameState(t, "a fulfilled wish changed the state", e.s.Copy(), before)
			}
			sameState(t, "replayed", replay(t, e.journal), e.s)
		})
	}
}

// structs gives the names of the types that have the method, from the source: a new
// one cannot be forgotten.
func structs(t *testing.T, file, method string) []string {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv != nil && f.Name.Name == method {
			if id, ok := f.Recv.List[0].Type.(*ast.Ident); ok {
				out = append(out, id.Name)
			}
		}
	}
	if len(out) < 20 {
		t.Fatalf("%s: only %d types have %s", file, len(out), method)
	}
	return out
}

func commandOf(act any) Command {
	switch a := act.(type) {
	case from:
		return a.Command
	case resent:
		return a.Envelope.Command
	case Command:
		return a
	}
	panic(fmt.Sprintf("no command in %T", act))
}

func TestEveryCommandIsInTheTable(t *testing.T) {
	accepted := map[string]bool{}
	events := map[string]bool{}
	for _, d := range decisions {
		for _, ev := range d.then {
			accepted[reflect.TypeOf(commandOf(d.when)).Name()] = true
			events[ev.Kind()] = true
		}
	}
	for _, name := range structs(t, "command.go", "command") {
		if !accepted[name] {
			t.Errorf("no case accepts %s", name)
		}
	}
	for _, name := range structs(t, "event.go", "Kind") {
		if !events[name] {
			t.Errorf("no case leads to %s", name)
		}
	}
}

// A file that Decide does not know of must not make the table pass by luck.
func TestSourcesAreWhereTheTablesLook(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := f.Name()
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		src, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if name != "command.go" && strings.Contains(string(src), ") command() {") {
			t.Errorf("%s declares commands; only command.go may", name)
		}
		if name != "event.go" && strings.Contains(string(src), ") Kind() string") {
			t.Errorf("%s declares events; only event.go may", name)
		}
	}
}

func TestRealEveningsAreNotLinear(t *testing.T) {
	e := newEvening(t).run(plan(), MoveTo{Doors}, CountAttendee{"woman"}, CountAttendee{"man"})
	e.run(MoveTo{FilmStep}) // the poll is skipped
	if e.s.DoorsOpen || e.s.Step != FilmStep {
		t.Fatalf("step %s, doors open %t", e.s.Step, e.s.DoorsOpen)
	}
	e.run(OpenDoors{}, CountAttendee{"woman"}, MoveTo{Discussion}, CountAttendee{"boy"})
	if !e.s.DoorsOpen {
		t.Fatal("the doors closed on the late-comers")
	}
	e.run(SetStage{PageHelp, true, "id", false}, MoveTo{PollBefore}) // back
	if e.s.Stage.Page != PageAuto {
		t.Fatalf("stage shows %s in a new step", e.s.Stage.Page)
	}
	e.run(MoveTo{Ended})
	if e.s.DoorsOpen || e.s.Screening.EndedAt == nil {
		t.Fatalf("ended: doors open %t, ended at %v", e.s.DoorsOpen, e.s.Screening.EndedAt)
	}
	e.refused(CountAttendee{"boy"}, DoorsAreClosed)
	e.run(wait(time.Minute), MoveTo{Discussion}) // pressed by mistake
	if e.s.Screening.EndedAt != nil {
		t.Fatal("still ended")
	}
	if got := e.s.Attendance.Total(); got != 4 {
		t.Fatalf("%d people, want 4", got)
	}
	e.run(MoveTo{Ended})
	if at := e.s.Screening.EndedAt.At; !at.Equal(eve.Add(time.Minute)) {
		t.Fatalf("ended at %v", at)
	}
	next := planned(func(p *PlanScreening) { p.Screening = "scr-2" })
	e.run(SetVolume{10}, next)
	if e.s.Attendance.Total() != 0 || e.s.Step != SetUp || e.s.Screening.ID != "scr-2" || e.s.Playback.Volume != 80 {
		t.Fatalf("the last evening shows through: %+v", e.s)
	}
	e.refused(UndoCount{}, NothingToUndo) // the presses of another evening
}

func TestUndoKeepsToItsSource(t *testing.T) {
	e := newEvening(t).run(atDoors...)
	e.run(from{FromButtons, CountAttendee{"woman"}}, from{FromButtons, CountAttendee{"man"}}, from{FromTouch, CountAttendee{"girl"}})
	see := func(want map[Source]string, last *Press) {
		t.Helper()
		if d := cmp.Diff(want, e.s.Attendance.Undo); d != "" {
			t.Fatalf("undo (-want +got):\n%s", d)
		}
		if d := cmp.Diff(last, e.s.Attendance.LastPress); d != "" {
			t.Fatalf("last press (-want +got):\n%s", d)
		}
	}
	see(map[Source]string{FromButtons: "man", FromTouch: "girl"}, &Press{7, "girl", FromTouch})
	e.run(from{FromButtons, UndoCount{}})
	see(map[Source]string{FromButtons: "woman", FromTouch: "girl"}, &Press{7, "girl", FromTouch})
	e.run(from{FromTouch, UndoCount{}})
	see(map[Source]string{FromButtons: "woman"}, nil)
	e.run(from{FromButtons, UndoCount{}})
	see(map[Source]string{}, nil)
	e.refused(from{FromButtons, UndoCount{}}, NothingToUndo)
	c := e.s.Attendance.Categories
	if c[0].Undone != 1 || c[1].Undone != 1 || c[2].Undone != 1 || e.s.Attendance.Total() != 0 {
		t.Fatalf("%+v", c)
	}
}

func TestRowsAreRecheckedAndRemoved(t *testing.T) {
	e := newEvening(t).run(atDoors...)
	e.run(CountAttendee{"woman"}, CorrectAttendance{"woman", 2, "di luar"})
	e.run(CountRow{"1", map[string]int{"woman": 10, "man": 3}}, CountRow{"2", map[string]int{"woman": 5}}, CountRow{"3", map[string]int{"boy": 4}})
	e.run(CountRow{"2", map[string]int{"woman": 7, "girl": 1}})
	want := []Row{
		{"1", map[string]int{"woman": 10, "man": 3}},
		{"2", map[string]int{"woman": 7, "girl": 1}},
		{"3", map[string]int{"boy": 4}},
	}
	if d := cmp.Diff(want, e.s.Attendance.Rows); d != "" {
		t.Fatalf("rows (-want +got):\n%s", d)
	}
	if got := []int{e.total("woman"), e.total("man"), e.total("girl"), e.total("boy")}; !reflect.DeepEqual(got, []int{20, 3, 1, 4}) {
		t.Fatalf("totals %v", got)
	}
	e.run(CountRow{"2", map[string]int{"woman": 0}})
	if d := cmp.Diff([]Row{want[0], want[2]}, e.s.Attendance.Rows); d != "" {
		t.Fatalf("rows after the removal (-want +got):\n%s", d)
	}
	if got := []int{e.total("woman"), e.total("girl"), e.s.Attendance.Total()}; !reflect.DeepEqual(got, []int{13, 0, 20}) {
		t.Fatalf("totals %v", got)
	}
	if c := e.s.Attendance.Categories[0]; c.Pressed != 1 || c.Corrected != 2 || c.Rows != 10 {
		t.Fatalf("the parts are mixed up: %+v", c)
	}
}

func TestDisabilityIsOnlyWhatWasAsked(t *testing.T) {
	e := newEvening(t).run(atDoors...)
	e.run(CountAttendee{"woman"})
	if e.s.Attendance.Disability != nil {
		t.Fatal("nobody was asked, and yet there is a number")
	}
	e.run(RecordDisability{number(3)})
	if d := e.s.Attendance.Disability; d == nil || *d != 3 {
		t.Fatalf("disability %v", d)
	}
	if e.s.Attendance.Total() != 1 {
		t.Fatal("disability was added to the people")
	}
	e.run(RecordDisability{nil})
	if e.s.Attendance.Disability != nil {
		t.Fatal("not removed")
	}
}

func TestQuestionFromOpenToRevealed(t *testing.T) {
	e := newEvening(t).run(atTalk...)
	phase := func(want Phase, current string) {
		t.Helper()
		if q := e.s.Question("signs"); q.Phase != want || e.s.Current != current {
			t.Fatalf("phase %s, current %q; want %s, %q", q.Phase, e.s.Current, want, current)
		}
	}
	phase(Unasked, "")
	e.run(SetStage{PageGuidebook, true, "id", false}, OpenQuestion{Question: "signs"})
	phase(Open, "signs")
	if e.s.Stage.Page != PageAuto {
		t.Fatal("the guidebook hides the question")
	}
	e.run(from{FromTouch, touch("signs", 1, "debt", "salary")}, from{FromPhone, phone("signs", 1, "p1", "debt")}, from{FromPhone, phone("signs", 1, "p2")})
	e.run(CloseQuestion{"signs"})
	phase(Closed, "signs")
	e.run(DismissQuestion{})
	phase(Closed, "")
	e.run(OpenQuestion{Question: "signs"}) // reopened: the ballots stand
	phase(Open, "signs")
	e.run(from{FromPhone, phone("signs", 1, "p2", "ticket")}, CloseQuestion{"signs"}, RevealQuestion{"signs"})
	phase(Revealed, "signs")
	want := Round{N: 1, Step: Discussion, Opened: 5, Counts: []int{0, 2, 1, 1}, Ballots: 3, ByChannel: map[Channel]int{ByTouch: 1, ByPhone: 2}}
	if d := cmp.Diff(want, e.round("signs", 1)); d != "" {
		t.Fatalf("round (-want +got):\n%s", d)
	}
	if n, choices, ok := e.s.Standing("signs", "p2"); n != 1 || !ok || !reflect.DeepEqual(choices, []string{"ticket"}) {
		t.Fatalf("standing ballot of p2: %d %v %t", n, choices, ok)
	}
	if _, _, ok := e.s.Standing("signs", "p3"); ok {
		t.Fatal("p3 never voted")
	}
	if _, _, ok := e.s.Standing("weather", "p1"); ok {
		t.Fatal("a ballot in no question")
	}
	e.run(MoveTo{Closing})
	phase(Revealed, "")
}

func TestRoundsStandBesideEachOther(t *testing.T) {
	e := newEvening(t).run(offered...)
	e.run(from{FromPhone, phone("offer", 1, "p1", "agent")}, from{FromPhone, phone("offer", 1, "p2", "agent")}, MoveTo{FilmStep}, MoveTo{Discussion})
	if _, _, ok := e.s.Standing("offer", "p3"); ok {
		t.Fatal("p3 never voted")
	}
	e.run(OpenQuestion{Question: "offer"})
	if n, _, ok := e.s.Standing("offer", "p1"); n != 2 || ok {
		t.Fatalf("p1 has voted in round %d already: %t", n, ok)
	}
	e.run(from{FromPhone, phone("offer", 2, "p1", "police")}, CloseQuestion{"offer"})
	e.run(OpenQuestion{Question: "offer", NewRound: true}, from{FromPhone, phone("offer", 3, "p1", "police")}, from{FromPhone, phone("offer", 3, "p2", "police")})
	e.run(CloseQuestion{"offer"}, RevealQuestion{"offer"})
	want := []Round{
		{N: 1, Opened: 7, Step: PollBefore, Counts: []int{0, 0, 2}, Ballots: 2, ByChannel: map[Channel]int{ByPhone: 2}},
		{N: 2, Opened: 13, Step: Discussion, Counts: []int{1, 0, 0}, Ballots: 1, ByChannel: map[Channel]int{ByPhone: 1}},
		{N: 3, Opened: 16, Step: Discussion, Counts: []int{2, 0, 0}, Ballots: 2, ByChannel: map[Channel]int{ByPhone: 2}},
	}
	if d := cmp.Diff(want, e.s.Question("offer").Rounds); d != "" {
		t.Fatalf("rounds (-want +got):\n%s", d)
	}
	if got := []int{e.s.Phones("offer", 1), e.s.Phones("offer", 2), e.s.Phones("offer", 3), e.s.Phones("offer", 4)}; !reflect.DeepEqual(got, []int{2, 1, 2, 0}) {
		t.Fatalf("phones %v", got)
	}
}

func TestHandsReplaceEarlierHands(t *testing.T) {
	e := newEvening(t).run(atTalk...)
	see := func(question string, want Round) {
		t.Helper()
		want.N, want.Step, want.Opened = 1, Discussion, e.round(question, 1).Opened
		if d := cmp.Diff(want, e.round(question, 1)); d != "" {
			t.Fatalf("%s (-want +got):\n%s", question, d)
		}
	}
	e.run(OpenQuestion{Question: "offer"}, from{FromTouch, offer("agent")}, from{FromPhone, phone("offer", 1, "p1")})
	e.run(CountHands{"offer", map[string]int{"police": 9, "agent": 2}})
	see("offer", Round{Counts: []int{9, 0, 3}, Skipped: 1, Ballots: 13, Hands: []int{9, 0, 2}, ByChannel: map[Channel]int{ByTouch: 1, ByPhone: 1, ByHands: 11}})
	e.run(CountHands{"offer", map[string]int{"friend": 4}})
	see("offer", Round{Counts: []int{0, 4, 1}, Skipped: 1, Ballots: 6, Hands: []int{0, 4, 0}, ByChannel: map[Channel]int{ByTouch: 1, ByPhone: 1, ByHands: 4}})
	e.run(CloseQuestion{"offer"}, CountHands{"offer", nil})
	see("offer", Round{Counts: []int{0, 0, 1}, Skipped: 1, Ballots: 2, ByChannel: map[Channel]int{ByTouch: 1, ByPhone: 1}})

	// A person may raise a hand for each of several options.
	e.run(OpenQuestion{Question: "signs"}, wait(2*time.Second), from{FromTouch, touch("signs", 1, "debt", "salary")})
	e.run(CountHands{"signs", map[string]int{"passport": 12, "debt": 30, "ticket": 8}})
	see("signs", Round{Counts: []int{12, 31, 1, 8}, Ballots: 31, Hands: []int{12, 30, 0, 8}, ByChannel: map[Channel]int{ByTouch: 1, ByHands: 30}})
	e.run(CountHands{"signs", map[string]int{"passport": 14}})
	see("signs", Round{Counts: []int{14, 1, 1, 0}, Ballots: 15, Hands: []int{14, 0, 0, 0}, ByChannel: map[Channel]int{ByTouch: 1, ByHands: 14}})
}

func TestFilmHaltsAtItsPausePoints(t *testing.T) {
	e := newEvening(t).run(playing...)
	// To play from where it stands is no jump: the epoch is still that of the plan.
	want := Playback{Epoch: 2, At: 60_010, Duration: 600_000, Volume: 80, UsePausePoints: true}
	e.run(from{FromPlayer, ReachPausePoint{2, 0, 60_010}})
	want.HaltedAt, want.Passed = number(0), 1
	see := func(what string) {
		t.Helper()
		if d := cmp.Diff(want, e.s.Playback); d != "" {
			t.Fatalf("%s (-want +got):\n%s", what, d)
		}
	}
	see("halted")
	e.run(PlayFilm{})
	want.HaltedAt, want.Playing = nil, true
	see("on again")
	e.run(SeekFilm{590_000})
	want.Epoch, want.At, want.Passed = e.s.Seq, 590_000, 0
	see("sought")
	e.run(from{FromPlayer, FinishFilm{want.Epoch, 600_000}})
	want.At, want.Playing, want.Finished = 600_000, false, true
	see("finished")
	e.run(PlayFilm{})
	want.Epoch, want.At, want.Playing, want.Finished = e.s.Seq, 0, true, false
	see("from the beginning: a jump")
	e.run(PauseFilm{}, SetVolume{15}, SetSubtitles{"en"}, UsePausePoints{false})
	want.Playing, want.Volume, want.Subtitles, want.UsePausePoints = false, 15, "en", false
	see("paused")
}

func TestHowTheFilmLookedAddsUp(t *testing.T) {
	e := newEvening(t).run(playing...)
	e.run(from{FromPlayer, NoteFilmShown{FilmShown{MPVPlayer, "h264, no", 60_000, 3, 1, 2, 0}}},
		from{FromPlayer, NoteFilmShown{FilmShown{BrowserPlayer, "", 1000, 1, 0, 0, 2}}})
	if diff := cmp.Diff(Shown{BrowserPlayer, "", 61_000, 4, 1, 2, 2}, e.s.Shown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The loudspeaker of the next evening is most likely that of this one.
func TestSoundLagIsKeptForTheNextEvening(t *testing.T) {
	e := newEvening(t).run(playing...)
	e.run(SetSoundLag{280}, MoveTo{Ended}, planned(func(p *PlanScreening) { p.Screening = "scr-2" }))
	if lag := e.s.Playback.SoundLag; lag != 280 {
		t.Errorf("the next evening begins with %d ms", lag)
	}
	if e.s.Shown != (Shown{}) {
		t.Errorf("the next evening has shown %+v", e.s.Shown)
	}
}

func TestPowerCutInterruptsTheFilm(t *testing.T) {
	e := newEvening(t).run(playing...)
	e.run(from{FromPlayer, NotePosition{2, 300_000, 600_000}}, restart{})
	if p := e.s.Playback; !p.Playing || p.Interrupted {
		t.Fatalf("a daemon that restarts in the same boot halts nothing: %+v", p)
	}
	e.run(reboot("boot-2"))
	if p := e.s.Playback; p.Playing || !p.Interrupted || p.At != 300_000 || p.Epoch != 2 {
		t.Fatalf("after the power cut: %+v", p)
	}
	e.run(restart{}, PlayFilm{})
	if p := e.s.Playback; !p.Playing || p.Interrupted || p.At != 300_000 {
		t.Fatalf("resumed: %+v", p)
	}
	e.run(PauseFilm{}, reboot("boot-3"))
	if p := e.s.Playback; p.Interrupted {
		t.Fatalf("it was halted, not interrupted: %+v", p)
	}
}

func TestClock(t *testing.T) {
	last := func(e *evening) Stamp { return e.journal[len(e.journal)-1].Stamp }
	press := CountAttendee{"man"}

	t.Run("nobody vouches", func(t *testing.T) {
		e := newEvening(t).run(atDoors...)
		if c := last(e).Clock; c != ClockUnset {
			t.Fatalf("clock %s", c)
		}
		e.now.Synced = true
		e.run(TrustClock{}, press)
		if c := last(e).Clock; c != ClockSynced {
			t.Fatalf("clock %s", c)
		}
	})
	t.Run("a wrong year is put right", func(t *testing.T) {
		e := newEvening(t)
		e.now.Wall = time.Date(1970, 1, 1, 0, 1, 0, 0, time.UTC) // no clock in the Pi
		e.s, e.journal = NewState(), nil
		e.run(atDoors...)
		e.run(SetClock{eve.AddDate(9, 0, 0)}, press)
		if st := last(e); st.At.Year() != 2035 || st.Clock != ClockOperator {
			t.Fatalf("stamp %v (%s)", st, st.Clock)
		}
		e.run(wait(time.Minute), SetClock{eve})
		if st := last(e); !st.At.Equal(eve) || st.Clock != ClockOperator {
			t.Fatalf("put right: %v (%s)", st, st.Clock)
		}
		e.run(wait(time.Minute), press)
		if st := last(e); !st.At.Equal(eve.Add(time.Minute)) || st.Clock != ClockOperator {
			t.Fatalf("a minute on: %v (%s)", st, st.Clock)
		}
	})
	t.Run("never backwards but by the facilitator", func(t *testing.T) {
		e := newEvening(t).run(atDoors...)
		e.run(wait(time.Hour), press)
		high := last(e)
		e.run(wall(eve.AddDate(-5, 0, 0)), wait(time.Second), press)
		if st := last(e); !st.At.Equal(high.At.Add(time.Second)) || st.Mono != high.Mono+1000 {
			t.Fatalf("stamp %v after %v", st, high)
		}
		e.run(SetClock{eve.Add(-time.Hour)}, wait(time.Second), press)
		if st := last(e); !st.At.Equal(eve.Add(-time.Hour + time.Second)) {
			t.Fatalf("stamp %v after the facilitator set it back", st)
		}
	})
	t.Run("a new boot has its own clock", func(t *testing.T) {
		e := newEvening(t).run(atDoors...)
		e.run(SetClock{eve.AddDate(1, 0, 0)}, restart{}, press)
		if st := last(e); !st.At.Equal(eve.AddDate(1, 0, 0).Add(900*time.Millisecond)) || st.Clock != ClockOperator {
			t.Fatalf("restarted: %v (%s)", st, st.Clock)
		}
		e.run(wall(eve.AddDate(3, 0, 0)), reboot("boot-2"), press)
		if st := last(e); !st.At.Equal(eve.AddDate(3, 0, 0)) || st.Clock != ClockUnset || st.Boot != "boot-2" {
			t.Fatalf("rebooted: %v (%s)", st, st.Clock)
		}
	})
	t.Run("millis in UTC", func(t *testing.T) {
		e := newEvening(t)
		e.now.Wall = eve.Add(time.Hour + 1_234_567).In(time.FixedZone("WITA", 8*3600))
		e.run(reboot("boot-2"))
		if st := last(e); st.At.Location() != time.UTC || !st.At.Equal(eve.Add(time.Hour+time.Millisecond)) {
			t.Fatalf("stamp %v", st)
		}
	})
}

func TestSameIDCountsOnce(t *testing.T) {
	e := newEvening(t).run(atDoors...)
	press := Envelope{ID: "press-1", From: FromButtons, Screening: "scr-1", Command: CountAttendee{"man"}}
	for range 3 {
		e.run(resent{press})
	}
	// Even what would be refused now is answered as it was then.
	e.run(CloseDoors{}, resent{press})
	if e.total("man") != 1 {
		t.Fatalf("%d men", e.total("man"))
	}
	ended := Envelope{ID: "end", From: FromFacilitator, Command: MoveTo{Ended}}
	e.run(resent{ended}, MoveTo{Discussion}, resent{ended})
	if e.s.Step != Discussion {
		t.Fatal("an old wish to end came true twice")
	}
	// Only the first event of a command carries its id.
	var carried int
	for _, r := range e.journal {
		if r.Command == "end" {
			carried++
		}
	}
	if carried != 1 {
		t.Fatalf("%d events carry the id", carried)
	}
	// On another evening a kept press is told so.
	e.run(MoveTo{Ended}, planned(func(p *PlanScreening) { p.Screening = "scr-2" }), MoveTo{Doors})
	e.refused(resent{press}, WrongScreening)
}

func TestRecordNumbersWithoutGaps(t *testing.T) {
	e := newEvening(t).run(offered...)
	e.run(from{FromTouch, offer("agent")}, MoveTo{Ended}, planned(func(p *PlanScreening) { p.Screening = "scr-2" }))
	for i, r := range e.journal {
		if r.Seq != int64(i+1) {
			t.Fatalf("event %d has number %d", i+1, r.Seq)
		}
		want := "scr-1"
		switch {
		case i == 0:
			want = ""
		case i == len(e.journal)-1:
			want = "scr-2"
		}
		if r.Screening != want {
			t.Fatalf("%s belongs to %q, want %q", r.Event.Kind(), r.Screening, want)
		}
	}
	if got := e.journal[len(e.journal)-1].From; got != FromFacilitator {
		t.Fatalf("from %q", got)
	}
}

func TestRegencyOfTheScreening(t *testing.T) {
	e := newEvening(t).run(plan())
	if got := e.s.Screening.Regency(); got.BPS != "5303" || got.Kemendagri != "53.01" {
		t.Fatalf("%+v", got)
	}
	e.s.Screening.Details.Regency = "gone"
	if got := e.s.Screening.Regency(); got.ID != "gone" {
		t.Fatalf("%+v", got)
	}
}

func TestText(t *testing.T) {
	text := Text{"id": "selamat", "en": "welcome", "aoz": ""}
	for lang, want := range map[string]string{"en": "welcome", "id": "selamat", "aoz": "selamat", "nl": "selamat"} {
		if got := text.In(lang); got != want {
			t.Errorf("%s: %q, want %q", lang, got, want)
		}
	}
}
