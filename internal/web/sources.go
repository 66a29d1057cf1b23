package web

import (
	"net/http"
	"sync"

	"mimpi-kiosk/internal/web/signin"
)

// sources counts how many voters each address is in the round that goes on, so that the
// facilitator sees a phone that votes again and again by clearing its cookies. It forgets
// with the round and with the process: no address goes into the journal or the log.
type sources struct {
	mu     sync.Mutex
	of     ballotRound
	voters map[string]map[string]struct{} // by address
	most   int
}

type ballotRound struct {
	screening, question string
	round               int
}

// note adds the voter of a ballot, and says whether there is more to be seen now. The
// kiosk's own browsers are no phones.
func (s *sources) note(r *http.Request, of ballotRound, voter string) (more bool) {
	client := signin.ClientOf(r)
	if client.Own {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != of {
		s.of, s.voters, s.most = of, map[string]map[string]struct{}{}, 0
	}
	all := s.voters[client.Address]
	if all == nil {
		all = map[string]struct{}{}
		s.voters[client.Address] = all
	}
	all[voter] = struct{}{}
	more = len(all) > s.most
	s.most = max(s.most, len(all))
	return more
}

// mostOf is how many voters the address with the most of them is.
func (s *sources) mostOf(of ballotRound) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != of {
		return 0
	}
	return s.most
}
