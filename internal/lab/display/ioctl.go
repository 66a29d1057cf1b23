package main

import (
	"syscall"
	"unsafe"
)

func ioctl(fd int, request uintptr, data []byte) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&data[0]))); errno != 0 {
		return errno
	}
	return nil
}
