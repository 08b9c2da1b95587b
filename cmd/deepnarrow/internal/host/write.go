package host

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
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

// Unwritable says of an error of the system which file it is about; nil stays nil.
func Unwritable(name string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return &WriteError{name, err}
}

// destination is where a name leads.
type destination struct {
	name       string      // links resolved
	info       fs.FileInfo // nil where nothing is there
	descriptor int         // of this process, with its name; -1 for none
	inPlace    bool        // a descriptor, no regular file, or a file that the system makes up
}

// systemFolders hold files that are doors to the system: they cannot be replaced.
var systemFolders = [...]string{"/proc", "/sys"}

// resolve follows the links of a name, the last one too.
func resolve(name string) (destination, error) {
	if name == "" || os.IsPathSeparator(name[len(name)-1]) {
		return destination{}, syscall.EISDIR
	}
	const mostLinks = 40 // as Linux follows
	for range mostLinks {
		folder, err := filepath.EvalSymlinks(filepath.Dir(name))
		if err != nil {
			return destination{}, err
		}
		name = filepath.Join(folder, filepath.Base(name))
		if n, own := ownDescriptor(name); own {
			return destination{name: name, descriptor: n, inPlace: true}, nil
		}
		d := destination{name: name, descriptor: -1}
		for _, system := range systemFolders {
			rest, inside := strings.CutPrefix(folder, system)
			d.inPlace = d.inPlace || inside && (rest == "" || rest[0] == '/')
		}
		info, err := os.Lstat(name)
		isLink := err == nil && info.Mode()&fs.ModeSymlink != 0
		if isLink && d.inPlace { // such as a descriptor of another process: the system follows it
			info, err = os.Stat(name)
			isLink = false
		}
		if !isLink {
			if errors.Is(err, fs.ErrNotExist) {
				return d, nil
			}
			if err == nil && info.IsDir() {
				err = syscall.EISDIR
			}
			d.info, d.inPlace = info, d.inPlace || err == nil && !info.Mode().IsRegular()
			return d, err
		}
		to, err := os.Readlink(name)
		if err != nil {
			return d, err
		}
		if !filepath.IsAbs(to) {
			to = filepath.Join(folder, to)
		}
		name = to
	}
	return destination{}, syscall.ELOOP
}

// Same says whether writing to both names writes to one file, over links too. Of devices and
// descriptors none is the same.
func Same(a, b string) bool {
	x, errX := resolve(a)
	y, errY := resolve(b)
	switch {
	case errX != nil || errY != nil || x.inPlace || y.inPlace:
		return false
	case x.info != nil && y.info != nil && strings.EqualFold(x.name, y.name): // as some systems do
		return os.SameFile(x.info, y.info)
	}
	x.name, errX = filepath.Abs(x.name)
	y.name, errY = filepath.Abs(y.name)
	return errX == nil && errY == nil && x.name == y.name
}

// WriteFile writes a file whole: after a kill, a full disk or a power cut at any moment the name
// holds the old text or all of the new.
//
// The rules are those of a shell's redirection, but for the replacing:
//
//	a link                    is followed and stays; what it leads to is written, and made if missing
//	a descriptor of this      is written to as it is, at its place: /dev/stdout, /dev/fd/3
//	process
//	a device, a pipe, a file  is written in place
//	of /proc or /sys
//	any other file            is replaced by a new one in its folder, with the old one's permissions
//	                          and, where the system lets, owner; a file that may not be written is
//	                          not replaced. Other hard links keep the old text
//	no file                   is made with the permissions that the umask leaves
//
// The new file has no name until it is whole and on the disk (O_TMPFILE), so that a kill leaves
// nothing behind; where the system has none of those it has a hidden name, and what a kill left is
// swept by the next write of the same file. Errors: [*WriteError], or that of write.
func WriteFile(name string, write func(io.Writer) error) error {
	d, err := resolve(name)
	if err != nil {
		return Unwritable(name, err)
	}
	if d.inPlace {
		f, err := d.open(os.O_WRONLY | os.O_TRUNC)
		if err != nil {
			return Unwritable(name, err)
		}
		return writeAndClose(name, f, write)
	}
	if err := d.writable(); err != nil {
		return Unwritable(name, err)
	}
	sweep(d.name)
	f, err := newTemporary(d.name)
	if err != nil {
		return Unwritable(name, err)
	}
	defer f.discard()
	w := watched{Writer: f.File}
	if err := write(&w); err != nil {
		return cmp.Or(Unwritable(name, w.err), err)
	}
	if d.info != nil {
		keepOwner(f.File, d.info)
		err = f.Chmod(d.info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky))
	}
	if err = errors.Join(err, f.Sync()); err == nil {
		err = errors.Join(f.become(d.name, d.info != nil), syncFolder(filepath.Dir(d.name)))
	}
	return Unwritable(name, err)
}

