//go:build !unix

package host

import (
	"errors"
	"io/fs"
	"os"
)

// HearLimits has nothing to do: the system has no limit of a file's size.
func HearLimits() {}

func ownDescriptor(string) (n int, own bool) { return 0, false }

func duplicate(int, string) (*os.File, error) { return nil, errors.ErrUnsupported }

func keepOwner(*os.File, fs.FileInfo) {}

func lock(*os.File) {}

// abandoned is always true: the system removes no file that a process has open.
func abandoned(string) bool { return true }
