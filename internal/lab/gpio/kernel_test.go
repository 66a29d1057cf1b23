package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLoadOrder(t *testing.T) {
	folder := t.TempDir()
	for name, text := range map[string]string{
		"modules.builtin": "kernel/drivers/virtio/virtio_pci.ko\nkernel/drivers/virtio/virtio.ko\n",
		"modules.dep": "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz kernel/lib/crc16.ko.xz\n" +
			"kernel/fs/jbd2/jbd2.ko.xz:\nkernel/lib/crc16.ko.xz:\nkernel/fs/btrfs/btrfs.ko.xz: kernel/lib/xor.ko.xz\n" +
			"kernel/drivers/usb/host/xhci-pci.ko: kernel/drivers/usb/host/xhci-hcd.ko kernel/drivers/usb/core/usbcore.ko kernel/lib/crc16.ko.xz\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := loadOrder(folder, []string{"xhci_pci", "virtio_pci", "ext4"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimPrefix(file, folder+"/kernel/"))
	}
	want := []string{
		"lib/crc16.ko.xz", "drivers/usb/core/usbcore.ko", "drivers/usb/host/xhci-hcd.ko", "drivers/usb/host/xhci-pci.ko",
		"fs/jbd2/jbd2.ko.xz", "fs/ext4/ext4.ko.xz",
	}
	if !slices.Equal(names, want) {
		t.Errorf("the order is %v, want %v", names, want)
	}
	if _, err := loadOrder(folder, []string{"exfat"}); err == nil || !strings.Contains(err.Error(), "exfat") {
		t.Errorf("a module that is not there: %v", err)
	}
}
