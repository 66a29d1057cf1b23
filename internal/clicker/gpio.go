package clicker

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/warthog618/go-gpiocdev"
	"github.com/warthog618/go-gpiocdev/uapi"
)

// HeaderChips are the labels of the chip behind the 40-pin header, by model: Raspberry
// Pi 5, 4, and 3 and older (and 4 with an old kernel).
func HeaderChips() []string {
	return []string{"pinctrl-rp1", "pinctrl-bcm2711", "pinctrl-bcm2835"}
}

const consumer = "mimpi-kiosk" // what gpioinfo shows beside our lines

// OpenGPIO takes lines of a real GPIO chip. The error is a [*Trouble]. It holds one
// goroutine, which ends with Close or with the chip.
func OpenGPIO(w Wiring) (Lines, error) {
	chip, err := findChip(w.Chip)
	if err != nil {
		return nil, err
	}
	defer chip.Close()
	g := &gpio{chip: chip.Label, edges: make(chan Edge, 64), closing: make(chan struct{}), ended: make(chan struct{})}
	if err := g.take(chip, w); err != nil {
		_ = g.give() // the error that matters is the first
		return nil, err
	}
	go g.read()
	return g, nil
}

// findChip opens the chip of that label or name. Numbers of chips differ by kernel, and
// Raspberry Pi OS has symbolic links among them: those gpiocdev does not take for chips.
func findChip(want string) (*gpiocdev.Chip, error) {
	labels := []string{want}
	if want == "" {
		labels = HeaderChips()
	}
	missing := &Trouble{Kind: NoChip, Chip: want}
	var denied *Trouble
	for _, name := range gpiocdev.Chips() {
		chip, err := gpiocdev.NewChip(name)
		switch {
		case errors.Is(err, fs.ErrPermission):
			denied = &Trouble{Kind: Denied, Chip: name, Err: err}
		case err != nil:
			missing.Err = err
		case slices.Contains(labels, chip.Label) || chip.Name == want:
			return chip, nil
		default:
			chip.Close()
		}
	}
	if denied != nil { // it may well be the one
		return nil, denied
	}
	return nil, missing
}

// gpio holds one request for the inputs, which gives their edges in one order, and one
// for each output. gpiocdev's own request is not used: its v0.9.1 never hands
// WithEventBufferSize to the kernel, its reader panics on what it does not expect, and
// spins when the chip goes away.
type gpio struct {
	chip    string
	inputs  []uint32 // offsets
	in      *os.File
	outputs []*os.File
	edges   chan Edge
	closing chan struct{}
	ended   chan struct{} // by the reader

	mu     sync.Mutex
	closed bool
}

func (g *gpio) take(chip *gpiocdev.Chip, w Wiring) error {
	dev, err := os.OpenFile("/dev/"+chip.Name, os.O_RDWR, 0)
	if err != nil {
		kind := Failing
		if errors.Is(err, fs.ErrPermission) {
			kind = Denied
		}
		return &Trouble{Kind: kind, Chip: g.chip, Err: err}
	}
	defer dev.Close()

	var request uapi.LineRequest
	for i, line := range w.Inputs {
		offset, err := offsetOf(chip, line)
		if err != nil {
			return err
		}
		g.inputs = append(g.inputs, offset)
		request.Offsets[i] = offset
	}
	request.Lines = uint32(len(w.Inputs))
	request.EventBufferSize = EdgeBuffer
	request.Config.Flags = uapi.LineFlagV2Input | uapi.LineFlagV2ActiveLow | uapi.LineFlagV2BiasPullUp | uapi.LineFlagV2EdgeBoth
	if w.Debounce > 0 {
		request.Config.AddAttribute(uapi.LineConfigAttribute{
			Attr: uapi.DebouncePeriod(w.Debounce).Encode(), Mask: uapi.NewLineBitMask(len(w.Inputs)),
		})
	}
	if len(w.Inputs) > 0 {
		if g.in, err = g.request(chip, dev, &request, w.Inputs); err != nil {
			return err
		}
	}
	for _, line := range w.Outputs {
		offset, err := offsetOf(chip, line)
		if err != nil {
			return err
		}
		out, err := g.request(chip, dev, &uapi.LineRequest{
			Offsets: [uapi.LinesMax]uint32{offset}, Lines: 1, Config: uapi.LineConfig{Flags: uapi.LineFlagV2Output},
		}, []string{line})
		if err != nil {
			return err
		}
		g.outputs = append(g.outputs, out)
	}
	return nil
}

