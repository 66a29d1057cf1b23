package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	buildTime = 5 * time.Minute // to compile, on top of what tests may take
	memory    = 8 << 30         // bytes that a process may allocate
)

// What became of a mutant.
const (
	invalid  = "invalid" // it does not compile
	killed   = "killed"
	survived = "survived"
)

// result is a mutant and what became of it.
type result struct {
	Site    site
	Diff    string
	Outcome string
	Timeout bool     `json:",omitempty"` // killed because the tests took too long
	By      string   `json:",omitempty"` // killed by these: package and first test that failed
	Passed  []string `json:",omitempty"` // packages whose tests saw nothing
	Seconds float64
}

// adopt makes this process the parent of those that a test leaves running, so that [reap] can end them.
func adopt() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("take over processes that are left: %w", err)
	}
	return nil
}

// limitMemory bounds what each process that is started from now on can allocate: a fault may make
// a loop that never ends. The race detector needs more, and does not work then.
func limitMemory() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_DATA, &limit); err != nil {
		return fmt.Errorf("memory limit: %w", err)
	}
	limit.Cur = min(limit.Max, memory)
	if err := unix.Setrlimit(unix.RLIMIT_DATA, &limit); err != nil {
		return fmt.Errorf("memory limit: %w", err)
	}
	return nil
}

// try tries the mutants that were drawn until so many are valid, from where the journal ends.
func try(ctx context.Context, o options, p *program, j *journal, drawn []site) error {
	valid := 0
	for i, s := range drawn {
		if valid == o.count {
			break
		}
		if i == len(j.Results) {
			r, err := one(ctx, o, p, j, s)
			if err != nil {
				return fmt.Errorf("%s:%d, %s: %w", s.File, s.Line, s.Operator, err)
			}
			if err := j.add(*r); err != nil {
				return err
			}
			fmt.Fprintf(o.out, "%3d %-8s %5.0f s  %s:%d %s%s\n", i+1, r.Outcome, r.Seconds, s.File, s.Line, s.Operator, r.by())
			if err := j.unchanged(p.root); err != nil {
				return err
			}
		}
		if j.Results[i].Outcome != invalid {
			valid++
		}
	}
	j.Results = j.Results[:min(len(j.Results), tried(j.Results, o.count))]
	return nil
}

// tried is how many results there are up to the nth valid one.
func tried(results []result, count int) int {
	for i, r := range results {
		if count == 0 {
			return i
		}
		if r.Outcome != invalid {
			count--
		}
	}
	return len(results)
}

func (r *result) by() string {
	switch {
	case r.Timeout:
		return " (" + r.By + ", out of time)"
	case r.By != "":
		return " (" + r.By + ")"
	}
	return ""
}

// one tries a mutant.
func one(ctx context.Context, o options, p *program, j *journal, s site) (*result, error) {
	tests := p.testsFor(s.Path)
	if o.own && p.tested[s.Path] {
		tests = []string{s.Path}
	}
	for _, test := range tests {
		if err := baseline(ctx, o, p, j, test); err != nil {
			return nil, err
		}
	}
	after := func(test string) float64 { // its own first, then the quickest
		if test == s.Path {
			return 0
		}
		return j.Baseline[test]
	}
	slices.SortStableFunc(tests, func(a, b string) int { return cmp.Compare(after(a), after(b)) })
	began := time.Now()
	file := filepath.Join(p.root, filepath.FromSlash(s.File))
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	mutant := s.apply(source)
	dir, err := os.MkdirTemp("", "mutant") // short: tests make sockets below their temporary folder
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: filepath.Join(dir, "mutant.go")}})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "mutant.go"), mutant, 0o644), os.WriteFile(filepath.Join(dir, "overlay.json"), overlay, 0o644)); err != nil {
		return nil, err
	}
	flags := "-overlay=" + filepath.Join(dir, "overlay.json")
	r := &result{Site: s, Diff: diff(source, mutant), Outcome: survived}
	switch _, err := goCommand(ctx, p.root, flags, buildTime, "build", "-o", os.DevNull, s.Path); {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, errTimeout):
		return nil, err
	case err != nil:
		r.Outcome = invalid
	}
	for i := 0; i < len(tests) && r.Outcome == survived; i++ {
		limit := 3*seconds(j.Baseline[tests[i]]) + o.spare
		test := func(args ...string) ([]byte, error) {
			args = append([]string{"test", "-count=1", "-vet=off", "-failfast", "-timeout=" + limit.String()}, args...)
			return goCommand(ctx, p.root, flags, limit+buildTime, append(args, tests[i])...)
		}
		out, err := test()
		name := failedTest.FindSubmatch(out)
		if err != nil && name != nil && ctx.Err() == nil && !timedOut(out, err) {
			// Does it fail by chance? Then alone, and if not, together with the others, it does not fail again.
			if out, err = test("-run=^" + string(name[1]) + "$"); err == nil {
				out, err = test()
				name = failedTest.FindSubmatch(out)
			}
		}
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err == nil:
			r.Passed = append(r.Passed, p.short(tests[i]))
		case bytes.Contains(out, []byte("[build failed]")) || bytes.Contains(out, []byte("[setup failed]")):
			r.Outcome = invalid // only its tests show it, as a constant that is out of their range
		default:
			r.Outcome, r.By, r.Timeout = killed, p.short(tests[i]), timedOut(out, err)
			if name != nil {
				r.By += " " + string(name[1])
			}
		}
	}
	r.Seconds = time.Since(began).Seconds()
	return r, os.RemoveAll(dir)
}

