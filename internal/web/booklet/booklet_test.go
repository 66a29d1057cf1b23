package booklet

import (
	"errors"
	"image/jpeg"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"codeberg.org/go-pdf/fpdf"
)

func book(t *testing.T, pages int) string {
	t.Helper()
	p := fpdf.New("P", "mm", "A5", "")
	p.SetFont("Helvetica", "", 20)
	for range pages {
		p.AddPage()
		p.Cell(40, 10, "Halaman")
	}
	file := filepath.Join(t.TempDir(), "panduan.pdf")
	if err := p.OutputFileAndClose(file); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPages(t *testing.T) {
	b := New(book(t, 3), filepath.Join(t.TempDir(), "pages"))
	if n, err := b.Pages(t.Context()); err != nil || n != 3 {
		t.Fatalf("%d pages, %v (poppler-utils is needed: make test-go has it)", n, err)
	}
	var all sync.WaitGroup
	for range 3 { // a hall of phones
		for n := 1; n <= 3; n++ {
			all.Go(func() {
				if _, err := b.Page(t.Context(), n); err != nil {
					t.Errorf("page %d: %v", n, err)
				}
			})
		}
	}
	all.Wait()
	picture, err := b.Page(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(picture)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c, err := jpeg.DecodeConfig(f); err != nil || c.Width != wide || c.Height < wide {
		t.Errorf("a page is %d x %d, %v", c.Width, c.Height, err)
	}
	for _, n := range []int{0, 4, -1} {
		if _, err := b.Page(t.Context(), n); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("page %d: %v", n, err)
		}
	}
}

func TestAnotherBook(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "pages")
	first, err := New(book(t, 1), dir).Page(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(book(t, 2), dir).Page(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(first); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the pictures of the first book are still there: %v", err)
	}
}

// A power cut may leave an empty picture: it is drawn again.
func TestAnEmptyPictureIsDrawnAgain(t *testing.T) {
	b := New(book(t, 1), filepath.Join(t.TempDir(), "pages"))
	picture, err := b.Page(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(picture, 0); err != nil {
		t.Fatal(err)
	}
	again, err := b.Page(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(again); err != nil || info.Size() == 0 {
		t.Errorf("the page stays empty: %v", err)
	}
}

func TestNoBook(t *testing.T) {
	file := filepath.Join(t.TempDir(), "panduan.pdf")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := New(file, t.TempDir()).Pages(t.Context()); err == nil {
		t.Errorf("%d pages of no PDF", n)
	}
}
