package voice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"mimpi-kiosk/internal/screening"
)

// State is how a recording made on this kiosk stands to its text.
type State string

// The states of a recording.
const (
	None     State = ""
	Current  State = "current"
	Outdated State = "outdated" // the text has changed since it was recorded
	FromPack State = "pack"     // it came with the pack
)

// State says whether a text is recorded in a language.
func (v *Voices) State(lang, key string, text screening.Text) State {
	if !ValidName(lang, key) {
		return None
	}
	s := v.state(lang, key, text)
	if s != Current && v.options.Recorded != nil {
		if _, ok := v.options.Recorded(lang, key); ok {
			return FromPack
		}
	}
	return s
}

// ErrNoText is what Keep gives for a language or text that cannot be recorded.
var ErrNoText = errors.New("there is no such text to record")

// ErrNoSound is what Keep gives for a recording in which nothing can be heard.
var ErrNoSound = errors.New("nothing can be heard in this recording")

const (
	mostBytes   = 20 << 20 // of a recording, as it comes
	mostSeconds = 60       // of it are kept
	leastSound  = 300 * time.Millisecond
	converting  = 2 * time.Minute // on the slowest board
)

// Keep takes a recording of a text in whatever form a phone or a browser makes it. It is
// brought to one form and one loudness (mpv does both), and replaces an earlier one only
// when it is whole on the disk. The error is ErrNoSound, ctx's, or says what went wrong.
func (v *Voices) Keep(ctx context.Context, lang, key string, text screening.Text, sound io.Reader) error {
	if !ValidName(lang, key) || sentenceFor(lang, text) == "" {
		return fmt.Errorf("%w: %q in %q", ErrNoText, key, lang)
	}
	dir := filepath.Join(v.options.Dir, lang)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	work, err := os.MkdirTemp(v.options.Dir, ".recording-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work) // what is left of it harms nobody
	came := filepath.Join(work, "came")
	if err := save(came, io.LimitReader(sound, mostBytes)); err != nil {
		return err
	}
	made, err := v.convert(ctx, came, filepath.Join(work, "made.ogg"))
	if err != nil {
		return err
	}
	// First the sentence goes, last it comes: a power cut in between leaves a recording
	// without its sentence, which counts as none.
	if err := os.Remove(v.saidFile(lang, key)); err != nil && !isGone(err) {
		return err
	}
	if err := writeDurably(v.own(lang, key), made); err != nil {
		return err
	}
	return writeDurably(v.saidFile(lang, key), []byte(sentenceFor(lang, text)))
}

// Forget takes back a recording made here.
func (v *Voices) Forget(lang, key string) error {
	if !ValidName(lang, key) {
		return nil
	}
	for _, file := range []string{v.saidFile(lang, key), v.own(lang, key)} {
		if err := os.Remove(file); err != nil && !isGone(err) {
			return err
		}
	}
	return nil
}

// Recordings lists the files of the recordings made here, relative to Dir, as a pack has
// them in its folder audio: LANG/KEY.ogg and LANG/KEY.txt.
func (v *Voices) Recordings() (names []string, open func(name string) (io.ReadCloser, error), err error) {
	langs, err := os.ReadDir(v.options.Dir)
	if err != nil && !isGone(err) {
		return nil, nil, err
	}
	for _, lang := range langs {
		if !lang.IsDir() || !langForm.MatchString(lang.Name()) || lang.Name() == "speech" {
			continue
		}
		files, err := os.ReadDir(filepath.Join(v.options.Dir, lang.Name()))
		if err != nil {
			return nil, nil, err
		}
		for _, f := range files {
			if ext := filepath.Ext(f.Name()); f.Type().IsRegular() && (ext == ".ogg" || ext == ".txt") {
				names = append(names, lang.Name()+"/"+f.Name())
			}
		}
	}
	return names, func(name string) (io.ReadCloser, error) {
		return os.Open(filepath.Join(v.options.Dir, filepath.FromSlash(name)))
	}, nil
}

func save(name string, r io.Reader) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// convert gives a recording as Ogg Opus: one channel, without the silence before and
// after, as loud as the others. mpv reads whatever phones make.
func (v *Voices) convert(ctx context.Context, from, to string) ([]byte, error) {
	if err := v.one.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	defer v.one.Release(1)
	ctx, cancel := context.WithTimeout(ctx, converting)
	defer cancel()
	const quiet = "silenceremove=start_periods=1:start_threshold=-50dB:start_silence=0.1"
	filters := strings.Join([]string{
		"highpass=f=80", quiet, "areverse", quiet, "areverse", "loudnorm=I=-18:TP=-1.5:LRA=11", "aresample=48000", "aformat=channel_layouts=mono",
	}, ",")
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "mpv", "--no-config", "--load-scripts=no", "--ytdl=no", "--autoload-files=no",
		"--access-references=no", "--vid=no", "--sid=no", fmt.Sprint("--length=", mostSeconds), "--msg-level=all=error",
		"--af=lavfi=["+filters+"]", "--oac=libopus", "--oacopts=b=40k", "--of=ogg", "--o="+to, "--", from)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, ok := errors.AsType[*exec.ExitError](err); !ok {
			return nil, fmt.Errorf("convert the recording: %w", err) // mpv is not there
		}
		return nil, fmt.Errorf("%w (%s)", ErrNoSound, strings.TrimSpace(out.String()))
	}
	made, err := os.ReadFile(to)
	if isGone(err) || err == nil && soundOf(made) < leastSound {
		return nil, ErrNoSound
	}
	return made, err
}

// soundOf is how long an Ogg Opus file is: the position of its last page, which counts
// samples at 48 kHz (RFC 7845, section 4).
func soundOf(ogg []byte) time.Duration {
	at := bytes.LastIndex(ogg, []byte("OggS"))
	if at < 0 || at+14 > len(ogg) {
		return 0
	}
	var samples uint64
	for i := range 8 {
		samples |= uint64(ogg[at+6+i]) << (8 * i)
	}
	if samples > 1<<40 {
		return 0
	}
	return time.Duration(samples) * time.Second / 48000
}

func writeDurably(name string, data []byte) error {
	return renameio.WriteFile(name, data, 0o640)
}
