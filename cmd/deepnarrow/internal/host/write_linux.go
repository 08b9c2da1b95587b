package host

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// unnamed makes a file in a folder that has no name and is gone when it is closed without one;
// [errors.ErrUnsupported] where the file system has none.
func unnamed(folder string) (*os.File, error) {
	fd, err := unix.Open(folder, unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o666)
	switch {
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EISDIR), errors.Is(err, unix.EINVAL):
		return nil, errors.ErrUnsupported
	case err != nil:
		return nil, err
	}
	f := os.NewFile(uintptr(fd), folder)
	if _, err := os.Stat(door(f)); err != nil { // without /proc it could get no name
		f.Close()
		return nil, errors.ErrUnsupported
	}
	return f, nil
}

// door is the path by which an unnamed file is reached.
func door(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// link names an unnamed file. The error is [fs.ErrExist] where the name is taken.
func link(f *os.File, name string) error {
	return unix.Linkat(unix.AT_FDCWD, door(f), unix.AT_FDCWD, name, unix.AT_SYMLINK_FOLLOW)
}
