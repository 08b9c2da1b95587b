package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/reports/check"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// mostFiles bounds what a glob may match.
const mostFiles = 10_000

// candidates reads the configurations that arguments name, or the globs of the rules in their
// folder. A file that cannot be read is a candidate with its error: the others are judged all the
// same.
func (a *app) candidates(args []string, rules *check.Rules, folder string, followLinks bool) ([]check.Candidate, error) {
	if len(args) == 0 {
		within := container(filepath.Join(folder, rulesName))
		for _, g := range rules.Files {
			arg := filepath.Join(folder, filepath.FromSlash(g))
			if filepath.IsAbs(g) || !openfile.Inside(filepath.ToSlash(within), filepath.ToSlash(arg)) {
				return nil, badInput(fmt.Errorf("%s: files is %q; allowed: globs inside %s", rules.File, g,
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
			usage(
				"deepnarrow check config.json, or a line \"files: configs/**/*.json\" in "+rulesName,
				"check needs at least one file")
	}
	tree := func(start string) (fs.FS, error) {
		if followLinks {
			return os.DirFS(start), nil
		}
		root, err := openfile.Within(container(filepath.Join(start, "*")))
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
			return nil, badInput(fmt.Errorf("%s: %w", arg, err),
				"** stands for any number of folders; quote the glob so that the shell leaves it alone")
		}
		if err != nil {
			var pathError *fs.PathError
			if errors.As(err, &pathError) {
				err = &fs.PathError{Op: "open", Path: arg, Err: pathError.Err}
			}
			return nil, refusedLink(err)
		}
		for _, name := range found {
			if name == "-" && arg != "-" {
				name = "./-"
			}
			// rules are not a configuration that a glob means
			if !seen[name] && (name == arg || filepath.Base(name) != rulesName) {
				seen[name] = true
				names = append(names, name)
			}
		}
		if len(names) > mostFiles {
			return nil, badInput(fmt.Errorf("%s: matches too many files; allowed: at most %d", arg,
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
func (a *app) candidate(name, folder string) check.Candidate {
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
	case err != nil && !looksLikeFile(name):
		s, parseErr := shapes.Parse(name)
		if c.Err = parseErr; parseErr == nil {
			c.Config = &config.Result{Shape: s}
		}
	default:
		c.Config, c.Err = a.readConfig(name)
		var pathError *fs.PathError
		switch {
		case errors.Is(c.Err, openfile.ErrOutside):
			c.Err = errors.New("leads out of the repository over a link; allowed: files in it; " + followHint)
		case errors.As(c.Err, &pathError):
			c.Err = pathError.Err
		}
		a.checkpoint(&c, name)
	}
	return c
}

// checkpoint reads the header of the tensors beside a config.json.
func (a *app) checkpoint(c *check.Candidate, name string) {
	if c.Err != nil || c.Config.Tensors != nil || filepath.Base(name) != "config.json" {
		return
	}
	for _, beside := range []string{"model.safetensors", "model.safetensors.index.json"} {
		file := filepath.Join(filepath.Dir(name), beside)
		if _, err := os.Stat(file); err != nil {
			continue
		}
		c.CheckpointFile = filepath.ToSlash(file)
		r, err := a.within(inContainer).readConfig(file)
		if c.CheckpointErr = err; err == nil {
			c.Checkpoint = r.Tensors
		}
		return
	}
}
