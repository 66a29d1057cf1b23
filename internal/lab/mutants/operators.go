package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// operators are the kinds of faults, and what each does.
var operators = [][2]string{
	{"negate", "the condition of an if or for is turned round"},
	{"boundary", "< and <=, > and >="},
	{"equality", "== and !="},
	{"arithmetic", "+ and -, * and /, % to *, & and |, << and >>, also before =; ++ and --"},
	{"logic", "&& and ||"},
	{"boolean", "true and false"},
	{"constant", "0 and 1, other numbers one more, file modes 0o777, words (strings without white space) empty"},
	{"half", "a number is halved where it is given, returned, assigned or compared"},
	{"drop call", "a call, go statement, send or receive is not run"},
	{"drop assignment", "an assignment is not made; definitions stay"},
	{"drop defer", "a defer is not run"},
	{"drop branch", "a break or continue is not run"},
	{"drop append", "what is appended to is returned as it was"},
	{"drop case", "a case of a switch or select is cut out"},
	{"nil error", "an error is made, and nil is returned in its place"},
	{"ignore error", "the body of if err != nil is not run"},
	{"loop end", "a loop over numbers, slices or text leaves out the last; any other ends after the first"},
	{"index", "the index of a slice, array or text is one less, but not below 0; the key of a map is its type's zero"},
	{"slice bound", "one bound of a slice expression is left out"},
}

// finder finds the sites in a file.
type finder struct {
	set    *token.FileSet
	info   *types.Info
	source []byte
	at     site // what all sites that are found now have in common
	sites  []site
	stack  []ast.Node // the parents of the node that is looked at
}

// find walks through the file. Sites are in the order of their lines.
func (f *finder) find(file *ast.File) {
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			f.at.Func = d.Name.Name
			if d.Recv != nil && len(d.Recv.List) == 1 {
				f.at.Func = "(" + types.ExprString(d.Recv.List[0].Type) + ")." + d.Name.Name
			}
			f.walk(d)
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					f.at.Func = v.Names[0].Name
					f.walk(v)
				}
			}
		}
	}
	slices.SortStableFunc(f.sites, func(a, b site) int { return cmp.Compare(a.Line, b.Line) })
}

func (f *finder) walk(root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil {
			f.stack = f.stack[:len(f.stack)-1]
			return true
		}
		if !f.look(n) {
			return false
		}
		f.stack = append(f.stack, n)
		return true
	})
}

// look adds the sites of a node, those of its children not; false: leave them out.
func (f *finder) look(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IfStmt:
		f.condition(n.Cond)
		if b, ok := n.Cond.(*ast.BinaryExpr); ok && b.Op == token.NEQ && f.isError(b.X) && f.isNil(b.Y) {
			f.insert("ignore error", b.End(), " && false")
		}
	case *ast.ForStmt:
		f.condition(n.Cond)
	case *ast.RangeStmt:
		f.loop(n)
	case *ast.BinaryExpr:
		f.binary(n)
	case *ast.IncDecStmt:
		f.replace("arithmetic", n.TokPos, n.TokPos+2, map[token.Token]string{token.INC: "--", token.DEC: "++"}[n.Tok])
	case *ast.Ident:
		if of := f.info.Uses[n]; of != nil && (of == types.Universe.Lookup("true") || of == types.Universe.Lookup("false")) {
			f.replace("boolean", n.Pos(), n.End(), map[string]string{"true": "false", "false": "true"}[n.Name])
		}
	case *ast.Field:
		f.children(n.Names, n.Type) // not the tag
		return false
	case *ast.BasicLit:
		f.literal(n)
	case *ast.ExprStmt:
		if call, ok := n.X.(*ast.CallExpr); f.isListed(n) && !(ok && f.isLog(call)) {
			f.drop("drop call", n)
		}
	case *ast.SendStmt:
		if f.isListed(n) {
			f.drop("drop call", n)
		}
	case *ast.GoStmt:
		f.drop("drop call", n)
	case *ast.DeferStmt:
		f.drop("drop defer", n)
	case *ast.BranchStmt:
		if f.isListed(n) && (n.Tok == token.BREAK || n.Tok == token.CONTINUE) {
			f.drop("drop branch", n)
		}
	case *ast.AssignStmt:
		f.assignment(n)
	case *ast.ReturnStmt:
		f.results(n)
	case *ast.KeyValueExpr:
		f.half(n.Value)
	case *ast.CallExpr:
		if f.isLog(n) {
			return false
		}
		f.call(n)
	case *ast.BlockStmt:
		f.cases(n)
	case *ast.IndexExpr:
		f.index(n)
	case *ast.SliceExpr:
		if !n.Slice3 {
			for _, bound := range []ast.Expr{n.Low, n.High} {
				if bound != nil {
					f.replace("slice bound", bound.Pos(), bound.End(), "")
				}
			}
		}
	}
	return true
}

