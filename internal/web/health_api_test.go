package web

import (
	"encoding/json"
	"net/http"
	"testing"

	"mimpi-kiosk/internal/health"
	"mimpi-kiosk/internal/screening"
)

func TestHealthIsToldToTheKiosksOwnMachine(t *testing.T) {
	t.Parallel()
	k := newKiosk(t, setup{})
	k.board.Set(health.Part{Part: "film", Level: health.Note, Message: text("a", "b")})
	read := func() (out healthReport) {
		r := k.own().get("/api/health")
		if r.StatusCode != http.StatusOK {
			t.Fatalf("/api/health gives %s", r.Status)
		}
		if err := json.Unmarshal(r.body, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := read(); got.Program != "mimpi-kiosk" || got.GoingOn || len(got.Parts) == 0 || got.Parts[0].Part != "film" {
		t.Errorf("says %+v", got)
	}
	k.plan()
	if !read().GoingOn {
		t.Error("a screening goes on, and it is not said")
	}
	k.do(screening.MoveTo{Step: screening.Ended})
	if read().GoingOn {
		t.Error("the screening has ended, and it is not said")
	}
	if r := k.phone(1).get("/api/health"); r.StatusCode != http.StatusNotFound {
		t.Errorf("a phone gets %s", r.Status)
	}
}
