package asks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/reports/compare"
	"github.com/deepnarrow/deepnarrow/shapes/config"
	"github.com/deepnarrow/deepnarrow/shapes/config/syntax"
)

// Side is one argument of diff, with what a file says that is not counted.
type Side struct {
	compare.Side
	Warnings []string
}

// MaxSideBytes bounds a file that may be a result document.
const MaxSideBytes = 64 << 20

// Side resolves an argument of diff.
func (a *Files) Side(ctx context.Context, ref string) (Side, error) {
	if revision, file, ok := revisionFile(ref); ok {
		return a.sideAt(ctx, revision, file)
	}
	if strings.HasSuffix(strings.ToLower(ref), ".json") {
		text, err := a.ReadLimited(ref, MaxSideBytes)
		if err != nil {
			return Side{}, frame.BadInput(err, "")
		}
		if compare.IsDocument(text) {
			return documentSide(ref, text)
		}
	}
	s, warnings, err := a.Shape(ref)
	return Side{compare.Side{Name: ref, Shape: s}, warnings}, err
}

func documentSide(name string, text []byte) (Side, error) {
	results, err := compare.ReadDocument(text)
	if err != nil {
		return Side{}, frame.BadInput(fmt.Errorf("%s: %w", name, err), "")
	}
	return Side{Side: compare.Side{Name: name, Results: results}}, nil
}

// revisionFile splits REVISION:FILE. A file of that very name wins, and one letter is a drive.
func revisionFile(ref string) (revision, file string, ok bool) {
	if _, err := os.Lstat(ref); err == nil {
		return "", "", false
	}
	revision, file, ok = strings.Cut(ref, ":")
	return revision, file, ok && len(revision) > 1 && file != ""
}

// sideAt reads a file of a git revision, and from the same revision the files that it refers to.
func (a *Files) sideAt(ctx context.Context, revision, file string) (Side, error) {
	name := revision + ":" + file
	text, err := host.GitShow(ctx, name, MaxSideBytes)
	if err != nil {
		return Side{}, frame.BadInput(err,
			"REVISION:FILE is a file as git show takes it, with its path from the root of the repository, or from here with ./")
	}
	if compare.IsDocument(text) {
		return documentSide(name, text)
	}
	// Within the revision paths are those of the repository, as far up as its root; only here, and
	// where git wants them from the working directory, do they have ./ before them.
	here, root := "", "."
	if strings.HasPrefix(file, "./") || strings.HasPrefix(file, "../") {
		here = "./"
		root, _ = host.Repository()
	}
	open := func(target string) (io.ReadCloser, error) {
		text, err := host.GitShow(ctx, revision+":"+here+target, MaxSideBytes)
		return io.NopCloser(bytes.NewReader(text)), err
	}
	table, err := a.Table()
	if err != nil {
		return Side{}, err
	}
	result, err := config.Read(path.Clean(file), bytes.NewReader(text), config.Options{
		Open: open, Root: filepath.ToSlash(root), Vocab: a.vocab, Architectures: table,
	})
	if list, ok := errors.AsType[*syntax.Error](err); ok {
		for i := range list.Faults {
			list.Faults[i].File = revision + ":" + list.Faults[i].File
		}
	}
	if err != nil {
		return Side{}, frame.BadInput(err, "")
	}
	if result.Shape.DModel == 0 {
		return Side{}, frame.BadInput(fmt.Errorf("%s: holds tensors but no shape", name), "")
	}
	s := Side{Side: compare.Side{Name: name, Shape: result.Shape}}
	if s.Shape.Name == path.Clean(file) {
		s.Shape.Name = name
	}
	for _, w := range result.Warnings {
		s.Warnings = append(s.Warnings, revision+":"+w.String())
	}
	return s, nil
}