func (f *finder) children(names []*ast.Ident, of ast.Expr) {
	for _, n := range names {
		f.walk(n)
	}
	f.walk(of)
}

func (f *finder) condition(c ast.Expr) {
	if c == nil {
		return
	}
	if b, ok := c.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) {
		return // the same as "equality"
	}
	f.wrap("negate", c, "!(", ")")
}

func (f *finder) binary(n *ast.BinaryExpr) {
	var operator string
	switch n.Op {
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		operator = "boundary"
	case token.EQL, token.NEQ:
		operator = "equality"
	case token.LAND, token.LOR:
		operator = "logic"
	default:
		if t, ok := f.basic(n); ok && t.Info()&types.IsNumeric != 0 {
			operator = "arithmetic"
		}
	}
	if other, ok := swapped[n.Op]; ok && operator != "" {
		f.replace(operator, n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), other.String())
	}
	if operator == "boundary" || operator == "equality" {
		f.half(n.X)
		f.half(n.Y)
	}
}

var swapped = map[token.Token]token.Token{
	token.LSS: token.LEQ, token.LEQ: token.LSS, token.GTR: token.GEQ, token.GEQ: token.GTR,
	token.EQL: token.NEQ, token.NEQ: token.EQL, token.LAND: token.LOR, token.LOR: token.LAND,
	token.ADD: token.SUB, token.SUB: token.ADD, token.MUL: token.QUO, token.QUO: token.MUL, token.REM: token.MUL,
	token.AND: token.OR, token.OR: token.AND, token.SHL: token.SHR, token.SHR: token.SHL,
	token.ADD_ASSIGN: token.SUB_ASSIGN, token.SUB_ASSIGN: token.ADD_ASSIGN, token.MUL_ASSIGN: token.QUO_ASSIGN, token.QUO_ASSIGN: token.MUL_ASSIGN,
	token.OR_ASSIGN: token.AND_ASSIGN, token.AND_ASSIGN: token.OR_ASSIGN,
}

func (f *finder) literal(n *ast.BasicLit) {
	switch n.Kind {
	case token.INT, token.FLOAT:
		text := "(" + n.Value + " + 1)"
		switch {
		case n.Value == "0":
			text = "1"
		case n.Value == "1":
			text = "0"
		case strings.HasPrefix(n.Value, "0o"):
			text = "0o777"
		}
		if text != n.Value {
			f.replace("constant", n.Pos(), n.End(), text)
		}
	case token.STRING:
		text, err := strconv.Unquote(n.Value)
		if err == nil && text != "" && !strings.ContainsAny(text, " \t\n") && !f.isSentence() {
			f.replace("constant", n.Pos(), n.End(), `""`)
		}
	}
}

func (f *finder) assignment(n *ast.AssignStmt) {
	if n.Tok == token.DEFINE || n.Tok == token.ASSIGN {
		for _, e := range n.Rhs {
			f.half(e)
		}
	} else if other, ok := swapped[n.Tok]; ok {
		if t, isBasic := f.basic(n.Lhs[0]); isBasic && t.Info()&types.IsNumeric != 0 {
			f.replace("arithmetic", n.TokPos, n.TokPos+token.Pos(len(n.Tok.String())), other.String())
		}
	}
	isBlank := func(e ast.Expr) bool { i, ok := e.(*ast.Ident); return ok && i.Name == "_" }
	if n.Tok != token.DEFINE && f.isListed(n) && slices.ContainsFunc(n.Lhs, func(e ast.Expr) bool { return !isBlank(e) }) {
		f.drop("drop assignment", n)
	}
}