var failedTest = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// timedOut: the tests ended because they took too long.
func timedOut(out []byte, err error) bool {
	return errors.Is(err, errTimeout) || bytes.Contains(out, []byte("panic: test timed out after"))
}

// baseline runs a package's tests without a fault, once: they must pass, at the second time at the latest.
func baseline(ctx context.Context, o options, p *program, j *journal, test string) error {
	if j.Baseline[test] > 0 {
		return nil
	}
	for again := false; ; again = true {
		began := time.Now()
		out, err := goCommand(ctx, p.root, "", 10*time.Minute+buildTime, "test", "-count=1", "-vet=off", test)
		took := time.Since(began)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && again:
			return fmt.Errorf("the tests of %s fail without any fault; mend that first: %w\n%s", p.short(test), err, tail(out))
		case err != nil:
			j.Flaky = append(j.Flaky, fmt.Sprintf("%s %s", p.short(test), bytes.Join(failedTest.FindAll(out, -1), []byte(", "))))
			fmt.Fprintf(o.out, "    FAILS    %5.0f s  tests of %s, without a fault; once more:\n%s\n", took.Seconds(), p.short(test), tail(out))
		default:
			fmt.Fprintf(o.out, "    passes   %5.0f s  tests of %s, without a fault\n", took.Seconds(), p.short(test))
			return j.addBaseline(test, took)
		}
	}
}

var errTimeout = errors.New("out of time")

// goCommand runs go with flags that also the go commands that tests start are given. What it
// leaves running is ended. The output is that of both streams.
func goCommand(ctx context.Context, dir, flags string, within time.Duration, args ...string) ([]byte, error) {
	bound, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tmp, err := os.MkdirTemp("", "m")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(tmp, os.ModeSticky|0o777); err != nil { // as /tmp is: a test runs PostgreSQL as another user
		return nil, err
	}
	cmd := exec.CommandContext(bound, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+tmp, "GOFLAGS="+strings.TrimSpace(os.Getenv("GOFLAGS")+" "+flags))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err = cmd.Run()
	if bound.Err() != nil && ctx.Err() == nil {
		err = errTimeout
	}
	if left := errors.Join(reap(), release(tmp), os.RemoveAll(tmp)); left != nil {
		return nil, fmt.Errorf("clear up after go %s: %w", args[0], left)
	}
	return out.Bytes(), err
}

// reap ends the processes that became ours. See [adopt].
func reap() error {
	for range 1000 {
		files, err := filepath.Glob("/proc/self/task/*/children")
		if err != nil {
			return err
		}
		var left []string
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil && !errors.Is(err, os.ErrNotExist) { // a thread that has just ended
				return err
			}
			left = append(left, strings.Fields(string(text))...)
		}
		if len(left) == 0 {
			return nil
		}
		for _, child := range left {
			pid, err := strconv.Atoi(child)
			if err != nil {
				return err
			}
			if err := errors.Join(syscall.Kill(pid, syscall.SIGKILL), wait(pid)); err != nil {
				return fmt.Errorf("end process %d: %w", pid, err)
			}
		}
	}
	return errors.New("processes that a test left run on")
}

// release takes down the mounts and loop devices below a folder that tests left.
func release(dir string) error {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return err
	}
	for _, line := range slices.Backward(strings.Split(string(mounts), "\n")) {
		if fields := strings.Fields(line); len(fields) > 1 && strings.HasPrefix(fields[1], dir+"/") {
			if err := unix.Unmount(fields[1], unix.MNT_DETACH); err != nil {
				return fmt.Errorf("unmount %s: %w", fields[1], err)
			}
		}
	}
	backing, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	if err != nil {
		return err
	}
	for _, name := range backing {
		file, err := os.ReadFile(name)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // detached meanwhile
			return err
		}
		if strings.HasPrefix(string(file), dir+"/") {
			if err := detach("/dev/" + strings.Split(name, "/")[3]); err != nil {
				return err
			}
		}
	}
	return nil
}

func detach(device string) error {
	loop, err := os.Open(device)
	if err != nil {
		return err
	}
	defer loop.Close()
	if err := unix.IoctlSetInt(int(loop.Fd()), unix.LOOP_CLR_FD, 0); err != nil {
		return fmt.Errorf("detach %s: %w", device, err)
	}
	return nil
}

func wait(pid int) error {
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}

func seconds(n float64) time.Duration {
	return time.Duration(n * float64(time.Second)).Round(time.Second)
}

// tail is the end of an output.
func tail(out []byte) []byte { return out[max(0, len(out)-4000):] }

// diff shows the lines that differ, all in one piece.
func diff(before, after []byte) string {
	a, b := strings.Split(string(before), "\n"), strings.Split(string(after), "\n")
	from := 0
	for from < min(len(a), len(b)) && a[from] == b[from] {
		from++
	}
	end := 0
	for end < min(len(a), len(b))-from && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	var out strings.Builder
	fmt.Fprintf(&out, "@@ line %d @@\n", from+1)
	for _, l := range a[from : len(a)-end] {
		fmt.Fprintf(&out, "-%s\n", l)
	}
	for _, l := range b[from : len(b)-end] {
		fmt.Fprintf(&out, "+%s\n", l)
	}
	return out.String()
}
