// Package root makes Debian root file systems for the labs, and keeps them in mimpi-kiosk
// below the user's cache folder for the next run, also that of another checkout.
package root

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
)

// Packages are what the labs have in common, so that one Debian does for them: what boots,
// what the kiosk's package depends on, and what looks at the result.
func Packages(suite, arch string) []string {
	all := append(Headless(arch), "cage", "chromium", "mpv", "wlr-randr", "fonts-noto-core", "grim", "zbar-tools")
	if suite == "bookworm" { // it has no labwc, nor what looks at its windows
		return append(all, "xwayland")
	}
	return append(all, "labwc", "wlrctl")
}

// Headless is the part of them that needs no screen.
func Headless(arch string) []string {
	return []string{
		"linux-image-" + arch, "initramfs-tools", "kmod", "systemd-sysv", "udev", "dbus", "libpam-systemd",
		"espeak-ng", "poppler-utils", "iproute2", "curl", "ca-certificates", "procps", "sqlite3", "dosfstools", "exfatprogs",
	}
}

// Debian gives the folder of a Debian of that suite with the packages in it, made by
// mmdebstrap the first time (a few minutes) from the mirror that this machine's own apt
// uses. It needs root. Take a copy, or an overlay, of what must not change for the next.
func Debian(ctx context.Context, suite string, packages []string, out io.Writer) (string, error) {
	return DebianOf(ctx, runtime.GOARCH, suite, packages, out)
}

// DebianOf is Debian for an architecture by Debian's name. One that is not this
// machine's needs qemu-user-static and binfmt_misc, and many times as long.
func DebianOf(ctx context.Context, arch, suite string, packages []string, out io.Writer) (string, error) {
	packages = slices.Compact(slices.Sorted(slices.Values(packages)))
	key := sha256.Sum256([]byte("2 " + suite + " " + strings.Join(packages, " ")))
	name := fmt.Sprintf("%s-%x", suite, key[:6])
	if arch != runtime.GOARCH {
		name += "-" + arch
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	cache = filepath.Join(cache, "mimpi-kiosk")
	folder := filepath.Join(cache, name)
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	if os.Geteuid() != 0 {
		return "", errors.New("the lab needs root: it makes a Debian of its own and enters it")
	}
	if _, err := exec.LookPath("mmdebstrap"); err != nil {
		return "", errors.New("the lab needs mmdebstrap: apt install mmdebstrap (.ci/packages.txt has it)")
	}
	mirror, err := Mirror("/etc/apt")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	fmt.Fprintf(out, "Making a Debian %s (%s) with %s...\n", suite, arch, strings.Join(packages, ", "))
	part := folder + ".part"
	if err := os.RemoveAll(part); err != nil {
		return "", err
	}
	if err := Command(ctx, "mmdebstrap", "--mode=root", "--variant=minbase", "--architectures="+arch,
		// Nothing is waited for on the disk; neither manuals nor languages; an initrd for QEMU's
		// disk alone.
		"--dpkgopt=force-unsafe-io", "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
		`--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"`,
		`--essential-hook=echo MODULES=list >"$1/etc/initramfs-tools/conf.d/lab"`,
		`--essential-hook=printf '%s\n' virtio_pci virtio_blk ext4 >"$1/usr/share/initramfs-tools/modules.d/lab"`,
		"--include="+strings.Join(packages, ","), suite, part, mirror); err != nil {
		return "", err
	}
	return folder, os.Rename(part, folder)
}

var (
	deb822  = regexp.MustCompile(`(?m)^URIs:\s*(\S+)`)
	oneLine = regexp.MustCompile(`(?m)^deb\s+(?:\[[^\]]*\]\s+)?(\S+)`)
)

// Mirror finds the Debian mirror in apt's configuration: the first address there whose
// last part is "debian".
func Mirror(apt string) (string, error) {
	files, err := filepath.Glob(filepath.Join(apt, "sources.list.d", "*"))
	if err != nil {
		return "", err
	}
	for _, file := range append(files, filepath.Join(apt, "sources.list")) {
		form := oneLine
		switch filepath.Ext(file) {
		case ".sources":
			form = deb822
		case ".list":
		default:
			continue // apt does not read it either
		}
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		for _, m := range form.FindAllStringSubmatch(string(text), -1) {
			if strings.HasSuffix(strings.TrimSuffix(m[1], "/"), "/debian") {
				return m[1], nil
			}
		}
	}
	return "", fmt.Errorf("apt's configuration in %s names no Debian mirror", apt)
}

// Command runs a program. Its error has the end of what the program said.
func Command(ctx context.Context, name string, args ...string) error {
	if said, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, last(string(said), 30))
	}
	return nil
}

func last(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
