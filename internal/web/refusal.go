package web

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"sync"

	"mimpi-kiosk/internal/screening"
)

// refusal is a "no" with its sentence, as screens get it.
type refusal struct {
	Reason        string         `json:"reason"`
	Message       screening.Text `json:"message"`
	LockedSeconds int            `json:"lockedSeconds,omitempty"`
}

func (r *refusal) Error() string { return r.Message["en"] }

var (
	errSignedOut = &refusal{Reason: "signed_out", Message: screening.Text{
		"id": "PIN perlu dimasukkan lagi.",
		"en": "The PIN must be entered again.",
	}}
	errNotForYou = &refusal{Reason: "not_for_this_screen", Message: screening.Text{
		"id": "Layar ini tidak boleh meminta itu. Muat ulang halaman.",
		"en": "This screen may not ask for that. Reload the page.",
	}}
	errNotSaved = &refusal{Reason: "not_saved", Message: screening.Text{
		"id": "Belum tersimpan: kotak tidak bisa menulis. Panggil fasilitator, lalu coba lagi.",
		"en": "Not saved: the kiosk cannot write. Call the facilitator, then try again.",
	}}
	errBusy = &refusal{Reason: "busy", Message: screening.Text{
		"id": "Kotak sedang sibuk. Coba lagi sebentar.",
		"en": "The kiosk is busy. Try again in a moment.",
	}}
	errCrowded = &refusal{Reason: "crowded", Message: screening.Text{
		"id": "Terlalu banyak sambungan. Tutup halaman lain, atau pakai layar sentuh.",
		"en": "Too many connections. Close other pages, or use the touch screen.",
	}}
	// ErrUnknownKey is what Show.PressKey gives for a key that is no clicker button.
	ErrUnknownKey error = &refusal{Reason: "unknown_key", Message: screening.Text{
		"id": "Tombol ini tidak dipakai untuk menghitung.",
		"en": "This key is not used for counting.",
	}}
)

// refusalOf says an error of the Room in words for a person.
func (s *Server) refusalOf(err error) *refusal {
	var own *refusal
	var no *screening.Refusal
	var notSaved *screening.NotSaved
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &no):
		return &refusal{Reason: string(no.Reason), Message: no.Message()}
	case errors.As(err, &notSaved):
		return errNotSaved
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, screening.ErrRoomClosed):
		return errBusy
	}
	s.log.Error("command", "error", err)
	return errBusy
}

// door bounds how many screens are connected, in all and from one address.
type door struct {
	most, mostPerAddress int

	mu     sync.Mutex
	total  int
	byAddr map[netip.Addr]int
}

// enter lets a screen in and gives the way out.
func (d *door) enter(r *http.Request) (leave func(), no *refusal) {
	addr := addrOf(r)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.total >= d.most || (!addr.IsLoopback() && d.byAddr[addr] >= d.mostPerAddress) {
		return nil, errCrowded
	}
	d.total++
	d.byAddr[addr]++
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.total--
		if d.byAddr[addr]--; d.byAddr[addr] == 0 {
			delete(d.byAddr, addr)
		}
	}, nil
}

func addrOf(r *http.Request) netip.Addr { return addrIn(r.RemoteAddr) }

func addrIn(hostPort string) netip.Addr {
	a, err := netip.ParseAddrPort(hostPort)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}
