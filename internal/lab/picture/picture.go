// Package picture says what a photograph of a screen shows: which of the kiosk's pages, how
// much of a colour, which QR codes.
package picture

import (
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"strings"
)

// A Picture is what a screen showed.
type Picture struct {
	image.Image
	File string
}

// Read reads a PNG.
func Read(file string) (Picture, error) {
	f, err := os.Open(file)
	if err != nil {
		return Picture{}, err
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		return Picture{}, fmt.Errorf("read the picture %s: %w", file, err)
	}
	return Picture{img, file}, nil
}

// IsTouchPage says whether the ground is the touch screen's, as theme.css has it, with
// something on it: on a screen turned upright the doors' cards leave a fifth of it.
func IsTouchPage(p Picture) bool { s := p.Share(0xfd, 0xf9, 0xf0); return s > 0.15 && s < 0.98 }

// IsStagePage says the same of the projector's page.
func IsStagePage(p Picture) bool { s := p.Share(0x14, 0x16, 0x2b); return s > 0.25 && s < 0.98 }

// Share is how much of the picture, from 0 to 1, has (nearly) a colour.
func (p Picture) Share(r, g, b uint32) float64 {
	near := func(a, b uint32) bool { return max(a, b)-min(a, b) <= 6 }
	bounds := p.Bounds()
	hit := 0
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			pr, pg, pb, _ := p.At(x, y).RGBA()
			if near(pr>>8, r) && near(pg>>8, g) && near(pb>>8, b) {
				hit++
			}
		}
	}
	return float64(hit) / float64(bounds.Dx()*bounds.Dy())
}

// Difference is the smallest rectangle around the pixels that are not the same in both;
// empty when all are. Pictures of different sizes differ everywhere.
func (p Picture) Difference(q Picture) (where image.Rectangle) {
	if p.Bounds() != q.Bounds() {
		return p.Bounds().Union(q.Bounds())
	}
	for y := p.Bounds().Min.Y; y < p.Bounds().Max.Y; y++ {
		for x := p.Bounds().Min.X; x < p.Bounds().Max.X; x++ {
			if p.At(x, y) != q.At(x, y) {
				where = where.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return where
}

// Codes are what the QR codes in it say; zbarimg (of zbar-tools) reads them.
func (p Picture) Codes(ctx context.Context) []string {
	out, err := exec.CommandContext(ctx, "zbarimg", "--quiet", "--raw", p.File).Output()
	if err != nil {
		return nil // it ends so when there is none
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
