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

// kernel is a Debian kernel of which the source, the headers and the image are installed in
// one version, and the module gpio-sim built for it.
type kernel struct {
	release string   // "6.12.118+deb13-amd64"
	image   string   // vmlinuz
	modules []string // files of the modules that the guest loads, in this order
	gpioSim string   // gpio-sim.ko
}

// wantedModules are those that the guest uses; what they need is loaded before them.
// gpio-sim, ours, comes last.
var wantedModules = []string{"configfs", "xhci_pci", "virtio_pci", "virtio_blk", "crc32c_generic", "ext4"}

// findKernel finds the newest installed headers that the installed source fits.
func findKernel(work string) (*kernel, error) {
	sources, err := filepath.Glob("/usr/src/linux-source-*.tar.xz")
	if err != nil {
		return nil, err
	}
	for _, source := range sources {
		series := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(source), "linux-source-"), ".tar.xz") // "6.12"
		headers, err := filepath.Glob("/usr/src/linux-headers-" + series + ".*-amd64")
		if err != nil {
			return nil, err
		}
		slices.SortFunc(headers, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(b, a)) })
		for _, h := range headers {
			k := &kernel{release: strings.TrimPrefix(filepath.Base(h), "linux-headers-")}
			k.image = "/boot/vmlinuz-" + k.release
			if _, err := os.Stat(k.image); err != nil {
				return nil, fmt.Errorf("the kernel's package linux-image-%s is not installed: %w", k.release, err)
			}
			if k.modules, err = loadOrder(filepath.Join("/lib/modules", k.release), wantedModules); err != nil {
				return nil, err
			}
			return k, k.buildGPIOSim(work, source, h)
		}
	}
	return nil, errors.New("here is no linux-source-X.Y with linux-headers-X.Y.Z-amd64 of the same X.Y: .ci/packages.txt has them for the Debian in which make runs this lab")
}

// loadOrder returns the files of the wanted modules and of those that they need, below the
// folder of a kernel's modules, each after what it needs. Modules that are built into the
// kernel are left out. A module may be compressed: "kernel/fs/ext4/ext4.ko.xz".
func loadOrder(folder string, wanted []string) ([]string, error) {
	builtIn, err := os.ReadFile(filepath.Join(folder, "modules.builtin"))
	if err != nil {
		return nil, err
	}
	dependencies, err := os.ReadFile(filepath.Join(folder, "modules.dep"))
	if err != nil {
		return nil, err
	}
	there := map[string]bool{} // by name: built into the kernel
	for file := range strings.FieldsSeq(string(builtIn)) {
		there[moduleName(file)] = true
	}
	type module struct {
		file  string
		needs []string // files; modules.dep has all of them, the innermost last
	}
	modules := map[string]module{}
	for line := range strings.Lines(string(dependencies)) {
		file, needs, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("%s/modules.dep has the line %q", folder, line)
		}
		modules[moduleName(file)] = module{file, strings.Fields(needs)}
	}
	var order []string
	for _, name := range wanted {
		m, ok := modules[name]
		switch {
		case ok:
		case there[name]:
			continue
		default:
			return nil, fmt.Errorf("the kernel of %s has no module %s", folder, name)
		}
		slices.Reverse(m.needs)
		for _, file := range append(m.needs, m.file) {
			if file = filepath.Join(folder, file); !slices.Contains(order, file) {
				order = append(order, file)
			}
		}
	}
	return order, nil
}

// moduleName returns the name of a module by its file: "xhci_pci" for "kernel/.../xhci-pci.ko.xz".
func moduleName(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".ko")
	return strings.ReplaceAll(name, "-", "_")
}

// unpackModule returns a file that the guest can load as it is: the module itself, or
// what is in a compressed one.
func unpackModule(work, file string) (string, error) {
	name, compressed := strings.CutSuffix(filepath.Base(file), ".xz")
	if !compressed {
		return file, nil
	}
	content, err := exec.Command("xz", "--decompress", "--stdout", file).Output()
	if err != nil {
		return "", fmt.Errorf("unpack %s: %w", file, err)
	}
	unpacked := filepath.Join(work, name)
	return unpacked, os.WriteFile(unpacked, content, 0o644)
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
