package frame

import (
	"context"
	"fmt"
	"io"
)

// Open opens a file to read, or standard input for -.
func (a *App) Open(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(a.In), nil
	}
	return a.Opens(name)
}

// heard is an input that ends when the command is interrupted, whatever it waits for.
type heard struct {
	ctx  context.Context
	from io.Reader
}

func (h heard) Read(p []byte) (int, error) {
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := h.from.Read(p)
		done <- result{n, err}
	}()
	select {
	case r := <-done:
		return r.n, r.err
	case <-h.ctx.Done():
		return 0, h.ctx.Err()
	}
}

// ReadLimited reads a file, or standard input for -, of at most limit bytes.
func (a *App) ReadLimited(name string, most int64) ([]byte, error) {
	file, err := a.Open(name)
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
