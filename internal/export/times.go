package export

import (
	"time"

	"mimpi-kiosk/internal/screening"
)

// times puts right what was recorded before anybody knew the time. Within a boot the
// monotonic clock tells how long before or after the setting of the clock each event
// was. The best source of a boot holds for all of it, and of its settings the last.
type times map[string]screening.Stamp // the best known moment, by boot

// know adds moments of which the time may be known. Those of one boot come in order.
func (t times) know(st screening.Stamp) {
	best, ok := t[st.Boot]
	if st.Clock != screening.ClockUnset && (!ok || st.Clock.Rank() >= best.Clock.Rank()) {
		t[st.Boot] = st
	}
}

// of gives the time of a stamp as it is known now, and how: a [screening.ClockSource],
// with "_corrected" where another moment of the boot puts it right.
func (t times) of(st screening.Stamp) (time.Time, string) {
	best, ok := t[st.Boot]
	if !ok {
		return st.At, string(st.Clock)
	}
	at := best.At.Add((st.Mono - best.Mono).Duration())
	const drift = 2 * time.Second // of a clock that the network keeps right, from the monotonic one
	if d := at.Sub(st.At).Abs(); d == 0 && st.Clock != screening.ClockUnset || d <= drift && st.Clock == best.Clock {
		return st.At, string(st.Clock)
	}
	return at, string(best.Clock) + "_corrected"
}
