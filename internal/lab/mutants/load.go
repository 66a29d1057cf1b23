package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// program is a module: the places where a mutant can be made, and which tests see a package.
type program struct {
	root      string // absolute
	module    string
	sites     []site              // by package, file and offset
	tested    map[string]bool     // packages that have tests
	importers map[string][]string // packages whose code or tests import the key, sorted
}

// listed is what "go list" says of a package.
type listed struct {
	ImportPath, Dir, Export            string
	GoFiles, TestGoFiles, XTestGoFiles []string
	Imports, TestImports, XTestImports []string
	Module                             *struct {
		Path string
		Main bool
	}
}

// load reads the packages of the module that patterns match and finds the sites in those that are
// part of the product; parts bounds these further (see [within]).
func load(ctx context.Context, root string, patterns, parts []string) (*program, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-export", "-deps",
		"-json=ImportPath,Dir,Export,GoFiles,Imports,TestImports,XTestImports,TestGoFiles,XTestGoFiles,Module"}, patterns...)...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("the code does not compile: %w\n%s", err, stderr.Bytes())
	}
	p := &program{root: root, tested: map[string]bool{}, importers: map[string][]string{}}
	exports := map[string]string{}
	var ours []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var l listed
		err := decoder.Decode(&l)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		exports[l.ImportPath] = l.Export
		if l.Module != nil && l.Module.Main {
			p.module = l.Module.Path
			ours = append(ours, l)
		}
	}
	slices.SortFunc(ours, func(a, b listed) int { return strings.Compare(a.ImportPath, b.ImportPath) })
	set := token.NewFileSet()
	imported := importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	for _, l := range ours {
		p.tested[l.ImportPath] = len(l.TestGoFiles)+len(l.XTestGoFiles) > 0
		for _, other := range slices.Concat(l.Imports, l.TestImports, l.XTestImports) {
			if other != l.ImportPath && !slices.Contains(p.importers[other], l.ImportPath) {
				p.importers[other] = append(p.importers[other], l.ImportPath)
			}
		}
		if !isProduct(l.ImportPath) || !within(p.short(l.ImportPath), parts) {
			continue
		}
		sites, err := p.sitesOf(set, imported, l)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.ImportPath, err)
		}
		p.sites = append(p.sites, sites...)
	}
	return p, nil
}

// isProduct leaves out what is not shipped: labs, benchmarks, and packages that help tests.
func isProduct(importPath string) bool {
	return !isLab(importPath) && !strings.HasSuffix(path.Base(importPath), "test")
}

func isLab(importPath string) bool {
	return slices.ContainsFunc(strings.Split(importPath, "/"), func(piece string) bool { return piece == "lab" || piece == "bench" })
}

// within says whether a package, named as [program.short] does, is in one of the folders; in all when there are none.
func within(short string, folders []string) bool {
	return len(folders) == 0 || slices.ContainsFunc(folders, func(f string) bool { return short == f || strings.HasPrefix(short, f+"/") })
}

// short names a package of the module as the report does: "web/signin" for mimpi-kiosk/internal/web/signin.
func (p *program) short(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, p.module+"/"), "internal/")
}

// sitesOf finds the sites in a package.
func (p *program) sitesOf(set *token.FileSet, imported types.Importer, l listed) ([]site, error) {
	var files []*ast.File
	var sources [][]byte
	for _, name := range l.GoFiles {
		source, err := os.ReadFile(filepath.Join(l.Dir, name))
		if err != nil {
			return nil, err
		}
		file, err := parser.ParseFile(set, filepath.Join(l.Dir, name), source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files, sources = append(files, file), append(sources, source)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: imported}
	if _, err := config.Check(l.ImportPath, set, files, info); err != nil {
		return nil, err
	}
	var sites []site
	for i, file := range files {
		if ast.IsGenerated(file) {
			continue
		}
		name, err := filepath.Rel(p.root, set.Position(file.Pos()).Filename)
		if err != nil {
			return nil, err
		}
		f := finder{set: set, info: info, source: sources[i], at: site{Path: l.ImportPath, Package: p.short(l.ImportPath), File: filepath.ToSlash(name)}}
		f.find(file)
		sites = append(sites, f.sites...)
	}
	number(sites)
	return sites, nil
}

// testsFor names the packages whose tests are run for a mutant in a package: itself, then those that
// import it, then those that import these, and so on. The tests of labs try labs, and are left out.
func (p *program) testsFor(importPath string) []string {
	var tests []string
	seen := map[string]bool{importPath: true}
	for level := []string{importPath}; len(level) > 0; {
		var next []string
		for _, name := range level {
			if p.tested[name] && !isLab(name) {
				tests = append(tests, name)
			}
			for _, other := range p.importers[name] {
				if !seen[other] {
					seen[other] = true
					next = append(next, other)
				}
			}
		}
		slices.Sort(next)
		level = next
	}
	return tests
}
