package web

import (
	"net/http"

	"mimpi-kiosk/kiosk-ui/lang"

	"mimpi-kiosk/internal/health"
)

// healthReport is the answer of /api/health.
type healthReport struct {
	Program string        `json:"program"` // "mimpi-kiosk", so that doctor knows whom it asked
	GoingOn bool          `json:"goingOn"` // a screening that has not ended
	Parts   []health.Part `json:"parts"`   // the worst first
}

// serveHealth tells the kiosk's own machine how its parts are.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request) {
	if !s.mayBe(r, touchRole) {
		http.NotFound(w, r)
		return
	}
	s.writeJSON(w, http.StatusOK, healthReport{"mimpi-kiosk", s.room.Latest().GoingOn(), orEmpty(s.board.Parts())})
}

// PINHealth says whether there is a PIN. Without one nobody can lead an evening; there is
// no default one that could be left as it is.
func PINHealth(set bool) health.Part {
	if set {
		return health.Part{Part: "pin_set", Level: health.OK, Message: lang.Text("ready.pin.set")}
	}
	return health.Part{Part: "pin_set", Level: health.Problem, Message: lang.Text("ready.pin.none"), Hint: lang.Text("ready.pin.none_hint")}
}
