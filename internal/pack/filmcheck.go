package pack

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mimpi-kiosk/internal/screening"
)

// Level says how bad a finding is.
type Level string

const (
	LevelOK      Level = "ok"      // go ahead
	LevelNote    Level = "note"    // it may be played; somebody should look first
	LevelProblem Level = "problem" // it will not play, or not to its end
)

// FilmReport is what is known of a film file without decoding it.
type FilmReport struct {
	Level    Level
	Message  screening.Text // one sentence for the facilitator, in "id" and "en"
	Hint     screening.Text // what to do or to know; nil when there is nothing to say
	Convert  string         // a command that makes a film that plays; "" when it would not help
	Size     int64          // bytes
	Duration time.Duration  // 0 when unknown
	Video    string         // codec as four characters: "avc1"; "" when unknown
	Audio    string         // likewise: "mp4a"; "" when unknown or silent
	Width    int            // picture in pixels; 0 when unknown
	Height   int
}

// CheckFilm looks at a film file before anybody sits down: whether it is there,
// whether it is a film, whether it is whole, and whether browsers know its codecs.
// It reads the index of the file only, so it takes milliseconds, and it does not
// see damage inside the pictures themselves.
func CheckFilm(path string) FilmReport {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return problem(
			fmt.Sprintf("Berkas film %s tidak ada.", filepath.Base(path)),
			fmt.Sprintf("The film file %s is not there.", filepath.Base(path)),
			fmt.Sprintf("Salin filmnya ke %s.", path), fmt.Sprintf("Copy the film to %s.", path))
	}
	if err != nil {
		return unreadable(err)
	}
	defer file.Close() // read only: nothing to lose
	info, err := file.Stat()
	switch {
	case err != nil:
		return unreadable(err)
	case !info.Mode().IsRegular():
		return problem("Film ini sebuah folder, bukan berkas.", "The film is a folder, not a file.",
			"Tulis nama berkas film di film.toml.", "Write the name of the film file in film.toml.")
	}
	report := inspect(file, info.Size(), filepath.Base(path))
	report.Size = info.Size()
	return report
}

