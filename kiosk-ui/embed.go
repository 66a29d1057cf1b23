// Package kioskui holds the built screens, so that the daemon is one file.
//
// A fresh clone holds only dist/.keep: it compiles without Node, and Dist then has no
// pages until "npm run build" has filled it.
package kioskui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var files embed.FS

// Dist returns the built pages: NAME.html at the root, assets/ with hashed names
// (cacheable for ever), and icons/NAME.svg.
func Dist() fs.FS {
	sub, err := fs.Sub(files, "dist")
	if err != nil {
		panic("kioskui: " + err.Error()) // only for a malformed constant
	}
	return sub
}
