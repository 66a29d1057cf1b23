package health

import (
	"slices"
	"testing"
)

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		part  string
		level Level
		want  Class
	}{
		{"pack", Problem, CannotBegin},
		{"journal", Problem, CannotBegin},
		{"pin_set", Problem, CannotBegin},
		{"film", Problem, ShouldNotBegin},
		{"sound", Problem, ShouldNotBegin},
		{"film_sound", Problem, ShouldNotBegin},
		{"pack_places", Problem, ShouldNotBegin},
		{"help_numbers", Problem, ShouldNotBegin},
		{"help_numbers", Note, GoodToKnow}, // nobody has dialled them
		{"guidebook", Note, GoodToKnow},
		{"pin_set", Note, GoodToKnow}, // it cannot be looked at
		{"film", Note, GoodToKnow},
		{"buttons", Problem, GoodToKnow},
		{"a part of tomorrow", Problem, GoodToKnow},
		{"pack", OK, ""},
	} {
		got := ClassOf(c.part, c.level)
		if got != c.want {
			t.Errorf("%s at %s is %q, want %q", c.part, c.level, got, c.want)
		}
		if begin := got == "" || got == GoodToKnow; got.Begin() != begin {
			t.Errorf("%s: Begin is %v", c.part, got.Begin())
		}
	}
}

func TestTheBoardSaysTheClass(t *testing.T) {
	var b Board
	b.Set(part("buttons", Problem))
	b.Set(part("film", Problem))
	b.Set(part("pack", Problem))
	b.Set(part("clock", OK))
	b.Set(part("guidebook", Note))
	var names []string
	var classes []Class
	for _, p := range b.Parts() {
		names, classes = append(names, p.Part), append(classes, p.Class)
	}
	if want := []string{"pack", "film", "buttons", "guidebook", "clock"}; !slices.Equal(names, want) {
		t.Errorf("order %v, want %v", names, want)
	}
	if want := []Class{CannotBegin, ShouldNotBegin, GoodToKnow, GoodToKnow, ""}; !slices.Equal(classes, want) {
		t.Errorf("classes %v, want %v", classes, want)
	}
}

func TestRemove(t *testing.T) {
	var b Board
	b.Set(part("film", Problem))
	b.Set(part("pin", OK))
	news, stop := b.Follow()
	defer stop()
	b.Remove("film")
	if parts := b.Parts(); len(parts) != 1 || parts[0].Part != "pin" {
		t.Errorf("left are %v", parts)
	}
	select {
	case <-news:
	default:
		t.Error("followers do not see that a part is gone")
	}
	b.Remove("film")
	select {
	case <-news:
		t.Error("what is not there was removed, and followers were signalled")
	default:
	}
}
