// Package asks holds the groups of flags that several commands share, and turns them into questions:
// flags → plan.Question, learn.Selection, shapes, rules. It holds no formula.
package asks

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// Files reads what a command line names: shapes, configurations and recorded runs.
type Files struct {
	*frame.App
	Architectures string // --architectures
	vocab         int    // --vocab

	read       *config.Table // of Architectures, read once
	TableOpens frame.Opener  // of its file; nil as the user names it
}

func (f *Files) Register(c *cobra.Command) {
	c.Flags().StringVar(&f.Architectures, "architectures", "",
		"a YAML `FILE` of model types and formats of your own (docs/shape-file.md)")
	c.Flags().IntVar(&f.vocab, "vocab", 0,
		"rows of the token table, for files of trainers that take it from a tokenizer")
}

// Within returns the reader with another opener, for what a file names.
func (f *Files) Within(opens frame.Opener) *Files {
	app, out := *f.App, *f
	app.Opens, out.App = opens, &app
	return &out
}

// Table returns the user's table of architectures, nil without one.
func (f *Files) Table() (*config.Table, error) {
	if f.Architectures == "" || f.read != nil {
		return f.read, nil
	}
	open := f.TableOpens
	if open == nil {
		open = openfile.Named
	}
	file, err := open(f.Architectures)
	if err != nil {
		return nil, frame.BadInput(fmt.Errorf("--architectures: %w", err), "")
	}
	defer file.Close()
	f.read, err = config.ReadTable(filepath.ToSlash(f.Architectures), file)
	if err != nil {
		return nil, frame.BadInput(err, "docs/shape-file.md has an example")
	}
	return f.read, nil
}

// used refuses a --vocab that a file had no use for.
func (f *Files) used(name string, used bool) error {
	switch {
	case f.vocab < 0:
		return frame.Usage("", "--vocab: %d; allowed: a positive number of rows", f.vocab)
	case f.vocab > 0 && !used:
		return frame.Usage("", "--vocab: %s says its vocabulary; allowed: files that do not", name)
	}
	return nil
}

// modelFile returns the file of a folder that describes its model.
func modelFile(folder string) (string, error) {
	for _, name := range config.ModelFiles() {
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file, nil
		}
	}
	return "", frame.BadInput(
		fmt.Errorf("%s: is a folder without a model; allowed: one with config.json or another of the files of docs/shape-file.md", folder),
		"")
}

// NamedIn returns what opens the files that a file names: it keeps to the [Container] of that one.
func NamedIn(file string) frame.Opener {
	return func(name string) (*os.File, error) {
		root, err := openfile.Within(Container(file))
		if err != nil {
			return nil, err
		}
		defer root.Close()
		return root.Open(name)
	}
}

// Container returns the folder that what a file refers to may not leave, links resolved: the
// repository that the working directory is in; for a file outside it, the cache of Hugging Face that
// holds it, whose files are links to its blobs, or its own folder. The folder is written as the name
// is, absolute or relative.
func Container(name string) string {
	folder := filepath.Dir(name)
	root, found := host.Repository()
	if filepath.IsAbs(name) {
		if abs, err := filepath.Abs(root); err == nil {
			root = abs
		}
	}
	if found && openfile.Inside(filepath.ToSlash(root), filepath.ToSlash(filepath.Clean(name))) {
		return root
	}
	if abs, err := filepath.Abs(folder); err == nil &&
		filepath.Base(filepath.Dir(abs)) == "snapshots" {
		cache := filepath.Dir(filepath.Dir(abs))
		if info, err := os.Stat(filepath.Join(cache, "blobs")); err == nil && info.IsDir() {
			return cache
		}
	}
	if filepath.IsLocal(name) {
		return "."
	}
	return folder
}
