//go:build unix

package host

import (
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// HearLimits makes a file that outgrows the limit of the process (ulimit -f) an error of the write
// instead of the end of the process.
func HearLimits() { signal.Ignore(unix.SIGXFSZ) }

var descriptorPath = regexp.MustCompile(`^(?:/dev/fd|/proc/(\d+)(?:/task/\d+)?/fd)/(\d+)$`)

// ownDescriptor returns the descriptor of this process that a path names.
func ownDescriptor(name string) (n int, own bool) {
	m := descriptorPath.FindStringSubmatch(name)
	if m == nil || m[1] != "" && m[1] != fmt.Sprint(os.Getpid()) {
		return 0, false
	}
	n, err := strconv.Atoi(m[2])
	return n, err == nil
}

// duplicate opens a descriptor once more, to write.
func duplicate(n int, name string) (*os.File, error) {
	flags, err := unix.FcntlInt(uintptr(n), unix.F_GETFL, 0)
	if err != nil {
		return nil, err
	}
	if flags&unix.O_ACCMODE == unix.O_RDONLY {
		return nil, unix.EBADF
	}
	fd, err := unix.FcntlInt(uintptr(n), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// keepOwner gives a file the owner of another, where the system lets.
func keepOwner(f *os.File, like fs.FileInfo) {
	if s, ok := like.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(s.Uid), int(s.Gid))
	}
}

// lock holds a file until it is closed; a system without locks goes on.
func lock(f *os.File) { _ = unix.Flock(int(f.Fd()), unix.LOCK_EX) }

// abandoned says whether nothing holds a file.
func abandoned(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}
