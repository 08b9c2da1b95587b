package asks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/reports/check"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// mostFiles bounds what a glob may match.
const mostFiles = 10_000

// Candidates reads the configurations that arguments name, or the globs of the rules in their
// folder. A file that cannot be read is a candidate with its error: the others are judged all the
// same.
func (a *Files) Candidates(args []string, rules *check.Rules, folder string, followLinks bool) ([]check.Candidate, error) {
	if len(args) == 0 {
		within := Container(filepath.Join(folder, RulesFile))
		for _, g := range rules.Files {
			arg := filepath.Join(folder, filepath.FromSlash(g))
			if filepath.IsAbs(g) || !openfile.Inside(filepath.ToSlash(within), filepath.ToSlash(arg)) {
				return nil, frame.BadInput(fmt.Errorf("%s: files is %q; allowed: globs inside %s", rules.File, g,
					within), "")
			}
			if arg == "-" { // a file of that name
				arg = "./-"
			}
			args = append(args, arg)
		}
	}
	if len(args) == 0 {
		return nil,
			frame.Usage(
				"deepnarrow check --init writes rules that list what is here; or deepnarrow check config.json, or a line \"files: configs/**/*.json\" in "+RulesFile,
				"check needs at least one file")
	}
	tree := func(start string) (fs.FS, error) {
		if followLinks {
			return os.DirFS(start), nil
		}
		root, err := openfile.Within(Container(filepath.Join(start, "*")))
		if err != nil {
			return nil, err
		}
		return root.FS(start)
	}
	var names []string
	seen := map[string]bool{}
	for _, arg := range args {
		found, err := host.Expand(arg, mostFiles, check.Match, tree)
		if errors.Is(err, host.ErrNoMatch) {
			return nil, frame.BadInput(fmt.Errorf("%s: %w", arg, err),
				"** stands for any number of folders; quote a glob on the command line, and see files: of "+RulesFile)
		}
		if err != nil {
			if pathError, ok := errors.AsType[*fs.PathError](err); ok {
				err = &fs.PathError{Op: "open", Path: arg, Err: pathError.Err}
			}
			return nil, refusedLink(err)
		}
		for _, name := range found {
			if name == "-" && arg != "-" {
				name = "./-"
			}
			// rules are not a configuration that a glob means
			if !seen[name] && (name == arg || filepath.Base(name) != RulesFile) {
				seen[name] = true
				names = append(names, name)
			}
		}
		if len(names) > mostFiles {
			return nil, frame.BadInput(fmt.Errorf("%s: matches too many files; allowed: at most %d", arg,
				mostFiles), "")
		}
	}
	var out []check.Candidate
	for _, name := range names {
		c := a.candidate(name, folder)
		if errors.Is(c.Err, context.Canceled) {
			return nil, c.Err
		}
		out = append(out, c)
	}
	return out, nil
}

// candidate reads one configuration. Its path, which globs of the rules match, is relative to their
// folder.
func (a *Files) candidate(name, folder string) check.Candidate {
	c := check.Candidate{File: filepath.ToSlash(name), Path: filepath.ToSlash(name)}
	if name == "-" {
		c.Config, c.Err = a.readConfig(name)
		return c
	}
	c.Path = relative(folder, name)
	info, err := os.Stat(name)
	switch {
	case err == nil && info.IsDir():
		c.Err = fmt.Errorf("is a folder; allowed: '%s/**/*.json'", filepath.ToSlash(filepath.Clean(c.File)))
	case err != nil && !LooksLikeFile(name):
		s, parseErr := shapes.Parse(name)
		if c.Err = parseErr; parseErr == nil {
			c.Config = &config.Result{Shape: s}
		}
	default:
		c.Config, c.Err = a.readConfig(name)
		var pathError *fs.PathError
		switch {
		case errors.Is(c.Err, openfile.ErrOutside):
			c.Err = errors.New("leads out of the repository over a link; allowed: files in it; " + FollowHint)
		case errors.As(c.Err, &pathError):
			c.Err = pathError.Err
		}
		a.checkpoint(&c, name)
	}
	return c
}

