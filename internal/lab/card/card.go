// Package card is a memory card with a cache that forgets: a disk for QEMU, served over
// NBD, that keeps what is written to it in a cache until it is flushed. At a power cut
// each sector of the cache that was not flushed has what it had before, or anything that
// was written to it since: cards write in what order they like.
//
// The protocol is NBD's fixed newstyle handshake and its simple replies
// (https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md), as far as QEMU
// uses it; no other client is meant.
package card

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
)

const sector = 512

// Card is the disk. One machine at a time may have it. Methods may be called from any
// goroutine.
type Card struct {
	mu      sync.Mutex
	durable []byte
	cached  map[int64][][]byte // by sector: what was written to it since the last flush, oldest first
	flushes int
	record  *Recording    // nil unless it is recorded
	left    int           // writes until the card goes, 0 is never
	going   chan struct{} // closed when it goes
}

// New makes a card of these bytes, whose number is a multiple of 512. They are its own
// from then on.
func New(content []byte) *Card {
	return &Card{durable: content, cached: map[int64][][]byte{}}
}

// AfterWrites lets the card go dead right after so many more writes, 1 or more, and says
// when: in the middle of a commit, where a cut at any moment rarely falls.
func (c *Card) AfterWrites(n int) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left, c.going = n, make(chan struct{})
	return c.going
}

// Flushes is how many were asked for.
func (c *Card) Flushes() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.flushes
}

// Offer lets one machine have the card, as a disk at that address. take ends that, when the
// machine is gone.
func (c *Card) Offer() (address string, take func() error, err error) {
	folder, err := os.MkdirTemp("", "card-") // a path below build may be too long for a socket
	if err != nil {
		return "", nil, err
	}
	socket := filepath.Join(folder, "socket")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(folder))
	}
	served := make(chan error, 1)
	go func() {
		conn, err := listener.Accept()
		if err == nil {
			err = c.Serve(conn)
		}
		served <- err
	}()
	return "nbd:unix:" + socket, func() error {
		err := listener.Close()
		if gone := <-served; !errors.Is(gone, net.ErrClosed) {
			err = errors.Join(err, gone)
		}
		return errors.Join(err, os.RemoveAll(folder))
	}, nil
}

// Serve serves one machine on a connection until it ends, or the card goes dead.
func (c *Card) Serve(conn net.Conn) error {
	defer conn.Close()
	in := bufio.NewReaderSize(conn, 1<<16)
	if err := c.greet(in, conn); err != nil {
		return fmt.Errorf("card: greeting: %w", err)
	}
	for {
		err := c.answer(in, conn)
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
			return nil // the machine is gone, perhaps in the middle of a word
		case err != nil:
			return fmt.Errorf("card: %w", err)
		}
	}
}

// Numbers of the protocol.
const (
	magicServer   = 0x4e42444d41474943 // "NBDMAGIC"
	magicOption   = 0x49484156454F5054 // "IHAVEOPT"
	magicAnswer   = 0x3e889045565a9
	magicRequest  = 0x25609513
	magicReply    = 0x67446698
	newStyle      = 1 << 0
	noZeroes      = 1 << 1
	optExportName = 1
	optAbort      = 2
	optInfo       = 6
	optGo         = 7
	repAck        = 1
	repInfo       = 3
	repUnknown    = 1<<31 + 1
	infoExport    = 0
	hasFlags      = 1 << 0
	sendsFlush    = 1 << 2
	cmdRead       = 0
	cmdWrite      = 1
	cmdDisconnect = 2
	cmdFlush      = 3
	invalid       = 22 // EINVAL
)

func (c *Card) greet(in io.Reader, out io.Writer) error {
	if err := send(out, uint64(magicServer), uint64(magicOption), uint16(newStyle|noZeroes)); err != nil {
		return err
	}
	var flags uint32
	if err := binary.Read(in, binary.BigEndian, &flags); err != nil {
		return err
	}
	for {
		var option struct {
			Magic        uint64
			Kind, Length uint32
		}
		if err := binary.Read(in, binary.BigEndian, &option); err != nil {
			return err
		}
		if option.Magic != magicOption || option.Length > 1<<16 {
			return fmt.Errorf("this is no option of NBD: %+v", option)
		}
		if _, err := io.CopyN(io.Discard, in, int64(option.Length)); err != nil {
			return err
		}
		size, transmission := uint64(len(c.durable)), uint16(hasFlags|sendsFlush)
		reply := func(kind uint32, length int, fields ...any) error {
			return send(out, append([]any{uint64(magicAnswer), option.Kind, kind, uint32(length)}, fields...)...)
		}
		switch option.Kind {
		case optExportName:
			return errors.Join(send(out, size, transmission), zeroes(out, flags&noZeroes == 0))
		case optGo, optInfo:
			if err := errors.Join(reply(repInfo, 12, uint16(infoExport), size, transmission), reply(repAck, 0)); err != nil || option.Kind == optGo {
				return err
			}
		case optAbort:
			return errors.Join(reply(repAck, 0), io.EOF)
		default:
			if err := reply(repUnknown, 0); err != nil {
				return err
			}
		}
	}
}

