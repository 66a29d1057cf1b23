package pack

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// pictured are the endings of a pack's own pictures, the one to be preferred first.
var pictured = []string{".svg", ".png", ".jpg"}

// maxPicture is the size of the largest picture, in bytes: a phone loads up to eight.
const maxPicture = 256 << 10

// pictureFile gives the name of the pack's own picture, with slashes.
func pictureFile(root *os.Root, name string) (string, bool) {
	for _, ext := range pictured {
		file := "icons/" + name + ext
		if info, err := root.Stat(filepath.FromSlash(file)); err == nil && info.Mode().IsRegular() {
			return file, true
		}
	}
	return "", false
}

// OpenIcon opens the pack's own picture of an option, an SVG, PNG or JPEG file. It is
// [fs.ErrNotExist] when the pack has none by that name; the kiosk's own is shown then.
func (p *Pack) OpenIcon(name string) (*os.File, error) {
	if !idForm.MatchString(name) {
		return nil, fmt.Errorf("open icon %q: %w", name, fs.ErrNotExist)
	}
	err := error(fs.ErrNotExist)
	for _, ext := range pictured {
		var file *os.File
		if file, err = os.OpenInRoot(p.Dir, filepath.Join("icons", name+ext)); err == nil {
			return file, nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, fmt.Errorf("open icon %q: %w", name, err)
}

// checkPictures looks at every file in icons/.
func checkPictures(f folder, m *mistakes) {
	entries, err := fs.ReadDir(f.root.FS(), "icons")
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		m.unreadable("icons", err)
		return
	}
	for _, e := range entries {
		name, ext := "icons/"+e.Name(), path.Ext(e.Name())
		base := strings.TrimSuffix(e.Name(), ext)
		if e.IsDir() || strings.HasPrefix(e.Name(), ".") || ext == ".txt" {
			continue
		}
		if !slices.Contains(pictured, strings.ToLower(ext)) {
			m.add(name, 0, "Gambar harus SVG, PNG, atau JPG.", "A picture must be SVG, PNG or JPG.")
			continue
		}
		if !idForm.MatchString(base) || ext != strings.ToLower(ext) {
			m.add(name, 0, "Nama gambar harus huruf kecil, angka dan tanda hubung, misalnya perahu-kecil.svg.",
				"The name of a picture must have small letters, digits and hyphens, such as small-boat.svg.")
			continue
		}
		file, err := f.root.Open(filepath.FromSlash(name))
		if err != nil {
			m.unreadable(name, err)
			continue
		}
		data, err := io.ReadAll(io.LimitReader(file, maxPicture+1))
		file.Close() // read only
		if err != nil {
			m.unreadable(name, err)
			continue
		}
		checkPicture(name, data, m)
	}
}

// checkPicture says whether browsers show a picture.
func checkPicture(name string, data []byte, m *mistakes) {
	head := map[string]string{".png": "\x89PNG\r\n\x1a\n", ".jpg": "\xff\xd8\xff"}[path.Ext(name)]
	switch {
	case len(data) > maxPicture:
		m.add(name, 0, "Gambar lebih besar dari %d kB. Perkecil dulu: 300 x 300 titik sudah cukup.", "The picture is larger than %d kB. Make it smaller first: 300 x 300 pixels are enough.", maxPicture>>10)
	case head != "" && !bytes.HasPrefix(data, []byte(head)):
		m.add(name, 0, "Isi berkas ini bukan gambar seperti akhiran namanya. Simpan lagi dari program gambar.", "What is in this file is not the kind of picture that its name says. Save it again from a picture program.")
	case head == "":
		checkSVG(name, data, m)
	}
}

func checkSVG(name string, data []byte, m *mistakes) {
	dec := xml.NewDecoder(bytes.NewReader(data))
	line := func() int { n, _ := dec.InputPos(); return n }
	root := ""
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			m.add(name, line(), "SVG ini rusak (%v). Simpan lagi dari program gambar.", "This SVG is damaged (%v). Save it again from a picture program.", err)
			return
		}
		el, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if root == "" {
			root = el.Name.Local
			if root != "svg" || el.Name.Space != "http://www.w3.org/2000/svg" {
				break
			}
		}
		if el.Name.Local == "script" || el.Name.Local == "foreignObject" {
			m.add(name, line(), "SVG ini berisi <%s>, yang tidak dipakai. Hapus bagian itu.", "This SVG has a <%s>, which is not used. Delete that part.", el.Name.Local)
		}
		for _, a := range el.Attr {
			if a.Name.Local == "href" && strings.Contains(a.Value, "//") {
				m.add(name, line(), "SVG ini memuat %q dari internet, yang tidak ada di desa. Masukkan gambarnya ke dalam berkas.",
					"This SVG loads %q from the internet, which a village does not have. Put that picture into the file.", a.Value)
			}
		}
	}
	if root != "svg" {
		m.add(name, 1, "Ini bukan gambar SVG. Baris pertama harus <svg xmlns=\"http://www.w3.org/2000/svg\" ...>.",
			"This is not an SVG picture. It must begin with <svg xmlns=\"http://www.w3.org/2000/svg\" ...>.")
	}
}