// inspect is CheckFilm on any bytes.
func inspect(r io.ReaderAt, size int64, name string) FilmReport {
	if size == 0 {
		return problem("Berkas film kosong (0 byte).", "The film file is empty (0 bytes).", copyAgainID, copyAgainEN)
	}
	head := make([]byte, min(size, 256))
	if _, err := io.ReadFull(io.NewSectionReader(r, 0, size), head); err != nil {
		return unreadable(err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")):
		return webm(head, name)
	case isOtherVideo(head):
		return needsConverting("Film ini dalam bentuk lama yang tidak bisa diputar.",
			"This film is in an old form that cannot be played.", name, convertAll)
	case len(head) < 8 || !firstBoxes[string(head[4:8])]:
		return problem("Berkas ini bukan film, atau rusak sejak awalnya.", "This file is not a film, or it is damaged from its beginning on.",
			copyAgainID, copyAgainEN)
	}
	f, err := readMP4(r, size)
	if err != nil && !errors.Is(err, errBroken) {
		return unreadable(err)
	}
	report := f.judge(size, name, err)
	report.Duration, report.Video, report.Audio = f.duration, f.video, f.audio
	report.Width, report.Height = f.width, f.height
	return report
}

// judge turns what stands in an MP4 or MOV file into a report.
func (f mp4Film) judge(size int64, name string, broken error) FilmReport {
	switch {
	case f.needs > size:
		return problem(
			fmt.Sprintf("Film terpotong: hanya %d%% dari berkasnya ada.", percent(size, f.needs)),
			fmt.Sprintf("The film is cut short: only %d%% of its file is here.", percent(size, f.needs)),
			copyAgainID, copyAgainEN)
	case !f.hasMoov:
		return problem("Film tidak punya daftar isi (moov): perekaman atau penyalinan tidak selesai.",
			"The film has no index (moov): recording or copying was not finished.", copyAgainID, copyAgainEN)
	case broken != nil:
		return problem("Daftar isi film rusak.", "The index of the film is damaged.", copyAgainID, copyAgainEN)
	case f.video == "":
		return problem("Berkas ini tidak punya gambar bergerak.", "There is no moving picture in this file.",
			"Periksa apakah ini berkas yang benar.", "Check that this is the right file.")
	case !f.hasSamples:
		return problem("Film ini kosong: tidak ada satu gambar pun di dalamnya.", "The film is empty: there is not one picture in it.",
			copyAgainID, copyAgainEN)
	case !playsVideo[f.video]:
		return needsConverting(
			fmt.Sprintf("Gambar film ini memakai codec %q yang tidak bisa diputar.", f.video),
			fmt.Sprintf("The picture of this film uses the codec %q, which cannot be played.", f.video), name, convertAll)
	case f.audio != "" && !playsAudio[f.audio]:
		return needsConverting(
			fmt.Sprintf("Suara film ini memakai codec %q yang tidak bisa diputar.", f.audio),
			fmt.Sprintf("The sound of this film uses the codec %q, which cannot be played.", f.audio), name, convertSound)
	case f.video == "hvc1" || f.video == "hev1":
		return needsTrying("Film ini memakai HEVC, yang tidak bisa diputar di banyak komputer.",
			"This film uses HEVC, which many computers cannot play.", name)
	case f.width > 1920 || f.height > 1920:
		return needsTrying(fmt.Sprintf("Gambar film ini besar sekali (%dx%d) dan bisa tersendat.", f.width, f.height),
			fmt.Sprintf("The picture of this film is very large (%dx%d) and may stutter.", f.width, f.height), name)
	case f.profile == 110 || f.profile == 122 || f.profile == 244:
		return needsTrying("Film ini memakai warna 10 bit atau 4:2:2, yang tidak dikenal perangkat keras Raspberry Pi.",
			"This film has colours of 10 bits or 4:2:2, which the hardware of a Raspberry Pi does not know.", name)
	case f.fast > 0:
		r := needsTrying(fmt.Sprintf("Jumlah gambar per detik film ini berubah-ubah (%.3g sampai %.3g): gambar bisa tersendat dan suara bisa lari.", f.slow, f.fast),
			fmt.Sprintf("The picture rate of this film varies (%.3g to %.3g a second): it may stutter, and its sound may run away from the lips.", f.slow, f.fast), name)
		return r.evenly()
	case f.audio == "":
		return FilmReport{Level: LevelNote,
			Message: screening.Text{"id": "Film ini tidak punya suara.", "en": "This film has no sound."},
			Hint: screening.Text{"id": "Kalau seharusnya bersuara, salin lagi dari sumbernya.",
				"en": "If it should have sound, copy it again from its source."}}
	}
	ok := FilmReport{Level: LevelOK, Message: screening.Text{
		"id": fmt.Sprintf("Film siap (%s).", clock(f.duration)), "en": fmt.Sprintf("The film is ready (%s).", clock(f.duration)),
	}}
	if f.duration == 0 {
		ok.Message = screening.Text{"id": "Film siap; lamanya tidak diketahui.", "en": "The film is ready; its length is not known."}
	}
	switch {
	case f.apart > farApart:
		command := convert(name, convertAll)
		ok.Hint = screening.Text{
			"id": fmt.Sprintf("Gambar utuhnya (keyframe) sampai %.0f detik terpisah: sesudah gangguan atau lompatan, film lama kembali di Raspberry Pi. Kalau mau lebih cepat, ubah di komputer dengan perintah: %s", f.apart.Seconds(), command),
			"en": fmt.Sprintf("Its whole pictures (keyframes) are up to %.0f s apart: after a fault or a jump the film takes long to return on a Raspberry Pi. To make it quicker, convert it on a computer with: %s", f.apart.Seconds(), command),
		}
	case f.moovLast:
		ok.Hint = screening.Text{
			"id": "Daftar isinya ada di akhir berkas. Dari kios ini tidak apa-apa.",
			"en": "Its index is at the end of the file. From this kiosk that does no harm.",
		}
	}
	return ok
}

// firstBoxes are the boxes that an MP4 or MOV file begins with.
var firstBoxes = map[string]bool{
	"ftyp": true, "moov": true, "mdat": true, "free": true, "skip": true, "wide": true, "pnot": true, "styp": true,
}

// Codecs that Chromium plays, as they are named in MP4 and MOV files.
var (
	playsVideo = map[string]bool{
		"avc1": true, "avc3": true, "hev1": true, "hvc1": true, "av01": true, "vp08": true, "vp09": true,
	}
	playsAudio = map[string]bool{"mp4a": true, "Opus": true, "fLaC": true, ".mp3": true}
)

// isOtherVideo recognises AVI, MPEG program and transport streams, WMV and FLV.
func isOtherVideo(head []byte) bool {
	const packet = 188 // bytes of a transport stream, each beginning with 'G'
	return bytes.HasPrefix(head, []byte("RIFF")) && bytes.Contains(head, []byte("AVI ")) ||
		bytes.HasPrefix(head, []byte("\x00\x00\x01\xba")) ||
		len(head) > packet && head[0] == 'G' && head[packet] == 'G' ||
		bytes.HasPrefix(head, []byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11")) ||
		bytes.HasPrefix(head, []byte("FLV\x01"))
}

// webm reports on a Matroska file, of which WebM is a kind.
func webm(head []byte, name string) FilmReport {
	if bytes.Contains(head, []byte("webm")) {
		return needsTrying("Film WebM: keutuhannya tidak bisa diperiksa di sini.",
			"A WebM film: whether it is whole cannot be checked here.", name)
	}
	return needsTrying("Film Matroska (MKV): keutuhannya tidak bisa diperiksa di sini, dan tidak semua peramban memutarnya.",
		"A Matroska film (MKV): whether it is whole cannot be checked here, and not every browser plays it.", name)
}

// farApart is how far keyframes may be apart. What plays a film from a point on has to go
// through all pictures from the keyframe before it, and a Raspberry Pi 3 is sold as one that
// does 30 a second of 1920x1080.
const farApart = 3 * time.Second

const (
	copyAgainID = "Salin lagi film dari sumbernya, tunggu sampai selesai, lalu putar sampai akhir."
	copyAgainEN = "Copy the film again from its source, wait until that is done, then play it to its end."

	// H.264 in 4:2:0 of at most 1920x1080 with AAC stereo plays everywhere, a
	// Raspberry Pi included; faststart puts the index first. A keyframe every two seconds
	// lets the film return quickly.
	convertAll = `-c:v libx264 -preset medium -crf 20 -pix_fmt yuv420p -force_key_frames "expr:gte(t,n_forced*2)" ` +
		`-vf "scale='min(1920,iw)':'min(1080,ih)':force_original_aspect_ratio=decrease:force_divisible_by=2" ` +
		`-c:a aac -b:a 160k -ac 2 -movflags +faststart`
	convertSound = `-c:v copy -c:a aac -b:a 160k -ac 2 -movflags +faststart`
)

// convert gives the ffmpeg command line that makes a film that plays.
func convert(name, how string) string {
	return fmt.Sprintf(`ffmpeg -i "%s" %s "%s-kiosk.mp4"`, name, how, strings.TrimSuffix(name, filepath.Ext(name)))
}

func needsConverting(id, en, name, how string) FilmReport {
	command := convert(name, how)
	r := problem(id, en, "Ubah film di komputer dengan perintah: "+command, "Convert the film on a computer with: "+command)
	r.Convert = command
	return r
}

func needsTrying(id, en, name string) FilmReport {
	command := convert(name, convertAll)
	return FilmReport{
		Level:   LevelNote,
		Message: screening.Text{"id": id, "en": en},
		Hint: screening.Text{
			"id": "Putar film sampai akhir di kios ini dulu. Kalau tidak lancar, ubah di komputer dengan perintah: " + command,
			"en": "Play the film to its end on this kiosk first. If it does not run well, convert it on a computer with: " + command,
		},
		Convert: command,
	}
}

// ConvertCommand gives the command that makes a film of this name that plays, also for one
// that seems to play already.
func (r FilmReport) ConvertCommand(path string) string {
	if r.Convert != "" {
		return r.Convert
	}
	return convert(filepath.Base(path), convertAll)
}

// evenly has the command make a film of 25 pictures a second.
func (r FilmReport) evenly() FilmReport {
	command := r.Convert
	r.Convert = strings.Replace(command, `-vf "`, `-vf "fps=25,`, 1)
	for lang, s := range r.Hint {
		r.Hint[lang] = strings.Replace(s, command, r.Convert, 1)
	}
	return r
}

func problem(id, en, hintID, hintEN string) FilmReport {
	return FilmReport{
		Level:   LevelProblem,
		Message: screening.Text{"id": id, "en": en},
		Hint:    screening.Text{"id": hintID, "en": hintEN},
	}
}

func unreadable(err error) FilmReport {
	return problem(fmt.Sprintf("Berkas film tidak bisa dibaca (%v).", err), fmt.Sprintf("The film file cannot be read (%v).", err),
		"Periksa kartu atau stik USB, lalu salin lagi filmnya.", "Check the card or USB stick, then copy the film again.")
}

// percent gives how much of a file is there, 0 to 99.
func percent(have, want int64) int64 { return min(int64(float64(have)/float64(want)*100), 99) }

// clock writes a length as people read it: "1:02:03" or "2:03".
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
