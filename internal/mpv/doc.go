// Package mpv talks to the film player mpv, and starts it. It knows nothing of screenings.
//
// A [Client] is one line to one mpv, over anything that carries bytes both ways. Its Run
// is the one goroutine that reads; answers go to the [Client.Call] that waits for them,
// events to Run's listener, in the order in which mpv sent them. When the line breaks
// every call in flight returns at once with [ErrGone].
//
// A line comes from a [Launcher]: [Child] starts an mpv of our own, [Host] asks the player
// host for one, which is the other end of [Serve]. To both of them the line is the life of
// that mpv: closing it kills the process (SIGKILL, so one that hangs too), and the death
// of the process ends the line. There is no other way to stop one, and none is needed.
//
// Written for mpv 0.35.1 (Debian bookworm) and tried with it. What 0.40 (trixie) does
// otherwise is avoided rather than asked for: loadfile takes its options as the fourth
// argument from 0.38 on, so options are set as properties before it; hwdec takes a list
// from 0.36 on and one value in both.
package mpv
