// Package systemd holds the units and settings that make a machine start as a kiosk; see
// README.md for what each file is. The package for Debian puts them where they belong;
// "mimpi-kiosk service install" needs some of them in the program itself.
package systemd

import _ "embed"

// Unit is that of the daemon, byte for byte the one that the package ships.
//
//go:embed mimpi-kiosk.service
var Unit string

// Sysusers are the users that the units run as, for systemd-sysusers.
//
//go:embed mimpi-kiosk.sysusers
var Sysusers string
