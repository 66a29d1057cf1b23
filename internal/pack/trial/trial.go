// Package trial decodes a film from its beginning to its end on this very machine, as fast
// as it can and with nobody watching: what the decoder complains of would be seen in the
// village, and what is slow here would stutter there.
//
// It runs mpv, which plays the film on the box, or ffmpeg where there is no mpv, and waits
// until it has ended. It starts no goroutine that outlives a call and changes nothing.
package trial

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"mimpi-kiosk/internal/pack"
	"mimpi-kiosk/internal/screening"
)

// Film is what is to be decoded.
type Film struct {
	File     string
	HWDec    string        // mpv's --hwdec; "" is "no"
	Duration time.Duration // 0 when unknown: then nothing is said of speed
	Convert  string        // the command that makes a film that plays
}

// How many seconds of film a second must decode. Showing costs as much again on a Pi, and
// the kiosk has other things to do.
const (
	smooth = 2.0
	enough = 1.2
)

// ErrNoDecoder says that neither mpv nor ffmpeg is installed.
var ErrNoDecoder = errors.New("neither mpv nor ffmpeg is installed; run: sudo apt install mpv")

// Decode decodes the whole film and judges it. It takes about a third of the film's length
// on a Raspberry Pi 4; the context ends it earlier. The error says that nothing could be
// tried.
func Decode(ctx context.Context, f Film) (pack.FilmReport, error) {
	cmd, err := command(ctx, f)
	if err != nil {
		return pack.FilmReport{}, err
	}
	var said head
	cmd.Stdout, cmd.Stderr, cmd.WaitDelay = &said, &said, 5*time.Second
	begin := time.Now()
	err = cmd.Run()
	took := time.Since(begin)
	if ctx.Err() != nil {
		return pack.FilmReport{}, ctx.Err()
	}
	return judge(f, said.lines(), err, took), nil
}

func command(ctx context.Context, f Film) (*exec.Cmd, error) {
	if mpv, err := exec.LookPath("mpv"); err == nil {
		hwdec := f.HWDec
		if hwdec == "" {
			hwdec = "no"
		}
		return exec.CommandContext(ctx, mpv, "--no-config", "--load-scripts=no", "--input-terminal=no", "--input-default-bindings=no",
			"--vo=null", "--ao=null", "--ao-null-untimed=yes", "--untimed", "--no-audio-display", "--sid=no", "--hwdec="+hwdec,
			"--msg-level=all=error", "--", f.File), nil
	}
	if ffmpeg, err := exec.LookPath("ffmpeg"); err == nil {
		return exec.CommandContext(ctx, ffmpeg, "-nostdin", "-v", "error", "-i", f.File, "-map", "0:v:0", "-map", "0:a:0?", "-f", "null", "-"), nil
	}
	return nil, ErrNoDecoder
}

// judge turns what the decoder said into a report.
func judge(f Film, said []string, failed error, took time.Duration) pack.FilmReport {
	hint := func(id, en string) screening.Text {
		if f.Convert == "" {
			return screening.Text{"id": id, "en": en}
		}
		return screening.Text{"id": id + " Atau ubah di komputer dengan perintah: " + f.Convert, "en": en + " Or convert it on a computer with: " + f.Convert}
	}
	speed := f.Duration.Seconds() / took.Seconds()
	r := pack.FilmReport{Convert: f.Convert}
	switch {
	case len(said) > 0:
		r.Level = pack.LevelProblem
		r.Message = screening.Text{
			"id": fmt.Sprintf("Film rusak: pemutar mengeluh %d kali, pertama %q.", len(said), said[0]),
			"en": fmt.Sprintf("The film is damaged: the decoder complained %d times, first %q.", len(said), said[0]),
		}
		r.Hint = hint("Salin lagi film dari sumbernya.", "Copy the film again from its source.")
	case failed != nil:
		r.Level = pack.LevelProblem
		r.Message = screening.Text{"id": fmt.Sprintf("Film tidak bisa diputar (%v).", failed), "en": fmt.Sprintf("The film cannot be played (%v).", failed)}
		r.Hint = hint("Salin lagi film dari sumbernya.", "Copy the film again from its source.")
	case f.Duration > 0 && speed < enough:
		r.Level = pack.LevelProblem
		r.Message = screening.Text{
			"id": fmt.Sprintf("Film terlalu berat untuk kotak ini: satu detik hanya cukup untuk %.1f detik film.", speed),
			"en": fmt.Sprintf("The film is too heavy for this box: a second decodes only %.1f seconds of it.", speed),
		}
		r.Hint = hint("Pakai film yang lebih kecil (1080p, 25 gambar per detik).", "Use a smaller film (1080p, 25 pictures a second).")
	case f.Duration > 0 && speed < smooth:
		r.Level = pack.LevelNote
		r.Message = screening.Text{
			"id": fmt.Sprintf("Film agak berat untuk kotak ini: satu detik cukup untuk %.1f detik film. Mungkin tersendat.", speed),
			"en": fmt.Sprintf("The film is rather heavy for this box: a second decodes %.1f seconds of it. It may stutter.", speed),
		}
		r.Hint = hint("Putar sampai akhir di kotak ini dulu.", "Play it to its end on this box first.")
	default:
		r = pack.FilmReport{Level: pack.LevelOK, Message: screening.Text{
			"id": fmt.Sprintf("Film lancar di kotak ini sampai akhir (%.1f kali lebih cepat dari yang perlu).", speed),
			"en": fmt.Sprintf("The film decodes smoothly on this box to its end (%.1f times as fast as needed).", speed),
		}}
	}
	return r
}

// head keeps the beginning of what is written to it.
type head struct {
	buf  bytes.Buffer
	more int // lines that were not kept
}

const kept = 64 << 10

func (t *head) Write(p []byte) (int, error) {
	room := max(0, kept-t.buf.Len())
	t.buf.Write(p[:min(len(p), room)])
	t.more += bytes.Count(p[min(len(p), room):], []byte("\n"))
	return len(p), nil
}

// lines gives what was said.
func (t *head) lines() []string {
	var out []string
	for line := range strings.SplitSeq(t.buf.String(), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	for range t.more {
		out = append(out, "...")
	}
	return out
}
