// Package systemd holds the units and settings that make a machine start as a kiosk; see
// README.md for what each file is. The package for Debian puts them where they belong;
// "mimpi-kiosk service install" needs some of them in the program itself.
package systemd

import "embed"

// Unit is that of the daemon, byte for byte the one that the package ships.
//
//go:embed mimpi-kiosk.service
var Unit string

// Sysusers are the users that the units run as, for systemd-sysusers.
//
//go:embed mimpi-kiosk.sysusers
var Sysusers string

// Beside are the files that "service install" puts in place beside the unit.
//
//go:embed mimpi-kiosk-usb mimpi-kiosk-usb@.service mimpi-kiosk-usb-requests.path mimpi-kiosk-usb-requests.service
//go:embed mimpi-kiosk-usb.tmpfiles mimpi-kiosk-usb.rules mimpi-kiosk.rules
var Beside embed.FS
