package collect

import (
	"testing"

	"filippo.io/age"
)

func newIdentity(t *testing.T) *age.X25519Identity {
	t.Helper()
	id, err := ageIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func ageIdentity() (*age.X25519Identity, error) { return age.GenerateX25519Identity() }

func ids(all ...*age.X25519Identity) []age.Identity {
	var out []age.Identity
	for _, i := range all {
		out = append(out, i)
	}
	return out
}
