package clicker

import (
	"strings"
	"testing"
)

func uevent(lines ...string) []byte { return []byte(strings.Join(lines, "\x00") + "\x00") }

func TestDecodeUevent(t *testing.T) {
	for name, c := range map[string]struct {
		message   []byte
		subsystem string
		ok        bool
	}{
		"a stick": {uevent("add@/devices/pci0000:00/0000:00:14.0/usb1/1-2", "ACTION=add", "DEVPATH=/devices/pci0000:00/0000:00:14.0/usb1/1-2",
			"SUBSYSTEM=usb", "MAJOR=189", "MINOR=6", "DEVNAME=bus/usb/001/007", "DEVTYPE=usb_device", "PRODUCT=781/5567/100", "SEQNUM=4711"), "usb", true},
		"a stick pulled out": {uevent("remove@/x", "ACTION=remove", "SUBSYSTEM=usb", "DEVTYPE=usb_device"), "usb", true},
		"a part of it":       {uevent("add@/x", "ACTION=add", "SUBSYSTEM=usb", "DEVTYPE=usb_interface"), "usb", false},
		"its driver":         {uevent("bind@/x", "ACTION=bind", "SUBSYSTEM=usb", "DEVTYPE=usb_device"), "usb", false},
		"a chip":             {uevent("add@/x", "ACTION=add", "SUBSYSTEM=gpio", "DEVNAME=gpiochip0"), "gpio", true},
		"a disk":             {uevent("add@/x", "ACTION=add", "SUBSYSTEM=block", "DEVTYPE=usb_device"), "block", false},
		"of udev":            {[]byte("libudev\x00\xfe\xed\xca\xfe"), "", false},
		"nothing":            {nil, "", false},
	} {
		if subsystem, ok := decodeUevent(c.message); subsystem != c.subsystem || ok != c.ok {
			t.Errorf("%s is %q, %t; want %q, %t", name, subsystem, ok, c.subsystem, c.ok)
		}
	}
}

func FuzzDecodeUevent(f *testing.F) {
	f.Add(uevent("add@/x", "ACTION=add", "SUBSYSTEM=usb", "DEVTYPE=usb_device"))
	f.Add([]byte("\x00=\x00ACTION"))
	f.Fuzz(func(t *testing.T, message []byte) {
		if subsystem, ok := decodeUevent(message); ok && subsystem != "usb" && subsystem != "gpio" {
			t.Errorf("%q is told of as %q", message, subsystem)
		}
	})
}
