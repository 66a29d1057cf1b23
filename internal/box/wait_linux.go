package box

import (
	"context"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// waitFor waits until the kernel says that the file has news (an attribute of sysfs
// gives POLLPRI), or the time is over; false when ctx has ended.
func waitFor(ctx context.Context, file *os.File, longest time.Duration) bool {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil { // out of descriptors: go by the clock
		select {
		case <-ctx.Done():
			return false
		case <-time.After(longest):
			return true
		}
	}
	defer unix.Close(wake)
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		_, _ = unix.Write(wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // fails only when it is woken already
	})
	defer func() {
		if !stop() {
			<-woken // before wake is closed
		}
	}()
	fds := []unix.PollFd{{Fd: int32(file.Fd()), Events: unix.POLLPRI}, {Fd: int32(wake), Events: unix.POLLIN}}
	deadline := time.Now().Add(longest)
	for {
		n, err := unix.Poll(fds, int(max(time.Until(deadline).Milliseconds(), 0)))
		if ctx.Err() != nil {
			return false
		}
		if err == unix.EINTR {
			continue
		}
		if n > 0 && fds[0].Revents&unix.POLLPRI == 0 { // the sensor went away: not in a circle
			select {
			case <-ctx.Done():
				return false
			case <-time.After(time.Until(deadline)):
			}
		}
		return true
	}
}
