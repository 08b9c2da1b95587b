package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// GitShow returns a file of a revision, REVISION:FILE, of at most limit bytes.
func GitShow(ctx context.Context, name string, most int) ([]byte, error) {
	out, err := git(ctx, most, "show", "--no-textconv", "--no-ext-diff", "--end-of-options", name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// mostNames bounds the names of changed files.
const mostNames = 64 << 20

// ChangedSince returns the commit at which the present branch left a revision, and every file that
// differs from it now, committed or not, by its path from the root of the repository: 'A' where it was
// not there, 'D' where it is not there any more, 'M' otherwise.
func ChangedSince(ctx context.Context, revision string) (base string, changes map[string]byte, err error) {
	text, err := git(ctx, mostNames, "merge-base", "--end-of-options", revision, "HEAD")
	if err != nil {
		return "", nil, fmt.Errorf("%s: %w", revision, err)
	}
	base, changes = strings.TrimSpace(string(text)), map[string]byte{}
	text, err = git(ctx, mostNames, "diff", "--name-status", "-z", "--no-renames", "--no-textconv", "--no-ext-diff",
		"--ignore-submodules", base, "--")
	if err != nil {
		return "", nil, err
	}
	fields := strings.Split(string(text), "\x00")
	for i := 0; i+1 < len(fields); i += 2 {
		status := fields[i]
		if status != "A" && status != "D" {
			status = "M"
		}
		changes[fields[i+1]] = status[0]
	}
	text, err = git(ctx, mostNames, "ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/")
	for name := range strings.SplitSeq(string(text), "\x00") {
		if name != "" {
			changes[name] = 'A'
		}
	}
	return base, changes, err
}

// withoutPrograms keeps git from running what a repository says: its file monitor, its hooks, and all
// that a bare repository says, which a working tree can hold as plain files.
var withoutPrograms = []string{
	"-c", "core.fsmonitor=false", "-c", "core.hooksPath=" + os.DevNull, "-c", "safe.bareRepository=explicit",
	"-c", "core.quotePath=false",
}

// git runs git and returns at most limit bytes of what it says.
func git(ctx context.Context, most int, args ...string) ([]byte, error) {
	var out, problem bytes.Buffer
	c := exec.CommandContext(ctx, "git", slices.Concat(withoutPrograms, args)...)
	c.Stdout, c.Stderr = &limited{buffer: &out, left: most}, &limited{buffer: &problem, left: 1 << 10}
	err := c.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("git is needed to read a revision")
	case err != nil && problem.Len() > 0:
		return nil, errors.New(strings.TrimPrefix(strings.TrimSpace(problem.String()), "fatal: "))
	case err != nil && out.Len() == 0 && args[0] == "merge-base":
		return nil, errors.New("has no commit in common with the present branch")
	}
	return out.Bytes(), err
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
