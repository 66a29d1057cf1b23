package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"mimpi-kiosk/internal/lab/root"
)

// image is a machine's disk with the package installed, and what boots it.
type image struct {
	disk, kernel, initrd string
}

// What the Debian has besides the package and what that depends on: what a Raspberry Pi
// OS has too.
var base = []string{"systemd-sysv", "udev", "dbus", "libpam-systemd", "iproute2", "curl", "ca-certificates", "sqlite3", "procps", "kmod"}

// units of the lab in the guest. They say on the first serial port what was reached when,
// and give a root shell on the second.
var units = map[string]string{
	"lab-shell.service": `[Unit]
Description=The lab's shell
[Service]
ExecStart=/usr/local/sbin/lab-shell
StandardInput=tty
StandardOutput=tty
StandardError=tty
TTYPath=/dev/%SHELL%
TTYReset=yes
Restart=always
RestartSec=0
[Install]
WantedBy=multi-user.target
`,
	"lab-reached.service": `[Unit]
Description=Say that the machine is up
DefaultDependencies=no
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/sh -c 'echo "LAB multi-user reached" >/dev/%CONSOLE%'
[Install]
WantedBy=multi-user.target
`,
	"lab-touch.service": `[Unit]
Description=Say that the touch screen's page is answered
ConditionKernelCommandLine=!lab.bare
DefaultDependencies=no
After=sysinit.target
[Service]
ExecStart=/bin/sh -c 'until curl -sf -m 5 -o /dev/null http://127.0.0.1:8080/touch; do sleep 0.5; done; echo "LAB touch answered" >/dev/%CONSOLE%'
[Install]
WantedBy=sysinit.target
`,
}

// A command is a line; its output and then its exit code come back.
const shell = `#!/bin/bash
stty -echo
echo "LAB shell ready"
while IFS= read -r line; do
    (eval "$line") </dev/null 2>&1
    echo "LAB exit $?"
done
`

const network = `[Match]
Name=en* eth*
[Network]
Address=10.0.2.15/24
`

// makeImage installs the package into a Debian, with what it depends on, and makes a
// disk of it below work.
func makeImage(ctx context.Context, a architecture, deb, newer, work string, out io.Writer) (image, error) {
	depends, err := dependencies(ctx, deb)
	if err != nil {
		return image{}, err
	}
	packages := append(append([]string{a.kernel}, base...), depends...)
	debian, err := root.DebianOf(ctx, a.debian, "build/lab", "trixie", packages, out)
	if err != nil {
		return image{}, err
	}
	folder := filepath.Join(work, "root")
	if err := os.RemoveAll(folder); err != nil {
		return image{}, err
	}
	defer os.RemoveAll(folder)
	if err := root.Command(ctx, "cp", "-a", debian, folder); err != nil {
		return image{}, err
	}

	fmt.Fprintln(out, "Installing", filepath.Base(deb), "with apt...")
	if err := errors.Join(root.Command(ctx, "cp", deb, folder+"/root/mimpi-kiosk.deb"), root.Command(ctx, "cp", newer, folder+"/root/newer.deb")); err != nil {
		return image{}, err
	}
	// In a mount namespace of its own, so that nothing stays mounted here. The small initrd
	// is for the speed of the lab.
	install := "mount -t proc proc $0/proc && mount --rbind /dev $0/dev && " +
		"exec chroot $0 sh -ec 'apt-get install -y --no-install-recommends /root/mimpi-kiosk.deb && update-initramfs -u -k all'"
	if err := write(folder, "etc/initramfs-tools/conf.d/lab", "MODULES=list\n", 0o644); err != nil {
		return image{}, err
	}
	if err := write(folder, "etc/initramfs-tools/modules", "virtio_pci\nvirtio_blk\next4\n", 0o644); err != nil {
		return image{}, err
	}
	if err := root.Command(ctx, "unshare", "--mount", "env", "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-c", install, folder); err != nil {
		return image{}, err
	}
	if err := a.furnish(ctx, folder); err != nil {
		return image{}, err
	}

	result := image{disk: filepath.Join(work, "disk.img"), kernel: filepath.Join(work, "vmlinuz"), initrd: filepath.Join(work, "initrd")}
	for pattern, file := range map[string]string{"vmlinuz-*": result.kernel, "initrd.img-*": result.initrd} {
		found, err := filepath.Glob(filepath.Join(folder, "boot", pattern))
		if err != nil || len(found) != 1 {
			return image{}, fmt.Errorf("in the guest's /boot is not one %s but %v (%w)", pattern, found, err)
		}
		if err := root.Command(ctx, "cp", found[0], file); err != nil {
			return image{}, err
		}
	}
	fmt.Fprintln(out, "Making the disk...")
	if err := os.RemoveAll(result.disk); err != nil {
		return image{}, err
	}
	return result, root.Command(ctx, "mke2fs", "-q", "-t", "ext4", "-d", folder, result.disk, "4G")
}

// furnish adds what the lab itself needs in the guest.
func (a architecture) furnish(ctx context.Context, folder string) error {
	names := strings.NewReplacer("%CONSOLE%", a.console, "%SHELL%", a.shell)
	err := errors.Join(
		write(folder, "usr/local/sbin/lab-shell", shell, 0o755),
		write(folder, "etc/systemd/network/lab.network", network, 0o644),
		write(folder, "etc/fstab", "/dev/vda / ext4 defaults 0 1\n", 0o644),
		write(folder, "etc/hostname", "kiosk\n", 0o644),
		write(folder, "etc/modules-load.d/lab.conf", "i6300esb\n", 0o644), // QEMU's hardware watchdog
	)
	enable := []string{"--root=" + folder, "enable", "systemd-networkd.service"}
	for name, text := range units {
		err = errors.Join(err, write(folder, "etc/systemd/system/"+name, names.Replace(text), 0o644))
		enable = append(enable, name)
	}
	if err != nil {
		return err
	}
	// There is no screen in this guest (`make test-display` looks at those), and a Wi-Fi
	// neither.
	return errors.Join(
		root.Command(ctx, "systemctl", enable...),
		root.Command(ctx, "systemctl", "--root="+folder, "set-default", "multi-user.target"),
		root.Command(ctx, "systemctl", "--root="+folder, "mask", "mimpi-kiosk-display.service", "mimpi-kiosk-hotspot.service",
			"systemd-networkd-wait-online.service", "getty@tty1.service"),
	)
}

func write(folder, name, text string, mode os.FileMode) error {
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), mode)
}

// dependencies are the packages that the package depends on, the first where there is a choice.
func dependencies(ctx context.Context, deb string) ([]string, error) {
	out, err := exec.CommandContext(ctx, "dpkg-deb", "--field", deb, "Depends").Output()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", deb, err)
	}
	var names []string
	for one := range strings.SplitSeq(strings.TrimSpace(string(out)), ",") {
		names = append(names, strings.Fields(one)[0])
	}
	return names, nil
}
