package lang

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestText(t *testing.T) {
	got := Text("common.few", Params{"n": 10})
	want := map[string]string{
		"id": "Kurang dari 10 orang menjawab, jadi hasilnya tidak ditunjukkan.",
		"en": "Fewer than 10 people answered, so the result is not shown.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Text (-want +got):\n%s", diff)
	}
	if got := Text("no.such.key"); !cmp.Equal(got, map[string]string{"id": "no.such.key"}) {
		t.Errorf("an unknown key gives %v", got)
	}
	if got := In("tet", "common.back"); got != "Kembali" {
		t.Errorf("a language that is not there gives %q", got)
	}
	if got := In("en", "common.few"); !strings.Contains(got, "{n}") {
		t.Errorf("a parameter without a value gives %q", got)
	}
}

// Every key that Go code names is in the files, with the same parameters.
func TestCallsNameSentences(t *testing.T) {
	var calls int
	var wrong []string
	for name, file := range goFiles(t) {
		set := token.NewFileSet()
		syntax, err := parser.ParseFile(set, name, file, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			arguments := keyAndParams(call)
			if arguments == nil {
				return true
			}
			calls++
			if problem := check(arguments); problem != "" {
				wrong = append(wrong, set.Position(call.Pos()).String()+": "+problem)
			}
			return true
		})
	}
	slices.Sort(wrong)
	for _, w := range wrong {
		t.Error(w)
	}
	t.Logf("%d calls were looked at", calls)
}

func TestWrongCallsAreSeen(t *testing.T) {
	for source, want := range map[string]string{
		`lang.Text("no.such.key")`:                                   `no sentence for "no.such.key"`,
		`lang.Text("common.few")`:                                    `common.few: has the parameters [n], and the call gives []`,
		`lang.In(code, "common.few", lang.Params{"m": 1})`:           `common.few: has the parameters [n], and the call gives [m]`,
		`lang.In(code, "common.few", lang.Params{"n": 1})`:           ``,
		`lang.Text("common." + kind)`:                                `the key is not a string constant of the call`,
		`lang.Text("common.few", params)`:                            `common.few: the parameters are not written in the call`,
		`lang.Text("common.few", lang.Params{"n": 1, "minutes": 2})`: `common.few: has the parameters [n], and the call gives [minutes n]`,
	} {
		expression, err := parser.ParseExpr(source)
		if err != nil {
			t.Fatal(err)
		}
		if got := check(keyAndParams(expression.(*ast.CallExpr))); got != want {
			t.Errorf("%s: %q, want %q", source, got, want)
		}
	}
}

// keyAndParams returns the arguments of a call of Text or In from the key on, nil for
// any other call.
func keyAndParams(call *ast.CallExpr) []ast.Expr {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	of, ok := selector.X.(*ast.Ident)
	switch {
	case !ok || of.Name != "lang":
		return nil
	case selector.Sel.Name == "Text":
		return call.Args
	case selector.Sel.Name == "In":
		return call.Args[1:]
	}
	return nil
}

func check(arguments []ast.Expr) string {
	literal, ok := arguments[0].(*ast.BasicLit)
	if !ok {
		return "the key is not a string constant of the call"
	}
	key, err := strconv.Unquote(literal.Value)
	if err != nil {
		return err.Error()
	}
	sentence, ok := sentences[Home][key]
	if !ok {
		return "no sentence for " + strconv.Quote(key)
	}
	var given []string
	for _, argument := range arguments[1:] {
		params, ok := argument.(*ast.CompositeLit)
		if !ok {
			return key + ": the parameters are not written in the call"
		}
		for _, element := range params.Elts {
			name, ok := element.(*ast.KeyValueExpr).Key.(*ast.BasicLit)
			if !ok {
				return key + ": the parameters are not written in the call"
			}
			given = append(given, strings.Trim(name.Value, `"`))
		}
	}
	slices.Sort(given)
	if has := parameters(sentence); !slices.Equal(has, given) {
		return key + ": has the parameters [" + strings.Join(has, " ") + "], and the call gives [" + strings.Join(given, " ") + "]"
	}
	return ""
}

func parameters(sentence string) []string {
	var out []string
	for _, place := range parameter.FindAllString(sentence, -1) {
		out = append(out, place[1:len(place)-1])
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestLanguagesAgree(t *testing.T) {
	if len(sentences) < 2 {
		t.Fatalf("only %d languages were read", len(sentences))
	}
	for code, known := range sentences {
		for key, sentence := range known {
			if strings.HasPrefix(key, "pack.") {
				t.Errorf("%s: %s: keys that begin with pack. are texts of a pack (internal/pack/lang.go)", code, key)
			}
			if want, got := parameters(sentences[Home][key]), parameters(sentence); !slices.Equal(want, got) {
				t.Errorf("%s: %s has the parameters %v, and %s has %v", code, key, got, Home, want)
			}
		}
		for key := range sentences[Home] {
			if known[key] == "" {
				t.Errorf("%s lacks %s", code, key)
			}
		}
	}
}

// goFiles returns our Go files but tests, by path.
func goFiles(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, top := range []string{"../../cmd", "../../internal", "..", "../../systemd"} {
		err := filepath.WalkDir(top, func(name string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata") {
				return fs.SkipDir
			}
			if filepath.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
				return nil
			}
			out[name], err = os.ReadFile(name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 100 {
		t.Fatalf("only %d Go files were found: the test looks in the wrong place", len(out))
	}
	return out
}
