// Package layers holds, as a test, the rules that keep the parts of the kiosk apart:
// imports go one way (cmd, then adapters, then screening), and nothing runs or changes
// behind a reader's back.
package layers

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const (
	module = "mimpi-kiosk/"
	rules  = "internal/screening" // the innermost part; the standard library only
	health = "internal/health"    // the board that every part may write on
	words  = "kiosk-ui/lang"      // the sentences, which every part but the rules may use
)

// Folders that bring the parts together, and so may import any of them.
var wiring = []string{"cmd", "internal/bench", "internal/lab"}

// Parts that stay usable without a screening, and so import nothing of ours.
var alone = []string{"internal/clicker", "internal/config", "internal/health", "internal/layers", "internal/mpv"}

// Names that say nothing of what a package holds.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "model", "models", "misc", "shared", "base"}

func TestOurCodeKeepsTheRules(t *testing.T) {
	wrong, files := breaches(t, os.DirFS("../.."))
	for _, w := range wrong {
		t.Error(w)
	}
	if files < 5 {
		t.Errorf("only %d Go files were looked at: the test looks in the wrong place", files)
	}
}

// Each rule is broken once, so that a rule that no longer sees anything is noticed.
func TestBreachesAreSeen(t *testing.T) {
	source := fstest.MapFS{
		"internal/screening/a.go":       {Data: []byte("package screening\nimport (\n\t\"time\"\n\t\"github.com/x/y\"\n\t\"mimpi-kiosk/internal/sqlite\"\n)\nvar _ = time.Now\n")},
		"internal/sqlite/a.go":          {Data: []byte("package sqlite\nimport (\n\t\"mimpi-kiosk/internal/screening\"\n\t\"mimpi-kiosk/internal/sqlite/migrations\"\n\t\"mimpi-kiosk/internal/web\"\n)\n")},
		"internal/sqlite/a_test.go":     {Data: []byte("package sqlite\nimport \"mimpi-kiosk/internal/web\"\n")},
		"internal/config/a.go":          {Data: []byte("package config\nimport (\n\t\"mimpi-kiosk/internal/screening\"\n\t\"mimpi-kiosk/kiosk-ui/lang\"\n)\n")},
		"internal/bench/a.go":           {Data: []byte("package main\nimport (\n\"mimpi-kiosk/internal/web\"\n\"time\"\n)\nfunc main() { time.Sleep(1) }\n")},
		"internal/collect/a.go":         {Data: []byte("package collect\nimport (\n\t\"mimpi-kiosk/internal/export\"\n\t\"mimpi-kiosk/internal/export/chart\"\n\t\"mimpi-kiosk/internal/web\"\n)\n")},
		"internal/web/util/a.go":        {Data: []byte("package util\nfunc init() {}\n")},
		"internal/web/a.go":             {Data: []byte("package web\nimport (\n\"context\"\n\"errors\"\n\"sync\"\n\"time\"\n)\nvar count int\nvar mu = sync.Mutex{}\nvar seen = make(map[string]bool)\nvar errGone = errors.New(\"gone\")\nvar icons = map[string]string{}\n//go:embed a.html\nvar page string\nvar _ error = (*T)(nil)\ntype T struct { ctx context.Context }\nfunc New() *T { go func() {}(); return nil }\nfunc (t *T) Run() { time.Sleep(time.Second); go t.Run() }\n")},
		"kiosk-ui/node_modules/x/a.go":  {Data: []byte("package util\nfunc init() {}\n")},
		"kiosk-ui/embed.go":             {Data: []byte("package kioskui\nfunc init() {}\n")},
		"cmd/mimpi-kiosk/main.go":       {Data: []byte("package main\nimport \"mimpi-kiosk/internal/web\"\nvar version = \"dev\"\n")},
		"internal/web/testdata/bad.go":  {Data: []byte("package models\n")},
		"internal/playback/fake/ok.go":  {Data: []byte("package fake\nimport \"mimpi-kiosk/internal/playback\"\n")},
		"internal/playback/playback.go": {Data: []byte("package playback\n")},
	}
	got, _ := breaches(t, source)
	want := []string{
		`internal/collect/a.go:5: imports mimpi-kiosk/internal/web: an adapter imports internal/screening and internal/health alone; let cmd bring the two together`,
		`internal/config/a.go:3: imports mimpi-kiosk/internal/screening: internal/config imports nothing of ours`,
		`internal/screening/a.go:4: imports github.com/x/y: the rules use the standard library only`,
		`internal/screening/a.go:5: imports mimpi-kiosk/internal/sqlite: the rules use the standard library only`,
		`internal/sqlite/a.go:5: imports mimpi-kiosk/internal/web: an adapter imports internal/screening and internal/health alone; let cmd bring the two together`,
		`internal/web/a.go:16: a context in a struct: hand it to the function that needs it`,
		`internal/web/a.go:17: New starts a goroutine: let a Run(ctx) do it, so that its caller sees it end`,
		`internal/web/a.go:18: time.Sleep: wait for what is awaited, with a timer and ctx.Done()`,
		`internal/web/a.go:8: variable count of a package can change: keep it in a value that has an owner`,
		`internal/web/a.go:9: variable mu of a package can change: keep it in a value that has an owner`,
		`internal/web/a.go:10: variable seen of a package can change: keep it in a value that has an owner`,
		`internal/web/util/a.go:1: package util: name it for what it holds`,
		`internal/web/util/a.go:2: func init: what happens at start stands in main`,
		`kiosk-ui/embed.go:2: func init: what happens at start stands in main`,
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("breaches (-want +got):\n%s", diff)
	}
}

