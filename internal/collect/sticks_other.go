//go:build !windows

package collect

// drives are where Linux and macOS put sticks.
func drives() []string {
	return below("/media/*/*", "/media/*", "/run/media/*/*", "/Volumes/*", "/mnt/*")
}
