package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"
	"github.com/google/uuid"

	"mimpi-kiosk/internal/clicker"
	"mimpi-kiosk/internal/config"
	"mimpi-kiosk/internal/hotspot"
	"mimpi-kiosk/internal/playback"
	"mimpi-kiosk/internal/screening"
	"mimpi-kiosk/internal/web"
)

// What stands between two parts that do not know each other stands here.

// programme is what the next screening is held by.
func (k *kiosk) programme() screening.Programme {
	var categories []screening.Category
	for _, c := range k.config.Attendance {
		categories = append(categories, screening.Category{ID: c.ID, Label: c.Label, Sex: c.Sex, Age: c.Age})
	}
	return k.pack.Programme(categories, screening.ToMillis(k.config.Touch.ThankYouPause), k.config.Poll.ShareMinimum)
}

// show is what the screens show and reach.
func (k *kiosk) show(keys *clicker.Clicker, film *playback.Follower) web.Show {
	show := web.Show{
		Programme:     k.programme(),
		Subtitles:     k.pack.Film.SubtitleFile,
		OpenIcon:      func(name string) (io.ReadCloser, error) { return k.pack.OpenIcon(name) },
		GuidebookFile: k.pack.Guidebook.File, GuidebookPages: filepath.Join(k.data, "guidebook"),
		GuidebookURL: k.pack.Guidebook.PublicURL,
		WiFi: web.WiFi{
			Name: k.config.WiFi.Name, Password: k.config.WiFi.Password,
			Security: string(k.config.WiFi.Security), Hidden: k.config.WiFi.Hidden,
		},
		PublicURL: k.config.PublicURL, VotingButtons: k.votingButtons(), CheckButtons: k.checkButtons(),
		Idle:       screening.ToMillis(k.config.Touch.Idle),
		FilmPlayer: film.Plays, Tone: film.Tone, Voices: k.voices(),
		NewID: func() string { return "s-" + strings.ReplaceAll(uuid.NewString(), "-", "")[:12] },
		PressKey: func(ctx context.Context, id, screeningID, key string) error {
			select {
			case err := <-keys.Press(clicker.Press{ID: id, Button: key, For: screeningID}):
				if errors.Is(err, clicker.ErrUnknownButton) {
					return web.ErrUnknownKey
				}
				return err
			case <-ctx.Done():
				return ctx.Err() // it stays in the queue: sent again, it counts once
			}
		},
		ReportPlayer: func(ctx context.Context, r web.PlayerReport) { film.Report(ctx, seenByPage(r)) },
		PageLeft:     film.PageLeft,
		Demo:         k.demo,
	}
	if !k.pack.Film.Missing {
		show.FilmFile = k.pack.Film.File
	}
	for button := range k.keys() {
		show.Keys = append(show.Keys, button)
	}
	for _, l := range k.pack.Spoken {
		show.Spoken = append(show.Spoken, web.Language(l))
	}
	for _, n := range k.pack.HelpNumbers {
		show.Help = append(show.Help, web.HelpNumber(n))
	}
	if k.config.WiFi.Hotspot {
		show.WiFi.Address = hotspot.Address
	}
	return show
}

// seenByPage is a report of the page /stage in the words of the follower.
func seenByPage(r web.PlayerReport) playback.Report {
	return playback.Report{
		Epoch: r.Epoch, State: playback.PlayerState(r.State), At: r.At, Duration: r.Duration,
		PausePoint: r.PausePoint, DecodedFrames: r.DecodedFrames, DroppedFrames: r.DroppedFrames, Error: r.Error,
	}
}

// keys says what the keys of the keyboard mean.
func (k *kiosk) keys() map[string]clicker.Action {
	out := map[string]clicker.Action{}
	if !k.config.Clicker.Keyboard.Enabled {
		return out
	}
	for _, c := range k.config.Attendance {
		if c.Key != "" {
			out[c.Key] = clicker.Action{Category: c.ID}
		}
	}
	if undo := k.config.Clicker.Keyboard.Undo; undo != "" {
		out[undo] = clicker.Action{Undo: true}
	}
	return out
}

// mayBeSavedLater says whether a press must be kept and tried again.
func mayBeSavedLater(err error) bool {
	var notSaved *screening.NotSaved
	return errors.As(err, &notSaved)
}

func limits(l config.Limits) web.Limits {
	return web.Limits{
		Connections: l.MaxConnections, ConnectionsPerAddress: l.MaxConnectionsPerAddress,
		MessageBytes: l.MessageBytes, MessagesPerSecond: float64(l.MessagesPerSecond), MessagesBurst: l.MessageBurst,
	}
}

// zone is the configuration's; it was checked when that was read.
func (k *kiosk) zone() *time.Location {
	zone, err := k.config.Location()
	if err != nil {
		return time.FixedZone("WITA", 8*60*60)
	}
	return zone
}

func writeDurably(path string, data []byte) error {
	return renameio.WriteFile(path, data, os.FileMode(0o644))
}
