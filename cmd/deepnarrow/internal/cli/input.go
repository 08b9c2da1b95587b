package cli

import (
	"fmt"
	"io"
)

// open opens a file to read, or standard input for -.
func (a *app) open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.In), nil
	}
	return a.opens(name)
}

// readLimited reads a file, or standard input for -, of at most so many bytes.
func (a *app) readLimited(name string, most int64) ([]byte, error) {
	file, err := a.open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s: is too large; allowed: at most %d bytes", name, most)
	}
	return text, err
}
