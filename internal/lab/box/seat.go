package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"mimpi-kiosk/internal/lab/picture"
)

// A graphics card with two connectors, and what is plugged into them: a touch screen of
// 800x480 and a projector. The kernel is told of the second, which QEMU plugs in only
// when somebody looks.
var graphics = []string{"-device", "virtio-gpu-pci,id=card,max_outputs=2,xres=800,yres=480", "-device", "virtio-tablet-pci"}

const screenModes = " video=Virtual-1:800x480 video=Virtual-2:1280x720e"

// seat looks at the screens as the units start them: a session with PAM and logind on the
// first virtual terminal, labwc on a DRM card, a Chromium on each output.
func seat(ctx context.Context, a architecture, i image, work string, log io.Writer) (err error) {
	m, err := boot(ctx, a, i, kind{screens: true}, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	for _, c := range []check{
		{"the compositor has the seat, the browsers run", session},
		{"the touch screen shows its page", m.shows(0, picture.IsTouchPage, filepath.Join(work, "touch.png"))},
		{"the projector shows its page", m.shows(1, picture.IsStagePage, filepath.Join(work, "stage.png"))},
	} {
		if err := see(ctx, m, c); err != nil {
			return err
		}
	}
	return nil
}

var displayUnits = []string{
	"mimpi-kiosk-display.service", "mimpi-kiosk-browser@touch.service", "mimpi-kiosk-browser@stage.service", "mimpi-kiosk-player.service",
}

// session waits for the units, and asks logind who has the seat.
func session(ctx context.Context, m *machine) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		said, code, err := m.try(ctx, "sleep 2; systemctl is-active "+strings.Join(displayUnits, " "))
		if err != nil {
			return "", fmt.Errorf("%w; the units are %s", err, said)
		}
		if code == 0 {
			break
		}
	}
	return m.run(ctx, `loginctl show-seat seat0 -p ActiveSession --value | xargs loginctl show-session -p Name -p Type -p VTNr -p State | tr '\n' ' ' | grep 'Name=mimpi-display.*VTNr=1.*State=active'`)
}

// shows waits for a picture of an output of the card.
func (m *machine) shows(head int, is func(picture.Picture) bool, file string) func(context.Context, *machine) (string, error) {
	return func(ctx context.Context, _ *machine) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			if _, err := m.Do(ctx, "screendump", map[string]any{"filename": file, "device": "card", "head": head, "format": "png"}); err != nil {
				return "", err
			}
			p, err := picture.Read(file)
			if err != nil {
				return "", err
			}
			if is(p) {
				return file, nil
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				return "", fmt.Errorf("it shows something else: %s", file)
			}
		}
	}
}
