package box

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"mimpi-kiosk/internal/health"
)

// PowerPart is the part of the board that is a problem while the voltage is too low.
const PowerPart = "power"

// sags is how often the voltage was too low since the boot. The driver clears its own
// history every two seconds, so we keep it.
type sags struct {
	Boot  string `json:"boot"`
	Count int    `json:"count"`
	Last  string `json:"last"` // time of day
	now   bool
}

// alarm gives the file that says whether the voltage is too low, or "".
func (w *Watch) alarm() string {
	for _, name := range w.glob("sys/class/hwmon/hwmon*/name") {
		if word(name) == "rpi_volt" {
			return filepath.Join(filepath.Dir(name), "in0_lcrit_alarm")
		}
	}
	return ""
}

// openAlarm opens the alarm; nil where the machine has none.
func (w *Watch) openAlarm() (*os.File, error) {
	path := w.alarm()
	if path == "" {
		return nil, nil
	}
	return os.Open(path)
}

// watchPower waits for the voltage to drop. The kernel wakes it (the driver asks the
// firmware every two seconds); the minute between is for kernels that do not.
func (w *Watch) watchPower(ctx context.Context) error {
	file, err := w.openAlarm()
	if err != nil {
		w.Wrong("open the alarm of the power supply", err)
	}
	if file == nil {
		if p := w.noSensor(); p != nil {
			w.Set(*p)
		}
		<-ctx.Done()
		return nil
	}
	defer file.Close()
	s := w.readSags()
	for {
		if s.look(file, w.Now) {
			w.keepSags(s)
		}
		w.Set(*s.part())
		if !waitFor(ctx, file, time.Minute) {
			return nil
		}
	}
}

// Power looks once at the power supply; nil when the machine has no sensor and need not.
func (w *Watch) Power() *health.Part {
	file, err := w.openAlarm()
	if err != nil || file == nil {
		return w.noSensor()
	}
	defer file.Close()
	s := w.readSags()
	s.look(file, w.Now)
	return s.part()
}

func (w *Watch) noSensor() *health.Part {
	if !IsPi(w.Root) {
		return nil
	}
	return part(PowerPart, health.Note,
		"Tegangan listrik tidak bisa diukur di kotak ini.", "The supply voltage cannot be measured on this box.",
		"Tidak mengganggu malam ini. Pakai adaptor asli Raspberry Pi. Untuk teknisi: driver raspberrypi_hwmon tidak ada.",
		"It does not disturb the evening. Use the Raspberry Pi's own power supply. For the technician: the driver raspberrypi_hwmon is missing.")
}

// look reads the alarm and says whether a new drop was counted.
func (s *sags) look(file *os.File, now func() string) bool {
	var text [16]byte
	n, err := file.ReadAt(text[:], 0)
	low := n > 0 && text[0] == '1'
	if n == 0 && err != nil {
		return false // the sensor is going; the next look says more
	}
	began := low && !s.now
	s.now = low
	if began {
		s.Count++
		s.Last = now()
	}
	return began
}

func (s *sags) part() *health.Part {
	hint := []string{
		"Pakai adaptor dan kabel asli Raspberry Pi (5 V 3 A; Pi 5: 5 V 5 A), kabel pendek, dan cabut alat USB yang tidak perlu. Kalau memakai genset, pakai stabilizer.",
		"Use the Raspberry Pi's own power supply and cable (5 V 3 A; Pi 5: 5 V 5 A), a short one, and unplug USB devices that are not needed. On a generator, use a stabiliser.",
	}
	switch {
	case s.now:
		return part(PowerPart, health.Problem, "Listrik ke kotak terlalu lemah sekarang. Kotak bisa mati tiba-tiba.",
			"The power to the box is too weak right now. It may go off at any moment.", hint...)
	case s.Count > 0:
		return part(PowerPart, health.Note,
			fmt.Sprintf("Listrik ke kotak %d kali terlalu lemah sejak dinyalakan, terakhir pukul %s.", s.Count, s.Last),
			fmt.Sprintf("The power to the box was too weak %d times since it was switched on, the last time at %s.", s.Count, s.Last), hint...)
	}
	return part(PowerPart, health.OK, "Listrik ke kotak kuat.", "The power to the box is strong.")
}

const sagsFile = "power.json"

func (w *Watch) bootID() string { return word(w.path("proc/sys/kernel/random/boot_id")) }

// readSags gives what an earlier run of the daemon in this boot counted.
func (w *Watch) readSags() *sags {
	s := &sags{Boot: w.bootID()}
	if w.Runtime == "" {
		return s
	}
	data, err := os.ReadFile(filepath.Join(w.Runtime, sagsFile))
	var kept sags
	if err == nil && json.Unmarshal(data, &kept) == nil && kept.Boot == s.Boot {
		return &kept
	}
	return s
}

func (w *Watch) keepSags(s *sags) {
	if w.Runtime == "" {
		return
	}
	data, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(filepath.Join(w.Runtime, sagsFile), data, 0o644) // memory, not the card: lost with the boot
	}
	if err != nil {
		w.Wrong("keep the count of under-voltage", err)
	}
}
