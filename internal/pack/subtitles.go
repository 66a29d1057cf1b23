package pack

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

var cueForm = regexp.MustCompile(`^(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})[ \t]+-->[ \t]+(?:(\d{2,}):)?([0-5]\d):([0-5]\d)\.(\d{3})(?:[ \t].*)?$`)

// checkSubtitles looks at a WebVTT file: its first line, and the times of every cue.
func checkSubtitles(name string, data []byte, m *mistakes) {
	if n := firstNotUTF8(data); n > 0 || !bytes.HasPrefix(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), []byte("WEBVTT")) {
		m.add(name, max(n, 1), "Ini bukan berkas WebVTT dalam UTF-8. Baris pertama harus WEBVTT; ubah berkas SRT menjadi VTT dulu.",
			"This is not a WebVTT file in UTF-8. Its first line must be WEBVTT; convert an SRT file to VTT first.")
		return
	}
	cues := 0
	for n, line := range strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n") {
		if !strings.Contains(line, "-->") {
			continue
		}
		cues++
		t := cueForm.FindStringSubmatch(line)
		switch {
		case t == nil:
			m.add(name, n+1, "Waktu %q salah. Tulis jam:menit:detik.seperseribu dengan titik, misalnya 00:01:02.500 --> 00:01:05.000",
				"The times %q are wrong. Write hours:minutes:seconds.thousandths with a dot, such as 00:01:02.500 --> 00:01:05.000", line)
			return // the rest is likely to be the same
		case seconds(t[5:9]) <= seconds(t[1:5]):
			m.add(name, n+1, "Teks ini berakhir sebelum mulai. Perbaiki waktunya.", "This text ends before it begins. Put its times right.")
		}
	}
	if cues == 0 {
		m.add(name, 1, "Berkas teks film ini kosong. Isi, atau hapus [[subtitles]]-nya di film.toml.", "This subtitle file is empty. Fill it in, or delete its [[subtitles]] in film.toml.")
	}
}

// seconds gives hours, minutes, seconds and thousandths as seconds.
func seconds(t []string) float64 {
	sum, unit := 0.0, 3600.0
	for _, s := range t[:3] {
		n, _ := strconv.Atoi(s) // hours may be left out
		sum += float64(n) * unit
		unit /= 60
	}
	n, _ := strconv.Atoi(t[3])
	return sum + float64(n)/1000
}
