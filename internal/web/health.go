package web

import (
	"net/http"

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
