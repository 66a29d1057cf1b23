// Package config reads the kiosk's configuration file into one checked value.
//
// A file holds only what differs from [Default]; [Sample] is a commented file with
// everything in it. What is wrong in a file is said as [Problems], all at once, each
// with its line and what to write instead. The package keeps no state and starts
// nothing: a [Config] is a plain value that its owner may read from any goroutine.
package config

import (
	_ "embed"
	"time"
	_ "time/tzdata" // the kiosk knows its time zone on a system without tzdata too
)

// Config is everything that can be set. The tags are the keys of the file.
type Config struct {
	// Listen is the address the kiosk serves on, "HOST:PORT"; no HOST is every
	// address of the machine, PORT 0 any free one.
	Listen string `toml:"listen"`
	// Hosts are further names and addresses, without port, that browsers may know the kiosk by.
	Hosts []string `toml:"hosts"`
	// PublicURL is where phones reach the kiosk, as the QR codes say it, without a
	// slash at the end. Empty: the address of the machine on its network.
	PublicURL string `toml:"public_url"`
	// Timezone is the IANA name of the zone of the evening; [Config.Location] has it.
	Timezone string `toml:"timezone"`

	WiFi       WiFi       `toml:"wifi"`
	Display    Display    `toml:"display"`
	Film       Film       `toml:"film"`
	Voice      Voice      `toml:"voice"`
	Touch      Touch      `toml:"touch"`
	Poll       Poll       `toml:"poll"`
	Attendance []Category `toml:"attendance"` // 1 to 12
	Clicker    Clicker    `toml:"clicker"`
	PIN        PIN        `toml:"pin"`
	Limits     Limits     `toml:"limits"`
	Export     Export     `toml:"export"`
	USB        USB        `toml:"usb"`
	Packs      Packs      `toml:"packs"`
}

// WiFi is the network that phones join, as its QR code says it. Hotspot has the kiosk
// make it ("mimpi-kiosk hotspot"); else something else does.
type WiFi struct {
	Name     string   `toml:"name"` // SSID, up to 32 bytes; empty: no QR code
	Password string   `toml:"password"`
	Security Security `toml:"security"`
	Hidden   bool     `toml:"hidden"` // the network does not announce its name

	Hotspot   bool   `toml:"hotspot"`   // the kiosk's own radio makes the network
	Interface string `toml:"interface"` // of the radio
	Country   string `toml:"country"`   // two capitals of ISO 3166, by whose rules the radio sends
}

// Security says how a Wi-Fi is locked, in the words of a WIFI: QR code but for None.
type Security string

// The kinds of Wi-Fi lock.
const (
	WPA  Security = "WPA"  // WPA, WPA2 or WPA3 with a password
	None Security = "none" // open to everybody
)

// Touch is the behaviour of the touch screen.
type Touch struct {
	ThankYouPause time.Duration `toml:"thank_you_pause"` // after each ballot; 100 ms to 10 s
	Idle          time.Duration `toml:"idle"`            // until it goes back to rest; 5 s to 30 min
}

// Poll is the behaviour of questions.
type Poll struct {
	ShareMinimum int `toml:"share_minimum"` // results from this many answers on; 10 to 1000
}

// Category is a group that people are counted in at the door.
type Category struct {
	ID    string            `toml:"id"`    // in journals and exports; unique
	Sex   string            `toml:"sex"`   // "female", "male", or "" for either
	Age   string            `toml:"age"`   // "18+", "0-17", or "" for any
	Key   string            `toml:"key"`   // the key that counts one, see [Keyboard]; "" for none
	Label map[string]string `toml:"label"` // by language code; "id" (Indonesian) is always there
}

// Clicker is what counts people at the door besides the screens.
type Clicker struct {
	Keyboard Keyboard `toml:"keyboard"`
	GPIO     GPIO     `toml:"gpio"`
}

// Keyboard makes keys of the kiosk's own keyboard count. A key is one character, as
// the browser's KeyboardEvent.key gives it: "w" and "W" are two keys.
type Keyboard struct {
	Enabled bool   `toml:"enabled"`
	Undo    string `toml:"undo"` // takes back the last press; "" for none
}

// PIN is how a forgotten PIN is put right.
type PIN struct {
	// ResetFile is an absolute path. A file there at start removes the PIN, so that
	// a new one is asked for. Empty: never.
	ResetFile string `toml:"reset_file"`
}

// Limits keep one visitor from slowing down the evening of all.
type Limits struct {
	MaxConnections           int `toml:"max_connections"`             // websockets in all; 16 to 65536
	MaxConnectionsPerAddress int `toml:"max_connections_per_address"` // from one IP address; 2 to 65536
	MessageBytes             int `toml:"message_bytes"`               // the largest message of a client; 1024 to 1048576
	MessagesPerSecond        int `toml:"messages_per_second"`         // of one connection, in the long run; 1 to 1000
	MessageBurst             int `toml:"message_burst"`               // of one connection, at once; 1 to 1000
}

// Default gives what holds where a file says nothing else.
func Default() Config {
	return Config{
		Listen:   ":8080",
		Hosts:    []string{"kiosk.local", "10.42.0.1"},
		Timezone: "Asia/Makassar",
		WiFi:     WiFi{Security: WPA, Interface: "wlan0", Country: "ID"},
		Display:  defaultDisplay(),
		Film:     defaultFilm(),
		Voice:    defaultVoice(),
		Touch:    Touch{ThankYouPause: 1500 * time.Millisecond, Idle: time.Minute},
		Poll:     Poll{ShareMinimum: 10},
		Attendance: []Category{
			{ID: "woman", Sex: "female", Age: "18+", Key: "1", Label: map[string]string{"id": "Perempuan dewasa", "en": "Woman"}},
			{ID: "man", Sex: "male", Age: "18+", Key: "2", Label: map[string]string{"id": "Laki-laki dewasa", "en": "Man"}},
			{ID: "girl", Sex: "female", Age: "0-17", Key: "3", Label: map[string]string{"id": "Anak perempuan", "en": "Girl"}},
			{ID: "boy", Sex: "male", Age: "0-17", Key: "4", Label: map[string]string{"id": "Anak laki-laki", "en": "Boy"}},
		},
		Clicker: Clicker{Keyboard: Keyboard{Enabled: true, Undo: "0"}, GPIO: defaultGPIO()},
		PIN:     PIN{ResetFile: "/boot/firmware/mimpi-kiosk-reset-pin"},
		Export:  Export{AgeRecipients: []string{}},
		USB:     defaultUSB(),
		Packs:   Packs{TrustedKeys: []string{}},
		Limits: Limits{
			MaxConnections:           4096,
			MaxConnectionsPerAddress: 16,
			MessageBytes:             8192,
			MessagesPerSecond:        10,
			MessageBurst:             20,
		},
	}
}

//go:embed kiosk.toml
var sample string

// Sample gives a commented configuration file that says the same as [Default].
func Sample() string { return sample }

// Location gives the time zone of the evening.
func (c Config) Location() (*time.Location, error) { return time.LoadLocation(c.Timezone) }
