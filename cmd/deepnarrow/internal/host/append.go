package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// AppendFile adds lines to the end of a file, which is made where there is none, and puts them on
// the disk: all or, where it fails, none. Links, devices and descriptors are those of [WriteFile].
// A torn last line is mended first, see [Appendable]. Errors are those of [WriteFile].
func AppendFile(name string, write func(io.Writer) error) error {
	var lines bytes.Buffer
	if err := write(&lines); err != nil {
		return err
	}
	d, err := resolve(name)
	if err != nil {
		return Unwritable(name, err)
	}
	if d.inPlace {
		f, err := d.open(os.O_WRONLY | os.O_APPEND)
		if err != nil {
			return Unwritable(name, err)
		}
		return writeAndClose(name, f, func(w io.Writer) error { _, err := w.Write(lines.Bytes()); return err })
	}
	f, err := os.OpenFile(d.name, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o666)
	if err != nil {
		return Unwritable(name, err)
	}
	lock(f)
	_, err = mend(f)
	if err == nil {
		err = appendWhole(f, lines.Bytes())
	}
	if err = errors.Join(err, f.Close()); err == nil && d.info == nil {
		err = syncFolder(filepath.Dir(d.name))
	}
	return Unwritable(name, err)
}

// appendWhole takes back what it could not write whole.
func appendWhole(f *os.File, lines []byte) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err = f.Write(lines); err == nil {
		err = f.Sync()
	}
	if err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	return nil
}

// Appendable says before the work whether [AppendFile] can write there, and mends the file: a crash
// may have left its last line without an end. A whole line gets its line feed, and of a torn one the
// bytes are removed and counted. Errors are those of [WriteFile].
func Appendable(name string) (removed int, err error) {
	d, err := resolve(name)
	switch {
	case err != nil:
		return 0, Unwritable(name, err)
	case d.inPlace || d.info == nil:
		return 0, Writable(name)
	}
	f, err := os.OpenFile(d.name, os.O_RDWR, 0)
	if err != nil {
		return 0, Unwritable(name, err)
	}
	defer f.Close()
	lock(f)
	if removed, err = mend(f); err != nil {
		return 0, Unwritable(name, err)
	}
	return removed, nil
}

// mend is what [Appendable] says of an open file. What is not a line of JSON is kept.
func mend(f *os.File) (removed int, err error) {
	const longest = 1 << 20 // as readers of records read
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil || end == 0 {
		return 0, err
	}
	tail := make([]byte, min(end, longest))
	if _, err := f.ReadAt(tail, end-int64(len(tail))); err != nil {
		return 0, err
	}
	tail = tail[bytes.LastIndexByte(tail, '\n')+1:]
	switch {
	case len(tail) == 0:
		return 0, nil
	case tail[0] == 0, tail[0] == '{' && !json.Valid(tail):
		return len(tail), f.Truncate(end - int64(len(tail)))
	}
	_, err = f.Write([]byte{'\n'})
	return 0, err
}