func (f *finder) results(n *ast.ReturnStmt) {
	for _, e := range n.Results {
		f.half(e)
	}
	var results *ast.FieldList
	for _, parent := range slices.Backward(f.stack) {
		if fn, ok := parent.(*ast.FuncLit); ok {
			results = fn.Type.Results
			break
		}
		if fn, ok := parent.(*ast.FuncDecl); ok {
			results = fn.Type.Results
		}
	}
	if results.NumFields() == 0 || results.NumFields() != len(n.Results) {
		return
	}
	last := n.Results[len(n.Results)-1]
	if of := results.List[len(results.List)-1].Type; f.isError(of) && !f.isNil(last) {
		f.wrap("nil error", last, "func(error) error { return nil }(", ")")
	}
}

func (f *finder) call(n *ast.CallExpr) {
	if id, ok := n.Fun.(*ast.Ident); ok && f.info.Uses[id] == types.Universe.Lookup("append") && len(n.Args) > 1 {
		f.replace("drop append", n.Pos(), n.End(), string(f.text(n.Args[0])))
	}
	if t, ok := f.info.Types[n.Fun]; ok && (t.IsType() || t.IsBuiltin()) {
		return
	}
	for _, a := range n.Args {
		f.half(a)
	}
}

// half halves a number that is not known when compiling.
func (f *finder) half(e ast.Expr) {
	t, ok := f.basic(e)
	if ok && f.info.Types[e].Value == nil && t.Info()&(types.IsInteger|types.IsFloat) != 0 {
		f.wrap("half", e, "(", ") / 2")
	}
}

// cases cuts out the clauses of a switch or select.
func (f *finder) cases(n *ast.BlockStmt) {
	for i, s := range n.List {
		switch s.(type) {
		case *ast.CaseClause, *ast.CommClause:
		default:
			return
		}
		end := n.Rbrace
		if i+1 < len(n.List) {
			end = n.List[i+1].Pos()
		}
		lines := bytes.Count(f.source[f.offset(s.Pos()):f.offset(end)], []byte("\n"))
		f.replace("drop case", s.Pos(), end, strings.Repeat("\n", lines))
	}
}

func (f *finder) loop(n *ast.RangeStmt) {
	_, isName := n.X.(*ast.Ident)
	if s, ok := n.X.(*ast.SelectorExpr); ok {
		_, isName = s.X.(*ast.Ident)
	}
	switch t := f.info.TypeOf(n.X).Underlying().(type) {
	case *types.Basic:
		if t.Info()&types.IsInteger != 0 {
			f.wrap("loop end", n.X, "", " - 1")
			return
		}
		if isName && f.info.Types[n.X].Value == nil {
			f.insert("loop end", n.X.End(), fmt.Sprintf("[:max(len(%s)-1, 0)]", f.text(n.X)))
			return
		}
	case *types.Slice:
		if isName {
			f.insert("loop end", n.X.End(), fmt.Sprintf("[:max(len(%s)-1, 0)]", f.text(n.X)))
			return
		}
	}
	f.insert("loop end", n.Body.Rbrace, "; break ")
	s, at := &f.sites[len(f.sites)-1], bytes.LastIndexByte(f.source[:f.offset(n.Pos())], '\n')+1
	s.Line, s.Before = f.set.Position(n.Pos()).Line, firstLine(f.source[at:])
	s.After = "once: " + s.Before
}

