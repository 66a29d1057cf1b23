package export

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"mimpi-kiosk/internal/screening/journaltest"
)

// A stick may hold links that lead off it: nothing there is read, written or removed.
func TestLinksOnAStickLeadNowhere(t *testing.T) {
	src := made{events: journaltest.Evenings(9, 1, 60).Events}
	outside := t.TempDir()
	precious := filepath.Join(outside, ".tmp-precious")
	if err := os.Mkdir(precious, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{Top, Top + "/kiosk-1", Top + "/kiosk-1/.tmp-x", IndexFile, ".tmp-" + IndexFile} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, link)), 0o755); err != nil {
			t.Fatal(err)
		}
		target := outside
		if strings.HasSuffix(link, ".html") {
			target = filepath.Join(outside, "page")
			if err := os.WriteFile(target, []byte("mine"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
		_, err := Write(t.Context(), src, dir, Options{Rehearsals: true})
		if replaced := strings.Contains(link, "tmp-") || link == IndexFile; (err == nil) != replaced {
			t.Errorf("a link in place of %s: %v", link, err)
		}
		entries, err := os.ReadDir(outside)
		if err != nil || len(entries) > 2 || entries[0].Name() != ".tmp-precious" {
			t.Errorf("a link in place of %s reached %v (%v)", link, entries, err)
		}
		if text, err := os.ReadFile(filepath.Join(outside, "page")); err == nil && string(text) != "mine" {
			t.Errorf("a link in place of %s wrote over the page outside", link)
		}
	}
}

// A folder that is there already may hold anything under the names that are expected.
func TestHostileContentIsReplaced(t *testing.T) {
	src := made{events: goldenEvening().Events}
	dir := t.TempDir()
	folders, err := Write(t.Context(), src, dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	events := filepath.Join(folders[0], "events.jsonl")
	for name, spoil := range map[string]func() error{
		"a huge file": func() error { return os.Truncate(events, 1<<40) },
		"a pipe": func() error {
			return errors.Join(os.Remove(events), syscall.Mkfifo(events, 0o644))
		},
		"a folder": func() error { return errors.Join(os.Remove(events), os.MkdirAll(filepath.Join(events, "a/b"), 0o755)) },
		"a link":   func() error { return errors.Join(os.Remove(events), os.Symlink("/dev/zero", events)) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		var placed []Placed
		if _, err := Write(t.Context(), src, dir, Options{Placed: func(p Placed) { placed = append(placed, p) }}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(placed) != 1 || !placed[0].Written {
			t.Errorf("%s was taken for the export: %+v", name, placed)
		}
		checksums(t, folders[0])
	}
}

func TestAFullStickSaysWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=256k"); err != nil {
		t.Fatalf("this test mounts a small disk, which needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	src := made{events: journaltest.Evenings(10, 6, 400).Events}
	folders, err := Write(t.Context(), src, dir, Options{Rehearsals: true})
	var full *Full
	if !errors.As(err, &full) {
		t.Fatalf("%v", err)
	}
	if full.Missing+len(folders) != 6 || full.Need < int64(full.Missing)*64<<10 || full.Need > 8<<20 {
		t.Errorf("%d on the stick, %+v", len(folders), full)
	}
	// What was missing is measured, not written: what is there may be known from an earlier time.
	again, err := Write(t.Context(), src, dir, Options{Rehearsals: true})
	var still *Full
	if !errors.As(err, &still) || len(again) != len(folders) || still.Missing != full.Missing {
		t.Errorf("the second time %d on the stick, %v", len(again), err)
	}
}

func TestAnExportCanWaitAndEnd(t *testing.T) {
	src := made{events: journaltest.Evenings(9, 3, 60).Events}
	enough := errors.New("enough")
	dir := t.TempDir()
	folders, err := Write(t.Context(), src, dir, Options{Rehearsals: true, Before: func(done, all int) error {
		if all != 3 {
			t.Errorf("%d of %d", done, all)
		}
		if done == 2 {
			return enough
		}
		return nil
	}})
	if !errors.Is(err, enough) || len(folders) != 2 {
		t.Errorf("%d folders, %v", len(folders), err)
	}
}

// FuzzIndex makes the index of a stick on which another kiosk's summary says anything at all.
// Nothing of it may become markup, or lead anywhere but to the reports.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"screening":{"heldAt":"2026-11-24T19:00:00+08:00","venue":"<script>","regency":"\"><img src=x>"},"attendance":{"total":-1}}`), "2026-11-24_x_s-1")
	f.Add([]byte(`{"screening":{"heldAt":"\u0000é"}}`), "javascript:alert(1)")
	f.Add([]byte(`{}`), "é")
	link := regexp.MustCompile(`(?i)(?:href|src)="([^"]*)"`)
	tag := regexp.MustCompile(`(?i)<\s*/?\s*([a-z0-9]+)`)
	known := []string{"html", "head", "meta", "title", "style", "body", "header", "div", "h1", "h2", "p", "i", "b", "a", "main", "table", "tr", "th", "td"}
	f.Fuzz(func(t *testing.T, summary []byte, folder string) {
		stick := t.TempDir()
		dir := filepath.Join(stick, Top, "kiosk-2", folder)
		if !filepath.IsLocal(folder) || strings.ContainsAny(folder, "/\x00") || len(folder) > 200 || os.MkdirAll(dir, 0o755) != nil {
			t.Skip()
		}
		if err := os.WriteFile(filepath.Join(dir, SummaryFile), summary, 0o644); err != nil {
			t.Fatal(err)
		}
		page, err := indexOf(stick)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllSubmatch(page, -1) {
			if to := string(m[1]); !strings.HasPrefix(to, Top+"/kiosk-2/") {
				t.Errorf("a link leads to %q", to)
			}
		}
		for _, m := range tag.FindAllSubmatch(page, -1) {
			if name := strings.ToLower(string(m[1])); !slices.Contains(known, name) {
				t.Errorf("there is a <%s> in the page", name)
			}
		}
	})
}