func zeroes(out io.Writer, wanted bool) error {
	if !wanted {
		return nil
	}
	_, err := out.Write(make([]byte, 124))
	return err
}

// answer carries one request out. Its error ends the connection.
func (c *Card) answer(in io.Reader, out io.Writer) error {
	var r struct {
		Magic       uint32
		Flags, Kind uint16
		Handle      uint64
		Offset      uint64
		Length      uint32
	}
	if err := binary.Read(in, binary.BigEndian, &r); err != nil {
		return err
	}
	if r.Magic != magicRequest {
		return fmt.Errorf("this is no request of NBD: %+v", r)
	}
	inside := r.Offset%sector == 0 && r.Length%sector == 0 && r.Length <= 32<<20 && r.Offset+uint64(r.Length) <= uint64(len(c.durable))
	status := uint32(0)
	var data []byte
	switch r.Kind {
	case cmdRead:
		if inside {
			data = c.read(int64(r.Offset), int(r.Length))
		} else {
			status = invalid
		}
	case cmdWrite:
		if r.Length > 32<<20 {
			return fmt.Errorf("a write of %d bytes", r.Length)
		}
		written := make([]byte, r.Length)
		if _, err := io.ReadFull(in, written); err != nil {
			return err
		}
		if inside && c.write(int64(r.Offset), written) {
			return io.EOF
		} else if !inside {
			status = invalid
		}
	case cmdFlush:
		c.flush()
	case cmdDisconnect:
		return io.EOF
	default:
		status = invalid
	}
	if err := send(out, uint32(magicReply), status, r.Handle); err != nil {
		return err
	}
	_, err := out.Write(data)
	return err
}

func (c *Card) read(at int64, n int) []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	data := slices.Clone(c.durable[at : at+int64(n)])
	for i := 0; i < n; i += sector {
		if versions := c.cached[(at+int64(i))/sector]; versions != nil {
			copy(data[i:], versions[len(versions)-1])
		}
	}
	return data
}

// write says whether the card has gone dead with it.
func (c *Card) write(at int64, data []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.record.note(operation{at, data})
	for ; len(data) > 0; at, data = at+sector, data[sector:] {
		c.cached[at/sector] = append(c.cached[at/sector], data[:sector])
	}
	if c.left == 0 {
		return false
	}
	if c.left--; c.left > 0 {
		return false
	}
	close(c.going)
	return true
}

func (c *Card) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flushes++
	c.record.note(operation{})
	for at, versions := range c.cached {
		copy(c.durable[at*sector:], versions[len(versions)-1])
	}
	clear(c.cached)
}

// Cut takes the power away. It returns how many sectors were in the cache, and how many
// of them do not have what was written to them last.
func (c *Card) Cut(random *rand.Rand) (cached, old int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sectors := make([]int64, 0, len(c.cached))
	for at := range c.cached {
		sectors = append(sectors, at)
	}
	slices.Sort(sectors) // so that a seed gives the same cut
	for _, at := range sectors {
		versions := c.cached[at]
		last := len(versions) - 1
		kept := last
		if random.IntN(2) == 0 {
			kept = random.IntN(len(versions)+1) - 1
		}
		if kept >= 0 {
			copy(c.durable[at*sector:], versions[kept])
		}
		if kept != last {
			old++
		}
	}
	clear(c.cached)
	c.left = 0
	return len(sectors), old
}

// Content is a copy of what is on the card for good.
func (c *Card) Content() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.durable)
}

func send(out io.Writer, fields ...any) error {
	var all []byte
	for _, f := range fields {
		var err error
		if all, err = binary.Append(all, binary.BigEndian, f); err != nil {
			return err
		}
	}
	_, err := out.Write(all)
	return err
}