func (g *gpio) request(chip *gpiocdev.Chip, dev *os.File, r *uapi.LineRequest, lines []string) (*os.File, error) {
	copy(r.Consumer[:], consumer)
	if err := uapi.GetLine(dev.Fd(), r); err != nil {
		t := &Trouble{Kind: Failing, Chip: g.chip, Line: lines[0], Err: err}
		if errors.Is(err, syscall.EBUSY) {
			t.Kind = Busy
			for i, line := range lines { // the kernel does not say which
				if info, err := chip.LineInfo(int(r.Offsets[i])); err == nil && info.Used {
					t.Line, t.Holder = line, info.Consumer
					break
				}
			}
		}
		return nil, t
	}
	// Without blocking, so that Close ends a Read that waits.
	if err := syscall.SetNonblock(int(r.Fd), true); err != nil {
		return nil, errors.Join(&Trouble{Kind: Failing, Chip: g.chip, Err: err}, syscall.Close(int(r.Fd)))
	}
	return os.NewFile(uintptr(r.Fd), "GPIO lines of "+g.chip), nil
}

func offsetOf(chip *gpiocdev.Chip, line string) (uint32, error) {
	n, err := strconv.Atoi(line)
	if err != nil {
		n, err = chip.FindLine(line)
	}
	if err != nil || n < 0 || n >= chip.Lines() {
		return 0, &Trouble{Kind: NoLine, Chip: chip.Label, Line: line}
	}
	return uint32(n), nil
}

// edgeSize is that of struct gpio_v2_line_event.
const edgeSize = 48

func (g *gpio) read() {
	defer close(g.ended)
	defer close(g.edges)
	if g.in == nil { // lamps alone
		<-g.closing
		return
	}
	buf := make([]byte, 64*edgeSize)
	for {
		n, err := g.in.Read(buf)
		if err != nil || n == 0 {
			return // given back, or the chip is gone
		}
		for event := range slices.Chunk(buf[:n], edgeSize) {
			select {
			case g.edges <- g.edge(event):
			case <-g.closing:
				// Nobody may be reading any more: what does not fit is for the kernel to count.
				select {
				case g.edges <- g.edge(event):
				default:
					return
				}
			}
		}
	}
}

func (g *gpio) edge(event []byte) Edge {
	word := func(at int) uint32 { return binary.NativeEndian.Uint32(event[at:]) }
	return Edge{
		At:    time.Duration(binary.NativeEndian.Uint64(event)),
		Down:  word(8) == uint32(uapi.LineEventRisingEdge), // active low: rising is towards active
		Input: slices.Index(g.inputs, word(12)),
		Seq:   word(16), LineSeq: word(20),
	}
}

// Edges implements [Lines].
func (g *gpio) Edges() <-chan Edge { return g.edges }

// Down implements [Lines].
func (g *gpio) Down(input int) (bool, error) {
	v := uapi.LineValues{Mask: 1 << input}
	err := g.control(g.in, func(fd uintptr) error { return uapi.GetLineValuesV2(fd, &v) })
	return v.Get(input) == 1, err
}

// Set implements [Lines].
func (g *gpio) Set(output int, on bool) error {
	v := uapi.LineValues{Mask: 1}
	if on {
		v.Bits = 1
	}
	return g.control(g.outputs[output], func(fd uintptr) error { return uapi.SetLineValuesV2(fd, v) })
}

func (g *gpio) control(f *os.File, call func(fd uintptr) error) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return &Trouble{Kind: Failing, Chip: g.chip, Err: err}
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = call(fd) }); err != nil {
		return ErrClosed
	}
	if failed != nil {
		return &Trouble{Kind: Failing, Chip: g.chip, Err: failed}
	}
	return nil
}

// Close implements [Lines].
func (g *gpio) Close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	for i := range g.outputs {
		_ = g.Set(i, false) // a chip that is gone has dark lamps
	}
	close(g.closing)
	err := g.give()
	<-g.ended
	return err
}

func (g *gpio) give() error {
	var errs []error
	for _, f := range append([]*os.File{g.in}, g.outputs...) {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
