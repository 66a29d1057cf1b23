package box

import (
	"fmt"
	"strconv"

	"mimpi-kiosk/internal/health"
)

// Bits of the firmware's get_throttled for what is now.
const (
	capped    = 1 << 1 // the clock of the processor is capped
	throttled = 1 << 2
	softLimit = 1 << 3 // of the temperature
)

// heat is warm from 75 degrees on; at 80 to 85 a Raspberry Pi slows down.
func (w *Watch) heat() *health.Part {
	hottest, known := int64(0), false
	for _, zone := range w.glob("sys/class/thermal/thermal_zone*/temp") {
		if t, ok := number(zone); ok && t > -40_000 && t < 200_000 {
			hottest, known = max(hottest, t), true
		}
	}
	slow := false
	for _, f := range w.glob("sys/devices/platform/*/*firmware/get_throttled") {
		bits, err := strconv.ParseUint(word(f), 16, 32)
		slow = slow || err == nil && bits&(capped|throttled|softLimit) != 0
	}
	if !known && !slow {
		return nil
	}
	degrees := hottest / 1000
	hint := []string{
		"Buka tutup kotak, bersihkan lubang anginnya, jauhkan dari lampu dan matahari, arahkan kipas ke kotak.",
		"Open the lid, clear the air holes, keep it away from lamps and sun, point a fan at it.",
	}
	switch {
	case slow && degrees < 75:
		return part("heat", health.Note, "Kotak berjalan lebih lambat untuk melindungi diri.", "The box runs slower to protect itself.",
			"Film mungkin tersendat. Periksa adaptor listrik dan panas kotak.", "The film may stutter. Check the power supply and the heat of the box.")
	case slow || degrees >= 82:
		return part("heat", health.Problem, fmt.Sprintf("Kotak terlalu panas (%d °C) dan berjalan lebih lambat.", degrees/5*5),
			fmt.Sprintf("The box is too hot (%d °C) and runs slower.", degrees/5*5), hint...)
	case degrees >= 75:
		return part("heat", health.Note, fmt.Sprintf("Kotak panas (%d °C).", degrees/5*5), fmt.Sprintf("The box is hot (%d °C).", degrees/5*5), hint...)
	}
	return part("heat", health.OK, "Kotak tidak panas.", "The box is not hot.")
}
