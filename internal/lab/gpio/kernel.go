package main

import (
	"archive/tar"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// kernel is a Debian kernel of which this machine has the source, the headers and the
// image in one version, and the module gpio-sim built for it.
type kernel struct {
	release string // "6.1.0-56-amd64"
	image   string // vmlinuz
	modules string // folder of its modules
	gpioSim string // gpio-sim.ko
}

// modulesInOrder are those that the guest loads, each after what it needs. gpio-sim, ours,
// comes last.
var modulesInOrder = [...]string{
	"kernel/fs/configfs/configfs.ko",
	"kernel/drivers/usb/common/usb-common.ko",
	"kernel/drivers/usb/core/usbcore.ko",
	"kernel/drivers/usb/host/xhci-hcd.ko",
	"kernel/drivers/usb/host/xhci-pci.ko",
	"kernel/drivers/virtio/virtio_ring.ko",
	"kernel/drivers/virtio/virtio.ko",
	"kernel/drivers/virtio/virtio_pci_legacy_dev.ko",
	"kernel/drivers/virtio/virtio_pci_modern_dev.ko",
	"kernel/drivers/virtio/virtio_pci.ko",
	"kernel/drivers/block/virtio_blk.ko",
	"kernel/crypto/crc32c_generic.ko",
	"kernel/lib/crc16.ko",
	"kernel/fs/mbcache.ko",
	"kernel/fs/jbd2/jbd2.ko",
	"kernel/fs/ext4/ext4.ko",
}

// findKernel takes what .ci/setup.sh installed: the newest headers that the source fits.
func findKernel(work string) (*kernel, error) {
	sources, err := filepath.Glob("/usr/src/linux-source-*.tar.xz")
	if err != nil {
		return nil, err
	}
	for _, source := range sources {
		series := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(source), "linux-source-"), ".tar.xz") // "6.1"
		headers, err := filepath.Glob("/usr/src/linux-headers-" + series + ".*-amd64")
		if err != nil {
			return nil, err
		}
		slices.SortFunc(headers, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(b, a)) })
		for _, h := range headers {
			k := &kernel{release: strings.TrimPrefix(filepath.Base(h), "linux-headers-")}
			if err := k.findImage(work); err != nil {
				return nil, err
			}
			return k, k.buildGPIOSim(work, source, h)
		}
	}
	return nil, errors.New("this machine has no linux-source-X.Y with linux-headers-X.Y.0-N-amd64 of the same X.Y: .ci/setup.sh test installs them")
}

// findImage takes the image that is installed, or fetches its package and unpacks it
// beside: installing a kernel would change how the host boots.
func (k *kernel) findImage(work string) error {
	k.image, k.modules = "/boot/vmlinuz-"+k.release, "/lib/modules/"+k.release
	if k.complete() {
		return nil
	}
	unpacked := filepath.Join(work, "image-"+k.release)
	k.image = filepath.Join(unpacked, "boot/vmlinuz-"+k.release)
	k.modules = filepath.Join(unpacked, "lib/modules", k.release)
	if k.complete() {
		return nil
	}
	name := "linux-image-" + k.release
	fmt.Printf("Fetching the kernel's package %s...\n", name)
	download := exec.Command("apt-get", "-q", "download", name)
	download.Dir = work
	if out, err := download.CombinedOutput(); err != nil {
		return fmt.Errorf("apt-get download %s: %w\n%s\nCheck the network and apt's sources, or install %s", name, err, out, name)
	}
	packages, err := filepath.Glob(filepath.Join(work, name+"_*.deb"))
	if err != nil || len(packages) == 0 {
		return fmt.Errorf("apt-get download %s left no package: %w", name, err)
	}
	if out, err := exec.Command("dpkg-deb", "-x", packages[0], unpacked).CombinedOutput(); err != nil {
		return fmt.Errorf("unpack %s: %w\n%s", packages[0], err, out)
	}
	if err := os.Remove(packages[0]); err != nil {
		return err
	}
	if !k.complete() {
		return fmt.Errorf("%s has not got %s, or lacks modules in %s", name, k.image, k.modules)
	}
	return nil
}

func (k *kernel) complete() bool {
	for _, m := range modulesInOrder {
		if _, err := os.Stat(filepath.Join(k.modules, m)); err != nil {
			return false
		}
	}
	_, err := os.Stat(k.image)
	return err == nil
}

// sources of the module. Debian's kernels leave it out, and irq_sim, which it stands on,
// uses a function that is not there for modules; another one does the same.
const (
	simSource  = "drivers/gpio/gpio-sim.c"
	libHeader  = "drivers/gpio/gpiolib.h"
	irqSource  = "kernel/irq/irq_sim.c"
	notForUs   = "handle_simple_irq(irq_to_desc(irqnum))"
	forModules = "generic_handle_irq_safe(irqnum)"
	makefile   = "obj-m := gpio-sim.o\ngpio-sim-y := gpio-sim-main.o irq_sim.o\n"
)

func (k *kernel) buildGPIOSim(work, source, headers string) error {
	info, err := os.Stat(source)
	if err != nil {
		return err
	}
	folder := filepath.Join(work, fmt.Sprintf("gpio-sim-%s-%d", k.release, info.Size()))
	k.gpioSim = filepath.Join(folder, "gpio-sim.ko")
	if _, err := os.Stat(k.gpioSim); err == nil {
		return nil
	}
	fmt.Printf("Building the module gpio-sim for %s...\n", k.release)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	files, err := extract(source, simSource, libHeader, irqSource)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", source, err)
	}
	irq := files[irqSource]
	if !strings.Contains(irq, notForUs) {
		return fmt.Errorf("%s of %s is not as it was known: it has no %s", irqSource, source, notForUs)
	}
	for name, content := range map[string]string{
		"gpio-sim-main.c": files[simSource], "gpiolib.h": files[libHeader],
		"irq_sim.c": strings.ReplaceAll(irq, notForUs, forModules), "Makefile": makefile,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	cmd := exec.Command("make", "-C", headers, "M="+folder, "modules")
	cmd.Env = plainEnvironment()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build gpio-sim: %w\n%s", err, out)
	}
	if out, err := exec.Command("strip", "-g", k.gpioSim).CombinedOutput(); err != nil {
		return fmt.Errorf("strip gpio-sim.ko: %w\n%s", err, out)
	}
	return nil
}

// plainEnvironment is ours without what the make that started us says to its children.
func plainEnvironment() []string {
	return slices.DeleteFunc(os.Environ(), func(e string) bool {
		name, _, _ := strings.Cut(e, "=")
		return slices.Contains([]string{"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES"}, name)
	})
}

// extract gives files of the tarball of a kernel's source, named without its first folder.
func extract(tarball string, names ...string) (map[string]string, error) {
	xz := exec.Command("xz", "--decompress", "--stdout", tarball)
	out, err := xz.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := xz.Start(); err != nil {
		return nil, err
	}
	files := map[string]string{}
	reader := tar.NewReader(out)
	for len(files) < len(names) {
		header, err := reader.Next()
		if err != nil {
			return nil, errors.Join(fmt.Errorf("found %d of %v: %w", len(files), names, err), xz.Process.Kill(), xz.Wait())
		}
		_, name, _ := strings.Cut(header.Name, "/")
		if !slices.Contains(names, name) {
			continue
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			return nil, errors.Join(err, xz.Process.Kill(), xz.Wait())
		}
		files[name] = string(content)
	}
	_ = xz.Process.Kill() // the rest of the kernel is not wanted
	_ = xz.Wait()
	return files, nil
}
