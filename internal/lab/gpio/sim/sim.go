// Package sim puts hands on a GPIO chip that Linux simulates (gpio-sim): buttons are
// pressed and lamps are seen from the side where the wires are. It works in the lab's
// guest only, as root, where the module is loaded.
package sim

import (
	"errors"
	"fmt"
	"path/filepath"
	"time"
	"unsafe"

	"github.com/warthog618/go-gpiocdev"
	"github.com/warthog618/go-gpiosim"
	"golang.org/x/sys/unix"

	"mimpi-kiosk/internal/clicker"
)

// Label of the chip: that of a Raspberry Pi 4.
const Label = "pinctrl-bcm2711"

// Lines of the chip: those of the 40-pin header, named as on a Raspberry Pi.
const Lines = 28

// Chip is a simulated chip. It is used by one goroutine, but for Press, Release and Lit
// of different lines.
type Chip struct {
	sim  *gpiosim.Sim
	held map[int]*gpiocdev.Line
	fail func(error)
}

// New makes a chip. What goes wrong with it later is told to fail.
func New(fail func(error)) (*Chip, error) {
	c := &Chip{held: map[int]*gpiocdev.Line{}, fail: fail}
	return c, c.plug()
}

func (c *Chip) plug() error {
	options := []gpiosim.NewBankOption{}
	for i := range Lines {
		options = append(options, gpiosim.WithNamedLine(i, fmt.Sprintf("GPIO%d", i)))
	}
	var err error
	c.sim, err = gpiosim.NewSim(gpiosim.WithBank(gpiosim.NewBank(Label, Lines, options...)))
	return err
}

// Name is the chip's name under /dev.
func (c *Chip) Name() string { return c.sim.Chips[0].ChipName() }

// Open implements linestest.Hands.
func (c *Chip) Open(w clicker.Wiring) (clicker.Lines, error) { return clicker.OpenGPIO(w) }

// Now implements linestest.Hands.
func (c *Chip) Now() time.Duration { return clicker.Monotonic() }

// Press connects a line to ground.
func (c *Chip) Press(line int) { c.told(c.sim.Chips[0].Pulldown(line)) }

// Release lets the pull-up have the line.
func (c *Chip) Release(line int) { c.told(c.sim.Chips[0].Pullup(line)) }

// Lit says whether an output is high.
func (c *Chip) Lit(line int) bool {
	level, err := c.sim.Chips[0].Level(line)
	c.told(err)
	return level == gpiosim.LevelActive
}

// Wire is one line of a chip with its files held open. Its calls block the thread as
// plain C would: they are short, and Go's scheduler would take longer than they do.
type Wire struct{ pull, value int }

// Wire gives the line's.
func (c *Chip) Wire(line int) (*Wire, error) {
	folders, err := filepath.Glob(fmt.Sprintf("/sys/devices/platform/*/%s/sim_gpio%d", c.Name(), line))
	if err != nil || len(folders) != 1 {
		return nil, fmt.Errorf("the simulated line %d has the folders %v (%w)", line, folders, err)
	}
	w := &Wire{}
	if w.pull, err = unix.Open(filepath.Join(folders[0], "pull"), unix.O_WRONLY|unix.O_CLOEXEC, 0); err != nil {
		return nil, err
	}
	if w.value, err = unix.Open(filepath.Join(folders[0], "value"), unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return nil, errors.Join(err, unix.Close(w.pull))
	}
	return w, nil
}

// Press connects the line to ground, or lets the pull-up have it.
func (w *Wire) Press(down bool) error {
	to := []byte("pull-up")
	if down {
		to = []byte("pull-down")
	}
	_, _, errno := unix.RawSyscall6(unix.SYS_PWRITE64, uintptr(w.pull), uintptr(unsafe.Pointer(&to[0])), uintptr(len(to)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

// Lit says whether the output is high.
func (w *Wire) Lit() (bool, error) {
	var level [1]byte
	_, _, errno := unix.RawSyscall6(unix.SYS_PREAD64, uintptr(w.value), uintptr(unsafe.Pointer(&level[0])), 1, 0, 0, 0)
	if errno != 0 {
		return false, errno
	}
	return level[0] == '1', nil
}

// Close gives the files back.
func (w *Wire) Close() error { return errors.Join(unix.Close(w.pull), unix.Close(w.value)) }

// Hold takes a line in the name of somebody, or gives it back.
func (c *Chip) Hold(line int, holder string) {
	if l := c.held[line]; l != nil {
		c.told(l.Close())
		delete(c.held, line)
	}
	if holder == "" {
		return
	}
	l, err := gpiocdev.RequestLine(c.Name(), line, gpiocdev.WithConsumer(holder), gpiocdev.AsInput)
	c.told(err)
	c.held[line] = l
}

// Unplug takes the chip away, whoever holds lines of it.
func (c *Chip) Unplug() { c.sim.Close() }

// Plug brings a new chip of the same label.
func (c *Chip) Plug() { c.told(c.plug()) }

// Close gives everything back.
func (c *Chip) Close() {
	for line := range c.held {
		c.Hold(line, "")
	}
	c.sim.Close()
}

func (c *Chip) told(err error) {
	if err != nil {
		c.fail(err)
	}
}
