package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/host"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// fileFlags say how the files that name shapes are read.
type fileFlags struct {
	architectures string
	vocab         int

	read  *config.Table // of architectures, read once
	opens opener        // of its file; nil as the user names it
}

func (f *fileFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.architectures, "architectures", "",
		"a YAML `FILE` of model types and formats of your own (docs/shape-file.md)")
	c.Flags().IntVar(&f.vocab, "vocab", 0,
		"rows of the token table, for files of trainers that take it from a tokenizer")
}

// table returns the user's table of architectures, nil without one.
func (f *fileFlags) table() (*config.Table, error) {
	if f.architectures == "" || f.read != nil {
		return f.read, nil
	}
	open := f.opens
	if open == nil {
		open = openfile.Named
	}
	file, err := open(f.architectures)
	if err != nil {
		return nil, badInput(fmt.Errorf("--architectures: %w", err), "")
	}
	defer file.Close()
	f.read, err = config.ReadTable(filepath.ToSlash(f.architectures), file)
	if err != nil {
		return nil, badInput(err, "docs/shape-file.md has an example")
	}
	return f.read, nil
}

// used refuses a --vocab that a file had no use for.
func (f *fileFlags) used(name string, used bool) error {
	switch {
	case f.vocab < 0:
		return usage("", "--vocab: %d; allowed: a positive number of rows", f.vocab)
	case f.vocab > 0 && !used:
		return usage("", "--vocab: %s says its vocabulary; allowed: files that do not", name)
	}
	return nil
}

// modelFiles are what a folder may hold, the most telling first: tensors are read with the
// config.json beside them.
var modelFiles = []string{
	"model.safetensors.index.json", "model.safetensors", "config.json", "params.json",
	"operative_config.gin", "model_config.yaml", "config.yaml", "config.toml",
	"pytorch_model.bin.index.json", "adapter_config.json", "model_index.json",
}

// modelFile returns the file of a folder that describes its model.
func modelFile(folder string) (string, error) {
	for _, name := range modelFiles {
		file := filepath.Join(folder, name)
		if info, err := os.Stat(file); err == nil && !info.IsDir() {
			return file, nil
		}
	}
	return "", badInput(
		fmt.Errorf(
			"%s: is a folder without a model; allowed: one with config.json or another of the files of docs/shape-file.md",
			folder,
		),
		"",
	)
}

// namedIn returns what opens the files that a file names: it keeps to the [container] of that one.
func namedIn(file string) opener {
	return func(name string) (*os.File, error) {
		root, err := openfile.Within(container(file))
		if err != nil {
			return nil, err
		}
		defer root.Close()
		return root.Open(name)
	}
}

// container returns the folder that what a file refers to may not leave, links resolved: the
// repository that the working directory is in; for a file outside it, the cache of Hugging Face that
// holds it, whose files are links to its blobs, or its own folder. The folder is written as the name
// is, absolute or relative.
func container(name string) string {
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
