package visit

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Film puts a film of two hours of black, and what tells of it, into a pack's film folder:
// nobody looks at it, but without a film there is no position.
func Film(ctx context.Context, folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	const toml = "id = \"lab\"\ntitle.id = \"Lab\"\ntitle.en = \"Lab\"\nfile = \"film.mp4\"\n"
	if err := os.WriteFile(filepath.Join(folder, "film.toml"), []byte(toml), 0o644); err != nil {
		return err
	}
	film := filepath.Join(folder, "film.mp4")
	if _, err := os.Stat(film); err == nil {
		return nil
	}
	out, err := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "color=size=64x36:rate=1:duration=7200",
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4", film+".part").CombinedOutput()
	if err != nil {
		return fmt.Errorf("ffmpeg: %w\n%s(make runs the tests in a Debian that has it)", err, out)
	}
	return os.Rename(film+".part", film)
}

const (
	filmLength = 2 * 60 * 60 * 1000 // ms
	filmStep   = 400                // ms of film between two reports
	reportPace = 100 * time.Millisecond
)

// Show is the page /stage, whose socket is open, with that film in fast motion: the more falls
// back, the later the kiosk notes where it is. It says what it does with the position in ms:
// "ASK" before it is reported, "DONE" after, and "ACK" when a view shows it. It ends, without an
// error, when ended is closed.
func (v *Visitor) Show(name string, ended <-chan struct{}, say func(what string, at int)) error {
	if err := v.WaitFor(func(m Message) bool { return m.Type == "view" }); err != nil {
		return err
	}
	epoch, at, shown := int64(-1), 0, 0
	for n := 1; ; n++ {
		select {
		case <-ended:
			return nil
		case <-time.After(reportPace):
		}
		var view struct {
			Playback struct {
				Epoch   int64
				Playing bool
				At      int
			}
		}
		if err := json.Unmarshal(v.Seen, &view); err != nil {
			return err
		}
		if p := view.Playback; p.Epoch != epoch {
			epoch, at = p.Epoch, p.At
		} else if !p.Playing {
			return fmt.Errorf("the film does not play: %+v", p)
		} else if at = min(at+filmStep, filmLength-1); p.At > shown {
			shown = p.At
			say("ACK", shown)
		}
		say("ASK", at)
		err := v.Do(fmt.Sprint(name, "-", n), map[string]any{
			"do": "reportPlayer", "epoch": epoch, "state": "playing", "at": at, "duration": filmLength,
			"pausePoint": nil, "decodedFrames": 0, "droppedFrames": 0, "error": "",
		})
		if err != nil {
			return err
		}
		say("DONE", at)
	}
}
