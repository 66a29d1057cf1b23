package main

// #include <unistd.h>
import "C"

import "os"

// fdatasync is that of C, which is where a slow disk can be preloaded; Go's own is not.
func fdatasync(f *os.File) error {
	if failed, err := C.fdatasync(C.int(f.Fd())); failed != 0 {
		return err
	}
	return nil
}
