package collect

import (
	"errors"

	"golang.org/x/sys/windows"
)

// isInUse says whether another program, usually Excel, holds the file.
func isInUse(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_LOCK_VIOLATION)
}