// CreateFile writes a file that is not there yet, links not followed. Errors: [*WriteError], which is
// [fs.ErrExist] for one that is there; or that of write.
func CreateFile(name string, write func(io.Writer) error) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return Unwritable(name, err)
	}
	return writeAndClose(name, f, write)
}

// watched keeps the error of the file apart from those of what writes to it.
type watched struct {
	io.Writer
	err error
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

func writeAndClose(name string, f *os.File, write func(io.Writer) error) error {
	w := watched{Writer: f}
	err := write(&w)
	closeErr := f.Close()
	if w.err == nil && err == nil {
		w.err = closeErr
	}
	return cmp.Or(Unwritable(name, w.err), err)
}

// open opens what is written in place.
func (d *destination) open(flags int) (*os.File, error) {
	if d.descriptor >= 0 {
		return duplicate(d.descriptor, d.name)
	}
	return os.OpenFile(d.name, flags, 0o666)
}

// writable says whether the file that is there may be written.
func (d *destination) writable() error {
	if d.info == nil {
		return nil
	}
	f, err := os.OpenFile(d.name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// Writable says before the work whether [WriteFile] can write there: what it would say, of a full
// disk too. It changes nothing.
func Writable(name string) error {
	d, err := resolve(name)
	switch {
	case err != nil:
	case !d.inPlace:
		if err = d.writable(); err == nil {
			err = takesFiles(d.name)
		}
	case d.info == nil && d.descriptor < 0:
		err = fs.ErrNotExist // and the system makes none
	case d.info == nil || d.info.Mode()&fs.ModeNamedPipe == 0: // which opens when it is read
		var f *os.File
		if f, err = d.open(os.O_WRONLY); err == nil {
			err = f.Close()
		}
	}
	return Unwritable(name, err)
}

// HasRoom says before the work whether the disk has room for a file of this size beside the old one.
// Errors are those of [WriteFile]; it changes nothing.
func HasRoom(name string, write func(io.Writer) error) error {
	d, err := resolve(name)
	if err != nil || d.inPlace {
		return Writable(name)
	}
	f, err := newTemporary(d.name)
	if err != nil {
		return Unwritable(name, err)
	}
	defer f.discard()
	w := watched{Writer: f.File}
	err = write(&w)
	return cmp.Or(Unwritable(name, w.err), err)
}

// WritableFolder says before the work whether files can be made in a folder that is there or can
// be made.
func WritableFolder(name string) error {
	at := filepath.Clean(name)
	info, err := os.Stat(at)
	for errors.Is(err, fs.ErrNotExist) && at != filepath.Dir(at) {
		at = filepath.Dir(at)
		info, err = os.Stat(at)
	}
	if err == nil && !info.IsDir() {
		err = syscall.ENOTDIR
	}
	if err == nil {
		err = takesFiles(filepath.Join(at, "probe"))
	}
	return Unwritable(name, err)
}

// takesFiles says whether the folder of a file takes a new one, and the disk its first block.
func takesFiles(name string) error {
	f, err := newTemporary(name)
	if err != nil {
		return err
	}
	const block = 4096
	_, err = f.Write(make([]byte, block))
	f.discard()
	return err
}

// syncFolder puts the names in a folder on the disk, where the system can.
func syncFolder(name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil // a folder that takes files and cannot be read
	}
	defer f.Close()
	if err := f.Sync(); !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
