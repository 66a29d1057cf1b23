// Package signin says who may do what on the kiosk's web server: the
// facilitator's PIN and sessions, the tokens of voters' phones, and the guard
// that every request passes first.
//
// [Guard] wraps the whole server: it refuses foreign Host and Origin headers (DNS
// rebinding, cross-site requests and sockets) and sets the security headers.
// [Keeper] lives on a data directory, where it owns two files (mode 0600):
//
//   - pin.json: hash and generation of the PIN, counters of wrong tries, and the
//     identity of a reset file that could not be deleted;
//   - secret.key: 64 random bytes, made at first start. The first half signs
//     cookies, the second makes the keys of voters.
//
// A Keeper starts no goroutine and needs no closing; all its methods may be called
// concurrently. Only one process may use a directory at a time.
//
// Nothing here is measured by the wall clock, because the clock of a Raspberry Pi
// lies until somebody sets it, and then jumps: waiting times are monotonic, and
// cookies carry no expiry that the server would judge.
package signin
