//go:build unix

package openfile

import "syscall"

// nonblock keeps the opening of a pipe from waiting for who writes it.
const nonblock = syscall.O_NONBLOCK
