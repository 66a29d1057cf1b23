package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"mimpi-kiosk/internal/lab/root"
)

// image is a machine's disk with the package installed, what boots it, and a USB stick.
type image struct {
	disk, kernel, initrd, stick string
}

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
	// networkd takes as long as the kiosk on an emulated processor.
	"lab-network.service": `[Unit]
Description=The lab's network
DefaultDependencies=no
BindsTo=sys-subsystem-net-devices-eth0.device
After=sys-subsystem-net-devices-eth0.device
Before=network.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip address add 10.0.2.15/24 dev eth0 && ip link set eth0 up'
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

// installation is the arguments of install: a Debian, what the lab puts into it, the
// package, the newer one, and the folder of what is made. What the package depends on is in
// the Debian already: apt has no network there, and a dependency that root.Packages does not
// name fails.
func installation(ctx context.Context, a architecture, deb, newer, work string, out io.Writer) ([]string, error) {
	packages := root.Packages(a.suite, a.debian)
	if a.headless {
		packages = root.Headless(a.debian)
	}
	debian, err := root.DebianOf(ctx, a.debian, a.suite, packages, out)
	if err != nil {
		return nil, err
	}
	furniture := filepath.Join(work, "furniture")
	if err := os.RemoveAll(furniture); err != nil {
		return nil, err
	}
	if err := a.furnish(furniture); err != nil {
		return nil, err
	}
	if a.headless {
		folder := filepath.Join(work, "stand-in")
		if err := errors.Join(write(folder, "DEBIAN/control", standIn, 0o644),
			root.Command(ctx, "dpkg-deb", "--root-owner-group", "--build", folder, furniture+"/root/stand-in.deb")); err != nil {
			return nil, err
		}
	}
	fmt.Fprintln(out, "Installing", filepath.Base(deb), "with apt...")
	return []string{debian, furniture, deb, newer, work}, nil
}

// makeImage makes a disk with the package installed below work.
func makeImage(ctx context.Context, a architecture, deb, newer, work string, out io.Writer) (image, error) {
	arguments, err := installation(ctx, a, deb, newer, work, out)
	if err != nil {
		return image{}, err
	}
	at := func(name string) string { return filepath.Join(work, name) }
	result := image{disk: at("disk.img"), kernel: at("vmlinuz"), initrd: at("initrd"), stick: at("stick.img")}
	for pattern, file := range map[string]string{"vmlinuz-*": result.kernel, "initrd.img-*": result.initrd} {
		found, err := filepath.Glob(filepath.Join(arguments[0], "boot", pattern))
		if err != nil || len(found) != 1 {
			return image{}, fmt.Errorf("in the guest's /boot is not one %s but %v (%w)", pattern, found, err)
		}
		if err := root.Command(ctx, "cp", found[0], file); err != nil {
			return image{}, err
		}
	}
	if err := errors.Join(root.Command(ctx, "truncate", "-s", "64M", result.stick), root.Command(ctx, "mkfs.vfat", result.stick)); err != nil {
		return image{}, err
	}
	return result, root.Command(ctx, "unshare", append([]string{"--mount", "bash", "-c", install + disk, "lab"}, arguments...)...)
}

// standIn stands for the programs of the screens where making a Debian with them would
// take an hour.
const standIn = `Package: lab-screens
Version: 1
Architecture: all
Maintainer: The lab <lab@example.org>
Provides: mpv, chromium, labwc, wlr-randr
Description: stands for what the screens need
`

// install leaves the Debian with the package in $root. It sees to it that nothing stays
// mounted here: it runs in a mount namespace of its own, and what it adds to the Debian is
// in memory. A Wi-Fi is not in these machines.
const install = `set -e
export DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
memory=$5/memory root=$5/memory/root
mkdir -p "$memory"
mount --make-rprivate /
mount -t tmpfs tmpfs "$memory"
mkdir "$memory/changes" "$memory/work" "$root"
mount -t overlay overlay -o "lowerdir=$1,upperdir=$memory/changes,workdir=$memory/work" "$root"
cp "$3" "$root/root/"
cp -r "$2/." "$root/"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
chroot "$root" sh -c 'apt-get install -y --no-install-recommends /root/*.deb'
umount -l "$root/dev" "$root/proc"
cp "$4" "$root/root/newer.deb"
systemctl --root="$root" set-default multi-user.target
systemctl --root="$root" mask mimpi-kiosk-hotspot.service
`

// disk makes a disk of it, which a machine of QEMU boots.
const disk = `systemctl --root="$root" enable lab-shell.service lab-reached.service lab-network.service
rm -f "$5/disk.img"
mke2fs -q -t ext4 -d "$root" "$5/disk.img" 4G`

// furnish makes the files that the lab itself needs in the guest.
func (a architecture) furnish(folder string) error {
	names := strings.NewReplacer("%CONSOLE%", a.console, "%SHELL%", a.shell)
	err := errors.Join(
		write(folder, "usr/local/sbin/lab-shell", shell, 0o755),
		os.MkdirAll(filepath.Join(folder, "root"), 0o755),
		write(folder, "etc/fstab", "/dev/vda / ext4 defaults 0 1\n", 0o644),
		write(folder, "etc/hostname", "kiosk\n", 0o644),
		write(folder, "etc/modules-load.d/lab.conf", "i6300esb\n", 0o644), // QEMU's hardware watchdog
	)
	// systemd would ask for a name and a password on every virtio console.
	err = errors.Join(err, os.MkdirAll(filepath.Join(folder, "etc/systemd/system"), 0o755),
		os.Symlink("/dev/null", filepath.Join(folder, "etc/systemd/system/serial-getty@"+a.shell+".service")))
	for name, text := range units {
		err = errors.Join(err, write(folder, "etc/systemd/system/"+name, names.Replace(text), 0o644))
	}
	return err
}

func write(folder, name, text string, mode os.FileMode) error {
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), mode)
}
