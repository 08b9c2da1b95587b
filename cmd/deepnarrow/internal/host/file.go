package host

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// WriteError reports a file that cannot be written, without the name of the temporary file in its
// place.
type WriteError struct {
	File string
	Err  error
}

func (e *WriteError) Error() string { return e.File + ": cannot be written: " + e.Err.Error() }
func (e *WriteError) Unwrap() error { return e.Err }

// Unwritable says of an error of the system which file it is about.
func Unwritable(name string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return &WriteError{name, err}
}

// WriteFile writes a file atomically: it is the old one or the whole new one. Anything but a regular
// file, such as /dev/null or a pipe, is written in place: a rename would put a file there instead.
// Errors: [*WriteError], or that of write.
func WriteFile(name string, write func(io.Writer) error) (err error) {
	info, statErr := os.Stat(name)
	switch {
	case statErr == nil && info.IsDir():
		return Unwritable(name, syscall.EISDIR)
	case statErr == nil && !info.Mode().IsRegular():
		return writeInto(name, os.O_WRONLY, write)
	}
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return Unwritable(name, err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if err := write(f); err != nil {
		return err
	}
	if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return Unwritable(name, err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return Unwritable(name, err)
	}
	return nil
}

// AppendFile writes to the end of a file, which is made where there is none. Errors are those of
// [WriteFile].
func AppendFile(name string, write func(io.Writer) error) error {
	return writeInto(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, write)
}

func writeInto(name string, flags int, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, flags, 0o644)
	if err != nil {
		return Unwritable(name, err)
	}
	if err := write(f); err != nil {
		f.Close()
		return err
	}
	if err := f.Close(); err != nil {
		return Unwritable(name, err)
	}
	return nil
}
