package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// model is what a SHAPE argument names.
type model struct {
	shape    shapes.Shape    // zero when only tensors are known
	tensors  *tensors.Header // of a safetensors file, else nil
	warnings []string        // what a file says that is not counted
}

// model resolves a SHAPE argument: a catalogue name, an edit, a file, or - for standard input.
func (a *app) model(ref string) (model, error) {
	if _, err := a.files.table(); err != nil {
		return model{}, err // also where the shape is of the catalogue
	}
	if info, err := os.Stat(ref); err == nil && info.IsDir() && looksLikeFile(ref) {
		return a.readFolder(ref)
	}
	if ref == "-" || looksLikeFile(ref) {
		return a.readModel(ref)
	}
	s, err := shapes.Parse(ref)
	var unknown *shapes.UnknownError
	if errors.As(err, &unknown) {
		if info, statErr := os.Stat(ref); statErr == nil && info.IsDir() {
			return a.readFolder(ref)
		} else if statErr == nil {
			return a.readModel(ref)
		}
	}
	if err != nil {
		return model{}, shapeError(err)
	}
	return model{shape: s}, a.files.used(ref, false)
}

// readFolder reads the model that a folder holds.
func (a *app) readFolder(folder string) (model, error) {
	file, err := modelFile(folder)
	if err != nil {
		return model{}, err
	}
	return a.readModel(file)
}

// shape resolves a SHAPE argument that must name an architecture.
func (a *app) shape(ref string) (shapes.Shape, []string, error) {
	m, err := a.model(ref)
	if err == nil && m.shape.DModel == 0 {
		err = badInput(fmt.Errorf("%s: holds tensors but no shape", ref),
			"put its config.json beside it, or name the shape; count can count the tensors alone")
	}
	return m.shape, m.warnings, err
}

var modelExtensions = []string{
	".json", ".gin", ".yaml", ".yml", ".toml", ".sh", ".args", ".safetensors", ".gguf", ".bin", ".pt",
}

func looksLikeFile(ref string) bool {
	return slices.Contains(modelExtensions, strings.ToLower(filepath.Ext(ref))) ||
		strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") || filepath.IsAbs(ref)
}

// readModel reads a shape from a file.
func (a *app) readModel(name string) (model, error) {
	result, err := a.readConfig(name)
	if err != nil {
		return model{}, badInput(err, "")
	}
	if err := a.files.used(name, result.UsedVocab); err != nil {
		return model{}, err
	}
	m := model{shape: result.Shape, tensors: result.Tensors}
	for _, w := range result.Warnings {
		m.warnings = append(m.warnings, w.String())
	}
	for _, f := range result.Unknown {
		m.warnings = append(m.warnings, fmt.Sprintf("%s: unknown field %s is not counted",
			f.Position, f.Name))
	}
	switch {
	case m.tensors == nil:
	case m.tensors.Countable() != "":
		m.warnings = append(m.warnings, fmt.Sprintf("%s: %s", name, m.tensors.Countable()))
	case m.shape.DModel != 0:
		want := flops.CountParameters(&m.shape).Total
		if got := m.tensors.ParametersOf(&m.shape); got != want {
			m.warnings = append(m.warnings, fmt.Sprintf(
				"%s: the configuration has %d parameters, the tensors hold %d", name, want, got))
		}
	}
	return m, nil
}

// readConfig reads a configuration from a file or standard input. A file it refers to must lie in
// its [container].
func (a *app) readConfig(name string) (*config.Result, error) {
	table, err := a.files.table()
	if err != nil {
		return nil, err
	}
	o := config.Options{Vocab: a.files.vocab, Architectures: table}
	if name == "-" {
		return config.Read(name, a.In, o)
	}
	file, err := a.opens(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	holder := container(name)
	root, err := openfile.Within(holder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	o.Root = filepath.ToSlash(holder)
	o.Open = func(path string) (io.ReadCloser, error) { return root.Open(path) }
	return config.Read(filepath.ToSlash(name), file, o)
}

// shapeError gives a shape error its exit code.
func shapeError(err error) error {
	var notCountable *shapes.NotCountableError
	if errors.As(err, &notCountable) {
		return noAnswer(err, "deepnarrow list shapes marks the names that cannot be counted")
	}
	return badInput(err,
		"deepnarrow list shapes shows what there is; an edit looks like t5-small/nl=16")
}

// completeShapes offers the catalogue to the shell.
func completeShapes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return shapes.Names(), cobra.ShellCompDirectiveDefault
}
