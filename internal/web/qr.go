package web

import (
	"bytes"
	"fmt"
	"image/color"
	"image/png"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skip2/go-qrcode"
)

// Code is a QR code that can be shown now, at /qr/NAME.svg and .png. Caption is what
// it holds in words, for those who type; empty where that would not help.
type Code struct {
	Name    string `json:"name"`
	Caption string `json:"caption"`
	content string
}

// codes knows the QR codes of this kiosk. The machine's address may change while it
// runs (the Wi-Fi comes up late), so it is looked up again now and then.
type codes struct {
	show Show
	port int

	mu       sync.Mutex
	listed   []Code
	listedAt time.Time
	drawn    map[string][]byte // by file extension and content
}

const addressesFor = 10 * time.Second

func newCodes(show Show, listens net.Addr) *codes {
	c := &codes{show: show, drawn: map[string][]byte{}}
	if tcp, ok := listens.(*net.TCPAddr); ok {
		c.port = tcp.Port
	}
	return c
}

func (c *codes) list() []Code {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.listed == nil || time.Since(c.listedAt) > addressesFor {
		c.listed, c.listedAt = c.make(), time.Now()
	}
	return c.listed
}

func (c *codes) make() []Code {
	var out []Code
	base := c.base()
	if w := c.show.WiFi; w.Name != "" {
		out = append(out, Code{"wifi", w.Name, w.uri()})
	}
	out = append(out, Code{"vote", bare(base + "/vote"), base + "/vote"})
	if c.show.hasGuidebook() { // else the page has none to offer
		out = append(out, Code{"guidebook-here", bare(base + "/guidebook"), base + "/guidebook"})
	}
	if u := c.show.GuidebookURL; u != "" {
		out = append(out, Code{"guidebook-online", bare(u), u})
	}
	if len(c.show.Help) > 0 {
		first := c.show.Help[0]
		out = append(out, Code{"help", first.Tel, "tel:" + dialled(first.Tel)})
	}
	return out
}

// base is where phones reach the kiosk, without a slash at the end.
func (c *codes) base() string {
	base := c.show.PublicURL
	if base == "" {
		host := c.show.WiFi.Address
		if host == "" {
			host = ownAddress()
		}
		base = "http://" + host
		if c.port != 80 {
			base += ":" + strconv.Itoa(c.port)
		}
	}
	return strings.TrimSuffix(base, "/")
}

// bare is an address as people type it.
func bare(u string) string {
	return strings.TrimPrefix(strings.TrimPrefix(u, "https://"), "http://")
}

// dialled keeps what a telephone dials.
func dialled(tel string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("+0123456789*#", r) {
			return r
		}
		return -1
	}, tel)
}

// uri is the WIFI: form that telephones read; \ ; , : and " are escaped in it.
func (w WiFi) uri() string {
	escape := strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, `:`, `\:`, `"`, `\"`)
	out := "WIFI:"
	if w.Security == "none" || w.Password == "" {
		out += "T:nopass;"
	} else {
		out += "T:WPA;"
	}
	out += "S:" + escape.Replace(w.Name) + ";"
	if w.Security != "none" && w.Password != "" {
		out += "P:" + escape.Replace(w.Password) + ";"
	}
	if w.Hidden {
		out += "H:true;"
	}
	return out + ";"
}

// ownAddress gives an address at which phones reach this machine: a private IPv4 one
// before any other, else localhost.
func ownAddress() string {
	found := "localhost"
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return found
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || !p.Addr().Is4() || p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() {
			continue
		}
		if p.Addr().IsPrivate() {
			return p.Addr().String()
		}
		found = p.Addr().String()
	}
	return found
}

func (s *Server) serveCode(w http.ResponseWriter, r *http.Request) {
	name, kind, _ := strings.Cut(r.PathValue("file"), ".")
	list := s.codes.list()
	i := slices.IndexFunc(list, func(c Code) bool { return c.Name == name })
	types := map[string]string{"svg": "image/svg+xml", "png": "image/png"}
	if i < 0 || types[kind] == "" {
		http.NotFound(w, r)
		return
	}
	data, err := s.codes.draw(list[i].content, kind)
	if err != nil {
		s.log.Error("draw a QR code", "code", name, "error", err)
		http.Error(w, "this QR code cannot be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", types[kind])
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(data) // the reader may have gone
}

// draw makes a picture once and keeps it: it takes milliseconds, and skip2's QRCode
// must not be shared.
func (c *codes) draw(content, kind string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := kind + " " + content
	if data, ok := c.drawn[key]; ok {
		return data, nil
	}
	code, err := qrcode.New(content, qrcode.Medium)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	var data []byte
	if kind == "png" {
		var buf bytes.Buffer
		code.BackgroundColor, code.ForegroundColor = color.White, color.Black
		if err := png.Encode(&buf, code.Image(-12)); err != nil { // 12 pixels for each module, all alike
			return nil, fmt.Errorf("encode PNG: %w", err)
		}
		data = buf.Bytes()
	} else {
		data = svg(code.Bitmap())
	}
	if len(c.drawn) > 32 { // addresses come and go
		clear(c.drawn)
	}
	c.drawn[key] = data
	return data, nil
}

// svg draws the modules as one path, a run of dark ones at a time. The bitmap has the
// quiet zone already.
func svg(bitmap [][]bool) []byte {
	var b bytes.Buffer
	n := len(bitmap)
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="`, n, n, n, n)
	for y, row := range bitmap {
		for x := 0; x < n; x++ {
			if !row[x] {
				continue
			}
			from := x
			for x < n && row[x] {
				x++
			}
			fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
		}
	}
	b.WriteString(`"/></svg>`)
	return b.Bytes()
}
