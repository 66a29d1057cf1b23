package screening_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	. "mimpi-kiosk/internal/screening"
)

var placeholder = regexp.MustCompile(`\{[^}]*\}`)

// reasons gives every constant of type Reason, from the source.
func reasons(t *testing.T) map[string]Reason {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), "refusal.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]Reason{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if id, ok := v.Type.(*ast.Ident); ok && id.Name == "Reason" {
			for i, name := range v.Names {
				s, err := strconv.Unquote(v.Values[i].(*ast.BasicLit).Value)
				if err != nil {
					t.Fatal(err)
				}
				out[name.Name] = Reason(s)
			}
		}
		return true
	})
	if len(out) < 30 {
		t.Fatalf("only %d reasons found in refusal.go", len(out))
	}
	return out
}

func TestEveryReasonHasSentences(t *testing.T) {
	used := map[Reason]string{}
	for name, r := range reasons(t) {
		if other, twice := used[r]; twice {
			t.Errorf("%s and %s are both %q", name, other, r)
		}
		used[r] = name
		m := (&Refusal{Reason: r}).Message()
		if len(m) != 2 || m["id"] == "" || m["en"] == "" {
			t.Errorf("%s: sentences %v, want Indonesian and English", name, m)
			continue
		}
		for lang, s := range m {
			if !strings.HasSuffix(s, ".") || strings.TrimSpace(s) != s {
				t.Errorf("%s: not a sentence in %s: %q", name, lang, s)
			}
		}
		if m["id"] == m["en"] {
			t.Errorf("%s: both languages say %q", name, m["id"])
		}
		id, en := placeholder.FindAllString(m["id"], -1), placeholder.FindAllString(m["en"], -1)
		slices.Sort(id)
		slices.Sort(en)
		if !slices.Equal(id, en) {
			t.Errorf("%s: placeholders %v in Indonesian, %v in English", name, id, en)
		}
	}
}

func TestEveryReasonIsReachedAndFilled(t *testing.T) {
	reached := map[Reason]bool{}
	for _, d := range decisions {
		if d.no == "" {
			continue
		}
		_, no := newEvening(t).run(d.given...).act(d.when)
		if no == nil {
			t.Errorf("%s: not refused", d.name)
			continue
		}
		reached[no.Reason] = true
		for lang, s := range no.Message() {
			if placeholder.MatchString(s) {
				t.Errorf("%s: a placeholder is left in %s: %q", d.name, lang, s)
			}
		}
		if no.Error() != no.Message()["en"] {
			t.Errorf("%s: Error says %q", d.name, no.Error())
		}
	}
	for name, r := range reasons(t) {
		if !reached[r] {
			t.Errorf("no case of the table is refused as %s", name)
		}
	}
}

func TestRefusalSaysWhat(t *testing.T) {
	_, no := newEvening(t).run(atDoors...).act(plan())
	if no == nil || !strings.Contains(no.Message()["id"], "SMAN 1") || !strings.Contains(no.Message()["en"], "SMAN 1") {
		t.Fatalf("%v", no)
	}
	_, no = newEvening(t).run(atDoors...).act(CountHands{"offer", nil})
	if no == nil || no.Reason != QuestionNotAsked {
		t.Fatalf("%v", no)
	}
	_, no = newEvening(t).run(atDoors...).act(RecordDisability{number(-1)})
	if no == nil || !strings.Contains(no.Error(), "9999") {
		t.Fatalf("%v", no)
	}
}

// What is noted is shown to facilitators and printed in reports: each word in both languages.
func TestNoteListsAreWhole(t *testing.T) {
	for _, list := range NoteLists {
		seen := map[string]bool{}
		said := func(text Text) {
			if len(text) != 2 || text["id"] == "" || text["en"] == "" || seen[text["id"]] || seen[text["en"]] {
				t.Errorf("%s says %v", list.ID, text)
			}
			seen[text["id"]], seen[text["en"]] = true, true
		}
		said(list.Title)
		for _, c := range list.Choices {
			said(c.Text)
			if !regexp.MustCompile(`^[a-z_]+$`).MatchString(c.ID) || c.Icon == "" || seen[c.ID] {
				t.Errorf("%s offers %+v", list.ID, c)
			}
			seen[c.ID] = true
		}
	}
}
