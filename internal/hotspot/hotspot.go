// Package hotspot has NetworkManager make the kiosk's own Wi-Fi for phones.
//
// The profile is a keyfile below /run: made anew at every start from the configuration,
// never kept by NetworkManager or, on Raspberry Pi OS trixie, taken over by netplan (which
// puts its own there too), so that the configuration is the only place to look. Address
// and DHCP are NetworkManager's "shared" ones; its dnsmasq reads
// /etc/NetworkManager/dnsmasq-shared.d/mimpi-kiosk.conf for the names.
//
// It needs root, starts nothing of its own and imports nothing of ours.
package hotspot

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Address of the kiosk on its own Wi-Fi. The dnsmasq file and the QR codes know it.
const Address = "10.42.0.1"

// WiFi is the network to make.
type WiFi struct {
	Name, Password string // no Password: open
	Hidden         bool
	Interface      string // of the radio
	Country        string // two capitals
}

// Places are where things are on the system.
type Places struct {
	Profiles string // of NetworkManager, forgotten at shutdown
	RFKill   string
	Run      func(ctx context.Context, program string, args ...string) error
}

// System gives the places of a running system.
func System() Places {
	return Places{Profiles: "/run/NetworkManager/system-connections", RFKill: "/sys/class/rfkill", Run: run}
}

const profile = "mimpi-kiosk"

// Keyfile is NetworkManager's profile of the network; see nm-settings-keyfile(5).
func (w WiFi) Keyfile() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("# Made by mimpi-kiosk hotspot from [wifi] of kiosk.toml at every start.")
	line("[connection]")
	line("id=%s", profile)
	line("uuid=6d1a0d5e-4f0b-4d5a-9a31-6d696d706931") // always the same: it replaces itself
	line("type=wifi")
	line("interface-name=%s", w.Interface)
	line("autoconnect=true")
	line("autoconnect-priority=100") // before a network that the radio knows from the office
	line("")
	line("[wifi]")
	line("mode=ap")
	line("band=bg") // 2.4 GHz: every phone has it, and it reaches through a hall
	line("ssid=%s", ssid(w.Name))
	if w.Hidden {
		line("hidden=true")
	}
	line("powersave=2") // off: phones would wait for answers
	if w.Password != "" {
		line("")
		line("[wifi-security]")
		line("key-mgmt=wpa-psk")
		line("psk=%s", escape(w.Password))
		line("proto=rsn;") // WPA2, AES: the Raspberry Pi's radio falls over anything more
		line("pairwise=ccmp;")
		line("group=ccmp;")
		line("pmf=1") // off: raspberrypi/linux#7247, no hotspot with a password on trixie else
	}
	line("")
	line("[ipv4]")
	line("method=shared")
	line("address1=%s/24", Address)
	line("")
	line("[ipv6]")
	line("method=disabled") // one address that is typed, printed and encoded is enough
	return b.String()
}

// ssid writes a name byte by byte, which is safe whatever is in it.
func ssid(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		fmt.Fprintf(&b, "%d;", c)
	}
	return b.String()
}

// escape writes a value as keyfiles want it: a space in front or a backslash would be lost.
func escape(s string) string {
	s = strings.ReplaceAll(s, `\`, `\\`)
	if strings.HasPrefix(s, " ") {
		s = `\s` + s[1:]
	}
	return s
}

// On makes the network, or makes it anew when it differs.
func (w WiFi) On(ctx context.Context, p Places) error {
	if err := os.MkdirAll(p.Profiles, 0o755); err != nil {
		return fmt.Errorf("the folder of NetworkManager's profiles cannot be made: %w", err)
	}
	file := filepath.Join(p.Profiles, profile+".nmconnection")
	if err := os.WriteFile(file+".new", []byte(w.Keyfile()), 0o600); err != nil { // it holds a password
		return fmt.Errorf("write the Wi-Fi's profile: %w", err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("write the Wi-Fi's profile: %w", err)
	}
	// Raspberry Pi OS keeps the radio off until it knows the country.
	country := p.Run(ctx, "iw", "reg", "set", w.Country)
	if err := unblock(p.RFKill); err != nil {
		return err
	}
	for _, args := range [][]string{
		{"radio", "wifi", "on"},
		{"connection", "load", file},
		{"--wait", "45", "connection", "up", "id", profile},
	} {
		if err := p.Run(ctx, "nmcli", args...); err != nil {
			return errors.Join(fmt.Errorf("the Wi-Fi cannot be made: %w", err), country)
		}
	}
	return country
}

// Off takes the network away, if it is there.
func Off(ctx context.Context, p Places) error {
	err := os.Remove(filepath.Join(p.Profiles, profile+".nmconnection"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("remove the Wi-Fi's profile: %w", err)
	}
	return p.Run(ctx, "nmcli", "connection", "reload")
}

// unblock lets every Wi-Fi radio send, as "rfkill unblock wlan" does.
func unblock(folder string) error {
	kinds, err := filepath.Glob(filepath.Join(folder, "*", "type"))
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		if text, err := os.ReadFile(kind); err != nil || strings.TrimSpace(string(text)) != "wlan" {
			continue // gone, or no Wi-Fi
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(kind), "soft"), []byte("0"), 0); err != nil {
			return fmt.Errorf("the radio cannot be switched on: %w", err)
		}
	}
	return nil
}

func run(ctx context.Context, program string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if said, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w: %s", program, strings.Join(args, " "), err, strings.TrimSpace(string(said)))
	}
	return nil
}
