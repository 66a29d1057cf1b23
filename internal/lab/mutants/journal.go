package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/renameio/v2"
)

// options are those of a run.
type options struct {
	seed     uint64
	count    int           // of valid mutants
	parts    []string      // see [within]
	own      bool          // run no tests of importers
	root     string        // of the module
	patterns []string      // of packages, as "go list" takes them
	results  string        // folder
	judged   string        // file
	spare    time.Duration // that tests may take, besides three times what they took without a fault
	out      io.Writer
}

// name is that of the run's files.
func (o options) name() string {
	name := fmt.Sprint(o.seed)
	if o.own {
		name += "-own"
	}
	for _, p := range o.parts {
		name += "-" + strings.ReplaceAll(p, "/", "-")
	}
	return name
}

// journal keeps the results of a run in a file.
type journal struct {
	Source   string             // digest of the files that were tested
	Baseline map[string]float64 // seconds that a package's tests took without a fault
	Flaky    []string           // packages whose tests failed once without a fault, and which
	Results  []result           // in the order of the draw

	path  string
	files map[string]string // digests
}

// openJournal goes on with the journal of an earlier run when the source is what it was then.
func openJournal(o options, p *program) (*journal, error) {
	j := &journal{path: filepath.Join(o.results, o.name()+".json")}
	var err error
	if j.files, err = digests(p.root); err != nil {
		return nil, err
	}
	all := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(j.files)) {
		fmt.Fprintln(all, name, j.files[name])
	}
	source := hex.EncodeToString(all.Sum(nil))
	data, err := os.ReadFile(j.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(data, j); err != nil {
			return nil, fmt.Errorf("%s is damaged; remove it: %w", j.path, err)
		}
	}
	if j.Source == source {
		fmt.Fprintf(o.out, "%d mutants were tried before: %s\n", len(j.Results), j.path)
		return j, nil
	}
	if j.Source != "" {
		fmt.Fprintf(o.out, "The code has changed since %s was written: all mutants are tried again.\n", j.path)
	}
	j.Source, j.Baseline, j.Flaky, j.Results = source, map[string]float64{}, nil, nil
	return j, os.MkdirAll(o.results, 0o755)
}

func (j *journal) add(r result) error {
	j.Results = append(j.Results, r)
	return j.save()
}

func (j *journal) addBaseline(test string, took time.Duration) error {
	j.Baseline[test] = took.Seconds()
	return j.save()
}

func (j *journal) save() error {
	data, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(j.path, data, 0o644)
}

// unchanged is nil while the files are what they were when the journal was opened.
func (j *journal) unchanged(root string) error {
	now, err := digests(root)
	if err != nil {
		return err
	}
	var changed []string
	for name, digest := range now {
		if j.files[name] != digest {
			changed = append(changed, name)
		}
	}
	for name := range j.files {
		if now[name] == "" {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 {
		return nil
	}
	slices.Sort(changed)
	return fmt.Errorf("files changed while a mutant was tried, by its tests or by somebody: %s; put them right (git status) and run again", strings.Join(changed, ", "))
}

// digests reads the files that tests may read: all but those that are built, fetched or hidden, and but the judgements.
func digests(root string) (map[string]string, error) {
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if entry.IsDir() && (name == "build" || entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".") && name != ".") {
			return fs.SkipDir
		}
		if !entry.Type().IsRegular() || filepath.ToSlash(name) == judgedFile {
			return nil
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		digest := sha256.New()
		if _, err := io.Copy(digest, file); err != nil {
			return err
		}
		files[name] = hex.EncodeToString(digest.Sum(nil))
		return nil
	})
	return files, err
}
