package kernel

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// allocate returns n zeros in pages of their own, huge ones where the system grants them, and a
// function that gives them back.
func allocate(n int) (data []float32, release func() error, err error) {
	bytes, err := unix.Mmap(-1, 0, floatBytes*n, unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, fmt.Errorf("reserving %d bytes: %w", floatBytes*n, err)
	}
	// A kernel without huge pages refuses; the step is then slower and otherwise the same.
	_ = unix.Madvise(bytes, unix.MADV_HUGEPAGE)
	return unsafe.Slice((*float32)(unsafe.Pointer(&bytes[0])), n), func() error { return unix.Munmap(bytes) }, nil
}