// checkpoint reads the header of the tensors beside a config.json.
func (a *Files) checkpoint(c *check.Candidate, name string) {
	if c.Err != nil || c.Config.Tensors != nil || filepath.Base(name) != "config.json" {
		return
	}
	for _, beside := range []string{"model.safetensors", "model.safetensors.index.json"} {
		file := filepath.Join(filepath.Dir(name), beside)
		if _, err := os.Stat(file); err != nil {
			continue
		}
		c.CheckpointFile = filepath.ToSlash(file)
		r, err := a.Within(InContainer).readConfig(file)
		if c.CheckpointErr = err; err == nil {
			c.Checkpoint = r.Tensors
		}
		return
	}
}

// RulesFile is the file that is looked for.
const RulesFile = ".deepnarrow.yaml"

// InContainer opens a file whose name a glob or a hook gave: no link leads out of its [Container].
func InContainer(name string) (*os.File, error) {
	return NamedIn(name)(name)
}

// FindRules reads the rules named, or the nearest ones up to the root of the repository; none is no
// error. folder is theirs, "." without.
func (a *Files) FindRules(name string) (check.Rules, string, error) {
	if name == "" {
		root, found := host.Repository()
		for folder := "."; ; folder = filepath.Join("..", folder) {
			if _, err := os.Lstat(filepath.Join(folder, RulesFile)); err == nil {
				name = filepath.Join(folder, RulesFile)
				break
			}
			if !found || folder == root {
				return check.Rules{}, ".", nil
			}
		}
	}
	file, err := a.Opens(name)
	if err != nil {
		return check.Rules{}, "", refusedLink(err)
	}
	defer file.Close()
	within := Container(name)
	root, err := openfile.Within(within)
	if err != nil {
		return check.Rules{}, "", frame.BadInput(err, "")
	}
	defer root.Close()
	rules, err := check.ReadRules(filepath.ToSlash(name), file, check.Options{
		Open: func(path string) (io.ReadCloser, error) { return root.Open(path) },
		Root: filepath.ToSlash(within),
	})
	if err != nil {
		return rules, "", frame.BadInput(err, "")
	}
	return rules, filepath.Dir(name), nil
}

// refusedLink is badInput with what allows a link out of the repository.
func refusedLink(err error) error {
	hint := ""
	if errors.Is(err, openfile.ErrOutside) {
		hint = FollowHint
	}
	return frame.BadInput(err, hint)
}

const FollowHint = "--follow-links reads it all the same, where the repository is trusted"

// ListedFiles returns the files that the rules mean.
func ListedFiles(args []string, rules *check.Rules, folder string) []string {
	return slices.DeleteFunc(slices.Clone(args), func(name string) bool {
		return !rules.Lists(relative(folder, name))
	})
}

// relative returns a path with slashes from a folder, as it is where there is none.
func relative(folder, name string) string {
	here, err := filepath.Abs(name)
	there, wrong := filepath.Abs(folder)
	if rel, no := filepath.Rel(there, here); err == nil && wrong == nil && no == nil {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(name)
}

// Changes returns what differs from the branch point with a revision, for rules of a folder.
func (a *Files) Changes(ctx context.Context, revision, folder string) (*check.Changes, error) {
	base, files, err := host.ChangedSince(ctx, revision)
	root, _ := host.Repository()
	return &check.Changes{
		Files: files, Root: filepath.ToSlash(root), Path: host.InRepository,
		Below: func(file string) string { return relative(folder, filepath.FromSlash(file)) },
		Was: func(path string) *shapes.Shape {
			before, err := a.sideAt(ctx, base, path)
			if err != nil || before.Results != nil {
				return nil
			}
			return &before.Shape
		},
	}, err
}