func (f *finder) index(n *ast.IndexExpr) {
	of := f.info.Types[n.X]
	if !of.IsValue() {
		return
	}
	under := of.Type.Underlying()
	if p, ok := under.(*types.Pointer); ok {
		under = p.Elem().Underlying()
	}
	if m, ok := under.(*types.Map); ok {
		zero := ""
		if key, ok := m.Key().Underlying().(*types.Basic); ok {
			switch {
			case key.Info()&types.IsString != 0:
				zero = `""`
			case key.Info()&types.IsNumeric != 0:
				zero = "0"
			case key.Info()&types.IsBoolean != 0:
				zero = "false"
			}
		}
		if zero != "" && string(f.text(n.Index)) != zero {
			f.replace("index", n.Index.Pos(), n.Index.End(), zero)
		}
		return
	}
	if v := f.info.Types[n.Index].Value; v == nil || constant.Sign(v) > 0 {
		f.wrap("index", n.Index, "max((", ")-1, 0)")
	}
}

// isListed: a statement is one of a block or clause, not part of another.
func (f *finder) isListed(n ast.Stmt) bool {
	switch parent := f.stack[len(f.stack)-1].(type) {
	case *ast.BlockStmt, *ast.CaseClause:
		return true
	case *ast.CommClause:
		return parent.Comm != n
	}
	return false
}

// callee is the function or method that is called; nil when it has no name.
func (f *finder) callee(call *ast.CallExpr) types.Object {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		return f.info.Uses[fun]
	case *ast.SelectorExpr:
		return f.info.Uses[fun.Sel]
	}
	return nil
}

func (f *finder) isLog(call *ast.CallExpr) bool {
	of := f.callee(call)
	return of != nil && of.Pkg() != nil && (of.Pkg().Path() == "log" || of.Pkg().Path() == "log/slog")
}

// isSentence: the literal that is looked at is (part of) the text of an error, or the key of a sentence.
func (f *finder) isSentence() bool {
	for _, parent := range slices.Backward(f.stack) {
		switch parent := parent.(type) {
		case *ast.BinaryExpr:
		case *ast.CallExpr:
			of := f.callee(parent)
			return of != nil && of.Pkg() != nil &&
				(of.Pkg().Path() == "errors" || of.Pkg().Path() == "fmt" && of.Name() == "Errorf" || strings.HasSuffix(of.Pkg().Path(), "/kiosk-ui/lang"))
		default:
			return false
		}
	}
	return false
}

func (f *finder) isError(e ast.Expr) bool {
	t := f.info.TypeOf(e)
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}

func (f *finder) isNil(e ast.Expr) bool { return f.info.Types[e].IsNil() }

func (f *finder) basic(e ast.Expr) (*types.Basic, bool) {
	t := f.info.Types[e]
	if !t.IsValue() || t.Type == nil {
		return nil, false
	}
	b, ok := t.Type.Underlying().(*types.Basic)
	return b, ok
}

// drop keeps a statement from being run; what it uses stays used.
func (f *finder) drop(operator string, n ast.Stmt) { f.wrap(operator, n, "if false { ", " }") }

func (f *finder) wrap(operator string, n ast.Node, before, after string) {
	from, to := f.offset(n.Pos()), f.offset(n.End())
	f.add(operator, edit{from, from, before}, edit{to, to, after})
}

func (f *finder) insert(operator string, at token.Pos, text string) {
	f.replace(operator, at, at, text)
}

func (f *finder) replace(operator string, from, to token.Pos, text string) {
	f.add(operator, edit{f.offset(from), f.offset(to), text})
}

func (f *finder) add(operator string, edits ...edit) {
	s := f.at
	s.Operator, s.edits = operator, edits
	changed := s.apply(f.source)
	at := 0 // where the first line that differs begins
	for i := 0; i < len(f.source) && i < len(changed) && f.source[i] == changed[i]; i++ {
		if f.source[i] == '\n' {
			at = i + 1
		}
	}
	s.Line = bytes.Count(f.source[:at], []byte("\n")) + 1
	s.Before, s.After = firstLine(f.source[at:]), firstLine(changed[at:])
	f.sites = append(f.sites, s)
}

func (f *finder) offset(at token.Pos) int { return f.set.Position(at).Offset }

func (f *finder) text(n ast.Node) []byte { return f.source[f.offset(n.Pos()):f.offset(n.End())] }

// firstLine gives the first line, its white space made one.
func firstLine(text []byte) string {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return strings.Join(strings.Fields(string(line)), " ")
}