// breaches reads our Go files, tests left out, and says where a rule is broken.
func breaches(t *testing.T, source fs.FS) (wrong []string, files int) {
	t.Helper()
	err := fs.WalkDir(source, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || entry.Name() == "build" ||
			strings.HasPrefix(entry.Name(), ".") && name != ".") {
			return fs.SkipDir
		}
		if path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		text, err := fs.ReadFile(source, name)
		if err != nil {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files++
		say := func(at token.Pos, format string, args ...any) {
			wrong = append(wrong, fmt.Sprintf("%s:%d: %s", name, set.Position(at).Line, fmt.Sprintf(format, args...)))
		}
		checkImports(path.Dir(name), file, say)
		checkDeclarations(file, say)
		if !within(name, wiring) {
			checkSleep(file, say)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("read our source: %v", err)
	}
	return wrong, files
}

type sayer func(at token.Pos, format string, args ...any)

func checkImports(folder string, file *ast.File, say sayer) {
	if slices.Contains(emptyNames, file.Name.Name) {
		say(file.Name.Pos(), "package %s: name it for what it holds", file.Name.Name)
	}
	if within(folder, wiring) {
		return
	}
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		ours, isOurs := strings.CutPrefix(imported, module)
		first, _, _ := strings.Cut(imported, "/")
		switch {
		case within(folder, []string{rules}):
			if isOurs && !within(ours, []string{rules}) || strings.Contains(first, ".") {
				say(spec.Pos(), "imports %s: the rules use the standard library only", imported)
			}
		case !isOurs || part(ours) == part(folder): // a part may have packages of its own
		case ours == words:
		case within(folder, alone):
			say(spec.Pos(), "imports %s: %s imports nothing of ours", imported, part(folder))
		case part(folder) == "internal/collect" && part(ours) == "internal/export": // reads what that writes
		case ours != rules && ours != health:
			say(spec.Pos(), "imports %s: an adapter imports internal/screening and internal/health alone; let cmd bring the two together", imported)
		}
	}
}

func checkDeclarations(file *ast.File, say sayer) {
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			if d.Recv != nil {
				continue
			}
			if d.Name.Name == "init" {
				say(d.Pos(), "func init: what happens at start stands in main")
			}
			if strings.HasPrefix(d.Name.Name, "New") || strings.HasPrefix(d.Name.Name, "new") {
				ast.Inspect(d, func(n ast.Node) bool {
					if n, ok := n.(*ast.GoStmt); ok {
						say(n.Pos(), "%s starts a goroutine: let a Run(ctx) do it, so that its caller sees it end", d.Name.Name)
					}
					return true
				})
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR && !embedded(d.Doc) && !embedded(v.Doc) && canChange(v) {
					say(v.Pos(), "variable %s of a package can change: keep it in a value that has an owner", v.Names[0].Name)
				}
				if s, ok := spec.(*ast.TypeSpec); ok {
					checkFields(s.Type, say)
				}
			}
		}
	}
}

// canChange sees the usual shapes of state: a variable declared without a value, made
// empty, or holding a lock or an atomic. Tables, errors and patterns pass.
func canChange(v *ast.ValueSpec) bool {
	if v.Names[0].Name == "_" {
		return false
	}
	state := len(v.Values) == 0
	ast.Inspect(v, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && (x.Name == "sync" || x.Name == "atomic") {
				state = true
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "make" || f.Name == "new") {
				state = true
			}
		}
		return true
	})
	return state
}

func checkFields(of ast.Expr, say sayer) {
	ast.Inspect(of, func(n ast.Node) bool {
		s, ok := n.(*ast.StructType)
		if !ok {
			return true
		}
		for _, field := range s.Fields.List {
			if isSelector(field.Type, "context", "Context") {
				say(field.Pos(), "a context in a struct: hand it to the function that needs it")
			}
		}
		return true
	})
}

func checkSleep(file *ast.File, say sayer) {
	ast.Inspect(file, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok && isSelector(e, "time", "Sleep") {
			say(n.Pos(), "time.Sleep: wait for what is awaited, with a timer and ctx.Done()")
		}
		return true
	})
}

func isSelector(e ast.Expr, of, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	x, ok := s.X.(*ast.Ident)
	return ok && x.Name == of && s.Sel.Name == name
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// part gives the folder of the part that a path is in: "internal/web/signin" is in "internal/web".
func part(folder string) string {
	pieces := strings.SplitN(folder, "/", 3)
	return strings.Join(pieces[:min(2, len(pieces))], "/")
}

func within(name string, folders []string) bool {
	return slices.ContainsFunc(folders, func(f string) bool { return name == f || strings.HasPrefix(name, f+"/") })
}
