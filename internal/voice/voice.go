// Package voice finds the sound of a text for people who do not read: a recording that
// was made on this kiosk, else one of the pack, else speech made here with espeak-ng,
// which needs no network.
//
// A recording made here remembers the sentence that was on the screen when it was made.
// When that has changed since, it is not played: a voice that says something else than
// the screen is worse than a machine's.
//
// [Voices] is safe for concurrent use and has no goroutines of its own; the programs that
// it starts end with the context of the call.
package voice

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"mimpi-kiosk/internal/screening"
)

// ErrNoVoice is what Sound gives when a text can be spoken in no way here. It is an
// fs.ErrNotExist.
var ErrNoVoice = fmt.Errorf("there is no recording, and no speech for this language: %w", fs.ErrNotExist)

const (
	home       = "id" // the language that every other falls back to
	mostSpeech = 1000 // files of made speech that are kept
	longest    = 1000 // characters that are spoken of one text
	program    = "espeak-ng"
	patience   = 20 * time.Second // for one sentence, on the slowest board
)

// borrowed are languages that are read with the voice of another: they are written with
// the sounds of Indonesian. A recording is better, and goes before it.
var borrowed = map[string]string{"mkn": home} // Kupang Malay

// Options are where a Voices finds and keeps things.
type Options struct {
	// Recorded gives the file of a recording of the pack; it may be nil.
	Recorded func(lang, key string) (file string, ok bool)
	// Dir keeps recordings made here (LANG/KEY.ogg) and made speech; it is made when needed.
	Dir string
	// Pace of made speech, in words a minute: 80 to 260.
	Pace int
}

// Voices finds the sound of texts. Make one with New.
type Voices struct {
	options Options
	one     *semaphore.Weighted // one sentence is made at a time: a Pi has other work

	listed sync.Once
	speaks map[string]bool // by language of espeak-ng
}

// New makes a Voices.
func New(o Options) *Voices { return &Voices{options: o, one: semaphore.NewWeighted(1)} }

// Sound is a file that says a text.
type Sound struct {
	File string // WAV, Ogg, MP3 or M4A
	Lang string // the language that is spoken
	Made bool   // by a machine
}

var (
	keyForm  = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,199}$`)
	langForm = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{1,8})*$`)
)

// ValidName says whether a language and the key of a text can name a recording.
func ValidName(lang, key string) bool {
	return langForm.MatchString(lang) && keyForm.MatchString(key) && !strings.Contains(key, "..")
}

// Sound gives the sound of a text in a language, or else in Indonesian. key is the text's
// in the pack, such as "questions.k1.text". The error is ErrNoVoice, ctx's, or says what
// went wrong when speech was made.
func (v *Voices) Sound(ctx context.Context, lang, key string, text screening.Text) (Sound, error) {
	if !ValidName(lang, key) {
		return Sound{}, ErrNoVoice
	}
	for _, l := range []string{lang, home} {
		if v.state(l, key, text) == Current {
			return Sound{File: v.own(l, key), Lang: l}, nil
		}
		if v.options.Recorded != nil {
			if file, ok := v.options.Recorded(l, key); ok {
				return Sound{File: file, Lang: l}, nil
			}
		}
		if sentence := text[l]; sentence != "" && v.can(ctx, l) {
			file, err := v.speech(ctx, cmp.Or(borrowed[l], l), sentence)
			return Sound{File: file, Lang: l, Made: true}, err
		}
	}
	return Sound{}, ErrNoVoice
}

// CanSpeak says whether there is a program that makes speech.
func (v *Voices) CanSpeak() bool {
	_, err := exec.LookPath(program)
	return err == nil
}

// can says whether speech can be made in a language.
func (v *Voices) can(ctx context.Context, lang string) bool {
	v.listed.Do(func() {
		v.speaks = map[string]bool{}
		out, err := exec.CommandContext(context.WithoutCancel(ctx), program, "--voices").Output()
		if err != nil {
			return // it is not installed
		}
		for _, line := range strings.Split(string(out), "\n")[1:] {
			if f := strings.Fields(line); len(f) > 1 {
				v.speaks[f[1]] = true
			}
		}
	})
	lang = cmp.Or(borrowed[lang], lang)
	return v.speaks[lang] || lang == "en" && (v.speaks["en-gb"] || v.speaks["en-us"])
}

// speech makes the sound of a sentence, or finds it made.
func (v *Voices) speech(ctx context.Context, lang, sentence string) (string, error) {
	if r := []rune(sentence); len(r) > longest {
		sentence = string(r[:longest])
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%s", lang, v.options.Pace, sentence))
	dir := filepath.Join(v.options.Dir, "speech")
	file := filepath.Join(dir, hex.EncodeToString(sum[:12])+".wav")
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := v.one.Acquire(ctx, 1); err != nil {
		return "", err
	}
	defer v.one.Release(1)
	if _, err := os.Stat(file); err == nil { // somebody else asked for it too
		return file, nil
	}
	if made, err := os.ReadDir(dir); err == nil && len(made) >= mostSpeech {
		if err := os.RemoveAll(dir); err != nil { // packs came and went
			return "", err
		}
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	// Not synced: what a power cut leaves of it is looked at below, and made anew.
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out, why bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "-v", lang, "-s", strconv.Itoa(v.options.Pace), "-a", "130", "--stdin", "--stdout")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(sentence), &out, &why
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("make speech: %w: %s", err, strings.TrimSpace(why.String()))
	}
	wav, err := whole(out.Bytes())
	if err != nil {
		return "", fmt.Errorf("make speech: %w", err)
	}
	return file, writeDurably(file, wav)
}

// state says how a recording made here stands to the text.
func (v *Voices) state(lang, key string, text screening.Text) State {
	said, err := os.ReadFile(v.saidFile(lang, key))
	if err != nil {
		return None
	}
	if _, err := os.Stat(v.own(lang, key)); err != nil {
		return None
	}
	if string(said) != sentenceFor(lang, text) {
		return Outdated
	}
	return Current
}

// sentenceFor is what a speaker of a language sees: its own text, or the Indonesian one,
// which the speaker then says in the language.
func sentenceFor(lang string, text screening.Text) string { return cmp.Or(text[lang], text[home]) }

func (v *Voices) own(lang, key string) string {
	return filepath.Join(v.options.Dir, lang, key+".ogg")
}

func (v *Voices) saidFile(lang, key string) string {
	return filepath.Join(v.options.Dir, lang, key+".txt")
}

// isGone says that a file is not there.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
