package export

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/screening/journaltest"
)

// need gives a program that the tests talk to, or fails with what to install.
func need(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is missing: apt-get install %s, or run the tests by make", name, name)
	}
	return path
}

func TestOneKeyForEver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "signing.key")
	keys := make([]*Key, 8)
	var all sync.WaitGroup
	for i := range keys {
		all.Go(func() {
			var err error
			if keys[i], err = OpenKey(path); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, k := range keys {
		if k.Public() != keys[0].Public() || k.Public() == "" {
			t.Errorf("two keys: %q and %q", k.Public(), keys[0].Public())
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key's file is %v (%v), want 0600", info.Mode(), err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside the key stand %v (%v)", entries, err)
	}
}

// A key file that a memory card has damaged does not stop exports: it is set aside, and a new key
// signs from then on.
func TestDamagedKeysAreSetAside(t *testing.T) {
	sound, err := os.ReadFile(keyFile(t))
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string][]byte{
		"empty": {}, "nonsense": []byte("nonsense"), "zeros": make([]byte, len(sound)), "cut": sound[:len(sound)/2],
	}
	for i, b := range sound[:len(sound)-1] {
		if b != '\n' && i > bytes.IndexByte(sound, '\n') {
			cases[fmt.Sprint("bit at ", i)] = append(append(bytes.Clone(sound[:i]), b^1), sound[i+1:]...)
		}
	}
	for name, damaged := range cases {
		path := filepath.Join(t.TempDir(), "signing.key")
		for n := range 2 { // it may happen again
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			k, err := OpenKey(path)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			again, err := OpenKey(path)
			if err != nil || again.Public() != k.Public() || k.Public() == "" {
				t.Errorf("%s: the new key does not stay (%v)", name, err)
			}
			aside, err := DamagedKey(path)
			want := path + ".damaged" + []string{"", "-2"}[n]
			if content, rerr := os.ReadFile(aside); err != nil || rerr != nil || aside != want || !bytes.Equal(content, damaged) {
				t.Errorf("%s: %q was set aside, want %q (%v %v)", name, aside, want, err, rerr)
			}
		}
	}
	if aside, err := DamagedKey(keyFile(t)); aside != "" || err != nil {
		t.Errorf("beside a sound key stands %q, %v", aside, err)
	}
}

// keyFile is the file of a new key.
func keyFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "signing.key")
	if _, err := OpenKey(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func newKey(t *testing.T) *Key {
	t.Helper()
	k, err := OpenKey(filepath.Join(t.TempDir(), "signing.key"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// TestMinisignAgrees lets the program that others have check what the kiosk signed.
func TestMinisignAgrees(t *testing.T) {
	program := need(t, "minisign")
	dir := t.TempDir()
	folders, err := Write(t.Context(), made{events: goldenEvening().Events}, dir, Options{Key: newKey(t)})
	if err != nil {
		t.Fatal(err)
	}
	verify := func() (string, error) {
		cmd := exec.Command(program, "-V", "-m", SumsFile, "-p", "../"+PublicKeyFile)
		cmd.Dir = folders[0]
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := verify(); err != nil || !strings.Contains(out, "Trusted comment: mimpi-kiosk kupang-07 0198d0c2-7c2e-7a55-9c1e-2f8e4d469d0b") {
		t.Errorf("%v\n%s", err, out)
	}
	sums := filepath.Join(folders[0], SumsFile)
	content, err := os.ReadFile(sums)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sums, bytes.Replace(content, []byte("4"), []byte("5"), 1), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := verify(); err == nil {
		t.Errorf("a changed manifest passes: %s", out)
	}
}

func TestOnlyCoordinatorsOpenWhatIsSealed(t *testing.T) {
	program, keygen := need(t, "age"), need(t, "age-keygen")
	secret := filepath.Join(t.TempDir(), "coordinator.txt")
	if out, err := exec.Command(keygen, "-o", secret).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	public, err := exec.Command(keygen, "-y", secret).Output()
	if err != nil {
		t.Fatal(err)
	}
	k := journaltest.Evenings(12, 3, 80)
	src, key, dir := made{events: k.Events}, newKey(t), t.TempDir()
	open, err := Write(t.Context(), src, dir, Options{Rehearsals: true, Key: key})
	if err != nil || len(open) != 3 {
		t.Fatalf("%v %v", open, err)
	}
	inside := tree(t, open[2])

	opts := Options{Rehearsals: true, Key: key, Recipients: []string{strings.TrimSpace(string(public))}}
	locked, err := Write(t.Context(), src, dir, opts)
	if err != nil || len(locked) != 3 {
		t.Fatalf("%v %v", locked, err)
	}
	for name, content := range tree(t, dir) {
		for _, secret := range []string{"woman", "Balai", "net_count"} {
			if strings.Contains(content, secret) || strings.Contains(name, secret) {
				t.Errorf("%s tells %q to everybody", name, secret)
			}
		}
	}
	if _, err := os.Stat(open[2]); !os.IsNotExist(err) {
		t.Errorf("the readable folder still stands: %v", err)
	}
	cmd := exec.Command(program, "--decrypt", "-i", secret, filepath.Join(locked[2], SealedFile))
	plain, err := cmd.Output()
	if err != nil {
		t.Fatalf("age does not decrypt: %v", err)
	}
	if got := unzip(t, plain); !reflect.DeepEqual(got, inside) {
		t.Errorf("inside are %d files, want %d, or they differ", len(got), len(inside))
	}

	// Nothing new: nothing is encrypted anew. A change: only that screening is.
	before, stamps := tree(t, dir), inodes(t, dir)
	if _, err := Write(t.Context(), src, dir, opts); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(tree(t, dir), before) || !reflect.DeepEqual(inodes(t, dir), stamps) {
		t.Error("the second export touched something")
	}
	if !k.Do(screening.FromFacilitator, screening.CorrectAttendance{Category: "woman", Delta: 3, Reason: "late"}) {
		t.Fatal("refused")
	}
	if _, err := Write(t.Context(), made{events: k.Events}, dir, opts); err != nil {
		t.Fatal(err)
	}
	changed := 0
	for name, content := range tree(t, dir) {
		if content != before[name] {
			changed++
		}
	}
	if changed != 4 { // the archive, its digest, checksums and signature of one screening
		t.Errorf("%d files changed, want 4", changed)
	}
	// Somebody changed the archive: it is made anew.
	if err := os.WriteFile(filepath.Join(locked[1], SealedFile), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(t.Context(), made{events: k.Events}, dir, opts); err != nil {
		t.Fatal(err)
	}
	if content, err := os.ReadFile(filepath.Join(locked[1], SealedFile)); err != nil || len(content) < 100 {
		t.Errorf("the changed archive still stands (%v)", err)
	}
	for _, wrong := range []Options{{Recipients: opts.Recipients}, {Key: key, Recipients: []string{"age1nonsense"}}} {
		if folders, err := Write(t.Context(), src, t.TempDir(), wrong); err == nil {
			t.Errorf("%v gave %v", wrong, folders)
		}
	}
}

func TestIndexLeadsToOtherKiosksToo(t *testing.T) {
	dir := t.TempDir()
	for _, id := range []string{"kiosk-b", "kiosk-a"} {
		k := journaltest.NewKiosk(id, goldenEvening().Events[0].Stamp.At)
		k.Do(screening.FromFacilitator, screening.PlanScreening{Screening: "s-" + id, Programme: journaltest.Programme(),
			Details: screening.Details{Regency: "belu", Venue: "<b>" + id, Audience: screening.Students, HeldAt: goldenEvening().Events[0].Stamp.At}})
		if _, err := Write(t.Context(), made{events: k.Events}, dir, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	// A stranger's folder does no harm.
	strange := filepath.Join(dir, Top, "kiosk-c", "2026-01-01_x_y")
	if err := os.MkdirAll(strange, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(strange, "summary.json")); err != nil {
		t.Fatal(err)
	}
	content, err := indexOf(dir)
	if err != nil {
		t.Fatal(err)
	}
	page := string(content)
	for _, want := range []string{"mimpi-kiosk/kiosk-a/2026-11-24_b-kiosk-a_s-kiosk-a/report.html", "&lt;b&gt;kiosk-b", "24 November 2026"} {
		if !strings.Contains(page, want) {
			t.Errorf("the index lacks %q:\n%s", want, page)
		}
	}
	if strings.Contains(page, "kiosk-c") || strings.Contains(page, "<b>kiosk") {
		t.Errorf("the index has what it should not have:\n%s", page)
	}
}
