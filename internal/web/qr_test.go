package web

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// scan reads a QR code as a telephone would.
func scan(t *testing.T, picture []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "code.png")
	if err := os.WriteFile(file, picture, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "zbarimg", "--raw", "--quiet", "-Sdisable", "-Sqrcode.enable", file).Output()
	if err != nil {
		t.Fatalf("zbarimg (of the package zbar-tools; make test-go has it): %v", err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

var (
	viewBox = regexp.MustCompile(`viewBox="0 0 (\d+) (\d+)"`)
	darkRun = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-(\d+)z`)
	darkAll = regexp.MustCompile(`^<svg [^>]+><path fill="#fff" d="M0 0h\d+v\d+H0z"/><path d="((?:M\d+ \d+h\d+v1h-\d+z)+)"/></svg>$`)
)

// rasterise draws the one kind of SVG that this package makes. Another test shows the
// same to a browser.
func rasterise(t *testing.T, svg []byte) []byte {
	t.Helper()
	box, dark := viewBox.FindSubmatch(svg), darkAll.FindSubmatch(svg)
	if box == nil || dark == nil {
		t.Fatalf("not the SVG that this test knows: %.300s", svg)
	}
	const scale = 8
	side, _ := strconv.Atoi(string(box[1]))
	img := image.NewGray(image.Rect(0, 0, side*scale, side*scale))
	draw.Draw(img, img.Bounds(), image.White, image.Point{}, draw.Src)
	for _, m := range darkRun.FindAllSubmatch(dark[1], -1) {
		var n [4]int
		for i := range n {
			n[i], _ = strconv.Atoi(string(m[i+1]))
		}
		if x, y, w := n[0], n[1], n[2]; w != n[3] || x < 4 || y < 4 || x+w > side-4 || y >= side-4 {
			t.Errorf("the quiet zone of 4 modules is broken by %s of %d", m[0], side)
		}
		draw.Draw(img, image.Rect(n[0]*scale, n[1]*scale, (n[0]+n[2])*scale, (n[1]+1)*scale), image.Black, image.Point{}, draw.Src)
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// parseWiFi reads the WIFI: form as telephones do.
func parseWiFi(t *testing.T, s string) map[string]string {
	t.Helper()
	rest, ok := strings.CutPrefix(s, "WIFI:")
	if !ok {
		t.Fatalf("%q is no WIFI:", s)
	}
	fields := map[string]string{}
	var name, value strings.Builder
	into := &name
	for i := 0; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\' && i+1 < len(rest):
			i++
			into.WriteByte(rest[i])
		case c == ':' && into == &name:
			into = &value
		case c == ';' && name.Len() == 0:
			if i != len(rest)-1 {
				t.Fatalf("%q goes on after its end", s)
			}
			return fields
		case c == ';':
			fields[name.String()] = value.String()
			name.Reset()
			value.Reset()
			into = &name
		default:
			into.WriteByte(c)
		}
	}
	t.Fatalf("%q has no end", s)
	return nil
}

func TestCodesAreReadByAPhone(t *testing.T) {
	t.Parallel()
	odd := `\;,:"` + `'; P:x;;` + `\\`
	for name, wifi := range map[string]struct {
		WiFi
		want map[string]string
	}{
		"plain":             {WiFi{Name: "Mimpi Kiosk", Password: "mimpibeta", Security: "WPA"}, map[string]string{"T": "WPA", "S": "Mimpi Kiosk", "P": "mimpibeta"}},
		"odd characters":    {WiFi{Name: "Mimpi " + odd, Password: "rahasia " + odd, Security: "WPA"}, map[string]string{"T": "WPA", "S": "Mimpi " + odd, "P": "rahasia " + odd}},
		"hidden":            {WiFi{Name: "Mimpi", Password: "mimpibeta", Security: "WPA", Hidden: true}, map[string]string{"T": "WPA", "S": "Mimpi", "P": "mimpibeta", "H": "true"}},
		"open to everybody": {WiFi{Name: "Mimpi", Password: "left over", Security: "none"}, map[string]string{"T": "nopass", "S": "Mimpi"}},
		"of many letters":   {WiFi{Name: "Balai Desa Fulur", Password: strings.Repeat("p;", 31), Security: "WPA"}, map[string]string{"T": "WPA", "S": "Balai Desa Fulur", "P": strings.Repeat("p;", 31)}},
	} {
		k := newKiosk(t, setup{parts: func(p *Parts) { p.Show.WiFi = wifi.WiFi }})
		for kind, picture := range map[string]func() []byte{
			"PNG": func() []byte { return k.phone(1).get("/qr/wifi.png").body },
			"SVG": func() []byte { return rasterise(t, k.phone(1).get("/qr/wifi.svg").body) },
		} {
			got := parseWiFi(t, scan(t, picture()))
			if len(got) != len(wifi.want) {
				t.Errorf("%s, %s: read as %v, want %v", name, kind, got, wifi.want)
			}
			for field, value := range wifi.want {
				if got[field] != value {
					t.Errorf("%s, %s: %s is read as %q, want %q", name, kind, field, got[field], value)
				}
			}
		}
	}

	k := newKiosk(t, setup{})
	for name, want := range map[string]string{
		"vote": "http://kiosk.test/vote", "guidebook-here": "http://kiosk.test/guidebook",
		"guidebook-online": "https://example.org/panduan", "help": "tel:08001000111",
	} {
		if got := scan(t, k.phone(1).get("/qr/"+name+".png").body); got != want {
			t.Errorf("%s.png is read as %q, want %q", name, got, want)
		}
		if got := scan(t, rasterise(t, k.phone(1).get("/qr/"+name+".svg").body)); got != want {
			t.Errorf("%s.svg is read as %q, want %q", name, got, want)
		}
	}
	// A camera needs white around the code, and modules that are all of one size.
	code, err := png.Decode(bytes.NewReader(k.phone(1).get("/qr/vote.png").body))
	if err != nil {
		t.Fatal(err)
	}
	side := code.Bounds().Dx()
	if side%12 != 0 || side != code.Bounds().Dy() {
		t.Errorf("the PNG is %v, not whole modules of 12", code.Bounds())
	}
	white := color.GrayModel.Convert(color.White)
	for i := range side {
		for edge := range 4 * 12 {
			for _, p := range []image.Point{{i, edge}, {edge, i}, {i, side - 1 - edge}, {side - 1 - edge, i}} {
				if color.GrayModel.Convert(code.At(p.X, p.Y)) != white {
					t.Fatalf("the quiet zone is not white at %v", p)
				}
			}
		}
	}
}

func TestCodesThatThereAre(t *testing.T) {
	names := func(c *codes) string {
		var out []string
		for _, code := range c.list() {
			out = append(out, code.Name+" "+code.Caption)
		}
		return strings.Join(out, ", ")
	}
	at := func(port int) net.Addr { return &net.TCPAddr{IP: net.IPv4(0, 0, 0, 0), Port: port} }
	everything := Show{
		PublicURL: "https://mimpi.example/kiosk/", GuidebookURL: "https://example.org/panduan",
		WiFi: WiFi{Name: "Mimpi"}, Help: []HelpNumber{{Tel: "+62 (380) 123-456 / WA"}},
	}
	if got, want := names(newCodes(everything, at(80))), "wifi Mimpi, vote mimpi.example/kiosk/vote, guidebook-here mimpi.example/kiosk/guidebook, guidebook-online example.org/panduan, help +62 (380) 123-456 / WA"; got != want {
		t.Errorf("codes: %s, want %s", got, want)
	}
	own := ownAddress()
	if got, want := names(newCodes(Show{}, at(80))), fmt.Sprintf("vote %s/vote", own); got != want {
		t.Errorf("codes: %s, want %s", got, want)
	}
	if got, want := names(newCodes(Show{}, at(8080))), fmt.Sprintf("vote %s:8080/vote", own); got != want {
		t.Errorf("codes: %s, want %s", got, want)
	}
	if got := dialled("+62 (380) 123-456 / WA"); got != "+62380123456" {
		t.Errorf("dialled as %q", got)
	}
}
