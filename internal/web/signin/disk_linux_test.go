package signin

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"mimpi-kiosk/internal/lab/faultfs"
)

// sameAtTheNextStart says whether what a Keeper works with is what the next start will find.
func sameAtTheNextStart(t *testing.T, k *Keeper, dir string) bool {
	t.Helper()
	next, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Equal(next.secret, k.secret) && next.state.Load().Hash == k.state.Load().Hash && next.state.Load().Generation == k.state.Load().Generation
}

// TestNoFailureOfTheCardIsKeptBack has each call to the card fail in turn, at the start: with no
// files yet, with sound ones, and with damaged ones. The kiosk runs; what is not kept stands on the
// health page, and is kept as soon as the card takes it.
func TestNoFailureOfTheCardIsKeptBack(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, dir string){
		"first start":   func(*testing.T, string) {},
		"another start": func(t *testing.T, dir string) { withPIN(t, dir) },
		"damaged PIN": func(t *testing.T, dir string) {
			withPIN(t, dir)
			if err := os.WriteFile(filepath.Join(dir, pinFile), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"damaged secret": func(t *testing.T, dir string) {
			withPIN(t, dir)
			if err := os.WriteFile(filepath.Join(dir, secretFile), make([]byte, secretBytes), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"left-over file": func(t *testing.T, dir string) {
			withPIN(t, dir)
			if err := os.WriteFile(filepath.Join(dir, "."+pinFile+"1"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var k *Keeper
			faultfs.Each(t, syscall.EIO, func(t *testing.T, dir string) func() error {
				dir = filepath.Join(dir, "signin")
				prepare(t, dir)
				return func() (err error) {
					k, err = Open(dir)
					return err
				}
			}, func(t *testing.T, dir string, failed faultfs.Call, err error) {
				if err != nil {
					t.Fatalf("%s failed, and the kiosk does not start: %v", failed, err)
				}
				if strings.HasPrefix(name, "damaged") && len(k.Notes()) == 0 {
					t.Errorf("%s failed, and nobody is told of the damage", failed)
				}
				if len(k.Notes()) == 0 && !sameAtTheNextStart(t, k, filepath.Join(dir, "signin")) {
					t.Errorf("%s failed, and nobody is told", failed)
				}
				if err := k.Keep(); err != nil {
					t.Errorf("the card is sound again: %v", err)
				}
				state, err := readState(filepath.Join(dir, "signin", pinFile))
				if err != nil || state.Hash != k.state.Load().Hash {
					t.Errorf("%s failed, and later %s is not as it should be: %v", failed, pinFile, err)
				}
				secret, err := readSecret(filepath.Join(dir, "signin", secretFile))
				if err != nil || !bytes.Equal(secret, k.secret) {
					t.Errorf("%s failed, and later %s is not as it should be: %v", failed, secretFile, err)
				}
			})
		})
	}
}

// TestNoChangeOfThePINIsKeptBack has each call to the card fail in turn while the PIN is set,
// changed, tried wrongly, and reset.
func TestNoChangeOfThePINIsKeptBack(t *testing.T) {
	own := Client{Own: true}
	const first, second = "493817", "705316"
	for name, c := range map[string]struct {
		pin    bool // one is set before
		change func(k *Keeper, dir string) error
	}{
		"set":    {false, func(k *Keeper, _ string) error { _, err := k.SetPIN(own, "", first); return err }},
		"change": {true, func(k *Keeper, _ string) error { _, err := k.SetPIN(own, first, second); return err }},
		"wrong": {true, func(k *Keeper, _ string) error {
			if _, err := k.Verify(own, second); reasonOf(err) != WrongPIN {
				return err
			}
			return nil
		}},
		"reset": {true, func(k *Keeper, dir string) error { _, err := k.Reset(filepath.Join(dir, "reset")); return err }},
	} {
		t.Run(name, func(t *testing.T) {
			var k *Keeper
			var was string
			faultfs.Each(t, syscall.EIO, func(t *testing.T, dir string) func() error {
				k = open(t, dir)
				if c.pin {
					if _, err := k.SetPIN(own, "", first); err != nil {
						t.Fatal(err)
					}
				}
				if err := os.WriteFile(filepath.Join(dir, "reset"), nil, 0o644); err != nil {
					t.Fatal(err)
				}
				was = k.state.Load().Hash
				return func() error { return c.change(k, dir) }
			}, func(t *testing.T, dir string, failed faultfs.Call, err error) {
				now := k.state.Load()
				switch {
				case err != nil:
					if name == "set" || name == "wrong" {
						t.Errorf("%s failed, and the facilitator is kept out: %v", failed, err)
					}
					if name == "change" && now.Hash != was {
						t.Errorf("%s failed: %v, and the old PIN does not hold", failed, err)
					}
				case name != "wrong" && now.Hash == was:
					t.Errorf("%s failed, nothing was said, and nothing has changed", failed)
				case name == "wrong" && now.Wrong.Total != 1:
					t.Errorf("%s failed, and the wrong try does not count: %+v", failed, now.Wrong)
				}
				next, nerr := Open(dir)
				if nerr != nil {
					t.Fatal(nerr)
				}
				same := next.state.Load().Hash == now.Hash && next.state.Load().Wrong.Total == now.Wrong.Total
				if err == nil && len(k.Notes()) == 0 && !same {
					t.Errorf("%s failed, nobody is told, and the next start does not know of it", failed)
				}
			})
		})
	}
}

func reasonOf(err error) Reason {
	if r, ok := err.(*Refusal); ok {
		return r.Reason
	}
	return ""
}

// TestPINOutlastsAPowerCut looks at the syncs.
func TestPINOutlastsAPowerCut(t *testing.T) {
	d := faultfs.Mount(t)
	dir := d.Folder(t)
	d.Fail(nil)
	k := open(t, dir)
	if _, err := k.SetPIN(Client{Own: true}, "", "493817"); err != nil {
		t.Fatal(err)
	}
	k.Verify(Client{Own: true}, "705316")
	if lost := d.Unsynced(); len(lost) > 0 {
		t.Errorf("a power cut takes %q", lost)
	}
}
