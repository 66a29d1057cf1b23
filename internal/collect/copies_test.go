package collect

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mimpi-kiosk/internal/collect/province"
	"mimpi-kiosk/internal/export"
	"mimpi-kiosk/internal/screening"
)

// cut is the evening as it was n events before its end.
func cut(e *province.Evening, n int) *province.Evening {
	out := *e
	out.Journal = e.Journal[:len(e.Journal)-n]
	return &out
}

// longer is the evening with some more people.
func longer(e *province.Evening, people int) *province.Evening {
	out := *e
	last := e.Journal[len(e.Journal)-1]
	last.Seq++
	last.Command = ""
	last.Event = screening.AttendanceCorrected{Category: "woman", Delta: people, Reason: "x"}
	out.Journal = append(slices.Clone(e.Journal), last)
	return &out
}

func change(t *testing.T, folder, name string, to func([]byte) []byte) {
	t.Helper()
	file := filepath.Join(folder, name)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, to(b), 0o644); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, folder string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.Remove(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
}

func flip(b []byte) []byte {
	b = bytes.Clone(b)
	b[len(b)/2] ^= 1
	return b
}

// without is every way in which a copy may come to count for nothing.
var without = map[string]func(t *testing.T, folder string){
	"a bit of the journal": func(t *testing.T, f string) { change(t, f, export.EventsFile, flip) },
	"half of the journal": func(t *testing.T, f string) {
		change(t, f, export.EventsFile, func(b []byte) []byte { return b[:len(b)/2] })
	},
	"an empty journal":       func(t *testing.T, f string) { change(t, f, export.EventsFile, func(b []byte) []byte { return nil }) },
	"no journal":             func(t *testing.T, f string) { remove(t, f, export.EventsFile) },
	"a bit of the summary":   func(t *testing.T, f string) { change(t, f, export.SummaryFile, flip) },
	"no summary":             func(t *testing.T, f string) { remove(t, f, export.SummaryFile) },
	"a bit of the checksums": func(t *testing.T, f string) { change(t, f, export.SumsFile, flip) },
	"no checksums":           func(t *testing.T, f string) { remove(t, f, export.SumsFile) },
	"a bit of the signature": func(t *testing.T, f string) { change(t, f, export.SignatureFile, flip) },
	"no signature":           func(t *testing.T, f string) { remove(t, f, export.SignatureFile) },
	"only tables": func(t *testing.T, f string) {
		remove(t, f, export.EventsFile, export.SummaryFile, "report.html", export.SumsFile, export.SignatureFile)
	},
	"only the summary": func(t *testing.T, f string) {
		remove(t, f, export.EventsFile, "attendance.csv", "ballots.csv", "report.html", export.SumsFile, export.SignatureFile)
	},
	"nothing at all": func(t *testing.T, f string) {
		remove(t, f, export.EventsFile, export.SummaryFile, "attendance.csv", "ballots.csv", "report.html", export.SumsFile, export.SignatureFile)
	},
	"zeros": func(t *testing.T, f string) {
		for _, name := range []string{export.EventsFile, export.SummaryFile, export.SumsFile} {
			change(t, f, name, func(b []byte) []byte { return make([]byte, len(b)) })
		}
	},
	"still being written": func(t *testing.T, f string) {
		if err := os.Rename(f, filepath.Join(filepath.Dir(f), ".tmp-"+filepath.Base(f))); err != nil {
			t.Fatal(err)
		}
	},
}

