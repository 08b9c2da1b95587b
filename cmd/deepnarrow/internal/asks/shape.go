package asks

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/shapes"
	"github.com/deepnarrow/deepnarrow/shapes/config"
	"github.com/deepnarrow/deepnarrow/shapes/config/tensors"
)

// AtLeastOneShape refuses a command line without arguments.
func AtLeastOneShape() cobra.PositionalArgs {
	return frame.Arguments(1, 0, "deepnarrow list shapes shows what there is",
		"%[1]s needs at least one shape")
}

// model is what a SHAPE argument names.
type model struct {
	Shape    shapes.Shape    // zero when only tensors are known
	Tensors  *tensors.Header // of a safetensors file, else nil
	Warnings []string        // what a file says that is not counted
}

// Model resolves a SHAPE argument: a catalogue name, an edit, a file, or - for standard input.
func (a *Files) Model(ref string) (model, error) {
	if _, err := a.Table(); err != nil {
		return model{}, err // also where the shape is of the catalogue
	}
	if info, err := os.Stat(ref); err == nil && info.IsDir() && LooksLikeFile(ref) {
		return a.readFolder(ref)
	}
	if ref == "-" || LooksLikeFile(ref) {
		return a.readModel(ref)
	}
	s, err := shapes.Parse(ref)
	if frame.Is[*shapes.UnknownError](err) {
		if info, statErr := os.Stat(ref); statErr == nil && info.IsDir() {
			return a.readFolder(ref)
		} else if statErr == nil {
			return a.readModel(ref)
		}
	}
	if err != nil {
		return model{}, ShapeError(err)
	}
	return model{Shape: s}, a.used(ref, false)
}

// readFolder reads the model that a folder holds.
func (a *Files) readFolder(folder string) (model, error) {
	file, err := modelFile(folder)
	if err != nil {
		return model{}, err
	}
	return a.readModel(file)
}

// Shape resolves a SHAPE argument that must name an architecture.
func (a *Files) Shape(ref string) (shapes.Shape, []string, error) {
	m, err := a.Model(ref)
	if err == nil && m.Shape.DModel == 0 {
		err = frame.BadInput(fmt.Errorf("%s: holds tensors but no shape", ref),
			"put its config.json beside it, or name the shape; count can count the tensors alone")
	}
	return m.Shape, m.Warnings, err
}

var modelExtensions = []string{
	".json", ".gin", ".yaml", ".yml", ".toml", ".sh", ".args", ".safetensors", ".gguf", ".bin", ".pt",
}

func LooksLikeFile(ref string) bool {
	return slices.Contains(modelExtensions, strings.ToLower(filepath.Ext(ref))) ||
		strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") || filepath.IsAbs(ref)
}

// readModel reads a shape from a file.
func (a *Files) readModel(name string) (model, error) {
	result, err := a.readConfig(name)
	if err != nil {
		return model{}, frame.BadInput(err, "")
	}
	if err := a.used(name, result.UsedVocab); err != nil {
		return model{}, err
	}
	m := model{Shape: result.Shape, Tensors: result.Tensors}
	for _, w := range result.Warnings {
		m.Warnings = append(m.Warnings, w.String())
	}
	for _, f := range result.Unknown {
		m.Warnings = append(m.Warnings, fmt.Sprintf("%s: unknown field %s is not counted",
			f.Position, f.Name))
	}
	switch {
	case m.Tensors == nil:
	case m.Tensors.Countable() != "":
		m.Warnings = append(m.Warnings, fmt.Sprintf("%s: %s", name, m.Tensors.Countable()))
	case m.Shape.DModel != 0:
		want := flops.CountParameters(&m.Shape).Total
		if got := m.Tensors.ParametersOf(&m.Shape); got != want {
			m.Warnings = append(m.Warnings, fmt.Sprintf(
				"%s: the configuration has %d parameters, the tensors hold %d", name, want, got))
		}
	}
	return m, nil
}

