package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// GitShow returns a file of a revision, REVISION:FILE, of at most so many bytes. No option, filter
// or program that the repository configures takes part.
func GitShow(ctx context.Context, name string, most int) ([]byte, error) {
	var out, problem bytes.Buffer
	c := exec.CommandContext(ctx, "git", "show", "--no-textconv", "--no-ext-diff",
		"--end-of-options", name)
	c.Stdout, c.Stderr = &limited{buffer: &out, left: most}, &limited{buffer: &problem, left: 1 << 10}
	err := c.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("%s: git is needed to read a revision", name)
	case err != nil && problem.Len() > 0:
		said := strings.TrimPrefix(strings.TrimSpace(problem.String()), "fatal: ")
		return nil, fmt.Errorf("%s: %s", name, said)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out.Bytes(), nil
}

// limited refuses to hold more than it may.
type limited struct {
	buffer *bytes.Buffer
	left   int
}

func (b *limited) Write(p []byte) (int, error) {
	if len(p) > b.left {
		return 0, errors.New("too much output")
	}
	b.left -= len(p)
	return b.buffer.Write(p)
}
