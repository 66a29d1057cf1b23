// Package screening holds the rules of a film screening and their one owner.
//
// Everything that happens at a screening is an [Event]. Others send a
// [Command]; [Decide] says, from the [State] alone, which events follow or why
// the command is refused (a [Refusal]); [State.Apply] adds an event to the state.
// Decide and Apply are pure: no clock, no randomness, no I/O, so a journal
// replayed gives the same state for ever.
//
// The [Room] is the only goroutine that owns a State. It commits the events of
// all commands that wait together in one transaction of the [Journal], and only
// then answers them and shows the new state to its followers: nothing is on a
// screen that is not on the disk.
//
// The package imports the standard library only.
package screening
