// Package kioskui holds the built screens and their sentences, so that the daemon is
// one file.
//
// A fresh clone holds only dist/.keep: it compiles without Node, and Dist then has no
// pages until "npm run build" has filled it.
package kioskui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist lang
var files embed.FS

// Dist returns the built pages: NAME.html at the root, assets/ with hashed names
// (cacheable for ever), and icons/NAME.svg.
func Dist() fs.FS { return within("dist") }

// Lang returns the sentences of the screens: CODE.json at the root, each a flat object
// of key to sentence. The key "language.name" is the language's own name.
func Lang() fs.FS { return within("lang") }

func within(dir string) fs.FS {
	sub, err := fs.Sub(files, dir)
	if err != nil {
		panic("kioskui: " + err.Error()) // only for a malformed constant
	}
	return sub
}