// A copy that does not count is no harm only where the one that counts cannot be shorter.
func TestASpoiledCopyThatMayBeLongerIsDoubt(t *testing.T) {
	key, e := newKey(t), evening(t, 60)
	half, ended, more := cut(e, 40), e, longer(e, 7)
	for name, spoil := range without {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				what          string
				counts, spoil *province.Evening
				doubt         bool
			}{
				{"half an evening counts, the whole one is spoiled", half, ended, true},
				{"the evening counts, the half is spoiled", ended, half, false},
				{"the same copy is spoiled", ended, ended, false},
			} {
				good, bad := t.TempDir(), t.TempDir()
				folder := write(t, c.counts, good, key)
				spoil(t, write(t, c.spoil, bad, key))
				r := collect(t, Options{}, good, bad)
				if len(r.Screenings) != 1 || len(r.Problems) == 0 {
					t.Fatalf("%s: %d screenings, %v", c.what, len(r.Screenings), kinds(r))
				}
				for _, p := range r.Problems {
					if p.Saved == c.doubt || p.Level == Missing || (p.Level == Doubt) != c.doubt {
						t.Errorf("%s: %s %s, saved %t: %s", c.what, p.Level, p.Kind, p.Saved, p.What.EN)
					}
					if c.doubt && (!strings.Contains(p.What.EN, folder) || !strings.Contains(p.What.ID, folder) || !strings.HasPrefix(p.Path, bad)) {
						t.Errorf("%s: not both places are named: %s: %s", c.what, p.Path, p.What.EN)
					}
				}
				if alone := collect(t, Options{}, bad); alone.Bad() == 0 || len(alone.Screenings) != 0 {
					t.Errorf("%s, alone: %d screenings, %v", c.what, len(alone.Screenings), kinds(alone))
				}
			}
		})
	}
	// What can be known of the length is used also where the evening had ended, or had not.
	for _, c := range []struct {
		what           string
		counts, spoilt *province.Evening
		spoil          string
		doubt          bool
	}{
		{"a correction after the end is spoiled", ended, more, "a bit of the journal", true},
		{"a correction after the end is spoiled", ended, more, "a bit of the summary", true},
		{"a correction after the end is spoiled", ended, more, "no checksums", true},
		{"the same half is spoiled", half, half, "a bit of the journal", false},
		{"the same half is spoiled", half, half, "no summary", false},
		{"the same half is spoiled", half, half, "only tables", true},
		{"a shorter half is spoiled", half, cut(e, 80), "no journal", false},
		{"a shorter half is spoiled", half, cut(e, 80), "zeros", true},
	} {
		good, bad := t.TempDir(), t.TempDir()
		write(t, c.counts, good, key)
		without[c.spoil](t, write(t, c.spoilt, bad, key))
		if r := collect(t, Options{}, good, bad); len(r.Screenings) != 1 || (r.Bad() > 0) != c.doubt {
			t.Errorf("%s by %s: %d screenings, %v", c.what, c.spoil, len(r.Screenings), kinds(r))
		}
	}
}

func TestLockedAndUnreadableCopiesMayBeLonger(t *testing.T) {
	key, e, id := newKey(t), evening(t, 61), newIdentity(t)
	for what, c := range map[string]struct {
		counts *province.Evening
		want   string
	}{"half": {cut(e, 40), "doubt"}, "ended": {e, "note"}} {
		good, locked := t.TempDir(), t.TempDir()
		write(t, c.counts, good, key)
		if err := e.Write(t.Context(), locked, export.Options{Key: key, Recipients: []string{id.Recipient().String()}}); err != nil {
			t.Fatal(err)
		}
		expect(t, collect(t, Options{}, good, locked), 1, c.want+" locked")
		r := collect(t, Options{Identities: ids(id)}, good, locked)
		if expect(t, r, 1); r.Screenings[0].People() != people(e) {
			t.Errorf("%s: %d people", what, r.Screenings[0].People())
		}
	}
}

// signed is an evening as an export that somebody signed, or nobody.
type signed struct {
	*province.Evening
	by *export.Key
}

