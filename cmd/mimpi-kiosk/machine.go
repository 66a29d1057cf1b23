package main

import (
	"os"

	"mimpi-kiosk/internal/box"
	"mimpi-kiosk/internal/screening"
)

// machine watches power, heat, storage and memory of the box.
func (k *kiosk) machine(room *screening.Room, commits *box.Commits) *box.Watch {
	return &box.Watch{
		Root: "/", Data: k.data, Runtime: os.Getenv("RUNTIME_DIRECTORY"), // systemd sets it
		Now: func() string {
			return room.Latest().Stamp(k.clock.Read()).At.In(k.zone()).Format("15:04")
		},
		Commits: commits, Set: k.board.Set,
		Wrong: func(what string, err error) { k.log.Warn(what, "error", err) },
	}
}
