package paper

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

var made = time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)

func sheet() Sheet {
	return Sheet{
		Lang: "id", Title: "Nomor bantuan", Line: "Tanya, periksa, simpan nomor.", Statement: Statement["id"], Made: made,
		Codes: []Code{
			{"Buku panduan", "example.org/panduan", "https://example.org/panduan"},
			{"Menjawab", "10.42.0.1/vote", "http://10.42.0.1/vote"},
		},
		Numbers: []Number{
			{"Kementerian Pelindungan Pekerja Migran Indonesia", "0800-1000", "", "Belum diperiksa: coba dulu"},
			{"Kementerian Pelindungan Pekerja Migran Indonesia, dari luar negeri", "+62 21 2924 4800", "", "Diperiksa 2026-11-20"},
			{"SAPA 129: perempuan dan anak", "129", "", "Diperiksa 2026-11-20"},
			{"SAPA 129: perempuan dan anak, WhatsApp", "08111-129-129", "", "Diperiksa 2026-11-20"},
			{"Polisi", "110", "24 jam, gratis", "Diperiksa 2026-11-20"},
			{"KJRI Johor Bahru (Malaysia), WhatsApp", "+60 10 528 8040", "", "Belum diperiksa: coba dulu"},
		},
	}
}

func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Fatalf("%s is needed: make test-go has it", program)
	}
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	return string(out)
}

// print renders a PDF as a printer would, one picture a page.
func printed(t *testing.T, pdf []byte) (file string, pictures []string) {
	t.Helper()
	dir := t.TempDir()
	file = filepath.Join(dir, "a.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "pdftoppm", "-r", "150", "-png", file, filepath.Join(dir, "page"))
	pictures, err := filepath.Glob(filepath.Join(dir, "page*.png"))
	if err != nil || len(pictures) == 0 {
		t.Fatalf("no page: %v", err)
	}
	slices.Sort(pictures)
	return file, pictures
}

func TestCardsCanBeScannedAndRead(t *testing.T) {
	s := sheet()
	pdf, err := Cards(s)
	if err != nil {
		t.Fatal(err)
	}
	file, pages := printed(t, pdf)
	if len(pages) != 2 {
		t.Fatalf("%d pages", len(pages))
	}
	read := func(picture string) []string {
		codes := strings.Fields(run(t, "zbarimg", "--quiet", "--raw", picture))
		slices.Sort(codes)
		return codes
	}
	if got, want := read(pages[0]), []string{s.Codes[1].Content, s.Codes[0].Content}; !slices.Equal(got, want) {
		t.Errorf("on the sheet: %q, want %q", got, want)
	}
	// zbar gives the same code once; each card alone must hold it.
	for _, part := range []string{"0+0", "620+0", "0+877", "620+877"} {
		card := filepath.Join(t.TempDir(), "card.png")
		at := strings.Split(part, "+")
		run(t, "pdftoppm", "-r", "150", "-png", "-f", "2", "-l", "2", "-singlefile", "-x", at[0], "-y", at[1], "-W", "620", "-H", "877", file, strings.TrimSuffix(card, ".png"))
		if got := read(card); !slices.Equal(got, []string{s.Codes[0].Content}) {
			t.Errorf("on the card at %s: %q", part, got)
		}
	}
	words := strings.Join(strings.Fields(run(t, "pdftotext", "-layout", file, "-")), " ")
	for _, n := range s.Numbers {
		if got := strings.Count(words, n.Tel); got < 5 { // once on the sheet, once on each card
			t.Errorf("%s stands %d times", n.Tel, got)
		}
	}
	if !strings.Contains(words, "Diperiksa 2026-11-20") || !strings.Contains(words, "Belum diperiksa") {
		t.Error("it does not say when numbers were checked")
	}
	if again, err := Cards(s); err != nil || !bytes.Equal(pdf, again) {
		t.Errorf("the same sheet gives other bytes (%v)", err)
	}
}

func TestManyNumbersStayOnTheirCard(t *testing.T) {
	s := sheet()
	for range 3 {
		s.Numbers = append(s.Numbers, s.Numbers...)
	}
	s.Numbers = s.Numbers[:20]
	pdf, err := Cards(s)
	if err != nil {
		t.Fatal(err)
	}
	if _, pages := printed(t, pdf); len(pages) != 2 {
		t.Fatalf("%d pages", len(pages))
	}
}

func TestGuide(t *testing.T) {
	for _, lang := range []string{"id", "en"} {
		pdf, err := GuidePDF(lang, "Lakukan", "Jangan", made)
		if err != nil {
			t.Fatal(err)
		}
		file, pages := printed(t, pdf)
		if len(pages) > 2 {
			t.Errorf("%s: %d pages, a short guide has two", lang, len(pages))
		}
		words := strings.Join(strings.Fields(run(t, "pdftotext", file, "-")), " ")
		for _, section := range Guide {
			for _, line := range slices.Concat(section.Lines, section.Do, section.Dont) {
				if line["id"] == "" || line["en"] == "" {
					t.Errorf("a line is not in both languages: %v", line)
				}
				if first := strings.Join(strings.Fields(line[lang])[:2], " "); !strings.Contains(words, first) {
					t.Errorf("%s: %q is not on paper", lang, first)
				}
			}
		}
		if !strings.Contains(words, strings.Join(strings.Fields(Statement[lang])[:5], " ")) {
			t.Errorf("%s: it does not say who wrote it", lang)
		}
	}
}