func TestWhoseCopyCounts(t *testing.T) {
	e, kiosk, stranger := evening(t, 62), newKey(t), newKey(t)
	e2, e3 := evening(t, 62+province.Kiosks), evening(t, 62+2*province.Kiosks) // of the same kiosk
	more := longer(e, 500)
	for name, c := range map[string]struct {
		all    []signed
		counts *province.Evening // of e; nil: none
		wants  []string
	}{
		"unsigned continuation":                                   {[]signed{{e, kiosk}, {more, nil}}, e, []string{"doubt signature"}},
		"unsigned continuation of a half":                         {[]signed{{cut(e, 30), kiosk}, {e, nil}}, cut(e, 30), []string{"doubt signature"}},
		"unsigned beginning":                                      {[]signed{{e, kiosk}, {cut(e, 30), nil}}, e, nil},
		"stranger's continuation, other evenings are the kiosk's": {[]signed{{e, kiosk}, {more, stranger}, {e2, kiosk}}, e, []string{"doubt keys", "doubt signature"}},
		"stranger's continuation, nothing else known":             {[]signed{{e, kiosk}, {more, stranger}}, e, []string{"doubt keys", "doubt signature"}},
		"stranger's continuation, and other evenings of both":     {[]signed{{e, kiosk}, {more, stranger}, {e2, kiosk}, {e3, stranger}}, e, []string{"doubt keys", "doubt signature"}},
		"stranger signs all evenings again":                       {[]signed{{e, kiosk}, {e2, kiosk}, {more, stranger}, {e2, stranger}}, e, []string{"doubt keys", "doubt signature"}},
		"stranger's beginning, other evenings are the kiosk's":    {[]signed{{e, kiosk}, {cut(e, 30), stranger}, {e2, kiosk}}, e, []string{"doubt keys"}},
		"new key goes on with the evening and the next ones":      {[]signed{{cut(e, 30), kiosk}, {e, stranger}, {e2, stranger}}, e, []string{"doubt keys"}},
		"unsigned and stranger's":                                 {[]signed{{e, kiosk}, {more, stranger}, {longer(e, 7), nil}, {e2, kiosk}}, e, []string{"doubt keys", "doubt signature", "doubt signature"}},
		"unsigned, other evenings are signed":                     {[]signed{{e, nil}, {e2, kiosk}}, e, []string{"doubt signature"}},
		"unsigned kiosk":                                          {[]signed{{e, nil}, {e2, nil}, {cut(e, 9), nil}}, e, nil},
		"stranger's own history, other evenings are the kiosk's":  {[]signed{{longer(e, 3), kiosk}, {longer(e, 4), stranger}, {e2, kiosk}}, longer(e, 3), []string{"doubt histories", "doubt keys"}},
		"two keys, two histories":                                 {[]signed{{longer(e, 3), kiosk}, {longer(e, 4), stranger}}, nil, []string{"missing histories"}},
	} {
		t.Run(name, func(t *testing.T) {
			var sticks []string
			for _, s := range c.all {
				stick := t.TempDir()
				write(t, s.Evening, stick, s.by)
				sticks = append(sticks, stick)
			}
			for range 2 { // whatever the order
				r := collect(t, Options{}, sticks...)
				wants := slices.Sorted(slices.Values(c.wants))
				if got := kinds(r); !slices.Equal(got, wants) {
					t.Errorf("problems %v, want %v", got, wants)
					for _, p := range r.Problems {
						t.Logf("%s: %s", p.Path, p.What.EN)
					}
				}
				i := slices.IndexFunc(r.Screenings, func(s *Screening) bool { return s.ID == e.ID })
				switch {
				case c.counts == nil && i >= 0, c.counts != nil && i < 0:
					t.Errorf("it counts: %t", i >= 0)
				case i >= 0 && r.Screenings[i].LastEvent != c.counts.Journal[len(c.counts.Journal)-1].Seq:
					t.Errorf("counts to event %d, want %d", r.Screenings[i].LastEvent, c.counts.Journal[len(c.counts.Journal)-1].Seq)
				}
				slices.Reverse(sticks)
			}
		})
	}
}

func TestListOfKeys(t *testing.T) {
	e, e2, other := evening(t, 63), evening(t, 63+province.Kiosks), evening(t, 64)
	one, two := newKey(t), newKey(t)
	stick := t.TempDir()
	write(t, cut(e, 30), stick, one)
	write(t, other, stick, nil)
	second := t.TempDir()
	write(t, e, second, two)
	write(t, e2, second, two)
	list := func(keys ...*export.Key) Options {
		opts := Options{Keys: map[string][]string{}}
		for _, k := range keys {
			opts.Keys[e.Kiosk] = append(opts.Keys[e.Kiosk], k.Public())
		}
		return opts
	}
	r := collect(t, list(one), stick, second)
	expect(t, r, 1, "missing signature", "missing signature", "missing unlisted")
	for _, p := range r.Problems {
		if p.Kind == Unlisted && (!strings.Contains(p.What.EN, other.Kiosk) || !strings.Contains(p.What.ID, other.Kiosk)) {
			t.Errorf("the kiosk is not named: %s", p.What.EN)
		}
	}
	if len(r.Kiosks) != 1 || r.Kiosks[0].ID != e.Kiosk {
		t.Errorf("kiosks that count: %v", r.Kiosks)
	}
	// A kiosk whose key was made anew has two.
	r = collect(t, list(one, two), stick, second)
	expect(t, r, 2, "missing unlisted")
	if r.Screenings[0].ID != e.ID || r.Screenings[0].People() != people(e) {
		t.Error("the half counts though both keys are the kiosk's")
	}
	expect(t, collect(t, Options{Keys: map[string][]string{}}, stick), 0, "missing unlisted", "missing unlisted")
}

