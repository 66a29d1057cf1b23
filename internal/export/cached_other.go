//go:build !linux

package export

import "os"

func forgetCached(*os.File) {}
