//go:build !unix

package export

// giveToOwnerOf does nothing where files belong to whoever is signed in.
func giveToOwnerOf(string, string) error { return nil }