// readConfig reads a configuration from a file or standard input. A file it refers to must lie in
// its [Container].
func (a *Files) readConfig(name string) (*config.Result, error) {
	table, err := a.Table()
	if err != nil {
		return nil, err
	}
	o := config.Options{Vocab: a.vocab, Architectures: table}
	if name == "-" {
		return config.Read(name, a.In, o)
	}
	file, err := a.Opens(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	holder := Container(name)
	root, err := openfile.Within(holder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	o.Root = filepath.ToSlash(holder)
	o.Open = func(path string) (io.ReadCloser, error) { return root.Open(path) }
	return config.Read(filepath.ToSlash(name), file, o)
}

// ShapeError gives a shape error its exit code.
func ShapeError(err error) error {
	if frame.Is[*shapes.NotCountableError](err) {
		return frame.NoAnswer(err, "deepnarrow list shapes marks the names that cannot be counted")
	}
	return frame.BadInput(err,
		"deepnarrow list shapes shows what there is; an edit looks like t5-small/nl=16")
}

// CompleteShapes offers the catalogue to the shell.
func CompleteShapes(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return shapes.Names(), cobra.ShellCompDirectiveDefault
}

// SplitShapes splits a list of shapes at commas, but for those between the edits of one shape:
// t5-small/el=8,dl=4,t5-base.
func SplitShapes(list string) []string {
	var out []string
	for _, part := range strings.Split(list, ",") {
		if len(out) > 0 && strings.Contains(part, "=") && !strings.Contains(part, "/") {
			out[len(out)-1] += "," + part
			continue
		}
		out = append(out, part)
	}
	return out
}

// ListedShapes reads shapes separated by commas, each as [Files.Shape] reads it, or a file that lists
// shapes: in the column shape of a .csv or .tsv, else one a line, with comments behind #. It
// returns what the files say that is not counted.
func (a *Files) ListedShapes(list string) (all []shapes.Shape, warnings []string, err error) {
	for _, ref := range SplitShapes(list) {
		refs, listed, err := a.shapesIn(ref)
		if err != nil {
			return nil, nil, err
		}
		reader := a
		if listed { // what a file names stays where that is
			reader = a.Within(NamedIn(ref))
		}
		for _, r := range refs {
			s, more, err := reader.Shape(r)
			if err != nil {
				return nil, nil, fmt.Errorf("--candidates: %w", err)
			}
			all, warnings = append(all, s), append(warnings, more...)
		}
	}
	return all, warnings, nil
}

// maxListBytes bounds a file that lists shapes.
const maxListBytes = 1 << 20

// shapesIn returns the shapes that a file lists, or the reference itself where it names no such
// file.
func (a *Files) shapesIn(ref string) (refs []string, listed bool, err error) {
	extension := strings.ToLower(filepath.Ext(ref))
	if info, err := os.Stat(ref); err != nil || info.IsDir() || slices.Contains(modelExtensions, extension) {
		return []string{ref}, false, nil
	}
	if _, err := shapes.Parse(ref); err == nil { // a shape's name wins over a file that has it
		return []string{ref}, false, nil
	}
	if extension == ".csv" || extension == ".tsv" {
		t, err := a.Records("", ref)
		if err != nil {
			return nil, false, err
		}
		if refs, err = t.Text("shape"); err != nil {
			return nil, false, ColumnError(fmt.Errorf("--candidates %s: %w", ref, err))
		}
	} else {
		text, err := a.ReadLimited(ref, maxListBytes)
		if err != nil {
			return nil, false, frame.BadInput(err, "")
		}
		for line := range strings.Lines(string(text)) {
			line, _, _ = strings.Cut(line, "#")
			refs = append(refs, strings.TrimSpace(line))
		}
	}
	refs = slices.DeleteFunc(slices.Clone(refs), func(r string) bool { return r == "" })
	if len(refs) == 0 {
		return nil, false, frame.BadInput(fmt.Errorf("--candidates %s: lists no shape", ref),
			"one shape a line, or a column shape")
	}
	return refs, true, nil
}