func TestFilesOfAScreeningsFolder(t *testing.T) {
	key, id := newKey(t), newIdentity(t)
	put := func(name string) func(t *testing.T, folder string) {
		return func(t *testing.T, folder string) {
			if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, c := range map[string]struct {
		do     func(t *testing.T, folder string)
		sealed bool
		name   string // that is named; "" when nothing is
	}{
		"a number in a table": {func(t *testing.T, f string) { change(t, f, "attendance.csv", flip) }, false, "attendance.csv is damaged or was changed"},
		"ballots gone":        {func(t *testing.T, f string) { remove(t, f, "ballots.csv") }, false, "ballots.csv is missing"},
		"another report":      {func(t *testing.T, f string) { change(t, f, "report.html", func([]byte) []byte { return []byte("x") }) }, false, "report.html is damaged or was changed"},
		"a table more":        {put("hasil.csv"), false, "Not from the kiosk (not in SHA256SUMS): hasil.csv"},
		"hidden":              {put(".report.html"), false, ".report.html"},
		"a folder more": {func(t *testing.T, f string) {
			if err := os.Mkdir(filepath.Join(f, "lama"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, false, "lama"},
		"Thumbs.db":                   {put("Thumbs.db"), false, ""},
		"desktop.ini":                 {put("desktop.ini"), false, ""},
		"DS_Store":                    {put(".DS_Store"), false, ""},
		"macOS":                       {put("._report.html"), false, ""},
		"LibreOffice":                 {put(".~lock.attendance.csv#"), false, ""},
		"locked: a file more":         {put("report.html"), true, "report.html"},
		"locked: note changed":        {func(t *testing.T, f string) { change(t, f, export.SealFile, flip) }, true, export.SealFile + " is damaged or was changed"},
		"locked: note gone":           {func(t *testing.T, f string) { remove(t, f, export.SealFile) }, true, export.SealFile + " is missing"},
		"locked: checksums gone":      {func(t *testing.T, f string) { remove(t, f, export.SumsFile) }, true, export.SumsFile + " is missing"},
		"locked: signature gone":      {func(t *testing.T, f string) { remove(t, f, export.SignatureFile) }, true, export.SignatureFile + " is missing"},
		"locked: signature of others": {func(t *testing.T, f string) { change(t, f, export.SignatureFile, flip) }, true, export.SignatureFile + " is damaged or was changed"},
		"locked: nothing":             {func(*testing.T, string) {}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			stick, e := t.TempDir(), evening(t, 65)
			opts := export.Options{Key: key}
			if c.sealed {
				opts.Recipients = []string{id.Recipient().String()}
			}
			if err := e.Write(t.Context(), stick, opts); err != nil {
				t.Fatal(err)
			}
			found, err := filepath.Glob(filepath.Join(stick, "mimpi-kiosk", e.Kiosk, "*_"+e.ID))
			if err != nil || len(found) != 1 {
				t.Fatal(found, err)
			}
			c.do(t, found[0])
			r := collect(t, Options{Identities: ids(id)}, stick)
			if c.name == "" {
				expect(t, r, 1)
				return
			}
			expect(t, r, 1, "doubt checksum")
			if r.Screenings[0].People() != people(e) || r.Bad() != 1 {
				t.Errorf("%d people, %d problems", r.Screenings[0].People(), r.Bad())
			}
			if p := r.Problems[0]; p.Path != found[0] || !strings.Contains(p.What.EN, c.name) {
				t.Errorf("%s: %s, want %q", p.Path, p.What.EN, c.name)
			}
		})
	}
}

func TestFoldersWithoutTheirJournal(t *testing.T) {
	for folder, c := range map[string]struct {
		files []string
		want  string // kind; "" when it is nobody's
	}{
		"mimpi-kiosk/k/2026-11-24_Balai_s-1":                                  {nil, "unfinished"},
		"mimpi-kiosk/k/2026-11-24_Balai_0198d0c2-7c2e-7a55-9c1e-2f8e4d469d0b": {[]string{"attendance.csv"}, "unfinished"},
		"kiriman/2026-11-24_Balai_s-1":                                        {nil, "unfinished"},
		"kiriman/2026-11-24_Balai_s-1 - Salinan":                              {[]string{"attendance.csv", "ballots.csv"}, "unfinished"},
		"kiriman/baru":                                                        {[]string{"attendance.csv", "ballots.csv"}, "unfinished"},
		"mimpi-kiosk/k":                                                       {[]string{"minisign.pub"}, "unfinished"},
		"foto/2026-11-24_panen_jagung":                                        {[]string{"1.jpg"}, ""},
		"hasil":                                                               {[]string{"attendance.csv", "sessions.csv"}, ""},
		"mimpi-kiosk/packs/mimpi-beta":                                        {[]string{"pack.toml"}, ""},
		"__MACOSX/mimpi-kiosk/k/2026-11-24_x_s-1":                             {[]string{"._events.jsonl"}, ""},
	} {
		t.Run(folder, func(t *testing.T) {
			stick := t.TempDir()
			write(t, evening(t, 66), stick, nil)
			var packed bytes.Buffer
			z := zip.NewWriter(&packed)
			if err := os.MkdirAll(filepath.Join(stick, folder), 0o755); err != nil {
				t.Fatal(err)
			}
			if _, err := z.Create(folder + "/"); err != nil {
				t.Fatal(err)
			}
			for _, name := range c.files {
				if err := os.WriteFile(filepath.Join(stick, folder, name), []byte("x"), 0o644); err != nil {
					t.Fatal(err)
				}
				if _, err := z.Create(folder + "/" + name); err != nil {
					t.Fatal(err)
				}
			}
			if err := z.Close(); err != nil {
				t.Fatal(err)
			}
			zipped := filepath.Join(t.TempDir(), "kiriman.zip")
			if err := os.WriteFile(zipped, packed.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				expect(t, collect(t, Options{}, stick), 1)
				expect(t, collect(t, Options{}, zipped), 0, "note nothing")
				expect(t, collect(t, Options{}, stick, filepath.Dir(zipped)), 1, "note nothing")
				return
			}
			expect(t, collect(t, Options{}, stick), 1, "missing "+c.want)
			expect(t, collect(t, Options{}, zipped), 0, "missing "+c.want)
			expect(t, collect(t, Options{}, filepath.Dir(zipped)), 0, "missing "+c.want)
			if r := collect(t, Options{}, filepath.Join(stick, folder)); r.Bad() != 1 {
				t.Errorf("named itself: %v", kinds(r))
			}
		})
	}
}

// Nothing on a stick keeps the rest of it from being looked at.
func TestDeepAndFullFoldersStopNothing(t *testing.T) {
	stick := t.TempDir()
	for i := range 3 {
		if err := os.MkdirAll(filepath.Join(stick, fmt.Sprint("a", i), strings.Repeat("d/", 20)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, evening(t, 67), stick, nil)
	write(t, evening(t, 68), filepath.Join(stick, "z"), nil)
	r := collect(t, Options{}, stick)
	expect(t, r, 2, "missing too_much", "missing too_much", "missing too_much")
	for i, p := range r.Problems {
		if want := filepath.Join(stick, fmt.Sprint("a", i)); !strings.HasPrefix(p.Path, want) {
			t.Errorf("named %s, want %s", p.Path, want)
		}
	}
}

func TestFolderWithMoreFilesThanTheBound(t *testing.T) {
	var packed bytes.Buffer // quicker than a disk
	z := zip.NewWriter(&packed)
	for i := range mostInOne + 10 {
		if _, err := z.CreateHeader(&zip.FileHeader{Name: fmt.Sprintf("a/%06d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	e := evening(t, 69)
	dir, files, err := export.Files(t.Context(), e, e.ID, export.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		w, err := z.Create("z/" + dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "stik.zip")
	if err := os.WriteFile(name, packed.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, collect(t, Options{}, name), 1, "missing too_much")
}

func TestZipsOfWindowsAndInZips(t *testing.T) {
	e, key := evening(t, 70), newKey(t)
	dir, files, err := export.Files(t.Context(), e, e.ID, export.Options{Key: key})
	if err != nil {
		t.Fatal(err)
	}
	pack := func(put func(z *zip.Writer)) []byte {
		var out bytes.Buffer
		z := zip.NewWriter(&out)
		put(z)
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	add := func(z *zip.Writer, name string, content []byte) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
	}
	backslashes := pack(func(z *zip.Writer) {
		for _, folder := range []string{`mimpi-kiosk\`, `mimpi-kiosk\` + e.Kiosk + `\`, strings.ReplaceAll(dir, "/", `\`) + `\`} {
			add(z, folder, nil)
		}
		for name, content := range files {
			add(z, strings.ReplaceAll(dir, "/", `\`)+`\`+name, content)
		}
	})
	plain := zipped(t, e, nil)
	for name, c := range map[string]struct {
		content    []byte
		screenings int
		wants      []string
	}{
		"backslashes":     {backslashes, 1, nil},
		"export in a zip": {pack(func(z *zip.Writer) { add(z, "kiriman.zip", plain) }), 0, []string{"missing nested"}},
		"folder beside a zip": {pack(func(z *zip.Writer) {
			add(z, "x/kiriman.ZIP", backslashes)
			add(z, dir+"/"+export.EventsFile, files[export.EventsFile])
		}), 0, []string{"missing nested", "missing unreadable"}},
		"somebody's zip in a zip": {pack(func(z *zip.Writer) { add(z, "foto.zip", pack(func(z *zip.Writer) { add(z, "1.jpg", []byte("x")) })) }), 0, []string{"note nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			file := filepath.Join(folder, "stik.zip")
			if err := os.WriteFile(file, c.content, 0o644); err != nil {
				t.Fatal(err)
			}
			expect(t, collect(t, Options{}, file), c.screenings, c.wants...)
			expect(t, collect(t, Options{}, folder), c.screenings, c.wants...)
		})
	}
	// A damaged zip is ours when the names of an export stand in it, whatever it is called.
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "dari Ibu Maria.zip"), plain[:len(plain)-40], 0o644); err != nil {
		t.Fatal(err)
	}
	expect(t, collect(t, Options{}, folder), 0, "missing unreadable")
}

// What summary.json says of where and when is compared with the journal too.
func TestForgedDetails(t *testing.T) {
	for _, c := range [][2]string{
		{`"kiosk": "kiosk-22"`, `"kiosk": "kiosk-99"`},
		{`"programme": "`, `"programme": "x`},
		{`"regency": "`, `"regency": "x`},
		{`"kodeBps": "`, `"kodeBps": "9`},
		{`"audience": "`, `"audience": "x`},
		{`"label": "`, `"label": "x`},
		{`"heldAt": "2026`, `"heldAt": "2025`},
		{`"startedAt": "2026`, `"startedAt": "x`},
		{`"endedAt": "2026`, `"endedAt": "x`},
	} {
		stick, e := t.TempDir(), evening(t, 71)
		folder := write(t, e, stick, nil)
		var old, changed []byte
		change(t, folder, export.SummaryFile, func(b []byte) []byte {
			old = b
			changed = bytes.Replace(b, []byte(c[0]), []byte(c[1]), 1)
			return changed
		})
		if bytes.Equal(old, changed) {
			t.Fatalf("%s is not in the summary:\n%s", c[0], old)
		}
		change(t, folder, export.SumsFile, func(b []byte) []byte {
			return bytes.Replace(b, []byte(hexSum(old)), []byte(hexSum(changed)), 1)
		})
		expect(t, collect(t, Options{}, stick), 0, "missing figures")
	}
}
