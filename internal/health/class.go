package health

// Class says what a finding means for an evening that has not begun. It is advice and
// never a lock: the evening can be begun whatever it says.
type Class string

const (
	CannotBegin    Class = "cannot_begin"     // no evening comes of it, or nothing of it is saved
	ShouldNotBegin Class = "should_not_begin" // the audience would miss what they came for
	GoodToKnow     Class = "good_to_know"     // the evening is whole without it
)

// classes is the class of a [Problem] by the name of its part. A part that is not here is
// [GoodToKnow]. This is the only place that decides it, for doctor, the facilitator's page
// and the guided check.
var classes = map[string]Class{
	"configuration": CannotBegin, // the file that was named is not there: the kiosk does not start
	"daemon":        CannotBegin, // it saves nothing, or another program has its address
	"data":          CannotBegin,
	"journal":       CannotBegin,
	"card_test":     CannotBegin, // what is written cannot be read back
	"pack":          CannotBegin,
	"pin_set":       CannotBegin,

	"disk":         ShouldNotBegin, // the journal may not fit
	"displays":     ShouldNotBegin, // no picture
	"film":         ShouldNotBegin,
	"film_whole":   ShouldNotBegin,
	"film_plays":   ShouldNotBegin,
	"film_picture": ShouldNotBegin,
	"film_sound":   ShouldNotBegin,
	"stage_player": ShouldNotBegin,
	"sound":        ShouldNotBegin,
	"pack_places":  ShouldNotBegin,
	"help_numbers": ShouldNotBegin,

	// What a person answers in the guided check.
	"check_sound":     ShouldNotBegin,
	"check_projector": ShouldNotBegin,
}

// ClassOf returns the class of a part at a level: "" at [OK], [GoodToKnow] at [Note].
func ClassOf(part string, level Level) Class {
	switch {
	case level == OK || level == "":
		return ""
	case level == Problem && classes[part] != "":
		return classes[part]
	}
	return GoodToKnow
}

// Begin says whether nothing speaks against beginning: the class is neither
// [CannotBegin] nor [ShouldNotBegin].
func (c Class) Begin() bool { return c.rank() <= GoodToKnow.rank() }

func (c Class) rank() int {
	switch c {
	case CannotBegin:
		return 3
	case ShouldNotBegin:
		return 2
	case GoodToKnow:
		return 1
	}
	return 0
}

// Classified returns the part with its Class.
func (p Part) Classified() Part {
	p.Class = ClassOf(p.Part, p.Level)
	return p
}

// Worse is for sorting: it is positive where a matters more than b for the evening, by
// class and then by level.
func Worse(a, b Part) int {
	if d := ClassOf(a.Part, a.Level).rank() - ClassOf(b.Part, b.Level).rank(); d != 0 {
		return d
	}
	return Compare(a.Level, b.Level)
}
